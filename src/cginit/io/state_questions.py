"""Density, temperature and bead that no molecule has: slips of units that pass every other check, as questions."""

from __future__ import annotations

import numpy as np

from cginit.curves import RDF
from cginit.liquid.tail import main_peak
from cginit.state import StatePoint, common_units, excluded_diameter
from cginit.units import GAS_CONSTANT, KJ_PER_KCAL, UnitSystem

__all__ = ["question_state", "question_temperature"]

#: Diameters of cores in nm: hydrogen bonds keep 0.15 nm between atoms; beads of a few molecules end near 1 nm, and
#: what is larger than this is a colloid, whose energies nobody gives in kJ/mol.
SMALLEST, LARGEST = 0.12, 2.0
#: Temperatures in kelvin: neon and hydrogen are liquid below the first, molten salts above the second, molecules
#: between.
COLDEST, HOTTEST = 60.0, 1500.0
#: Below this a number was meant as kT or in units of a well.
REDUCED = 5.0
#: A kT that is one of these temperatures in the other unit of energy, and one at which next to nothing is liquid in
#: its own.
ROOM = (293.0, 312.0)
#: A gas: the cores fill less than this of space, and a bead has fewer neighbours than this in its first shell ...
GAS_PACKING, GAS_NEIGHBOURS = 0.025, 0.6
#: ... while g has the shells of a liquid: a minimum below, then a maximum above these and by so much lower than the
#: first, which a gas, with g = exp(-U/kT), only has if U has them. Of 523 bead potentials of the data set none is
#: asked about.
MINIMUM, MAXIMUM, LOWER = 0.97, 1.005, 0.1
#: Two beads in a cube are at most half its diagonal apart.
FARTHEST = 0.5 * 3.0**0.5


def question_state(target: RDF, state: StatePoint) -> tuple[str, ...]:
    """Return questions on a target and its state; in lj units only whether density and number of beads fit g.

    Parameters
    ----------
    target : RDF
    state : StatePoint

    Examples
    --------
    >>> r = np.linspace(0.01, 1.2, 120)
    >>> target = RDF(r, np.where(r < 0.25, 0.0, 1.0), units="angstrom-kcal/mol")
    >>> question_state(target, StatePoint(0.03, 0.6))[0][:41]
    'The core of a bead is 0.25 angstrom wide:'
    """
    curve, here = common_units(target, state)
    units = curve.units
    core = excluded_diameter(curve)
    gas = _liquid_of_a_gas(curve, here.density, core)
    box = _small_box(curve, here.density)
    if units.length_nm is None or units.energy_kj_mol is None:
        return tuple(text for text in (gas, box) if text)
    notes: list[str] = []
    if 0.0 < core * units.length_nm < SMALLEST:
        notes.append(
            f"The core of a bead is {core:.3g} {units.length} wide: no atom is so small. Is r in "
            f"{'nm' if units.length == 'angstrom' else 'another unit'}?"
        )
    elif core * units.length_nm > LARGEST:
        notes.append(
            f"The core of a bead is {core:.3g} {units.length} wide: few molecules are so large. Is r in "
            f"{'angstrom' if units.length == 'nm' else 'another unit'}?"
        )
    notes += question_temperature(here.kT, units)
    notes += [text for text in (gas, box) if text]
    return tuple(notes)


def question_temperature(kT: float, units: UnitSystem) -> tuple[str, ...]:
    """Return a question on a kT of a temperature that no molecular liquid has; none in lj units.

    Parameters
    ----------
    kT : float
        In the energy unit of `units`.
    units : UnitSystem

    Examples
    --------
    >>> from cginit.units import unit_system
    >>> question_temperature(0.2245, unit_system("nm-kJ/mol"))[0]
    'The temperature is 27 K: hardly anything is liquid. Is it in degrees Celsius, or kT in kcal/mol (113 K)?'
    """
    if units.energy_kj_mol is None:
        return ()
    kelvin, energy = kT * units.energy_kj_mol / GAS_CONSTANT, units.energy
    other, factor = ("kcal/mol", KJ_PER_KCAL) if energy == "kJ/mol" else ("kJ/mol", 1.0 / KJ_PER_KCAL)
    if ROOM[0] < kelvin * factor < ROOM[1]:
        return (
            f"kT is that of {kelvin:.0f} K; in {other} it would be that of {kelvin * factor:.0f} K. Is it in "
            f"{energy}?",
        )
    if kelvin < REDUCED:
        return (
            f"The temperature is {kelvin:.3g} K: nothing is liquid but helium. Is it kT (give it with --kT), or a "
            "reduced one (with --units lj)?",
        )
    if kelvin < COLDEST:
        return (
            f"The temperature is {kelvin:.3g} K: hardly anything is liquid. Is it in degrees Celsius, or kT in "
            f"{other} ({kelvin * factor:.4g} K)?",
        )
    if kelvin > HOTTEST:
        return (f"The temperature is {kelvin:.0f} K: no molecule survives it. Is kT in {energy}?",)
    return ()


def _small_box(target: RDF, density: float) -> str | None:
    """Question a number of beads whose box is smaller than g(r) reaches."""
    if target.beads is None:
        return None
    edge = (target.beads / density) ** (1.0 / 3.0)
    if target.r_max <= FARTHEST * edge:
        return None
    unit = target.units.length
    return (
        f"g(r) reaches r = {target.r_max:.4g} {unit}, but {target.beads} beads at this density fill a cube with an "
        f"edge of {edge:.3g} {unit}: is the number of beads (--target-beads) that of the whole box?"
    )


def _slip(units: UnitSystem) -> str:
    """Return what a density that is too low may be."""
    if units.length_nm is None:
        return "Are r and the density in the same reduced units?"
    return (
        "Is the density a mass density (g/cm^3: give it with --mass-density and --molar-mass), a reduced one, or one "
        "per another volume?"
    )


def _liquid_of_a_gas(target: RDF, density: float, core: float) -> str | None:
    """Question the density of a gas that comes with the g(r) of a liquid."""
    whole = target.with_core()
    peak, packing = main_peak(whole.r, whole.g), np.pi / 6.0 * density * core**3
    near = np.flatnonzero((whole.r > peak) & (whole.r <= 2.0 * peak))
    if not peak or packing >= GAS_PACKING or core < 0.5 * peak or near.size == 0:
        return None
    first = int(near[np.argmin(whole.g[near])])
    beyond = whole.g[(whole.r > whole.r[first]) & (whole.r <= 2.8 * peak)]
    neighbours = (
        4.0 * np.pi * density * whole.dr * float(np.sum(whole.r[: first + 1] ** 2 * whole.g[: first + 1]))
    )
    height = float(whole.g[np.argmin(np.abs(whole.r - peak))])
    shells = whole.g[first] < MINIMUM and beyond.size > 0 and MAXIMUM < beyond.max() < height - LOWER
    if not shells or neighbours >= GAS_NEIGHBOURS:
        return None
    return (
        f"g(r) has the shells of a liquid, but at a density of {density:.4g} {target.units.density} a bead has "
        f"{neighbours:.2g} neighbours in its first shell and the beads fill {packing:.2g} of space, as in a gas. "
        f"{_slip(target.units)}"
    )
