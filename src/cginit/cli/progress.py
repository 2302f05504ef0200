"""Progress on standard error: bars with the time left, what takes long without steps, and logging for --verbose."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cginit.cli.voice import Voice, voice

__all__ = ["counting", "duration", "waiting"]

#: Seconds after which something that goes on is worth a word.
PATIENCE = 2.0
#: Seconds between two lines where there is no terminal to draw a bar on.
LINES_EVERY = 10.0

Report = Callable[[int, int], None]


@contextmanager
def counting() -> Iterator[Callable[[str], Report]]:
    """Yield a function that opens a bar of a name and returns its callback ``(done, total)``.

    On a terminal the bars are live, with the time left; elsewhere a line is printed now and then, with the same. With
    ``--quiet`` there is nothing.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if voice().quiet:
        yield lambda what: lambda done, total: None
        return
    if not console.is_terminal:
        yield _Lines
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeLeft(), console=console, transient=True) as bars:

        def opened(what: str) -> Report:
            task = bars.add_task(what, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield opened


class _Lines:
    """Callback ``(done, total)`` that prints a line every `LINES_EVERY` seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said < LINES_EVERY:
            return
        self._said = now
        left = (now - self._began) * (total - done) / max(done, 1)
        voice().progress(f"{self._what}: {done} of {total}, {duration(left)} left")


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on standard error that something goes on, once it has taken `PATIENCE` seconds.

    What has no steps that could be counted has no time left that could be told: the time since it began is shown.
    """
    if voice().quiet:
        yield
        return
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(what, ended, voice()), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _watch(what: str, ended: threading.Event, spoken: Voice) -> None:
    if ended.wait(PATIENCE):
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        seconds = PATIENCE
        while not ended.wait(LINES_EVERY):
            seconds += LINES_EVERY
            spoken.progress(f"{what}: {duration(seconds)} so far")
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bars.add_task(what, total=None)
        ended.wait()


def duration(seconds: float) -> str:
    """Return a time in the two largest of its units.

    Examples
    --------
    >>> duration(3.2), duration(75), duration(7320)
    ('3 s', '1 min 15 s', '2 h 2 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
