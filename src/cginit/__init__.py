"""Pair potentials for structural coarse-graining: from g(r) to U(r), refined by molecular dynamics.

Examples
--------
>>> import cginit
>>> target = cginit.read_rdf("target.dat", units="nm-kJ/mol")  # doctest: +SKIP
>>> state = cginit.StatePoint(density=33.28, kT=2.494)
>>> potential = cginit.guess(target, state)  # doctest: +SKIP
>>> cginit.write_table(potential, "CG-CG.pot")  # doctest: +SKIP
"""

from __future__ import annotations

from cginit._version import __version__
from cginit.curves import RDF, PairPotential, Provenance
from cginit.eos import Pressure, pressure
from cginit.errors import CGInitError, ConvergenceError, EngineError, InputError, MissingDependencyError
from cginit.guess import guess
from cginit.io import read_rdf, read_table, write_rdf, write_table
from cginit.refine import Limits, Refinement, refine
from cginit.state import StatePoint
from cginit.units import UnitSystem, unit_system

__all__ = [
    "RDF",
    "CGInitError",
    "ConvergenceError",
    "EngineError",
    "InputError",
    "Limits",
    "MissingDependencyError",
    "PairPotential",
    "Pressure",
    "Provenance",
    "Refinement",
    "StatePoint",
    "UnitSystem",
    "__version__",
    "guess",
    "pressure",
    "read_rdf",
    "read_table",
    "refine",
    "unit_system",
    "write_rdf",
    "write_table",
]
