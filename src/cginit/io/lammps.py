"""LAMMPS tables for ``pair_style table``: sections of ``i r U F`` under a keyword."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import numpy as np

from cginit._version import __version__
from cginit.atomic import write_atomically
from cginit.curves import Array, PairPotential
from cginit.errors import InputError
from cginit.io.bonded_kind import bonded_sign
from cginit.io.grid import runnable, runnable_grid
from cginit.io.header import Header, header_lines, parse_header, potential_header
from cginit.io.rows import Rows, column_text, grid_text, is_number, read_bytes, text_of
from cginit.io.table import RawTable, WriteOptions, potential_of, raw_table, section_of
from cginit.units import ANGSTROM_KCAL, LJ, UnitSystem, conversion, unit_system

__all__ = [
    "lammps_file",
    "lammps_usage",
    "lammps_word",
    "read_lammps",
    "read_lammps_tables",
    "write_lammps",
    "write_lammps_tables",
]

#: LAMMPS interpolates linearly in r^2, with as many points as ``pair_style table linear N`` names, so that its
#: steps are widest in the core. With N = 4000 and a cut-off of 5 sigma, U of a Lennard-Jones core at 0.9 sigma is
#: good to 0.004 epsilon, and at the usual 2.5 sigma to 0.0003.
INTERVALS = 4000

#: LAMMPS' own names of the unit systems, which it checks against the script's.
_STYLES = {LJ: "lj", ANGSTROM_KCAL: "real"}
_SYSTEMS = {style: system for system, style in _STYLES.items()}
_UNITS = re.compile(r"\bUNITS:\s*(\S+)")


def read_lammps(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read one section, the only one if no keyword is given."""
    sections = _sections(text_of(data, name), name)
    return section_of(sections, name, keyword)


def write_lammps(potential: PairPotential, options: WriteOptions) -> str:
    """Print one section, and as comments the lines of an input script that load it for beads of type 1."""
    keyword = options.keyword
    line = f"pair_coeff 1 1 {lammps_word(options.file)} {lammps_word(keyword)}"
    return lammps_file({keyword: potential}, potential.units, {keyword: options.kT}, [line])[0]


def lammps_word(word: str) -> str:
    """Return a word as an input script of LAMMPS takes it, quoted if it holds what would mean something there.

    Raises
    ------
    InputError
        If no quotation holds it.

    Examples
    --------
    >>> lammps_word("CG-CG.table"), lammps_word("my $table")
    ('CG-CG.table', '"my $table"')
    """
    if re.fullmatch(r"[A-Za-z0-9_./+*^~@:=,%-]+", word):
        return word
    quote = next((mark for mark in ('"', "'") if mark not in word), None)
    if quote is None or not word.isprintable():
        raise InputError(f"the name {word!r} cannot stand in an input script of LAMMPS; choose another")
    return f"{quote}{word}{quote}"


def lammps_usage(path: str | os.PathLike[str]) -> str:
    """Return the lines for an input script that a table written here carries as comments, empty if it has none."""
    lines = text_of(read_bytes(path), os.fspath(path)).splitlines()
    head = takewhile(lambda line: line.startswith("#"), lines)
    return "\n".join(line[2:] for line in head if line.startswith(("# pair_style ", "# pair_coeff ")))


def read_lammps_tables(
    path: str | os.PathLike[str], *, units: str | UnitSystem | None = None
) -> dict[str, PairPotential]:
    """Read every section of a LAMMPS table file.

    Parameters
    ----------
    path : path-like
        The file.
    units : str or UnitSystem, optional
        Units of the file; by default those of its header or of its ``UNITS:`` tag.

    Returns
    -------
    dict of str to PairPotential
        The potentials under their keywords, in the order of the file.

    Raises
    ------
    InputError
        If the file is no such table or its units are not known.
    """
    name = os.fspath(path)
    system = None if units is None else unit_system(units)
    sections = _sections(text_of(read_bytes(path), name), name)
    return {keyword: potential_of(raw, system) for keyword, raw in sections.items()}


