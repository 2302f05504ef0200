"""A Dask cluster: one of this machine, or one that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cginit.errors import MissingDependencyError

__all__ = ["dask_client"]

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
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
