r"""The inverse problem of `cginit.liquid.extension` for one species: many liquids on the same nodes at once.

One species has a small matrix of its response, which elimination solves faster than conjugate gradients do; and what
NumPy does to many rows at once costs it little more than one. A guess is a row of its own, thousands are many.

The first stage is that of `extension`: Newton's method on the convex functional, which finds its way from afar.
Near the solution the closure beyond the range of g joins in. With M the response of r h to r c, and 1 for the
unknowns inside the range of g, 2 for those beyond,

.. math:: \begin{pmatrix} M_{11} + \nu & M_{12} \\ (1 - g) M_{21} & g + (1 - g) M_{22} \end{pmatrix}
          \begin{pmatrix} x_1 \\ x_2 \end{pmatrix} = - \begin{pmatrix} f_1 \\ f_2 \end{pmatrix}

are Newton's equations. Where g has come near 1 at the end of its range, the lower row is nearly
:math:`g x_2 = -f_2`; and the response changes little from step to step, and from a g to nearly the same one.
With :math:`(M_{11} + \nu)^{-1}` and :math:`M_{12}` kept, a step takes two sine transforms, and the residual falls by
a factor of ten to thirty each time. They are made anew where it falls more slowly. Liquids that this does not solve
are left to `extension`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.matrices import definite_inverse

__all__ = ["MOST_NODES", "Ending", "Liquids", "Search", "eliminate"]

#: Numbers of liquids.
Rows = NDArray[np.intp]

#: Nodes inside the range of g up to which elimination takes less time than conjugate gradients.
MOST_NODES = 300
#: Largest residual of r h of a solution, and that at which one counts whose residual no longer falls. The steps of a
#: kept inverse end just below it, unlike those of Newton's method: with S(k) of 0.01 it is 1e-7 of U.
TOLERANCE, ROUNDING = 1e-11, 1e-9
#: Residual from which on the closure joins in.
NEAR = 1e-3
#: Of the start: least S of the h that is cut off, and largest 1 - 1/S of what its c is scaled down to where it makes
#: S negative. With them 57 state points of the data set take 5.9 Newton steps in the mean; from c = 0, 7.5.
LEAST_START, MOST_START = 0.1, 0.9
#: A residual that falls by less than this factor asks for a new inverse; one that a new inverse does not bring below
#: the second one belongs to no solution nearby.
SLOW, LOST = 0.15, 0.7
MAX_NEWTON, MAX_STEPS = 60, 60
#: Smallest part of a step before it is given up: on the way downhill, and next to the solution.
SMALLEST_DESCENT, SMALLEST_PART = 1e-8, 0.05


@dataclass(frozen=True, eq=False)
class Kept:
    """What a step near the solution needs of the response there.

    Attributes
    ----------
    inverse : ndarray, shape (n, n)
        That of the response inside the range of g, with the noise.
    beyond : ndarray, shape (n, size - n)
        How r h inside answers to c beyond.
    """

    inverse: Array
    beyond: Array

    def step(self, gap: Array, g: Array) -> Array:
        """Return the change of the unknowns ``(size,)`` for residuals, with g ``(size - n,)`` beyond its range."""
        n = len(self.inverse)
        after = gap[n:] / g
        return np.concatenate([self.inverse @ (gap[:n] - self.beyond @ after), after])


@dataclass(frozen=True, eq=False)
class Ending:
    """Where the search for a liquid ended, for the next one to begin there.

    Attributes
    ----------
    direct : ndarray, shape (size,)
        r c; size is n, or 2 n with the closure beyond the range of g.
    noise : ndarray, shape (n,)
        That of its problem.
    kept : Kept
        Of this noise.
    """

    direct: Array
    noise: Array
    kept: Kept


@dataclass(frozen=True, eq=False)
class Liquids:
    """Inverse problems of m liquids of one species, lengths in units of the density ^ (-1/3).

    Attributes
    ----------
    grid : RadialGrid
        Their nodes, the step being 1.
    step : ndarray, shape (m, 1)
        The step of each.
    wanted : ndarray, shape (m, n)
        r h inside the range of g.
    noise : ndarray, shape (m, n)
        What the errors of g add to the diagonal of the response.
    """

    grid: RadialGrid
    step: Array
    wanted: Array
    noise: Array

    @property
    def size(self) -> int:
        """Number of nodes inside the range of g."""
        return int(self.wanted.shape[1])

    def rows(self, which: Rows) -> Liquids:
        """Return some of the liquids."""
        if which.size == len(self.wanted):
            return self
        return Liquids(self.grid, self.step[which], self.wanted[which], self.noise[which])

    def waves(self, direct: Array) -> Array:
        """Return the transform ``(m, N)`` of functions times r ``(m, size)``."""
        return np.asarray(2.0 * np.pi / self.grid.k * self.grid.sine(self.step**2 * direct))

    def back(self, waves: Array, size: int) -> Array:
        """Return the functions times r ``(m, size)`` of transforms ``(m, N)``."""
        scale = self.grid.dk / (4.0 * np.pi**2) / self.step**2
        return np.asarray(scale * self.grid.sine(self.grid.k * waves)[:, :size])

    def structure(self, direct: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return S ``(m, N)`` for unknowns ``(m, size)``, and which rows are positive at every wave number."""
        inverse = 1.0 - self.waves(direct)
        # A NaN is no positive number either.
        positive = inverse.min(axis=1) > 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1.0 / inverse, positive

    def deviation(self, s: Array, direct: Array) -> tuple[Array, Array, Array]:
        """Return r h inside the range of g, the residuals ``(m, size)``, and g beyond its range.

        The residuals are those of r h inside and of the closure beyond, for unknowns ``(m, size)``.
        """
        n = self.size
        total = self.back(s - 1.0, direct.shape[1])
        inside = self.wanted - total[:, :n] - self.noise * direct[:, :n]
        if direct.shape[1] == n:
            return total, inside, np.empty((len(total), 0))
        scale = self.step * self.grid.r[n : direct.shape[1]]
        beyond = total[:, n:]
        with np.errstate(over="ignore", invalid="ignore"):
            g = np.exp((beyond - direct[:, n:]) / scale)
            return total[:, :n], np.concatenate([inside, scale * (g - 1.0) - beyond], axis=1), g

    def inside(self, s: Array, direct: Array) -> Array:
        """Return what r h ``(m, n)`` lacks of what is asked for, with unknowns that are 0 beyond the range of g."""
        return self.deviation(s, direct)[1]

    def response(self, s: Array, columns: int) -> Array:
        """Return the matrices ``(m, n, columns)`` of what r h answers inside the range of g, with the noise."""
        matrices = self.grid.filter_matrix(s**2, self.size, columns)
        diagonal = np.einsum("mii->mi", matrices[:, :, : self.size])
        diagonal += self.noise
        return matrices


