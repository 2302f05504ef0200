"""The refinement loop, one round of simulations at a time: simulate, compare, update."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from cginit.bonded import Potential
from cginit.configuration import Configuration
from cginit.engines.base import Engine, Schedule
from cginit.errors import InputError, StorageError
from cginit.interactions import ByName, Interaction, Named
from cginit.refine.history import History
from cginit.refine.length import check_longest, longer_production
from cginit.refine.record import Record, Round
from cginit.refine.relaxation import longer_equilibration
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.reweighting import Proposal, propose
from cginit.refine.search import Search
from cginit.refine.simulation import Simulator
from cginit.refine.start import (
    fitting_potentials,
    partial_of,
    start_configuration,
    start_configurations,
    with_one_time_step,
)
from cginit.refine.stop import Limits, Reason
from cginit.refine.store import End, Store, fingerprint
from cginit.refine.updates import Update, make_update
from cginit.refine.workdir import disk_explained
from cginit.target import Target

__all__ = ["DEFAULT_SCHEDULE", "Loop", "Settings", "SettingsOptions", "load_engine", "start_configuration"]

log = logging.getLogger(__name__)

#: Equilibration and production of one simulation unless the caller says otherwise. A potential is simulated from
#: the last configuration of the one before, so that little equilibration is needed.
DEFAULT_SCHEDULE = Schedule(equilibration=3_000, production=12_000, every=120)


@dataclass(frozen=True)
class Settings:
    """How a refinement is run, whatever is refined.

    Attributes
    ----------
    schedule : Schedule
        Length of each simulation.
    limits : Limits
        Caps on the number of simulations (30) and on wall time (none).
    seed : int
        Seed of the whole refinement; round k runs with seeds derived from it and k.
    adaptive : bool
        Whether a simulation that is far from its target is ended after a quarter of its production, and one that
        still relaxes goes on.
    reweighting : bool
        Whether small updates are judged by the configurations of the last simulation.
    replicas : Replicas
        How many simulations of each state a round has; see `cginit.refine.replicas.open_replicas`.
    longest : int or None
        Largest number of steps of sampling, to which it grows where the noise of g leaves no way on, and most that
        is added to the equilibration where g relaxes slowly; by default four times the production of the schedule.
    back : bool
        Whether a step that made things worse is taken back in part; see `cginit.refine.search.Search`.
    """

    schedule: Schedule = DEFAULT_SCHEDULE
    limits: Limits = field(default_factory=Limits)
    seed: int = 1
    adaptive: bool = True
    reweighting: bool = True
    replicas: Replicas = ONE
    longest: int | None = None
    back: bool = True

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"a seed must be at least 0, not {self.seed}")


class SettingsOptions(TypedDict, total=False):
    """The fields of `Settings`, given one by one; what is None or not named is as by default."""

    schedule: Schedule
    limits: Limits | None
    seed: int
    adaptive: bool
    reweighting: bool
    replicas: Replicas
    longest: int | None
    back: bool


def load_engine(name: str) -> Engine:
    """Return the engine of that name, ours or one registered under the entry point ``cginit.engines``.

    Raises
    ------
    InputError
        If there is none.
    """
    # It takes longer to import than the rest of the loop.
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group="cginit.engines")}
    if name not in found:
        raise InputError(f"unknown engine {name!r}; installed are {', '.join(sorted(found)) or 'none'}")
    engine: Engine = found[name].load()()
    return engine


class Loop:
    """A refinement that is advanced one round of simulations at a time.

    Parameters
    ----------
    targets : Target or sequence of Target
        What each state is to show.
    potentials : mapping of interaction to PairPotential or BondedPotential
        The start, of every pair and bond that some state has, on the grid of the targets (as guesses return it).
    engine, update : Engine, Update or str
        How they are simulated and changed.
    workdir : Path
        Folder of the refinement; a folder that holds an unfinished one of the same settings is continued.
    settings : Settings
        How it is run.
    held : sequence of interaction
        Those that are simulated and not refined.
    starts : sequence of Configuration or None
        Start configuration of each state; by default made by `start_configuration`.

    Raises
    ------
    InputError
        If the parts do not fit each other, or `workdir` holds another refinement.

    Examples
    --------
    >>> loop = Loop(target, potentials, engine="lammps", update="auto", workdir=Path("work"))  # doctest: +SKIP
    >>> while not all(record.is_noise for record in loop.step()):  # doctest: +SKIP
    ...     pass
    """

    def __init__(
        self,
        targets: Target | Sequence[Target],
        potentials: ByName[Potential],
        *,
        engine: str | Engine,
        update: str | Update,
        workdir: Path,
        settings: Settings | None = None,
        held: Sequence[Named] = (),
        starts: Sequence[Configuration | None] | None = None,
    ) -> None:
        self.targets = (targets,) if isinstance(targets, Target) else tuple(targets)
        self.settings = settings = settings or Settings()
        self.engine = load_engine(engine) if isinstance(engine, str) else engine
        wanted = any(one.pressure is not None for one in self.targets)
        self.update = make_update(update, pressure=wanted) if isinstance(update, str) else update
        self._search = Search(self.update, settings.back)
        self._longest = check_longest(settings.longest, settings.schedule)
        fixed_ones = frozenset(Interaction.of(name) for name in held)
        self._first = fitting_potentials(self.targets, potentials, fixed_ones)
        measured = {name for one in self.targets for name in one.measured}
        # What has no target cannot be refined.
        self.held = fixed_ones | (set(self._first) - measured)
        if all(name in self.held for name in self._first):
            raise InputError("every interaction is held, so that nothing would be refined")
        self._starts = start_configurations(self.targets, self._first, starts, settings.seed)
        self._schedule = with_one_time_step(settings.schedule, self._first, self.targets)
        self._proposal: tuple[int, Proposal] | None = None
        self._store = Store(workdir)
        self.rounds = self._store.open(self._identities(starts), self.targets)
        self._simulators = [
            Simulator(
                self.engine,
                target,
                self.held & frozenset(target.interactions),
                self.update.beyond_cutoff,
                settings.adaptive,
                settings.replicas,
            )
            for target in self.targets
        ]

    def _identities(self, starts: Sequence[Configuration | None] | None) -> list[dict[str, str]]:
        """Return what this refinement is, as each state sees it."""
        settings, several = self.settings, len(self.targets) > 1
        common: dict[str, object] = {f"potential of {name}": one for name, one in self._first.items()}
        common |= {
            "engine": self.engine,
            "update": self.update,
            "schedule": settings.schedule,
            "seed": settings.seed,
            "adaptive": settings.adaptive,
            "reweighting": settings.reweighting,
        }
        # Named only where they differ from what they are by default.
        if settings.replicas.count > 1:
            common["replicas"] = settings.replicas.count
        if settings.longest is not None:
            common["longest"] = settings.longest
        if not settings.back:
            common["back"] = False
        if self.held:
            common["held"] = sorted(map(str, self.held))
        found = []
        for number, target in enumerate(self.targets):
            own: dict[str, object] = {f"target of {name}": curve for name, curve in target.rdfs.items()}
            own |= {f"target of {name}": curve for name, curve in target.distributions.items()}
            if target.topology is not None:
                own |= {"topology": target.topology, "target_exclusions": target.target_exclusions}
            own["state"] = (dict(target.densities), target.kT, target.pressure, target.weight)
            # Those of several states are made from the seed unless they were given.
            if not several or (starts is not None and starts[number] is not None):
                own["start"] = self._starts[number]
            if several:
                own["number of state"] = (number, len(self.targets))
            found.append(fingerprint(common | own))
        return found

    def close(self) -> None:
        """Let other runs use the folder."""
        self._store.close()

    @property
    def history(self) -> History:
        """The targets and all rounds so far."""
        return History(self.targets, tuple(self.rounds), self.held)

    @property
    def proposal(self) -> Proposal:
        """What the next step simulates, and what reweighting says of it.

        Raises
        ------
        ConvergenceError
            If the update has no answer.
        """
        count = len(self.rounds)
        if count == 0:
            return Proposal(self._first)
        if self._proposal is None or self._proposal[0] != count:
            made = propose(self.history, self._search, reweighting=self.settings.reweighting)
            self._proposal = (count, made)
        return self._proposal[1]

    @property
    def best(self) -> Round:
        """The round whose g(r) are nearest to the targets; see `cginit.refine.relaxation.best_simulation`.

        Raises
        ------
        InputError
            If nothing has been simulated yet.
        """
        if not self.rounds:
            raise InputError("nothing has been simulated yet; call step() first")
        return self.rounds[self.history.best]

    def step(self) -> Round:
        """Simulate the next potentials in all states, compare with the targets, and keep all on disk.

        A run that blows up is repeated with a shorter time step, then with potentials nearer to the best so far.

        Raises
        ------
        EngineError
            If the engine fails; the rounds before stay as they are, and a new `step` tries again.
        """
        index = len(self.rounds)
        proposal = self.proposal
        finished = []
        for state in range(len(self.targets)):
            # It may have been simulated before a stop, when another state was not.
            kept = self._store.kept(state, index)
            finished.append(self._simulated(state, index, proposal) if kept is None else kept)
        self.rounds.append(tuple(finished))
        return self.rounds[-1]

    def _simulated(self, state: int, index: int, proposal: Proposal) -> Record:
        target = self.targets[state]
        own = partial_of(proposal.potentials, target)
        production = longer_production(
            self.rounds, self.targets, self.settings.schedule.production, self._longest
        )
        if production > self.settings.schedule.production:
            log.info("the noise of g leaves no way on: %d steps of sampling", production)
        equilibration = longer_equilibration(
            [done[state].relaxed for done in self.rounds], self.settings.schedule.equilibration, self._longest
        )
        best = partial_of(self.history.potentials(self.history.best), target) if self.rounds else None
        with disk_explained(self._store.folder_of(state), index):
            record = self._simulators[state].run(
                index,
                own,
                self._starts_of(state),
                replace(self._schedule, production=production, equilibration=equilibration),
                seed=self._seed(state, index),
                prepare=lambda: self._store.prepare(state, index),
                best=best,
                longer=production / self.settings.schedule.production,
            )
            return self._store.commit(
                state, replace(record, made_by=proposal.made_by, skipped=proposal.skipped)
            )

    def _seed(self, state: int, index: int) -> int:
        seed = self.settings.seed
        if len(self.targets) > 1:
            seed = int(np.random.SeedSequence([seed, state]).generate_state(1)[0])
        return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])

    def _starts_of(self, state: int) -> list[Configuration]:
        """Return the last configurations of a homogeneous fluid; clusters and crystals take long to dissolve."""
        sound = [done[state] for done in self.rounds if done[state].homogeneous]
        found = [sound[-1].final, *sound[-1].others] if sound else [self._starts[state]]
        # Replicas that have none of their own begin as others do, and soon go their own ways.
        return [found[number % len(found)] for number in range(self.settings.replicas.count)]

    def end(self, reason: Reason, sentence: str, best: int) -> None:
        """Keep in the folder how the run ended; a result is no worse where there is no room for that."""
        try:
            self._store.end(End(reason.name, reason.converged, sentence, best))
        except StorageError as error:
            log.warning("how the refinement ended is not kept for reports: %s", error)

    def keep(self, estimate: Round, skipped: int) -> None:
        """Keep in the folder, for a figure, the potentials that reweighting has judged at last."""
        self._store.keep(estimate, skipped)
