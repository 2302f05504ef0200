r"""What the network of the equation of state sees of a fluid, and how its output becomes a pressure.

The compressibility factor Z = P / (rho kT) is that of the virial route of HNC with a correction,

.. math:: Z = Z_v + \left(\tfrac{1}{2} + a\right) (Z_e - Z_v) + t\, (1 + |Z_v - 1|)\, b, \qquad
          t = \left(\frac{x}{1 + x}\right)^3, \quad x = 2\pi\rho \int \left|e^{-U/kT} - 1\right| r^2 dr,

with the energy route Z_e (`cginit.eos.fluid.Fluid.z_energy`) and the outputs a and b of the network. Both routes of
HNC have the exact second and third virial coefficient, so that their difference, like t, is of third order in the
density: whatever the network gives, the pressure keeps these coefficients. All is in units of the mean spacing of the
beads, where a change of the length unit changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.eos.fluid import Fluid
from cginit.models.grid import U_CUT, network_grid

__all__ = ["CURVES", "SCALARS", "FluidFeatures", "fluid_features", "main_peak"]

#: Input curves: exp(-U) - 1, U up to 20 kT in units of 20 kT, and h of HNC.
CURVES = 3
#: Input numbers, in words for the sentences about fluids unlike those of the training.
SCALARS = (
    "the virial pressure of HNC",
    "the energy route of HNC",
    "the attraction",
    "the second virial coefficient",
    "the third virial coefficient",
    "S(0) of HNC",
    "the main peak of S(k) of HNC",
    "the packing of the cores",
    "the range of the potential",
)
#: Wave numbers times the mean spacing from which a peak of S(k) stands for order between neighbours.
ORDER = 3.0
#: S(0) is read from here on: its extrapolation to k = 0 may end below 0 in a fluid that hardly yields.
SMALLEST_S = 1e-4
#: h of HNC beyond this is that of attractive particles that overlap; the layers should not see such a number.
H_LARGEST = 4.0


@dataclass(frozen=True, eq=False)
class FluidFeatures:
    """Inputs of the network for m fluids.

    Attributes
    ----------
    curves : ndarray, shape (m, 3, 50)
        On 50 evenly spaced points of [0, 5] mean spacings.
    scalars : ndarray, shape (m, 9)
        As `SCALARS` names them, logarithms of what is large.
    base : ndarray, shape (m, 3)
        Z_v, Z_e and t (1 + |Z_v - 1|).
    """

    curves: Array
    scalars: Array
    base: Array


def main_peak(fluid: Fluid) -> float:
    """Return the highest S(k) of HNC at wave numbers of the order between neighbours."""
    solution = fluid.hnc
    return float(np.max(solution.s_k[solution.k > ORDER]))


def fluid_features(fluid: Fluid) -> FluidFeatures:
    """Return the inputs for one fluid (m = 1).

    Raises
    ------
    ConvergenceError
        If HNC has no solution.
    """
    z_v, z_e, solution = fluid.z_virial, fluid.z_energy, fluid.hnc
    at = network_grid()
    u = np.interp(at, fluid.r, fluid.u, right=0.0)
    mayer = np.expm1(-u)
    # At r = 0, which is no node of the transform, h is nearly that of the first node.
    h = np.interp(at, solution.r, solution.h)
    curves = np.stack([mayer, np.minimum(u, U_CUT) / U_CUT, np.minimum(h, H_LARGEST)])
    fine = np.abs(np.expm1(-fluid.fine_u)) * fluid.fine_r**2
    x = 2.0 * np.pi * float(np.trapezoid(fine, fluid.fine_r))
    scalars = [
        np.arcsinh(z_v - 1.0),
        np.arcsinh(z_e - 1.0),
        np.arcsinh(fluid.z_attraction),
        np.arcsinh(fluid.b2),
        np.arcsinh(fluid.b3),
        np.log(max(solution.s_0, SMALLEST_S)),
        main_peak(fluid),
        np.pi / 6.0 * fluid.diameter**3,
        np.log(x + 1e-6),
    ]
    small = (x / (1.0 + x)) ** 3
    base = [z_v, z_e, small * (1.0 + abs(z_v - 1.0))]
    return FluidFeatures(curves[None], np.array([scalars]), np.array([base]))
