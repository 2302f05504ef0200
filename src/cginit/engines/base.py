"""The contract of a simulation engine: potentials, state, start and seed in; configurations out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cginit.configuration import Configuration, Trajectory
from cginit.curves import RDF, Array, PairPotential
from cginit.engines.potentials import Potentials, Term, bonded_terms, by_pair, length_scale
from cginit.engines.time_step import time_step
from cginit.errors import InputError, UnstableError
from cginit.state import StatePoint
from cginit.units import LJ, UnitSystem

__all__ = [
    "Engine",
    "EngineRun",
    "Potentials",
    "ReducedProblem",
    "Schedule",
    "available_cores",
    "by_pair",
    "length_scale",
    "reduce_problem",
    "time_step_taken",
]


def available_cores() -> int:
    """Return the threads that OMP_NUM_THREADS grants, else the cores that this process may use."""
    granted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if granted.isdigit() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Schedule:
    """How long and how a state is simulated (Langevin dynamics at constant volume).

    Times are in tau = a sqrt(m / kT) with `length_scale` a of the potential and bead mass m; structure
    depends on neither.

    Attributes
    ----------
    equilibration, production : int
        Steps before and during sampling.
    every : int
        Steps between two configurations of the trajectory.
    dt : float
        Time step in tau, at most; stiff bonds make it shorter (`cginit.engines.time_step`).
    friction : float
        Langevin friction in 1/tau (per mass).
    push_off : int
        Steps at the start in which no bead moves further than some hundredths of a per step, so that an
        overlap or a wild potential does not blow up.
    length : float or None
        The length a; None takes `length_scale` of the potential.
    """

    equilibration: int = 5_000
    production: int = 20_000
    every: int = 100
    dt: float = 0.005
    friction: float = 1.0
    push_off: int = 500
    length: float | None = None

    def __post_init__(self) -> None:
        for name in ("production", "every", "dt", "friction"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be positive, not {getattr(self, name)}")
        for name in ("equilibration", "push_off"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be negative, not {getattr(self, name)}")
        if self.production < self.every:
            raise InputError(f"production ({self.production}) is shorter than one interval ({self.every})")

    @property
    def steps(self) -> int:
        """All steps of one run."""
        return self.push_off + self.equilibration + self.production

    @property
    def sample_every(self) -> int:
        """Steps between two samples of energy and pressure: the largest divisor of `every` up to ten.

        Each costs a virial, and steps closer than that are all but equal.
        """
        return next(k for k in range(min(10, self.every), 0, -1) if self.every % k == 0)


@dataclass(frozen=True, eq=False)
class EngineRun:
    """What one simulation returns, in the units of the potential it was given.

    Attributes
    ----------
    trajectory : Trajectory or None
        Production configurations; None for an analytic engine, which gives `exact_rdf` instead.
    final : Configuration
        Last configuration; the natural start of the next run.
    energy : ndarray, shape (k,)
        Potential energy per bead along the production run.
    pressure : ndarray, shape (k,)
        rho kT plus the configurational virial along the production run.
    engine, version : str
        What ran.
    seed, steps : int
        Its seed, and all steps that it integrated.
    seconds : float
        Wall time of the engine proper (its integration loop, not set-up or reading files).
    exact_rdf : RDF or None
        g(r) of an engine that needs no sampling.
    """

    trajectory: Trajectory | None
    final: Configuration
    energy: Array
    pressure: Array
    engine: str
    version: str
    seed: int
    steps: int
    seconds: float
    exact_rdf: RDF | None = None


@runtime_checkable
class Engine(Protocol):
    """A program that samples the canonical ensemble of pair potentials and, where it can, of bonded ones.

    `run` must not modify its arguments, must return the same trajectory for the same arguments and seed on the
    same machine, keep the number of beads, box and units of `start`, and raise `cginit.errors.EngineError`
    (with the program's own message) when it fails, leaving the caller's state intact. It writes
    only below `workdir`, which exists. `cginit.testing.check_engine` verifies this on a given implementation.
    """

    @property
    def name(self) -> str:
        """The name by which users choose the engine."""
        ...

    @property
    def coordinates(self) -> frozenset[str]:
        """What potentials it can simulate: of ``pair``, ``bond``, ``angle``, ``dihedral``."""
        ...

    def run(
        self,
        potential: Potentials,
        state: StatePoint,
        start: Configuration,
        schedule: Schedule,
        *,
        seed: int,
        workdir: Path,
    ) -> EngineRun:
        """Simulate and return the configurations; all arguments share one unit system.

        A mixture has one potential for each pair of the species of `start`, and the density of `state` is that of
        all beads. An engine that cannot simulate mixtures raises InputError.

        Molecules have potentials for their bonded interactions too, as an `Interactions` of pairs and bonded terms;
        `start` carries their topology, whose exclusions say which pairs feel no pair potential. Molecules may be
        broken over the box. A bond that leaves the range of its potential ends the run with an `EngineError` that
        names it. An engine that lacks a coordinate raises InputError.
        """
        ...


@dataclass(frozen=True, eq=False)
class ReducedProblem:
    """What an engine simulates, with kT = 1, mass 1 and `length` 1, and the way back to the user's units.

    Attributes
    ----------
    potentials : dict of (int, int) to PairPotential
        In kT over r in multiples of `length`, by the numbers of the two species, the smaller first.
    density : float
        In the inverse cube of `length`.
    start : Configuration
        In multiples of `length`.
    length, kT : float
        In the units of `units`.
    units : UnitSystem
        Units of potential, state and start as given.
    dt : float
        Time step.
    terms : tuple of Term
        Bonded interactions, in the same reduced units.
    """

    potentials: dict[tuple[int, int], PairPotential]
    density: float
    start: Configuration
    length: float
    kT: float
    units: UnitSystem
    dt: float
    terms: tuple[Term, ...] = field(default=())

    @property
    def is_molecular(self) -> bool:
        """Whether beads are bonded, or some pairs of them are left out."""
        return self.start.topology is not None and self.start.topology.is_molecular

    def run(
        self,
        frames: NDArray[np.float32],
        final: Array,
        energy: Array,
        virial: Array,
        *,
        engine: str,
        version: str,
        seed: int,
        schedule: Schedule,
        seconds: float,
    ) -> EngineRun:
        """Return an engine's reduced results in the user's units.

        Parameters
        ----------
        frames : ndarray, shape (m, n, 3), float32
            Production configurations; scaled in place.
        final : ndarray, shape (n, 3)
            Last configuration.
        energy, virial : ndarray, shape (k,)
            Potential energy per bead, and the configurational part of the pressure.
        engine, version, seed, schedule, seconds
            See `EngineRun`.

        Raises
        ------
        UnstableError
            If a value is not finite.
        """
        for name, values in (
            ("positions", frames),
            ("positions", final),
            ("energy", energy),
            ("pressure", virial),
        ):
            if not np.all(np.isfinite(values)):
                raise UnstableError(
                    f"{engine} returned values of the {name} that are not finite: the run blew up; use a smaller "
                    "time step or a longer push-off"
                )
        frames *= np.float32(self.length)
        return EngineRun(
            trajectory=Trajectory(
                frames,
                self.start.box * self.length,
                units=self.units,
                types=self.start.types,
                species=self.start.species,
                topology=self.start.topology,
            ),
            final=replace(self.start, positions=final).scaled(self.length, self.units),
            energy=energy * self.kT,
            pressure=(self.density + virial) * (self.kT / self.length**3),
            engine=engine,
            version=version,
            seed=seed,
            steps=schedule.steps,
            seconds=seconds,
        )


def reduce_problem(
    potential: Potentials, state: StatePoint, start: Configuration, schedule: Schedule
) -> ReducedProblem:
    """Return the problem in the units that engines simulate in, with `length_scale` as unit of length.

    Raises
    ------
    InputError
        If the units differ, a pair or a bond has no potential, the density of `start` is not that of `state`, or a
        cut-off exceeds half the box.
    """
    potentials = by_pair(potential, start.species)
    units = potentials[0, 0].units
    if start.units != units or (state.units is not None and state.units != units):
        raise InputError(
            f"potential ({units.name}), state ({state.units and state.units.name}) and start "
            f"({start.units.name}) must share one unit system; convert with .to(units)"
        )
    if abs(start.density / state.density - 1.0) > 1e-3:
        raise InputError(
            f"the start configuration has density {start.density:.6g} {start.units.density}, the state "
            f"{state.density:.6g}; scale it with Configuration.at_density"
        )
    half = 0.5 * float(np.min(start.box))
    r_cut = max(one.r_cut for one in potentials.values())
    if r_cut > half:
        raise InputError(
            f"the cut-off {r_cut:g} exceeds half the box ({half:g} {start.units.length}); "
            "use more beads or a smaller cut-off"
        )
    a = schedule.length or length_scale(potential, state)
    reduced = _reduced_terms(potential, state, start, a)
    return ReducedProblem(
        {pair: one.reduced(a, state.kT) for pair, one in potentials.items()},
        state.density * a**3,
        start.scaled(1.0 / a, LJ),
        a,
        state.kT,
        units,
        time_step(reduced, start.n, schedule.dt),
        reduced,
    )


def time_step_taken(
    potential: Potentials, state: StatePoint, start: Configuration, schedule: Schedule
) -> float:
    """Return the time step of the problem that `reduce_problem` makes: that of the schedule, or what bonds need."""
    a = schedule.length or length_scale(potential, state)
    return time_step(_reduced_terms(potential, state, start, a), start.n, schedule.dt)


def _reduced_terms(
    potential: Potentials, state: StatePoint, start: Configuration, a: float
) -> tuple[Term, ...]:
    terms = bonded_terms(potential, start)
    return tuple(replace(term, potential=term.potential.reduced(a, state.kT)) for term in terms)
