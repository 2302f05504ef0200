"""One pass over the frames of a trajectory, in one process or several, that counts all that is wanted of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from cginit.bond_graph import pairs_within
from cginit.coordinates import BOND, COORDINATES, TermCounter, fine_grid
from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction, all_pairs
from cginit.sampling import Bins, FrameCounter, PairCounter, WaveVectors
from cginit.topology import Topology
from cginit.trajectory.bead_topology import mapped_topology
from cginit.trajectory.frames import Frames, chunks
from cginit.trajectory.mapping import MappedAtoms
from cginit.trajectory.source import BeadSource, OpenBeads

__all__ = ["Counted", "Counting", "Wanted", "count_frames"]

#: Bins of bonds in a bin of g(r), before they are joined; see `cginit.coordinates.joined_bins`.
BONDS_A_BIN = 20


@dataclass(frozen=True)
class Wanted:
    """What is counted: g(r) of these pairs of types, and with `molecules` what is inside the molecules, too.

    `reach` is half the narrowest box, up to which a bond has a length, however far g(r) is wanted. `waves` says of
    which box, by the numbers of its edges in rows, and up to which wave number S(k) of all beads is wanted; None for
    not at all.
    """

    pairs: tuple[tuple[str, str], ...]
    bins: Bins
    molecules: bool = False
    waves: tuple[tuple[float, ...], float] | None = None
    reach: float = 0.0


@dataclass(frozen=True, eq=False)
class Counted:
    """The counts of all frames.

    Attributes
    ----------
    pairs : ndarray, shape (blocks, pairs, n)
        Sums over the frames of a block of pairs of beads times the volume.
    inside : dict of Interaction to ndarray, shape (blocks, n)
        The same of all pairs inside molecules, excluded or not.
    terms : dict of Interaction to ndarray, shape (blocks, m)
        Sums of bonds, angles and dihedrals in fine bins.
    waves : ndarray, shape (blocks, 2, m)
        Sums of the wave numbers and S of the wave vectors.
    """

    pairs: Array
    inside: dict[Interaction, Array]
    terms: dict[Interaction, Array]
    waves: Array


@dataclass(frozen=True, eq=False)
class Counting:
    """The counters of one system of beads.

    Attributes
    ----------
    pairs : PairCounter
        A row for each pair of types that is wanted.
    inside, terms : dict of Interaction to TermCounter
        What is counted inside molecules; empty unless wanted.
    topology : Topology or None
        The molecules, if they are wanted.
    waves : WaveVectors or None
        The wave vectors, if S(k) is wanted.
    """

    pairs: PairCounter
    inside: dict[Interaction, TermCounter]
    terms: dict[Interaction, TermCounter]
    topology: Topology | None = None
    waves: WaveVectors | None = None

    @classmethod
    def of(cls, groups: MappedAtoms, wanted: Wanted) -> Counting:
        """Make the counters of what is wanted.

        Raises
        ------
        InputError
            If a pair of types leaves no pair of beads.
        """
        pairs = _pair_counter(groups, wanted)
        waves = None
        if wanted.waves is not None:
            edges, k_max = wanted.waves
            waves = WaveVectors.of(np.reshape(edges, (3, 3)), k_max)
        if not wanted.molecules:
            return cls(pairs, {}, {}, waves=waves)
        topology = mapped_topology(groups)
        grid = wanted.bins.grid
        step, limit = wanted.bins.dr / BONDS_A_BIN, max(wanted.reach, grid[-1] + 0.5 * wanted.bins.dr)
        terms = {
            one: TermCounter(
                COORDINATES[one.coordinate], members, fine_grid(one.coordinate, step, float(limit))
            )
            for one, members in topology.terms.items()
        }
        return cls(pairs, _inside(topology, grid), terms, topology, waves)

    def _all(self) -> list[FrameCounter]:
        return [self.pairs, *self.inside.values(), *self.terms.values()]

    def count(self, beads: OpenBeads, frames: NDArray[np.int64]) -> list[Array]:
        """Return sums over some frames: of each counter ``(rows, bins)``, last k and S ``(2, m)`` of the waves."""
        counters = self._all()
        totals, waves = (
            [np.zeros(one.shape) for one in counters],
            np.zeros((2, 0 if self.waves is None else len(self.waves))),
        )
        # g(r) divides pairs by the density, which a box that breathes has frame by frame; bonds know no density.
        dense = 1 + len(self.inside)
        for index in frames:
            positions, vectors = beads.at(index)
            volume = abs(float(np.linalg.det(vectors)))
            for place, (total, counter) in enumerate(zip(totals, counters, strict=True)):
                total += (volume if place < dense else 1.0) * counter.count(positions, vectors)
            if self.waves is not None:
                waves += self.waves.count(positions, vectors)
        return [*totals, waves]

    def collected(self, sums: list[Array]) -> Counted:
        """Return what sums of all blocks ``(blocks, rows, bins)``, in the order of `count`, are of."""
        inner = iter(sums[1:-1])
        inside = {one: next(inner)[:, 0] for one in self.inside}
        return Counted(sums[0], inside, {one: next(inner)[:, 0] for one in self.terms}, sums[-1])


def _pair_counter(groups: MappedAtoms, wanted: Wanted) -> PairCounter:
    for a, b in wanted.pairs:
        if a == b and groups.count(a) < 2:
            raise InputError(f"there is {groups.count(a)} bead of type {a}; g(r) of {a}-{a} needs two")
    return PairCounter(
        groups.type_ids,
        tuple((groups.types.index(a), groups.types.index(b)) for a, b in wanted.pairs),
        wanted.bins,
        groups.molecules if groups.exclusions == "molecule" else None,
        groups.excluded,
    )


def _inside(topology: Topology, grid: Array) -> dict[Interaction, TermCounter]:
    """Return counters of the distances of all pairs of beads inside molecules, by their types."""
    members = pairs_within(topology.molecules)
    kinds = np.sort(topology.types[members], axis=1)
    found = {}
    for one in all_pairs(topology.species):
        types = sorted(topology.species.index(name) for name in one.types)
        chosen = members[np.all(kinds == types, axis=1)]
        if len(chosen):
            found[one] = TermCounter(BOND, chosen, grid)
    return found


def count_frames(
    beads: OpenBeads,
    counting: Counting,
    wanted: Wanted,
    frames: Frames,
    *,
    blocks: int,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> Counted:
    """Count all frames, in blocks contiguous in time, here or in as many other processes as there are `workers`."""
    pieces = list(chunks(frames.n, blocks))
    indices = (frames.indices[start:stop] for _, start, stop in pieces)
    sums: list[Array] = []
    done = 0
    with ExitStack() as stack:
        if workers == 1:
            results: Iterator[list[Array]] = (counting.count(beads, some) for some in indices)
        else:
            # A process that is forked while threads run may hang.
            pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn")))
            stack.callback(pool.shutdown, wait=True, cancel_futures=True)
            results = pool.map(partial(_count_elsewhere, beads.source, wanted), indices)
        for (block, start, stop), counted in zip(pieces, results, strict=True):
            sums = sums or [np.zeros((blocks, *one.shape)) for one in counted]
            for whole, part in zip(sums, counted, strict=True):
                whole[block] += part
            done += stop - start
            if progress is not None:
                progress(done, frames.n)
    return counting.collected(sums)


@cache
def _opened(source: BeadSource, wanted: Wanted) -> tuple[OpenBeads, Counting, ExitStack]:
    """Open files that stay open, held by the stack, until the process, which serves one call only, ends."""
    stack = ExitStack()
    beads = stack.enter_context(source.opened())
    return beads, Counting.of(beads.groups, wanted), stack


def _count_elsewhere(source: BeadSource, wanted: Wanted, frames: NDArray[np.int64]) -> list[Array]:
    beads, counting, _ = _opened(source, wanted)
    return counting.count(beads, frames)
