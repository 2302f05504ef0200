"""Groups of beads counted in one configuration after another, beside the pairs of `cginit.sampling`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.coordinates.base import Coordinate, IntArray
from cginit.curves import Array

__all__ = ["TermCounter"]


@dataclass(frozen=True, eq=False)
class TermCounter:
    """Counts bonds, angles, dihedrals or the distances of given pairs: a `cginit.sampling.FrameCounter` of one row.

    Parameters
    ----------
    coordinate : Coordinate
        What is measured of each group.
    members : ndarray, shape (m, beads)
        The groups.
    x : ndarray, shape (n,)
        Uniform grid on which the bins are centred; what lies beyond is not counted.

    Examples
    --------
    >>> from cginit.coordinates import BOND
    >>> counter = TermCounter(BOND, np.array([[0, 1]]), np.array([0.5, 1.0, 1.5]))
    >>> counter.count(np.array([[0.1, 0, 0], [4.1, 0, 0]]), np.diag([5.0, 5, 5])).tolist()
    [[0, 1, 0]]
    """

    coordinate: Coordinate
    members: IntArray
    x: Array

    @property
    def shape(self) -> tuple[int, int]:
        """One row, and the points of the grid."""
        return 1, self.x.size

    def count(self, positions: NDArray[np.floating[Any]], vectors: Array) -> NDArray[np.int64]:
        """Return the counts ``(1, n)`` of positions ``(beads, 3)`` in a box of vectors ``(3, 3)``, as rows."""
        return self.coordinate.count(positions, vectors, self.members, self.x)[None, :]
