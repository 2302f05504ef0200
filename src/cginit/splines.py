"""Cubic interpolation through given points, in NumPy alone.

The curves are those of `scipy.interpolate.CubicSpline` and `scipy.interpolate.PchipInterpolator`. To import
scipy.interpolate takes longer than a guess, which needs no more of it than these functions; whatever else needs
splines uses SciPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["cubic_spline", "even_spline_at_origin", "monotone_cubic"]

_Array = NDArray[np.float64]

#: Steps that differ by less than this part of one count as equal.
EQUAL = 1e-10
#: Factor between neighbouring elements of the inverse of the matrix of splines with equal steps, and how many count:
#: the next is below the rounding of the first.
DECAY, REACH = np.sqrt(3.0) - 2.0, 28
INVERSE = DECAY ** np.abs(np.arange(-REACH, REACH + 1)) / (2.0 * np.sqrt(3.0))


def cubic_spline(x: ArrayLike, y: ArrayLike, at: ArrayLike) -> _Array:
    """Return the values of the cubic spline through points; its third derivative is continuous next to the ends.

    Parameters
    ----------
    x : array_like, shape (n,)
        Increasing, n >= 2. Two points give a straight line, three a parabola.
    y : array_like, shape (n,) or (n, k)
        The values of one curve, or of k curves.
    at : array_like, shape (m,)
        Where the spline is asked for; beyond the ends its outermost cubics go on.

    Returns
    -------
    ndarray, shape (m,) or (m, k)

    References
    ----------
    C. de Boor, A Practical Guide to Splines, revised ed. (2001), chapter IV ("not-a-knot").

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.5, 3.0, 4.0])
    >>> [float(value) for value in cubic_spline(x, x**3, [0.5, 2.0, 5.0]).round(9)]  # a cubic is its own spline
    [0.125, 8.0, 125.0]
    """
    points, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    columns = values.reshape(points.size, -1)
    steps = np.diff(points)
    secants = np.diff(columns, axis=0) / steps[:, None]
    if points.size == 2:
        slopes = np.repeat(secants, 2, axis=0)
    elif points.size == 3:
        bend = (secants[1] - secants[0]) / (points[2] - points[0])
        slopes = np.stack(
            [secants[0] - bend * steps[0], secants[0] + bend * steps[0], secants[1] + bend * steps[1]]
        )
    elif points.size > REACH + 3 and np.ptp(steps) <= EQUAL * steps[0]:
        slopes = _slopes_of_equal_steps(secants)
    else:
        slopes = _spline_slopes(steps, secants)
    return _hermite(points, columns, slopes, np.asarray(at, dtype=np.float64)).reshape(-1, *values.shape[1:])


def even_spline_at_origin(values: ArrayLike) -> float:
    r"""Return the value at x = 0 of the cubic spline through y ``(n,)`` at x = 1, 2, ... n and its mirror image.

    Between -1 and 1 it is :math:`y_1 + \tfrac12 m_1 (x^2 - 1)` with the slope :math:`m_1` at 1. There its second
    derivative is :math:`m_1`, too. Further out

    .. math:: m_{i-1} + 4 m_i + m_{i+1} = 3 (y_{i+1} - y_{i-1}) = k_i, \qquad
              m_2 = q m_1 - \sum_{i>1} q^{i-1} k_i, \quad q = \sqrt3 - 2.

    Parameters
    ----------
    values : array_like, shape (n,)
        y, n >= 3; the first 30 count.

    Examples
    --------
    >>> round(even_spline_at_origin(np.cos(0.05 * np.arange(1, 40))), 6)
    1.0
    """
    near = np.asarray(values, dtype=np.float64)[: REACH + 2]
    beyond = -3.0 * float(DECAY ** np.arange(1, near.size - 1) @ (near[2:] - near[:-2]))
    slope = (6.0 * (near[1] - near[0]) - 2.0 * beyond) / (5.0 + 2.0 * DECAY)
    return float(near[0] - 0.5 * slope)


def monotone_cubic(x: ArrayLike, y: ArrayLike, at: ArrayLike) -> _Array:
    """Return the values ``(m,)`` of a smooth curve that rises and falls only where the points do (PCHIP).

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Increasing distances, n >= 2, and values.
    at : array_like, shape (m,)
        Where the curve is asked for; beyond the ends its outermost cubics go on.

    References
    ----------
    F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984), doi:10.1137/0905021.

    Examples
    --------
    >>> monotone_cubic([0, 1, 2, 3], [0, 0, 1, 1], [0.5, 1.5, 2.5]).tolist()
    [0.0, 0.5, 1.0]
    """
    points, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    steps = np.diff(points)
    secants = np.diff(values) / steps
    slopes = np.zeros(points.size)
    if points.size == 2:
        slopes[:] = secants[0]
    else:
        same = secants[:-1] * secants[1:] > 0.0
        left, right = 2.0 * steps[1:] + steps[:-1], steps[1:] + 2.0 * steps[:-1]
        # Where the curve turns, the slope is 0; elsewhere a weighted harmonic mean of the secants.
        before, after = np.where(same, secants[:-1], 1.0), np.where(same, secants[1:], 1.0)
        slopes[1:-1] = np.where(same, (left + right) / (left / before + right / after), 0.0)
        slopes[0] = _end_slope(steps[0], steps[1], secants[0], secants[1])
        slopes[-1] = _end_slope(steps[-1], steps[-2], secants[-1], secants[-2])
    curve = _hermite(points, values[:, None], slopes[:, None], np.asarray(at, dtype=np.float64))
    return curve[:, 0]


def _spline_slopes(steps: _Array, secants: _Array) -> _Array:
    """Return the slopes ``(n, k)`` with which the second derivative is continuous, n >= 4.

    The system is tridiagonal. Elimination without pivoting is stable: after the first row all are dominated by their
    diagonals.
    """
    n = steps.size + 1
    below, diagonal, above = np.empty(n), np.empty(n), np.empty(n)
    known = np.empty((n, secants.shape[1]))
    below[1:-1], above[1:-1] = steps[1:], steps[:-1]
    diagonal[1:-1] = 2.0 * (steps[1:] + steps[:-1])
    known[1:-1] = 3.0 * (steps[1:, None] * secants[:-1] + steps[:-1, None] * secants[1:])
    for end, first, second, across in ((0, 0, 1, above), (-1, -1, -2, below)):
        span = steps[first] + steps[second]
        diagonal[end], across[end] = steps[second], span
        known[end] = (
            (steps[first] + 2.0 * span) * steps[second] * secants[first] + steps[first] ** 2 * secants[second]
        ) / span
    # Rows depend on each other one by one, and plain numbers are then faster than arrays.
    a, b, c = below.tolist(), diagonal.tolist(), above.tolist()
    ratio = [c[0] / b[0]]
    pivots = [b[0]]
    for i in range(1, n):
        pivots.append(b[i] - a[i] * ratio[-1])
        ratio.append(c[i] / pivots[-1])
    slopes = np.empty_like(known)
    for column in range(known.shape[1]):
        d = known[:, column].tolist()
        d[0] /= pivots[0]
        for i in range(1, n):
            d[i] = (d[i] - a[i] * d[i - 1]) / pivots[i]
        for i in range(n - 2, -1, -1):
            d[i] -= ratio[i] * d[i + 1]
        slopes[:, column] = d
    return slopes


def _slopes_of_equal_steps(secants: _Array) -> _Array:
    r"""Return what `_spline_slopes` returns where all steps are equal, in less than half of the time.

    The slopes m solve :math:`m_{i-1} + 4 m_i + m_{i+1} = 3 (s_{i-1} + s_i)` with the secants s. On an endless line
    the inverse of this matrix falls by 2 - sqrt(3) from point to point; what the two ends change falls likewise.
    """
    slopes = np.empty((len(secants) + 1, secants.shape[1]))
    fall = INVERSE[REACH:] / INVERSE[REACH]
    for column, s in zip(slopes.T, secants.T, strict=True):
        known = 3.0 * (s[:-1] + s[1:])
        inner = np.convolve(known, INVERSE)[REACH:-REACH]
        # The third derivative is continuous at the last point but one, which gives m of the outer two points.
        first, last = 0.5 * (5.0 * s[0] + s[1]), 0.5 * (5.0 * s[-1] + s[-2])
        ahead = (known[0] - first - 2.0 * inner[0] - inner[1]) / (2.0 + DECAY)
        behind = (known[-1] - last - 2.0 * inner[-1] - inner[-2]) / (2.0 + DECAY)
        inner[: REACH + 1] += ahead * fall
        inner[-REACH - 1 :] += behind * fall[::-1]
        column[1:-1] = inner
        column[0], column[-1] = first - 2.0 * column[1], last - 2.0 * column[-2]
    return slopes


def _end_slope(first: float, second: float, secant: float, next_secant: float) -> float:
    """Return the slope of the parabola through three points at the outer one, kept from overshooting."""
    slope = ((2.0 * first + second) * secant - first * next_secant) / (first + second)
    if np.sign(slope) != np.sign(secant):
        return 0.0
    if np.sign(secant) != np.sign(next_secant) and abs(slope) > 3.0 * abs(secant):
        return float(3.0 * secant)
    return float(slope)


def _hermite(x: _Array, y: _Array, slopes: _Array, at: _Array) -> _Array:
    """Return the values ``(m, k)`` of the cubics that have these values and slopes ``(n, k)`` at the points."""
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, x.size - 2)
    step, s = (x[i + 1] - x[i])[:, None], (at - x[i])[:, None]
    secant = (y[i + 1] - y[i]) / step
    third = (slopes[i] + slopes[i + 1] - 2.0 * secant) / step
    second = (secant - slopes[i]) / step - third
    return np.asarray(y[i] + s * (slopes[i] + s * (second + s * third / step)), dtype=np.float64)
