"""Pressure and Kirkwood-Buff integrals of a potential and its g(r), as far as updates need them."""

from __future__ import annotations

import numpy as np

from cginit.curves import RDF, Array

__all__ = ["energy_row", "kirkwood_buff", "pressure_row"]


def pressure_row(r: Array, g: Array, density: float) -> Array:
    r"""Return the derivatives ``(n,)`` of the virial pressure at fixed g with respect to the energies at `r`.

    From :math:`P = \rho kT - \frac{2\pi}{3} \rho^2 \int U' g r^3 dr` by parts, with U = 0 at the end,

    .. math:: \partial P / \partial U_i = \frac{2\pi}{3} \rho^2\, \Delta r\, \frac{d (g r^3)}{dr}\Big|_{r_i}.

    Examples
    --------
    In an ideal gas a ramp 1 - r changes the pressure by 2 pi/3 rho^2 times 1/4.

    >>> r = np.linspace(0.0, 1.0, 401)
    >>> round(float(pressure_row(r, np.ones(401), 1.0) @ (1.0 - r)) / (2 * np.pi / 3 / 4), 3)
    1.0
    """
    dr = float(r[1] - r[0])
    return np.asarray(2.0 * np.pi / 3.0 * density**2 * dr * np.gradient(g * r**3, r))


def energy_row(r: Array, u: Array, first: int) -> Array:
    r"""Return the derivatives ``(n,)`` of the virial pressure at fixed U with respect to g at `r`, for density 1.

    .. math:: \partial P / \partial g_i = -\frac{2\pi}{3} \Delta r\, U'(r_i)\, r_i^3

    The energies `u` ``(n,)`` below the point `first` are those of a core that no g shows; there it is 0.
    """
    slope = np.gradient(u, r)
    slope[: first + 1] = 0.0
    return np.asarray(-2.0 * np.pi / 3.0 * float(r[1] - r[0]) * slope * r**3)


def kirkwood_buff(curve: RDF, r_from: float) -> float:
    r"""Return :math:`G = 4\pi \int_0^R (g - 1) r^2 dr`, averaged over R from `r_from` to the end of the curve.

    The average over the end takes out the oscillations of the running integral.
    """
    full = curve.with_core()
    running = 4.0 * np.pi * np.cumsum((full.g - 1.0) * full.r**2) * full.dr
    return float(np.mean(running[full.r >= r_from - 1e-9]))
