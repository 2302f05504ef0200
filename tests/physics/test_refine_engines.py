"""Refinement with real engines: it finds a known potential, and a kill at any moment changes nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cginit import RDF, PairPotential, StatePoint, refine, sampling
from cginit.configuration import random_configuration
from cginit.engines.base import Schedule
from cginit.refine import Limits
from cginit.refine.loop import load_engine

ENGINES = [
    pytest.param("lammps", marks=pytest.mark.lammps),
    pytest.param("hoomd", marks=pytest.mark.hoomd),
]

# A soft fluid with a shoulder: cheap to simulate, and Boltzmann inversion is off by some tenths of a kT. Its force
# vanishes at the cut-off, as updates want it.
R = np.arange(41) * 0.05
TRUE = PairPotential.shifted(R, 4.0 * np.exp(-((R / 0.8) ** 4)) + 0.5 * np.cos(1.5 * np.pi * R), units="lj")
STATE = StatePoint(0.7, 1.0, "lj")
SHORT = Schedule(equilibration=200, production=1_000, every=50)


def boltzmann(target):
    return PairPotential.shifted(R, -np.log(np.maximum(target.g[: R.size], 1e-3)), units="lj")


def simulate(engine, folder, production):
    start = random_configuration(400, STATE.density, seed=5, units="lj")
    folder.mkdir()
    run = load_engine(engine).run(
        TRUE, STATE, start, Schedule(production=production, every=50), seed=11, workdir=folder
    )
    return sampling.rdf(run.trajectory, dr=0.05, r_max=2.5)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_known_potential_is_found(engine, tmp_path):
    target = simulate(engine, tmp_path / "target", production=30_000)
    result = refine(
        target,
        STATE,
        boltzmann(target),
        engine,
        workdir=tmp_path / "work",
        schedule=Schedule(equilibration=1_000, production=12_000, every=100),
        limits=Limits(8),
        start=random_configuration(400, STATE.density, seed=3, units="lj"),
    )
    assert result.converged, result.reason
    before, after = off(result.history[0].potential), off(result.potential)
    # With chi^2 at the noise, U is known to the error of ln g, some 0.01 to 0.03 kT at these run lengths. The start
    # is off by several times that.
    assert before > 0.1
    assert after < 0.03


def off(potential):
    """Mean absolute error in kT, apart from a linear ramp: g(r) hardly shows it, only the pressure does."""
    shown = (R >= 0.3) & (R <= 1.9)
    error = (potential.u - TRUE.u)[shown]
    ramp = (1.0 - R / R[-1])[shown]
    return np.abs(error - (error @ ramp) / (ramp @ ramp) * ramp).mean()


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from tests.physics.test_refine_engines import short_refinement
short_refinement({engine!r}, Path({folder!r}))
"""


def short_refinement(engine, folder):
    g = np.exp(-0.8 * TRUE.u)
    target = RDF(np.append(R, R[-1] + 0.05), np.append(g, 1.0), units="lj")
    start = random_configuration(200, STATE.density, seed=3, units="lj")
    return refine(
        target,
        STATE,
        boltzmann(target),
        engine,
        workdir=folder,
        schedule=SHORT,
        limits=Limits(4),
        start=start,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_refinement_ends_bit_identical(engine, tmp_path):
    root = Path(__file__).parents[2]
    script = SCRIPT.format(path=[str(root)], engine=engine, folder=str(tmp_path / "killed"))
    # A session of its own: the signal must reach the engine too, as when a node goes down.
    child = subprocess.Popen([sys.executable, "-c", script], cwd=root, start_new_session=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "killed" / "iteration_002.partial" / "engine").exists():
        assert child.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "killed" / "iteration_003").exists()

    resumed = short_refinement(engine, tmp_path / "killed")
    whole = short_refinement(engine, tmp_path / "whole")
    assert len(resumed.history) == len(whole.history) == 4
    for left, right in zip(resumed.history, whole.history, strict=True):
        assert left.potential.u.tobytes() == right.potential.u.tobytes()
        assert left.rdf.g.tobytes() == right.rdf.g.tobytes()
        assert left.final.positions.tobytes() == right.final.positions.tobytes()
        assert left.pressure == right.pressure


SOFT = StatePoint(0.4, 1.0, "lj")


def gaussian_target():
    """Return g(r) of a Gaussian core, in which the hypernetted chain is good to a few thousandths."""
    from cginit.liquid import solve

    potential = PairPotential.shifted(R, 2.0 * np.exp(-2.0 * R**2), units="lj")
    fluid = solve(R, potential.u, SOFT.density)
    r = np.arange(60) * 0.05
    return potential, RDF(r, np.concatenate([fluid.g[:1], fluid.g[:59]]), np.full(60, 0.005), units="lj")


@pytest.mark.slow
@pytest.mark.lammps
def test_a_start_that_clusters_is_mended(tmp_path):
    true, target = gaussian_target()
    result = refine(
        target,
        SOFT,
        # A bounded well: everything falls into it.
        PairPotential.shifted(R, -3.0 * np.exp(-4.0 * R**2), units="lj"),
        workdir=tmp_path,
        schedule=Schedule(equilibration=1_000, production=4_000, every=50),
        limits=Limits(10),
        start=random_configuration(300, SOFT.density, seed=3, units="lj"),
    )
    first, best = result.history[0], result.history[result.best]
    assert any("inhomogeneous" in text for text in first.warnings), first.warnings
    assert best.homogeneous
    assert result.converged, result.reason
    # The error of g in 300 beads is some 0.05 at r = 0.5, where g = 0.4, and 0.01 at r = 1: as much as 0.1 kT of U.
    shown = (R > 0.5) & (R < 1.5)
    assert np.mean(np.abs(result.potential.u - true.u)[shown]) < 0.1
