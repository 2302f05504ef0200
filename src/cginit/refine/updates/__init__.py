"""Update rules: the next potential from the simulations so far. One file a rule, chosen by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cginit.refine.updates.acceleration import Anderson
from cginit.refine.updates.automatic import Automatic
from cginit.refine.updates.base import Update, apply_change, rule_named
from cginit.refine.updates.corrections import Corrected, Correction, KirkwoodBuffRamp, PressureRamp
from cginit.refine.updates.gauss_newton import GaussNewton
from cginit.refine.updates.ibi import IBI
from cginit.refine.updates.integral_equation import HNCN, IHNC
from cginit.refine.updates.monte_carlo import IMC

__all__ = [
    "DEFAULT_UPDATE",
    "HNCN",
    "IBI",
    "IHNC",
    "IMC",
    "UPDATES",
    "Anderson",
    "Automatic",
    "Corrected",
    "Correction",
    "GaussNewton",
    "KirkwoodBuffRamp",
    "PressureRamp",
    "Update",
    "apply_change",
    "make_update",
]

#: The update rules by name, each made from its damping.
UPDATES: dict[str, Callable[[float], Update]] = {
    "auto": Automatic,
    "gauss-newton": GaussNewton,
    "ihnc": IHNC,
    "hncn": HNCN,
    "imc": IMC,
    "ibi": IBI,
    "anderson-ibi": lambda damping: Anderson(IBI(damping)),
}
DEFAULT_UPDATE = "auto"


def make_update(
    name: str = DEFAULT_UPDATE,
    damping: float = 1.0,
    *,
    pressure: float | None = None,
    correction: Literal["auto", "wjk", "simple"] = "auto",
    kirkwood_buff: bool = False,
) -> Update:
    """Return the update rule of that name.

    Parameters
    ----------
    name : str
        A key of `UPDATES`.
    damping : float
        Factor of each change, in (0, 1].
    pressure : float, optional
        Pressure to reach, in the units of the potential.
    correction : {"auto", "wjk", "simple"}
        How: ``auto`` takes it as a datum where the rule can (``auto``, ``gauss-newton``) and the ramp of
        Wang, Junghans and Kremer elsewhere.
    kirkwood_buff : bool
        Whether to add the Kirkwood-Buff ramp.

    Raises
    ------
    InputError
        If there is no such rule.

    Examples
    --------
    >>> make_update("ibi", 0.5).damping
    0.5
    """
    update = rule_named(UPDATES, name)(damping)
    corrections: list[Correction] = []
    if pressure is not None:
        if correction == "auto" and name == "auto":
            update = Automatic(damping, pressure)
        elif correction == "auto" and name == "gauss-newton":
            update = GaussNewton(damping, pressure=pressure)
        else:
            corrections.append(PressureRamp(pressure, "simple" if correction == "simple" else "wjk"))
    if kirkwood_buff:
        corrections.append(KirkwoodBuffRamp())
    return Corrected(update, tuple(corrections)) if corrections else update
