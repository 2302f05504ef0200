"""How the potentials of all pairs of a mixture change after a simulation. One file a rule, chosen by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cginit.refine.mixture_updates.automatic import MixtureAutomatic
from cginit.refine.mixture_updates.base import MixtureUpdate, measurement_of
from cginit.refine.mixture_updates.corrections import MixturePressureRamp
from cginit.refine.mixture_updates.ibi import MixtureIBI
from cginit.refine.mixture_updates.integral_equation import MixtureIHNC
from cginit.refine.mixture_updates.monte_carlo import MixtureIMC
from cginit.refine.mixture_updates.newton import MixtureGaussNewton, MixtureHNCN
from cginit.refine.updates.base import rule_named

__all__ = [
    "MIXTURE_UPDATES",
    "MixtureAutomatic",
    "MixtureGaussNewton",
    "MixtureHNCN",
    "MixtureIBI",
    "MixtureIHNC",
    "MixtureIMC",
    "MixturePressureRamp",
    "MixtureUpdate",
    "make_mixture_update",
    "measurement_of",
]

#: The rules by name.
MIXTURE_UPDATES: dict[str, Callable[[], MixtureUpdate]] = {
    "auto": MixtureAutomatic,
    "gauss-newton": MixtureGaussNewton,
    "hncn": MixtureHNCN,
    "ihnc": MixtureIHNC,
    "imc": MixtureIMC,
    "ibi": MixtureIBI,
}


def make_mixture_update(
    name: str, *, pressure: float | None = None, correction: Literal["auto", "wjk", "simple"] = "auto"
) -> MixtureUpdate:
    """Return the rule of that name.

    Parameters
    ----------
    name : str
        A key of `MIXTURE_UPDATES`.
    pressure : float, optional
        Pressure to reach, in the units of the potentials.
    correction : {"auto", "wjk", "simple"}
        How: ``auto`` takes it as a datum where the rule can (``auto``, ``gauss-newton``) and the ramps of
        `MixturePressureRamp` elsewhere.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> make_mixture_update("auto").name, make_mixture_update("ibi", pressure=0.5).pressure
    ('auto', 0.5)
    """
    rule = rule_named(MIXTURE_UPDATES, name, " for mixtures")()
    if pressure is None:
        return rule
    if correction == "auto" and name == "auto":
        return MixtureAutomatic(pressure=pressure)
    if correction == "auto" and name == "gauss-newton":
        return MixtureGaussNewton(pressure=pressure)
    return MixturePressureRamp(rule, pressure, "simple" if correction == "simple" else "wjk")
