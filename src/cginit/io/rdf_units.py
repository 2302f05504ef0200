"""The units of a file of g(r), and those that the label of its distances states."""

from __future__ import annotations

import logging

from cginit.errors import InputError
from cginit.io.columns import Columns
from cginit.io.header import Header
from cginit.io.labels import length_in_nm, stated_in_sigma
from cginit.io.sheet import Sheet
from cginit.units import NM_KJ, UnitSystem, unit_system

__all__ = ["length_factor", "units_of"]

logger = logging.getLogger("cginit.io.rdf")


def units_of(given: str | UnitSystem | None, header: Header, sheet: Sheet, name: str) -> UnitSystem:
    """Return the units of a file, as asked for or as its header states them; InputError if neither says them."""
    if given is None:
        if header.units is None:
            own = (
                "; LAMMPS writes r in its own unit of length: angstrom (real, metal) or lj"
                if sheet.is_lammps
                else ""
            )
            raise InputError(
                f"{name} does not state its units; give them (--units lj, nm-kJ/mol or angstrom-kcal/mol), "
                f"since a nanometre is never guessed{own}"
            )
        return header.units
    system = unit_system(given)
    if sheet.is_lammps and system == NM_KJ:
        raise InputError(
            f"{name} is from LAMMPS, whose distances are in angstrom (units real, metal) or sigma (lj), and not in "
            "nm; give --units angstrom-kcal/mol or lj, or save r and g as plain columns if they are in nm"
        )
    if header.units is not None and header.units != system:
        logger.warning("%s states units %s, but is read as %s as asked", name, header.units.name, system.name)
    return system


def length_factor(sheet: Sheet, columns: Columns, system: UnitSystem) -> tuple[float, str]:
    """Return the factor from the unit of length that a label states to that of the curve, and what it did."""
    label = sheet.labels[columns.r] if sheet.labels else ""
    stated = length_in_nm(label)
    if stated_in_sigma(label) and system.length_nm is not None:
        raise InputError(
            f"{sheet.rows.name} states its distances as {label!r}; give --units lj, with density and kT in the same "
            f"reduced units, or multiply them by sigma in {system.length}"
        )
    if stated is None or system.length_nm == stated:
        return 1.0, ""
    if system.length_nm is None:
        raise InputError(
            f"{sheet.rows.name} states its distances as {label!r}, which are no lj units; give --units nm-kJ/mol or "
            "angstrom-kcal/mol, or change the label if it is wrong"
        )
    return stated / system.length_nm, f"{label!r} converted to {system.length}"
