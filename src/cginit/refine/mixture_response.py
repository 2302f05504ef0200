r"""How all g(r) of a mixture answer to a change of any of its potentials, by the matrix Ornstein-Zernike equation.

As for one species (see `cginit.refine.response`), the closure
:math:`g_{ab} = \exp(-U_{ab}/kT + \gamma_{ab} + B_{ab})` is used for differences around a measured mixture only, with
:math:`B = \alpha_{ab} B_{MV}(\gamma)`, whose factor the simulated potential calibrates for each pair. With
:math:`X_{ab} = \sqrt{\rho_a \rho_b}\, \hat c_{ab}` and :math:`H_{ab} = \sqrt{\rho_a \rho_b}\, \hat h_{ab}` the
matrices obey :math:`1 + H = S = (1 - X)^{-1}`, so that :math:`\delta H = S\, \delta X\, S`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from cginit.curves import RDF, Array
from cginit.liquid import RadialGrid
from cginit.liquid.mixture import MixtureInversion, invert_mixture
from cginit.refine.damped_newton import damped_newton
from cginit.refine.response import (
    MAX_RESPONDING,
    PADDING,
    RESPONDING,
    bridge,
    bridge_slope,
    continued_grid,
    fitted_factor,
    follow,
    nodes,
    whole_g,
)

Pair = tuple[str, str]

__all__ = [
    "MixtureFluid",
    "MixtureResponse",
    "infinite_mixture",
    "measured_mixture",
    "mixture_jacobian",
    "pair_indices",
]


def pair_indices(species: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers ``(pairs,)`` of the two species of each pair, in the order of all tables of pairs."""
    rows, columns = np.array(list(combinations_with_replacement(range(species), 2)), dtype=np.intp).T
    return rows, columns


@dataclass(frozen=True, eq=False)
class MixtureFluid:
    """The measured g(r) of a mixture and what the matrix Ornstein-Zernike equation makes of them.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Nodes of the measurement without r = 0.
    u : ndarray, shape (pairs, n)
        HNC potentials -ln g + gamma in kT; inf where g = 0.
    grid : RadialGrid
        The long grid that continues the nodes.
    g, gamma : ndarray, shape (pairs, m)
        g and indirect correlations on the long grid.
    s_k : ndarray, shape (m, species, species)
        Partial structure factors.
    densities : ndarray, shape (species,)
        Number densities.
    """

    r: Array
    u: Array
    grid: RadialGrid
    g: Array
    gamma: Array
    s_k: Array
    densities: Array

    @property
    def roots(self) -> Array:
        """sqrt(rho_a rho_b) ``(pairs,)``."""
        a, b = pair_indices(self.densities.size)
        return np.asarray(np.sqrt(self.densities[a] * self.densities[b]))

    def bridge_factors(self, potentials: list[Array]) -> Array:
        """Return for each pair the factor of `bridge` that explains its g with its potential ``(n,)`` in kT."""
        return np.array(
            [fitted_factor(self.g[p], self.gamma[p], u) for p, u in enumerate(potentials)], dtype=np.float64
        )

    def response(self, factors: Array) -> MixtureResponse:
        """Return the response around this fluid with the bridge functions times `factors` ``(pairs,)``."""
        return MixtureResponse(self, factors, self.gamma, self.g, self.s_k)


