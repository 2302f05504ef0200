r"""What all inversions of g(r) by the Ornstein-Zernike equation share: choices, and the check of what comes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array, median, uniform_grid
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.fourier import RadialGrid

__all__ = [
    "NOISE_WEIGHT",
    "PADDING",
    "Closure",
    "Tail",
    "checked_curves",
    "closed",
    "closure_potential",
    "estimate_noise",
    "on_nodes",
]

Closure = Literal["hnc", "py"]
#: What stands beyond the range of g.
Tail = Literal["closure", "zero"]

#: Length of the transform in multiples of r_max: h of a dense liquid must decay before the period ends.
PADDING = 8
#: Weight of the statistical error against the entropy. Over 8 fluids solved by HNC (soft, attractive, DPD, WCA up
#: to density 1), three ranges and noise of 0.001 to 0.03 in g, the mean error of U is smallest near it:
#: 2.8, 0.42, 0.24, 0.21, 0.22 and 0.25 kT for weights of 1, 10, 30, 100, 300 and 1000.
NOISE_WEIGHT = 100.0
#: Sixth differences from which their median says how rough a g is; fewer say nothing.
LEAST_ROUGH = 10
#: 1 + gamma at which PY ends: U is its logarithm.
LEAST_CAVITY = 1e-3


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
    if values.size < LEAST_ROUGH + 6:
        return np.zeros(values.shape)
    safe = np.where(distances > 0.0, distances, np.inf)
    rough = np.abs(np.diff(distances * (values - 1.0), 6))
    seen = np.lib.stride_tricks.sliding_window_view(values > 0.1, 7).all(axis=1)
    if np.count_nonzero(seen) < LEAST_ROUGH:
        return np.zeros(values.shape)
    # 924 = sum of the squared binomials of order 6; 0.6745 sigma is the median of |x| of a Gaussian.
    s = median(rough[seen]) / np.sqrt(924.0) / 0.6745
    return np.asarray(s * np.sqrt(np.maximum(values, 0.0)) / safe, dtype=np.float64)


def checked_curves(
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


def on_nodes(distances: Array, length: float, g: Array, error: Array) -> tuple[RadialGrid, int, Array, Array]:
    """Return the nodes of the inversion, the part of the core that g leaves out, and h and the errors on the nodes.

    Parameters
    ----------
    distances : ndarray, shape (n,)
        Of g; r = 0 is no node.
    length : float
        The unit of length of the nodes.
    g, error : ndarray, shape (pairs, n)

    Returns
    -------
    grid : RadialGrid
    skipped : int
        Number of nodes before the first one that g has.
    h, noise : ndarray, shape (pairs, m)
        g - 1, which is -1 in the core that g leaves out, and the standard errors, 0 there.
    """
    grid = RadialGrid.covering(distances / length, PADDING * distances.size)
    first = grid.index(float(distances[0]) / length)
    skipped, given = max(first, 0), max(-first, 0)
    h = np.full((g.shape[0], first + distances.size), -1.0)
    h[:, skipped:] = g[:, given:] - 1.0
    noise = np.zeros(h.shape)
    noise[:, skipped:] = error[:, given:]
    return grid, skipped, h, noise


def closed(g: Array, gamma: Array, closure: Closure = "hnc") -> Array:
    r"""Return U/kT of a closure: :math:`-\ln g + \gamma` of HNC, :math:`-\ln g + \ln(1 + \gamma)` of PY.

    It is inf where g = 0. Where PY defines no potential, 1 + gamma counts as `LEAST_CAVITY`.

    Parameters
    ----------
    g, gamma : ndarray
        Radial distribution functions and h - c, of the same shape. A bridge function may be part of gamma.
    closure : {"hnc", "py"}

    Examples
    --------
    >>> closed(np.array([0.0, 1.0]), np.array([3.0, 0.5])).tolist()
    [inf, 0.5]
    """
    with np.errstate(divide="ignore"):
        u = -np.log(g)
    return np.asarray(u + (gamma if closure == "hnc" else np.log1p(np.maximum(gamma, LEAST_CAVITY - 1.0))))


def closure_potential(r: Array, g: Array, gamma: Array, closure: Closure, names: Sequence[str]) -> Array:
    """Return `closed` ``(pairs, n)`` where the closure defines a potential; ConvergenceError where it does not."""
    for row, (curve, seen) in enumerate(zip(gamma, g > 0.0, strict=True)):
        bad = np.flatnonzero((curve <= LEAST_CAVITY - 1.0) & seen)
        if closure == "py" and bad.size:
            which = f"the g(r) of {names[row]}" if names else "this g(r)"
            raise ConvergenceError(
                f"PY defines no potential for {which}: 1 + h - c = {1.0 + curve[bad[0]]:.3g} at "
                f"r = {r[bad[0]]:.4g}, and its logarithm is U; use the closure 'hnc'"
            )
    return closed(g, gamma, closure)
