"""Configurations to g(r) and pressure with statistical errors: the only place that computes an RDF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.configuration import Trajectory
from cginit.curves import RDF, Array, PairPotential
from cginit.dependencies import load_freud
from cginit.errors import InputError
from cginit.extrapolate import resampled
from cginit.pair_counter import PairCounter
from cginit.state import StatePoint
from cginit.units import UnitSystem, unit_system

__all__ = [
    "Health",
    "Mean",
    "PairCounts",
    "accumulate_rdf",
    "block_curve",
    "block_mean",
    "count_pairs",
    "count_partial_pairs",
    "density_waves",
    "examine",
    "low_k_structure_factor",
    "partial_rdfs",
    "rdf",
    "virial_pressure",
]

#: Blocks per run. Ten give the standard error itself an uncertainty of 1/sqrt(18) = 24 %.
BLOCKS = 10
#: Points of the fine grid on which the virial interpolates the force.
FORCE_POINTS = 2500


@dataclass(frozen=True)
class Mean:
    """A mean with the standard error of correlated samples, from block averages."""

    value: float
    error: float


def block_mean(samples: ArrayLike, blocks: int = BLOCKS) -> Mean:
    """Return mean and standard error of a time series ``(k,)`` from the spread of `blocks` block averages.

    Source: Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989), doi:10.1063/1.457480.

    Raises
    ------
    InputError
        If there are fewer samples than blocks.
    """
    series = np.asarray(samples, dtype=np.float64)
    if series.size < blocks:
        raise InputError(
            f"{series.size} samples cannot fill {blocks} blocks; run longer or sample more often"
        )
    usable = series[series.size % blocks :]
    means = usable.reshape(blocks, -1).mean(axis=1)
    return Mean(float(means.mean()), float(means.std(ddof=1) / np.sqrt(blocks)))


def block_curve(
    grid: Array, per_block: Array, first: int, units: str | UnitSystem, beads: int | None = None
) -> RDF:
    """Return g(r) as the mean of equally long blocks, with its standard error.

    Parameters
    ----------
    grid : ndarray, shape (n,)
        Points of g(r).
    per_block : ndarray, shape (blocks, n - first)
        g of each block from the point `first` on.
    first : int
        Points whose bin is cut at the origin and holds almost no volume; they take the value of their neighbour.
    units : str or UnitSystem
        Units of the grid.
    beads : int, optional
        Number of beads, if all pairs of them were counted.

    Examples
    --------
    >>> block_curve(np.arange(3) * 0.1, np.array([[1.0, 0.8], [1.2, 0.8]]), 1, "lj").g.tolist()
    [1.1, 1.1, 0.8]
    """
    g, error = per_block.mean(axis=0), per_block.std(axis=0, ddof=1) / np.sqrt(len(per_block))
    filled = [np.concatenate([np.repeat(values[:1], first), values]) for values in (g, error)]
    return RDF(grid, *filled, units=unit_system(units), beads=beads)


@dataclass(frozen=True)
class _Bins:
    """Bins of width `dr` around ``offset + i dr`` up to `r_max`; one that is cut at the origin is not counted."""

    dr: float
    r_max: float
    offset: float

    @classmethod
    def reaching(cls, dr: float, r_max: float | None, offset: float, half: float) -> _Bins:
        """Return the bins up to `r_max`, by default as many whole ones as half the box holds."""
        if r_max is None:
            r_max = offset + dr * float(np.floor((half * (1 + 1e-9) - offset) / dr - 0.5))
        return cls(dr, r_max, offset)

    @property
    def grid(self) -> Array:
        """Centres of the bins, the one at the origin included."""
        steps = round((self.r_max - self.offset) / self.dr)
        return np.asarray(self.offset + self.dr * np.arange(steps + 1, dtype=np.float64))

    @property
    def first(self) -> int:
        """Index of the first point whose bin is counted."""
        return 0 if self.offset >= 0.499 * self.dr else 1

    @property
    def upper(self) -> float:
        """Where the last bin ends."""
        return float(self.grid[-1]) + 0.5 * self.dr

    def counter(self) -> PairCounter:
        """Return the counter of these bins."""
        grid = self.grid
        lower = max(0.0, float(grid[self.first]) - 0.5 * self.dr)
        return PairCounter(lower, self.upper, grid.size - self.first)

    def check(self, half: float) -> None:
        """Refuse bins that reach beyond half the box."""
        if self.upper > half * (1.0 + 1e-6):
            raise InputError(
                f"r_max {self.r_max:g} + dr/2 exceeds half the box ({half:g}); "
                "choose a smaller r_max or simulate more beads"
            )


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
    r"""Return g(r) of a stream of configurations, one frame in memory at a time.

    The value at :math:`r_i = offset + i\,dr` is the average over the bin :math:`r_i \pm dr/2`; a first point
    nearer to 0 than dr/2 is set to its neighbour's value, since its own bin is cut and holds almost no volume.
    An ideal gas gives exactly 1 (normalised with the N - 1 other beads).

    Parameters
    ----------
    frames : iterable of (positions (n, 3), box)
        Positions in a periodic box centred on the origin; the box as three edges ``(3,)`` or a 3x3 matrix.
    n_frames : int
        How many frames there are; blocks are contiguous in time.
    dr, r_max : float
        Bin width, and the last grid point wanted; at most half the smallest edge, less dr/2.
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
        If freud is not installed.
    """
    freud = load_freud()

    if n_frames < blocks:
        raise InputError(f"{n_frames} frames cannot fill {blocks} blocks; sample more often or run longer")
    bins = _Bins(dr, r_max, offset)
    grid, first = bins.grid, bins.first
    n_bins = grid.size - first
    per_block: list[Array] = []
    counter = bins.counter()
    total, filled = np.zeros(n_bins), 0
    bounds = [(k + 1) * n_frames // blocks for k in range(blocks)]
    for index, (positions, edges) in enumerate(frames):
        array = np.asarray(edges, dtype=np.float64)
        box = freud.Box(*array) if array.shape == (3,) else freud.Box.from_box(array)
        bins.check(0.5 * float(np.min(box.L)))
        n = len(positions)
        total += counter.count(box, positions) * (float(box.volume) / (0.5 * n * (n - 1)))
        filled += 1
        if index + 1 == bounds[len(per_block)]:
            per_block.append(total / (counter.shells * filled))
            total, filled = np.zeros(n_bins), 0
            if len(per_block) == blocks:
                break
    if len(per_block) < blocks:
        raise InputError(f"the trajectory ended after {len(per_block)} of {blocks} blocks")
    return block_curve(grid, np.array(per_block), first, units, n)


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
    r_max = _Bins.reaching(dr, r_max, offset, 0.5 * float(np.min(trajectory.box))).r_max
    frames = ((frame, trajectory.box) for frame in trajectory.positions)
    return accumulate_rdf(
        frames, len(trajectory), dr=dr, r_max=r_max, units=trajectory.units, blocks=blocks, offset=offset
    )


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

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    def ideal(self) -> Array:
        """Return the pairs ``(n,)`` that an ideal gas has in each bin."""
        dr = float((self.r[-1] - self.r[0]) / (self.r.size - 1))
        lower = np.maximum(self.r - 0.5 * dr, 0.0)
        shells = 4.0 / 3.0 * np.pi * ((self.r + 0.5 * dr) ** 3 - lower**3)
        pairs = 0.5 * self.beads * (self.beads - 1) if self.pairs is None else self.pairs
        return np.asarray(pairs / self.volume * shells, dtype=np.float64)

    def rdf(self, weights: ArrayLike | None = None, blocks: int = BLOCKS) -> RDF:
        r"""Return g(r) with block errors, each configuration with a weight (all the same by default).

        The error of the weighted mean :math:`\bar g = \sum_b W_b g_b` over blocks of total weight
        :math:`W_b` is that of a ratio: :math:`\sigma^2 = \frac{m}{m-1} \sum_b W_b^2 (g_b - \bar g)^2`.

        Raises
        ------
        InputError
            If there are fewer configurations than blocks.
        """
        frames = len(self)
        if frames < blocks:
            raise InputError(f"{frames} frames cannot fill {blocks} blocks; sample more often or run longer")
        w = np.full(frames, 1.0 / frames) if weights is None else np.asarray(weights, dtype=np.float64)
        w = w / w.sum()
        bounds = [k * frames // blocks for k in range(blocks)]
        sums = np.add.reduceat(w[:, None] * self.counts, bounds, axis=0)
        totals = np.add.reduceat(w, bounds)
        ideal = self.ideal()
        g = sums.sum(axis=0) / ideal
        deviation = sums / ideal - totals[:, None] * g
        error = np.sqrt(blocks / (blocks - 1) * np.sum(deviation**2, axis=0))
        if self.r[0] < 0.499 * (self.r[1] - self.r[0]):
            # The bin at the origin is cut and holds almost no volume.
            g[0], error[0] = g[1], error[1]
        return RDF(self.r, g, error, units=self.units, beads=self.beads if self.pairs is None else None)


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
    """
    bins = _Bins(dr, r_max, offset)
    bins.check(0.5 * float(np.min(trajectory.box)))
    grid, first, counter = bins.grid, bins.first, bins.counter()
    box = load_freud().Box(*trajectory.box)
    counts, known = _with_known(before, len(trajectory), grid)
    for index in range(known, len(trajectory)):
        counts[index, first:] = counter.count(box, trajectory.positions[index])
    return PairCounts(grid, counts, trajectory.n, float(np.prod(trajectory.box)), trajectory.units)