def infinite_mixture(g: Array, s_0: Array, counts: Array) -> Array:
    r"""Return g ``(pairs, n)`` of an infinite system from those of a closed box with `counts` ``(species,)`` beads.

    In a closed box, whose g of like beads are normalised with the others of their species, they tend to

    .. math:: g_{ab} \to 1 + \frac{\delta_{ab}}{N_a} - \frac{S_{ab}(0)}{\sqrt{N_a N_b}}.

    Source: J. L. Lebowitz and J. K. Percus, Phys. Rev. 122, 1675 (1961), doi:10.1103/PhysRev.122.1675, whose one
    species gives :math:`1 + (1 - S_0)/N`.

    Examples
    --------
    Labels of an ideal gas, S = 1: nothing is to be corrected.

    >>> infinite_mixture(np.ones((3, 2)), np.eye(2), np.array([10.0, 20.0]))
    array([[1., 1.],
           [1., 1.],
           [1., 1.]])
    """
    a, b = pair_indices(counts.size)
    offset = np.where(a == b, 1.0 / counts[a], 0.0) - s_0[a, b] / np.sqrt(counts[a] * counts[b])
    return np.asarray(g * (1.0 - offset)[:, None])


def measured_mixture(
    curves: Mapping[Pair, RDF], densities: Mapping[str, float], counts: Mapping[str, int] | None = None
) -> MixtureFluid:
    """Invert the measured g(r) of all pairs; `counts` of beads, where known, correct for the closed box.

    Raises
    ------
    ConvergenceError
        If no positive structure factors have these g(r).
    """
    species = list(densities)
    pairs = list(combinations_with_replacement(species, 2))
    placed = [nodes(curves[pair].with_core()) for pair in pairs]
    r = placed[0][0]
    g, error = np.array([one[1] for one in placed]), np.array([one[2] for one in placed])

    def inverted(values: Array) -> MixtureInversion:
        return invert_mixture(
            r,
            dict(zip(pairs, values, strict=True)),
            densities,
            error=dict(zip(pairs, error, strict=True)),
        )

    found = inverted(g)
    if counts is not None:
        beads = np.array([counts[name] for name in species], dtype=np.float64)
        # S(0) of the uncorrected g carries the offset itself, times all beads in range; S at the smallest wave number
        # of the box hardly does. Two rounds settle it.
        edge = (beads.sum() / sum(densities.values())) ** (1.0 / 3.0)
        for _ in range(2):
            s_0 = found.s_k[int(np.searchsorted(found.k, 2.0 * np.pi / edge))]
            found = inverted(infinite_mixture(g, s_0, beads))
    rho = np.array([densities[name] for name in species], dtype=np.float64)
    a, b = pair_indices(rho.size)
    root = np.sqrt(rho[a] * rho[b])[:, None]
    grid = continued_grid(found.r, found.k, float(r[1] - r[0]))
    unity = np.eye(rho.size)
    h = grid.inverse((found.s_k - unity)[:, a, b].T / root)
    c = grid.inverse((unity - np.linalg.inv(found.s_k))[:, a, b].T / root)
    gamma = h - c
    u = np.array([found.u[pair] for pair in pairs])
    inside = np.array([found.h[pair] - found.c[pair] for pair in pairs])
    return MixtureFluid(found.r, u, grid, whole_g(h, u, inside), gamma, found.s_k, rho)


