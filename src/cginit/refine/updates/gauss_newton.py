"""Gauss-Newton with the response of the hypernetted-chain closure, regularised by the noise of g."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.interactions import Interaction, Interactions
from cginit.liquid.matrices import PairMatrices
from cginit.liquid.response import Liquid, Response, measured_liquid, responding_factor
from cginit.refine.convergence import SMOOTHING_BINS, combined_variance
from cginit.refine.difference import Datum, Layout, StartData, StateDifference, smooth_changes, with_data
from cginit.refine.history import History, Step
from cginit.refine.molecules import InsideResponse, doubt, molecule_structure, parts_of
from cginit.refine.record import Record
from cginit.refine.regularisation import Rule, fit_change
from cginit.refine.secant import Known, secant
from cginit.refine.shapes import InsideEnergy, MoleculeShapes
from cginit.refine.updates.base import check_damping
from cginit.refine.updates.bonded import BondedStep, coupled_changes
from cginit.target import Target

__all__ = ["GaussNewton", "StateResponse", "linear_system"]

log = logging.getLogger(__name__)

#: Solutions of the closure in one update, and the change in kT at which it counts as found.
MAX_SOLUTIONS, SETTLED = 5, 0.01
#: Turns of pairs and shapes of molecules, each of which answers to the other.
MAX_TURNS = 12
#: Largest change of a point in one update, in kT; the closure knows what follows from a change.
LIMIT = 5.0
#: Part of S(k) at a small k by which the inversion of a sampled g(r) may miss it.
LONG_WAVE_PART = 0.05
#: Part of what other shapes of the molecules make of g by which that is not known.
DOUBT = 0.3


@dataclass(frozen=True, eq=False)
class StateResponse:
    """One state of a round: its differences, and the closure that tells how they answer.

    Attributes
    ----------
    difference : StateDifference
        On the nodes of the inversion.
    liquid : Liquid
        The inversion of the simulated g(r).
    base, model : Response
        The closure at the simulated potentials, and at changed ones.
    learned : ndarray, shape (n, n), or 0
        What is added to the derivative of g because it predicted an earlier answer wrongly.
    inside : InsideResponse or None
        Of molecules whose g count pairs inside them, what these do.
    shapes : MoleculeShapes or None
        The molecules that the simulation kept.
    shifted : ndarray, shape (pairs, n), or None
        What other shapes of the molecules add to g by the pairs inside them; None where it is not known, and what
        `inside` makes of the pairs between molecules stands in.
    measured : StateDifference
        The difference without the doubt that other shapes of the molecules add.
    """

    difference: StateDifference
    liquid: Liquid
    base: Response
    model: Response
    measured: StateDifference
    learned: Array | float = 0.0
    inside: InsideResponse | None = None
    shapes: MoleculeShapes | None = None
    shifted: Array | None = None

    @classmethod
    def of(
        cls, record: Record, target: Target, history: History, *, calibrated: bool = True
    ) -> StateResponse:
        """Invert the simulated g(r) of a state.

        Raises
        ------
        ConvergenceError
            If they have no inversion.
        """
        own, parts = molecule_structure(record, target), parts_of(record, target)
        curves = parts.map(lambda one: one.between) if parts else record.rdfs
        liquid = measured_liquid(curves, target.densities, record.beads, intramolecular=own)
        measured = difference = StateDifference.of(record, target, history, liquid.r)
        if parts:
            # Until it is known what the shapes that are wanted make of g.
            difference = difference.doubted(doubt(record, parts, liquid.r))
        factors = np.zeros(len(difference.parts))
        if calibrated:
            fitted = liquid.bridge_factors([one.u for one in difference.parts.values()])
            factors = responding_factor(fitted, difference.whole_change)
        log.debug("factors of the bridge functions %s", np.round(factors, 2))
        base = liquid.response(factors)
        n = max(difference.sizes)
        inside = InsideResponse.of(parts, liquid.r[:n], base.g[:, :n]) if parts else None
        shapes = MoleculeShapes.of(record, target) if target.distributions else None
        return cls(difference, liquid, base, base, measured, inside=inside, shapes=shapes)

    @property
    def size(self) -> int:
        """Points up to the largest cut-off."""
        return max(self.difference.sizes)

    @property
    def used(self) -> NDArray[np.intp]:
        """Places of the points up to each cut-off among those up to the largest."""
        return np.concatenate(
            [p * self.size + np.arange(own, dtype=np.intp) for p, own in enumerate(self.difference.sizes)]
        )

    def jacobian(self) -> Array:
        """Return minus the derivative ``(n, n)`` of all g by all potentials in kT, up to each cut-off."""
        whole = self.model.jacobian(self.size)
        if self.inside is not None:
            whole = self.inside.jacobian(self.model.g[:, : self.size], whole)
        return np.asarray(whole[np.ix_(self.used, self.used)])

    def moved(self, model: Response) -> Array:
        """Return by how much all g of a model differ from the simulated ones ``(n,)``."""
        moved = (model.g - self.base.g)[:, : self.size]
        if self.inside is not None and self.shifted is not None:
            moved = self.inside.share[:, None] * moved + self.shifted
        elif self.inside is not None:
            moved = self.inside.moved(model.g[:, : self.size])
        return np.asarray(moved.ravel()[self.used])

    def model_at(self, change: Array) -> Response:
        """Return the model at potentials changed by ``(n,)``; ConvergenceError if there is none."""
        return self.model.at(self._by_pair(change), self._core())

    def inside_energy(self, change: Array) -> InsideEnergy | None:
        """Return what a change ``(n,)`` of the pair potentials is to the beads of one molecule; None if unknown.

        The medium is that of molecules of the simulated shapes: with changed ones it predicted the distributions of
        polystyrene's angles from one simulation to the next worse (integrals of the difference of 0.054 and 0.161
        instead of 0.032 and 0.132; 0.101 and 0.141 without any medium).
        """
        if self.shapes is None:
            return None
        try:
            medium = self.base.at(self._by_pair(change), self._core()).medium() - self.base.medium()
        except ConvergenceError:
            return None
        direct = np.zeros_like(medium)
        direct[:, : self.size] = self._by_pair(change)
        return InsideEnergy(self.liquid.grid.r, medium, direct)

    def reshaped(self, energies: Array | None) -> StateResponse:
        """Return the state with molecules whose energies have changed ``(molecules,)``, in kT.

        What that makes of g is known to a third of it (`DOUBT`), which counts as noise. The state is as it was where
        the closure has no solution.
        """
        if self.shapes is None or energies is None or self.model.change is None:
            return self
        liquid = self.liquid
        weights, _ = self.shapes.weights(energies)
        matrices = PairMatrices.of_densities(liquid.grid, liquid.densities)
        moved = self.shapes.moved_structure(weights, matrices, liquid.densities)
        try:
            alike = self.base.at(self.model.change, self._core())
            model = self.model.with_molecules(liquid.intramolecular.changed(moved), self._core())
        except ConvergenceError:
            return self
        shifted = None if self.inside is None else self.shapes.moved_g(weights, liquid.r[: self.size])
        found = replace(self, model=model, shifted=shifted)
        share = 1.0 if self.inside is None else self.inside.share[:, None]
        between = share * (model.g - alike.g)[:, : self.size]
        made = between if shifted is None else between + shifted
        doubts = {
            name: DOUBT**2 * (np.outer(row, row) + np.diag(_smoothed(row**2)))
            for name, row in zip(self.difference.parts, made, strict=True)
        }
        return replace(found, difference=self.measured.doubted(Interactions(doubts)))

    def answer(self, change: Array) -> Array:
        """Return the change ``(n,)`` of all g that the closure predicts for a change of the simulated potentials."""
        return self.moved(self.base.at(self._by_pair(change), self._core()))

    def _by_pair(self, row: Array) -> Array:
        found = np.zeros((len(self.difference.parts), self.size))
        for place, one in zip(found, np.split(row, self.difference.starts[1:-1]), strict=True):
            place[: one.size] = one
        return found

    def _core(self) -> Array:
        """Energies in kT that stand where g = 0: the simulated potentials, shifted to meet the reference."""
        core = np.zeros((len(self.difference.parts), self.size))
        for row, g, reference, one in zip(
            core, self.liquid.g, self.liquid.u, self.difference.parts.values(), strict=True
        ):
            seen = np.flatnonzero(g[: one.r.size] > 0.0)
            shift = float(reference[seen[0]] - one.u[seen[0]]) if seen.size else 0.0
            row[: one.r.size] = one.u + shift
        return core

    def long_wave(self, change: Array, layout: Layout) -> list[Datum]:
        """Return S(k) at a small k as a datum around a `change` ``(n,)``, where the target knows it."""
        curve = self.difference.target.rdfs.only() if self.alone else None
        wave = None if curve is None else curve.smallest_wave
        if wave is None:
            return []
        now, row = self.model.long_wave(wave.k, self.size)
        error = float(np.hypot(wave.error, LONG_WAVE_PART * wave.s))
        return [self.difference.datum(row, wave.s - now + float(row @ change), error, layout)]

    @property
    def alone(self) -> bool:
        """Whether it is a liquid of loose beads of one type."""
        return len(self.difference.parts) == 1 and self.difference.target.topology is None

    def known(self, before: Record) -> Known:
        """Return the change from the simulated potentials back to those of another simulation, and its answer."""
        changes, answers, variances, weights = [], [], [], []
        target, last = self.difference.target, self.difference.record
        for name, one in self.difference.parts.items():
            p, sampled = last.pairs[name], before.rdfs[name].with_core()
            change = np.interp(one.r, p.r, before.pairs[name].u - p.u) / target.kT
            change[: one.first] = change[one.first]
            shown = np.arange(one.r.size) >= one.first
            spread = combined_variance(sampled, last.rdfs[name].with_core(), p.r.size)
            changes.append(change)
            answers.append(np.interp(one.r, sampled.r, sampled.g) - one.got)
            variances.append(np.interp(one.r, p.r, spread))
            weights.append(target.density_product(name) * one.r**2 * one.wanted * shown)
        return Known(*(np.concatenate(rows) for rows in (changes, answers, variances, weights)))

    def taught(self, before: list[Record]) -> Array:
        """Return the correction of the derivative by what the closure predicts wrongly of simulations before."""

        def simulations() -> Iterator[tuple[Known, Array]]:
            for record in reversed(before):
                known = self.known(record)
                with suppress(ConvergenceError):
                    yield known, self.answer(known.change)

        return secant(simulations(), self.jacobian())


@dataclass(frozen=True)
class GaussNewton:
    r"""The smooth changes that bring all g to their targets in the closure, as far as the noise tells (HNCGN).

    .. math:: \min_{\Delta U} \| g_{target} - g_n - (G(\Delta U) - G(0)) \|^2_{\Sigma^{-1}}
              + \| \Delta U'' / s \|^2 / \lambda^2 + \| U_n + \Delta U - U_0 \|^2_{K^{-1}}

    over potentials that vanish at the cut-off, of all pairs and all states at once, with the response G of the
    hypernetted-chain closure around each measured liquid (`cginit.liquid.response`), the covariance :math:`\Sigma` of
    the noise, and the strength :math:`\lambda` that the noise chooses (`cginit.refine.regularisation`). K is the
    covariance of the errors of the start U_0, where that states them (`cginit.refine.difference.StartData`): what no
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
        shaped = any(one.shapes is not None for one in states)
        for turn in range(MAX_TURNS if shaped else MAX_SOLUTIONS):
            system = linear_system(states, layout, found, pressure=self.constrained)
            if turn == 0:
                start = start.believed(system, bases[0])
            fit = fit_change(*start.beside(*system), bases, self.rule)
            log.debug("%.1f effective parameters, misfit %.2f a point", fit.freedom, fit.misfit)
            step = fit.change - found
            reached = _advanced(states, layout, found, step)
            if reached is None:
                # Where molecules answered already, what the closure did find is nearer than a straight line.
                return found if bonded.changes else found + step, bonded.changes
            found, states = reached
            if shaped:
                inside = [one.inside_energy(one.difference.change(found, layout)) for one in states]
                bonded = coupled_changes(history, [one.shapes for one in states], inside)
                states = [one.reshaped(own) for one, own in zip(states, bonded.energies, strict=True)]
            if np.max(np.abs(step[seen])) < SETTLED:
                break
        return found, bonded.changes


def _smoothed(values: Array) -> Array:
    """Return means over neighbouring points, so that no point between two of a wave is believed exactly."""
    window = np.ones(SMOOTHING_BINS) / SMOOTHING_BINS
    return np.convolve(values, window, "same")


def linear_system(
    states: Sequence[StateResponse], layout: Layout, found: Array | None = None, *, pressure: bool
) -> tuple[Array, Array, Array]:
    """Return the response ``(m, n)`` around changes `found` ``(n,)``, what the data ask for ``(m,)``, and its noise.

    The changes count from the simulated potentials, as the unknowns do. `pressure`: whether one to reach is a datum.
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
    extra = [datum for one in states for datum in one.difference.data(layout, pressure=pressure)]
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
