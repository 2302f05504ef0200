"""Newton's method for the equations of a closure, of one species or of a mixture, with steps that never lead away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError

__all__ = ["damped_newton"]

State = TypeVar("State")

#: Largest residual of r gamma, in units of rho^(-1/3); far below the noise of any g.
TOLERANCE = 1e-6
MAX_ITERATIONS = 30
#: Part of a step below which it is given up.
SMALLEST_PART = 1e-2
#: Part of a step by which the residual must fall, at least.
DESCENT = 1e-3


def damped_newton(
    x: Array,
    evaluate: Callable[[Array], tuple[Array, State | None]],
    linear: Callable[[State], Callable[[Array], Array]],
    *,
    length: float,
    name: str,
) -> State:
    r"""Return the state in which the residual :math:`F(x)` is 0, from the start `x`.

    .. math:: x \to x + p\, s, \qquad F'(x)\, s = -F(x),

    solved by GMRES, the better the nearer the solution; the part p is halved until the largest residual falls.

    Parameters
    ----------
    x : ndarray
        Where it starts, of any shape.
    evaluate : callable
        Returns the residual of such an array and what goes with it, or None where the equations have no meaning.
    linear : callable
        Returns for such a state the product of F' with a flat array.
    length : float
        In which the residual counts.
    name : str
        Of the fluid, for the error.

    Raises
    ------
    ConvergenceError
        If this does not find a solution.

    Examples
    --------
    >>> def square(x):
    ...     return x**2 - 2.0, x
    >>> found = damped_newton(np.ones(1), square, lambda x: lambda y: 2.0 * x * y, length=1.0, name="number")
    >>> round(float(found[0]), 5)
    1.41421
    """
    from scipy.sparse.linalg import LinearOperator, gmres

    gap, state = evaluate(x)
    size = float(np.max(np.abs(gap))) / length
    for _ in range(MAX_ITERATIONS):
        if state is None:
            break
        if size <= TOLERANCE:
            return state
        flat, _ = gmres(
            LinearOperator((x.size, x.size), matvec=linear(state), dtype=np.float64),
            -gap.ravel(),
            rtol=min(1e-2, size),
            restart=60,
            maxiter=3,
        )
        step = flat.reshape(x.shape)
        part = 1.0
        while part > SMALLEST_PART:
            trial, found = evaluate(x + part * step)
            if found is not None:
                reached = float(np.max(np.abs(trial))) / length
                if reached <= (1.0 - DESCENT * part) * size or reached <= TOLERANCE:
                    break
            part *= 0.5
        else:
            break
        x = x + part * step
        gap, state, size = trial, found, reached
    raise ConvergenceError(f"the Ornstein-Zernike equation has no solution near the measured {name}")
