"""S(k) of configurations at many small wave vectors of their box."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.configuration import Trajectory
from cginit.curves import Array, StructureFactor
from cginit.errors import InputError
from cginit.sampling.errors import BLOCKS
from cginit.units import UnitSystem

__all__ = ["WaveVectors", "mean_structure_factor", "structure_factor"]

#: Width of a shell in units of the smallest wave number, but at least this part of its own: g knows the rest.
SHELL, PART = 0.5, 0.1
#: Vectors of a shell that are used, most.
MOST = 24


@dataclass(frozen=True, eq=False)
class WaveVectors:
    r"""Wave vectors of a periodic box, in shells of about equal wave number.

    A vector is :math:`2 \pi L^{-1} n`, with whole numbers n and the edges of the box as the rows of L; of n and -n,
    which have the same S, one is used. Shells are half as wide as the smallest wave number, and a tenth of their own
    where that is more; of a shell that holds more vectors than are needed those nearest to its middle are used.

    Attributes
    ----------
    numbers : ndarray of int, shape (m, 3)
        n.
    shells : ndarray of int, shape (m,)
        The shell of each.
    """

    numbers: NDArray[np.int64]
    shells: NDArray[np.int64]

    @classmethod
    def of(cls, vectors: Array, k_max: float) -> WaveVectors:
        """Return those of a box with the edges `vectors` ``(3, 3)`` up to `k_max`, of the first shell in any case.

        Examples
        --------
        >>> waves = WaveVectors.of(10.0 * np.eye(3), 1.0)
        >>> len(waves), np.bincount(waves.shells).tolist()
        (9, [3, 6])
        """
        if not (np.isfinite(k_max) and k_max > 0.0):
            raise InputError(f"the largest wave number must be positive, not {k_max:g}")
        reciprocal = np.asarray(2.0 * np.pi * np.linalg.inv(vectors), dtype=np.float64)
        smallest = _shortest(reciprocal)
        k_max = max(k_max, (1.0 + 0.5 * SHELL) * smallest)
        # |n_i| = |k . edge_i| / 2 pi.
        reach = np.floor(k_max * np.linalg.norm(vectors, axis=1) / (2.0 * np.pi)).astype(int)
        axes = [np.arange(-most if i else 0, most + 1) for i, most in enumerate(reach)]
        numbers = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        # The first number that is not 0 is positive.
        first = np.where(
            numbers[:, 0] != 0, numbers[:, 0], np.where(numbers[:, 1] != 0, numbers[:, 1], numbers[:, 2])
        )
        numbers = numbers[first > 0]
        k = np.linalg.norm(numbers @ reciprocal.T, axis=1)
        numbers, k = numbers[k <= k_max], k[k <= k_max]
        shells, middles = _shells(k / smallest)
        off = np.abs(k / smallest - middles)
        nearest = np.lexsort((off, shells))
        place = np.arange(len(k)) - np.searchsorted(shells[nearest], shells[nearest])
        kept = np.sort(nearest[place < MOST])
        return cls(numbers[kept].astype(np.int64), shells[kept].astype(np.int64))

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Number of vectors of each shell."""
        return np.bincount(self.shells)

    def count(self, positions: ArrayLike, vectors: Array) -> Array:
        r"""Return the wave number of each vector and S there in one frame ``(2, m)``.

        .. math:: S(k) = \frac{1}{N} \Big| \sum_j e^{-i k \cdot r_j} \Big|^2

        Parameters
        ----------
        positions : array_like, shape (n, 3)
            Beads.
        vectors : ndarray, shape (3, 3)
            The edges of the box as rows; they may differ from those that the vectors were chosen for.
        """
        inverse = np.linalg.inv(vectors)
        fractions = np.asarray(positions, dtype=np.float64) @ inverse
        # A phase has powers of three factors; to multiply them is much faster than an exponential of each.
        first = np.exp(-2j * np.pi * (fractions % 1.0)).astype(np.complex64).T
        powers = [
            _powers(factor, int(most))
            for factor, most in zip(first, np.abs(self.numbers).max(axis=0), strict=True)
        ]
        s, product = np.empty(len(self)), np.empty(len(fractions), dtype=np.complex64)
        for row, (x, y, z) in enumerate(self.numbers):
            np.multiply(powers[0][x], powers[1][y], out=product)
            s[row] = abs(complex(product @ powers[2][z])) ** 2
        k = np.linalg.norm(2.0 * np.pi * self.numbers @ inverse.T, axis=1)
        return np.array([k, s / len(fractions)])

    def mean(self, values: Array) -> Array:
        """Return the mean over each shell ``(shells,)`` of values of the vectors ``(m,)``."""
        return np.asarray(np.bincount(self.shells, weights=values) / self.sizes, dtype=np.float64)


