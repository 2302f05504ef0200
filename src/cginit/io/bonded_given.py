"""Potentials of bonds, angles and dihedrals from the tables of simulation programs: GROMACS, LAMMPS, VOTCA."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from cginit.bonded import BondedPotential
from cginit.bonded_grids import period
from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.io.bonded_tables import REAL, bonded_keyword, one_turn, read_bonded_potential
from cginit.io.rows import read_rows
from cginit.units import LJ, NM_KJ, UnitSystem, unit_system
from cginit.untrusted import reads_a_file

__all__ = ["read_bonded_table", "read_gromacs_bonded", "read_lammps_bonded"]

#: The line after the keyword of a section of LAMMPS.
_PARAMETERS = re.compile(r"^N\s+(\d+)\b(.*)$")


def read_bonded_table(
    path: str | os.PathLike[str], name: Interaction, *, units: str | UnitSystem, degrees: bool = False
) -> BondedPotential:
    """Read the potential of a bonded interaction from the table of whatever program wrote it.

    Parameters
    ----------
    path : path-like
        ``.xvg`` is GROMACS; a file with sections is LAMMPS, the section by its keyword after the name, as in
        ``"bonded.table BOND_A_B"``, else the one that cginit names so or the only one; others have VOTCA's columns.
    name : Interaction
        Which interaction it is.
    units : str or UnitSystem
        Units of the result; those of the file are what its program has: of LAMMPS ``real``, or ``lj`` where `units`
        are.
    degrees : bool
        Whether columns of angles are in degrees; GROMACS and LAMMPS have their own.

    Raises
    ------
    InputError
        If the file cannot be read, or has no such section.
    """
    file, keyword = Path(path), None
    if not file.is_file() and " " in file.name:
        before, _, keyword = os.fspath(path).rpartition(" ")
        file = Path(before)
    wanted = unit_system(units)
    if file.suffix.lower() == ".xvg":
        found = read_gromacs_bonded(file, name.coordinate)
        return found if wanted == LJ else found.to(wanted)
    if keyword is not None or _has_sections(file):
        return read_lammps_bonded(file, name, keyword, units=LJ if wanted == LJ else REAL).to(wanted)
    return read_bonded_potential(file, name.coordinate, units=wanted, degrees=degrees)


def read_gromacs_bonded(
    path: str | os.PathLike[str], coordinate: str, factor: float = 1.0
) -> BondedPotential:
    """Read a table of GROMACS for bonds, angles or dihedrals of function type 8: ``x U F``, in nm or degrees.

    Parameters
    ----------
    path : path-like
        ``table_b0.xvg``, ``table_a0.xvg`` or ``table_d0.xvg``.
    coordinate : {"bond", "angle", "dihedral"}
        Which of them.
    factor : float
        The force constant that the topology states; the potential is so many times the table.

    Raises
    ------
    InputError
        If the file cannot be read, or x is not what the coordinate can be.
    """
    rows = read_rows(path)
    x, u = rows.numbers(0, "x"), factor * rows.numbers(1, "U")
    if coordinate != "bond":
        x = np.radians(x)
    return _potential(x, u, coordinate, NM_KJ, Path(path), Path(path).name)


@reads_a_file
def read_lammps_bonded(
    path: str | os.PathLike[str],
    name: Interaction,
    keyword: str | None = None,
    *,
    units: str | UnitSystem = REAL,
) -> BondedPotential:
    """Read a section of a table of LAMMPS' ``bond_style``, ``angle_style`` or ``dihedral_style table``.

    Parameters
    ----------
    path : path-like
        The file; rows ``i x U F``, angles and dihedrals in degrees unless the section says RADIANS.
    name : Interaction
        What it is the potential of.
    keyword : str, optional
        Name of the section; by default the one that `cginit.io.bonded_tables.write_lammps_bonded` gives `name`, or
        the only one of the file.
    units : str or UnitSystem
        Units of the file.

    Raises
    ------
    InputError
        If the file has no such section, or it is not whole.
    """
    file = Path(path)
    sections = _sections(file)
    own = bonded_keyword(name)
    chosen = keyword or (own if own in sections else next(iter(sections), "") if len(sections) == 1 else "")
    if chosen not in sections:
        raise InputError(
            f"{file} has no section {keyword or own} for {name}; it has {', '.join(sections) or 'none'}. Name one "
            "behind the file, with a blank between"
        )
    number, parameters, rows = sections[chosen]
    if len(rows) != number:
        raise InputError(f"{file}: the section {chosen} has {len(rows)} rows, and N {number}; is it whole?")
    try:
        x, u = np.array([[float(row[1]), float(row[2])] for row in rows]).T
    except (ValueError, IndexError):
        raise InputError(f"{file}: the section {chosen} has a row that is not i x U F") from None
    if name.coordinate != "bond" and "RADIANS" not in parameters:
        x = np.radians(x)
    return _potential(x, u, name.coordinate, unit_system(units), file, f"{chosen} of {file.name}")


def _potential(
    x: Array, u: Array, coordinate: str, units: UnitSystem, path: Path, note: str
) -> BondedPotential:
    if period(coordinate):
        x, (u, _) = one_turn(x, u, None)
    try:
        return BondedPotential.shifted(x, u, coordinate=coordinate, units=units, notes=(note,))
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from None


Section = tuple[int, str, list[list[str]]]


def _sections(file: Path) -> dict[str, Section]:
    """Return number of rows, parameters and rows of each section: a word alone, a line N ..., a blank, the rows."""
    try:
        lines = [line.split("#")[0].strip() for line in file.read_text(errors="replace").splitlines()]
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    found: dict[str, Section] = {}
    for at in range(1, len(lines)):
        match = _PARAMETERS.match(lines[at])
        if match is None or not re.fullmatch(r"[A-Za-z]\S*", lines[at - 1]):
            continue
        rows = []
        for line in lines[at + 1 :]:
            if line and not line[0].isdigit():
                break
            if line:
                rows.append(line.split())
        found[lines[at - 1]] = int(match[1]), match[2], rows
    return found


def _has_sections(file: Path) -> bool:
    return file.is_file() and bool(_sections(file))
