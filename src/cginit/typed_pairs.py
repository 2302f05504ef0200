"""Pairs of beads counted by distance, for several bead types and with pairs that do not count."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.dependencies import load_freud
from cginit.errors import InputError
from cginit.pair_counter import PairCounter

__all__ = ["Bins", "TypedPairCounter"]

IntArray = NDArray[np.intp]
#: Pairs within reach that are held in memory at once where some of them do not count (about 100 MB).
PAIRS_IN_MEMORY = 2_000_000
#: freud refuses bins that end at exactly half the box; two millionths less are no loss in single precision.
MARGIN = 2e-6


@dataclass(frozen=True)
class Bins:
    """Bins of width `dr` centred on ``0, dr, ..., r_max``; that of 0, which is cut and almost empty, is not counted.

    Parameters
    ----------
    dr, r_max : float
        Step, and the last grid point, a multiple of it.
    """

    dr: float
    r_max: float

    @property
    def n(self) -> int:
        """Number of counted bins: grid points without 0."""
        return round(self.r_max / self.dr)

    @property
    def grid(self) -> Array:
        """Grid ``(n + 1,)`` with 0."""
        return np.asarray(self.dr * np.arange(self.n + 1), dtype=np.float64)

    @property
    def edges(self) -> tuple[float, float]:
        """Where the first counted bin begins and the last ends."""
        return 0.5 * self.dr, (self.n + 0.5) * self.dr * (1.0 - MARGIN)

    @property
    def volumes(self) -> Array:
        """Volumes of the shells ``(n,)``."""
        bounds = self.dr * (np.arange(self.n + 1) + 0.5)
        return np.asarray(4.0 / 3.0 * np.pi * np.diff(bounds**3), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class TypedPairCounter:
    r"""Counts the pairs of bead types by distance in one configuration after another.

    With :math:`n_{ab}(r_i)` the counted ordered pairs of a bead of type a and one of type b in the bin of
    :math:`r_i`, of volume :math:`v_i`, and :math:`N_{ab}` the number of such pairs that count at any distance,

    .. math:: g_{ab}(r_i) = \Big\langle \frac{V\, n_{ab}(r_i)}{N_{ab}\, v_i} \Big\rangle

    is 1 for independent beads whatever is left out.

    Parameters
    ----------
    type_ids : ndarray, shape (n_beads,)
        Type of each bead.
    pairs : tuple of (int, int)
        Pairs of types to count.
    bins : Bins
    molecules : ndarray, shape (n_beads,), optional
        Pairs of beads with the same number do not count.
    excluded : ndarray, shape (n, 2), optional
        Pairs i < j that do not count.

    Raises
    ------
    InputError
        If a pair of types leaves no pair of beads.

    Examples
    --------
    >>> counter = TypedPairCounter(np.array([0, 0, 1]), ((0, 0), (0, 1)), Bins(0.5, 1.5))
    >>> counter.numbers.tolist()
    [2, 2]
    """

    type_ids: IntArray
    pairs: tuple[tuple[int, int], ...]
    bins: Bins
    molecules: IntArray | None = None
    excluded: IntArray = field(default_factory=lambda: np.empty((0, 2), dtype=np.intp))

    def __post_init__(self) -> None:
        for (a, b), number in zip(self.pairs, self.numbers, strict=True):
            if number <= 0:
                raise InputError(
                    f"no pair of beads of the types {a} and {b} is left to count; exclude less, or leave this "
                    "pair of types out"
                )

    @cached_property
    def members(self) -> tuple[IntArray, ...]:
        """Beads of each type."""
        return tuple(np.flatnonzero(self.type_ids == kind) for kind in range(int(self.type_ids.max()) + 1))

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Ordered pairs of beads that count, for each pair of types; of unlike types each pair once."""
        return np.array([self._number(a, b) for a, b in self.pairs], dtype=np.int64)

    def _number(self, a: int, b: int) -> int:
        n_a, n_b = self.members[a].size, self.members[b].size
        if self.molecules is not None:
            # Beads of each type in each molecule; a bead is in its own molecule, so this covers i = j.
            size = int(self.molecules.max()) + 1
            in_a, in_b = (np.bincount(self.molecules[self.members[kind]], minlength=size) for kind in (a, b))
            return n_a * n_b - int(np.dot(in_a, in_b))
        kinds = np.sort(self.type_ids[self.excluded], axis=1)
        hits = int(np.count_nonzero((kinds[:, 0] == min(a, b)) & (kinds[:, 1] == max(a, b))))
        return n_a * (n_a - 1) - 2 * hits if a == b else n_a * n_b - hits

    @cached_property
    def _plain(self) -> PairCounter:
        """Counter of all pairs of some beads, for types of which all count."""
        return PairCounter(0.5 * self.bins.dr, (self.bins.n + 0.5) * self.bins.dr, self.bins.n)

    @cached_property
    def _excluded_keys(self) -> NDArray[np.int64]:
        n = np.int64(self.type_ids.size)
        return np.unique(self.excluded[:, 0].astype(np.int64) * n + self.excluded[:, 1])

    def count(self, positions: NDArray[np.float32], vectors: Array) -> NDArray[np.int64]:
        """Return the counts ``(n_pairs, n_bins)`` of one configuration.

        Parameters
        ----------
        positions : ndarray, shape (n_beads, 3)
            In a periodic box centred on the origin.
        vectors : ndarray, shape (3, 3)
            Lattice vectors as rows, lower triangular.
        """
        freud = load_freud()
        box = freud.Box.from_box(vectors.T)
        counts = np.zeros((len(self.pairs), self.bins.n), dtype=np.int64)
        for row, (a, b) in enumerate(self.pairs):
            if self.molecules is not None or self._touched(a, b):
                counts[row] = self._filtered(freud, box, positions, a, b)
            else:
                counts[row] = self._all(box, positions, a, b)
        return counts

    def _touched(self, a: int, b: int) -> bool:
        """Whether any pair of these types is excluded."""
        own = (
            self.members[a].size * (self.members[a].size - 1)
            if a == b
            else self.members[a].size * self.members[b].size
        )
        return self._number(a, b) < own

    def _all(self, box: Any, positions: NDArray[np.float32], a: int, b: int) -> NDArray[np.int64]:
        if a == b:
            return 2 * self._plain.count(box, positions[self.members[a]])
        return self._plain.count_between(box, positions[self.members[a]], positions[self.members[b]])

    def _filtered(
        self, freud: Any, box: Any, positions: NDArray[np.float32], a: int, b: int
    ) -> NDArray[np.int64]:
        lower, upper = self.bins.edges
        first, second = self.members[a], self.members[b]
        tree = freud.AABBQuery(box, positions[second])
        expected = second.size * min(1.0, 4.0 / 3.0 * np.pi * upper**3 / box.volume)
        chunk = max(1, int(PAIRS_IN_MEMORY / max(expected, 1.0)))
        counts = np.zeros(self.bins.n, dtype=np.int64)
        for start in range(0, first.size, chunk):
            part = first[start : start + chunk]
            found = tree.query(positions[part], {"r_max": upper, "r_min": lower}).toNeighborList()
            i = part[np.asarray(found.query_point_indices)]
            j = second[np.asarray(found.point_indices)]
            distances = np.asarray(found.distances, dtype=np.float64)[self._counts(i, j)]
            index = ((distances - lower) / (upper - lower) * self.bins.n).astype(np.intp)
            counts += np.bincount(np.minimum(index, self.bins.n - 1), minlength=self.bins.n)
        return counts

    def _counts(self, i: IntArray, j: IntArray) -> NDArray[np.bool_]:
        if self.molecules is not None:
            return np.asarray(self.molecules[i] != self.molecules[j])
        keys = np.minimum(i, j).astype(np.int64) * self.type_ids.size + np.maximum(i, j)
        place = np.minimum(np.searchsorted(self._excluded_keys, keys), self._excluded_keys.size - 1)
        return np.asarray((self._excluded_keys[place] != keys) & (i != j))
