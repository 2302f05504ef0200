"""A table of another program as the start of a refinement: on the grid and in the units of the target."""

from __future__ import annotations

import os

import numpy as np

from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.extrapolate import check_start, resampled
from cginit.io.formats import table_format
from cginit.io.rows import read_bytes
from cginit.io.table import potential_of

__all__ = ["read_start"]

#: Part of a step by which a cut-off may miss the grid of the target.
ON_GRID = 1e-3


def read_start(
    path: str | os.PathLike[str], target: RDF, kT: float, r_cut: float | None = None
) -> PairPotential:
    """Read a table and put it on the grid of the target.

    Parameters
    ----------
    path : path-like
        The table. What it states of its units counts and is converted to those of the target (a LAMMPS table of a
        target in nm is in angstrom); a table that states none is read in those of the target.
    target : RDF
        The g(r) to refine to.
    kT : float
        Thermal energy in the units of the target, for a core that must be extended.
    r_cut : float, optional
        Cut-off of the start in the units of the target; by default that of the table. A shorter one cuts the table
        and shifts it to U(r_cut) = 0, beyond the end of the table U = 0.

    Returns
    -------
    PairPotential
        In the units of the target, on its grid up to the cut-off.

    Raises
    ------
    InputError
        If the table cannot be read, its units are of another kind than those of the target, the cut-off is not on the
        grid of the target, or the potential ends inside the core of the target.
    """
    name = os.fspath(path)
    raw = table_format(path).read(read_bytes(path), name, None)
    found = potential_of(raw, raw.header.units or target.units)
    try:
        table = found.to(target.units)
    except InputError as error:
        raise InputError(
            f"{name} states units {found.units.name}, the target has {target.units.name}: {error}"
        ) from error
    end, dr = table.r_cut if r_cut is None else r_cut, target.dr
    # The rows of many programs are middles of bins, half a step off the multiples of the step.
    first = float(target.with_core().r[0])
    steps = round((end - first) / dr)
    if steps < 1 or abs(first + steps * dr - end) > ON_GRID * dr:
        remedy = "give one with --cutoff" if r_cut is None else "choose another"
        where = f"a multiple of the target's step {dr:g}"
        if first > ON_GRID * dr:
            where = f"one of the target's rows, r = {first:g} + n {dr:g}"
        raise InputError(
            f"the cut-off {end:g} {target.units.length} {f'of {name} ' if r_cut is None else ''}is not {where}; "
            f"{remedy}, as {first + steps * dr:.7g}"
        )
    start = on_grid(table, np.linspace(first, first + steps * dr, steps + 1), kT)
    check_start(start, target)
    return start


def on_grid(
    table: PairPotential, grid: np.ndarray[tuple[int], np.dtype[np.float64]], kT: float
) -> PairPotential:
    """Return the potential on a grid that may also end before its cut-off, then shifted to U = 0 at the end."""
    if grid[-1] >= table.r_cut - ON_GRID * float(grid[1] - grid[0]):
        return resampled(table, grid, kT)
    first, step = float(grid[0]), float(grid[1] - grid[0])
    count = int(np.ceil((table.r_cut - first) / step - ON_GRID)) + 1
    whole = resampled(table, first + step * np.arange(count), kT)
    u, error = whole.u[: grid.size], whole.u_error
    return PairPotential(
        grid,
        u - u[-1],
        u_error=None if error is None else error[: grid.size],
        notes=(*whole.notes, f"Cut at {grid[-1]:g} {table.units.length}, where U was {u[-1]:.4g}."),
        r_core=whole.r_core,
        provenance=whole.provenance,
        units=table.units,
    )
