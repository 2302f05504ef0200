"""The default for mixtures: Gauss-Newton where it works, a smaller step where it made things worse, else IBI."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.measurement import on_grid
from cginit.refine.mixture_store import MixtureIteration, best_of
from cginit.refine.mixture_updates.base import FreeRule, MixtureUpdate
from cginit.refine.mixture_updates.corrections import MixturePressureRamp
from cginit.refine.mixture_updates.ibi import MixtureIBI
from cginit.refine.mixture_updates.newton import MixtureGaussNewton
from cginit.refine.updates.automatic import CAREFUL, CLEARLY, LONGEST, PATIENCE, SHORTEST, WORSE

__all__ = ["MixtureAutomatic"]

log = logging.getLogger(__name__)

#: The name of an update that goes back.
PART = "part"
#: Least part of a step of Gauss-Newton after some that went too far.
SMALLEST_DAMPING = 0.25


@dataclass(frozen=True)
class MixtureAutomatic(FreeRule):
    """Gauss-Newton with a way back, as `cginit.refine.updates.Automatic` is for one species.

    From the best simulation so far (least mean squared difference of all pairs): the step of `MixtureGaussNewton` if
    it is the last, damped iterative Boltzmann inversion where its g(r) have no inversion; part of the step that led
    away from it if the last is clearly worse, and after two such attempts damped iterative Boltzmann inversion; half
    of all potentials as long as no run was a homogeneous fluid. Each step that went too far halves those that follow,
    down to a quarter: near a phase boundary g answers more than any closure tells.

    Parameters
    ----------
    pressure : float, optional
        See `MixtureGaussNewton`; where iterative Boltzmann inversion stands in, by `MixturePressureRamp`.
    """

    pressure: float | None = field(default=None, kw_only=True)
    name: str = field(default="auto", init=False, repr=False)

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`."""
        last = history[-1]
        best = best_of(history)
        if not history[best].homogeneous:
            log.info("no homogeneous fluid yet; half the potentials are next")
            return {pair: -0.5 * one.u for pair, one in last.potentials.items()}, "half"
        if not _worse(last, history[best]):
            return self._forward(last, target, max(SMALLEST_DAMPING, 0.5 ** _failures(history)))
        failed = len(history) - 1 - best
        log.info("simulation %d is worse than %d; going back", last.index, best)
        if failed <= PATIENCE:
            part = _part(history[best], last, target)
            return {pair: (part - 1.0) * step for pair, step in _step(history[best], last).items()}, PART
        careful = MixtureIBI(CAREFUL * 0.5 ** (failed - PATIENCE - 1))
        changes, name = self._with_pressure(careful)([history[best]], target)
        # Changes count from the last potentials.
        return {pair: changes[pair] - step for pair, step in _step(history[best], last).items()}, name

    def _forward(
        self, last: MixtureIteration, target: MixtureTarget, damping: float
    ) -> tuple[dict[Pair, Array], str]:
        try:
            changes, name = MixtureGaussNewton(pressure=self.pressure)([last], target)
            return {pair: damping * change for pair, change in changes.items()}, name
        except ConvergenceError as error:
            log.info("Gauss-Newton failed (%s); iterative Boltzmann inversion stands in", error)
        return self._with_pressure(MixtureIBI(CAREFUL))([last], target)

    def _with_pressure(self, rule: MixtureIBI) -> MixtureUpdate:
        return rule if self.pressure is None else MixturePressureRamp(rule, self.pressure)


def _failures(history: Sequence[MixtureIteration]) -> int:
    """Count the steps that went too far: those that a part of the step followed, one or several times."""
    parts = [item.update == PART for item in history]
    return sum(now and not before for before, now in zip([False, *parts], parts, strict=False))


def _worse(last: MixtureIteration, best: MixtureIteration) -> bool:
    """Whether the last simulation is worse than the best by more than chance."""
    if last is best:
        return False
    noisy = max(one.chi2 for one in last.distances.values()) <= CLEARLY
    return not last.homogeneous or (last.lmse > WORSE * best.lmse and not noisy)


def _step(best: MixtureIteration, last: MixtureIteration) -> dict[Pair, Array]:
    return {pair: last.potentials[pair].u - one.u for pair, one in best.potentials.items()}


def _part(best: MixtureIteration, last: MixtureIteration, target: MixtureTarget) -> float:
    """Return the part of the step from `best` to `last` at which all g are nearest to their targets, as if linear."""
    if not last.homogeneous:
        return SHORTEST
    along, away = [], []
    for pair, potential in best.potentials.items():
        start = on_grid(best.rdfs[pair], potential)
        along.append(on_grid(last.rdfs[pair], potential) - start)
        away.append(on_grid(target.rdfs[pair], potential) - start)
    slope, gap = np.concatenate(along), np.concatenate(away)
    power = float(slope @ slope)
    return float(np.clip(float(slope @ gap) / power if power > 0.0 else 0.0, SHORTEST, LONGEST))
