"""How the potentials of all pairs of a mixture change after a simulation. One file a rule, chosen by name."""

from __future__ import annotations

from collections.abc import Callable

from cginit.errors import InputError
from cginit.refine.mixture_updates.automatic import MixtureAutomatic
from cginit.refine.mixture_updates.base import MixtureUpdate, measurement_of
from cginit.refine.mixture_updates.ibi import MixtureIBI
from cginit.refine.mixture_updates.integral_equation import MixtureIHNC
from cginit.refine.mixture_updates.monte_carlo import MixtureIMC
from cginit.refine.mixture_updates.newton import MixtureGaussNewton, MixtureHNCN

__all__ = [
    "MIXTURE_UPDATES",
    "MixtureAutomatic",
    "MixtureGaussNewton",
    "MixtureHNCN",
    "MixtureIBI",
    "MixtureIHNC",
    "MixtureIMC",
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


def make_mixture_update(name: str) -> MixtureUpdate:
    """Return the rule of that name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> make_mixture_update("auto")
    MixtureAutomatic()
    """
    if name not in MIXTURE_UPDATES:
        raise InputError(f"unknown update {name!r} for mixtures; known are {', '.join(MIXTURE_UPDATES)}")
    return MIXTURE_UPDATES[name]()
