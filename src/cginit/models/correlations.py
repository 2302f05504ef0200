r"""What the networks of the bridge function see of a liquid besides g(r): its indirect correlation function.

The Ornstein-Zernike inversion (`cginit.liquid.ornstein_zernike.invert`) gives :math:`\gamma = h - c`, and with it the
potential of a closure. What is missing is small, smooth and depends on the liquid locally.
"""

from __future__ import annotations

import numpy as np

from cginit.curves import Array, LongWave
from cginit.liquid.bridge import modified_verlet
from cginit.liquid.noise_weights import invert_by_weights
from cginit.liquid.ornstein_zernike import NOISE_WEIGHT, OZInversion

__all__ = ["U_LOWEST", "WEIGHTS", "inversions", "structure_size", "verlet_modified", "with_origin"]

#: -ln g is read from here on.
U_LOWEST = -5.0
#: Weights of the noise in the inversions that the network sees: the usual one, which is best in dense liquids, and
#: one that leaves c more freedom, which a long-ranged potential at moderate density needs.
WEIGHTS = (NOISE_WEIGHT, 0.1 * NOISE_WEIGHT)


def verlet_modified(u0: Array, gamma: Array) -> Array:
    r"""Return the potential in kT of the Verlet-modified closure.

    .. math:: U/kT = -\ln g + \gamma + B(\gamma)

    with the bridge function of `cginit.liquid.bridge.modified_verlet`.

    Parameters
    ----------
    u0, gamma : ndarray
        -ln g and h - c.

    Examples
    --------
    >>> verlet_modified(np.array([1.0, 1.0]), np.array([0.0, 1.0])).round(3).tolist()
    [1.0, 1.722]
    """
    return np.asarray(u0 + gamma + modified_verlet(gamma), dtype=np.float64)


def structure_size(u0: Array, density: Array, step: float) -> Array:
    r"""Return how much structure a liquid has, a number ``(m,)`` that hangs on no unit of length.

    .. math:: \Big( 4 \pi \rho \int (g - 1)^2 r^2 dr \Big)^{1/2}

    A gas has little of it, a dense liquid 2 to 3.

    Parameters
    ----------
    u0 : ndarray, shape (m, n)
        -ln g from r = 0.
    density : ndarray, shape (m,)
        In the inverse cube of the unit of `step`.
    step : float
        Between two distances.

    Examples
    --------
    >>> core = np.where(np.arange(1001) < 100, 50.0, 0.0)[None]
    >>> structure_size(core, np.array([0.3]), 0.01).round(2)
    array([1.11])
    """
    r = step * np.arange(u0.shape[1])
    h = np.exp(-u0) - 1.0
    return np.asarray(np.sqrt(4.0 * np.pi * density * step * ((h * r) ** 2).sum(axis=1)))


def inversions(
    r: Array, g: Array, density: float, error: Array, wave: LongWave | None
) -> tuple[OZInversion, ...]:
    """Return the Ornstein-Zernike inversion of g ``(n,)`` for each of the `WEIGHTS`, with S(k) if there is one."""
    return tuple(invert_by_weights(r, g, density, error, WEIGHTS, wave=wave))


def with_origin(values: Array) -> Array:
    """Return an even function of r ``(..., n)`` at the nodes of a transform with its value at r = 0 before them."""
    # By two nodes, not as `cginit.splines.even_spline_at_origin` by thirty: networks have learned from these numbers.
    origin = values[..., :1] + (values[..., :1] - values[..., 1:2]) / 3.0
    return np.concatenate([origin, values], axis=-1)
