"""Linear equations whose matrix is known by its products only, in NumPy alone.

They are conjugate gradients and GMRES as textbooks have them. To import scipy.sparse.linalg takes longer than all
equations of a guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from cginit.curves import Array

__all__ = ["conjugate_gradients", "gmres"]

Product = Callable[[Array], Array]


def conjugate_gradients(
    product: Product, b: Array, *, rtol: float, precondition: Product, maxiter: int
) -> tuple[Array, int]:
    r"""Solve :math:`A x = b` for a symmetric positive definite A; return x ``(n,)`` and the number of products.

    Parameters
    ----------
    product : callable
        Maps x ``(n,)`` to A x.
    b : ndarray, shape (n,)
        Right-hand side.
    rtol : float
        The iteration ends where :math:`|b - A x| \le` `rtol` :math:`|b|`.
    precondition : callable
        Product with an approximate inverse of A, symmetric and positive definite, too.
    maxiter : int
        It ends after so many products in any case.

    References
    ----------
    Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. (2003), algorithm 9.1,
    doi:10.1137/1.9780898718003.

    Examples
    --------
    >>> a = np.diag([1.0, 2.0, 5.0])
    >>> x, spent = conjugate_gradients(lambda x: a @ x, np.ones(3), rtol=1e-12, precondition=lambda x: x, maxiter=9)
    >>> [round(float(value), 6) for value in x], spent
    ([1.0, 0.5, 0.2], 3)
    """
    x, residual = np.zeros_like(b), b
    goal = rtol * math.sqrt(float(b @ b))
    direction, old = np.zeros_like(b), 1.0
    for spent in range(maxiter):
        if math.sqrt(float(residual @ residual)) <= goal:
            return x, spent
        better = precondition(residual)
        new = float(residual @ better)
        direction = better + (new / old if spent else 0.0) * direction
        image = product(direction)
        length = new / float(direction @ image)
        x = x + length * direction
        residual = residual - length * image
        old = new
    return x, maxiter


def gmres(
    product: Product,
    b: Array,
    *,
    rtol: float,
    precondition: Product | None = None,
    restart: int = 60,
    cycles: int = 3,
) -> Array:
    r"""Solve :math:`A x = b` for any regular A by the generalised minimal residual method; return x ``(n,)``.

    Parameters
    ----------
    product : callable
        Maps x ``(n,)`` to A x.
    b : ndarray, shape (n,)
        Right-hand side.
    rtol : float
        The iteration ends where :math:`|b - A x| \le` `rtol` :math:`|b|`.
    precondition : callable, optional
        Product with an approximate inverse of A, applied on the right.
    restart, cycles : int
        Number of products after which the basis begins anew, and how often it may.

    References
    ----------
    Y. Saad and M. H. Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986), doi:10.1137/0907058.

    Examples
    --------
    >>> a = np.array([[0.0, 2.0], [-1.0, 0.0]])
    >>> [round(float(value), 6) for value in gmres(lambda x: a @ x, np.array([2.0, 3.0]), rtol=1e-12)]
    [-3.0, 1.0]
    """
    x = np.zeros_like(b)
    goal = rtol * math.sqrt(float(b @ b))
    residual = b
    restart = min(restart, b.size)
    for cycle in range(cycles):
        if cycle:
            residual = b - product(x)
        size = math.sqrt(float(residual @ residual))
        if size <= goal:
            break
        change = _cycle(product, residual / size, size, goal, precondition, restart)
        x = x + (change if precondition is None else precondition(change))
    return x


def _cycle(
    product: Product, start: Array, size: float, goal: float, precondition: Product | None, restart: int
) -> Array:
    """Return the combination ``(n,)`` of the Krylov basis from `start` with the least residual."""
    basis = np.empty((restart + 1, start.size))
    basis[0] = start
    # R of the Hessenberg matrix, column by column, the rotations that make it, and the right-hand side they turn.
    triangle = np.zeros((restart, restart))
    turns: list[tuple[float, float]] = []
    right = [size]
    for k in range(restart):
        w = product(basis[k] if precondition is None else precondition(basis[k]))
        # Twice is enough for orthogonality to rounding.
        first = basis[: k + 1] @ w
        w = w - first @ basis[: k + 1]
        second = basis[: k + 1] @ w
        w = w - second @ basis[: k + 1]
        column = (first + second).tolist()
        beyond = math.sqrt(float(w @ w))
        for i, (cosine, sine) in enumerate(turns):
            column[i : i + 2] = (
                cosine * column[i] + sine * column[i + 1],
                cosine * column[i + 1] - sine * column[i],
            )
        diagonal = math.hypot(column[k], beyond)
        if diagonal == 0.0:
            # The product adds nothing to the basis: a singular matrix, answered as far as it can be.
            break
        cosine, sine = column[k] / diagonal, beyond / diagonal
        turns.append((cosine, sine))
        column[k] = diagonal
        triangle[: k + 1, k] = column
        right[k:] = [cosine * right[k], -sine * right[k]]
        if abs(right[k + 1]) <= goal or beyond == 0.0:
            break
        basis[k + 1] = w / beyond
    m = len(turns)
    weights = np.linalg.solve(triangle[:m, :m], np.array(right[:m]))
    return np.asarray(weights @ basis[:m], dtype=np.float64)
