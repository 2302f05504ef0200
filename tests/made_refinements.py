"""Folders of refinements that nothing was simulated for, with every kind of curve."""

import dataclasses

import numpy as np

from cginit import RDF, PairPotential
from cginit.bonded import BondedPotential, Distribution
from cginit.configuration import Configuration, random_configuration
from cginit.interactions import Interactions
from cginit.refine import Distance, Record
from cginit.refine.bonded import bonded_distance
from cginit.refine.convergence import distance
from cginit.refine.store import Store
from cginit.target import Target
from cginit.topology import Topology

__all__ = ["PAIRS", "R", "commit", "curve", "mixture", "potential", "record", "trimers"]

R = 0.05 * np.arange(51)
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))
BONDS, ANGLES = np.arange(0.7, 1.3001, 0.01), np.linspace(0.0, np.pi, 91)


def curve(height, error=None):
    g = np.where(R < 0.8, 0.0, 1.0 + height * np.exp(-(((R - 1.0) / 0.2) ** 2)))
    return RDF(R, g, None if error is None else np.where(R < 0.8, 0.0, error), units="lj")


def potential(depth, error=None):
    u = np.where(R < 0.8, 5.0 + 10.0 * (0.8 - R), -depth * np.exp(-(((R - 1.0) / 0.2) ** 2)))
    known = None if error is None else np.full(R.size, error)
    return PairPotential.shifted(R, u, units="lj", r_core=0.8, u_error=known)


def record(names, index, depth, height, found, final, **more):
    return Record(
        index=index,
        potentials=Interactions(dict.fromkeys(names, potential(depth))),
        rdfs=Interactions(dict.fromkeys(names, curve(height))),
        distances=Interactions(dict.fromkeys(names, found)),
        final=final,
        pressure=1.0,
        pressure_error=0.1,
        **more,
    )


def commit(store, *records):
    for number, one in enumerate(records):
        store.prepare(number, one.index)
        store.commit(number, one)


def mixture(folder, rounds=3):
    """A mixture whose g comes nearer to its target from round to round, with all errors; return its store."""
    store = Store(folder)
    target = Target(dict.fromkeys(PAIRS, curve(1.0, 0.01)), {"A": 0.2, "B": 0.3}, 2.0, pressure=1.2)
    store.open([{"engine": "Made()", "target": "mine"}], [target])
    final = random_configuration({"A": 20, "B": 30}, 0.5, seed=1, units="lj")
    for index in range(rounds):
        g = curve(1.0 - 0.5 / (1 + 3 * index), 0.01)
        one = record(
            PAIRS,
            index,
            2.0 + index,
            0.0,
            Distance(1.0, 1.0, 1.0, 1.0),
            final,
            made_by="ibi" if index else "start",
        )
        found = distance(g, target.rdfs["A", "A"], 2.0)
        one = dataclasses.replace(
            one,
            potentials=Interactions(dict.fromkeys(PAIRS, potential(2.0 + index, 0.1))),
            rdfs=Interactions(dict.fromkeys(PAIRS, g)),
            distances=Interactions(dict.fromkeys(PAIRS, found)),
            engine="lammps 1 Jan 2025",
            steps=1000,
        )
        commit(store, one)
    return store


def spring(k, x0, coordinate):
    x = BONDS if coordinate == "bond" else ANGLES
    return BondedPotential.shifted(x, 0.5 * k * (x - x0) ** 2, coordinate=coordinate, units="lj")


def normal(centre, width, coordinate):
    x = BONDS if coordinate == "bond" else ANGLES
    p = np.exp(-0.5 * ((x - centre) / width) ** 2)
    return Distribution.normalised(x, p, 0.01 * p, coordinate=coordinate, units="lj")


def trimers(folder, label="", notes=(), molecules=10, given=None, shapes=None, inside=None, masses=None):
    """Trimers with a bond and an angle, once simulated; angles have a peak of 4 per radian at 2; return the store.

    What is `given` has a potential that stays, and no target. `shapes` are places kept of the run, `inside` the
    g(r) of pairs of a molecule in the target, if any; `masses` those of A and B, if known.
    """
    bond = f"bond A-B {label}".strip()
    terms = {bond: [[0, 1], [1, 2]], "angle A-B-A": [[0, 1, 2]]}
    topology = Topology([0, 1, 0], ("A", "B"), terms, masses=masses).repeated(molecules)
    pairs = ("A-A", "A-B", "B-B")
    bonded = {bond: normal(1.0, 0.05, "bond"), "angle A-B-A": normal(2.0, 0.1, "angle")}
    bonded.pop(given, None)
    rdfs = dict.fromkeys(pairs, curve(1.0, 0.01))
    target = Target(rdfs, 0.3, 1.0, topology=topology, distributions=bonded, inside=inside)
    store = Store(folder)
    store.open([{"engine": "Made()", "target": "mine"}], [target])
    side = (topology.n / 0.3) ** (1.0 / 3.0)
    places = np.random.default_rng(1).uniform(0.0, side, (topology.n, 3))
    final = Configuration(places, np.full(3, side), units="lj", topology=topology)
    got = {bond: normal(1.01, 0.05, "bond"), "angle A-B-A": normal(2.02, 0.1, "angle")}
    got.pop(given, None)
    one = record(pairs, 0, 1.0, 0.9, distance(curve(0.9, 0.01), curve(1.0, 0.01), 2.0), final)
    springs = {bond: spring(400.0, 1.0, "bond"), "angle A-B-A": spring(100.0, 2.0, "angle")}
    distances = {name: bonded_distance(got[name], bonded[name]) for name in got}
    commit(
        store,
        dataclasses.replace(
            one,
            potentials=Interactions({**one.potentials, **springs}),
            distributions=Interactions(got),
            distances=Interactions({**one.distances, **distances}),
            warnings=tuple(notes),
            shapes=shapes,
        ),
    )
    return store
