"""What a refinement that is called from Python says while it runs: a table in a notebook, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from html import escape
from importlib import import_module
from types import TracebackType
from typing import Any

from cginit.display import in_notebook
from cginit.refine.record import Round, round_chi2, round_lmse
from cginit.refine.shown import rounds_html
from cginit.target import Target

__all__ = ["Progress", "Silent", "progress_of"]

#: Called with each finished round; or whether something is shown; None shows it in notebooks only.
Wanted = Callable[[Round], None] | bool | None


class Silent(AbstractContextManager["Silent"]):
    """Says nothing, and hands each round to who wants it."""

    def __init__(self, call: Callable[[Round], None] | None = None) -> None:
        self._call = call

    def add(self, done: Round) -> None:
        """Take one finished round."""
        if self._call is not None:
            self._call(done)

    def end(self, sentence: str) -> None:
        """Take why it ended."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take that it ended, by an error perhaps."""


class Progress(Silent):
    """Shows rounds as they finish; a context manager.

    Parameters
    ----------
    targets : sequence of Target
        Of each state.
    limit : int
        The cap on the number of rounds.
    """

    def __init__(self, targets: Sequence[Target], limit: int) -> None:
        super().__init__()
        self.targets, self.limit = tuple(targets), limit
        self.rounds: list[Round] = []
        self.status = ""

    def __enter__(self) -> Progress:
        self._wait()
        return self

    def add(self, done: Round) -> None:
        """Show one finished round."""
        self.rounds.append(done)
        self._wait()

    def end(self, sentence: str) -> None:
        """Show why it ended."""
        self.status = sentence
        self.show()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.status = f"stopped by {kind.__name__}; what was done is kept where a workdir was given"
            self.show()

    def show(self) -> None:
        """Bring what is shown up to date."""
        raise NotImplementedError

    def _wait(self) -> None:
        count = len(self.rounds)
        self.status = f"iteration {count} is being simulated, since {time.strftime('%H:%M:%S')}"
        seconds = [sum(record.seconds for record in done) for done in self.rounds]
        if count and count < self.limit:
            most = (self.limit - count) * sum(seconds) / count
            self.status += f"; at most {_minutes(most)} to the cap of {self.limit}"
        self.show()


class _InNotebook(Progress):
    """One table that grows below the cell."""

    _handle: Any = None

    def show(self) -> None:
        if self._handle is None:
            show: Any = import_module("IPython.display").display
            self._handle = show(self, display_id=True)
        else:
            self._handle.update(self)

    def __repr__(self) -> str:
        return "\n".join([*(_line(done, self.targets) for done in self.rounds), self.status])

    def _repr_html_(self) -> str:
        return f"{rounds_html(self.rounds, self.targets)}<p>{escape(self.status)}</p>"


class _InLines(Progress):
    """One line a round on standard error, and one at the end."""

    _said = 0

    def show(self) -> None:
        for done in self.rounds[self._said :]:
            sys.stderr.write(_line(done, self.targets) + "\n")
        self._said = len(self.rounds)
        sys.stderr.flush()

    def end(self, sentence: str) -> None:
        super().end(sentence)
        sys.stderr.write(sentence + "\n")


def progress_of(wanted: Wanted, targets: Sequence[Target], limit: int) -> Silent:
    """Return what shows a refinement.

    Parameters
    ----------
    wanted : callable, bool or None
        Called with each round and nothing else shown; True for a table in a notebook and lines on standard error
        elsewhere; None for the table in a notebook and nothing elsewhere; False for nothing.
    targets : sequence of Target
    limit : int
        The cap on the number of rounds.
    """
    if callable(wanted):
        return Silent(wanted)
    if wanted is not False and in_notebook():
        return _InNotebook(targets, limit)
    return _InLines(targets, limit) if wanted else Silent()


def _line(done: Round, targets: Sequence[Target]) -> str:
    unit = targets[0].units.pressure
    pressures = " | ".join(f"{record.pressure:.4g} +- {record.pressure_error:.2g}" for record in done)
    return (
        f"iteration {done[0].index}: chi^2 {round_chi2(done):.3g}, mean squared difference "
        f"{round_lmse(done, targets):.2g}, P {pressures} {unit}, {sum(record.seconds for record in done):.0f} s"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
