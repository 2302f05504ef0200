"""The refinement loop: simulate, compare, update, until the difference is noise."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration, random_configuration
from cginit.curves import RDF, PairPotential
from cginit.engines.base import Engine, EngineRun, Schedule, length_scale
from cginit.errors import InputError
from cginit.refine.checkpoint import Iteration, Store, fingerprint
from cginit.refine.convergence import distance
from cginit.refine.updates import Update, make_update
from cginit.state import StatePoint, check_density, common_units

__all__ = ["Limits", "Loop", "Refinement", "load_engine", "refine", "start_configuration"]

log = logging.getLogger(__name__)

#: Equilibration and production of one iteration unless the caller says otherwise. An update is refined from
#: the last configuration of the one before, so that little equilibration is needed.
DEFAULT_SCHEDULE = Schedule(equilibration=3_000, production=12_000, every=120)
#: Smallest number of beads of a start configuration made here.
MIN_BEADS = 1_000


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
        Index of the best iteration.
    """

    potential: PairPotential
    rdf: RDF
    history: tuple[Iteration, ...]
    reason: str
    converged: bool
    best: int


def load_engine(name: str) -> Engine:
    """Return the engine of that name, ours or one registered under the entry point ``cginit.engines``.

    Raises
    ------
    InputError
        If there is none.
    """
    found = {point.name: point for point in entry_points(group="cginit.engines")}
    if name not in found:
        raise InputError(f"unknown engine {name!r}; installed are {', '.join(sorted(found)) or 'none'}")
    engine: Engine = found[name].load()()
    return engine


def start_configuration(target: RDF, state: StatePoint, r_cut: float, *, seed: int) -> Configuration:
    """Return a random, de-overlapped start large enough for the cut-off.

    At least 1000 beads, and half the box beyond the range of the comparison and of the potential's
    neighbour list. `target` and `state` share their units.
    """
    beads = max(MIN_BEADS, int(np.ceil(state.density * (2.2 * r_cut) ** 3)))
    return random_configuration(beads, state.density, seed=seed, units=target.units)


