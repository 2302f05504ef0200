"""Radial distribution functions in and out."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit._version import __version__
from cginit.atomic import write_atomically
from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.io.grid import check_increasing, even_grid, step_spread
from cginit.io.header import Header, header_lines, parse_header
from cginit.io.rows import Rows, column_text, csv_text, grid_text, is_number, read_bytes, rows_of, text_of
from cginit.splines import monotone_cubic
from cginit.state import StatePoint
from cginit.units import UnitSystem, unit_system

__all__ = ["RDFHeader", "read_rdf", "read_rdf_header", "write_rdf"]

logger = logging.getLogger(__name__)

#: Steps may differ by this part of the median step; beyond it rows are missing, or the file is no curve.
SLIGHTLY_UNEVEN = 0.2
#: A smoothed or subtracted g(r) may dip below 0 by a few per cent; more is not noise.
MAX_NEGATIVE = 0.05

_LEGEND = re.compile(r"^@\s*s\d+\s+legend\b", re.IGNORECASE)
_FLAGS = {"i", "o", "u"}


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
    """

    units: UnitSystem | None = None
    density: float | None = None
    kT: float | None = None
    version: str | None = None
    source: str = ""


def read_rdf_header(path: str | os.PathLike[str]) -> RDFHeader:
    """Return the units and the state point that a target file states.

    Raises
    ------
    InputError
        If the file cannot be read or a statement of it is not a number or a unit system.
    """
    name = os.fspath(path)
    data = read_bytes(path)
    stated = parse_header(text_of(data, name).splitlines(), name)
    source = f"sha256:{hashlib.sha256(data).hexdigest()[:12]}"
    return RDFHeader(stated.units, stated.density, stated.kT, stated.version, source)


def read_rdf(
    path: str | os.PathLike[str], *, units: str | UnitSystem | None = None, clean: bool = False
) -> RDF:
    r"""Read a radial distribution function.

    Reads VOTCA's ``.dist.tgt`` and ``.dist.new``, xvg, CSV and plain text alike: columns ``r g [error]
    [flag]``, separated by white space, commas or semicolons; comments, a row of column names, a byte order
    mark and Windows line ends do no harm. A third column of three is a flag (``i``, ``o``, ``u``) or, if
    it is numeric, the standard error. Rows flagged ``u`` (undefined) are dropped, rows flagged ``o`` (out of
    range) are dropped at both ends. What lies below the first row is core, g = 0.

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
    name = os.fspath(path)
    rows = rows_of(text_of(read_bytes(path), name), name)
    header = parse_header(rows.comments, name)
    system = _units(units, header, name)
    rows, error_column = _in_range(_single_curve(rows))
    r, g = rows.numbers(0, "r"), rows.numbers(1, "g")
    error = None if error_column is None else rows.numbers(error_column, "error")
    check_increasing(rows, r)
    g = _not_negative(rows, r, g, system, clean)
    if error is not None and np.any(error < 0.0):
        row = int(np.argmin(error))
        raise InputError(
            f"{rows.where(row)}: the error of g is {error[row]:g}; a standard error is not negative, so "
            "remove the column if it is something else"
        )
    grid = even_grid(r, rows.column(0))
    if grid is None:
        grid, g, error = _resampled(rows, r, g, error)
    return RDF(grid, g, error, units=system, beads=_beads(header, name), long_wave=header.long_wave)


def write_rdf(
    rdf: RDF,
    path: str | os.PathLike[str],
    *,
    state: StatePoint | None = None,
    format: str | None = None,
    notes: Sequence[str] = (),
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
    if not (header.beads >= 2.0 and header.beads == int(header.beads)):
        raise InputError(
            f"the header of {name} states beads = {header.beads:g}; it must be a whole number, 2 or more"
        )
    return int(header.beads)


def _units(given: str | UnitSystem | None, header: Header, name: str) -> UnitSystem:
    if given is None:
        if header.units is None:
            raise InputError(
                f"{name} does not state its units; give them (--units lj, nm-kJ/mol or angstrom-kcal/mol), "
                "since a nanometre is never guessed"
            )
        return header.units
    system = unit_system(given)
    if header.units is not None and header.units != system:
        logger.warning("%s states units %s, but is read as %s as asked", name, header.units.name, system.name)
    return system


def _single_curve(rows: Rows) -> Rows:
    curves = sum(bool(_LEGEND.match(comment)) for comment in rows.comments)
    if curves > 1:
        raise InputError(
            f"{rows.name} holds {curves} curves; write one of them to a file of its own (columns r and g)"
        )
    return rows


def _in_range(rows: Rows) -> tuple[Rows, int | None]:
    """Drop the rows that carry no value; also return the index of the column of errors."""
    width = rows.width()
    if not 2 <= width <= 4:
        raise InputError(
            f"{rows.where(0)} has {width} columns; a g(r) has 2 to 4: r g [error] [flag], with flag i, o or u"
        )
    flagged = width == 4 or (width == 3 and not all(is_number(field) for field in rows.column(2)))
    error_column = 2 if width - flagged == 3 else None
    if not flagged:
        return rows, error_column
    flags = rows.column(width - 1)
    for row, flag in enumerate(flags):
        if flag not in _FLAGS:
            raise InputError(
                f"{rows.where(row)}: the flag is {flag!r}, not i (in range), o (out of range) or u "
                "(undefined); correct it, or leave a column of errors all numeric"
            )
    inside = [row for row, flag in enumerate(flags) if flag == "i"]
    if not inside:
        raise InputError(f"{rows.name} has no row with flag i; mark the rows that hold g(r)")
    kept = (row for row in range(inside[0], inside[-1] + 1) if flags[row] != "u")
    return rows.keep(kept), error_column


def _not_negative(rows: Rows, r: Array, g: Array, units: UnitSystem, clean: bool) -> Array:
    if not np.any(g < 0.0):
        return g
    row = int(np.argmin(g))
    what = f"g(r) of {rows.name} is negative at r = {r[row]:g} {units.length} ({g[row]:.3g}, line {rows.lines[row]})"
    if g[row] < -MAX_NEGATIVE:
        hint = (
            "this looks like h(r) = g(r) - 1; add 1"
            if g[0] == -1.0
            else "this is no noise; sample g(r) again"
        )
        raise InputError(f"{what}; {hint}")
    if not clean:
        raise InputError(f"{what}; pass --clean to set it to 0")
    return np.maximum(g, 0.0)


def _resampled(rows: Rows, r: Array, g: Array, error: Array | None) -> tuple[Array, Array, Array | None]:
    spread, row = step_spread(r)
    if spread > SLIGHTLY_UNEVEN:
        raise InputError(
            f"{rows.where(row)}: the step from r = {r[row - 1]:g} to {r[row]:g} differs by {100 * spread:.0f} % "
            f"from the median step {np.median(np.diff(r)):g}; add the missing rows or resample g(r) to a uniform grid"
        )
    grid = np.linspace(r[0], r[-1], r.size)
    # PCHIP stays within its data, but a rounding error below 0 would still be refused.
    smooth = np.maximum(monotone_cubic(r, g, grid), 0.0)
    return grid, smooth, None if error is None else np.interp(grid, r, error)
