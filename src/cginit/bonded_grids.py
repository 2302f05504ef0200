"""Grids of bonds, angles and dihedrals: their checks, their bins, and differences on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cginit.errors import InputError
from cginit.grids import GRID_TOLERANCE, Array, uniform_grid

__all__ = ["PI", "bin_edges", "bin_widths", "bonded_force", "bonded_grid", "grid_step", "period"]

#: Angles reach from 0 to this; dihedrals cover two of them.
PI = float(np.pi)


def period(coordinate: str) -> float | None:
    """Return after how much a coordinate is the same again: a turn of a dihedral; None for one that has ends."""
    return 2.0 * PI if coordinate == "dihedral" else None


def bonded_grid(x: ArrayLike, coordinate: str) -> Array:
    """Validate the points ``(n,)`` of a bonded curve and return them as an exactly uniform, read-only grid.

    Raises
    ------
    InputError
        If they are not uniform, outside what the coordinate can be, or a dihedral does not cover one turn without its
        end; degrees are recognised and named.
    """
    if coordinate == "bond":
        return uniform_grid(x, "b")
    values = np.asarray(x, dtype=np.float64)
    if values.size and np.max(np.abs(values)) > 2.0 * PI + 0.1:
        raise InputError(
            f"the {coordinate} reaches {values[int(np.argmax(np.abs(values)))]:g}; it must be in radians, and this "
            'looks like degrees (angles = "degrees")'
        )
    if coordinate == "angle":
        grid = uniform_grid(x, "angle")
        if grid[-1] > PI + GRID_TOLERANCE:
            raise InputError(f"an angle is at most pi, not {grid[-1]:g}")
        return grid
    if values.size < 3:
        raise InputError(f"a dihedral needs at least 3 points, got {values.size}")
    # The checks of a grid want distances, which are not negative.
    grid = uniform_grid(values - values[0], "dihedral") + values[0]
    step = float(grid[-1] - grid[0]) / (grid.size - 1)
    if abs(step * grid.size - 2.0 * PI) > 0.02 * step:
        raise InputError(
            f"a dihedral must cover one turn in equal steps without its end; {grid.size} points from {grid[0]:g} to "
            f"{grid[-1]:g} do not"
        )
    exact = values[0] + 2.0 * PI * np.arange(values.size) / values.size
    exact.flags.writeable = False
    return np.asarray(exact, dtype=np.float64)


def grid_step(x: Array, coordinate: str) -> float:
    """Return the step of a grid; of a periodic one its period divided by its points."""
    turn = period(coordinate)
    return turn / x.size if turn else float(x[-1] - x[0]) / (x.size - 1)


def bin_widths(x: Array, coordinate: str) -> Array:
    """Return the widths ``(n,)`` of bins centred on a grid, cut at 0 and, of angles, at pi."""
    lower, upper = bin_edges(x, coordinate)
    return np.asarray(upper - lower, dtype=np.float64)


def bin_edges(x: Array, coordinate: str) -> tuple[Array, Array]:
    """Return where the bin of each grid point begins and ends, each ``(n,)``."""
    half = 0.5 * grid_step(x, coordinate)
    lower, upper = x - half, x + half
    if not period(coordinate):
        lower = np.maximum(lower, 0.0)
    if coordinate == "angle":
        upper = np.minimum(upper, PI)
    return lower, upper


def bonded_force(x: Array, u: Array, coordinate: str) -> Array:
    """Return -dU/dx ``(n,)`` by central differences, over the end of a period."""
    if not period(coordinate):
        return np.asarray(-np.gradient(u, x), dtype=np.float64)
    step = grid_step(x, coordinate)
    return np.asarray((np.roll(u, 1) - np.roll(u, -1)) / (2.0 * step), dtype=np.float64)
