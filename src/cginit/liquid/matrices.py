r"""Symmetric matrices of all species at each wave number, and the curves of all pairs that they stand for.

With :math:`X_{ab} = \sqrt{\rho_a \rho_b}\, \hat c_{ab}` and :math:`H_{ab} = \sqrt{\rho_a \rho_b}\, \hat h_{ab}` the
Ornstein-Zernike equation of any number of species is

.. math:: S = \omega + H = (1 - \omega X)^{-1} \omega,

with the unit matrix for :math:`\omega` where all beads are loose, and the structure factors of single molecules where
they are connected (reference interaction site model). Matrices have the shape ``(m, species, species)`` at m wave
numbers; curves of pairs ``(pairs, n)``, in the order A-A, A-B, ..., B-B, ... of all tables of pairs.

One species has matrices of one element. The algebra of this module treats them as numbers, so that all else is
written once for any number of species and costs one species no more than its own code would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.liquid.fourier import RadialGrid

__all__ = [
    "Intramolecular",
    "PairMatrices",
    "damped_inverse",
    "definite_inverse",
    "inverse",
    "pair_indices",
    "sandwich",
]

#: Part of the largest eigenvalue by which an intramolecular structure factor may be negative: rounding of its data.
ROUNDING = 1e-8
#: Rows of a matrix up to which the inverse by elimination takes less time than that by halves.
WHOLE = 40


def pair_indices(species: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers ``(pairs,)`` of the two species of each pair, in the order of all tables of pairs.

    Examples
    --------
    >>> [index.tolist() for index in pair_indices(2)]
    [[0, 0, 1], [0, 1, 1]]
    """
    rows, columns = np.array(list(combinations_with_replacement(range(species), 2)), dtype=np.intp).T
    return rows, columns


def inverse(matrices: Array) -> Array | None:
    """Return the inverse of symmetric matrices ``(m, s, s)``; None unless all are positive definite."""
    if matrices.shape[-1] == 1:
        return 1.0 / matrices if np.min(matrices) > 0.0 else None
    if not np.all(np.isfinite(matrices)):
        return None
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        return None
    return _waves_last(np.linalg.inv(matrices))


def sandwich(outer: Array, inner: Array) -> Array:
    """Return the product ``outer inner outer^T`` of matrices ``(m, s, s)``."""
    if outer.shape[-1] == 1:
        return np.asarray(outer * outer * inner)
    half = np.einsum("kab,kbc->kac", outer, inner)
    return np.asarray(np.einsum("kac,kdc->kad", half, outer))


def damped_inverse(outer: Array, damping: float) -> Callable[[Array], Array]:
    """Return an inverse of the linear map ``x -> outer x outer + damping x`` of symmetric matrices ``(m, s, s)``.

    It is exact for one species, and without damping; otherwise within a factor of 2 where `outer` commutes with x.
    """
    if outer.shape[-1] == 1:
        weight = 1.0 / (outer * outer + damping)
        return lambda x: np.asarray(weight * x)
    found = _waves_last(np.linalg.inv(outer + np.sqrt(damping) * np.eye(outer.shape[-1])))
    return lambda x: sandwich(found, x)


def definite_inverse(matrices: Array) -> Array:
    r"""Return the inverse of positive definite matrices ``(..., n, n)``, from those of their quarters.

    .. math:: \begin{pmatrix} P & Q \\ Q^T & R \end{pmatrix}^{-1} = \begin{pmatrix}
              P^{-1} + K Z K^T & -K Z \\ -Z K^T & Z \end{pmatrix}, \qquad
              K = P^{-1} Q, \quad Z = (R - Q^T K)^{-1}

    Both inverses on the right are of positive definite matrices. For n = 100 this takes 0.6 of the time of
    `numpy.linalg.inv`, for n = 200 a third: matrix products are what a processor does best.

    Examples
    --------
    >>> matrix = np.diag(np.arange(1.0, 101.0)) + 1.0
    >>> bool(np.allclose(definite_inverse(matrix) @ matrix, np.eye(100)))
    True
    """
    size = matrices.shape[-1]
    if size <= WHOLE:
        return np.asarray(np.linalg.inv(matrices), dtype=np.float64)
    half = size // 2
    corner, beside = matrices[..., :half, :half], matrices[..., :half, half:]
    first = definite_inverse(corner)
    k = first @ beside
    z = definite_inverse(matrices[..., half:, half:] - beside.swapaxes(-1, -2) @ k)
    kz = k @ z
    found = np.empty_like(matrices)
    found[..., half:, half:] = z
    found[..., :half, half:] = -kz
    found[..., half:, :half] = -kz.swapaxes(-1, -2)
    found[..., :half, :half] = first + kz @ k.swapaxes(-1, -2)
    return found


def _waves_last(matrices: NDArray[np.floating[Any]]) -> Array:
    """Return the same matrices ``(m, s, s)`` with the elements of all wave numbers side by side in memory.

    Products of small matrices are ten times faster so.
    """
    return np.ascontiguousarray(matrices.transpose(1, 2, 0), dtype=np.float64).transpose(2, 0, 1)


