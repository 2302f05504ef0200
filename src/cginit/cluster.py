"""A Dask cluster: one of this machine, or one that runs already."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from cginit.errors import EngineError, MissingDependencyError

__all__ = ["dask_client", "first_finished"]

#: Seconds between two looks at the workers.
LOOK = 10.0

#: One thread a worker: simulations are independent, so parallel tasks beat parallel loops. And Dask's workers hand
#: freed memory back to the system at once, where work arrays of a hundred kilobytes would spend more time in page
#: faults than in arithmetic; 32 MiB is the most that glibc takes.
ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(1 << 25)),
}


@contextmanager
def dask_client(workers: int, scheduler: str | None = None) -> Iterator[Any]:
    """Connect to a cluster, and leave it at the end.

    Parameters
    ----------
    workers : int
        Processes of a cluster on this machine.
    scheduler : str, optional
        Address of a running Dask scheduler, used instead.

    Raises
    ------
    EngineError
        If the workers of this machine do not start.
    MissingDependencyError
        If Dask is not installed.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingDependencyError(
            "several simulations at a time run on Dask: pip install 'cginit[campaign]'"
        ) from error
    if scheduler is not None:
        with Client(scheduler) as client:
            client.wait_for_workers(1)
            yield client
        return
    # Libraries read these when a worker starts, before Dask would set its `env`.
    with dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}):
        try:
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0
            )
        except RuntimeError as error:
            raise EngineError(
                f"the {workers} workers of Dask did not start ({error}); run the same command again"
            ) from error
        with cluster, Client(cluster) as client:
            yield client


def first_finished(client: Any, futures: Collection[Any]) -> set[Any]:
    """Wait until some of the futures are done, whatever came of them, and return these.

    A worker that dies is replaced by its nanny. One that dies while it starts takes the nanny with it, and its tasks
    would wait for ever: of a cluster on this machine, such workers are started again.
    """
    from distributed import wait

    while True:
        try:
            return set(wait(futures, timeout=LOOK, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            cluster = client.cluster
            if cluster is not None and len(client.nthreads()) < len(cluster.plan):
                cluster.scale(len(cluster.plan))
