"""The pressure of a potential: by one route, by all of them beside each other, and along an isotherm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.eos.fluid import Fluid, fluid_at
from cginit.eos.result import Pressure
from cginit.eos.routes import ROUTES, Estimate, estimate
from cginit.eos.stability import DILUTE, Flag, flags
from cginit.errors import CGInitError, InputError
from cginit.state import StatePoint

__all__ = ["ISOTHERM_ROUTES", "RouteComparison", "compare_routes", "isotherm", "one_pressure"]

#: Routes of an isotherm: a g(r) belongs to one density.
ISOTHERM_ROUTES = ("network", *(name for name in ROUTES if name != "virial"))
#: What takes the place of a network that is not there or does not know such a fluid.
FALLBACK = "hnc-mean"


@dataclass(frozen=True)
class RouteComparison:
    """The pressure of one state by every route.

    Attributes
    ----------
    state : StatePoint
        In the units of the potential.
    routes : dict of str to Pressure
        Those that have an answer.
    failures : dict of str to str
        Why the others have none.
    trusted : str or None
        The route to be taken; None where no homogeneous fluid is likely.
    reason : str
        Why this one.
    flags : tuple of Flag
        Signs of gas-liquid separation and of freezing.
    """

    state: StatePoint
    routes: dict[str, Pressure]
    failures: dict[str, str]
    trusted: str | None
    reason: str
    flags: tuple[Flag, ...]

    @property
    def separates(self) -> bool:
        """Whether a sign of gas-liquid separation leaves no doubt."""
        return _separates(self.flags)


def one_pressure(
    potential: PairPotential,
    state: StatePoint,
    method: str,
    rdf: RDF | None = None,
    folder: Path | None = None,
) -> Pressure:
    """Return the pressure by one route; see `cginit.pressure`."""
    fluid = fluid_at(potential, state, rdf)
    state = state.to(potential.units)
    if method != "network":
        return _scaled(estimate(fluid, method, folder), method, state)
    try:
        return _scaled(estimate(fluid, "network", folder), "network", state)
    except CGInitError as error:
        return _next_best(fluid, state, error)


def _next_best(fluid: Fluid, state: StatePoint, reason: CGInitError) -> Pressure:
    """Return the answer of the best route that has one, since the network has none for this reason."""
    try:
        found, name = estimate(fluid, FALLBACK), FALLBACK
        signs: tuple[Flag, ...] = ()
    except CGInitError:
        found, name = _without_solution(fluid)
        signs = flags(fluid)
    note = f"the network was not used, {name} was: {reason}"
    return _scaled(replace(found, notes=(note, *found.notes, *(sign.text for sign in signs))), name, state)


def _without_solution(fluid: Fluid) -> tuple[Estimate, str]:
    """Return an answer for a state at which HNC has no solution, with an error that says how little it is worth."""
    dilute = abs(fluid.b3) < DILUTE
    if not dilute:
        try:
            found = estimate(fluid, "perturbation")
        except CGInitError:
            pass
        else:
            return found, "perturbation"
    # The third coefficient of an attraction passes through 0 while the next does not, whose size is about that of the
    # second cubed; a series that does not converge says no more than its size.
    rest = abs(fluid.b2) ** 3 if dilute else abs(fluid.b2)
    return replace(estimate(fluid, "b2+b3"), error=abs(fluid.b3) + rest), "b2+b3"


def compare_routes(
    potential: PairPotential, state: StatePoint, rdf: RDF | None = None, folder: Path | None = None
) -> RouteComparison:
    """Return the pressure by every route, the one to be trusted, and what speaks against a homogeneous fluid.

    Parameters
    ----------
    potential : PairPotential
    state : StatePoint
        Converted to the units of the potential.
    rdf : RDF, optional
        A g(r) of this potential at this state, for the virial formula.
    folder : Path, optional
        Where the files of the network are, if not in the package.

    Examples
    --------
    >>> r = np.linspace(0.0, 2.5, 126)
    >>> soft = PairPotential.shifted(r, 2 * np.exp(-(r**2)), units="lj")
    >>> found = compare_routes(soft, StatePoint(0.5, 1.0))
    >>> found.flags, found.trusted
    ((), 'network')
    """
    fluid = fluid_at(potential, state, rdf)
    state = state.to(potential.units)
    routes: dict[str, Pressure] = {}
    failures: dict[str, str] = {}
    for name in ("network", *ROUTES):
        if name == "virial" and rdf is None:
            continue
        try:
            routes[name] = _scaled(estimate(fluid, name, folder), name, state)
        except CGInitError as error:
            failures[name] = str(error)
    signs = flags(fluid)
    trusted, reason = _choose(fluid, routes, signs)
    return RouteComparison(state, routes, failures, trusted, reason, signs)


def isotherm(
    potential: PairPotential,
    kT: float,
    densities: Sequence[float] | Array,
    folder: Path | None = None,
) -> dict[str, Array]:
    """Return P ``(m,)`` at rising densities ``(m,)`` by each of `ISOTHERM_ROUTES`; NaN where a route has no answer.

    In the units of the potential. Routes without any answer are left out.
    """
    found = {name: np.full(len(densities), np.nan) for name in ISOTHERM_ROUTES}
    for i, density in enumerate(densities):
        state = StatePoint(float(density), kT, potential.units)
        fluid = fluid_at(potential, state)
        for name in ISOTHERM_ROUTES:
            try:
                found[name][i] = estimate(fluid, name, folder).z * state.density * state.kT
            except CGInitError:
                continue
    return {name: values for name, values in found.items() if np.any(np.isfinite(values))}


def _scaled(found: Estimate, method: str, state: StatePoint) -> Pressure:
    if state.units is None:
        raise InputError("a state without units has no pressure; give StatePoint(density, kT, units)")
    unit = state.density * state.kT
    return Pressure(found.z * unit, found.error * unit, method, state.units, found.notes)


def _choose(fluid: Fluid, routes: dict[str, Pressure], signs: tuple[Flag, ...]) -> tuple[str | None, str]:
    if _separates(signs):
        return None, "no route describes a fluid that separates; choose another temperature or density"
    if "virial" in routes:
        return "virial", "exact, if the given g(r) is that of this potential at this state"
    if "network" in routes:
        return "network", "trained on simulated pressures, and this fluid is like those of the training"
    if FALLBACK in routes:
        return FALLBACK, "the best theory here; its two routes differ by twice the error"
    if abs(fluid.b3) < DILUTE:
        return "b2+b3", "the fluid is dilute"
    return (
        None,
        "HNC has no solution, and the fluid is too dense for virial coefficients; it is hardly homogeneous",
    )


def _separates(signs: tuple[Flag, ...]) -> bool:
    return any(x.kind == "gas-liquid" and x.certain for x in signs)
