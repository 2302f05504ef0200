"""The dihedral angle of three bonds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cginit.bonded import BondedPotential, Distribution
from cginit.coordinates.base import IntArray, Positions, histogram
from cginit.coordinates.inversion import inverted, settled
from cginit.curves import Array
from cginit.periodic import minimum_image

__all__ = ["DIHEDRAL", "Dihedral"]

#: Square of the sine of a bond angle, times the lengths, below which three beads count as this bent.
LEAST_NORMAL = 1e-12


@dataclass(frozen=True)
class Dihedral:
    r"""Angle :math:`\phi` in [-pi, pi) between the planes of beads 1, 2, 3 and 2, 3, 4; its measure is 1.

    With the bonds :math:`b_1, b_2, b_3` from each bead to the next,

    .. math:: \phi = \operatorname{atan2}\big(|b_2|\, b_1 \cdot (b_2 \times b_3),\;
        (b_1 \times b_2) \cdot (b_2 \times b_3)\big):

    0 where beads 1 and 4 are on one side (cis), pi where they are opposite (trans); the sign of IUPAC, as in LAMMPS,
    GROMACS and VOTCA.
    """

    name: str = "dihedral"
    beads: int = 4

    def measure(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        """Return the dihedrals ``(..., m)`` in radians; see `Coordinate`."""
        r = [positions[..., members[:, k], :] for k in range(4)]
        b1, b2, b3 = (minimum_image(r[k + 1] - r[k], box) for k in range(3))
        n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
        length = np.sqrt(np.einsum("...i,...i->...", b2, b2))
        sine, cosine = length * np.einsum("...i,...i->...", b1, n2), np.einsum("...i,...i->...", n1, n2)
        return np.asarray(np.arctan2(sine, cosine), dtype=np.float64)

    def gradient(self, positions: Positions, members: IntArray, box: ArrayLike) -> tuple[Array, Array]:
        """Return dihedrals and their derivatives (Blondel and Karplus); see `Coordinate`.

        Source: J. Comput. Chem. 17, 1132 (1996), doi:10.1002/(SICI)1096-987X(19960715)17:9<1132::AID-JCC5>3.0.CO;2-T.
        """
        r = [positions[members[:, k]] for k in range(4)]
        b1, b2, b3 = (minimum_image(r[k + 1] - r[k], box) for k in range(3))
        n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
        square = np.einsum("ij,ij->i", b2, b2)
        length = np.sqrt(square)
        phi = np.arctan2(length * np.einsum("ij,ij->i", b1, n2), np.einsum("ij,ij->i", n1, n2))
        first = -(length / np.maximum(np.einsum("ij,ij->i", n1, n1), LEAST_NORMAL))[:, None] * n1
        last = (length / np.maximum(np.einsum("ij,ij->i", n2, n2), LEAST_NORMAL))[:, None] * n2
        p = -(np.einsum("ij,ij->i", b1, b2) / square)[:, None]
        q = -(np.einsum("ij,ij->i", b3, b2) / square)[:, None]
        shared = p * first - q * last
        return phi, np.stack([first, shared - first, -shared - last, last], axis=1)

    def laplacian(self, positions: Positions, members: IntArray, box: ArrayLike) -> Array:
        """Return zeros ``(m, 4)``: a dihedral is a harmonic function of the place of each bead; see `Coordinate`."""
        return np.zeros((len(members), 4))

    def count(self, positions: Positions, box: ArrayLike, members: IntArray, bins: Array) -> IntArray:
        """Return the counts; see `Coordinate`."""
        return histogram(self.measure(positions, members, box), bins, self.name)

    def ideal(self, bins: Array) -> Array:
        """Return 1 for each bin."""
        return np.ones(bins.size)

    def invert(self, target: Distribution, kT: float) -> BondedPotential:
        r"""Return :math:`-kT \ln p(\phi)`, periodic and closed where no dihedral was seen; see `Coordinate`."""
        return inverted(target, self.ideal(target.x), kT)

    def settle(self, potential: BondedPotential, target: Distribution, kT: float) -> BondedPotential:
        """Return the potential closed where the target shows nothing; see `Coordinate`."""
        return settled(potential, target, kT)


#: The dihedral angle of three bonds.
DIHEDRAL = Dihedral()
