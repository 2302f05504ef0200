"""How long a simulation samples: longer where the noise of g leaves the updates no way on."""

from __future__ import annotations

from collections.abc import Sequence

from cginit.engines.base import Schedule
from cginit.errors import InputError
from cginit.refine.convergence import CHI2_AT_NOISE
from cginit.refine.record import Round, round_chi2, round_lmse
from cginit.target import Target

__all__ = ["LONGEST", "check_longest", "longer_production"]

#: Steps of sampling that a refinement may grow to unless it is told, in multiples of those of its schedule.
LONGEST = 4
#: chi^2 per point up to which noise may be what holds an update back: at 10 the difference is three times the
#: standard error of the two curves together.
LIMITED = 10.0
#: An update that leaves more than this part of the mean squared difference has not helped.
HELPED = 0.9


def check_longest(longest: int | None, schedule: Schedule) -> int:
    """Return the cap on the steps of sampling.

    Raises
    ------
    InputError
        If it is below the steps of the schedule.
    """
    if longest is None:
        return LONGEST * schedule.production
    if longest < schedule.production:
        raise InputError(
            f"the longest production, {longest} steps, is below the production of {schedule.production}"
        )
    return longest


def longer_production(
    rounds: Sequence[Round], targets: Sequence[Target], production: int, longest: int
) -> int:
    """Return the steps of sampling of the next round of simulations.

    They double, up to `longest`, after two rounds of full length in a row that were near the target but not at
    the noise (chi^2 per point between 2 and 10) and no better than the best before them: then what an update learns
    from g is mostly noise. It is a function of the history, so that a refinement can be resumed.

    Parameters
    ----------
    rounds : sequence of Round
        All rounds so far.
    targets : sequence of Target
        What each state is to show.
    production, longest : int
        Steps of sampling in the schedule, and the cap.
    """
    best = float("inf")
    stuck = 0
    for done in rounds:
        lmse, chi2 = round_lmse(done, targets), round_chi2(done)
        helped = lmse <= HELPED * best
        limited = all(item.complete for item in done) and CHI2_AT_NOISE < chi2 <= LIMITED
        stuck = 0 if helped or not limited else stuck + 1
        best = min(best, lmse)
        if stuck == 2:
            production, stuck = min(2 * production, longest), 0
    return production
