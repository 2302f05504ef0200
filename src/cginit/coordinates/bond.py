"""The length of a bond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cginit.bonded import BondedPotential, Distribution
from cginit.bonded_grids import bin_edges
from cginit.coordinates.base import IntArray, Positions, histogram
from cginit.coordinates.inversion import inverted, settled
from cginit.curves import Array
from cginit.periodic import minimum_image

__all__ = ["BOND", "Bond"]


@dataclass(frozen=True)
class Bond:
    r"""Distance b of two bonded beads; its measure is :math:`b^2`."""

    name: str = "bond"
    beads: int = 2

    def measure(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        """Return the lengths ``(..., m)``; see `Coordinate`."""
        vectors = minimum_image(positions[..., members[:, 1], :] - positions[..., members[:, 0], :], box)
        return np.asarray(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)), dtype=np.float64)

    def gradient(self, positions: Positions, members: IntArray, box: ArrayLike) -> tuple[Array, Array]:
        """Return lengths and unit vectors; see `Coordinate`."""
        vectors = minimum_image(positions[members[:, 1]] - positions[members[:, 0]], box)
        length = np.linalg.norm(vectors, axis=1)
        along = vectors / length[:, None]
        return length, np.stack([-along, along], axis=1)

    def laplacian(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        r"""Return :math:`2 / b` of both beads; see `Coordinate`."""
        own = 2.0 / self.measure(positions, members, box)
        return np.stack([own, own], axis=1)

    def count(self, positions: Positions, box: ArrayLike, members: IntArray, bins: Array) -> IntArray:
        """Return the counts; see `Coordinate`."""
        return histogram(self.measure(positions, members, box), bins, self.name)

    def ideal(self, bins: Array) -> Array:
        r"""Return the mean of :math:`b^2` over each bin."""
        lower, upper = bin_edges(bins, self.name)
        return np.asarray((upper**3 - lower**3) / (3.0 * (upper - lower)), dtype=np.float64)

    def invert(self, target: Distribution, kT: float) -> BondedPotential:
        r"""Return :math:`-kT \ln(p(b)/b^2)` with walls that hold the bond; see `Coordinate`."""
        return inverted(target, self.ideal(target.x), kT)

    def settle(self, potential: BondedPotential, target: Distribution, kT: float) -> BondedPotential:
        """Return the potential with walls where the target shows nothing; see `Coordinate`."""
        return settled(potential, target, kT)


#: The length of a bond.
BOND = Bond()
