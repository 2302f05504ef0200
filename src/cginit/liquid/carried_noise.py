"""What the errors of a g(r) make of the correlations that the Ornstein-Zernike inversion finds in it."""

from __future__ import annotations

import numpy as np

from cginit.curves import Array
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.matrices import definite_inverse
from cginit.liquid.ornstein_zernike import OZInversion

__all__ = ["carried_noise"]


def carried_noise(
    found: OZInversion, density: float, error: Array, noise_weight: float, at: Array, zero_at: float
) -> Array:
    r"""Return the standard error of :math:`\gamma(r) - \gamma(r_0)` by independent errors of g, to first order.

    A liquid of small S(k) answers to a change of g by a change of c that is :math:`1/S^2` times as large: errors of
    all points of g gather in the smooth part of :math:`\gamma = h - c`, and of the potential. With the response M of
    r h to r c, and the term :math:`\nu` that the inversion adds for the errors of g,

    .. math:: r\, \delta\gamma = [1 - (1 + \nu) (M + \nu)^{-1}]\; r\, \delta g.

    That c is continued beyond the range of g is left out. One species.

    Parameters
    ----------
    found : OZInversion
        Of g without S(k).
    density : float
        Number density in the inverse cube of the unit of r.
    error : ndarray, shape (n,)
        Standard errors of g on the distances of `found`; where g is 0 nothing is uncertain.
    noise_weight : float
        That of the inversion.
    at : ndarray, shape (m,)
        Distances; the nearest ones of `found` count.
    zero_at : float
        r_0: a potential is 0 at its cut-off.

    Examples
    --------
    Where beads hardly know of each other gamma is 0, whatever g is.

    >>> from cginit.liquid import invert
    >>> r = np.linspace(0.05, 4, 80)
    >>> found = invert(r, np.exp(-np.exp(-(r**2))), density=1e-6, error=np.full(80, 0.01))
    >>> bool(np.all(carried_noise(found, 1e-6, np.full(80, 0.01), 100.0, r, 3.0) < 1e-4))
    True
    """
    x = found.r * density ** (1.0 / 3.0)
    nodes = RadialGrid.covering(x, x.size)
    grid = RadialGrid(found.s_k.size, nodes.dr, nodes.half)
    first = grid.index(float(x[0]))
    # A part of the core that the grid of g leaves out is certain; r = 0 is no node.
    skipped, size = max(first, 0), first + x.size
    sigma = np.where(found.h > -1.0 + 1e-12, error, 0.0)
    nu = np.zeros(size)
    nu[skipped:] = noise_weight * 4.0 * np.pi * x**2 * grid.dr * sigma**2
    matrix = grid.filter_matrix(found.s_k**2, size)
    matrix.flat[:: size + 1] += nu
    rows = np.clip(
        np.searchsorted(found.r, np.append(at, zero_at) - 0.5 * (found.r[1] - found.r[0])), 0, x.size - 1
    )
    # Of the inverse, which is symmetric, the rows of the distances that are asked for.
    answer = -(1.0 + nu[skipped + rows]) * definite_inverse(matrix)[skipped:, skipped + rows]
    answer[rows, np.arange(rows.size)] += 1.0
    change = answer * (x * sigma)[:, None] / x[rows]
    return np.asarray(np.linalg.norm(change[:, :-1] - change[:, -1:], axis=0))
