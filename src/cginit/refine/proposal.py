"""The next potential to simulate, or the last one, where reweighting shows that no simulation is needed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from cginit.curves import RDF, PairPotential
from cginit.errors import ConvergenceError
from cginit.refine.convergence import distance
from cginit.refine.measurement import Measurement
from cginit.refine.reweighting import reweighted
from cginit.refine.updates.base import Update
from cginit.state import StatePoint

__all__ = ["CHI2_REWEIGHTED", "MAX_UPDATES", "PROGRESS", "Proposal", "propose"]

log = logging.getLogger(__name__)

#: Updates by reweighting between two simulations.
MAX_UPDATES = 4
#: chi^2 per point at which a reweighted g counts as at the noise. The configurations that judge the potential have
#: also made it: where an update fitted p of n independent points, new configurations give 2 p / n more (Mallows,
#: doi:10.1080/00401706.1973.10489103). The smooth changes of a regularised update have p / n below a quarter.
CHI2_REWEIGHTED = 1.5
#: A further update must reduce the mean squared difference to this part.
PROGRESS = 0.9


@dataclass(frozen=True, eq=False)
class Proposal:
    """What is to be simulated next.

    Attributes
    ----------
    potential : PairPotential
        The next potential.
    estimate : Measurement or None
        Its g(r) and pressure by reweighting the last simulation, where that is possible.
    skipped : int
        Updates judged by reweighting: simulations that were not needed.
    at_noise : bool
        Whether the estimate is at the noise, so that nothing need be simulated.
    """

    potential: PairPotential
    estimate: Measurement | None = None
    skipped: int = 0
    at_noise: bool = False


def propose(
    history: Sequence[Measurement], target: RDF, state: StatePoint, update: Update, *, final: bool
) -> Proposal:
    """Update the potential, and again with the reweighted configurations while they stand for it.

    `final` says whether the last simulation was long enough for its reweighting to end the refinement.
    """
    last = history[-1]
    potential = update(history, target, state)
    accepted: Proposal | None = None
    before = distance(last.rdf, target, last.potential.r_cut).lmse
    for count in range(1, MAX_UPDATES + 1):
        estimate = reweighted(last, potential, state) if last.healthy else None
        if estimate is None:
            break
        reached = distance(estimate.rdf, target, potential.r_cut, estimate.longer)
        if reached.lmse > PROGRESS * before:
            # Better than an update that does not help.
            return accepted or Proposal(potential)
        log.info("reweighting: chi^2 %.2f, mean squared difference %.2g", reached.chi2, reached.lmse)
        before = reached.lmse
        at_noise = final and reached.chi2 <= CHI2_REWEIGHTED
        accepted = Proposal(potential, estimate, count, at_noise)
        if at_noise:
            return accepted
        try:
            potential = update([*history, estimate], target, state)
        except ConvergenceError as error:
            # Inverse Monte Carlo needs configurations of their own weight.
            log.info("no update of what was reweighted: %s", error)
            return accepted
    return Proposal(potential, None, 0 if accepted is None else accepted.skipped)
