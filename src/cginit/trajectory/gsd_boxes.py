"""The boxes of GSD files, where MDAnalysis takes their tilt factors for cosines of angles."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from cginit.curves import Array

__all__ = ["with_true_boxes"]


def with_true_boxes(universe: Any, stack: ExitStack) -> None:
    """Give every frame of a GSD file the box that the file states; `stack` holds the file open.

    HOOMD-blue's box has edges ``Lx, Ly, Lz`` along the axes and the tilts xy, xz, yz, so that its volume is Lx Ly Lz.
    MDAnalysis (2.8 to 2.10 at least) reads these as lengths and cosines, and every skewed box becomes smaller.
    """
    import gsd.fl

    file = stack.enter_context(gsd.fl.open(str(universe.trajectory.filename), mode="r"))

    def corrected(timestep: Any) -> Any:
        # What does not change is written with the first frame only.
        frame = timestep.frame if file.chunk_exists(timestep.frame, "configuration/box") else 0
        if file.chunk_exists(frame, "configuration/box"):
            box = np.asarray(file.read_chunk(frame, "configuration/box"), dtype=np.float64)
            if np.any(box[3:] != 0.0):
                timestep.dimensions = dimensions(box)
        return timestep

    universe.trajectory.add_transformations(corrected)


def dimensions(box: Array) -> Array:
    """Return edges and angles in degrees ``(6,)`` of a box of HOOMD-blue ``(Lx, Ly, Lz, xy, xz, yz)``.

    Examples
    --------
    >>> dimensions(np.array([2.0, 2.0, 2.0, 1.0, 0.0, 0.0])).round(3).tolist()
    [2.0, 2.828, 2.0, 90.0, 90.0, 45.0]
    """
    x, y, z, xy, xz, yz = box
    vectors = np.array([[x, 0.0, 0.0], [xy * y, y, 0.0], [xz * z, yz * z, z]])
    lengths = np.linalg.norm(vectors, axis=1)
    along = vectors / lengths[:, None]
    cosines = np.array([along[1] @ along[2], along[0] @ along[2], along[0] @ along[1]])
    return np.concatenate([lengths, np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))])
