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
from cginit.curves import PairPotential
from cginit.errors import InputError, MissingDependencyError, files_explained
from cginit.interactions import Interaction
from cginit.refine.convergence import CHI2_AT_NOISE, Distance
from cginit.refine.history import History
from cginit.refine.record import Record, Round, pair_potentials, round_lmse, round_potentials
from cginit.target import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_figure", "error_figure", "new_figure", "refinement_figure", "save_figure", "scale_energy"]

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
    rounds: Sequence[Round], targets: Sequence[Target], path: Path, estimate: Round | None = None
) -> Path:
    """Draw every g(r), every U(r) and the error of a refinement, and write the figure to `path` (suffix: format).

    Parameters
    ----------
    rounds : sequence of Round
        At least one.
    targets : sequence of Target
        Of each state.
    path : Path
    estimate : Round, optional
        The last potentials, where reweighting has judged them instead of a simulation.

    Raises
    ------
    InputError
        If there is no round.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if not rounds:
        raise InputError("the refinement has no finished simulation to draw")
    history = History(tuple(targets), tuple(rounds))
    best = min(range(len(rounds)), key=history.lmse)
    curves = [(rounds[0], FIRST_COLOUR, "start")]
    if best:
        curves.append((rounds[best], BEST_COLOUR, f"iteration {best}"))
    if estimate is not None:
        curves.append((estimate, WEIGHTED_COLOUR, "reweighted"))
    pairs = tuple(history.pairs())
    figure, panels, axes_e = _panels(len(pairs), len(targets))
    for name, (axes_u, *axes_g) in zip(pairs, panels, strict=True):
        _draw_potentials(axes_u, name, curves, history.kT)
        for number, (axes, target) in enumerate(zip(axes_g, targets, strict=True)):
            _draw_state(axes, name, target, [(done[number], colour, label) for done, colour, label in curves])
            if len(targets) > 1:
                axes.set_title(f"{name}, state {number}" if len(pairs) > 1 else f"state {number}")
            elif len(pairs) > 1:
                axes.set_title(str(name))
    panels[0][1].legend(frameon=False)
    _draw_errors(axes_e, _histories(history, pairs))
    if len(pairs) * len(targets) > 1:
        axes_e.legend(frameon=False)
    _draw_reweighting(axes_e, history, estimate)
    return save_figure(figure, path)


def _panels(pairs: int, states: int) -> tuple[Figure, list[list[Axes]], Axes]:
    """Return a figure with the axes of U and of g in each state for every pair, and those of the errors."""
    if pairs == states == 1:
        figure = new_figure((12.0, 3.8))
        axes_g, axes_u, axes_e = figure.subplots(1, 3)
        return figure, [[axes_u, axes_g]], axes_e
    across = min(PAIRS_ACROSS, pairs)
    blocks, high = -(-pairs // across), states + 1
    figure = new_figure((max(6.0, 4.0 * across), 3.0 * high * blocks + 3.2))
    grid = figure.add_gridspec(high * blocks + 1, across)
    panels = []
    for number in range(pairs):
        row, column = divmod(number, across)
        axes_g = [figure.add_subplot(grid[high * row + state, column]) for state in range(states)]
        panels.append([figure.add_subplot(grid[high * row + states, column]), *axes_g])
    return figure, panels, figure.add_subplot(grid[high * blocks, :])


def _draw_state(
    axes: Axes, name: Interaction, target: Target, curves: Sequence[tuple[Record, str, str]]
) -> None:
    """Draw g of one pair in one state, with its target."""
    length = target.units.length
    axes.set(xlabel=f"r / {length}", ylabel="g(r)")
    curve = target.rdfs.get(name)
    if curve is None:
        axes.text(0.5, 0.5, "not in this state", transform=axes.transAxes, ha="center", color="0.5")
        return
    axes.plot(curve.r, curve.g, color=TARGET_COLOUR, lw=4, alpha=0.3, label="target")
    for record, colour, label in curves:
        g = record.rdfs[name]
        axes.plot(g.r, g.g, color=colour, lw=1.3, label=label)
    axes.set(xlim=(0, curve.r_max), ylim=(0, None))


def _draw_potentials(
    axes: Axes, name: Interaction, curves: Sequence[tuple[Round, str, str]], kT: float
) -> None:
    """Draw U of one pair in kT of the first state."""
    potential = None
    for done, colour, label in curves:
        potential = pair_potentials(round_potentials(done))[name]
        axes.plot(potential.r, potential.u / kT, color=colour, lw=1.3, label=label)
    if potential is not None:
        scale_energy(axes, potential, kT)
        axes.set(xlabel=f"r / {potential.units.length}", xlim=(0, potential.r_cut))
    axes.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    axes.set(ylabel="U(r) / kT")


def _histories(history: History, pairs: Sequence[Interaction]) -> dict[str, list[tuple[int, Distance]]]:
    """Return the errors of every pair in every state by number of the round, with a name where there are several."""
    found = {}
    for number, target in enumerate(history.targets):
        for name in (one for one in pairs if one in target.rdfs):
            words = [str(name)] * (len(pairs) > 1) + [f"state {number}"] * (len(history.targets) > 1)
            found[", ".join(words)] = [
                (done[number].index, done[number].distances[name]) for done in history.rounds
            ]
    return found


def _draw_reweighting(axes: Axes, history: History, estimate: Round | None) -> None:
    """Mark the updates that reweighting judged: before which simulation, and at the end."""
    for done in history.rounds:
        if done[0].skipped:
            text = f"{done[0].skipped} reweighted"
            axes.axvline(done[0].index + 0.5, color=WEIGHTED_COLOUR, lw=0.8, ls=":")
            # In the lower left corner there are no errors yet.
            axes.text(
                done[0].index + 0.49,
                0.03,
                text,
                color=WEIGHTED_COLOUR,
                rotation=90,
                fontsize=8,
                transform=axes.get_xaxis_transform(),
                ha="right",
                va="bottom",
            )
    if estimate is not None:
        lmse = max(round_lmse(estimate, history.targets), SMALLEST)
        skipped = estimate[0].skipped
        label = f"reweighted, {skipped} update{'s' * (skipped > 1)}"
        axes.semilogy([len(history) + 0.5], [lmse], "D", color=WEIGHTED_COLOUR, ms=6, label=label)
        axes.legend(frameon=False)


def error_figure(histories: Mapping[str, Sequence[Record]], path: Path) -> Path:
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


def scale_energy(axes: Axes, p: PairPotential, kT: float) -> None:
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
