"""One potential for several state points: the compromise that serves all targets best."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, Array, PairPotential
from cginit.engines.base import Engine, Schedule, length_scale
from cginit.errors import ConvergenceError, InputError
from cginit.refine.attempts import attempts, between, first_that_runs
from cginit.refine.checkpoint import Iteration, Store, fingerprint
from cginit.refine.convergence import Distance
from cginit.refine.loop import DEFAULT_SCHEDULE, start_configuration
from cginit.refine.regularisation import ROUGHNESS, curvature_basis, fit_change
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.response import measured_fluid, responding_factor
from cginit.refine.rounds import Round, StatesRefinement, check_rounds, lengthened, refine_rounds
from cginit.refine.simulation import Sample, iteration_of, simulate
from cginit.refine.updates import IBI, apply_change
from cginit.refine.updates.automatic import CAREFUL
from cginit.refine.updates.gauss_newton import Problem
from cginit.refine.workdir import disk_explained
from cginit.state import StatePoint, check_density, common_units

__all__ = ["StateTarget", "refine_states"]


@dataclass(frozen=True, eq=False)
class StateTarget:
    """One of several state points.

    Attributes
    ----------
    target : RDF
        Its g(r); all states share one grid up to the cut-off.
    state : StatePoint
        Its density and kT.
    weight : float
        How much it counts, relative to the others.

    Raises
    ------
    InputError
        If the weight is not positive, or the density cannot be right.
    """

    target: RDF
    state: StatePoint
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight > 0.0:
            raise InputError(f"the weight of a state must be positive, not {self.weight}")
        target, state = common_units(self.target, self.state)
        check_density(target, state)
        object.__setattr__(self, "target", target.with_core())
        object.__setattr__(self, "state", state)


def refine_states(
    states: Sequence[StateTarget],
    potential: PairPotential,
    engine: Engine,
    *,
    workdir: Path,
    update: str = "auto",
    schedule: Schedule = DEFAULT_SCHEDULE,
    iterations: int = 30,
    wall_time: float | None = None,
    seed: int = 1,
    replicas: Replicas = ONE,
    progress: Callable[[tuple[Iteration, ...]], None] | None = None,
) -> StatesRefinement[PairPotential, Iteration]:
    r"""Refine one potential against the g(r) of several state points.

    .. math:: U_{n+1} = U_n + \frac{\sum_s w_s\, \Delta U_s}{\sum_s w_s}

    With ``ibi``, multistate iterative Boltzmann inversion, the changes that each state would make by itself are
    averaged with their weights w. ``auto`` takes the one smooth change that explains the differences of all states
    with the response of the HNC closure, each as far as its noise tells (Gauss-Newton), and ``ibi`` where that has no
    answer. A round that is clearly worse than the best is followed by part of its step; half the potential is next as
    long as some state was no homogeneous fluid.

    Source: T. C. Moore, C. R. Iacovella and C. McCabe, J. Chem. Phys. 140, 224104 (2014), doi:10.1063/1.4880555.

    Parameters
    ----------
    states : sequence of StateTarget
        At least one; all in the units of the potential.
    potential : PairPotential
        The start, on the grid of the targets.
    engine : Engine
        How it is simulated.
    workdir : Path
        One folder a state, each a refinement as of one state; the same call goes on there.
    update : {"auto", "ibi"}
        The rule of each state.
    schedule : Schedule
        Length of each simulation.
    iterations : int
        Largest number of rounds; a round simulates every state once.
    wall_time : float, optional
        Seconds, counted from the call; no round is started that would not end within them, judged by the longest so
        far.
    seed : int
        Seed of the whole refinement.
    replicas : Replicas
        Simulations of each state in a round; see `cginit.refine.replicas.open_replicas`.
    progress : callable, optional
        Called with each finished round, also with those found on disk.

    Raises
    ------
    InputError
        If the parts do not fit each other, or `workdir` holds another refinement.
    EngineError
        If the engine fails; what was done stays on disk.
    """
    check_rounds(states, update, iterations)
    for index, one in enumerate(states):
        _check_grid(one, potential, index)
    length = schedule.length or min(length_scale(potential, one.state) for one in states)
    fixed = replace(schedule, length=length)
    stores = [Store(workdir / f"state_{index}") for index in range(len(states))]
    kept = []
    for index, (one, store) in enumerate(zip(states, stores, strict=True)):
        identity = fingerprint(
            target=one.target,
            state=one.state,
            potential=potential,
            engine=engine,
            update=update,
            schedule=schedule,
            seed=seed,
            weights=tuple(other.weight for other in states),
            index=index,
            **({"replicas": replicas.count} if replicas.count > 1 else {}),
        )
        workdir.mkdir(parents=True, exist_ok=True)
        kept.append(store.open(identity, one.target))
    return refine_rounds(
        _OneSpecies(states, engine, stores, fixed, seed, replicas),
        potential,
        kept,
        update=update,
        iterations=iterations,
        wall_time=wall_time,
        progress=progress,
    )


def _check_grid(one: StateTarget, potential: PairPotential, index: int) -> None:
    target = one.target
    if target.units != potential.units:
        raise InputError(
            f"state {index} is in {target.units.name}, the potential in {potential.units.name}; convert with "
            ".to(units)"
        )
    n = potential.r.size
    if target.r.size < n or not np.allclose(target.r[:n], potential.r, atol=1e-4 * potential.dr):
        raise InputError(
            f"g(r) of state {index} (step {target.dr:g}, to {target.r_max:g}) does not lie on the grid of the "
            f"potential (step {potential.dr:g}, to {potential.r_cut:g}); sample all states alike"
        )


@dataclass(frozen=True, eq=False)
class _OneSpecies:
    """States of one species; see `cginit.refine.rounds.States`."""

    states: Sequence[StateTarget]
    engine: Engine
    stores: Sequence[Store]
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
        potential: PairPotential,
        before: Sequence[Iteration],
        nearer: Callable[[float], PairPotential] | None,
    ) -> Iteration:
        began = time.perf_counter()
        one, store = self.states[index], self.stores[index]
        run_seed = int(np.random.SeedSequence([self.seed, number, index]).generate_state(1)[0])
        starts = self._starts(index, potential, before)

        def attempt(tried: PairPotential, schedule: Schedule) -> tuple[PairPotential, Sample]:
            return tried, simulate(
                self.engine,
                tried,
                one.target,
                one.state,
                starts,
                schedule,
                seed=run_seed,
                folder=store.prepare(number),
                beyond_cutoff=True,
                adaptive=True,
                replicas=self.replicas,
            )

        with disk_explained(store.folder, number):
            (tried, sample), remarks = first_that_runs(
                attempts(potential, lengthened(self.schedule, before), nearer), attempt
            )
            seconds = time.perf_counter() - began
            done = iteration_of(sample, number, tried, one.target, seed=run_seed, seconds=seconds)
            return store.commit(replace(done, remarks=remarks))

    def distance(self, index: int, done: Iteration) -> Distance:
        return done.distance

    def potential(self, finished: Round[Iteration]) -> PairPotential:
        return finished[0].potential

    def between(self, best: PairPotential, last: PairPotential, part: float) -> PairPotential:
        return between(best, last, part)

    def settled(self, potential: PairPotential, factor: float = 1.0) -> PairPotential:
        return self._changed(replace(potential, u=factor * potential.u), np.zeros(potential.u.size))

    def _changed(self, potential: PairPotential, change: Array) -> PairPotential:
        # The core is extrapolated below what any state shows, and a step is limited in terms of the coldest state.
        widest = min(self.states, key=lambda one: float(one.target.r[int(np.argmax(one.target.g > 0.0))]))
        return apply_change(potential, change, widest.target, min(one.state.kT for one in self.states))

    def improved(self, finished: Round[Iteration], rule: str) -> PairPotential:
        if rule == "auto":
            change = _joint_change(finished, self.states)
        else:
            parts = [
                one.weight * IBI(CAREFUL).change(item.measurement, one.target, one.state)
                for item, one in zip(finished, self.states, strict=True)
            ]
            change = np.sum(parts, axis=0) / sum(self.weights)
        return self._changed(finished[0].potential, change)

    def _starts(
        self, index: int, potential: PairPotential, before: Sequence[Iteration]
    ) -> list[Configuration]:
        """Return the last configurations of a homogeneous fluid."""
        one = self.states[index]
        sound = next((item for item in reversed(before) if item.homogeneous), None)
        if sound is None:
            found = [start_configuration(one.target, one.state, potential.r_cut, seed=self.seed + index)]
        else:
            found = [sound.final, *sound.others]
        return [
            found[number % len(found)].at_density(one.state.density) for number in range(self.replicas.count)
        ]


def _joint_change(last: tuple[Iteration, ...], states: Sequence[StateTarget]) -> Array:
    """Return the smooth change ``(n,)`` that explains the differences of all states as far as their noise tells."""
    from scipy.linalg import block_diag

    kT = states[0].state.kT
    matrices, differences, noises, problems = [], [], [], []
    for item, one in zip(last, states, strict=True):
        fluid = measured_fluid(item.measurement.rdf, one.state.density, item.final.n)
        problem = Problem.of(item.measurement, one.target, one.state, fluid.r)
        m = problem.r.size
        rows = slice(problem.first, m)
        factor = responding_factor(fluid.bridge_factor(problem.u), problem.difference)
        response = fluid.response(float(factor)).jacobian(m)
        # One potential in energy units is a different one in each kT.
        matrices.append(-response[rows] * (kT / one.state.kT))
        differences.append(problem.difference[rows])
        noises.append(problem.covariance[rows, rows] / one.weight)
        problems.append(problem)
    if len({problem.r.size for problem in problems}) > 1:
        raise ConvergenceError("the states were inverted on different grids")
    first = min(problems, key=lambda problem: problem.first)
    bases = [curvature_basis(problems[0].u, first.first, rough) for rough in ROUGHNESS]
    fit = fit_change(np.vstack(matrices), np.concatenate(differences), block_diag(*noises), bases)
    p = last[0].potential
    return np.asarray(kT * np.interp(p.r, first.r, fit.change))
