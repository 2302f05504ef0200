"""Whether a homogeneous fluid can exist at a state: signs of the gas-liquid region and of freezing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cginit.eos.features import main_peak
from cginit.eos.fluid import Fluid
from cginit.errors import ConvergenceError

__all__ = ["DILUTE", "Flag", "flags"]

#: S(0) from which density fluctuations are those of the neighbourhood of a spinodal.
S_0 = 10.0
#: Main peak of S(k) of a liquid at its freezing line. J. P. Hansen and L. Verlet, Phys. Rev. 184, 151 (1969),
#: doi:10.1103/PhysRev.184.151.
S_PEAK = 2.85
#: Packing of hard spheres at freezing. W. G. Hoover and F. H. Ree, J. Chem. Phys. 49, 3609 (1968),
#: doi:10.1063/1.1670641.
PACKING = 0.494
#: B2 at the critical temperature of simple fluids in units of pi d^3. G. A. Vliegenthart and H. N. W. Lekkerkerker,
#: J. Chem. Phys. 112, 5364 (2000), doi:10.1063/1.481106.
CRITICAL_B2 = -1.0
#: Third virial term as a part of the ideal pressure up to which a fluid counts as dilute.
DILUTE = 0.05


@dataclass(frozen=True)
class Flag:
    """A sign that the fluid is not homogeneous at its state.

    Attributes
    ----------
    kind : {"gas-liquid", "freezing"}
        Which transition it is a sign of.
    certain : bool
        False where the sign allows a homogeneous fluid as well.
    text : str
        A sentence for the user.
    """

    kind: Literal["gas-liquid", "freezing"]
    certain: bool
    text: str


def flags(fluid: Fluid) -> tuple[Flag, ...]:
    """Return every sign that the HNC solution, the second virial coefficient and the cores of a fluid give."""
    found = [*_fluctuations(fluid), *_freezing(fluid)]
    return tuple(x for x in found if x is not None)


def _fluctuations(fluid: Fluid) -> list[Flag | None]:
    try:
        solution = fluid.hnc
        slope = fluid.virial_slope
    except ConvergenceError:
        if not np.any(fluid.fine_u < 0.0):
            text = "HNC has no solution at this state, and without attraction there is no gas: it is probably frozen"
            return [Flag("freezing", True, text)]
        if abs(fluid.b3) < DILUTE:
            text = "HNC has no solution at this state, as for very short and deep wells, though the fluid is dilute"
            return [Flag("gas-liquid", False, text)]
        text = "HNC has no solution at this state: it probably lies inside the gas-liquid region"
        return [Flag("gas-liquid", True, text)]
    found: list[Flag | None] = []
    if slope <= 0.0:
        text = (
            f"the virial pressure of HNC falls with the density (d(beta P)/d rho = {slope:.3g}): the fluid is "
            "mechanically unstable and separates into gas and liquid"
        )
        found.append(Flag("gas-liquid", True, text))
    elif fluid.z_virial <= 0.0:
        text = (
            f"the pressure of HNC is negative (P / (rho kT) = {fluid.z_virial:.3g}): such a liquid is stretched and "
            "forms bubbles of gas"
        )
        found.append(Flag("gas-liquid", True, text))
    if solution.s_0 > S_0:
        text = (
            f"S(0) = {solution.s_0:.3g} by HNC: the density fluctuates as near the limit of stability of gas "
            "and liquid"
        )
        found.append(Flag("gas-liquid", True, text))
    critical = CRITICAL_B2 * np.pi * fluid.diameter**3
    if not found and fluid.diameter > 0.0 and fluid.b2 < critical:
        text = (
            f"B2 is {fluid.b2 / critical:.3g} times its value at the critical temperature of simple fluids: at this "
            "temperature there is a gas-liquid transition, and the state is stable only outside of its two densities"
        )
        found.append(Flag("gas-liquid", False, text))
    return found


def _freezing(fluid: Fluid) -> list[Flag | None]:
    packing = np.pi / 6.0 * fluid.diameter**3
    try:
        peak = main_peak(fluid)
    except ConvergenceError:
        peak = 0.0
    if peak <= S_PEAK and packing <= PACKING:
        return []
    reasons = []
    if peak > S_PEAK:
        reasons.append(
            f"the main peak of S(k) is {peak:.3g} by HNC (liquids freeze at {S_PEAK}, Hansen and Verlet)"
        )
    if packing > PACKING:
        reasons.append(f"the cores fill {packing:.3g} of space (hard spheres freeze at {PACKING})")
    text = f"{' and '.join(reasons)}: the stable phase is probably a crystal"
    return [Flag("freezing", True, text)]
