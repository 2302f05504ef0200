"""Vectors between beads in a periodic box."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["minimum_image", "narrowest"]

Array = NDArray[np.float64]


def minimum_image(vectors: NDArray[np.floating[Any]], box: ArrayLike) -> Array:
    """Return vectors ``(..., 3)`` between beads, each to the image that is nearest.

    Exact for every true distance below half the narrowest width of the box, also where the box is skewed.

    Parameters
    ----------
    vectors : ndarray, shape (..., 3)
        Differences of positions, which may be wrapped.
    box : array_like, shape (3,) or (3, 3)
        Edges, or lattice vectors as rows.

    Examples
    --------
    >>> minimum_image(np.array([[0.9, 0.2, -0.6]]), [1.0, 1.0, 1.0]).round(12).tolist()
    [[-0.1, 0.2, 0.4]]
    """
    edges = np.asarray(box, dtype=np.float64)
    found = np.asarray(vectors, dtype=np.float64)
    if edges.ndim == 1:
        return np.asarray(found - edges * np.round(found / edges), dtype=np.float64)
    return np.asarray(found - np.round(found @ np.linalg.inv(edges)) @ edges, dtype=np.float64)


def narrowest(box: ArrayLike) -> float:
    """Return the smallest distance between opposite faces of a box, given as edges or as lattice vectors."""
    edges = np.asarray(box, dtype=np.float64)
    if edges.ndim == 1:
        return float(edges.min())
    return float(1.0 / np.max(np.linalg.norm(np.linalg.inv(edges), axis=0)))
