"""The default: Gauss-Newton where its closure has an answer, damped iterative Boltzmann inversion elsewhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from cginit.errors import ConvergenceError
from cginit.refine.history import History, Step
from cginit.refine.updates.base import Update, check_damping
from cginit.refine.updates.corrections import Corrected, PressureRamp
from cginit.refine.updates.gauss_newton import GaussNewton
from cginit.refine.updates.ibi import IBI

__all__ = ["Automatic", "careful"]

log = logging.getLogger(__name__)

#: Damping of iterative Boltzmann inversion where it stands in.
CAREFUL = 0.7


def careful(damping: float, history: History, *, ramp: bool = True) -> Update:
    """Return damped iterative Boltzmann inversion, which needs no theory, with a ramp where a pressure is wanted."""
    rule = IBI(CAREFUL * damping)
    return Corrected(rule, (PressureRamp(),)) if ramp and history.pressure_wanted else rule


@dataclass(frozen=True)
class Automatic:
    """Gauss-Newton; where the simulated g(r) have no inversion, damped iterative Boltzmann inversion.

    Parameters
    ----------
    damping : float
        Factor of each step, in (0, 1].
    constrained : bool
        See `GaussNewton`.
    """

    damping: float = 1.0
    constrained: bool = True
    beyond_cutoff: bool = field(default=True, init=False, repr=False)

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``auto``."""
        return "auto"

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`."""
        try:
            return GaussNewton(self.damping, constrained=self.constrained)(history)
        except ConvergenceError as error:
            log.info("Gauss-Newton failed (%s); iterative Boltzmann inversion stands in", error)
        return careful(self.damping, history, ramp=self.constrained)(history)
