"""Pair potentials for structural coarse-graining: from g(r) to U(r), refined by molecular dynamics.

Examples
--------
>>> import cginit
>>> target, state = cginit.read_target("target.dat")  # doctest: +SKIP
>>> potential = cginit.guess(target, state)  # doctest: +SKIP
>>> cginit.write_table(potential, "CG-CG.pot")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from cginit._version import __version__
from cginit.lazy import lazy_names

if TYPE_CHECKING:
    from cginit.curves import RDF, PairPotential, Provenance
    from cginit.eos import Pressure, pressure
    from cginit.errors import CGInitError, ConvergenceError, EngineError, InputError, MissingDependencyError
    from cginit.guess import guess, guess_many
    from cginit.io import read_rdf, read_table, read_target, write_rdf, write_table
    from cginit.refine import Limits, OpenedRefinement, Refinement, Settings, refine, refine_system
    from cginit.refine import open_refinement as open
    from cginit.state import StatePoint
    from cginit.target import Target
    from cginit.units import UnitSystem, unit_system

__all__ = [
    "RDF",
    "CGInitError",
    "ConvergenceError",
    "EngineError",
    "InputError",
    "Limits",
    "MissingDependencyError",
    "OpenedRefinement",
    "PairPotential",
    "Pressure",
    "Provenance",
    "Refinement",
    "Settings",
    "StatePoint",
    "Target",
    "UnitSystem",
    "__version__",
    "guess",
    "guess_many",
    "open",
    "pressure",
    "read_rdf",
    "read_table",
    "read_target",
    "refine",
    "refine_system",
    "unit_system",
    "write_rdf",
    "write_table",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "cginit.curves": ["RDF", "PairPotential", "Provenance"],
        "cginit.eos": ["Pressure", "pressure"],
        "cginit.errors": [
            "CGInitError",
            "ConvergenceError",
            "EngineError",
            "InputError",
            "MissingDependencyError",
        ],
        "cginit.guess": ["guess_many"],
        "cginit.io": ["read_rdf", "read_table", "read_target", "write_rdf", "write_table"],
        "cginit.refine": [
            "Limits",
            "OpenedRefinement",
            "Refinement",
            "Settings",
            "open_refinement as open",
            "refine_system",
        ],
        "cginit.target": ["Target"],
        "cginit.state": ["StatePoint"],
        "cginit.units": ["UnitSystem", "unit_system"],
    },
)

# Packages that can be called as the function of the same name: imported, they are attributes of this one.
for _name in ("guess", "refine"):
    import_module(f"{__name__}.{_name}")
del _name
