"""The graph of the bonds: which beads hang together, how many bonds apart, and what angles they make."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.errors import InputError

__all__ = [
    "among",
    "angles_of_bonds",
    "bond_graph",
    "connected",
    "dihedrals_of_bonds",
    "excluded_pairs",
    "exclusion_depth",
    "in_order",
    "pairs_within",
    "unique_pairs",
]

IntArray = NDArray[np.int64]


def exclusion_depth(exclusions: str) -> int | None:
    """Return how many bonds apart two beads may be to be left out; None for ``none``, ``molecule``, ``listed``.

    Raises
    ------
    InputError
        If the word means nothing.

    Examples
    --------
    >>> exclusion_depth("1-3")
    2
    """
    if exclusions in ("none", "molecule", "listed"):
        return None
    match = re.fullmatch(r"1-(\d+)", exclusions)
    if match is None or int(match.group(1)) < 2:
        raise InputError(
            f"exclusions {exclusions!r} are unknown; give none, molecule, or 1-2, 1-3, 1-4, ... (pairs up to so "
            "many bonds apart)"
        )
    return int(match.group(1)) - 1


def unique_pairs(first: ArrayLike, second: ArrayLike) -> NDArray[np.intp]:
    """Return the different pairs i < j ``(n, 2)`` among pairs in any order, without i = j."""
    pairs = np.stack([np.minimum(first, second), np.maximum(first, second)], axis=1)
    return np.asarray(np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0), dtype=np.intp).reshape(-1, 2)


def among(pairs: NDArray[np.integer], others: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which of the pairs i < j ``(m, 2)`` are also among others ``(k, 2)``.

    Examples
    --------
    >>> among(np.array([[0, 1], [1, 2]]), np.array([[1, 2], [0, 2]])).tolist()
    [False, True]
    """
    n = 1 + int(max(pairs.max(initial=0), others.max(initial=0)))
    numbers, given = (one[:, 0].astype(np.int64) * n + one[:, 1] for one in (pairs, others))
    return np.isin(numbers, given)


def excluded_pairs(bonds: NDArray[Any], n_beads: int, depth: int | None) -> NDArray[np.intp]:
    """Return the pairs of beads i < j ``(n, 2)`` that are up to `depth` bonds apart; none for a depth of None."""
    if depth is None or bonds.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    from scipy.sparse import identity

    step = bond_graph(bonds, n_beads) + identity(n_beads, format="csr")
    reached = step
    for _ in range(depth - 1):
        reached = reached @ step
        reached.data[:] = 1.0  # counts of paths would grow without bound in rings
    entries = reached.tocoo()
    return unique_pairs(entries.coords[0].astype(np.intp), entries.coords[1].astype(np.intp))


def bond_graph(bonds: NDArray[Any], n_beads: int) -> Any:
    """Return the symmetric sparse matrix ``(n_beads, n_beads)`` that is 1 where two beads are bonded."""
    from scipy.sparse import coo_array

    ones = np.ones(len(bonds))
    graph = coo_array((ones, (bonds[:, 0], bonds[:, 1])), shape=(n_beads, n_beads)).tocsr()
    return graph + graph.T


def in_order(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers counted anew from 0, in the order in which they first occur."""
    _, first, which = np.unique(numbers, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[which.reshape(-1)]


def connected(bonds: IntArray, n: int) -> IntArray:
    """Return the number of each bead's molecule, in the order of their first beads."""
    if not len(bonds):
        numbers = np.arange(n, dtype=np.int64)
    else:
        from scipy.sparse.csgraph import connected_components

        numbers = in_order(connected_components(bond_graph(bonds, n), directed=False)[1]).astype(np.int64)
    numbers.flags.writeable = False
    return numbers


def pairs_within(molecules: IntArray) -> NDArray[np.intp]:
    """Return all pairs of beads i < j of the same molecule."""
    order = np.argsort(molecules, kind="stable")
    sizes = np.bincount(molecules)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    found = [np.empty((0, 2), dtype=np.intp)]
    for size in np.unique(sizes[sizes > 1]):
        i, j = np.triu_indices(size, 1)
        heads = starts[sizes == size][:, None]
        found.append(np.stack([order[heads + i], order[heads + j]], axis=-1).reshape(-1, 2))
    pairs = np.concatenate(found)
    return unique_pairs(pairs[:, 0], pairs[:, 1])


def _neighbours(bonds: IntArray, n: int) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(n)]
    for i, j in bonds.tolist():
        found[i].append(j)
        found[j].append(i)
    return found


def angles_of_bonds(bonds: IntArray, n: int) -> list[tuple[int, int, int]]:
    """Return the beads of all angles between two bonds of `n` beads, the middle one second."""
    near = _neighbours(bonds, n)
    return [(i, j, k) for j in range(n) for i, k in combinations(sorted(near[j]), 2)]


def dihedrals_of_bonds(bonds: IntArray, n: int) -> list[tuple[int, int, int, int]]:
    """Return the beads of all chains of three bonds."""
    near = _neighbours(bonds, n)
    return [
        (i, j, k, m)
        for j, k in bonds.tolist()
        for i in sorted(near[j])
        for m in sorted(near[k])
        if i != k and m != j and i != m
    ]
