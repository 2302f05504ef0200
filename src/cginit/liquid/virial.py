r"""Thermodynamics from U(r) and g(r): virial coefficients, pressure, compressibility.

In a steep core neither U' nor g is smooth on the grid of a table, but
:math:`-U' g / kT = y\, d(e^{-U/kT})/dr` with the cavity function :math:`y = g e^{U/kT}`, which is. All
integrals here run over increments of :math:`e^{-U/kT}`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array, uniform_grid
from cginit.errors import InputError
from cginit.grids import gauss_legendre
from cginit.liquid.forward import ForwardSolution, solve
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.ornstein_zernike import Closure
from cginit.splines import cubic_spline, monotone_cubic

__all__ = [
    "check_depth",
    "compressibility_pressure",
    "isothermal_compressibility",
    "sampled_virial",
    "second_virial",
    "third_virial",
    "virial_pressure",
]

#: Points into which each step of a table is divided before integration; even, so that midpoints are nodes.
REFINEMENT = 16
#: In units of kT. A step with a higher end is a jump of exp(-U/kT) at its middle: of a hard core, or of no
#: consequence (exp(-50) = 2e-22).
MAX_ENERGY = 50.0
#: Depth of a well, in kT, at which two beads of a gas stay together for ever, so that there is no low density.
DEEPEST = 100.0
#: g below this carries no information on y: there ln y is extrapolated from the next points.
VISIBLE = 1e-3


def second_virial(r: ArrayLike, u: ArrayLike, kT: float = 1.0) -> float:
    r"""Return the second virial coefficient, in the cube of the unit of r.

    .. math:: B_2 = -2\pi \int_0^{r_c} \left(e^{-U(r)/kT} - 1\right) r^2 dr

    Between the nodes U follows its monotone cubic (PCHIP), and the wall of a hard core stands midway between
    two nodes. Below the first node U stays as it is there, so that a table that starts inside a core counts
    it in full.

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances up to the cut-off.
    u : array_like, shape (n,)
        Pair potential; inf is a hard core.
    kT : float
        Thermal energy in the unit of u.

    Raises
    ------
    InputError
        If the values are not valid, the well is no gas's, or the table starts where U is neither at r = 0 nor a core.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), eq. 3.9.7,
    doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    >>> r = np.linspace(0.0, 8.0, 801)
    >>> round(second_virial(r, -np.log1p(np.exp(-(r**2)))), 6)  # Mayer function exp(-r^2)
    -2.784164
    """
    x, boltzmann, _ = _refined(r, u, kT)
    inner = x[0] ** 3 / 3.0 * (boltzmann[0] - 1.0)
    return float(-2.0 * np.pi * (inner + np.trapezoid((boltzmann - 1.0) * x**2, x)))


def third_virial(r: ArrayLike, u: ArrayLike) -> float:
    r"""Return the third virial coefficient in the sixth power of the unit of r.

    .. math:: B_3 = -\frac{1}{3} \int f(r)\, (f * f)(r)\, d^3r, \qquad f = e^{-U/kT} - 1

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances from 0 to the cut-off; the step should be a hundredth of it or less.
    u : array_like, shape (n,)
        Potential in kT.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), eq. 3.9.8,
    doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    >>> r = np.linspace(0.0, 8.0, 801)
    >>> mayer = -np.exp(-(r**2)) * (1 - 1e-12)  # f = -exp(-r^2) has B3 = pi^3 / 3^(5/2)
    >>> round(third_virial(r, -np.log1p(mayer)) / (np.pi**3 / 3**2.5), 3)
    1.0
    """
    # f * f reaches to twice the cut-off and must not meet its periodic image.
    distances = uniform_grid(r)
    grid = RadialGrid.covering(distances, 3 * distances.size)
    mayer = np.zeros(grid.n)
    mayer[: distances.size - 1] = np.expm1(-np.asarray(u, dtype=np.float64)[1:])
    return float(-grid.integral(mayer * grid.inverse(grid.forward(mayer) ** 2)) / 3.0)


def virial_pressure(
    r: ArrayLike,
    u: ArrayLike,
    g: ArrayLike,
    density: float,
    kT: float = 1.0,
    *,
    y: ArrayLike | None = None,
) -> float:
    r"""Return the pressure in the unit of kT times density.

    .. math:: P = \rho kT - \frac{2\pi}{3} \rho^2 \int_0^{r_c} U'(r)\, g(r)\, r^3 dr
                = \rho kT + \frac{2\pi}{3} \rho^2 kT \int y(r)\, r^3\, d\!\left(e^{-U/kT}\right)

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances up to the cut-off.
    u : array_like, shape (n,)
        Pair potential; inf is a hard core.
    g : array_like, shape (n,)
        Radial distribution function at these distances, as point values (`bin_average_correction`).
    density : float
        Number density.
    kT : float
        Thermal energy in the unit of u.
    y : array_like, shape (n,), optional
        Cavity function, where it is known (`ForwardSolution.y`). By default g exp(U/kT) where g is visible,
        continued into the core by a straight line in ln y.

    Raises
    ------
    InputError
        If the values are not valid or g is invisible everywhere.

    Examples
    --------
    The ideal gas.

    >>> r = np.linspace(0.0, 2.0, 41)
    >>> virial_pressure(r, np.zeros(41), np.ones(41), density=0.3, kT=2.0)
    0.6
    """
    _check_density(density)
    x, boltzmann, energies = _refined(r, u, kT)
    log_y = _log_cavity(g, y, energies)
    smooth = np.exp(cubic_spline(uniform_grid(r), log_y, x)) * x**3
    integral = float(np.sum(0.5 * (smooth[1:] + smooth[:-1]) * np.diff(boltzmann)))
    return density * kT * (1.0 + 2.0 * np.pi / 3.0 * density * integral)


def isothermal_compressibility(solution: ForwardSolution, kT: float = 1.0) -> float:
    r"""Return :math:`\chi_T = S(0) / (\rho kT)` of a solved fluid.

    Examples
    --------
    >>> r = np.linspace(0.0, 2.0, 41)
    >>> round(isothermal_compressibility(solve(r, np.zeros(41), 0.25), kT=2.0), 9)
    2.0
    """
    return solution.s_0 / (solution.density * kT)


def compressibility_pressure(
    r: ArrayLike,
    u: ArrayLike,
    density: float,
    kT: float = 1.0,
    closure: Closure = "hnc",
    *,
    nodes: int = 8,
) -> float:
    r"""Return the pressure by the compressibility route of a closure, in the unit of kT times density.

    .. math:: P = kT \int_0^{\rho} \frac{d\rho'}{S(0; \rho')}

    by Gauss-Legendre quadrature, one solution of the closure for each of the `nodes` densities. The difference to
    `virial_pressure` shows how far the closure can be trusted.

    Parameters
    ----------
    r, u : array_like, shape (n,)
        Potential, as `solve` takes it, but in the unit of kT.
    density, kT : float
        The state.
    closure : {"hnc", "py"}
        Closure relation.
    nodes : int
        Number of densities.

    Raises
    ------
    ConvergenceError
        If the closure has no solution at one of the densities.

    Examples
    --------
    >>> r = np.linspace(0.0, 4.0, 81)
    >>> p = compressibility_pressure(r, 0.01 * np.exp(-(r**2)), density=0.5)
    >>> round(p, 4)  # beta P = rho + rho^2 B2 for so weak a repulsion
    0.5069
    """
    _check_density(density)
    energies = np.asarray(u, dtype=np.float64) / kT
    pressure = 0.0
    for part, weight in zip(*gauss_legendre(nodes), strict=True):
        pressure += density * float(weight) / solve(r, energies, density * float(part), closure).s_0
    return pressure * kT


def check_depth(u: Array) -> None:
    """Refuse a potential, in kT, from whose well no bead of a gas returns.

    Raises
    ------
    InputError
        If it is one.
    """
    if np.min(u) < -DEEPEST:
        raise InputError(
            f"the potential is {-np.min(u):.3g} kT deep, where beads of any gas stick together for ever; check its "
            "units, and whether a row of the table sticks out"
        )


def _refined(r: ArrayLike, u: ArrayLike, kT: float) -> tuple[Array, Array, Array]:
    """Return a finer grid, exp(-U/kT) on it, and U/kT on the given one."""
    distances = uniform_grid(r)
    energies = np.asarray(u, dtype=np.float64)
    if energies.shape != distances.shape or np.any(np.isnan(energies)) or np.any(energies == -np.inf):
        raise InputError("u must hold one number for each r; only +inf may be infinite")
    if not np.isfinite(kT) or kT <= 0.0:
        raise InputError(f"kT must be a positive number, not {kT}")
    reduced = np.minimum(energies / kT, MAX_ENERGY)
    check_depth(reduced)
    step = float(distances[1] - distances[0])
    if distances[0] > 1.001 * step and reduced[0] < 10.0:
        raise InputError(
            f"the potential starts at r = {distances[0]:g} with {reduced[0]:.3g} kT, which is no core; "
            "give it down to r = 0 (cginit.extrapolate.extend_core)"
        )
    x = np.linspace(distances[0], distances[-1], REFINEMENT * (distances.size - 1) + 1)
    fine = np.exp(-monotone_cubic(distances, reduced, x))
    nodes = fine[::REFINEMENT]
    steps = fine[:-1].reshape(-1, REFINEMENT)  # a view: the points of each step but its last
    jump = (reduced[:-1] >= MAX_ENERGY) | (reduced[1:] >= MAX_ENERGY)
    left, right = nodes[:-1][jump, None], nodes[1:][jump, None]
    middle = REFINEMENT // 2
    steps[jump, :middle] = left
    steps[jump, middle] = 0.5 * (left + right)[:, 0]
    steps[jump, middle + 1 :] = right
    return x, fine, reduced


def _log_cavity(g: ArrayLike, y: ArrayLike | None, energies: Array) -> Array:
    if y is not None:
        cavity = np.asarray(y, dtype=np.float64)
        if cavity.shape != energies.shape or not np.all(np.isfinite(cavity)) or np.any(cavity <= 0.0):
            raise InputError("y must hold one positive number for each r")
        return np.log(cavity)
    values = np.asarray(g, dtype=np.float64)
    if values.shape != energies.shape or not np.all(np.isfinite(values)) or np.any(values < 0.0):
        raise InputError("g must hold one finite value >= 0 for each r")
    seen = np.flatnonzero(values > VISIBLE)
    if seen.size < 2:
        raise InputError(f"g never exceeds {VISIBLE:g} inside the cut-off; the virial has nothing to count")
    index = np.arange(values.size)
    log_y = np.interp(index, seen, np.log(values[seen]) + energies[seen])
    first = int(seen[0])
    slope = log_y[first + 1] - log_y[first]
    log_y[:first] = log_y[first] + slope * (index[:first] - first)
    return log_y


def _check_density(density: float) -> None:
    if not np.isfinite(density) or density <= 0.0:
        raise InputError(f"density must be a positive number, not {density}")


def sampled_virial(r: Array, g: Array, u_r: Array, u: Array, density: float) -> float:
    """Return the virial pressure of U ``(k,)`` on its fine grid with g ``(n,)`` on the coarser grid of a simulation.

    The cavity function is interpolated, which is smooth where g and U are steep.
    """
    on_coarse = np.interp(r, u_r, u)
    shown = np.flatnonzero(g > 1e-3)
    log_y = np.log(g[shown]) + on_coarse[shown]
    first = int(shown[0])
    slope = (log_y[1] - log_y[0]) / (r[shown[1]] - r[first]) if shown.size > 1 else 0.0
    inner = np.arange(first)
    distances = np.concatenate([r[inner], r[shown]])
    values = np.concatenate([log_y[0] + slope * (r[inner] - r[first]), log_y])
    y = np.exp(np.interp(u_r, distances, values))
    return virial_pressure(u_r, u, y * np.exp(-np.minimum(u, 700.0)), density, y=y)
