"""Structure factors of g(r) as they are looked at: a plain transform, which nothing is fitted to."""

from __future__ import annotations

import numpy as np

from cginit.curves import Array

__all__ = ["structure_factor"]


def structure_factor(r: Array, g: Array, k: Array, densities: tuple[float, float], *, like: bool) -> Array:
    r"""Return the partial structure factor ``(m,)`` of a pair of bead types from their g(r).

    .. math:: S_{ab}(k) = \delta_{ab} + \sqrt{\rho_a \rho_b}\; 4\pi \int_0^R [g_{ab}(r) - 1]\,
              \frac{\sin kr}{kr}\, \frac{\sin(\pi r/R)}{\pi r/R}\, r^2 dr

    with Lorch's window in place of the sharp end at R, the last point of g: it broadens what is finer than some
    2 pi/R. Below k = 2 pi/R the sum says little.

    Parameters
    ----------
    r, g : ndarray, shape (n,)
        A uniform grid from the core to R, and g on it.
    k : ndarray, shape (m,)
        Wave numbers, positive.
    densities : tuple of float
        Number densities of the two bead types.
    like : bool
        Whether the two are of one type.

    References
    ----------
    N. W. Ashcroft and D. C. Langreth, Phys. Rev. 156, 685 (1967), doi:10.1103/PhysRev.156.685.
    E. Lorch, J. Phys. C 2, 229 (1969), doi:10.1088/0022-3719/2/2/305.

    Examples
    --------
    >>> r, k = np.linspace(0.0, 8.0, 801), np.array([1.0, 3.0])
    >>> soft = structure_factor(r, 1.0 - np.exp(-(r**2)), k, (0.1, 0.1), like=True)
    >>> bool(np.allclose(soft, 1.0 - 0.1 * np.pi**1.5 * np.exp(-(k**2) / 4), atol=0.02))
    True
    """
    step = float(r[-1] - r[0]) / (r.size - 1)
    weight = np.full(r.size, step)
    weight[[0, -1]] *= 0.5
    window = np.sinc(r / r[-1])
    waves = np.sinc(np.outer(k, r) / np.pi)
    total = 4.0 * np.pi * (waves @ (weight * window * r**2 * (g - 1.0)))
    return np.asarray(float(like) + np.sqrt(densities[0] * densities[1]) * total, dtype=np.float64)