@dataclass(frozen=True, eq=False)
class MixtureResponse:
    """The mixture after a change of its potentials, and how it responds to the next.

    Attributes
    ----------
    fluid : MixtureFluid
        The measured mixture, from which changes count.
    factors : ndarray, shape (pairs,)
        Factors of the bridge functions.
    gamma, g : ndarray, shape (pairs, m)
        Correlations of the changed mixture on the long grid.
    s_k : ndarray, shape (m, species, species)
        Its partial structure factors.
    change : ndarray, shape (pairs, n), or None
        By how much its potentials differ from the measured ones, in kT; None for the measured mixture.
    """

    fluid: MixtureFluid
    factors: Array
    gamma: Array
    g: Array
    s_k: Array
    change: Array | None = None

    def jacobian(self, size: int) -> Array:
        """Return the response of every g to every potential at the first `size` nodes; see `mixture_jacobian`."""
        pairs, m = self.g.shape
        n = min(m, max(size, min(round(RESPONDING * size), 2 * MAX_RESPONDING // pairs)))
        slope = 1.0 + self.factors[:, None] * bridge_slope(self.gamma[:, :n])
        grid = self.fluid.grid
        return mixture_jacobian(
            grid.r[:n], self.g[:, :n], grid.k, self.s_k, self.fluid.densities, size, slope
        )

    def at(self, change: Array, core: Array) -> MixtureResponse:
        r"""Return the mixture whose potentials differ from the measured ones by `change` ``(pairs, n)`` in kT.

        Newton's method for all :math:`\gamma_{ab}` at once, started from this mixture, by way of the potentials in
        between where it does not find the solution at once. `core` ``(pairs, n)`` are the energies in kT that stand
        where a measured g is 0.

        Raises
        ------
        ConvergenceError
            If the equations have no solution, or none that this way leads to.
        """
        begin = np.zeros(change.shape) if self.change is None else self.change
        return follow(self, begin, change, lambda model, trial: model.solve(trial, core))

    def solve(self, change: Array, core: Array) -> MixtureResponse:
        """Return what `at` returns, by Newton's method from this mixture alone.

        Raises
        ------
        ConvergenceError
            If that does not find a solution.
        """
        fluid, grid = self.fluid, self.fluid.grid
        n = change.shape[1]
        factors = self.factors[:, None]
        with np.errstate(divide="ignore"):
            v = fluid.gamma + factors * bridge(fluid.gamma) - np.log(fluid.g)
        v = np.where(fluid.g > 0.0, v, 0.0)
        v[:, :n] = np.where(fluid.g[:, :n] > 0.0, v[:, :n], core) + change
        matrices = _Matrices(grid, fluid.densities)

        def evaluate(x: Array) -> tuple[Array, MixtureResponse | None]:
            gamma = x / grid.r
            with np.errstate(over="ignore", invalid="ignore"):
                g = np.exp(np.minimum(gamma + factors * bridge(gamma) - v, 50.0))
                direct = matrices.of(g - 1.0 - gamma)
            if not np.all(np.isfinite(direct)):
                return x, None
            inverse = np.eye(fluid.densities.size) - direct
            try:
                np.linalg.cholesky(inverse)
            except np.linalg.LinAlgError:
                return x, None
            s = np.asarray(np.linalg.inv(inverse), dtype=np.float64)
            return matrices.back(s + inverse) - x, MixtureResponse(fluid, self.factors, gamma, g, s, change)

        def linear(state: MixtureResponse) -> Callable[[Array], Array]:
            s = state.s_k
            slope = state.g * (1.0 + factors * bridge_slope(state.gamma)) - 1.0

            def product(y: Array) -> Array:
                y = y.reshape(slope.shape)
                moved = matrices.of(slope * y / grid.r)
                return np.asarray(matrices.back(s @ moved @ s - moved, bare=True) - y).ravel()

            return product

        return damped_newton(
            grid.r * self.gamma,
            evaluate,
            linear,
            length=float(fluid.densities.sum()) ** (-1.0 / 3.0),
            name="mixture",
        )


@dataclass(frozen=True, eq=False)
class _Matrices:
    """Curves of all pairs as matrices at each wave number, scaled by the densities, and back."""

    grid: RadialGrid
    densities: Array

    def of(self, curves: Array) -> Array:
        """Return sqrt(rho_a rho_b) times the transforms ``(m, species, species)`` of curves ``(pairs, m)``."""
        a, b = pair_indices(self.densities.size)
        k = (np.sqrt(self.densities[a] * self.densities[b])[:, None] * self.grid.forward(curves)).T
        found = np.empty((self.grid.n, self.densities.size, self.densities.size))
        found[:, a, b] = found[:, b, a] = k
        return found

    def back(self, matrices: Array, *, bare: bool = False) -> Array:
        """Return r times the curves ``(pairs, m)`` of symmetric matrices, from which 2 is taken unless `bare`.

        With S and 1 - X that is gamma: S - 1 - X = S + (1 - X) - 2.
        """
        a, b = pair_indices(self.densities.size)
        k = matrices[:, a, b].T
        if not bare:
            k = k - 2.0 * (a == b)[:, None]
        return np.asarray(
            self.grid.r * self.grid.inverse(k / np.sqrt(self.densities[a] * self.densities[b])[:, None]),
            dtype=np.float64,
        )


def mixture_jacobian(
    r: Array, g: Array, k: Array, s_k: Array, densities: Array, size: int, slope: Array
) -> Array:
    r"""Return :math:`-\partial g_{ab}(r_i) / \partial (U_{cd}(r_j)/kT)` of all pairs at the first `size` nodes.

    From the closure and the matrix Ornstein-Zernike equation,

    .. math:: \delta h_{ab} = g_{ab}\,(-\delta U_{ab}/kT + b_{ab} (\delta h_{ab} - \delta c_{ab})), \qquad
              \delta X = S^{-1}\, \delta H\, S^{-1}.

    Source: of one species, F. Delbary, M. Hanke and D. Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020),
    arXiv:1806.11135.

    Parameters
    ----------
    r : ndarray, shape (n,)
        Nodes that respond, from the first at or below the step.
    g, slope : ndarray, shape (pairs, n)
        g and b = 1 + dB/dgamma on them.
    k : ndarray, shape (m,)
        Wave numbers.
    s_k : ndarray, shape (m, species, species)
        Partial structure factors; interpolated to the wave numbers needed.
    densities : ndarray, shape (species,)
        Number densities.
    size : int
        Nodes wanted, at most n.

    Returns
    -------
    ndarray, shape (pairs * size, pairs * size)
        Pair by pair.

    Examples
    --------
    Without correlations the response is that of an ideal gas.

    >>> r = np.arange(1, 21) * 0.2
    >>> ones = np.ones((3, 20))
    >>> ideal = mixture_jacobian(
    ...     r, ones, np.array([0.0, 100.0]), np.tile(np.eye(2), (2, 1, 1)), np.ones(2), 20, ones
    ... )
    >>> bool(np.allclose(ideal, np.eye(60)))
    True
    """
    from scipy.linalg import solve

    pairs, n = g.shape
    a, b = pair_indices(densities.size)
    grid = RadialGrid.covering(r, PADDING * n)
    inverse = np.linalg.inv(s_k)
    unity = np.eye(densities.size)
    at = np.empty((grid.n, densities.size, densities.size))
    for i in range(densities.size):
        for j in range(densities.size):
            at[:, i, j] = np.interp(grid.k, k, inverse[:, i, j], right=unity[i, j])
    scale = 0.5 * grid.dr * grid.dk / np.pi
    waves = grid.sine(np.eye(n, grid.n))
    ratio = r[None, :] / r[:, None]
    root = np.sqrt(densities[a] * densities[b])
    system = np.eye(pairs * n)
    for p in range(pairs):
        rows = slice(p * n, (p + 1) * n)
        seen = (g[p] * slope[p])[:, None]
        system[rows, rows] -= np.diag(seen[:, 0])
        for q in range(pairs):
            # The two orders of an unlike pair both lie in dH.
            weight = at[:, a[p], a[q]] * at[:, b[q], b[p]]
            if a[q] != b[q]:
                weight = weight + at[:, a[p], b[q]] * at[:, a[q], b[p]]
            filtered = scale * (root[q] / root[p]) * grid.sine(weight * waves)[:, :n] * ratio
            system[rows, q * n : (q + 1) * n] += seen * filtered
    chosen = (np.arange(pairs)[:, None] * n + np.arange(size)).ravel()
    source = np.zeros((pairs * n, pairs * size))
    source[chosen, np.arange(pairs * size)] = g[:, :size].ravel()
    return np.asarray(solve(system, source, check_finite=False)[chosen], dtype=np.float64)
