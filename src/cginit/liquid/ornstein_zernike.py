r"""From g(r) to U(r) by the Ornstein-Zernike equation and a closure (HNC or PY), for any number of species.

The direct correlations inside the range of g are those of `cginit.liquid.extension`; with
:math:`\gamma = h - c` the closure gives the potential. `invert_pairs` takes and returns tables of all pairs;
`invert` is its face for one species, `cginit.liquid.mixture.invert_mixture` that for named species.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array, median, uniform_grid
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.extension import (
    Extension,
    MeasuredCorrelations,
    close_tail,
    largest_entropy,
    why_unsolvable,
)
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.matrices import Intramolecular, PairMatrices, pair_indices

__all__ = ["Closure", "OZInversion", "PairInversion", "Tail", "estimate_noise", "invert", "invert_pairs"]

Closure = Literal["hnc", "py"]
#: What stands beyond the range of g.
Tail = Literal["closure", "zero"]

#: Length of the transform in multiples of r_max: h of a dense liquid must decay before the period ends.
PADDING = 8
#: Weight of the statistical error against the entropy. Over 8 fluids solved by HNC (soft, attractive, DPD, WCA up
#: to density 1), three ranges and noise of 0.001 to 0.03 in g, the mean error of U is smallest near it:
#: 2.8, 0.42, 0.24, 0.21, 0.22 and 0.25 kT for weights of 1, 10, 30, 100, 300 and 1000.
NOISE_WEIGHT = 100.0
#: 1 + gamma at which PY ends: U is its logarithm.
LEAST_CAVITY = 1e-3


@dataclass(frozen=True, eq=False)
class OZInversion:
    """Solution of the inverse problem on the given grid.

    Attributes
    ----------
    r : ndarray, shape (n,)
        The grid of the input without r = 0.
    u : ndarray, shape (n,)
        Pair potential in kT with its zero at infinity; inf where g = 0.
    c, h, gamma : ndarray, shape (n,)
        Direct and total correlation and their difference, related by Ornstein-Zernike exactly. `h` is g - 1
        up to the statistical error that the inversion was given.
    k, s_k : ndarray, shape (m,)
        Wave numbers and structure factor.
    residual : float
        Largest deviation of r h from what was asked for, in units of rho^(-1/3).
    iterations : int
        Newton steps.
    converged : bool
        Always True: failure raises.
    notes : tuple of str
        What the user should know.
    """

    r: Array
    u: Array
    c: Array
    h: Array
    gamma: Array
    k: Array
    s_k: Array
    residual: float
    iterations: int
    converged: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PairInversion:
    r"""Solution of the inverse problem of all pairs, on the grid of the input without r = 0.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Common grid.
    u : ndarray, shape (pairs, n)
        Pair potentials in kT with their zero at infinity; inf where g = 0.
    c, h, gamma : ndarray, shape (pairs, n)
        Direct and total correlations and their differences.
    k : ndarray, shape (m,)
        Wave numbers.
    s_k, c_k : ndarray, shape (m, species, species)
        Structure factors :math:`\omega + \sqrt{\rho_a \rho_b}\, \hat h_{ab}`, and
        :math:`\sqrt{\rho_a \rho_b}\, \hat c_{ab}`.
    residual : float
        Largest deviation of r h from what was asked for, in units of the total density ^ (-1/3).
    iterations : int
        Newton steps.
    notes : tuple of str
        What the user should know.
    """

    r: Array
    u: Array
    c: Array
    h: Array
    gamma: Array
    k: Array
    s_k: Array
    c_k: Array
    residual: float
    iterations: int
    notes: tuple[str, ...]


def estimate_noise(r: ArrayLike, g: ArrayLike) -> Array:
    r"""Return the statistical error of g ``(n,)`` that its own roughness shows.

    Counts in spherical shells have :math:`\sigma = s \sqrt{g}/r`. The one number s follows from the median
    sixth difference of r g where g > 0.1; a smooth curve of 12 or more points per oscillation yields less
    than 1e-3 of its amplitude.

    Examples
    --------
    >>> r = np.linspace(0.05, 5, 100)
    >>> bool(estimate_noise(r, 1 + 0.1 * np.sin(6 * r) / r).max() < 1e-3)
    True
    """
    distances = np.asarray(r, dtype=np.float64)
    values = np.asarray(g, dtype=np.float64)
    safe = np.where(distances > 0.0, distances, np.inf)
    rough = np.abs(np.diff(distances * (values - 1.0), 6))
    seen = np.lib.stride_tricks.sliding_window_view(values > 0.1, 7).all(axis=1)
    if np.count_nonzero(seen) < 10:
        return np.zeros(values.shape)
    # 924 = sum of the squared binomials of order 6; 0.6745 sigma is the median of |x| of a Gaussian.
    s = median(rough[seen]) / np.sqrt(924.0) / 0.6745
    return np.asarray(s * np.sqrt(np.maximum(values, 0.0)) / safe, dtype=np.float64)


def invert(
    r: ArrayLike,
    g: ArrayLike,
    density: float,
    closure: Closure = "hnc",
    *,
    error: ArrayLike | None = None,
    tail: Tail = "closure",
    noise_weight: float = NOISE_WEIGHT,
    start: OZInversion | None = None,
) -> OZInversion:
    r"""Return the potential in kT that g(r) has in the hypernetted-chain or Percus-Yevick approximation.

    .. math:: h = c + \rho\, c * h, \qquad
              U/kT = -\ln g + \gamma \;(\mathrm{HNC}), \quad U/kT = -\ln g + \ln(1 + \gamma)\;(\mathrm{PY}),
              \qquad \gamma = h - c

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances whose first is a multiple of half the step. What lies below it is core, g = 0.
    g : array_like, shape (n,)
        Radial distribution function.
    density : float
        Number density in the inverse cube of the unit of r.
    closure : {"hnc", "py"}
        Closure relation.
    error : array_like, shape (n,), optional
        Standard error of g; zeros ask for an exact solution. By default `estimate_noise`. Where it is large
        the solution leaves g within the error rather than follow it into a wild potential.
    tail : {"closure", "zero"}
        Beyond r[-1], the closure with U = 0 or c = 0. The two are the same for PY.
    noise_weight : float
        How much the error counts against the entropy: the larger, the smoother and the smaller c.
    start : OZInversion, optional
        That of nearly the same g, or of this g with another `noise_weight`: it costs fewer steps from there.

    Raises
    ------
    InputError
        If the grid, g or the density is not valid.
    ConvergenceError
        If no structure factor that is positive everywhere has this h(r), or PY defines no potential for it.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), chapters 3 and 4,
    doi:10.1016/C2010-0-66723-X. Largest-entropy extension: J. P. Burg, thesis, Stanford University (1975).

    Examples
    --------
    At low density every closure gives U = -kT ln g.

    >>> r = np.linspace(0.05, 4, 80)
    >>> u = np.exp(-(r**2))
    >>> found = invert(r, np.exp(-u), density=1e-6)
    >>> bool(np.allclose(found.u, u, atol=1e-5))
    True
    """
    if not np.isfinite(density) or density <= 0.0:
        raise InputError(f"density must be a positive number, not {density}")
    found = invert_pairs(
        r,
        np.asarray(g, dtype=np.float64)[None],
        np.array([density], dtype=np.float64),
        closure,
        error=None if error is None else np.asarray(error, dtype=np.float64)[None],
        tail=tail,
        noise_weight=noise_weight,
        start=None if start is None else start.c[None],
    )
    u, c, h, gamma = found.u[0], found.c[0], found.h[0], found.gamma[0]
    k, s_k = found.k, found.s_k[:, 0, 0]
    for array in (u, c, h, gamma, k, s_k):
        array.flags.writeable = False
    return OZInversion(found.r, u, c, h, gamma, k, s_k, found.residual, found.iterations, True, found.notes)


def invert_pairs(
    r: ArrayLike,
    g: Array,
    densities: Array,
    closure: Closure = "hnc",
    *,
    error: Array | None = None,
    tail: Tail = "closure",
    noise_weight: float = NOISE_WEIGHT,
    intramolecular: Callable[[Array], Array] | None = None,
    names: Sequence[str] = (),
    start: Array | None = None,
) -> PairInversion:
    r"""Return the potentials in kT that all g(r) of a liquid have in the HNC or PY approximation.

    .. math:: h_{ab} = c_{ab} + \sum_d \rho_d\, c_{ad} * h_{db}, \qquad
              U_{ab}/kT = -\ln g_{ab} + \gamma_{ab} \;(\mathrm{HNC}), \quad
              -\ln g_{ab} + \ln(1 + \gamma_{ab})\;(\mathrm{PY})

    for loose beads. For molecules, with g between different molecules, it is
    :math:`H = \Omega C (\Omega + H)`, H and C being :math:`\rho_a \rho_b \hat h_{ab}` and :math:`\hat c_{ab}`.

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances whose first is a multiple of half the step; what lies below it is core, g = 0.
    g : ndarray, shape (pairs, n)
        Radial distribution functions, in the order A-A, A-B, ..., B-B, ...
    densities : ndarray, shape (species,)
        Number densities of the beads in the inverse cube of the unit of r.
    closure : {"hnc", "py"}
        Closure relation.
    error : ndarray, shape (pairs, n), optional
        Standard errors of g; by default those that the roughness of each g shows.
    tail : {"closure", "zero"}
        Beyond r[-1], the closure with U = 0 or c = 0. The two are the same for PY.
    noise_weight : float
        How much the errors count against the entropy: the larger, the smoother and the smaller c.
    intramolecular : callable, optional
        For molecules: returns for wave numbers ``(m,)``, in the inverse unit of r,
        :math:`\Omega_{ab}(k)` ``(m, species, species)``, the sum of sin(kr)/(kr) over the beads a and b of the same
        molecule, themselves included, per volume. Loose beads have :math:`\rho_a \delta_{ab}`.
    names : sequence of str
        Names of the pairs for the messages, where there are several.
    start : ndarray, shape (pairs, n), optional
        Direct correlations to begin with on the grid of the result, as of nearly the same g; they are not used
        where that leaves out a part of the core.

    Raises
    ------
    InputError
        If the grid, g, an error, or a density is not valid.
    ConvergenceError
        If no positive structure factors have these h(r), or PY defines no potential for them.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), chapters 3, 4 and 11,
    doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    >>> r = np.linspace(0.05, 4, 80)
    >>> u = np.array([np.exp(-(r**2)), 0 * r, -np.exp(-(r**2))])
    >>> found = invert_pairs(r, np.exp(-u), np.array([1e-6, 2e-6]))
    >>> bool(np.allclose(found.u, u, atol=1e-5))
    True
    """
    distances, values, sigmas = _checked(r, g, densities, closure, error, names)
    length = float(densities.sum()) ** (-1.0 / 3.0)
    grid = RadialGrid.covering(distances / length, PADDING * distances.size)
    first = grid.index(float(distances[0]) / length)
    # The part of the core that the grid of g leaves out, and the nodes that it has.
    skipped, given = max(first, 0), slice(max(-first, 0), None)
    h = np.full((values.shape[0], first + distances.size), -1.0)
    h[:, skipped:] = values[:, given] - 1.0
    noise = np.zeros(h.shape)
    noise[:, skipped:] = sigmas[:, given]
    a, b = pair_indices(densities.size)
    both = np.where(a == b, 1.0, 2.0)
    weights = both * densities[a] * densities[b] / densities.sum() ** 2
    molecules = (
        Intramolecular.loose(densities.size)
        if intramolecular is None
        else Intramolecular.of(intramolecular(grid.k / length), densities)
    )
    shell = 4.0 * np.pi * grid.r[: h.shape[1]] ** 2 * grid.dr
    target = MeasuredCorrelations(
        PairMatrices(grid, 1.0 / np.sqrt(both)),
        molecules,
        weights,
        np.sqrt(weights)[:, None] * grid.r[: h.shape[1]] * h,
        # A mixture of equal species, with the errors that its fewer pairs have, is so the pure fluid. The core, where
        # g is 0, is certain.
        np.where(h > -1.0, noise_weight * shell * weights[:, None] * noise**2, 0.0),
    )
    inside = slice(skipped, h.shape[1])
    scale = np.sqrt(weights)[:, None] * grid.r[inside]
    begin = None if start is None or start.shape != h.shape else scale * start
    solution = largest_entropy(target, begin)
    if not solution.solved:
        raise ConvergenceError(why_unsolvable(target, solution, densities, length))
    notes: tuple[str, ...] = ()
    if closure == "hnc" and tail == "closure":
        solution, notes = _closed(target, solution)

    total, direct = solution.total[:, inside] / scale, solution.direct[:, inside] / scale
    gamma = total - direct
    kept = distances[given]
    # A g below the rounding of h, as exp(-U) of an equation is deep in a core, is none: nothing is known of U there.
    u = _potential(kept, h[:, inside] + 1.0, gamma, closure, names)
    c_k = target.matrices.of(solution.direct)
    k, s_k = grid.k / length, solution.s
    return PairInversion(
        kept, u, direct, total, gamma, k, s_k, c_k, solution.residual, solution.iterations, notes
    )


def _closed(target: MeasuredCorrelations, solution: Extension) -> tuple[Extension, tuple[str, ...]]:
    """Return the solution whose tail has the closure of HNC, and a note where there is none and it stays as it is."""
    closed = close_tail(target, solution)
    if closed is None:
        return solution, ("the HNC closure beyond the range of g did not converge; c = 0 was used there",)
    return closed, ()


def _checked(
    r: ArrayLike,
    g: Array,
    densities: Array,
    closure: str,
    error: Array | None,
    names: Sequence[str],
) -> tuple[Array, Array, Array]:
    """Return distances ``(n,)``, g and its errors ``(pairs, n)``, all valid."""
    if closure not in ("hnc", "py"):
        raise InputError(f"closure {closure!r} is unknown; choose 'hnc' or 'py'")
    if densities.size == 0 or not np.all(np.isfinite(densities)) or np.any(densities <= 0.0):
        raise InputError(f"densities must be positive numbers, not {', '.join(map(str, densities))}")
    distances = uniform_grid(r)
    pairs = densities.size * (densities.size + 1) // 2
    if len(g) != pairs:
        raise InputError(f"{densities.size} species have {pairs} g(r), not {len(g)}")
    for row, curve in enumerate(g):
        name = f"g of {names[row]}" if names else "g"
        if curve.shape != distances.shape or not np.all(np.isfinite(curve)):
            raise InputError(f"{name} must hold one finite value for each of {distances.size} distances")
        if np.any(curve < 0.0):
            worst = int(np.argmin(curve))
            raise InputError(
                f"g must not be negative; {name} is negative at r = {distances[worst]:g} ({curve[worst]:.3g})"
            )
    if error is None:
        return distances, g, np.array([estimate_noise(distances, curve) for curve in g])
    if error.shape != (pairs, distances.size):
        raise InputError(f"error has shape {error.shape[1:]} for {distances.size} distances")
    if not np.all(np.isfinite(error)):
        raise InputError("the errors of g must be finite; 0 stands for an exact g")
    return distances, g, error


def _potential(r: Array, g: Array, gamma: Array, closure: Closure, names: Sequence[str]) -> Array:
    """Return U/kT ``(pairs, n)`` of the closure."""
    with np.errstate(divide="ignore"):
        u = np.asarray(-np.log(g))
    if closure == "hnc":
        return np.asarray(u + gamma)
    for row, (curve, seen) in enumerate(zip(gamma, g > 0.0, strict=True)):
        bad = np.flatnonzero((curve <= LEAST_CAVITY - 1.0) & seen)
        if bad.size:
            which = f"the g(r) of {names[row]}" if names else "this g(r)"
            raise ConvergenceError(
                f"PY defines no potential for {which}: 1 + h - c = {1.0 + curve[bad[0]]:.3g} at "
                f"r = {r[bad[0]]:.4g}, and its logarithm is U; use the closure 'hnc'"
            )
    return np.asarray(u + np.log1p(np.maximum(gamma, LEAST_CAVITY - 1.0)))
