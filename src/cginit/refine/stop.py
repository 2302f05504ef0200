"""Reasons to stop a refinement, and the criteria that find them. The sentence is made at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.refine.convergence import has_pressure
from cginit.refine.history import History
from cginit.refine.record import Record, Round
from cginit.refine.relaxation import slowness
from cginit.refine.reweighting import Proposal
from cginit.target import Target

__all__ = [
    "BelowNorm",
    "Compromise",
    "Criterion",
    "Limits",
    "Norm",
    "Reason",
    "Situation",
    "arrived",
    "sentence",
]

#: After so many rounds of several states without an improvement the compromise is found.
PATIENCE = 4


class Reason(Enum):
    """Why a refinement ended."""

    AT_NOISE = "the difference to the targets is noise"
    REWEIGHTED = "reweighting shows that the next potentials are at the noise"
    BELOW_NORM = "the norm of the difference is below the limit"
    COMPROMISE = "one potential cannot serve all states better"
    CAP = "the cap on simulations is reached"
    WALL_TIME = "the next simulation would not end within the wall time"
    NO_ANSWER = "the update has no answer"

    @property
    def converged(self) -> bool:
        """Whether what was wanted is reached."""
        return self in (Reason.AT_NOISE, Reason.REWEIGHTED, Reason.BELOW_NORM)


@dataclass(frozen=True)
class Limits:
    """When a refinement stops although it has not converged.

    Attributes
    ----------
    iterations : int
        Largest number of simulations, of several states of rounds.
    wall_time : float or None
        Seconds, counted from the call; no simulation is started that would not end within them, judged by
        the longest so far.
    """

    iterations: int = 30
    wall_time: float | None = None

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise InputError(f"iterations must be at least 1, not {self.iterations}")
        if self.wall_time is not None and self.wall_time <= 0:
            raise InputError(f"wall_time must be positive, not {self.wall_time:g}")


@dataclass(frozen=True, eq=False)
class Situation:
    """Where a refinement stands when it is asked whether to stop.

    Attributes
    ----------
    history : History
        With at least one round.
    limits : Limits
        The caps.
    elapsed : float
        Seconds since the call.
    proposal : Proposal or None
        What would be simulated next; None where the update has no answer.
    helpless : str
        What the update said then.
    update : str
        Its name.
    """

    history: History
    limits: Limits
    elapsed: float
    proposal: Proposal | None
    helpless: str
    update: str


class Criterion(Protocol):
    """Something that may end a refinement."""

    def __call__(self, situation: Situation) -> Reason | None:
        """Return the reason to stop, if there is one."""
        ...


def arrived(finished: Round, targets: tuple[Target, ...]) -> bool:
    """Whether every state is at the noise, and has the pressure where one is wanted."""
    return all(
        record.is_noise and has_pressure(record.pressure, record.pressure_error, target.pressure)
        for record, target in zip(finished, targets, strict=True)
    )


def at_noise(situation: Situation) -> Reason | None:
    """Stop where the last round has arrived."""
    history = situation.history
    return Reason.AT_NOISE if arrived(history.last, history.targets) else None


def reweighted(situation: Situation) -> Reason | None:
    """Stop where reweighting shows that the next potentials would arrive.

    Not where a pressure is wanted: weights know it far worse than a simulation, which has to show that it is reached.
    """
    proposal = situation.proposal
    if proposal is None or not proposal.at_noise or proposal.estimate is None:
        return None
    return None if situation.history.pressure_wanted else Reason.REWEIGHTED


def capped(situation: Situation) -> Reason | None:
    """Stop at the cap on rounds."""
    return Reason.CAP if len(situation.history) >= situation.limits.iterations else None


def out_of_time(situation: Situation) -> Reason | None:
    """Stop before the wall time would be over in the middle of a round."""
    wall_time = situation.limits.wall_time
    if wall_time is None:
        return None
    longest = max(sum(record.seconds for record in done) for done in situation.history.rounds)
    return Reason.WALL_TIME if situation.elapsed + longest > wall_time else None


def no_answer(situation: Situation) -> Reason | None:
    """Stop where the update has none: the best so far is worth more than an error."""
    return Reason.NO_ANSWER if situation.proposal is None else None


@dataclass(frozen=True)
class Compromise:
    """Several states stop when rounds bring no improvement: one potential may not serve all of them better."""

    patience: int = PATIENCE

    def __call__(self, situation: Situation) -> Reason | None:
        """Return the reason; see `Criterion`."""
        history = situation.history
        if len(history.targets) == 1:
            return None
        found = [history.lmse(k) for k in range(len(history))]
        return Reason.COMPROMISE if len(found) - 1 - int(np.argmin(found)) >= self.patience else None


@dataclass(frozen=True)
class Norm:
    r"""csg_inverse's measure of one g(r): the sum over its points up to the cut-off of \|g - g_target\|^p."""

    weight: float = 1.0
    power: int = 1

    def of(self, record: Record, target: Target, name: Interaction) -> float:
        """Return its part of the sum."""
        curve, sampled = target.rdfs[name], record.rdfs[name].with_core()
        r = curve.r[curve.r <= record.pairs[name].r_cut + 1e-6 * curve.dr]
        difference = np.abs(np.interp(r, sampled.r, sampled.g) - curve.g[: r.size])
        return self.weight * float(np.sum(difference**self.power))