def _shortest(reciprocal: Array) -> float:
    """Return the smallest wave number of a box."""
    near = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    k = np.linalg.norm(near @ reciprocal.T, axis=1)
    return float(np.min(k[k > 0.0]))


def _shells(k: Array) -> tuple[NDArray[np.int64], Array]:
    """Return shell and middle of the shell ``(m,)`` of wave numbers in units of the smallest."""
    middles = [1.0]
    while middles[-1] < float(k.max(initial=1.0)):
        middles.append(middles[-1] + max(SHELL, PART * middles[-1]))
    edges = 0.5 * (np.array(middles[:-1]) + np.array(middles[1:]))
    _, shells = np.unique(places := np.searchsorted(edges, k), return_inverse=True)
    return shells.astype(np.int64), np.array(middles)[places]


def _powers(factor: NDArray[np.complex64], most: int) -> NDArray[np.complex64]:
    """Return the powers 0, ..., most, -most, ..., -1 of phase factors ``(n,)``: negative numbers index them, too."""
    table = np.ones((2 * most + 1, factor.size), dtype=np.complex64)
    for power in range(1, most + 1):
        np.multiply(table[power - 1], factor, out=table[power])
        np.conjugate(table[power], out=table[-power])
    return table


def mean_structure_factor(
    blocks: Array, waves: WaveVectors, frames: int, units: UnitSystem, weights: ArrayLike | None = None
) -> StructureFactor | None:
    """Return S(k) of each shell with its standard error, from the means of blocks ``(blocks, 2, m)`` at each vector.

    Parameters
    ----------
    blocks : ndarray, shape (blocks, 2, m)
        Means of `WaveVectors.count`.
    waves : WaveVectors
        The vectors.
    frames : int
        Of all blocks.
    units : UnitSystem
        Of the box.
    weights : array_like, shape (blocks,), optional
        Parts of the frames that the blocks have; by default equal.

    Returns
    -------
    StructureFactor or None
        The error is the largest of three: that of the blocks; that of the vectors of a shell, which in a liquid that
        hardly moves stay different; and that of as many exponential numbers as there are vectors and frames, each of
        which has a standard deviation of S. None for beads on a perfect lattice, which have no S at small k.
    """
    parts = (
        np.full(len(blocks), 1.0 / len(blocks)) if weights is None else np.asarray(weights, dtype=np.float64)
    )
    k, each = np.einsum("b,bim->im", parts, blocks)
    s, n = waves.mean(each), waves.sizes
    off = np.array([waves.mean(block) for block in blocks[:, 1]]) - s
    in_time = np.sqrt(len(blocks) / (len(blocks) - 1) * np.sum((parts[:, None] * off) ** 2, axis=0))
    between = np.sqrt(waves.mean((each - s[waves.shells]) ** 2) / np.maximum(n - 1, 1))
    error = np.maximum.reduce([in_time, between, s / np.sqrt(n * frames)])
    seen = s > 0.0
    return StructureFactor(waves.mean(k)[seen], s[seen], error[seen], units=units) if np.any(seen) else None


def structure_factor(trajectory: Trajectory, k_max: float, blocks: int = BLOCKS) -> StructureFactor:
    """Return S(k) of all beads of a trajectory at the wave vectors of its box up to `k_max`.

    Parameters
    ----------
    trajectory : Trajectory
        At least `blocks` configurations.
    k_max : float
        Largest wave number, in the inverse unit of length.
    blocks : int
        Blocks in time, for the standard errors.

    Raises
    ------
    InputError
        If there are fewer configurations than blocks, or the beads are on a perfect lattice.

    Examples
    --------
    >>> ideal = np.random.default_rng(1).uniform(-5, 5, (100, 50, 3)).astype(np.float32)
    >>> waves = structure_factor(Trajectory(ideal, [10.0] * 3, units="lj"), 2.0)
    >>> bool(np.all(np.abs(waves.s - 1.0) < 5.0 * waves.error))
    True
    """
    frames = len(trajectory)
    if not 2 <= blocks <= frames:
        raise InputError(f"{frames} configurations cannot fill {blocks} blocks; sample more often")
    box = np.diag(trajectory.box)
    waves = WaveVectors.of(box, k_max)
    counts = np.array([waves.count(frame, box) for frame in trajectory.positions])
    edges = [i * frames // blocks for i in range(blocks + 1)]
    means = np.array([counts[a:b].mean(axis=0) for a, b in pairwise(edges)])
    found = mean_structure_factor(means, waves, frames, trajectory.units, np.diff(edges) / frames)
    if found is None:
        raise InputError("S(k) is 0 at every wave vector: the beads are on a perfect lattice")
    return found
