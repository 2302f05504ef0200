"""A cluster of this machine that loses its workers."""

import subprocess
import sys

import pytest

from cginit.cluster import dask_client
from cginit.errors import EngineError

#: Dask has complaints about the worker that it loses here, which belong to a process of its own.
LOSES_ITS_WORKER = """
import operator
import dask
from cginit import cluster
from cginit.cluster import dask_client, first_finished

if __name__ == "__main__":
    cluster.LOOK = 0.5
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "0.5s"}), dask_client(1) as client:
        (nanny,) = client.cluster.workers.values()
        client.cluster.sync(nanny.close)
        future = client.submit(operator.add, 40, 2)
        assert first_finished(client, {future}) == {future}
        print("the answer is", future.result())
"""


def test_workers_that_are_lost_with_their_nannies_are_started_again(tmp_path):
    pytest.importorskip("distributed", reason="several simulations at a time run on Dask")
    program = tmp_path / "loses.py"
    program.write_text(LOSES_ITS_WORKER)
    # Without another worker it would wait for ever.
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert "the answer is 42" in done.stdout, done.stderr


def test_workers_that_do_not_start_are_said_in_a_sentence(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="several simulations at a time run on Dask")

    def fails(**options):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", fails)
    with pytest.raises(EngineError, match="2 workers of Dask did not start"), dask_client(2):
        pass
