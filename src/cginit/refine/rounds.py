"""Rounds of several state points: what they share, whatever the potentials are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

import numpy as np

from cginit.engines.base import Schedule
from cginit.errors import ConvergenceError, InputError
from cginit.refine.convergence import Distance
from cginit.refine.length import LONGEST
from cginit.refine.relaxation import best_simulation, longer_equilibration
from cginit.refine.updates.automatic import CLEARLY, WORSE

__all__ = ["Done", "Round", "States", "StatesRefinement", "check_rounds", "lengthened", "refine_rounds"]

log = logging.getLogger(__name__)

#: Names of the rules.
RULES = ("auto", "ibi")
#: Part of a step that made things worse that is tried next.
PART = 0.4
#: After so many rounds without an improvement the compromise is found.
PATIENCE = 4


class Done(Protocol):
    """The finished simulation of one state."""

    @property
    def homogeneous(self) -> bool:
        """Whether it was one homogeneous fluid."""
        ...

    @property
    def complete(self) -> bool:
        """Whether it had its full length."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes it useless as a fluid in equilibrium."""
        ...

    @property
    def relaxed(self) -> int:
        """Steps that had to count as equilibration."""
        ...

    @property
    def seconds(self) -> float:
        """Wall time."""
        ...


P = TypeVar("P")
D = TypeVar("D", bound=Done)
Round = tuple[D, ...]


class States(Protocol[P, D]):
    """Several states and what their common potentials P can do; D is a finished simulation of one of them."""

    @property
    def weights(self) -> Sequence[float]:
        """How much each state counts."""
        ...

    def simulate(
        self, number: int, index: int, potential: P, before: Sequence[D], nearer: Callable[[float], P] | None
    ) -> D:
        """Simulate state `index` in round `number`, more gently where it blows up, and keep what it shows.

        `before` are its earlier rounds; `nearer` returns what lies at a part of the way from the best potential.
        """
        ...

    def distance(self, index: int, done: D) -> Distance:
        """Return how far a state is from its target."""
        ...

    def potential(self, finished: Round[D]) -> P:
        """Return what a round has simulated."""
        ...

    def between(self, best: P, last: P, part: float) -> P:
        """Return the potential at a part of the way."""
        ...

    def settled(self, potential: P, factor: float = 1.0) -> P:
        """Return the potential times a factor, with core and cut-off put right."""
        ...

    def improved(self, finished: Round[D], rule: str) -> P:
        """Return the next potential after a round, by ``auto`` or ``ibi``.

        Raises
        ------
        ConvergenceError
            If ``auto`` has no answer.
        """
        ...


@dataclass(frozen=True, eq=False)
class StatesRefinement(Generic[P, D]):
    """The result for several states.

    Attributes
    ----------
    potential : PairPotential, or dict of pair to PairPotential
        With the smallest weighted mean squared difference over all states; of mixtures those of all pairs.
    history : tuple of tuple of Iteration or MixtureIteration
        For each round the iteration of every state, in their order.
    reason : str
        Why it stopped.
    converged : bool
        Whether every state is at its noise. If one potential cannot serve all, it never is.
    best : int
        Index of the best round.
    compromise : bool
        Whether it stopped because further rounds brought no improvement.
    """

    potential: P
    history: tuple[Round[D], ...]
    reason: str
    converged: bool
    best: int
    compromise: bool = False


def refine_rounds(
    states: States[P, D],
    first: P,
    kept: Sequence[Sequence[D]],
    *,
    update: str,
    iterations: int,
    wall_time: float | None,
    progress: Callable[[Round[D]], None] | None,
) -> StatesRefinement[P, D]:
    """Simulate all states in rounds and improve their common potentials until one of the reasons to stop.

    A round that is clearly worse than the best is followed by part of its step; half the potential is next as long
    as some state was no homogeneous fluid.

    Parameters
    ----------
    states : States
        What is refined.
    first : potential
        The start.
    kept : sequence of sequence
        Of each state the rounds that are on disk.
    update, iterations, wall_time, progress
        See `cginit.refine.multistate.refine_states`.
    """
    began = time.monotonic()
    rounds: list[Round[D]] = [
        tuple(done) for done in zip(*(one[: min(map(len, kept))] for one in kept), strict=True)
    ]
    if progress is not None:
        for done in rounds:
            progress(done)
    out_of_time = False
    while not _stop(states, rounds, iterations):
        if rounds and wall_time is not None:
            longest = max(sum(item.seconds for item in done) for done in rounds)
            out_of_time = time.monotonic() - began + longest > wall_time
            if out_of_time:
                break
        present = _next(states, rounds, update) if rounds else first
        number = len(rounds)
        nearer = None
        if rounds:
            nearer = partial(states.between, states.potential(rounds[_best(states, rounds)]), present)
        finished: list[D] = []
        for index, one in enumerate(kept):
            if len(one) > number:
                # This state was simulated before the stop, another one was not.
                finished.append(one[number])
                continue
            before = [done[index] for done in rounds]
            finished.append(states.simulate(number, index, present, before, nearer))
        rounds.append(tuple(finished))
        if progress is not None:
            progress(rounds[-1])
    return _outcome(states, rounds, iterations, wall_time, out_of_time)


