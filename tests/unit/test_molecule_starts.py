"""Starts of molecules without a simulation: the network of connected beads, and what stands in elsewhere."""

from __future__ import annotations

import numpy as np

from cginit import RDF, PairPotential
from cginit.growth import grown_configuration
from cginit.guess import molecules
from cginit.guess.mixture import OUTSIDE
from cginit.interactions import Interactions
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
