"""What the bonded coordinates have in common: their contract and their histogram."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.bonded import BondedPotential, Distribution
from cginit.bonded_grids import grid_step, period
from cginit.curves import Array

__all__ = ["Coordinate", "IntArray", "Positions", "histogram"]

IntArray = NDArray[np.int64]
#: Positions of one configuration ``(n, 3)`` or of several ``(frames, n, 3)``, wrapped or not.
Positions = NDArray[np.floating[Any]]


class Coordinate(Protocol):
    r"""A function of the positions of a few beads that a bonded interaction depends on.

    The energy of a configuration is :math:`\sum_b n_b U(x_b)` with the counts of all groups of beads on which
    the interaction acts.
    """

    @property
    def name(self) -> str:
        """``bond``, ``angle`` or ``dihedral``."""
        ...

    @property
    def beads(self) -> int:
        """How many beads a group has."""
        ...

    def measure(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        """Return the coordinate ``(..., m)`` of each group ``(m, beads)``, across the box by the nearest images."""
        ...

    def gradient(self, positions: Positions, members: IntArray, box: ArrayLike) -> tuple[Array, Array]:
        """Return the coordinate ``(m,)`` in one configuration, and its derivatives by positions ``(m, beads, 3)``."""
        ...

    def laplacian(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        """Return the sums of the second derivatives of the coordinate by the place of each bead ``(m, beads)``."""
        ...

    def count(self, positions: Positions, box: ArrayLike, members: IntArray, bins: Array) -> IntArray:
        """Return how many groups are in the bin of each grid point, ``(n,)``, or ``(frames, n)`` of several frames.

        Parameters
        ----------
        positions : ndarray, shape (n_beads, 3) or (frames, n_beads, 3)
            Beads, wrapped or not.
        box : array_like, shape (3,) or (3, 3)
            Edges or lattice vectors.
        members : ndarray, shape (m, beads)
            Groups of beads.
        bins : ndarray, shape (n,)
            Uniform grid on which the bins are centred; what lies beyond is not counted.
        """
        ...

    def ideal(self, bins: Array) -> Array:
        """Return the mean of the measure over each bin ``(n,)``: what a free group has, up to a factor."""
        ...

    def invert(self, target: Distribution, kT: float) -> BondedPotential:
        """Return the Boltzmann inversion of a distribution, closed where it shows nothing."""
        ...

    def settle(self, potential: BondedPotential, target: Distribution, kT: float) -> BondedPotential:
        """Return a changed potential made fit to simulate: closed anew where the target shows nothing, minimum 0."""
        ...


def histogram(values: Array, bins: Array, coordinate: str) -> IntArray:
    """Return the counts ``(..., n)`` of values ``(..., m)`` in bins centred on a grid ``(n,)``.

    The bin of a point holds its lower edge. Values that are not numbers are in no bin.
    """
    step = grid_step(bins, coordinate)
    if coordinate == "angle":
        # A straight angle belongs to the bin that ends there.
        values = np.minimum(values, np.pi * (1.0 - 1e-12))
    place = np.floor((values - bins[0]) / step + 0.5)
    inside = np.isfinite(place)
    if period(coordinate):
        place = np.mod(place, bins.size)
    else:
        inside &= (place >= 0) & (place < bins.size)
    index = np.where(inside, place, 0).astype(np.int64)
    if values.ndim == 1:
        return np.bincount(index[inside], minlength=bins.size).astype(np.int64)
    frames = values.shape[0]
    index += bins.size * np.arange(frames)[:, None]
    counts = np.bincount(index[inside], minlength=frames * bins.size)
    return counts.astype(np.int64).reshape(frames, bins.size)
