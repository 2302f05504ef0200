"""Processes that are killed at random moments: the same command goes on, and ends as if nothing had been."""

import os
import random
import shutil
import signal
import sys
import time

import pytest
from refinements import (
    DONE,
    MIXTURE,
    MOLECULES,
    ONE,
    PATIENCE,
    REPLICAS,
    STATES,
    assert_same,
    complete,
    engines,
    finish,
    kill,
    prepare,
    result,
    start,
    until,
    workers,
)
from watching import AT_LENGTH, PART, TALLY

pytestmark = [
    pytest.mark.lammps,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in /proc"),
]
#: After so many kills a refinement may end.
AT_ONCE = 5


def _part(kills):
    """Return how many kills there are, at least two."""
    return max(2, round(PART * kills))


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    """Return a function that returns the result of a case without faults, and its seconds."""
    known = {}

    def reference(case):
        if case not in known:
            folder = prepare(tmp_path_factory.mktemp(case.name.replace(" ", "-")))
            seconds = complete(case, folder)
            known[case] = result(folder), seconds
            assert len(known[case][0]) > 5
        return known[case]

    return reference


def seed():
    """Return a seed that is printed where a test fails."""
    found = int(os.environ.get("CGINIT_FAULTS_SEED", 0)) or (time.time_ns() % 10**9 if AT_LENGTH else 1)
    print(f"CGINIT_FAULTS_SEED={found}")  # noqa: T201
    return found


@pytest.mark.parametrize(
    ("case", "kills"),
    [
        pytest.param(ONE, _part(20), id="one"),
        pytest.param(MIXTURE, _part(20), id="mixture", marks=pytest.mark.faults),
        pytest.param(STATES, _part(20), id="states", marks=pytest.mark.faults),
        pytest.param(MOLECULES, _part(20), id="molecules", marks=pytest.mark.faults),
    ],
)
def test_a_refinement_killed_at_random_moments(tmp_path, references, case, kills):
    wanted, seconds = references(case)
    rng = random.Random(seed())
    folder, done = prepare(tmp_path / "0"), 0
    survived = killed = 0
    while done < kills:
        process = start(case, folder)
        # From the import of Python to the tables at the end.
        if until(lambda: process.poll() is not None, rng.uniform(0.2, 1.0) * seconds):  # noqa: B023
            code, errors = finish(process)
            assert code in DONE, errors
        else:
            kill(process)
            done += 1
            killed += 1
        if process.returncode in DONE or done % AT_ONCE == 0 or done == kills:
            if process.returncode not in DONE:
                complete(case, folder)
            assert_same(folder, wanted)
            TALLY[f"kills of a refinement survived, {case.name}"] += killed
            killed = 0
            survived += 1
            folder = prepare(tmp_path / str(survived))
    assert until(lambda: not engines(tmp_path))


@pytest.mark.faults
def test_an_engine_killed_at_random_moments(tmp_path, references):
    wanted, seconds = references(ONE)
    rng = random.Random(seed())
    folder = prepare(tmp_path / "0")
    done = 0
    while done < _part(20):
        process = start(ONE, folder)
        time.sleep(rng.uniform(0.3, 0.9) * seconds)
        killed = []
        until(lambda: process.poll() is not None or killed.extend(engines(folder)) or killed)  # noqa: B023
        for number in killed:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                killed.clear()
        code, errors = finish(process)
        if code == 4:
            assert "LAMMPS stopped (signal 9)" in errors
            assert "Traceback" not in errors
            done += 1
        else:
            # It had ended before it was killed.
            assert code in DONE, errors
            assert_same(folder, wanted)
            shutil.rmtree(folder)
            prepare(folder)
    complete(ONE, folder)
    assert_same(folder, wanted)
    TALLY["kills of an engine survived"] += done


@pytest.mark.faults
def test_a_worker_of_dask_killed_at_random_moments(tmp_path, references):
    wanted, _ = references(REPLICAS)
    rng = random.Random(seed())
    folder = prepare(tmp_path / "0")
    done, end = 0, time.monotonic() + 3 * PATIENCE
    while done < _part(20):
        assert time.monotonic() < end
        process = start(REPLICAS, folder)
        # Dask replaces a worker that is lost, and gives a simulation up that has lost several.
        while process.poll() is None and done < _part(20):
            if until(lambda: process.poll() is not None, rng.uniform(0.2, 3.0)):  # noqa: B023
                break
            if found := workers(process):
                os.kill(rng.choice(found), signal.SIGKILL)
                done += 1
        code, errors = finish(process)
        assert code in (*DONE, 4), errors
        assert "Traceback" not in errors, errors
        if code in DONE:
            assert_same(folder, wanted)
            shutil.rmtree(folder)
            prepare(folder)
    complete(REPLICAS, folder)
    assert_same(folder, wanted)
    TALLY["kills of a worker of Dask survived"] += done
    assert until(lambda: not engines(tmp_path))