class Search:
    """The liquids on their way to the solution.

    Attributes
    ----------
    direct : ndarray, shape (m, size)
        r c; size is n, or 2 n with the closure beyond the range of g.
    total : ndarray, shape (m, n)
        r h inside the range of g.
    s : ndarray, shape (m, N)
        Structure factors.
    residual : ndarray, shape (m,)
        Largest deviation of r h, or of the closure, from what was asked for.
    steps : ndarray of int, shape (m,)
        Steps of either stage.
    solved : ndarray of bool, shape (m,)
        Whether it is a solution.
    """

    def __init__(self, liquids: Liquids, size: int) -> None:
        m, n = len(liquids.wanted), liquids.size
        self.liquids = liquids
        self.direct = np.zeros((m, size))
        self.s = np.ones((m, liquids.grid.n))
        self.total = np.zeros((m, n))
        self.residual = np.full(m, np.inf)
        self.steps = np.zeros(m, dtype=np.intp)
        self.solved = np.zeros(m, dtype=bool)
        self._kept: list[Kept | None] = [None] * m

    def begin(self, start: Sequence[Ending | None]) -> NDArray[np.bool_]:
        """Begin where others ended; return which rows do: those that have such a start, with positive S."""
        near = np.zeros(len(start), dtype=bool)
        for i, one in enumerate(start):
            if (
                one is not None
                and one.noise.size == self.liquids.size
                and one.direct.size == self.direct.shape[1]
            ):
                near[i], self.direct[i] = True, one.direct
                self._kept[i] = one.kept if np.array_equal(one.noise, self.liquids.noise[i]) else None
        if near.any():
            self.s, positive = self.liquids.structure(self.direct)
            near &= positive
        return near

    def approach(self, rows: Rows, goal: float) -> Rows:
        """Bring liquids near the c of largest entropy, to a residual of `goal`; return those that come there."""
        liquids = self.liquids.rows(rows)
        direct, s = _start(liquids)
        gap = liquids.inside(s, direct)
        reached = np.ones(rows.size, dtype=bool)
        for _ in range(MAX_NEWTON):
            left = np.flatnonzero(reached & (np.abs(gap).max(axis=1) > goal))
            if left.size == 0:
                break
            part = liquids.rows(left)
            try:
                step = np.linalg.solve(part.response(s[left], part.size), gap[left, :, None])[..., 0]
            except np.linalg.LinAlgError:
                reached[left] = False
                break
            self.steps[rows[left]] += 1
            slope, scale = np.einsum("mi,mi->m", step, gap[left]), np.ones(left.size)
            going = np.arange(left.size)
            while going.size:
                those, at = part.rows(going), left[going]
                trial = direct[at] + scale[going, None] * step[going]
                trial_s, good = those.structure(trial)
                trial_gap = those.inside(trial_s, trial)
                # The functional is convex: a slope that has not turned far means that it has decreased.
                good &= np.einsum("mi,mi->m", step[going], trial_gap) > -0.25 * slope[going]
                there = at[good]
                direct[there], s[there], gap[there] = trial[good], trial_s[good], trial_gap[good]
                going = going[~good]
                scale[going] *= 0.5
                lost = scale[going] < SMALLEST_DESCENT
                reached[left[going[lost]]] = False
                going = going[~lost]
        reached &= np.abs(gap).max(axis=1) <= goal
        self.direct[rows] = 0.0
        self.direct[rows, : liquids.size], self.s[rows] = direct, s
        for i in rows:
            self._kept[i] = None
        return rows[reached]

    def close_in(self, rows: Rows) -> None:
        """Bring liquids from nearby to the solution, with the closure beyond the range of g where it is asked for."""
        liquids, direct, s = self.liquids.rows(rows), self.direct[rows], self.s[rows]
        last, fresh = np.full(rows.size, np.inf), np.zeros(rows.size, dtype=bool)
        moved = np.ones(rows.size, dtype=bool)
        for _ in range(MAX_STEPS if rows.size else 0):
            total, gap, g = liquids.deviation(s, direct)
            size = np.abs(gap).max(axis=1)
            # Comparisons with a NaN are false.
            still = fresh & ~(size <= LOST * last)
            done = (size <= TOLERANCE) | (still & (size <= ROUNDING))
            going = moved & np.isfinite(size) & ~(done | still)
            if not going.all():
                there = rows[done]
                self.direct[there], self.s[there] = direct[done], s[done]
                self.total[there], self.residual[there], self.solved[there] = total[done], size[done], True
                if not going.any():
                    return
                rows, direct, s, gap, g = rows[going], direct[going], s[going], gap[going], g[going]
                liquids, last, fresh, size = self.liquids.rows(rows), last[going], fresh[going], size[going]
            unknown = np.array([self._kept[i] is None for i in rows], dtype=bool)
            fresh = unknown | ((size > SLOW * last) & ~fresh)
            self._renew(rows, s, np.flatnonzero(fresh))
            last = size
            kept = [self._kept[i] for i in rows]
            step = np.array(
                [one.step(*row) for one, *row in zip(kept, gap, g, strict=True) if one is not None]
            )
            direct, s, moved = _move(liquids, direct, s, step)
            self.steps[rows] += 1

    def _renew(self, rows: Rows, s: Array, which: Rows) -> None:
        """Make what is kept anew for some of the rows, of which s is given."""
        if which.size == 0:
            return
        n, size = self.liquids.size, self.direct.shape[1]
        response = self.liquids.rows(rows[which]).response(s[which], size)
        inverse = definite_inverse(response[:, :, :n])
        for i, row in enumerate(rows[which]):
            self._kept[row] = Kept(inverse[i], response[i, :, n:])

    def ending(self, row: int) -> Ending | None:
        """Return where the search for one of the liquids ended."""
        kept = self._kept[row]
        return None if kept is None else Ending(self.direct[row], self.liquids.noise[row], kept)


