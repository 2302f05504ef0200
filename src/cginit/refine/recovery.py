"""What is tried where a run blows up: a shorter time step, then potentials nearer to the best so far."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from cginit.bonded import BondedPotential, Potential
from cginit.bonded_grids import bonded_force
from cginit.curves import force
from cginit.engines.base import Schedule
from cginit.errors import InputError, UnstableError
from cginit.interactions import Interaction, Interactions
from cginit.refine.settle import on_bonded_grid

__all__ = ["Attempt", "attempts", "between", "first_that_runs"]

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Potentials = Interactions[Potential]

#: Factor of the time step where a run blew up, and the least steps of its push-off.
GENTLE_STEP, GENTLE_PUSH_OFF = 0.4, 2_000
#: Parts of the step from the best potentials that are tried then.
PARTS = (0.5, 0.25)

#: Potentials, schedule, and what is gentler about it.
Attempt = tuple[Potentials, Schedule, str]


def attempts(
    potentials: Potentials, schedule: Schedule, best: Potentials | None, dt: float | None = None
) -> list[Attempt]:
    """Return what is tried in turn: the potentials, and then more gently.

    Parameters
    ----------
    potentials : Interactions of PairPotential or BondedPotential
        What is to be simulated.
    schedule : Schedule
        Its length and time step.
    best : the same, or None
        The best so far; None where there are none yet.
    dt : float, optional
        The time step with which these potentials are simulated, where that is not the one of the schedule: stiff
        bonds take a shorter one.
    """
    taken = schedule.dt if dt is None else dt
    gentle = replace(schedule, dt=GENTLE_STEP * taken, push_off=max(4 * schedule.push_off, GENTLE_PUSH_OFF))
    found = [(potentials, schedule, ""), (potentials, gentle, "a shorter time step")]
    if best is not None:
        found += [
            (between(best, potentials, part), gentle, f"{part:g} of the step from the best potential")
            for part in PARTS
        ]
    return found


def between(best: Potentials, potentials: Potentials, part: float) -> Potentials:
    """Return the potentials at a part of the way from `best` to `potentials`."""
    found: dict[Interaction, Potential] = {}
    for name, potential in potentials.items():
        sound = best[name]
        if isinstance(potential, BondedPotential) and isinstance(sound, BondedPotential):
            # The walls of bonds end where they are high, in each round elsewhere.
            sound = on_bonded_grid(sound, potential.x)
        u = sound.u + part * (potential.u - sound.u)
        if isinstance(potential, BondedPotential):
            f = bonded_force(potential.x, u, potential.coordinate)
            found[name] = replace(potential, u=u - u.min(), f=f, u_error=None)
            continue
        found[name] = replace(potential, u=u, f=force(potential.r, u), u_error=None)
    return Interactions(found)


def first_that_runs(
    tried: Sequence[Attempt], run: Callable[[Potentials, Schedule], Result]
) -> tuple[Result, tuple[str, ...]]:
    """Return the result of the first attempt that does not blow up, and a remark for each that did.

    Raises
    ------
    UnstableError
        If all of them do.
    """
    remarks: list[str] = []
    for number, (potentials, schedule, remedy) in enumerate(tried, start=1):
        try:
            return run(potentials, schedule), tuple(remarks)
        except UnstableError as error:
            if number == len(tried):
                raise
            following = tried[number][2]
            log.warning("%s; trying again with %s", error, following)
            remarks.append(f"the run blew up{remedy and ' with ' + remedy}; repeated with {following}")
    raise InputError("there is nothing to try")
