"""From the distances of a file to a uniform grid, and from a potential to the grid of a program that runs it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cginit.curves import GRID_TOLERANCE, Array, PairPotential, force, median
from cginit.errors import InputError
from cginit.extrapolate import reaches_origin, resampled
from cginit.io.rows import Rows

__all__ = ["check_increasing", "even_grid", "runnable", "runnable_grid", "step_spread"]


def check_increasing(rows: Rows, r: Array) -> None:
    """Refuse distances that are negative, repeated or decreasing, with the line at fault."""
    if r.size < 3:
        raise InputError(f"{rows.name} holds {r.size} usable rows; a curve needs at least 3")
    if r[0] < 0.0:
        raise InputError(f"{rows.where(0)}: r = {r[0]:g} is negative; remove the row")
    falls = np.flatnonzero(np.diff(r) <= 0.0)
    if falls.size:
        row = int(falls[0]) + 1
        kind = "repeats" if r[row] == r[row - 1] else "is smaller than"
        remedy = (
            "remove one of the two rows" if r[row] == r[row - 1] else "sort the rows by r, one curve a file"
        )
        raise InputError(
            f"{rows.where(row)}: r = {r[row]:g} {kind} r = {r[row - 1]:g} of line {rows.lines[row - 1]}; {remedy}"
        )


def even_grid(r: Array, fields: tuple[str, ...]) -> Array | None:
    """Return the uniform grid ``(n,)`` that was printed as `r`, or None if the distances are uneven.

    Distances that are within half a unit of the last printed digit of a uniform grid are that grid, rounded.
    """
    n = r.size
    dr = float(r[-1] - r[0]) / (n - 1)
    ends = np.linspace(r[0], r[-1], n)
    if np.max(np.abs(r - ends)) <= GRID_TOLERANCE * dr:
        return ends
    digit = _last_digit(fields)
    if digit > 0.5 * dr:
        return None
    step, start = np.polyfit(np.arange(n), r, 1)
    fit = start + step * np.arange(n)
    # The fit itself is off by a fraction of the rounding, hence 0.6 and not 0.5.
    if np.max(np.abs(r - fit)) > 0.6 * digit:
        return None
    first = 0.0 if abs(start) <= 0.6 * digit else float(start)
    return np.linspace(first, float(fit[-1]), n)


def _last_digit(fields: tuple[str, ...]) -> float:
    """Size of the last decimal that the column prints (trailing zeros may be missing in some rows)."""
    # Most grids are even as they are printed.
    from decimal import Decimal, InvalidOperation

    try:
        exponents = [Decimal(field).as_tuple().exponent for field in fields]
    except InvalidOperation:
        return 0.0
    return float(10.0 ** min(exponent for exponent in exponents if isinstance(exponent, int)))


def step_spread(r: Array) -> tuple[float, int]:
    """Return how far the worst step differs from the median step, relatively, and the row it leads to."""
    steps = np.diff(r)
    spread = np.abs(steps / median(steps) - 1.0)
    worst = int(np.argmax(spread))
    return float(spread[worst]), worst + 1


def runnable_grid(
    potential: PairPotential,
    intervals: int,
    *,
    origin: bool = True,
    beyond: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Return the grid of a table that a program can run: from 0 (or one step above it) to the cut-off.

    The potential's own step is divided by the smallest integer that gives at least `intervals` steps up to
    the cut-off and puts the cut-off, and with it every point of the potential, on the grid. A
    potential whose cut-off is a multiple of no such step gets ``r_cut / n`` instead.

    Parameters
    ----------
    potential : PairPotential
    intervals : int
        Least number of steps up to the cut-off.
    origin : bool
        Whether the grid starts at 0; otherwise it starts at its first step.
    beyond : float
        How far the grid goes beyond the cut-off.
    steps : int, optional
        The number of steps up to the cut-off, instead of the rule.
    """
    n = _steps(potential.r_cut / potential.dr, intervals) if steps is None else steps
    step = potential.r_cut / n
    # 1e-9: an extension of an integer number of steps is not one step longer for a rounding error.
    total = n + int(np.ceil(beyond / step - 1e-9))
    grid: Array = np.arange(total + 1, dtype=np.float64) * step
    grid[n] = potential.r_cut
    return np.asarray(grid if origin else grid[1:], dtype=np.float64)


def _steps(own: float, intervals: int) -> int:
    refinement = max(1, int(np.ceil(intervals / own - 1e-9)))
    for factor in range(refinement, 2 * refinement + 2):
        n = round(own * factor)
        if abs(own * factor - n) < 1e-6 * factor:
            return n
    return int(np.ceil(own * refinement))


def runnable(potential: PairPotential, grid: Array, kT: float | None) -> PairPotential:
    """Return the potential on `grid`, its core extended repulsively to the grid's first point.

    The rules are those of `cginit.extrapolate.resampled`; points of the potential that lie on the grid keep their
    exact energy.

    Raises
    ------
    InputError
        If a core is missing and kT is not known.
    """
    near = reaches_origin(potential)
    step = float(grid[1] - grid[0])
    if kT is None and not near and grid[0] < potential.r[0] - 1e-6 * step:
        length = potential.units.length
        raise InputError(
            f"the potential starts at r = {potential.r[0]:g} {length}; to extend its core towards r = 0, "
            f"give kT (--kT, in {potential.units.energy})"
        )
    fine = resampled(potential, grid, kT or 0.0)
    u = np.array(fine.u)
    nodes = (potential.r - grid[0]) / step
    index = np.rint(nodes).astype(np.intp)
    on_grid = (np.abs(nodes - index) < 1e-6) & (index >= 0) & (index < grid.size)
    u[index[on_grid]] = potential.u[on_grid]
    r_core = potential.r_core if near else max(potential.r_core, float(potential.r[0]))
    return replace(fine, u=u, f=force(fine.r, u), r_core=r_core)
