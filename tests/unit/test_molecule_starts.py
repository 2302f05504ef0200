"""Starts of molecules without a simulation: the network of connected beads, and what stands in elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit import RDF, InputError, PairPotential
from cginit.configuration import Configuration, Trajectory
from cginit.coordinates import count_terms
from cginit.growth import grown_configuration
from cginit.guess import molecules
from cginit.guess.far_pairs import between_molecules
from cginit.guess.likeness import fits_its_box
from cginit.guess.mixture import OUTSIDE
from cginit.guess.molecules import default_method
from cginit.interactions import Interaction, Interactions
from cginit.sampling import count_partial_pairs
from cginit.target import Target
from cginit.topology import Topology

R = np.arange(0.0, 3.0001, 0.05)


def test_the_bridge_function_of_verlet_stands_in_where_the_network_was_not_trained(monkeypatch):
    dimers = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(100)
    start = grown_configuration(dimers, 0.3, seed=1, units="lj", shape=Interactions({"bond A-A": 1.0}))
    g = np.where(R < 0.9, 0.0, 1.0 + 0.4 * np.exp(-((R - 1.1) ** 2) / 0.1))
    target = Target({"A-A": RDF(R, g, np.full(R.size, 0.01), units="lj")}, 0.3, 1.0, topology=dimers)

    class Elsewhere:
        def __init__(self, *_, **__):
            pass

        def of_correlations(self, *_):
            return PairPotential(R, np.zeros(R.size), notes=(f"{OUTSIDE} by far",), units="lj")

    found = {name: molecules.guess_molecules(target, name, 2.0, start)["A-A"] for name in ("verlet", "hnc")}
    monkeypatch.setattr(molecules, "NetworkGuess", Elsewhere)
    guess = molecules.guess_molecules(target, "network", 2.0, start)["A-A"]
    assert np.array_equal(guess.u, found["verlet"].u)
    assert any("Verlet stands in for the network" in note for note in guess.notes)
    # It is another potential than that of the hypernetted chain.
    assert np.abs(guess.u - found["hnc"].u)[R[: guess.u.size] > 0.9].max() > 1e-3


def test_the_network_of_molecules_sees_what_bonds_do():
    dimers = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(100)
    start = grown_configuration(dimers, 0.3, seed=1, units="lj", shape=Interactions({"bond A-A": 1.0}))
    r = np.arange(0.0, 4.0001, 0.05)
    x = np.maximum(r, 0.5)
    g = np.exp(-np.minimum(2.0 * (x**-12 - x**-6), 1e3))
    target = Target({"A-A": RDF(r, g, np.full(r.size, 0.01), units="lj")}, 0.3, 1.0, topology=dimers)
    found = {
        name: molecules.guess_molecules(target, name, 2.5, start)["A-A"] for name in ("verlet", "network")
    }
    guess = found["network"]
    assert guess.provenance.model.startswith("molecules ")
    assert not any("stands in" in note for note in guess.notes)
    # Some tenths of kT at contact, where Verlet's bridge function is that of loose beads; nothing far away.
    off = np.abs(guess.u - found["verlet"].u)
    assert 0.03 < off[guess.r > 0.95].max() < 0.5
    assert off[guess.r > 2.2].max() < 0.05


@pytest.fixture(scope="module")
def chains():
    """Chains of ten without pair potentials, each grown anew: frames, and the targets with and without far pairs."""
    bonds = {"bond A-A": [[i, i + 1] for i in range(9)]}
    topology = Topology([0] * 10, ("A",), bonds, exclusions="1-4").completed("angle").repeated(30)
    shape = Interactions({"bond A-A": 1.0, "angle A-A-A": 2.0})
    frames = [
        grown_configuration(topology, 0.2, seed=seed, units="lj", shape=shape, separation=0.7)
        for seed in range(20)
    ]
    places = np.array([one.positions for one in frames], dtype=np.float32)
    trajectory = Trajectory(places, frames[0].box, units="lj", topology=topology)

    def target(rule):
        counts = count_partial_pairs(trajectory, dr=0.05, r_max=5.0, excluded=topology.excluded(rule))
        rdf = counts["A", "A"].rdf()
        return Target({"A-A": rdf}, 0.2, 1.0, topology=topology, target_exclusions=rule)

    return frames[-1], target("1-4"), target("molecule")


def test_one_configuration_tells_what_pairs_inside_molecules_add(chains):
    start, counted, between = chains
    name = Interaction.of("A-A")
    found, whole, exact = between_molecules(counted, name, start), counted.rdfs[name], between.rdfs[name]
    seen = (exact.r > 1.0) & (exact.r < 4.0)

    def off(curve):
        return float(np.sqrt(np.mean((curve.g - exact.g)[seen] ** 2)))

    # The far pairs of one configuration, 630, tell theirs to a fifth: 0.012 of 0.058.
    assert off(whole) > 0.05
    assert off(found) < 0.35 * off(whole)
    assert np.all(found.g[whole.g == 0.0] == 0.0)
    assert np.all(found.error <= 1.2 * whole.error)
    # Of more molecules of the same shapes as the start has the same is known.
    more = replace(counted, topology=counted.topology.repeated(2))
    assert between_molecules(more, name, start).g == pytest.approx(found.g, rel=0.2, abs=0.02)
    with pytest.raises(InputError, match="topology"):
        between_molecules(counted, name, replace(start, topology=None))


def test_chains_whose_far_pairs_are_counted_start_as_those_between_molecules(chains):
    start, counted, between = chains
    found, alone, plain = (
        molecules.guess_molecules(target, method, 2.5, start)["A-A"]
        for target, method in ((counted, "verlet"), (between, "verlet"), (counted, "boltzmann"))
    )
    assert not any("stands in" in note for note in found.notes)
    seen = between.rdfs["A-A"].g[: found.r.size] > 0.3
    off, step = ((one.u - alone.u)[seen] for one in (found, plain))
    assert np.sqrt(np.mean(off**2)) < 0.3 * np.sqrt(np.mean(step**2))


def bent(seed, spread=0.1, molecules=200):
    """Return molecules of three beads whose angles are spread around two radians."""
    random = np.random.default_rng(seed)
    angle = 2.0 + spread * random.standard_normal(molecules)
    ends = np.stack([np.cos(angle), np.sin(angle), np.zeros(molecules)], axis=1)
    beads = np.stack([np.tile([1.0, 0.0, 0.0], (molecules, 1)), np.zeros((molecules, 3)), ends], axis=1)
    beads *= 1.0 + 0.03 * random.standard_normal((molecules, 1, 1))
    places = (beads + random.uniform(0.0, 10.0, (molecules, 1, 3))).reshape(-1, 3)
    bonds = {"bond A-A": [[0, 1], [1, 2]], "angle A-A-A": [[0, 1, 2]]}
    topology = Topology([0, 0, 0], ("A",), bonds).repeated(molecules)
    return Configuration(places, [10.0] * 3, units="lj", topology=topology)


def wanted_of(start, molecules=200):
    """Return a target with the distributions of many such molecules."""
    many = [bent(seed).positions for seed in range(100, 120)]
    trajectory = Trajectory(np.array(many, dtype=np.float32), start.box, units="lj", topology=start.topology)
    grids = Interactions(
        {"bond A-A": np.arange(0.8, 1.2001, 0.01), "angle A-A-A": np.linspace(0.0, np.pi, 91)}
    )
    return Target(
        {"A-A": RDF(R, np.ones(R.size), np.full(R.size, 0.01), units="lj")},
        3 * molecules / 1000.0,
        1.0,
        topology=start.topology,
        distributions=count_terms(trajectory, grids).map(lambda one: one.distribution()),
    )


def test_the_network_is_the_default_where_a_start_has_the_shapes_that_are_wanted():
    target = wanted_of(bent(0))
    # Of twenty draws from the distribution itself none is refused: 200 angles lie 0.09 +- 0.02 elsewhere.
    assert all(default_method(target, bent(seed)) == "network" for seed in range(20))
    assert default_method(target, None) == "boltzmann"
    # As molecules are grown: each angle the most probable.
    assert default_method(target, bent(0, spread=0.001)) == "boltzmann"
    assert default_method(target, bent(0, spread=0.4)) == "boltzmann"
    assert default_method(target, replace(bent(0), topology=None)) == "boltzmann"
    # Molecules that are as long as their box meet themselves.
    assert not fits_its_box(replace(bent(0), box=np.array([10.0, 10.0, 1.4])))
    # Angles that the file of the start does not list are those of the target.
    bonds = Topology([0, 0, 0], ("A",), {"bond A-A": [[0, 1], [1, 2]]}).repeated(200)
    for spread, method in ((0.1, "network"), (0.001, "boltzmann")):
        assert default_method(target, replace(bent(0, spread), topology=bonds)) == method


def test_a_guess_without_a_method_is_that_of_the_default():
    start = bent(0)
    target = wanted_of(start)
    named, unnamed = (
        molecules.guess_molecules(target, method, 2.5, start)["A-A"] for method in ("network", None)
    )
    assert unnamed.provenance == named.provenance
    assert unnamed.provenance.method != "boltzmann"
    assert molecules.guess_molecules(target, None, 2.5)["A-A"].provenance.method == "boltzmann"
