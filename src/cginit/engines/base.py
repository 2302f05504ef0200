"""The contract of a simulation engine: potential, state, start and seed in; configurations out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cginit.configuration import Configuration, Trajectory
from cginit.curves import RDF, Array, PairPotential
from cginit.errors import InputError, UnstableError
from cginit.state import StatePoint
from cginit.units import LJ, UnitSystem

__all__ = [
    "Engine",
    "EngineRun",
    "Potentials",
    "ReducedProblem",
    "Schedule",
    "by_pair",
    "length_scale",
    "reduce_problem",
]

#: One potential, or those of all pairs of the species of a mixture, in either order of the two names.
Potentials = PairPotential | Mapping[tuple[str, str], PairPotential]


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
        Time step in tau.
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
    """A program that samples the canonical ensemble of a pair potential.

    `run` must not modify its arguments, must return the same trajectory for the same arguments and seed on the
    same machine, keep the number of beads, box and units of `start`, and raise `cginit.errors.EngineError`
    (with the program's own message) when it fails, leaving the caller's state intact. It writes
    only below `workdir`, which exists. `cginit.testing.check_engine` verifies this on a given implementation.
    """

    @property
    def name(self) -> str:
        """The name by which users choose the engine."""
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
        """
        ...


def by_pair(potential: Potentials, species: tuple[str, ...]) -> dict[tuple[int, int], PairPotential]:
    """Return the potential of each pair of species by their numbers, the smaller first.

    Raises
    ------
    InputError
        If a pair has none, or the potentials differ in their units.
    """
    if isinstance(potential, PairPotential):
        if len(species) > 1:
            raise InputError(
                f"a mixture of {', '.join(species)} needs one potential for each pair of species, not one in all"
            )
        return {(0, 0): potential}
    found = {}
    for i, j in combinations_with_replacement(range(len(species)), 2):
        a, b = species[i], species[j]
        one = potential.get((a, b), potential.get((b, a)))
        if one is None:
            raise InputError(f"the pair {a}-{b} has no potential; a mixture needs all its pairs")
        found[i, j] = one
    if len({one.units for one in found.values()}) > 1:
        raise InputError("the potentials of a mixture must share one unit system; convert with .to(units)")
    return found


def length_scale(potential: Potentials, state: StatePoint) -> float:
    """Return the length that sets the time step: where U first falls to kT, at most the bead spacing.

    The distance of U = kT is the size of a repulsive bead; a soft or long-ranged potential has none smaller
    than the mean spacing rho^(-1/3). In a mixture the smallest beads set it.
    """
    if not isinstance(potential, PairPotential):
        return min(length_scale(one, state) for one in potential.values())
    spacing = float(state.density ** (-1.0 / 3.0))
    below = np.flatnonzero(potential.u <= state.kT)
    size = float(potential.r[below[0]]) if below.size else potential.r_cut
    return min(size, spacing) if size > 0.1 * spacing else spacing


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
    """

    potentials: dict[tuple[int, int], PairPotential]
    density: float
    start: Configuration
    length: float
    kT: float
    units: UnitSystem

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
        If the units differ, a pair has no potential, the density of `start` is not that of `state`, or a cut-off
        exceeds half the box.
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
    return ReducedProblem(
        {pair: one.reduced(a, state.kT) for pair, one in potentials.items()},
        state.density * a**3,
        start.scaled(1.0 / a, LJ),
        a,
        state.kT,
        units,
    )
