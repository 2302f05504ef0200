"""Gauss-Newton with the response of the hypernetted-chain closure, regularised by the noise of g."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.interactions import Interaction
from cginit.refine.convergence import root_mean_square
from cginit.refine.difference import Layout, smooth_changes, with_data
from cginit.refine.history import History, Step
from cginit.refine.regularisation import Rule, fit_change
from cginit.refine.shapes import InsideEnergy, MoleculeShapes
from cginit.refine.start_data import StartData
from cginit.refine.state_response import StateResponse
from cginit.refine.updates.base import check_damping
from cginit.refine.updates.bonded import BondedStep, coupled_changes

__all__ = ["GaussNewton", "foreseen_part", "linear_system", "part_of_turn"]

log = logging.getLogger(__name__)

#: Solutions of the closure in one update, and the change in kT at which it counts as found.
MAX_SOLUTIONS, SETTLED = 5, 0.01
#: Turns of pairs and shapes of molecules, each of which answers to the other.
MAX_TURNS = 12
#: Part of the whole change, root mean square, below which a turn is the last: what the closure foresees is right to a
#: tenth, and turns converge slowly.
ENOUGH = 0.02
#: Smallest part of a turn that is taken where they swing.
SHORTEST_TURN = 0.25
#: Largest spread of the energies of like molecules by a change of their medium, in kT per root of beads. Of eighteen
#: steps of polystyrene with up to 0.9 all but two left its angles within 0.03 of their target (integral of the
#: difference) or brought them nearer; one with 1.7 took them from 0.02 to 0.08. With 0.8 as limit one of two
#: temperatures swung (0.02, 0.05, 0.02, 0.03), with 0.5 neither did.
MEDIUM_LIMIT = 0.5
#: Largest change of a point in one update, in kT; the closure knows what follows from a change.
LIMIT = 5.0


@dataclass(frozen=True)
class GaussNewton:
    r"""The smooth changes that bring all g to their targets in the closure, as far as the noise tells (HNCGN).

    .. math:: \min_{\Delta U} \| g_{target} - g_n - (G(\Delta U) - G(0)) \|^2_{\Sigma^{-1}}
              + \| \Delta U'' / s \|^2 / \lambda^2 + \| U_n + \Delta U - U_0 \|^2_{K^{-1}}

    over potentials that vanish at the cut-off, of all pairs and all states at once, with the response G of the
    hypernetted-chain closure around each measured liquid (`cginit.liquid.response`), the covariance :math:`\Sigma` of
    the noise, and the strength :math:`\lambda` that the noise chooses (`cginit.refine.regularisation`). K is the
    covariance of the errors of the start U_0, where that states them (`cginit.refine.start_data.StartData`): what no
    difference of g determines stays as the start has it. G is not linearised unless the closure has no solution on
    the way, so that also a start far from the target is answered in one step. Only the simulated g(r) are inverted,
    not the targets, which may have no inversion. Of one pair, what G predicted wrongly of the simulation before is
    added to the response (`cginit.refine.secant`). A pressure that a state has to reach is a datum with the
    statistical error of the sampled one.

    Source: Delbary, Hanke and Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020), arXiv:1806.11135; Bernhardt,
    Hanke and van der Vegt, J. Chem. Phys. 154, 084118 (2021), doi:10.1063/5.0038633, whose method is linear in
    :math:`\Delta U` and not regularised.

    Parameters
    ----------
    damping : float
        Factor of the change, in (0, 1].
    rule : {"tikhonov", "truncated"}
        How to regularise.
    constrained : bool
        Whether a pressure to reach counts as a datum; without, it is left to `cginit.refine.updates.PressureRamp`.
    calibrated : bool
        Whether the bridge functions respond (`cginit.liquid.response.responding_factor`) or stay as they are.
    learning : bool or None
        Whether the response is corrected by what it predicted wrongly. None: of one pair. Of several it led no
        faster to g, and further from the potentials in what g hides.
    """

    damping: float = 1.0
    rule: Rule = "tikhonov"
    constrained: bool = True
    calibrated: bool = True
    learning: bool | None = None
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``gauss-newton``."""
        return "gauss-newton"

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`.

        Raises
        ------
        ConvergenceError
            If the simulated g(r) of a state have no inversion.
        """
        states = [
            StateResponse.of(record, target, history, calibrated=self.calibrated)
            for record, target in zip(history.last, history.targets, strict=True)
        ]
        states = [self._taught(one, number, history) for number, one in enumerate(states)]
        layout = Layout.of([one.difference for one in states], history.free_pairs)
        found, bonded = self._solve(states, layout, history)
        changes = {
            name: self.damping * history.kT * np.interp(potential.r, layout.nodes[name], part)
            for name, part in layout.split(found).items()
            for potential in [history.pairs()[name]]
        }
        changes |= {name: self.damping * part for name, part in bonded.items()}
        return Step.from_last(history, changes, self.name).clipped(LIMIT * history.coldest)

    def _taught(self, state: StateResponse, number: int, history: History) -> StateResponse:
        wanted = len(state.difference.parts) == 1 if self.learning is None else self.learning
        # A cluster or a crystal says nothing of how the fluid responds.
        before = [done[number] for done in history.rounds[:-1] if done[number].homogeneous]
        if not wanted or not before:
            return state
        return replace(state, learned=state.taught(before))

    def _solve(
        self, states: list[StateResponse], layout: Layout, history: History
    ) -> tuple[Array, dict[Interaction, Array]]:
        """Newton's method on the regularised differences; linear where the closure has no solution.

        Of molecules whose bonded potentials are refined too, these follow each step of the pairs, and the pairs what
        other shapes of the molecules make of g.
        """
        differences = [one.difference for one in states]
        bases, start = smooth_changes(differences, layout), StartData.of(differences, layout, history)
        seen = np.zeros(layout.width, dtype=bool)
        for shown in differences:
            seen[shown.columns(layout)] |= np.isin(shown.local, shown.rows)
        found, bonded = np.zeros(layout.width), BondedStep({}, ())
        taken, before = 1.0, np.zeros(layout.width)
        inside: list[InsideEnergy | None] = [None] * len(states)
        shaped = any(one.shapes is not None for one in states)
        for turn in range(MAX_TURNS if shaped else MAX_SOLUTIONS):
            system = linear_system(states, layout, found, pressure=self.constrained, bonded=bonded.changes)
            if turn == 0:
                start = start.believed(system, bases[0])
            fit = fit_change(*start.beside(*system), bases, self.rule)
            log.debug("%.1f effective parameters, misfit %.2f a point", fit.freedom, fit.misfit)
            step = fit.change - found
            if shaped:
                taken = part_of_turn(step, before, taken)
            step, before = taken * step, step
            reached = _advanced(states, layout, found, step)
            if reached is None:
                # Where molecules answered already, what the closure did find is nearer than a straight line.
                return found if bonded.changes else found + step, bonded.changes
            found, states = reached
            if shaped:
                alike = [one.alike(one.difference.change(found, layout)) for one in states]
                inside = [one.inside_energy(other) for one, other in zip(states, alike, strict=True)]
                bonded = coupled_changes(history, [one.shapes for one in states], inside, bonded.changes)
                states = [
                    one.reshaped(own, other)
                    for one, own, other in zip(states, bonded.energies, alike, strict=True)
                ]
            moved = np.abs(step[seen])
            if np.max(moved) < SETTLED or (
                shaped and root_mean_square(moved) < ENOUGH * root_mean_square(found[seen])
            ):
                break
        if shaped:
            return _believable(states, layout, history, found, bonded, inside)
        return found, bonded.changes


def part_of_turn(step: Array, before: Array, taken: float) -> float:
    """Return the part of a turn that is taken, after one of which the part `taken` was.

    It is halved, down to a quarter, where a turn leads back: pairs and shapes then answer to each other by more than
    they ask for, and whole turns would swing for ever.

    Parameters
    ----------
    step, before : ndarray, shape (n,)
        What this turn and the one before ask for.
    taken : float
        Part of the one before that was taken.

    Examples
    --------
    >>> part_of_turn(np.array([-1.0]), np.array([2.0]), 1.0), part_of_turn(np.array([1.0]), np.array([2.0]), 1.0)
    (0.5, 1.0)
    """
    return max(0.5 * taken, SHORTEST_TURN) if float(step @ before) < 0.0 else taken


def _believable(
    states: Sequence[StateResponse],
    layout: Layout,
    history: History,
    found: Array,
    bonded: BondedStep,
    known: Sequence[InsideEnergy | None],
) -> tuple[Array, dict[Interaction, Array]]:
    """Return the part of changes of pairs that is foreseen well, and the bonded changes that go with it.

    `known`: what the changes are to the beads of one molecule.
    """
    shapes = [one.shapes for one in states]

    def inside(part: float) -> list[InsideEnergy | None]:
        changes = part * found
        return [one.inside_energy(one.alike(one.difference.change(changes, layout))) for one in states]

    part = foreseen_part(shapes, known, inside)
    if part < 1.0:
        log.info("%.2f of the change of pairs is taken: more would change the medium too far", part)
        bonded = coupled_changes(history, shapes, inside(part), bonded.changes)
    return part * found, bonded.changes


def foreseen_part(
    shapes: Sequence[MoleculeShapes | None],
    known: Sequence[InsideEnergy | None],
    inside: Callable[[float], Sequence[InsideEnergy | None]],
) -> float:
    """Return the part of a change by which the medium of the molecules changes no more than is foreseen well.

    Where nothing is known of the medium, since the closure has no solution with molecules as simulated, half the
    change is looked at instead, then a quarter.

    Parameters
    ----------
    shapes : sequence of MoleculeShapes or None
        Of each state.
    known : sequence of InsideEnergy or None
        What the whole change is to the beads of one molecule.
    inside : callable
        Returns the same for a part of it.
    """
    part = 1.0
    while part > SHORTEST_TURN and any(
        kept is not None and change is None for kept, change in zip(shapes, known, strict=True)
    ):
        part *= 0.5
        known = inside(part)
    spreads = [
        kept.spread(change)
        for kept, change in zip(shapes, known, strict=True)
        if kept is not None and change is not None
    ]
    return part * MEDIUM_LIMIT / max([MEDIUM_LIMIT, *spreads])


def linear_system(
    states: Sequence[StateResponse],
    layout: Layout,
    found: Array | None = None,
    *,
    pressure: bool,
    bonded: Mapping[Interaction, Array] | None = None,
) -> tuple[Array, Array, Array]:
    """Return the response ``(m, n)`` around changes `found` ``(n,)``, what the data ask for ``(m,)``, and its noise.

    The changes count from the simulated potentials, as the unknowns do. `pressure`: whether one to reach is a datum;
    `bonded`: changes of bonded potentials, which it feels.
    """
    from scipy.linalg import block_diag

    found = np.zeros(layout.width) if found is None else found
    matrices, asked = [], []
    for one in states:
        response, change = one.jacobian(), one.difference.change(found, layout)
        gap = one.difference.whole_change - one.moved(one.model) - response @ change
        asked.append(gap[one.difference.rows])
        matrices.append(one.difference.matrix(response - one.learned, layout))
    noise = np.asarray(block_diag(*(one.difference.covariance for one in states)))
    extra = [
        datum for one in states for datum in one.difference.data(layout, pressure=pressure, bonded=bonded)
    ]
    for one in states:
        extra += one.long_wave(one.difference.change(found, layout), layout)
    return with_data(np.vstack(matrices), np.concatenate(asked), noise, extra)


def _advanced(
    states: list[StateResponse], layout: Layout, found: Array, step: Array
) -> tuple[Array, list[StateResponse]] | None:
    """Take the largest part of a step at which the closure has a solution in every state."""
    for part in (1.0, 0.5, 0.25):
        trial = found + part * step
        try:
            return trial, [
                replace(one, model=one.model_at(one.difference.change(trial, layout))) for one in states
            ]
        except ConvergenceError:
            continue
    return None
