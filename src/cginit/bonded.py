r"""The two curves of a bonded interaction: the distribution of a bond, an angle or a dihedral, and its potential.

They stand beside `cginit.RDF` and `cginit.PairPotential`. Bonds have lengths in the unit of length of the curve;
angles and dihedrals are in radians. A dihedral is periodic: its grid covers one turn and leaves out the end, which is
the first point again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from cginit.bonded_grids import bin_widths, bonded_force, bonded_grid, grid_step, period
from cginit.curves import GRID_TOLERANCE, Array, PairPotential, Provenance
from cginit.display import Drawing, Shown
from cginit.errors import InputError
from cginit.grids import frozen
from cginit.names import with_article
from cginit.units import LJ, UnitSystem, conversion, unit_system

__all__ = [
    "BondedPotential",
    "Distribution",
    "Potential",
]

#: A distribution whose integral is off 1 by more is not one; printed tables and cut bins leave half a per cent.
NORMALISATION = 0.02


def _values(values: ArrayLike, name: str, n: int) -> Array:
    array = frozen(values, name)
    if array.size != n:
        raise InputError(f"{name} has {array.size} values for {n} points")
    return array


def _check_coordinate(coordinate: str) -> None:
    if coordinate not in ("bond", "angle", "dihedral"):
        raise InputError(f"{coordinate!r} is no bonded coordinate; those are bond, angle and dihedral")


def _unit(coordinate: str, units: UnitSystem) -> str:
    return units.length if coordinate == "bond" else "rad"


@dataclass(frozen=True, eq=False, repr=False)
class Distribution(Shown):
    r"""Probability density p(x) of a bond length, an angle or a dihedral.

    .. math:: \sum_i p_i w_i = 1

    with the width :math:`w_i` of the bin of each point, a step, cut at 0 and at pi. Probability beyond the ends of
    the grid is missing from the sum. It is the plain density, not divided by :math:`b^2` or :math:`\sin\theta`.

    Parameters
    ----------
    x : array_like, shape (n,)
        Uniform grid. A sampled value is the average over a bin centred on x.
    p : array_like, shape (n,)
        Density, not negative, per unit of length or per radian.
    error : array_like, shape (n,), optional
        Standard error of p.
    coordinate : {"bond", "angle", "dihedral"}
        What x is.
    units : str or UnitSystem
        Units of a length; angles do not depend on them.

    Raises
    ------
    InputError
        If a value is not finite or negative, the grid is not that of the coordinate, or p is not normalised.

    Examples
    --------
    >>> phi = np.arange(8) * np.pi / 4 - np.pi
    >>> flat = Distribution(phi, np.full(8, 0.5 / np.pi), coordinate="dihedral", units="lj")
    >>> round(float(flat.p @ flat.widths), 12)
    1.0
    """

    x: Array
    p: Array
    error: Array | None = None
    coordinate: str = field(kw_only=True)
    units: UnitSystem = field(kw_only=True)

    def __post_init__(self) -> None:
        _check_coordinate(self.coordinate)
        object.__setattr__(self, "units", unit_system(self.units))
        object.__setattr__(self, "x", bonded_grid(self.x, self.coordinate))
        object.__setattr__(self, "p", _values(self.p, "p", self.x.size))
        if np.any(self.p < 0.0):
            bad = int(np.argmin(self.p))
            raise InputError(f"the distribution is negative at {self.x[bad]:g} ({self.p[bad]:.3g})")
        total = float(self.p @ self.widths)
        if abs(total - 1.0) > NORMALISATION:
            raise InputError(
                f"the distribution of the {self.coordinate} has the integral {total:.4g}, not 1; it must be a "
                "probability density (Distribution.normalised divides by the integral)"
            )
        if self.error is not None:
            object.__setattr__(self, "error", _values(self.error, "error", self.x.size))
            if np.any(self.error < 0.0):
                raise InputError("error is negative; a standard error is not")

    @classmethod
    def normalised(
        cls,
        x: ArrayLike,
        p: ArrayLike,
        error: ArrayLike | None = None,
        *,
        coordinate: str,
        units: str | UnitSystem,
    ) -> Distribution:
        """Build a distribution from a density of any norm, such as counts.

        Raises
        ------
        InputError
            If its integral is not positive, or as the class.
        """
        _check_coordinate(coordinate)
        grid = bonded_grid(x, coordinate)
        values = np.asarray(p, dtype=np.float64)
        total = (
            float(np.nan_to_num(values) @ bin_widths(grid, coordinate)) if values.shape == grid.shape else 1.0
        )
        if not total > 0.0:
            raise InputError(
                f"the distribution of the {coordinate} has the integral {total:g}; it shows nothing"
            )
        scaled = None if error is None else np.asarray(error, dtype=np.float64) / total
        return cls(grid, values / total, scaled, coordinate=coordinate, units=unit_system(units))

    @property
    def dx(self) -> float:
        """Grid step."""
        return grid_step(self.x, self.coordinate)

    @property
    def widths(self) -> Array:
        """Widths of the bins ``(n,)``."""
        return bin_widths(self.x, self.coordinate)

    @property
    def mean(self) -> float:
        """Mean of x; of a dihedral the direction of the mean of exp(i x)."""
        weights = self.p * self.widths
        if period(self.coordinate):
            return float(np.angle(np.sum(weights * np.exp(1j * self.x))))
        return float(weights @ self.x / weights.sum())

    def difference(self, other: Distribution) -> float:
        r"""Return :math:`\int |p - p'| dx`: 0 for equal distributions, 2 for such that do not overlap.

        Raises
        ------
        InputError
            If the two do not share a grid.
        """
        if self.x.shape != other.x.shape or np.max(np.abs(self.x - other.x)) > GRID_TOLERANCE * self.dx:
            raise InputError("the distributions do not share a grid; sample both on one")
        return float(np.abs(self.p - other.p) @ self.widths)

    def _facts(self) -> dict[str, str]:
        unit = _unit(self.coordinate, self.units)
        facts = {
            "of": with_article(self.coordinate),
            "x": f"{self.x[0]:.4g} to {self.x[-1]:.4g} {unit} in {self.x.size} points",
            "mean": f"{self.mean:.4g}",
        }
        return facts | ({} if self.error is None else {"error": "known"})

    def _drawing(self) -> Drawing:
        unit = _unit(self.coordinate, self.units)
        labels = (f"{self.coordinate} / {unit}", f"p / {unit}^-1")
        return Drawing(self.x, self.p, self.error, *labels, 0.0, float(self.p.max()))

    def _columns(self) -> dict[str, Array | None]:
        return {"x": self.x, "p": self.p, "error": self.error}

    def to(self, units: str | UnitSystem) -> Distribution:
        """Return the same distribution in other units."""
        target = unit_system(units)
        return self if target == self.units else self.scaled(conversion(self.units, target)[0], target)

    def reduced(self, length: float) -> Distribution:
        """Return the distribution with lengths in multiples of `length`."""
        return self.scaled(1.0 / length, LJ)

    def scaled(self, length: float, units: str | UnitSystem) -> Distribution:
        """Return the distribution with lengths multiplied by `length`, labelled with `units`."""
        factor = length if self.coordinate == "bond" else 1.0
        return replace(
            self,
            x=self.x * factor,
            p=self.p / factor,
            error=None if self.error is None else self.error / factor,
            units=unit_system(units),
        )


@dataclass(frozen=True, eq=False, repr=False)
class BondedPotential(Shown):
    """Potential energy U(x) of a bond, an angle or a dihedral; its minimum is 0.

    Parameters
    ----------
    x : array_like, shape (n,)
        Uniform grid: of a bond the lengths that it may have, a bond that leaves them is an error of the simulation;
        of an angle any part of 0 to pi, beyond which engines extend it; of a dihedral one turn without its end.
    u : array_like, shape (n,)
        Potential energy.
    f : array_like, shape (n,), optional
        -dU/dx; by default the central difference of `u`.
    coordinate : {"bond", "angle", "dihedral"}
        What x is.
    units : str or UnitSystem
        Units of energy and length.
    u_error : array_like, shape (n,), optional
        Standard error of u.
    provenance : Provenance, optional
        Where the potential comes from.
    notes : tuple of str
        Sentences that the user should read.

    Raises
    ------
    InputError
        If a value is not finite, the grid is not that of the coordinate, or the minimum of u is not 0.

    Examples
    --------
    >>> b = np.linspace(0.8, 1.4, 61)
    >>> spring = BondedPotential.shifted(b, 250 * (b - 1.1)**2, coordinate="bond", units="lj")
    >>> round(spring.at_minimum, 6)
    1.1
    """

    x: Array
    u: Array
    f: Array = field(default=None)  # type: ignore[arg-type]  # filled in by __post_init__
    coordinate: str = field(kw_only=True)
    units: UnitSystem = field(kw_only=True)
    u_error: Array | None = field(default=None, kw_only=True)
    provenance: Provenance | None = field(default=None, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        _check_coordinate(self.coordinate)
        object.__setattr__(self, "units", unit_system(self.units))
        grid = bonded_grid(self.x, self.coordinate)
        object.__setattr__(self, "x", grid)
        object.__setattr__(self, "u", _values(self.u, "u", grid.size))
        if self.u.min() != 0.0:
            raise InputError(
                f"the minimum of u is {self.u.min():g}, not 0; subtract it (BondedPotential.shifted does)"
            )
        f = bonded_force(grid, self.u, self.coordinate) if self.f is None else self.f
        object.__setattr__(self, "f", _values(f, "f", grid.size))
        if self.u_error is not None:
            object.__setattr__(self, "u_error", _values(self.u_error, "u_error", grid.size))

    @classmethod
    def shifted(
        cls, x: ArrayLike, u: ArrayLike, *, coordinate: str, units: str | UnitSystem, **fields: object
    ) -> BondedPotential:
        """Build a potential from energies whose zero is elsewhere: their minimum is subtracted."""
        energies = np.asarray(u, dtype=np.float64)
        lowest = energies.min() if energies.size else 0.0
        return cls(x, energies - lowest, coordinate=coordinate, units=unit_system(units), **fields)  # type: ignore[arg-type]

    @property
    def dx(self) -> float:
        """Grid step."""
        return grid_step(self.x, self.coordinate)

    def part(self, begin: int, end: int) -> BondedPotential:
        """Return the potential at the points from `begin` to before `end`, its minimum among them."""
        some = slice(begin, end)
        error = None if self.u_error is None else self.u_error[some]
        return replace(self, x=self.x[some], u=self.u[some], f=self.f[some], u_error=error)

    @property
    def at_minimum(self) -> float:
        """Where U is smallest."""
        return float(self.x[int(np.argmin(self.u))])

    def _facts(self) -> dict[str, str]:
        unit = _unit(self.coordinate, self.units)
        facts = {
            "of": with_article(self.coordinate),
            "x": f"{self.x[0]:.4g} to {self.x[-1]:.4g} {unit} in {self.x.size} points",
            "minimum": f"at {self.at_minimum:.4g}",
        }
        if self.provenance is not None:
            facts["by"] = self.provenance.model or self.provenance.method
        return facts

    def _drawing(self) -> Drawing:
        labels = (f"{self.coordinate} / {_unit(self.coordinate, self.units)}", f"U / ({self.units.energy})")
        return Drawing(self.x, self.u, self.u_error, *labels, 0.0, float(self.u.max()) or 1.0)

    def _columns(self) -> dict[str, Array | None]:
        return {"x": self.x, "u": self.u, "f": self.f, "u_error": self.u_error}

    def to(self, units: str | UnitSystem) -> BondedPotential:
        """Return the same potential in other units."""
        target = unit_system(units)
        return self if target == self.units else self.scaled(*conversion(self.units, target), target)

    def reduced(self, length: float, energy: float) -> BondedPotential:
        """Return the potential with lengths in multiples of `length` and U in multiples of `energy` (usually kT)."""
        return self.scaled(1.0 / length, 1.0 / energy, LJ)

    def scaled(self, length: float, energy: float, units: str | UnitSystem) -> BondedPotential:
        """Return the potential with lengths multiplied by `length` and U by `energy`, labelled with `units`."""
        factor = length if self.coordinate == "bond" else 1.0
        origin = self.provenance
        return replace(
            self,
            x=self.x * factor,
            u=self.u * energy,
            f=self.f * (energy / factor),
            u_error=None if self.u_error is None else self.u_error * energy,
            provenance=None if origin is None else origin.scaled(length, energy),
            units=unit_system(units),
        )

    def periodic(self) -> tuple[Array, Array, Array]:
        """Return ``x, u, f`` of a dihedral with the end of its turn, as tables want it; others as they are."""
        turn = period(self.coordinate)
        if not turn:
            return self.x, self.u, self.f
        return (
            np.append(self.x, self.x[0] + turn),
            np.append(self.u, self.u[0]),
            np.append(self.f, self.f[0]),
        )


#: A tabulated potential of any interaction.
Potential = PairPotential | BondedPotential
