r"""What is known of a potential before g(r) is looked at, and the change that a noisy difference of g(r) calls for.

A start differs from the potential that is sought by a curve d(r) that is smooth and vanishes at the cut-off: a
Gaussian process of mean 0 with the covariance

.. math:: K(r, r') = a^2\, s(r)\, s(r')\, M_{5/2}(|r - r'| / l),

conditioned on d = 0 at the cut-off. The shape s is the standard error that the start states of itself, where it does
(the learned guesses); otherwise one of two that fall to 0 at the cut-off, as the errors of all guesses do. The
difference of g chooses among a few lengths l, with or without a part of each point of its own (a start may be
rough), and the amplitude a: those with which the difference, known with its noise, is most probable.

The mean is the start and not the last potential: what no difference of g determines stays as the start has it, and
refinements with different seeds agree there.

Source: C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006), equations
2.25, 4.17 and 5.8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from cginit.curves import Array

__all__ = [
    "FREE",
    "OPEN",
    "STATED",
    "Amplitudes",
    "Fit",
    "Prior",
    "fit_change",
    "open_prior",
    "start_prior",
    "together",
]

#: Lengths over which an error of a start is correlated, as parts of the range in which g shows the potential. Of the
#: test points of the data set the errors of the learned guesses are correlated to 0.84, 0.68 and 0.51 over 0.25, 0.6
#: and 1 sigma, a third of a typical range.
LENGTHS = (0.15, 0.3, 0.6)
#: Part of the variance that each point has of its own (and shares with its neighbours only).
ROUGHNESS = (0.002, 0.05, 0.5)
#: Length of that part in steps.
ROUGH_STEPS = 1.5
#: Shapes where a start does not say how well it is known: powers of the distance to the cut-off, as a part of the
#: range, and their size in kT. Errors of -ln g, HNC and the networks on the test points follow the first for
#: soft long-ranged potentials, the second for cores with short tails.
FALLS, UNKNOWN = (1, 3), 0.3
#: Length and roughness of what an answer may be wrong by.
OPEN_LENGTH, OPEN_ROUGHNESS = 0.3, 0.02
#: Largest stated error in kT that counts: where g all but vanishes nothing is known.
LARGEST = 3.0
#: Smallest part of the largest eigenvalue of a covariance that is kept.
KEPT = 1e-10


@dataclass(frozen=True, eq=False)
class Amplitudes:
    """Amplitudes of a covariance to choose from.

    Attributes
    ----------
    values : ndarray, shape (m,)
        Those that are tried.
    costs : ndarray, shape (m,)
        Minus twice the logarithm of how probable each is before g is looked at.
    """

    values: Array
    costs: Array

    @classmethod
    def about(cls, middle: float, factor: float, least: float, most: float) -> Amplitudes:
        """Return a log-normal distribution about `middle`, within a `factor` (standard deviation)."""
        values = np.geomspace(least, most, 41)
        return cls(values, (np.log(values / middle) / np.log(factor)) ** 2)


#: Stated errors are too small by a factor of 1.7 on the test points, and that within a factor of 2.5.
STATED = Amplitudes.about(1.7, 2.5, 0.5, 100.0)
#: Where nothing is stated all amplitudes are equally probable.
FREE = Amplitudes(np.geomspace(1e-3, 1e3, 73), np.zeros(73))
#: Where it is asked how well an answer is known, see `open_prior`.
OPEN = Amplitudes(np.array([1.25]), np.zeros(1))


@dataclass(frozen=True, eq=False)
class Prior:
    """What is known of a change before g is looked at: its mean, and several covariances to choose from.

    Attributes
    ----------
    mean : ndarray, shape (n,)
        Change that leads back to the start, in kT.
    roots : tuple of ndarray, shape (n, p)
        Of each candidate a matrix B with the covariance a^2 B B^T.
    amplitudes : Amplitudes
        Values of a.
    """

    mean: Array
    roots: tuple[Array, ...]
    amplitudes: Amplitudes = FREE

    def narrowed(self, fit: Fit) -> Prior:
        """Return the prior with nothing but the covariance that a fit has chosen, up to its amplitude."""
        return Prior(self.mean, (self.roots[fit.candidate],), self.amplitudes)


def start_prior(r: Array, error: Array | None, first: int) -> Iterator[Array]:
    """Yield the roots ``(n, p)`` of the candidate covariances of one potential in kT^2, in a fixed order.

    Parameters
    ----------
    r : ndarray, shape (n,)
        Distances on a uniform grid, the last the cut-off.
    error : ndarray, shape (n,), or None
        Standard error of the start in kT, where it states one.
    first : int
        First point that g shows; below it a change is that of this point.
    """
    reach = float(r[-1] - r[first])
    if error is None:
        left = np.clip((r[-1] - r) / reach, 0.0, 1.0)
        shapes = [UNKNOWN * left**power for power in FALLS]
    else:
        shapes = [np.minimum(error, LARGEST)]
    for shape, length, rough in product(shapes, LENGTHS, ROUGHNESS):
        yield _root(r, shape, length * reach, rough, first)


def open_prior(r: Array, first: int) -> Iterator[Array]:
    """Yield the root ``(n, p)`` of the covariance in kT^2 of what any start may be wrong by.

    The first of the shapes that fall to 0 at the cut-off. Its amplitude is chosen so that the band of 90 % holds the
    true potential of 90 % of points of the liquids of ``benchmarks/refine/certainty.py``.
    """
    reach = float(r[-1] - r[first])
    yield _root(
        r, UNKNOWN * np.clip((r[-1] - r) / reach, 0.0, 1.0), OPEN_LENGTH * reach, OPEN_ROUGHNESS, first
    )


def _root(r: Array, shape: Array, length: float, rough: float, first: int) -> Array:
    """Return the root of a covariance, conditioned on no change at the cut-off, constant below `first`."""
    smooth, own = _matern(r, length), _matern(r, ROUGH_STEPS * float(r[1] - r[0]))
    correlation = (1.0 - rough) * smooth + rough * own
    correlation = correlation - np.outer(correlation[:, -1], correlation[-1])
    covariance = np.outer(shape, shape) * correlation
    covariance[:first] = covariance[first]
    covariance[:, :first] = covariance[:, [first]]
    values, vectors = np.linalg.eigh(covariance)
    kept = values > KEPT * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _matern(r: Array, length: float) -> Array:
    """Return the Matern correlation of order 5/2 ``(n, n)``, whose curves have continuous forces and curvatures."""
    x = np.sqrt(5.0) * np.abs(r[:, None] - r[None, :]) / length
    return np.asarray((1.0 + x + x**2 / 3.0) * np.exp(-x))


@dataclass(frozen=True, eq=False)
class Fit:
    """A regularised change.

    Attributes
    ----------
    change : ndarray, shape (n,)
        In kT.
    freedom : float
        Effective number of parameters: how many combinations of points the difference determines.
    misfit : float
        Squared difference that remains, in units of the noise, a point.
    amplitude : float
        The a that was chosen.
    candidate : int
        Index of the root that was chosen.
    spread : ndarray, shape (n, p)
        Root of the covariance of the change, with what is known of it before and after.
    """

    change: Array
    freedom: float
    misfit: float
    amplitude: float
    candidate: int
    spread: Array = field(repr=False)

    @property
    def covariance(self) -> Array:
        """Covariance of the change ``(n, n)`` in kT^2."""
        return np.asarray(self.spread @ self.spread.T)


def fit_change(response: Array, difference: Array, covariance: Array, prior: Prior) -> Fit:
    r"""Return the change whose response explains `difference` no better than its noise allows.

    With whitened difference y and response X of a root of the prior, and the singular values D of X, the amplitude
    maximises the evidence

    .. math:: -2 \ln p(y) = \sum_i \ln(1 + a^2 D_i^2) + \frac{z_i^2}{1 + a^2 D_i^2}

    where z are the components of y along the left singular vectors.

    Source: D. J. C. MacKay, Neural Comput. 4, 415 (1992), doi:10.1162/neco.1992.4.3.415.

    Parameters
    ----------
    response : ndarray, shape (m, n)
        Change of each datum with the change of each point, in 1/kT.
    difference : ndarray, shape (m,)
        What the change is to bring about.
    covariance : ndarray, shape (m, m)
        Of the noise of `difference`.
    prior : Prior
        The candidate that suits best is taken.

    Examples
    --------
    >>> r = np.linspace(0.0, 1.0, 30)
    >>> prior = Prior(np.zeros(30), tuple(start_prior(r, None, 0)))
    >>> wanted = (1.0 - r) ** 3
    >>> fit = fit_change(np.eye(30), wanted, 1e-6 * np.eye(30), prior)
    >>> bool(np.max(np.abs(fit.change - wanted)) < 0.005)
    True
    """
    from scipy.linalg import solve_triangular

    root = np.linalg.cholesky(covariance)
    y = solve_triangular(root, difference - response @ prior.mean, lower=True)
    whitened = solve_triangular(root, response, lower=True)
    fits = [_fit(y, whitened @ one, one, prior, number) for number, one in enumerate(prior.roots)]
    return min(fits, key=lambda item: item[0])[1]


def _fit(y: Array, x: Array, basis: Array, prior: Prior, candidate: int) -> tuple[float, Fit]:
    """Return the cost of the best amplitude, and the change."""
    from scipy.linalg import svd

    left, singular, right = svd(x, full_matrices=False)
    z = left.T @ y
    growth = 1.0 + (prior.amplitudes.values[:, None] * singular) ** 2
    costs = np.sum(np.log(growth) + z**2 / growth, axis=1) + prior.amplitudes.costs
    best = int(np.argmin(costs))
    amplitude = float(prior.amplitudes.values[best])
    kept = 1.0 - 1.0 / growth[best]
    weights = right.T @ np.divide(kept * z, singular, out=np.zeros_like(z), where=singular > 0.0)
    misfit = float(np.sum((y - left @ (kept * z)) ** 2)) / y.size
    # The weights that X sees are known to 1 / growth of their variance before, all others as before.
    shrunk = basis + (basis @ right.T) * (np.sqrt(1.0 / growth[best]) - 1.0) @ right
    fit = Fit(
        prior.mean + basis @ weights, float(kept.sum()), misfit, amplitude, candidate, amplitude * shrunk
    )
    return float(costs[best]) + float(y @ y - z @ z), fit


def together(parts: Sequence[Sequence[Array]]) -> tuple[Array, ...]:
    """Return the roots of several independent potentials as one: the first of all, the second of all, ...

    A start that states its errors has fewer shapes; they go round.
    """
    from scipy.linalg import block_diag

    return tuple(
        np.asarray(block_diag(*(own[number % len(own)] for own in parts)), dtype=np.float64)
        for number in range(max(len(own) for own in parts))
    )
