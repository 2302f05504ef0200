r"""Derivatives of potentials as sums of cubic B-splines, one set for each interaction.

.. math:: U'(x) = \sum_k c_k B(x / \Delta - k)

The knots are grid points of the target, so that U there is an exact sum of the coefficients. The derivative and its
first two are continuous: they end at 0 at the cut-off of a pair, follow the turn of a dihedral, and are odd at a
straight or a folded angle, where no smooth potential has a force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cginit.bonded import Distribution
from cginit.bonded_grids import grid_step, period
from cginit.curves import Array
from cginit.guess.assembly import VisibleTarget
from cginit.interactions import Interaction

__all__ = ["Basis", "bonded_basis", "pair_basis"]

#: Knots below the first visible point of a pair, so that nearer beads of other exclusions find a function, too.
BELOW = 3
#: The reference potentials whose bends set how fast a potential may turn are clipped there, in kT.
HIGHEST = 15.0
#: Neighbours over which bends are averaged.
NEIGHBOURS = 5
#: Part of a step within which a knot is at 0 or pi.
ON_GRID = 1e-3


@dataclass(frozen=True, eq=False)
class Basis:
    """The splines of one interaction.

    Attributes
    ----------
    name : Interaction
        What they describe.
    origin, step : float
        The first knot, and the distance of two.
    intervals : int
        Intervals between knots; samples beyond the ends have no force.
    columns : ndarray, shape (intervals + 3,)
        Column of the spline that is centred on each knot, from the one before the first to the one after the last;
        negative where there is none.
    signs : ndarray, shape (intervals + 3,)
        1, or -1 of the mirror image of a column.
    scale : ndarray, shape (intervals + 3,)
        How strongly the derivative may bend at each of these knots, in kT per length or radian.
    """

    name: Interaction
    origin: float
    step: float
    intervals: int
    columns: NDArray[np.int64]
    signs: NDArray[np.int8]
    scale: Array

    @property
    def size(self) -> int:
        """Number of columns."""
        return int(self.columns.max()) + 1

    @property
    def end(self) -> float:
        """The last knot."""
        return self.origin + self.step * self.intervals

    def expanded(self) -> Array:
        """Return the matrix ``(intervals + 3, size)`` that makes the coefficient of each knot from the columns."""
        matrix = np.zeros((self.columns.size, self.size))
        known = np.flatnonzero(self.columns >= 0)
        matrix[known, self.columns[known]] = self.signs[known]
        return matrix

    def energies(self) -> Array:
        """Return the matrix ``(intervals + 1, size)`` that makes U at each knot, 0 at the last, from the columns.

        Around a period the derivative can have no mean; that of the noise is left out.
        """
        c = self.expanded()
        if period(self.name.coordinate):
            c -= 1.0 / self.size
        areas = self.step * (c[:-3] + 11.0 * c[1:-2] + 11.0 * c[2:-1] + c[3:]) / 24.0
        return np.concatenate([-np.cumsum(areas[::-1], axis=0)[::-1], np.zeros((1, self.size))])

    def bends(self) -> Array:
        """Return the matrix ``(intervals + 1, size)`` of second differences of the coefficients, in their scales."""
        c = self.expanded()
        return np.asarray((c[:-2] - 2.0 * c[1:-1] + c[2:]) / self.scale[1:-1, None], dtype=np.float64)


def _scale(u: Array, step: float, mode: Literal["edge", "wrap"] = "edge") -> Array:
    """Return the local size ``(n,)`` of the second differences of the derivative of a potential in kT ``(n,)``."""
    clipped = np.minimum(u - u.min(), HIGHEST)
    slope = np.gradient(np.pad(clipped, 1, mode=mode), step)[1:-1]
    bend = np.diff(np.pad(slope, 1, mode=mode), 2)
    around = np.pad(bend**2, NEIGHBOURS // 2, mode=mode)
    local = np.convolve(around, np.ones(NEIGHBOURS) / NEIGHBOURS, "valid")
    return np.asarray(np.sqrt(local + np.median(local) + 1e-12), dtype=np.float64)


def pair_basis(name: Interaction, visible: VisibleTarget, r_cut: float) -> Basis:
    """Return the splines of a pair up to its cut-off, where they end with the force and two of its derivatives 0."""
    target = visible.target
    last = int(np.searchsorted(target.r, r_cut - 0.5 * target.dr))
    first = max(visible.first - BELOW, 0)
    n = last - first + 1
    columns = np.full(n + 2, -1, dtype=np.int64)
    columns[: n - 1] = np.arange(n - 1)
    g = np.maximum(target.g[first : last + 1], np.exp(-HIGHEST))
    g[: visible.first - first] = g[visible.first - first]
    scale = np.pad(_scale(-np.log(g), target.dr), 1, mode="edge")
    signs = np.ones(n + 2, dtype=np.int8)
    return Basis(name, float(target.r[first]), target.dr, n - 1, columns, signs, scale)


def bonded_basis(name: Interaction, target: Distribution, ideal: Array) -> Basis:
    """Return the splines of a bond, an angle or a dihedral over the range where it was seen."""
    x, step = target.x, grid_step(target.x, target.coordinate)
    known = np.flatnonzero(target.p > 0.0)
    u = np.zeros(x.size)
    u[known] = -np.log(target.p[known] / np.maximum(ideal[known], 1e-300))
    if turn := period(target.coordinate):
        around = np.mod(np.arange(-1, x.size + 2), x.size)
        u = np.interp(x, x[known], u[known], period=turn)
        signs = np.ones(around.size, dtype=np.int8)
        return Basis(name, float(x[0]), step, x.size, around, signs, _scale(u, step, "wrap")[around])
    # The knots reach beyond all samples; there the potential has no bend of its own.
    first, last = int(known[0]) - 1, int(known[-1]) + 1
    if target.coordinate == "angle":
        first, last = max(first, 0), min(last, x.size - 1)
    places = np.arange(first, last + 1)
    scale = np.pad(_scale(np.interp(places, known, u[known]), step), 1, mode="edge")
    origin = float(x[0]) + first * step
    columns, signs = np.arange(places.size + 2), np.ones(places.size + 2, dtype=np.int8)
    if target.coordinate == "angle":
        if abs(origin) < ON_GRID * step:
            columns[:2], signs[0] = (columns[2], -1), -1
        if abs(origin + step * (places.size - 1) - np.pi) < ON_GRID * step:
            columns[-2:], signs[-1] = (-1, columns[-3]), -1
    used = np.unique(columns[columns >= 0])
    columns = np.where(columns < 0, -1, np.searchsorted(used, columns))
    return Basis(name, origin, step, places.size - 1, columns, signs, scale)
