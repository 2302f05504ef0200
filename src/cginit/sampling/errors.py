"""Statistical errors of correlated samples, from block averages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.units import UnitSystem

__all__ = ["BLOCKS", "Mean", "block_curve", "block_mean", "block_ratio", "block_sums"]

#: Blocks per run. Ten give the standard error itself an uncertainty of 1/sqrt(18) = 24 %.
BLOCKS = 10


@dataclass(frozen=True)
class Mean:
    """A mean with the standard error of correlated samples, from block averages."""

    value: float
    error: float


def block_mean(samples: ArrayLike, blocks: int = BLOCKS) -> Mean:
    """Return mean and standard error of a time series ``(k,)`` from the spread of `blocks` block averages.

    Source: Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989), doi:10.1063/1.457480.

    Raises
    ------
    InputError
        If there are fewer samples than blocks.
    """
    series = np.asarray(samples, dtype=np.float64)
    if series.size < blocks:
        raise InputError(
            f"{series.size} samples cannot fill {blocks} blocks; run longer or sample more often"
        )
    usable = series[series.size % blocks :]
    means = usable.reshape(blocks, -1).mean(axis=1)
    return Mean(float(means.mean()), float(means.std(ddof=1) / np.sqrt(blocks)))


def block_sums(counts: NDArray[np.integer], weights: ArrayLike | None, blocks: int) -> tuple[Array, Array]:
    """Return weighted counts ``(blocks, n)`` and weights ``(blocks,)`` of blocks, for `block_curve`.

    Parameters
    ----------
    counts : ndarray, shape (m, n)
        Of each configuration.
    weights : array_like, shape (m,), or None
        Of each configuration, with any sum; None: all the same.
    blocks : int
        Contiguous, as equally long as the configurations allow.

    Raises
    ------
    InputError
        If there are fewer configurations than blocks.
    """
    frames = counts.shape[0]
    if frames < blocks:
        raise InputError(f"{frames} frames cannot fill {blocks} blocks; sample more often or run longer")
    w = np.full(frames, 1.0 / frames) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w / w.sum()
    bounds = [k * frames // blocks for k in range(blocks)]
    return np.add.reduceat(w[:, None] * counts, bounds, axis=0), np.add.reduceat(w, bounds)


def block_ratio(sums: Array, weights: Array, ideal: Array) -> tuple[Array, Array]:
    r"""Return the ratio ``(n,)`` of sums over blocks ``(m, n)`` to what is ideal, and its standard error.

    .. math:: g = \frac{\sum_b n_b}{n_{ideal}}, \qquad
              \sigma^2 = \frac{m}{m-1} \sum_b \Big( \frac{n_b}{n_{ideal}} - W_b\, g \Big)^2

    with the weights W_b ``(m,)`` of the blocks, together 1; they need not be equally long.
    """
    blocks = len(weights)
    ratio = sums.sum(axis=0) / ideal
    deviation = sums / ideal - weights[:, None] * ratio
    return ratio, np.sqrt(blocks / (blocks - 1) * np.sum(deviation**2, axis=0))


def block_curve(
    grid: Array,
    sums: Array,
    weights: Array,
    ideal: Array,
    units: UnitSystem,
    beads: int | None = None,
) -> RDF:
    """Return g(r) of counted pairs with the standard error of `block_ratio`.

    A first point nearer to 0 than half a step takes the value of its neighbour, since its own bin is cut at the
    origin and holds almost no volume.

    Parameters
    ----------
    grid : ndarray, shape (n,)
        Points of g(r).
    sums : ndarray, shape (m, n)
        Weighted counts n_b of each block, so that their sum over blocks is the mean of a configuration.
    weights : ndarray, shape (m,)
        Weight W_b of each block; together 1.
    ideal : ndarray, shape (n,)
        Counts of a configuration without correlations.
    units : UnitSystem
        Units of the grid.
    beads : int, optional
        Number of beads, if all pairs of them were counted.

    Examples
    --------
    >>> from cginit.units import unit_system
    >>> counts = np.array([[0.0, 1.0, 0.8], [0.0, 1.2, 0.8]])
    >>> halves = np.array([0.5, 0.5])
    >>> block_curve(np.arange(3) * 0.1, 0.5 * counts, halves, np.ones(3), unit_system("lj")).g.tolist()
    [1.1, 1.1, 0.8]
    """
    g, error = block_ratio(sums, weights, ideal)
    if grid[0] < 0.499 * (grid[1] - grid[0]):
        g[0], error[0] = g[1], error[1]
    return RDF(grid, g, error, units=units, beads=beads)
