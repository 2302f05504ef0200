"""The angle of two bonds."""

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

__all__ = ["ANGLE", "Angle"]

#: Sine below which a straight angle counts as this bent, so that its derivative stays finite.
LEAST_SINE = 1e-6


@dataclass(frozen=True)
class Angle:
    r"""Angle :math:`\theta` in [0, pi] at the middle of three beads; its measure is :math:`\sin\theta`."""

    name: str = "angle"
    beads: int = 3

    def measure(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        """Return the angles ``(..., m)`` in radians; see `Coordinate`."""
        middle = positions[..., members[:, 1], :]
        a = minimum_image(positions[..., members[:, 0], :] - middle, box)
        b = minimum_image(positions[..., members[:, 2], :] - middle, box)
        # The arc cosine loses half the digits of an angle close to 0 or pi.
        cross = np.cross(a, b)
        sine, cosine = np.sqrt(np.einsum("...i,...i->...", cross, cross)), np.einsum("...i,...i->...", a, b)
        return np.asarray(np.arctan2(sine, cosine), dtype=np.float64)

    def gradient(self, positions: Positions, members: IntArray, box: ArrayLike) -> tuple[Array, Array]:
        """Return angles and their derivatives; see `Coordinate`."""
        middle = positions[members[:, 1]]
        a = minimum_image(positions[members[:, 0]] - middle, box)
        b = minimum_image(positions[members[:, 2]] - middle, box)
        la, lb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        ua, ub = a / la[:, None], b / lb[:, None]
        cosine = np.einsum("ij,ij->i", ua, ub)
        sine = np.maximum(np.linalg.norm(np.cross(ua, ub), axis=1), LEAST_SINE)
        first = (cosine[:, None] * ua - ub) / (la * sine)[:, None]
        last = (cosine[:, None] * ub - ua) / (lb * sine)[:, None]
        return np.arctan2(sine, cosine), np.stack([first, -first - last, last], axis=1)

    def laplacian(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        r"""Return the sums of second derivatives; see `Coordinate`.

        With the lengths a and b of the two bonds they are :math:`\cot\theta / a^2` and :math:`\cot\theta / b^2` at
        the ends, and their sum less :math:`2 / (a b \sin\theta)` in the middle.
        """
        middle = positions[members[:, 1]]
        a = minimum_image(positions[members[:, 0]] - middle, box)
        b = minimum_image(positions[members[:, 2]] - middle, box)
        la, lb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        cosine = np.einsum("ij,ij->i", a, b) / (la * lb)
        sine = np.maximum(np.linalg.norm(np.cross(a, b), axis=1) / (la * lb), LEAST_SINE)
        first, last = cosine / sine / la**2, cosine / sine / lb**2
        return np.stack([first, first + last - 2.0 / (la * lb * sine), last], axis=1)

    def count(self, positions: Positions, box: ArrayLike, members: IntArray, bins: Array) -> IntArray:
        """Return the counts; see `Coordinate`."""
        return histogram(self.measure(positions, members, box), bins, self.name)

    def ideal(self, bins: Array) -> Array:
        r"""Return the mean of :math:`\sin\theta` over each bin."""
        lower, upper = bin_edges(bins, self.name)
        return np.asarray((np.cos(lower) - np.cos(upper)) / (upper - lower), dtype=np.float64)

    def invert(self, target: Distribution, kT: float) -> BondedPotential:
        r"""Return :math:`-kT \ln(p(\theta)/\sin\theta)`, closed where no angle was seen; see `Coordinate`."""
        return inverted(target, self.ideal(target.x), kT)

    def settle(self, potential: BondedPotential, target: Distribution, kT: float) -> BondedPotential:
        """Return the potential closed where the target shows nothing; see `Coordinate`."""
        return settled(potential, target, kT)


#: The angle of two bonds.
ANGLE = Angle()
