"""How far a simulated g(r) is from its target, and whether the difference is more than noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import InputError

__all__ = [
    "CHI2_AT_NOISE",
    "SMOOTHING_BINS",
    "Distance",
    "combined_variance",
    "distance",
    "has_pressure",
    "neighbour_means",
    "neighbour_sums",
    "root_mean_square",
    "signal",
]

#: chi^2 per point at which a difference counts as noise. Its expectation is 1; neighbouring points of g
#: share their noise (some ten independent ones in a dense fluid), so its standard deviation is about
#: sqrt(2/10) = 0.45, and 2 is some two of these above.
CHI2_AT_NOISE = 2.0
#: Bins whose squared block errors are averaged; ten blocks alone know an error to a quarter.
SMOOTHING_BINS = 9
#: Standard errors within which a pressure counts as reached.
SIGMAS = 3.0


@dataclass(frozen=True)
class Distance:
    """Differences between a sampled and a target g(r) up to some distance.

    Attributes
    ----------
    chi2 : float
        Mean squared difference in units of the combined standard error; 1 for pure noise, NaN where neither
        curve has an error. Of a simulation that has grown the error is that of one of the length of the schedule.
    lmse : float
        Mean squared difference over the grid points.
    integral : float
        Integral of the absolute difference over r, in units of length.
    largest : float
        Largest absolute difference.
    """

    chi2: float
    lmse: float
    integral: float
    largest: float

    def __repr__(self) -> str:
        numbers = f"mean squared {self.lmse:.3g}, integral {self.integral:.3g}, largest {self.largest:.3g}"
        return f"<Distance: chi^2 {self.chi2:.3g}, {numbers}>"

    @property
    def is_noise(self) -> bool:
        """Whether the difference is within the statistical error."""
        return self.chi2 <= CHI2_AT_NOISE


def distance(sampled: RDF, target: RDF, r_max: float, longer: float = 1.0) -> Distance:
    r"""Compare two curves on the same grid up to `r_max`.

    .. math:: \chi^2 = \frac1n \sum_i \frac{(g_i - g^t_i)^2}{l \sigma_i^2 + (\sigma^t_i)^2}

    over the n points where either curve is visible, with squared errors averaged over nine neighbouring
    bins. All measures are means or integrals over r and do not change with the number of points.

    `longer`, l, is the length of the simulation in multiples of that of the schedule: a refinement whose simulations
    grow is done where one of the length that was asked for would be at its noise. With the smaller noise of the
    longer ones the end would move away while the potential gets better.

    Raises
    ------
    InputError
        If the grids differ.
    """
    sampled, target = sampled.with_core(), target.with_core()
    n = int(np.searchsorted(target.r, r_max + 0.5 * target.dr))
    if sampled.r.size < n or not np.allclose(sampled.r[:n], target.r[:n], atol=1e-6 * target.dr):
        raise InputError(
            f"the sampled g(r) (step {sampled.dr:g}, to {sampled.r_max:g}) and the target (step {target.dr:g}, "
            f"to {target.r_max:g}) do not share a grid up to {r_max:g}"
        )
    difference = sampled.g[:n] - target.g[:n]
    variance = combined_variance(sampled, target, n, longer)
    seen = variance > 0.0
    chi2 = float(np.mean(difference[seen] ** 2 / variance[seen])) if np.any(seen) else float("nan")
    return Distance(
        chi2=chi2,
        lmse=float(np.mean(difference**2)),
        integral=float(np.sum(np.abs(difference)) * target.dr),
        largest=float(np.max(np.abs(difference))),
    )


def combined_variance(sampled: RDF, target: RDF, n: int, longer: float = 1.0) -> Array:
    """Return the squared standard error ``(n,)`` of the difference of two curves on one grid; 0 where unknown.

    Of the sampled one it is multiplied by `longer`.

    The block errors of neighbouring bins are averaged, in proportion to g / r^2, the variance of Poisson-like counts
    in shells: that keeps the steep core honest, and the origin, where shells are small. A bin that saw no pair
    has no error of its own; the larger of the two g says how many it may see.
    """
    expected = np.maximum(sampled.g[:n], target.g[:n])
    return longer * _variance(sampled, expected) + _variance(target, expected)


def _variance(curve: RDF, expected: Array) -> Array:
    if curve.error is None:
        return np.zeros(expected.size)
    n = min(curve.g.size, expected.size + SMOOTHING_BINS)
    # The point at the origin repeats its neighbour.
    shells = np.maximum(curve.r[:n], curve.r[1]) ** 2
    summed, counts = neighbour_sums(curve.error[:n] ** 2 * shells), neighbour_sums(curve.g[:n])
    ratio = np.divide(summed, counts, out=np.zeros_like(summed), where=counts > 0.0)
    return np.asarray(ratio[: expected.size] * expected / shells[: expected.size], dtype=np.float64)


def signal(difference: Array, variance: Array, near: Callable[[Array], Array]) -> Array:
    """Return the part ``(n,)`` of the squared difference that is not noise; 1 where no error is known.

    Parameters
    ----------
    difference, variance : ndarray, shape (n,)
        Of two curves, and its squared standard error; 0 where that is unknown.
    near : callable
        Returns the sums ``(n,)`` of values over neighbouring bins, as `neighbour_sums`.
    """
    known = variance > 0.0
    squared = np.divide(difference**2, variance, out=np.zeros(variance.size), where=known)
    count = near(known.astype(np.float64))
    mean = np.divide(near(squared), count, out=np.full(variance.size, np.inf), where=count > 0.0)
    return np.asarray(np.maximum(0.0, 1.0 - 1.0 / np.maximum(mean, 1e-12)), dtype=np.float64)


def neighbour_sums(values: Array) -> Array:
    """Return the sums ``(n,)`` over nine neighbouring bins."""
    return np.convolve(values, np.ones(SMOOTHING_BINS), "same")


def neighbour_means(values: Array) -> Array:
    """Return the means ``(n,)`` over nine neighbouring bins; beyond the ends values are 0."""
    return np.convolve(values, np.ones(SMOOTHING_BINS) / SMOOTHING_BINS, "same")


def has_pressure(pressure: float, error: float, wanted: float | None, times: float = SIGMAS) -> bool:
    """Whether a sampled pressure is within three standard errors, or `times`, of the wanted one, if there is one.

    Examples
    --------
    >>> has_pressure(1.2, 0.1, 1.0), has_pressure(1.4, 0.1, 1.0), has_pressure(1.4, 0.1, None)
    (True, False, True)
    """
    return wanted is None or bool(abs(pressure - wanted) <= times * error)


def root_mean_square(values: Array) -> float:
    """Return the root of the mean of squares."""
    return float(np.sqrt(np.mean(values**2)))
