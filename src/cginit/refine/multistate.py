"""One potential for several state points: the compromise that serves all targets best."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.engines.base import Engine, Schedule, length_scale
from cginit.errors import ConvergenceError, InputError
from cginit.refine.checkpoint import Iteration, Store, fingerprint
from cginit.refine.loop import DEFAULT_SCHEDULE, start_configuration
from cginit.refine.regularisation import ROUGHNESS, curvature_basis, fit_change
from cginit.refine.response import measured_fluid, responding_factor
from cginit.refine.simulation import iteration_of, simulate
from cginit.refine.updates import IBI, apply_change
from cginit.refine.updates.gauss_newton import Problem
from cginit.state import StatePoint, check_density, common_units

__all__ = ["MultistateRefinement", "StateTarget", "refine_states"]

log = logging.getLogger(__name__)

#: Damping of iterative Boltzmann inversion where the other rule has no answer.
CAREFUL = 0.7
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
    """

    potential: PairPotential
    history: tuple[tuple[Iteration, ...], ...]
    reason: str
    converged: bool
    best: int


def refine_states(
    states: Sequence[StateTarget],
    potential: PairPotential,
    engine: Engine,
    *,
    workdir: Path,
    update: str = "auto",
    schedule: Schedule = DEFAULT_SCHEDULE,
    iterations: int = 30,
    seed: int = 1,
    progress: Callable[[tuple[Iteration, ...]], None] | None = None,
) -> MultistateRefinement:
    r"""Refine one potential against the g(r) of several state points.

    .. math:: U_{n+1} = U_n + \frac{\sum_s w_s\, \Delta U_s}{\sum_s w_s}

    With ``ibi``, multistate iterative Boltzmann inversion, the changes that each state would make by itself are
    averaged with their weights w. ``auto`` takes the one smooth change that explains the differences of all states
    with the response of the HNC closure, each as far as its noise tells (Gauss-Newton), and ``ibi`` where that has no
    answer.

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
    seed : int
        Seed of the whole refinement.
    progress : callable, optional
        Called with each finished round, also with those found on disk.

    Raises
    ------
    InputError
        If the parts do not fit each other, or `workdir` holds another refinement.
    EngineError
        If the engine fails; what was done stays on disk.
    """
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
        )
        workdir.mkdir(parents=True, exist_ok=True)
        histories.append(store.open(identity, one.target))
    rounds = list(zip(*(history[: min(map(len, histories))] for history in histories), strict=True))
    for done in rounds:
        if progress is not None:
            progress(done)
    while not _stop(rounds, states, iterations):
        present = potential if not rounds else _next(rounds[-1], states, update)
        number = len(rounds)
        finished: list[Iteration] = []
        for index, (one, store) in enumerate(zip(states, stores, strict=True)):
            if len(histories[index]) > number:
                # This state was simulated before the stop, another one was not.
                finished.append(histories[index][number])
                continue
            start = rounds[-1][index].final if rounds else None
            finished.append(_simulate(one, present, engine, store, fixed, number, seed, index, start))
        rounds.append(tuple(finished))
        if progress is not None:
            progress(rounds[-1])
    best = min(range(len(rounds)), key=lambda k: _lmse(rounds[k], states))
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
    else:
        reason = (
            f"the compromise is found: {PATIENCE} rounds brought no improvement over round {best} (chi^2 per point "
            f"of the states {shown}); one pair potential may not serve all states better"
        )
    return MultistateRefinement(rounds[best][0].potential, tuple(rounds), reason, converged, best)


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


def _simulate(
    one: StateTarget,
    potential: PairPotential,
    engine: Engine,
    store: Store,
    schedule: Schedule,
    number: int,
    seed: int,
    index: int,
    start: object,
) -> Iteration:
    from cginit.configuration import Configuration

    began = time.perf_counter()
    run_seed = int(np.random.SeedSequence([seed, number, index]).generate_state(1)[0])
    if not isinstance(start, Configuration):
        start = start_configuration(one.target, one.state, potential.r_cut, seed=seed + index)
    sample = simulate(
        engine,
        potential,
        one.target,
        one.state,
        [start.at_density(one.state.density)],
        schedule,
        seed=run_seed,
        folder=store.prepare(number),
        beyond_cutoff=True,
        adaptive=True,
    )
    return store.commit(
        iteration_of(
            sample, number, potential, one.target, seed=run_seed, seconds=time.perf_counter() - began
        )
    )


def _next(last: tuple[Iteration, ...], states: Sequence[StateTarget], update: str) -> PairPotential:
    """Return the next potential, a pure function of the last round."""
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
    # The core is extrapolated below what any state shows, and a step is limited in terms of the coldest state.
    widest = min(states, key=lambda one: float(one.target.r[int(np.argmax(one.target.g > 0.0))]))
    return apply_change(last[0].potential, change, widest.target, min(one.state.kT for one in states))


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
