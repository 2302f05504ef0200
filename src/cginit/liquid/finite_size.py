r"""What a finite number of beads does to g(r), and how to undo it.

In a periodic box with a fixed number N of beads a bead here is missing elsewhere: with pairs counted against the
N - 1 others, as `cginit.sampling` does, g does not approach 1 at large r but :math:`1 + (1 - S(0))/N`. That is
0.002 for a dense liquid of 500 beads, far below the noise of a point; but it is the same for all points, and
:math:`4\pi\rho \int h r^2 dr` of a liquid, whose S(0) is a few hundredths, feels it as a multiple of itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array
from cginit.errors import InputError
from cginit.liquid.ornstein_zernike import invert

__all__ = ["compressibility_limit", "infinite_system"]

#: S(0) enters divided by the number of beads: above this the fluid is near-critical, and more is not believed.
LARGEST = 3.0
#: Inversions; each takes up what the last left by rho V/N of it, V being the sphere that g covers.
ROUNDS = 2


def infinite_system(g: ArrayLike, beads: float, s_0: float) -> Array:
    r"""Return g ``(n,)`` of an infinite system from that of N beads in a periodic box.

    .. math:: g_\infty(r) = g_N(r) \, \frac{1 - 1/N}{1 - S(0)/N}

    This is the leading term at large r; near contact the change of g with density adds another of order 1/N, which
    is not known from g alone and has no part in the long-wave limit.

    Parameters
    ----------
    g : array_like, shape (n,)
        Normalised with the N - 1 other beads (an ideal gas gives 1).
    beads : float
        N.
    s_0 : float
        Structure factor at k = 0.

    Raises
    ------
    InputError
        If there are fewer than two beads.

    References
    ----------
    J. L. Lebowitz and J. K. Percus, Phys. Rev. 122, 1675 (1961), doi:10.1103/PhysRev.122.1675.

    Examples
    --------
    >>> infinite_system([1.002], 500, 0.0).round(6).tolist()
    [0.999996]
    """
    if not beads > 1.0:
        raise InputError(f"a g(r) needs at least 2 beads, not {beads:g}")
    scale = (1.0 - 1.0 / beads) / (1.0 - min(max(s_0, 0.0), LARGEST) / beads)
    return np.asarray(g, dtype=np.float64) * scale


def compressibility_limit(
    r: ArrayLike, g: ArrayLike, density: float, beads: float, error: ArrayLike | None = None
) -> float:
    """Return S(0) of the infinite system whose g(r) was sampled with some number of beads.

    It follows from the Ornstein-Zernike inversion of the corrected g, and the correction from it, in turns.

    Parameters
    ----------
    r, g, density, error
        See `cginit.liquid.ornstein_zernike.invert`.
    beads : float
        Number of beads.

    Raises
    ------
    ConvergenceError
        If the inversion has no solution.

    Examples
    --------
    >>> r = np.linspace(0.05, 4, 80)
    >>> round(compressibility_limit(r, np.ones(80), 0.1, 500), 6)
    1.0
    """
    s_0 = 0.0
    for _ in range(ROUNDS):
        s_0 = float(invert(r, infinite_system(g, beads, s_0), density, error=error).s_k[0])
    return s_0
