"""How large the stated errors of an ensemble are to be: the factor with which its 90 % band holds 90 %."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array

__all__ = ["BAND", "band_coverage", "band_factor"]

#: Part of the errors that the band is to hold, and its standard deviations if they were those of a Gaussian.
COVERED, BAND = 0.9, 1.6449


def band_factor(ratio: Array, fold: NDArray[np.int64], without: int | None = None) -> float:
    """Return the factor that makes a spread a standard error, from the validation folds but `without`.

    Parameters
    ----------
    ratio : ndarray, shape (m, ...)
        Errors of networks that have not seen the row, in units of the spread; NaN does not count.
    fold : ndarray of int, shape (m,)
        Fold of each row; -1 for the test set.
    without : int, optional
        A fold that is left out.

    Examples
    --------
    >>> x = np.abs(np.random.default_rng(1).standard_normal(20000))
    >>> round(band_factor(2.0 * x, np.zeros(20000, dtype=np.int64)), 1)
    2.0
    """
    rows = (fold >= 0) & (fold != (-2 if without is None else without))
    return float(np.nanquantile(ratio[rows], COVERED)) / BAND


def band_coverage(ratio: Array, fold: NDArray[np.int64]) -> tuple[float, float]:
    """Return the part of what counts inside the 90 % band, on the validation folds and on the test set.

    The factor of each fold comes from the others; NaN where the test set has nothing that counts.
    """
    inside = []
    for k in range(int(fold.max()) + 1):
        known = ratio[fold == k]
        inside.append(known[np.isfinite(known)] <= BAND * band_factor(ratio, fold, without=k))
    test = ratio[fold < 0]
    test = test[np.isfinite(test)]
    on_test = float(np.mean(test <= BAND * band_factor(ratio, fold))) if test.size else float("nan")
    return float(np.mean(np.concatenate(inside))), on_test
