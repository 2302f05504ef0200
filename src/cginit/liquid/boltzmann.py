"""From g(r) to U(r) in the limit of low density, and point values from the bin averages of a histogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array, uniform_grid
from cginit.errors import InputError
from cginit.grids import gauss_legendre

__all__ = ["bin_average_correction", "boltzmann_inversion"]

#: Factor between neighbouring elements of the inverse of the matrix of cubic B-splines, and how many count: the next
#: is below the rounding of the first.
DECAY = np.sqrt(3.0) - 2.0
REACH = 28


def boltzmann_inversion(r: ArrayLike, g: ArrayLike, kT: float = 1.0) -> Array:
    r"""Return the potential of mean force, the pair potential in the limit of low density, shape (n,).

    .. math:: U(r) = -kT \ln g(r)

    Parameters
    ----------
    r, g : array_like, shape (n,)
        Distances and radial distribution function.
    kT : float
        Thermal energy; its unit is that of the result.

    Returns
    -------
    ndarray, shape (n,)
        Energies; inf where g = 0.

    Raises
    ------
    InputError
        If g is negative or not finite, or kT not positive.

    Examples
    --------
    >>> boltzmann_inversion([1, 2, 3], [0.0, np.exp(1), 1.0], kT=2.5).tolist()
    [inf, -2.5, 0.0]
    """
    values = _valid(uniform_grid(r), g)
    if not np.isfinite(kT) or kT <= 0.0:
        raise InputError(f"kT must be a positive number, not {kT}")
    with np.errstate(divide="ignore"):
        # The sum turns -0 into 0.
        return np.asarray(-kT * np.log(values) + 0.0, dtype=np.float64)


def bin_average_correction(
    r: ArrayLike, g: ArrayLike, *, first: int = 0, error: ArrayLike | None = None, iterations: int = 20
) -> Array:
    r"""Return point values of g ``(n,)`` from the averages over histogram bins.

    A histogram yields

    .. math:: \bar g_i = \frac{\int_{r_i - \Delta r/2}^{r_i + \Delta r/2} g(r)\, r^2 dr}
                              {\int_{r_i - \Delta r/2}^{r_i + \Delta r/2} r^2 dr},

    which in a steep core is far from g(r_i): there ln g changes by several units within a bin. The
    inverse is a fixed-point iteration on ln g, whose cubic spline supplies the values between the nodes.
    For a WCA core in bins of 0.05 sigma it reduces the error of -ln g in the first three visible bins from 1.20,
    0.24 and 0.02 to 0.09, 0.01 and 0.001.

    Parameters
    ----------
    r, g : array_like, shape (n,)
        Bin centres and averages.
    first : int
        Index from which g shows the potential (`cginit.extrapolate.first_visible`). What lies below is returned
        as it is, as is everything from the next g = 0 on.
    error : array_like, shape (n,), optional
        Standard error of g. Corrections below twice the error are not made: they would only amplify it.
    iterations : int
        Number of corrections; 20 reach the fixed point to rounding wherever it exists.

    Raises
    ------
    InputError
        If g is negative or not finite, or the grid not uniform.

    Examples
    --------
    >>> r = np.arange(0.8, 2.0, 0.05)
    >>> def g(x):
    ...     return np.exp(-4 * (x**-12 - x**-6))
    >>> fine = r[:, None] + 0.05 * (np.arange(500) - 249.5) / 500
    >>> averages = np.sum(g(fine) * fine**2, axis=1) / np.sum(fine**2, axis=1)
    >>> points = bin_average_correction(r, averages, first=2)
    >>> bool(abs(np.log(averages[3] / g(r[3]))) > 0.2), bool(abs(np.log(points[3] / g(r[3]))) < 0.02)
    (True, True)
    """
    distances = uniform_grid(r)
    values = _valid(distances, g)
    stop = first + int(np.argmin(np.append(values[first:] > 0.0, False)))
    if stop - first < 4:
        return values.copy()
    x, averages = distances[first:stop], np.log(values[first:stop])
    dr = float(distances[1] - distances[0])
    # Four Gauss points integrate what a cubic in ln g makes of a bin to far better than the spline is.
    nodes, weights = gauss_legendre(4)
    inner = nodes - 0.5
    shell = weights[:, None] * (x + dr * inner[:, None]) ** 2
    shell /= shell.sum(axis=0)
    spline = _Spline(x.size, inner)
    log_g = averages
    for _ in range(iterations):
        inside = np.exp(spline(log_g))
        log_g = log_g + averages - np.log(np.einsum("ij,ij->j", shell, inside))
    corrected = np.exp(log_g)
    if error is not None:
        sigma = np.asarray(error, dtype=np.float64)[first:stop]
        noise = np.abs(corrected - values[first:stop]) <= 2.0 * sigma
        corrected = np.where(noise, values[first:stop], corrected)
    result = values.copy()
    result[first:stop] = corrected
    return result


class _Spline:
    """Cubic splines through n >= 4 points of a uniform grid, at the same offsets from each point.

    The spline is that of `scipy.interpolate.CubicSpline` (third derivative continuous at the second point and the
    last but one; the outermost cubics reach beyond the ends), in B-splines: what depends on the grid alone is
    computed once, and an evaluation is one convolution and one small matrix product.

    Parameters
    ----------
    n : int
        Number of points.
    offsets : ndarray, shape (k,)
        Offsets from the points, in steps, between -1 and 1.
    """

    def __init__(self, n: int, offsets: Array) -> None:
        distance = np.abs(offsets[:, None] - np.arange(-2, 3))
        near = (4.0 - 6.0 * distance**2 + 3.0 * distance**3) / 6.0
        self._bases = np.where(distance < 1.0, near, np.maximum(2.0 - distance, 0.0) ** 3 / 6.0)
        # Coefficients at the points and two beyond each end; each value depends on five.
        self._coefficients = np.empty(n + 4)
        self._windows = np.lib.stride_tricks.sliding_window_view(self._coefficients, 5).T
        # The coefficients c of the inner points solve c[i - 1] + 4 c[i] + c[i + 1] = 6 y[i]. On an endless line the
        # inverse falls by 2 - sqrt(3) a point, and REACH points are all that count; known terms that are continued
        # by their mirror images with the other sign keep c = 0 just outside of both ends.
        period = 2 * (n - 3)
        place = np.arange(1 - REACH, n - 3 + REACH) % period
        inner, mirrored = (place >= 1) & (place <= n - 4), place >= n - 2
        self._place = np.where(inner, place - 1, np.where(mirrored, period - place - 1, 0))
        self._sign = 1.0 * inner - mirrored
        self._inverse = DECAY ** np.abs(np.arange(-REACH, REACH + 1)) / (2.0 * np.sqrt(3.0))

    def __call__(self, y: Array) -> Array:
        """Return the values ``(k, n)`` of the spline through `y` ``(n,)``."""
        c = self._coefficients
        ends = y[:3].tolist(), y[:-4:-1].tolist()
        # Where the third derivative is continuous, the second one is the second difference.
        second, last_but_one = ((8.0 * b - a - d) / 6.0 for a, b, d in ends)
        c[3], c[-4] = second, last_but_one
        known = 6.0 * y[2:-2]
        if known.size:
            known[0] -= second
            known[-1] -= last_but_one
            c[4:-4] = np.convolve(self._sign * known[self._place], self._inverse, mode="valid")
        c[:3] = _ends(ends[0], second, float(c[4]))
        c[:-4:-1] = _ends(ends[1], last_but_one, float(c[-5]))
        return np.asarray(self._bases @ self._windows, dtype=np.float64)


def _ends(y: list[float], c1: float, c2: float) -> tuple[float, float, float]:
    """Return the first three coefficients, of which two lie before the curve, from its first values."""
    c0 = 6.0 * y[1] - 4.0 * c1 - c2
    before = 6.0 * y[0] - 4.0 * c0 - c1
    # The cubic of the first interval goes on before it.
    return 4.0 * before - 6.0 * c0 + 4.0 * c1 - c2, before, c0


def _valid(r: Array, g: ArrayLike) -> Array:
    values = np.asarray(g, dtype=np.float64)
    if values.shape != r.shape or not np.all(np.isfinite(values)) or np.any(values < 0.0):
        raise InputError("g must hold one finite value >= 0 for each r")
    return values
