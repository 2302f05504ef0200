"""What is tried where a run blows up: a shorter time step, then potentials nearer to the best so far."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from cginit.curves import PairPotential, force
from cginit.engines.base import Schedule
from cginit.errors import InputError, UnstableError

__all__ = ["attempts", "between", "first_that_runs"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Result = TypeVar("Result")

#: Factor of the time step where a run blew up, and the least steps of its push-off.
GENTLE_STEP, GENTLE_PUSH_OFF = 0.4, 2_000
#: Parts of the step from the best potential that are tried then.
PARTS = (0.5, 0.25)


def attempts(
    potential: T, schedule: Schedule, nearer: Callable[[float], T] | None
) -> list[tuple[T, Schedule, str]]:
    """Return what is tried in turn: potential, schedule, and what is gentler about it.

    Parameters
    ----------
    potential : PairPotential, or those of all pairs
        What is to be simulated.
    schedule : Schedule
        Its length and time step.
    nearer : callable or None
        Returns what lies at a part of the way from the best potential; None where there is none yet.
    """
    gentle = replace(
        schedule, dt=GENTLE_STEP * schedule.dt, push_off=max(4 * schedule.push_off, GENTLE_PUSH_OFF)
    )
    found = [(potential, schedule, ""), (potential, gentle, "a shorter time step")]
    if nearer is not None:
        found += [(nearer(part), gentle, f"{part:g} of the step from the best potential") for part in PARTS]
    return found


def between(best: PairPotential, potential: PairPotential, part: float) -> PairPotential:
    """Return the potential at a part of the way from `best` to `potential`."""
    u = best.u + part * (potential.u - best.u)
    return replace(potential, u=u, f=force(potential.r, u), u_error=None)


def first_that_runs(
    tried: Sequence[tuple[T, Schedule, str]], run: Callable[[T, Schedule], Result]
) -> tuple[Result, tuple[str, ...]]:
    """Return the result of the first attempt that does not blow up, and a remark for each that did.

    Raises
    ------
    UnstableError
        If all of them do.
    """
    remarks: list[str] = []
    for number, (potential, schedule, remedy) in enumerate(tried, start=1):
        try:
            return run(potential, schedule), tuple(remarks)
        except UnstableError as error:
            if number == len(tried):
                raise
            following = tried[number][2]
            log.warning("%s; trying again with %s", error, following)
            remarks.append(f"the run blew up{remedy and ' with ' + remedy}; repeated with {following}")
    raise InputError("there is nothing to try")
