"""How long one simulation runs: in parts, as long as it relaxes and its answer is worth its time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration, Trajectory
from cginit.curves import Array
from cginit.engines.base import Engine, EngineRun, Potentials, Schedule
from cginit.errors import InputError
from cginit.refine.replicas import Replicas, in_step, replica_seeds, time_series
from cginit.sampling import Mean
from cginit.state import StatePoint

__all__ = ["FAR", "FIRST_PART", "MORE", "Joined", "Verdict", "simulated"]

log = logging.getLogger(__name__)

Result = TypeVar("Result")

#: Part of the production after which a run is judged.
FIRST_PART = 0.25
#: chi^2 per point of that part above which the rest is not worth its time: an update reduces the error to a fifth
#: or so, and where chi^2 is 25 the noise of the short run is not above that fifth.
FAR = 25.0
#: Configurations that each part needs for its errors.
MIN_FRAMES = 2 * sampling.BLOCKS
#: How often a run that still relaxes is taken as equilibration and gone on with.
MORE = 3


@dataclass(frozen=True, eq=False)
class Joined:
    """What all parts so far of all replicas of a simulation give together.

    Attributes
    ----------
    trajectory : Trajectory or None
        All configurations; None for an analytic engine.
    energy : ndarray, shape (k,)
        Potential energy per bead along the run.
    pressure : Mean
        With its error.
    finals : tuple of Configuration
        The last configuration of each replica.
    first : EngineRun
        The last part of the first replica.
    steps : int
        All steps.
    seconds : float
        Wall time of the engine's integration.
    complete : bool
        Whether this is the full length.
    known : int
        Configurations that were there when the part before was measured.
    relaxed : int
        Steps of sampling that count as equilibration because g(r) still moved.
    """

    trajectory: Trajectory | None
    energy: Array
    pressure: Mean
    finals: tuple[Configuration, ...]
    first: EngineRun
    steps: int
    seconds: float
    complete: bool
    known: int
    relaxed: int = 0

    @property
    def engine(self) -> str:
        """Engine and version."""
        return f"{self.first.engine} {self.first.version}"


@dataclass(frozen=True)
class Verdict:
    """What a part of a simulation shows.

    Attributes
    ----------
    far : bool
        Whether it is so far from the target that more of it is not worth its time.
    relaxes : bool
        Whether it still changes, so that an update would answer a g(r) that the potential does not have.
    """

    far: bool
    relaxes: bool


def simulated(
    engine: Engine,
    potential: Potentials,
    state: StatePoint,
    starts: Sequence[Configuration],
    schedule: Schedule,
    measure: Callable[[Joined], tuple[Result, Verdict]],
    *,
    seed: int,
    folder: Path,
    adaptive: bool,
    replicas: Replicas,
) -> Result:
    """Simulate, and return what `measure` makes of it.

    With `adaptive` the run is judged after a quarter of its production, and ended there where it is far from the
    target. One that still relaxes counts as equilibration, and a second, third or fourth follows it.

    Parameters
    ----------
    engine, potential, state
        What is simulated.
    starts : sequence of Configuration
        One for each replica.
    schedule : Schedule
        Its length.
    measure : callable
        Is given what the parts so far show together, and returns the result and the verdict.
    seed : int
        Of the first part; those of the others derive from it.
    folder : Path
        Where each part has its own folder, ``engine``, ``engine_2``, ...
    adaptive : bool
        Whether its length adapts.
    replicas : Replicas
        How many simulations run side by side.

    Raises
    ------
    EngineError
        If the engine fails.
    """
    parts = _parts(schedule) if adaptive else (schedule,)
    begun, relaxed, steps, seconds = 0, 0, 0, 0.0
    found: Result | None = None
    for more in range(MORE + 1):
        joined: Joined | None = None
        verdict = Verdict(False, False)
        for joined in _run_parts(
            engine, potential, state, starts, parts, begun, seed=seed, folder=folder, replicas=replicas
        ):
            begun += 1
            whole = replace(
                joined, steps=joined.steps + steps, seconds=joined.seconds + seconds, relaxed=relaxed
            )
            found, verdict = measure(whole)
            if verdict.far:
                break
        if joined is None or found is None:
            raise InputError("a simulation needs at least one part")
        if not adaptive or not verdict.relaxes or more == MORE:
            break
        log.info("g(r) still moves within the run of %d steps; it goes on", joined.steps)
        relaxed += joined.steps - parts[0].equilibration - parts[0].push_off
        steps, seconds = steps + joined.steps, seconds + joined.seconds
        starts = joined.finals
        parts = tuple(replace(part, equilibration=0, push_off=0) for part in parts)
    if found is None:
        raise InputError("a simulation needs at least one part")
    return found


def _run_parts(
    engine: Engine,
    potential: Potentials,
    state: StatePoint,
    starts: Sequence[Configuration],
    parts: Sequence[Schedule],
    begun: int,
    *,
    seed: int,
    folder: Path,
    replicas: Replicas,
) -> Iterator[Joined]:
    """Yield what is known after each part; the next one is run when it is asked for. `begun` were run before."""
    runs: list[list[EngineRun]] = []
    for index, part in enumerate(parts, start=begun):
        place = folder / ("engine" if index == 0 else f"engine_{index + 1}")
        place.mkdir()
        places = [place]
        if replicas.count > 1:
            places = [place / f"replica_{number + 1}" for number in range(replicas.count)]
        seeds = replica_seeds(seed, index, replicas.count)
        runs.append(replicas.run(engine, potential, state, starts, part, seeds=seeds, folders=places))
        starts = [run.final for run in runs[-1]]
        exact = runs[-1][0].trajectory is None
        yield _joined(runs, exact or len(runs) == len(parts))
        if exact:
            return


def _parts(schedule: Schedule) -> tuple[Schedule, ...]:
    frames = schedule.production // schedule.every
    first = max(MIN_FRAMES, round(FIRST_PART * frames))
    if frames - first < MIN_FRAMES:
        return (schedule,)
    return (
        replace(schedule, production=first * schedule.every),
        replace(schedule, production=(frames - first) * schedule.every, equilibration=0, push_off=0),
    )


def _joined(runs: list[list[EngineRun]], complete: bool) -> Joined:
    energy = np.concatenate([time_series([run.energy for run in part]) for part in runs])
    pressure = np.concatenate([time_series([run.pressure for run in part]) for part in runs])
    trajectories = [one for part in runs if (one := in_step(part)) is not None]
    whole: Trajectory | None = None
    if trajectories:
        first = trajectories[0]
        whole = Trajectory(
            np.concatenate([one.positions for one in trajectories]),
            first.box,
            units=first.units,
            types=first.types,
            species=first.species,
            topology=first.topology,
        )
    return Joined(
        trajectory=whole,
        energy=energy,
        pressure=sampling.block_mean(pressure, min(sampling.BLOCKS, pressure.size)),
        finals=tuple(run.final for run in runs[-1]),
        first=runs[-1][0],
        steps=sum(run.steps for part in runs for run in part),
        seconds=sum(max(run.seconds for run in part) for part in runs),
        complete=complete,
        known=0 if whole is None else len(whole) - len(trajectories[-1]),
    )
