"""The frames of a trajectory that are used, and what must be known of them before any is mapped."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.errors import InputError
from cginit.trajectory.files import box_vectors, width

__all__ = ["FRAMES_A_CHUNK", "Frames", "chosen_frames", "chunks"]

#: Frames that are counted together. The sums of a chunk depend on this and on nothing else, so that a result
#: does not change with the number of processes.
FRAMES_A_CHUNK = 25


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames to use.

    Attributes
    ----------
    indices : ndarray, shape (n,)
        Their numbers in the trajectory.
    times : tuple of float
        Time of the first and the last.
    volume : float
        Mean volume, in the cube of MDAnalysis' length.
    narrowest : float
        Smallest distance between opposite faces of any of their boxes.
    """

    indices: NDArray[np.int64]
    times: tuple[float, float]
    volume: float
    narrowest: float

    @property
    def n(self) -> int:
        """Number of frames."""
        return int(self.indices.size)


def chosen_frames(universe: Any, begin: float | None, end: float | None, step: int) -> Frames:
    """Read the times and boxes of a trajectory and return every `step`-th frame between two times.

    Raises
    ------
    InputError
        If there is none, or one of them has no box.
    """
    indices = array("q")
    volume, narrowest = 0.0, math.inf
    first = last = 0.0
    seen = 0
    span = [math.inf, -math.inf]
    for index, timestep in enumerate(universe.trajectory):
        time = float(timestep.time)
        span = [min(span[0], time), max(span[1], time)]
        # Times are stored in single precision: 0.25 ps steps must not lose the frame at `begin` to rounding.
        slack = 1e-6 * max(abs(time), 1.0)
        if (begin is not None and time < begin - slack) or (end is not None and time > end + slack):
            continue
        seen += 1
        if (seen - 1) % step:
            continue
        vectors = box_vectors(timestep)
        first = first if indices else time
        last = time
        indices.append(index)
        volume += abs(float(np.linalg.det(vectors)))
        narrowest = min(narrowest, width(vectors))
    if not indices:
        raise InputError(
            f"no frame lies between begin = {begin} and end = {end}; the trajectory goes from time "
            f"{span[0]:g} to {span[1]:g}"
        )
    return Frames(np.array(indices, dtype=np.int64), (first, last), volume / len(indices), narrowest)


def chunks(n_frames: int, blocks: int) -> Iterator[tuple[int, int, int]]:
    """Yield ``(block, start, stop)`` of consecutive pieces of the frames, none longer than `FRAMES_A_CHUNK`.

    Blocks are contiguous and as equal as can be.

    Examples
    --------
    >>> list(chunks(60, 2))
    [(0, 0, 25), (0, 25, 30), (1, 30, 55), (1, 55, 60)]
    """
    for block in range(blocks):
        start, stop = block * n_frames // blocks, (block + 1) * n_frames // blocks
        for at in range(start, stop, FRAMES_A_CHUNK):
            yield block, at, min(at + FRAMES_A_CHUNK, stop)
