"""Newton's method for the equations of liquid-state theory, with steps that never lead away, and continuation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.liquid.krylov import gmres

__all__ = ["Root", "damped_newton", "follow"]

State = TypeVar("State")
Model = TypeVar("Model")

MAX_ITERATIONS = 30
#: Part of a step below which it is given up.
SMALLEST_PART = 1e-2
#: Part of a step by which the residual must fall, at least.
DESCENT = 1e-3
#: Smallest part of a change that is solved at once on the way to the whole.
SMALLEST_STEP = 0.125


@dataclass(frozen=True, eq=False)
class Root(Generic[State]):
    """Where Newton's method ended.

    Attributes
    ----------
    x : ndarray
        The unknowns.
    state : object or None
        What the evaluation returned with the residual there; None where the equations have no meaning at the start.
    residual : float
        Largest residual, in the unit of length that was given.
    iterations : int
        Steps.
    solved : bool
        Whether the residual is within the tolerance.
    """

    x: Array
    state: State | None
    residual: float
    iterations: int
    solved: bool

    def solution(self, failure: str) -> State:
        """Return the state of a solution.

        Raises
        ------
        ConvergenceError
            With the message `failure`, if it is none.
        """
        if self.state is None or not self.solved:
            raise ConvergenceError(failure)
        return self.state


def damped_newton(
    x: Array,
    evaluate: Callable[[Array], tuple[Array, State | None]],
    linear: Callable[[State], Callable[[Array], Array] | Array],
    *,
    tolerance: float,
    length: float = 1.0,
    precondition: Callable[[State], Callable[[Array], Array]] | None = None,
    max_iterations: int = MAX_ITERATIONS,
    enough: float = 0.0,
) -> Root[State]:
    r"""Look for the root of the residual :math:`F(x)`, from the start `x`.

    .. math:: x \to x + p\, s, \qquad F'(x)\, s = -F(x),

    solved by GMRES, the better the nearer the solution: far from it a rough direction serves as well. Where F' is
    given as a matrix it is solved by elimination. The part p is halved until the largest residual falls.

    Parameters
    ----------
    x : ndarray
        Where it starts, of any shape.
    evaluate : callable
        Returns the residual of such an array and what goes with it, or None where the equations have no meaning.
    linear : callable
        Returns for such a state F', as its product with a flat array or as a matrix.
    tolerance : float
        Largest residual of a solution, in units of `length`.
    length : float
        In which the residual counts.
    precondition : callable, optional
        Returns for a state the product of an approximate inverse of F' with a flat array.
    max_iterations : int
        Most steps.
    enough : float
        What the linear equations may leave of the residual, in units of `length`. By default each step squares it,
        and the last one ends far below `tolerance`.

    Examples
    --------
    >>> def square(x):
    ...     return x**2 - 2.0, x
    >>> found = damped_newton(np.ones(1), square, lambda x: lambda y: 2.0 * x * y, tolerance=1e-9)
    >>> found.solved, round(float(found.x[0]), 5)
    (True, 1.41421)
    """
    gap, state = evaluate(x)
    if state is None:
        return Root(x, None, np.inf, 0, False)
    size = float(np.max(np.abs(gap))) / length
    for iteration in range(max_iterations):
        if size <= tolerance:
            return Root(x, state, size, iteration, True)
        slope = linear(state)
        if isinstance(slope, np.ndarray):
            flat = np.linalg.solve(slope, -gap.ravel())
        else:
            flat = gmres(
                slope,
                -gap.ravel(),
                rtol=min(1e-2, max(size, enough / size)),
                precondition=None if precondition is None else precondition(state),
            )
        step = flat.reshape(x.shape)
        part = 1.0
        while True:
            trial, found = evaluate(x + part * step)
            if found is not None:
                reached = float(np.max(np.abs(trial))) / length
                if reached <= (1.0 - DESCENT * part) * size or reached <= tolerance:
                    break
            part *= 0.5
            if part < SMALLEST_PART:
                return Root(x, state, size, iteration, False)
        x = x + part * step
        gap, state, size = trial, found, reached
    return Root(x, state, size, max_iterations, size <= tolerance)


def follow(model: Model, begin: Array, end: Array, solve: Callable[[Model, Array], Model]) -> Model:
    """Return what `solve` makes of `model` at `end`, reached from `begin` in one step or in smaller ones.

    Raises
    ------
    ConvergenceError
        If a step of an eighth fails.
    """
    done, step = 0.0, 1.0
    while done < 1.0:
        step = min(step, 1.0 - done)
        try:
            model = solve(model, begin + (done + step) * (end - begin))
        except ConvergenceError:
            step *= 0.5
            if step < SMALLEST_STEP:
                raise
            continue
        done += step
    return model
