"""What the table formats share: the raw content of a file, the options of a writer, units and cut-off."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cginit.curves import Array, PairPotential, force
from cginit.errors import InputError
from cginit.io.bonded_kind import BondedSign, bonded_sign
from cginit.io.forces import force_notes
from cginit.io.grid import check_increasing, even_grid
from cginit.io.header import Header, parse_header
from cginit.io.rows import Rows
from cginit.units import UnitSystem

__all__ = [
    "PairName",
    "RawTable",
    "WriteOptions",
    "array_table",
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
        What reading changed, and rows that are odd.
    bonded : BondedSign or None
        What says that this is no pair potential; its columns are then those of the file, unchecked where the sign
        is in the parameters or a negative distance.
    """

    name: str
    r: Array
    u: Array
    f: Array | None = None
    u_error: Array | None = None
    header: Header = field(default_factory=Header)
    r_core: float = 0.0
    notes: tuple[str, ...] = ()
    bonded: BondedSign | None = None


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
    file : str
        Name of the file without its folder, for lines that load it.
    """

    kT: float | None = None
    keyword: str = "PAIR"
    extension: float = 1.0
    file: str = "FILE"


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
    pair: bool = False,
) -> RawTable:
    """Check the columns of a text table and put them on a uniform grid.

    `fields` are the distances as printed, from which their rounding is taken. An uneven grid, as LAMMPS'
    RSQ, is interpolated by cubic Hermite polynomials through energies and forces (a cubic spline where there are
    no forces) on as many even points; the force is then that of the polynomial. `pair` says that the format is one
    of pair potentials only.

    Raises
    ------
    InputError
        If distances do not increase, or the force is not that of the energies (`force_notes`).
    """
    stated = parse_header(rows.comments, rows.name) if header is None else header
    # This package states its version in the tables of pairs that it writes.
    bonded = bonded_sign(r, u, pair=pair or stated.version is not None) if r.size else None
    if bonded is not None and r[0] < 0.0:
        return RawTable(rows.name, r, u, f, u_error, stated, bonded=bonded)
    check_increasing(rows, r)
    grid = even_grid(r, fields)
    notes = () if f is None else force_notes(r if grid is None else grid, u, f, rows.where)
    if grid is not None:
        return RawTable(rows.name, grid, u, f, u_error, stated, r_core, notes, bonded)
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
        (f"Interpolated from the uneven grid of {rows.name} to {r.size} even points.", *notes),
        bonded,
    )


def array_table(name: str, r: Array, u: Array, f: Array, header: Header) -> RawTable:
    """Return the table of a file of arrays on a uniform grid, its force compared with its energies.

    Raises
    ------
    InputError
        If the force is not that of the energies (`force_notes`).
    """
    notes = force_notes(r, u, f, lambda row: f"{name}, value {row + 1}")
    return RawTable(name, r, u, f, header=header, notes=notes)


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
    """Build the potential of a file: its units resolved, cut at its cut-off, shifted to U(r_cut) = 0.

    Raises
    ------
    InputError
        If the table is that of a bond, an angle or a dihedral, looks like a g(r), or its units are not known.
    """
    if raw.bonded is not None:
        raise InputError(
            f"{raw.name} is the table of {'an' if raw.bonded.kind == 'angle' else 'a'} {raw.bonded.kind} "
            f"({raw.bonded.reason}), not of a pair potential; give the table of a pair"
        )
    if _looks_like_rdf(raw.u):
        raise InputError(
            f"{raw.name} looks like a g(r) (0 in a core, then around 1 up to its end), not like a potential; "
            "cg-init --rdf makes a potential of it"
        )
    system = units if units is not None else raw.header.units
    if system is None:
        raise InputError(
            f"{raw.name} does not state its units; give them (--units lj, nm-kJ/mol or angstrom-kcal/mol; "
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
        if np.count_nonzero(keep) < 3:
            raise InputError(
                f"{raw.name} states the cut-off {raw.header.r_cut:g}, and its rows begin at {r[0]:g}; correct the "
                "header"
            )
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


def _looks_like_rdf(u: Array) -> bool:
    """Whether the values are 0 in a core and end around 1, which those of a potential, largest there, never are."""
    core, tail = u[: max(3, u.size // 50)], u[-max(3, u.size // 4) :]
    return bool(not np.any(core) and np.all(u >= 0.0) and abs(float(np.mean(tail)) - 1.0) < 0.1)
