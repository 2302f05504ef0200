"""Independent simulations of one potential, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cginit.cluster import dask_client, first_finished
from cginit.configuration import Configuration, Trajectory
from cginit.curves import Array
from cginit.engines.base import Engine, EngineRun, Potentials, Schedule
from cginit.errors import EngineError, InputError
from cginit.state import StatePoint

__all__ = ["ONE", "Replicas", "in_step", "open_replicas", "replica_seeds", "time_series"]


class Replicas:
    """How many simulations each iteration has, and what runs them.

    Parameters
    ----------
    count : int
        Number of replicas.
    client : distributed.Client, optional
        Runs them at the same time; without one they run in turn.

    Raises
    ------
    InputError
        If `count` is below 1.
    """

    def __init__(self, count: int = 1, client: Any = None) -> None:
        if count < 1:
            raise InputError(f"the number of replicas must be at least 1, not {count}")
        self.count, self._client = count, client

    def run(
        self,
        engine: Engine,
        potential: Potentials,
        state: StatePoint,
        starts: Sequence[Configuration],
        schedule: Schedule,
        *,
        seeds: Sequence[int],
        folders: Sequence[Path],
    ) -> list[EngineRun]:
        """Simulate from each start with its seed in its folder, which all workers must share.

        Raises
        ------
        EngineError
            If one of them fails, or its worker is lost time and again.
        """
        # Workers elsewhere have another working directory.
        jobs = list(zip(starts, seeds, (folder.resolve() for folder in folders), strict=True))
        if self._client is None or len(jobs) == 1:
            return [_run(engine, potential, state, *job, schedule) for job in jobs]
        from distributed import KilledWorker

        futures = [
            self._client.submit(_run, engine, potential, state, *job, schedule, pure=False) for job in jobs
        ]
        try:
            # All of them, also after a failure: a next attempt needs their folders.
            pending = set(futures)
            while pending:
                pending -= first_finished(self._client, pending)
            return [future.result() for future in futures]
        except KilledWorker as error:
            raise EngineError(f"a replica was lost with its worker several times: {error}") from error
        finally:
            # Only an interrupt leaves any that still run.
            self._client.cancel(futures)


#: A single simulation.
ONE = Replicas()


@contextmanager
def open_replicas(count: int, scheduler: str | None = None) -> Iterator[Replicas]:
    """Yield the replicas of a refinement with a Dask cluster that runs them.

    Parameters
    ----------
    count : int
        Number of replicas; one needs no cluster.
    scheduler : str, optional
        Address of a running Dask scheduler; by default `count` processes on this machine.

    Raises
    ------
    InputError
        If there is a cluster and nothing for it to run.
    MissingDependencyError
        If Dask is not installed.
    """
    if count == 1:
        if scheduler is not None:
            raise InputError(
                f"a cluster ({scheduler}) runs replicas, but there is one simulation only; ask for more"
            )
        yield ONE
        return
    with dask_client(count, scheduler) as client:
        yield Replicas(count, client)


def _run(
    engine: Engine,
    potential: Potentials,
    state: StatePoint,
    start: Configuration,
    seed: int,
    folder: Path,
    schedule: Schedule,
) -> EngineRun:
    folder.mkdir(parents=True, exist_ok=True)
    return engine.run(potential, state, start, schedule, seed=seed, workdir=folder)


def replica_seeds(seed: int, part: int, count: int) -> list[int]:
    """Return the seeds of the replicas in one part of a simulation; the first is that of a single simulation."""
    first = seed if part == 0 else int(np.random.SeedSequence([seed, part]).generate_state(1)[0])
    others = [
        int(np.random.SeedSequence([seed, part, number]).generate_state(1)[0]) for number in range(1, count)
    ]
    return [first, *others]


def in_step(runs: Sequence[EngineRun]) -> Trajectory | None:
    """Return the configurations of replicas in the order of time, those of one moment side by side.

    Blocks of it are blocks in time of all replicas, so that their spread tells the error of the mean of all.
    """
    found = [run.trajectory for run in runs if run.trajectory is not None]
    if len(found) < len(runs) or not found:
        return None
    if len(found) == 1:
        return found[0]
    frames = np.stack([one.positions for one in found], axis=1)
    first = found[0]
    return Trajectory(
        frames.reshape(-1, first.n, 3),
        first.box,
        units=first.units,
        types=first.types,
        species=first.species,
        topology=first.topology,
    )


def time_series(samples: Sequence[Array]) -> Array:
    """Return the samples of replicas ``(k,)`` each in the order of time.

    Examples
    --------
    >>> time_series([np.array([1.0, 2.0]), np.array([10.0, 20.0])]).tolist()
    [1.0, 10.0, 2.0, 20.0]
    """
    return np.stack(samples, axis=1).ravel()
