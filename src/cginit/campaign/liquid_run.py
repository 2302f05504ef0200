"""Simulate a liquid as long as its g(r) need: one loop for loose beads and for molecules."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from cginit.campaign.sampled import PairsOf, Sampled, is_drift, peak_error, too_slow
from cginit.configuration import Configuration
from cginit.curves import RDF
from cginit.engines.base import Engine, EngineRun, Potentials, Schedule
from cginit.errors import CGInitError
from cginit.interactions import Interaction
from cginit.state import StatePoint

__all__ = ["Effort", "LiquidRun", "Simulate", "recorded", "simulated_by"]

#: What runs a schedule from a configuration with a seed.
Simulate = Callable[[Configuration, Schedule, int], EngineRun]
#: Skin of the neighbour list, in sigma.
SKIN = 0.3


@dataclass(frozen=True)
class Effort:
    """How long the runs of a state point are.

    Attributes
    ----------
    pilot : Schedule
        The first run: it equilibrates, and is enough to see whether the state is a fluid and how fast g converges.
    equilibration : int
        Steps before the production of every later run.
    least, again : int
        Steps of production, least: of all runs, and of one that continues others.
    work, bead_work : float
        Most work in pairs of neighbours (some 14 ns each on one core), and what integrating a bead costs in them.
    enough : float
        What is wanted when no more than so many times the steps done are needed.
    frames : int
        Configurations of one run, most.
    runs : int
        How often a run that is too short, or not yet in equilibrium, is continued.
    """

    pilot: Schedule
    equilibration: int
    least: int
    again: int
    work: float
    bead_work: float
    enough: float
    frames: int = 1000
    runs: int = 3

    def most(self, n: int, density: float, r_cut: float) -> int:
        """Return the most steps of production of so many beads."""
        neighbours = 2.0 * np.pi / 3.0 * density * (r_cut + SKIN) ** 3
        return max(2 * self.least, int(self.work / (n * (neighbours + self.bead_work))))

    def production(self, steps: int) -> Schedule:
        """Return the schedule of a later run."""
        # A run that must be long decorrelates slowly, and need not be looked at so often.
        every = self.pilot.every * -(-steps // (self.frames * self.pilot.every))
        return replace(
            self.pilot, equilibration=self.equilibration, production=steps, every=every, push_off=0
        )


class LiquidRun:
    """The runs of one state point.

    Parameters
    ----------
    start : Configuration
        Where the first run begins.
    simulate : callable
        Runs a schedule from a configuration with a seed.
    seed : int
        The runs have seeds of their own that follow from it.
    effort : Effort
        How long the runs are.
    most : int
        Steps of production, most.
    r_cut : float
        Up to where g may not move.
    count : callable, optional
        What counts the pairs of a run; by default those of loose beads.
    """

    def __init__(
        self,
        start: Configuration,
        simulate: Simulate,
        seed: int,
        effort: Effort,
        most: int,
        r_cut: float,
        count: PairsOf | None = None,
    ) -> None:
        self.sampled = Sampled(start) if count is None else Sampled(start, count)
        self.effort, self.most, self.r_cut = effort, most, r_cut
        self.g: dict[Interaction, RDF] = {}
        self._simulate, self._seed = simulate, seed

    def examined(self) -> tuple[str, ...]:
        """Return what is wrong with what has been sampled, as a fluid."""
        (g,) = self.g.values()
        return self.sampled.examine(g)

    def trapped(self, steps: int) -> tuple[str, ...]:
        """Return the reason against a run of so many steps in which beads cannot get out of pockets, if so."""
        return ()

    def wanted(self, precision: float) -> float:
        """Return the precision of g that a liquid needs, after its pilot run."""
        return precision

    def sample(self, precision: float) -> tuple[str, ...]:
        """Simulate until g is so precise, or the most steps are done; return the reasons against the result."""
        effort, sampled = self.effort, self.sampled
        self._run(effort.pilot)
        reasons = tuple(x for x in self.examined() if not is_drift(x))
        reasons += too_slow(sampled.steps, self._error, precision, self.most) + self.trapped(self.most)
        if reasons:
            return reasons
        wanted = self.wanted(precision)
        needed = self._steps(wanted)
        sampled.forget()
        while sampled.runs <= effort.runs:
            self._run(effort.production(max(needed - sampled.steps, effort.again)))
            reasons = self.examined() + sampled.trend(self.r_cut)
            if any(is_drift(x) for x in reasons) and sampled.runs <= effort.runs:
                # What was sampled belongs to the equilibration; begin again where it ended.
                sampled.forget()
                continue
            needed = self._steps(wanted)
            if reasons or needed < effort.enough * sampled.steps:
                break
        return (
            reasons
            + too_slow(sampled.steps, self._error, precision, sampled.steps)
            + self.trapped(sampled.steps)
        )

    def _run(self, schedule: Schedule) -> None:
        seed = int(np.random.SeedSequence([self._seed, self.sampled.runs]).generate_state(1)[0])
        self.sampled.add(self._simulate(self.sampled.last, schedule, seed), schedule.production)
        self.g = self.sampled.rdfs

    @property
    def _error(self) -> float:
        """Relative standard error of g near its first peak, median over the pairs."""
        return float(np.median([peak_error(one) for one in self.g.values()]))

    def _steps(self, precision: float) -> int:
        """Return the steps that the precision needs, from the error of those that were done."""
        needed = self.sampled.steps * (self._error / precision) ** 2
        every = self.effort.pilot.every
        return int(np.ceil(min(max(needed, self.effort.least), self.most) / every)) * every


Run = TypeVar("Run", bound=LiquidRun)
Result = TypeVar("Result")


def simulated_by(engine: Engine, potentials: Potentials, density: float, folder: Path) -> Simulate:
    """Return what runs an engine at kT = 1 in a folder."""
    state = StatePoint(density, 1.0)
    return lambda start, schedule, seed: engine.run(
        potentials, state, start, schedule, seed=seed, workdir=folder
    )


def recorded(
    make: Callable[[Path], Run],
    record: Callable[[str, Run | None], Result],
    precision: float,
    workdir: Path | None,
) -> Result:
    """Return the record of the runs that `make` makes in a temporary folder, with the reasons against them.

    What cannot be simulated has a record without runs, which says why.
    """
    try:
        with tempfile.TemporaryDirectory(dir=workdir) as folder:
            run = make(Path(folder))
            return record("; ".join(run.sample(precision)), run)
    except CGInitError as error:
        return record(f"failed: {error}", None)
