"""Run a campaign on Dask: each state point a task that can be repeated, skipped or lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from cginit.campaign.dataset import AnyRecord, write_record
from cginit.campaign.families import NamedTask, StatePointTask
from cginit.campaign.molecules import MoleculeTask
from cginit.campaign.simulate import PRECISION, simulate_state
from cginit.campaign.simulate_molecules import PRECISION as MOLECULE_PRECISION
from cginit.campaign.simulate_molecules import simulate_molecules
from cginit.cluster import dask_client, first_finished
from cginit.engines.base import Engine
from cginit.errors import InputError

__all__ = ["record_path", "run_campaign"]

log = logging.getLogger(__name__)

#: Tasks in the hands of the scheduler per worker: enough that none waits, few enough to stop soon.
AHEAD = 3


def record_path(folder: Path, task: NamedTask) -> Path:
    """Return the file of a task's record."""
    return folder / f"{task.name}.npz"


def run_campaign(
    tasks: Sequence[NamedTask],
    engine: Engine,
    folder: Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    precision: float | None = None,
    larger: int = 1,
    progress: Callable[[NamedTask, str], None] | None = None,
) -> dict[NamedTask, str]:
    """Simulate what `folder` does not hold yet; return the reason of rejection (or "") of each new task.

    A task is done when its file exists, which appears whole or not at all. A killed worker loses the task under
    way, which another worker repeats; a killed campaign goes on where it was when it is called again.

    Parameters
    ----------
    tasks : list of StatePointTask or MoleculeTask
        In the order in which they are begun.
    engine : Engine
        What simulates.
    folder : Path
        Of the records; with a remote scheduler it must be the same folder everywhere.
    workers : int
        Processes of a cluster on this machine.
    scheduler : str, optional
        Address of a running Dask scheduler, used instead of one on this machine.
    precision, larger
        See `simulate_state` and `simulate_molecules`, whose precision is the default.
    progress : callable, optional
        Called with each finished task and its reason of rejection.

    Raises
    ------
    MissingDependencyError
        If Dask is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    todo = iter([task for task in tasks if not record_path(folder, task).exists()])
    outcome: dict[NamedTask, str] = {}
    with dask_client(workers, scheduler) as client:
        slots = max(1, sum(client.nthreads().values()))

        def submit(count: int) -> list[Any]:
            return [
                client.submit(_to_file, task, engine, folder, precision, larger, key=task.name, pure=False)
                for task in islice(todo, count)
            ]

        pending = set(submit(AHEAD * slots))
        while pending:
            done = first_finished(client, pending)
            pending = (pending - done) | set(submit(len(done)))
            for future in done:
                if future.status != "finished":
                    # Not written, so that the next call tries again; the others go on.
                    log.warning("state point %s was lost: %s", future.key, future.exception())
                    continue
                task, reason = future.result()
                outcome[task] = reason
                if progress is not None:
                    progress(task, reason)
                future.release()
    return outcome


def _to_file(
    task: NamedTask, engine: Engine, folder: Path, precision: float | None, larger: int
) -> tuple[NamedTask, str]:
    record = _simulated(task, engine, precision, larger)
    path = record_path(folder, task)
    _write(record, path)
    return task, record.rejected


def _simulated(task: NamedTask, engine: Engine, precision: float | None, larger: int) -> AnyRecord:
    if isinstance(task, MoleculeTask):
        return simulate_molecules(task, engine, precision=precision or MOLECULE_PRECISION, larger=larger)
    if isinstance(task, StatePointTask):
        return simulate_state(task, engine, precision=precision or PRECISION, larger=larger)
    raise InputError(f"nothing simulates the task {task.name}")


def _write(record: AnyRecord, path: Path) -> None:
    # Another worker may have been given the same task while this one was thought dead.
    if not path.exists():
        write_record(record, path)
