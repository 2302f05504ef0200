"""HOOMD-blue in a process of its own: the table's grid, how it ends, options."""

from __future__ import annotations

import json
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cginit import sampling
from cginit.campaign import spline_potential
from cginit.configuration import Configuration, random_configuration
from cginit.curves import PairPotential
from cginit.engines import Schedule, _hoomd_worker
from cginit.engines._hoomd_worker import PUSH_FORCE, capped, push_off
from cginit.engines.hoomd import HoomdEngine
from cginit.errors import EngineError, InputError, MissingDependencyError
from cginit.state import StatePoint
from cginit.units import NM_KJ

STATE = StatePoint(0.7, 1.0, "lj")
STEPS = Schedule(equilibration=0, production=20, every=10, push_off=20)


@pytest.fixture
def potential() -> PairPotential:
    r = np.linspace(0.8, 2.5, 171)
    return PairPotential.shifted(r, 4 * (r**-12 - r**-6), units="lj")


@pytest.fixture(scope="module")
def start() -> Configuration:
    return random_configuration(250, 0.7, seed=1, units="lj")


def fake(path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (
            "echo 'ERROR: No module named hoomd' >&2; exit 3",
            MissingDependencyError,
            r"No module named hoomd.*conda install -c conda-forge hoomd.*CGINIT_HOOMD_PATH",
        ),
        (
            'echo "ERROR: RuntimeError: Particle with unique tag 7 is no longer in the simulation box."; exit 4',
            EngineError,
            r"tag 7 is no longer in the simulation box.*smaller time step",
        ),
        ("echo 'terminate called'; kill -6 $$", EngineError, r"signal 6\): terminate called"),
        ("echo ----; echo 'will not run as root'; echo ----; exit 1", EngineError, "will not run as root"),
        ("exit 0", EngineError, "no message"),
    ],
)
def test_a_failed_process_is_an_error_with_its_words(script, error, words, potential, start, tmp_path):
    engine = HoomdEngine(python=fake(tmp_path / "python", script))
    with pytest.raises(error, match=words):
        engine.run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)


def test_an_interpreter_that_is_not_there_is_an_engine_error(potential, start, tmp_path):
    with pytest.raises(EngineError, match="could not be started"):
        HoomdEngine(python=str(tmp_path / "none")).run(
            potential, STATE, start, STEPS, seed=1, workdir=tmp_path
        )


def test_a_run_that_takes_too_long_is_stopped(potential, start, tmp_path):
    engine = HoomdEngine(python=fake(tmp_path / "python", "exec sleep 60"), timeout=0.2)
    before = time.monotonic()
    with pytest.raises(EngineError, match=r"within 0\.2 s"):
        engine.run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    assert time.monotonic() - before < 30.0


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="cpu, gpu or auto"):
        HoomdEngine(device="tpu")


def test_the_launcher_stands_before_the_interpreter():
    command = HoomdEngine(launcher=("mpirun", "-n", "4"), python="/opt/bin/python").command()
    assert command == ["mpirun", "-n", "4", "/opt/bin/python", "run_hoomd.py"]


def written(potential, start, tmp_path):
    """What the engine hands to HOOMD."""
    with pytest.raises(EngineError):
        HoomdEngine(python=fake(tmp_path / "python", "exit 1")).run(
            potential, STATE, start, STEPS, seed=2**40, workdir=tmp_path
        )
    return json.loads((tmp_path / "settings.json").read_text()), np.load(tmp_path / "start.npz")


def test_the_table_has_hoomds_grid(start, tmp_path):
    # A parabola, which splines of U and differences of it reproduce exactly.
    r = np.linspace(0.0, 2.0, 41)
    settings, table = written(PairPotential(r, 5.0 * (2.0 - r) ** 2, units="lj"), start, tmp_path)
    a = settings["length"]
    grid = np.linspace(0.0, settings["r_cut"]["0_0"], table["u_0_0"].size, endpoint=False) * a
    # Within a tenth of a of the centre engine tables round off the cusp.
    outside = grid > 0.11 * a
    # An endpoint-inclusive table would be off by up to one step: 20 * 2/2500.
    np.testing.assert_allclose(table["u_0_0"][outside], 5.0 * (2.0 - grid[outside]) ** 2, atol=1e-9)
    np.testing.assert_allclose(table["f_0_0"][outside] / a, 10.0 * (2.0 - grid[outside]), atol=1e-6)
    np.testing.assert_allclose(start.positions / a, table["positions"], atol=1e-12)


