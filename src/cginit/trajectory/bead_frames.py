"""The beads of a mapped trajectory, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.trajectory.mapping import FloatArray
from cginit.trajectory.source import BeadSource
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
def bead_frames(source: BeadSource, most: int | None = None) -> Iterator[BeadFrames]:
    """Open a trajectory and give its beads frame by frame; of more than `most` frames so many, evenly spaced.

    Raises
    ------
    InputError
        As `rdfs_from_trajectory`.
    """
    with source.opened() as beads:
        indices = beads.frames().indices
        if most is not None and indices.size > most:
            indices = indices[np.arange(most) * indices.size // most]
        yield BeadFrames(int(indices.size), beads.units, map(beads.at, indices.tolist()))
