"""A bonded potential on the fine grid that programs interpolate."""

from __future__ import annotations

import numpy as np

from cginit.bonded import BondedPotential
from cginit.bonded_grids import period
from cginit.curves import Array, force

__all__ = ["bonded_table"]

#: Intervals of a table, as of those of pairs.
POINTS = 2500


def bonded_table(reduced: BondedPotential, points: int = POINTS) -> tuple[Array, Array, Array]:
    r"""Return ``x, U, F``, each ``(points + 1,)``, of a bonded potential in kT, both ends of its range included.

    A cubic spline through the points of the potential. A bond keeps the range that its potential has. An angle goes
    from 0 to pi; beyond the ends of its potential, U goes on as a straight line, and where these are as near as a
    step to 0 or pi it is even there, so that a straight angle feels no force. A dihedral is periodic, from -pi to pi.
    """
    from scipy.interpolate import CubicSpline

    if turn := period(reduced.coordinate):
        x, u, _ = reduced.periodic()
        grid = np.linspace(-0.5 * turn, 0.5 * turn, points + 1)
        spline = CubicSpline(x, u, bc_type="periodic")
        values = np.asarray(spline(x[0] + np.mod(grid - x[0], turn)), dtype=np.float64)
        values[-1] = values[0]
        step = turn / points
        inner = 0.5 * (np.roll(values[:-1], 1) - np.roll(values[:-1], -1)) / step
        return grid, values, np.append(inner, inner[0])
    if reduced.coordinate == "bond":
        grid = np.linspace(reduced.x[0], reduced.x[-1], points + 1)
        values = np.asarray(CubicSpline(reduced.x, reduced.u)(grid), dtype=np.float64)
        return grid, values, force(grid, values)
    grid = np.linspace(0.0, np.pi, points + 1)
    values = _even_angle(reduced, grid)
    f = force(grid, values)
    for end, reached in zip((0, -1), _reached(reduced), strict=True):
        f[end] = 0.0 if reached else f[end]
    return grid, values, f


def _reached(reduced: BondedPotential) -> tuple[bool, bool]:
    """Whether the potential of an angle reaches 0 and pi, within a step and a half."""
    near = 1.5 * reduced.dx
    return bool(reduced.x[0] < near), bool(reduced.x[-1] > np.pi - near)


def _even_angle(reduced: BondedPotential, grid: Array) -> Array:
    from scipy.interpolate import CubicSpline

    x, u = reduced.x, reduced.u
    for reached, centre in zip(_reached(reduced), (0.0, np.pi), strict=True):
        if reached:
            mirrored = 2.0 * centre - reduced.x[::-1]
            apart = np.abs(mirrored - centre) > 0.25 * reduced.dx
            order = np.argsort(np.concatenate([x, mirrored[apart]]))
            u = np.concatenate([u, reduced.u[::-1][apart]])[order]
            x = np.concatenate([x, mirrored[apart]])[order]
    spline = CubicSpline(x, u)
    values = np.asarray(spline(np.clip(grid, x[0], x[-1])), dtype=np.float64)
    slopes = spline(x[[0, -1]], 1)
    return np.asarray(
        values + np.minimum(grid - x[0], 0.0) * slopes[0] + np.maximum(grid - x[-1], 0.0) * slopes[1],
        dtype=np.float64,
    )
