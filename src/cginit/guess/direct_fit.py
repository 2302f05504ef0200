r"""The solution of noisy linear equations that is as smooth as its score on other configurations asks for.

The coefficients minimise :math:`\tfrac12 c A c - b c + \tfrac12 \sum_i \lambda_i |D_i c|^2`, where :math:`D_i c` are
the bends of the derivative of one potential, in multiples of those that its own potential of mean force has there.
Each strength :math:`\lambda_i` is the one with which the coefficients found without one part of the configurations
have the lowest score :math:`\tfrac12 c A c - b c` on that part: cross-validation, in which the score plays the part
of the squared residual. Standard errors are those of the jackknife over blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.guess.direct_basis import Basis
from cginit.guess.direct_equations import Equations

__all__ = ["DirectFit", "fit"]

#: Strengths tried, in multiples of the ratio of the traces of equations and penalty, and the one that is tried first.
STRENGTHS = 10.0 ** np.arange(-9.0, 6.0)
FIRST = 3
#: Times that the strengths of all interactions are found one after another, and parts that are left out in turn.
SWEEPS, PARTS = 2, 5
#: Part of the mean diagonal added where no configuration tells anything.
RIDGE = 1e-12


@dataclass(frozen=True, eq=False)
class DirectFit:
    """Coefficients with their errors.

    Attributes
    ----------
    coefficients : ndarray, shape (p,)
        Of all columns.
    jackknife : ndarray, shape (blocks, p)
        Those found without each block.
    strengths : tuple of float
        Of each interaction, in multiples of the ratio of traces.
    """

    coefficients: Array
    jackknife: Array
    strengths: tuple[float, ...]

    def error(self, matrix: Array) -> Array:
        """Return the standard errors ``(n,)`` of linear functions ``(n, p)`` of the coefficients."""
        values = self.jackknife @ matrix.T
        blocks = len(values)
        return np.asarray(np.sqrt((blocks - 1) * np.var(values, axis=0)), dtype=np.float64)


def fit(equations: Equations, bases: Sequence[Basis]) -> DirectFit:
    """Return the coefficients of all interactions.

    Raises
    ------
    ConvergenceError
        If the configurations do not determine them.
    """
    try:
        return _fitted(equations, bases)
    except np.linalg.LinAlgError as error:
        raise ConvergenceError(
            f"the configurations do not determine the potentials ({error}); use more of them"
        ) from error


def _fitted(equations: Equations, bases: Sequence[Basis]) -> DirectFit:
    whole, _ = equations.without(None)
    penalties = _penalties(bases, whole)
    parts = [_part(equations, part) for part in range(min(PARTS, len(equations.frames)))]
    chosen = [FIRST] * len(bases)
    known: dict[tuple[int, ...], float] = {}

    def score(trial: Sequence[int]) -> float:
        key = tuple(trial)
        if key not in known:
            penalty = _joined(penalties, key)
            known[key] = 0.0
            for (a, b), (own_a, own_b) in parts:
                c = np.linalg.solve(a + penalty, b)
                known[key] += float(0.5 * c @ own_a @ c - own_b @ c)
        return known[key]

    for _ in range(SWEEPS):
        for place in range(len(bases)):
            trials = [[*chosen[:place], k, *chosen[place + 1 :]] for k in range(STRENGTHS.size)]
            chosen = min(trials, key=score)
    penalty = _joined(penalties, tuple(chosen))
    solved = np.zeros((1 + len(equations.frames), len(penalty)))
    for row, block in enumerate((None, *range(len(equations.frames)))):
        a, b = equations.without(block)
        solved[row] = np.linalg.solve(a + penalty, b)
    return DirectFit(solved[0], solved[1:], tuple(float(STRENGTHS[k]) for k in chosen))


def _part(equations: Equations, part: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return the equations of all but one part of the blocks, taken in turns, and those of that part."""
    mine = np.arange(len(equations.frames)) % PARTS == part
    found = []
    for blocks in (~mine, mine):
        weight = np.where(blocks, equations.frames, 0.0)
        weight /= weight.sum()
        found.append((np.tensordot(weight, equations.a, 1), weight @ equations.b))
    return found[0], found[1]


def _penalties(bases: Sequence[Basis], a: Array) -> list[Array]:
    """Return the penalty ``(p, p)`` of each interaction, as large in its trace as its equations are."""
    found, start = [], 0
    for one in bases:
        own = slice(start, start + one.size)
        start += one.size
        bends = one.bends()
        square = bends.T @ bends
        penalty = np.zeros_like(a)
        penalty[own, own] = square * (np.trace(a[own, own]) / np.trace(square))
        found.append(penalty)
    return found


def _joined(penalties: Sequence[Array], chosen: tuple[int, ...]) -> Array:
    total = sum(STRENGTHS[k] * one for k, one in zip(chosen, penalties, strict=True))
    return np.asarray(total + RIDGE * np.trace(penalties[0]) * np.eye(len(penalties[0])), dtype=np.float64)
