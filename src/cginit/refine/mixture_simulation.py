"""One simulation in the refinement of a mixture: as long as its answer is worth, repeated more gently if it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.engines.base import Engine, Schedule
from cginit.errors import InputError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.attempts import attempts, between, first_that_runs
from cginit.refine.convergence import distance
from cginit.refine.mixture_store import MixtureIteration, MixtureStore
from cginit.refine.parts import FAR, Joined, Verdict, simulated
from cginit.refine.relaxation import relaxes
from cginit.refine.replicas import Replicas
from cginit.refine.workdir import disk_explained
from cginit.sampling import PairCounts

__all__ = ["MixtureSimulator", "between_all"]

Potentials = dict[Pair, PairPotential]


@dataclass(frozen=True, eq=False)
class MixtureSimulator:
    """How the potentials of a mixture are simulated.

    Parameters
    ----------
    engine : Engine
        One that simulates mixtures.
    target : MixtureTarget
        g(r) of all pairs, densities and kT.
    store : MixtureStore
        Where iterations are kept.
    seed : int
        Seed of the whole refinement; iteration k runs with one derived from it and k.
    adaptive : bool
        Whether a simulation that is far from the target is ended after a quarter of its production.
    replicas : Replicas
        How many simulations an iteration has.
    held : frozenset of pair
        Pairs whose g(r) does not count.
    """

    engine: Engine
    target: MixtureTarget
    store: MixtureStore
    seed: int
    adaptive: bool
    replicas: Replicas
    held: frozenset[Pair]

    def run(
        self,
        index: int,
        potentials: Potentials,
        starts: Sequence[Configuration],
        schedule: Schedule,
        *,
        made_by: str,
        nearer: Callable[[float], Potentials] | None,
        skipped: int = 0,
        longer: float = 1.0,
    ) -> MixtureIteration:
        """Simulate, compare with the target, and keep the iteration on disk.

        `longer` are its steps of sampling in multiples of those of the schedule of the refinement.

        A run that blows up is repeated with a shorter time step, then with what `nearer` returns for a part of the
        way from the best potentials.

        Raises
        ------
        EngineError
            If the engine fails.
        """
        began = time.perf_counter()
        seed = int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])

        def run(tried: Potentials, gentle: Schedule) -> MixtureIteration:
            return self._simulated(index, tried, starts, gentle, self.store.prepare(index), seed, longer)

        with disk_explained(self.store.folder, index):
            done, remarks = first_that_runs(attempts(potentials, schedule, nearer), run)
            seconds = time.perf_counter() - began
            return self.store.commit(
                replace(done, update=made_by, skipped=skipped, remarks=remarks, seconds=seconds)
            )

    def _simulated(
        self,
        index: int,
        potentials: Potentials,
        starts: Sequence[Configuration],
        schedule: Schedule,
        folder: Path,
        seed: int,
        longer: float,
    ) -> MixtureIteration:
        counted: dict[Pair, PairCounts] = {}

        def measure(joined: Joined) -> tuple[MixtureIteration, Verdict]:
            nonlocal counted
            found = self._measured(index, potentials, joined, longer, counted if joined.known else None)
            counted = found.counts
            far = found.distance(self.held).chi2 > FAR
            curves = [
                (found.counts[pair], curve, potentials[pair].r_cut)
                for pair, curve in self.target.rdfs.items()
                if pair not in self.held
            ]
            # What clusters or freezes will not become a fluid by going on.
            return found, Verdict(far, found.homogeneous and relaxes(curves))

        return simulated(
            self.engine,
            potentials,
            self.target.state,
            starts,
            schedule,
            measure,
            seed=seed,
            folder=folder,
            adaptive=self.adaptive,
            replicas=self.replicas,
        )

    def _measured(
        self,
        index: int,
        potentials: Potentials,
        joined: Joined,
        longer: float,
        before: dict[Pair, PairCounts] | None,
    ) -> MixtureIteration:
        trajectory = joined.trajectory
        if trajectory is None:
            raise InputError(f"engine {joined.first.engine} returned no trajectory; mixtures need one")
        first = next(iter(self.target.rdfs.values()))
        half = 0.5 * float(np.min(trajectory.box)) * (1.0 - 1e-9)
        offset = float(first.r[0])
        steps = np.floor((min(first.r_max, half - 0.5 * first.dr) - offset) / first.dr + 1e-6)
        reach = float(offset + first.dr * steps)
        counts = sampling.count_partial_pairs(
            trajectory, dr=first.dr, r_max=reach, offset=offset, before=before
        )
        rdfs = {pair: one.rdf() for pair, one in counts.items()}
        everything = _regardless_of_species(counts)
        return MixtureIteration(
            index=index,
            potentials=potentials,
            rdfs=rdfs,
            final=joined.finals[0],
            distances={
                pair: distance(rdfs[pair], curve, potentials[pair].r_cut, longer)
                for pair, curve in self.target.rdfs.items()
            },
            pressure=joined.pressure.value,
            pressure_error=joined.pressure.error,
            warnings=sampling.examine(trajectory, everything, joined.energy).reasons,
            update="",
            steps=joined.steps,
            seconds=0.0,
            counts=counts,
            complete=joined.complete,
            others=joined.finals[1:],
            relaxed=joined.relaxed,
            longer=longer,
        )


def between_all(best: Potentials, potentials: Potentials, part: float) -> Potentials:
    """Return the potentials of all pairs at a part of the way from `best`."""
    return {pair: between(best[pair], one, part) for pair, one in potentials.items()}


def _regardless_of_species(counts: dict[Pair, PairCounts]) -> RDF:
    """Return g(r) of all beads, whatever they are."""
    first = next(iter(counts.values()))
    every = np.asarray(np.sum([one.counts for one in counts.values()], axis=0), dtype=np.int32)
    return PairCounts(first.r, every, first.beads, first.volume, first.units).rdf()
