"""The loops of the pair counter, compiled by Numba; `cginit.sampling.counter` is what calls them.

Written for the vector units of a processor: the innermost loop turns a contiguous run of beads into bin numbers
without a branch, a second one adds them to the histogram. Indices there are unsigned, because a signed one would be
tested for Python's counting from the end, which keeps a loop from being vectorised.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

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

__all__ = ["CountedPairs", "PairBins", "count_pairs_in_frame"]

#: Distances whose bins are found at once: the buffer stays in the nearest cache.
RUN = 256
#: Copies of the histogram that take turns: adding twice in a row to one place has to wait for the first to end.
COPIES = 4


class CountedPairs(NamedTuple):
    """Which pairs of beads count, and where.

    Attributes
    ----------
    kinds, molecules : ndarray, shape (n,), int32
        Type and molecule of each bead; two beads of one molecule do not count.
    rows : ndarray, shape (kinds, kinds), int32
        Row of the result for each pair of types; `n_rows` for those that do not count.
    n_rows : int
        Rows of the result.
    excluded : ndarray, shape (k, 2)
        Pairs of beads that do not count, none of them twice.
    alike : bool
        Whether all pairs count, in row 0: all the rest but `n_rows` is not looked at.
    """

    kinds: Ints
    molecules: Ints
    rows: Ints
    n_rows: int
    excluded: Counts
    alike: bool


class PairBins(NamedTuple):
    """The bins of distances.

    Attributes
    ----------
    per_width, shift : float
        A distance r lies in bin ``floor(r per_width + shift) - 1``.
    number : int
        Bins of the result.
    reach : float
        Distance beyond which there is no bin, with a margin for the rounding to single precision.
    """

    per_width: float
    shift: float
    number: int
    reach: float


class _Scale(NamedTuple):
    """How differences in turns become bins: lattice in widths of a bin for each turn, shift, and the last bin."""

    lattice: tuple[np.float32, np.float32, np.float32, np.float32, np.float32, np.float32]
    shift: np.float32
    last: np.float32


@compiled
def _bin(
    t: tuple[np.int32, np.int32, np.int32], u: tuple[np.int32, np.int32, np.int32], scale: _Scale
) -> np.int32:
    """Return the bin of two beads: 0 is nearer than the first, the last is beyond all others.

    The lattice is in widths of a bin for each turn, so that truncation gives the bin. All in single precision.
    """
    (ax, bx, cx, by, cy, cz), shift, last = scale
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


@compiled
def _scan_alike(i: int, lo: int, hi: int, beads: Ints, scale: _Scale, buffer: Ints, counts: Counts) -> None:
    """Count the pairs of bead i and the beads lo to hi, all of one type."""
    here = (beads[0, i], beads[1, i], beads[2, i])
    for start in range(lo, hi, RUN):
        m = min(RUN, hi - start)
        a, b, c = beads[0, start : start + m], beads[1, start : start + m], beads[2, start : start + m]
        for k in range(m):
            buffer[k] = _bin((a[k], b[k], c[k]), here, scale)
        _add(buffer, m, counts)


@compiled
def _scan_typed(
    i: int, lo: int, hi: int, beads: Ints, rows: Ints, scale: _Scale, buffer: Ints, counts: Counts
) -> None:
    """Count the pairs of bead i and the beads lo to hi, by type, without those of the molecule of i."""
    here = (beads[0, i], beads[1, i], beads[2, i])
    row, molecule = rows[beads[3, i]], beads[4, i]
    for start in range(lo, hi, RUN):
        m = min(RUN, hi - start)
        a, b, c = beads[0, start : start + m], beads[1, start : start + m], beads[2, start : start + m]
        kinds, molecules = beads[3, start : start + m], beads[4, start : start + m]
        for k in range(m):
            found = _bin((a[k], b[k], c[k]), here, scale)
            # Bin 0 is none of those that are asked for.
            buffer[k] = np.int32(0) if molecules[k] == molecule else found
        # By itself: a loop with a look-up would not be vectorised.
        for k in range(m):
            buffer[k] += row[np.uint32(kinds[k])]
        _add(buffer, m, counts)


@compiled
def _add(buffer: Ints, m: int, counts: Counts) -> None:
    whole = m - m % COPIES
    for k in range(0, whole, COPIES):
        counts[0, np.uint32(buffer[k])] += 1
        counts[1, np.uint32(buffer[k + 1])] += 1
        counts[2, np.uint32(buffer[k + 2])] += 1
        counts[3, np.uint32(buffer[k + 3])] += 1
    for k in range(whole, m):
        counts[0, np.uint32(buffer[k])] += 1


@compiled
def _scale(lattice: Array, bins: PairBins) -> _Scale:
    unit = bins.per_width / TURN
    scaled = (
        np.float32(lattice[0, 0] * unit),
        np.float32(lattice[1, 0] * unit),
        np.float32(lattice[2, 0] * unit),
        np.float32(lattice[1, 1] * unit),
        np.float32(lattice[2, 1] * unit),
        np.float32(lattice[2, 2] * unit),
    )
    return _Scale(scaled, np.float32(bins.shift), np.float32(bins.number + 1))


@compiled
def count_pairs_in_frame(positions: Array, lattice: Array, pairs: CountedPairs, bins: PairBins) -> Counts:
    """Return the pairs ``(rows, bins)`` of beads in each bin of their distance, each pair once.

    Parameters
    ----------
    positions : ndarray, shape (n, 3)
        Anywhere.
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows, lower triangular, with a positive diagonal.
    pairs : CountedPairs
        What counts.
    bins : PairBins
        By which distance.
    """
    kinds, molecules, rows, n_rows, excluded, alike = pairs
    n, stride, reach, scale = positions.shape[0], bins.number + 2, bins.reach, _scale(lattice, bins)
    turns = in_turns(positions, lattice)
    m0, m1, m2 = columns_of(n, lattice, reach)
    order, begin = sorted_by_cell(turns, m0, m1, m2)
    beads = np.empty((5, n), np.int32)
    for k in range(n):
        beads[0, k], beads[1, k], beads[2, k] = turns[0, order[k]], turns[1, order[k]], turns[2, order[k]]
        beads[3, k], beads[4, k] = kinds[order[k]], molecules[order[k]]
    offsets = (rows * stride).astype(np.int32)
    buffer, counts = np.empty(RUN, np.int32), np.zeros((COPIES, (n_rows + 1) * stride), np.int64)
    h1, h2 = 0.5 / m1, 0.5 / m2
    for home in range(m1 * m2):
        for column in range(home, m1 * m2):
            b, c = column % m1, column // m1
            if apart((b - home % m1) / m1, (c - home // m1) / m2, h1, h2, lattice, reach):
                continue
            for i in range(begin[home * m0], begin[(home + 1) * m0]):
                t = (beads[0, i], beads[1, i], beads[2, i])
                low, high = window(t, (b + 0.5) / m1, (c + 0.5) / m2, h1, h2, lattice, reach)
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
                        _scan_alike(i, lo, hi, beads, scale, buffer, counts)
                    else:
                        _scan_typed(i, lo, hi, beads, offsets, scale, buffer, counts)
    if not alike:
        for k in range(excluded.shape[0]):
            i, j = excluded[k, 0], excluded[k, 1]
            if molecules[i] != molecules[j]:
                # By the same arithmetic as it was counted.
                t, u = (turns[0, i], turns[1, i], turns[2, i]), (turns[0, j], turns[1, j], turns[2, j])
                counts[0, offsets[kinds[i], kinds[j]] + _bin(t, u, scale)] -= 1
    whole: Counts = counts.sum(axis=0).reshape(n_rows + 1, stride)
    return whole[:n_rows, 1:-1]
