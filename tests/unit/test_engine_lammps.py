"""LAMMPS in a process of its own: what it is given, how it ends, threads and MPI."""

from __future__ import annotations

import shutil
import stat
import time

import numpy as np
import pytest

from cginit.configuration import random_configuration
from cginit.curves import PairPotential
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.errors import EngineError
from cginit.state import StatePoint

STATE = StatePoint(0.7, 1.0, "lj")
STEPS = Schedule(equilibration=0, production=20, every=10, push_off=20)


@pytest.fixture
def potential() -> PairPotential:
    r = np.linspace(0.8, 2.5, 171)
    return PairPotential.shifted(r, 4 * (r**-12 - r**-6), units="lj")


@pytest.fixture(scope="module")
def start():
    return random_configuration(250, 0.7, seed=1, units="lj")


def fake(path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'ERROR: Lost atoms: original 250 current 249'; exit 1", "Lost atoms.*smaller time step"),
        ("echo ----; echo 'prterun will not run as root'; echo ----; exit 1", "will not run as root"),
        ("echo ----; echo 'no slots'; echo; echo 'fatal'; echo ----; exit 1", "no slots"),
        ("kill -9 $$", r"signal 9\): no message"),
        ("exit 0", "no message"),  # ended well and left no final configuration
    ],
)
def test_a_failed_process_is_an_engine_error_with_its_words(script, words, potential, start, tmp_path):
    engine = LammpsEngine(binary=fake(tmp_path / "lmp", script))
    with pytest.raises(EngineError, match=words):
        engine.run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)


def test_a_program_that_is_not_there_is_an_engine_error(potential, start, tmp_path):
    with pytest.raises(EngineError, match="could not be started"):
        LammpsEngine(binary=str(tmp_path / "none")).run(
            potential, STATE, start, STEPS, seed=1, workdir=tmp_path
        )


def test_a_run_that_takes_too_long_is_stopped(potential, start, tmp_path):
    engine = LammpsEngine(binary=fake(tmp_path / "lmp", "exec sleep 60"), timeout=0.2)
    before = time.monotonic()
    with pytest.raises(EngineError, match=r"within 0\.2 s"):
        engine.run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    assert time.monotonic() - before < 30.0


@pytest.mark.lammps
def test_killed_in_the_middle_of_its_run(potential, start, tmp_path):
    kill = '(until [ -s trajectory.dump ]; do sleep 0.05; done; kill -9 $$) & exec "$@"'
    endless = Schedule(equilibration=0, production=100_000_000, every=10, push_off=0)
    with pytest.raises(EngineError, match="signal 9"):
        LammpsEngine(launcher=("sh", "-c", kill, "--"), timeout=60).run(
            potential, STATE, start, endless, seed=1, workdir=tmp_path
        )
    # The folder can be used again, and what the killed run left is not taken for a result.
    run = LammpsEngine().run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    assert len(run.trajectory) == 2


# Ranks draw other random numbers, so that only the very first step is comparable.
ONE_STEP = Schedule(equilibration=0, production=1, every=1, push_off=0, dt=1e-6)


@pytest.mark.lammps
@pytest.mark.parametrize(
    ("granted", "options", "beads", "threads"),
    [
        ("4", {}, 1000, 4),
        # One thread for 250 beads, and no more than a simulation gains from.
        ("4", {}, 600, 2),
        ("64", {}, 100_000, 8),
        ("4", {"threads": 3}, 10, 3),
        # What is not ours need not have the package.
        ("4", {"binary": "lmp"}, 1000, 1),
        ("4", {"launcher": ("mpirun",)}, 1000, 1),
    ],
)
def test_a_simulation_uses_the_cores_that_are_granted(granted, options, beads, threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", granted)
    engine = LammpsEngine(**options)
    assert engine.threads_for(beads) == threads
    assert engine.environment(beads)["OMP_NUM_THREADS"] == str(threads)


def test_without_a_grant_all_cores_are_used_and_the_refinement_stays_the_same(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(3)), raising=False)
    assert LammpsEngine().threads_for(10_000) == 3
    # A folder that another machine began, or an earlier version with one thread, goes on here.
    assert repr(LammpsEngine()) == repr(LammpsEngine(threads=1))
    assert repr(LammpsEngine()) != repr(LammpsEngine(threads=2))


@pytest.mark.lammps
@pytest.mark.parametrize(
    ("options", "layout"),
    [
        ({"threads": 2}, "1 MPI tasks x 2 OpenMP threads"),
        ({"launcher": ("mpirun", "-n", "2")}, "2 MPI tasks x 1 OpenMP threads"),
    ],
)
def test_threads_and_ranks_give_the_serial_energy(options, layout, potential, start, tmp_path):
    serial = LammpsEngine().run(potential, STATE, start, ONE_STEP, seed=1, workdir=tmp_path / "serial")
    folder = tmp_path / "parallel"
    run = LammpsEngine(**options).run(potential, STATE, start, ONE_STEP, seed=1, workdir=folder)
    assert layout in (folder / "log.lammps").read_text()
    # Velocities differ between the layouts: at most some 5 dt = 5e-6 of movement against forces of order 100.
    np.testing.assert_allclose(run.energy, serial.energy, atol=1e-3)
    np.testing.assert_allclose(run.final.positions, serial.final.positions, atol=1e-5)


@pytest.mark.lammps
def test_a_binary_of_ones_own_runs_under_its_own_mpi(potential, start, tmp_path, system_ranks):
    binary = shutil.which("lmp", path="/usr/local/bin:/usr/bin")
    if binary is None:
        pytest.skip("the system has no LAMMPS")
    serial = LammpsEngine(binary).run(potential, STATE, start, ONE_STEP, seed=1, workdir=tmp_path / "serial")
    engine = LammpsEngine(binary, launcher=system_ranks)
    run = engine.run(potential, STATE, start, ONE_STEP, seed=1, workdir=tmp_path / "parallel")
    assert "2 MPI tasks x 1 OpenMP threads" in (tmp_path / "parallel" / "log.lammps").read_text()
    np.testing.assert_allclose(run.energy, serial.energy, atol=1e-3)
    np.testing.assert_allclose(run.final.positions, serial.final.positions, atol=1e-5)


@pytest.mark.lammps
def test_lammps_finds_no_fault_with_the_table(potential, start, tmp_path):
    LammpsEngine().run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    assert "WARNING" not in (tmp_path / "log.lammps").read_text()


@pytest.mark.lammps
def test_the_final_configuration_continues_the_run(potential, start, tmp_path):
    first = LammpsEngine().run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    assert np.max(np.abs(first.final.positions)) <= 0.5 * start.box[0]
    again = LammpsEngine().run(potential, STATE, first.final, ONE_STEP, seed=2, workdir=tmp_path)
    # 17 digits are written: the energy of the configuration is that at the end of the first run, up to one
    # step of 1e-6 tau and the table's rounding.
    assert again.energy[0] == pytest.approx(first.energy[-1], abs=1e-3)
