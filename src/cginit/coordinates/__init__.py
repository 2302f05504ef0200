"""The coordinates of bonded interactions: how they are measured, counted, inverted and closed.

A pair is the fourth coordinate; it is counted by `cginit.sampling`.
"""

from cginit.coordinates.angle import ANGLE
from cginit.coordinates.base import Coordinate
from cginit.coordinates.bond import BOND
from cginit.coordinates.counts import COORDINATES, BondedCounts, count_terms
from cginit.coordinates.dihedral import DIHEDRAL

__all__ = ["ANGLE", "BOND", "COORDINATES", "DIHEDRAL", "BondedCounts", "Coordinate", "count_terms"]
