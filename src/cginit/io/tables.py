"""Potentials in and out of the tables of other programs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cginit.atomic import write_atomically
from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.io.formats import table_format
from cginit.io.lammps import lammps_usage
from cginit.io.rows import is_number, read_bytes
from cginit.io.table import WriteOptions, potential_of
from cginit.units import NM_KJ, UnitSystem, conversion, unit_system
from cginit.untrusted import reads_a_file

__all__ = ["read_table", "table_usage", "write_table"]

#: GROMACS' default for table-extension, in nm; in reduced units it is one length unit.
TABLE_EXTENSION = 1.0


@reads_a_file
def read_table(
    path: str | os.PathLike[str],
    *,
    units: str | UnitSystem | None = None,
    format: str | None = None,
    keyword: str | None = None,
) -> PairPotential:
    r"""Read a tabulated pair potential.

    Parameters
    ----------
    path : path-like
        The file.
    units : str or UnitSystem, optional
        Units of the file: ``nm-kJ/mol``, ``angstrom-kcal/mol`` or ``lj``. By default those of the header
        that `write_table` writes, or of LAMMPS' ``UNITS:`` tag.
    format : {"votca", "tab", "lammps", "gromacs", "hoomd", "csv", "text", "msibi"}, optional
        By default the one that the end of the file's name means.
    keyword : str, optional
        The section of a LAMMPS table; needed if there are several.

    Returns
    -------
    PairPotential
        In the units of the file, on its grid. An uneven grid is interpolated, and an energy that is not 0 at the
        cut-off is shifted; its `notes` say so.

    Raises
    ------
    InputError
        If the file is not such a table (naming file, line, value and remedy), or its units are not known.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "A-A.pot"
    ...     _ = path.write_text("0.1 2.0 i\n0.2 1.0 i\n0.3 0.0 i\n")
    ...     potential = read_table(path, units="nm-kJ/mol")
    >>> potential.r_cut
    0.3
    """
    # A file that is absent is so whatever its name says.
    content = read_bytes(path)
    raw = table_format(path, format).read(content, os.fspath(path), keyword)
    return potential_of(raw, None if units is None else unit_system(units))


def write_table(
    potential: PairPotential,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    units: str | UnitSystem | None = None,
    kT: float | None = None,
    keyword: str | None = None,
    table_extension: float | None = None,
) -> Path:
    """Write a pair potential as the table of another program.

    ``votca``, ``text`` and ``csv`` keep the potential's own grid and read back as the same numbers. The others are
    safe to run: they reach from r = 0 (``lammps``, ``tab``: from their first step) to the cut-off, where
    U = 0, in at least 2000 steps (``lammps``: 4000) of which every point of the potential is one; between
    them U is a cubic spline, below the first point of the potential it is the repulsive core of
    `cginit.extrapolate.extend_core`, and F is the central difference of the printed U.

    Parameters
    ----------
    potential : PairPotential
    path : path-like
        The file. It is replaced atomically.
    format : {"votca", "tab", "lammps", "gromacs", "hoomd", "csv", "text", "msibi"}, optional
        By default the one that the end of the file's name means.
    units : str or UnitSystem, optional
        Units of the file. By default nm and kJ/mol for ``votca``, ``tab`` and ``gromacs``, angstrom and kcal/mol
        (``UNITS: real``) for ``lammps``, and those of the potential for the others; a potential in lj units stays
        so in all of them.
    kT : float, optional
        Thermal energy in the potential's own units, for a core that must be extended. By default that of
        ``potential.provenance``; a potential that reaches its first step above 0 needs none.
    keyword : str, optional
        Section name in a LAMMPS table. By default the file's name without its suffix.
    table_extension : float, optional
        How far a GROMACS table goes beyond the cut-off, in the length unit of the file; by default 1 nm, or
        1 in lj units.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the format is unknown, the units cannot be converted, kT is missing where a core must be extended, or
        the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> r = np.linspace(0.1, 1.0, 91)
    >>> soft = PairPotential(r, 25 * (1 - r) ** 2 / 2, units="lj")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = read_table(write_table(soft, Path(folder) / "A-A.csv"))
    >>> bool(np.all(again.u == soft.u))
    True
    """
    chosen = table_format(path, format)
    if units is not None:
        target = unit_system(units)
    elif chosen.units is None or potential.units.is_reduced:
        target = potential.units
    else:
        target = chosen.units
    energy = conversion(potential.units, target)[1]
    known = kT if kT is not None or potential.provenance is None else potential.provenance.kT
    if known is not None and not known > 0.0:
        raise InputError(f"kT must be positive, not {known}")
    if table_extension is None:
        table_extension = TABLE_EXTENSION * (1.0 if target.is_reduced else conversion(NM_KJ, target)[0])
    if not table_extension >= 0.0:
        raise InputError(f"the table extension must not be negative, but is {table_extension}")
    options = WriteOptions(
        None if known is None else known * energy,
        keyword or _keyword(path),
        table_extension,
        Path(path).name,
    )
    return write_atomically(path, chosen.write(potential.to(target), options))


def table_usage(path: str | os.PathLike[str], format: str | None = None) -> str:
    """Return the lines of an input script that load a table written by `write_table`; empty where it holds none."""
    return lammps_usage(path) if table_format(path, format).name == "lammps" else ""


def _keyword(path: str | os.PathLike[str]) -> str:
    """Name of the file without its suffix, as a word that LAMMPS takes for a keyword."""
    word = re.sub(r"[^A-Za-z0-9_.+*^~@:-]+", "_", Path(path).stem) or "PAIR"
    return f"PAIR_{word}" if is_number(word) else word
