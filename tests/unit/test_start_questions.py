"""Whether a configuration and the targets of its bonds can belong together."""

import numpy as np
import pytest

from cginit import InputError
from cginit.bonded import Distribution
from cginit.configuration import Configuration
from cginit.io.start_questions import question_start
from cginit.target import Target
from cginit.topology import Topology

CHAINS = Topology([0] * 4, ("A",), {"bond A-A": [[0, 1], [1, 2], [2, 3]]}).repeated(150)
B = 0.3 + 0.005 * np.arange(41)
PHI = np.linspace(-np.pi, np.pi, 73)[:-1]


def bonds(middle: float) -> Distribution:
    p = np.exp(-0.5 * ((B - middle) / 0.02) ** 2)
    return Distribution.normalised(B, p, coordinate="bond", units="nm-kJ/mol")


def dihedrals(middle: float) -> Distribution:
    p = np.exp(3.0 * np.cos(PHI - middle))
    return Distribution.normalised(PHI, p, coordinate="dihedral", units="nm-kJ/mol")


def start(scale: float = 1.0) -> Configuration:
    """Chains with bonds of 0.4 nm, angles of 2 rad and dihedrals of 100 +- 17 degrees, anywhere."""
    random = np.random.default_rng(4)
    phi = random.normal(np.radians(100.0), 0.3, 150)
    c, s, zero = np.full(150, np.cos(2.0)), np.full(150, np.sin(2.0)), np.zeros(150)
    places = [
        (c, s, zero),
        (zero, zero, zero),
        (zero + 1.0, zero, zero),
        (1.0 - c, s * np.cos(phi), s * np.sin(phi)),
    ]
    chains = 0.4 * np.moveaxis(np.array(places), 2, 0)
    edge = (600 / 1.0) ** (1 / 3)
    chains += random.uniform(0.0, edge, (150, 1, 3))
    return Configuration(
        scale * chains.reshape(-1, 3), [scale * edge] * 3, units="nm-kJ/mol", topology=CHAINS.completed()
    )


def target(*, bond: float = 0.4, dihedral: float | None = None) -> Target:
    distributions = {"bond A-A": bonds(bond)}
    if dihedral is not None:
        distributions["dihedral A-A-A-A"] = dihedrals(dihedral)
    return Target({}, 1.0, 2.5, topology=CHAINS, distributions=distributions)


def test_bonds_in_another_unit_are_refused():
    assert question_start(target(), start()) == ()
    # Stretched, as on a lattice.
    assert question_start(target(), start(1.3)) == ()
    with pytest.raises(
        InputError, match=r"bond A-A is 4 nm long in .* and 0.4 nm in its target; one .* unit"
    ):
        question_start(target(), start(10.0))
    with pytest.raises(InputError, match=r"do not|does not hold these molecules whole"):
        question_start(target(), start(5.0))


@pytest.mark.parametrize(
    ("dihedral", "words"),
    [
        (np.radians(100.0), ""),
        (np.radians(-80.0), "turned by 180 degrees"),
        (np.radians(-100.0), "other sign"),
    ],
)
def test_dihedrals_of_another_convention_are_asked_about(dihedral, words):
    notes = question_start(target(dihedral=dihedral), start())
    assert bool(notes) == bool(words)
    assert all(words in note and "is its zero another one?" in note for note in notes)


def test_angles_without_a_potential_are_said():
    whole = Target({}, 1.0, 2.5, topology=CHAINS.completed(), distributions={"bond A-A": bonds(0.4)})
    (note,) = question_start(whole, start())
    assert note == (
        "angle A-A-A, dihedral A-A-A-A of the topology have neither a target nor a given table: no potential acts "
        "there"
    )
    (note,) = question_start(whole, start(), [next(iter(CHAINS.completed().of("angle")))])
    assert note.startswith("dihedral A-A-A-A of the topology has neither")
