"""Configurations to g(r) with statistical errors: the only place that computes an RDF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.configuration import Trajectory
from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.sampling.bins import Bins, shell_volumes
from cginit.sampling.counter import PairCounter, count_each
from cginit.sampling.errors import BLOCKS, block_curve, block_sums
from cginit.units import UnitSystem, unit_system

__all__ = ["PairCounts", "accumulate_rdf", "count_pairs", "count_partial_pairs", "partial_rdfs", "rdf"]


@dataclass(frozen=True, eq=False)
class PairCounts:
    r"""How many pairs each configuration of a run holds at each distance: all that a pair potential sees of it.

    The energy of a configuration is :math:`\sum_b n_b U(r_b)`, so that from the counts follow g(r) of this run and,
    by reweighting, of a run with a slightly different potential.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Grid of g(r): multiples of the step from the first; the bin of a point reaches half a step to each side.
    counts : ndarray, shape (frames, n), int32
        Pairs in each bin, each pair once.
    beads : int
        Number of beads.
    volume : float
        Volume of the box, in the cube of the unit of r.
    units : UnitSystem
        Units of r.
    pairs : float or None
        How many pairs of beads count at any distance; None for all pairs of `beads`.
    """

    r: Array
    counts: NDArray[np.int32]
    beads: int
    volume: float
    units: UnitSystem
    pairs: float | None = None

    def __repr__(self) -> str:
        span = f"r {self.r[0]:g} to {self.r[-1]:.4g} {self.units.length} in {self.r.size} points"
        return f"<PairCounts: {len(self)} configurations of {self.beads} beads, {span}>"

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    def ideal(self) -> Array:
        """Return the pairs ``(n,)`` that an ideal gas has in each bin."""
        pairs = 0.5 * self.beads * (self.beads - 1) if self.pairs is None else self.pairs
        return np.asarray(pairs / self.volume * shell_volumes(self.r), dtype=np.float64)

    def rdf(self, weights: ArrayLike | None = None, blocks: int = BLOCKS) -> RDF:
        r"""Return g(r) with block errors, each configuration with a weight (all the same by default).

        The error of the weighted mean :math:`\bar g = \sum_b W_b g_b` over blocks of total weight
        :math:`W_b` is that of a ratio: :math:`\sigma^2 = \frac{m}{m-1} \sum_b W_b^2 (g_b - \bar g)^2`.

        Raises
        ------
        InputError
            If there are fewer configurations than blocks.
        """
        sums, totals = block_sums(self.counts, weights, blocks)
        beads = self.beads if self.pairs is None else None
        return block_curve(self.r, sums, totals, self.ideal(), self.units, beads)


def accumulate_rdf(
    frames: Iterable[tuple[NDArray[np.float32], Array]],
    n_frames: int,
    *,
    dr: float,
    r_max: float,
    units: str | UnitSystem,
    blocks: int = BLOCKS,
    offset: float = 0.0,
) -> RDF:
    r"""Return g(r) of a stream of configurations, one frame in memory at a time; the box may change.

    The value at :math:`r_i = offset + i\,dr` is the average over the bin :math:`r_i \pm dr/2`; a first point
    nearer to 0 than dr/2 is set to its neighbour's value, since its own bin is cut and holds almost no volume.
    An ideal gas gives exactly 1 (normalised with the N - 1 other beads).

    Parameters
    ----------
    frames : iterable of (positions (n, 3), box)
        The box as three edges ``(3,)`` or a matrix ``(3, 3)`` of lattice vectors as columns.
    n_frames : int
        How many frames there are; blocks are contiguous in time.
    dr, r_max : float
        Bin width, and the last grid point wanted; at most half the narrowest width of the box, less dr/2.
    units : str or UnitSystem
        Units of the positions.
    blocks : int
        Number of blocks for the standard error.
    offset : float
        First grid point, in [0, dr): 0, or dr/2 for a grid of bin centres.

    Raises
    ------
    InputError
        If r_max exceeds half the box or there are fewer frames than blocks.
    MissingDependencyError
        If Numba is not installed.
    """
    if n_frames < blocks:
        raise InputError(f"{n_frames} frames cannot fill {blocks} blocks; sample more often or run longer")
    bins = Bins(dr, r_max, offset)
    grid = bins.grid
    bounds = np.array([(k + 1) * n_frames // blocks for k in range(blocks)])
    sums, counter, done = np.zeros((blocks, grid.size)), None, 0
    for index, (positions, edges) in zip(range(n_frames), frames, strict=False):
        box = np.asarray(edges, dtype=np.float64)
        vectors = np.diag(box) if box.shape == (3,) else box.T
        if counter is None:
            counter = PairCounter(np.zeros(len(positions), dtype=np.int32), ((0, 0),), bins)
        block = int(np.searchsorted(bounds, index, side="right"))
        sums[block] += counter.count(positions, vectors)[0] * abs(float(np.linalg.det(vectors)))
        done += 1
    if counter is None or done < n_frames:
        raise InputError(f"the trajectory ended after {done} of {n_frames} frames")
    weights = np.diff(bounds, prepend=0) / n_frames
    ideal = counter.numbers[0] * shell_volumes(grid)
    return block_curve(grid, sums / n_frames, weights, ideal, unit_system(units), counter.types.size)


def rdf(
    trajectory: Trajectory,
    *,
    dr: float,
    r_max: float | None = None,
    blocks: int = BLOCKS,
    offset: float = 0.0,
) -> RDF:
    """Return g(r) of a simulated trajectory with block errors; by default up to half the box.

    See `accumulate_rdf` for the grid and the errors raised.
    """
    if len(trajectory) < blocks:  # before they are counted
        raise InputError(
            f"{len(trajectory)} frames cannot fill {blocks} blocks; sample more often or run longer"
        )
    r_max = Bins.reaching(dr, r_max, offset, 0.5 * float(np.min(trajectory.box))).r_max
    return count_pairs(trajectory, dr=dr, r_max=r_max, offset=offset).rdf(blocks=blocks)


def count_pairs(
    trajectory: Trajectory,
    *,
    dr: float,
    r_max: float,
    offset: float = 0.0,
    before: PairCounts | None = None,
) -> PairCounts:
    """Return the pairs of every configuration on the grid ``offset + i dr`` up to `r_max`.

    `before` are the counts of the first configurations on the same grid; those are not counted again.

    Raises
    ------
    InputError
        If r_max + dr/2 exceeds half the box.
    MissingDependencyError
        If Numba is not installed.
    """
    bins = Bins(dr, r_max, offset)
    bins.check(0.5 * float(np.min(trajectory.box)))
    counter = PairCounter(np.zeros(trajectory.n, dtype=np.int32), ((0, 0),), bins)
    counts = count_each(trajectory, [counter], None if before is None else [before.counts[None]])[0][0]
    return PairCounts(bins.grid, counts, trajectory.n, float(np.prod(trajectory.box)), trajectory.units)


def partial_rdfs(
    trajectory: Trajectory,
    *,
    dr: float,
    r_max: float | None = None,
    blocks: int = BLOCKS,
    offset: float = 0.0,
) -> dict[tuple[str, str], RDF]:
    r"""Return g_ab(r) of all pairs of species of a simulated mixture, with block errors.

    .. math:: g_{ab}(r) = \frac{V}{N_a (N_b - \delta_{ab})} \frac{\langle n_{ab}(r) \rangle}{4\pi r^2 dr}

    with the grid of `rdf` and the ordered pairs n_ab in a shell. An ideal mixture gives exactly 1 for every pair.

    Raises
    ------
    InputError
        If r_max + dr/2 exceeds half the box, a species has fewer than two beads, or there are fewer frames than
        blocks.
    """
    counts = count_partial_pairs(trajectory, dr=dr, r_max=r_max, offset=offset)
    return {pair: one.rdf(blocks=blocks) for pair, one in counts.items()}


def count_partial_pairs(
    trajectory: Trajectory,
    *,
    dr: float,
    r_max: float | None = None,
    offset: float = 0.0,
    before: Mapping[tuple[str, str], PairCounts] | None = None,
    excluded: ArrayLike | None = None,
    only: Sequence[tuple[str, str]] | None = None,
) -> dict[tuple[str, str], PairCounts]:
    """Return the pairs of every configuration for all pairs of species, on the grid of `rdf`.

    `before` are the counts of the first configurations on the same grid; those are not counted again. `excluded`
    ``(m, 2)`` are pairs of beads that do not count; `only` names the pairs of species that do, by default all.

    Raises
    ------
    InputError
        If r_max + dr/2 exceeds half the box, or a species has fewer than two beads.
    """
    half = 0.5 * float(np.min(trajectory.box))
    bins = Bins.reaching(dr, r_max, offset, half)
    bins.check(half)
    species = trajectory.species
    rows = tuple(combinations_with_replacement(range(len(species)), 2))
    if only is not None:
        rows = tuple((species.index(a), species.index(b)) for a, b in only)
    for kind, name in enumerate(species):
        if not any(kind in row for row in rows):
            continue
        beads = int(np.count_nonzero(trajectory.types == kind))
        if beads < 2:
            raise InputError(f"there are {beads} beads of {name}; g needs at least two")
    names = [(species[i], species[j]) for i, j in rows]
    left_out = np.empty((0, 2), dtype=np.int64) if excluded is None else np.asarray(excluded, dtype=np.int64)
    counter = PairCounter(trajectory.types, rows, bins, excluded=left_out)
    known = None if before is None else [np.array([before[pair].counts for pair in names])]
    counts = count_each(trajectory, [counter], known)[0]
    volume = float(np.prod(trajectory.box))
    return {
        pair: PairCounts(bins.grid, counts[row], trajectory.n, volume, trajectory.units, float(number))
        for row, (pair, number) in enumerate(zip(names, counter.numbers, strict=True))
    }
