r"""From g(r) to U(r) by the Ornstein-Zernike equation and a closure (HNC or PY), for liquids of one species.

The direct correlations inside the range of g are those of `cginit.liquid.extension`, which
`cginit.liquid.elimination` finds for many liquids at once; with :math:`\gamma = h - c` the closure gives the
potential. `invert` takes one g(r), `invert_together` many. For any number of species there is
`cginit.liquid.pair_inversion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.elimination import MOST_NODES, Ending, Liquids, Search, eliminate
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.inverse_problem import (
    NOISE_WEIGHT,
    PADDING,
    Closure,
    Tail,
    checked_curves,
    closure_potential,
    estimate_noise,
    on_nodes,
)
from cginit.liquid.pair_inversion import invert_pairs

__all__ = [
    "NOISE_WEIGHT",
    "PADDING",
    "Closure",
    "MeasuredLiquid",
    "OZInversion",
    "Tail",
    "estimate_noise",
    "invert",
    "invert_together",
]

#: Liquids that are solved at once: their matrices fit into the cache of a core.
PORTION = 8


@dataclass(frozen=True, eq=False)
class OZInversion:
    """Solution of the inverse problem on the given grid.

    Attributes
    ----------
    r : ndarray, shape (n,)
        The grid of the input without r = 0.
    u : ndarray, shape (n,)
        Pair potential in kT with its zero at infinity; inf where g = 0.
    c, h, gamma : ndarray, shape (n,)
        Direct and total correlation and their difference, related by Ornstein-Zernike exactly. `h` is g - 1
        up to the statistical error that the inversion was given.
    k, s_k : ndarray, shape (m,)
        Wave numbers and structure factor.
    residual : float
        Largest deviation of r h from what was asked for, in units of rho^(-1/3).
    iterations : int
        Newton steps.
    converged : bool
        Always True: failure raises.
    notes : tuple of str
        What the user should know.
    ending : Ending or None
        Where the search ended; None of a solution that was not found by elimination.
    """

    r: Array
    u: Array
    c: Array
    h: Array
    gamma: Array
    k: Array
    s_k: Array
    residual: float
    iterations: int
    converged: bool
    notes: tuple[str, ...]
    ending: Ending | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class MeasuredLiquid:
    """A g(r) to be inverted; what the attributes are says `invert`."""

    r: ArrayLike
    g: ArrayLike
    density: float
    error: ArrayLike | None = None
    noise_weight: float = NOISE_WEIGHT
    start: OZInversion | None = None


def invert(
    r: ArrayLike,
    g: ArrayLike,
    density: float,
    closure: Closure = "hnc",
    *,
    error: ArrayLike | None = None,
    tail: Tail = "closure",
    noise_weight: float = NOISE_WEIGHT,
    start: OZInversion | None = None,
) -> OZInversion:
    r"""Return the potential in kT that g(r) has in the hypernetted-chain or Percus-Yevick approximation.

    .. math:: h = c + \rho\, c * h, \qquad
              U/kT = -\ln g + \gamma \;(\mathrm{HNC}), \quad U/kT = -\ln g + \ln(1 + \gamma)\;(\mathrm{PY}),
              \qquad \gamma = h - c

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances whose first is a multiple of half the step. What lies below it is core, g = 0.
    g : array_like, shape (n,)
        Radial distribution function.
    density : float
        Number density in the inverse cube of the unit of r.
    closure : {"hnc", "py"}
        Closure relation.
    error : array_like, shape (n,), optional
        Standard error of g; zeros ask for an exact solution. By default `estimate_noise`. Where it is large
        the solution leaves g within the error rather than follow it into a wild potential.
    tail : {"closure", "zero"}
        Beyond r[-1], the closure with U = 0 or c = 0. The two are the same for PY.
    noise_weight : float
        How much the error counts against the entropy: the larger, the smoother and the smaller c.
    start : OZInversion, optional
        That of nearly the same g, or of this g with another `noise_weight`: it costs fewer steps from there.

    Raises
    ------
    InputError
        If the grid, g or the density is not valid.
    ConvergenceError
        If no structure factor that is positive everywhere has this h(r), or PY defines no potential for it.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), chapters 3 and 4,
    doi:10.1016/C2010-0-66723-X. Largest-entropy extension: J. P. Burg, thesis, Stanford University (1975).

    Examples
    --------
    At low density every closure gives U = -kT ln g.

    >>> r = np.linspace(0.05, 4, 80)
    >>> u = np.exp(-(r**2))
    >>> found = invert(r, np.exp(-u), density=1e-6)
    >>> bool(np.allclose(found.u, u, atol=1e-5))
    True
    """
    one = MeasuredLiquid(r, g, density, error, noise_weight, start)
    (found,) = invert_together([one], closure, tail=tail)
    if isinstance(found, OZInversion):
        return found
    raise found


def invert_together(
    liquids: Sequence[MeasuredLiquid], closure: Closure = "hnc", *, tail: Tail = "closure"
) -> list[OZInversion | ConvergenceError]:
    """Return what `invert` returns for each liquid, or its ConvergenceError; those with as many points at once.

    Raises
    ------
    InputError
        If a grid, a g or a density is not valid.

    Examples
    --------
    >>> r = np.linspace(0.05, 4, 80)
    >>> liquids = [MeasuredLiquid(r, np.exp(-u * np.exp(-(r**2))), 1e-6) for u in (0.5, 1)]
    >>> [round(float(one.u[0]), 2) for one in invert_together(liquids)]
    [0.5, 1.0]
    """
    closed = closure == "hnc" and tail == "closure"
    problems = [_Problem.of(one, closure) for one in liquids]
    found: list[OZInversion | ConvergenceError | None] = [None] * len(liquids)
    alike: dict[tuple[int, int, bool], list[int]] = {}
    for i, problem in enumerate(problems):
        if problem.h.size <= MOST_NODES:
            alike.setdefault((problem.h.size, problem.grid.n, problem.grid.half), []).append(i)
    for rows in alike.values():
        for first in range(0, len(rows), PORTION):
            portion = rows[first : first + PORTION]
            search = eliminate(
                _as_rows([problems[i] for i in portion]), [problems[i].ending for i in portion], closed=closed
            )
            for row, i in enumerate(portion):
                if search.solved[row]:
                    found[i] = problems[i].solution(search, row, closure)
    return [
        problem.alone(closure, tail) if one is None else one
        for problem, one in zip(problems, found, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Problem:
    """A liquid on the nodes of its inversion, in units of density ^ (-1/3).

    `skipped` nodes belong to the core that the grid of g leaves out; `h` and `error` are those of all nodes.
    """

    liquid: MeasuredLiquid
    r: Array
    g: Array
    sigma: Array
    grid: RadialGrid
    skipped: int
    h: Array
    noise: Array

    @classmethod
    def of(cls, liquid: MeasuredLiquid, closure: Closure) -> _Problem:
        density = liquid.density
        if not np.isfinite(density) or density <= 0.0:
            raise InputError(f"density must be a positive number, not {density}")
        given = np.asarray(liquid.g, dtype=np.float64)[None]
        error = None if liquid.error is None else np.asarray(liquid.error, dtype=np.float64)[None]
        r, g, sigma = checked_curves(liquid.r, given, np.array([density]), closure, error, ())
        grid, skipped, h, noise = on_nodes(r, density ** (-1.0 / 3.0), g, sigma)
        return cls(liquid, r, g, sigma, grid, skipped, h[0], noise[0])

    @property
    def ending(self) -> Ending | None:
        return None if self.liquid.start is None else self.liquid.start.ending

    def solution(self, search: Search, row: int, closure: Closure) -> OZInversion | ConvergenceError:
        """Return what a search has found."""
        inside = slice(self.skipped, self.h.size)
        length = self.liquid.density ** (-1.0 / 3.0)
        x = self.grid.r[inside]
        h, c = search.total[row, inside] / x, search.direct[row, inside] / x
        gamma = h - c
        r = self.r[self.skipped - self.h.size :]
        # A g below the rounding of h, as exp(-U) of an equation is deep in a core, is none: U is not known there.
        try:
            u = closure_potential(r, self.h[None, inside] + 1.0, gamma[None], closure, ())[0]
        except ConvergenceError as error:
            return error
        k, s_k = self.grid.k / length, search.s[row]
        for array in (u, c, h, gamma, k, s_k):
            array.flags.writeable = False
        residual, steps = float(search.residual[row]), int(search.steps[row])
        return OZInversion(r, u, c, h, gamma, k, s_k, residual, steps, True, (), search.ending(row))

    def alone(self, closure: Closure, tail: Tail) -> OZInversion | ConvergenceError:
        """Return the solution by `invert_pairs`, which says why where there is none."""
        one = self.liquid
        try:
            found = invert_pairs(
                self.r,
                self.g,
                np.array([one.density], dtype=np.float64),
                closure,
                error=self.sigma,
                tail=tail,
                noise_weight=one.noise_weight,
                start=None if one.start is None else one.start.c[None],
            )
        except ConvergenceError as error:
            return error
        u, c, h, gamma = found.u[0], found.c[0], found.h[0], found.gamma[0]
        k, s_k = found.k, found.s_k[:, 0, 0]
        for array in (u, c, h, gamma, k, s_k):
            array.flags.writeable = False
        return OZInversion(
            found.r, u, c, h, gamma, k, s_k, found.residual, found.iterations, True, found.notes
        )


def _as_rows(problems: Sequence[_Problem]) -> Liquids:
    """Return some liquids with equal nodes as the rows of one inverse problem."""
    first = problems[0].grid
    grid = RadialGrid(first.n, 1.0, first.half)
    step = np.array([[one.grid.dr] for one in problems])
    h, noise = np.array([one.h for one in problems]), np.array([one.noise for one in problems])
    weight = np.array([[one.liquid.noise_weight] for one in problems])
    r = step * grid.r[: h.shape[1]]
    # The core, where g is 0, is certain.
    added = np.where(h > -1.0, 4.0 * np.pi * weight * step * (r * noise) ** 2, 0.0)
    return Liquids(grid, step, r * h, added)
