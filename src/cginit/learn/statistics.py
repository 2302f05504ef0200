"""The published figures of merit of predicted potentials, on arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.models.grid import U_CUT

__all__ = [
    "case_errors",
    "exponential_delta",
    "fitted_delta",
    "fold_means",
    "median_delta",
    "own_fold",
    "r_squared",
    "relative_errors",
]

#: Bins of the histogram to which the exponential is fitted.
BINS = 20


def case_errors(u: Array, truth: Array) -> tuple[Array, Array, Array]:
    r"""Return mean squared, mean absolute and curvature error of each potential, over the points with U < 20 kT.

    The curvature error is the published :math:`L_{lap}` with absolute values, the mean of
    :math:`|\Delta^2 y_i - \Delta^2 y'_i|`: what is rough where the truth is smooth.

    Parameters
    ----------
    u, truth : ndarray, shape (m, d)
        Predicted and true potentials in kT.

    Returns
    -------
    tuple of ndarray, shape (m,)

    Examples
    --------
    >>> [x.tolist() for x in case_errors(np.array([[0.0, 2.0, 0.0]]), np.zeros((1, 3)))]
    [[1.3333333333333333], [0.6666666666666666], [4.0]]
    """
    counts = truth < U_CUT
    deviation = np.where(counts, u - truth, 0.0)
    number = np.maximum(counts.sum(axis=1), 1)
    inner = counts[:, 2:] & counts[:, 1:-1] & counts[:, :-2]
    curvature = np.abs(np.diff(deviation, 2, axis=1)) * inner
    return (
        np.asarray(np.sum(deviation**2, axis=1) / number),
        np.asarray(np.sum(np.abs(deviation), axis=1) / number),
        np.asarray(np.sum(curvature, axis=1) / np.maximum(inner.sum(axis=1), 1)),
    )


def fold_means(
    values: Array, fold: NDArray[np.int64], folds: int, mean: Callable[[Array], np.floating] = np.mean
) -> Array:
    """Return the mean (or another `mean`) of `values` ``(m,)`` in each fold ``(folds,)``; NaN where one has no value.

    Examples
    --------
    >>> fold_means(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1]), 2).tolist()
    [2.0, 5.0]
    """
    found = [values[fold == k] for k in range(folds)]
    return np.array([mean(x) if x.size else np.nan for x in found])


def own_fold(every: Array, fold: NDArray[np.int64]) -> Array:
    """Return of the predictions of each member ``(folds, m, ...)`` those by the member that has not seen the row.

    Rows of the test set (fold -1) get the mean of all members.

    Examples
    --------
    >>> own_fold(np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]), np.array([0, 1, -1])).tolist()
    [1.0, 6.0, 5.0]
    """
    own = every[np.maximum(fold, 0), np.arange(fold.size)]
    held = (fold < 0).reshape(-1, *[1] * (own.ndim - 1))
    return np.asarray(np.where(held, every.mean(axis=0), own))


def exponential_delta(errors: Array) -> float:
    r"""Return :math:`\delta` of :math:`p(x) \propto e^{-x/\delta}` fitted to a histogram of `errors` ``(m,)``.

    A straight line through the logarithms of the counts, weighted by the counts (their variance is 1 / count), over
    20 bins up to five medians: the few structureless fluids in the far tail are not what the exponential describes.

    Raises
    ------
    InputError
        If there are fewer than 10 errors, or they do not fall off.

    Examples
    --------
    >>> x = -0.03 * np.log(np.linspace(0.0005, 0.9995, 1000))
    >>> bool(abs(exponential_delta(x) - 0.03) < 0.001)
    True
    """
    values = errors[np.isfinite(errors)]
    if values.size < 10:
        raise InputError(f"an exponential needs 10 errors or more, not {values.size}")
    counts, edges = np.histogram(values, BINS, (0.0, 5.0 * float(np.median(values))))
    middle = 0.5 * (edges[1:] + edges[:-1])
    seen = counts > 0
    slope = np.polyfit(middle[seen], np.log(counts[seen]), 1, w=np.sqrt(counts[seen]))[0]
    if slope >= 0.0:
        raise InputError("the errors do not fall off with their size; an exponential does not describe them")
    return float(-1.0 / slope)


def fitted_delta(errors: Array) -> float:
    """Return `exponential_delta`, or NaN where an exponential does not describe the errors."""
    try:
        return exponential_delta(errors)
    except InputError:
        return float("nan")


def median_delta(errors: Array) -> float:
    """Return median / ln 2, the delta of an exponential, which outliers do not move."""
    known = errors[np.isfinite(errors)]
    return float(np.median(known) / np.log(2.0)) if known.size else float("nan")


def relative_errors(found: Array, truth: Array) -> Array:
    """Return :math:`|P - P'| / |P|` ``(m,)``."""
    return np.asarray(np.abs(found - truth) / np.abs(truth), dtype=np.float64)


def r_squared(found: Array, truth: Array) -> float:
    r"""Return :math:`R^2 = 1 - \sum (y - y')^2 / \sum (y - \bar y)^2` over the rows where both are numbers.

    NaN where there is none, or the truth does not vary.

    Examples
    --------
    >>> r_squared(np.array([1.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    0.5
    """
    use = np.isfinite(found) & np.isfinite(truth)
    if not np.any(use):
        return float("nan")
    rest = float(np.sum((found[use] - truth[use]) ** 2))
    spread = float(np.sum((truth[use] - np.mean(truth[use])) ** 2))
    return 1.0 - rest / spread if spread > 0.0 else float("nan")
