"""Molecules of a trajectory: every distribution in one pass, and a start that a refinement takes."""

from __future__ import annotations

import warnings
from pathlib import Path

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.lib.distances import calc_angles, calc_bonds

from cginit.bonded import Distribution
from cginit.coordinates import fine_grid, joined_bins, straight_chains
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.trajectory import molecules_from_trajectory, read_system, write_start
from pickling_pool import counted_elsewhere

EDGE, TRIMERS, FRAMES = 7.0, 30, 20


def write_chains(
    path: Path, beads: int, molecules: int = TRIMERS, masses: tuple[float, float] = (1.0, 1.0)
) -> Path:
    """Write frames of chains B-A-...-A-B that are random walks across the box, with their bonds only."""
    rng = np.random.default_rng(11)
    first = np.arange(molecules)[:, None] * beads
    bonds = np.stack([first + np.arange(beads - 1), first + np.arange(1, beads)], axis=-1).reshape(-1, 2)
    kinds = np.tile([1, *[0] * (beads - 2), 1], molecules)
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(FRAMES):
            steps = rng.normal(size=(molecules, beads, 3))
            steps *= (rng.normal(1.0, 0.05, (molecules, beads)) / np.linalg.norm(steps, axis=2))[..., None]
            steps[:, 0] = rng.uniform(-EDGE / 2, EDGE / 2, (molecules, 3))
            places = np.cumsum(steps, axis=1).reshape(-1, 3)
            frame = gsd.hoomd.Frame()
            frame.configuration.box = [EDGE, EDGE, EDGE, 0, 0, 0]
            frame.particles.N = len(places)
            frame.particles.types, frame.particles.typeid = ["A", "B"], kinds
            frame.particles.mass = np.array(masses)[kinds]
            frame.particles.position = places - EDGE * np.round(places / EDGE)
            frame.bonds.N, frame.bonds.group = len(bonds), bonds
            frame.bonds.types, frame.bonds.typeid = ["any"], np.zeros(len(bonds), dtype=int)
            file.append(frame)
    return path


@pytest.fixture(scope="module")
def trimers(tmp_path_factory) -> Path:
    return write_chains(tmp_path_factory.mktemp("trimers") / "trimers.gsd", 3)


def sample(path: Path, **options):
    return molecules_from_trajectory(path, mapping="types", units="lj", dr=0.1, **options)


def test_bonds_and_angles_are_those_of_mdanalysis(trimers):
    found = sample(trimers)
    assert [str(one) for one in found.distributions] == ["bond A-B", "angle B-A-B"]
    universe = MDAnalysis.Universe(str(trimers))
    lengths, angles = [], []
    for step in universe.trajectory:
        first, middle, last = (universe.atoms.positions[k::3] for k in range(3))
        lengths += [calc_bonds(end, middle, box=step.dimensions) for end in (first, last)]
        angles.append(calc_angles(first, middle, last, box=step.dimensions))
    for name, values in (("bond A-B", np.concatenate(lengths)), ("angle B-A-B", np.concatenate(angles))):
        curve = found.distributions[name]
        lower = np.maximum(curve.x - 0.5 * curve.dx, 0.0)
        counts = np.histogram(values, np.append(lower, lower[-1] + curve.widths[-1]))[0]
        # Whole numbers of groups, each in its own bin but for the rounding of single precision.
        assert np.abs(curve.p * curve.widths * values.size - counts).max() < 1.5
        assert np.any(curve.error > 0.0)


def test_bonds_have_bins_that_show_their_width_and_room_beside_them(trimers):
    curve = sample(trimers).distributions["bond A-B"]
    # sigma = 0.05: a tenth of dr, 0.01, is the widest of 0.01, 0.02, 0.05 and 0.1 that is a quarter of it at most.
    assert curve.dx == pytest.approx(0.01)
    seen = curve.x[curve.p > 0.0]
    assert curve.x[0] <= seen[0] - 0.1
    assert curve.x[-1] >= seen[-1] + 0.1


def test_pairs_inside_a_molecule_add_up_to_its_neighbours(trimers):
    found = sample(trimers)
    density = dict(found.system.densities)
    neighbours = {"A-B": 2.0, "B-B": 1.0}
    assert sorted(map(str, found.inside)) == sorted(neighbours)
    for name, number in neighbours.items():
        curve = found.inside[name]
        shells = 4.0 * np.pi * curve.dr * (curve.r**2 + curve.dr**2 / 12.0)
        assert density["B"] * float(shells @ curve.g) == pytest.approx(number, rel=1e-3)


