"""Pressure and Kirkwood-Buff integrals of a potential and its g(r), as far as updates need them."""

from __future__ import annotations

import numpy as np

from cginit.bonded import Distribution
from cginit.curves import RDF, Array

__all__ = ["bond_pressure", "energy_row", "kirkwood_buff", "pressure_row"]


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


def bond_pressure(x: Array, u: Array, bonds: Distribution, density: float) -> float:
    r"""Return the virial pressure of a bond's potential `u` ``(n,)`` at `x` for bonds of a distribution p(b).

    .. math:: P = -\frac{\rho_b}{3} \int p\, b\, U'(b)\, db

    with the number density of such bonds. The potentials of angles and dihedrals have none: they are the same for all
    sizes of a molecule.

    Examples
    --------
    A force of 2 that draws all bonds of length 1.5 together.

    >>> b = np.linspace(1.4, 1.6, 21)
    >>> bonds = Distribution.normalised(b, np.exp(-1e4 * (b - 1.5) ** 2), coordinate="bond", units="lj")
    >>> round(bond_pressure(b, 2.0 * b, bonds, 0.1), 9)
    -0.1
    """
    slope = np.gradient(np.interp(bonds.x, x, u), bonds.x)
    return float(-density / 3.0 * np.sum(bonds.p * bonds.widths * bonds.x * slope))


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
