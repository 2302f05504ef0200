r"""From U(r) to g(r): the Ornstein-Zernike equation with the HNC or PY closure.

The unknown is :math:`\gamma = h - c`, which is smooth even where g jumps. Newton's method with the exact
Jacobian and SciPy's GMRES keeps :math:`1 - \rho \hat c(k) > 0`, that is, a positive structure factor;
a generic Newton-Krylov routine steps out of this region and stalls. If the state is not reached from the
ideal gas in one go, the hot fluid is compressed to its density and cooled there, which passes over the top of
the gas-liquid region; if that fails, the fluid is compressed at its temperature.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array, uniform_grid
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.newton import Root, damped_newton
from cginit.liquid.ornstein_zernike import Closure

__all__ = ["ForwardSolution", "continued", "solve"]

#: Largest residual of r gamma, in units of rho^(-1/3).
TOLERANCE = 1e-9
#: Smallest step in temperature or density, as a part of the whole way, before the branch counts as ended.
MIN_STEP = 2.0**-9
MIN_NODES = 2047
#: Solutions behind a state that say where it is to be sought: a cubic is the best for dense fluids.
BEHIND = 4
#: The transform reaches this many cut-offs, so that h has decayed where the period ends.
REACH = 10.0
#: Cooling starts at 64 times the temperature, where attractions are gone and an r^-12 core has shrunk by 30 %.
HOT = 2.0**-6


@dataclass(frozen=True, eq=False)
class ForwardSolution:
    """Structure of the fluid of one pair potential at one state.

    Attributes
    ----------
    r, g, c, h, gamma : ndarray, shape (n,)
        The long grid, which continues that of the potential (without r = 0), and the correlations on it.
    y : ndarray, shape (n,)
        Cavity function g exp(U/kT), smooth through the core.
    k, s_k : ndarray, shape (n,)
        Wave numbers and structure factor.
    s_0 : float
        S(k = 0) = rho kT chi_T.
    density : float
        Number density.
    closure : str
        ``hnc`` or ``py``.
    residual : float
        Largest residual of r gamma, in units of rho^(-1/3).
    iterations : int
        Newton steps, continuation included.
    converged : bool
        Always True: failure raises.
    """

    r: Array
    g: Array
    c: Array
    h: Array
    gamma: Array
    y: Array
    k: Array
    s_k: Array
    s_0: float
    density: float
    closure: str
    residual: float
    iterations: int
    converged: bool


def solve(
    r: ArrayLike,
    u: ArrayLike,
    density: float,
    closure: Closure = "hnc",
    *,
    nodes: int = MIN_NODES,
    start: ForwardSolution | None = None,
) -> ForwardSolution:
    r"""Return g(r) of the potential `u` in the hypernetted-chain or Percus-Yevick approximation.

    .. math:: g = e^{-U/kT + \gamma} \;(\mathrm{HNC}), \qquad g = e^{-U/kT} (1 + \gamma)\;(\mathrm{PY})

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances from 0, half a step or one step on, to the cut-off; U = 0 beyond.
    u : array_like, shape (n,)
        Pair potential in kT; inf is a hard core. A jump is best placed midway between two nodes.
    density : float
        Number density in the inverse cube of the unit of r.
    closure : {"hnc", "py"}
        Closure relation.
    nodes : int
        Least number of nodes; the grid reaches at least ten cut-offs.
    start : ForwardSolution, optional
        Solution of a nearby state on the same grid.

    Raises
    ------
    InputError
        If the grid does not start at the origin, or values are not valid.
    ConvergenceError
        If the closure has no solution, typically inside the gas-liquid region.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), doi:10.1016/C2010-0-66723-X;
    M. J. Gillan, Mol. Phys. 38, 1781 (1979), doi:10.1080/00268977900102861 (Newton for the closures).

    Examples
    --------
    >>> r = np.linspace(0.0, 4.0, 81)
    >>> fluid = solve(r, 2 * np.exp(-(r**2)), density=0.5)
    >>> bool(fluid.residual < 1e-8), round(fluid.s_0, 3)
    (True, 0.158)
    """
    distances, energies = _checked(r, u, density, closure)
    step = float(distances[1] - distances[0])
    length = density ** (-1.0 / 3.0)
    needed = int(np.ceil(REACH * distances[-1] / step))
    grid = RadialGrid.covering(distances / length, max(nodes, needed))
    first = grid.index(float(distances[0]) / length)
    potential = np.zeros(grid.n)
    given = energies[max(-first, 0) :]
    potential[max(first, 0) : max(first, 0) + given.size] = given

    guess = np.zeros(grid.n) if start is None else _resume(start, grid, length)
    path = _follow(grid, potential, closure, guess)
    inverse_s = path.solution("the closure was not solved").inverse_s
    boltzmann = np.exp(-potential)
    gamma = path.x / grid.r
    y = np.exp(gamma) if closure == "hnc" else 1.0 + gamma
    g = boltzmann * y
    h = g - 1.0
    c = h - gamma
    arrays = {
        "r": grid.r * length,
        "g": g,
        "c": c,
        "h": h,
        "gamma": gamma,
        "y": y,
        "k": grid.k / length,
        "s_k": 1.0 / inverse_s,
    }
    for array in arrays.values():
        array.flags.writeable = False
    s_0 = 1.0 / (1.0 - grid.integral(c))
    return ForwardSolution(
        **arrays,
        s_0=s_0,
        density=density,
        closure=closure,
        residual=path.residual,
        iterations=path.iterations,
        converged=True,
    )


def continued(found: Sequence[ForwardSolution], at: Sequence[float], to: float) -> ForwardSolution | None:
    """Return a start of `solve` for the next state of a path: gamma of the last ones, continued by a polynomial.

    Parameters
    ----------
    found : sequence of ForwardSolution
        Solutions along the path, on one grid.
    at : sequence of float
        Where on it they are: densities, or any other number that changes from one to the next.
    to : float
        Where the next one is.

    Returns
    -------
    ForwardSolution or None
        The last of them with another gamma; None if there are none.

    Examples
    --------
    >>> r = np.linspace(0.0, 4.0, 81)
    >>> fluids = [solve(r, np.exp(-(r**2)), density) for density in (0.3, 0.4, 0.5)]
    >>> ahead = continued(fluids[:2], [0.3, 0.4], 0.5)
    >>> far, near = (np.abs(x.gamma - fluids[2].gamma).max() for x in (fluids[1], ahead))
    >>> bool(near < 0.25 * far)
    True
    """
    last = list(zip(found, at, strict=False))[-BEHIND:]
    if not last:
        return None
    gamma = np.zeros_like(last[-1][0].gamma)
    for i, (solution, here) in enumerate(last):
        others = [there for j, (_, there) in enumerate(last) if j != i]
        gamma += math.prod((to - there) / (here - there) for there in others) * solution.gamma
    return replace(last[-1][0], gamma=gamma)


def _checked(r: ArrayLike, u: ArrayLike, density: float, closure: str) -> tuple[Array, Array]:
    """Return distances and energies ``(n,)``, both valid."""
    if closure not in ("hnc", "py"):
        raise InputError(f"closure {closure!r} is unknown; choose 'hnc' or 'py'")
    if not np.isfinite(density) or density <= 0.0:
        raise InputError(f"density must be a positive number, not {density}")
    distances = uniform_grid(r)
    energies = np.asarray(u, dtype=np.float64)
    if energies.shape != distances.shape or np.any(np.isnan(energies)) or np.any(energies == -np.inf):
        raise InputError("u must hold one number for each r; only +inf may be infinite")
    step = float(distances[1] - distances[0])
    if distances[0] > 1.001 * step:
        raise InputError(
            f"u starts at r = {distances[0]:g}; the core must be given down to the first node at or above 0 "
            "(cginit.extrapolate.extend_core)"
        )
    return distances, energies


@dataclass(frozen=True, eq=False)
class _State:
    inverse_s: Array
    #: Derivative of c by gamma.
    slope: Array


#: What Newton's method makes of r gamma, in units of rho^(-1/3).
_Iterate: TypeAlias = Root[_State]


def _resume(start: ForwardSolution, grid: RadialGrid, length: float) -> Array:
    if start.r.size != grid.n or not np.allclose(start.r, grid.r * length, rtol=1e-6):
        raise InputError("the start solution belongs to another grid; solve it with the same r and nodes")
    return grid.r * start.gamma


def _newton(grid: RadialGrid, boltzmann: Array, density: float, closure: Closure, product: Array) -> _Iterate:
    """Newton-GMRES for r gamma at one state; the result may not be solved."""

    def evaluate(x: Array) -> tuple[Array, _State | None]:
        gamma = x / grid.r
        with np.errstate(over="ignore", invalid="ignore"):
            y = np.exp(gamma) if closure == "hnc" else 1.0 + gamma
            c = boltzmann * y - 1.0 - gamma
            c_k = grid.forward(c)
            inverse_s = 1.0 - density * c_k
            gap = grid.r * grid.inverse(density * c_k**2 / inverse_s) - x
            slope = boltzmann * y - 1.0 if closure == "hnc" else boltzmann - 1.0
        sound = np.all(np.isfinite(gap)) and np.min(inverse_s) > 0.0
        return gap, _State(inverse_s, slope) if sound else None

    def linear(state: _State) -> Callable[[Array], Array]:
        weight = state.inverse_s**-2 - 1.0
        return lambda x: np.asarray(grid.filter(weight, state.slope * x.ravel()) - x.ravel())

    return damped_newton(product, evaluate, linear, tolerance=TOLERANCE, enough=0.1 * TOLERANCE)


def _follow(grid: RadialGrid, potential: Array, closure: Closure, guess: Array) -> _Iterate:
    """Reach the state directly, by cooling at its density, or by compression at its temperature."""
    boltzmann = np.exp(-potential)
    direct = _newton(grid, boltzmann, 1.0, closure, guess)
    if direct.solved:
        return direct
    origin = np.zeros(grid.n)

    # Hot fluids are repulsive only, and compression reaches them all.
    hot_factor = np.exp(-HOT * potential)
    hot, filled = _continue(lambda part, x: _newton(grid, hot_factor, part, closure, x), origin)
    coldest, s_0 = HOT, ""
    if hot is not None and filled == 1.0:

        def cool(part: float, product: Array) -> _Iterate:
            scale = HOT + part * (1.0 - HOT)
            return _newton(grid, np.exp(-scale * potential), 1.0, closure, product)

        cooled, part = _continue(cool, hot.x)
        if cooled is not None:
            if part == 1.0:
                return cooled
            coldest = HOT + part * (1.0 - HOT)
            if cooled.state is not None:
                s_0 = f", where S(k_min) = {1.0 / cooled.state.inverse_s[0]:.3g}"
    compressed, filled = _continue(lambda part, x: _newton(grid, boltzmann, part, closure, x), origin)
    if compressed is not None and filled == 1.0:
        return compressed
    raise ConvergenceError(
        f"{closure.upper()} has no solution at this state: at this density it ends at {1.0 / coldest:.4g} "
        f"times this temperature{s_0}, at this temperature at {filled:.3g} of this density. The state is "
        "probably inside or near gas-liquid coexistence; choose a higher temperature or another density"
    )


def _continue(attempt: Callable[[float, Array], _Iterate], product: Array) -> tuple[_Iterate | None, float]:
    """Follow a branch of solutions from 0 to 1 with steps that halve on failure and grow on success."""
    reached, behind, step, iterations = 0.0, 0.0, 1.0, 0
    last: _Iterate | None = None
    previous = product
    while reached < 1.0:
        part = min(1.0, reached + step)
        found: _Iterate | None = None
        if reached > behind:
            # Secant prediction along the branch.
            found = attempt(part, product + (product - previous) * (part - reached) / (reached - behind))
        if found is None or not found.solved:
            found = attempt(part, product)
        iterations += found.iterations
        if found.solved:
            previous, behind = product, reached
            product, reached, last = found.x, part, found
            step *= 2.0
        else:
            step *= 0.5
            if step < MIN_STEP:
                return last, reached
    return None if last is None else replace(last, iterations=iterations), reached
