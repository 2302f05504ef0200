"""Radial distribution functions in and out."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit._version import __version__
from cginit.atomic import write_atomically
from cginit.curves import RDF, Array, StructureFactor
from cginit.errors import InputError
from cginit.io.bin_edges import not_edges
from cginit.io.columns import Columns, choose_columns
from cginit.io.grid import check_increasing, even_grid, step_spread
from cginit.io.header import Header, header_lines, parse_header
from cginit.io.lammps_rdf import averaged
from cginit.io.rdf_units import length_factor, units_of
from cginit.io.rdf_values import (
    SLIGHTLY_UNEVEN,
    not_counts,
    not_cut_below,
    not_empty_at_the_end,
    not_exchanged,
    not_in_a_plane,
    not_negative,
    resampled,
    without_itself,
)
from cginit.io.rows import Rows, column_text, csv_text, grid_text, read_bytes
from cginit.io.sheet import Sheet, comments_of, read_sheet
from cginit.state import StatePoint
from cginit.units import UnitSystem
from cginit.untrusted import reads_a_file

__all__ = ["RDFHeader", "Reading", "rdf_reading", "read_rdf", "read_rdf_header", "write_rdf"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RDFHeader:
    """What a target file states about itself; None where it states nothing.

    Attributes
    ----------
    units : UnitSystem or None
        Units of r, `density` and `kT`.
    density, kT : float or None
        State point.
    version : str or None
        The version of cginit that wrote the file.
    source : str
        Hash of the file's content, ``sha256:`` and 12 hexadecimal digits, for `cginit.curves.Provenance`.
    left_out : str or None
        The pairs that g(r) does not count, and is not divided by.
    part_of : str or None
        What it is one pair of: ``mixture`` or ``molecules``.
    """

    units: UnitSystem | None = None
    density: float | None = None
    kT: float | None = None
    version: str | None = None
    source: str = ""
    left_out: str | None = None
    part_of: str | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """A g(r) and what its file was taken for.

    Attributes
    ----------
    rdf : RDF
        The curve.
    program : str
        Whose layout the file has: ``columns``, ``CSV``, ``xvg``, ``LAMMPS compute rdf``, ``NumPy array``.
    columns : tuple of str
        What was read as what, and what was left out.
    remarks : tuple of str
        What was done to the numbers: blocks averaged, units of length converted.
    notes : tuple of str
        Sentences on what is odd.
    others : tuple of str
        Other g(r) of the same file, in words.
    """

    rdf: RDF
    program: str
    columns: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """All of it in one line."""
        return "; ".join([f"read as {self.program}: {', '.join(self.columns)}", *self.remarks])


@reads_a_file
def read_rdf_header(path: str | os.PathLike[str]) -> RDFHeader:
    """Return the units and the state point that a target file states.

    Raises
    ------
    InputError
        If the file cannot be read or a statement of it is not a number or a unit system.
    """
    name = os.fspath(path)
    data = read_bytes(path)
    stated = parse_header(comments_of(data, name), name)
    source = f"sha256:{hashlib.sha256(data).hexdigest()[:12]}"
    return RDFHeader(
        stated.units, stated.density, stated.kT, stated.version, source, stated.left_out, stated.part_of
    )


@reads_a_file
def read_rdf(
    path: str | os.PathLike[str],
    *,
    units: str | UnitSystem | None = None,
    clean: bool = False,
    column: str | int | None = None,
    dr: float | None = None,
) -> RDF:
    r"""Read a radial distribution function.

    Reads VOTCA's ``.dist.tgt`` and ``.dist.new``, xvg, CSV, plain text, arrays of NumPy and what LAMMPS writes of a
    ``compute rdf`` (see `rdf_reading`, which also says what was taken for what): columns ``r g [error] [flag]``,
    separated by white space, commas or semicolons; comments, a row of column names, a byte order mark and Windows
    line ends do no harm. Rows flagged ``u`` (undefined) are dropped, rows flagged ``o`` (out of range) are dropped at
    both ends. What lies below the first row is core, g = 0.

    Labels decide what the columns are. Without any, a third column is the standard error of g if it can be one; a
    running coordination number is left out, and a column as large as g is a second curve, of which `column` chooses.

    Distances that are a uniform grid up to the rounding of their last printed digit are taken as that grid. If
    the steps differ by up to 20 % from the median step, g is interpolated monotonically (PCHIP, which adds no
    negative values), and its error linearly, on as many evenly spaced points between the first and the
    last one.

    Parameters
    ----------
    path : path-like
        The file.
    units : str or UnitSystem, optional
        Units of r: ``nm-kJ/mol``, ``angstrom-kcal/mol`` or ``lj``. By default what the file's header states.
    clean : bool
        Set negative g down to -0.05 to 0 instead of refusing it.
    column : str or int, optional
        The column of g, by its label or its number from 1, where the file holds several.
    dr : float, optional
        A curve in uneven steps, as one taken from a figure, is interpolated in steps of this instead of refused.

    Returns
    -------
    RDF
        g(r) ``(n,)`` on a uniform grid.

    Raises
    ------
    InputError
        If the file is not such a curve (naming file, line, value and remedy), or its units are not known.

    References
    ----------
    F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984), doi:10.1137/0905021 (PCHIP).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "A-A.dist.tgt"
    ...     _ = path.write_text("0.3 0.1 i\n0.4 1.2 i\n0.5 1.0 i\n")
    ...     target = read_rdf(path, units="nm-kJ/mol")
    >>> target.r_max
    0.5
    """
    found = rdf_reading(path, units=units, clean=clean, column=column, dr=dr)
    if len(found.columns) > 2 and any("left out" in text for text in found.columns):
        logger.warning("%s is %s", os.fspath(path), found.line)
    for note in found.notes:
        logger.warning("%s: %s", os.fspath(path), note)
    return found.rdf


@reads_a_file
def rdf_reading(
    path: str | os.PathLike[str],
    *,
    units: str | UnitSystem | None = None,
    clean: bool = False,
    column: str | int | None = None,
    dr: float | None = None,
) -> Reading:
    r"""Read a radial distribution function and say what was taken for what.

    Parameters, errors
        See `read_rdf`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "gofr.csv"
    ...     _ = path.write_text("r (nm),g(r),coordination\n3,0.1,0\n4,1.2,1\n5,1.0,3\n")
    ...     found = rdf_reading(path, units="nm-kJ/mol")
    >>> found.line
    'read as CSV: r, g(r), coordination left out'
    """
    name = os.fspath(path)
    sheet = read_sheet(path)
    header = parse_header(sheet.rows.comments, name)
    columns = choose_columns(sheet, column)
    not_in_a_plane(sheet.rows)
    system = units_of(units, header, sheet, name)
    rows = _in_range(sheet.rows, columns)
    r = rows.numbers(columns.r, "r")
    if columns.upper is not None:
        r = 0.5 * (r + rows.numbers(columns.upper, "r"))
    not_exchanged(rows, r, columns)
    check_increasing(rows, r)
    g, error, remark = _values(sheet, rows, columns, r)
    not_counts(rows, r, g, columns)
    not_empty_at_the_end(rows, r, g)
    g, self_note = without_itself(rows, r, g)
    g, cleaned = not_negative(rows, r, g, system, clean)
    if error is not None and np.any(error < 0.0):
        row = int(np.argmin(error))
        raise InputError(
            f"{rows.where(row)}: the error of g is {error[row]:g}; a standard error is not negative, so "
            "remove the column if it is something else"
        )
    missing: tuple[str, ...] = ()
    # What this package wrote reads back as it was.
    if header.version is None:
        missing = not_cut_below(rows, r, g)
        not_edges(rows, r, g)
    factor, scaled = length_factor(sheet, columns, system)
    grid, evened = even_grid(r, rows.column(columns.r)), ""
    if grid is None:
        step = None if dr is None else dr / factor
        grid, g, error = resampled(rows, r, g, error, step)
        if step is not None and step_spread(r)[0] > SLIGHTLY_UNEVEN:
            width = f"{factor * (grid[1] - grid[0]):.4g} {system.length}"
            evened = f"{r.size} uneven rows interpolated in steps of {width}"
    curve = RDF(
        grid * factor,
        g,
        error,
        units=system,
        beads=_beads(header, name),
        long_wave=header.long_wave,
        structure_factor=_structure_factor(header, system, name),
    )
    words = tuple(text for text in (rows.remark, remark, evened, scaled) if text)
    notes = (*columns.notes, *self_note, *cleaned, *missing)
    return Reading(curve, sheet.program, columns.words, words, notes, columns.others)


def write_rdf(
    rdf: RDF,
    path: str | os.PathLike[str],
    *,
    state: StatePoint | None = None,
    format: str | None = None,
    notes: Sequence[str] = (),
    left_out: str | None = None,
    part_of: str | None = None,
) -> Path:
    """Write a radial distribution function in VOTCA's layout ``r g [error] i`` or as CSV.

    The header states units, density and kT, so that `read_rdf` and the command line need not be told again.
    Every number is printed so that it reads back as the same number.

    Parameters
    ----------
    rdf : RDF
        The curve, written in its own units.
    path : path-like
        The file. It is replaced atomically.
    state : StatePoint, optional
        State point for the header, converted to the units of `rdf`.
    format : {"votca", "csv"}, optional
        By default ``csv`` for a name that ends so, else ``votca``.
    notes : sequence of str
        Sentences on the curve, for the header.
    left_out : str, optional
        The pairs that it does not count, and is not divided by: ``none``, ``molecule``, ``1-3``, ...
    part_of : str, optional
        What it is one pair of, where it is not that of a liquid of one bead type: ``mixture`` or ``molecules``.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the format is unknown, the file cannot be written, or the state is in units of another kind.
    """
    chosen = format or ("csv" if os.fspath(path).lower().endswith(".csv") else "votca")
    if chosen not in ("votca", "csv"):
        raise InputError(f"unknown format {chosen!r} of an RDF; known are votca and csv")
    here = None if state is None else state.to(rdf.units)
    head = header_lines(
        Header(
            version=__version__,
            units=rdf.units,
            density=None if here is None else here.density,
            kT=None if here is None else here.kT,
            beads=rdf.beads,
            long_wave=rdf.long_wave,
            waves=() if rdf.structure_factor is None else rdf.structure_factor.rows(),
            left_out=left_out,
            part_of=part_of,
            notes=tuple(notes),
        )
    )
    columns = [rdf.g] if rdf.error is None else [rdf.g, rdf.error]
    if chosen == "votca":
        return write_atomically(path, head + column_text(grid_text(rdf.r), *columns, ["i"] * rdf.r.size))
    names = ("r", "g", "error")[: 1 + len(columns)]
    return write_atomically(path, head + csv_text(names, grid_text(rdf.r), *columns))


def _beads(header: Header, name: str) -> int | None:
    if header.beads is None:
        return None
    if not (header.beads >= 2.0 and header.beads.is_integer()):
        raise InputError(
            f"the header of {name} states beads = {header.beads:g}; it must be a whole number, 2 or more"
        )
    return int(header.beads)


def _structure_factor(header: Header, system: UnitSystem, name: str) -> StructureFactor | None:
    if not header.waves:
        return None
    try:
        return StructureFactor(*np.array(header.waves).T, units=system)
    except InputError as error:
        raise InputError(f"the lines structure_factor in the header of {name}: {error}") from None


def _in_range(rows: Rows, columns: Columns) -> Rows:
    """Drop the rows that carry no value."""
    if columns.flag is None:
        return rows
    flags = rows.column(columns.flag)
    inside = [row for row, flag in enumerate(flags) if flag == "i"]
    if not inside:
        raise InputError(f"{rows.name} has no row with flag i; mark the rows that hold g(r)")
    return rows.keep(row for row in range(inside[0], inside[-1] + 1) if flags[row] != "u")


def _values(sheet: Sheet, rows: Rows, columns: Columns, r: Array) -> tuple[Array, Array | None, str]:
    """Return g, its error, and what was done with blocks."""
    if len(sheet.blocks) > 1:
        alike = all(block.column(columns.r) == rows.column(columns.r) for block in sheet.blocks)
        found = averaged(sheet.blocks if alike else sheet.blocks[-1:], columns.g, r)
        return (
            found.values,
            found.error,
            found.text or f"last of {len(sheet.blocks)} blocks, whose distances differ",
        )
    error = None if columns.error is None else rows.numbers(columns.error, "error")
    return rows.numbers(columns.g, "g"), error, ""
