"""What a trajectory mapped to beads shows: the counts of its frames, and of what they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import RDF, Array, StructureFactor
from cginit.errors import InputError
from cginit.sampling import BLOCKS, Bins, block_curve, mean_structure_factor
from cginit.sampling.bins import shell_volumes
from cginit.state import StatePoint
from cginit.trajectory.frames import Frames, volume_drift
from cginit.trajectory.mapping import MappedAtoms, bead_positions, mapping_name
from cginit.trajectory.one_pass import Counted, Counting, Wanted, count_frames
from cginit.trajectory.source import BeadSource, OpenBeads
from cginit.trajectory.specification import MappingRules
from cginit.units import UnitSystem

__all__ = ["MappedSystem", "Sampled", "sampled"]


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
    mapped : bool
        Whether some bead stands for several atoms.
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
    mapped: bool = False

    def state(self, kT: float) -> StatePoint:
        """Return the state point at this density and `kT`, in the units of the system."""
        return StatePoint(self.density, kT, self.units)


@dataclass(frozen=True, eq=False)
class Sampled:
    """The counts of all frames, and of what they are.

    Attributes
    ----------
    system : MappedSystem
        Beads and frames.
    groups : MappedAtoms
        The beads.
    counting : Counting
        The counters.
    wanted : Wanted
        Pairs and bins.
    counts : Counted
        What they counted.
    sizes : ndarray, shape (blocks,)
        Frames of each block.
    last : tuple of ndarray
        Positions ``(n, 3)`` and lattice vectors ``(3, 3)`` of the last frame, if molecules are wanted.
    """

    system: MappedSystem
    groups: MappedAtoms
    counting: Counting
    wanted: Wanted
    counts: Counted
    sizes: Array
    last: tuple[Array, Array] | None = None

    @property
    def weights(self) -> Array:
        """Weight of each block ``(blocks,)``."""
        return np.asarray(self.sizes / self.sizes.sum(), dtype=np.float64)

    def with_notes(self, *notes: str) -> Sampled:
        """Return the same with more that a user should know."""
        return replace(self, system=replace(self.system, notes=(*self.system.notes, *notes)))

    def curve(self, sums: Array, numbers: float) -> RDF:
        """Return g(r) of sums ``(blocks, n)`` of so many pairs of beads times the volume."""
        grid = self.wanted.bins.grid
        means = sums / self.system.n_frames
        return block_curve(grid, means, self.weights, numbers * shell_volumes(grid), self.system.units)

    def rdfs(self) -> dict[tuple[str, str], RDF]:
        """Return g(r) of each pair of types that was wanted."""
        curves = {}
        for row, pair in enumerate(self.wanted.pairs):
            curve = self.curve(self.counts.pairs[:, row], float(self.counting.pairs.numbers[row]))
            if (beads := _all_pairs_of(self.groups, pair)) is not None:
                waves = self.structure_factor()
                smallest = None if waves is None else waves.smallest
                curve = replace(curve, beads=beads, long_wave=smallest, structure_factor=waves)
            curves[pair] = curve
        return curves

    def structure_factor(self) -> StructureFactor | None:
        """Return S(k) of all beads; None where it was not counted, or the beads are on a perfect lattice."""
        if self.counting.waves is None:
            return None
        means = self.counts.waves / self.sizes[:, None, None]
        return mean_structure_factor(
            means, self.counting.waves, self.system.n_frames, self.system.units, self.weights
        )


def sampled(
    source: BeadSource,
    *,
    dr: float,
    r_max: float | None = None,
    pairs: Sequence[str] | None = None,
    blocks: int = BLOCKS,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    molecules: bool = False,
) -> Sampled:
    """Count the pairs of a trajectory and, with `molecules`, all inside its molecules; see `rdfs_from_trajectory`."""
    for name, number, least in (("blocks", blocks, 2), ("workers", workers, 1)):
        if number < least:
            raise InputError(f"{name} must be at least {least}, not {number}")
    if not (math.isfinite(dr) and dr > 0.0):
        raise InputError(f"dr must be a positive number, not {dr}")
    with source.opened() as beads:
        selected = source.exclusions is None and not isinstance(source.mapping, MappingRules)
        if molecules and selected and len(beads.groups.bonds):
            # Pairs that bonds hold together are no targets of pair potentials.
            beads = beads.excluding("molecule")
        frames = beads.frames()
        if frames.n < blocks:
            remedy = "give the trajectory" if source.trajectory is None else "sample more often or run longer"
            raise InputError(
                f"{frames.n} frame{'s' * (frames.n != 1)} cannot fill {blocks} blocks; {remedy}, or ask for fewer "
                "(--blocks, 2 at least)"
            )
        narrowest = frames.narrowest * beads.length
        bins = Bins(dr, _last_point(dr, r_max, narrowest, beads.units))
        named = _pairs(beads.groups, pairs)
        wanted = Wanted(named, bins, molecules, _waves(beads, named, frames), 0.5 * narrowest)
        counting = Counting.of(beads.groups, wanted)
        counts = count_frames(
            beads, counting, wanted, frames, blocks=blocks, workers=workers, progress=progress
        )
        last = None
        if molecules:
            vectors = beads.box(int(frames.indices[-1]))
            last = (bead_positions(beads.groups).astype(np.float64) * beads.length, vectors)
    sizes = np.diff([k * frames.n // blocks for k in range(blocks + 1)]).astype(np.float64)
    return Sampled(_system(beads, frames), beads.groups, counting, wanted, counts, sizes, last)


def _system(beads: OpenBeads, frames: Frames) -> MappedSystem:
    groups, volume = beads.groups, frames.volume * beads.length**3
    return MappedSystem(
        mapping_name(beads.source.mapping),
        groups.n_beads,
        frames.n,
        groups.n_beads / volume,
        frames.times,
        beads.units,
        tuple((kind, groups.count(kind) / volume) for kind in groups.types),
        groups.exclusions,
        # A file of beads without bonds may call all of them one molecule.
        groups.exclusions != "none" and np.unique(groups.molecules).size < groups.n_beads,
        *_volumes(frames, beads.length**3, groups.notes, beads.units),
        mapped=groups.atoms.n_atoms > groups.n_beads,
    )


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


def _waves(
    beads: OpenBeads, pairs: Sequence[tuple[str, str]], frames: Frames
) -> tuple[tuple[float, ...], float] | None:
    """Return the box and the largest wave number of S(k), 2 pi over the mean spacing; None where no g(r) needs it."""
    if not any(_all_pairs_of(beads.groups, pair) is not None for pair in pairs):
        return None
    edges = beads.box(int(frames.indices[0]))
    spacing = beads.length * (frames.volume / beads.groups.n_beads) ** (1.0 / 3.0)
    return tuple(float(x) for x in np.ravel(edges)), 2.0 * math.pi / spacing


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
