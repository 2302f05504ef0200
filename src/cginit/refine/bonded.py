"""How far the distribution of a bond, an angle or a dihedral is from its target, and what is noise of it."""

from __future__ import annotations

import numpy as np

from cginit.bonded import Distribution
from cginit.bonded_grids import period
from cginit.coordinates import BondedCounts
from cginit.curves import Array
from cginit.errors import InputError
from cginit.refine.convergence import SMOOTHING_BINS, Distance
from cginit.sampling import BLOCKS
from cginit.sampling.errors import block_sums

__all__ = ["bonded_distance", "bonded_variance", "common_noise", "logarithm_variance"]


def bonded_distance(sampled: Distribution, target: Distribution, longer: float = 1.0) -> Distance:
    r"""Compare two distributions on one grid, by the rules of `cginit.refine.convergence.distance`.

    Densities count in units of the largest of the target, so that a mean squared difference stands beside that of
    g(r), whatever the unit of the coordinate; the integral is that of :math:`|p - p^t|`.

    Raises
    ------
    InputError
        If the grids differ.
    """
    if sampled.x.shape != target.x.shape or not np.allclose(sampled.x, target.x, atol=1e-6 * target.dx):
        raise InputError(
            f"the sampled and the wanted distribution of the {target.coordinate} do not share a grid; count on that "
            "of the target"
        )
    difference = sampled.p - target.p
    variance = bonded_variance(sampled, target, longer)
    seen = variance > 0.0
    shown = (sampled.p > 0.0) | (target.p > 0.0)
    relative = difference[shown] / float(target.p.max())
    return Distance(
        chi2=float(np.mean(difference[seen] ** 2 / variance[seen])) if np.any(seen) else float("nan"),
        lmse=float(np.mean(relative**2)),
        integral=sampled.difference(target),
        largest=float(np.max(np.abs(relative))),
    )


def bonded_variance(sampled: Distribution, target: Distribution, longer: float = 1.0) -> Array:
    """Return the squared standard error ``(n,)`` of the difference of two distributions; 0 where unknown.

    Block errors of neighbouring bins are averaged in proportion to p, the variance of counts, over the end of the
    turn for a dihedral. A bin that saw nothing has no error of its own; the larger of the two p says how many counts
    it may see.
    """
    expected = np.maximum(sampled.p, target.p)
    return longer * _variance(sampled, expected) + _variance(target, expected)


def logarithm_variance(curve: Distribution) -> Array:
    """Return the squared standard error ``(n,)`` of ln p; 0 where it is unknown.

    That of a bin with less than one count is that of one: it tells hardly more than nothing, and not less.
    """
    one = _of_a_count(curve)
    return np.divide(one, np.maximum(curve.p, one), out=np.zeros(one.size), where=one > 0.0)


def common_noise(counts: BondedCounts) -> float:
    r"""Return by how much more than independent bins mean and width of a distribution vary from block to block.

    .. math:: \frac12 \sum_{j=1}^2 \frac{\sum_b \big(\sum_i \varphi_{ji} \delta_{bi}\big)^2}
              {\sum_b \sum_i \varphi_{ji}^2 \delta_{bi}^2}

    with the difference :math:`\delta_{bi}` of bin i of block b from the mean of ten blocks, and with x and x^2 as
    :math:`\varphi`, of a turn cos x and sin x. Where molecules turn slowly all bins on a side are too full together
    for a while: angles of chains of ten vary by three times as much, dihedrals of polystyrene by ten and more. It is
    at least 1, and is that where there are fewer configurations than blocks.
    """
    if len(counts) < BLOCKS:
        return 1.0
    sums, parts = block_sums(counts.counts, None, BLOCKS)
    blocks = sums / parts[:, None]
    density = sums.sum(axis=0) / sums.sum()
    off = blocks - parts @ blocks
    x = counts.x
    curves = [np.cos(x), np.sin(x)] if period(counts.interaction.coordinate) is not None else [x, x**2]
    ratios = []
    for number, curve in enumerate(curves):
        shape = curve - density @ curve
        if number == 1:
            before = curves[0] - density @ curves[0]
            shape = shape - before * (density @ (before * shape)) / max(float(density @ before**2), 1e-300)
        alone = float(np.sum(off**2 @ shape**2))
        ratios.append(float(np.sum((off @ shape) ** 2)) / alone if alone > 0.0 else 1.0)
    return max(1.0, float(np.mean(ratios)))


def _variance(curve: Distribution, expected: Array) -> Array:
    return np.asarray(_of_a_count(curve) * expected, dtype=np.float64)


def _of_a_count(curve: Distribution) -> Array:
    """Return the variance ``(n,)`` of each p in proportion to it: the p of one independent count; 0 if unknown."""
    if curve.error is None:
        return np.zeros(curve.x.size)
    summed = _near(curve.error**2, curve.coordinate)
    counts = _near(curve.p, curve.coordinate)
    # Far from all that was seen a bin would have a count as noisy as those that were.
    everywhere = float(np.sum(curve.error**2) / max(float(np.sum(curve.p)), 1e-300))
    found = np.divide(summed, counts, out=np.full(summed.size, everywhere), where=counts > 0.0)
    return np.asarray(found, dtype=np.float64)


def _near(values: Array, coordinate: str) -> Array:
    """Return the sums ``(n,)`` over nine neighbouring bins."""
    from scipy.ndimage import convolve1d

    window = np.ones(SMOOTHING_BINS)
    found = convolve1d(values, window, mode="wrap" if period(coordinate) else "constant")
    # Sums of what is not negative, but for rounding.
    return np.maximum(found, 0.0)
