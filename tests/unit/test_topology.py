"""Molecules: what bonds make, what is left out, and what cannot be right."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.bonded_terms import named_terms
from cginit.configuration import Configuration, Trajectory
from cginit.errors import InputError
from cginit.topology import Topology


def chain(n: int, names: str = "A") -> Topology:
    """Return a chain whose bead types repeat the letters."""
    species = tuple(dict.fromkeys(names))
    types = np.array([species.index(names[k % len(names)]) for k in range(n)])
    bonds = np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)
    return Topology(types, species, dict(named_terms("bond", bonds, types, species)))


def test_bonds_make_all_angles_and_dihedrals_of_a_branched_molecule():
    # Isopentane: 0-1(-4)-2-3.
    bonds = [[0, 1], [1, 2], [2, 3], [1, 4]]
    molecule = Topology([0] * 5, ("A",), {"bond A-A": bonds}).completed()
    assert {tuple(row) for row in molecule.angles.tolist()} == {(0, 1, 2), (0, 1, 4), (2, 1, 4), (1, 2, 3)}
    assert {tuple(row) for row in molecule.dihedrals.tolist()} == {(0, 1, 2, 3), (4, 1, 2, 3)}


def test_a_ring_has_as_many_angles_and_dihedrals_as_beads():
    n = 6
    ring = Topology([0] * n, ("A",), {"bond A-A": [[k, (k + 1) % n] for k in range(n)]}).completed()
    assert len(ring.angles) == len(ring.dihedrals) == n
    assert ring.n_molecules == 1
    # Of a triangle the ends of a dihedral would be one bead.
    triangle = Topology([0] * 3, ("A",), {"bond A-A": [[0, 1], [1, 2], [2, 0]]}).completed()
    assert len(triangle.angles) == 3
    assert len(triangle.dihedrals) == 0


def test_terms_are_named_by_bead_types_in_either_direction():
    hexane = chain(3, "AB").completed()
    assert [str(one) for one in hexane.terms] == ["bond A-B", "angle A-B-A"]
    assert hexane.terms["bond B-A"].shape == (2, 2)
    mixed = chain(4, "AAB").completed()
    assert {str(one) for one in mixed.terms} == {
        "bond A-A",
        "bond A-B",
        "angle A-A-B",
        "angle A-B-A",
        "dihedral A-A-B-A",
    }


def test_names_of_a_file_become_labels_only_where_bead_types_do_not_tell():
    types, species = np.array([0, 0, 0, 1]), ("A", "B")
    bonds = [[0, 1], [1, 2], [2, 3]]
    plain = named_terms("bond", bonds, types, species, ["1", "1", "2"])
    assert [str(one) for one, _ in plain] == ["bond A-A", "bond A-B"]
    split = named_terms("bond", bonds, types, species, ["bond_1", "bond_2", "bond_3"])
    assert [str(one) for one, _ in split] == ["bond A-A bond_1", "bond A-A bond_2", "bond A-B"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("none", set()),
        ("1-2", {(0, 1), (1, 2), (2, 3), (3, 4)}),
        ("1-3", {(0, 1), (1, 2), (2, 3), (3, 4), (0, 2), (1, 3), (2, 4)}),
        ("1-4", {(0, 1), (1, 2), (2, 3), (3, 4), (0, 2), (1, 3), (2, 4), (0, 3), (1, 4)}),
        ("molecule", {(i, j) for i in range(5) for j in range(i + 1, 5)}),
        ("listed", {(0, 4)}),
    ],
)
def test_rules_of_exclusion(rule, expected):
    topology = chain(5).excluding(rule, [[4, 0]])
    assert {tuple(pair) for pair in topology.excluded().tolist()} == expected


def test_molecules_of_several_kinds_with_a_solvent():
    trimer, solvent = chain(3, "AB").completed(), Topology([0], ("S",))
    mixed = Topology.joined([(trimer, 2), (solvent, 3)])
    assert mixed.species == ("A", "B", "S")
    assert mixed.types.tolist() == [0, 1, 0, 0, 1, 0, 2, 2, 2]
    assert mixed.molecules.tolist() == [0, 0, 0, 1, 1, 1, 2, 3, 4]
    assert mixed.terms["angle A-B-A"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert mixed.excluded("molecule").tolist() == [[0, 1], [0, 2], [1, 2], [3, 4], [3, 5], [4, 5]]


def test_masses_of_bead_types_are_kept():
    trimer = Topology([0, 1, 0], ("A", "B"), {"bond A-B": [[0, 1], [1, 2]]}, masses=[15.035, 14.027])
    assert trimer.completed().excluding("1-4").without("angle").masses.tolist() == [15.035, 14.027]
    solvent = Topology([0, 1], ("S", "A"), masses=[18.0, np.nan])
    mixed = Topology.joined([(solvent, 3), (trimer, 2)])
    assert dict(zip(mixed.species, mixed.masses, strict=True)) == {"S": 18.0, "A": 15.035, "B": 14.027}
    assert np.all(np.isnan(chain(3).masses))


def test_broken_molecules_are_made_whole():
    box = np.array([5.0, 6.0, 7.0])
    topology = chain(20).repeated(3)
    steps = np.random.default_rng(1).normal(size=(3, 20, 3))
    steps /= np.linalg.norm(steps, axis=2, keepdims=True)
    true = np.cumsum(steps, axis=1).reshape(-1, 3)
    wrapped = Configuration(true, box, units="lj", topology=topology)
    whole = topology.whole(wrapped.positions, box)
    heads = [0, 20, 40]
    for head in heads:
        np.testing.assert_allclose(
            whole[head : head + 20] - whole[head], true[head : head + 20] - true[head], atol=1e-12
        )


def test_a_configuration_takes_its_types_from_the_topology():
    topology = chain(3, "AB")
    start = Configuration(np.eye(3), [5, 5, 5], units="lj", topology=topology)
    assert start.species == ("A", "B")
    assert start.types.tolist() == [0, 1, 0]
    assert start.scaled(2.0, "lj").topology is topology
    with pytest.raises(InputError, match="3 beads, the configuration 2"):
        Trajectory(np.zeros((1, 2, 3)), [5, 5, 5], units="lj", topology=topology)


@pytest.mark.parametrize(
    ("terms", "more", "words"),
    [
        ({"bond A-A": [[0, 1]]}, {}, "are A-B"),
        ({"bond A-B": [[0, 3]]}, {}, "numbered from 0 to 2"),
        ({"bond A-B": [[0, 1], [1, 0]]}, {}, "occur twice"),
        ({"angle A-B-A": [[0, 1, 0]]}, {}, "names a bead twice"),
        ({"bond A-C": [[0, 1]]}, {}, "bead type C; known are A, B"),
        ({"A-B": [[0, 1]]}, {}, "is a pair"),
        ({"bond A-B": [[0, 1]]}, {"molecules": [0, 1, 1]}, "bonded, but belong to the molecules 0 and 1"),
        ({"bond A-B": [[0, 1]]}, {"exclusions": "some"}, "exclusions 'some' are unknown"),
        ({"bond A-B": [[0, 1.5]]}, {}, "whole numbers"),
        ({}, {"masses": [1.0, 0.0]}, "the mass of B must be positive, not 0"),
        ({}, {"masses": [1.0]}, "there are 1 masses of 2 bead types"),
    ],
)
def test_what_cannot_be_right_is_said(terms, more, words):
    with pytest.raises(InputError, match=words):
        Topology([0, 1, 0], ("A", "B"), terms, **more)
