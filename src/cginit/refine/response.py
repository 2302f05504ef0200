r"""How g(r) answers to a change of U(r) in the hypernetted-chain approximation around a measured fluid.

The closure is used only for differences. The inversion of a measured g gives the potential :math:`U_{HNC}[g]`;
what separates it from the potential that was simulated is the bridge function, which changes little
from one iteration to the next and is kept. So

.. math:: G(\Delta U) = g_{HNC}[U_{HNC}[g_n] + \Delta U]

is exact at :math:`\Delta U = 0`, and its derivative is the Jacobian of the HNC-Newton methods.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import ConvergenceError
from cginit.liquid import ForwardSolution, RadialGrid, estimate_noise, invert, solve

__all__ = ["Fluid", "infinite_system", "jacobian", "measured_fluid", "respond"]

#: Length of the transform in multiples of the range of g.
PADDING = 6
#: Largest number of nodes whose correlations respond; beyond them the change of h is neglected.
MAX_RESPONDING = 1200
#: U is at most this high in kT where the closure is solved: exp(-80) is 0 for every purpose.
HIGHEST = 80.0


@dataclass(frozen=True, eq=False)
class Fluid:
    """A measured g(r) seen through the HNC closure, on nodes that are multiples of (half) the step.

    Attributes
    ----------
    r, g, h, gamma : ndarray, shape (n,)
        Nodes without r = 0, the measured g, and the smoothed total and indirect correlations.
    u : ndarray, shape (n,)
        HNC potential in kT; inf where g = 0.
    k, s_k : ndarray, shape (m,)
        Structure factor.
    density : float
        Number density.
    """

    r: Array
    g: Array
    h: Array
    gamma: Array
    u: Array
    k: Array
    s_k: Array
    density: float

    @property
    def s_0(self) -> float:
        """S at the smallest wave number."""
        return float(self.s_k[0])


def infinite_system(g: Array, s_0: float, beads: int) -> Array:
    r"""Return g ``(n,)`` of an infinite system from that of `beads` in a closed box, normalised with the others.

    In a closed box g tends to :math:`1 + (1 - S_0)/N`. So small an offset matters at small k, where it is
    multiplied by all beads within the range of g.

    Source: J. L. Lebowitz and J. K. Percus, Phys. Rev. 122, 1675 (1961), doi:10.1103/PhysRev.122.1675.
    """
    return g * (1.0 - (1.0 - s_0) / beads)


def measured_fluid(curve: RDF, density: float, beads: int | None = None) -> Fluid:
    """Invert a measured g(r); `beads`, where known, corrects for the size of the closed box.

    Raises
    ------
    ConvergenceError
        If no positive structure factor has this g(r).
    """
    r, g, error = _nodes(curve.with_core())
    found = invert(r, g, density, "hnc", error=error)
    if beads is not None:
        # S(0) of the uncorrected g is too large by the offset times the beads in range; two rounds settle it.
        for _ in range(2):
            s_0 = float(np.clip(found.s_k[0], 0.0, 2.0))
            found = invert(r, infinite_system(g, s_0, beads), density, "hnc", error=error)
    g = g[g.size - found.r.size :]
    return Fluid(found.r, g, found.h, found.gamma, found.u, found.k, found.s_k, density)


def _nodes(curve: RDF) -> tuple[Array, Array, Array]:
    """Put g and its error on multiples of the step, where they are not on such of half the step already."""
    error = estimate_noise(curve.r, curve.g) if curve.error is None else curve.error
    halves = 2.0 * float(curve.r[0]) / curve.dr
    if abs(halves - round(halves)) < 1e-3:
        return curve.r, curve.g, error
    from scipy.interpolate import PchipInterpolator

    nodes = np.arange(1, int(curve.r[-1] / curve.dr) + 1) * curve.dr
    inside = np.maximum(nodes, curve.r[0])
    values = PchipInterpolator(curve.r, curve.g)(inside)
    return nodes, np.maximum(values, 0.0), np.interp(nodes, curve.r, error)


def jacobian(r: Array, g: Array, k: Array, s_k: Array, size: int) -> Array:
    r"""Return :math:`-\partial g_i / \partial (U_j/kT)` ``(size, size)`` at the first `size` nodes.

    From the closure and the Ornstein-Zernike equation, with S = 1 + rho h,

    .. math:: \delta h = g\,(-\delta U/kT + \delta h - \delta c), \qquad \delta \hat c = S^{-2}\, \delta \hat h.

    Source: F. Delbary, M. Hanke and D. Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020),
    arXiv:1806.11135.

    Parameters
    ----------
    r, g : ndarray, shape (n,)
        Nodes that respond, from the first at or below the step, and g on them.
    k, s_k : ndarray, shape (m,)
        Structure factor; interpolated to the wave numbers needed.
    size : int
        Nodes wanted, at most n.

    Examples
    --------
    Without correlations the response is that of an ideal gas.

    >>> r = np.arange(1, 41) * 0.1
    >>> ideal = jacobian(r, np.ones(40), np.array([0.0, 100.0]), np.ones(2), 40)
    >>> bool(np.allclose(ideal, np.eye(40)))
    True
    """
    from scipy.fft import dst
    from scipy.linalg import solve as solve_linear

    n = min(r.size, max(MAX_RESPONDING, size))
    grid = RadialGrid.covering(r, PADDING * r.size)
    weight = np.interp(grid.k, k, s_k, right=1.0) ** -2.0
    kind = 4 if grid.half else 1
    waves = dst(np.eye(n, grid.n), type=kind, axis=1) * weight
    scale = 0.5 * grid.dr * grid.dk / np.pi
    # The filter acts on r h; what is wanted acts on h itself.
    filtered = scale * dst(waves, type=kind, axis=1)[:, :n] * (r[None, :n] / r[:n, None])
    system = np.eye(n) - g[:n, None] * (np.eye(n) - filtered)
    response: Array = solve_linear(system, np.eye(n, size) * g[:n, None], check_finite=False)
    return response[:size]


def respond(
    fluid: Fluid, core: Array, change: Array, start: ForwardSolution | None = None
) -> ForwardSolution:
    """Return the HNC fluid of ``fluid.u + change``, both ``(n,)`` in kT; `core` stands where g = 0.

    Raises
    ------
    ConvergenceError
        If the closure has no solution there.
    """
    u = np.where(np.isfinite(fluid.u), fluid.u, core) + change
    if not np.all(np.isfinite(u)):
        raise ConvergenceError("the reference potential of the closure is not finite")
    return solve(fluid.r, np.clip(u, -HIGHEST, HIGHEST), fluid.density, "hnc", start=start)