def test_the_pairs_of_a_molecule_are_left_out_of_g_unless_said_otherwise(trimers):
    found, other = sample(trimers), sample(trimers, exclusions="none")
    near = np.abs(found.rdfs["A", "B"].r - 1.0) < 0.11
    # Of independent molecules 1, and three times that within two sigma of a bond.
    assert np.all(other.rdfs["A", "B"].g[near] > 2.0 * found.rdfs["A", "B"].g[near])
    assert (found.target_exclusions, found.topology.exclusions) == ("molecule", "molecule")
    assert (other.target_exclusions, other.topology.exclusions) == ("none", "1-3")
    assert any("counts bonded pairs" in note for note in other.system.notes)


def test_the_number_of_processes_changes_nothing(trimers, monkeypatch):
    elsewhere = counted_elsewhere(monkeypatch)
    one, two = sample(trimers), sample(trimers, workers=2)
    assert elsewhere.cache_info().misses == 1
    for name, curve in one.distributions.items():
        assert np.array_equal(curve.p, two.distributions[name].p)
    for name, curve in one.inside.items():
        assert np.array_equal(curve.g, two.inside[name].g)


def test_the_start_reads_back_as_the_last_frame_with_its_molecules(trimers, tmp_path):
    found = sample(trimers)
    file = write_start(found.start, tmp_path / "start.gsd")
    read = read_system(file, units="lj", exclusions="molecule")
    assert read.positions == pytest.approx(found.start.positions, abs=1e-5)
    assert list(map(str, read.topology.terms)) == list(map(str, found.topology.terms))
    for one, members in found.topology.terms.items():
        assert np.array_equal(read.topology.terms[one], members)
    assert read.topology.n_molecules == TRIMERS


def test_the_start_keeps_the_masses_of_the_beads(tmp_path):
    atoms = write_chains(tmp_path / "atoms.gsd", 6, masses=(14.027, 15.035))
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "molecules:\n  - select: all\n    per: molecule\n    bonds: [[E1, M], [M, E2]]\n    beads:\n"
        "      - {name: E1, type: E, index: [1, 2]}\n      - {name: M, type: M, index: [3, 4]}\n"
        "      - {name: E2, type: E, index: [5, 6]}\n"
    )
    found = molecules_from_trajectory(atoms, mapping=str(mapping), units="nm-kJ/mol", dr=0.1)
    read = read_system(write_start(found.start, tmp_path / "start.gsd"), units="nm-kJ/mol").topology
    for one in (found.topology, read):
        assert dict(zip(one.species, one.masses, strict=True)) == {"E": 29.062, "M": 28.054}


def test_chains_that_could_pass_through_themselves_exclude_less_in_a_simulation(tmp_path):
    found = sample(write_chains(tmp_path / "chains.gsd", 6, 12))
    assert (found.target_exclusions, found.topology.exclusions) == ("molecule", "1-4")
    assert any("chains would pass through themselves" in note for note in found.system.notes)
    assert "dihedral A-A-A-A" in found.distributions


def test_of_a_skewed_box_the_start_is_grown(trimers, tmp_path):
    universe = MDAnalysis.Universe(str(trimers))
    skewed = tmp_path / "skewed.xtc"
    with MDAnalysis.Writer(str(skewed), universe.atoms.n_atoms) as file:
        for _ in universe.trajectory:
            universe.dimensions = [EDGE, EDGE, EDGE, 90.0, 90.0, 75.0]
            with warnings.catch_warnings(action="ignore"):
                file.write(universe.atoms)  # a GSD file states no times
    found = molecules_from_trajectory(trimers, skewed, mapping="types", dr=0.01)
    # Angstrom became nm; the volume is that of the skewed box.
    assert found.start.box == pytest.approx(0.1 * EDGE * np.sin(np.radians(75.0)) ** (1.0 / 3.0), rel=1e-4)
    assert any("skewed" in note for note in found.system.notes)
    bonds = found.topology.terms["bond A-B"]
    whole = found.topology.whole(found.start.positions, found.start.box)
    assert np.linalg.norm(whole[bonds[:, 1]] - whole[bonds[:, 0]], axis=1) == pytest.approx(0.1, abs=0.015)


def test_beads_without_bonds_are_no_molecules(tmp_path):
    path = tmp_path / "gas.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(10):
            frame = gsd.hoomd.Frame()
            frame.particles.N = 20
            frame.particles.position = np.random.default_rng(1).uniform(-3, 3, (20, 3))
            frame.configuration.box = [6, 6, 6, 0, 0, 0]
            file.append(frame)
    with pytest.raises(InputError, match="know of no bonds between beads"):
        molecules_from_trajectory(path, mapping="all", units="lj", dr=0.1)


