"""A pressure with its error, where it comes from, and what there is to know about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cginit.units import LJ, UnitSystem, conversion, unit_system

__all__ = ["Pressure"]


@dataclass(frozen=True, repr=False)
class Pressure:
    """A pressure with where it comes from.

    Attributes
    ----------
    value : float
        In energy per volume of `units`.
    error : float
        Standard error, or an estimate of it (`cginit.eos.routes` says which); NaN where the route gives none.
    method : str
        The route that gave the value.
    units : UnitSystem
        Those of the potential.
    notes : tuple of str
        Sentences for the user: why another route took the place of the one asked for, where the error comes from.

    Examples
    --------
    >>> water = Pressure(400.0, 10.0, "hnc", unit_system("nm-kJ/mol"))
    >>> round(water.in_bar()[0])
    6642
    """

    value: float
    error: float
    method: str
    units: UnitSystem = LJ
    notes: tuple[str, ...] = ()

    def to(self, units: str | UnitSystem) -> Pressure:
        """Return the same pressure in other units."""
        target = unit_system(units)
        length, energy = conversion(self.units, target)
        factor = energy / length**3
        return replace(self, value=self.value * factor, error=self.error * factor, units=target)

    def in_bar(self) -> tuple[float, float]:
        """Return value and error in bar; InputError in lj units, which have no size."""
        factor = self.units.bar()
        return self.value * factor, self.error * factor

    def __repr__(self) -> str:
        """Say the pressure in bar where it has a size, in its own units, where it comes from, and its notes."""
        own = f"{self.value:.5g} ± {self.error:.2g} {self.units.pressure}"
        if not self.units.is_reduced:
            value, error = self.in_bar()
            own = f"{value:.5g} ± {error:.2g} bar, {own}"
        notes = "".join(f"; {note}" for note in self.notes)
        return f"<Pressure: {own}, by {self.method}{notes}>"
