"""What the table formats share: the raw content of a file, the options of a writer, units and cut-off."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cginit.curves import Array, PairPotential, force
from cginit.errors import InputError
from cginit.io.grid import check_increasing, even_grid
from cginit.io.header import Header, parse_header
from cginit.io.rows import Rows
from cginit.units import UnitSystem

__all__ = [
    "PairName",
    "RawTable",
    "WriteOptions",
    "bead_types",
    "pair_of",
    "potential_of",
    "raw_table",
    "section_of",
]

#: Two bead types.
PairName = tuple[str, str]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RawTable:
    """A table as its file gives it.

    Attributes
    ----------
    name : str
        The file's name, for messages.
    r, u : ndarray, shape (n,)
        Distances and energies on a uniform grid; the last energy need not be 0.
    f, u_error : ndarray, shape (n,), or None
        Forces and standard errors, if the file has them.
    header : Header
        The statements of the file.
    r_core : float
        End of the core that the file marks as extrapolated.
    notes : tuple of str
        What reading changed.
    """

    name: str
    r: Array
    u: Array
    f: Array | None = None
    u_error: Array | None = None
    header: Header = field(default_factory=Header)
    r_core: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WriteOptions:
    """What a writer may need beyond the potential.

    Attributes
    ----------
    kT : float or None
        Thermal energy in the potential's unit, for a core that must be extended.
    keyword : str
        Name of the section in a LAMMPS table; in formats that name bead types the pair, ``A-B``.
    extension : float
        How far a GROMACS table goes beyond the cut-off.
    """

    kT: float | None = None
    keyword: str = "PAIR"
    extension: float = 1.0


def raw_table(
    rows: Rows,
    fields: tuple[str, ...],
    r: Array,
    u: Array,
    f: Array | None = None,
    u_error: Array | None = None,
    *,
    r_core: float = 0.0,
    header: Header | None = None,
) -> RawTable:
    """Check the columns of a text table and put them on a uniform grid.

    `fields` are the distances as printed, from which their rounding is taken. An uneven grid, as LAMMPS'
    RSQ, is interpolated by cubic Hermite polynomials through energies and forces (a cubic spline where there are
    no forces) on as many even points; the force is then that of the polynomial.
    """
    check_increasing(rows, r)
    stated = parse_header(rows.comments, rows.name) if header is None else header
    grid = even_grid(r, fields)
    if grid is not None:
        return RawTable(rows.name, grid, u, f, u_error, stated, r_core)
    from scipy.interpolate import CubicHermiteSpline, CubicSpline

    grid = np.linspace(r[0], r[-1], r.size)
    curve = CubicSpline(r, u) if f is None else CubicHermiteSpline(r, u, -f)
    slope = np.asarray(-curve(grid, 1), dtype=np.float64)
    return RawTable(
        rows.name,
        grid,
        np.asarray(curve(grid), dtype=np.float64),
        slope,
        None if u_error is None else np.interp(grid, r, u_error),
        stated,
        r_core,
        (f"Interpolated from the uneven grid of {rows.name} to {r.size} even points.",),
    )


def pair_of(name: str) -> PairName:
    """Return the bead types of a pair ``A-B``; both are the name itself if it is no pair.

    Examples
    --------
    >>> pair_of("E-M"), pair_of("water")
    (('E', 'M'), ('water', 'water'))
    """
    first, _, second = name.partition("-")
    return (first, second) if first and second and "-" not in second else (name, name)


def bead_types(pairs: Iterable[PairName]) -> tuple[str, ...]:
    """Return the bead types of some pairs: those of like pairs first, in their order, then the others."""
    pairs = tuple(pairs)
    like = [a for a, b in pairs if a == b]
    return tuple(dict.fromkeys([*like, *(kind for pair in pairs for kind in pair)]))


def section_of(sections: Mapping[str, RawTable], name: str, keyword: str | None) -> RawTable:
    """Return the table of that keyword, or the only one; InputError if there is none or a choice."""
    if keyword is None and len(sections) == 1:
        return next(iter(sections.values()))
    if not sections:
        raise InputError(f"{name} holds no table")
    if keyword is None:
        raise InputError(
            f"{name} holds {len(sections)} tables ({', '.join(sections)}); name one (keyword=, --keyword)"
        )
    if keyword not in sections:
        raise InputError(f"{name} holds no table {keyword!r}; it holds {', '.join(sections)}")
    return sections[keyword]


def potential_of(raw: RawTable, units: UnitSystem | None) -> PairPotential:
    """Build the potential of a file: its units resolved, cut at its cut-off, shifted to U(r_cut) = 0."""
    system = units if units is not None else raw.header.units
    if system is None:
        raise InputError(
            f"{raw.name} does not state its units; give them (--from-units lj, nm-kJ/mol or angstrom-kcal/mol; "
            "units= in Python)"
        )
    if raw.header.units is not None and raw.header.units != system:
        logger.warning(
            "%s states units %s, but is read as %s as asked", raw.name, raw.header.units.name, system.name
        )
    r, u, f, u_error = raw.r, raw.u, raw.f, raw.u_error
    notes = raw.header.notes + raw.notes
    if raw.header.r_cut is not None:
        step = (r[-1] - r[0]) / (r.size - 1)
        keep = r <= raw.header.r_cut + 1e-3 * step
        r, u = r[keep], u[keep]
        f = None if f is None else f[keep]
        u_error = None if u_error is None else u_error[keep]
    if u[-1] != 0.0:
        sentence = f"Shifted by {-u[-1]:.6g} {system.energy}, so that U(r_cut) = 0."
        if abs(u[-1]) > 1e-12 * float(np.max(np.abs(u))):
            notes += (sentence,)
        u = u - u[-1]
    return PairPotential(
        r,
        u,
        force(r, u) if f is None else f,
        u_error,
        notes,
        r_core=raw.header.r_core if raw.header.r_core is not None else raw.r_core,
        provenance=raw.header.provenance(),
        units=system,
    )
