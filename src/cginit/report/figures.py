"""Figures of a refinement: the curves, and the error against the number of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cginit.curves import RDF
from cginit.errors import InputError, MissingDependencyError
from cginit.refine.checkpoint import Iteration
from cginit.refine.convergence import CHI2_AT_NOISE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["error_figure", "new_figure", "refinement_figure", "save_figure"]

TARGET_COLOUR, FIRST_COLOUR, BEST_COLOUR = "0.15", "#d55e00", "#0072b2"
LINE_COLOURS = ("#d55e00", "#009e73", "#0072b2", "#cc79a7", "#e69f00", "#56b4e9")


def refinement_figure(history: Sequence[Iteration], target: RDF, kT: float, path: Path) -> Path:
    """Draw g(r), U(r) and the error of one refinement and write the figure to `path` (suffix: format).

    Parameters
    ----------
    history : sequence of Iteration
        At least one.
    target : RDF
        In the units of the iterations.
    kT : float
        Thermal energy, for the axis of U.
    path : Path

    Raises
    ------
    InputError
        If there is no iteration.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if not history:
        raise InputError("the refinement has no finished simulation to draw")
    figure = new_figure((12.0, 3.8))
    axes_g, axes_u, axes_e = figure.subplots(1, 3)
    first, best = history[0], min(history, key=lambda item: item.distance.lmse)
    shown = target.with_core()
    axes_g.plot(shown.r, shown.g, color=TARGET_COLOUR, lw=4, alpha=0.3, label="target")
    for item, colour, name in (
        (first, FIRST_COLOUR, "start"),
        (best, BEST_COLOUR, f"iteration {best.index}"),
    ):
        if item is best or first is not best:
            axes_g.plot(item.rdf.r, item.rdf.g, color=colour, lw=1.3, label=name)
            axes_u.plot(item.potential.r, item.potential.u / kT, color=colour, lw=1.3, label=name)
    length = target.units.length
    axes_g.set(xlabel=f"r / {length}", ylabel="g(r)", xlim=(0, target.r_max), ylim=(0, None))
    _scale_energy(axes_u, best)
    axes_u.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    axes_u.set(xlabel=f"r / {length}", ylabel="U(r) / kT", xlim=(0, best.potential.r_cut))
    _draw_errors(axes_e, {"": history})
    for axes in (axes_g, axes_u):
        axes.legend(frameon=False)
    return save_figure(figure, path)


def error_figure(histories: Mapping[str, Sequence[Iteration]], path: Path) -> Path:
    """Draw the mean squared difference against the number of simulations for several refinements."""
    if not any(histories.values()):
        raise InputError("there is no finished simulation to draw")
    figure = new_figure((5.5, 3.8))
    axes = figure.subplots()
    _draw_errors(axes, histories)
    axes.legend(frameon=False)
    return save_figure(figure, path)


def _draw_errors(axes: Axes, histories: Mapping[str, Sequence[Iteration]]) -> None:
    from matplotlib.ticker import MaxNLocator

    for (name, history), colour in zip(histories.items(), LINE_COLOURS, strict=False):
        index = np.array([item.index for item in history])
        # An analytic engine can agree to the last bit, which a logarithmic axis cannot show.
        lmse = np.maximum([item.distance.lmse for item in history], 1e-16)
        noise = np.array([item.distance.chi2 <= CHI2_AT_NOISE for item in history])
        axes.semilogy(index + 1, lmse, "-", color=colour, lw=1.2, label=name or None)
        for chosen, face in ((~noise, colour), (noise, "white")):
            if np.any(chosen):
                axes.semilogy(index[chosen] + 1, lmse[chosen], "o", color=colour, ms=5, mfc=face)
    axes.set(xlabel="simulation (open: within the noise)", ylabel="mean squared difference of g")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25, which="both", axis="y")


def _scale_energy(axes: Axes, iteration: Iteration) -> None:
    """Choose limits that show the wells; the core would squeeze them to a line."""
    p = iteration.potential
    kT = 1.0 if p.provenance is None or p.provenance.kT is None else p.provenance.kT
    outside = p.u[p.r >= iteration.potential.r_core] / kT
    low = min(-0.5, 1.2 * float(outside.min()))
    axes.set_ylim(low, min(6.0, max(2.0, 1.1 * float(outside.max()))))


def new_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of this size in inches; MissingDependencyError if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("figures need matplotlib: pip install 'cginit[report]'") from error
    return Figure(figsize=size, layout="constrained")


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure, whose folder is made if need be, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path
