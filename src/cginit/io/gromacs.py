"""GROMACS tables: xvg with 7 columns ``r f -f' g -g' h -h'``; the potential is h, its coefficient 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.io.grid import runnable, runnable_grid
from cginit.io.header import header_lines, potential_header
from cginit.io.rows import column_text, grid_text, rows_of, text_of
from cginit.io.table import RawTable, WriteOptions, raw_table

__all__ = ["read_xvg", "write_xvg"]

#: GROMACS interpolates by cubic polynomials; its own tables have steps of 0.002 nm, five times this for 1 nm.
INTERVALS = 2000


def read_xvg(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read the repulsive columns; rows of zeros below the core and beyond the cut-off are dropped."""
    rows = rows_of(text_of(data, name), name)
    width = rows.width()
    if width == 3:
        raise InputError(
            f"{rows.where(0)} has 3 columns; a GROMACS table of a pair has 7, one of 3 is that of a bond, angle or "
            "dihedral (table_b0.xvg, table_a0.xvg, table_d0.xvg). Name the format if the file is another (format=, "
            "--format), or say that it is a g(r) (--is-rdf)"
        )
    if width != 7:
        raise InputError(
            f"{rows.where(0)} has {width} columns; a GROMACS table has 7. Name the format if the file is another "
            "(format=, --format), or say that it is a g(r) (--is-rdf)"
        )
    r, u, f = rows.numbers(0, "r"), rows.numbers(5, "U"), rows.numbers(6, "F")
    dispersion = rows.numbers(3, "column 4")
    if np.any(dispersion != 0.0):
        row = int(np.flatnonzero(dispersion)[0])
        raise InputError(
            f"{rows.where(row)}: the dispersion column is {dispersion[row]:g}; its coefficient C6 is not in the "
            "table, so add the columns up to one potential in columns 6 and 7"
        )
    filled = np.flatnonzero((u != 0.0) | (f != 0.0))
    if filled.size == 0:
        raise InputError(
            f"{name} is 0 everywhere in columns 6 and 7; give the table that holds the potential"
        )
    raw = raw_table(rows, rows.column(0), r, u, f, pair=True)
    # GROMACS' own tables are 0 below 0.04 nm, where a simulation must never come; as a potential that is a hole.
    start = int(filled[0]) if f[filled[0]] > 0.0 else 0
    end = r.size if raw.header.r_cut is not None else min(int(np.flatnonzero(u)[-1]) + 2, r.size)
    if raw.f is None:
        return raw
    return replace(raw, r=raw.r[start:end], u=raw.u[start:end], f=raw.f[start:end])


def write_xvg(potential: PairPotential, options: WriteOptions) -> str:
    """Print the potential from r = 0 to the cut-off, and zeros for the table extension beyond it."""
    grid = runnable_grid(potential, INTERVALS, beyond=options.extension)
    fine = runnable(potential, grid, options.kT)
    zeros = ["0"] * grid.size
    head = header_lines(potential_header(potential, r_cut=True))
    return head + column_text(grid_text(grid), zeros, zeros, zeros, zeros, fine.u, fine.f)
