"""The smooth curve behind values whose noise is that of counts, which are many in some bins and few in others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array

__all__ = ["Smoothing", "runs_of"]

#: The least weight of a point beside the mean, in the smoothing; beyond this it is not well conditioned.
LEAST_WEIGHT = 1e-3
#: Variances of the rough part of a curve that are tried, in units of the noise, for its smoothest part: from none to
#: that of curves without noise.
STRENGTHS = np.concatenate([[0.0], np.geomspace(1e-3, 1e24, 271)])
#: Shortest run of neighbouring points that is smoothed.
SHORTEST = 10

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Smoothing:
    """The most probable smooth curve through the known points of a grid, given how much noise each has.

    A run of known points is smooth by its third differences, a whole turn of an angle by its waves.

    Attributes
    ----------
    parts : tuple of (ndarray of int, _Part)
        Places of the points of each run, and what smooths them; the other points stay.
    """

    parts: tuple[tuple[NDArray[np.intp], _Part], ...]

    @classmethod
    def of(
        cls, counts: Array, known: BoolArray, *, noise: float | None = None, periodic: bool = False
    ) -> Smoothing:
        """Return the smoothing of values whose variances are in inverse proportion to counts.

        Parameters
        ----------
        counts : ndarray, shape (n,)
            Counts of each point, in any unit.
        known : ndarray of bool, shape (n,)
            Points that have a value.
        noise : float, optional
            Variance of a value with one count. By default it is found from the values themselves, which then takes
            for noise what a smooth curve does not follow, be it a clipped value or a bend.
        periodic : bool
            Whether the grid goes round.
        """
        relative = counts[known]
        mean = max(float(relative.mean()), 1e-300)
        weights = np.zeros(known.size)
        weights[known] = np.maximum(relative / mean, LEAST_WEIGHT)
        variance = None if noise is None else noise / mean
        if periodic and known.all():
            return cls(((np.arange(known.size), _Part.of(weights, *_waves(known.size), variance)),))
        # Where nothing is seen a turn can be cut.
        first = int(np.flatnonzero(~known)[0]) if periodic else 0
        order = np.roll(np.arange(known.size), -first)
        places = [order[begin:end] for begin, end in runs_of(known[order]) if end - begin >= SHORTEST]
        return cls(tuple((own, _Part.of(weights[own], *_bends(own.size), variance)) for own in places))

    def __call__(self, values: Array) -> Array:
        """Return the smooth curve ``(n,)`` behind values ``(n,)``."""
        result = np.array(values, dtype=np.float64)
        for own, part in self.parts:
            result[own] = part.smooth(result[own])
        return result


@dataclass(frozen=True, eq=False)
class _Part:
    r"""The smooth curve behind noisy values whose variances are in inverse proportion to weights.

    It is a sum of the `free` curves, whatever their size, and of `rough` ones with Gaussian coefficients of one
    variance. That is chosen, beside the noise, for which the values are most probable (restricted maximum
    likelihood): where noise explains them no rough one has a part. Cross-validation, which a spline is often smoothed
    by, took noise of the well for its shape.

    Source: G. Wahba, Ann. Statist. 13, 1378 (1985), doi:10.1214/aos/1176349743.
    """

    root: Array
    kept: Array
    left: Array
    singular: Array
    #: Variance of a value of weight 1, if it is known.
    noise: float | None = None

    @classmethod
    def of(cls, weights: Array, free: Array, rough: Array, noise: float | None = None) -> _Part:
        """Prepare weights ``(n,)`` with the free curves ``(n, m)`` and the rough ones ``(n, p)``."""
        root = np.sqrt(weights)
        kept, _ = np.linalg.qr(root[:, None] * free)
        other = root[:, None] * rough
        other -= kept @ (kept.T @ other)
        left, singular, _ = np.linalg.svd(other, full_matrices=False)
        return cls(root, kept, left, singular, noise)

    def smooth(self, y: Array) -> Array:
        """Return the most probable curve ``(n,)`` behind values ``(n,)``."""
        kept, left, singular = self.kept, self.left, self.singular
        scaled = self.root * y
        z = left.T @ scaled
        # What no curve of either kind shows is noise.
        outside = max(float(scaled @ scaled - np.sum((kept.T @ scaled) ** 2) - z @ z), 0.0)
        growth = 1.0 + STRENGTHS[:, None] * (singular / max(float(singular[0]), 1e-300)) ** 2
        degrees = y.size - kept.shape[1]
        power = np.sum(z**2 / growth, axis=1) + outside
        misfit = degrees * np.log(np.maximum(power, 1e-300)) if self.noise is None else power / self.noise
        costs = np.sum(np.log(growth), axis=1) + misfit
        best = growth[int(np.argmin(costs))]
        found = kept @ (kept.T @ scaled) + left @ ((best - 1.0) / best * z)
        return np.asarray(found / self.root, dtype=np.float64)


def runs_of(known: BoolArray) -> list[tuple[int, int]]:
    """Return begin and end (exclusive) of the runs of known points."""
    steps = np.diff(np.concatenate([[0], known.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def _bends(n: int) -> tuple[Array, Array]:
    """Return the parabolas ``(n, 3)``, and the curves ``(n, n - 3)`` of one unit of third difference each."""
    place = np.linspace(-1.0, 1.0, n)
    index = np.arange(n, dtype=np.float64)
    beyond = np.maximum(index[:, None] - index[None, : n - 3] - 2.0, 0.0)
    return np.stack([np.ones(n), place, place**2], axis=1), 0.5 * beyond * (beyond + 1.0)


def _waves(n: int) -> tuple[Array, Array]:
    """Return the constant ``(n, 1)``, and the waves ``(n, n - 1)`` of a turn with equal third derivatives."""
    order = np.arange(1, n // 2 + 1)
    angle = 2.0 * np.pi * np.arange(n)[:, None] / n * order
    both = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) / np.tile(order, 2) ** 3.0
    return np.ones((n, 1)), both[:, : n - 1] if n % 2 == 0 else both
