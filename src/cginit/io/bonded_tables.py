"""Distributions and potentials of bonds, angles and dihedrals in and out of the files of other programs.

VOTCA writes ``x y [error] flag``, lengths in nm and angles in radians; LAMMPS has sections with energies and forces,
angles in degrees. Files of other programs with columns x and y are read alike.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cginit.atomic import write_atomically
from cginit.bonded import BondedPotential, Distribution
from cginit.bonded_grids import PI, period
from cginit.coordinates.table import bonded_table
from cginit.curves import Array
from cginit.errors import InputError
from cginit.grids import GRID_TOLERANCE
from cginit.interactions import Interaction
from cginit.io.rows import Rows, is_number, read_rows
from cginit.units import LJ, UnitSystem, unit_system

__all__ = [
    "REAL",
    "bonded_keyword",
    "lammps_section",
    "one_turn",
    "read_bonded_potential",
    "read_distribution",
    "write_bonded_pot",
    "write_distribution",
    "write_lammps_bonded",
]

#: Units of LAMMPS' tables, but for reduced ones.
REAL = "angstrom-kcal/mol"
#: Angles that end below so many degrees are in radians; no three beads are always bent back as far as that.
FEW_DEGREES = 7.0
#: Points to which LAMMPS resamples a table, in the usage that is printed.
RESAMPLED = 1000


def read_distribution(
    path: str | os.PathLike[str], coordinate: str, *, units: str | UnitSystem, degrees: bool = False
) -> Distribution:
    """Read the distribution of a bond, an angle or a dihedral.

    Parameters
    ----------
    path : path-like
        Columns ``x p [error] [flag]``, such as VOTCA's ``.dist.tgt``; rows flagged ``u`` are left out.
    coordinate : {"bond", "angle", "dihedral"}
        What x is.
    units : str or UnitSystem
        Units of a length.
    degrees : bool
        Whether angles are in degrees rather than radians.

    Raises
    ------
    InputError
        If the file cannot be read, x is not what the coordinate can be, as degrees read as radians, or p is not a
        probability density.
    """
    x, p, error = _columns(path, coordinate, degrees=degrees)
    if coordinate == "angle":
        x, p, error = _up_to_pi(x, p, error)
    if degrees and coordinate != "bond":
        p, error = np.degrees(p), None if error is None else np.degrees(error)
    if period(coordinate):
        x, (p, error) = one_turn(x, p, error)
    try:
        return Distribution(x, p, error, coordinate=coordinate, units=unit_system(units))
    except InputError as problem:
        raise InputError(f"{os.fspath(path)}: {problem}") from None


def read_bonded_potential(
    path: str | os.PathLike[str], coordinate: str, *, units: str | UnitSystem, degrees: bool = False
) -> BondedPotential:
    """Read the potential of a bond, an angle or a dihedral; see `read_distribution`.

    Raises
    ------
    InputError
        If the file cannot be read, or x is not what the coordinate can be.
    """
    x, u, error = _columns(path, coordinate, degrees=degrees, forces=True)
    if period(coordinate):
        x, (u, error) = one_turn(x, u, error)
    else:
        x, u, error = _even(x, u, error)
    if coordinate == "angle":
        x, u, error = _up_to_pi(x, u, error)
    try:
        return BondedPotential.shifted(
            x, u, coordinate=coordinate, units=unit_system(units), u_error=error, notes=(f"read from {path}",)
        )
    except InputError as problem:
        raise InputError(f"{os.fspath(path)}: {problem}") from None


def _is_force(rows: Rows) -> bool:
    """Whether the third column is a force, as that of ESPResSo++ and MSIBI, and no error: by its name or its sign."""
    if len(rows.names) > 2:
        return rows.names[2] in ("f", "force", "tau")
    return bool(np.any(rows.numbers(2, "the third column") < 0.0))


def _columns(
    path: str | os.PathLike[str], coordinate: str, *, degrees: bool, forces: bool = False
) -> tuple[Array, Array, Array | None]:
    rows = read_rows(path)
    width = rows.width()
    if width < 2:
        raise InputError(f"{rows.where(0)} has {width} columns; a {coordinate} needs x and y")
    last = rows.column(width - 1)
    flagged = width > 2 and not all(is_number(field) for field in last)
    if flagged:
        rows = rows.keep([row for row, flag in enumerate(last) if flag != "u"])
    x, y = rows.numbers(0, "x"), rows.numbers(1, "y")
    error = (
        rows.numbers(2, "the error") if width - flagged == 3 and not (forces and _is_force(rows)) else None
    )
    if degrees and coordinate == "angle" and x.size and float(np.max(x)) < FEW_DEGREES:
        raise InputError(
            f"{os.fspath(path)}: the angle ends at {np.max(x):g}; it must be in degrees, and this looks like radians "
            '(leave angles = "degrees" out, or convert the file)'
        )
    return (np.radians(x) if degrees and coordinate != "bond" else x), y, error


def _up_to_pi(x: Array, y: Array, error: Array | None) -> tuple[Array, Array, Array | None]:
    """Return an angle without the one row that lies beyond pi, by less than a step: grids of csg_stat may have it."""
    if x.size < 4 or not PI + GRID_TOLERANCE < x[-1] < PI + (x[-1] - x[-2]) or x[-2] > PI:
        return x, y, error
    return x[:-1], y[:-1], None if error is None else error[:-1]


def _even(x: Array, y: Array, error: Array | None) -> tuple[Array, Array, Array | None]:
    """Return a potential whose last row misses the step of the others, as csg_resample prints it, on equal steps.

    That row is where the range ended, and not a multiple of the step. Lines between the rows give the values of the
    grid that ends before it.
    """
    steps = np.diff(x)
    if x.size < 4 or np.ptp(steps[:-1]) > 0.02 * steps[0] or not 0.02 < abs(steps[-1] / steps[0] - 1.0) < 1.0:
        return x, y, error
    grid = x[:-1] if steps[-1] < steps[0] else np.append(x[:-1], x[-2] + steps[0])
    return grid, np.interp(grid, x, y), None if error is None else np.interp(grid, x, error)


def one_turn(x: Array, y: Array, error: Array | None) -> tuple[Array, tuple[Array, Array | None]]:
    """Return a dihedral without the end of its turn, where a file repeats the first point there."""
    step = float(x[-1] - x[0]) / max(x.size - 1, 1)
    if abs(x[-1] - x[0] - 2.0 * np.pi) > 0.02 * step:
        return x, (y, error)
    # Histograms cut the bin at the end of the turn in two.
    joined = np.append(0.5 * (y[0] + y[-1]), y[1:-1])
    return x[:-1], (joined, None if error is None else error[:-1])


def write_distribution(
    curve: Distribution, path: str | os.PathLike[str], *, notes: Sequence[str] = ()
) -> Path:
    """Write ``x p [error] i`` as VOTCA reads it, in the units of the curve and radians; return the path.

    Every number is printed so that it reads back as the same number.
    """
    lines = [f"# distribution, {curve.coordinate}, {curve.units.name}, angles in radians"]
    lines += [f"# {note}" for note in notes]
    columns = [curve.x, curve.p] if curve.error is None else [curve.x, curve.p, curve.error]
    lines += [" ".join(map(repr, row)) + " i" for row in np.column_stack(columns).tolist()]
    return write_atomically(Path(path), "\n".join(lines) + "\n")


def write_bonded_pot(potential: BondedPotential, path: str | os.PathLike[str]) -> Path:
    """Write ``x U flag`` as VOTCA reads it, in the units of the potential and radians; return the path."""
    x, u, _ = potential.periodic()
    lines = [f"# {potential.coordinate}, {potential.units.name}, angles in radians"]
    lines += [f"{a:.10g} {b:.10g} i" for a, b in zip(x, u, strict=True)]
    return write_atomically(Path(path), "\n".join(lines) + "\n")


def write_lammps_bonded(
    potentials: Mapping[Interaction, BondedPotential], path: str | os.PathLike[str]
) -> tuple[Path, str]:
    """Write all bonded potentials as sections of one file, and return its path and the lines of LAMMPS that use it.

    Energies are in kcal/mol and lengths in angstrom (``units real``), or reduced; angles in degrees. Types count from
    1 for each coordinate in the order given.
    """
    sections, usage = ["# bonded potentials"], []
    numbers = {"bond": 0, "angle": 0, "dihedral": 0}
    for name, potential in potentials.items():
        numbers[name.coordinate] += 1
        table = bonded_table(potential if potential.units == LJ else potential.to(REAL))
        keyword = bonded_keyword(name)
        sections.append(lammps_section(keyword, name.coordinate, table, str(name)))
        usage.append(
            f"{name.coordinate}_coeff {numbers[name.coordinate]} {Path(path).name} {keyword}  # {name}"
        )
    styles = [f"{kind}_style table spline {RESAMPLED}" for kind, number in numbers.items() if number]
    return write_atomically(Path(path), "\n".join(sections)), "\n".join([*styles, *usage])


def bonded_keyword(name: Interaction) -> str:
    """Return the keyword of an interaction in a table of LAMMPS, as ``BOND_A_B``."""
    return name.file_stem.upper().replace("-", "_")


def lammps_section(keyword: str, coordinate: str, table: tuple[Array, Array, Array], comment: str) -> str:
    """Return a section of LAMMPS' ``bond_style``, ``angle_style`` or ``dihedral_style table``.

    Parameters
    ----------
    keyword : str
        Its name.
    coordinate : {"bond", "angle", "dihedral"}
        Which of them.
    table : tuple of ndarray, shape (n,)
        x, U and F = -dU/dx with both ends; angles in radians.
    comment : str
        The line before.
    """
    x, u, f = table
    if coordinate == "angle":
        x, f = np.degrees(x), f * (np.pi / 180.0)
    head = f"N {x.size}"
    if coordinate == "dihedral":
        # The range must stay below one turn.
        x, u, f = x[:-1], u[:-1], f[:-1]
        head = f"N {x.size} RADIANS"
    elif coordinate == "bond":
        head += f" EQ {x[int(np.argmin(u))]:.15g}"
    rows = "\n".join(
        f"{k} {a:.15g} {b:.15g} {c:.15g}" for k, (a, b, c) in enumerate(zip(x, u, f, strict=True), 1)
    )
    return f"# {comment}\n{keyword}\n{head}\n\n{rows}\n"