def test_the_buffer_gives_way_to_a_long_cut_off(start, tmp_path):
    half = 0.5 * start.box[0]
    r = np.linspace(0.0, half, 101)
    settings, table = written(PairPotential(r, (half - r) ** 2, units="lj"), start, tmp_path)
    # HOOMD asks for more than twice the sum of the two.
    assert 2.0 * (settings["r_cut"]["0_0"] + settings["buffer"]) < table["box"].min()
    assert settings["r_cut"]["0_0"] == pytest.approx(0.5 * table["box"].min(), rel=2e-6)


def test_the_table_of_the_push_off_is_capped_and_consistent():
    r = np.linspace(0.0, 2.0, 2000, endpoint=False)
    u, f = 5e4 * (2.0 - r) ** 2, 1e5 * (2.0 - r)
    table = capped(u, f, 2.0)
    assert table["F"].max() == PUSH_FORCE
    # Trapezoids are exact for a force that is piecewise linear, but for the step with the kink:
    # at most its height times its width, 100 * 1e-3, beside energies of 500.
    soft = table["F"] < PUSH_FORCE
    np.testing.assert_allclose(table["U"][soft], u[soft], atol=1e-9)
    slope = -np.diff(table["U"]) / np.diff(r)
    np.testing.assert_allclose(slope, 0.5 * (table["F"][1:] + table["F"][:-1]), rtol=1e-9)


def test_the_push_off_creeps_and_ends_with_the_step_of_the_run():
    for steps in (0, 1, 5, 500):
        parts = push_off(steps, 0.005)
        assert sum(count for count, _, _ in parts) == steps
        assert parts[-1][1] == 0.005
        for _, dt, friction in parts:
            # Langevin dynamics in steps is unstable where friction and step reach 2.
            assert friction * dt <= 0.5
        _, dt, friction = parts[0]
        # The speed at which friction balances the largest force.
        assert PUSH_FORCE / friction * dt <= 0.02 * (1 + 1e-12)
    assert push_off(100, 1e-5)[0][1] == 1e-5


def test_the_worker_is_a_script_without_cginit():
    source = Path(_hoomd_worker.__file__).read_text()
    assert "import cginit" not in source
    assert "from cginit" not in source


def test_the_worker_says_by_its_exit_code_that_hoomd_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "hoomd", None)
    assert _hoomd_worker.main() == _hoomd_worker.MISSING
    assert capsys.readouterr().err.startswith("ERROR:")


@pytest.mark.hoomd
def test_gsd_holds_the_trajectory_in_the_users_units(potential, start, tmp_path):
    import gsd.hoomd

    real = potential.scaled(0.34, 1.0, NM_KJ)
    run = HoomdEngine(gsd=True).run(
        real,
        StatePoint(0.7 / 0.34**3, 1.0, NM_KJ),
        start.scaled(0.34, NM_KJ),
        STEPS,
        seed=1,
        workdir=tmp_path,
    )
    with gsd.hoomd.open(tmp_path / "trajectory.gsd", "r") as file:
        assert [frame.configuration.step for frame in file] == [10, 20]
        np.testing.assert_allclose(file[0].configuration.box[:3], 0.34 * start.box, rtol=1e-6)
        for frame, positions in zip(file, run.trajectory.positions, strict=True):
            np.testing.assert_array_equal(frame.particles.position, positions)
    assert np.max(np.abs(run.trajectory.positions)) <= 0.5 * 0.34 * start.box[0] * (1 + 1e-6)


@pytest.mark.hoomd
def test_a_device_that_is_not_there_is_an_engine_error(potential, start, tmp_path):
    import hoomd

    if hoomd.version.gpu_enabled:
        pytest.skip("this HOOMD-blue can use a GPU")
    with pytest.raises(EngineError, match=r"GPU.*choose the device cpu"):
        HoomdEngine(device="gpu").run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    run = HoomdEngine(device="auto").run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    assert run.version == hoomd.version.version


@pytest.fixture
def two_ranks(system_ranks) -> tuple[str, ...]:
    """Return the launcher of two ranks for a HOOMD-blue that is built with MPI."""
    import hoomd

    if not hoomd.version.mpi_enabled:
        pytest.skip("this HOOMD-blue was built without MPI")
    return system_ranks


