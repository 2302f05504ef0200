"""Bonds, angles and dihedrals: the grids without MSIBI, and what the real MSIBI makes of them in HOOMD-blue."""

import numpy as np
import pytest
from cginit_msibi import msibi_bonded, msibi_bonded_grid
from test_cginit_msibi import has_host

from cginit import InputError
from cginit.bonded import BondedPotential

B, THETA = np.linspace(0.8, 1.4, 61), np.linspace(0.6, np.pi, 128)
PHI = -np.pi + 2.0 * np.pi / 90 * np.arange(90)
POTENTIALS = {
    "bond": BondedPotential.shifted(B, 250.0 * (B - 1.1) ** 2, coordinate="bond", units="lj"),
    "angle": BondedPotential.shifted(THETA, 20.0 * (THETA - 2.0) ** 2, coordinate="angle", units="lj"),
    "dihedral": BondedPotential.shifted(PHI, 2.0 * np.cos(PHI), coordinate="dihedral", units="lj"),
}
TYPES = {"bond": ("A", "B"), "angle": ("A", "B", "A"), "dihedral": ("A", "B", "B", "A")}
ENDS = {"bond": (0.8, 1.4), "angle": (0.0, np.pi), "dihedral": (-np.pi, np.pi)}


@pytest.mark.parametrize("kind", POTENTIALS)
def test_grids_hold_both_ends(kind):
    x, u = msibi_bonded_grid(POTENTIALS[kind], 80)
    np.testing.assert_array_equal(x, np.linspace(*ENDS[kind], 81))
    shown = (x >= POTENTIALS[kind].x[0]) & (x <= POTENTIALS[kind].x[-1])
    exact = {
        "bond": 250.0 * (x - 1.1) ** 2,
        "angle": 20.0 * (x - 2.0) ** 2,
        "dihedral": 2.0 * np.cos(x) + 2.0,
    }
    # A spline through a parabola is the parabola, but that a straight angle feels no force.
    inner = shown & (x < 3.0) if kind == "angle" else shown
    np.testing.assert_allclose(u[inner], exact[kind][inner], atol=2e-3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        InputError, match="the angle of this potential joins 3 beads; give as many types, not 2"
    ):
        msibi_bonded(POTENTIALS["angle"], "A", "B")
    with pytest.raises(InputError, match="nbins is decided by intervals"):
        msibi_bonded(POTENTIALS["bond"], "A", "B", nbins=50)
    with pytest.raises(InputError, match="three intervals or more, not 2"):
        msibi_bonded_grid(POTENTIALS["bond"], 2)


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("kind", POTENTIALS)
def test_force_of_the_real_msibi(kind, optimize):
    msibi = has_host()
    force = msibi_bonded(POTENTIALS[kind], *TYPES[kind], optimize=optimize, intervals=80)
    assert isinstance(force, getattr(msibi, kind.capitalize()))
    assert (force.name, force.nbins, force.optimize) == ("-".join(TYPES[kind]), 80, optimize)
    assert (force.x_min, force.x_max) == ENDS[kind]
    # With MSIBI's own rounding the range would not be that of its intervals.
    assert force.x_min + 80 * force.dx == pytest.approx(force.x_max, rel=1e-12)
    # MSIBI changes the array in place.
    force.potential[0] += 1.0


def chain(kind, value):
    """Places of the beads of one group whose length or angle is that."""
    if kind == "bond":
        return [[0, 0, 0], [value, 0, 0]]
    if kind == "angle":
        return [[1, 0, 0], [0, 0, 0], [np.cos(value), np.sin(value), 0]]
    return [[1, 0, 0], [0, 0, 0], [0, 0, 1], [np.cos(value), np.sin(value), 1]]


@pytest.mark.parametrize("kind", POTENTIALS)
def test_hoomd_gets_the_energy_of_the_potential(kind):
    """One group of beads in the real HOOMD-blue, with the force that MSIBI builds; a stretched table is 0.1 off."""
    msibi = has_host()
    import hoomd

    optimizer = msibi.MSIBI(
        nlist=hoomd.md.nlist.Tree, integrator_method=hoomd.md.methods.ConstantVolume, method_kwargs={}, dt=0.001,
        gsd_period=10, thermostat=hoomd.md.methods.thermostats.MTTK, thermostat_kwargs={"tau": 0.1},
    )  # fmt: skip
    optimizer.add_force(msibi_bonded(POTENTIALS[kind], *TYPES[kind], optimize=False, intervals=400))
    (force,) = optimizer._build_force_objects()
    simulation = hoomd.Simulation(device=hoomd.device.CPU(), seed=1)
    frame = hoomd.Snapshot()
    frame.configuration.box = [20, 20, 20, 0, 0, 0]
    number = len(TYPES[kind])
    frame.particles.N, frame.particles.types = number, ["A", "B"]
    group = getattr(frame, f"{kind}s")
    group.N, group.types, group.group[:] = 1, ["-".join(TYPES[kind])], [list(range(number))]
    simulation.create_state_from_snapshot(frame)
    simulation.operations.integrator = hoomd.md.Integrator(
        dt=0.0, forces=[force], methods=[hoomd.md.methods.ConstantVolume(hoomd.filter.All())]
    )
    for value in {"bond": (0.85, 1.05, 1.3), "angle": (1.1, 2.0, 2.7), "dihedral": (-2.0, 0.4, 1.5)}[kind]:
        snapshot = simulation.state.get_snapshot()
        snapshot.particles.position[:] = chain(kind, value)
        simulation.state.set_snapshot(snapshot)
        simulation.run(0)
        own = POTENTIALS[kind]
        exact = np.interp(value, *own.periodic()[:2])
        # Linear between the points of either; h^2 U''/8 of theirs is 6e-3 of the stiffest, the bond.
        assert force.energy == pytest.approx(exact, abs=1e-2)