def _with_known(before: PairCounts | None, frames: int, grid: Array) -> tuple[NDArray[np.int32], int]:
    """Return counts ``(frames, n)`` that begin with those known before, and how many these are."""
    counts = np.zeros((frames, grid.size), dtype=np.int32)
    if before is None:
        return counts, 0
    counts[: len(before)] = before.counts
    return counts, len(before)


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
) -> dict[tuple[str, str], PairCounts]:
    """Return the pairs of every configuration for all pairs of species, on the grid of `rdf`.

    `before` are the counts of the first configurations on the same grid; those are not counted again.

    Raises
    ------
    InputError
        If r_max + dr/2 exceeds half the box, or a species has fewer than two beads.
    """
    half = 0.5 * float(np.min(trajectory.box))
    bins = _Bins.reaching(dr, r_max, offset, half)
    bins.check(half)
    grid, first, counter = bins.grid, bins.first, bins.counter()
    members = [np.flatnonzero(trajectory.types == k) for k in range(len(trajectory.species))]
    for name, beads in zip(trajectory.species, members, strict=True):
        if beads.size < 2:
            raise InputError(f"there are {beads.size} beads of {name}; g needs at least two")
    box = load_freud().Box(*trajectory.box)
    volume, found = float(np.prod(trajectory.box)), {}
    for i, j in combinations_with_replacement(range(len(members)), 2):
        pair = (trajectory.species[i], trajectory.species[j])
        counts, known = _with_known(None if before is None else before[pair], len(trajectory), grid)
        for index in range(known, len(trajectory)):
            positions = trajectory.positions[index]
            if i == j:
                counts[index, first:] = counter.count(box, positions[members[i]])
            else:
                counts[index, first:] = counter.count_between(
                    box, positions[members[i]], positions[members[j]]
                )
        n, m = members[i].size, members[j].size
        pairs = 0.5 * n * (n - 1) if i == j else float(n * m)
        found[pair] = PairCounts(grid, counts, trajectory.n, volume, trajectory.units, pairs)
    return found


