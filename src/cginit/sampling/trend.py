"""Whether g(r) still moves while it is sampled: a liquid that ages, which its energy does not show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.sampling.histogram import PairCounts

__all__ = ["BLOCKS", "Trend", "is_by_chance", "moves", "time_orders", "trend"]

#: Blocks of a run, and orders of them with which the true one is compared.
BLOCKS, ORDERS = 10, 999
#: Part of the orders that may show a trend as strong: one false alarm in 250 runs.
CHANCE = 0.004
#: Neighbouring bins over which errors are averaged.
WINDOW = 9


@dataclass(frozen=True, eq=False)
class Trend:
    """Straight lines through the block means of g.

    Attributes
    ----------
    strengths : ndarray, shape (m,)
        The sum of squares of the slopes in units of their errors, for each order of the blocks.
    change : ndarray, shape (n,)
        What the line of the true order changes g by over the run.
    """

    strengths: Array
    change: Array


def time_orders() -> Array:
    """Return the true order of the blocks in time and random ones ``(m, 10)``, always the same."""
    time = np.linspace(-0.5, 0.5, BLOCKS)
    rng = np.random.default_rng(0)
    return np.array([time, *(rng.permutation(time) for _ in range(ORDERS))])


def is_by_chance(strengths: Array) -> bool:
    """Whether the trend of the true order, the first, is not among the strongest 4 of 1000."""
    return int(np.sum(strengths[1:] >= strengths[0])) >= CHANCE * len(strengths)


def trend(counts: PairCounts, bins: slice, orders: Array, window: int = WINDOW) -> Trend:
    r"""Return how g moves in some bins.

    Of the means of ten blocks in time a straight line is taken in each bin, and

    .. math:: T = \sum_i s_i^2 / \sigma_i^2

    of its slopes and their errors, from what the lines leave, averaged over neighbouring bins in proportion to
    g / r^2, the variance of counts in shells.

    Parameters
    ----------
    counts : PairCounts
        Pairs of all configurations in the order of time.
    bins : slice
        Those that count.
    orders : ndarray, shape (m, 10)
        From `time_orders`.
    window : int
        Neighbouring bins over which errors are averaged.
    """
    from scipy.ndimage import convolve

    sampled = counts.rdf()
    r, g = sampled.r[bins], sampled.g[bins]
    each = counts.counts[:, bins] / counts.ideal()[bins]
    means = np.array([block.mean(axis=0) for block in np.array_split(each, BLOCKS)])
    means -= means.mean(axis=0)
    power = float(orders[0] @ orders[0])
    slopes = orders @ means / power
    left = np.maximum(np.sum(means**2, axis=0) - slopes**2 * power, 0.0) / ((BLOCKS - 2) * power)
    box, shells = np.ones((1, window)), r**2
    near = convolve(g[None, :], box, mode="constant")[0]
    variance = convolve(left * shells, box, mode="constant") * g / np.where(near > 0.0, near, 1.0) / shells
    seen = (g > 0.0) & np.all(variance > 0.0, axis=0)
    return Trend(np.sum(slopes[:, seen] ** 2 / variance[:, seen], axis=1), slopes[0])


def moves(counts: PairCounts, r_max: float) -> bool:
    """Return whether g(r) up to a distance moves while it is sampled by more than chance.

    If nothing moves the blocks may stand in any order: g moves where at most 4 of 1000 orders show as strong a
    trend. Fewer than 20 configurations show none.

    Source: E. J. G. Pitman, Suppl. J. R. Stat. Soc. 4, 119 (1937), doi:10.2307/2984124.

    Parameters
    ----------
    counts : PairCounts
        Pairs of all configurations in the order of time.
    r_max : float
        Largest distance that counts.
    """
    if len(counts) < 2 * BLOCKS:
        return False
    r = counts.rdf().r
    # The bin at the origin is cut and holds almost no volume.
    bins = slice(
        int(r[0] < 0.499 * (r[1] - r[0])), int(np.searchsorted(r, r_max * (1.0 + 1e-9), side="right"))
    )
    return not is_by_chance(trend(counts, bins, time_orders()).strengths)
