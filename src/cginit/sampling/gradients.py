"""Gradients of pair energies that are sums of B-splines, bead by bead, compiled by Numba.

Written as the counter of pairs is (`cginit.sampling.kernel`), with the difference that each bead looks at all of its
neighbours: the rows of a few beads are then complete, and those of all beads need never be in memory together.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.sampling.cells import (
    TURN,
    Counts,
    Ints,
    apart,
    columns_of,
    compiled,
    in_turns,
    sorted_by_cell,
    window,
)

__all__ = ["PairFunctions", "SortedBeads", "add_groups", "add_pairs", "sort_beads", "splines"]

Signs = NDArray[np.int8]


class SortedBeads(NamedTuple):
    """The beads of a configuration in the order of their cells.

    Attributes
    ----------
    turns : ndarray, shape (3, n)
        Positions in turns, in that order.
    order : ndarray, shape (n,)
        Number of each.
    begin : ndarray
        Where each cell begins.
    grid : tuple of int
        Number of cells along each lattice vector.
    lattice : ndarray, shape (3, 3)
        Lattice vectors, lower triangular.
    reach : float
        What is farther apart is not found.
    """

    turns: Ints
    order: Counts
    begin: Counts
    grid: tuple[int, int, int]
    lattice: Array
    reach: float


class PairFunctions(NamedTuple):
    """The functions of pairs of beads, sums of splines with equal steps, and on which pairs they act.

    Attributes
    ----------
    kinds : ndarray, shape (n,)
        Type of each bead, as the positions are ordered.
    pairs : ndarray, shape (kinds, kinds)
        Function of each pair of types; negative for none.
    excluded_begin, excluded : ndarray, shapes (n + 1,) and (k,)
        The beads that do not act on bead i are those from ``excluded_begin[i]`` on.
    origin, step, starts, sizes : ndarray, shape (functions,)
        Of each function: first knot, step, its first column and how many it has; the first of its splines is
        centred one step before the first knot, the last of them ends two steps after its centre.
    """

    kinds: Ints
    pairs: Ints
    excluded_begin: Counts
    excluded: Counts
    origin: Array
    step: Array
    starts: Counts
    sizes: Counts


@compiled
def splines(x: float, values: Array, slopes: Array) -> None:
    """Set the four cubic B-splines ``(4,)`` that reach a place `x` of [0, 1) between two knots, and their slopes."""
    y = 1.0 - x
    values[0] = y * y * y / 6.0
    values[1] = (3.0 * x * x * x - 6.0 * x * x + 4.0) / 6.0
    values[2] = (3.0 * y * y * y - 6.0 * y * y + 4.0) / 6.0
    values[3] = x * x * x / 6.0
    slopes[0] = -0.5 * y * y
    slopes[1] = 1.5 * x * x - 2.0 * x
    slopes[2] = 2.0 * y - 1.5 * y * y
    slopes[3] = 0.5 * x * x


@compiled
def sort_beads(positions: Array, lattice: Array, reach: float) -> SortedBeads:
    """Return beads, anywhere, in the order of their cells."""
    turns = in_turns(positions, lattice)
    m0, m1, m2 = columns_of(positions.shape[0], lattice, reach)
    order, begin = sorted_by_cell(turns, m0, m1, m2)
    placed = np.empty_like(turns)
    for k in range(order.size):
        for axis in range(3):
            placed[axis, k] = turns[axis, order[k]]
    return SortedBeads(placed, order, begin, (m0, m1, m2), lattice, reach)


@compiled
def add_pairs(
    first: int, rows: Array, divergence: Array, weights: Array, beads: SortedBeads, functions: PairFunctions
) -> None:
    """Add the gradients of the pair energies at the beads `first` on, in the order of the cells, to `rows`.

    Parameters
    ----------
    rows : ndarray, shape (m, 3, p)
        Derivatives of the energy of each column by the positions of m beads.
    divergence : ndarray, shape (p,)
        Sum of the second derivatives, each bead with its weight.
    weights : ndarray, shape (n,)
        Of each bead, as the positions are ordered.
    beads : SortedBeads
        Whose `reach` is beyond the end of the longest function.
    functions : PairFunctions
        What acts.
    """
    turns, order, begin, grid, lattice, reach = beads
    kinds, pairs, excluded_begin, excluded, origin, step, starts, sizes = functions
    m0, m1, m2 = grid
    h1, h2 = 0.5 / m1, 0.5 / m2
    ax, bx, cx = lattice[0, 0] / TURN, lattice[1, 0] / TURN, lattice[2, 0] / TURN
    by, cy, cz = lattice[1, 1] / TURN, lattice[2, 1] / TURN, lattice[2, 2] / TURN
    stamp, values, slopes = np.full(order.size, -1, np.int64), np.empty(4), np.empty(4)
    types = kinds[order]
    for i in range(first, first + rows.shape[0]):
        own, mine = order[i], np.uint64(i - first)
        for k in range(excluded_begin[own], excluded_begin[own + 1]):
            stamp[excluded[k]] = own
        t = (turns[0, i], turns[1, i], turns[2, i])
        home1 = (np.int64(np.uint32(t[1])) * m1) >> 32
        home2 = (np.int64(np.uint32(t[2])) * m2) >> 32
        for column in range(m1 * m2):
            b, c = column % m1, column // m1
            if apart((b - home1) / m1, (c - home2) / m2, h1, h2, lattice, reach):
                continue
            low, high = window(t, (b + 0.5) / m1, (c + 0.5) / m2, h1, h2, lattice, reach)
            if high < low:
                continue
            start, end = math.floor(low * m0), math.floor(high * m0) + 1
            if end - start >= m0:
                start, end = 0, m0
            for image in range(start // m0, (end - 1) // m0 + 1):
                lo = begin[column * m0 + max(start - image * m0, 0)]
                hi = begin[column * m0 + min(end - image * m0, m0)]
                for j in range(lo, hi):
                    da = np.float64(np.int32(t[0] - turns[0, j]))
                    db = np.float64(np.int32(t[1] - turns[1, j]))
                    dc = np.float64(np.int32(t[2] - turns[2, j]))
                    x, y, z = da * ax + db * bx + dc * cx, db * by + dc * cy, dc * cz
                    square = x * x + y * y + z * z
                    if square >= reach * reach or square == 0.0 or stamp[order[j]] == own:
                        continue
                    row = pairs[types[i], types[j]]
                    if row < 0:
                        continue
                    r = math.sqrt(square)
                    place = (r - origin[row]) / step[row]
                    if place < 0.0:
                        continue
                    knot = int(place)
                    splines(place - knot, values, slopes)
                    x, y, z = x / r, y / r, z / r
                    for m in range(min(4, sizes[row] - knot)):
                        at, h = np.uint64(starts[row] + knot + m), values[m]
                        rows[mine, 0, at] += h * x
                        rows[mine, 1, at] += h * y
                        rows[mine, 2, at] += h * z
                        divergence[at] += weights[own] * (slopes[m] / step[row] + 2.0 * h / r)


@compiled
def add_groups(
    first: int,
    rows: Array,
    rank: Counts,
    members: Counts,
    place: Array,
    gradient: Array,
    intervals: int,
    columns: Counts,
    signs: Signs,
) -> None:
    """Add the gradients of a bonded energy at the beads `first` on to `rows` ``(m, 3, p)``; see `add_pairs`.

    Parameters
    ----------
    rank : ndarray, shape (n,)
        Place of each bead in the order of the cells.
    members : ndarray, shape (k, beads)
        Groups of beads.
    place : ndarray, shape (k,)
        Coordinate of each group in steps from the first knot.
    gradient : ndarray, shape (k, beads, 3)
        Its derivatives.
    intervals, columns, signs
        Of this function.
    """
    values, slopes = np.empty(4), np.empty(4)
    for k in range(members.shape[0]):
        if place[k] < 0.0 or place[k] >= intervals:
            continue
        knot = int(place[k])
        splines(place[k] - knot, values, slopes)
        for bead in range(members.shape[1]):
            row = rank[members[k, bead]] - first
            if row < 0 or row >= rows.shape[0]:
                continue
            for m in range(4):
                column = columns[knot + m]
                if column >= 0:
                    h = signs[knot + m] * values[m]
                    for axis in range(3):
                        rows[row, axis, column] += h * gradient[k, bead, axis]