def virial_pressure(
    trajectory: Trajectory, potential: PairPotential, state: StatePoint, *, blocks: int = BLOCKS
) -> Mean:
    r"""Return the pressure of the sampled configurations under a pair potential.

    .. math:: P = \rho kT + \frac{1}{3V} \Big\langle \sum_{i<j} r_{ij} F(r_{ij}) \Big\rangle

    with the force of the spline that engines tabulate (the central differences of a coarse grid are off by
    several per cent in a steep core), and the kinetic part by kT rather than by the momentary velocities,
    which removes their noise. In the units of trajectory, potential and state, which must agree.
    """
    freud = load_freud()
    fine = resampled(potential, np.linspace(0.0, potential.r_cut, FORCE_POINTS + 1), state.kT)
    box = freud.box.Box(*trajectory.box)
    volume = float(np.prod(trajectory.box))
    virial = np.empty(len(trajectory))
    for index, positions in enumerate(trajectory.positions):
        query = freud.locality.AABBQuery(box, positions).query(
            positions, {"r_max": potential.r_cut, "exclude_ii": True}
        )
        r = np.asarray(query.toNeighborList().distances, dtype=np.float64)
        virial[index] = 0.5 * np.sum(r * np.interp(r, fine.r, fine.f, right=0.0))
    mean = block_mean(virial / (3.0 * volume), blocks)
    return Mean(trajectory.density * state.kT + mean.value, mean.error)


def low_k_structure_factor(trajectory: Trajectory) -> Mean:
    r"""Return S(k) averaged over the three smallest wave vectors that fit the box.

    .. math:: S(k) = \frac{1}{N} \Big\langle \big| \sum_j e^{-i k \cdot r_j} \big|^2 \Big\rangle

    The three of one frame are averaged, frames are blocked. A box that separates into two phases, or clusters,
    has S(k_min) >> 1; the ideal gas has 1.
    """
    s = [density_waves(frame, np.diag(trajectory.box))[1].mean() for frame in trajectory.positions]
    return block_mean(s, min(BLOCKS, len(trajectory)))


def density_waves(positions: ArrayLike, vectors: Array) -> tuple[Array, Array]:
    r"""Return the wave numbers of the three vectors that span the reciprocal lattice, and S at them in one frame.

    Parameters
    ----------
    positions : array_like, shape (n, 3)
        Beads.
    vectors : ndarray, shape (3, 3)
        The edges of the box as rows.

    Returns
    -------
    k, s : ndarray, shape (3,)
        Wave numbers and :math:`|\sum_j e^{-i k \cdot r_j}|^2 / N`.
    """
    waves = 2.0 * np.pi * np.linalg.inv(vectors).T
    # Single precision is enough for a phase and twice as fast.
    phases = np.asarray(positions, dtype=np.float32) @ waves.T.astype(np.float32)
    amplitude = np.exp(-1j * phases).sum(axis=0)
    return np.linalg.norm(waves, axis=1), np.abs(amplitude).astype(np.float64) ** 2 / phases.shape[0]


@dataclass(frozen=True)
class Health:
    """What is wrong with a run as an equilibrium fluid; ``ok`` if nothing is.

    Attributes
    ----------
    reasons : tuple of str
        One sentence each, beginning with a keyword: ``not equilibrated:``, ``inhomogeneous:``, ``crystal:``.
    s_k_min : float
        S at the smallest wave vectors.
    """

    reasons: tuple[str, ...]
    s_k_min: float

    @property
    def ok(self) -> bool:
        """Whether the run is a homogeneous fluid in equilibrium as far as can be seen."""
        return not self.reasons


#: S(k_min) of a homogeneous fluid stays well below this except close to a critical point.
S_K_MIN_LIMIT = 6.0
#: A Bragg peak is of order N. The peak of S(k) of a fluid is below 2.85 where it freezes (Hansen and
#: Verlet, Phys. Rev. 184, 151, 1969, doi:10.1103/PhysRev.184.151); of a thousand single wave vectors in a
#: slow fluid that hardly decorrelates, the largest is ln(1000) times that, about 20. Hence a part of N.
BRAGG_PART, BRAGG_FLOOR = 0.04, 10.0
#: g(r) of a fluid is flat at half the box; 4 sigma of noise plus a finite-size part of this much is allowed.
FLATNESS = 0.05
#: Drift of the energy between the halves of a run, in standard errors, beyond which it is not equilibrated.
DRIFT_SIGMAS = 4.0


