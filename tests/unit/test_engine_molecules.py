"""Molecules in engines: what is refused, exclusions, overlaps, bonds that leave their table, time steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit.bonded import BondedPotential
from cginit.configuration import Configuration
from cginit.coordinates import BOND
from cginit.curves import PairPotential
from cginit.engines import Schedule
from cginit.engines.base import length_scale, reduce_problem
from cginit.engines.dilute import DiluteEngine
from cginit.engines.lammps import LammpsEngine
from cginit.engines.potentials import bonded_terms
from cginit.engines.table import bonded_table
from cginit.engines.time_step import stiffness
from cginit.errors import EngineError, InputError
from cginit.growth import grown_configuration
from cginit.interactions import Interactions
from cginit.periodic import minimum_image
from cginit.state import StatePoint
from cginit.testing.molecules import molecular_forces, reference_tables
from cginit.topology import Topology


def spring(k: float = 100.0, b0: float = 1.0, low: float = 0.4, high: float = 1.6) -> BondedPotential:
    b = np.linspace(low, high, 121)
    return BondedPotential.shifted(b, 0.5 * k * (b - b0) ** 2, coordinate="bond", units="lj")


def core(height: float = 30.0) -> PairPotential:
    r = np.linspace(0.0, 1.5, 76)
    u = height * (1.0 - (r / 1.5) ** 2) ** 3
    u[-1] = 0.0
    return PairPotential(r, u, units="lj")


def chains(n: int, times: int, **more) -> Topology:
    bonds = [[k, k + 1] for k in range(n - 1)]
    return Topology([0] * n, ("A",), {"bond A-A": bonds}, **more).repeated(times)


def melt(topology: Topology, density: float = 0.4) -> Configuration:
    return grown_configuration(topology, density, seed=2, units="lj", shape=Interactions({"bond A-A": 1.0}))


SHORT = Schedule(equilibration=0, production=40, every=1, dt=0.004, friction=1e-8, push_off=0, length=1.0)


@pytest.mark.lammps
@pytest.mark.parametrize(
    ("rule", "listed"),
    [("1-5", None), ("1-6", None), ("listed", [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 5], [0, 3]])],
)
def test_exclusions_that_no_rule_of_lammps_names(rule, listed, tmp_path):
    molecule = chains(6, 1, exclusions="1-2", listed=listed).excluding(rule)
    start = melt(molecule.repeated(12))
    curves = Interactions({"A-A": core(5.0), "bond A-A": spring()})
    run = LammpsEngine().run(curves, StatePoint(0.4, 1.0), start, SHORT, seed=1, workdir=tmp_path)
    tables = reference_tables(curves)
    for frame, energy in zip(run.trajectory.positions[::10], run.energy[::10], strict=True):
        ours, _, _ = molecular_forces(tables, frame.astype(float), start.box, start.topology)
        # Single precision of the positions and linear interpolation of the tables, per bead.
        assert energy == pytest.approx(ours / start.n, abs=2e-4)


@pytest.mark.lammps
def test_a_list_of_exclusions_must_hold_the_bonds(tmp_path):
    start = melt(chains(3, 12, exclusions="1-2", listed=None).excluding("listed", [[0, 2]]))
    with pytest.raises(InputError, match=r"keep the pair force of the bonded beads \(0, 1\)"):
        LammpsEngine().run(
            Interactions({"A-A": core(), "bond A-A": spring()}),
            StatePoint(0.4, 1.0),
            start,
            SHORT,
            seed=1,
            workdir=tmp_path,
        )


@pytest.mark.lammps
def test_overlaps_are_pushed_apart_and_bonds_found_again(tmp_path):
    topology = chains(4, 40)
    rng = np.random.default_rng(3)
    edge = (topology.n / 0.6) ** (1 / 3)
    # Anywhere: bonds are up to half the box long.
    start = Configuration(
        rng.uniform(-edge / 2, edge / 2, (topology.n, 3)), np.full(3, edge), units="lj", topology=topology
    )
    schedule = Schedule(equilibration=500, production=200, every=20, dt=0.004, push_off=2000)
    curves = Interactions({"A-A": core(), "bond A-A": spring()})
    run = LammpsEngine().run(curves, StatePoint(0.6, 1.0), start, schedule, seed=1, workdir=tmp_path)
    lengths = BOND.measure(run.trajectory.positions, topology.bonds, start.box)
    assert lengths.min() > 0.5
    assert lengths.max() < 1.5
    assert run.final.topology is topology
    log = (tmp_path / "log.lammps").read_text()
    assert "inconsistent" not in log


@pytest.mark.lammps
def test_a_bond_that_leaves_is_named_with_its_length_and_ends(tmp_path):
    start = melt(chains(2, 60)).scaled(0.5, "nm-kJ/mol")
    curves = Interactions({"A-A": core().scaled(0.5, 2.5, "nm-kJ/mol")})
    weak = spring(0.5, 1.0, 0.9, 1.1).scaled(0.5, 2.5, "nm-kJ/mol")
    schedule = Schedule(equilibration=0, production=3000, every=100)
    with pytest.raises(
        EngineError, match=r"a bond A-A of length 0\.\d+ nm left its potential.* 0\.45 and 0\.55 nm"
    ):
        LammpsEngine().run(
            Interactions([*curves.items(), ("bond A-A", weak)]),
            StatePoint(start.density, 2.5, "nm-kJ/mol"),
            start,
            schedule,
            seed=1,
            workdir=tmp_path,
        )


def test_stiff_bonds_shorten_the_time_step():
    start = melt(chains(3, 20))
    state = StatePoint(0.4, 1.0)
    pairs = {"A-A": core()}
    soft, stiff = (
        reduce_problem(Interactions({**pairs, "bond A-A": spring(k)}), state, start, Schedule(length=1.0))
        for k in (10, 5000)
    )
    assert soft.dt == 0.005
    # The middle bead has two bonds, each of which adds 2 k: omega = sqrt(4 k), of which dt is a fifth.
    assert stiff.dt == pytest.approx(0.2 / np.sqrt(4 * 5000), rel=0.02)
    assert stiffness(spring(5000)) == pytest.approx(5000, rel=0.02)
    # The unit of length is at most two bonds, also where beads are far apart.
    assert (
        length_scale(Interactions({**pairs, "bond A-A": spring()}), state)
        == length_scale(core(), state)
        < 1.5
    )
    assert length_scale(
        Interactions({"A-A": core(0.1), "bond A-A": spring(b0=0.6)}), StatePoint(0.001, 1.0)
    ) == (pytest.approx(1.2))


@pytest.mark.parametrize(
    ("curves", "words"),
    [
        ({"A-A": core()}, "bond A-A has no potential"),
        ({"A-A": core(), "bond A-A": core()}, "is one of a pair; give one of a bond"),
        (
            {"A-A": core(), "bond A-A": spring(), "angle A-A-A": spring()},
            "one of a bond; give one of an angle",
        ),
        (
            {"A-A": core(), "bond A-A": spring(), "bond A-A x": spring()},
            "bond A-A x has a potential, but the start has",
        ),
        ({"A-A": core(), "bond A-A": spring(high=30.0)}, "beyond half the box"),
        ({"bond A-A": spring()}, "pair A-A has no potential"),
    ],
)
def test_potentials_must_fit_the_molecules(curves, words):
    start = melt(chains(3, 20))
    with pytest.raises(InputError, match=words):
        reduce_problem(Interactions(curves), StatePoint(0.4, 1.0), start, Schedule())


def test_a_long_bond_ends_with_the_box_where_none_gets_there():
    # Of segments of a chain a harmonic bond is 50 kT high at several times its length, and still 30 at half the box.
    start = melt(chains(4, 8))
    half = 0.5 * float(start.box.min())
    b0, end = 0.4 * half, 1.2 * half
    k = 100.0 / (end - b0) ** 2
    (term,) = bonded_terms({"A-A": core(), "bond A-A": spring(k, b0, 0.1 * half, end)}, start)
    assert half - 0.02 * end < term.potential.x[-1] <= half
    assert term.potential.u[-1] == pytest.approx(0.5 * k * (half - b0) ** 2, rel=0.05)  # a bin of a hundredth
    with pytest.raises(InputError, match="still holds bonds"):
        bonded_terms({"A-A": core(), "bond A-A": spring(k, b0, 0.1 * half, 2.0 * end)}, start)


def test_bonded_potentials_need_a_topology():
    start = replace(melt(chains(3, 20)), topology=None)
    with pytest.raises(InputError, match="no bonds at all"):
        reduce_problem(
            Interactions({"A-A": core(), "bond A-A": spring()}), StatePoint(0.4, 1.0), start, Schedule()
        )


def test_the_dilute_engine_refuses_molecules(tmp_path):
    start = melt(chains(2, 20))
    loose = replace(start.topology.without("bond"), terms=Interactions({}))
    assert loose.is_molecular
    with pytest.raises(InputError, match="knows no molecules"):
        DiluteEngine().run(
            core(), StatePoint(0.4, 1.0), replace(start, topology=loose), SHORT, seed=1, workdir=tmp_path
        )


def test_one_potential_serves_a_topology_of_loose_beads():
    """Nothing changes for those who have no molecules."""
    start = Configuration(
        np.random.default_rng(1).uniform(-3, 3, (20, 3)),
        [6, 6, 6],
        units="lj",
        topology=Topology([0] * 20, ("A",)),
    )
    problem = reduce_problem(core(), StatePoint(20 / 216, 1.0), start, Schedule())
    assert not problem.is_molecular
    assert problem.dt == 0.005


def test_tables_of_angles_are_even_at_their_ends():
    # The grid of bin centres and one that holds both ends give the same table.
    def energy(t):
        return 5.0 * (1.0 + np.cos(t)) ** 2 + np.cos(t)

    tables = []
    for grid in (np.linspace(0, np.pi, 181), (np.arange(180) + 0.5) * np.pi / 180):
        potential = BondedPotential.shifted(grid, energy(grid), coordinate="angle", units="lj")
        x, u, f = bonded_table(potential)
        assert f[0] == f[-1] == 0.0
        np.testing.assert_allclose(u - u.min(), energy(x) - energy(x).min(), atol=2e-4)
        tables.append(u)
    np.testing.assert_allclose(tables[0] - tables[0].min(), tables[1] - tables[1].min(), atol=2e-4)
    # Where nothing is known U goes straight on.
    part = np.linspace(1.5, 2.5, 51)
    x, u, f = bonded_table(
        BondedPotential.shifted(part, 50 * (part - 2) ** 2, coordinate="angle", units="lj")
    )
    assert f[0] == pytest.approx(50, rel=0.02)
    assert f[-1] == pytest.approx(-50, rel=0.02)
    assert np.all(np.diff(u[x < 1.5]) < 0)


def test_the_reference_of_the_checks_is_the_derivative_of_its_energy():
    topology = chains(5, 3).completed()
    rng = np.random.default_rng(5)
    positions = np.cumsum(rng.normal(size=(15, 3)) * 0.6, axis=0)
    box = np.array([6.0, 6.0, 6.0])
    phi = -np.pi + np.arange(90) * np.pi / 45
    angle = np.linspace(0, np.pi, 91)
    wide = np.linspace(0.01, 2.9, 400)
    curves = Interactions(
        {
            "A-A": core(5.0),
            "bond A-A": BondedPotential.shifted(wide, 3 * (wide - 1) ** 2, coordinate="bond", units="lj"),
            "angle A-A-A": BondedPotential.shifted(angle, 3 * np.cos(angle), coordinate="angle", units="lj"),
            "dihedral A-A-A-A": BondedPotential.shifted(phi, np.sin(phi), coordinate="dihedral", units="lj"),
        }
    )
    tables = reference_tables(curves)
    _, forces, virial = molecular_forces(tables, positions, box, topology)
    h = 1e-4
    for bead, axis in ((0, 0), (2, 1), (7, 2), (14, 0)):
        energies = []
        for sign in (1, -1):
            moved = positions.copy()
            moved[bead, axis] += sign * h
            energies.append(molecular_forces(tables, moved, box, topology)[0])
        assert forces[bead, axis] == pytest.approx(-(energies[0] - energies[1]) / (2 * h), abs=5e-3)
    # The virial is the derivative by a uniform scaling of all lengths, the box among them.
    scaled = [molecular_forces(tables, positions * s, box * s, topology)[0] for s in (1 + h, 1 - h)]
    assert virial == pytest.approx(-(scaled[0] - scaled[1]) / (2 * h), rel=1e-3)
    assert minimum_image(np.array([5.9, 0, 0]), box)[0] == pytest.approx(-0.1)
