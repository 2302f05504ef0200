"""Uniform grids of validated numbers, and what is computed on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.errors import InputError

__all__ = ["GRID_TOLERANCE", "Array", "force", "frozen", "gauss_legendre", "median", "uniform_grid"]

Array = NDArray[np.float64]

#: Printed tables round r; a grid counts as uniform while its steps differ by less than this part of a step.
GRID_TOLERANCE = 1e-3


def frozen(values: ArrayLike, name: str) -> Array:
    """Return finite numbers ``(n,)`` as a read-only array; InputError, which says where, if one is not."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers: {error}") from None
    if array.ndim != 1:
        raise InputError(f"{name} must be one-dimensional, not of shape {array.shape}")
    if not np.all(np.isfinite(array)):
        bad = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(f"{name}[{bad}] is {array[bad]}; every value must be finite")
    array.flags.writeable = False
    return array


def uniform_grid(r: ArrayLike, name: str = "r") -> Array:
    """Validate distances ``(n,)`` and return them as an exactly uniform, read-only grid.

    The end points are kept; inner points may deviate by the rounding of a printed file.

    Raises
    ------
    InputError
        If there are fewer than three points, a negative or decreasing r, or uneven steps.
    """
    grid = frozen(r, name)
    if grid.size < 3:
        raise InputError(f"{name} needs at least 3 points, got {grid.size}")
    if grid[0] < 0.0:
        raise InputError(f"{name}[0] = {grid[0]:g} is negative")
    dr = float(grid[-1] - grid[0]) / (grid.size - 1)
    even = np.linspace(grid[0], grid[-1], grid.size)
    deviation = np.abs(grid - even)
    if not (dr > 0.0 and deviation.max() <= max(GRID_TOLERANCE * dr, 1e-12)):
        steps = np.diff(grid)
        if np.any(steps <= 0.0):
            bad = int(np.flatnonzero(steps <= 0.0)[0]) + 1
            raise InputError(
                f"{name}[{bad}] = {grid[bad]:g} does not increase on {grid[bad - 1]:g}; sort the rows"
            )
        worst = int(np.argmax(deviation))
        raise InputError(
            f"{name} is not uniform: {name}[{worst}] = {grid[worst]:g} where a step of {dr:g} gives "
            f"{even[worst]:g}; resample the curve to a uniform grid (cginit.read_rdf does)"
        )
    # A first point that is a rounding error away from 0 is 0, and a step off a round one likewise.
    even.flags.writeable = False
    return even


def median(values: Array) -> float:
    """Return the median of values ``(n,)``; NaN if one of them is.

    `numpy.median` loads numpy.ma at its first use, which takes as long as a small network.

    Examples
    --------
    >>> median(np.array([4.0, 1.0, 2.0, 9.0]))
    3.0
    """
    ordered = np.sort(values)
    middle = 0.5 * float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2])
    return float("nan") if np.isnan(ordered[-1]) else middle


def gauss_legendre(n: int) -> tuple[Array, Array]:
    """Return nodes and weights ``(n,)`` that integrate polynomials of degree 2n - 1 over [0, 1], nodes rising.

    They are eigenvalues and first components of eigenvectors of the Jacobi matrix of the Legendre polynomials. To
    import numpy.polynomial takes longer than to solve an integral equation.

    References
    ----------
    G. H. Golub and J. H. Welsch, Math. Comput. 23, 221 (1969), doi:10.1090/S0025-5718-69-99647-1.

    Examples
    --------
    >>> x, weight = gauss_legendre(3)
    >>> round(float(weight @ x**5), 12), round(float(weight.sum()), 12)
    (0.166666666667, 1.0)
    """
    k = np.arange(1.0, n)
    beside = k / np.sqrt(4.0 * k**2 - 1.0)
    nodes, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    return 0.5 * (1.0 + nodes), vectors[0] ** 2


def force(r: Array, u: Array) -> Array:
    """Return F = -dU/dr ``(n,)`` by central differences of the grid (second order, one-sided at the ends).

    This force lies between the two neighbouring secants, which is what LAMMPS checks in a table.
    """
    return np.asarray(-np.gradient(u, r), dtype=np.float64)