@pytest.mark.parametrize("coordinate", ["bond", "angle", "dihedral"])
@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.5])
def test_joined_bins_keep_every_count_and_the_width(coordinate, sigma):
    fine = fine_grid(coordinate, 0.002, 4.0)
    centre = {"bond": 1.5, "angle": 1.5, "dihedral": -np.pi + 0.001}[coordinate]
    apart = fine - centre
    if coordinate == "dihedral":
        apart = np.mod(apart + np.pi, 2.0 * np.pi) - np.pi
    counts = np.exp(-0.5 * (apart / sigma) ** 2)[None, :]
    x, joined = joined_bins(fine, counts, coordinate)
    assert joined.sum() == pytest.approx(counts.sum(), rel=1e-12)
    step = x[1] - x[0]
    # A quarter of the width, unless the finest bins are wider; the height is that of wide bins, a few per cent low.
    finest = 2.0 * (fine[1] - fine[0])
    assert step <= 1.05 * max(finest, 0.25 * sigma)
    if coordinate == "angle":
        assert (x[0], x[-1]) == pytest.approx((0.0, np.pi))
    if coordinate == "dihedral":
        assert x[0] == -np.pi
        assert step * x.size == pytest.approx(2.0 * np.pi)
        assert joined[0].argmax() == 0


def test_bonds_across_half_the_box_are_refused(tmp_path):
    """Atoms in another order than in the topology are bonded anywhere; lengths above half the box have no bin."""
    path = write_chains(tmp_path / "trimers.gsd", 3)
    order = np.random.default_rng(2).permutation(90)
    with gsd.hoomd.open(str(path), "r") as file, gsd.hoomd.open(str(tmp_path / "mixed.gsd"), "w") as mixed:
        for frame in file:
            frame.particles.position = frame.particles.position[order]
            mixed.append(frame)
    with pytest.raises(
        InputError, match=r"lengths of bond A-B are above half the box \(3\.5 sigma\).*another order"
    ):
        sample(tmp_path / "mixed.gsd")


def test_bonds_have_their_lengths_however_far_g_is_wanted(trimers):
    near = sample(trimers, r_max=0.5).distributions["bond A-B"]
    far = sample(trimers).distributions["bond A-B"]
    np.testing.assert_allclose(near.p, far.p)


def test_a_free_dihedral_of_chains_that_straighten_is_left_out(tmp_path):
    # Random walks: (1 - cos 10 degrees) of their angles are within 10 degrees of straight, as many of folded, 1.5 %.
    found = sample(write_chains(tmp_path / "chains.gsd", 4))
    (name,) = found.left_out
    assert str(name) == "dihedral B-A-A-B"
    # 1200 angles in all, less the bins of five degrees that reach beyond: three standard errors.
    assert found.left_out[name].part == pytest.approx(0.0152, abs=3 * np.sqrt(0.0152 / 1200) + 0.004)
    assert name in found.distributions
    assert name not in found.target(1.0).distributions
    assert any(text.startswith(f"{name} is left out of the refinement") for text in found.system.notes)


def test_a_dihedral_that_is_not_free_or_not_of_straight_chains_is_kept():
    turn = np.radians(np.arange(-180.0, 180.0, 5.0))
    angle = np.radians(np.arange(0.0, 181.0, 5.0))
    bent = Distribution.normalised(angle, np.exp(-20 * (angle - 1.9) ** 2), coordinate="angle", units="lj")
    straight = Distribution.normalised(angle, np.sin(angle), coordinate="angle", units="lj")

    def chains(angles: Distribution, height: float):
        torsion = Distribution.normalised(
            turn, np.exp(height * np.cos(turn)), coordinate="dihedral", units="lj"
        )
        named = {"angle A-A-A": angles, "dihedral A-A-A-A": torsion}
        return straight_chains({Interaction.of(name): curve for name, curve in named.items()})

    assert not chains(bent, 0.0)
    # The information of cos(phi) of a height of h kT is h^2 / 4.
    assert chains(straight, 0.3)["dihedral A-A-A-A"].free
    assert not chains(straight, 1.0)["dihedral A-A-A-A"].free


def test_the_bins_of_a_long_soft_bond_are_as_wide_as_it_asks_for():
    fine = fine_grid("bond", 0.001, 5.0)
    counts = np.round(500 * np.exp(-0.5 * ((fine - 2.0) / 0.5) ** 2))[None, :]
    x, joined = joined_bins(fine, counts, "bond")
    # Four in the standard deviation are 0.125; the next that there is below.
    assert x[1] - x[0] == pytest.approx(0.08)
    assert joined.sum() == counts.sum()
