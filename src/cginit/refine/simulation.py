"""One simulation of a refinement: as long as its answer is worth, sampled as far as the update wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration, Trajectory
from cginit.curves import RDF, Array, PairPotential
from cginit.engines.base import Engine, EngineRun, Schedule
from cginit.errors import InputError
from cginit.refine.checkpoint import Iteration
from cginit.refine.convergence import distance
from cginit.refine.replicas import ONE, Replicas, in_step, replica_seeds, time_series
from cginit.sampling import Mean, PairCounts
from cginit.state import StatePoint

__all__ = ["FAR", "FIRST_PART", "Sample", "iteration_of", "reach_of", "simulate"]

#: Part of the production after which a run is judged.
FIRST_PART = 0.25
#: chi^2 per point of that part above which the rest is not worth its time: an update reduces the error to a fifth
#: or so, and where chi^2 is 25 the noise of the short run is not above that fifth.
FAR = 25.0
#: Configurations that each part needs for its errors.
MIN_FRAMES = 2 * sampling.BLOCKS
#: g(r) is sampled to this many cut-offs where an update wants it beyond the cut-off.
REACH = 2.5


@dataclass(frozen=True, eq=False)
class Sample:
    """What a simulation showed.

    Attributes
    ----------
    rdf : RDF
        On the grid of the target.
    counts : PairCounts or None
        None for an analytic engine.
    final : Configuration
        Where the next simulation may start.
    pressure : Mean
        With its error.
    warnings : tuple of str
        What makes it useless as a fluid in equilibrium.
    engine : str
        Engine and version.
    steps : int
        All steps.
    seconds : float
        Wall time of the engine's integration.
    complete : bool
        Whether it had its full length; a run that is far from the target is ended early.
    others : tuple of Configuration
        Where the other replicas of the next simulation may start.
    """

    rdf: RDF
    counts: PairCounts | None
    final: Configuration
    pressure: Mean
    warnings: tuple[str, ...]
    engine: str
    steps: int
    seconds: float
    complete: bool
    others: tuple[Configuration, ...] = ()


def reach_of(target: RDF, r_cut: float, box_edge: float, beyond_cutoff: bool) -> float:
    """Return how far g(r) is to be sampled: the cut-off, or 2.5 of them as far as half the box allows."""
    whole = target.with_core()
    steps = round((r_cut - float(whole.r[0])) / whole.dr)
    if beyond_cutoff:
        wanted = min(REACH * r_cut, 0.5 * box_edge * (1.0 - 1e-9) - 0.5 * whole.dr)
        steps = max(steps, int((wanted - float(whole.r[0])) / whole.dr))
    return float(whole.r[0]) + steps * whole.dr


def simulate(
    engine: Engine,
    potential: PairPotential,
    target: RDF,
    state: StatePoint,
    starts: Sequence[Configuration],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    beyond_cutoff: bool,
    adaptive: bool,
    replicas: Replicas = ONE,
) -> Sample:
    """Simulate a potential in two parts, the second only where the first is not far from the target.

    Each replica has one of the `starts`.

    Raises
    ------
    EngineError
        If the engine fails.
    """
    parts = _parts(schedule) if adaptive else (schedule,)
    runs: list[list[EngineRun]] = []
    sample: Sample | None = None
    for index, part in enumerate(parts):
        place = folder / ("engine" if index == 0 else f"engine_{index + 1}")
        place.mkdir()
        places = [place]
        if replicas.count > 1:
            places = [place / f"replica_{number + 1}" for number in range(replicas.count)]
        seeds = replica_seeds(seed, index, replicas.count)
        runs.append(replicas.run(engine, potential, state, starts, part, seeds=seeds, folders=places))
        starts = [run.final for run in runs[-1]]
        exact = runs[-1][0].trajectory is None
        complete = exact or index == len(parts) - 1
        sample = _sample(runs, target, potential, beyond_cutoff, complete)
        if complete or distance(sample.rdf, target, potential.r_cut).chi2 > FAR:
            break
    if sample is None:
        raise InputError("a simulation needs at least one part")
    return sample


def iteration_of(
    sample: Sample, index: int, potential: PairPotential, target: RDF, *, seed: int, seconds: float
) -> Iteration:
    """Return the iteration that a simulation of `potential` makes, with its distance to the target."""
    return Iteration(
        index=index,
        potential=potential,
        rdf=sample.rdf,
        final=sample.final,
        distance=distance(sample.rdf, target, potential.r_cut),
        pressure=sample.pressure.value,
        pressure_error=sample.pressure.error,
        warnings=sample.warnings,
        engine=sample.engine,
        seed=seed,
        steps=sample.steps,
        seconds=seconds,
        engine_seconds=sample.seconds,
        counts=sample.counts,
        complete=sample.complete,
        others=sample.others,
    )


def _parts(schedule: Schedule) -> tuple[Schedule, ...]:
    frames = schedule.production // schedule.every
    first = max(MIN_FRAMES, round(FIRST_PART * frames))
    if frames - first < MIN_FRAMES:
        return (schedule,)
    return (
        replace(schedule, production=first * schedule.every),
        replace(schedule, production=(frames - first) * schedule.every, equilibration=0, push_off=0),
    )


def _sample(
    runs: list[list[EngineRun]], target: RDF, potential: PairPotential, beyond_cutoff: bool, complete: bool
) -> Sample:
    """Return what all parts of all replicas show."""
    first, *others = runs[-1]
    energy = np.concatenate([time_series([run.energy for run in part]) for part in runs])
    pressure = np.concatenate([time_series([run.pressure for run in part]) for part in runs])
    edge = float(np.min(first.final.box))
    reach = reach_of(target, potential.r_cut, edge, beyond_cutoff)
    counts: PairCounts | None = None
    warnings: tuple[str, ...] = ()
    trajectories = [one for part in runs if (one := in_step(part)) is not None]
    if not trajectories:
        rdf = _exact(first, target, reach)
    else:
        frames = np.concatenate([one.positions for one in trajectories])
        whole = Trajectory(frames, trajectories[0].box, units=trajectories[0].units)
        offset = float(target.with_core().r[0])
        counts = sampling.count_pairs(whole, dr=target.dr, r_max=reach, offset=offset)
        rdf = counts.rdf()
        warnings = sampling.examine(whole, rdf, energy).reasons
    return Sample(
        rdf=rdf,
        counts=counts,
        final=first.final,
        pressure=sampling.block_mean(pressure, min(sampling.BLOCKS, pressure.size)),
        warnings=warnings,
        engine=f"{first.engine} {first.version}",
        steps=sum(run.steps for part in runs for run in part),
        seconds=sum(max(run.seconds for run in part) for part in runs),
        complete=complete,
        others=tuple(run.final for run in others),
    )


def _exact(run: EngineRun, target: RDF, reach: float) -> RDF:
    """Put the g(r) of an analytic engine on the grid of the target, as far as it goes."""
    exact = run.exact_rdf
    if exact is None:
        raise InputError(f"engine {run.engine} returned neither a trajectory nor a g(r)")
    whole = target.with_core()
    first, dr = float(whole.r[0]), whole.dr
    end = min(reach, exact.r_max)
    r: Array = first + dr * np.arange(int((end - first) / dr + 1e-6) + 1, dtype=np.float64)
    error = None if exact.error is None else np.interp(r, exact.r, exact.error)
    return RDF(r, np.interp(r, exact.r, exact.g), error, units=target.units)
