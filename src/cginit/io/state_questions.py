"""Density, temperature and bead that no molecule has: slips of units that pass every other check, as questions."""

from __future__ import annotations

from cginit.curves import RDF
from cginit.io.density_questions import question_density
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
#: Two beads in a cube are at most half its diagonal apart.
FARTHEST = 0.5 * 3.0**0.5


def question_state(target: RDF, state: StatePoint, *, loose: bool = True) -> tuple[str, ...]:
    """Return questions on a target and its state; in lj units only whether density and number of beads fit g.

    Parameters
    ----------
    target : RDF
    state : StatePoint
    loose : bool
        Whether g counts all pairs, and not only those of different molecules.

    Examples
    --------
    >>> import numpy as np
    >>> r = np.linspace(0.01, 1.2, 120)
    >>> target = RDF(r, np.where(r < 0.25, 0.0, 1.0), units="angstrom-kcal/mol")
    >>> question_state(target, StatePoint(0.03, 0.6))[0][:41]
    'The core of a bead is 0.25 angstrom wide:'
    """
    curve, here = common_units(target, state)
    units = curve.units
    core = excluded_diameter(curve)
    misfit = question_density(curve, here.density, loose=loose)
    box = _small_box(curve, here.density)
    if units.length_nm is None or units.energy_kj_mol is None:
        return tuple(text for text in (misfit, box) if text)
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
    notes += [text for text in (misfit, box) if text]
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
