"""The figure of a refinement: every distribution with its difference to the target, every potential, the errors."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cginit.bonded import Potential
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.refine.convergence import Distance
from cginit.refine.history import History
from cginit.refine.record import Record, Round, round_lmse, round_potentials
from cginit.report.comparison import SIGMAS, Comparison, coordinate_label, distribution_label, energy_curve
from cginit.report.figures import (
    BEST_COLOUR,
    FIRST_COLOUR,
    SMALLEST,
    TARGET_COLOUR,
    draw_errors,
    new_figure,
    save_figure,
)
from cginit.target import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

__all__ = ["refinement_figure"]

WEIGHTED_COLOUR = "#009e73"
#: Interactions side by side.
ACROSS = 3
#: Heights, in inches, of the panels of a distribution with its difference, of a potential, and of the errors.
HIGH_DISTRIBUTION, HIGH_POTENTIAL, HIGH_ERRORS = 3.5, 2.6, 2.8
#: How much higher a distribution is than its difference.
RATIO = 3.0
#: Letters of a title in an inch.
LETTERS = 13
#: A round, its colour, and its name in the legend.
Curve = tuple[Round, str, str]


def refinement_figure(
    rounds: Sequence[Round],
    targets: Sequence[Target],
    path: Path,
    estimate: Round | None = None,
    *,
    title: str = "",
    best: int | None = None,
    result: Interactions[Potential] | None = None,
) -> Path:
    """Draw every distribution, every potential and the errors of a refinement, and write the figure to `path`.

    Below each distribution stands its difference to the target, in a band of two standard errors. The end of the name
    is the format.

    Parameters
    ----------
    rounds : sequence of Round
        At least one.
    targets : sequence of Target
        Of each state.
    path : Path
    estimate : Round, optional
        The last potentials, where reweighting has judged them instead of a simulation.
    title : str
        What stands above, in lines as long as the figure is wide.
    best : int, optional
        Index of the round that is the result; by default of the nearest to the targets.
    result : Interactions of PairPotential or BondedPotential, optional
        Its potentials with their errors, as `cginit.open` has them.

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
    curves = _curves(history, estimate, history.best if best is None else best)
    names = tuple(history.potentials())
    figure, blocks, axes_e = _panels(len(names), len(targets))
    for name, (place_u, *places) in zip(names, blocks, strict=True):
        for number, (place, target) in enumerate(zip(places, targets, strict=True)):
            heading = [str(name)] * (len(names) > 1) + [f"state {number}"] * (len(targets) > 1)
            shown = [(done[number], colour, label) for done, colour, label in curves]
            _draw_distribution(figure, place, name, target, shown, ", ".join(heading))
        energies = [(round_potentials(done).get(name), colour, label) for done, colour, label in curves]
        if result is not None:
            energies[-1] = (result.get(name), *energies[-1][1:])
        _draw_potentials(figure.add_subplot(place_u), name, energies, history.kT)
    errors = _histories(history)
    draw_errors(axes_e, errors, begin=0)
    axes_e.set_xlabel("iteration (open: within the noise)")
    if len(errors) > 1:
        axes_e.legend(frameon=False, fontsize=8, ncols=1 + (len(errors) > 6))
    _draw_reweighting(axes_e, history, estimate)
    if title:
        wide = int(LETTERS * figure.get_figwidth())
        figure.suptitle("\n".join(textwrap.wrap(title, wide)), fontsize=9)
    return save_figure(figure, path)


def _curves(history: History, estimate: Round | None, best: int) -> list[Curve]:
    """Return the rounds that are drawn: the first, the result, and what reweighting says."""
    curves = [(history.rounds[0], FIRST_COLOUR, "start")]
    if best:
        curves.append((history.rounds[best], BEST_COLOUR, f"iteration {best}"))
    if estimate is not None:
        curves.append((estimate, WEIGHTED_COLOUR, "reweighted"))
    return curves


