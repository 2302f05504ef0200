"""The beads of a mapped trajectory, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit.curves import Array
from cginit.trajectory.files import box_vectors, length_scale, open_universe
from cginit.trajectory.frames import chosen_frames
from cginit.trajectory.mapping import FloatArray, bead_positions, map_atoms
from cginit.trajectory.specification import MappingRules
from cginit.units import UnitSystem

__all__ = ["BeadFrames", "bead_frames"]


@dataclass(frozen=True, eq=False)
class BeadFrames:
    """The frames of a trajectory as beads.

    Attributes
    ----------
    n : int
        Number of frames.
    units : UnitSystem
        Units of positions and boxes.
    frames : iterator of (ndarray of shape (beads, 3), ndarray of shape (3, 3))
        Positions and lattice vectors, once.
    """

    n: int
    units: UnitSystem
    frames: Iterator[tuple[FloatArray, Array]]


@contextmanager
def bead_frames(
    topology: str | Path,
    trajectory: str | Path | None,
    *,
    mapping: str | Sequence[str] | MappingRules,
    begin: float | None = None,
    end: float | None = None,
    step: int = 1,
    units: str | UnitSystem | None = None,
    most: int | None = None,
) -> Iterator[BeadFrames]:
    """Open a trajectory and give its beads frame by frame; of more than `most` frames so many, evenly spaced.

    Parameters
    ----------
    topology, trajectory, mapping, begin, end, step, units
        See `rdfs_from_trajectory`.
    most : int, optional
        Frames at most.

    Raises
    ------
    InputError
        As `rdfs_from_trajectory`.
    """
    with open_universe(topology, trajectory) as universe:
        system, length = length_scale(universe, units)
        groups = map_atoms(universe, mapping)
        indices = chosen_frames(universe, begin, end, step).indices
        if most is not None and indices.size > most:
            indices = indices[np.arange(most) * indices.size // most]

        def frames() -> Iterator[tuple[FloatArray, Array]]:
            for index in indices.tolist():
                vectors = box_vectors(universe.trajectory[index]) * length
                yield bead_positions(groups) * np.float32(length), vectors

        yield BeadFrames(int(indices.size), system, frames())
