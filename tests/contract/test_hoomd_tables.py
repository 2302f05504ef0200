"""The exported HOOMD arrays give the potential back in a real HOOMD-blue."""

import numpy as np
import pytest

from cginit import PairPotential, write_table

DISTANCES = (0.905, 1.0, 1.1225, 1.5, 2.0, 2.4375)


@pytest.mark.hoomd
def test_a_written_table_gives_the_energies_at_chosen_distances(tmp_path):
    import hoomd

    r = np.linspace(0.8, 2.5, 171)
    potential = PairPotential.shifted(r, 4 * (r**-12.0 - r**-6.0), units="lj")
    data = np.load(write_table(potential, tmp_path / "pair.npz", kT=1.0))

    simulation = hoomd.Simulation(device=hoomd.device.CPU(notice_level=0), seed=1)
    snapshot = hoomd.Snapshot()
    snapshot.configuration.box = [20, 20, 20, 0, 0, 0]
    snapshot.particles.types = ["A"]
    snapshot.particles.N = 2
    simulation.create_state_from_snapshot(snapshot)
    table = hoomd.md.pair.Table(nlist=hoomd.md.nlist.Cell(buffer=0.4))
    table.params["A", "A"] = {"r_min": float(data["r_min"]), "U": data["U"], "F": data["F"]}
    table.r_cut["A", "A"] = float(data["r_cut"])
    simulation.operations.integrator = hoomd.md.Integrator(dt=1e-6, forces=[table])
    for distance in DISTANCES:
        moved = simulation.state.get_snapshot()
        moved.particles.position[:] = [[0, 0, 0], [distance, 0, 0]]
        simulation.state.set_snapshot(moved)
        simulation.run(0)
        true = 4 * (distance**-12 - distance**-6) - 4 * (2.5**-12 - 2.5**-6)
        # HOOMD interpolates linearly on steps of 2.5/2000 or less: h^2 U''/8 with U'' < 1000 at r = 0.9 is 2e-4.
        assert table.energy == pytest.approx(true, abs=2e-4)
        # An array that included the cut-off would be shifted by one step: 1e-3 times a force of 127 at r = 0.905.
        # F by central differences: h^2 F''/6 + h^2 F''/8, F'' < 4e4.
        assert -table.forces[0][0] == pytest.approx(4 * (12 * distance**-13 - 6 * distance**-7), abs=0.03)
