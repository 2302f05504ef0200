"""The radial distribution function."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from cginit.curves.structure_factor import LongWave, StructureFactor
from cginit.display import Drawing, Shown
from cginit.errors import InputError
from cginit.grids import GRID_TOLERANCE, Array, frozen, uniform_grid
from cginit.units import LJ, UnitSystem, conversion, unit_system

__all__ = ["RDF"]


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
    structure_factor : StructureFactor, optional
        S(k) of the same simulation at many k, which then counts as much as g does
        (`cginit.liquid.joint_inversion`), instead of `long_wave`. It has the units of g.

    Raises
    ------
    InputError
        If a value is not finite, g is negative, the grid is not uniform, there are fewer than two beads, or S(k) is
        in other units.

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
    structure_factor: StructureFactor | None = field(default=None, kw_only=True)

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
        if self.structure_factor is not None and self.structure_factor.units != self.units:
            raise InputError(
                f"S(k) in {self.structure_factor.units.name} cannot go with g(r) in {self.units.name}; convert one"
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
    def smallest_wave(self) -> LongWave | None:
        """S at the smallest wave number at which it is known; None if it is at none."""
        return self.long_wave if self.structure_factor is None else self.structure_factor.smallest

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
        if self.structure_factor is not None:
            facts["S(k)"] = f"at {len(self.structure_factor)} wave numbers"
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
        sk = (
            None
            if self.structure_factor is None
            else replace(self.structure_factor.scaled(length), units=units)
        )
        return replace(self, r=self.r * length, long_wave=wave, structure_factor=sk, units=units)

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

    def points_up_to(self, r_max: float) -> int:
        """Return how many points there are up to `r_max`; InputError if the curve ends before it."""
        tolerance = GRID_TOLERANCE * self.dr
        if r_max > self.r_max + tolerance:
            raise InputError(
                f"g(r) ends at r = {self.r_max:g} {self.units.length}, before {r_max:g}; "
                "sample it further or choose a smaller cut-off"
            )
        return int(np.searchsorted(self.r, r_max + tolerance, side="right"))

    def truncated(self, r_max: float) -> RDF:
        """Return the part up to `r_max`; InputError if the curve ends before it."""
        n = self.points_up_to(r_max)
        return replace(self, r=self.r[:n], g=self.g[:n], error=None if self.error is None else self.error[:n])