def eliminate(liquids: Liquids, start: Sequence[Ending | None], *, closed: bool) -> Search:
    """Return the solutions of some inverse problems, as far as they have been found.

    Parameters
    ----------
    liquids : Liquids
    start : sequence of Ending or None
        For each, where the search may begin: that of nearly the same g, or of another noise.
    closed : bool
        Whether c beyond the range of g is that of the closure of HNC with U = 0; 0 otherwise.
    """
    search = Search(liquids, liquids.size * (2 if closed else 1))
    near = search.begin(start)
    rows = np.flatnonzero(near)
    if not near.all():
        rows = np.concatenate([rows, search.approach(np.flatnonzero(~near), NEAR)])
    search.close_in(rows)
    # A start may have been too far off.
    again = np.flatnonzero(near & ~search.solved)
    if again.size:
        search.close_in(search.approach(again, NEAR))
    return search


def _move(liquids: Liquids, direct: Array, s: Array, step: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return unknowns and S as large a part of a step further as keeps S positive, and where there is one."""
    trial = direct + step
    trial_s, good = liquids.structure(trial)
    part = 1.0
    while not good.all() and part > SMALLEST_PART:
        part *= 0.5
        left = np.flatnonzero(~good)
        trial[left] = direct[left] + part * step[left]
        trial_s[left], good[left] = liquids.rows(left).structure(trial[left])
    return trial, trial_s, good


def _start(liquids: Liquids) -> tuple[Array, Array]:
    """Return c of the h that is 0 beyond the range of g, cut off there, and its S.

    The functional is convex, so that the start changes nothing but the number of steps, which this spares half of.
    """
    # Each step can no more than double 1/S; where the noise of g makes S negative, it begins at a small one.
    floored = np.maximum(1.0 + liquids.waves(liquids.wanted), LEAST_START)
    direct = liquids.back(1.0 - 1.0 / floored, liquids.size)
    x = liquids.waves(direct)
    top = x.max(axis=1, keepdims=True)
    part = np.where(top < 1.0, 1.0, MOST_START / np.maximum(top, 1.0))
    return part * direct, 1.0 / (1.0 - part * x)
