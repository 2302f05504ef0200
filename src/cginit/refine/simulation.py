"""One simulation of a refinement: as long as its answer is worth, sampled as far as the update wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration
from cginit.curves import RDF, Array, PairPotential
from cginit.engines.base import Engine, EngineRun, Schedule
from cginit.errors import InputError
from cginit.refine.checkpoint import Iteration
from cginit.refine.convergence import distance
from cginit.refine.measurement import is_homogeneous
from cginit.refine.parts import FAR, Joined, Verdict, simulated
from cginit.refine.relaxation import relaxes
from cginit.refine.replicas import ONE, Replicas
from cginit.sampling import Mean, PairCounts
from cginit.state import StatePoint

__all__ = ["Sample", "iteration_of", "reach_of", "simulate"]

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
    relaxed : int
        Steps that had to count as equilibration because g(r) still moved.
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
    relaxed: int = 0


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
    """Simulate a potential for as long as its answer is worth; see `cginit.refine.parts.simulated`.

    Each replica has one of the `starts`.

    Raises
    ------
    EngineError
        If the engine fails.
    """
    counted: PairCounts | None = None

    def measure(joined: Joined) -> tuple[Sample, Verdict]:
        nonlocal counted
        sample = _sample(joined, target, potential, beyond_cutoff, counted if joined.known else None)
        counted = sample.counts
        far = distance(sample.rdf, target, potential.r_cut).chi2 > FAR
        # What clusters or freezes will not become a fluid by going on.
        moving = sample.counts is not None and is_homogeneous(sample.warnings)
        curves = [(sample.counts, target, potential.r_cut)] if sample.counts is not None else []
        return sample, Verdict(far, moving and relaxes(curves))

    return simulated(
        engine,
        potential,
        state,
        starts,
        schedule,
        measure,
        seed=seed,
        folder=folder,
        adaptive=adaptive,
        replicas=replicas,
    )


def iteration_of(
    sample: Sample,
    index: int,
    potential: PairPotential,
    target: RDF,
    *,
    seed: int,
    seconds: float,
    longer: float = 1.0,
) -> Iteration:
    """Return the iteration that a simulation of `potential` makes, with its distance to the target."""
    return Iteration(
        index=index,
        potential=potential,
        rdf=sample.rdf,
        final=sample.final,
        distance=distance(sample.rdf, target, potential.r_cut, longer),
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
        relaxed=sample.relaxed,
        longer=longer,
    )


def _sample(
    joined: Joined, target: RDF, potential: PairPotential, beyond_cutoff: bool, before: PairCounts | None
) -> Sample:
    """Return what all parts so far show; `before` are the pairs of all but the last."""
    edge = float(np.min(joined.finals[0].box))
    reach = reach_of(target, potential.r_cut, edge, beyond_cutoff)
    counts: PairCounts | None = None
    warnings: tuple[str, ...] = ()
    if joined.trajectory is None:
        rdf = _exact(joined.first, target, reach)
    else:
        offset = float(target.with_core().r[0])
        counts = sampling.count_pairs(
            joined.trajectory, dr=target.dr, r_max=reach, offset=offset, before=before
        )
        rdf = counts.rdf()
        warnings = sampling.examine(joined.trajectory, rdf, joined.energy).reasons
    return Sample(
        rdf=rdf,
        counts=counts,
        final=joined.finals[0],
        pressure=joined.pressure,
        warnings=warnings,
        engine=joined.engine,
        steps=joined.steps,
        seconds=joined.seconds,
        complete=joined.complete,
        others=joined.finals[1:],
        relaxed=joined.relaxed,
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
