"""Random pair potentials for training: the recipe published with the networks, one integer a potential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.errors import InputError

__all__ = ["CORE_CAP", "TABLE_INTERVALS", "SplinePotential", "capped", "spline_potential", "uniforms", "wca"]

#: Largest cut-off, in sigma, and largest height of a base point, in kT.
MAX_CUTOFF = 5.0
MAX_HEIGHT = 15.0
#: Intervals of the table on [0, r_cut].
TABLE_INTERVALS = 200
#: Cap of the WCA core in a table, in kT; no bead at kT = 1 comes that far up.
CORE_CAP = 1e4
#: Weight of the roughness integral of the smoothing spline on the unit interval, against a sum of squared misfits.
SMOOTHING = 1e-4


@dataclass(frozen=True, eq=False)
class SplinePotential:
    """One random potential with what it was made from.

    Attributes
    ----------
    seed : int
        The integer that names it.
    potential : PairPotential
        U in kT over r in sigma, 201 points on [0, r_cut].
    degree, base_points : int
        Degree of the spline and number of its base points.
    core : bool
        Whether a WCA core (epsilon = kT, sigma = 1) is added.
    """

    seed: int
    potential: PairPotential
    degree: int
    base_points: int
    core: bool


def uniforms(seed: int, *purpose: int) -> Callable[[], float]:
    """Return a source of uniform numbers in [0, 1) that gives the same ones for ever.

    Raises
    ------
    InputError
        If `seed` is negative.
    """
    if seed < 0:
        raise InputError(f"a potential is named by a non-negative integer, not {seed}")
    stream = np.random.PCG64([seed, *purpose] if purpose else seed)
    return lambda: float(stream.random_raw() >> 11) * 2.0**-53


def spline_potential(seed: int, smoothing: float = SMOOTHING) -> SplinePotential:
    r"""Return the random potential named by `seed`.

    The cut-off is uniform in (0, 5]; 6 to 10 base points lie at uniform r in [0, r_cut] with heights uniform in
    [0, 15] kT; a smoothing spline of degree 2 to 5 goes through them with F(r_cut) = 0; U is shifted to
    U(r_cut) = 0; every second potential, by chance, carries a WCA core on top.

    The random numbers are the raw stream of PCG64, which NumPy keeps fixed for ever, unlike the
    distributions of its generators.

    Source: Berressem and Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441. The
    smoothing parameter is not given there; it is 1e-4 on the unit interval here, unless `smoothing` says otherwise.

    Raises
    ------
    InputError
        If `seed` is negative.

    Examples
    --------
    >>> float(spline_potential(7).potential.u[-1])
    0.0
    """
    uniform = uniforms(seed)
    r_cut = MAX_CUTOFF * (1.0 - uniform())
    n = 6 + int(5 * uniform())
    degree = 2 + int(4 * uniform())
    core = uniform() < 0.5
    x = np.array([uniform() for _ in range(n)])
    y = np.array([MAX_HEIGHT * uniform() for _ in range(n)])
    if core:
        # The core belongs to the potential, so the cut-off covers it.
        grid = np.linspace(0.0, max(r_cut, 2.0 ** (1 / 6)), TABLE_INTERVALS + 1)
    else:
        grid = np.linspace(0.0, r_cut, TABLE_INTERVALS + 1)
    u = _smoothing_spline(x, y, degree, np.minimum(grid / r_cut, 1.0), smoothing)
    u -= u[-1]
    if core:
        u += wca(grid)
    u[-1] = 0.0
    return SplinePotential(seed, PairPotential(grid, u, units="lj"), degree, n, core)  # type: ignore[arg-type]


def _smoothing_spline(x: Array, y: Array, degree: int, at: Array, smoothing: float) -> Array:
    """Spline on [0, 1] that minimises misfit^2 + smoothing int S''^2 with S'(1) = 0, evaluated at `at`."""
    from scipy.interpolate import BSpline

    inner = np.linspace(0.0, 1.0, x.size)
    knots = np.concatenate([np.zeros(degree), inner, np.ones(degree)])
    size = knots.size - degree - 1
    basis = BSpline(knots, np.eye(size), degree)
    fine = np.linspace(0.0, 1.0, 401)
    curvature = basis.derivative(2)(fine)
    rough = curvature.T @ curvature * (fine[1] - fine[0])
    design = basis(x)
    slope = basis.derivative(1)(1.0)
    # Normal equations with one Lagrange multiplier for the force at the cut-off.
    matrix = np.zeros((size + 1, size + 1))
    matrix[:size, :size] = design.T @ design + smoothing * rough
    matrix[:size, size] = matrix[size, :size] = slope
    solution = np.linalg.solve(matrix, np.append(design.T @ y, 0.0))
    return np.asarray(basis(at) @ solution[:size], dtype=np.float64)


def wca(r: Array) -> Array:
    """Weeks-Chandler-Andersen potential with epsilon = kT and sigma = 1, capped near r = 0."""
    u = np.zeros(r.size)
    inside = r < 2.0 ** (1 / 6)
    s6 = np.maximum(r[inside], 0.3) ** -6.0
    u[inside] = 4.0 * (s6**2 - s6) + 1.0
    return capped(r, u)


def capped(r: Array, u: Array) -> Array:
    """Return `u` ``(n,)`` below `CORE_CAP`; nearer to r = 0 it rises linearly, so that the force stays repulsive."""
    above = np.flatnonzero(u >= CORE_CAP)
    if above.size == 0:
        return u
    edge = above[-1]
    u = u.copy()
    u[: edge + 1] = CORE_CAP * (1.0 + (r[edge] - r[: edge + 1]))
    return u
