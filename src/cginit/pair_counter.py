"""How many pairs of a configuration lie at each distance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.dependencies import load_freud

__all__ = ["PairCounter"]

#: All pairs are counted up to this many beads, if the sphere of range r_max fills this part of the box.
ALL_PAIRS_BEADS, ALL_PAIRS_PART = 3000, 0.25


class PairCounter:
    """Histogram of the distances between beads: by freud, or over all pairs where most of them are within reach.

    A neighbour search pays only if it leaves out most pairs. At a thousand beads and a range near half the
    box, MDAnalysis' loop over all pairs takes a third of the time.

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
            from MDAnalysis.lib.distances import self_distance_array

            return self._histogram(self_distance_array(np.asarray(positions, np.float32), box=_edges(box)))
        self._freud.compute((box, positions), reset=True)
        return np.asarray(self._freud.bin_counts, dtype=np.int64) // 2

    def count_between(
        self, box: Any, first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]
    ) -> NDArray[np.int64]:
        """Return the pairs ``(n_bins,)`` of one bead of `first` ``(n, 3)`` and one of `second` ``(m, 3)``."""
        if self._plain(box, max(len(first), len(second))):
            from MDAnalysis.lib.distances import distance_array

            r = distance_array(np.asarray(first, np.float32), np.asarray(second, np.float32), box=_edges(box))
            return self._histogram(r.ravel())
        self._freud.compute((box, first), query_points=second, reset=True)
        return np.asarray(self._freud.bin_counts, dtype=np.int64)

    def _plain(self, box: Any, n: int) -> bool:
        orthogonal = box.xy == box.xz == box.yz == 0.0
        sphere = 4.0 * np.pi / 3.0 * self._upper**3
        return bool(orthogonal and n <= ALL_PAIRS_BEADS and sphere > ALL_PAIRS_PART * box.volume)

    def _histogram(self, r: Array) -> NDArray[np.int64]:
        per_width = self._n_bins / (self._upper - self._lower)
        # Truncation rounds towards 0: bin 0 takes what lies below the first bin.
        bins = (r * per_width + (1.0 - self._lower * per_width)).astype(np.int32)
        return np.bincount(np.maximum(bins, 0, out=bins), minlength=self._n_bins + 2)[1 : self._n_bins + 1]


def _edges(box: Any) -> list[float]:
    return [*box.L, 90.0, 90.0, 90.0]
