"""What an update may know: the targets and every round so far. And what it answers: a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cginit.bonded import BondedPotential, Potential
from cginit.curves import Array, PairPotential
from cginit.interactions import Interaction, Interactions
from cginit.refine.record import Round, pair_potentials, round_lmse, round_potentials
from cginit.refine.relaxation import best_simulation
from cginit.refine.settle import settle, settle_bonded, widest_distribution
from cginit.refine.stability import collapses
from cginit.target import Target

__all__ = ["History", "Step", "apply_step"]


@dataclass(frozen=True, eq=False)
class History:
    """The targets of all states, and the rounds of simulations so far, the last one last.

    Attributes
    ----------
    targets : tuple of Target
        One a state.
    rounds : tuple of Round
        Of each round one record a state.
    held : frozenset of Interaction
        Interactions whose potentials are given and do not change.
    """

    targets: tuple[Target, ...]
    rounds: tuple[Round, ...]
    held: frozenset[Interaction] = frozenset()

    def __len__(self) -> int:
        return len(self.rounds)

    @property
    def last(self) -> Round:
        """The last round."""
        return self.rounds[-1]

    @property
    def free(self) -> tuple[Interaction, ...]:
        """The interactions that are refined, in the order of the states that have them."""
        return tuple(name for name in self.potentials() if name not in self.held)

    @property
    def free_pairs(self) -> tuple[Interaction, ...]:
        """The pairs among them."""
        return tuple(name for name in self.free if name.is_pair)

    @property
    def kT(self) -> float:
        """KT of the first state, the unit of changes."""
        return self.targets[0].kT

    @property
    def coldest(self) -> float:
        """Smallest kT of all states."""
        return min(one.kT for one in self.targets)

    @property
    def pressure_wanted(self) -> bool:
        """Whether some state has a pressure to reach."""
        return any(one.pressure is not None for one in self.targets)

    def potentials(self, index: int = -1) -> Interactions[Potential]:
        """Return the potentials of a round, by default of the last."""
        return round_potentials(self.rounds[index])

    def pairs(self, index: int = -1) -> Interactions[PairPotential]:
        """Return those of pairs."""
        return pair_potentials(self.potentials(index))

    def until(self, index: int) -> History:
        """Return what was known after round `index`."""
        return replace(self, rounds=self.rounds[: index + 1])

    def showing(self, index: int, shown: Round) -> History:
        """Return what was known after round `index`, followed by what its configurations show of other potentials."""
        before = self.until(index)
        return before if shown is self.rounds[index] else before.followed_by(shown)

    def followed_by(self, finished: Round) -> History:
        """Return the history with one more round."""
        return replace(self, rounds=(*self.rounds, finished))

    def lmse(self, index: int) -> float:
        """Return the mean squared difference of a round."""
        return round_lmse(self.rounds[index], self.targets)

    def homogeneous(self, index: int) -> bool:
        """Return whether every state of a round was one homogeneous fluid, and stays one."""
        if not all(record.homogeneous for record in self.rounds[index]):
            return False
        # Before beads that overlap have piled up, a short simulation looks like a fluid that drifts.
        return not collapses(self.potentials(index), self.targets)

    @cached_property
    def best(self) -> int:
        """Index of the best round; see `cginit.refine.relaxation.best_simulation`."""
        count = range(len(self.rounds))
        return best_simulation(
            [max(record.relaxed for record in done) for done in self.rounds],
            [self.homogeneous(k) for k in count],
            [self.lmse(k) for k in count],
        )


@dataclass(frozen=True, eq=False)
class Step:
    """How to come to the next potentials: those of an earlier round, times a factor, plus changes.

    So "half the potentials" and "part of the way back" are exact, however large.

    Attributes
    ----------
    base : int
        The round that it counts from.
    changes : Interactions of ndarray
        Change ``(n,)`` of each potential on its grid, in its units; those that are not named stay.
    factor : float
        What the potentials of pairs of the base are multiplied by first. Molecules stay what they are.
    made_by : str
        The update or the move of the search that it comes from.
    """

    base: int
    changes: Interactions[Array] = field(default_factory=lambda: Interactions({}))
    factor: float = 1.0
    made_by: str = ""

    @classmethod
    def from_last(cls, history: History, changes: Mapping[Interaction, Array], made_by: str) -> Step:
        """Return the step from the last round by changes that are clipped by nobody."""
        return cls(len(history) - 1, Interactions(dict(changes)), 1.0, made_by)

    def scaled(self, factor: float) -> Step:
        """Return the step with its changes multiplied by a factor."""
        return replace(self, changes=self.changes.map(lambda change: factor * change))

    def clipped(self, limit: float) -> Step:
        """Return the step with no change of a point beyond `limit`."""
        return replace(self, changes=self.changes.map(lambda change: np.clip(change, -limit, limit)))


def apply_step(history: History, step: Step) -> Interactions[Potential]:
    """Return the potentials of a step, made fit to simulate; held ones stay as they are.

    A core is extrapolated below what any state shows of the pair; bonds get their walls anew.
    """
    found: dict[Interaction, Potential] = {}
    for name, potential in history.potentials(step.base).items():
        change = step.changes.get(name)
        if name in history.held or (change is None and step.factor == 1.0):
            found[name] = potential
            continue
        if isinstance(potential, BondedPotential):
            found[name] = potential
            if change is not None:
                widest_seen = widest_distribution(history.targets, name)
                found[name] = settle_bonded(potential, potential.u + change, widest_seen, history.coldest)
            continue
        u = step.factor * potential.u
        if change is not None:
            u = u + change
        curves = [one.rdfs[name] for one in history.targets if name in one.rdfs]
        widest = min(curves, key=lambda curve: float(curve.r[int(np.argmax(curve.g > 0.0))]))
        found[name] = settle(potential, u, widest, history.coldest)
    return Interactions(found)