@dataclass(frozen=True, eq=False)
class PairMatrices:
    """The way from curves of all pairs to matrices at each wave number, and back.

    Parameters
    ----------
    grid : RadialGrid
        The long grid.
    factors : ndarray, shape (pairs,)
        Element of the matrix per transform of the curve.
    """

    grid: RadialGrid
    factors: Array

    @classmethod
    def of_densities(cls, grid: RadialGrid, densities: Array) -> PairMatrices:
        r"""Return the way to :math:`\sqrt{\rho_a \rho_b} \hat f_{ab}` for number densities ``(species,)``."""
        a, b = pair_indices(densities.size)
        return cls(grid, np.sqrt(densities[a] * densities[b]))

    @property
    def species(self) -> int:
        """Number of species."""
        return round((float(np.sqrt(8.0 * self.factors.size + 1.0)) - 1.0) / 2.0)

    def of(self, products: Array) -> Array:
        """Return the matrices ``(m, s, s)`` of curves times r ``(pairs, n)``, n <= m, which are 0 beyond."""
        pairs = len(products)
        k = self.factors[:, None] * (2.0 * np.pi * self.grid.dr / self.grid.k) * self.grid.sine(products)
        if pairs == 1:
            return np.asarray(k.reshape(-1, 1, 1))
        species = self.species
        a, b = pair_indices(species)
        found = np.empty((species, species, self.grid.n))
        found[a, b] = found[b, a] = k
        return found.transpose(2, 0, 1)

    def back(self, matrices: Array, size: int | None = None) -> Array:
        """Return curves times r ``(pairs, size)``, by default on the whole grid, of symmetric matrices."""
        if matrices.shape[-1] == 1:
            k = matrices.reshape(1, -1)
        else:
            a, b = pair_indices(matrices.shape[-1])
            k = matrices.transpose(1, 2, 0)[a, b]
        scale = self.grid.dk / (4.0 * np.pi**2) / self.factors
        return np.asarray(scale[:, None] * self.grid.sine(self.grid.k * k)[:, :size], dtype=np.float64)


def _of_eigen(values: Array, vectors: Array) -> Array:
    """Return the symmetric matrices ``(m, s, s)`` of eigenvalues ``(m, s)`` and eigenvectors."""
    return _waves_last((vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1))


@dataclass(frozen=True, eq=False)
class Intramolecular:
    r"""What the beads of one molecule contribute to the structure, and the Ornstein-Zernike equation with it.

    .. math:: S = (1 - \omega X)^{-1} \omega = L (1 - L^T X L)^{-1} L^T, \qquad \omega = L L^T

    The second form needs no inverse of :math:`\omega`, which is singular at small k, where all beads of a molecule
    scatter in phase; and S is positive where :math:`1 - L^T X L` is.

    Parameters
    ----------
    structure : ndarray, shape (m, s, s), or shape (s, s)
        :math:`\omega` at each wave number, or the unit matrix of loose beads.
    root : ndarray, shape (m, s, s), or None
        L; None for loose beads.

    References
    ----------
    D. Chandler and H. C. Andersen, J. Chem. Phys. 57, 1930 (1972), doi:10.1063/1.1678513; K. S. Schweizer and
    J. G. Curro, Phys. Rev. Lett. 58, 246 (1987), doi:10.1103/PhysRevLett.58.246.
    """

    structure: Array
    root: Array | None

    @classmethod
    def loose(cls, species: int) -> Intramolecular:
        """Return that of beads without bonds."""
        return cls(np.eye(species), None)

    @classmethod
    def of(cls, omega: Array, densities: Array) -> Intramolecular:
        r"""Return that of :math:`\Omega_{ab}(k)` ``(m, s, s)``, in the unit of the densities ``(s,)``.

        Raises
        ------
        InputError
            If it is not symmetric, or has a negative eigenvalue, which the structure of no molecule has.
        """
        structure = np.asarray(omega, dtype=np.float64) / np.sqrt(densities[:, None] * densities)
        if not np.allclose(structure, structure.transpose(0, 2, 1), atol=1e-8):
            raise InputError("the intramolecular structure must be symmetric in its two species")
        values, vectors = np.linalg.eigh(structure)
        if not np.min(values) >= -ROUNDING * np.max(values):
            raise InputError(
                f"the intramolecular structure has the eigenvalue {np.min(values):.3g}; that of molecules has none "
                "below 0. Check the densities and the order of the species"
            )
        # The symmetric root.
        return cls(structure, _of_eigen(np.sqrt(np.maximum(values, 0.0)), vectors))

    def changed(self, change: Array) -> Intramolecular:
        """Return that of molecules of other shapes: `change` ``(m, s, s)`` is added, negative eigenvalues become 0.

        A change that comes from counts in bins is not quite one of real molecules.
        """
        values, vectors = np.linalg.eigh(self.structure + change)
        values = np.maximum(values, 0.0)
        return Intramolecular(_of_eigen(values, vectors), _of_eigen(np.sqrt(values), vectors))

    def solve(self, direct: Array) -> Array | None:
        """Return S ``(m, s, s)`` for X ``(m, s, s)``; None unless it is positive at every wave number."""
        unity = np.eye(direct.shape[-1])
        if self.root is None:
            return inverse(unity - direct)
        found = inverse(unity - sandwich(self.root, direct))
        return None if found is None else sandwich(self.root, found)
