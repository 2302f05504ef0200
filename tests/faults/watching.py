"""What a program owes its user whatever it is given: an answer in seconds, or a sentence that helps."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from hypothesis import settings

from cginit.cli.app import main
from cginit.errors import CGInitError

#: Set to 1 by ``make faults``; a part of it is a part of its inputs and kills.
PART = float(os.environ.get("CGINIT_FAULTS") or 0.0)
AT_LENGTH = PART > 0.0
#: Seconds of the processor that an answer to a small or damaged input may take.
LONGEST = 5.0
#: What was tried and survived, by its name; printed at the end.
TALLY: Counter[str] = Counter()
#: Generated inputs of a test of every day, and of ``make faults``.
FEW, MANY = 10, 1000


class TooSlow(BaseException):
    """It thinks for ever; no handler of exceptions may take it for an answer."""


def examples(many: int = MANY, few: int = FEW) -> settings:
    """Return the settings of a test with so many inputs."""
    return settings(max_examples=max(few, round(PART * many)))


@contextlib.contextmanager
def within(seconds: float = LONGEST) -> Iterator[None]:
    """Interrupt what takes longer, by the clock of the processor, which other processes do not hurry."""

    def stop(number: int, frame: object) -> None:
        raise TooSlow(f"no answer within {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def answered(read: Callable[[], object], name: str, *, seconds: float = LONGEST) -> object:
    """Return what a reader makes of a file; None if it refuses it with a sentence that names the file.

    Any other exception, a warning among them, is the failure that is looked for.
    """
    try:
        with within(seconds):
            found = read()
        TALLY["files read and answered"] += 1
        return found
    except CGInitError as error:
        TALLY["files read and refused with a sentence"] += 1
        text = str(error)
        assert name in text, f"which file is meant? {text!r}"
        assert_sentence(text)
        return None


def assert_sentence(text: str) -> None:
    """Fail where a message is none that a user can do something with."""
    assert len(text.split()) >= 4, text
    assert "Traceback" not in text, text
    assert len(text) < 4000, f"{text[:300]!r} ... of {len(text)} characters"
    for internal in ("NoneType", "object has no attribute", "unsupported operand", "list index out of range"):
        assert internal not in text, text


@dataclass(frozen=True)
class Answer:
    """How the program ended."""

    code: int
    out: str
    err: str


def command(*arguments: str, folder: Path, seconds: float = LONGEST) -> Answer:
    """Run the program in this process and in `folder`, and check what holds for every run.

    It ends with a code that is documented, in time and without a traceback; what it refuses it explains, and leaves
    the folder as it was.
    """
    before = contents(folder)
    out, err = io.StringIO(), io.StringIO()
    there = Path.cwd()
    code: int | str | None = 0
    os.chdir(folder)
    try:
        with (
            mock.patch.object(sys, "argv", ["cg-init", *arguments]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(),
            within(seconds),
        ):
            warnings.simplefilter("error")
            try:
                main()
            except SystemExit as leave:
                code = leave.code
    finally:
        os.chdir(there)
    code = 0 if code is None else code
    assert code in (0, 2, 3, 4), f"exit code {code!r}: {err.getvalue()}"
    if code in (2, 4):
        assert_sentence(err.getvalue())
    if code == 2:
        assert contents(folder) == before, "a refused command has written"
    assert not [name for name in contents(folder) if name.endswith((".tmp", ".partial"))]
    TALLY[f"commands that ended with exit code {code}"] += 1
    return Answer(code, out.getvalue(), err.getvalue())


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what is in a folder: size and time of each file by its name."""
    return {
        str(one.relative_to(folder)): (one.stat().st_size, one.stat().st_mtime_ns)
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }
