"""The two curves of structural coarse-graining: the radial distribution function and the pair potential."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.errors import InputError
from cginit.units import LJ, UnitSystem, conversion, unit_system

__all__ = ["RDF", "Array", "LongWave", "PairPotential", "Provenance", "force", "median", "uniform_grid"]

Array = NDArray[np.float64]

#: Printed tables round r; a grid counts as uniform while its steps differ by less than this part of a step.
GRID_TOLERANCE = 1e-3


def _frozen(values: ArrayLike, name: str) -> Array:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers: {error}") from None
    if array.ndim != 1:
        raise InputError(f"{name} must be one-dimensional, not of shape {array.shape}")
    if not np.all(np.isfinite(array)):
        bad = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(f"{name}[{bad}] is {array[bad]}; every value must be finite")
    array.flags.writeable = False
    return array


def uniform_grid(r: ArrayLike, name: str = "r") -> Array:
    """Validate distances ``(n,)`` and return them as an exactly uniform, read-only grid.

    The end points are kept; inner points may deviate by the rounding of a printed file.

    Raises
    ------
    InputError
        If there are fewer than three points, a negative or decreasing r, or uneven steps.
    """
    grid = _frozen(r, name)
    if grid.size < 3:
        raise InputError(f"{name} needs at least 3 points, got {grid.size}")
    if grid[0] < 0.0:
        raise InputError(f"{name}[0] = {grid[0]:g} is negative")
    dr = float(grid[-1] - grid[0]) / (grid.size - 1)
    even = np.linspace(grid[0], grid[-1], grid.size)
    deviation = np.abs(grid - even)
    if not (dr > 0.0 and deviation.max() <= max(GRID_TOLERANCE * dr, 1e-12)):
        steps = np.diff(grid)
        if np.any(steps <= 0.0):
            bad = int(np.flatnonzero(steps <= 0.0)[0]) + 1
            raise InputError(
                f"{name}[{bad}] = {grid[bad]:g} does not increase on {grid[bad - 1]:g}; sort the rows"
            )
        worst = int(np.argmax(deviation))
        raise InputError(
            f"{name} is not uniform: {name}[{worst}] = {grid[worst]:g} where a step of {dr:g} gives "
            f"{even[worst]:g}; resample the curve to a uniform grid (cginit.read_rdf does)"
        )
    # A first point that is a rounding error away from 0 is 0, and a step off a round one likewise.
    even.flags.writeable = False
    return even


def median(values: Array) -> float:
    """Return the median of values ``(n,)``; NaN if one of them is.

    `numpy.median` loads numpy.ma at its first use, which takes as long as a small network.

    Examples
    --------
    >>> median(np.array([4.0, 1.0, 2.0, 9.0]))
    3.0
    """
    ordered = np.sort(values)
    middle = 0.5 * float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2])
    return float("nan") if np.isnan(ordered[-1]) else middle


def force(r: Array, u: Array) -> Array:
    """Return F = -dU/dr ``(n,)`` by central differences of the grid (second order, one-sided at the ends).

    This force lies between the two neighbouring secants, which is what LAMMPS checks in a table.
    """
    return np.asarray(-np.gradient(u, r), dtype=np.float64)


@dataclass(frozen=True)
class Provenance:
    """Where a curve comes from; tables carry it in their header.

    Attributes
    ----------
    method : str
        Name of the guess or update that made the curve.
    model : str or None
        Name and version of the network, if one was used.
    density, kT : float or None
        State point, in the units of the curve.
    source : str or None
        Hash of the input g(r): ``sha256:`` and 12 hexadecimal digits.
    """

    method: str
    model: str | None = None
    density: float | None = None
    kT: float | None = None
    source: str | None = None


@dataclass(frozen=True)
class LongWave:
    r"""Structure factor :math:`S(k) = 1 + \rho \hat h(k)` at one small wave number.

    It is a sum over all of g, in which a point counts as r^2 and its noise with it; a simulation knows it far better
    by itself.

    Attributes
    ----------
    k : float
        Wave number in the inverse unit of length; 0 for a compressibility, :math:`S(0) = \rho kT \kappa_T`.
    s : float
        S(k).
    error : float
        Its standard error.

    Raises
    ------
    InputError
        If `k` or `error` is negative, or `s` is not positive.

    Examples
    --------
    >>> LongWave(0.6, 0.02, 0.001).scaled(10.0)
    LongWave(k=0.06, s=0.02, error=0.001)
    """

    k: float
    s: float
    error: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.k < np.inf and 0.0 < self.s < np.inf and 0.0 <= self.error < np.inf):
            raise InputError(
                f"S(k) needs k >= 0, S > 0 and an error >= 0, not k = {self.k:g}, S = {self.s:g} +- {self.error:g}"
            )

    def scaled(self, length: float) -> LongWave:
        """Return the same with lengths multiplied by `length`."""
        return replace(self, k=self.k / length)


@dataclass(frozen=True, eq=False)
class RDF:
    """Radial distribution function g(r) on one uniform grid.

    Parameters
    ----------
    r : array_like, shape (n,)
        Distances, endpoint-inclusive and uniform. The grid may start where g becomes positive: what
        lies below r[0] is then the core, g = 0.
    g : array_like, shape (n,)
        g(r), dimensionless and not negative. Sampled values are averages over a bin centred on r.
    error : array_like, shape (n,), optional
        Standard error of g.
    units : str or UnitSystem
        Units of r. There is no default, since a nanometre is never guessed.
    beads : int, optional
        Number of beads N in the periodic box that g was sampled in, normalised with the N - 1 others: such a g
        approaches 1 + (1 - S(0))/N (`cginit.liquid.finite_size`). Without it g counts as that of a large system.
    long_wave : LongWave, optional
        S(k) of the same simulation at a small k, which the inversion of g then agrees with
        (`cginit.liquid.long_wave`).

    Raises
    ------
    InputError
        If a value is not finite, g is negative, the grid is not uniform or there are fewer than two beads.

    Examples
    --------
    >>> gas = RDF(np.arange(1, 6), np.ones(5), units="lj")
    >>> gas.dr
    1.0
    """

    r: Array
    g: Array
    error: Array | None = None
    units: UnitSystem = field(kw_only=True)
    beads: int | None = field(default=None, kw_only=True)
    long_wave: LongWave | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", unit_system(self.units))
        object.__setattr__(self, "r", uniform_grid(self.r))
        object.__setattr__(self, "g", _frozen(self.g, "g"))
        if self.beads is not None and self.beads < 2:
            raise InputError(f"g(r) needs at least 2 beads, not {self.beads}")
        if self.g.shape != self.r.shape:
            raise InputError(f"g has {self.g.size} values for {self.r.size} distances")
        if np.any(self.g < 0.0):
            bad = int(np.argmin(self.g))
            raise InputError(
                f"g is negative at r = {self.r[bad]:g} ({self.g[bad]:.3g}); set it to 0 (--clean)"
            )
        if self.error is not None:
            object.__setattr__(self, "error", _frozen(self.error, "error"))
            if self.error.shape != self.r.shape:
                raise InputError(f"error has {self.error.size} values for {self.r.size} distances")
            if np.any(self.error < 0.0):
                raise InputError("error is negative; a standard error is not")

    @property
    def dr(self) -> float:
        """Grid step."""
        return float((self.r[-1] - self.r[0]) / (self.r.size - 1))

    @property
    def r_max(self) -> float:
        """Largest distance."""
        return float(self.r[-1])

    def to(self, units: str | UnitSystem) -> RDF:
        """Return the same curve in other units."""
        target = unit_system(units)
        length, _ = conversion(self.units, target)
        return self if target == self.units else self._scaled(length, target)

    def reduced(self, length: float) -> RDF:
        """Return the same curve with distances in multiples of `length`."""
        return self._scaled(1.0 / length, LJ)

    def _scaled(self, length: float, units: UnitSystem) -> RDF:
        wave = None if self.long_wave is None else self.long_wave.scaled(length)
        return replace(self, r=self.r * length, long_wave=wave, units=units)

    def with_core(self) -> RDF:
        """Return the curve extended to its first grid point at or above 0, with g = 0 in what was missing."""
        missing = int(np.floor(self.r[0] / self.dr + GRID_TOLERANCE))
        if missing == 0:
            return self
        start = self.r[0] - missing * self.dr
        start = 0.0 if abs(start) < GRID_TOLERANCE * self.dr else start
        n = self.r.size + missing
        zeros = np.zeros(missing)
        return replace(
            self,
            r=np.linspace(start, self.r[-1], n),
            g=np.concatenate([zeros, self.g]),
            error=None if self.error is None else np.concatenate([zeros, self.error]),
        )

    def rebinned(self, dr: float) -> RDF:
        """Return the averages over bins of width `dr` centred on multiples of `dr`, weighted by r^2 as counts are.

        A histogram much finer than its features is noise at every point. `dr` is a multiple of the step; errors
        are taken as independent.

        Raises
        ------
        InputError
            If `dr` is no multiple of the step, or the grid does not hold its multiples.
        """
        whole = self.with_core()
        factor = round(dr / whole.dr)
        if factor < 1 or abs(factor * whole.dr - dr) > 1e-3 * whole.dr or whole.r[0] > GRID_TOLERANCE * dr:
            raise InputError(
                f"the step {dr:g} is no multiple of the step {whole.dr:g} of g(r), or g(r) does not lie on multiples "
                "of it; choose another step"
            )
        half = factor // 2
        count = (whole.r.size - 1 - half) // factor + 1
        # Of an even number of steps the two at the edges belong half to the neighbours.
        window = np.ones(2 * half + 1)
        if factor % 2 == 0 and half:
            window[[0, -1]] = 0.5
        g, error = np.zeros(count), None if whole.error is None else np.zeros(count)
        for k in range(count):
            points = np.arange(k * factor - half, k * factor + half + 1)
            inside = points >= 0
            points = points[inside]
            weight = window[inside] * np.maximum(whole.r[points], 1e-3 * whole.dr) ** 2
            weight /= weight.sum()
            g[k] = weight @ whole.g[points]
            if error is not None and whole.error is not None:
                error[k] = np.sqrt(np.sum((weight * whole.error[points]) ** 2))
        return replace(self, r=dr * np.arange(count, dtype=np.float64), g=g, error=error)

    def mean_beyond(self, distance: float) -> float:
        """Return the mean of g in the volume beyond `distance`: 1 in a liquid whose correlations have ended.

        Raises
        ------
        InputError
            If the curve ends before it.
        """
        tail = self.r >= distance - GRID_TOLERANCE * self.dr
        if not np.any(tail):
            raise InputError(
                f"g(r) ends at r = {self.r_max:g}, before {distance:g}; choose a distance within it"
            )
        shells = self.r[tail] ** 2
        return float(np.sum(shells * self.g[tail]) / np.sum(shells))

    def normalised(self, beyond: float) -> RDF:
        """Return the curve divided by its mean beyond a distance, where its correlations have ended.

        A histogram that was divided by a density other than that of its box tends to another number than 1; even a
        per cent makes S(0) of a liquid negative.

        Raises
        ------
        InputError
            If the curve ends before `beyond`, or is 0 there.

        Examples
        --------
        >>> low = RDF(np.arange(1, 6), np.full(5, 0.99), units="lj")
        >>> float(low.normalised(3.0).g[0])
        1.0
        """
        mean = self.mean_beyond(beyond)
        if mean <= 0.0:
            raise InputError(f"g(r) is 0 beyond r = {beyond:g}; it cannot be normalised there")
        error = None if self.error is None else self.error / mean
        return replace(self, g=self.g / mean, error=error)

    def truncated(self, r_max: float) -> RDF:
        """Return the part up to `r_max`; InputError if the curve ends before it."""
        tolerance = GRID_TOLERANCE * self.dr
        if r_max > self.r_max + tolerance:
            raise InputError(
                f"g(r) ends at r = {self.r_max:g} {self.units.length}, before {r_max:g}; "
                "sample it further or choose a smaller cut-off"
            )
        keep = self.r <= r_max + tolerance
        return replace(
            self, r=self.r[keep], g=self.g[keep], error=None if self.error is None else self.error[keep]
        )


@dataclass(frozen=True, eq=False)
class PairPotential:
    """Pair potential U(r) with its force on one uniform, endpoint-inclusive grid; U(r_cut) = 0 by shift.

    Parameters
    ----------
    r : array_like, shape (n,)
        Distances up to and including the cut-off ``r_cut = r[-1]``.
    u : array_like, shape (n,)
        Energies.
    f : array_like, shape (n,), optional
        Forces -dU/dr; by default the central differences of `u` (see `force`).
    u_error : array_like, shape (n,), optional
        Standard error of U, where the method gives one.
    notes : tuple of str
        Sentences for the user: out of the trained range, extrapolated core, ...
    r_core : float
        Below it the values are extrapolated, not inferred from g(r).
    provenance : Provenance, optional
        Method, model version, state point and input hash.
    units : str or UnitSystem
        Units of r and u.

    Raises
    ------
    InputError
        If a value is not finite, the grid is not uniform, or U(r_cut) is not 0.

    Examples
    --------
    >>> r = np.linspace(0, 1, 5)
    >>> PairPotential(r, 25 * (1 - r) ** 2 / 2, units="lj").r_cut
    1.0
    """

    r: Array
    u: Array
    f: Array = None  # type: ignore[assignment]  # filled from u
    u_error: Array | None = None
    notes: tuple[str, ...] = ()
    r_core: float = field(default=0.0, kw_only=True)
    provenance: Provenance | None = field(default=None, kw_only=True)
    units: UnitSystem = field(kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", unit_system(self.units))
        object.__setattr__(self, "r", uniform_grid(self.r))
        object.__setattr__(self, "u", _frozen(self.u, "u"))
        object.__setattr__(self, "notes", tuple(self.notes))
        if self.u.shape != self.r.shape:
            raise InputError(f"u has {self.u.size} values for {self.r.size} distances")
        if self.u[-1] != 0.0:
            raise InputError(f"u(r_cut) is {self.u[-1]:g}, not 0; subtract it (PairPotential.shifted does)")
        values = force(self.r, self.u) if self.f is None else self.f
        object.__setattr__(self, "f", _frozen(values, "f"))
        if self.f.shape != self.r.shape:
            raise InputError(f"f has {self.f.size} values for {self.r.size} distances")
        if self.u_error is not None:
            object.__setattr__(self, "u_error", _frozen(self.u_error, "u_error"))
            if self.u_error.shape != self.r.shape:
                raise InputError(f"u_error has {self.u_error.size} values for {self.r.size} distances")

    @classmethod
    def shifted(
        cls, r: ArrayLike, u: ArrayLike, *, units: str | UnitSystem, **fields: object
    ) -> PairPotential:
        """Build a potential from energies whose zero is elsewhere: U(r_cut) is subtracted."""
        energies = np.asarray(u, dtype=np.float64)
        return cls(r, energies - energies[-1], units=unit_system(units), **fields)  # type: ignore[arg-type]

    @property
    def dr(self) -> float:
        """Grid step."""
        return float((self.r[-1] - self.r[0]) / (self.r.size - 1))

    @property
    def r_cut(self) -> float:
        """Cut-off; U = F = 0 beyond it."""
        return float(self.r[-1])

    def to(self, units: str | UnitSystem) -> PairPotential:
        """Return the same potential in other units."""
        target = unit_system(units)
        return self if target == self.units else self.scaled(*conversion(self.units, target), target)

    def reduced(self, length: float, energy: float) -> PairPotential:
        """Return the potential with r in multiples of `length` and U in multiples of `energy` (usually kT)."""
        return self.scaled(1.0 / length, 1.0 / energy, LJ)

    def scaled(self, length: float, energy: float, units: str | UnitSystem) -> PairPotential:
        """Return the potential with r multiplied by `length` and U by `energy`, labelled with `units`."""
        origin = self.provenance
        if origin is not None:
            origin = replace(
                origin,
                density=None if origin.density is None else origin.density / length**3,
                kT=None if origin.kT is None else origin.kT * energy,
            )
        return replace(
            self,
            r=self.r * length,
            u=self.u * energy,
            f=self.f * (energy / length),
            u_error=None if self.u_error is None else self.u_error * energy,
            r_core=self.r_core * length,
            provenance=origin,
            units=unit_system(units),
        )
