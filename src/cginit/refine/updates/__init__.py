"""Update rules: how the potentials change after the simulations so far. One file a rule, chosen by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from cginit.errors import InputError
from cginit.refine.updates.acceleration import Anderson
from cginit.refine.updates.automatic import Automatic
from cginit.refine.updates.base import Update
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
#: Rules in which a pressure to reach is a datum.
CONSTRAINED = ("auto", "gauss-newton")


def _rule(name: str) -> Callable[[float], Update]:
    if name in UPDATES:
        return UPDATES[name]
    # It takes longer to import than the rules.
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group="cginit.updates")}
    if name not in found:
        raise InputError(f"unknown update {name!r}; known are {', '.join([*UPDATES, *sorted(found)])}")
    rule: Callable[[float], Update] = found[name].load()
    return rule


def make_update(
    name: str = DEFAULT_UPDATE,
    damping: float = 1.0,
    *,
    pressure: bool = False,
    correction: Literal["auto", "wjk", "simple"] = "auto",
    kirkwood_buff: bool = False,
) -> Update:
    """Return the update rule of that name.

    Parameters
    ----------
    name : str
        A key of `UPDATES`, or one registered under the entry point ``cginit.updates``: a callable that takes the
        damping and returns an `Update`.
    damping : float
        Factor of each change, in (0, 1].
    pressure : bool
        Whether the targets have a pressure to reach.
    correction : {"auto", "wjk", "simple"}
        How it is reached: ``auto`` takes it as a datum where the rule can (``auto``, ``gauss-newton``) and the ramp
        of Wang, Junghans and Kremer elsewhere.
    kirkwood_buff : bool
        Whether to add the Kirkwood-Buff ramp.

    Raises
    ------
    InputError
        If there is no such rule.

    Examples
    --------
    >>> make_update("ibi", 0.5)
    IBI(damping=0.5, plain=False, beyond_cutoff=False)
    >>> make_update("ibi", pressure=True).corrections
    (PressureRamp(kind='wjk', beyond_cutoff=False),)
    """
    update = _rule(name)(damping)
    corrections: list[Correction] = []
    if pressure and (correction != "auto" or name not in CONSTRAINED):
        corrections.append(PressureRamp("simple" if correction == "simple" else "wjk"))
        # One of the two, not both: the ramp.
        if isinstance(update, (Automatic, GaussNewton)):
            update = replace(update, constrained=False)
    if kirkwood_buff:
        corrections.append(KirkwoodBuffRamp())
    return Corrected(update, tuple(corrections)) if corrections else update
