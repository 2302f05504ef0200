"""Bonds between beads, and the pairs that they exclude."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bead_bonds", "excluded_pairs", "unique_pairs"]

IntArray = NDArray[np.intp]


def unique_pairs(first: IntArray, second: IntArray) -> IntArray:
    """Return the different pairs i < j ``(n, 2)`` among pairs in any order, without i = j."""
    pairs = np.stack([np.minimum(first, second), np.maximum(first, second)], axis=1)
    return np.asarray(np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0), dtype=np.intp).reshape(-1, 2)


def bead_bonds(universe: Any, bead_of_atom: IntArray) -> IntArray:
    """Return the bonds between beads ``(n, 2)`` that the topology's bonds between their atoms imply.

    `bead_of_atom` ``(n_atoms,)`` is -1 for atoms that belong to no bead.
    """
    bonds = np.asarray(universe.bonds.indices, dtype=np.intp).reshape(-1, 2)
    ends = bead_of_atom[bonds]
    ends = ends[np.all(ends >= 0, axis=1)]
    return unique_pairs(ends[:, 0], ends[:, 1])


def excluded_pairs(bonds: IntArray, n_beads: int, depth: int | None) -> IntArray:
    """Return the pairs of beads i < j ``(n, 2)`` that are up to `depth` bonds apart; none for a depth of None."""
    if depth is None or bonds.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    from scipy.sparse import coo_array, identity

    ones = np.ones(len(bonds))
    graph = coo_array((ones, (bonds[:, 0], bonds[:, 1])), shape=(n_beads, n_beads)).tocsr()
    step = graph + graph.T + identity(n_beads, format="csr")
    reached = step
    for _ in range(depth - 1):
        reached = reached @ step
        reached.data[:] = 1.0  # counts of paths would grow without bound in rings
    entries = reached.tocoo()
    return unique_pairs(entries.coords[0].astype(np.intp), entries.coords[1].astype(np.intp))
