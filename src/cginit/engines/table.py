"""The potential on the fine grid that engines interpolate linearly."""

from __future__ import annotations

import numpy as np

from cginit.bonded import BondedPotential
from cginit.curves import Array, PairPotential, force
from cginit.extrapolate import resampled

__all__ = ["TABLE_POINTS", "bonded_table", "engine_table", "widened"]

#: Intervals of an engine's table. Linear interpolation of the force is then good to h^2 F''/8, some 1e-3 kT/a for a
#: r^-12 core at contact and a cut-off of 5 a.
TABLE_POINTS = 2500
#: Radius, in a, inside which the force goes linearly to 0 at r = 0. Engines interpolate F/r, which diverges
#: for a bounded potential with a cusp; the volume concerned is 1e-3 of a bead's.
CENTRE = 0.1
#: Curvature of the walls beyond a bond's table while overlaps are pushed apart, in kT/a^2.
BENT = 5.0


def engine_table(
    reduced: PairPotential, r_min: float = 0.0, points: int = TABLE_POINTS
) -> tuple[Array, Array, Array]:
    """Return ``r, U, F``, each ``(points + 1,)``, of a potential in kT on linspace(r_min, r_cut, points + 1).

    The core reaches in by `cginit.extrapolate.extend_core`; within 0.1 of the centre the energy is the parabola
    that joins it smoothly, so that F(0) = 0 as for any potential that is smooth in space.
    """
    grid = np.linspace(0.0, reduced.r_cut, points + 1)
    fine = resampled(reduced, grid, kT=1.0)
    if r_min > 0.0:
        fine = resampled(fine, np.linspace(r_min, reduced.r_cut, points + 1), kT=1.0)
    r, u = np.array(fine.r), np.array(fine.u)
    edge = int(np.searchsorted(r, min(CENTRE, 0.1 * reduced.r_cut)))
    slope = fine.f[edge] / r[edge]
    u[:edge] = u[edge] + 0.5 * slope * (r[edge] ** 2 - r[:edge] ** 2)
    f = force(r, u)
    # Exact, where the one-sided difference at the end of the grid is not.
    f[0] = slope * r[0]
    return r, u, f


def bonded_table(reduced: BondedPotential, points: int = TABLE_POINTS) -> tuple[Array, Array, Array]:
    r"""Return ``x, U, F``, each ``(points + 1,)``, of a bonded potential in kT, both ends of its range included.

    A cubic spline through the points of the potential. A bond keeps the range that its potential has. An angle goes
    from 0 to pi; beyond the ends of its potential, U goes on as a straight line, and where these are as near as a
    step to 0 or pi it is even there, so that a straight angle feels no force. A dihedral is periodic, from -pi to pi.
    """
    from scipy.interpolate import CubicSpline

    if reduced.coordinate == "dihedral":
        x, u, _ = reduced.periodic()
        grid = np.linspace(-np.pi, np.pi, points + 1)
        spline = CubicSpline(x, u, bc_type="periodic")
        values = np.asarray(spline(x[0] + np.mod(grid - x[0], 2.0 * np.pi)), dtype=np.float64)
        values[-1] = values[0]
        step = 2.0 * np.pi / points
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


def widened(table: tuple[Array, Array, Array], longest: float) -> tuple[Array, Array, Array]:
    """Return the table of a bond from 0 to `longest`, with walls beyond its ends.

    While overlaps are pushed apart a bond may be anywhere.
    """
    x, u, f = table
    end = max(longest, float(x[-1]))
    grid = np.linspace(0.0, end, x.size)
    inside = np.interp(grid, x, u)
    # Outwards the walls hold the bond, whatever the last points say. They are bent a little, since a straight line is
    # no line any more to the last digit, in which LAMMPS checks the force.
    values = inside.copy()
    for beyond, slope in ((x[0] - grid, f[0]), (grid - x[-1], -f[-1])):
        s = np.maximum(beyond, 0.0)
        values += s * max(slope, 1.0) + BENT * s**2
    return grid, values, force(grid, values)
