"""Common potentials of all pairs for several states of mixtures: densities, temperatures, compositions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import Array, PairPotential
from cginit.engines.base import Engine, Schedule, length_scale
from cginit.errors import ConvergenceError, InputError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.checkpoint import fingerprint
from cginit.refine.convergence import Distance
from cginit.refine.loop import DEFAULT_SCHEDULE
from cginit.refine.mixture import mixture_start
from cginit.refine.mixture_simulation import MixtureSimulator, between_all
from cginit.refine.mixture_store import MixtureIteration, MixtureStore
from cginit.refine.mixture_updates.base import MixtureProblem
from cginit.refine.mixture_updates.ibi import MixtureIBI
from cginit.refine.mixture_updates.newton import linear_response, measured_problem
from cginit.refine.regularisation import ROUGHNESS, curvature_basis, fit_change
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.rounds import Round, StatesRefinement, check_rounds, lengthened, refine_rounds
from cginit.refine.updates import apply_change
from cginit.refine.updates.automatic import CAREFUL
from cginit.refine.updates.gauss_newton import Datum, with_data

__all__ = ["MixtureState", "refine_mixture_states"]

Potentials = dict[Pair, PairPotential]


@dataclass(frozen=True, eq=False)
class MixtureState:
    """One of several states.

    Attributes
    ----------
    target : MixtureTarget
        Its g(r), densities and kT; one of a single species is a mixture of one.
    weight : float
        How much it counts, relative to the others.

    Raises
    ------
    InputError
        If the weight is not positive.
    """

    target: MixtureTarget
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight > 0.0:
            raise InputError(f"the weight of a state must be positive, not {self.weight}")


def refine_mixture_states(
    states: Sequence[MixtureState],
    potentials: Mapping[Pair, PairPotential],
    engine: Engine,
    *,
    workdir: Path,
    update: str = "auto",
    schedule: Schedule = DEFAULT_SCHEDULE,
    iterations: int = 30,
    wall_time: float | None = None,
    seed: int = 1,
    replicas: Replicas = ONE,
    progress: Callable[[tuple[MixtureIteration, ...]], None] | None = None,
) -> StatesRefinement[Potentials, MixtureIteration]:
    """Refine the potentials of all pairs against the g(r) of several states of mixtures.

    As `cginit.refine.multistate.refine_states`, for all pairs at once: a pair counts in the states that have both its
    species, so that states may differ in density, temperature and composition, down to pure liquids.

    Parameters
    ----------
    states : sequence of MixtureState
        At least one; all in the units of the potentials, on one grid.
    potentials : mapping of pair to PairPotential
        The start: of every pair that some state has, in either order of the names.
    engine : Engine
        One that simulates mixtures.
    workdir, update, schedule, iterations, wall_time, seed, replicas, progress
        See `cginit.refine.multistate.refine_states`.

    Raises
    ------
    InputError
        If the parts do not fit each other, or `workdir` holds another refinement.
    EngineError
        If the engine fails; what was done stays on disk.
    """
    check_rounds(states, update, iterations)
    ordered = _in_one_order(states)
    first = _of_all_pairs(ordered, potentials)
    for index, one in enumerate(ordered):
        _check_grid(one.target, first, index)
    length = schedule.length or min(
        length_scale({pair: first[pair] for pair in one.target.pairs}, one.target.state) for one in ordered
    )
    fixed = replace(schedule, length=length)
    stores = [MixtureStore(workdir / f"state_{index}") for index in range(len(ordered))]
    kept = []
    for index, (one, store) in enumerate(zip(ordered, stores, strict=True)):
        identity = fingerprint(
            **{f"target of {a}-{b}": curve for (a, b), curve in one.target.rdfs.items()},
            **{f"potential of {a}-{b}": u for (a, b), u in first.items()},
            densities=dict(one.target.densities),
            kT=one.target.kT,
            engine=engine,
            update=update,
            schedule=schedule,
            seed=seed,
            weights=tuple(other.weight for other in ordered),
            index=index,
            **({"replicas": replicas.count} if replicas.count > 1 else {}),
        )
        workdir.mkdir(parents=True, exist_ok=True)
        kept.append(store.open(identity, one.target))
    return refine_rounds(
        _Mixtures(ordered, first, engine, stores, fixed, seed, replicas),
        first,
        kept,
        update=update,
        iterations=iterations,
        wall_time=wall_time,
        progress=progress,
    )


@dataclass(frozen=True, eq=False)
class _Mixtures:
    """States of mixtures; see `cginit.refine.rounds.States`. All potentials have the pairs of `first`."""

    states: Sequence[MixtureState]
    first: Potentials
    engine: Engine
    stores: Sequence[MixtureStore]
    schedule: Schedule
    seed: int
    replicas: Replicas

    @property
    def weights(self) -> list[float]:
        return [one.weight for one in self.states]

    def simulate(
        self,
        number: int,
        index: int,
        potential: Potentials,
        before: Sequence[MixtureIteration],
        nearer: Callable[[float], Potentials] | None,
    ) -> MixtureIteration:
        target, store = self.states[index].target, self.stores[index]
        own = partial(_those_of, target)
        seed = int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])
        sound = next((item for item in reversed(before) if item.homogeneous), None)
        starts: list[Configuration]
        if sound is None:
            starts = [mixture_start(target, own(potential), seed=self.seed + index)]
        else:
            starts = [sound.final, *sound.others]
        simulator = MixtureSimulator(self.engine, target, store, seed, True, self.replicas, frozenset())
        return simulator.run(
            number,
            own(potential),
            [starts[k % len(starts)] for k in range(self.replicas.count)],
            lengthened(self.schedule, before),
            made_by="start" if number == 0 else "states",
            nearer=None if nearer is None else lambda part: own(nearer(part)),
        )

    def distance(self, index: int, done: MixtureIteration) -> Distance:
        return done.distance()

    def potential(self, finished: Round[MixtureIteration]) -> Potentials:
        return {
            pair: next(item.potentials[pair] for item in finished if pair in item.potentials)
            for pair in self.first
        }

    def between(self, best: Potentials, last: Potentials, part: float) -> Potentials:
        return between_all(best, last, part)

    def settled(self, potential: Potentials, factor: float = 1.0) -> Potentials:
        scaled = {pair: replace(one, u=factor * one.u) for pair, one in potential.items()}
        return self._changed(scaled, {pair: np.zeros(one.u.size) for pair, one in scaled.items()})

    def improved(self, finished: Round[MixtureIteration], rule: str) -> Potentials:
        changes = self._joint(finished) if rule == "auto" else self._averaged(finished)
        return self._changed(self.potential(finished), changes)

    def _changed(self, potentials: Potentials, changes: Mapping[Pair, Array]) -> Potentials:
        kT = min(one.target.kT for one in self.states)
        found = {}
        for pair, potential in potentials.items():
            # The core is extrapolated below what any state shows.
            curves = [one.target.rdfs[pair] for one in self.states if pair in one.target.rdfs]
            widest = min(curves, key=lambda curve: float(curve.r[int(np.argmax(curve.g > 0.0))]))
            found[pair] = apply_change(potential, changes[pair], widest, kT)
        return found

    def _averaged(self, finished: Round[MixtureIteration]) -> dict[Pair, Array]:
        """Return the weighted mean of what each state would change by itself."""
        total = {pair: np.zeros(one.u.size) for pair, one in self.first.items()}
        weight = dict.fromkeys(self.first, 0.0)
        for item, one in zip(finished, self.states, strict=True):
            for pair, change in MixtureIBI(CAREFUL)([item], one.target)[0].items():
                total[pair] = total[pair] + one.weight * change
                weight[pair] += one.weight
        return {pair: change / weight[pair] for pair, change in total.items()}

    def _joint(self, finished: Round[MixtureIteration]) -> dict[Pair, Array]:
        """Return the smooth changes that explain the differences of all states as far as their noise tells."""
        from scipy.linalg import block_diag

        kT = self.states[0].target.kT
        placed = [
            _Placed.of(item, one, kT / one.target.kT) for item, one in zip(finished, self.states, strict=True)
        ]
        # Of each pair the state that sees most of it.
        shown: dict[Pair, _Placed] = {}
        for one in placed:
            for pair, part in one.problem.parts.items():
                if pair not in shown or part.first < shown[pair].problem.parts[pair].first:
                    shown[pair] = one
        sizes = [shown[pair].problem.parts[pair].r.size for pair in self.first]
        if any(
            part.r.size != sizes[list(self.first).index(pair)]
            for one in placed
            for pair, part in one.problem.parts.items()
        ):
            raise ConvergenceError("the states were inverted on different grids")
        begins = dict(zip(self.first, np.concatenate([[0], np.cumsum(sizes)]), strict=False))
        width = int(sum(sizes))
        matrices, extra = [], []
        for one in placed:
            columns = np.concatenate(
                [begins[pair] + np.arange(part.r.size) for pair, part in one.problem.parts.items()]
            )
            whole = np.zeros((one.response.shape[0], width))
            whole[:, columns] = -one.response
            matrices.append(whole)
            for datum in one.data:
                row = np.zeros(width)
                row[columns] = datum.row
                extra.append(Datum(row, datum.value, datum.error))
        bases = [
            np.asarray(
                block_diag(
                    *(
                        curvature_basis(part.u / shown[pair].scale, part.first, rough)
                        for pair in self.first
                        for part in [shown[pair].problem.parts[pair]]
                    )
                ),
                dtype=np.float64,
            )
            for rough in ROUGHNESS
        ]
        fit = fit_change(
            *with_data(
                np.vstack(matrices),
                np.concatenate([one.problem.difference for one in placed]),
                np.asarray(block_diag(*(one.problem.covariance / one.weight for one in placed))),
                extra,
            ),
            bases,
        )
        changes = dict(zip(self.first, np.split(fit.change, np.cumsum(sizes)[:-1]), strict=True))
        return {
            pair: kT * np.interp(self.first[pair].r, shown[pair].problem.parts[pair].r, change)
            for pair, change in changes.items()
        }


@dataclass(frozen=True, eq=False)
class _Placed:
    """What one state says: its differences, and how they answer to the potentials in units of the first kT.

    Attributes
    ----------
    problem : MixtureProblem
        Its differences.
    response : ndarray, shape (m, n)
        Of its data to the potentials of its pairs.
    data : list of Datum
        That the energy changes by little.
    weight : float
        How much it counts.
    scale : float
        kT of the first state in its own.
    """

    problem: MixtureProblem
    response: Array
    data: list[Datum]
    weight: float
    scale: float

    @classmethod
    def of(cls, item: MixtureIteration, state: MixtureState, scale: float) -> _Placed:
        fluid, problem = measured_problem(item, state.target)
        data = [
            Datum(scale * one.row, one.value, one.error)
            for one in problem.energies(float(fluid.densities.sum()))
        ]
        response = scale * linear_response(fluid, problem)[problem.rows]
        return cls(problem, response, data, state.weight, scale)


def _in_one_order(states: Sequence[MixtureState]) -> list[MixtureState]:
    """Return the states with their species, and so their pairs, in one order: that of the first that names them."""
    order = list(dict.fromkeys(name for one in states for name in one.target.species))
    return [
        MixtureState(
            MixtureTarget(
                one.target.rdfs,
                {name: one.target.densities[name] for name in order if name in one.target.densities},
                one.target.kT,
            ),
            one.weight,
        )
        for one in states
    ]


def _of_all_pairs(states: Sequence[MixtureState], potentials: Mapping[Pair, PairPotential]) -> Potentials:
    found = {}
    for a, b in dict.fromkeys(pair for one in states for pair in one.target.pairs):
        potential = potentials.get((a, b), potentials.get((b, a)))
        if potential is None:
            raise InputError(
                f"the pair {a}-{b} of a state has no potential; give one for all pairs of all states"
            )
        found[a, b] = potential
    return found


def _those_of(target: MixtureTarget, potentials: Potentials) -> Potentials:
    return {pair: potentials[pair] for pair in target.pairs}


def _check_grid(target: MixtureTarget, potentials: Potentials, index: int) -> None:
    for pair, curve in target.rdfs.items():
        potential = potentials[pair]
        if curve.units != potential.units:
            raise InputError(
                f"state {index} is in {curve.units.name}, the potential of {'-'.join(pair)} in "
                f"{potential.units.name}; convert with .to(units)"
            )
        n = potential.r.size
        if curve.r.size < n or not np.allclose(curve.r[:n], potential.r, atol=1e-4 * potential.dr):
            raise InputError(
                f"g(r) of {'-'.join(pair)} of state {index} (step {curve.dr:g}, to {curve.r_max:g}) does not lie on "
                f"the grid of the potential (step {potential.dr:g}, to {potential.r_cut:g}); sample all states alike"
            )
