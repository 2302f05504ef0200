"""Grown molecules: their bonds and angles, and nothing on top of anything."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.bonded import BondedPotential, Distribution
from cginit.coordinates import ANGLE, BOND
from cginit.errors import InputError
from cginit.growth import grown_configuration, typical_value
from cginit.interactions import Interactions
from cginit.topology import Topology


def chain(n: int) -> Topology:
    bonds = [[k, k + 1] for k in range(n - 1)]
    return Topology([0] * n, ("A",), {"bond A-A": bonds} if n > 1 else {}).completed()


def closest(start) -> float:
    """Return the smallest distance of two beads that feel each other."""
    d = start.positions[:, None, :] - start.positions[None, :, :]
    d -= start.box * np.round(d / start.box)
    r = np.linalg.norm(d, axis=2)
    i, j = np.triu_indices(start.n, 1)
    out = start.topology.excluded()
    r[out[:, 0], out[:, 1]] = np.inf
    return float(r[i, j].min())


@pytest.mark.parametrize(
    ("topology", "density"),
    [
        (chain(2).repeated(150), 0.8),
        (Topology.joined([(chain(6), 40), (Topology([0], ("S",)), 60)]), 0.7),
        (Topology([0] * 4, ("A",), {"bond A-A": [[0, 1], [0, 2], [0, 3]]}).completed().repeated(60), 0.6),
        (
            Topology([0] * 6, ("A",), {"bond A-A": [[k, (k + 1) % 6] for k in range(6)]})
            .completed()
            .repeated(30),
            0.6,
        ),
    ],
    ids=["dumbbells", "6-mers in a solvent", "stars", "rings"],
)
def test_molecules_are_grown_apart_with_their_bonds(topology, density):
    shape = Interactions({"bond A-A": 1.0, "angle A-A-A": 2.0})
    start = grown_configuration(topology, density, seed=4, units="lj", shape=shape)
    assert start.density == pytest.approx(density)
    lengths = BOND.measure(start.positions, topology.bonds, start.box)
    # The rounds end where no distance is off by more than a twentieth, or where a ring cannot unfold.
    assert np.all(np.abs(lengths - 1.0) < 0.15)
    assert np.mean(np.abs(lengths - 1.0) < 0.06) > 0.95
    if len(topology.angles):
        # The third side of an angle of 2, 1.68, is right within 5 %: within 0.2 radians.
        angles = ANGLE.measure(start.positions, topology.angles, start.box)
        assert np.mean(np.abs(angles - 2.0) < 0.35) > 0.95
    assert closest(start) > 0.75 * 0.8 * density ** (-1 / 3)
    again = grown_configuration(topology, density, seed=4, units="lj", shape=shape)
    np.testing.assert_array_equal(again.positions, start.positions)


def test_typical_values_come_from_distributions_and_potentials():
    b = np.arange(0.5, 1.5, 0.01)
    spring = BondedPotential.shifted(b, 100 * (b - 1.1) ** 2, coordinate="bond", units="lj")
    assert typical_value(spring) == pytest.approx(1.1)
    t = (np.arange(90) + 0.5) * np.pi / 90
    p = Distribution.normalised(t, np.sin(t) * np.exp(-3 * (t - np.pi) ** 2), coordinate="angle", units="lj")
    # Most angles are less than pi, but pi is what the potential asks for.
    assert typical_value(p) > 3.0


def test_what_cannot_be_grown_is_said():
    with pytest.raises(InputError, match="bond A-A has no length"):
        grown_configuration(chain(2).repeated(10), 0.5, seed=1, units="lj", shape=Interactions({}))
    with pytest.raises(InputError, match="do not fit a box"):
        grown_configuration(chain(2), 0.5, seed=1, units="lj", shape=Interactions({"bond A-A": 1.0}))
