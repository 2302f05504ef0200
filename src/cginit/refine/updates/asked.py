"""What a simulation asks of a bonded potential, and how much of that is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cginit.bonded_grids import period
from cginit.coordinates import Smoothing, seen
from cginit.curves import Array
from cginit.interactions import Interaction
from cginit.refine.bonded import common_noise, logarithm_variance
from cginit.refine.record import Round
from cginit.refine.updates.base import MAX_CHANGE
from cginit.target import Target

__all__ = ["Asked"]


@dataclass(frozen=True, eq=False)
class Asked:
    r"""What the distributions of one round ask of a bonded potential, averaged over the states.

    .. math:: \Delta U = kT \ln (p / p_{target})

    with the variance of both logarithms. A smooth curve is behind it (`cginit.coordinates.Smoothing`).

    Attributes
    ----------
    x : ndarray, shape (n,)
        Grid of the targets.
    change : ndarray, shape (n,)
        What is asked for; 0 where no target shows the potential.
    known : ndarray of bool, shape (n,)
        Where a target shows it.
    weights : ndarray, shape (n,)
        How often values are seen in the targets, 1 together; 0 where it is not known.
    rarer : ndarray, shape (n,)
        Density of the rarer of target and simulation, for where no errors are known: its logarithm is the noisy one.
    target, simulation : ndarray, shape (n,)
        Variance of the change by the noise of either; 0 where it has no error.
    periodic : bool
        Whether the grid goes round.
    common : float
        Variance of smooth curves in units of what independent bins would make of it
        (`cginit.refine.bonded.common_noise`), the mean of the states.
    """

    x: Array
    change: Array
    known: NDArray[np.bool_]
    weights: Array
    rarer: Array
    target: Array
    simulation: Array
    periodic: bool
    common: float = 1.0

    @classmethod
    def of(cls, done: Round, targets: Sequence[Target], name: Interaction) -> Asked:
        """Compare the simulations of a round with the targets that have this interaction."""
        states = [
            (target, record.distributions[name], target.distributions[name])
            for record, target in zip(done, targets, strict=True)
            if name in target.distributions
        ]
        common = [common_noise(one.bonded_counts[name]) for one in done if name in one.bonded_counts]
        x, whole = states[0][2].x, sum(target.weight for target, _, _ in states)
        change, by_target, by_simulation, density, rarer = np.zeros((5, x.size))
        known = np.zeros(x.size, dtype=bool)
        for target, got, wanted in states:
            share, shown = target.weight * target.kT / whole, seen(wanted)
            variance = logarithm_variance(got)
            # A bin that saw nothing might have seen one.
            least = np.maximum(variance * got.p, np.exp(-MAX_CHANGE) * wanted.p)
            change[shown] += share * np.log(np.maximum(got.p, least)[shown] / wanted.p[shown])
            by_target += share**2 * logarithm_variance(wanted)
            by_simulation += share**2 * variance
            density += target.weight * wanted.p
            rarer += target.weight * got.p * wanted.p / np.maximum(got.p + wanted.p, 1e-300)
            known |= shown
        weights = np.where(known, density, 0.0)
        periodic = period(name.coordinate) is not None
        return cls(
            x,
            change,
            known,
            weights / weights.sum(),
            rarer,
            by_target,
            by_simulation,
            periodic,
            float(np.mean(common)) if common else 1.0,
        )

    @property
    def variance(self) -> Array:
        """Of the change ``(n,)``, by the noise of both."""
        return self.target + self.simulation

    @cached_property
    def smoothing(self) -> Smoothing:
        """What finds the smooth curve behind values with the noise of the change."""
        if not self.has_errors:
            return Smoothing.of(self.rarer, self.known, periodic=self.periodic)
        return self.smoothing_of(self.variance)

    def smoothing_of(self, variance: Array) -> Smoothing:
        """Return what finds the smooth curve behind values of known variance ``(n,)``."""
        counts = np.divide(1.0, variance, out=np.zeros(variance.size), where=self.known)
        return Smoothing.of(counts, self.known, noise=1.0, periodic=self.periodic)

    @property
    def has_errors(self) -> bool:
        """Whether the noise is known."""
        return bool(np.all(self.variance[self.known] > 0.0))

    @cached_property
    def behind(self) -> tuple[Array, Array]:
        """The smooth change ``(n,)`` and its covariance ``(n, n)``, but for a constant."""
        mean, covariance = self.smoothing.posterior(self.change)
        return self.centred @ mean, self.common * self.centred @ covariance @ self.centred.T

    @property
    def centred(self) -> Array:
        """The matrix ``(n, n)`` that takes the mean off a curve; the constant of a potential means nothing."""
        return np.eye(self.x.size) - self.weights

    @cached_property
    def real(self) -> float:
        """The part of the square of the smooth change that is not noise; 1 where no error is known.

        All bins together know what is real better than few neighbours do: differences of a third more than the noise
        in each of twenty bins in a row are no chance.
        """
        if not self.has_errors:
            return 1.0
        mean, covariance = self.behind
        power = float(self.weights @ mean**2)
        return max(0.0, 1.0 - float(self.weights @ np.diag(covariance)) / power) if power > 0.0 else 0.0
