"""Histograms of bonded coordinates that are counted before anybody knows how wide the distribution is.

They are counted in fine bins, and joined afterwards to the widest that still show the shape of the distribution.
"""

from __future__ import annotations

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["fine_grid", "joined_bins"]

#: Fine bins in the smallest bin of a distribution and in larger ones. Of angles a fine bin is a quarter of a degree,
#: and every one of these divides the 720 of them evenly.
FACTORS = (2, 4, 10, 20)
#: Fine bins of half a turn.
HALF_TURN = 720
#: Bins within one standard deviation of a normal distribution as high as the one that was counted. With 4 the
#: variance grows by half a per cent, the square of the bin over 12.
BINS_A_WIDTH = 4.0
#: Empty bins kept on either side of the bonds that were seen, at least, and as a part of the range that was seen:
#: the bonds of a first simulation are to lie on the grid, too.
BESIDE, BESIDE_PART = 10, 0.5


def fine_grid(coordinate: str, step: float, limit: float) -> Array:
    """Return the centres ``(n,)`` of fine bins, whose edges are multiples of their width.

    Parameters
    ----------
    coordinate : {"bond", "angle", "dihedral"}
        Angles have bins of a quarter of a degree from 0 to pi, dihedrals from -pi to pi.
    step, limit : float
        Width of the bins of bonds, and the largest length.
    """
    if coordinate == "bond":
        return np.asarray(step * (np.arange(int(np.ceil(limit / step))) + 0.5))
    turn = np.pi / HALF_TURN * (np.arange(HALF_TURN) + 0.5)
    whole = turn if coordinate == "angle" else np.concatenate([-turn[::-1], turn])
    return np.asarray(whole, dtype=np.float64)


def joined_bins(fine: Array, counts: Array, coordinate: str) -> tuple[Array, Array]:
    """Join fine bins to those of a distribution.

    The widest are taken whose highest one still is narrow beside a normal distribution of that height.

    Parameters
    ----------
    fine : ndarray, shape (m,)
        From `fine_grid`.
    counts : ndarray, shape (k, m)
        Counts in fine bins; their sum over k decides.
    coordinate : {"bond", "angle", "dihedral"}
        What was counted.

    Returns
    -------
    x : ndarray, shape (n,)
        Grid from a multiple of its step on; of bonds where they were seen, and somewhat beyond.
    joined : ndarray, shape (k, n)
        The counts.

    Raises
    ------
    InputError
        If nothing was counted.

    Examples
    --------
    >>> grid = fine_grid("bond", 0.001, 1.0)
    >>> counts = np.round(500 * np.exp(-0.5 * ((grid - 0.5) / 0.03) ** 2))[None, :]
    >>> x, joined = joined_bins(grid, counts, "bond")
    >>> [round(float(value), 3) for value in (x[1] - x[0], x[0], joined.sum() / counts.sum())]
    [0.004, 0.276, 1.0]
    """
    if not np.any(counts > 0.0):
        raise InputError(f"no {coordinate} was counted")
    width = float(fine[1] - fine[0])
    for factor in reversed(FACTORS):
        step = factor * width
        x, joined = _joined(fine, counts, coordinate, factor)
        highest = float(joined.sum(axis=0).max()) / (float(joined.sum()) * step)
        if step * BINS_A_WIDTH <= 1.0 / (np.sqrt(2.0 * np.pi) * highest) or factor == FACTORS[0]:
            break
    return _trimmed(x, joined) if coordinate == "bond" else (x, joined)


def _joined(fine: Array, counts: Array, coordinate: str, factor: int) -> tuple[Array, Array]:
    step = factor * float(fine[1] - fine[0])
    begin = -np.pi if coordinate == "dihedral" else 0.0
    place = np.floor((fine - begin) / step + 0.5).astype(np.int64)
    n = int(place[-1]) + 1
    if coordinate == "dihedral":
        # The bin at the end of the turn is the other half of the first.
        n -= 1
        place %= n
    joined = np.array([np.bincount(place, row, minlength=n) for row in counts], dtype=np.float64)
    return np.asarray(begin + step * np.arange(n), dtype=np.float64), joined


def _trimmed(x: Array, counts: Array) -> tuple[Array, Array]:
    seen = np.flatnonzero(counts.sum(axis=0) > 0.0)
    first, last = int(seen[0]), int(seen[-1])
    beside = max(BESIDE, int(np.ceil(BESIDE_PART * (last - first))))
    part = slice(max(0, first - beside), last + beside + 1)
    if part.stop > x.size:
        step = float(x[1] - x[0])
        more = part.stop - x.size
        x = np.append(x, x[-1] + step * np.arange(1, more + 1))
        counts = np.pad(counts, ((0, 0), (0, more)))
    return x[part], counts[:, part]
