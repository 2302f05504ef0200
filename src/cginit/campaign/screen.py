"""Cheap tests, before any simulation, of whether a state point is a homogeneous fluid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.campaign.potentials import wca
from cginit.curves import Array, PairPotential
from cginit.errors import ConvergenceError
from cginit.liquid import forward

__all__ = ["Screening", "screen"]

#: Reduced second virial coefficient below which a fluid separates into gas and liquid somewhere: half the value
#: -pi sigma^3 at the critical temperature of simple fluids (Vliegenthart and Lekkerkerker,
#: J. Chem. Phys. 112, 5364, 2000, doi:10.1063/1.481106) is still a fluid. Only where HNC has no solution, too.
MIN_B2 = -np.pi
#: Peak of the HNC structure factor. A fluid freezes at 2.85 (Hansen and Verlet, Phys. Rev. 184, 151, 1969,
#: doi:10.1103/PhysRev.184.151), but HNC exaggerates the peak of soft fluids: of 152 that were simulated as
#: homogeneous fluids 5 % had one above 7 and the highest was 39, of 41 that froze or clustered 93 %.
MAX_PEAK = 15.0
#: S(0) of HNC, above which the state is near critical and no box of a campaign is large enough.
MAX_COMPRESSIBILITY = 5.0
#: A potential that differs from the bare WCA core by less than this, in kT, is one more WCA fluid.
MIN_DIFFERENCE, CORE_END = 0.1, 0.85


@dataclass(frozen=True, eq=False)
class Screening:
    """What the integral equation says of a state point.

    Attributes
    ----------
    reason : str
        Why it is not worth a simulation; empty if it is.
    known : bool
        Whether that is because the fluid is known already, so that nothing could be learnt of the screen.
    r, h : ndarray, shape (n,)
        HNC total correlation function, to choose the box by; empty where there is no solution.
    """

    reason: str
    known: bool
    r: Array
    h: Array


def screen(potential: PairPotential, density: float) -> Screening:
    """Judge a state point, in sigma and kT, by its second virial coefficient and its HNC structure factor.

    Refused are: a spline so hidden by its WCA core that the fluid is one more bare WCA; a fluid without HNC
    solution whose B2 is in the gas-liquid region; one whose HNC structure factor peaks as in a crystal or a
    cluster fluid, or is near critical at k = 0. HNC alone has no solution in many dense fluids, which pass.
    """
    r, u = potential.r, potential.u
    nothing = np.empty(0)
    outside = r > CORE_END
    if np.max(np.abs(u - wca(r))[outside], initial=0.0) < MIN_DIFFERENCE and u[0] > 1e3:
        return Screening("screened: no different from a bare WCA core", True, nothing, nothing)
    try:
        fluid = forward.solve(r, u, density)
    except ConvergenceError:
        b2 = -2.0 * np.pi * float(np.trapezoid(np.expm1(-u) * r**2, r))
        reason = ""
        if b2 < MIN_B2:
            reason = f"screened: no HNC solution, and B2 = {b2:.3g} sigma^3 is in the gas-liquid region"
        return Screening(reason, False, nothing, nothing)
    peak = float(fluid.s_k.max())
    reason = ""
    if fluid.s_0 > MAX_COMPRESSIBILITY:
        reason = f"screened: near critical, S(0) = {fluid.s_0:.3g} in HNC"
    elif peak > MAX_PEAK:
        reason = f"screened: freezes or clusters, S(k) reaches {peak:.3g} in HNC"
    return Screening(reason, False, fluid.r, fluid.h)
