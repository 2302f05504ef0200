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
from cginit.curves import RDF, Array, PairPotential
from cginit.engines.base import Engine, Schedule, length_scale
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.mixture import MixtureInversion, invert_mixture
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.checkpoint import fingerprint
from cginit.refine.convergence import distance
from cginit.refine.loop import DEFAULT_SCHEDULE, MIN_BEADS
from cginit.refine.measurement import Measurement
from cginit.refine.mixture_store import MixtureIteration, MixtureStore
from cginit.refine.updates import IBI, apply_change

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
    update: str = "auto",
    schedule: Schedule = DEFAULT_SCHEDULE,
    iterations: int = 30,
    seed: int = 1,
    start: Configuration | None = None,
    progress: Callable[[MixtureIteration], None] | None = None,
) -> MixtureRefinement:
    r"""Refine the potentials of all pairs by simulation until every g(r) differs from its target by noise only.

    ``ihnc`` adds the difference of the matrix HNC inversions of target and simulated g(r),

    .. math:: U^{n+1}_{ab} = U^n_{ab} + U^{HNC}_{ab}[g_{target}] - U^{HNC}_{ab}[g_n],

    which knows that a change of one pair moves all g(r); ``ibi`` changes each pair by its own g(r); ``auto`` is
    ``ihnc``, and ``ibi`` for the iterations whose inversion has no solution.

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
    update : {"auto", "ihnc", "ibi"}
        The rule.
    schedule : Schedule
        Length of each simulation.
    iterations : int
        Largest number of simulations.
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
    if update not in ("auto", "ihnc", "ibi"):
        raise InputError(f"unknown update {update!r} for mixtures; known are auto, ihnc and ibi")
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, not {iterations}")
    present = {pair: _of(potentials, pair).to(target.units) for pair in target.pairs}
    configuration = mixture_start(target, present, seed=seed) if start is None else start.to(target.units)
    if configuration.species != target.species:
        raise InputError(
            f"the start has the species {', '.join(configuration.species)}, the target {', '.join(target.species)}"
        )
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
            update=update,
            schedule=schedule,
            seed=seed,
        )
    )
    for done in history:
        if progress is not None:
            progress(done)
    wanted: MixtureInversion | None = None
    rule = "start"
    while not (history and history[-1].is_noise) and len(history) < iterations:
        if history:
            last = history[-1]
            configuration = last.final
            if update != "ibi" and wanted is None:
                wanted = _inverted(target, target.rdfs, last.rdfs)
            present, rule = _next(target, last, wanted if update != "ibi" else None)
            if update == "ihnc" and rule != "ihnc":
                raise ConvergenceError(
                    "the matrix HNC inversion has no solution for these g(r); use the update auto or ibi"
                )
        iteration = _simulate(target, present, engine, configuration, fixed, len(history), seed, store, rule)
        history.append(iteration)
        if progress is not None:
            progress(iteration)
    best = min(history, key=lambda item: item.lmse)
    converged = history[-1].is_noise
    worst = {pair: one.chi2 for pair, one in best.distances.items()}
    pair = max(worst, key=lambda name: worst[name])
    where = f"largest chi^2 per point {worst[pair]:.2f}, of {pair[0]}-{pair[1]}"
    reason = (
        f"converged: after {len(history)} simulations every g(r) differs from its target by noise only ({where})"
        if converged
        else f"stopped at the cap of {iterations} simulations: the best is iteration {best.index} ({where}); run "
        "again with a higher cap"
    )
    chosen = history[-1] if converged else best
    return MixtureRefinement(chosen.potentials, tuple(history), reason, converged, chosen.index)


def _of(potentials: Mapping[Pair, PairPotential], pair: Pair) -> PairPotential:
    found = potentials.get(pair, potentials.get((pair[1], pair[0])))
    if found is None:
        raise InputError(f"the pair {pair[0]}-{pair[1]} has no potential; a mixture needs all its pairs")
    return found


def _inverted(
    target: MixtureTarget, curves: Mapping[Pair, RDF], others: Mapping[Pair, RDF]
) -> MixtureInversion | None:
    """HNC inversion of `curves` over the range that `others` have too; None where there is none."""
    end = min(curve.r_max for curve in (*curves.values(), *others.values()))
    cut = {pair: curve.truncated(end) for pair, curve in curves.items()}
    errors = {pair: one.error for pair, one in cut.items() if one.error is not None}
    try:
        return invert_mixture(
            next(iter(cut.values())).r,
            {pair: one.g for pair, one in cut.items()},
            target.densities,
            error=errors if len(errors) == len(cut) else None,
        )
    except ConvergenceError as error:
        log.warning("no HNC inversion: %s", error)
        return None


def _next(
    target: MixtureTarget, last: MixtureIteration, wanted: MixtureInversion | None
) -> tuple[dict[Pair, PairPotential], str]:
    """Return the next potentials, and the rule that made them."""
    got = None if wanted is None else _inverted(target, last.rdfs, target.rdfs)
    changed = {}
    for pair in target.pairs:
        potential, curve = last.potentials[pair], target.rdfs[pair]
        if wanted is None or got is None:
            measured = Measurement(
                potential,
                last.rdfs[pair],
                last.final.n,
                last.pressure,
                last.pressure_error,
                None,
                healthy=True,
            )
            change: Array = IBI().change(measured, curve, target.state)
        else:
            both = np.isfinite(wanted.u[pair]) & np.isfinite(got.u[pair])
            difference = wanted.u[pair][both] - got.u[pair][both]
            change = target.kT * np.interp(potential.r, wanted.r[both], difference)
            change -= change[-1]
        changed[pair] = apply_change(potential, change, curve, target.kT)
    return changed, "ibi" if wanted is None or got is None else "ihnc"


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
    run = engine.run(potentials, target.state, start, schedule, seed=run_seed, workdir=folder)
    if run.trajectory is None:
        raise InputError(f"engine {run.engine} returned no trajectory; mixtures need one")
    first = next(iter(target.rdfs.values()))
    half = 0.5 * float(np.min(run.trajectory.box)) * (1.0 - 1e-9)
    offset = float(first.r[0])
    reach = offset + first.dr * np.floor((min(first.r_max, half - 0.5 * first.dr) - offset) / first.dr + 1e-6)
    rdfs = sampling.partial_rdfs(run.trajectory, dr=first.dr, r_max=float(reach), offset=offset)
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
        )
    )