@pytest.mark.hoomd
def test_ranks_share_a_run_as_one_would_make_it(two_ranks, potential, tmp_path):
    start = random_configuration(2000, 0.7, seed=1, units="lj")
    schedule = Schedule(equilibration=0, production=40, every=2, push_off=20)
    serial = HoomdEngine().run(potential, STATE, start, schedule, seed=1, workdir=tmp_path / "serial")
    engine = HoomdEngine(launcher=two_ranks)
    run = engine.run(potential, STATE, start, schedule, seed=1, workdir=tmp_path / "parallel")
    # Random numbers go by bead and step, so that ranks differ by the order of sums alone: in 60 steps 1e-16 grows
    # to less than 1e-9; frames are kept in single precision.
    np.testing.assert_allclose(run.energy, serial.energy, atol=1e-6)
    np.testing.assert_allclose(run.pressure, serial.pressure, atol=1e-6)
    moved = run.trajectory.positions - serial.trajectory.positions
    edge = start.box[0]
    assert np.max(np.abs(moved - edge * np.round(moved / edge))) < 1e-5
    assert len(run.trajectory) == 20


@pytest.mark.hoomd
def test_a_box_too_small_to_be_shared_is_an_error_that_helps(two_ranks, potential, start, tmp_path):
    engine = HoomdEngine(launcher=two_ranks)
    with pytest.raises(EngineError, match="use fewer ranks, or more beads"):
        engine.run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)


@pytest.mark.hoomd
def test_a_cut_off_of_half_the_box_runs(start, tmp_path):
    half = 0.5 * start.box[0]
    r = np.linspace(0.0, half, 101)
    potential = PairPotential(r, 0.5 * (1.0 - r / half) ** 2, units="lj")
    run = HoomdEngine().run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    # In this mean field every bead feels all others: E/N = (n-1)/2 <U> = rho/2 int U dV, which fluctuates by a
    # per cent or so since the fluid is all but incompressible on this scale.
    expected = 0.5 * 0.7 * 0.5 * 4.0 * np.pi * half**3 / 30.0
    assert np.mean(run.energy) == pytest.approx(expected, rel=0.1)


@pytest.mark.hoomd
def test_overlapping_beads_are_pushed_apart(potential, tmp_path):
    rng = np.random.default_rng(1)
    edge = (200 / 0.7) ** (1 / 3)
    overlapping = Configuration(rng.uniform(-0.5, 0.5, (200, 3)) * edge, np.full(3, edge), units="lj")
    schedule = Schedule(equilibration=500, production=500, every=50, push_off=500)
    run = HoomdEngine().run(potential, STATE, overlapping, schedule, seed=1, workdir=tmp_path)
    # The liquid has E/N = -4.1 or so within some tau; heat left by the overlaps would show as much more.
    assert -5.0 < np.mean(run.energy) < -3.5


@pytest.mark.hoomd
def test_beads_that_attract_each_other_do_not_collapse_into_their_cores(tmp_path):
    """At density 1 twelve neighbours at -5 kT each pull a bead through any core of a hundred kT."""
    potential = spline_potential(131).potential
    dense = random_configuration(500, 1.0, seed=1, units="lj")
    schedule = Schedule(equilibration=1500, production=200, every=20, push_off=500, length=1.0)
    run = HoomdEngine().run(potential, StatePoint(1.0, 1.0, "lj"), dense, schedule, seed=1, workdir=tmp_path)
    # U is 75 kT at 0.78 and 235 kT at 0.71: of 3000 neighbours none comes so near.
    pairs = sampling.rdf(run.trajectory, dr=0.05)
    assert np.all(pairs.g[pairs.r < 0.7] == 0.0)
    # LAMMPS with 1500 beads: -16.5, within 0.1; heat left by the push-off would show as more.
    assert np.mean(run.energy) == pytest.approx(-16.5, abs=0.3)


@pytest.mark.hoomd
def test_killed_in_the_middle_of_its_run(potential, start, tmp_path):
    kill = '(until [ -s frames.npy ]; do sleep 0.05; done; kill -9 $$) & exec "$@"'
    endless = Schedule(equilibration=0, production=1_000_000, every=1_000, push_off=0)
    with pytest.raises(EngineError, match="signal 9"):
        HoomdEngine(launcher=("sh", "-c", kill, "--"), timeout=60).run(
            potential, STATE, start, endless, seed=1, workdir=tmp_path
        )
    run = HoomdEngine().run(potential, STATE, start, STEPS, seed=1, workdir=tmp_path)
    assert len(run.trajectory) == 2