def check_rounds(states: Sequence[object], update: str, iterations: int) -> None:
    """Refuse what no rounds can be made of.

    Raises
    ------
    InputError
        If there is no state, no such rule, or no round.
    """
    if not states:
        raise InputError("give at least one state")
    if update not in RULES:
        raise InputError(f"unknown update {update!r} for several states; known are {' and '.join(RULES)}")
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, not {iterations}")


def lengthened(schedule: Schedule, before: Sequence[Done]) -> Schedule:
    """Return the schedule with as much equilibration as the rounds before have needed."""
    longest = LONGEST * schedule.production
    steps = longer_equilibration([item.relaxed for item in before], schedule.equilibration, longest)
    return replace(schedule, equilibration=steps)


def _outcome(
    states: States[P, D],
    rounds: list[Round[D]],
    iterations: int,
    wall_time: float | None,
    out_of_time: bool,
) -> StatesRefinement[P, D]:
    best = _best(states, rounds)
    converged = _is_noise(states, rounds[-1])
    shown = ", ".join(f"{one.chi2:.3g}" for one in _distances(states, rounds[best]))
    if converged:
        best = len(rounds) - 1
        reason = f"converged: after {len(rounds)} rounds every state differs from its target by noise only"
    elif len(rounds) >= iterations:
        reason = (
            f"stopped at the cap of {iterations} rounds: the best is round {best} (chi^2 per point of the states "
            f"{shown}); run again with a higher cap"
        )
    elif out_of_time:
        reason = (
            f"stopped before the wall time of {wall_time:g} s: the best is round {best} (chi^2 per point of the "
            f"states {shown}); run again on the same folder to go on"
        )
    else:
        reason = (
            f"the compromise is found: {PATIENCE} rounds brought no improvement over round {best} (chi^2 per point "
            f"of the states {shown}); one pair potential may not serve all states better"
        )
    compromise = not converged and len(rounds) < iterations and not out_of_time
    return StatesRefinement(
        states.potential(rounds[best]), tuple(rounds), reason, converged, best, compromise
    )


def _next(states: States[P, D], rounds: Sequence[Round[D]], update: str) -> P:
    """Return the next potential, a pure function of the rounds so far."""
    number = _best(states, rounds)
    best, last = rounds[number], rounds[-1]
    here = states.potential(last)
    if not _homogeneous(best):
        log.info("no homogeneous fluid in some state yet; half the potential is next")
        return states.settled(here, 0.5)
    if _worse(states, last, best):
        log.info("round %d is worse than %d; part of the step is next", len(rounds) - 1, number)
        return states.settled(states.between(states.potential(best), here, PART))
    if update == "auto" and not any(item.warnings for item in last):
        try:
            return states.improved(last, "auto")
        except ConvergenceError as error:
            log.info("Gauss-Newton failed (%s); iterative Boltzmann inversion stands in", error)
    return states.improved(last, "ibi")


def _best(states: States[P, D], rounds: Sequence[Round[D]]) -> int:
    """Return the index of the best round; one in which all states were homogeneous fluids if there is any."""
    return best_simulation(
        [max(item.relaxed for item in done) for done in rounds],
        [_homogeneous(done) for done in rounds],
        [_lmse(states, done) for done in rounds],
    )


def _worse(states: States[P, D], last: Round[D], best: Round[D]) -> bool:
    """Whether a round is worse than the best by more than chance."""
    if last is best:
        return False
    noisy = max(one.chi2 for one in _distances(states, last)) <= CLEARLY
    return not _homogeneous(last) or (_lmse(states, last) > WORSE * _lmse(states, best) and not noisy)


def _stop(states: States[P, D], rounds: Sequence[Round[D]], cap: int) -> bool:
    if not rounds:
        return False
    if _is_noise(states, rounds[-1]) or len(rounds) >= cap:
        return True
    best = min(range(len(rounds)), key=lambda k: _lmse(states, rounds[k]))
    return len(rounds) - 1 - best >= PATIENCE


def _distances(states: States[P, D], finished: Round[D]) -> list[Distance]:
    return [states.distance(index, item) for index, item in enumerate(finished)]


def _lmse(states: States[P, D], finished: Round[D]) -> float:
    weights = np.asarray(states.weights, dtype=np.float64)
    return float(weights @ [one.lmse for one in _distances(states, finished)] / weights.sum())


def _is_noise(states: States[P, D], finished: Round[D]) -> bool:
    return all(item.complete for item in finished) and all(
        one.is_noise for one in _distances(states, finished)
    )


def _homogeneous(finished: Round[D]) -> bool:
    return all(item.homogeneous for item in finished)
