"""Refinement from start to stop: rounds of simulations until the difference is noise."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from cginit.bonded import BondedPotential, Potential
from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.engines.base import Engine
from cginit.errors import ConvergenceError, InputError
from cginit.guess import REFINEMENT_METHOD, guess
from cginit.interactions import ByName, Interactions, Named
from cginit.refine.certainty import Certainty, certainty_of
from cginit.refine.loop import Loop, Settings, SettingsOptions
from cginit.refine.progress import progress_of
from cginit.refine.record import Record, Round, bonded_potentials, pair_potentials
from cginit.refine.shown import ShownRefinement
from cginit.refine.stop import FIRST, LAST, BelowNorm, Criterion, Reason, Situation, arrived, sentence
from cginit.refine.updates import DEFAULT_UPDATE, Update
from cginit.state import StatePoint
from cginit.target import Target

__all__ = ["Refinement", "refine", "refine_system"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class Refinement(ShownRefinement):
    """The result of a refinement.

    Attributes
    ----------
    potentials : Interactions of PairPotential or BondedPotential
        Those whose g(r) came closest to the targets (smallest mean squared difference).
    rounds : tuple of Round
        Every round of simulations, in order: a record for each state.
    why : Reason
        Why it stopped.
    reason : str
        That in words, and what would help.
    best : int
        Index of the best round; of the one that was reweighted where `reweighted` is true.
    shown : Round
        What the result shows: that round, or what reweighting makes of it.
    skipped : int
        Updates that reweighting judged: simulations that were not needed.
    certainty : Certainty
        How well the potentials are known, which carry it as `u_error`; see `cginit.refine.certainty`.
    targets : tuple of Target
        Of each state.
    """

    potentials: Interactions[Potential]
    rounds: tuple[Round, ...]
    why: Reason
    reason: str
    best: int
    shown: Round
    skipped: int = 0
    certainty: Certainty = field(default_factory=lambda: Certainty(Interactions({})))
    targets: tuple[Target, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(map(str, self.potentials))
        count = f"{len(self.rounds)} round{'s' * (len(self.rounds) != 1)}"
        return f"<refinement of {names}: {count}, {self.why.name.lower().replace('_', ' ')}>"

    def _result(self) -> Round:
        return self.shown

    def _sentence(self) -> str:
        return self.reason

    @property
    def converged(self) -> bool:
        """Whether the differences to all targets are within their statistical errors."""
        return self.why.converged

    @property
    def compromise(self) -> bool:
        """Whether it stopped because one potential cannot serve all states better."""
        return self.why is Reason.COMPROMISE

    @property
    def reweighted(self) -> bool:
        """Whether the potentials were not simulated themselves, but judged by the configurations of round `best`."""
        return self.why is Reason.REWEIGHTED

    @property
    def history(self) -> tuple[Record, ...]:
        """Every simulation of a refinement of one state; of several, those of the first."""
        return tuple(done[0] for done in self.rounds)

    @property
    def potential(self) -> PairPotential:
        """The potential, where there is one interaction only."""
        return self.pairs.only()

    @property
    def pairs(self) -> Interactions[PairPotential]:
        """The potentials of pairs."""
        return pair_potentials(self.potentials)

    @property
    def bonded(self) -> Interactions[BondedPotential]:
        """The potentials of bonds, angles and dihedrals."""
        return bonded_potentials(self.potentials)

    @property
    def rdf(self) -> RDF:
        """Its g(r), as simulated or reweighted, where there are one state and one interaction only."""
        return self.shown[0].rdf


def refine(
    target: RDF,
    state: StatePoint,
    potential: PairPotential | None = None,
    engine: str | Engine = "lammps",
    update: str | Update = DEFAULT_UPDATE,
    *,
    workdir: Path | str | None = None,
    start: Configuration | None = None,
    pressure: float | None = None,
    r_cut: float | None = None,
    progress: Callable[[Record], None] | bool | None = None,
    **settings: Unpack[SettingsOptions],
) -> Refinement:
    """Refine the potential of one bead type by simulation until its g(r) differs from the target by noise only.

    The noise-aware measure is chi^2 per point (see `cginit.refine.convergence.distance`). Run again on the same
    `workdir`, the refinement goes on where it stopped, however it stopped, and with the same engine and seed
    ends bit-identical to one that was not interrupted. Mixtures and several states: `refine_system`.

    Parameters
    ----------
    target, state : RDF, StatePoint
        The g(r) to reproduce, and its state.
    potential : PairPotential, optional
        The start; by default the guess ``polished``.
    engine, update : str or object
        By name (``lammps`` or ``hoomd``; ``gauss-newton``, ``ibi``, ...; see the defaults above) or as an object of
        your own.
    workdir : Path or str, optional
        Where every iteration is kept. Without one they go to a temporary folder that is removed at the end, and
        the refinement cannot be continued.
    start : Configuration, optional
        Start configuration.
    pressure : float, optional
        Pressure to reach as well, in the units of the target.
    r_cut : float, optional
        Cut-off of the guess where there is no `potential`, in the units of the target.
    progress : callable or bool, optional
        Called with each finished simulation, also with those found on disk. By default a notebook shows them in a
        table that grows, and elsewhere nothing is said; True writes lines there, False says nothing anywhere.
    **settings : schedule, limits, seed, adaptive, reweighting, replicas, longest, back
        Fields of `Settings`, by name: ``refine(target, state, seed=2, limits=Limits(5))``.

    Returns
    -------
    Refinement
        With the best potential, every simulation, and the reason for stopping.

    Raises
    ------
    InputError
        If the arguments do not fit each other.
    EngineError
        If the engine fails. What was done stays on disk.
    """
    if potential is None:
        potential = guess(target, state, REFINEMENT_METHOD, r_cut)
    elif r_cut is not None:
        raise InputError(
            f"the start has its own cut-off, {potential.r_cut:g}; leave out r_cut, or the start: a guess is then made"
        )
    wanted = Target.of(target, state, pressure=pressure)
    return refine_system(
        [wanted],
        {wanted.pairs[0]: potential},
        engine,
        update,
        workdir=workdir,
        settings=Settings(**{name: one for name, one in settings.items() if one is not None}),  # type: ignore[arg-type]
        starts=[start],
        progress=(lambda done: progress(done[0])) if callable(progress) else progress,
    )


def refine_system(
    targets: Target | Sequence[Target],
    potentials: ByName[Potential],
    engine: str | Engine = "lammps",
    update: str | Update = DEFAULT_UPDATE,
    *,
    workdir: Path | str | None = None,
    settings: Settings | None = None,
    held: Sequence[Named] = (),
    starts: Sequence[Configuration | None] | None = None,
    stop: Sequence[Criterion] = (),
    progress: Callable[[Round], None] | bool | None = None,
) -> Refinement:
    """Refine the potentials of a mixture, of molecules, of several states, or of several states of these.

    Of molecules pairs, bonds, angles and dihedrals are refined together, all of them in every round.

    Each interaction counts in the states that have it, so that states may differ in density, temperature and
    composition, down to pure liquids. As `refine` otherwise.

    Parameters
    ----------
    targets : Target or sequence of Target
        One a state.
    potentials : mapping of interaction to PairPotential or BondedPotential
        The start, of every pair and bond that some state has, on the grid of the targets (as guesses return it). What
        has no target is simulated as it is.
    engine, update : str or object
        By name or as an object of your own.
    workdir : Path or str, optional
        See `refine`.
    settings : Settings, optional
        How it is run.
    held : sequence of interaction
        Those that are simulated and not refined; their g(r) do not count.
    starts : sequence of Configuration or None
        Start configuration of each state.
    stop : sequence of Criterion
        Further reasons to stop.
    progress : callable or bool, optional
        Called with each finished round, also with those found on disk. By default a notebook shows them in a table
        that grows, and elsewhere nothing is said; True writes lines there, False says nothing anywhere.

    Returns
    -------
    Refinement
        The best potentials, the history, and why it stopped.

    Raises
    ------
    InputError
        If the arguments do not fit each other, or `workdir` holds another refinement.
    EngineError
        If the engine fails. What was done stays on disk.
    """
    with tempfile.TemporaryDirectory(prefix="cginit-") as folder:
        loop = Loop(
            targets,
            potentials,
            engine=engine,
            update=update,
            workdir=Path(folder if workdir is None else workdir),
            settings=settings or Settings(),
            held=held,
            starts=starts,
        )
        watched = progress_of(progress, loop.targets, loop.settings.limits.iterations)
        with closing(loop), watched:
            result = _run(loop, tuple(stop), watched.add)
            watched.end(result.reason)
            return result


def _run(loop: Loop, stop: tuple[Criterion, ...], report: Callable[[Round], None]) -> Refinement:
    began = time.monotonic()
    criteria = (*FIRST, *stop, *LAST)
    for index, done in enumerate(loop.rounds):
        report(done)
        if arrived(done, loop.targets):
            del loop.rounds[index + 1 :]
            break
    while True:
        if loop.rounds:
            situation = _situation(loop, time.monotonic() - began)
            reason = next((found for one in criteria if (found := one(situation)) is not None), None)
            if reason is not None:
                norm = next(
                    (one.describe(situation.history) for one in stop if isinstance(one, BelowNorm)), ""
                )
                result = _finished(loop, reason, situation, norm)
                loop.end(result.why, result.reason, result.best)
                log.info("refinement stopped: %s", result.reason)
                return result
        report(loop.step())


def _situation(loop: Loop, elapsed: float) -> Situation:
    history, helpless, proposal = loop.history, "", None
    # What has arrived needs no further potentials.
    if not arrived(history.last, history.targets):
        try:
            proposal = loop.proposal
        except ConvergenceError as error:
            helpless = str(error)
    return Situation(history, loop.settings.limits, elapsed, proposal, helpless, loop.update.name)


def _finished(loop: Loop, reason: Reason, situation: Situation, norm: str) -> Refinement:
    history = situation.history
    best = len(history) - 1
    # With a pressure to reach, the nearest g(r) need not have it; of several interactions or states the last has all.
    single = len(loop.targets) == 1 and len(loop.targets[0].measured) == 1
    if not reason.converged or (reason is Reason.AT_NOISE and single and not history.pressure_wanted):
        best = history.best
    shown = history.rounds[best]
    skipped = sum(done[0].skipped for done in history.rounds)
    proposal = situation.proposal
    if reason is Reason.REWEIGHTED and proposal is not None and proposal.estimate is not None:
        shown, skipped = proposal.estimate, skipped + proposal.skipped
        loop.keep(proposal.estimate, proposal.skipped)
    certainty = certainty_of(history.showing(best, shown))
    return Refinement(
        potentials=certainty.potentials,
        rounds=history.rounds,
        why=reason,
        reason=sentence(reason, situation, shown, best, norm),
        best=best,
        shown=shown,
        skipped=skipped,
        certainty=certainty,
        targets=tuple(loop.targets),
    )
