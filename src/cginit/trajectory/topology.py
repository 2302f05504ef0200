"""Bonds between beads that follow from those between atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.bond_graph import excluded_pairs, unique_pairs

__all__ = ["bead_bonds", "excluded_pairs", "unique_pairs"]

IntArray = NDArray[np.intp]


def bead_bonds(universe: Any, bead_of_atom: IntArray) -> IntArray:
    """Return the bonds between beads ``(n, 2)`` that the topology's bonds between their atoms imply.

    `bead_of_atom` ``(n_atoms,)`` is -1 for atoms that belong to no bead.
    """
    bonds = np.asarray(universe.bonds.indices, dtype=np.intp).reshape(-1, 2)
    ends = bead_of_atom[bonds]
    ends = ends[np.all(ends >= 0, axis=1)]
    return unique_pairs(ends[:, 0], ends[:, 1])
