r"""The contract of a response, as a check of a given implementation.

A response tells how the g(r) of a liquid answer to a change of its potentials: to any change (`at`), and to first
order (`jacobian`). Updates that solve for a change, such as Gauss-Newton, take the second for the direction of a step
and the first to judge it, so that the two must be a function and its derivative.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol, Self

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError

__all__ = ["Answering", "check_response"]

#: Change of a potential in kT over which differences are taken: its square, the error of a central difference, is far
#: below `TOLERANCE`, and the residual of an iterative solution of 1e-6 far below the change of g.
STEP = 0.01
#: Part of the change of g by which derivative and difference may disagree. A derivative may leave out what
#: correlations beyond several cut-offs do: 3e-4 of it for the closure of soft, cored and mixed beads.
TOLERANCE = 5e-3
#: Of g itself: what an iterative solution leaves.
SAME = 1e-3
#: A potential with so deep a well has no liquid.
ABYSS = -100.0


class Answering(Protocol):
    """What has the contract of a response; pairs of bead types are rows, in an order of the implementation.

    `cginit.liquid.Response` is one.
    """

    @property
    def g(self) -> Array:
        """Radial distribution functions ``(pairs, m)`` of the liquid as it is, m at least the size of any change."""
        ...

    def jacobian(self, size: int) -> Array:
        r"""Return :math:`-\partial g_i / \partial (U_j/kT)` ``(pairs size, pairs size)`` at the first `size` nodes.

        Nodes of one pair stand together.
        """
        ...

    def at(self, change: Array, core: Array) -> Self:
        """Return the liquid whose potentials differ from the first one's by `change` ``(pairs, n)`` in kT.

        `core` ``(pairs, n)`` are energies in kT that stand where g is 0. `cginit.errors.ConvergenceError` where there
        is no such liquid.
        """
        ...


def check_response(response: Answering, core: Array) -> None:
    """Check that a response keeps its contract.

    - `jacobian` is finite, of the right shape, and the same when it is asked again.
    - `at` of no change is the liquid itself, and a second change counts from the first liquid, not from the changed.
    - Central differences of what `at` predicts are what `jacobian` says, for a push on each pair at three distances.
    - A change without a liquid is told by a `cginit.errors.ConvergenceError`, by no number and no other error.
    - No call changes the response or its arguments.

    Parameters
    ----------
    response : Answering
        What is checked: a liquid at its measured potentials.
    core : ndarray, shape (pairs, n)
        Energies in kT that stand where g is 0; n are the nodes of the potentials.

    Raises
    ------
    AssertionError
        If it does not keep it, with what is wrong.

    Examples
    --------
    >>> from cginit import RDF
    >>> from cginit.liquid import measured_liquid
    >>> r = 0.05 * np.arange(101)
    >>> g = np.exp(-np.exp(-2.0 * r**2))
    >>> liquid = measured_liquid({("A", "A"): RDF(r, g, np.full(101, 1e-4), units="lj")}, {"A": 0.2})
    >>> check_response(liquid.response(np.zeros(1)), np.zeros((1, 50)))
    """
    pairs, size = core.shape
    before = response.g.copy()
    _ensure(before.ndim == 2 and before.shape[0] == pairs, f"g has shape {before.shape}, not ({pairs}, m)")
    _ensure(before.shape[1] >= size, f"g has {before.shape[1]} nodes, the potentials {size}")
    _ensure(bool(np.all(np.isfinite(before)) and np.all(before >= 0.0)), "g is negative or not finite")
    matrix = response.jacobian(size)
    expected = (pairs * size, pairs * size)
    _ensure(matrix.shape == expected, f"the jacobian has shape {matrix.shape}, not {expected}")
    _ensure(bool(np.all(np.isfinite(matrix))), "the jacobian is not finite")

    def moved(change: Array) -> Array:
        given = change.copy(), core.copy()
        found = response.at(*given)
        _ensure(
            np.array_equal(given[0], change) and np.array_equal(given[1], core), "at changes its arguments"
        )
        _ensure(bool(np.all(np.isfinite(found.g))), "at gives a g that is not finite")
        return np.asarray(found.g[:, :size])

    _ensure(_near(moved(np.zeros_like(core)), before[:, :size], SAME), "at of no change is another liquid")
    for pair in range(pairs):
        for place in (0.25, 0.5, 0.75):
            push = _push(core.shape, pair, place)
            difference = (moved(STEP * push) - moved(-STEP * push)) / (2.0 * STEP)
            linear = -(matrix @ push.ravel()).reshape(core.shape)
            off = float(np.linalg.norm(linear - difference) / np.linalg.norm(difference))
            where = f"a push on pair {pair} at {place:g} of the range"
            _ensure(off <= TOLERANCE, f"{where}: jacobian and at disagree by {off:.2g} of the change of g")
    first, second = (0.1 * _push(core.shape, 0, place) for place in (0.25, 0.75))
    by_way = response.at(first, core).at(second, core).g[:, :size]
    _ensure(_near(by_way, moved(second), SAME), "a second change does not count from the first liquid")
    with suppress(ConvergenceError):
        moved(ABYSS * _push(core.shape, 0, 0.25))
    _ensure(np.array_equal(response.g, before), "a call changes the response")
    _ensure(np.array_equal(response.jacobian(size), matrix), "the jacobian is another when it is asked again")


def _push(shape: tuple[int, ...], pair: int, place: float) -> Array:
    """Return a smooth change ``(pairs, n)`` of one pair around a place, in parts of the range."""
    x = np.linspace(0.0, 1.0, shape[1])
    change = np.zeros(shape)
    change[pair] = np.exp(-(((x - place) / 0.08) ** 2))
    return change


def _near(a: Array, b: Array, tolerance: float) -> bool:
    return bool(np.max(np.abs(a - b)) <= tolerance)


def _ensure(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(f"a response must keep its contract: {what}")
