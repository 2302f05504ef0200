"""The loops of the pair counter, compiled by Numba; `cginit.sampling.counter` is what calls them.

Written for the vector units of a processor: the innermost loop turns a contiguous run of beads into bin numbers
without a branch, a second one adds them to the histogram. Indices there are unsigned, because a signed one would be
tested for Python's counting from the end, which keeps a loop from being vectorised.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cginit.curves import Array

__all__ = ["count_pairs_in_frame"]

Function = TypeVar("Function", bound=Callable[..., Any])
Ints = NDArray[np.int32]
Counts = NDArray[np.int64]

#: Positions are counted in this part of a lattice vector, so that 32-bit integers wrap where the box does.
TURN = 2.0**32
#: Distances whose bins are found at once: the buffer stays in the nearest cache.
RUN = 256
#: Copies of the histogram that take turns: adding twice in a row to one place has to wait for the first to end.
COPIES = 4
#: Beads in the part of a column within reach that make it worth its start. Between 60 and 150 the time is flat.
COLUMN = 80.0


def _compiled(function: Function) -> Function:
    """Compile at the first call, or take what an earlier process left in the cache.

    Numba keeps it beside this file, or under the home folder where that cannot be written to, or where the
    environment variable NUMBA_CACHE_DIR says. Where there is no such place either (a container that is read-only)
    each process compiles for itself.
    """
    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast(Function, njit(nogil=True)(function))


@_compiled
def _turns(positions: Array, lattice: Array) -> Ints:
    """Return coordinates ``(3, n)`` as parts of the lattice vectors, of which 32 bits after the point are kept."""
    n = positions.shape[0]
    turns = np.empty((3, n), np.int32)
    for i in range(n):
        c = positions[i, 2] / lattice[2, 2]
        b = (positions[i, 1] - c * lattice[2, 1]) / lattice[1, 1]
        a = (positions[i, 0] - c * lattice[2, 0] - b * lattice[1, 0]) / lattice[0, 0]
        for axis, part in enumerate((a, b, c)):
            turns[axis, i] = np.int32(np.uint32(np.int64(math.floor((part - math.floor(part)) * TURN))))
    return turns


@_compiled
def _sorted_by_cell(turns: Ints, m0: int, m1: int, m2: int) -> tuple[Counts, Counts]:
    """Return the beads ordered by cell, and where each cell begins; cells run along the first vector fastest."""
    n = turns.shape[1]
    cell = np.empty(n, np.int64)
    begin = np.zeros(m0 * m1 * m2 + 1, np.int64)
    for i in range(n):
        a = (np.int64(np.uint32(turns[0, i])) * m0) >> 32
        b = (np.int64(np.uint32(turns[1, i])) * m1) >> 32
        c = (np.int64(np.uint32(turns[2, i])) * m2) >> 32
        cell[i] = (c * m1 + b) * m0 + a
        begin[cell[i] + 1] += 1
    for k in range(begin.size - 1):
        begin[k + 1] += begin[k]
    place = begin[:-1].copy()
    order = np.empty(n, np.int64)
    for i in range(n):
        order[place[cell[i]]] = i
        place[cell[i]] += 1
    return order, begin


@_compiled
def _bin(
    t: tuple[np.int32, np.int32, np.int32],
    u: tuple[np.int32, np.int32, np.int32],
    lattice: tuple[np.float32, np.float32, np.float32, np.float32, np.float32, np.float32],
    shift: np.float32,
    last: np.float32,
) -> np.int32:
    """Return the bin of two beads: 0 is nearer than the first, `last` is beyond the last.

    The lattice is in widths of a bin for each turn, so that truncation gives the bin. All in single precision.
    """
    ax, bx, cx, by, cy, cz = lattice
    # The difference of two integers wraps to the nearest image.
    a, b, c = (
        np.float32(np.int32(t[0] - u[0])),
        np.float32(np.int32(t[1] - u[1])),
        np.float32(np.int32(t[2] - u[2])),
    )
    x = a * ax + b * bx + c * cx
    y = b * by + c * cy
    z = c * cz
    r = np.sqrt(x * x + y * y + z * z) + shift
    # Truncation rounds towards 0: bin 0 takes what lies below the first bin.
    return np.int32(min(max(r, np.float32(0.0)), last))


@_compiled
def _scan_alike(
    i: int, lo: int, hi: int, beads: Ints, lattice: Any, shift: Any, last: Any, buffer: Ints, counts: Counts
) -> None:
    """Count the pairs of bead i and the beads lo to hi, all of one type."""
    here = (beads[0, i], beads[1, i], beads[2, i])
    for start in range(lo, hi, RUN):
        m = min(RUN, hi - start)
        a, b, c = beads[0, start : start + m], beads[1, start : start + m], beads[2, start : start + m]
        for k in range(m):
            buffer[k] = _bin((a[k], b[k], c[k]), here, lattice, shift, last)
        _add(buffer, m, counts)


@_compiled
def _scan_typed(
    i: int,
    lo: int,
    hi: int,
    beads: Ints,
    rows: Ints,
    lattice: Any,
    shift: Any,
    last: Any,
    buffer: Ints,
    counts: Counts,
) -> None:
    """Count the pairs of bead i and the beads lo to hi, by type, without those of the molecule of i."""
    here = (beads[0, i], beads[1, i], beads[2, i])
    row, molecule = rows[beads[3, i]], beads[4, i]
    for start in range(lo, hi, RUN):
        m = min(RUN, hi - start)
        a, b, c = beads[0, start : start + m], beads[1, start : start + m], beads[2, start : start + m]
        kinds, molecules = beads[3, start : start + m], beads[4, start : start + m]
        for k in range(m):
            found = _bin((a[k], b[k], c[k]), here, lattice, shift, last)
            # Bin 0 is none of those that are asked for.
            buffer[k] = np.int32(0) if molecules[k] == molecule else found
        # By itself: a loop with a look-up would not be vectorised.
        for k in range(m):
            buffer[k] += row[np.uint32(kinds[k])]
        _add(buffer, m, counts)


@_compiled
def _add(buffer: Ints, m: int, counts: Counts) -> None:
    whole = m - m % COPIES
    for k in range(0, whole, COPIES):
        counts[0, np.uint32(buffer[k])] += 1
        counts[1, np.uint32(buffer[k + 1])] += 1
        counts[2, np.uint32(buffer[k + 2])] += 1
        counts[3, np.uint32(buffer[k + 3])] += 1
    for k in range(whole, m):
        counts[0, np.uint32(buffer[k])] += 1


@_compiled
def _columns(n: int, lattice: Array, reach: float) -> tuple[int, int, int]:
    """Return the cells along the three lattice vectors: columns along the first, of about one bead a cell."""
    density = n / (lattice[0, 0] * lattice[1, 1] * lattice[2, 2])
    # A chord of the sphere is 4/3 of its radius on average.
    width = math.sqrt(COLUMN / (4.0 / 3.0 * density * reach))
    m1, m2 = max(1, int(lattice[1, 1] / width)), max(1, int(lattice[2, 2] / width))
    return max(1, n // (m1 * m2)), m1, m2


@_compiled
def _window(
    t: tuple[np.int32, np.int32, np.int32],
    b: float,
    c: float,
    h1: float,
    h2: float,
    lattice: Array,
    reach: float,
) -> tuple[float, float]:
    """Return between which parts of the first lattice vector a column may hold beads within reach of one.

    The column is centred on the parts `b` and `c` of the other two vectors and reaches h1 and h2 to each side.
    Nothing is within reach where the second number is below the first.
    """
    b -= np.uint32(t[1]) / TURN
    c -= np.uint32(t[2]) / TURN
    b -= math.floor(b + 0.5)
    c -= math.floor(c + 0.5)
    z = max(0.0, abs(c) - h2) * lattice[2, 2]
    if z > reach:
        return 1.0, 0.0
    skew = lattice[1, 0] != 0.0 or lattice[2, 0] != 0.0 or lattice[2, 1] != 0.0
    if skew and (abs(b) + h1 > 0.5 or abs(c) + h2 > 0.5):
        # Half of the column is nearest in another image, which in a skewed box lies elsewhere along it.
        return 0.0, 1.0
    y = max(0.0, abs(b * lattice[1, 1] + c * lattice[2, 1]) - h1 * lattice[1, 1] - h2 * abs(lattice[2, 1]))
    square = reach * reach - y * y - z * z
    if square < 0.0:
        return 1.0, 0.0
    half = math.sqrt(square) + h1 * abs(lattice[1, 0]) + h2 * abs(lattice[2, 0])
    middle = np.uint32(t[0]) / TURN - (b * lattice[1, 0] + c * lattice[2, 0]) / lattice[0, 0]
    return middle - half / lattice[0, 0], middle + half / lattice[0, 0]


@_compiled
def _apart(b: float, c: float, h1: float, h2: float, lattice: Array, reach: float) -> bool:
    """Whether two columns, a part `b` and `c` of the vectors apart, are out of reach of each other."""
    b -= math.floor(b + 0.5)
    c -= math.floor(c + 0.5)
    z = max(0.0, abs(c) - 2.0 * h2) * lattice[2, 2]
    # Of a skewed box only what holds for every image.
    y = max(0.0, abs(b) - 2.0 * h1) * lattice[1, 1] if lattice[2, 1] == 0.0 else 0.0
    return bool(y * y + z * z > reach * reach)


@_compiled
def count_pairs_in_frame(
    positions: Array,
    lattice: Array,
    kinds: Ints,
    molecules: Ints,
    rows: Ints,
    n_rows: int,
    excluded: Counts,
    per_width: float,
    shift: float,
    n_bins: int,
    reach: float,
    alike: bool,
) -> Counts:
    """Return the pairs ``(n_rows, n_bins)`` of beads in each bin of their distance, each pair once.

    Parameters
    ----------
    positions : ndarray, shape (n, 3)
        Anywhere.
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows, lower triangular, with a positive diagonal.
    kinds, molecules : ndarray, shape (n,), int32
        Type and molecule of each bead; two beads of one molecule do not count.
    rows : ndarray, shape (kinds, kinds), int32
        Row of the result for each pair of types; `n_rows` for those that do not count.
    n_rows : int
        Rows of the result.
    excluded : ndarray, shape (k, 2)
        Pairs of beads that do not count, none of them twice.
    per_width, shift : float
        A distance r lies in bin ``floor(r per_width + shift) - 1``.
    n_bins : int
        Bins of the result.
    reach : float
        Distance beyond which there is no bin, with a margin for the rounding to single precision.
    alike : bool
        Whether all pairs count, in row 0: `kinds`, `molecules`, `rows` and `excluded` are not looked at.
    """
    n, stride = positions.shape[0], n_bins + 2
    turns = _turns(positions, lattice)
    m0, m1, m2 = _columns(n, lattice, reach)
    order, begin = _sorted_by_cell(turns, m0, m1, m2)
    beads = np.empty((5, n), np.int32)
    for k in range(n):
        beads[0, k], beads[1, k], beads[2, k] = turns[0, order[k]], turns[1, order[k]], turns[2, order[k]]
        beads[3, k], beads[4, k] = kinds[order[k]], molecules[order[k]]
    offsets = (rows * stride).astype(np.int32)
    unit, last, start = per_width / TURN, np.float32(n_bins + 1), np.float32(shift)
    scaled = (
        np.float32(lattice[0, 0] * unit),
        np.float32(lattice[1, 0] * unit),
        np.float32(lattice[2, 0] * unit),
        np.float32(lattice[1, 1] * unit),
        np.float32(lattice[2, 1] * unit),
        np.float32(lattice[2, 2] * unit),
    )
    buffer, counts = np.empty(RUN, np.int32), np.zeros((COPIES, (n_rows + 1) * stride), np.int64)
    h1, h2 = 0.5 / m1, 0.5 / m2
    for home in range(m1 * m2):
        for column in range(home, m1 * m2):
            b, c = column % m1, column // m1
            if _apart((b - home % m1) / m1, (c - home // m1) / m2, h1, h2, lattice, reach):
                continue
            for i in range(begin[home * m0], begin[(home + 1) * m0]):
                t = (beads[0, i], beads[1, i], beads[2, i])
                low, high = _window(t, (b + 0.5) / m1, (c + 0.5) / m2, h1, h2, lattice, reach)
                if high < low:
                    continue
                first, end = math.floor(low * m0), math.floor(high * m0) + 1
                if end - first >= m0:
                    first, end = 0, m0
                # The window may begin in the image before this box or in the one after it, and may end there.
                for image in range(first // m0, (end - 1) // m0 + 1):
                    lo = begin[column * m0 + max(first - image * m0, 0)]
                    hi = begin[column * m0 + min(end - image * m0, m0)]
                    lo = max(lo, i + 1)  # each pair once
                    if lo >= hi:
                        continue
                    if alike:
                        _scan_alike(i, lo, hi, beads, scaled, start, last, buffer, counts)
                    else:
                        _scan_typed(i, lo, hi, beads, offsets, scaled, start, last, buffer, counts)
    for k in range(excluded.shape[0]):
        i, j = excluded[k, 0], excluded[k, 1]
        if not alike and molecules[i] != molecules[j]:
            # By the same arithmetic as it was counted.
            t, u = (turns[0, i], turns[1, i], turns[2, i]), (turns[0, j], turns[1, j], turns[2, j])
            counts[0, offsets[kinds[i], kinds[j]] + _bin(t, u, scaled, start, last)] -= 1
    result = np.zeros((n_rows, n_bins), np.int64)
    for row in range(n_rows):
        for k in range(n_bins):
            for copy in range(COPIES):
                result[row, k] += counts[copy, row * stride + k + 1]
    return result
