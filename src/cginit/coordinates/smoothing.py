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

    def posterior(self, values: Array) -> tuple[Array, Array]:
        """Return mean ``(n,)`` and covariance ``(n, n)`` of the smooth curves that may be behind values ``(n,)``.

        Over all strengths of the rough part, by how probable the values are with each: so what a smoothing with the
        best of them leaves out counts, too. Points that are not smoothed stay as they are, with covariance 0.
        """
        mean = np.array(values, dtype=np.float64)
        covariance = np.zeros((mean.size, mean.size))
        for own, part in self.parts:
            mean[own], covariance[np.ix_(own, own)] = part.posterior(mean[own])
        return mean, covariance


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
        z, growth, costs, _ = self._strengths(y)
        best = growth[int(np.argmin(costs))]
        scaled = self.root * y
        found = self.kept @ (self.kept.T @ scaled) + self.left @ ((best - 1.0) / best * z)
        return np.asarray(found / self.root, dtype=np.float64)

    def posterior(self, y: Array) -> tuple[Array, Array]:
        r"""Return mean ``(n,)`` and covariance ``(n, n)`` of the curves behind values ``(n,)``.

        With the part :math:`a_i = 1 - 1 / (1 + \lambda^2 D_i^2)` of each rough curve that a strength keeps, the
        coefficients are :math:`a_i z_i` with variances :math:`\sigma^2 a_i`, in which noise and what was smoothed
        away count both; over the strengths the variance of the means is added. Bands from these hold the curve at the
        part of its points that they are meant to.

        Source: G. Wahba, J. R. Stat. Soc. B 45, 133 (1983), doi:10.1111/j.2517-6161.1983.tb01239.x.
        """
        z, growth, costs, noise = self._strengths(y)
        probable = np.exp(-0.5 * (costs - costs.min()))
        probable /= probable.sum()
        parts = 1.0 - 1.0 / growth
        part = probable @ parts
        variances = noise * part + z**2 * (probable @ (parts - part) ** 2)
        mean = self.kept @ (self.kept.T @ (self.root * y)) + self.left @ (part * z)
        covariance = noise * self.kept @ self.kept.T + (self.left * variances) @ self.left.T
        return mean / self.root, covariance / np.outer(self.root, self.root)

    def _strengths(self, y: Array) -> tuple[Array, Array, Array, float]:
        """Return the parts ``(p,)`` of rough curves in values ``(n,)``, and what follows for the strengths tried.

        That is the variance ``(m, p)`` of these parts in units of the noise, minus twice the logarithm ``(m,)`` of
        how probable the values are, and the variance of the noise with the best strength.
        """
        scaled = self.root * y
        z = self.left.T @ scaled
        # What no curve of either kind shows is noise.
        outside = max(float(scaled @ scaled - np.sum((self.kept.T @ scaled) ** 2) - z @ z), 0.0)
        growth = 1.0 + STRENGTHS[:, None] * (self.singular / max(float(self.singular[0]), 1e-300)) ** 2
        degrees = y.size - self.kept.shape[1]
        power = np.sum(z**2 / growth, axis=1) + outside
        misfit = degrees * np.log(np.maximum(power, 1e-300)) if self.noise is None else power / self.noise
        costs = np.sum(np.log(growth), axis=1) + misfit
        found = float(power[int(np.argmin(costs))]) / degrees
        return z, growth, costs, found if self.noise is None else self.noise


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
