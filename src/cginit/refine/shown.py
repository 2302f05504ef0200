"""How a refinement shows itself: a card with its curves in a notebook, a figure, a data frame of its rounds."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from cginit.bonded import Distribution
from cginit.curves import RDF
from cginit.display import BAND, Drawing, data_frame, new_panels, sparkline
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.refine.record import Record, Round
from cginit.target import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["ShownRefinement", "rounds_html"]

#: Rows of a table in a notebook; of more rounds those in the middle are left out.
ROWS = 12
#: Sparklines in a notebook, and panels side by side in a figure.
CURVES, ACROSS = 4, 3
#: Numbers below each other, with room between columns, whatever style the notebook has for tables.
CELL = "text-align:right;padding:0.15em 0.9em"


class ShownRefinement:
    """A refinement that can be looked at; a subclass has the attributes, and says in a sentence where it stands."""

    targets: tuple[Target, ...]
    rounds: tuple[Round, ...]

    def _result(self) -> Round | None:
        """Return what the result shows, if there is one."""
        raise NotImplementedError

    def _sentence(self) -> str:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        result, pictures = self._result(), []
        if result is not None:
            pictures = [
                f"<div>{escape(str(name))}<br>{sparkline(*_drawings(name, result[0], self.targets[0]))}</div>"
                for name in _compared(result[0], self.targets[0])[:CURVES]
            ]
        return (
            f"<div><b>Refinement</b> {escape(self._sentence())}</div>{rounds_html(self.rounds, self.targets)}"
            f"<div style='display:flex;flex-wrap:wrap;gap:1.5em'>{''.join(pictures)}</div>"
        )

    def plot(self) -> list[Axes]:
        """Draw every distribution of the first state with its target, and chi^2 by iteration; return the axes.

        `cginit.report.refinement_figure` draws more, and all states.

        Raises
        ------
        InputError
            If nothing has been simulated yet.
        MissingDependencyError
            If matplotlib is not installed.
        """
        result = self._result()
        if result is None:
            raise InputError("the refinement has no finished simulation to draw")
        names = _compared(result[0], self.targets[0])
        panels = new_panels(len(names) + 1, min(ACROSS, len(names) + 1))
        for axes, name in zip(panels, names, strict=False):
            _draw(axes, name, self.rounds[0][0], result[0], self.targets[0])
        _draw_chi2(panels[-1], self.rounds)
        return panels

    def to_frame(self) -> DataFrame:
        """Return the rounds as a pandas data frame, one row a simulation.

        Columns are ``iteration``, ``state`` (where there are several), ``made_by``, ``chi2`` and ``lmse`` (mean
        squared difference) of all that is compared, ``chi2 NAME`` of each interaction where there are several,
        ``pressure`` and ``pressure_error``, ``steps`` and ``seconds``. ``frame.attrs["units"]`` names the units.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        rows = [_row(record, number, len(done)) for done in self.rounds for number, record in enumerate(done)]
        return data_frame(rows, self.targets[0].units)


def _row(record: Record, state: int, states: int) -> dict[str, object]:
    each = record.distances if len(record.distances) > 1 else {}
    return {
        "iteration": record.index,
        **({"state": state} if states > 1 else {}),
        "made_by": record.made_by,
        "chi2": record.distance.chi2,
        "lmse": record.distance.lmse,
        **{f"chi2 {name}": one.chi2 for name, one in each.items()},
        "pressure": record.pressure,
        "pressure_error": record.pressure_error,
        "steps": record.steps,
        "seconds": record.seconds,
    }


def rounds_html(rounds: Sequence[Round], targets: Sequence[Target]) -> str:
    """Return a table of rounds: how far from the target, in noise, and the pressure; states side by side."""
    if not rounds:
        return ""
    unit = targets[0].units.pressure
    heads = ("iteration", "&chi;&sup2;", "mean sq. difference", f"P / {escape(unit)}", "seconds")
    cells: list[tuple[str, ...]] = [
        (
            str(done[0].index),
            " | ".join(f"{record.distance.chi2:.2f}" for record in done),
            " | ".join(f"{record.distance.lmse:.1e}" for record in done),
            " | ".join(f"{record.pressure:.4g} &plusmn; {record.pressure_error:.2g}" for record in done),
            f"{sum(record.seconds for record in done):.0f}",
        )
        for done in rounds
    ]
    if len(cells) > ROWS:
        cells = [*cells[: ROWS // 2], ("&hellip;",) * len(heads), *cells[-ROWS // 2 :]]
    body = "".join(
        "<tr>" + "".join(f"<td style='{CELL}'>{one}</td>" for one in row) + "</tr>" for row in cells
    )
    head = "".join(f"<th style='{CELL}'>{one}</th>" for one in heads)
    return f"<table><tr>{head}</tr>{body}</table>"


def _compared(record: Record, target: Target) -> list[Interaction]:
    """Return the interactions whose distribution and target are both known."""
    return [
        name for name in target.measured if name in (record.rdfs if name.is_pair else record.distributions)
    ]


def _drawings(name: Interaction, record: Record, target: Target) -> tuple[Drawing, Drawing]:
    """Return what was simulated and what was wanted, on one range of values."""
    got: RDF | Distribution = record.rdfs[name] if name.is_pair else record.distributions[name]
    wanted: RDF | Distribution = target.rdfs[name] if name.is_pair else target.distributions[name]
    return got.drawing(), wanted.drawing()


def _draw(axes: Axes, name: Interaction, start: Record, record: Record, target: Target) -> None:
    """Draw one distribution: target, start and result."""
    got, wanted = _drawings(name, record, target)
    axes.plot(wanted.x, wanted.y, color="0.6", lw=4.0, alpha=0.5, label="target")
    if start is not record:
        first, _ = _drawings(name, start, target)
        axes.plot(first.x, first.y, ":", color="C1", lw=1.3, label="start")
    axes.plot(got.x, got.y, color="C0", lw=1.3, label="result")
    if got.error is not None:
        axes.fill_between(
            got.x, got.y - BAND * got.error, got.y + BAND * got.error, color="C0", alpha=0.25, lw=0.0
        )
    axes.set(xlabel=wanted.x_label, ylabel=wanted.y_label, title=str(name))
    axes.legend(frameon=False, fontsize=8)


def _draw_chi2(axes: Axes, rounds: Sequence[Round]) -> None:
    """Draw chi^2 of each interaction that is refined, by iteration, and 1: what it is where all is noise."""
    from matplotlib.ticker import LogFormatter

    free = [
        {name: one for name, one in done[0].distances.items() if name not in done[0].held} for done in rounds
    ]
    for name in free[0]:
        chi2 = [one[name].chi2 if name in one else np.nan for one in free]
        axes.semilogy([done[0].index for done in rounds], chi2, "o-", ms=4, label=str(name))
    axes.axhline(1.0, color="0.6", lw=1.0, ls="--")
    axes.set(xlabel="iteration", ylabel="chi^2 per point")
    axes.locator_params(axis="x", integer=True)
    # 4, not 4 x 10^0.
    axes.yaxis.set_major_formatter(LogFormatter())
    axes.yaxis.set_minor_formatter(LogFormatter())
    if len(free[0]) > 1:
        axes.legend(frameon=False, fontsize=8)
