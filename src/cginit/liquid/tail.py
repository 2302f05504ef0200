r"""What the tail of a g(r) shows: the level that it tends to, the end of the box, and a second phase.

Beyond some two peak distances the g(r) of a homogeneous fluid is an oscillation that dies off around 1, with at
most a
slow monotonic part beside it. What does not fit that picture is an accident of the box or of the normalisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array

__all__ = ["HalfBox", "Level", "half_box", "kirkwood_buff", "main_peak", "shell_excess", "tail_level"]

#: The oscillation of the tail: periods and decay lengths in peak distances that are tried. Periods of simple
#: liquids lie within 10 % of the peak distance, those of water within 20 %.
PERIODS = (0.8, 0.87, 0.93, 1.0, 1.07, 1.15, 1.25)
DECAYS = (0.4, 0.7, 1.1, 1.8)
#: Decay lengths of the monotonic part, as near a critical point.
SLOW_DECAYS = (0.5, 1.2)
#: The tail begins so many peak distances away; less than this many of them, or points, do not tell a level from an
#: oscillation.
TAIL_START, LEAST_PERIODS, LEAST_POINTS = 2.0, 1.5, 14
#: A curve without a main peak is taken in units of this part of its range.
NO_PEAK = 0.125

#: The box is looked for beyond this many peak distances and this part of the range.
BOX_START, BOX_PART = 2.0, 0.4
#: Distances tried as half the edge of the box, at most, for each number of faces.
TRIALS = 120
#: The law of the box must leave less than this part of the deviation from 1; the fall must be so many times the
#: oscillation before it, and this large. With these none of 1419 good curves (state points of the data set, whole
#: and cut at random) is taken for one that leaves its box, and nine in ten that do are found.
LEFT_OVER, OVER_OSCILLATION, LEAST_FALL = 0.35, 3.0, 0.04


@dataclass(frozen=True)
class Level:
    """The value that g tends to.

    Attributes
    ----------
    mean, error : float
        The level and its standard error, which knows the noise and what the oscillation leaves open.
    start : float
        Distance from which on g was looked at.
    """

    mean: float
    error: float
    start: float


@dataclass(frozen=True)
class HalfBox:
    """Where spheres begin to leave the box.

    Attributes
    ----------
    distance : float
        Half of the shortest edge, to about a grid step.
    last : float
        g at the end of the curve.
    """

    distance: float
    last: float


def main_peak(r: Array, g: Array) -> float:
    """Return the distance of the first pronounced maximum; 0 for a g(r) without one, as that of soft particles."""
    # The global maximum may lie in the tail of a wrong or a phase-separated g(r): the first one counts that rises
    # over a tenth of g's range on both sides.
    prominence = 0.1 * float(np.ptp(g))
    low = g[0]
    top, at = -np.inf, 0
    for i, value in enumerate(g):
        if value > top:
            top, at = float(value), i
        if top - low > prominence and top - value > prominence:
            return float(r[at])
        if value < low:
            low = value
    return 0.0


def _length(r: Array, g: Array) -> float:
    """Return the unit of length of the tail: the peak distance, or a part of the range where there is none."""
    peak = main_peak(r, g)
    # A peak this near to the origin is noise of the first bins.
    return peak if peak > 0.04 * float(r[-1]) else NO_PEAK * float(r[-1])


def tail_level(r: ArrayLike, g: ArrayLike) -> Level | None:
    r"""Return the level that g tends to, or None if the curve ends before its tail shows.

    Least squares of

    .. math:: g(r) = c + \frac{A \cos(2\pi r/\lambda) + B \sin(2\pi r/\lambda)}{r} e^{-r/\xi}
              + \frac{D}{r} e^{-r/\xi'}

    beyond two peak distances, for some periods and decay lengths of which the best count. The error of c is that of
    the fit, with the residuals taken as correlated as they are.

    Parameters
    ----------
    r, g : array_like, shape (n,)
        A uniform grid and g on it.

    References
    ----------
    R. J. F. Leote de Carvalho, R. Evans, D. C. Hoyle and J. R. Henderson, J. Phys.: Condens. Matter 6, 9275 (1994),
    doi:10.1088/0953-8984/6/44/008 (both decays are the poles of the structure factor).

    Examples
    --------
    >>> r = np.linspace(0.05, 6, 120)
    >>> wave = np.cos(6.3 * r) * np.exp(-r / 0.9) / r
    >>> round(tail_level(r, np.where(r < 0.9, 0.0, 1.02 + wave)).mean, 3)
    1.02
    """
    distances, values = np.asarray(r, dtype=np.float64), np.asarray(g, dtype=np.float64)
    length = _length(distances, values)
    tail = distances >= TAIL_START * length
    if np.count_nonzero(tail) < LEAST_POINTS or distances[-1] < (TAIL_START + LEAST_PERIODS) * length:
        return None
    x, y = distances[tail] / length, values[tail]
    fits = (_fit(x, y, *scales) for scales in product(PERIODS, DECAYS, SLOW_DECAYS))
    level, basis, residual = min(fits, key=lambda fit: float(fit[2] @ fit[2]))
    left = float(residual @ residual)
    # Four amplitudes and three scales were fitted.
    variance = left / (x.size - 7)
    follow = float(residual[1:] @ residual[:-1]) / left if left > 0.0 else 0.0
    follow = min(max(follow, 0.0), 0.95)
    covariance = np.linalg.pinv(basis.T @ basis)[0, 0] * variance * (1.0 + follow) / (1.0 - follow)
    return Level(level, float(np.sqrt(max(covariance, 0.0))), float(distances[tail][0]))


def _fit(x: Array, y: Array, period: float, decay: float, slow: float) -> tuple[float, Array, Array]:
    """Return the level of the best fit with these scales, its basis ``(n, 4)`` and its residuals ``(n,)``."""
    envelope = np.exp(-(x - x[0]) / decay) / x
    phase = 2.0 * np.pi * x / period
    monotonic = np.exp(-(x - x[0]) / slow) / x
    basis = np.stack([np.ones(x.size), np.cos(phase) * envelope, np.sin(phase) * envelope, monotonic], axis=1)
    amplitudes = np.linalg.lstsq(basis, y, rcond=None)[0]
    return float(amplitudes[0]), basis, np.asarray(y - basis @ amplitudes)


def half_box(r: ArrayLike, g: ArrayLike) -> HalfBox | None:
    r"""Return where g was counted beyond half the box, None if it was not.

    A sphere of radius r > L/2 leaves the box through its faces. A program that divides by whole shells all the same
    finds, up to :math:`L/\sqrt 2`,

    .. math:: g(r) \left[1 - f\left(1 - \frac{L}{2r}\right)\right],

    with f = 3 pairs of faces at this distance in a cube (2 or 1 where the other edges are longer). The law has no
    amplitude to fit: half the edge is tried at the points of the grid, and what it leaves of g - 1 says whether it
    holds. It is the area of the caps of height r - L/2 that lie outside, :math:`2\pi r (r - L/2)` each.

    Parameters
    ----------
    r, g : array_like, shape (n,)
        A uniform grid and g on it.

    Examples
    --------
    >>> r = np.linspace(0.05, 6, 120)
    >>> g = np.where(r < 1, 0.0, 1.0)
    >>> half_box(r, g) is None
    True
    >>> round(half_box(r, np.where(r > 5, g * (15 / r - 2), g)).distance, 1)
    5.0
    """
    distances, values = np.asarray(r, dtype=np.float64), np.asarray(g, dtype=np.float64)
    length = _length(distances, values)
    lowest = max(BOX_START * length, BOX_PART * float(distances[-1]))
    first, last = int(np.searchsorted(distances, lowest)), distances.size - 4
    if last <= first or values[-1] > 1.0 - 0.5 * LEAST_FALL:
        return None
    best: tuple[float, bool, float] | None = None
    for at in dict.fromkeys(np.linspace(first, last - 1, min(TRIALS, last - first)).astype(int).tolist()):
        half = float(distances[at])
        before = values[(distances > half - 1.2 * length) & (distances <= half)] - 1.0
        beyond = values[at + 1 :] - 1.0
        for faces in (3, 2, 1):
            fall = -np.minimum(faces * (1.0 - half / distances[at + 1 :]), 1.0)
            left = beyond - fall
            # Over one period before and all beyond, so that trials at different distances compare.
            score = float(np.sum(before**2) + np.sum(left**2)) / (before.size + left.size)
            score /= float(np.sum(before**2) + np.sum(beyond**2)) / (before.size + left.size) + 1e-300
            if best is None or score < best[0]:
                oscillation = float(np.sqrt(np.mean(before**2)))
                holds = (
                    np.sqrt(np.mean(left**2)) < LEFT_OVER * np.sqrt(np.mean(beyond**2))
                    and -fall[-1] > OVER_OSCILLATION * oscillation
                    and -fall[-1] > LEAST_FALL
                )
                best = score, bool(holds), half
    if best is None or not best[1]:
        return None
    return HalfBox(_located(distances, values, length, first, last), float(values[-1]))


def _located(r: Array, g: Array, length: float, first: int, last: int) -> float:
    """Return half the edge at which g is best described as an oscillation around 1 inside a box.

    Where the oscillation is strong it moves the end that the law alone finds; here both are fitted at once.
    """
    tail = r >= max(1.6 * length, float(r[0]))
    x, y = r[tail] / length, g[tail]
    waves = np.array(
        [
            np.stack([np.cos(2 * np.pi * x / period), np.sin(2 * np.pi * x / period)])
            * np.exp((x[0] - x) / decay)
            / x
            for period, decay in product(PERIODS, DECAYS)
        ]
    )
    best = np.inf, float(r[last])
    for at in dict.fromkeys(
        np.linspace(first, last - 1, min(TRIALS // 2, last - first)).astype(int).tolist()
    ):
        for faces in (3, 2, 1):
            inside = 1.0 - np.clip(faces * (1.0 - float(r[at]) / r[tail]), 0.0, 1.0)
            rest = y - inside
            # Normal equations of the two amplitudes of every wave; the ridge is that of a wave outside the box.
            square = np.einsum("win,wjn,n->wij", waves, waves, inside**2) + 1e-12 * np.eye(2)
            overlap = np.einsum("win,n->wi", waves, inside * rest)
            explained = np.einsum("wi,wi->w", overlap, np.linalg.solve(square, overlap[:, :, None])[:, :, 0])
            best = min(best, (float(rest @ rest - explained.max()), float(r[at])))
    return best[1]


def kirkwood_buff(r: ArrayLike, g: ArrayLike, density: float) -> float:
    r"""Return S(0) as the Kirkwood-Buff integral of a g(r) that ends at R gives it.

    .. math:: S(0) \approx 1 + 4\pi\rho \int_0^R (g - 1)\, w(r/R)\, r^2 dr, \qquad
              w(x) = 1 - \tfrac{23}{8}x^3 + \tfrac34 x^4 + \tfrac98 x^5,

    whose weight extrapolates from finite volumes to an infinite one and falls to 0 at R.

    Parameters
    ----------
    r, g : array_like, shape (n,)
        A uniform grid from 0, and g on it.
    density : float
        In the inverse cube of the unit of r.

    References
    ----------
    P. Krueger and T. J. H. Vlugt, Phys. Rev. E 97, 051301 (2018), doi:10.1103/PhysRevE.97.051301.

    Examples
    --------
    >>> r = np.linspace(0, 5, 101)
    >>> kirkwood_buff(r, np.ones(101), 0.5)
    1.0
    """
    distances, values = np.asarray(r, dtype=np.float64), np.asarray(g, dtype=np.float64)
    x = distances / distances[-1]
    weight = 1.0 - 23.0 / 8.0 * x**3 + 0.75 * x**4 + 9.0 / 8.0 * x**5
    step = float(distances[-1] - distances[0]) / (distances.size - 1)
    return 1.0 + 4.0 * np.pi * density * step * float(np.sum(distances**2 * (values - 1.0) * weight))


def shell_excess(r: ArrayLike, g: ArrayLike) -> list[float]:
    """Return the means of g - 1 over successive peak distances, from one and a half of them on.

    Examples
    --------
    >>> r = np.linspace(0, 5, 101)
    >>> max(shell_excess(r, np.where(r < 1, 0.0, 1.0)))
    0.0
    """
    distances, values = np.asarray(r, dtype=np.float64), np.asarray(g, dtype=np.float64)
    length = _length(distances, values)
    edges = np.arange(1.5, float(distances[-1]) / length - 0.3, 1.0)
    shells = ((distances >= edge * length) & (distances < (edge + 1.0) * length) for edge in edges)
    # A grid as coarse as the shells leaves some without a point.
    return [float(np.mean(values[shell])) - 1.0 for shell in shells if np.any(shell)]
