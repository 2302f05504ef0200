"""The coordinates of bonded interactions: how they are measured, counted, inverted and closed.

A pair is the fourth coordinate; it is counted by `cginit.sampling`.
"""

from cginit.coordinates.angle import ANGLE
from cginit.coordinates.base import Coordinate
from cginit.coordinates.bond import BOND
from cginit.coordinates.counter import TermCounter
from cginit.coordinates.counts import COORDINATES, BondedCounts, block_distribution, count_terms
from cginit.coordinates.dihedral import DIHEDRAL
from cginit.coordinates.inversion import ended_where_high, seen
from cginit.coordinates.resolution import (
    averaged_bins,
    fine_grid,
    joined_bins,
    on_common_range,
    width_of,
)
from cginit.coordinates.smoothing import Smoothing
from cginit.coordinates.straight import StraightChain, straight_chains

__all__ = [
    "ANGLE",
    "BOND",
    "COORDINATES",
    "DIHEDRAL",
    "BondedCounts",
    "Coordinate",
    "Smoothing",
    "StraightChain",
    "TermCounter",
    "averaged_bins",
    "block_distribution",
    "count_terms",
    "ended_where_high",
    "fine_grid",
    "joined_bins",
    "on_common_range",
    "seen",
    "straight_chains",
    "width_of",
]
