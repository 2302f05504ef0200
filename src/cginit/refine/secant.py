r"""What the simulations so far say of the response of g(r) to U(r) beyond what a closure knows.

Around the last simulation a closure predicts a change of g for every change of U, also for the one that leads back
to a simulation before, of which the answer is known. What it misses, e, is taken as linear in the change:

.. math:: \Delta g(\Delta U) = G(\Delta U) + \frac{e}{2} \left( \frac{d^T W\, \Delta U}{d^T W\, d} +
          \frac{p^T W\, G' \Delta U}{p^T W\, p} \right),

with the change d between the two simulations, the answer p = G(d) that was predicted, and the pairs at each distance
as weights W. One half of e belongs to what a change has in common with d, the other to what its answer has in common
with p. The first sees changes that hardly show in g, like an attraction as wide as the potential of a dense liquid,
of which closures tell least; alone it would blame them for all of e in soft, long-ranged liquids, where d is little
else. The more of the answer the closure misses, the less e counts: where it misses all, g does not answer in a
straight line.

For mixtures this is not done: near the noise of the targets it led no faster to g, and further from the potentials in
what g hides.

Source: C. G. Broyden, Math. Comput. 19, 577 (1965), doi:10.1090/S0025-5718-1965-0198670-6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array

__all__ = ["KnownChange", "secant"]

#: By how much noise is multiplied before it is taken off what was missed; it is estimated, and varies by chance.
NOISE = 2.0


@dataclass(frozen=True, eq=False)
class KnownChange:
    """A change of the potential whose answer is known.

    Attributes
    ----------
    change : ndarray, shape (n,)
        Of the potential in kT.
    found : ndarray, shape (n,)
        Change of g.
    variance : ndarray, shape (n,)
        Of its noise.
    weight : ndarray, shape (n,)
        How much each point of a change counts when it is compared with another. Where it is 0 nothing counts.
    """

    change: Array
    found: Array
    variance: Array
    weight: Array


def secant(simulations: Iterable[tuple[KnownChange, Array]], response: Array) -> Array:
    """Return the matrix ``(n, n)`` to be added to the derivative of g, by the first simulation that shows one.

    What was missed counts with the part of it that is not noise (twice that which is expected), and with the part of
    the change that was predicted (both of mean squares).

    Parameters
    ----------
    simulations : iterable of (KnownChange, ndarray)
        What is known, and the change of g ``(n,)`` that was predicted; the latest first. Those after the one that is
        used are not asked for.
    response : ndarray, shape (n, n)
        Minus the derivative of g by the potential in kT.

    Returns
    -------
    ndarray, shape (n, n)
        0 if what all of them miss is noise.

    Examples
    --------
    >>> change, found = np.array([1.0, 0.0]), np.array([-2.0, 0.0])
    >>> exact = KnownChange(change, found, np.zeros(2), np.ones(2))
    >>> matrix = secant([(exact, 0.5 * found)], np.eye(2))
    >>> matrix @ change, matrix @ np.array([0.0, 1.0])
    (array([-0.75,  0.  ]), array([0., 0.]))
    >>> noisy = KnownChange(change, found, np.ones(2), np.ones(2))
    >>> bool(np.any(secant([(noisy, 0.5 * found)], np.eye(2))))
    False
    """
    for one, predicted in simulations:
        counts = one.weight > 0.0
        missing = np.where(counts, one.found - predicted, 0.0)
        noise, missed, whole = (
            float(np.sum(part[counts])) for part in (NOISE * one.variance, missing**2, one.found**2)
        )
        alike, answers = one.weight * one.change, one.weight * predicted
        if noise < missed < whole and alike @ one.change > 0.0:
            part = (1.0 - noise / missed) * (1.0 - missed / whole)
            shares = alike / (alike @ one.change) - answers @ response / (answers @ predicted)
            return np.asarray(0.5 * part * np.outer(missing, shares))
    return np.zeros(response.shape)
