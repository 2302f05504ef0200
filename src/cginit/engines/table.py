"""The potential on the fine grid that engines interpolate linearly."""

from __future__ import annotations

import numpy as np

from cginit.coordinates.table import bonded_table
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
