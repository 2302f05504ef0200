"""The targets: g(r) of a trajectory mapped to beads, one for each pair of bead types."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from cginit.curves import RDF, Array, LongWave
from cginit.errors import InputError
from cginit.sampling import BLOCKS, Bins, PairCounter, block_curve, density_waves
from cginit.sampling.bins import shell_volumes
from cginit.state import StatePoint
from cginit.trajectory.files import box_vectors, length_scale, open_universe
from cginit.trajectory.frames import Frames, chosen_frames, chunks, volume_drift
from cginit.trajectory.mapping import MappedAtoms, bead_positions, map_atoms, mapping_name, resolved
from cginit.trajectory.specification import MappingRules
from cginit.units import UnitSystem

__all__ = ["MappedSystem", "rdf_from_trajectory", "rdfs_from_trajectory"]

#: Of a box that is no cube the waves up to this multiple of the smallest wave number count together.
SAME_WAVE = 1.1


@dataclass(frozen=True)
class MappedSystem:
    """What was sampled: the beads that a mapping made of a trajectory, and the frames used.

    Attributes
    ----------
    mapping : str
        How atoms became beads.
    n_beads, n_frames : int
        Beads per frame, frames used.
    density : float
        Beads per mean volume, in `units`, of all types together.
    times : tuple of float
        Time of the first and the last frame, as the trajectory states it (ps where it has a unit).
    units : UnitSystem
        Units of the density, those of the g(r).
    densities : tuple of (str, float)
        Density of each bead type.
    exclusions : str
        The pairs that g(r) leaves out: ``none``, ``molecule``, ``listed`` or ``1-2``, ``1-3``, ...
    several : bool
        Whether a molecule has several beads, as far as exclusions ask for it.
    volumes : tuple of float
        Volume of the first and of the last frame, and the mean volume, in `units`.
    settled : float or None
        Where the volume drifts, the time from which it no longer does.
    notes : tuple of str
        What a user should know: a volume that drifts, atoms without a bead, bonded pairs that count.
    """

    mapping: str
    n_beads: int
    n_frames: int
    density: float
    times: tuple[float, float]
    units: UnitSystem
    densities: tuple[tuple[str, float], ...] = ()
    exclusions: str = "none"
    several: bool = False
    volumes: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    settled: float | None = None
    notes: tuple[str, ...] = ()

    def state(self, kT: float) -> StatePoint:
        """Return the state point at this density and `kT`, in the units of the system."""
        return StatePoint(self.density, kT, self.units)


def rdf_from_trajectory(
    topology: str | Path, trajectory: str | Path | None = None, **options: Any
) -> tuple[RDF, MappedSystem]:
    """Map a trajectory to beads of one type and return their g(r) with block errors.

    The options are those of `rdfs_from_trajectory`, of which this returns the only curve; with more types
    of beads, `pairs` must name one pair.

    Returns
    -------
    rdf : RDF
    system : MappedSystem

    Raises
    ------
    InputError
        As `rdfs_from_trajectory`, and if there are several pairs of types.
    MissingDependencyError
        If MDAnalysis or Numba is not installed.

    Examples
    --------
    >>> target, water = rdf_from_trajectory(
    ...     "production.tpr", "production.xtc", mapping="residues:com", dr=0.01
    ... )  # doctest: +SKIP
    >>> cginit.write_rdf(target, "target.dat", state=water.state(kT=2.494))  # doctest: +SKIP
    """
    curves, system = rdfs_from_trajectory(topology, trajectory, **options)
    if len(curves) > 1:
        names = ", ".join("-".join(pair) for pair in curves)
        raise InputError(f"the mapping {system.mapping} gives {len(curves)} pairs ({names}); name one")
    return next(iter(curves.values())), system


def rdfs_from_trajectory(
    topology: str | Path,
    trajectory: str | Path | None = None,
    *,
    mapping: str | Sequence[str] | MappingRules,
    dr: float,
    r_max: float | None = None,
    pairs: Sequence[str] | None = None,
    exclusions: str | None = None,
    blocks: int = BLOCKS,
    begin: float | None = None,
    end: float | None = None,
    step: int = 1,
    units: str | UnitSystem | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[tuple[str, str], RDF], MappedSystem]:
    r"""Map a trajectory to beads and return g(r) of the pairs of bead types with block errors.

    .. math:: g_{ab}(r_i) = \Big\langle \frac{V}{N_{ab}\, v_i} \sum_{j \in a,\, k \in b}
              \mathbf 1\,[\,|r_{jk} - r_i| < dr/2\,] \Big\rangle, \qquad r_i = i\,dr

    with :math:`v_i` the volume of the shell, over the pairs that are not excluded, of which there are
    :math:`N_{ab}`: independent molecules have g = 1 exactly, whatever is excluded. One frame is in memory at a
    time; the trajectory is read twice, first for its boxes and times. A system of one type without exclusions also
    yields S(k) at the smallest wave vectors of its box (`cginit.curves.LongWave`).

    Parameters
    ----------
    topology : path
        Any topology that MDAnalysis reads (tpr, gro, pdb, data, gsd, ...). Masses come from here.
    trajectory : path, optional
        Any trajectory (xtc, trr, dcd, dump, ...); None if the topology file holds the frames.
    mapping : str, sequence of str, or MappingRules
        ``"residues:com"`` or ``"residues:cog"`` puts a bead at the centre of mass or of geometry of every
        residue, ``"residues:com SELECTION"`` of the residues' atoms in that MDAnalysis selection, and a plain
        selection such as ``"name OW"`` on every atom of it. Several of these are several bead types, named as in
        ``"W=name OW"``, else by their last word; ``"types"`` makes every atom a bead of its own type. Or the name
        of a mapping file, ``.yaml`` or VOTCA's ``.xml``, see `read_mapping`.
    dr : float
        Bin width and grid step, in `units`.
    r_max : float, optional
        Last grid point, in `units`; by default the last whose bin fits half the narrowest box.
    pairs : sequence of str, optional
        Pairs of types, ``"A-B"``; by default all.
    exclusions : {"none", "molecule", "1-2", "1-3", ...}, optional
        Pairs of beads of one molecule that do not count: all, or those up to so many bonds apart. By default
        what the mapping file says, ``none`` for other mappings, whose bonds are those of the topology.
    blocks : int
        Number of blocks, contiguous in time, for the standard error; each should be much longer than the
        slowest relaxation of the liquid.
    begin, end : float, optional
        Use the frames at ``begin <= time <= end``, in the time unit of the trajectory (ps).
    step : int
        Use every `step`-th of these.
    units : str or UnitSystem, optional
        Units of the result, nm and kJ/mol by default. For a format without units of its own (LAMMPS, GSD)
        these are the units in which the file was written, and they are required.
    workers : int
        Number of processes; each opens the files itself and counts chunks of consecutive frames. The result does
        not depend on it. A script that asks for more than one needs the guard ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with the number of frames done and how many there are.

    Returns
    -------
    curves : dict of (str, str) to RDF
        Each on the grid ``0, dr, ..., r_max``.
    system : MappedSystem
        Number of beads and frames, and the mean density.

    Raises
    ------
    InputError
        If a file cannot be read, the mapping makes fewer than two beads, masses or the box are missing, or
        r_max exceeds half the box.
    MissingDependencyError
        If MDAnalysis or Numba is not installed.

    Notes
    -----
    Beads whose atoms are broken over a periodic boundary are made whole by the minimum image to their first atom,
    which needs no bonds but a bead smaller than half the box. Source of the readers: Michaud-Agrawal et al.,
    J. Comput. Chem. 32, 2319 (2011), doi:10.1002/jcc.21787.

    Examples
    --------
    >>> curves, decane = rdfs_from_trajectory(
    ...     "production.tpr", "production.xtc", mapping="decane.yaml", dr=0.01, workers=4
    ... )  # doctest: +SKIP
    >>> curves["E", "M"].r_max  # doctest: +SKIP
    """
    for name, number, least in (("blocks", blocks, 2), ("step", step, 1), ("workers", workers, 1)):
        if number < least:
            raise InputError(f"{name} must be at least {least}, not {number}")
    if not (math.isfinite(dr) and dr > 0.0):
        raise InputError(f"dr must be a positive number, not {dr}")
    mapping = resolved(mapping)
    with open_universe(topology, trajectory) as universe:
        system_units, length = length_scale(universe, units)
        groups = map_atoms(universe, mapping, exclusions)
        frames = chosen_frames(universe, begin, end, step)
        if frames.n < blocks:
            raise InputError(
                f"{frames.n} frames cannot fill {blocks} blocks; sample more often or run longer"
            )
        bins = Bins(dr, _last_point(dr, r_max, frames.narrowest * length, system_units))
        names = _pairs(groups, pairs)
        counter = _counter(groups, names, bins)
        work = _Work(str(topology), None if trajectory is None else str(trajectory), mapping, exclusions)
        sums, waves = np.zeros((blocks, *counter.shape)), np.zeros((blocks, 2))
        done = 0
        pieces = list(chunks(frames.n, blocks))
        with ExitStack() as stack:
            if workers == 1:
                results: Iterator[tuple[Array, Array]] = (
                    _count(universe, groups, counter, frames.indices[start:stop], length)
                    for _, start, stop in pieces
                )
            else:
                # A process that is forked while threads run may hang.
                pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn")))
                stack.callback(pool.shutdown, wait=True, cancel_futures=True)
                count = partial(_count_elsewhere, work, names, bins, length)
                results = pool.map(count, (frames.indices[start:stop] for _, start, stop in pieces))
            for (block, start, stop), (counted, found) in zip(pieces, results, strict=True):
                sums[block] += counted
                waves[block] += found
                done += stop - start
                if progress is not None:
                    progress(done, frames.n)
        sizes = np.diff([k * frames.n // blocks for k in range(blocks + 1)])
        shells = shell_volumes(bins.grid)
        volume = frames.volume * length**3
        system = MappedSystem(
            mapping_name(mapping),
            groups.n_beads,
            frames.n,
            groups.n_beads / volume,
            frames.times,
            system_units,
            tuple((kind, groups.count(kind) / volume) for kind in groups.types),
            groups.exclusions,
            # A file of beads without bonds may call all of them one molecule.
            groups.exclusions != "none" and np.unique(groups.molecules).size < groups.n_beads,
            *_volumes(frames, length**3, groups.notes, system_units),
        )
    curves = {}
    for row, pair in enumerate(names):
        means, weights = sums[:, row] / frames.n, sizes / frames.n
        curve = block_curve(bins.grid, means, weights, counter.numbers[row] * shells, system_units)
        if (beads := _all_pairs_of(groups, pair)) is not None:
            curve = replace(curve, beads=beads, long_wave=_long_wave(waves / sizes[:, None]))
        curves[pair] = curve
    return curves, system


def _volumes(
    frames: Frames, scale: float, notes: tuple[str, ...], units: UnitSystem
) -> tuple[tuple[float, float, float], float | None, tuple[str, ...]]:
    """Return first, last and mean volume, the time from which they no longer drift, and the notes with that on it."""
    first, last, mean = (
        scale * float(volume) for volume in (frames.volumes[0], frames.volumes[-1], frames.volume)
    )
    settled = volume_drift(frames)
    if settled is not None:
        sentence = (
            f"the volume drifts: {first:.6g} in the first frame, {last:.6g} in the last, {mean:.6g} "
            f"{units.length}^3 in the mean, so that g(r) mixes densities and the mean density is that of none; leave "
            f"the equilibration out, --begin {settled:g}"
        )
        notes = (sentence, *notes)
    return (first, last, mean), settled, notes


def _long_wave(per_block: Array) -> LongWave | None:
    """Return S(k) of blocks of k and S ``(blocks, 2)`` with its standard error."""
    (k, s), error = per_block.mean(axis=0), per_block[:, 1].std(ddof=1) / np.sqrt(len(per_block))
    # Beads on a perfect lattice have none.
    return LongWave(float(k), float(s), float(error)) if s > 0.0 else None


def _all_pairs_of(groups: MappedAtoms, pair: tuple[str, str]) -> int | None:
    """Return the number of beads where the pair is all of the system; the limit of g of a mixture is another."""
    alone = pair[0] == pair[1] and groups.count(pair[0]) == groups.n_beads
    excluded = groups.exclusions != "none" and np.unique(groups.molecules).size < groups.n_beads
    return groups.n_beads if alone and not excluded else None


def _last_point(dr: float, r_max: float | None, limit: float, units: UnitSystem) -> float:
    """Return the last grid point whose bin fits half the box, or the one asked for."""
    # Boxes are single precision: a bin that ends at half the box but for their rounding counts as inside.
    last = math.floor(0.5 * limit / dr * (1.0 + 5e-7) - 0.5) * dr
    if r_max is not None:
        if r_max > last * (1.0 + 1e-9):
            raise InputError(
                f"r_max = {r_max:g} {units.length} is too large: with bins of {dr:g} g(r) ends at "
                f"{last:g}, half the narrowest box; choose a smaller r_max or simulate a larger box"
            )
        last = r_max
    if last < 3 * dr:
        raise InputError(f"dr = {dr:g} {units.length} leaves no g(r) up to {last:g}; choose a smaller dr")
    return last


def _pairs(groups: MappedAtoms, wanted: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    known = {
        f"{a}-{b}": (a, b) if groups.types.index(a) <= groups.types.index(b) else (b, a)
        for a in groups.types
        for b in groups.types
    }
    if wanted is None:
        wanted = [f"{a}-{b}" for row, a in enumerate(groups.types) for b in groups.types[row:]]
    missing = next((name for name in wanted if name not in known), None)
    if missing is not None:
        raise InputError(f"the mapping has no pair {missing}; its bead types are {', '.join(groups.types)}")
    return tuple(dict.fromkeys(known[name] for name in wanted))


def _counter(groups: MappedAtoms, pairs: tuple[tuple[str, str], ...], bins: Bins) -> PairCounter:
    whole = groups.exclusions == "molecule"
    for a, b in pairs:
        if a == b and groups.count(a) < 2:
            raise InputError(f"there is {groups.count(a)} bead of type {a}; g(r) of {a}-{a} needs two")
    return PairCounter(
        groups.type_ids,
        tuple((groups.types.index(a), groups.types.index(b)) for a, b in pairs),
        bins,
        groups.molecules if whole else None,
        groups.excluded,
    )


def _count(
    universe: Any, groups: MappedAtoms, counter: PairCounter, frames: Any, length: float
) -> tuple[Array, Array]:
    """Return sums over some frames: counts times the volume ``(n_pairs, n_bins)``; smallest k and S(k) ``(2,)``."""
    total, waves = np.zeros(counter.shape), np.zeros(2)
    for index in frames:
        vectors = box_vectors(universe.trajectory[int(index)]) * length
        positions = bead_positions(groups) * np.float32(length)
        # What else a frame shows (see `cginit.sampling.FrameCounter`) is counted here, in the same pass.
        total += abs(float(np.linalg.det(vectors))) * counter.count(positions, vectors)
        k, s = density_waves(positions, vectors)
        smallest = k <= SAME_WAVE * k.min()
        waves += k[smallest].mean(), s[smallest].mean()
    return total, waves


@dataclass(frozen=True)
class _Work:
    """What another process needs to open the same files in the same way."""

    topology: str
    trajectory: str | None
    mapping: MappingRules | tuple[str, ...]
    exclusions: str | None


@cache
def _opened(work: _Work) -> tuple[Any, MappedAtoms, ExitStack]:
    """Open files that stay open, held by the stack, until the process, which serves one call only, ends."""
    stack = ExitStack()
    universe = stack.enter_context(open_universe(work.topology, work.trajectory))
    return universe, map_atoms(universe, work.mapping, work.exclusions), stack


def _count_elsewhere(
    work: _Work, pairs: tuple[tuple[str, str], ...], bins: Bins, length: float, frames: Any
) -> tuple[Array, Array]:
    universe, groups, _ = _opened(work)
    return _count(universe, groups, _counter(groups, pairs, bins), frames, length)