class Loop:
    """A refinement that is advanced one simulation at a time.

    Parameters
    ----------
    target : RDF
        The g(r) to reproduce.
    state : StatePoint
        Its state.
    potential : PairPotential
        The start, on the grid of the target (as guesses return it).
    engine, update : Engine, Update
        How it is simulated and changed.
    schedule : Schedule
        Length of each simulation.
    seed : int
        Seed of the whole refinement; iteration k runs with a seed derived from it and k.
    workdir : Path
        Folder of the refinement; a folder that holds an unfinished one of the same settings is continued.
    start : Configuration, optional
        Start configuration; by default made by `start_configuration`.

    Raises
    ------
    InputError
        If the parts do not fit each other, or `workdir` holds another refinement.

    Examples
    --------
    >>> loop = Loop(target, state, potential, engine=engine, workdir=Path("work"))  # doctest: +SKIP
    >>> while not loop.step().distance.is_noise:  # doctest: +SKIP
    ...     pass
    """

    def __init__(
        self,
        target: RDF,
        state: StatePoint,
        potential: PairPotential,
        *,
        engine: Engine,
        update: Update,
        workdir: Path,
        schedule: Schedule = DEFAULT_SCHEDULE,
        seed: int = 1,
        start: Configuration | None = None,
    ) -> None:
        target, state = common_units(target, state)
        check_density(target, state)
        self.target, self.state, self.engine, self.update = target.with_core(), state, engine, update
        self.schedule, self.seed = schedule, seed
        self._first = potential.to(target.units)
        if self._first.r_cut > target.r_max * (1.0 + 1e-9):
            raise InputError(
                f"the cut-off {self._first.r_cut:g} lies beyond the target g(r), which ends at {target.r_max:g}"
            )
        if start is None:
            start = start_configuration(target, state, self._first.r_cut, seed=seed)
        self._start = start.to(target.units).at_density(state.density)
        # One time step for all iterations: the length that sets it is that of the first potential.
        length = schedule.length or length_scale(self._first, state)
        self._fixed_schedule = replace(schedule, length=length)
        self._store = Store(workdir)
        identity = fingerprint(
            target=self.target,
            state=state,
            potential=self._first,
            start=self._start,
            engine=engine,
            update=update,
            schedule=schedule,
            seed=seed,
        )
        self.history: list[Iteration] = self._store.open(identity, self.target)

    @property
    def potential(self) -> PairPotential:
        """The potential that the next step simulates."""
        if not self.history:
            return self._first
        return self.update([item.measurement for item in self.history], self.target, self.state)

    def step(self) -> Iteration:
        """Simulate the present potential, compare it with the target, and keep both on disk.

        Raises
        ------
        EngineError
            If the engine fails; the iterations before stay as they are, and a new `step` tries again.
        """
        began = time.perf_counter()
        index = len(self.history)
        potential = self.potential
        start = self.history[-1].final if self.history else self._start
        seed = int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])
        folder = self._store.prepare(index)
        (folder / "engine").mkdir()
        run = self.engine.run(
            potential, self.state, start, self._fixed_schedule, seed=seed, workdir=folder / "engine"
        )
        rdf, warnings = self._sample(run)
        pressure = sampling.block_mean(run.pressure, min(sampling.BLOCKS, run.pressure.size))
        iteration = self._store.commit(
            Iteration(
                index=index,
                potential=potential,
                rdf=rdf,
                final=run.final,
                distance=distance(rdf, self.target, potential.r_cut),
                pressure=pressure.value,
                pressure_error=pressure.error,
                warnings=warnings,
                engine=f"{run.engine} {run.version}",
                seed=seed,
                steps=run.steps,
                seconds=time.perf_counter() - began,
                engine_seconds=run.seconds,
            )
        )
        self.history.append(iteration)
        return iteration

    def result(self, reason: str, converged: bool) -> Refinement:
        """Return the best iteration so far with the given reason for stopping."""
        if not self.history:
            raise InputError("nothing has been simulated yet; call step() first")
        best = min(self.history, key=lambda item: item.distance.lmse)
        return Refinement(best.potential, best.rdf, tuple(self.history), reason, converged, best.index)

    def _sample(self, run: EngineRun) -> tuple[RDF, tuple[str, ...]]:
        # Beyond the cut-off nothing is compared, and the cost of g(r) grows with the cube of its range.
        target = self.target.truncated(self._first.r_cut)
        if run.trajectory is None:
            if run.exact_rdf is None:
                raise InputError(f"engine {run.engine} returned neither a trajectory nor a g(r)")
            exact = run.exact_rdf
            error = None if exact.error is None else np.interp(target.r, exact.r, exact.error)
            return RDF(target.r, np.interp(target.r, exact.r, exact.g), error, units=target.units), ()
        rdf = sampling.rdf(run.trajectory, dr=target.dr, r_max=target.r_max, offset=float(target.r[0]))
        return rdf, sampling.examine(run.trajectory, rdf, run.energy).reasons


def refine(
    target: RDF,
    state: StatePoint,
    potential: PairPotential,
    engine: str | Engine = "lammps",
    update: str | Update = "ibi",
    *,
    workdir: Path | str | None = None,
    schedule: Schedule = DEFAULT_SCHEDULE,
    limits: Limits | None = None,
    seed: int = 1,
    start: Configuration | None = None,
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
    )
    report = progress or (lambda iteration: None)
    for index, iteration in enumerate(loop.history):
        report(iteration)
        if iteration.distance.is_noise:
            del loop.history[index + 1 :]
            break
    while True:
        stopped = _stop(loop.history, limits, time.monotonic() - began)
        if stopped is not None:
            reason, converged = stopped
            log.info("refinement stopped: %s", reason)
            return loop.result(reason, converged)
        report(loop.step())


def _stop(history: list[Iteration], limits: Limits, elapsed: float) -> tuple[str, bool] | None:
    """Return the reason to stop and whether it is convergence, or None to go on."""
    if not history:
        return None
    last = history[-1]
    if last.distance.is_noise:
        return (
            f"converged: after {len(history)} simulations g(r) differs from the target by noise only "
            f"(chi^2 per point {last.distance.chi2:.2f}, mean squared difference {last.distance.lmse:.2g}); "
            "longer simulations would show finer differences"
        ), True
    best = min(history, key=lambda item: item.distance.lmse)
    state = (
        f"the best of {len(history)} simulations is iteration {best.index} with chi^2 {best.distance.chi2:.3g} per "
        f"point and a mean squared difference of {best.distance.lmse:.2g}"
    )
    if len(history) >= limits.iterations:
        return (
            f"stopped at the cap of {limits.iterations} simulations: {state}; run again with a higher cap",
            False,
        )
    if limits.wall_time is not None:
        longest = max(item.seconds for item in history)
        if elapsed + longest > limits.wall_time:
            return (
                f"stopped before the wall time of {limits.wall_time:g} s: {state}; run again on the same folder "
                "to go on",
                False,
            )
    return None
