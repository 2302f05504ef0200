"""The frames of a trajectory that are used, and what must be known of them before any is mapped."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.trajectory.files import box_vectors, readers_words, width

__all__ = ["FRAMES_A_CHUNK", "Frames", "chosen_frames", "chunks", "volume_drift"]

#: Frames that are counted together. The sums of a chunk depend on this and on nothing else, so that a result
#: does not change with the number of processes.
FRAMES_A_CHUNK = 25
#: Frames below which a drift of the volume is not judged, and the parts of which the first is set against the rest.
SHORTEST, TENTHS = 20, 10
#: Part of the volume that counts as a drift, and how many times the scatter it must be. Of a dense liquid with
#: S(0) = 0.05 half a per cent of the density is a tenth of rho kT in the pressure.
DRIFT, SIGNIFICANT = 0.005, 4.0


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames to use.

    Attributes
    ----------
    indices : ndarray, shape (n,)
        Their numbers in the trajectory.
    all_times, volumes : ndarray, shape (n,)
        Their times, and their volumes in the cube of MDAnalysis' length.
    narrowest : float
        Smallest distance between opposite faces of any of their boxes.
    """

    indices: NDArray[np.int64]
    all_times: Array
    volumes: Array
    narrowest: float

    @property
    def times(self) -> tuple[float, float]:
        """Time of the first and the last frame."""
        return float(self.all_times[0]), float(self.all_times[-1])

    @property
    def volume(self) -> float:
        """Mean volume."""
        return float(np.mean(self.volumes))

    @property
    def n(self) -> int:
        """Number of frames."""
        return int(self.indices.size)


def chosen_frames(universe: Any, begin: float | None, end: float | None, step: int) -> Frames:
    """Read the times and boxes of a trajectory and return every `step`-th frame between two times.

    Raises
    ------
    InputError
        If there is none, one of them has no box, or one cannot be read.
    """
    indices = array("q")
    times, volumes, narrowest = array("d"), array("d"), math.inf
    seen = 0
    span = [math.inf, -math.inf]
    for index, timestep in enumerate(_read(universe)):
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
        indices.append(index)
        times.append(time)
        volumes.append(abs(float(np.linalg.det(vectors))))
        narrowest = min(narrowest, width(vectors))
    if not indices:
        raise InputError(
            f"no frame lies between begin = {begin} and end = {end}; the trajectory goes from time "
            f"{span[0]:g} to {span[1]:g}"
        )
    return Frames(np.array(indices, dtype=np.int64), np.array(times), np.array(volumes), narrowest)


def _read(universe: Any) -> Iterator[Any]:
    """Yield the frames one after the other; what a reader raises in the middle of a file is an `InputError`."""
    frames = iter(universe.trajectory)
    for number in count():
        try:
            timestep = next(frames)
        except StopIteration:
            return
        except InputError:
            raise
        except Exception as error:  # each reader raises what its parser meets
            name = Path(universe.trajectory.filename).name
            raise InputError(
                f"frame {number} of {name} cannot be read ({readers_words(error)}); was the file cut, or two joined?"
            ) from error
        yield timestep


def volume_drift(frames: Frames) -> float | None:
    """Return the time from which the volume no longer drifts, None if it does not drift at all.

    The volume drifts if its mean over the first tenth of the frames differs from that over the second half by more
    than `DRIFT` of it and than `SIGNIFICANT` times its scatter within the later tenths, in which a drift is hardly
    seen. A volume in equilibrium scatters as much there as anywhere, if a tenth is longer than the period of the
    barostat.
    """
    if frames.n < SHORTEST:
        return None
    parts = np.array_split(frames.volumes, TENTHS)
    scatter = float(np.sqrt(np.mean([np.var(part) for part in parts[TENTHS // 2 :]])))
    settled = float(np.mean(frames.volumes[frames.n // 2 :]))
    spread = max(DRIFT * settled, SIGNIFICANT * scatter)
    if abs(float(np.mean(parts[0])) - settled) <= spread:
        return None
    outside = np.flatnonzero(np.abs(frames.volumes - settled) > spread)
    start = 0 if outside.size == 0 else int(outside[-1]) + 1
    # A volume that drifts to the end has no such time; its second half is the better one.
    return float(frames.all_times[min(max(start, 1), frames.n // 2)])


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
