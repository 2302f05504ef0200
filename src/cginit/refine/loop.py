"""The refinement loop, one simulation at a time: simulate, compare, update."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration, random_configuration
from cginit.curves import RDF, PairPotential
from cginit.engines.base import Engine, Schedule, length_scale
from cginit.errors import InputError
from cginit.refine.attempts import attempts, between, first_that_runs
from cginit.refine.checkpoint import Iteration, Reweighted, Store, fingerprint
from cginit.refine.length import check_longest, longer_production
from cginit.refine.proposal import Proposal, propose
from cginit.refine.relaxation import best_simulation, longer_equilibration
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.simulation import Sample, iteration_of, simulate
from cginit.refine.updates import Update
from cginit.refine.workdir import disk_explained
from cginit.state import StatePoint, check_density, common_units

__all__ = ["DEFAULT_SCHEDULE", "Loop", "load_engine", "start_configuration"]

log = logging.getLogger(__name__)

#: Equilibration and production of one iteration unless the caller says otherwise. An update is refined from
#: the last configuration of the one before, so that little equilibration is needed.
DEFAULT_SCHEDULE = Schedule(equilibration=3_000, production=12_000, every=120)
#: Smallest number of beads of a start configuration made here.
MIN_BEADS = 1_000


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


def start_configuration(target: RDF, state: StatePoint, r_cut: float, *, seed: int) -> Configuration:
    """Return a random, de-overlapped start large enough for the cut-off.

    At least 1000 beads, and half the box beyond the range of the comparison and of the potential's
    neighbour list. `target` and `state` share their units.
    """
    beads = max(MIN_BEADS, int(np.ceil(state.density * (2.2 * r_cut) ** 3)))
    return random_configuration(beads, state.density, seed=seed, units=target.units)


class Loop:
    """A refinement that is advanced one simulation at a time.

    Parameters
    ----------
    target : RDF
        The g(r) to reproduce.
    state : StatePoint
        Its state.
    potential : PairPotential
        The start, on the grid of the target (as guesses return it).
    engine, update : Engine, Update
        How it is simulated and changed.
    schedule : Schedule
        Length of each simulation.
    seed : int
        Seed of the whole refinement; iteration k runs with a seed derived from it and k.
    workdir : Path
        Folder of the refinement; a folder that holds an unfinished one of the same settings is continued.
    start : Configuration, optional
        Start configuration; by default made by `start_configuration`.
    adaptive : bool
        Whether a simulation that is far from the target is ended after a quarter of its production.
    reweighting : bool
        Whether small updates are judged by the configurations of the last simulation.
    replicas : Replicas
        How many simulations an iteration has; see `cginit.refine.replicas.open_replicas`.
    longest : int, optional
        Largest number of steps of sampling, to which it grows where the noise of g leaves no way on, and most that
        is added to the equilibration where g relaxes slowly; by default four times the production of the schedule.

    Raises
    ------
    InputError
        If the parts do not fit each other, or `workdir` holds another refinement.

    Examples
    --------
    >>> loop = Loop(target, state, potential, engine=engine, workdir=Path("work"))  # doctest: +SKIP
    >>> while not loop.step().is_noise:  # doctest: +SKIP
    ...     pass
    """

    def __init__(
        self,
        target: RDF,
        state: StatePoint,
        potential: PairPotential,
        *,
        engine: Engine,
        update: Update,
        workdir: Path,
        schedule: Schedule = DEFAULT_SCHEDULE,
        seed: int = 1,
        start: Configuration | None = None,
        adaptive: bool = True,
        reweighting: bool = True,
        replicas: Replicas = ONE,
        longest: int | None = None,
    ) -> None:
        target, state = common_units(target, state)
        check_density(target, state)
        self.target, self.state, self.engine, self.update = target.with_core(), state, engine, update
        self.schedule, self.seed = schedule, seed
        self.adaptive, self.reweighting = adaptive, reweighting
        self.replicas = replicas
        self.longest = check_longest(longest, schedule)
        self._proposal: tuple[int, Proposal] | None = None
        self._first = potential.to(target.units)
        if self._first.r_cut > target.r_max * (1.0 + 1e-9):
            raise InputError(
                f"the cut-off {self._first.r_cut:g} lies beyond the target g(r), which ends at {target.r_max:g}"
            )
        if start is None:
            start = start_configuration(target, state, self._first.r_cut, seed=seed)
        self._start = start.to(target.units).at_density(state.density)
        # One time step for all iterations: the length that sets it is that of the first potential.
        length = schedule.length or length_scale(self._first, state)
        self._fixed_schedule = replace(schedule, length=length)
        self._store = Store(workdir)
        identity = fingerprint(
            target=self.target,
            state=state,
            potential=self._first,
            start=self._start,
            engine=engine,
            update=update,
            schedule=schedule,
            seed=seed,
            adaptive=adaptive,
            reweighting=reweighting,
            # Named only where they differ from what there was before them.
            **({"replicas": replicas.count} if replicas.count > 1 else {}),
            **({"longest": longest} if longest is not None else {}),
        )
        self.history: list[Iteration] = self._store.open(identity, self.target)

    @property
    def proposal(self) -> Proposal:
        """What the next step simulates, and what reweighting says of it."""
        count = len(self.history)
        if count == 0:
            return Proposal(self._first)
        if self._proposal is None or self._proposal[0] != count:
            records = [item.measurement for item in self.history]
            if self.reweighting:
                final = self.history[-1].complete
                made = propose(records, self.target, self.state, self.update, final=final)
            else:
                made = Proposal(self.update(records, self.target, self.state))
            self._proposal = (count, made)
        return self._proposal[1]

    @property
    def potential(self) -> PairPotential:
        """The potential that the next step simulates."""
        return self.proposal.potential

    def step(self) -> Iteration:
        """Simulate the present potential, compare it with the target, and keep both on disk.

        A run that blows up is repeated with a shorter time step, then with a potential nearer to the best so far.

        Raises
        ------
        EngineError
            If the engine fails; the iterations before stay as they are, and a new `step` tries again.
        """
        began = time.perf_counter()
        index = len(self.history)
        proposal = self.proposal
        seed = int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])

        def run(potential: PairPotential, schedule: Schedule) -> tuple[PairPotential, Sample]:
            return potential, simulate(
                self.engine,
                potential,
                self.target,
                self.state,
                self._starts_of_next(),
                schedule,
                seed=seed,
                folder=self._store.prepare(index),
                beyond_cutoff=self.update.beyond_cutoff,
                adaptive=self.adaptive,
                replicas=self.replicas,
            )

        with disk_explained(self._store.folder, index):
            (potential, sample), remarks = first_that_runs(self._attempts(proposal.potential), run)
            done = iteration_of(
                sample,
                index,
                potential,
                self.target,
                seed=seed,
                seconds=time.perf_counter() - began,
                longer=self._production / self.schedule.production,
            )
            iteration = self._store.commit(replace(done, skipped=proposal.skipped, remarks=remarks))
        self.history.append(iteration)
        return iteration

    def keep(self, last: Reweighted) -> None:
        """Keep in the folder, for a figure, the potential that reweighting has judged at last."""
        self._store.keep(last)

    def _starts_of_next(self) -> list[Configuration]:
        """Return the last configurations of a homogeneous fluid; clusters and crystals take long to dissolve."""
        sound = [item for item in self.history if item.homogeneous]
        found = [sound[-1].final, *sound[-1].others] if sound else [self._start]
        # Replicas that have none of their own begin as others do, and soon go their own ways.
        return [found[number % len(found)] for number in range(self.replicas.count)]

    @property
    def _production(self) -> int:
        """Steps of sampling of the next simulation."""
        return longer_production(self.history, self.schedule.production, self.longest)

    def _attempts(self, potential: PairPotential) -> list[tuple[PairPotential, Schedule, str]]:
        """Return what is tried in turn: potential, schedule, and what is gentler about it."""
        production = self._production
        if production > self.schedule.production:
            log.info("the noise of g leaves no way on: %d steps of sampling", production)
        equilibration = longer_equilibration(
            [item.relaxed for item in self.history], self.schedule.equilibration, self.longest
        )
        nearer = partial(between, self.best.potential, potential) if self.history else None
        schedule = replace(self._fixed_schedule, production=production, equilibration=equilibration)
        return attempts(potential, schedule, nearer)

    @property
    def best(self) -> Iteration:
        """The iteration whose g(r) is nearest to the target (smallest mean squared difference).

        See `cginit.refine.relaxation.best_simulation`.

        Raises
        ------
        InputError
            If nothing has been simulated yet.
        """
        if not self.history:
            raise InputError("nothing has been simulated yet; call step() first")
        items = self.history
        return items[
            best_simulation(
                [item.relaxed for item in items],
                [item.homogeneous for item in items],
                [item.distance.lmse for item in items],
            )
        ]
