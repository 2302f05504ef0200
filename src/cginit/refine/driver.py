"""Refinement from start to stop: steps of the loop until the difference is noise."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.engines.base import Engine, Schedule
from cginit.errors import ConvergenceError, InputError
from cginit.extrapolate import check_start
from cginit.refine.checkpoint import Iteration, Reweighted
from cginit.refine.convergence import distance, has_pressure
from cginit.refine.loop import DEFAULT_SCHEDULE, Loop, load_engine
from cginit.refine.measurement import Measurement
from cginit.refine.proposal import Proposal
from cginit.refine.relaxation import slowness
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.updates import DEFAULT_UPDATE, Update, make_update
from cginit.state import StatePoint

__all__ = ["Limits", "Refinement", "refine"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """When a refinement stops although it has not converged.

    Attributes
    ----------
    iterations : int
        Largest number of simulations.
    wall_time : float or None
        Seconds, counted from the call; no simulation is started that would not end within them, judged by
        the longest so far.
    """

    iterations: int = 30
    wall_time: float | None = None

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise InputError(f"iterations must be at least 1, not {self.iterations}")
        if self.wall_time is not None and self.wall_time <= 0:
            raise InputError(f"wall_time must be positive, not {self.wall_time:g}")


@dataclass(frozen=True, eq=False)
class Refinement:
    """The result of a refinement.

    Attributes
    ----------
    potential : PairPotential
        The potential whose g(r) came closest to the target (smallest mean squared difference).
    rdf : RDF
        Its g(r), as simulated.
    history : tuple of Iteration
        Every simulation, in order.
    reason : str
        Why it stopped, and what would help; a sentence.
    converged : bool
        Whether the difference to the target is within the statistical error.
    best : int
        Index of the best iteration; of the one that was reweighted where `reweighted` is true.
    skipped : int
        Updates that reweighting judged: simulations that were not needed.
    reweighted : bool
        Whether `potential` was not simulated itself: `rdf` is then that of the configurations of iteration `best`,
        weighted for it.
    """

    potential: PairPotential
    rdf: RDF
    history: tuple[Iteration, ...]
    reason: str
    converged: bool
    best: int
    skipped: int = 0
    reweighted: bool = False


def refine(
    target: RDF,
    state: StatePoint,
    potential: PairPotential,
    engine: str | Engine = "lammps",
    update: str | Update = DEFAULT_UPDATE,
    *,
    workdir: Path | str | None = None,
    schedule: Schedule = DEFAULT_SCHEDULE,
    limits: Limits | None = None,
    seed: int = 1,
    start: Configuration | None = None,
    adaptive: bool = True,
    reweighting: bool = True,
    replicas: Replicas = ONE,
    longest: int | None = None,
    progress: Callable[[Iteration], None] | None = None,
) -> Refinement:
    """Refine a potential by simulation until its g(r) differs from the target by noise only.

    The noise-aware measure is chi^2 per point (see `cginit.refine.convergence.distance`). Run again on the same
    `workdir`, the refinement goes on where it stopped, however it stopped, and with the same engine and seed
    ends bit-identical to one that was not interrupted.

    Parameters
    ----------
    target, state, potential
        The g(r) to reproduce, its state, and the start. See `Loop`.
    engine, update : str or object
        By name or as an object of your own.
    workdir : Path or str, optional
        Where every iteration is kept. Without one they go to a temporary folder that is removed at the end, and
        the refinement cannot be continued.
    schedule : Schedule
        Length of each simulation.
    limits : Limits, optional
        Caps on the number of simulations (30) and on wall time (none).
    seed : int
        Seed of the whole refinement.
    start : Configuration, optional
        Start configuration.
    adaptive, reweighting : bool
        Whether simulations far from the target are ended early, and small updates judged without a simulation.
        See `Loop`.
    replicas : Replicas
        Simulations of each iteration; see `cginit.refine.replicas.open_replicas`.
    longest : int, optional
        Cap on the steps of sampling of one simulation, four times those of the schedule if not given; see `Loop`.
    progress : callable, optional
        Called with each finished iteration, also with those found on disk.

    Returns
    -------
    Refinement
        With the best potential, every iteration, and the reason for stopping.

    Raises
    ------
    InputError
        If the arguments do not fit each other.
    EngineError
        If the engine fails. What was done stays on disk.
    """
    began = time.monotonic()
    check_start(potential, target)
    limits = limits or Limits()
    if workdir is None:
        with tempfile.TemporaryDirectory(prefix="cginit-") as folder:
            return refine(
                target,
                state,
                potential,
                engine,
                update,
                workdir=folder,
                schedule=schedule,
                limits=limits,
                seed=seed,
                start=start,
                adaptive=adaptive,
                reweighting=reweighting,
                replicas=replicas,
                longest=longest,
                progress=progress,
            )
    loop = Loop(
        target,
        state,
        potential,
        engine=load_engine(engine) if isinstance(engine, str) else engine,
        update=make_update(update) if isinstance(update, str) else update,
        workdir=Path(workdir),
        schedule=schedule,
        seed=seed,
        start=start,
        adaptive=adaptive,
        reweighting=reweighting,
        replicas=replicas,
        longest=longest,
    )
    report = progress or (lambda iteration: None)
    pressure: float | None = getattr(loop.update, "pressure", None)
    for index, iteration in enumerate(loop.history):
        report(iteration)
        if _arrived(iteration, pressure):
            del loop.history[index + 1 :]
            break
    while True:
        result = _finished(loop, limits, pressure, time.monotonic() - began)
        if result is not None:
            log.info("refinement stopped: %s", result.reason)
            return result
        report(loop.step())


def _arrived(iteration: Iteration, pressure: float | None) -> bool:
    """Whether an iteration is at the noise, and has the pressure where one is wanted."""
    return iteration.is_noise and _has_pressure(iteration.measurement, pressure)


def _has_pressure(measured: Measurement, pressure: float | None) -> bool:
    return has_pressure(measured.pressure, measured.pressure_error, pressure)


def _finished(loop: Loop, limits: Limits, pressure: float | None, elapsed: float) -> Refinement | None:
    """Return the result if there is a reason to stop."""
    history = tuple(loop.history)
    if not history:
        return None
    last = history[-1]
    skipped = sum(item.skipped for item in history)
    count = f"{len(history)} simulation{'s' * (len(history) > 1)}"
    saved = f", and {skipped} updates judged by reweighting" if skipped else ""
    if _arrived(last, pressure):
        # With a pressure to reach, the nearest g(r) need not have it.
        best = loop.best if pressure is None else last
        reason = (
            f"converged: after {count}{saved}, g(r) differs from the target by noise only (chi^2 per point "
            f"{last.distance.chi2:.2f}, mean squared difference {last.distance.lmse:.2g}); longer simulations "
            "would show finer differences"
        )
        return Refinement(best.potential, best.rdf, history, reason, True, best.index, skipped)
    helpless = ""
    proposal = Proposal(last.potential)
    try:
        proposal = loop.proposal
    except ConvergenceError as error:
        # The best so far is worth more than an error.
        helpless = str(error)
    if proposal.at_noise and proposal.estimate is not None and _has_pressure(proposal.estimate, pressure):
        reached = distance(
            proposal.estimate.rdf, loop.target, proposal.potential.r_cut, proposal.estimate.longer
        )
        total = skipped + proposal.skipped
        reason = (
            f"converged: after {count} and {total} update{'s' * (total > 1)} judged by reweighting, g(r) differs "
            f"from the target by noise only (chi^2 per point {reached.chi2:.2f}, mean squared difference "
            f"{reached.lmse:.2g}, of the configurations of iteration {last.index} weighted for the last "
            "potential); longer simulations would show finer differences"
        )
        loop.keep(Reweighted(proposal.potential, proposal.estimate.rdf, reached, proposal.skipped))
        return Refinement(
            proposal.potential, proposal.estimate.rdf, history, reason, True, last.index, total, True
        )
    best = loop.best
    state = (
        f"the best of {count} is iteration {best.index} with chi^2 {best.distance.chi2:.3g} per "
        f"point and a mean squared difference of {best.distance.lmse:.2g}"
    )
    state += slowness([item.relaxed for item in history])
    if pressure is not None:
        state += (
            f", at a pressure of {best.pressure:.4g} +- {best.pressure_error:.2g} (wanted: {pressure:.4g})"
        )
    reason = ""
    if len(history) >= limits.iterations:
        word = "simulation" if limits.iterations == 1 else "simulations"
        reason = f"stopped at the cap of {limits.iterations} {word}: {state}; run again with a higher cap"
    elif limits.wall_time is not None and elapsed + max(item.seconds for item in history) > limits.wall_time:
        reason = (
            f"stopped before the wall time of {limits.wall_time:g} s: {state}; run again on the same folder to "
            "go on"
        )
    elif helpless:
        reason = (
            f"stopped where the update {loop.update.name} has no answer ({helpless}): {state}; start from its "
            "potential with the update auto or ibi, in another folder"
        )
    if not reason:
        return None
    return Refinement(best.potential, best.rdf, history, reason, False, best.index, skipped)
