r"""How g(r) answers to a change of U(r), from the Ornstein-Zernike equation around a measured fluid.

The closure :math:`g = \exp(-U/kT + \gamma + B)` is used only for differences. A measured g has an indirect
correlation :math:`\gamma = h - c`, whatever the closure, and with the potential that was simulated it has
a bridge function,

.. math:: B_n(r) = \ln g_n + U_n / kT - \gamma_n,

the very quantity that closures approximate. What is needed is how it changes with :math:`\gamma`. The hypernetted
chain keeps it as it is. Dense fluids of hard cores follow the modified Verlet form
:math:`B(\gamma) = -\gamma^2 / (2 + 1.6 \gamma)` closely, soft ones do not; so that form is taken with
the factor :math:`\alpha` that fits :math:`B_n` best, or less (`responding_factor`), and what it leaves of :math:`B_n`
stays as it is.

Source of the form: N. Choudhury and S. K. Ghosh, J. Chem. Phys. 116, 8517 (2002), doi:10.1063/1.1467894.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import ConvergenceError
from cginit.liquid import RadialGrid, estimate_noise, invert
from cginit.liquid.fourier import sine_nodes
from cginit.refine.damped_newton import damped_newton

__all__ = [
    "Fluid",
    "Response",
    "bridge",
    "bridge_slope",
    "continued_grid",
    "fitted_factor",
    "follow",
    "infinite_system",
    "jacobian",
    "measured_fluid",
    "nodes",
    "responding_factor",
    "whole_g",
]

Model = TypeVar("Model")

#: Length of the transform in multiples of the range of the nodes that respond.
PADDING = 6
#: Range of the response in multiples of the range of the change.
RESPONDING = 2.5
#: Largest number of nodes whose correlations respond.
MAX_RESPONDING = 1200
#: Smallest part of a change that is solved at once on the way to the whole.
SMALLEST_STEP = 0.125
#: g above which a point counts in the fit of the bridge function.
SHOWN = 0.1
#: Largest factor of the bridge function that an inversion shows, and the size below which it does not show one.
MAX_FACTOR, UNSEEN = 1.5, 0.005
#: Part of the fitted factor with which a bridge function responds to a change of the potential, and the mean squared
#: difference of g per unit of the factor, with the bounds, that it is limited to; see `responding_factor`.
RESPONDING_PART, RESPONDING_SCALE, RESPONDING_LIMITS = 0.6, 0.01, (0.2, 0.75)


def bridge(gamma: Array) -> Array:
    """Return the modified Verlet bridge function ``(n,)``; below 0 its leading term."""
    return -(gamma**2) / (2.0 + 1.6 * np.maximum(gamma, 0.0))


def bridge_slope(gamma: Array) -> Array:
    """Return the derivative ``(n,)`` of `bridge`."""
    up = np.maximum(gamma, 0.0)
    return np.where(gamma > 0.0, -up * (4.0 + 1.6 * up) / (2.0 + 1.6 * up) ** 2, -gamma)


@dataclass(frozen=True, eq=False)
class Fluid:
    """A measured g(r) and what the Ornstein-Zernike equation makes of it.

    Attributes
    ----------
    r, u : ndarray, shape (n,)
        Nodes of the measurement without r = 0, multiples of (half) the step, and the HNC potential
        -ln g + gamma in kT; inf where g = 0.
    grid : RadialGrid
        The long grid that continues the nodes.
    g, gamma, s_k : ndarray, shape (m,)
        g, indirect correlation and structure factor on the long grid.
    density : float
        Number density.
    """

    r: Array
    u: Array
    grid: RadialGrid
    g: Array
    gamma: Array
    s_k: Array
    density: float

    def bridge_factor(self, u: Array) -> float:
        """Return the factor of `bridge` that explains this g with the potential `u` ``(n,)`` in kT.

        Least squares over the points that g shows, with the weight g that its noise gives to ln g.
        """
        return fitted_factor(self.g, self.gamma, u)

    def response(self, factor: float = 0.0) -> Response:
        """Return the response around this fluid with the bridge function times `factor`."""
        h = self.g - 1.0
        return Response(self, factor, self.gamma, self.g, 1.0 / self.s_k, h)


def fitted_factor(g: Array, gamma: Array, u: Array) -> float:
    """Return the factor of `bridge` that explains g ``(m,)`` with the potential `u` ``(n,)`` in kT; see `Fluid`."""
    n = u.size
    g, gamma = g[:n], gamma[:n]
    seen = g > SHOWN
    found = np.log(g[seen]) + u[seen] - gamma[seen]
    form = bridge(gamma[seen])
    power = float(np.sum(g[seen] * (form**2 + UNSEEN**2)))
    if power <= 0.0:
        return 0.0
    return float(np.clip(np.sum(g[seen] * form * found) / power, 0.0, MAX_FACTOR))


def responding_factor(fitted: Array | float, difference: Array) -> Array:
    """Return the factor of `bridge` in the response, from the one that fits a measured fluid.

    Along r the bridge function of a liquid follows the form with a factor of up to 1.5; from one potential to the
    next it changes by less. Of successive simulations (water from two starts, Lennard-Jones liquid, two Lennard-Jones
    mixtures) the change of g was predicted best with 0.4 to 0.7 of the fitted factor where it was large (mean
    squares of 0.005 to 0.07), with 0 to 0.25 where it was small; with the whole factor the smallest were overstated
    up to five times.

    Parameters
    ----------
    fitted : ndarray or float
        From `fitted_factor`, of one or several pairs.
    difference : ndarray
        What g is to change by.

    Examples
    --------
    >>> float(responding_factor(1.2, np.full(4, 0.1))), float(responding_factor(1.2, np.full(4, 0.01)))
    (0.72, 0.2)
    """
    most = np.clip(np.mean(difference**2) / RESPONDING_SCALE, *RESPONDING_LIMITS)
    return np.asarray(np.minimum(RESPONDING_PART * np.asarray(fitted), most), dtype=np.float64)


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
    r, g, error = nodes(curve.with_core())
    found = invert(r, g, density, "hnc", error=error)
    if beads is not None:
        # S(0) of the uncorrected g carries the offset, times all beads in range; S at the smallest wave number of the
        # box hardly does. Two rounds settle it.
        smallest = int(np.searchsorted(found.k, 2.0 * np.pi * (density / beads) ** (1.0 / 3.0)))
        for _ in range(2):
            s_0 = float(found.s_k[smallest])
            found = invert(r, infinite_system(g, s_0, beads), density, "hnc", error=error)
    grid = continued_grid(found.r, found.k, float(r[1] - r[0]))
    h = grid.inverse((found.s_k - 1.0) / density)
    gamma = h - grid.inverse((1.0 - 1.0 / found.s_k) / density)
    return Fluid(found.r, found.u, grid, whole_g(h, found.u, found.gamma), gamma, found.s_k, density)


def continued_grid(r: Array, k: Array, dr: float) -> RadialGrid:
    """Return the long grid of an inversion, with the wave numbers `k`, that continues its nodes `r`."""
    return RadialGrid(k.size, dr, half=bool(round(2.0 * float(r[0]) / dr) % 2))


def whole_g(h: Array, u: Array, gamma: Array) -> Array:
    """Return g ``(..., m)`` on a long grid from h there, and from U and gamma ``(..., n)`` of the inversion inside.

    Where the closure gives the tail, g = exp(gamma) there; the measured g inside is kept as it was inverted.
    """
    found = np.maximum(1.0 + h, 0.0)
    seen = np.isfinite(u)
    found[..., : u.shape[-1]] = np.where(seen, np.exp(-np.where(seen, u, 0.0) + gamma), 0.0)
    return np.asarray(found, dtype=np.float64)


def nodes(curve: RDF) -> tuple[Array, Array, Array]:
    """Return distances, g and its error on nodes of a sine transform; see `cginit.liquid.fourier.sine_nodes`."""
    error = estimate_noise(curve.r, curve.g) if curve.error is None else curve.error
    return sine_nodes(curve.r, curve.g, error)


@dataclass(frozen=True, eq=False)
class Response:
    """The fluid after a change of its potential, and how it responds to the next.

    Attributes
    ----------
    fluid : Fluid
        The measured fluid, from which changes count.
    factor : float
        Factor of the bridge function.
    gamma, g, inverse_s, h : ndarray, shape (m,)
        Correlations of the changed fluid on the long grid.
    change : ndarray, shape (n,), or None
        By how much its potential differs from the measured one, in kT; None for the measured fluid.
    """

    fluid: Fluid
    factor: float
    gamma: Array
    g: Array
    inverse_s: Array
    h: Array
    change: Array | None = None

    def jacobian(self, size: int) -> Array:
        r"""Return :math:`-\partial g_i / \partial (U_j/kT)` at the first `size` nodes; see `jacobian`."""
        n = min(self.g.size, max(size, min(round(RESPONDING * size), MAX_RESPONDING)))
        slope = 1.0 + self.factor * bridge_slope(self.gamma[:n])
        return jacobian(
            self.fluid.grid.r[:n], self.g[:n], self.fluid.grid.k, 1.0 / self.inverse_s, size, slope
        )

    def at(self, change: Array, core: Array) -> Response:
        r"""Return the fluid whose potential differs from the measured one by `change` ``(n,)`` in kT.

        Newton's method for :math:`\gamma`, started from this fluid, by way of the potentials in between where it
        does not find the solution at once. `core` ``(n,)`` are the energies in kT that stand where the measured g
        is 0.

        Raises
        ------
        ConvergenceError
            If the equation has no solution, or none that this way leads to.
        """
        begin = np.zeros(change.size) if self.change is None else self.change
        return follow(self, begin, change, lambda model, trial: model.solve(trial, core))

    def solve(self, change: Array, core: Array) -> Response:
        """Return what `at` returns, by Newton's method from this fluid alone.

        Raises
        ------
        ConvergenceError
            If that does not find a solution.
        """
        fluid, grid, rho = self.fluid, self.fluid.grid, self.fluid.density
        reference = fluid.gamma + self.factor * bridge(fluid.gamma)
        with np.errstate(divide="ignore"):
            v = np.where(fluid.g > 0.0, reference - np.log(fluid.g), 0.0)
        n = change.size
        v[:n] = np.where(fluid.g[:n] > 0.0, v[:n], core) + change

        def evaluate(x: Array) -> tuple[Array, Response | None]:
            gamma = x / grid.r
            with np.errstate(over="ignore", invalid="ignore"):
                g = np.exp(np.minimum(gamma + self.factor * bridge(gamma) - v, 50.0))
                c_k = grid.forward(g - 1.0 - gamma)
                inverse_s = 1.0 - rho * c_k
                gap = grid.r * grid.inverse(rho * c_k**2 / inverse_s) - x
            sound = np.all(np.isfinite(gap)) and np.min(inverse_s) > 0.0
            return gap, Response(fluid, self.factor, gamma, g, inverse_s, g - 1.0, change) if sound else None

        def linear(state: Response) -> Callable[[Array], Array]:
            weight = state.inverse_s**-2 - 1.0
            slope = state.g * (1.0 + self.factor * bridge_slope(state.gamma)) - 1.0

            def product(y: Array) -> Array:
                return np.asarray(grid.filter(weight, slope * y.ravel()) - y.ravel())

            return product

        return damped_newton(grid.r * self.gamma, evaluate, linear, length=rho ** (-1.0 / 3.0), name="fluid")


def follow(model: Model, begin: Array, end: Array, solve: Callable[[Model, Array], Model]) -> Model:
    """Return what `solve` makes of `model` at `end`, reached from `begin` in one step or in smaller ones.

    Raises
    ------
    ConvergenceError
        If a step of an eighth fails.
    """
    done, step = 0.0, 1.0
    while done < 1.0:
        step = min(step, 1.0 - done)
        try:
            model = solve(model, begin + (done + step) * (end - begin))
        except ConvergenceError:
            step *= 0.5
            if step < SMALLEST_STEP:
                raise
            continue
        done += step
    return model


def jacobian(r: Array, g: Array, k: Array, s_k: Array, size: int, slope: Array | float = 1.0) -> Array:
    r"""Return :math:`-\partial g_i / \partial (U_j/kT)` ``(size, size)`` at the first `size` nodes.

    From the closure and the Ornstein-Zernike equation, with S = 1 + rho h,

    .. math:: \delta h = g\,(-\delta U/kT + b (\delta h - \delta c)), \qquad
              \delta \hat c = S^{-2}\, \delta \hat h, \qquad b = 1 + dB/d\gamma.

    Source: F. Delbary, M. Hanke and D. Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020),
    arXiv:1806.11135, for the hypernetted chain, b = 1.

    Parameters
    ----------
    r, g : ndarray, shape (n,)
        Nodes that respond, from the first at or below the step, and g on them.
    k, s_k : ndarray, shape (m,)
        Structure factor; interpolated to the wave numbers needed.
    size : int
        Nodes wanted, at most n.
    slope : ndarray, shape (n,), or float
        b.

    Examples
    --------
    Without correlations the response is that of an ideal gas.

    >>> r = np.arange(1, 41) * 0.1
    >>> ideal = jacobian(r, np.ones(40), np.array([0.0, 100.0]), np.ones(2), 40)
    >>> bool(np.allclose(ideal, np.eye(40)))
    True
    """
    from scipy.linalg import solve

    n = r.size
    grid = RadialGrid.covering(r, PADDING * n)
    weight = np.interp(grid.k, k, s_k, right=1.0) ** -2.0
    scale = 0.5 * grid.dr * grid.dk / np.pi
    # The filter acts on r h; what is wanted acts on h itself.
    filtered = scale * grid.sine(weight * grid.sine(np.eye(n, grid.n)))[:, :n] * (r[None, :] / r[:, None])
    system = np.eye(n) - (g * slope)[:, None] * (np.eye(n) - filtered)
    response: Array = solve(system, np.eye(n, size) * g[:, None], check_finite=False)
    return response[:size]
