"""Live table of a refinement: one row a round, and how long it may still take."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from cginit.cli.progress import duration
from cginit.cli.voice import voice
from cginit.refine import Record, Round
from cginit.units import UnitSystem

__all__ = ["RoundTable", "decimals"]

#: From here on decimals say nothing and a column grows wide.
LARGE = 1e5


class RoundTable:
    """Show the rounds of a refinement as they finish; a context manager.

    On a terminal the table is live, with the time of the running simulation; elsewhere one line a round
    is printed. Of several pairs chi^2 is that of the worst, which is named; several states stand side by side.

    Parameters
    ----------
    limit : int
        The cap on the number of rounds, for the estimate of the time left.
    units : UnitSystem
        For the column heads.
    """

    def __init__(self, limit: int, units: UnitSystem) -> None:
        self._limit, self._quiet, self._units = limit, voice().quiet, units
        self._running_index = 0
        self._console = Console(stderr=True)
        self._table = Table(box=None, pad_edge=False)
        for column in ("iteration", "chi2", "mean sq. diff.", "largest", f"P ({units.pressure})", "seconds"):
            self._table.add_column(column, justify="right")
        self._durations: list[float] = []
        self._began = time.monotonic()
        self._running = True
        self._live = Live(console=self._console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> RoundTable:
        if not self._quiet and self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        if self._live.is_started:
            self._live.stop()

    def add(self, finished: Round) -> None:
        """Show one finished round."""
        if self._quiet:
            return
        seconds = sum(record.seconds for record in finished)
        cells = (
            str(finished[0].index),
            " | ".join(_chi2(record) for record in finished),
            " | ".join(f"{record.distance.lmse:.2e}" for record in finished),
            " | ".join(decimals(record.distance.largest, 3) for record in finished),
            " | ".join(f"{record.pressure:.4g} +- {record.pressure_error:.2g}" for record in finished),
            f"{seconds:.1f}",
        )
        self._table.add_row(*cells)
        self._running_index = finished[0].index + 1
        self._durations.append(seconds)
        self._began = time.monotonic()
        if not self._live.is_started:
            names = [str(column.header) for column in self._table.columns]
            self._console.print(
                "  ".join(f"{n} {c}" for n, c in zip(names, cells, strict=True)),
                highlight=False,
                soft_wrap=True,
            )

    def _render(self) -> Group:
        if not self._running:
            return Group(self._table)
        elapsed = time.monotonic() - self._began
        text = f"iteration {self._running_index} has run for {duration(elapsed)}"
        if self._durations:
            each = sum(self._durations) / len(self._durations)
            left = max(0.0, each * (self._limit - self._running_index) - elapsed)
            text += f"; at most {duration(left)} to the cap of {self._limit} simulations"
        return Group(self._table, Spinner("dots", text=text))


def _chi2(record: Record) -> str:
    free = {name: one.chi2 for name, one in record.distances.items() if name not in record.held}
    worst = max(free, key=lambda name: free[name])
    return decimals(free[worst], 2) + (f" ({worst})" if len(record.distances) > 1 else "")


def decimals(value: float, digits: int) -> str:
    """Write a number with so many decimals, or shorter where it is large."""
    return f"{value:.{digits}f}" if abs(value) < LARGE else f"{value:.3g}"
