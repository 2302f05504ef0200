"""State points by name: family, integer of the potential, number of the density; and which are test points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cginit.campaign.beads import BeadPotential, bead_density, bead_potential
from cginit.campaign.dense import dense_density, dense_potential
from cginit.campaign.potentials import spline_potential, uniforms
from cginit.curves import PairPotential
from cginit.errors import InputError

__all__ = ["DENSITIES", "FAMILIES", "TEST_EVERY", "NamedTask", "StatePointTask", "plan", "split_of"]

#: The published densities of family a, in sigma^-3.
DENSITIES = (0.125, 0.244, 0.512, 1.0)
#: The published random splines, potentials as beads have them, and dense liquids.
FAMILIES = ("a", "b", "c")
#: Every tenth potential is a test potential, for ever.
TEST_EVERY = 10
#: State points of a potential: a test potential shows all, to compare what is guessed at each.
TEST_STATES, TRAIN_STATES = 4, 2
_CHOICE = 1
#: Potentials of the other families, and their densities, which are drawn in units of a diameter of the bead.
_DRAWN: dict[str, tuple[Callable[[int], BeadPotential], Callable[[BeadPotential, int], float]]] = {
    "b": (bead_potential, bead_density),
    "c": (dense_potential, dense_density),
}


def split_of(seed: int) -> str:
    """Return ``test`` or ``train``; all state points of one potential are on one side.

    Examples
    --------
    >>> [split_of(seed) for seed in (0, 1, 9, 10)]
    ['test', 'train', 'train', 'test']
    """
    return "train" if seed % TEST_EVERY else "test"


@dataclass(frozen=True)
class NamedTask:
    """The name of a state point, and what follows from it.

    Attributes
    ----------
    family : str
        Of the potentials.
    seed : int
        The integer that names what is simulated in its family.
    index : int
        Which of its densities.
    """

    family: str
    seed: int
    index: int

    @property
    def split(self) -> str:
        """``test`` or ``train``."""
        return split_of(self.seed)

    @property
    def run_seed(self) -> int:
        """Seed of start and dynamics: the task is the same whoever runs it."""
        entropy = [ord(self.family), self.seed, self.index]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0]) % 2**31

    @property
    def name(self) -> str:
        """``a-000012-2``; names the files of the task."""
        return f"{self.family}-{self.seed:06d}-{self.index}"


@dataclass(frozen=True)
class StatePointTask(NamedTask):
    """One state point of a campaign of beads.

    Attributes
    ----------
    family : str
        ``a``, ``b`` or ``c``.
    seed : int
        The integer that names the potential in its family.
    index : int
        Which density, 0 to 3: of the published four (a), or drawn from a continuous range (b, c).

    Raises
    ------
    InputError
        If there is no such family or index.
    """

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(f"unknown family {self.family!r} of potentials; there are {', '.join(FAMILIES)}")
        if not 0 <= self.index < TEST_STATES:
            raise InputError(f"a potential has state points 0 to {TEST_STATES - 1}, not {self.index}")

    @cached_property
    def potential(self) -> PairPotential:
        """U in kT over r in sigma."""
        if self.family == "a":
            return spline_potential(self.seed).potential
        return self._made.potential

    @cached_property
    def density(self) -> float:
        """Density in sigma^-3."""
        if self.family == "a":
            return DENSITIES[self.index]
        return _DRAWN[self.family][1](self._made, self.index)

    @cached_property
    def _made(self) -> BeadPotential:
        """The potential of a family of `_DRAWN`."""
        return _DRAWN[self.family][0](self.seed)


def plan(family: str, seeds: range) -> list[StatePointTask]:
    """Return the state points of these potentials: four of each test potential, two by chance of each other.

    Examples
    --------
    >>> [task.name for task in plan("a", range(0, 2))]
    ['a-000000-0', 'a-000000-1', 'a-000000-2', 'a-000000-3', 'a-000001-1', 'a-000001-3']
    """
    tasks = []
    for seed in seeds:
        indices = list(range(TEST_STATES))
        if split_of(seed) == "train":
            uniform = uniforms(seed, ord(family), _CHOICE)
            while len(indices) > TRAIN_STATES:
                indices.pop(int(len(indices) * uniform()))
        tasks += [StatePointTask(family, seed, index) for index in indices]
    return tasks
