"""One potential for several state points: the compromise that serves all targets best."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, Array, PairPotential
from cginit.engines.base import Engine, Schedule, length_scale
from cginit.errors import ConvergenceError, InputError
from cginit.refine.attempts import attempts, between, first_that_runs
from cginit.refine.checkpoint import Iteration, Store, fingerprint
from cginit.refine.length import LONGEST
from cginit.refine.loop import DEFAULT_SCHEDULE, start_configuration
from cginit.refine.regularisation import ROUGHNESS, curvature_basis, fit_change
from cginit.refine.relaxation import best_simulation, longer_equilibration
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.response import measured_fluid, responding_factor
from cginit.refine.simulation import Sample, iteration_of, simulate
from cginit.refine.updates import IBI, apply_change
from cginit.refine.updates.automatic import CAREFUL, CLEARLY, WORSE
from cginit.refine.updates.gauss_newton import Problem
from cginit.refine.workdir import disk_explained
from cginit.state import StatePoint, check_density, common_units

__all__ = ["MultistateRefinement", "StateTarget", "refine_states"]

log = logging.getLogger(__name__)

#: Part of a step that made things worse that is tried next.
PART = 0.4
#: After so many simulations of all states without an improvement the compromise is found.
PATIENCE = 4


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


@dataclass(frozen=True, eq=False)
class MultistateRefinement:
    """The result for several states.

    Attributes
    ----------
    potential : PairPotential
        With the smallest weighted mean squared difference over all states.
    history : tuple of tuple of Iteration
        For each round the iteration of every state, in their order.
    reason : str
        Why it stopped.
    converged : bool
        Whether every state is at its noise. If one potential cannot serve all, it never is.
    best : int
        Index of the best round.
    compromise : bool
        Whether it stopped because further rounds brought no improvement.
    """

    potential: PairPotential
    history: tuple[tuple[Iteration, ...], ...]
    reason: str
    converged: bool
    best: int
    compromise: bool = False


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
) -> MultistateRefinement:
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
    began = time.monotonic()
    if not states:
        raise InputError("give at least one state")
    if update not in ("auto", "ibi"):
        raise InputError(f"unknown update {update!r} for several states; known are auto and ibi")
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, not {iterations}")
    for index, one in enumerate(states):
        _check_grid(one, potential, index)
    length = schedule.length or min(length_scale(potential, one.state) for one in states)
    fixed = replace(schedule, length=length)
    stores = [Store(workdir / f"state_{index}") for index in range(len(states))]
    histories = []
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
        histories.append(store.open(identity, one.target))
    rounds = list(zip(*(history[: min(map(len, histories))] for history in histories), strict=True))
    for done in rounds:
        if progress is not None:
            progress(done)
    out_of_time = False
    while not _stop(rounds, states, iterations):
        if rounds and wall_time is not None:
            longest = max(sum(item.seconds for item in done) for done in rounds)
            out_of_time = time.monotonic() - began + longest > wall_time
            if out_of_time:
                break
        present = potential if not rounds else _next(rounds, states, update)
        number = len(rounds)
        finished: list[Iteration] = []
        for index, (one, store) in enumerate(zip(states, stores, strict=True)):
            if len(histories[index]) > number:
                # This state was simulated before the stop, another one was not.
                finished.append(histories[index][number])
                continue
            simulator = _Simulator(one, engine, store, fixed, seed, index, replicas)
            nearer = partial(between, rounds[_best(rounds, states)][0].potential, present) if rounds else None
            finished.append(simulator.run(number, present, [done[index] for done in rounds], nearer))
        rounds.append(tuple(finished))
        if progress is not None:
            progress(rounds[-1])
    best = _best(rounds, states)
    converged = all(item.is_noise for item in rounds[-1])
    shown = ", ".join(f"{item.distance.chi2:.3g}" for item in rounds[best])
    if converged:
        best = len(rounds) - 1
        reason = f"converged: after {len(rounds)} rounds every state differs from its target by noise only"
    elif len(rounds) >= iterations:
        reason = (
            f"stopped at the cap of {iterations} rounds: the best is round {best} (chi^2 per point of the states "
            f"{shown}); run again with a higher cap"
        )
    elif out_of_time:
        reason = (
            f"stopped before the wall time of {wall_time:g} s: the best is round {best} (chi^2 per point of the "
            f"states {shown}); run again on the same folder to go on"
        )
    else:
        reason = (
            f"the compromise is found: {PATIENCE} rounds brought no improvement over round {best} (chi^2 per point "
            f"of the states {shown}); one pair potential may not serve all states better"
        )
    compromise = not converged and len(rounds) < iterations and not out_of_time
    return MultistateRefinement(rounds[best][0].potential, tuple(rounds), reason, converged, best, compromise)


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
class _Simulator:
    """How one of the states is simulated."""

    one: StateTarget
    engine: Engine
    store: Store
    schedule: Schedule
    seed: int
    index: int
    replicas: Replicas

    def run(
        self,
        number: int,
        potential: PairPotential,
        history: Sequence[Iteration],
        nearer: Callable[[float], PairPotential] | None,
    ) -> Iteration:
        """Simulate in a round, more gently where it blows up, and keep the iteration on disk.

        `history` are the rounds of this state before.
        """
        began = time.perf_counter()
        run_seed = int(np.random.SeedSequence([self.seed, number, self.index]).generate_state(1)[0])
        starts = self._starts(potential, history)

        def attempt(tried: PairPotential, schedule: Schedule) -> tuple[PairPotential, Sample]:
            return tried, simulate(
                self.engine,
                tried,
                self.one.target,
                self.one.state,
                starts,
                schedule,
                seed=run_seed,
                folder=self.store.prepare(number),
                beyond_cutoff=True,
                adaptive=True,
                replicas=self.replicas,
            )

        with disk_explained(self.store.folder, number):
            equilibration = longer_equilibration(
                [item.relaxed for item in history],
                self.schedule.equilibration,
                LONGEST * self.schedule.production,
            )
            schedule = replace(self.schedule, equilibration=equilibration)
            (tried, sample), remarks = first_that_runs(attempts(potential, schedule, nearer), attempt)
            seconds = time.perf_counter() - began
            done = iteration_of(sample, number, tried, self.one.target, seed=run_seed, seconds=seconds)
            return self.store.commit(replace(done, remarks=remarks))

    def _starts(self, potential: PairPotential, history: Sequence[Iteration]) -> list[Configuration]:
        """Return the last configurations of a homogeneous fluid."""
        sound = next((item for item in reversed(history) if item.homogeneous), None)
        if sound is None:
            seed = self.seed + self.index
            found = [start_configuration(self.one.target, self.one.state, potential.r_cut, seed=seed)]
        else:
            found = [sound.final, *sound.others]
        return [
            found[number % len(found)].at_density(self.one.state.density)
            for number in range(self.replicas.count)
        ]


def _homogeneous(finished: tuple[Iteration, ...]) -> bool:
    return all(item.homogeneous for item in finished)


def _best(rounds: Sequence[tuple[Iteration, ...]], states: Sequence[StateTarget]) -> int:
    """Return the index of the best round; one in which all states were homogeneous fluids if there is any."""
    return best_simulation(
        [max(item.relaxed for item in done) for done in rounds],
        [_homogeneous(done) for done in rounds],
        [_lmse(done, states) for done in rounds],
    )


def _next(
    rounds: Sequence[tuple[Iteration, ...]], states: Sequence[StateTarget], update: str
) -> PairPotential:
    """Return the next potential, a pure function of the rounds so far."""
    best, last = rounds[_best(rounds, states)], rounds[-1]
    here = last[0].potential
    # The core is extrapolated below what any state shows, and a step is limited in terms of the coldest state.
    widest = min(states, key=lambda one: float(one.target.r[int(np.argmax(one.target.g > 0.0))]))
    kT = min(one.state.kT for one in states)
    if not _homogeneous(best):
        log.info("no homogeneous fluid in some state yet; half the potential is next")
        half = replace(here, u=0.5 * here.u)
        return apply_change(half, np.zeros(here.u.size), widest.target, kT)
    if _worse(last, best, states):
        log.info("round %d is worse than %d; part of the step is next", last[0].index, best[0].index)
        part = between(best[0].potential, here, PART)
        return apply_change(part, np.zeros(here.u.size), widest.target, kT)
    change: Array | None = None
    if update == "auto" and not any(item.warnings for item in last):
        try:
            change = _joint_change(last, states)
        except ConvergenceError as error:
            log.info("Gauss-Newton failed (%s); iterative Boltzmann inversion stands in", error)
    if change is None:
        parts = [
            one.weight * IBI(CAREFUL).change(item.measurement, one.target, one.state)
            for item, one in zip(last, states, strict=True)
        ]
        change = np.sum(parts, axis=0) / sum(one.weight for one in states)
    return apply_change(here, change, widest.target, kT)


def _worse(last: tuple[Iteration, ...], best: tuple[Iteration, ...], states: Sequence[StateTarget]) -> bool:
    """Whether a round is worse than the best by more than chance."""
    if last is best:
        return False
    noisy = max(item.distance.chi2 for item in last) <= CLEARLY
    return not _homogeneous(last) or (_lmse(last, states) > WORSE * _lmse(best, states) and not noisy)


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


def _lmse(finished: tuple[Iteration, ...], states: Sequence[StateTarget]) -> float:
    weights = np.array([one.weight for one in states])
    return float(weights @ [item.distance.lmse for item in finished] / weights.sum())


def _stop(rounds: list[tuple[Iteration, ...]], states: Sequence[StateTarget], cap: int) -> bool:
    if not rounds:
        return False
    if all(item.is_noise for item in rounds[-1]) or len(rounds) >= cap:
        return True
    best = min(range(len(rounds)), key=lambda k: _lmse(rounds[k], states))
    return len(rounds) - 1 - best >= PATIENCE
