r"""What is known of a potential before g(r) is looked at, as Gaussian processes.

A curve d(r) by which a potential may be wrong is smooth and vanishes at the cut-off. Its covariance is

.. math:: K(r, r') = s(r)\, s(r')\, \big[(1 - \nu) M_{5/2}(|r - r'| / l) + \nu\, M_{5/2}(|r - r'| / l_1)\big],

conditioned on d = 0 at the cut-off, with the size s, a length l, and a part :math:`\nu` that only neighbours share.
Two are in use: by how much a start that states its errors is wrong (`start_covariance`), and by how much any
potential may be wrong (`open_root`).

Source: C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006), equations
2.25, 2.26, 4.17.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array

__all__ = ["Posterior", "open_root", "posterior", "start_covariance"]

#: Length over which errors are correlated, as a part of the range in which g shows the potential.
LENGTH = 0.3
#: Length in steps of the part of the variance that only neighbours share, and that part: of any potential, and of a
#: start. ``benchmarks/guess_bands.py --correlation`` gives by how much errors of the default guess in units of the
#: stated ones go together over 0.05, 0.1, 0.25 and 0.6 sigma: 0.90, 0.84, 0.74 and 0.61 on the test potentials with
#: noise 0.001, 0.94, 0.88, 0.73 and 0.44 on smooth ones. With these numbers it is 0.95, 0.88, 0.75 and 0.45, of a
#: range of 2 sigma in steps of 0.05.
ROUGH_STEPS, ROUGH, ROUGH_START = 1.5, 0.05, 0.15
#: Largest stated error in kT that counts, where g all but vanishes, and smallest, that of a number in a table.
LARGEST, SMALLEST = 3.0, 1e-4
#: Size in kT of what any potential may be wrong by, at the first point that g shows; it falls to the cut-off, as the
#: errors of -ln g, HNC and the networks on the test points do. With it the band of 90 % holds the truth at 95 % of
#: the points of the liquids of ``benchmarks/refine/certainty.py`` with `bridge` 0.7, at 91 % with `bridge` 0.5.
OPEN = 0.35
#: Smallest part of the largest eigenvalue of a covariance that is kept.
KEPT = 1e-10


def start_covariance(r: Array, error: Array, first: int) -> Array:
    """Return the covariance ``(n, n)`` in kT^2 of the errors of a start that states them.

    Parameters
    ----------
    r : ndarray, shape (n,)
        Distances on a uniform grid, the last the cut-off.
    error : ndarray, shape (n,)
        Standard errors in kT.
    first : int
        First point that g shows; the range begins there.
    """
    reach = float(r[-1] - r[first])
    size = np.clip(error, SMALLEST, LARGEST)
    return _covariance(r, size, LENGTH * reach, ROUGH_START) + SMALLEST**2 * np.eye(r.size)


def open_root(r: Array, first: int) -> Array:
    """Return a root ``(n, p)`` of the covariance in kT^2 of what any potential may be wrong by.

    Below the point `first` the curves are constant: g shows nothing there.
    """
    reach = float(r[-1] - r[first])
    covariance = _covariance(r, OPEN * np.clip((r[-1] - r) / reach, 0.0, 1.0), LENGTH * reach, ROUGH)
    covariance[:first] = covariance[first]
    covariance[:, :first] = covariance[:, [first]]
    values, vectors = np.linalg.eigh(covariance)
    kept = values > KEPT * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _covariance(r: Array, size: Array, length: float, rough: float) -> Array:
    step = float(r[1] - r[0])
    correlation = (1.0 - rough) * _matern(r, length) + rough * _matern(r, ROUGH_STEPS * step)
    # Conditioned on no change at the cut-off.
    correlation = correlation - np.outer(correlation[:, -1], correlation[-1])
    return np.asarray(np.outer(size, size) * correlation)


def _matern(r: Array, length: float) -> Array:
    """Return the Matern correlation of order 5/2 ``(n, n)``, whose curves have continuous forces and curvatures."""
    x = np.sqrt(5.0) * np.abs(r[:, None] - r[None, :]) / length
    return np.asarray((1.0 + x + x**2 / 3.0) * np.exp(-x))


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of a change after g was looked at.

    Attributes
    ----------
    mean : ndarray, shape (n,)
        In kT.
    spread : ndarray, shape (n, p)
        Root of its covariance in kT^2.
    """

    mean: Array
    spread: Array


def posterior(response: Array, difference: Array, covariance: Array, root: Array) -> Posterior:
    """Return what data tell of a change that has the covariance of `root` before they are looked at.

    Parameters
    ----------
    response : ndarray, shape (m, n)
        Change of each datum with the change of each point, in 1/kT.
    difference : ndarray, shape (m,)
        What the change is to bring about.
    covariance : ndarray, shape (m, m)
        Of the noise of `difference`.
    root : ndarray, shape (n, p)
        From `open_root`.

    Examples
    --------
    A number that is known before and measured again to 1 is known to the square root of a half, and half-way.

    >>> one = np.eye(1)
    >>> found = posterior(one, np.ones(1), one, one)
    >>> float(found.mean[0]), round(float(found.spread[0, 0]), 3)
    (0.5, 0.707)
    """
    from scipy.linalg import solve_triangular, svd

    noise = np.linalg.cholesky(covariance)
    y = solve_triangular(noise, difference, lower=True)
    left, singular, right = svd(solve_triangular(noise, response @ root, lower=True), full_matrices=False)
    weights = right.T @ (singular / (1.0 + singular**2) * (left.T @ y))
    # What the data see of the weights is known better than before, all others as before.
    shrunk = root + (root @ right.T) * (1.0 / np.sqrt(1.0 + singular**2) - 1.0) @ right
    return Posterior(root @ weights, shrunk)
