"""Hard spheres as a reference: the diameter of a core, and the pressure of spheres of this diameter."""

from __future__ import annotations

import numpy as np

from cginit.curves import Array

__all__ = ["barker_henderson", "carnahan_starling"]

#: U(r) at r = 0 in kT from which a particle counts as having a hard core.
HARD = 50.0


def barker_henderson(r: Array, u: Array) -> float:
    r"""Return the Barker-Henderson diameter :math:`d = \int_0^{r_0} (1 - e^{-U/kT}) dr` of a core.

    r0 is the first zero of U, or the end of the table. 0 where U(0) is below 50 kT: particles that overlap have none.

    References
    ----------
    J. A. Barker and D. Henderson, J. Chem. Phys. 47, 4714 (1967), doi:10.1063/1.1701689.

    Examples
    --------
    >>> r = np.linspace(0.0, 3.0, 3001)
    >>> round(barker_henderson(r, np.where(r < 1.0, 1e3, 0.0)), 2)
    1.0
    """
    if u[0] < HARD:
        return 0.0
    below = np.flatnonzero(u <= 0.0)
    end = int(below[0]) + 1 if below.size else r.size
    return float(np.trapezoid(-np.expm1(-u[:end]), r[:end]))


def carnahan_starling(density: float, diameter: float) -> float:
    r"""Return :math:`\beta P` of hard spheres.

    .. math:: \beta P = \rho \frac{1 + \eta + \eta^2 - \eta^3}{(1 - \eta)^3}, \qquad \eta = \frac{\pi}{6} \rho d^3

    NaN from :math:`\eta = 0.74` on, beyond close packing.

    References
    ----------
    N. F. Carnahan and K. E. Starling, J. Chem. Phys. 51, 635 (1969), doi:10.1063/1.1672048.

    Examples
    --------
    >>> carnahan_starling(0.3, 0.0), round(carnahan_starling(0.9, 1.0), 2)
    (0.3, 9.67)
    """
    eta = np.pi / 6.0 * density * diameter**3
    if eta >= 0.74:
        return float("nan")
    return float(density * (1.0 + eta + eta**2 - eta**3) / (1.0 - eta) ** 3)
