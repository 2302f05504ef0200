r"""How far off a guess by a closure is: what -kT ln g, HNC and Percus-Yevick leave out, from g and the density alone.

The exact relation is :math:`U/kT = -\ln g + \gamma + B` with the indirect correlations :math:`\gamma = h - c`
and the bridge function B. Boltzmann inversion leaves out :math:`\gamma`; HNC leaves out B, of which Verlet's
closure gives the size, :math:`\tfrac12 \gamma^2 / (1 + 0.8 |\gamma|)`. The standard error

.. math:: \sigma^2 = \sigma_{\mathrm{noise}}^2 + [a\, x(\gamma(r) - \gamma(r_c))]^2 + [b\, x(\bar\gamma(r))]^2

has the one or the other as x, and the root mean square :math:`\bar\gamma` from r to the cut-off, because an
error there is one everywhere once U(r_c) is 0. Its two factors are those with which the band of 90 % holds 90 %
of the true potentials of the training points of the data set; `benchmarks/guess_error.py` finds them, and tries
them on the test points.

Source of the bridge function: L. Verlet, Mol. Phys. 41, 183 (1980), doi:10.1080/00268978000102671.
"""

from __future__ import annotations

import numpy as np

from cginit.curves import Array
from cginit.guess.assembly import VisibleTarget
from cginit.liquid.fourier import RadialGrid, sine_nodes

__all__ = ["FACTORS", "SMALLEST", "closure_error", "sizes"]

#: The factors a and b of each method.
FACTORS = {"boltzmann": (0.60, 1.52), "hnc": (2.38, 14.47), "py": (2.11, 15.68)}
#: No guess is nearer than this, in kT: bins and grids alone leave as much.
SMALLEST = 1e-3
#: Structure factors below this are noise; the transform has so many times the nodes of g.
LEAST_S, LONGER = 0.02, 4


def closure_error(visible: VisibleTarget, density: float, r_cut: float, method: str) -> Array:
    """Return the standard error ``(n,)`` in kT of the guess of a method on the grid of g; 0 beyond the cut-off.

    Below the first visible point, where U is extrapolated, it stays what it is there.

    Parameters
    ----------
    visible : VisibleTarget
    density : float
        In the inverse cube of the length unit.
    r_cut : float
    method : {"boltzmann", "hnc", "py"}
    """
    here, further = sizes(visible, density, r_cut, method)
    a, b = FACTORS[method]
    g = visible.target.g
    noise = visible.error / np.where(g > 0.0, g, np.inf)
    error = np.sqrt(noise**2 + (a * here) ** 2 + (b * further) ** 2 + SMALLEST**2)
    error[: visible.first] = error[visible.first]
    return np.where(visible.target.r <= r_cut * (1.0 + 1e-9), error, 0.0)


def sizes(visible: VisibleTarget, density: float, r_cut: float, method: str) -> tuple[Array, Array]:
    """Return x of gamma at each distance, and of its root mean square from there to the cut-off, ``(n,)`` each."""
    r = visible.target.r
    inside = int(np.searchsorted(r, r_cut * (1.0 + 1e-9), side="right"))
    gamma = _indirect_correlations(visible, density)
    gamma = gamma - gamma[inside - 1]
    squares = np.cumsum(gamma[:inside][::-1] ** 2) / np.arange(1, inside + 1)
    further = np.zeros(r.size)
    further[:inside] = np.sqrt(squares[::-1])
    if method == "boltzmann":
        return np.abs(gamma), further
    return _bridge(gamma), _bridge(further)


def _bridge(gamma: Array) -> Array:
    return np.asarray(0.5 * gamma**2 / (1.0 + 0.8 * np.abs(gamma)))


def _indirect_correlations(visible: VisibleTarget, density: float) -> Array:
    """Return the transform of rho h^2 / S back in space; always one, also where no potential has this g."""
    r = visible.target.r
    nodes, g, _ = sine_nodes(r, visible.target.g, visible.error)
    grid = RadialGrid.covering(nodes, LONGER * nodes.size)
    h = np.where(grid.r <= nodes[-1] * (1.0 + 1e-9), np.interp(grid.r, nodes, g) - 1.0, 0.0)
    h_k = grid.forward(h)
    s_k = np.maximum(1.0 + density * h_k, LEAST_S)
    return np.asarray(np.interp(r, grid.r, grid.inverse(density * h_k**2 / s_k)))
