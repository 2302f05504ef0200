r"""The inversion of g(r) and S(k) as one set of data, each weighed by its errors.

In a fluid of long-ranged repulsion S(0) is a few thousandths: almost all of :math:`1 + \rho \int h\, d^3r`
cancels, and what is left is below the noise of g. With it goes what matters most of the potential, since
:math:`1/S(0) \approx 1 + \rho \int U/kT\, d^3r`. A simulation knows S(k) at small k by itself, with about the same
relative error at each k. Of all direct correlations that end with g, those are sought that make the data most likely,

.. math:: \frac{1}{2} \sum_i \frac{(g_i - g[c](r_i))^2}{\sigma_i^2}
          + \sum_j n_j \left[\ln S[c](k_j) + \frac{S_j}{S[c](k_j)}\right]
          + w \int \frac{d^3k}{(2\pi)^3 \rho} \left[S - 1 - \ln S\right] \to \min.

The first sum is the misfit of g. The second belongs to a mean :math:`S_j` of :math:`n_j = (S_j/\sigma_j)^2`
amplitudes :math:`|\sum_j e^{-ikr_j}|^2/N`, which are distributed exponentially (P. Whittle, Ark. Mat. 2, 423, 1953,
doi:10.1007/BF02590998). The third is the entropy with the weight that it has in `cginit.liquid.extension`; without
the second, both are the same problem. So the solution is that of the extension for a g that is moved within its
errors, and this is how it is found: first by how much, then the extension of the moved g with the closure beyond its
end.

Lengths are in units of density ^ (-1/3) here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array, StructureFactor
from cginit.errors import ConvergenceError
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.ornstein_zernike import (
    NOISE_WEIGHT,
    PADDING,
    Closure,
    OZInversion,
    estimate_noise,
    invert,
)

__all__ = ["invert_with_structure_factor"]

#: Least relative error of S(k): shells of wave vectors have a width, boxes a size, and positions are rounded.
LEAST_ERROR = 0.01
#: Newton steps, most, and the change of the logarithm of the likelihood at which they end.
STEPS, SETTLED = 30, 1e-3
#: Root mean square deviation of S(k) in its errors beyond which g and S(k) are not of the same liquid in equilibrium.
#: Of 13 test fluids seven have 0.6 to 2.3, and with errors from time alone six that order 3 to 8.
CONTRADICTION = 3.0
#: How often the closure beyond the end of g and the change of g are made to agree.
ROUNDS = 4
#: Change of S(k), in its errors, with which they do.
AGREED = 0.05


def invert_with_structure_factor(
    r: ArrayLike,
    g: ArrayLike,
    density: float,
    waves: StructureFactor,
    closure: Closure = "hnc",
    *,
    error: ArrayLike | None = None,
    noise_weight: float = NOISE_WEIGHT,
) -> OZInversion:
    """Return the potential in kT that g(r) and S(k) together have in the HNC or Percus-Yevick approximation.

    Parameters
    ----------
    r, g, density, closure, error, noise_weight
        See `cginit.liquid.ornstein_zernike.invert`. An error of 0 at every distance leaves nothing to S(k).
    waves : StructureFactor
        S(k) with its errors, in the inverse of the unit of r. Where no liquid has this and g within their errors, the
        inversion is that of g alone, and a note says so.

    Raises
    ------
    InputError
        If the grid, g or the density is not valid.
    ConvergenceError
        If g has no inversion, or none near it agrees with S(k).

    Examples
    --------
    >>> r = np.linspace(0.05, 4, 80)
    >>> waves = StructureFactor([0.5, 0.8], [0.9, 0.9], [0.01, 0.01], units="lj")
    >>> found = invert_with_structure_factor(r, np.ones(80), 0.1, waves, error=np.full(80, 0.05))
    >>> round(float(found.s_k[0]), 1)
    0.9
    """
    distances, values = np.asarray(r, dtype=np.float64), np.asarray(g, dtype=np.float64)
    noise = estimate_noise(distances, values) if error is None else np.asarray(error, dtype=np.float64)
    first = invert(distances, values, density, closure, error=noise, noise_weight=noise_weight)
    size = first.r.size
    values, noise = values[-size:], noise[-size:]
    if not np.any(noise[values > 0.0] > 0.0):
        return first
    problem = _Problem.of(first, values, density, waves, noise, noise_weight)
    found, beyond = first, problem.beyond(first)
    for _ in range(ROUNDS):
        moved = np.maximum(values + problem.move(found, beyond), 0.0)
        found = invert(first.r, moved, density, closure, error=noise, noise_weight=noise_weight, start=found)
        before, beyond = beyond, problem.beyond(found)
        # The closure beyond the end of g has its part in S(k): it and the change of g have to agree.
        if problem.agree(before, beyond):
            break
    off = problem.misfit(found)
    if off > CONTRADICTION:
        words = (
            f"S(k) was left out: no liquid has it together with this g(r), by {off:.2g} of its standard errors. Are "
            "both of the same beads and state, is g(r) divided by the density of its box, and the liquid in "
            "equilibrium?"
        )
        return replace(first, notes=(*first.notes, words))
    return found


@dataclass(frozen=True, eq=False)
class _State:
    """Unknowns, S on the grid and at the data, and what is to be least."""

    x: Array
    s: Array
    at_data: Array
    total: Array
    cost: float


@dataclass(frozen=True, eq=False)
class _Problem:
    r"""What is known, and the unknowns r c(r) ``(n,)`` inside the range of g, core included.

    Attributes
    ----------
    grid : RadialGrid
        The long grid.
    core : int
        Nodes of the core that the grid of g leaves out.
    wanted, variance : ndarray, shape (n,)
        r h and its variance.
    prior : float
        Weight of the entropy.
    rows : ndarray, shape (m, n)
        From the unknowns to rho c(k) at the wave numbers of the data.
    k, s, counts : ndarray, shape (m,)
        Wave numbers and S of the data, and how many amplitudes each S is worth.
    """

    grid: RadialGrid
    core: int
    wanted: Array
    variance: Array
    prior: float
    rows: Array
    k: Array
    s: Array
    counts: Array

    @classmethod
    def of(
        cls, found: OZInversion, g: Array, density: float, waves: StructureFactor, error: Array, weight: float
    ) -> _Problem:
        length = density ** (-1.0 / 3.0)
        grid = RadialGrid.covering(found.r / length, PADDING * found.r.size)
        core = grid.index(float(found.r[0]) / length)
        r = grid.r[: core + g.size]
        h, variance = np.full(r.size, -1.0), np.zeros(r.size)
        h[core:] = g - 1.0
        # The core, where g is 0, is certain.
        variance[core:] = np.where(g > 0.0, (grid.r[core : r.size] * error) ** 2, 0.0)
        k = waves.k * length
        deviation = np.hypot(waves.error, LEAST_ERROR * waves.s)
        rows = 4.0 * np.pi * grid.dr * r * np.sinc(np.outer(k, r) / np.pi)
        prior = 4.0 * np.pi * grid.dr * weight
        return cls(grid, core, r * h, variance, prior, rows, k, waves.s, (waves.s / deviation) ** 2)

    def direct(self, found: OZInversion) -> Array:
        """Return the unknowns of an inversion, 0 where it does not say them."""
        x = np.zeros(self.wanted.size)
        x[self.core :] = self.grid.r[self.core : x.size] * found.c
        return x

    def beyond(self, found: OZInversion) -> Array:
        """Return rho c(k) on the grid of what an inversion has outside of the unknowns."""
        return np.asarray(1.0 - 1.0 / found.s_k - self._waves(self.direct(found)), dtype=np.float64)

    def agree(self, one: Array, other: Array) -> bool:
        """Whether two such parts differ in S(k) by much less than its errors."""
        change = self.s * np.interp(self.k, self.grid.k, one - other)
        return bool(np.max(np.abs(change) * np.sqrt(self.counts)) < AGREED)

    def misfit(self, found: OZInversion) -> float:
        """Return the root mean square deviation of S(k) in its errors."""
        ratio = np.interp(self.k, self.grid.k, found.s_k) / self.s
        return float(np.sqrt(np.mean(self.counts * (ratio - 1.0) ** 2)))

    def _waves(self, x: Array) -> Array:
        padded = np.zeros(self.grid.n)
        padded[: x.size] = x
        return np.asarray(2.0 * np.pi * self.grid.dr / self.grid.k * self.grid.sine(padded), dtype=np.float64)

    def at(self, x: Array, beyond: Array) -> _State | None:
        """Return what unknowns make; None where some S would not be positive."""
        inverse = 1.0 - self._waves(x) - beyond
        at_data = 1.0 - self.rows @ x - np.interp(self.k, self.grid.k, beyond)
        if not (np.min(inverse) > 0.0 and np.min(at_data) > 0.0):
            return None
        s, k, dk = 1.0 / inverse, self.grid.k, self.grid.dk
        total = dk / (4.0 * np.pi**2) * self.grid.sine(k * (s - 1.0))[: x.size]
        gap = (self.wanted - total)[self.variance > 0.0]
        cost = 0.5 * float(np.sum(gap**2 / self.variance[self.variance > 0.0]))
        cost += float(np.sum(self.counts * (self.s * at_data - np.log(at_data))))
        volume = dk / (8.0 * np.pi**3 * self.grid.dr)
        cost += self.prior * volume * float(np.sum(k**2 * (s - 1.0 - np.log(s))))
        return _State(x, s, 1.0 / at_data, total, cost)

    def response(self, s: Array) -> Array:
        """Return the derivative of r h by the unknowns ``(n, n)``: a sine transform, S^2, and back."""
        grid, n = self.grid, self.wanted.size
        period = 4 * (grid.n if grid.half else grid.n + 1)
        places = 2 * np.arange(grid.n) + (1 if grid.half else 2)
        square = np.zeros(period)
        # 1 is the unit matrix; of the rest the waves end before the shortest.
        square[places] = s**2 - 1.0
        even = np.fft.rfft(square).real
        i = np.arange(n)
        sums = i[:, None] + i + (1 if grid.half else 2)
        rest = grid.dr * grid.dk / np.pi * (even[np.abs(i[:, None] - i)] - even[sums])
        return np.asarray(np.eye(n) + rest, dtype=np.float64)

    def move(self, found: OZInversion, beyond: Array) -> Array:
        """Return the change of g, on its grid, with which its inversion is the solution of both sets of data."""
        state = self.at(self.direct(found), beyond)
        if state is None:
            raise ConvergenceError(
                "the inversion of g(r) has an S(k) that is not positive; check the errors of g"
            )
        noise = self.prior * self.variance
        for _ in range(STEPS):
            response = self.response(state.s)
            slopes = state.at_data[:, None] ** 2 * self.rows
            answers = self.variance[:, None] * np.linalg.solve(response, slopes.T)
            pull = self.counts * (self.s - state.at_data) / state.at_data**2
            gap = self.wanted - state.total - noise * state.x + answers @ pull
            matrix = response + np.diag(noise) + answers @ (self.counts / state.at_data**2 * slopes.T).T
            step = np.asarray(np.linalg.solve(matrix, gap), dtype=np.float64)
            trial = self._lower(state, step, beyond)
            if trial is None:
                break
            gain, state = state.cost - trial.cost, trial
            if gain < SETTLED:
                break
        # What the extension has to be told to have this solution.
        shift = np.where(self.variance > 0.0, state.total + noise * state.x - self.wanted, 0.0)
        return np.asarray((shift / self.grid.r[: shift.size])[self.core :], dtype=np.float64)

    def _lower(self, state: _State, step: Array, beyond: Array) -> _State | None:
        """Return the state after the largest part of a step that makes the data more likely."""
        part = 1.0
        while part > 1e-4:
            trial = self.at(state.x + part * step, beyond)
            if trial is not None and trial.cost < state.cost + SETTLED:
                return trial
            part *= 0.5
        return None
