"""The figure of a guess: the target g(r), and the potential with its error band."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cginit.report.comparison import energy_curve
from cginit.report.figures import BEST_COLOUR, TARGET_COLOUR, new_figure, save_figure

if TYPE_CHECKING:
    from cginit.curves import RDF, PairPotential
    from cginit.state import StatePoint

__all__ = ["guess_figure"]


def guess_figure(target: RDF, state: StatePoint, potential: PairPotential, path: Path) -> Path:
    """Draw g(r) and U(r) in kT beside each other, both with their standard errors, and return the path.

    Parameters
    ----------
    target : RDF
        What was guessed from.
    state : StatePoint
        Its kT is the unit of the energy.
    potential : PairPotential
        The guess, in the units of the target.
    path : Path
        Figure to write; the suffix is the format.

    Raises
    ------
    InputError
        If it cannot be written there.
    MissingDependencyError
        If matplotlib is not installed.
    """
    figure = new_figure((9.0, 3.6))
    left, right = figure.subplots(1, 2)
    length = target.units.length
    left.plot(target.r, target.g, color=TARGET_COLOUR, lw=1.5)
    if target.error is not None:
        # Two standard errors: the true g lies inside in 95 of 100 points.
        low, high = target.g - 2.0 * target.error, target.g + 2.0 * target.error
        left.fill_between(target.r, low, high, color=TARGET_COLOUR, alpha=0.2, lw=0.0)
    left.axhline(1.0, color="0.8", lw=0.8, zorder=0)
    left.set(
        xlabel=f"r / {length}", ylabel="g(r)", title="target", xlim=(0.0, target.r_max), ylim=(0.0, None)
    )
    u = potential.u / state.kT
    right.plot(potential.r, u, color=BEST_COLOUR, lw=1.5)
    if potential.u_error is not None:
        band = 2.0 * potential.u_error / state.kT
        right.fill_between(
            potential.r, u - band, u + band, color=BEST_COLOUR, alpha=0.25, lw=0.0, label="2 standard errors"
        )
    right.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    right.axvspan(0.0, potential.r_core, color="0.93", lw=0.0, zorder=0, label="extrapolated")
    right.legend(frameon=False)
    name = "guess" if potential.provenance is None else f"guess by {potential.provenance.method}"
    right.set(xlabel=f"r / {length}", ylabel="U(r) / kT", title=name, xlim=(0.0, potential.r_cut))
    shown = energy_curve(potential, state.kT)
    right.set_ylim(shown.lowest, shown.highest)
    outside = potential.r >= potential.r_core
    if potential.u_error is not None and outside.any():
        bottom = 1.1 * float((u - 2.0 * potential.u_error / state.kT)[outside].min())
        right.set_ylim(bottom=min(bottom, right.get_ylim()[0]))
    return save_figure(figure, path)
