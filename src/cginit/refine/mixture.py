"""Refinement of all pairs of a mixture at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration, random_configuration
from cginit.curves import PairPotential
from cginit.engines.base import Engine, Schedule, length_scale
from cginit.errors import ConvergenceError, InputError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.checkpoint import fingerprint
from cginit.refine.convergence import Distance, has_pressure
from cginit.refine.length import check_longest, longer_production
from cginit.refine.loop import DEFAULT_SCHEDULE, MIN_BEADS
from cginit.refine.mixture_proposal import MixtureProposal, propose_mixture
from cginit.refine.mixture_simulation import MixtureSimulator, between_all
from cginit.refine.mixture_store import MixtureIteration, MixtureStore, best_of
from cginit.refine.mixture_updates import MixtureUpdate, make_mixture_update
from cginit.refine.relaxation import longer_equilibration, slowness
from cginit.refine.replicas import ONE, Replicas

__all__ = ["MixtureIteration", "MixtureRefinement", "mixture_start", "refine_mixture"]


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
        Index of the best iteration; of the one that was reweighted where `reweighted` is true.
    skipped : int
        Updates that reweighting judged: simulations that were not needed.
    reweighted : bool
        Whether `potentials` were not simulated themselves, but judged by the configurations of iteration `best`.
    """

    potentials: dict[Pair, PairPotential]
    history: tuple[MixtureIteration, ...]
    reason: str
    converged: bool
    best: int
    skipped: int = 0
    reweighted: bool = False


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
    adaptive: bool = True,
    reweighting: bool = True,
    replicas: Replicas = ONE,
    longest: int | None = None,
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
    adaptive, reweighting : bool
        Whether simulations far from the target are ended after a quarter of their production, and small updates
        judged by the configurations of the last simulation.
    replicas : Replicas
        Simulations of each iteration; see `cginit.refine.replicas.open_replicas`.
    longest : int, optional
        Cap on the steps of sampling of one simulation, to which they grow where the noise leaves no way on; four
        times those of the schedule if not given.
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
    lengths = schedule.production, check_longest(longest, schedule)
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
            adaptive=adaptive,
            reweighting=reweighting,
            **({"replicas": replicas.count} if replicas.count > 1 else {}),
            **({"longest": longest} if longest is not None else {}),
        ),
        target,
    )
    for done in history:
        if progress is not None:
            progress(done)
    simulator = MixtureSimulator(engine, target, store, seed, adaptive, replicas, rule.held)
    proposal = MixtureProposal(present, "start")
    helpless = ""
    while True:
        if history:
            if _arrived(history[-1], rule):
                break
            try:
                proposal = propose_mixture(history, target, rule, reweighting=reweighting)
            except ConvergenceError as error:
                # The best so far is worth more than an error.
                helpless = str(error)
                break
            out_of_time = wall_time is not None and _elapsed(history, began) > wall_time
            if len(history) >= iterations or out_of_time or _is_enough(proposal, rule):
                break
        production = longer_production([_Judged(item, rule.held) for item in history], *lengths)
        equilibration = longer_equilibration(
            [item.relaxed for item in history], schedule.equilibration, lengths[1]
        )
        # What a run that clustered or froze leaves behind would stay so.
        sound = next((item for item in reversed(history) if item.homogeneous), None)
        starts = [configuration] if sound is None else [sound.final, *sound.others]
        iteration = simulator.run(
            len(history),
            proposal.potentials,
            [starts[number % len(starts)] for number in range(replicas.count)],
            replace(fixed, production=production, equilibration=equilibration),
            made_by=proposal.made_by,
            nearer=partial(between_all, history[best_of(history)].potentials, proposal.potentials)
            if history
            else None,
            skipped=proposal.skipped,
            longer=production / schedule.production,
        )
        history.append(iteration)
        if progress is not None:
            progress(iteration)
    return _result(history, proposal, rule, iterations, wall_time, helpless)


@dataclass(frozen=True, eq=False)
class _Judged:
    """A simulation as far as the length of the next depends on it."""

    iteration: MixtureIteration
    held: frozenset[Pair]

    @property
    def distance(self) -> Distance:
        return self.iteration.distance(self.held)

    @property
    def complete(self) -> bool:
        return self.iteration.complete


def _is_enough(proposal: MixtureProposal, rule: MixtureUpdate) -> bool:
    """Whether reweighting shows that the proposed potentials are at the noise, with the pressure that is wanted."""
    done = proposal.estimate
    return (
        proposal.at_noise
        and done is not None
        and has_pressure(done.pressure, done.pressure_error, rule.pressure)
    )


def _elapsed(history: list[MixtureIteration], began: float) -> float:
    """Seconds after which one more simulation would end."""
    return time.monotonic() - began + max(item.seconds for item in history)


def _arrived(iteration: MixtureIteration, rule: MixtureUpdate) -> bool:
    """Whether every g(r) that may change is at the noise, and the pressure is reached where one is wanted."""
    noise = iteration.distance(rule.held).is_noise
    return (
        iteration.complete
        and noise
        and has_pressure(iteration.pressure, iteration.pressure_error, rule.pressure)
    )


def _result(
    history: list[MixtureIteration],
    proposal: MixtureProposal,
    rule: MixtureUpdate,
    iterations: int,
    wall_time: float | None,
    helpless: str,
) -> MixtureRefinement:
    converged = _arrived(history[-1], rule)
    enough = not converged and not helpless and _is_enough(proposal, rule)
    # Of a refinement that has converged, the last is the one that has all that was wanted.
    best = history[-1] if converged or enough else history[best_of(history)]
    shown = best
    skipped = sum(item.skipped for item in history)
    if enough and proposal.estimate is not None:
        shown, skipped = proposal.estimate, skipped + proposal.skipped
    worst = {pair: one.chi2 for pair, one in shown.distances.items()}
    pair = max(worst, key=lambda name: worst[name])
    where = f"largest chi^2 per point {worst[pair]:.2f}, of {pair[0]}-{pair[1]}"
    if rule.pressure is not None:
        where += f"; pressure {shown.pressure:.4g} +- {shown.pressure_error:.2g}, wanted: {rule.pressure:.4g}"
    if converged or enough:
        count = f"{len(history)} simulation{'s' * (len(history) > 1)}"
        saved = f" and {skipped} update{'s' * (skipped > 1)} judged by reweighting" if skipped else ""
        reason = f"converged: after {count}{saved} every g(r) differs from its target by noise only ({where})"
        if enough:
            reason += f", of the configurations of iteration {best.index} weighted for the last potentials"
    elif len(history) >= iterations:
        reason = (
            f"stopped at the cap of {iterations} simulations: the best is iteration {best.index} ({where})"
            f"{slowness([item.relaxed for item in history])}; run again with a higher cap"
        )
    elif helpless:
        reason = (
            f"stopped where the update {rule.name} has no answer ({helpless}): the best is iteration {best.index} "
            f"({where}); start from its potentials with the update auto or ibi, in another folder"
        )
    else:
        reason = (
            f"stopped before the wall time of {wall_time:g} s: the best is iteration {best.index} ({where}); run "
            "again on the same folder to go on"
        )
    return MixtureRefinement(
        shown.potentials, tuple(history), reason, converged or enough, best.index, skipped, enough
    )


def _of(potentials: Mapping[Pair, PairPotential], pair: Pair) -> PairPotential:
    found = potentials.get(pair, potentials.get((pair[1], pair[0])))
    if found is None:
        raise InputError(f"the pair {pair[0]}-{pair[1]} has no potential; a mixture needs all its pairs")
    return found
