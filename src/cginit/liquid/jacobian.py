"""The derivative of all g(r) of a liquid by all of its potentials, by a closure."""

from __future__ import annotations

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.matrices import inverse, pair_indices

__all__ = ["jacobian"]

#: Length of the transform in multiples of the range of the nodes that respond.
PADDING = 6


def jacobian(r: Array, g: Array, k: Array, s_k: Array, densities: Array, size: int, slope: Array) -> Array:
    r"""Return :math:`-\partial g_{ab}(r_i) / \partial (U_{cd}(r_j)/kT)` at all nodes, by U at the first `size`.

    From the closure and the matrix Ornstein-Zernike equation,

    .. math:: \delta h_{ab} = g_{ab}\,(-\delta U_{ab}/kT + b_{ab} (\delta h_{ab} - \delta c_{ab})), \qquad
              \delta X = S^{-1}\, \delta H\, S^{-1}, \qquad b = 1 + dB/d\gamma.

    Source: of one species, F. Delbary, M. Hanke and D. Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020),
    arXiv:1806.11135, for the hypernetted chain, b = 1.

    Parameters
    ----------
    r : ndarray, shape (n,)
        Nodes that respond, from the first at or below the step.
    g, slope : ndarray, shape (pairs, n)
        g and b on them.
    k : ndarray, shape (m,)
        Wave numbers.
    s_k : ndarray, shape (m, species, species)
        Partial structure factors; interpolated to the wave numbers needed.
    densities : ndarray, shape (species,)
        Number densities.
    size : int
        Nodes of the potentials, at most n.

    Returns
    -------
    ndarray, shape (pairs * n, pairs * size)
        Pair by pair.

    Examples
    --------
    Without correlations the response is that of an ideal gas.

    >>> r = np.arange(1, 21) * 0.2
    >>> ones = np.ones((3, 20))
    >>> ideal = jacobian(r, ones, np.array([0.0, 100.0]), np.tile(np.eye(2), (2, 1, 1)), np.ones(2), 20, ones)
    >>> bool(np.allclose(ideal, np.eye(60)))
    True
    """
    from scipy.linalg import solve

    pairs, n = g.shape
    a, b = pair_indices(densities.size)
    grid = RadialGrid.covering(r, PADDING * n)
    at = _inverse_structure(grid.k, k, s_k)
    root = np.sqrt(densities[a] * densities[b])
    system = np.eye(pairs * n)
    for p in range(pairs):
        rows = slice(p * n, (p + 1) * n)
        seen = g[p] * slope[p]
        np.fill_diagonal(system[rows, rows], 1.0 - seen)
        for q in range(pairs):
            # The two orders of an unlike pair both lie in dH.
            weight = at[:, a[p], a[q]] * at[:, b[q], b[p]]
            if a[q] != b[q]:
                weight = weight + at[:, a[p], b[q]] * at[:, a[q], b[p]]
            # The filter acts on r h; what is wanted acts on h itself.
            filtered = grid.filter_matrix(weight, n)
            filtered *= (root[q] / root[p]) * (seen / r)[:, None]
            filtered *= r
            system[rows, q * n : (q + 1) * n] += filtered
    chosen = (np.arange(pairs)[:, None] * n + np.arange(size)).ravel()
    source = np.zeros((pairs * n, pairs * size))
    source[chosen, np.arange(pairs * size)] = g[:, :size].ravel()
    found = solve(system, source, overwrite_a=True, overwrite_b=True, check_finite=False)
    return np.asarray(found, dtype=np.float64)


def _inverse_structure(wanted: Array, k: Array, s_k: Array) -> Array:
    """Return the inverse of S ``(m, s, s)`` at the wave numbers `wanted` ``(m,)``; unity beyond those known."""
    known = inverse(s_k)
    if known is None:
        raise ConvergenceError(
            "a structure factor is not positive; the response of such a liquid is not defined"
        )
    species = s_k.shape[-1]
    found = np.empty((wanted.size, species, species))
    for i in range(species):
        for j in range(species):
            found[:, i, j] = np.interp(wanted, k, known[:, i, j], right=float(i == j))
    return found
