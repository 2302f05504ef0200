"""Which beads of which frames of a trajectory are read: what every reader of one is told, and the files opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Required, TypedDict

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.trajectory.files import box_vectors, length_scale, open_universe
from cginit.trajectory.frames import Frames, chosen_frames
from cginit.trajectory.mapping import FloatArray, MappedAtoms, bead_positions, map_atoms, resolved
from cginit.trajectory.specification import MappingRules
from cginit.units import UnitSystem, conversion

__all__ = ["BeadSource", "FrameOptions", "OpenBeads", "TargetOptions"]


class FrameOptions(TypedDict, total=False):
    """Options of all that read a trajectory beside its files; see `BeadSource`."""

    mapping: Required[str | Sequence[str] | MappingRules]
    begin: float | None
    end: float | None
    step: int
    units: str | UnitSystem | None


class TargetOptions(FrameOptions, total=False):
    """Options of all that make targets of a trajectory; see `cginit.trajectory.rdfs_from_trajectory`."""

    exclusions: str | None
    dr: Required[float]
    r_max: float | None
    pairs: Sequence[str] | None
    blocks: int
    workers: int
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True)
class BeadSource:
    """Which beads of which frames of which files are read; another process opens them in the same way.

    Parameters
    ----------
    topology : path
        Any topology that MDAnalysis reads.
    trajectory : path or None
        Any trajectory; None if the topology file holds the frames.
    mapping : str, sequence of str, or MappingRules
        How atoms become beads; see `rdfs_from_trajectory`. Kept as it was read from a file.
    begin, end : float, optional
        The frames at ``begin <= time <= end``, in the time unit of the trajectory.
    step : int
        Every `step`-th of these.
    units : str or UnitSystem, optional
        Units of the result; those of the files for a format that states none.
    exclusions : str, optional
        Pairs of beads of one molecule that do not count.

    Raises
    ------
    InputError
        If no mapping is given, or `step` is below 1.
    """

    topology: str | Path
    trajectory: str | Path | None
    mapping: str | Sequence[str] | MappingRules
    begin: float | None = None
    end: float | None = None
    step: int = 1
    units: str | UnitSystem | None = None
    exclusions: str | None = None

    def __post_init__(self) -> None:
        if self.step < 1:
            raise InputError(f"step must be at least 1, not {self.step}")
        object.__setattr__(self, "mapping", resolved(self.mapping))

    @classmethod
    def split_off(
        cls, topology: str | Path, trajectory: str | Path | None, options: Mapping[str, Any]
    ) -> tuple[BeadSource, dict[str, Any]]:
        """Return what `TargetOptions` say of the beads and frames, and what they say beside that."""
        own = {one.name for one in fields(cls)}
        source = cls(topology, trajectory, **{name: value for name, value in options.items() if name in own})
        return source, {name: value for name, value in options.items() if name not in own}

    @contextmanager
    def opened(self) -> Iterator[OpenBeads]:
        """Open the files, and close them afterwards.

        Raises
        ------
        InputError
            If a file cannot be read or the mapping does not fit it.
        MissingDependencyError
            If MDAnalysis is not installed.
        """
        with open_universe(self.topology, self.trajectory) as universe:
            units, length = length_scale(universe, self.units)
            yield OpenBeads(self, universe, map_atoms(universe, self.mapping, self.exclusions), units, length)


@dataclass(frozen=True, eq=False)
class OpenBeads:
    """The beads of files that are open, one frame in memory at a time.

    Attributes
    ----------
    source : BeadSource
        What was asked for.
    universe : MDAnalysis.Universe
        The files.
    groups : MappedAtoms
        The beads.
    units : UnitSystem
        Units of the result.
    length : float
        Factor from MDAnalysis' lengths to them.
    """

    source: BeadSource
    universe: Any
    groups: MappedAtoms
    units: UnitSystem
    length: float

    def excluding(self, exclusions: str) -> OpenBeads:
        """Return the same beads, of which other pairs do not count."""
        source = replace(self.source, exclusions=exclusions)
        return replace(self, source=source, groups=map_atoms(self.universe, source.mapping, exclusions))

    def to(self, units: UnitSystem) -> OpenBeads:
        """Return the same beads in other units."""
        return replace(self, units=units, length=self.length * conversion(self.units, units)[0])

    def frames(self) -> Frames:
        """Return the frames that were asked for, for which the times and boxes of all are read."""
        return chosen_frames(self.universe, self.source.begin, self.source.end, self.source.step)

    def box(self, index: int) -> Array:
        """Return the lattice vectors ``(3, 3)`` of a frame, in `units`; it becomes the present one."""
        return box_vectors(self.universe.trajectory[int(index)]) * self.length

    def at(self, index: int) -> tuple[FloatArray, Array]:
        """Return the positions ``(n, 3)`` and lattice vectors ``(3, 3)`` of a frame, in `units`."""
        vectors = self.box(index)
        return bead_positions(self.groups) * np.float32(self.length), vectors