def examine(trajectory: Trajectory, g: RDF, energy: ArrayLike | None = None) -> Health:
    """Look for what makes a run useless: drift, two phases or clusters, a crystal.

    Parameters
    ----------
    trajectory : Trajectory
        The production run.
    g : RDF
        Its g(r), to half the box or near it.
    energy : array_like, shape (k,), optional
        Energy per bead along the production run, for the drift test: the means of the two halves, each
        with the error of five blocks, differ by less than 4 standard errors (t-distributed with 8 degrees of
        freedom: one false alarm in about 250 runs), or by less than 0.2 % of the mean.
    """
    reasons: list[str] = []
    if energy is not None:
        series = np.asarray(energy, dtype=np.float64)
        half = series.size // 2
        if half >= 5:
            first, second = block_mean(series[:half], 5), block_mean(series[half:], 5)
            drift = abs(first.value - second.value)
            noise = float(np.hypot(first.error, second.error))
            if drift > DRIFT_SIGMAS * noise and drift > 2e-3 * abs(second.value) + 1e-4:
                reasons.append(
                    f"not equilibrated: the energy per bead drifts from {first.value:.4g} to "
                    f"{second.value:.4g} ({drift / noise:.1f} standard errors) within the run; equilibrate longer"
                )
    low = low_k_structure_factor(trajectory)
    if low.value > S_K_MIN_LIMIT:
        reasons.append(
            f"inhomogeneous: S(k_min) = {low.value:.3g}, where a homogeneous fluid stays below "
            f"{S_K_MIN_LIMIT:g}; the beads cluster or the box holds two phases"
        )
    tail = g.r > 0.85 * g.r_max
    excess = float(np.mean(g.g[tail] - 1.0))
    noise = 0.0 if g.error is None else float(np.mean(g.error[tail]))
    # A g(r) that ends before half the box may end in a true oscillation; S(k_min) alone must do then.
    reaches_half = g.r_max > 0.9 * 0.5 * float(np.min(trajectory.box))
    if reaches_half and abs(excess) > FLATNESS + 4.0 * noise:
        reasons.append(
            f"inhomogeneous: g is {1.0 + excess:.3f} on average beyond r = {0.85 * g.r_max:.3g}, not 1; "
            "the box holds two phases or is too small"
        )
    peak = _bragg_peak(trajectory)
    if peak > max(BRAGG_FLOOR, BRAGG_PART * trajectory.n):
        reasons.append(f"crystal: S(k) reaches {peak:.3g} at one wave vector, a Bragg peak")
    return Health(tuple(reasons), low.value)


def _bragg_peak(trajectory: Trajectory, frames: int = 16) -> float:
    """Largest S(k) of any single wave vector, averaged over frames spread over the run.

    In a fluid the amplitude of one wave vector decorrelates and the average stays near S(k); in a crystal it
    persists. The density field on a grid of about half a bead spacing reaches past the first Bragg peaks.
    """
    chosen = np.unique(np.linspace(0, len(trajectory) - 1, frames).astype(int))
    cells = np.maximum(8, np.ceil(2.5 * trajectory.box * trajectory.density ** (1 / 3))).astype(int)
    total: Array | float = 0.0
    for index in chosen:
        scaled = trajectory.positions[index] / trajectory.box + 0.5
        cell = np.floor((scaled % 1.0) * cells).astype(int) % cells
        field = np.zeros(tuple(cells))
        np.add.at(field, tuple(cell.T), 1.0)
        total = total + np.abs(np.fft.rfftn(field)) ** 2 / trajectory.n
    spectrum = np.asarray(total) / chosen.size
    spectrum[0, 0, 0] = 0.0
    return float(spectrum.max())
