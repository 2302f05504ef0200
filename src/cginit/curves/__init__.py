"""The two curves of structural coarse-graining: the radial distribution function and the pair potential."""

from cginit.curves.potential import PairPotential, Provenance
from cginit.curves.rdf import RDF
from cginit.curves.structure_factor import LongWave, StructureFactor
from cginit.grids import GRID_TOLERANCE, Array, force, median, uniform_grid

__all__ = [
    "GRID_TOLERANCE",
    "RDF",
    "Array",
    "LongWave",
    "PairPotential",
    "Provenance",
    "StructureFactor",
    "force",
    "median",
    "uniform_grid",
]
