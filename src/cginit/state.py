"""The thermodynamic state of the target: number density and thermal energy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import RDF
from cginit.errors import InputError
from cginit.units import UnitSystem, conversion, unit_system

__all__ = [
    "StatePoint",
    "check_density",
    "common_units",
    "excluded_diameter",
    "number_density",
    "thermal_energy",
]

#: Avogadro's constant per 1e21, exact: molecules of 1 g/mol in nm^3 at 1 g/cm^3.
AVOGADRO_PER_NM3 = 602.214076

#: Close packing of equal spheres fills 0.7405 of space; a core that fills more cannot be one.
MAX_PACKING = 0.75

#: 0 degrees Celsius in kelvin.
ZERO_CELSIUS = 273.15
#: Osmium has 22.6 g/cm^3, hydrogen 1.008 g/mol; an electron is no bead.
DENSEST, LIGHTEST = 30.0, 0.9

#: Densities and energies of anything, in any units, are between these; products of a few must still be numbers.
SMALLEST, LARGEST = 1e-100, 1e100


@dataclass(frozen=True, repr=False, init=False)
class StatePoint:
    """Number density and kT of one state.

    Parameters
    ----------
    density : float
        Beads per volume, in the inverse cube of the length unit.
    kT : float
        Thermal energy, in the energy unit; or give `temperature`.
    units : str or UnitSystem, optional
        The units of the two. None means those of the curve that the state is used with.
    temperature : float, optional
        In kelvin, instead of `kT`; `units` are needed then, and not lj.

    Raises
    ------
    InputError
        If a value is not a positive, finite number, or not exactly one of `kT` and `temperature` is given.

    Examples
    --------
    >>> StatePoint(33.28, temperature=300, units="nm-kJ/mol")
    <StatePoint: density 33.28 nm^-3, kT 2.49434 kJ/mol, 300 K>
    >>> StatePoint.from_temperature(33.28, 300.0, "nm-kJ/mol").kT
    2.494338785445972
    """

    density: float
    kT: float
    units: UnitSystem | None = None

    def __init__(
        self,
        density: float,
        kT: float | None = None,
        units: str | UnitSystem | None = None,
        *,
        temperature: float | None = None,
    ) -> None:
        system = None if units is None else unit_system(units)
        if (kT is None) == (temperature is None):
            raise InputError("give either kT or temperature (in kelvin), and not both")
        if temperature is not None:
            if system is None:
                raise InputError(
                    "a temperature in kelvin needs units, as StatePoint(33.28, temperature=300, units='nm-kJ/mol')"
                )
            kT = thermal_energy(temperature, system)
        for name, value in (("density", density), ("kT", kT)):
            if value is None or not np.isfinite(value) or value <= 0.0:
                raise InputError(f"{name} must be a positive number, not {value}")
            if not SMALLEST < value < LARGEST:
                raise InputError(f"{name} = {value:g} is that of nothing, in any units; correct it")
            object.__setattr__(self, name, float(value))
        object.__setattr__(self, "units", system)

    def __repr__(self) -> str:
        """Say density and kT with six digits, and the temperature where there is one."""
        density, energy = (
            ("", "") if self.units is None else (f" {self.units.density}", f" {self.units.energy}")
        )
        kelvin = "" if self.temperature is None else f", {self.temperature:.6g} K"
        return f"<StatePoint: density {self.density:.6g}{density}, kT {self.kT:.6g}{energy}{kelvin}>"

    @property
    def temperature(self) -> float | None:
        """Temperature in kelvin; None in lj units and without units."""
        return None if self.units is None or self.units.is_reduced else self.kT / self.units.boltzmann()

    @classmethod
    def from_temperature(cls, density: float, temperature: float, units: str | UnitSystem) -> StatePoint:
        """Build the state from a temperature in kelvin; InputError in lj units."""
        system = unit_system(units)
        return cls(density, thermal_energy(temperature, system), system)

    def to(self, units: str | UnitSystem) -> StatePoint:
        """Return the same state in other units; a state without units takes them as they stand."""
        target = unit_system(units)
        if self.units is None:
            return replace(self, units=target)
        length, energy = conversion(self.units, target)
        return StatePoint(self.density / length**3, self.kT * energy, target)


def thermal_energy(temperature: float, units: str | UnitSystem) -> float:
    """Return kT of a temperature in kelvin, in the energy unit.

    Raises
    ------
    InputError
        If it is not positive, or the units are reduced ones.

    Examples
    --------
    >>> round(thermal_energy(300.0, "nm-kJ/mol"), 3)
    2.494
    """
    if not 0.0 < temperature < np.inf:
        celsius = (
            f"; it is in kelvin: {temperature:g} degrees Celsius are {temperature + ZERO_CELSIUS:g} K"
            if -ZERO_CELSIUS < temperature <= 0.0
            else " of kelvin"
        )
        raise InputError(f"the temperature must be a positive number, not {temperature:g}{celsius}")
    return temperature * unit_system(units).boltzmann()


def number_density(mass_density: float, molar_mass: float, units: str | UnitSystem) -> float:
    r"""Return the number of beads per volume, :math:`\rho N_A / M`, in the inverse cube of the length unit.

    Parameters
    ----------
    mass_density : float
        In g/cm^3.
    molar_mass : float
        Of one bead, in g/mol: of the molecule, where a bead is a molecule.
    units : str or UnitSystem

    Raises
    ------
    InputError
        If a value is not positive, or the units are reduced ones.

    Examples
    --------
    >>> round(number_density(0.9965, 18.015, "nm-kJ/mol"), 2)
    33.31
    """
    system = unit_system(units)
    if system.length_nm is None:
        raise InputError("a mass density in g/cm^3 has no meaning in lj units; give the number density")
    if not (0.0 < mass_density < np.inf and 0.0 < molar_mass < np.inf):
        raise InputError(
            f"a mass density and a molar mass must be positive numbers, not {mass_density:g} and {molar_mass:g}"
        )
    if mass_density > DENSEST:
        raise InputError(
            f"a mass density of {mass_density:g} g/cm^3 is more than that of any matter; if it is in kg/m^3, it is "
            f"{mass_density / 1000.0:g} g/cm^3"
        )
    if molar_mass < LIGHTEST:
        raise InputError(
            f"a molar mass of {molar_mass:g} g/mol is less than that of any atom; if it is in kg/mol, it is "
            f"{1000.0 * molar_mass:g} g/mol"
        )
    return AVOGADRO_PER_NM3 * mass_density / molar_mass * system.length_nm**3


def common_units(target: RDF, state: StatePoint) -> tuple[RDF, StatePoint]:
    """Return both in the units of the state, or in those of the target where the state names none."""
    units = state.units or target.units
    return target.to(units), state.to(units)


def excluded_diameter(target: RDF, threshold: float = 0.01) -> float:
    """Return the diameter of the core that g itself excludes: the range below the first g > `threshold`.

    0 for particles that overlap (g at contact is not small), and for a g(r) that does not show its core.
    """
    if target.g[0] > threshold and target.r[0] > 2.0 * target.dr and target.g[0] > 0.5:
        return 0.0
    first = np.flatnonzero(target.g > threshold)
    if first.size == 0:
        return target.r_max
    diameter = float(target.r[first[0]])
    return diameter if diameter > 2.0 * target.dr else 0.0


def check_density(target: RDF, state: StatePoint) -> None:
    """Refuse a density whose unit cannot be right.

    The core that g(r) excludes, taken as a sphere, must not fill more than 0.75 of space. Particles that
    overlap have no such core and may be as dense as they are.

    Raises
    ------
    InputError
        With the packing fraction and the unit slip that would explain it.
    """
    target, state = common_units(target, state)
    diameter = excluded_diameter(target)
    packing = np.pi / 6.0 * state.density * diameter**3
    if packing <= MAX_PACKING:
        return
    unit = target.units.density
    pm = 1e-9 if target.units.length == "nm" else 1e-6
    # A mass density is one of matter, whatever its packing.
    mass, cubic = (1.0, "g/cm^3") if target.units.length == "angstrom" else (1000.0, "kg/m^3")
    weighs = 0.3 * mass < state.density < DENSEST * mass
    slips = (
        (1e-3, "a density given per nm^3 while r is in angstrom", True),
        (0.6022140857, "a molar concentration (mol/L) instead of a number density (nm^-3)", True),
        (0.0334284, f"a mass density in {cubic} of water instead of a number density", weighs),
        (pm, "a g(r) whose r is in pm", True),
    )
    hints = [text for factor, text, can_be in slips if can_be and 0.02 < packing * factor <= 0.65]
    hint = (
        f"; it looks like {hints[0]}" if hints else f"; r may be in another unit than {target.units.length}"
    )
    raise InputError(
        f"density {state.density:g} {unit} cannot be right: the core that g(r) excludes "
        f"(r < {diameter:g} {target.units.length}) would fill {packing:.3g} of space, more than close packing"
        f"{hint}; give the number of beads per {target.units.length}^3"
    )
