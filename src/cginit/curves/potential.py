"""The pair potential, and where it comes from."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cginit.display import Drawing, Shown
from cginit.errors import InputError
from cginit.grids import Array, force, frozen, uniform_grid
from cginit.splines import cubic_spline
from cginit.units import LJ, UnitSystem, conversion, unit_system

__all__ = ["PairPotential", "Provenance"]


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

    def scaled(self, length: float, energy: float) -> Provenance:
        """Return the same with lengths multiplied by `length` and energies by `energy`."""
        return replace(
            self,
            density=None if self.density is None else self.density / length**3,
            kT=None if self.kT is None else self.kT * energy,
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

    def __call__(self, r: ArrayLike) -> Any:
        """Return U at distances of any shape, in the units of the potential.

        Between the points of the grid by a cubic spline, 0 beyond the cut-off, and below the first point, where there
        is nothing but the core, on the straight line of its force there.

        Parameters
        ----------
        r : array_like
            Distances.

        Returns
        -------
        ndarray or float
            Of the same shape; a float for one distance.

        Raises
        ------
        InputError
            If a distance is negative or no number.

        Examples
        --------
        >>> r = np.linspace(0, 1, 101)
        >>> soft = PairPotential(r, 25 * (1 - r) ** 2, units="lj")
        >>> soft([0.5, 2.0]).round(6).tolist(), round(soft(0.5), 6)
        ([6.25, 0.0], 6.25)
        """
        at = np.asarray(r, dtype=np.float64)
        if not np.all(at >= 0.0):
            raise InputError(f"U(r) is asked for at r = {float(np.min(at)):g}; a distance is 0 or more")
        u = cubic_spline(self.r, self.u, np.clip(at, self.r[0], self.r_cut).ravel()).reshape(at.shape)
        u = u - self.f[0] * np.minimum(at - self.r[0], 0.0)
        energies = np.asarray(np.where(at >= self.r_cut, 0.0, u), dtype=np.float64)
        return float(energies) if at.ndim == 0 else energies

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

    def with_provenance(self, provenance: Provenance) -> PairPotential:
        """Return the same potential with another provenance."""
        # Its curves have been checked: `dataclasses.replace` would check them again.
        other = copy(self)
        object.__setattr__(other, "provenance", provenance)
        return other

    def reduced(self, length: float, energy: float) -> PairPotential:
        """Return the potential with r in multiples of `length` and U in multiples of `energy` (usually kT)."""
        return self.scaled(1.0 / length, 1.0 / energy, LJ)

    def scaled(self, length: float, energy: float, units: str | UnitSystem) -> PairPotential:
        """Return the potential with r multiplied by `length` and U by `energy`, labelled with `units`."""
        origin = self.provenance
        return replace(
            self,
            r=self.r * length,
            u=self.u * energy,
            f=self.f * (energy / length),
            u_error=None if self.u_error is None else self.u_error * energy,
            r_core=self.r_core * length,
            provenance=None if origin is None else origin.scaled(length, energy),
            units=unit_system(units),
        )