@dataclass(frozen=True, eq=False)
class BelowNorm:
    """Stop where the sum of norms of csg_inverse's ``convergence_check`` is at its limit.

    Attributes
    ----------
    limit : float
        Of the sum.
    norms : mapping of Interaction to Norm
        The interactions that have a part of it.
    """

    limit: float
    norms: Mapping[Interaction, Norm]

    def sum(self, history: History) -> float:
        """Return the sum over interactions and states of the last round."""
        return sum(
            norm.of(record, target, name)
            for record, target in zip(history.last, history.targets, strict=True)
            for name, norm in self.norms.items()
            if name in record.rdfs
        )

    def describe(self, history: History) -> str:
        """Say how large the sum is."""
        return f"the norm of g - g_target is {self.sum(history):.3g}, at most the {self.limit:g} of convergence_check"

    def __call__(self, situation: Situation) -> Reason | None:
        """Return the reason; see `Criterion`."""
        return Reason.BELOW_NORM if self.sum(situation.history) <= self.limit else None


#: What every refinement is asked, in this order, with those that the caller adds before the caps.
FIRST: tuple[Criterion, ...] = (at_noise, reweighted)
LAST: tuple[Criterion, ...] = (capped, out_of_time, no_answer, Compromise())


def sentence(reason: Reason, situation: Situation, shown: Round, best: int, norm: str = "") -> str:
    """Return why a refinement stopped and what would help, in words.

    `shown` is the round whose potentials are the result, perhaps reweighted, `best` the index of the one that was
    simulated, and `norm` what `BelowNorm` says.
    """
    history = situation.history
    noun = "simulation" if len(history.targets) == 1 else "round"
    count = f"{len(history)} {noun}{'s' * (len(history) > 1)}"
    skipped = sum(done[0].skipped for done in history.rounds)
    where = _numbers(shown, history)
    if reason.converged:
        if reason is Reason.REWEIGHTED and situation.proposal is not None:
            skipped += situation.proposal.skipped
        saved = f", and {skipped} update{'s' * (skipped > 1)} judged by reweighting" if skipped else ""
        what = "g(r) differs from the target" if _single(history) else "every g(r) differs from its target"
        if any(one.distributions for one in history.targets):
            what = "every distribution differs from its target"
        if len(history.targets) > 1:
            what = "every state differs from its target"
        if reason is Reason.BELOW_NORM:
            return f"converged: after {count} {norm} ({where})"
        weighted = ""
        if reason is Reason.REWEIGHTED:
            number = history.last[0].index
            weighted = f", of the configurations of iteration {number} weighted for the last potentials"
        return (
            f"converged: after {count}{saved}, {what} by noise only ({where}{weighted}); longer simulations would "
            "show finer differences"
        )
    found = f"the best of {count} is {'iteration' if noun == 'simulation' else 'round'} {best} ({where})"
    found += slowness([max(record.relaxed for record in done) for done in history.rounds])
    if reason is Reason.CAP:
        cap = situation.limits.iterations
        return f"stopped at the cap of {cap} {noun}{'s' * (cap > 1)}: {found}; run again with a higher cap"
    if reason is Reason.WALL_TIME:
        wall_time = situation.limits.wall_time
        return (
            f"stopped before the wall time of {wall_time:g} s: {found}; run again on the same folder to go on"
        )
    if reason is Reason.NO_ANSWER:
        return (
            f"stopped where the update {situation.update} has no answer ({situation.helpless}): {found}; start from "
            "its potentials with the update auto or ibi, in another folder"
        )
    since = len(history) - 1 - best
    return (
        f"the compromise is found: {since} round{'s' * (since != 1)} brought no improvement over round {best} "
        f"({where}); one set of pair potentials may not serve all states better"
    )


def _single(history: History) -> bool:
    return len(history.targets) == 1 and len(history.targets[0].measured) == 1


def _numbers(shown: Round, history: History) -> str:
    """Return the numbers that a result is judged by."""
    if len(shown) > 1:
        values = ", ".join(f"{record.distance.chi2:.3g}" for record in shown)
        text = f"chi^2 per point of the states {values}"
    elif len(shown[0].distances) == 1:
        text = f"chi^2 per point {shown[0].distance.chi2:.3g}, mean squared difference {shown[0].distance.lmse:.2g}"
    else:
        free = {name: one.chi2 for name, one in shown[0].distances.items() if name not in shown[0].held}
        worst = max(free, key=lambda name: free[name])
        text = f"largest chi^2 per point {free[worst]:.2f}, of {worst}"
    for record, target in zip(shown, history.targets, strict=True):
        if target.pressure is not None:
            text += (
                f"; pressure {record.pressure:.4g} +- {record.pressure_error:.2g} {target.units.pressure}, "
                f"wanted: {target.pressure:.4g}"
            )
    return text
