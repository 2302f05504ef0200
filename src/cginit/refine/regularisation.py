r"""The smooth change of a potential that a noisy difference of g(r) calls for.

A change is a curve with U = 0 at the cut-off, built from its curvature: :math:`\Delta U = B w`, where the
columns of B integrate one curvature each inwards from the cut-off. The weights w are taken as Gaussian with
variance :math:`\lambda^2` (and a part of each point of its own, since a start may be rough), which makes
:math:`\lambda` the strength of the regularisation; it is the one with which the difference, known with its noise, is
most probable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cginit.curves import Array

__all__ = ["RegularisedChange", "Rule", "curvature_basis", "fit_change"]

Rule = Literal["tikhonov", "truncated"]

#: Neighbours over which the curvature of a potential is averaged to scale that of its change.
NEIGHBOURS = 5
#: Values of lambda tried, in multiples of the inverse of the largest singular value.
STRENGTHS = np.geomspace(1e-4, 1e7, 111)
#: Powers of the singular values by which the variance of the weights may fall: 0 for a change that is equally large
#: everywhere, 1 for one that is equally visible. What earlier updates left over is what they hardly saw.
TILTS = (0.0, 0.5, 1.0)
#: Square of a singular value below which it is rounding, in multiples of that of the largest.
ROUNDING = 1e-14
#: Sizes tried of the change that each point has of its own, in multiples of that of its curvature.
ROUGHNESS = (0.0, 3.0, 30.0)


@dataclass(frozen=True, eq=False)
class RegularisedChange:
    """A regularised change.

    Attributes
    ----------
    change : ndarray, shape (n,)
        In kT.
    freedom : float
        Effective number of parameters: how many combinations of points the difference determines.
    misfit : float
        Squared difference that remains, in units of the noise, a point.
    cost : float
        Minus twice the logarithm of how probable the difference is, up to a constant.
    """

    change: Array
    freedom: float
    misfit: float
    cost: float = 0.0


def curvature_basis(u: Array, first: int, rough: float = 0.0) -> Array:
    """Return the columns ``(n, p)``, p <= n, that build a change of the potential `u` ``(n,)`` in kT.

    The last point is the cut-off. A column is the change that one unit of curvature at one point, or of slope at
    the cut-off, makes of all points inside it. Each is scaled by the curvature that the potential itself has
    thereabouts: where a first peak is sharp the change may be sharp, in a flat tail it is flat. Below `first` changes
    continue as straight lines. With `rough` each point also has a change of its own; the columns are then those of
    which sums with independent weights have the same covariance.
    """
    n = u.size
    index = np.arange(n)
    bend = np.zeros(n)
    bend[1:-1] = np.diff(np.clip(u, -20.0, 20.0), 2)
    bend[: first + 1] = bend[min(first + 1, n - 2)]
    local = np.convolve(bend**2, np.ones(NEIGHBOURS) / NEIGHBOURS, "same")
    inner = np.arange(first + 1, n - 1)
    scale = np.sqrt(local[inner] + np.median(local[inner]) + 1e-12)
    columns = np.maximum(0.0, inner[None, :] - index[:, None]) * scale
    ramp = (n - 1 - index) * np.sqrt(np.median(scale**2) * inner.size)
    if rough == 0.0:
        return np.column_stack([columns, ramp])
    own = np.zeros((n, inner.size))
    own[inner, np.arange(inner.size)] = rough * scale
    own[: first + 1, 0] = own[first + 1, 0]
    # As many columns as points give each change as it is as likely.
    whole = np.column_stack([columns, ramp, own])
    _, triangle = np.linalg.qr(whole.T)
    return np.asarray(triangle.T, dtype=np.float64)


def fit_change(
    response: Array, difference: Array, covariance: Array, bases: Sequence[Array], rule: Rule = "tikhonov"
) -> RegularisedChange:
    r"""Return the change whose response explains `difference` no better than its noise allows.

    With whitened difference y and response X of the basis, and the singular values D of X, the
    strength maximises the evidence

    .. math:: -2 \ln p(y) = \sum_i \ln(1 + \lambda^2 D_i^2) + \frac{z_i^2}{1 + \lambda^2 D_i^2}

    where z are the components of y along the left singular vectors (``tikhonov``), or the number of singular values
    kept minimises Mallows' :math:`C_p`, the sum of the squares of what is left out plus twice the number kept
    (``truncated``).

    Source: D. J. C. MacKay, Neural Comput. 4, 415 (1992), doi:10.1162/neco.1992.4.3.415;
    C. L. Mallows, Technometrics 15, 661 (1973), doi:10.1080/00401706.1973.10489103.

    Parameters
    ----------
    response : ndarray, shape (m, n)
        Change of each datum with the change of each point, in 1/kT.
    difference : ndarray, shape (m,)
        What the change is to bring about.
    covariance : ndarray, shape (m, m)
        Of the noise of `difference`.
    bases : sequence of ndarray, shape (n, p)
        From `curvature_basis`; the one that suits best is taken.
    rule : {"tikhonov", "truncated"}
        How to regularise.

    Examples
    --------
    >>> basis = curvature_basis(np.linspace(1.0, 0.0, 30) ** 2, 0)
    >>> wanted = np.linspace(1.0, 0.0, 30) ** 3
    >>> fit = fit_change(np.eye(30), wanted, 1e-6 * np.eye(30), [basis])
    >>> bool(np.max(np.abs(fit.change - wanted)) < 0.005)
    True
    """
    from scipy.linalg import solve_triangular

    root = np.linalg.cholesky(covariance)
    y = solve_triangular(root, difference, lower=True)
    x = solve_triangular(root, response, lower=True)
    volume = 2.0 * float(np.sum(np.log(np.diag(root))))
    data = _Normal(x.T @ x, x.T @ y, float(y @ y), y.size)
    best = min((_fit(data, basis, rule) for basis in bases), key=lambda fit: fit.cost)
    return replace(best, cost=best.cost + volume)


@dataclass(frozen=True, eq=False)
class _Normal:
    """Whitened data ``(m,)`` and their response ``(m, n)`` in the normal equations.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
        Response, transposed, times response.
    vector : ndarray, shape (n,)
        Response, transposed, times data.
    square : float
        Sum of the squares of the data.
    size : int
        Number of the data.
    """

    matrix: Array
    vector: Array
    square: float
    size: int


def _fit(data: _Normal, basis: Array, rule: Rule) -> RegularisedChange:
    """Return the change of the best strength."""
    from scipy.linalg import eigh

    # Squares of the singular values, by which the evidence goes, are eigenvalues of the normal equations, which take
    # a tenth of the time. Those below 1e-7 of the largest drown in rounding; what belongs to them no datum shows.
    squares, vectors = eigh(basis.T @ data.matrix @ basis, driver="evd", check_finite=False)
    shown = squares > ROUNDING * squares[-1]
    squares, vectors = squares[shown][::-1], vectors[:, shown][:, ::-1]
    z = vectors.T @ (basis.T @ data.vector) / np.sqrt(squares)
    outside = max(data.square - float(z @ z), 0.0)
    if rule == "truncated":
        costs = np.append(np.cumsum((z**2)[::-1])[::-1], 0.0) + 2.0 * np.arange(z.size + 1)
        kept = np.where(np.arange(z.size) < int(np.argmin(costs)), 1.0, 0.0)
    else:
        top = float(squares.max(initial=1e-300))
        # A change of a kT at an average point.
        cap = 1.0 / max(float(np.mean(np.sum(basis**2, axis=1))), 1e-300)
        candidates = []
        for tilt in TILTS:
            variance = STRENGTHS[:, None] ** 2 / top * (squares / top) ** -tilt
            if tilt > 0.0:
                variance = np.minimum(variance, cap)
            candidates.append(1.0 + variance * squares)
        growth = np.concatenate(candidates)
        costs = np.sum(np.log(growth) + z**2 / growth, axis=1)
        best = growth[int(np.argmin(costs))]
        kept = (best - 1.0) / best
    change = basis @ (vectors @ (kept * z / np.sqrt(squares)))
    misfit = (outside + float(np.sum(((1.0 - kept) * z) ** 2))) / data.size
    return RegularisedChange(change, float(kept.sum()), misfit, float(np.min(costs)) + outside)
