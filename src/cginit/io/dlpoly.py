"""DL_POLY's TABLE file: energies and virials of every pair of atom types on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.errors import InputError
from cginit.io.grid import runnable
from cginit.io.header import MAX_TITLE, parse_header, potential_header, title_line
from cginit.io.rows import is_number, number, text_of
from cginit.io.table import PairName, RawTable, WriteOptions, array_table, pair_of, section_of
from cginit.names import check_bead_type

__all__ = ["dlpoly_table", "read_dlpoly", "write_dlpoly"]

#: DL_POLY interpolates by parabolas through three points.
INTERVALS = 2000
#: Points that its grid has beyond the cut-off.
BEYOND = 4


def read_dlpoly(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read the potential of one pair; `keyword` names it where there are several."""
    lines = text_of(data, name).splitlines()
    fields = lines[1].split() if len(lines) > 1 else []
    if len(fields) < 3 or not all(is_number(field) for field in fields[:3]):
        raise InputError(f"{name}, line 2 must hold step, cut-off and number of points of a DL_POLY table")
    step, r_cut, points = (number(field) for field in fields[:3])
    if not (step > 0.0 and 3 + BEYOND <= points < 1e9 and abs(r_cut / step - (points - BEYOND)) <= 1e-3):
        raise InputError(f"{name}: {points:g} points of step {step:g} do not fit the cut-off {r_cut:g}")
    n = int(points)
    header = parse_header(["# " + lines[0]], name)
    sections: dict[str, RawTable] = {}
    at = 2
    rows = -(-n // 4)
    r = np.linspace(step, r_cut, n - BEYOND)
    while at < len(lines):
        label = "-".join(lines[at].split()[:2])
        block = " ".join(lines[at + 1 : at + 1 + 2 * rows]).split()
        if len(block) < 2 * n or not all(is_number(value) for value in block[: 2 * n]):
            raise InputError(
                f"{name} ends within the table of {label}, or has a field that is no number in it"
            )
        values = np.array([number(value) for value in block[: 2 * n]])
        u, virial = values[: n - BEYOND], values[n : 2 * n - BEYOND]
        sections[label] = array_table(name, r, u, virial / r, header)
        at += 1 + 2 * rows
    return section_of(sections, name, keyword)


def write_dlpoly(potential: PairPotential, options: WriteOptions) -> str:
    """Print the table of one pair of bead types."""
    return dlpoly_table({pair_of(options.keyword): potential}, options.kT)


def dlpoly_table(potentials: Mapping[PairName, PairPotential], kT: float | None) -> str:
    """Print the tables of all pairs on the grid of the longest cut-off.

    The grid starts at its step and has four points beyond the cut-off; the second block of a pair is its
    virial ``-r dU/dr``. Energies are in the unit of the potentials, which FIELD must name.
    """
    r_cut = max(potential.r_cut for potential in potentials.values())
    step = r_cut / INTERVALS
    n = INTERVALS + BEYOND
    grid: Array = np.asarray(step * np.arange(1, n + 1), dtype=np.float64)
    grid[INTERVALS - 1] = r_cut
    first = next(iter(potentials.values()))
    parts = [f"{title_line(potential_header(first))[:MAX_TITLE]}\n{step:.15e} {r_cut:.15e} {n}\n"]
    for (a, b), potential in potentials.items():
        for name in (a, b):
            check_bead_type(name)
        if max(len(a), len(b)) > 8:
            raise InputError(
                f"{a}-{b}: DL_POLY's atom names have at most 8 characters; rename the bead types"
            )
        fine = runnable(potential, grid, kT)
        parts.append(f"{a:<8s} {b:<8s}\n" + _four(fine.u) + _four(fine.r * fine.f))
    return "".join(parts)


def _four(values: Array) -> str:
    """Print four numbers a line."""
    text: Sequence[str] = [f"{value: .10e}" for value in values.tolist()]
    return "".join(" ".join(text[at : at + 4]) + "\n" for at in range(0, len(text), 4))
