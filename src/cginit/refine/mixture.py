"""Refinement of all pairs of a mixture at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration, random_configuration
from cginit.curves import PairPotential
from cginit.engines.base import Engine, EngineRun, Schedule, length_scale
from cginit.errors import InputError, UnstableError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.checkpoint import fingerprint
from cginit.refine.convergence import distance, has_pressure
from cginit.refine.loop import DEFAULT_SCHEDULE, GENTLE_STEP, MIN_BEADS
from cginit.refine.mixture_store import MixtureIteration, MixtureStore
from cginit.refine.mixture_updates import MixtureUpdate, make_mixture_update
from cginit.refine.updates import apply_change

__all__ = ["MixtureIteration", "MixtureRefinement", "mixture_start", "refine_mixture"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MixtureRefinement:
    """The result of the refinement of a mixture.

    Attributes
    ----------
    potentials : dict of pair to PairPotential
        Those whose g(r) came closest to the target, by the mean squared difference of all pairs.
    history : tuple of MixtureIteration
        Every simulation, in order.
    reason : str
        Why it stopped.
    converged : bool
        Whether all pairs are at the noise.
    best : int
        Index of the best iteration.
    """

    potentials: dict[Pair, PairPotential]
    history: tuple[MixtureIteration, ...]
    reason: str
    converged: bool
    best: int


def mixture_start(
    target: MixtureTarget,
    potentials: Mapping[Pair, PairPotential],
    *,
    beads: int | None = None,
    seed: int = 1,
) -> Configuration:
    """Return a random start of a mixture, large enough for its cut-offs; at least 1000 beads."""
    r_cut = max(one.r_cut for one in potentials.values())
    density = target.state.density
    least = max(MIN_BEADS, int(np.ceil(density * (2.2 * r_cut) ** 3))) if beads is None else beads
    return random_configuration(target.counts(least), density, seed=seed, units=target.units)


def refine_mixture(
    target: MixtureTarget,
    potentials: Mapping[Pair, PairPotential],
    engine: Engine,
    *,
    workdir: Path,
    update: str | MixtureUpdate = "auto",
    schedule: Schedule = DEFAULT_SCHEDULE,
    iterations: int = 30,
    wall_time: float | None = None,
    seed: int = 1,
    start: Configuration | None = None,
    progress: Callable[[MixtureIteration], None] | None = None,
) -> MixtureRefinement:
    """Refine the potentials of all pairs by simulation until every g(r) differs from its target by noise only.

    The rules are those of `cginit.refine.mixture_updates`; ``auto`` is ``gauss-newton`` from the best simulation, and
    ``ibi`` where its inversion has no solution.

    Parameters
    ----------
    target : MixtureTarget
        g(r) of all pairs, densities and kT.
    potentials : mapping of pair to PairPotential
        The start, on the grid of the target (as `guess_mixture` returns it).
    engine : Engine
        One that simulates mixtures.
    workdir : Path
        Where every iteration is kept; the same call goes on there.
    update : {"auto", "gauss-newton", "hncn", "ihnc", "imc", "ibi"} or MixtureUpdate
        The rule.
    schedule : Schedule
        Length of each simulation.
    iterations : int
        Largest number of simulations.
    wall_time : float, optional
        Seconds, counted from the call; no simulation is started that would not end within them, judged by
        the longest so far.
    seed : int
        Seed of the whole refinement.
    start : Configuration, optional
        With the species of the target; by default `mixture_start`.
    progress : callable, optional
        Called with each iteration, also with those found on disk.

    Raises
    ------
    InputError
        If the parts do not fit each other, or `workdir` holds another refinement.
    EngineError
        If the engine fails; what was done stays on disk.
    """
    began = time.monotonic()
    rule = make_mixture_update(update) if isinstance(update, str) else update
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, not {iterations}")
    present = {pair: _of(potentials, pair).to(target.units) for pair in target.pairs}
    configuration = mixture_start(target, present, seed=seed) if start is None else start.to(target.units)
    if configuration.species != target.species:
        raise InputError(
            f"the start has the species {', '.join(configuration.species)}, the target {', '.join(target.species)}"
        )
    first_start = configuration
    # One time step for all iterations: the length that sets it is that of the first potentials.
    length = schedule.length or length_scale(present, target.state)
    fixed = replace(schedule, length=length)
    store = MixtureStore(workdir)
    curves = {f"target of {a}-{b}": curve for (a, b), curve in target.rdfs.items()}
    firsts = {f"potential of {a}-{b}": one for (a, b), one in present.items()}
    history = store.open(
        fingerprint(
            **curves,
            **firsts,
            densities=dict(target.densities),
            kT=target.kT,
            start=configuration,
            engine=engine,
            update=rule,
            schedule=schedule,
            seed=seed,
        ),
        target,
    )
    for done in history:
        if progress is not None:
            progress(done)
    made_by = "start"
    while not (history and _arrived(history[-1], rule)) and len(history) < iterations:
        if history:
            last = history[-1]
            if wall_time is not None and _elapsed(history, began) > wall_time:
                break
            # What a run that clustered or froze leaves behind would stay so.
            configuration = next((item.final for item in reversed(history) if item.homogeneous), first_start)
            changes, made_by = rule(history, target)
            present = last.potentials | {
                pair: apply_change(last.potentials[pair], change, target.rdfs[pair], target.kT)
                for pair, change in changes.items()
            }
        iteration = _simulate(
            target, present, engine, configuration, fixed, len(history), seed, store, made_by
        )
        history.append(iteration)
        if progress is not None:
            progress(iteration)
    return _result(history, rule, iterations, wall_time)


def _elapsed(history: list[MixtureIteration], began: float) -> float:
    """Seconds after which one more simulation would end."""
    return time.monotonic() - began + max(item.seconds for item in history)


def _arrived(iteration: MixtureIteration, rule: MixtureUpdate) -> bool:
    """Whether every g(r) that may change is at the noise, and the pressure is reached where one is wanted."""
    noise = all(one.is_noise for pair, one in iteration.distances.items() if pair not in rule.held)
    return noise and has_pressure(iteration.pressure, iteration.pressure_error, rule.pressure)


def _result(
    history: list[MixtureIteration], rule: MixtureUpdate, iterations: int, wall_time: float | None
) -> MixtureRefinement:
    best = min(history, key=lambda item: item.lmse)
    converged = _arrived(history[-1], rule)
    if converged:
        # The last is the one that has all that was wanted.
        best = history[-1]
    worst = {pair: one.chi2 for pair, one in best.distances.items()}
    pair = max(worst, key=lambda name: worst[name])
    where = f"largest chi^2 per point {worst[pair]:.2f}, of {pair[0]}-{pair[1]}"
    if rule.pressure is not None:
        where += f"; pressure {best.pressure:.4g} +- {best.pressure_error:.2g}, wanted: {rule.pressure:.4g}"
    if converged:
        count = f"{len(history)} simulation{'s' * (len(history) > 1)}"
        reason = f"converged: after {count} every g(r) differs from its target by noise only ({where})"
    elif len(history) >= iterations:
        reason = (
            f"stopped at the cap of {iterations} simulations: the best is iteration {best.index} ({where}); run "
            "again with a higher cap"
        )
    else:
        reason = (
            f"stopped before the wall time of {wall_time:g} s: the best is iteration {best.index} ({where}); run "
            "again on the same folder to go on"
        )
    return MixtureRefinement(best.potentials, tuple(history), reason, converged, best.index)


def _run(
    engine: Engine,
    potentials: dict[Pair, PairPotential],
    target: MixtureTarget,
    start: Configuration,
    schedule: Schedule,
    seed: int,
    folder: Path,
) -> EngineRun:
    """Run the engine; where the beads are lost, once more with a shorter time step."""
    try:
        return engine.run(potentials, target.state, start, schedule, seed=seed, workdir=folder)
    except UnstableError as error:
        log.warning("%s; once more with a shorter time step", error)
    gentle = replace(schedule, dt=GENTLE_STEP * schedule.dt, push_off=max(4 * schedule.push_off, 2_000))
    return engine.run(potentials, target.state, start, gentle, seed=seed, workdir=folder)


def _of(potentials: Mapping[Pair, PairPotential], pair: Pair) -> PairPotential:
    found = potentials.get(pair, potentials.get((pair[1], pair[0])))
    if found is None:
        raise InputError(f"the pair {pair[0]}-{pair[1]} has no potential; a mixture needs all its pairs")
    return found


def _simulate(
    target: MixtureTarget,
    potentials: dict[Pair, PairPotential],
    engine: Engine,
    start: Configuration,
    schedule: Schedule,
    index: int,
    seed: int,
    store: MixtureStore,
    rule: str,
) -> MixtureIteration:
    began = time.perf_counter()
    folder = store.prepare(index) / "engine"
    folder.mkdir()
    run_seed = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    run = _run(engine, potentials, target, start, schedule, run_seed, folder)
    if run.trajectory is None:
        raise InputError(f"engine {run.engine} returned no trajectory; mixtures need one")
    first = next(iter(target.rdfs.values()))
    half = 0.5 * float(np.min(run.trajectory.box)) * (1.0 - 1e-9)
    offset = float(first.r[0])
    reach = offset + first.dr * np.floor((min(first.r_max, half - 0.5 * first.dr) - offset) / first.dr + 1e-6)
    counts = sampling.count_partial_pairs(run.trajectory, dr=first.dr, r_max=float(reach), offset=offset)
    rdfs = {pair: one.rdf() for pair, one in counts.items()}
    everything = sampling.rdf(run.trajectory, dr=first.dr, r_max=float(reach), offset=offset)
    pressure = sampling.block_mean(run.pressure, min(sampling.BLOCKS, run.pressure.size))
    return store.commit(
        MixtureIteration(
            index=index,
            potentials=potentials,
            rdfs=rdfs,
            final=run.final,
            distances={
                pair: distance(rdfs[pair], target.rdfs[pair], potentials[pair].r_cut) for pair in target.pairs
            },
            pressure=pressure.value,
            pressure_error=pressure.error,
            warnings=sampling.examine(run.trajectory, everything, run.energy).reasons,
            update=rule,
            steps=run.steps,
            seconds=time.perf_counter() - began,
            counts=counts,
        )
    )
