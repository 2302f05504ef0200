"""How many pairs of a configuration lie at each distance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.dependencies import load_freud

__all__ = ["PairCounter"]

#: All pairs are counted up to this many beads, if the sphere of range r_max fills this part of the box.
ALL_PAIRS_BEADS, ALL_PAIRS_PART = 3000, 0.03
#: Pairs in one pass of the loop over all pairs, so that its work arrays stay in the cache.
PAIRS_PER_PASS = 1 << 16
#: Positions are counted in this part of a box edge, so that 32-bit integers wrap where the box does.
TURN = 2.0**32


class PairCounter:
    """Histogram of the distances between beads: by freud, or over all pairs where most of them are within reach.

    A neighbour search pays only if it leaves out most pairs. At five hundred beads and a range near half the box,
    the loop over all pairs takes a tenth of the time.

    Parameters
    ----------
    lower, upper : float
        Range of the bins; at most half the box.
    n_bins : int
        Number of bins.

    Attributes
    ----------
    shells : ndarray, shape (n_bins,)
        Volumes of the spherical shells.
    """

    def __init__(self, lower: float, upper: float, n_bins: int) -> None:
        freud = load_freud()
        self._lower, self._upper, self._n_bins = lower, upper, n_bins
        self.shells: Array = 4.0 * np.pi / 3.0 * np.diff(np.linspace(lower, upper, n_bins + 1) ** 3)
        # freud refuses bins that end at exactly half the box; two millionths less are no loss in single precision.
        self._freud = freud.density.RDF(bins=n_bins, r_max=upper * (1.0 - 2e-6), r_min=lower)

    def count(self, box: Any, positions: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return the pairs ``(n_bins,)`` of positions ``(n, 3)`` in a freud box, each pair once."""
        if self._plain(box, len(positions)):
            return self._count_all(_turns(positions, box), np.asarray(box.L))
        self._freud.compute((box, positions), reset=True)
        return np.asarray(self._freud.bin_counts, dtype=np.int64) // 2

    def count_between(
        self, box: Any, first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]
    ) -> NDArray[np.int64]:
        """Return the pairs ``(n_bins,)`` of one bead of `first` ``(n, 3)`` and one of `second` ``(m, 3)``."""
        if self._plain(box, max(len(first), len(second))):
            return self._count_all_between(_turns(first, box), _turns(second, box), np.asarray(box.L))
        self._freud.compute((box, first), query_points=second, reset=True)
        return np.asarray(self._freud.bin_counts, dtype=np.int64)

    def _plain(self, box: Any, n: int) -> bool:
        orthogonal = box.xy == box.xz == box.yz == 0.0
        sphere = 4.0 * np.pi / 3.0 * self._upper**3
        return bool(orthogonal and n <= ALL_PAIRS_BEADS and sphere > ALL_PAIRS_PART * box.volume)

    def _count_all(self, turns: NDArray[np.int32], edges: Array) -> NDArray[np.int64]:
        n = turns.shape[1]
        counts = np.zeros(self._n_bins, dtype=np.int64)
        # Row k of the windows holds bead i + k (mod n) at column i: rows 1 to (n - 1) / 2 hold each pair once.
        shifted = sliding_window_view(np.concatenate((turns, turns[:, :-1]), axis=1), n, axis=1)
        rows = max(1, PAIRS_PER_PASS // max(n, 1))
        last = (n - 1) // 2
        for k in range(1, last + 1, rows):
            counts += self._histogram(shifted[:, k : min(k + rows, last + 1)], turns[:, None, :], edges)
        if n and n % 2 == 0:
            half = n // 2  # bead i + n / 2 meets bead i in both halves
            counts += self._histogram(turns[:, half:], turns[:, :half], edges)
        return counts

    def _count_all_between(
        self, first: NDArray[np.int32], second: NDArray[np.int32], edges: Array
    ) -> NDArray[np.int64]:
        counts = np.zeros(self._n_bins, dtype=np.int64)
        rows = max(1, PAIRS_PER_PASS // max(second.shape[1], 1))
        for k in range(0, first.shape[1], rows):
            counts += self._histogram(first[:, k : k + rows, None], second[:, None, :], edges)
        return counts

    def _histogram(
        self, first: NDArray[np.int32], second: NDArray[np.int32], edges: Array
    ) -> NDArray[np.int64]:
        # In widths of a bin, so that truncation gives the bin.
        per_width = self._n_bins / (self._upper - self._lower)
        square: NDArray[np.float32] | np.float32 = np.float32(0.0)
        for a, b, edge in zip(first, second, edges, strict=True):
            # The difference of two integers wraps to the nearest image.
            along = np.subtract(a, b).astype(np.float32)
            along *= np.float32(edge * per_width / TURN)
            along *= along
            square = np.add(square, along, out=along)
        distance = np.sqrt(square)
        # Truncation rounds towards 0: bin 0 takes what lies below the first bin.
        distance += np.float32(1.0 - self._lower * per_width)
        bins = np.maximum(distance, np.float32(0.0), out=distance).astype(np.intp)
        return np.bincount(bins.ravel(), minlength=self._n_bins + 2)[1 : self._n_bins + 1]


def _turns(positions: NDArray[np.floating[Any]], box: Any) -> NDArray[np.int32]:
    # Shape (3, n): each coordinate as a part of its edge, of which 32 bits after the point are kept.
    parts = np.asarray(positions, dtype=np.float64).T / np.asarray(box.L, dtype=np.float64)[:, None]
    return np.floor((parts - np.floor(parts)) * TURN).astype(np.int64).astype(np.uint32).view(np.int32)
