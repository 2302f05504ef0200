r"""From the g(r) of all pairs of a mixture to their potentials, by the matrix Ornstein-Zernike equation.

With :math:`X_{ab} = \sqrt{\rho_a \rho_b}\, \hat c_{ab}` and :math:`H_{ab} = \sqrt{\rho_a \rho_b}\, \hat h_{ab}` the
equation is :math:`1 + H = S = (1 - X)^{-1}`, matrices of as many rows as there are species. As for one species
(see `cginit.liquid.ornstein_zernike`), c = 0 beyond the range of g makes the inversion convex: c is where

.. math:: D[c] = -\int \frac{d^3k}{(2\pi)^3} \left[\ln\det(1 - X) + \mathrm{tr} X\right]
          - \sum_{ab} \rho_a \rho_b \int_{r < r_{max}} c_{ab}\, h_{ab}\, d^3r

is least, and Newton's method with steps that keep 1 - X positive definite finds it from c = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.curves import Array, uniform_grid
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.krylov import conjugate_gradients
from cginit.liquid.ornstein_zernike import (
    MAX_ITERATIONS,
    MAX_LINEAR,
    NOISE_WEIGHT,
    PADDING,
    ROUNDING,
    TOLERANCE,
    Closure,
    estimate_noise,
)

__all__ = ["MixtureInversion", "invert_mixture"]

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class MixtureInversion:
    """Solution of the inverse problem of a mixture, on the grid of the input without r = 0.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Common grid.
    u, c, h : dict of pair to ndarray, shape (n,)
        Pair potential in kT (inf where g = 0), direct and total correlation. A pair has its species in the
        order in which the densities were given.
    k : ndarray, shape (m,)
        Wave numbers.
    s_k : ndarray, shape (m, species, species)
        Partial structure factors, 1 + sqrt(rho_a rho_b) h_ab(k).
    residual : float
        Largest deviation of r h from what was asked for, in units of the total density ^ (-1/3).
    iterations : int
        Newton steps.
    """

    r: Array
    u: dict[Pair, Array]
    c: dict[Pair, Array]
    h: dict[Pair, Array]
    k: Array
    s_k: Array
    residual: float
    iterations: int


def invert_mixture(
    r: ArrayLike,
    g: Mapping[Pair, ArrayLike],
    densities: Mapping[str, float],
    closure: Closure = "hnc",
    *,
    error: Mapping[Pair, ArrayLike] | None = None,
    noise_weight: float = NOISE_WEIGHT,
) -> MixtureInversion:
    r"""Return the potentials in kT that all g_ab(r) of a mixture have in the HNC or PY approximation.

    .. math:: h_{ab} = c_{ab} + \sum_d \rho_d\, c_{ad} * h_{db}, \qquad
              U_{ab}/kT = -\ln g_{ab} + \gamma_{ab} \;(\mathrm{HNC}), \quad
              -\ln g_{ab} + \ln(1 + \gamma_{ab})\;(\mathrm{PY})

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances whose first is a multiple of half the step; what lies below it is core, g = 0.
    g : mapping of (species, species) to array_like, shape (n,)
        Radial distribution functions of all pairs, in either order of the species.
    densities : mapping of species to float
        Number densities in the inverse cube of the unit of r.
    closure : {"hnc", "py"}
        Closure relation.
    error : mapping, optional
        Standard errors of g, like `g`; by default those that the roughness of each g shows.
    noise_weight : float
        Weight of the noise; see `cginit.liquid.ornstein_zernike.invert`.

    Raises
    ------
    InputError
        If a pair is missing, or grid, g or a density is not valid.
    ConvergenceError
        If no positive definite structure factor has these h(r), or PY defines no potential for them.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), section 3.6,
    doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    At low density every closure gives U = -kT ln g.

    >>> r = np.linspace(0.05, 4, 80)
    >>> u = {("A", "A"): np.exp(-(r**2)), ("A", "B"): 0 * r, ("B", "B"): -np.exp(-(r**2))}
    >>> g = {pair: np.exp(-values) for pair, values in u.items()}
    >>> found = invert_mixture(r, g, {"A": 1e-6, "B": 2e-6})
    >>> all(bool(np.allclose(found.u[pair], u[pair], atol=1e-5)) for pair in u)
    True
    """
    if closure not in ("hnc", "py"):
        raise InputError(f"closure {closure!r} is unknown; choose 'hnc' or 'py'")
    species = list(densities)
    rho = np.array([densities[name] for name in species], dtype=np.float64)
    if not species or not np.all(np.isfinite(rho)) or np.any(rho <= 0.0):
        raise InputError(f"densities must be positive numbers, not {dict(densities)}")
    distances = uniform_grid(r)
    pairs = list(combinations_with_replacement(species, 2))
    values = {pair: _of(g, pair, distances, "g") for pair in pairs}
    for pair, curve in values.items():
        if np.any(curve < 0.0):
            raise InputError(
                f"g of {pair[0]}-{pair[1]} is negative at r = {distances[int(np.argmin(curve))]:g}"
            )
    sigmas = {
        pair: estimate_noise(distances, values[pair])
        if error is None
        else _of(error, pair, distances, "error")
        for pair in pairs
    }

    total = float(rho.sum())
    # In units of the total density ^ (-1/3) every tolerance is the same for every system.
    length = total ** (-1.0 / 3.0)
    grid = RadialGrid.covering(distances / length, PADDING * distances.size)
    first = grid.index(float(distances[0]) / length)
    start, stop = max(first, 0), first + distances.size
    shell = 4.0 * np.pi * grid.r[:stop] ** 2 * grid.dr
    x = rho / total
    wanted, noise = [], []
    for a, b in combinations_with_replacement(range(len(species)), 2):
        pair = (species[a], species[b])
        both = 1.0 if a == b else 2.0
        h = np.full(stop, -1.0)
        h[start:] = values[pair][max(-first, 0) :] - 1.0
        sigma = np.zeros(stop)
        sigma[start:] = sigmas[pair][max(-first, 0) :]
        # The root of 2 counts a mixed pair twice, as the sum over both its orders does.
        wanted.append(np.sqrt(both * x[a] * x[b]) * grid.r[:stop] * h)
        # A mixture of equal species, with the errors that its fewer pairs have, is so the pure fluid.
        noise.append(np.where(h > -1.0, noise_weight * shell * both * x[a] * x[b] * sigma**2, 0.0))
    problem = _Problem(grid, len(species), np.array(wanted), np.array(noise))
    direct, s, residual, iterations, solved = _minimise(problem)
    if not solved:
        raise ConvergenceError(
            "the Ornstein-Zernike inversion of the mixture has no solution: the g(r) would need structure factors "
            "that are not positive. Check the densities and the normalisation of each g, smooth them or give "
            "their statistical errors, or start from the method 'boltzmann'"
        )
    used = slice(start, stop)
    kept = grid.r[used] * length
    totals = problem.total(s)
    u, c, h_of = {}, {}, {}
    for row, (a, b) in enumerate(combinations_with_replacement(range(len(species)), 2)):
        pair = (species[a], species[b])
        scale = np.sqrt((1.0 if a == b else 2.0) * x[a] * x[b]) * grid.r[used]
        c[pair], h_of[pair] = direct[row, used] / scale, totals[row, used] / scale
        gamma = h_of[pair] - c[pair]
        with np.errstate(divide="ignore"):
            u[pair] = -np.log(values[pair][max(-first, 0) :])
        if closure == "hnc":
            u[pair] = u[pair] + gamma
            continue
        seen = np.isfinite(u[pair])
        if np.any(gamma[seen] <= -0.999):
            raise ConvergenceError(
                f"PY defines no potential for the g(r) of {pair[0]}-{pair[1]}: 1 + h - c is not positive; "
                "use the closure 'hnc'"
            )
        u[pair] = u[pair] + np.log1p(np.maximum(gamma, -0.999))
    return MixtureInversion(kept, u, c, h_of, grid.k / length, s, residual, iterations)


def _of(curves: Mapping[Pair, ArrayLike], pair: Pair, r: Array, what: str) -> Array:
    found = curves.get(pair, curves.get((pair[1], pair[0])))
    if found is None:
        raise InputError(f"{what} of the pair {pair[0]}-{pair[1]} is missing; a mixture needs all its pairs")
    curve = np.asarray(found, dtype=np.float64)
    if curve.shape != r.shape or not np.all(np.isfinite(curve)):
        raise InputError(
            f"{what} of {pair[0]}-{pair[1]} must hold one finite value for each of {r.size} distances"
        )
    return curve


@dataclass(frozen=True, eq=False)
class _Problem:
    """The inverse problem in units of the total density.

    Curves have the shape ``(pairs, n)``, matrices ``(k, species, species)``.
    """

    grid: RadialGrid
    species: int
    wanted: Array
    noise: Array

    @property
    def _indices(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        rows, columns = np.array(list(combinations_with_replacement(range(self.species), 2))).T
        return rows, columns

    def _matrices(self, curves: Array) -> Array:
        """Return symmetric matrices at each k of curves given inside, zero beyond."""
        a, b = self._indices
        both = np.where(a == b, 1.0, np.sqrt(0.5))
        padded = np.zeros((curves.shape[0], self.grid.n))
        padded[:, : curves.shape[1]] = curves
        k = 2.0 * np.pi * self.grid.dr / self.grid.k * self.grid.sine(padded)
        found = np.zeros((self.grid.n, self.species, self.species))
        found[:, a, b] = found[:, b, a] = (both[:, None] * k).T
        return found

    def _curves(self, matrices: Array) -> Array:
        """Return r f inside for symmetric f(k): the adjoint of `_matrices`."""
        a, b = self._indices
        both = np.where(a == b, 1.0, np.sqrt(2.0))
        k = both[:, None] * matrices[:, a, b].T
        return np.asarray(
            self.grid.dk / (4.0 * np.pi**2) * self.grid.sine(self.grid.k * k)[:, : self.wanted.shape[1]]
        )

    def structure(self, direct: Array) -> Array | None:
        """Return S = (1 - X)^-1 at each k; None if 1 - X is not positive definite everywhere."""
        inverse = np.eye(self.species) - self._matrices(direct)
        try:
            np.linalg.cholesky(inverse)
        except np.linalg.LinAlgError:
            return None
        return np.asarray(np.linalg.inv(inverse))

    def total(self, s: Array) -> Array:
        """Return r h, scaled like the unknowns."""
        return self._curves(s - np.eye(self.species))

    def respond(self, left: Array, change: Array) -> Array:
        """Return r times the change of h when X changes: left dX left."""
        return self._curves(left @ self._matrices(change) @ left)


def _minimise(problem: _Problem) -> tuple[Array, Array, float, int, bool]:
    """Newton's method from c = 0; returns r c, S, residual, steps, and whether it is solved."""
    shape = problem.wanted.shape
    direct = np.zeros(shape)
    s = np.tile(np.eye(problem.species), (problem.grid.n, 1, 1))
    gap = problem.wanted - problem.total(s)
    spent = 0

    def operator(left: Array, diagonal: Array | float) -> Callable[[Array], Array]:
        def product(v: Array) -> Array:
            change = v.reshape(shape)
            return np.asarray(problem.respond(left, change) + diagonal * change).ravel()

        return product

    for iteration in range(MAX_ITERATIONS):
        residual = float(np.max(np.abs(gap)))
        if residual <= TOLERANCE:
            return direct, s, residual, iteration, True
        if spent > MAX_LINEAR:
            break
        inverse: Array = np.asarray(np.linalg.inv(s), dtype=np.float64)
        change, products = conjugate_gradients(
            operator(s, problem.noise),
            gap.ravel(),
            rtol=min(1e-2, residual),
            precondition=operator(inverse, 0.0),
            maxiter=300,
        )
        spent += products
        step = change.reshape(shape)
        slope, scale = float(np.sum(step * gap)), 1.0
        while True:
            trial = direct + scale * step
            trial_s = problem.structure(trial)
            if trial_s is not None:
                trial_gap = problem.wanted - problem.total(trial_s) - problem.noise * trial
                # The functional is convex: a slope that has not turned far means that it has decreased.
                if float(np.sum(step * trial_gap)) > -0.25 * slope:
                    break
            scale *= 0.5
            if scale < 1e-8:
                return direct, s, residual, iteration, residual <= ROUNDING
        direct, s, gap = trial, trial_s, trial_gap
    residual = float(np.max(np.abs(gap)))
    return direct, s, residual, MAX_ITERATIONS, residual <= ROUNDING
