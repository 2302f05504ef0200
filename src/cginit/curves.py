"""The two curves of structural coarse-graining: the radial distribution function and the pair potential."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from cginit.display import Drawing, Shown
from cginit.errors import InputError
from cginit.grids import GRID_TOLERANCE, Array, force, frozen, median, uniform_grid
from cginit.splines import cubic_spline
from cginit.units import LJ, UnitSystem, conversion, unit_system

__all__ = [
    "GRID_TOLERANCE",
    "RDF",
    "Array",
    "LongWave",
    "PairPotential",
    "Provenance",
    "force",
    "median",
    "uniform_grid",
]


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


@dataclass(frozen=True, eq=False, repr=False)
class RDF(Shown):
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
        object.__setattr__(self, "g", frozen(self.g, "g"))
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
            object.__setattr__(self, "error", frozen(self.error, "error"))
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

    def _facts(self) -> dict[str, str]:
        peak = int(np.argmax(self.g))
        facts = {
            "r": f"{self.r[0]:.4g} to {self.r_max:.4g} {self.units.length} in {self.r.size} points",
            "peak": f"{self.g[peak]:.3g} at {self.r[peak]:.4g}",
        }
        if self.error is not None:
            facts["error"] = f"{self.error[peak]:.2g} there"
        if self.beads is not None:
            facts["beads"] = str(self.beads)
        return facts

    def _drawing(self) -> Drawing:
        return Drawing(
            self.r, self.g, self.error, f"r / {self.units.length}", "g(r)", 0.0, max(1.0, float(self.g.max()))
        )

    def _columns(self) -> dict[str, Array | None]:
        return {"r": self.r, "g": self.g, "error": self.error}

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


@dataclass(frozen=True, eq=False, repr=False)
class PairPotential(Shown):
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
        object.__setattr__(self, "u", frozen(self.u, "u"))
        object.__setattr__(self, "notes", tuple(self.notes))
        if self.u.shape != self.r.shape:
            raise InputError(f"u has {self.u.size} values for {self.r.size} distances")
        if self.u[-1] != 0.0:
            raise InputError(f"u(r_cut) is {self.u[-1]:g}, not 0; subtract it (PairPotential.shifted does)")
        values = force(self.r, self.u) if self.f is None else self.f
        object.__setattr__(self, "f", frozen(values, "f"))
        if self.f.shape != self.r.shape:
            raise InputError(f"f has {self.f.size} values for {self.r.size} distances")
        if self.u_error is not None:
            object.__setattr__(self, "u_error", frozen(self.u_error, "u_error"))
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

    def __call__(self, r: ArrayLike) -> Array:
        """Return U at distances of any shape, in the units of the potential.

        Between the points of the grid by a cubic spline, 0 beyond the cut-off, and below the first point, where there
        is nothing but the core, on the straight line of its force there.

        Parameters
        ----------
        r : array_like
            Distances.

        Returns
        -------
        ndarray
            Of the same shape.

        Examples
        --------
        >>> r = np.linspace(0, 1, 101)
        >>> soft = PairPotential(r, 25 * (1 - r) ** 2, units="lj")
        >>> soft([0.5, 2.0]).round(6).tolist()
        [6.25, 0.0]
        """
        at = np.asarray(r, dtype=np.float64)
        u = cubic_spline(self.r, self.u, np.clip(at, self.r[0], self.r_cut).ravel()).reshape(at.shape)
        u = u - self.f[0] * np.minimum(at - self.r[0], 0.0)
        return np.asarray(np.where(at >= self.r_cut, 0.0, u), dtype=np.float64)

    def _facts(self) -> dict[str, str]:
        well, origin = int(np.argmin(self.u)), self.provenance
        facts = {
            "r": f"{self.r[0]:.4g} to {self.r_cut:.4g} {self.units.length} in {self.r.size} points",
            "minimum": f"{self.u[well]:.3g} {self.units.energy} at {self.r[well]:.4g}",
        }
        if self.r_core > 0.0:
            facts["core"] = f"extrapolated below {self.r_core:.4g}"
        if origin is not None:
            facts["by"] = origin.model or origin.method
        if self.notes:
            facts["notes"] = str(len(self.notes))
        return facts

    def _drawing(self) -> Drawing:
        # The well and as much of the core above 0, or twice kT of what has no well.
        deep = float(-self.u.min())
        scale = max(deep, 0.0 if self.provenance is None else 2.0 * (self.provenance.kT or 0.0))
        high = scale or 0.1 * float(self.u.max()) or 1.0
        labels = (f"r / {self.units.length}", f"U(r) / ({self.units.energy})")
        return Drawing(self.r, self.u, self.u_error, *labels, -deep, high)

    def _columns(self) -> dict[str, Array | None]:
        return {"r": self.r, "u": self.u, "f": self.f, "u_error": self.u_error}

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
