"""One simulation of one state of a refinement: as long as its answer is worth, sampled as far as the update wants."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit import sampling
from cginit.bonded import Distribution, Potential
from cginit.configuration import Configuration, Trajectory
from cginit.coordinates import BondedCounts, count_terms
from cginit.curves import RDF, Array
from cginit.engines.base import Engine, EngineRun, Potentials, Schedule, time_step_taken
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.refine.convergence import Distance
from cginit.refine.inside import Inside, count_inside
from cginit.refine.record import Record, distances_of, pair_potentials
from cginit.refine.recovery import attempts, first_that_runs
from cginit.refine.relaxation import relaxes
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.run_length import FAR, Joined, Verdict, simulated
from cginit.refine.shapes import kept_shapes
from cginit.sampling import PairCounts
from cginit.target import Target

__all__ = ["Simulator", "reach_of"]

#: g(r) is sampled to this many cut-offs where an update wants it beyond the cut-off.
REACH = 2.5


def reach_of(target: RDF, r_cut: float, box_edge: float, beyond_cutoff: bool) -> float:
    """Return how far g(r) is to be sampled: the cut-off, or 2.5 of them as far as half the box allows."""
    whole = target.with_core()
    steps = round((r_cut - float(whole.r[0])) / whole.dr)
    if beyond_cutoff:
        wanted = min(REACH * r_cut, 0.5 * box_edge * (1.0 - 1e-9) - 0.5 * whole.dr)
        steps = max(steps, int((wanted - float(whole.r[0])) / whole.dr))
    return float(whole.r[0]) + steps * whole.dr


@dataclass(frozen=True, eq=False)
class Simulator:
    """How the potentials of a refinement are simulated in one state.

    Attributes
    ----------
    engine : Engine
        What simulates.
    target : Target
        The state, and what it is to show.
    held : frozenset of Interaction
        Interactions whose g(r) do not count.
    beyond_cutoff : bool
        Whether g(r) is sampled as far as the box allows.
    adaptive : bool
        Whether a simulation that is far from the target is ended after a quarter of its production.
    replicas : Replicas
        How many simulations run side by side.
    """

    engine: Engine
    target: Target
    held: frozenset[Interaction] = frozenset()
    beyond_cutoff: bool = False
    adaptive: bool = True
    replicas: Replicas = ONE

    def run(
        self,
        index: int,
        potentials: Interactions[Potential],
        starts: Sequence[Configuration],
        schedule: Schedule,
        *,
        seed: int,
        prepare: Callable[[], Path],
        best: Interactions[Potential] | None,
        longer: float = 1.0,
    ) -> Record:
        """Simulate and compare with the target.

        A run that blows up is repeated with a shorter time step, then with potentials nearer to the `best` so far,
        each in the empty folder that `prepare` returns.

        Raises
        ------
        EngineError
            If the engine fails.
        """
        began = time.perf_counter()

        def attempt(tried: Interactions[Potential], gentle: Schedule) -> Record:
            return self._simulated(index, tried, starts, gentle, seed, prepare(), longer)

        dt = time_step_taken(_for_engine(potentials), self.target.state, starts[0], schedule)
        record, remarks = first_that_runs(attempts(potentials, schedule, best, dt), attempt)
        return replace(record, seed=seed, remarks=remarks, seconds=time.perf_counter() - began)

    def _simulated(
        self,
        index: int,
        potentials: Interactions[Potential],
        starts: Sequence[Configuration],
        schedule: Schedule,
        seed: int,
        folder: Path,
        longer: float,
    ) -> Record:
        counted: Record | None = None

        def measure(joined: Joined) -> tuple[Record, Verdict]:
            nonlocal counted
            record = self._measured(index, potentials, joined, longer, counted if joined.known else None)
            counted = record
            curves = [
                (counts, self.target.rdfs[name], record.pairs[name].r_cut)
                for name, counts in record.counts.items()
                if name not in self.held
            ]
            # How far it is does not depend on how long the simulations have grown. What clusters or freezes will not
            # become a fluid by going on.
            distances = self._distances(record, 1.0)
            far = max(one.chi2 for name, one in distances.items() if name not in self.held) > FAR
            return record, Verdict(far, record.homogeneous and relaxes(curves))

        return simulated(
            self.engine,
            _for_engine(potentials),
            self.target.state,
            starts,
            schedule,
            measure,
            seed=seed,
            folder=folder,
            adaptive=self.adaptive,
            replicas=self.replicas,
        )

    def _distances(self, record: Record, longer: float) -> Interactions[Distance]:
        return distances_of(self.target, record.rdfs, record.distributions, record.pairs, longer)

    def _measured(
        self,
        index: int,
        potentials: Interactions[Potential],
        joined: Joined,
        longer: float,
        before: Record | None,
    ) -> Record:
        """Return what all parts so far show; `before` is the record of all but the last."""
        target = self.target
        counts: Interactions[PairCounts] = Interactions({})
        bonds: Interactions[BondedCounts] = Interactions({})
        inside, shapes = Inside(), None
        warnings: tuple[str, ...] = ()
        if joined.trajectory is None:
            rdfs = Interactions(
                {target.pairs[0]: _exact(joined.first, target, self._reach(potentials, joined))}
            )
        else:
            if target.rdfs:
                counts, inside = self._counted(potentials, joined, joined.trajectory, before)
                everything = _regardless_of_species(counts, molecular=target.topology is not None)
                # Without pairs there is no fluid to examine.
                warnings = sampling.examine(joined.trajectory, everything, joined.energy).reasons
            bonds = self._counted_bonds(joined.trajectory, before)
            if target.topology is not None and target.topology.is_molecular:
                shapes = kept_shapes(joined.trajectory.positions, target.topology.n_molecules)
            rdfs = counts.map(lambda one: one.rdf())
        record = Record(
            index=index,
            potentials=potentials,
            rdfs=rdfs,
            distances=Interactions({}),
            final=joined.finals[0],
            pressure=joined.pressure.value,
            pressure_error=joined.pressure.error,
            counts=counts,
            distributions=bonds.map(_distribution),
            bonded_counts=bonds,
            inside=inside,
            warnings=warnings,
            held=self.held,
            engine=joined.engine,
            steps=joined.steps,
            engine_seconds=joined.seconds,
            complete=joined.complete,
            others=joined.finals[1:],
            shapes=shapes,
            relaxed=joined.relaxed,
            longer=longer,
        )
        return replace(record, distances=self._distances(record, longer))

    def _reach(self, potentials: Interactions[Potential], joined: Joined) -> float:
        first = next(iter(self.target.rdfs.values()))
        edge = float(np.min(joined.finals[0].box))
        r_cut = max(one.r_cut for one in pair_potentials(potentials).values())
        return reach_of(first, r_cut, edge, self.beyond_cutoff)

    def _counted(
        self,
        potentials: Interactions[Potential],
        joined: Joined,
        trajectory: Trajectory,
        before: Record | None,
    ) -> tuple[Interactions[PairCounts], Inside]:
        """Return the pairs of every configuration that the g(r) of the target count, and others that matter."""
        target = self.target
        first = next(iter(target.rdfs.values()))

        def count(
            left_out: NDArray[np.intp] | None, known: Interactions[PairCounts] | None
        ) -> Interactions[PairCounts]:
            found = sampling.count_partial_pairs(
                trajectory,
                dr=first.dr,
                r_max=self._reach(potentials, joined),
                offset=float(first.r[0]),
                before=None if known is None else {name.types: one for name, one in known.items()},
                excluded=left_out,
                only=[name.types for name in target.pairs],
            )
            return Interactions({name: found[name.types] for name in target.pairs})

        left_out = None if target.topology is None else target.topology.excluded(target.target_exclusions)
        counts = count(left_out, None if before is None else before.counts)
        inside = count_inside(target, count, None if before is None else before.inside)
        if len(counts) == 1 and target.topology is None:
            # Where all beads are alike, g(r) can say of how many beads it is.
            counts = counts.map(lambda one: replace(one, pairs=None))
        return counts, inside

    def _counted_bonds(self, trajectory: Trajectory, before: Record | None) -> Interactions[BondedCounts]:
        """Return the bonds, angles and dihedrals of every configuration that have a target."""
        target = self.target
        if not target.distributions:
            return Interactions({})
        known = None if before is None else before.bonded_counts
        return count_terms(
            trajectory, target.distributions.map(lambda one: one.x), target.topology, before=known
        )


def _distribution(counts: BondedCounts) -> Distribution:
    return counts.distribution()


def _for_engine(potentials: Interactions[Potential]) -> Potentials:
    """Return what engines take: of one species the potential itself, so that those that know no other do."""
    pairs = pair_potentials(potentials)
    if len(pairs) < len(potentials):
        return potentials
    if len(pairs) == 1:
        return pairs.only()
    return {name.types: one for name, one in pairs.items()}


def _exact(run: EngineRun, target: Target, reach: float) -> RDF:
    """Put the g(r) of an analytic engine on the grid of the target, as far as it goes."""
    exact = run.exact_rdf
    if exact is None or len(target.pairs) > 1:
        missing = ", nor a g(r)" if exact is None else "; mixtures need one"
        raise InputError(f"engine {run.engine} returned no trajectory{missing}")
    whole = target.rdfs.only()
    first, dr = float(whole.r[0]), whole.dr
    end = min(reach, exact.r_max)
    r: Array = first + dr * np.arange(int((end - first) / dr + 1e-6) + 1, dtype=np.float64)
    error = None if exact.error is None else np.interp(r, exact.r, exact.error)
    return RDF(r, np.interp(r, exact.r, exact.g), error, units=whole.units)


def _regardless_of_species(counts: Interactions[PairCounts], *, molecular: bool) -> RDF:
    """Return g(r) of all beads, whatever they are; of molecules without the pairs that are left out."""
    first = next(iter(counts.values()))
    every = np.asarray(np.sum([one.counts for one in counts.values()], axis=0), dtype=np.int32)
    pairs = sum(one.pairs for one in counts.values() if one.pairs is not None) if molecular else None
    return PairCounts(first.r, every, first.beads, first.volume, first.units, pairs).rdf()