def write_lammps_tables(
    potentials: Mapping[str, PairPotential],
    path: str | os.PathLike[str],
    *,
    units: str | UnitSystem | None = None,
    kT: float | None = None,
) -> Path:
    """Write several potentials to one LAMMPS table file.

    Each is printed as by ``cginit.write_table``: from one step above r = 0 to the cut-off in at least 4000
    steps, its core extended repulsively; use ``pair_style table linear N`` with the N of the section.

    Parameters
    ----------
    potentials : mapping of str to PairPotential
        The sections; a keyword is a word that is no number.
    path : path-like
        The file. It is replaced atomically.
    units : str or UnitSystem, optional
        Units of the file. By default ``lj`` stays lj, and physical potentials are written in LAMMPS'
        ``real`` units, angstrom and kcal/mol.
    kT : float, optional
        Thermal energy in the units of the potentials, where a core must be extended and the potential's
        provenance does not know it.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If there is none, units differ in kind, a keyword is none, or kT is missing.
    """
    if not potentials:
        raise InputError("no potentials were given; a LAMMPS table needs at least one section")
    first = next(iter(potentials.values())).units
    target = unit_system(units) if units is not None else (LJ if first.is_reduced else ANGSTROM_KCAL)
    converted = {keyword: potential.to(target) for keyword, potential in potentials.items()}
    energies: dict[str, float | None] = {}
    for keyword, potential in potentials.items():
        energy = kT if kT is not None else _known_kT(potential)
        energies[keyword] = None if energy is None else energy * conversion(potential.units, target)[1]
    return write_atomically(path, lammps_file(converted, target, energies)[0])


def lammps_file(
    potentials: Mapping[str, PairPotential],
    units: UnitSystem,
    kT: Mapping[str, float | None],
    usage: Sequence[str] = (),
) -> tuple[str, int]:
    """Print the sections of potentials in `units`; also return the points of the finest, for ``pair_style``.

    `usage` are lines for the input script, which the file repeats as comments.
    """
    sections = [_section(keyword, potential, kT[keyword]) for keyword, potential in potentials.items()]
    points = max(
        int(match) for section in sections for match in re.findall(r"^N (\d+) R", section, re.MULTILINE)
    )
    comments = [f"# pair_style table linear {points}\n", *(f"# {line}\n" for line in usage)] if usage else []
    return _first_line(units) + "".join(comments) + "\n".join(sections), points


def _known_kT(potential: PairPotential) -> float | None:
    return None if potential.provenance is None else potential.provenance.kT


def _first_line(units: UnitSystem) -> str:
    """Return the line from which LAMMPS takes the units; other unit systems than its own get no tag."""
    tag = f" UNITS: {_STYLES[units]}" if units in _STYLES else ""
    return f"# pair potentials{tag} CONTRIBUTOR: cginit {__version__}\n"


def _section(keyword: str, potential: PairPotential, kT: float | None) -> str:
    if not re.fullmatch(r"[^\s#&$\"]+", keyword) or is_number(keyword) or not keyword.isprintable():
        raise InputError(
            f"{keyword!r} cannot name a table in LAMMPS; choose a word that is no number, without blanks, quotation "
            "marks, #, & and $"
        )
    grid = runnable_grid(potential, INTERVALS, origin=False)
    fine = runnable(potential, grid, kT)
    low, high, n = float(f"{fine.r[0]:.15g}"), float(f"{fine.r[-1]:.15g}"), fine.r.size
    r = low + (high - low) * np.arange(n) / (n - 1)
    return (
        header_lines(potential_header(potential))
        + f"\n{keyword}\nN {n} R {low!r} {high!r}\n\n"
        + column_text([str(i) for i in range(1, n + 1)], grid_text(r), fine.u, _secant_force(r, fine.u))
    )


def _secant_force(r: Array, u: Array) -> Array:
    """Mean of the two secants ``(n,)``, in the very arithmetic of LAMMPS' check.

    LAMMPS warns unless the force lies between them. The mean of two doubles never leaves their interval; that
    holds for the r that LAMMPS computes itself and for numbers printed in full, which is why both are used.
    """
    secants = -(u[1:] - u[:-1]) / (r[1:] - r[:-1])
    inner = secants[:-1] + 0.5 * (secants[1:] - secants[:-1])
    lower, upper = np.minimum(secants[:-1], secants[1:]), np.maximum(secants[:-1], secants[1:])
    return np.concatenate([secants[:1], np.clip(inner, lower, upper), secants[-1:]])


