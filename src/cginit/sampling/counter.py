r"""Histograms of single configurations: the pairs of bead types by distance, in boxes of any shape.

What is counted in a configuration is a `FrameCounter`. Pairs are counted here; a counter of given tuples of beads
(bonds, angles, dihedrals) is another class with the same method `count`. `count_each` makes one pass over the
configurations of a run for all counters together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cginit.configuration import Trajectory
from cginit.curves import Array
from cginit.errors import InputError, MissingDependencyError
from cginit.sampling.bins import Bins

__all__ = ["FrameCounter", "PairCounter", "box_widths", "count_each", "lower_triangular"]

Integers = NDArray[np.integer[Any]]
#: The search reaches further than the last bin by this part of it, more than the rounding to single precision.
MARGIN = 1e-5


class FrameCounter(Protocol):
    """Counts something in one configuration after another: a histogram of integers for each of its rows."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows (pairs of types, kinds of bonds, ...) and bins of the result."""
        ...

    def count(self, positions: NDArray[np.floating[Any]], vectors: Array) -> NDArray[np.int64]:
        """Return the counts `shape` of positions ``(n, 3)`` in a box of lattice vectors ``(3, 3)``, as rows."""
        ...


@dataclass(frozen=True, eq=False)
class PairCounter:
    r"""Counts the pairs of beads by their types and their distance, each pair once.

    Positions are kept as 32-bit parts of the lattice vectors, whose differences wrap to the one image that
    can be within half the narrowest width of the box, in a box of any shape. Beads are sorted into columns
    of cells; for each bead the parts of the columns within reach are scanned (`cginit.sampling.kernel`). The counts
    are integers and depend neither on the order of the beads nor on the processor.

    Parameters
    ----------
    types : array_like, shape (n,)
        Type of each bead, from 0.
    pairs : tuple of (int, int)
        Pairs of types to count; a row of the result for each.
    bins : Bins
    molecules : array_like, shape (n,), optional
        Pairs of beads with the same number do not count.
    excluded : array_like, shape (k, 2), optional
        Pairs of beads that do not count, in either order.

    Raises
    ------
    InputError
        If a pair of types leaves no pair of beads, is named twice, or an excluded bead does not exist.

    Examples
    --------
    >>> counter = PairCounter(np.array([0, 0, 1]), ((0, 0), (0, 1)), Bins(0.5, 1.5))
    >>> counter.numbers.tolist()
    [1, 2]
    >>> counter.count(np.array([[0.0, 0, 0], [1, 0, 0], [4, 0, 0]]), np.diag([5.0, 5, 5])).tolist()
    [[0, 0, 1, 0], [0, 0, 1, 0]]
    """

    types: Integers
    pairs: tuple[tuple[int, int], ...]
    bins: Bins
    molecules: Integers | None = None
    excluded: Integers = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))

    def __post_init__(self) -> None:
        types = np.array(self.types, dtype=np.int32)
        excluded = np.sort(np.asarray(self.excluded, dtype=np.int64).reshape(-1, 2), axis=1)
        excluded = np.unique(excluded[excluded[:, 0] < excluded[:, 1]], axis=0)
        object.__setattr__(self, "types", types)
        object.__setattr__(self, "excluded", np.ascontiguousarray(excluded))
        if excluded.size and (excluded.min() < 0 or excluded.max() >= types.size):
            raise InputError(
                f"a pair of beads to leave out names bead {excluded.max()} of {types.size}; beads count from 0"
            )
        if self.molecules is not None:
            # Whatever the numbers are, as 32-bit integers from 0.
            own = np.unique(np.asarray(self.molecules), return_inverse=True)[1]
            object.__setattr__(self, "molecules", own.astype(np.int32).reshape(types.shape))
        if len({frozenset(pair) for pair in self.pairs}) < len(self.pairs):
            raise InputError(f"a pair of types is named twice in {self.pairs}")
        for (a, b), number in zip(self.pairs, self.numbers, strict=True):
            if number <= 0:
                raise InputError(
                    f"no pair of beads of the types {a} and {b} is left to count; exclude less, or leave this "
                    "pair of types out"
                )

    @property
    def shape(self) -> tuple[int, int]:
        """Pairs of types, and points of the grid of the bins."""
        return len(self.pairs), self.bins.grid.size

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Pairs of beads that count at any distance, for each pair of types."""
        return np.array([self._number(a, b) for a, b in self.pairs], dtype=np.int64)

    def _number(self, a: int, b: int) -> int:
        in_a, in_b = np.asarray(self.types == a), np.asarray(self.types == b)
        n_a, n_b = int(in_a.sum()), int(in_b.sum())
        all_pairs, left_out = (n_a * (n_a - 1) // 2 if a == b else n_a * n_b), 0
        i, j = self.excluded.T
        hit = (in_a[i] & in_b[j]) | (in_b[i] & in_a[j])
        if self.molecules is not None:
            size = int(self.molecules.max()) + 1
            of_a, of_b = (np.bincount(self.molecules[kind], minlength=size) for kind in (in_a, in_b))
            left_out = int(np.sum(of_a * (of_a - 1) // 2 if a == b else of_a * of_b))
            hit &= self.molecules[i] != self.molecules[j]
        return all_pairs - left_out - int(np.count_nonzero(hit))

    @cached_property
    def _rows(self) -> NDArray[np.int32]:
        """Row of each pair of types ``(types, types)``; the one beyond the last for those not asked for."""
        size = 1 + max(int(self.types.max(initial=0)), *(max(pair) for pair in self.pairs))
        rows = np.full((size, size), len(self.pairs), dtype=np.int32)
        for row, (a, b) in enumerate(self.pairs):
            rows[a, b] = rows[b, a] = row
        return rows

    @cached_property
    def _molecules(self) -> Integers:
        return np.arange(self.types.size, dtype=np.int32) if self.molecules is None else self.molecules

    @cached_property
    def _alike(self) -> bool:
        """Whether every pair of beads counts in the only row."""
        n = self.types.size
        return len(self.pairs) == 1 and int(self.numbers[0]) == n * (n - 1) // 2

    @cached_property
    def _layout(self) -> tuple[int, tuple[float, float, int, float]]:
        """First counted point, and the fields of `cginit.sampling.kernel.PairBins`."""
        bins = self.bins
        number = bins.grid.size - bins.first
        per_width = number / (bins.upper - bins.lower)
        return bins.first, (per_width, 1.0 - bins.lower * per_width, number, bins.upper * (1.0 + MARGIN))

    def count(self, positions: NDArray[np.floating[Any]], vectors: Array) -> NDArray[np.int64]:
        """Return the counts ``(pairs, points)`` of one configuration.

        Parameters
        ----------
        positions : ndarray, shape (n, 3)
            Wrapped into the box or not.
        vectors : ndarray, shape (3, 3)
            Lattice vectors as rows.

        Raises
        ------
        InputError
            If the bins reach beyond half the narrowest width of the box, or there is not one position a bead.
        MissingDependencyError
            If Numba is not installed.
        """
        if positions.shape != (self.types.size, 3):
            raise InputError(
                f"{self.types.size} beads need positions {(self.types.size, 3)}, not {positions.shape}"
            )
        self.bins.check(0.5 * float(np.min(box_widths(vectors))))
        lattice, turned = lower_triangular(vectors)
        # A copy: Numba compiles anew for an array that is read-only or laid out in another way.
        placed = np.array(positions, dtype=np.float64, order="C")
        first, bins = self._layout
        kernel = _kernel()
        counts = np.zeros(self.shape, dtype=np.int64)
        counts[:, first:] = kernel.count_pairs_in_frame(
            placed if turned is None else np.ascontiguousarray(placed @ turned),
            lattice,
            kernel.CountedPairs(
                self.types, self._molecules, self._rows, len(self.pairs), self.excluded, self._alike
            ),
            kernel.PairBins(*bins),
        )
        return counts


def _kernel() -> Any:
    try:
        import cginit.sampling.kernel as kernel
    except ImportError as error:
        raise MissingDependencyError(
            "g(r) of simulations and trajectories needs Numba: pip install 'cginit[sampling]' "
            "(cginit[lammps] brings it)"
        ) from error
    return kernel


def box_widths(vectors: Array) -> Array:
    """Return the distances ``(3,)`` between opposite faces of a box of lattice vectors ``(3, 3)``, as rows."""
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(vectors), axis=0), dtype=np.float64)


def lower_triangular(vectors: Array) -> tuple[Array, Array | None]:
    """Return the lattice turned so that its vectors ``(3, 3)`` are lower triangular, with a positive diagonal.

    Returns
    -------
    lattice : ndarray, shape (3, 3)
    turn : ndarray, shape (3, 3), or None
        What positions ``(n, 3)`` are multiplied with; None if nothing had to be turned.
    """
    vectors = np.array(vectors, dtype=np.float64, order="C")
    if not np.any(np.triu(vectors, 1)) and np.all(np.diag(vectors) > 0.0):
        return vectors, None
    q, r = np.linalg.qr(vectors.T)
    signs = np.sign(np.diag(r))
    return np.ascontiguousarray(np.tril((r * signs[:, None]).T)), q * signs


def count_each(
    trajectory: Trajectory,
    counters: Sequence[FrameCounter],
    before: Sequence[NDArray[np.int32]] | None = None,
) -> list[NDArray[np.int32]]:
    """Return the counts ``(rows, frames, bins)`` of each counter, in one pass over the configurations.

    `before` are such counts of the first configurations; those are not counted again.
    """
    # In single precision, as the positions: so it has been, and refinements are to be repeated to the last digit.
    vectors = np.diag(trajectory.box.astype(np.float32).astype(np.float64))
    known = 0 if before is None else before[0].shape[1]
    counts = [
        np.zeros((rows, len(trajectory), bins), dtype=np.int32)
        for rows, bins in (one.shape for one in counters)
    ]
    for into, earlier in zip(counts, before or (), strict=False):
        into[:, :known] = earlier
    for index in range(known, len(trajectory)):
        for into, counter in zip(counts, counters, strict=True):
            into[:, index] = counter.count(trajectory.positions[index], vectors)
    return counts
