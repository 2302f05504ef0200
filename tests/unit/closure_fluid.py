"""A fluid that the hypernetted chain solves in place of a simulation, with noise as counts in shells have it."""

import dataclasses

import numpy as np
from one_species import record_of

from cginit import RDF, PairPotential, StatePoint
from cginit.configuration import Configuration
from cginit.liquid import solve, virial_pressure
from cginit.refine import Record

DR, R_CUT, DENSITY = 0.05, 2.5, 0.6
R = np.arange(51) * DR
STATE = StatePoint(DENSITY, 1.0, "lj")
BEADS = 10**9
NOISE = 1e-3
SOME = Configuration(np.zeros((2, 3)), np.ones(3), units="lj")


class Endless(Record):
    """An integral equation has no box."""

    beads = property(lambda self: {"A": BEADS})


def endless(record):
    fields = {item.name: getattr(record, item.name) for item in dataclasses.fields(record)}
    return Endless(**fields)


def lennard_jones(r, kT=1.4):
    r = np.maximum(r, 0.7)
    return 4.0 * (r**-12 - r**-6) / kT


TRUE = PairPotential.shifted(R, lennard_jones(R), units="lj")


def measure(potential, seed=None, closure="hnc", noise=NOISE):
    """Return g as the closure gives it, with seeded noise of counts in shells, to two cut-offs; and the pressure."""
    fluid = solve(potential.r, potential.u, DENSITY, closure)
    r = np.arange(101) * DR
    g = np.maximum(np.concatenate([fluid.g[:1], fluid.g[:100]]), 0.0)
    error = noise * np.sqrt(g) / np.maximum(r, DR)
    if seed is not None:
        g = np.maximum(g + error * np.random.default_rng(seed).standard_normal(g.size), 0.0)
    n = potential.r.size - 1
    pressure = virial_pressure(potential.r[1:], potential.u[1:], fluid.g[:n], DENSITY, y=fluid.y[:n])
    rdf = RDF(r, g, error, units="lj")
    return endless(record_of(potential, rdf, rdf, SOME, pressure=pressure, pressure_error=1e-3))
