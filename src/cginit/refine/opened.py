"""A refinement on disk, finished or not, opened to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cginit.bonded import Potential
from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.interactions import Interactions
from cginit.refine.certainty import Certainty, certainty_of
from cginit.refine.history import History
from cginit.refine.record import Record, Round, pair_potentials
from cginit.refine.shown import ShownRefinement
from cginit.refine.store import End, Store
from cginit.target import Target

__all__ = ["OpenedRefinement", "open_refinement"]


@dataclass(frozen=True, eq=False, repr=False)
class OpenedRefinement(ShownRefinement):
    """What the folder of a refinement holds.

    Attributes
    ----------
    folder : Path
        The folder.
    targets : tuple of Target
        Of each state.
    rounds : tuple of Round
        Every complete round of simulations: a record for each state.
    estimate : Round or None
        The last potentials, where reweighting has judged them instead of a simulation.
    end : End or None
        How it ended; None where it has not, or another run goes on.
    settings : tuple of mapping
        What the refinement is, as each state sees it, in words: engine, update, schedule, seed, hashes of curves.
    """

    folder: Path
    targets: tuple[Target, ...]
    rounds: tuple[Round, ...]
    estimate: Round | None = None
    end: End | None = None
    settings: tuple[Mapping[str, str], ...] = field(default=({},), repr=False)

    @property
    def history(self) -> tuple[Record, ...]:
        """Every simulation of a refinement of one state; of several, those of the first."""
        return tuple(done[0] for done in self.rounds)

    @property
    def best(self) -> int:
        """Index of the round that is the result; while there is none, of the nearest to the targets.

        Raises
        ------
        InputError
            If nothing has been simulated yet.
        """
        if not self.rounds:
            raise InputError(f"{self.folder} holds no finished simulation yet")
        if self.end is not None and 0 <= self.end.best < len(self.rounds):
            return self.end.best
        return History(self.targets, self.rounds).best

    @cached_property
    def certainty(self) -> Certainty:
        """How well the potentials are known; see `cginit.refine.certainty`."""
        if self.estimate is None:
            return self.certainty_at(self.best)
        return certainty_of(self._known(self.best).followed_by(self.estimate))

    def certainty_at(self, index: int) -> Certainty:
        """Return how well the potentials of a round are known from it and those before it; takes about a second.

        Parameters
        ----------
        index : int
            The round, counted from 0.
        """
        return certainty_of(self._known(index).until(index))

    def _known(self, index: int) -> History:
        return History(self.targets, self.rounds, self.rounds[index][0].held)

    @property
    def potentials(self) -> Interactions[Potential]:
        """The last potentials that reweighting has judged, else those of the best round, with their errors."""
        return self.certainty.potentials

    @property
    def potential(self) -> PairPotential:
        """The pair potential, where there is one only."""
        return pair_potentials(self.potentials).only()

    def __repr__(self) -> str:
        pairs = ", ".join(str(name) for target in self.targets[:1] for name in target.measured)
        rounds, states = len(self.rounds), len(self.targets)
        count = f"{rounds} round{'s' * (rounds != 1)}" + (f", {states} states" if states > 1 else "")
        return f"<refinement of {pairs} in {self.folder}: {count}>"

    def _result(self) -> Round | None:
        if self.estimate is not None or not self.rounds:
            return self.estimate
        return self.rounds[self.best]

    def _sentence(self) -> str:
        if self.end is not None:
            return self.end.sentence
        return f"in {self.folder}: {'it has not ended' if self.rounds else 'nothing is simulated yet'}"


def open_refinement(folder: Path | str) -> OpenedRefinement:
    """Open the folder of a refinement, finished or not, without changing it.

    Also one that another run is working on, and one of an earlier format.

    Parameters
    ----------
    folder : Path or str
        The ``--workdir`` of ``cg-init refine``, or ``workdir`` of `cginit.refine`.

    Returns
    -------
    OpenedRefinement
        Its targets, what was simulated, and the best potentials.

    Raises
    ------
    InputError
        If it holds no refinement.

    Examples
    --------
    >>> found = cginit.open("water")  # doctest: +SKIP
    >>> found.potential.r_cut, found.history[-1].distance.chi2  # doctest: +SKIP
    (0.9, 0.97)
    """
    store = Store(Path(folder))
    return OpenedRefinement(
        Path(folder),
        store.targets(),
        tuple(store.rounds()),
        store.estimate(),
        store.ended(),
        store.identities(),
    )
