r"""Routes from a potential to the pressure, by name.

Errors are statistical for ``virial`` (those of g) and fitted to simulations for ``network``. The others have an
estimate: of ``hnc``, ``hnc-energy`` and ``hnc-compressibility`` the difference of the virial route from another,
which the exact theory would not have, of ``hnc-mean`` half of it; of ``perturbation`` half of that of the repulsion
and a part of the attraction; of ``b2`` the first term left out, of ``b2+b3`` the
last one kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit.eos.fluid import Fluid
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.hard_sphere import carnahan_starling
from cginit.liquid.virial import sampled_virial

__all__ = ["EXPLANATIONS", "ROUTES", "Estimate", "estimate"]


@dataclass(frozen=True)
class Estimate:
    """Compressibility factor P / (rho kT) with its error, and sentences about it."""

    z: float
    error: float
    notes: tuple[str, ...] = ()


def _b2(fluid: Fluid) -> Estimate:
    return Estimate(1.0 + fluid.b2, abs(fluid.b3))


def _b2_b3(fluid: Fluid) -> Estimate:
    return Estimate(1.0 + fluid.b2 + fluid.b3, abs(fluid.b3))


def _hnc(fluid: Fluid) -> Estimate:
    return Estimate(fluid.z_virial, abs(fluid.z_virial - fluid.z_energy))


def _hnc_energy(fluid: Fluid) -> Estimate:
    return Estimate(fluid.z_energy, abs(fluid.z_virial - fluid.z_energy))


def _hnc_mean(fluid: Fluid) -> Estimate:
    # The virial route of a core is too high and the compressibility route too low by about the same.
    return Estimate(0.5 * (fluid.z_virial + fluid.z_energy), 0.5 * abs(fluid.z_virial - fluid.z_energy))


def _hnc_compressibility(fluid: Fluid) -> Estimate:
    other = fluid.z_compressibility
    return Estimate(other, abs(other - fluid.z_virial))


#: Error of `_perturbation` as a part of what the attraction adds: ten states of the Lennard-Jones fluid in and around
#: its gas-liquid region differ by up to 0.15 of it from the equation of state of Thol et al., one by 0.29.
ATTRACTION_ERROR = 0.2


def _perturbation(fluid: Fluid) -> Estimate:
    attraction = fluid.z_perturbed_attraction
    core = fluid.reference
    try:
        z, error = (
            0.5 * (core.z_virial + core.z_compressibility),
            0.5 * abs(core.z_virial - core.z_compressibility),
        )
    except ConvergenceError:
        # So dense that even the repulsion alone has no solution: hard spheres, whose error is not known either.
        z = _hard_spheres(fluid).z
        error = ATTRACTION_ERROR * z
    return Estimate(z + attraction, error + ATTRACTION_ERROR * abs(attraction))


def _hard_spheres(fluid: Fluid) -> Estimate:
    if fluid.diameter == 0.0:
        raise InputError("the particles have no hard core")
    z = carnahan_starling(1.0, fluid.diameter)
    if not np.isfinite(z):
        raise InputError("the cores, taken as hard spheres, would be closely packed")
    return Estimate(z, float("nan"))


def _virial_of_g(fluid: Fluid) -> Estimate:
    if fluid.rdf is None:
        raise InputError("the virial formula needs a g(r) of this potential (rdf=, --rdf)")
    # Reading a g(r) as point values is not needed where only U is known.
    from cginit.guess.assembly import visible_target

    visible = visible_target(fluid.rdf)
    target, u_r, u = visible.target, fluid.fine_r, fluid.fine_u
    z = sampled_virial(target.r, target.g, u_r, u, 1.0)
    # Each bin enters the virial with -(2 pi / 3) U' r^3 dr; in a core that g does not show it does not enter.
    slope = np.interp(target.r, u_r, np.gradient(u, u_r), right=0.0)
    weight = np.where(target.g > 0.0, 2.0 * np.pi / 3.0 * slope * target.r**3 * target.dr, 0.0)
    return Estimate(z, float(np.sqrt(np.sum((weight * visible.error) ** 2))))


def _network(fluid: Fluid, folder: Path | None) -> Estimate:
    """Return the answer of the network for a fluid like those of its training.

    Raises
    ------
    InputError
        If no network is there, or the fluid lies outside of its training.
    ConvergenceError
        If HNC has no solution.
    """
    # ONNX Runtime is not needed for the other routes.
    from cginit.eos.coverage import outside
    from cginit.eos.features import fluid_features
    from cginit.eos.inference import MODEL, load_eos

    model = load_eos(MODEL, folder)
    features = fluid_features(fluid)
    reasons = outside(model.domain, features)
    if reasons:
        raise InputError(f"outside the training of the network: {'; '.join(reasons)}")
    z, error = model(features)
    return Estimate(float(z[0]), float(error[0]))


#: Routes that need nothing but the fluid.
ROUTES: dict[str, Callable[[Fluid], Estimate]] = {
    "virial": _virial_of_g,
    "hnc-mean": _hnc_mean,
    "hnc": _hnc,
    "hnc-energy": _hnc_energy,
    "hnc-compressibility": _hnc_compressibility,
    "b2": _b2,
    "b2+b3": _b2_b3,
    "perturbation": _perturbation,
    "carnahan-starling": _hard_spheres,
}

#: What each route is, in a few words.
EXPLANATIONS = {
    "network": "trained correction to HNC",
    "virial": "virial formula with the given g(r)",
    "hnc-mean": "mean of hnc and hnc-energy",
    "hnc": "virial formula with the g(r) of HNC",
    "hnc-energy": "HNC, compressibility route of the repulsion and energy route of the attraction",
    "hnc-compressibility": "integral of 1/S(0) of HNC over the density",
    "b2": "second virial coefficient",
    "b2+b3": "second and third virial coefficient",
    "perturbation": "HNC of the repulsion, and the energy of the attraction as far as HNC goes",
    "carnahan-starling": "hard spheres of the Barker-Henderson diameter",
}


def estimate(fluid: Fluid, method: str, folder: Path | None = None) -> Estimate:
    """Return the answer of one route.

    Parameters
    ----------
    fluid : Fluid
    method : str
        A key of `ROUTES`, or ``network``.
    folder : Path, optional
        Where the files of the network are, if not in the package.

    Raises
    ------
    InputError
        If the route is unknown, does not apply to this fluid, or its network is not there.
    ConvergenceError
        If the integral equation has no solution.
    """
    if method == "network":
        return _network(fluid, folder)
    if method not in ROUTES:
        raise InputError(f"unknown method {method!r}; known are network, {', '.join(ROUTES)}")
    return ROUTES[method](fluid)
