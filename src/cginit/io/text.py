"""Plain columns ``r U F``, CSV with a row of names, and MSIBI's CSV."""

from __future__ import annotations

import numpy as np

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.io.grid import runnable, runnable_grid
from cginit.io.header import header_lines, potential_header
from cginit.io.rows import column_text, csv_text, grid_text, rows_of, text_of
from cginit.io.table import RawTable, WriteOptions, raw_table

__all__ = ["read_columns", "read_msibi", "write_csv", "write_msibi", "write_text"]

_NAMES = {
    "r": ("r", "x", "distance"),
    "u": ("u", "v", "potential", "energy"),
    "f": ("f", "force"),
    "u_error": ("u_error", "error"),
}
#: MSIBI rounds the spacing of a table to this many decimals.
MSIBI_DECIMALS = 3


def read_columns(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read columns ``r U [F [error]]``, in this order or as a row of names says."""
    rows = rows_of(text_of(data, name), name)
    width = rows.width()
    index = {"r": 0, "u": 1, "f": 2, "u_error": 3}
    if rows.names:
        index = {
            key: rows.names.index(match)
            for key, known in _NAMES.items()
            if (match := next((label for label in known if label in rows.names), None)) is not None
        }
        if "r" not in index or "u" not in index:
            curve = "; a g(r) is converted with --is-rdf" if "g" in {one[:1] for one in rows.names} else ""
            raise InputError(
                f"{name} names its columns {', '.join(rows.names)}; r and u must be among them{curve}"
            )
    elif not 2 <= width <= 4:
        raise InputError(f"{rows.where(0)} has {width} columns; a table has 2 to 4: r U [F [error]]")
    if not rows.names and width > 2 and set(rows.column(width - 1)) <= {"i", "o", "u"}:
        raise InputError(
            f"the last column of {name} holds VOTCA's flags, as a g(r) has: cg-init guess --rdf makes a potential "
            "of it, cg-init convert --is-rdf another form. If this is a potential, let its name end with .pot"
        )
    quantities = {key: rows.numbers(column, key) for key, column in index.items() if column < width}
    if "u" not in quantities:
        raise InputError(
            f"{rows.where(0)} has {width} columns where {len(rows.names)} are named; complete the row"
        )
    r_fields = rows.column(index["r"])
    return raw_table(
        rows, r_fields, quantities["r"], quantities["u"], quantities.get("f"), quantities.get("u_error")
    )


def write_text(potential: PairPotential, options: WriteOptions) -> str:
    """Print ``r U F [error]`` on the potential's own grid."""
    error = [] if potential.u_error is None else [potential.u_error]
    head = header_lines(potential_header(potential)) + f"# r U F{' error' if error else ''}\n"
    return head + column_text(grid_text(potential.r), potential.u, potential.f, *error)


def write_csv(potential: PairPotential, options: WriteOptions) -> str:
    """Print ``r,u,f[,u_error]`` on the potential's own grid, the header as comments above the names."""
    columns = [potential.u, potential.f]
    if potential.u_error is not None:
        columns.append(potential.u_error)
    names = ("r", "u", "f", "u_error")[: 1 + len(columns)]
    return header_lines(potential_header(potential)) + csv_text(names, grid_text(potential.r), *columns)


def read_msibi(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read ``x,potential``: HOOMD's grid, which leaves out the cut-off; U = 0 one step beyond the last row."""
    rows = rows_of(text_of(data, name), name)
    if not {"x", "potential"} <= set(rows.names):
        raise InputError(f"{name} has no columns x and potential; MSIBI reads no other")
    x, potential = rows.names.index("x"), rows.names.index("potential")
    rows.width()
    raw = raw_table(rows, rows.column(x), rows.numbers(x, "x"), rows.numbers(potential, "potential"))
    step = (raw.r[-1] - raw.r[0]) / (raw.r.size - 1)
    # The cut-off is a round number where the step is: x itself is printed so.
    r_cut = float(np.round(raw.r[-1] + step, 12))
    return RawTable(
        name, np.linspace(raw.r[0], r_cut, raw.r.size + 1), np.append(raw.u, 0.0), header=raw.header
    )


def write_msibi(potential: PairPotential, options: WriteOptions) -> str:
    """Print ``x,potential`` for MSIBI's ``Pair.set_from_file``, with nothing else, which its reader could not skip.

    MSIBI hands the column to HOOMD-blue, whose grid leaves out the cut-off; so does this file, and the
    potential is exact if ``Pair(r_cut=...)`` is the cut-off. MSIBI also takes the number of rows for the bins of its
    RDF and rounds their spacing to three decimals, so that the step is the smallest multiple of 0.001, at least
    the potential's own step, that divides the cut-off.

    Raises
    ------
    InputError
        If no step up to four times the potential's own one does so.
    """
    unit = 10.0**-MSIBI_DECIMALS
    least = max(1, int(np.ceil(potential.dr / unit - 1e-6)))
    for multiple in range(least, 4 * least + 1):
        steps = potential.r_cut / (multiple * unit)
        if abs(steps - round(steps)) < 1e-6 * steps and round(steps) >= 3:
            grid = runnable_grid(potential, 1, steps=round(steps))
            break
    else:
        raise InputError(
            f"MSIBI rounds the spacing of a table to {unit:g}, and no such spacing near {potential.dr:g} divides the "
            f"cut-off {potential.r_cut:g}; choose a cut-off that is a multiple of a round spacing"
        )
    fine = runnable(potential, grid, options.kT)
    # Distances are multiples of 0.001 by construction, not sums of rounding errors.
    x = np.round(fine.r[:-1], MSIBI_DECIMALS)
    return csv_text(("x", "potential"), x, fine.u[:-1])
