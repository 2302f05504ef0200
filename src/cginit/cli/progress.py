"""Live table of a refinement: one row an iteration, and how long it may still take."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from cginit.refine.checkpoint import Iteration
from cginit.units import UnitSystem

__all__ = ["IterationTable"]


class IterationTable:
    """Show the iterations of a refinement as they finish; a context manager.

    On a terminal the table is live, with the time of the running simulation; elsewhere one line an iteration
    is printed.

    Parameters
    ----------
    limit : int
        The cap on the number of simulations, for the estimate of the time left.
    units : UnitSystem
        For the column heads.
    quiet : bool
        Show nothing.
    """

    def __init__(self, limit: int, units: UnitSystem, *, quiet: bool = False) -> None:
        self._limit, self._quiet = limit, quiet
        self._console = Console(stderr=True)
        self._table = Table(box=None, pad_edge=False)
        for column in ("iteration", "chi2", "mean sq. diff.", "largest", f"P ({units.pressure})", "seconds"):
            self._table.add_column(column, justify="right")
        self._durations: list[float] = []
        self._began = time.monotonic()
        self._running = True
        self._live = Live(console=self._console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> IterationTable:
        if not self._quiet and self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        if self._live.is_started:
            self._live.stop()

    def add(self, iteration: Iteration) -> None:
        """Show one finished iteration."""
        if self._quiet:
            return
        d = iteration.distance
        cells = (
            str(iteration.index),
            f"{d.chi2:.2f}",
            f"{d.lmse:.2e}",
            f"{d.largest:.3f}",
            f"{iteration.pressure:.4g} +- {iteration.pressure_error:.2g}",
            f"{iteration.seconds:.1f}",
        )
        self._table.add_row(*cells)
        self._durations.append(iteration.seconds)
        self._began = time.monotonic()
        if not self._live.is_started:
            names = ("iteration", "chi2", "lmse", "largest", "P", "seconds")
            self._console.print(
                "  ".join(f"{n} {c}" for n, c in zip(names, cells, strict=True)),
                highlight=False,
                soft_wrap=True,
            )

    def _render(self) -> Group:
        if not self._running:
            return Group(self._table)
        elapsed = time.monotonic() - self._began
        text = f"iteration {len(self._durations)} has run for {elapsed:.0f} s"
        if self._durations:
            each = sum(self._durations) / len(self._durations)
            left = max(0.0, each * (self._limit - len(self._durations)) - elapsed)
            text += f"; at most {left / 60:.0f} min to the cap of {self._limit}"
        return Group(self._table, Spinner("dots", text=text))
