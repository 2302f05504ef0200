r"""HNC for a potential in network sigmas, from which a network has to learn no more than the bridge function.

With the bridge function B(r) of the fluid,

.. math:: g = \exp(-U/kT + \gamma + B),

g is that of HNC for the potential :math:`U - kT B`, so that one solver serves both.
"""

from __future__ import annotations

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.extrapolate import resampled
from cginit.liquid.forward import ForwardSolution, solve
from cginit.models.grid import BRIDGE_POINTS, RANGE, bridge_grid

__all__ = ["CAP", "fine_grid", "fine_potential", "gamma_at_points", "solve_corrected"]

#: Step of the integral equation in sigma, a divisor of that of the networks' points.
STEP = 0.02
#: Energies in kT above which a core is a core.
CAP = 1e3


def fine_grid() -> Array:
    """Return the uniform distances of the integral equation on [0, 5] sigma, shape (251,)."""
    return np.linspace(0.0, RANGE, round(RANGE / STEP) + 1)


def fine_potential(potential: PairPotential, length: float, kT: float) -> Array:
    """Return U/kT ``(251,)`` on `fine_grid` for a network sigma of `length`; 0 beyond the cut-off.

    Raises
    ------
    InputError
        If the potential reaches further than 5 of these sigmas.
    """
    return np.minimum(resampled(potential.reduced(length, kT), fine_grid(), 1.0).u, CAP)


def solve_corrected(
    u: Array, density: float, bridge: Array | None = None, start: ForwardSolution | None = None
) -> ForwardSolution:
    """Return the fluid of `u` ``(251,)`` in kT with the bridge function ``(101,)`` on the networks' points.

    Raises
    ------
    ConvergenceError
        If the equation has no solution.
    """
    from scipy.interpolate import CubicSpline

    fine = fine_grid()
    if bridge is not None:
        u = u - CubicSpline(bridge_grid(), bridge)(fine)
    return solve(fine, u, density, "hnc", start=start)


def gamma_at_points(solution: ForwardSolution) -> Array:
    """Return gamma ``(101,)`` on the networks' points; it is smooth, even through a core."""
    from scipy.interpolate import CubicSpline

    # An even function of r, which its mirror image continues to r = 0.
    n = int(np.searchsorted(solution.r, 1.1 * RANGE))
    r, gamma = solution.r[:n], solution.gamma[:n]
    spline = CubicSpline(np.concatenate([-r[::-1], r]), np.concatenate([gamma[::-1], gamma]))
    found = np.asarray(spline(bridge_grid()), dtype=np.float64)
    return found.reshape(BRIDGE_POINTS)
