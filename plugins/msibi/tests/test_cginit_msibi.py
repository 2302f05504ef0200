"""The grid without MSIBI; ``Pair`` and a run of the real MSIBI on HOOMD-blue where they are installed."""

import os
import sys

import numpy as np
import pytest
from cginit_msibi import msibi_grid, msibi_pair

from cginit import InputError, PairPotential
from cginit.configuration import random_configuration
from cginit.engines.hoomd import HOOMD_PATH_VARIABLE

R = np.linspace(0.0, 2.5, 101)
KT = 1.0


def potential(r_cut=2.5, points=101):
    r = np.linspace(0.0, r_cut, points)
    u = np.where(r < 1.2, 30.0 * np.maximum(1.2 - r, 0.0) ** 2, 0.0) - 0.8 * np.exp(-20 * (r - 1.2) ** 2)
    return PairPotential.shifted(r, u, units="lj")


def test_grid_is_hoomds_without_the_cut_off():
    x, u = msibi_grid(potential())
    assert x.size == 100
    np.testing.assert_array_equal(x, np.round(np.linspace(0.0, 2.5, 100, endpoint=False), 3))
    # Ten digits of a table; the energies reach some 40.
    np.testing.assert_allclose(u, potential().u[:-1], rtol=1e-9, atol=1e-9)


def test_spacing_of_three_decimals_or_an_error():
    x, _ = msibi_grid(potential(2.5, 72))
    step = x[1] - x[0]
    assert abs(1000 * step - round(1000 * step)) < 1e-9
    assert abs(2.5 / step - round(2.5 / step)) < 1e-9
    with pytest.raises(InputError, match="no such spacing"):
        msibi_grid(potential(2.5003, 101))


def test_what_the_potential_decides_is_no_option():
    with pytest.raises(InputError, match="r_cut is decided"):
        msibi_pair(potential(), r_cut=3.0)


def has_host():
    """Return MSIBI, or skip; HOOMD-blue may lie in the folder that an environment variable names."""
    folder = os.environ.get(HOOMD_PATH_VARIABLE)
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    pytest.importorskip("hoomd", reason="HOOMD-blue is absent: conda install -c conda-forge msibi hoomd")
    return pytest.importorskip("msibi", reason="MSIBI is absent: conda install -c conda-forge msibi")


def test_pair_of_the_real_msibi():
    msibi = has_host()
    pair = msibi_pair(potential(), "B", "A", smoothing_window=5)
    assert isinstance(pair, msibi.Pair)
    assert (pair.name, pair.nbins, pair.dx, pair.x_min, pair.r_cut) == ("A-B", 99, 0.025, 0.0, 2.5)
    assert pair.x_max == pytest.approx(2.5, rel=1e-12)
    assert len(pair.potential_history) == 1
    # MSIBI changes the array in place.
    pair.potential[0] += 1.0
    assert pair.potential_history[0][0] == pair.potential[0] - 1.0


def test_hoomd_gets_the_energy_of_the_guess():
    """Two beads at chosen distances in the real HOOMD-blue, with the force that MSIBI builds."""
    msibi = has_host()
    import hoomd

    optimizer = msibi.MSIBI(
        nlist=hoomd.md.nlist.Tree, integrator_method=hoomd.md.methods.ConstantVolume, method_kwargs={}, dt=0.001,
        gsd_period=10, thermostat=hoomd.md.methods.thermostats.MTTK, thermostat_kwargs={"tau": 0.1},
    )  # fmt: skip
    guess = potential()
    optimizer.add_force(msibi_pair(guess))
    (force,) = optimizer._build_force_objects()
    simulation = hoomd.Simulation(device=hoomd.device.CPU(), seed=1)
    frame = hoomd.Snapshot()
    frame.configuration.box = [20, 20, 20, 0, 0, 0]
    frame.particles.N = 2
    frame.particles.types = ["A"]
    simulation.create_state_from_snapshot(frame)
    integrator = hoomd.md.Integrator(
        dt=0.0, forces=[force], methods=[hoomd.md.methods.ConstantVolume(hoomd.filter.All())]
    )
    simulation.operations.integrator = integrator
    for r in (0.25, 1.0, 1.2125, 1.9, 2.4):
        snapshot = simulation.state.get_snapshot()
        snapshot.particles.position[:] = [[0, 0, 0], [r, 0, 0]]
        simulation.state.set_snapshot(snapshot)
        simulation.run(0)
        # HOOMD-blue interpolates linearly; positions are of single precision on some builds.
        assert force.energy == pytest.approx(np.interp(r, guess.r, guess.u), abs=2e-4)


# MSIBI takes the logarithm of 0/0 in the core and corrects it afterwards.
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_run_of_msibi_from_the_guess(tmp_path, monkeypatch):
    msibi = has_host()
    import gsd.hoomd
    import hoomd

    monkeypatch.chdir(tmp_path)
    beads = random_configuration(400, 0.3, seed=1, units="lj")
    with gsd.hoomd.open("target.gsd", "w") as file:
        for index in range(4):
            frame = gsd.hoomd.Frame()
            frame.particles.N, frame.particles.types = beads.n, ["A"]
            moved = random_configuration(400, 0.3, seed=1 + index, units="lj").positions
            frame.particles.position = moved
            frame.particles.mass = np.ones(beads.n)
            frame.configuration.box = [*beads.box, 0, 0, 0]
            file.append(frame)
    state = msibi.State(name="A", kT=KT, traj_file="target.gsd", n_frames=3)
    optimizer = msibi.MSIBI(
        nlist=hoomd.md.nlist.Cell, integrator_method=hoomd.md.methods.ConstantVolume, method_kwargs={}, dt=0.002,
        gsd_period=50, thermostat=hoomd.md.methods.thermostats.MTTK, thermostat_kwargs={"tau": 0.1},
        nlist_exclusions=[],
    )  # fmt: skip
    optimizer.add_state(state)
    pair = msibi_pair(potential())
    optimizer.add_force(pair)
    first = pair.potential.copy()
    optimizer.run_optimization(n_steps=400, n_iterations=1)
    assert len(pair.potential_history) == 2
    np.testing.assert_array_equal(pair.potential_history[0], first)
    assert np.all(np.isfinite(pair.potential))
