"""The default: Gauss-Newton where it works, a smaller step where it made things worse, IBI where it fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import RDF, PairPotential
from cginit.errors import ConvergenceError
from cginit.refine.convergence import Distance, distance
from cginit.refine.measurement import Measurement, on_grid
from cginit.refine.relaxation import best_simulation
from cginit.refine.updates.base import apply_change, check_damping
from cginit.refine.updates.gauss_newton import GaussNewton
from cginit.refine.updates.ibi import IBI
from cginit.state import StatePoint

__all__ = ["Automatic"]

log = logging.getLogger(__name__)

#: A simulation is worse than the best one if its mean squared difference is this many times larger, and its chi^2
#: per point above the second number: below that the two differ by chance.
WORSE, CLEARLY = 2.0, 6.0
#: Smallest and largest part of a step that went wrong that is tried next.
SHORTEST, LONGEST = 0.15, 0.6
#: Failed attempts from one potential after which the direction itself is given up.
PATIENCE = 2
#: Damping of iterative Boltzmann inversion where it stands in.
CAREFUL = 0.7


@dataclass(frozen=True)
class Automatic:
    """Gauss-Newton with a way back.

    From the best simulation so far (`cginit.refine.relaxation.best_simulation`):

    - if it is the last, the step of `GaussNewton`; where the inversion of its g fails, damped iterative Boltzmann
      inversion, which needs no theory;
    - if the last is clearly worse, part of the step that led there: the part that the two simulations, taken
      as linear in between, find best, between 0.15 and 0.6;
    - after two such attempts, damped iterative Boltzmann inversion from the best;
    - as long as no run was a homogeneous fluid, half the last potential, which is the fluid at twice the
      temperature: what g of a cluster or a crystal says of the potential is nothing.

    Parameters
    ----------
    damping : float
        Factor of each step, in (0, 1].
    pressure : float, optional
        See `GaussNewton`.
    """

    damping: float = 1.0
    pressure: float | None = None
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``auto``."""
        return "auto"

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        distances = [distance(item.rdf, target, item.potential.r_cut, item.longer) for item in history]
        best = best_simulation(
            [item.relaxed for item in history],
            [item.healthy for item in history],
            [one.lmse for one in distances],
        )
        last = len(history) - 1
        if not history[best].healthy:
            return _heated(history[last], target, state)
        if last == best or not _worse(history, distances, best):
            return self._forward(history, target, state)
        failed = last - best
        log.info("simulation %d is worse than %d; going back", last, best)
        if failed <= PATIENCE:
            return _part_of_step(history[best], history[last], target, state)
        careful = IBI(CAREFUL * self.damping * 0.5 ** (failed - PATIENCE - 1))
        return self._with_pressure(careful, history[best], target, state)

    def _forward(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        # A cluster or a crystal says nothing of how the fluid responds.
        fluids = [item for item in history[:-1] if item.healthy]
        try:
            return GaussNewton(self.damping, pressure=self.pressure)([*fluids, history[-1]], target, state)
        except ConvergenceError as error:
            log.info("Gauss-Newton failed (%s); iterative Boltzmann inversion stands in", error)
        return self._with_pressure(IBI(CAREFUL * self.damping), history[-1], target, state)

    def _with_pressure(
        self, rule: IBI, measured: Measurement, target: RDF, state: StatePoint
    ) -> PairPotential:
        from cginit.refine.updates.corrections import Corrected, PressureRamp

        if self.pressure is None:
            return rule([measured], target, state)
        return Corrected(rule, (PressureRamp(self.pressure),))([measured], target, state)


def _worse(history: Sequence[Measurement], distances: Sequence[Distance], best: int) -> bool:
    last, reference = distances[-1], distances[best]
    if history[best].healthy and not history[-1].healthy:
        return True
    noisy = last.chi2 <= CLEARLY
    return last.lmse > WORSE * reference.lmse and not noisy


def _heated(last: Measurement, target: RDF, state: StatePoint) -> PairPotential:
    """Return half the potential."""
    log.info("no homogeneous fluid yet; half the potential is next")
    half = replace(last.potential, u=0.5 * last.potential.u)
    return apply_change(half, np.zeros(half.u.size), target, state.kT)


def _part_of_step(best: Measurement, last: Measurement, target: RDF, state: StatePoint) -> PairPotential:
    """Return the potential on the way from `best` to `last` where g is nearest to the target, taken as linear."""
    p = best.potential
    wanted, start, end = on_grid(target, p), on_grid(best.rdf, p), on_grid(last.rdf, p)
    along = end - start
    power = float(along @ along)
    part = float(along @ (wanted - start)) / power if power > 0.0 and last.healthy else SHORTEST
    part = float(np.clip(part, SHORTEST, LONGEST))
    u = p.u + part * (last.potential.u - p.u)
    return apply_change(replace(p, u=u), np.zeros(u.size), target, state.kT)
