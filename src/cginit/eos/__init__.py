"""Pressure of a pair potential at a state point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.extrapolate import resampled
from cginit.state import StatePoint

__all__ = ["Pressure", "pressure"]

#: Largest grid step of the integral equation, in units of rho^(-1/3).
STEP = 0.02


@dataclass(frozen=True)
class Pressure:
    """A pressure with where it comes from.

    Attributes
    ----------
    value : float
        In energy per volume of the potential's units.
    error : float
        Standard error, NaN where the route gives none.
    method : str
        The route that gave the value.
    """

    value: float
    error: float
    method: str


def pressure(potential: PairPotential, state: StatePoint, method: str = "network") -> Pressure:
    r"""Return the pressure of a fluid of this pair potential.

    Parameters
    ----------
    potential : PairPotential
    state : StatePoint
        Density and kT; converted to the units of the potential.
    method : {"network", "hnc", "b2"}
        ``hnc``: virial pressure of the hypernetted-chain solution; ``b2``: :math:`\rho kT (1 + B_2 \rho)`.
        ``network``: the best route there is, which is ``hnc`` until a trained equation of state is shipped; the
        result's `method` says what was used.

    Raises
    ------
    InputError
        If the method is unknown.
    ConvergenceError
        If the integral equation has no solution, for example inside the gas-liquid region.
    """
    # The integral equation and its solvers are not needed where only a guess is made.
    from cginit.liquid.forward import solve
    from cginit.liquid.virial import second_virial, virial_pressure

    if method not in ("network", "hnc", "b2"):
        raise InputError(f"unknown method {method!r}; known are network, hnc, b2")
    state = state.to(potential.units)
    spacing = state.density ** (-1.0 / 3.0)
    reduced = potential.reduced(spacing, state.kT)
    intervals = max(int(np.ceil(reduced.r_cut / STEP)), 50)
    fine = resampled(reduced, np.linspace(0.0, reduced.r_cut, intervals + 1), kT=1.0)
    scale = state.kT / spacing**3
    if method == "b2":
        return Pressure((1.0 + second_virial(fine.r, fine.u)) * scale, float("nan"), "b2")
    solution = solve(fine.r, fine.u, density=1.0, closure="hnc")
    y = np.interp(fine.r, solution.r, solution.y)
    g = np.interp(fine.r, solution.r, solution.g)
    value = virial_pressure(fine.r, fine.u, g, density=1.0, y=y)
    return Pressure(value * scale, float("nan"), "hnc")
