"""Gauss-Legendre quadrature."""

from __future__ import annotations

from functools import cache

import numpy as np

from cginit.curves import Array

__all__ = ["gauss_legendre"]


@cache
def gauss_legendre(n: int) -> tuple[Array, Array]:
    r"""Return points and weights, both ``(n,)``, with which :math:`\int_{-1}^1 f(x) dx \approx \sum_i w_i f(x_i)`.

    Exact for polynomials of degree 2n - 1. The points are eigenvalues of the matrix of the recurrence of Legendre
    polynomials. (`numpy.polynomial` has them, too, and loads five other kinds of polynomials with them.)

    References
    ----------
    G. H. Golub and J. H. Welsch, Math. Comp. 23, 221 (1969), doi:10.1090/S0025-5718-69-99647-1.

    Examples
    --------
    >>> x, w = gauss_legendre(3)
    >>> round(float(w @ x**4), 12)
    0.4
    """
    k = np.arange(1, n)
    beside = k / np.sqrt(4.0 * k**2 - 1.0)
    points, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    # The rule is symmetric to the last digit.
    points, weights = 0.5 * (points - points[::-1]), 2.0 * vectors[0] ** 2
    weights = 0.5 * (weights + weights[::-1])
    for array in (points, weights):
        array.flags.writeable = False
    return points, weights
