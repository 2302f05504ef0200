"""A simulation in parts: judged after the first, and gone on with only where that is worth its time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration, Trajectory
from cginit.curves import Array
from cginit.engines.base import Engine, EngineRun, Potentials, Schedule
from cginit.refine.replicas import Replicas, in_step, replica_seeds, time_series
from cginit.sampling import Mean
from cginit.state import StatePoint

__all__ = ["FAR", "FIRST_PART", "Joined", "simulated_parts"]

#: Part of the production after which a run is judged.
FIRST_PART = 0.25
#: chi^2 per point of that part above which the rest is not worth its time: an update reduces the error to a fifth
#: or so, and where chi^2 is 25 the noise of the short run is not above that fifth.
FAR = 25.0
#: Configurations that each part needs for its errors.
MIN_FRAMES = 2 * sampling.BLOCKS


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
    """

    trajectory: Trajectory | None
    energy: Array
    pressure: Mean
    finals: tuple[Configuration, ...]
    first: EngineRun
    steps: int
    seconds: float
    complete: bool

    @property
    def engine(self) -> str:
        """Engine and version."""
        return f"{self.first.engine} {self.first.version}"


def simulated_parts(
    engine: Engine,
    potential: Potentials,
    state: StatePoint,
    starts: Sequence[Configuration],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    adaptive: bool,
    replicas: Replicas,
) -> Iterator[Joined]:
    """Yield what is known after each part of a simulation; the next one is run when it is asked for.

    Each replica has one of the `starts`. Without `adaptive` there is one part.

    Raises
    ------
    EngineError
        If the engine fails.
    """
    parts = _parts(schedule) if adaptive else (schedule,)
    runs: list[list[EngineRun]] = []
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
        yield _joined(runs, exact or index == len(parts) - 1)
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
    )
