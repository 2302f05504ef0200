"""Figures of a refinement: the curves, and the error against the number of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cginit.atomic import check_writable, write_atomically
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError, MissingDependencyError, files_explained
from cginit.mixture import MixtureTarget
from cginit.refine.checkpoint import Iteration, Reweighted
from cginit.refine.convergence import CHI2_AT_NOISE, Distance
from cginit.refine.mixture_store import MixtureIteration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_figure", "error_figure", "mixture_figure", "new_figure", "refinement_figure", "save_figure"]

TARGET_COLOUR, FIRST_COLOUR, BEST_COLOUR = "0.15", "#d55e00", "#0072b2"
WEIGHTED_COLOUR = "#009e73"
#: Pairs of a mixture side by side.
PAIRS_ACROSS = 3
#: An analytic engine can agree to the last bit, which a logarithmic axis cannot show.
SMALLEST = 1e-16
#: Ends of names and what they mean to matplotlib.
FIGURE_FORMATS = ("png", "pdf", "svg", "eps", "ps", "jpg", "jpeg", "tif", "tiff", "webp")
#: How its formats are told to hold no date.
NO_DATE = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
NO_MATPLOTLIB = "figures need matplotlib: pip install 'cginit[report]'"
LINE_COLOURS = ("#d55e00", "#009e73", "#0072b2", "#cc79a7", "#e69f00", "#56b4e9")


def refinement_figure(
    history: Sequence[Iteration], target: RDF, kT: float, path: Path, reweighted: Reweighted | None = None
) -> Path:
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
    reweighted : Reweighted, optional
        The last potential, where reweighting has judged it instead of a simulation.

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
    curves = [(first.potential, first.rdf, FIRST_COLOUR, "start")]
    if best is not first:
        curves.append((best.potential, best.rdf, BEST_COLOUR, f"iteration {best.index}"))
    if reweighted is not None:
        curves.append((reweighted.potential, reweighted.rdf, WEIGHTED_COLOUR, "reweighted"))
    for potential, rdf, colour, name in curves:
        axes_g.plot(rdf.r, rdf.g, color=colour, lw=1.3, label=name)
        axes_u.plot(potential.r, potential.u / kT, color=colour, lw=1.3, label=name)
    length = target.units.length
    axes_g.set(xlabel=f"r / {length}", ylabel="g(r)", xlim=(0, target.r_max), ylim=(0, None))
    _scale_energy(axes_u, curves[-1][0], kT)
    axes_u.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    axes_u.set(xlabel=f"r / {length}", ylabel="U(r) / kT", xlim=(0, best.potential.r_cut))
    _draw_errors(axes_e, {"": [(item.index, item.distance) for item in history]})
    _draw_reweighting(axes_e, history, reweighted)
    for axes in (axes_g, axes_u):
        axes.legend(frameon=False)
    return save_figure(figure, path)


def _draw_reweighting(axes: Axes, history: Sequence[Iteration], reweighted: Reweighted | None) -> None:
    """Mark the updates that reweighting judged: before which simulation, and at the end."""
    for item in history:
        if item.skipped:
            text = f"{item.skipped} reweighted"
            axes.axvline(item.index + 0.5, color=WEIGHTED_COLOUR, lw=0.8, ls=":")
            # In the lower left corner there are no errors yet.
            axes.text(
                item.index + 0.49,
                0.03,
                text,
                color=WEIGHTED_COLOUR,
                rotation=90,
                fontsize=8,
                transform=axes.get_xaxis_transform(),
                ha="right",
                va="bottom",
            )
    if reweighted is not None:
        lmse = max(reweighted.distance.lmse, SMALLEST)
        updates = f"{reweighted.skipped} update{'s' * (reweighted.skipped > 1)}"
        axes.semilogy(
            [history[-1].index + 1.5],
            [lmse],
            "D",
            color=WEIGHTED_COLOUR,
            ms=6,
            label=f"reweighted, {updates}",
        )
        axes.legend(frameon=False)


def mixture_figure(history: Sequence[MixtureIteration], target: MixtureTarget, path: Path) -> Path:
    """Draw g(r) and U(r) of every pair of a mixture, and their errors, and write the figure to `path`.

    Raises
    ------
    InputError
        If there is no iteration.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if not history:
        raise InputError("the refinement has no finished simulation to draw")
    pairs = target.pairs
    across = min(PAIRS_ACROSS, len(pairs))
    blocks = -(-len(pairs) // across)
    figure = new_figure((4.0 * across, 6.0 * blocks + 3.2))
    grid = figure.add_gridspec(2 * blocks + 1, across)
    first, best = history[0], min(history, key=lambda item: item.lmse)
    length = target.units.length
    for number, pair in enumerate(pairs):
        row, column = divmod(number, across)
        axes_g = figure.add_subplot(grid[2 * row, column])
        axes_u = figure.add_subplot(grid[2 * row + 1, column])
        curve = target.rdfs[pair]
        axes_g.plot(curve.r, curve.g, color=TARGET_COLOUR, lw=4, alpha=0.3, label="target")
        for item, colour, name in (
            (first, FIRST_COLOUR, "start"),
            (best, BEST_COLOUR, f"iteration {best.index}"),
        ):
            if item is best or first is not best:
                g, potential = item.rdfs[pair], item.potentials[pair]
                axes_g.plot(g.r, g.g, color=colour, lw=1.3, label=name)
                axes_u.plot(potential.r, potential.u / target.kT, color=colour, lw=1.3)
        axes_g.set(title="-".join(pair), xlabel=f"r / {length}", ylabel="g(r)")
        axes_g.set(xlim=(0, best.rdfs[pair].r_max), ylim=(0, None))
        _scale_energy(axes_u, best.potentials[pair], target.kT)
        axes_u.axhline(0.0, color="0.8", lw=0.8, zorder=0)
        axes_u.set(xlabel=f"r / {length}", ylabel="U(r) / kT", xlim=(0, best.potentials[pair].r_cut))
        if number == 0:
            axes_g.legend(frameon=False)
    axes_e = figure.add_subplot(grid[2 * blocks, :])
    _draw_errors(
        axes_e,
        {"-".join(pair): [(item.index, item.distances[pair]) for item in history] for pair in pairs},
    )
    axes_e.legend(frameon=False)
    return save_figure(figure, path)


def error_figure(histories: Mapping[str, Sequence[Iteration]], path: Path) -> Path:
    """Draw the mean squared difference against the number of simulations for several refinements."""
    if not any(histories.values()):
        raise InputError("there is no finished simulation to draw")
    figure = new_figure((5.5, 3.8))
    axes = figure.subplots()
    _draw_errors(axes, {name: [(x.index, x.distance) for x in items] for name, items in histories.items()})
    axes.legend(frameon=False)
    return save_figure(figure, path)


def _draw_errors(axes: Axes, histories: Mapping[str, Sequence[tuple[int, Distance]]]) -> None:
    """Draw the errors of numbered simulations of one or several curves."""
    from matplotlib.ticker import MaxNLocator

    for (name, history), colour in zip(histories.items(), cycle(LINE_COLOURS), strict=False):
        index = np.array([number for number, _ in history])
        lmse = np.maximum([one.lmse for _, one in history], SMALLEST)
        noise = np.array([one.chi2 <= CHI2_AT_NOISE for _, one in history])
        axes.semilogy(index + 1, lmse, "-", color=colour, lw=1.2, label=name or None)
        for chosen, face in ((~noise, colour), (noise, "white")):
            if np.any(chosen):
                axes.semilogy(index[chosen] + 1, lmse[chosen], "o", color=colour, ms=5, mfc=face)
    axes.set(xlabel="simulation (open: within the noise)", ylabel="mean squared difference of g")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25, which="both", axis="y")