def _sections(text: str, name: str) -> dict[str, RawTable]:
    """Split a file into its sections; comments above a keyword belong to it, the first line to all."""
    lines = text.splitlines()
    tag = _UNITS.search(lines[0]) if lines else None
    style = None if tag is None else tag.group(1)
    sections: dict[str, RawTable] = {}
    comments: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if not line or line.startswith("#"):
            comments.append(line)
            at += 1
            continue
        keyword = line.split()[0]
        if keyword in sections:
            raise InputError(
                f"{name}, line {at + 1}: the keyword {keyword} occurs twice; rename one of the tables"
            )
        rows, parameters, at = _body(lines, at, name)
        header = _with_tag(parse_header(comments, name), style, name)
        sections[keyword] = _raw(rows, parameters, header)
        comments = []
    if not sections:
        raise InputError(
            f"{name} holds no table; a LAMMPS table starts with a keyword and a line 'N n R rmin rmax'"
        )
    return sections


def _body(lines: list[str], at: int, name: str) -> tuple[Rows, list[str], int]:
    """Rows of the section whose keyword stands in line `at`, its parameters, and the line after it."""
    parameters = lines[at + 1].split("#")[0].split() if at + 1 < len(lines) else []
    count = parameters[parameters.index("N") + 1] if "N" in parameters[:-1] else ""
    if not count.isdigit() or int(count) < 3:
        raise InputError(
            f"{name}, line {at + 2}: {' '.join(parameters)!r} must give the number of rows as 'N n', after the "
            f"keyword {lines[at].split()[0]!r}; this is not a LAMMPS table, or it is damaged"
        )
    numbers: list[int] = []
    tokens: list[tuple[str, ...]] = []
    at += 2
    while at < len(lines) and len(tokens) < int(count):
        fields = tuple(lines[at].split("#")[0].split())
        at += 1
        if fields:
            numbers.append(at)
            tokens.append(fields)
    if len(tokens) < int(count):
        raise InputError(f"{name} ends after {len(tokens)} of {count} rows; the file is cut off")
    rows = Rows(name, tuple(numbers), tuple(tokens))
    expected = 3 if "NOF" in parameters else 4
    if rows.width() != expected:
        raise InputError(
            f"{rows.where(0)} has {rows.width()} columns; a LAMMPS table has 4, i r U F, or 3 without forces (NOF)"
        )
    return rows, parameters, at


def _raw(rows: Rows, parameters: list[str], header: Header) -> RawTable:
    r, u = rows.numbers(1, "r"), rows.numbers(2, "U")
    bonded = bonded_sign(r, u, parameters)
    if bonded is not None:
        # Its rules are others, those of a dihedral for one, which is periodic and may have no forces.
        f = None if "NOF" in parameters else rows.numbers(3, "F")
        return RawTable(rows.name, r, u, f, header=header, bonded=bonded)
    f = rows.numbers(3, "F")
    if "BITMAP" in parameters:
        raise InputError(f"{rows.name}: BITMAP tables are not ordered by r; write the table with R or RSQ")
    if "R" in parameters:
        # LAMMPS, too, takes the distances from these two numbers and not from the rows.
        at = parameters.index("R")
        try:
            low, high = (float(field) for field in parameters[at + 1 : at + 3])
        except ValueError:
            raise InputError(
                f"{rows.name}: {' '.join(parameters)!r} must give two numbers after R; correct them"
            ) from None
        exact = np.linspace(low, high, r.size)
        if np.max(np.abs(exact - r)) > 1e-3 * (high - low) / (r.size - 1):
            row = int(np.argmax(np.abs(exact - r)))
            raise InputError(
                f"{rows.where(row)}: r = {r[row]:g} where 'R {low:g} {high:g}' gives {exact[row]:g}; correct one "
                "of the two"
            )
        r = exact
    return raw_table(rows, rows.column(1), r, u, f, header=header)


def _with_tag(header: Header, style: str | None, name: str) -> Header:
    if header.units is not None or style is None:
        return header
    if style not in _SYSTEMS:
        raise InputError(
            f"{name} is in LAMMPS' {style!r} units, which cginit does not know; convert it to real or lj units"
        )
    return replace(header, units=_SYSTEMS[style])