def _panels(names: int, states: int) -> tuple[Figure, list[list[SubplotSpec]], Axes]:
    """Return a figure with the places of U and of the distribution in each state, by interaction, and the errors."""
    if names == states == 1:
        figure = new_figure((12.0, 4.2))
        grid = figure.add_gridspec(1, 3)
        return figure, [[grid[0, 1], grid[0, 0]]], figure.add_subplot(grid[0, 2])
    across = min(ACROSS, names)
    blocks, high = -(-names // across), states + 1
    heights = [*([HIGH_DISTRIBUTION] * states + [HIGH_POTENTIAL]) * blocks, HIGH_ERRORS]
    figure = new_figure((max(6.0, 4.0 * across), sum(heights)))
    grid = figure.add_gridspec(high * blocks + 1, across, height_ratios=heights)
    places = []
    for number in range(names):
        row, column = divmod(number, across)
        own = [grid[high * row + state, column] for state in range(states)]
        places.append([grid[high * row + states, column], *own])
    return figure, places, figure.add_subplot(grid[high * blocks, :])


def _draw_distribution(
    figure: Figure,
    place: SubplotSpec,
    name: Interaction,
    target: Target,
    curves: Sequence[tuple[Record, str, str]],
    heading: str,
) -> None:
    """Draw one distribution of one state with its target, and below it the difference of the last to that."""
    grid = place.subgridspec(2, 1, height_ratios=(RATIO, 1.0), hspace=0.0)
    upper = figure.add_subplot(grid[0])
    lower = figure.add_subplot(grid[1], sharex=upper)
    upper.tick_params(labelbottom=False)
    upper.set_title(heading, fontsize=10)
    upper.set_ylabel(distribution_label(name, target.units).replace("^-1", "$^{-1}$"))
    lower.set(xlabel=coordinate_label(name, target.units), ylabel="difference")
    found = [(Comparison.of(name, record, target), colour, label) for record, colour, label in curves]
    shown = [(one, colour, label) for one, colour, label in found if one is not None]
    if not shown:
        text = "not in this state" if name not in target.interactions else "no target; given"
        upper.text(0.5, 0.5, text, transform=upper.transAxes, ha="center", color="0.5")
        # Axes without a curve have numbers that mean nothing.
        upper.set_axis_off()
        lower.set_axis_off()
        return
    first, last, colour = shown[0][0], shown[-1][0], shown[-1][1]
    upper.plot(first.x, first.wanted, color=TARGET_COLOUR, lw=4, alpha=0.3, label="target")
    for one, own, label in shown:
        upper.plot(one.x, one.got, color=own, lw=1.3, label=label)
        if one.got_error is not None:
            spread = SIGMAS * one.got_error
            upper.fill_between(one.x, one.got - spread, one.got + spread, color=own, alpha=0.2, lw=0)
    lower.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    lower.fill_between(last.x, -last.band, last.band, color="0.5", alpha=0.3, lw=0)
    lower.plot(last.x, last.difference, color=colour, lw=1.0)
    if name.is_pair:
        upper.set_xlim(0.0, float(first.x[-1]))
    elif name.coordinate != "bond":
        upper.set_xlim(float(first.x[0]), float(first.x[-1]))
    else:
        ranges = [one.shown for one, _, _ in shown]
        upper.set_xlim(min(low for low, _ in ranges), max(high for _, high in ranges))
    upper.set_ylim(0.0, None)
    upper.legend(frameon=False, fontsize=8)


def _draw_potentials(
    axes: Axes, name: Interaction, curves: Sequence[tuple[Potential | None, str, str]], kT: float
) -> None:
    """Draw one potential in kT of the first state, with its standard errors where they are known."""
    axes.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    axes.set(ylabel="U / kT")
    for potential, colour, label in curves:
        if potential is None:
            continue
        one = energy_curve(potential, kT)
        axes.plot(one.x, one.u, color=colour, lw=1.3, label=label)
        if one.error is not None:
            low, high = one.u - SIGMAS * one.error, one.u + SIGMAS * one.error
            axes.fill_between(one.x, low, high, color=colour, alpha=0.2, lw=0)
        axes.set(xlabel=coordinate_label(name, potential.units), ylim=(one.lowest, one.highest))
        if name.coordinate != "bond":
            axes.set_xlim(0.0 if name.is_pair else float(one.x[0]), float(one.x[-1]))


def _histories(history: History) -> dict[str, list[tuple[int, Distance]]]:
    """Return the errors of every interaction in every state by iteration, with a name where there are several."""
    found = {}
    measured = {name for target in history.targets for name in target.measured}
    for number, target in enumerate(history.targets):
        for name in target.measured:
            words = [str(name)] * (len(measured) > 1) + [f"state {number}"] * (len(history.targets) > 1)
            found[", ".join(words)] = [
                (done[number].index, done[number].distances[name])
                for done in history.rounds
                if name in done[number].distances
            ]
    return {name: points for name, points in found.items() if points}


def _draw_reweighting(axes: Axes, history: History, estimate: Round | None) -> None:
    """Mark the updates that reweighting judged: before which simulation, and at the end."""
    for done in history.rounds:
        if done[0].skipped:
            text = f"{done[0].skipped} reweighted"
            axes.axvline(done[0].index - 0.5, color=WEIGHTED_COLOUR, lw=0.8, ls=":")
            # In the lower left corner there are no errors yet.
            axes.text(
                done[0].index - 0.51,
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
        axes.semilogy([len(history) - 0.5], [lmse], "D", color=WEIGHTED_COLOUR, ms=6, label=label)
        axes.legend(frameon=False)