def _scale_energy(axes: Axes, p: PairPotential, kT: float) -> None:
    """Choose limits that show the wells; the core would squeeze them to a line."""
    outside = p.u[p.r >= p.r_core] / kT
    low = min(-0.5, 1.2 * float(outside.min()))
    axes.set_ylim(low, min(6.0, max(2.0, 1.1 * float(outside.max()))))


def new_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of this size in inches; MissingDependencyError if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(NO_MATPLOTLIB) from error
    return Figure(figsize=size, layout="constrained")


def check_figure(path: Path) -> None:
    """Make sure that `save_figure` can write a figure, before it is worked for.

    Raises
    ------
    InputError
        If the end of its name is no format of figures, or its place is not one to write to.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if _figure_format(path) not in FIGURE_FORMATS:
        known = ", ".join(f".{name}" for name in FIGURE_FORMATS)
        raise InputError(
            f"the end of {path} names no format of figures; known are {known}. Name it otherwise, as "
            f"{path.with_suffix('.png').name}"
        )
    if find_spec("matplotlib") is None:
        raise MissingDependencyError(NO_MATPLOTLIB)
    # Folders are made when there is a figure for them.
    existing = next((one for one in path.parents if one.exists()), path.parent)
    check_writable(path if existing == path.parent else existing / path.name)


def save_figure(figure: Figure, path: Path, dpi: int = 150) -> Path:
    """Write a figure, whose folder is made if need be, whole or not at all, and return its path.

    Equal figures are equal files: they hold no date.

    Raises
    ------
    InputError
        If it cannot be written; see `check_figure`.
    """
    import matplotlib

    check_figure(path)
    with files_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    stream, kind = BytesIO(), _figure_format(path)
    with matplotlib.rc_context({"svg.hashsalt": "cginit"}):
        figure.savefig(stream, dpi=dpi, format=kind, metadata=NO_DATE.get(kind))
    return write_atomically(path, stream.getvalue())


def _figure_format(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()
