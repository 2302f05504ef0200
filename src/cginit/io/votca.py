"""VOTCA's potentials (``.pot``: r U [error] flag) and generic tables (``.tab``: r U F, no header)."""

from __future__ import annotations

import numpy as np

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.io.grid import runnable, runnable_grid
from cginit.io.header import header_lines, potential_header
from cginit.io.rows import Rows, column_text, grid_text, is_number, rows_of, text_of
from cginit.io.table import RawTable, WriteOptions, raw_table

__all__ = ["read_pot", "read_tab", "write_pot", "write_tab"]

#: Steps of a .tab up to the cut-off, for programs that interpolate linearly in r.
INTERVALS = 2000


def read_pot(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read ``r U [error] [flag]``; rows flagged u are dropped, o before the first i marks the extrapolated core."""
    rows = rows_of(text_of(data, name), name)
    width = rows.width()
    if not 2 <= width <= 4:
        raise InputError(
            f"{rows.where(0)} has {width} columns; a VOTCA potential has 2 to 4: r U [error] [flag]"
        )
    flagged = width == 4 or (width == 3 and not all(is_number(field) for field in rows.column(2)))
    first = 0
    if flagged:
        flags = rows.column(width - 1)
        wrong = [row for row, flag in enumerate(flags) if flag not in ("i", "o", "u")]
        if wrong:
            raise InputError(
                f"{rows.where(wrong[0])}: the flag is {flags[wrong[0]]!r}, not i, o or u; correct it"
            )
        known = [row for row, flag in enumerate(flags) if flag != "u"]
        first = next((k for k, row in enumerate(known) if flags[row] == "i"), 0)
        rows = rows.keep(known)
    r, u = rows.numbers(0, "r"), rows.numbers(1, "U")
    error = rows.numbers(2, "the error of U") if width - flagged == 3 else None
    if error is not None and np.any(error < 0.0):
        row = int(np.argmax(error < 0.0))
        raise InputError(
            f"{rows.where(row)}: the third column of a VOTCA potential is the error of U, but is {error[row]:g}; a "
            "table r U F is named .tab (format=, --format tab)"
        )
    return raw_table(rows, rows.column(0), r, u, None, error, r_core=float(r[first]) if first else 0.0)


def write_pot(potential: PairPotential, options: WriteOptions) -> str:
    """Print a potential on its own grid; flag o below `r_core`, so that VOTCA extrapolates there, i above."""
    inner = potential.r < potential.r_core - 1e-6 * potential.dr
    flags = np.where(inner, "o", "i").tolist()
    error = [] if potential.u_error is None else [potential.u_error]
    columns = column_text(grid_text(potential.r), potential.u, *error, flags)
    return header_lines(potential_header(potential)) + columns


def read_tab(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read ``r U F``, or ``r F U`` under VOTCA's first line for ESPResSo, ``#N min max``."""
    rows = rows_of(text_of(data, name), name)
    if rows.width() != 3:
        raise InputError(f"{rows.where(0)} has {rows.width()} columns; a .tab table has 3: r U F")
    energy, force = (2, 1) if _is_for_espresso(rows) else (1, 2)
    r, u, f = rows.numbers(0, "r"), rows.numbers(energy, "U"), rows.numbers(force, "F")
    return raw_table(rows, rows.column(0), r, u, f)


def _is_for_espresso(rows: Rows) -> bool:
    """Whether the first line is the one that ``table_to_tab.pl --header espresso`` writes; no other format has it."""
    if not rows.comments or rows.lines[0] != 2:
        return False
    fields = rows.comments[0].lstrip("#").split()
    if len(fields) != 3 or not fields[0].isdigit() or not all(is_number(field) for field in fields):
        return False
    first, last = float(rows.tokens[0][0]), float(rows.tokens[-1][0])
    # Printed by %f.
    near = max(abs(float(fields[1]) - first), abs(float(fields[2]) - last)) < 1e-5 + 1e-5 * abs(last)
    return int(fields[0]) == len(rows) and near


def write_tab(potential: PairPotential, options: WriteOptions) -> str:
    """Print ``r U F`` from the first step to the cut-off, without a header, as VOTCA does."""
    fine = runnable(potential, runnable_grid(potential, INTERVALS, origin=False), options.kT)
    return column_text(grid_text(fine.r), fine.u, fine.f)
