r"""The inversion of g(r) made to agree with S(k) at a small wave number, which a simulation knows and g hides.

In a fluid of long-ranged repulsion S(0) is a few thousandths: almost all of :math:`1 + \rho \int h\, d^3r` cancels,
and what is left is below the noise of g. But with it goes what matters most of the potential, since
:math:`1/S(0) \approx 1 + \rho \int U/kT\, d^3r`. The inversion then finds a fluid as smooth as the noise allows,
which may be ten times too compressible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array, LongWave
from cginit.errors import ConvergenceError
from cginit.liquid.ornstein_zernike import NOISE_WEIGHT, Closure, OZInversion, estimate_noise, invert

__all__ = ["invert_with_long_wave"]

#: Decimal logarithms of the factors on the weight of the noise that are tried, nearest first, and the least weight.
#: With a weight of 1 or less c follows the noise of a dense liquid and may have the right S(k) by accident.
FACTORS = (0.0, -0.25, -0.5, 0.5, -0.75, -1.0, -1.25, 1.0, -1.5)
LEAST_WEIGHT = 3.0
#: Least relative error of S(k): closer than this the search does not go.
LEAST_ERROR = 0.02
#: Secant steps for the change of g.
STEPS = 8


def invert_with_long_wave(
    r: ArrayLike,
    g: ArrayLike,
    density: float,
    wave: LongWave,
    closure: Closure = "hnc",
    *,
    error: ArrayLike | None = None,
    noise_weight: float = NOISE_WEIGHT,
) -> OZInversion:
    r"""Return the inversion of g whose S(k) agrees with `wave` within its standard error.

    Two things are left open by g, and are used in turn. First the weight of the noise against the entropy: of the
    weights that are tried, the one nearest to `noise_weight` whose solution has the right S(k). Where none has, the
    solution of that which comes closest is moved by

    .. math:: g(r) \to g(r) \left[1 + \mu \frac{\sin kr}{kr}\right],

    which of all changes of g that move S(k) is the least one measured by the errors of counting,
    :math:`\sigma^2 \propto g/r^2`.

    Parameters
    ----------
    r, g, density, closure, error, noise_weight
        See `cginit.liquid.ornstein_zernike.invert`.
    wave : LongWave
        S(k), with k in the inverse of the unit of r.

    Raises
    ------
    InputError
        If the grid, g or the density is not valid.
    ConvergenceError
        If the inversion of g itself has no solution.

    Examples
    --------
    >>> r = np.linspace(0.05, 4, 80)
    >>> found = invert_with_long_wave(r, np.ones(80), 0.1, LongWave(0.5, 0.9, 0.01))
    >>> round(float(found.s_k[0]), 1)
    0.9
    """
    distances, values = np.asarray(r, dtype=np.float64), np.asarray(g, dtype=np.float64)
    noise = estimate_noise(distances, values) if error is None else np.asarray(error, dtype=np.float64)
    fluid = _Fluid(distances, values, density, closure, noise, wave)
    tolerance = max(wave.error / wave.s, LEAST_ERROR)
    best: tuple[float, float, OZInversion] | None = None
    failure: ConvergenceError | None = None
    for weight in (noise_weight * 10.0**factor for factor in FACTORS):
        if weight < min(LEAST_WEIGHT, noise_weight):
            continue
        try:
            found = fluid.invert(weight, start=None if best is None else best[2])
        except ConvergenceError as no_solution:
            failure = failure or no_solution
            continue
        off = fluid.excess(found)
        if abs(off) <= tolerance:
            return found
        if best is None or abs(off) < abs(best[0]):
            best = off, weight, found
    if best is None:
        raise failure if failure is not None else ConvergenceError("the inversion has no solution")
    return _moved(fluid, *best, tolerance)


@dataclass(frozen=True, eq=False)
class _Fluid:
    """What is inverted, and the S(k) that is wanted."""

    r: Array
    g: Array
    density: float
    closure: Closure
    error: Array
    wave: LongWave

    def invert(self, weight: float, mu: float = 0.0, start: OZInversion | None = None) -> OZInversion:
        g = self.g if mu == 0.0 else np.maximum(self.g * (1.0 + mu * self.shape), 0.0)
        return invert(
            self.r, g, self.density, self.closure, error=self.error, noise_weight=weight, start=start
        )

    def excess(self, found: OZInversion) -> float:
        """Return the logarithm of S(k) of a solution over the one that is wanted."""
        return float(np.log(np.interp(self.wave.k, found.k, found.s_k) / self.wave.s))

    @property
    def shape(self) -> Array:
        return np.asarray(np.sinc(self.wave.k * self.r / np.pi))

    def slope(self) -> float:
        """Return dS/dmu of g as it is."""
        step = float(self.r[-1] - self.r[0]) / (self.r.size - 1)
        return 4.0 * np.pi * self.density * step * float(np.sum(self.r**2 * self.g * self.shape**2))


def _moved(fluid: _Fluid, off: float, weight: float, start: OZInversion, tolerance: float) -> OZInversion:
    """Return the solution for g moved by mu such that S(k) comes to the nearer edge of its error."""
    goal = np.sign(off) * 0.8 * tolerance
    before, gap_before, found = 0.0, off - goal, start
    mu = -gap_before * fluid.wave.s * np.exp(off) / fluid.slope()
    for _ in range(STEPS):
        try:
            trial = fluid.invert(weight, mu, start)
        except ConvergenceError:
            # Too far: S(k) would be negative somewhere. Half the way is tried.
            mu = 0.5 * (before + mu)
            continue
        gap = fluid.excess(trial) - goal
        if abs(gap) < abs(gap_before):
            found = trial
        if abs(gap) <= 0.2 * tolerance or gap == gap_before:
            break
        before, gap_before, mu = mu, gap, mu - gap * (mu - before) / (gap - gap_before)
    return found
