"""Unit systems: reduced (lj), VOTCA and GROMACS (nm, kJ/mol), LAMMPS real (angstrom, kcal/mol).

Quantities are converted at the border of the package (files, engines, command line) and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from cginit.errors import InputError

__all__ = ["ANGSTROM_KCAL", "LJ", "NM_KJ", "UnitSystem", "conversion", "unit_system"]

GAS_CONSTANT = 8.31446261815324e-3  # kJ/(mol K), exact since the SI of 2019
KJ_PER_KCAL = 4.184
BAR_PER_KJ_MOL_NM3 = 16.605390671738466  # 1 kJ/(mol nm^3) in bar: 1e3 J / N_A / 1e-27 m^3 / 1e5 Pa


@dataclass(frozen=True)
class UnitSystem:
    """One consistent choice of length and energy; every other unit follows from the two.

    Attributes
    ----------
    name : str
        The name that files and the command line use.
    length, energy : str
        The unit symbols; ``sigma`` and ``epsilon`` in the reduced system.
    length_nm, energy_kj_mol : float or None
        The size of the units in nm and kJ/mol; None in the reduced system, which has no size.
    """

    name: str
    length: str
    energy: str
    length_nm: float | None = None
    energy_kj_mol: float | None = None

    @property
    def is_reduced(self) -> bool:
        """Whether lengths and energies are bare numbers (Lennard-Jones units)."""
        return self.length_nm is None

    @property
    def density(self) -> str:
        """Symbol of the number density."""
        return f"{self.length}^-3"

    @property
    def pressure(self) -> str:
        """Symbol of the pressure that follows from energy and length."""
        return f"{self.energy}/{self.length}^3"

    def boltzmann(self) -> float:
        """Boltzmann constant in energy unit per kelvin.

        Raises
        ------
        InputError
            In the reduced system, where a temperature in kelvin means nothing.
        """
        if self.energy_kj_mol is None:
            raise InputError("a temperature in kelvin has no meaning in lj units; give kT instead (--kT)")
        return GAS_CONSTANT / self.energy_kj_mol

    def bar(self) -> float:
        """Return the size of this system's pressure unit in bar; InputError in the reduced system."""
        if self.energy_kj_mol is None or self.length_nm is None:
            raise InputError("a pressure in lj units cannot be given in bar")
        return BAR_PER_KJ_MOL_NM3 * self.energy_kj_mol / self.length_nm**3


LJ = UnitSystem("lj", "sigma", "epsilon")
NM_KJ = UnitSystem("nm-kJ/mol", "nm", "kJ/mol", 1.0, 1.0)
ANGSTROM_KCAL = UnitSystem("angstrom-kcal/mol", "angstrom", "kcal/mol", 0.1, KJ_PER_KCAL)

_NAMES = {
    "lj": LJ,
    "reduced": LJ,
    "nm-kj/mol": NM_KJ,
    "votca": NM_KJ,
    "gromacs": NM_KJ,
    "angstrom-kcal/mol": ANGSTROM_KCAL,
    "å-kcal/mol": ANGSTROM_KCAL,
    "real": ANGSTROM_KCAL,
}


def unit_system(name: str | UnitSystem) -> UnitSystem:
    """Return the unit system of that name (``lj``, ``nm-kJ/mol``, ``angstrom-kcal/mol`` or an alias).

    Parameters
    ----------
    name : str or UnitSystem
        Also ``reduced`` (lj), ``votca``, ``gromacs`` (nm, kJ/mol) or ``real`` (angstrom, kcal/mol, as LAMMPS has it);
        a system is returned as it is.

    Returns
    -------
    UnitSystem

    Raises
    ------
    InputError
        If no system has that name.

    Examples
    --------
    >>> unit_system("real").length
    'angstrom'
    """
    if isinstance(name, UnitSystem):
        return name
    if not isinstance(name, str):
        raise InputError(f"units are named by a word such as {LJ.name}, not by {name!r}")
    try:
        return _NAMES[name.strip().lower().replace(", ", "-").replace(",", "-")]
    except KeyError:
        known = ", ".join(system.name for system in (LJ, NM_KJ, ANGSTROM_KCAL))
        raise InputError(f"unknown unit system {name!r}; known are {known}") from None


def conversion(source: UnitSystem, target: UnitSystem) -> tuple[float, float]:
    """Return the factors ``(length, energy)`` by which values in `source` become values in `target`.

    Raises
    ------
    InputError
        If exactly one of the two is reduced: that needs a sigma and an epsilon, not a factor.
    """
    if source == target:
        return 1.0, 1.0
    if (
        source.length_nm is None
        or source.energy_kj_mol is None
        or target.length_nm is None
        or target.energy_kj_mol is None
    ):
        raise InputError(
            f"cannot convert {source.name} to {target.name} without the sigma and epsilon of lj units; stay in one "
            "of them, or convert in Python by reduced(length, energy) or scaled(length, energy, units)"
        )
    return source.length_nm / target.length_nm, source.energy_kj_mol / target.energy_kj_mol
