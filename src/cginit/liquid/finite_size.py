r"""What a finite number of beads does to g(r), and how to undo it.

In a periodic box with a fixed number N of beads a bead here is missing elsewhere: with pairs counted against the
N - 1 others, as `cginit.sampling` does, g does not approach 1 at large r but :math:`1 + (1 - S(0))/N`. That is
0.002 for a dense liquid of 500 beads, far below the noise of a point; but it is the same for all points, and
:math:`4\pi\rho \int h r^2 dr` of a liquid, whose S(0) is a few hundredths, feels it as a multiple of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.matrices import pair_indices
from cginit.liquid.ornstein_zernike import MeasuredLiquid, OZInversion, invert_together

__all__ = ["compressibility_limit", "corrected_inversion", "corrected_inversions", "infinite_system"]

#: S(0) enters divided by the number of beads: above this the fluid is near-critical, and more is not believed.
LARGEST = 3.0
#: Inversions; each takes up what the last left by rho V/N of it, V being the sphere that g covers.
ROUNDS = 2


def infinite_system(
    g: ArrayLike, s_0: ArrayLike, counts: ArrayLike, single: ArrayLike | None = None
) -> Array:
    r"""Return g of an infinite system from that of a fixed number of beads in a periodic box, of the shape of `g`.

    With N beads in all, of which :math:`N_a` are of species a, what is counted in the box tends to
    :math:`1 + \Delta_{ab}` where g of the infinite system tends to 1, so that

    .. math:: g_{ab} = \frac{g^N_{ab}}{1 + \Delta_{ab}}, \qquad
              \Delta_{ab} = \frac{N}{N - 1}
              \left(\frac{[a = b]}{N_a} - \frac{S_{ab}(0)}{\sqrt{N_a N_b}}\right).

    One species has :math:`g\,(1 - 1/N)/(1 - S(0)/N)`. This is the leading term at large r; near contact the change
    of g with density adds another of order 1/N, which is not known from g alone and has no part in the long-wave
    limit. Of that order is also the factor N/(N - 1), with which beads that differ by name only are corrected exactly
    as those of one species.

    Parameters
    ----------
    g : array_like, shape (pairs, n), or (n,) for one species
        Normalised with the other beads, that is N - 1 for like ones (an ideal gas gives 1), in the order A-A, A-B,
        ..., B-B, ...
    s_0 : array_like, shape (species, species), or a number for one species
        Structure factors at k = 0.
    counts : array_like, shape (species,), or a number for one species
        Number of beads of each species.
    single : array_like, shape (species, species), optional
        Of molecules, whose g counts the pairs of different ones and is normalised with these: their own structure at
        k = 0, in place of [a = b].

    Raises
    ------
    InputError
        If there are fewer than two beads of a species.

    References
    ----------
    J. L. Lebowitz and J. K. Percus, Phys. Rev. 122, 1675 (1961), doi:10.1103/PhysRev.122.1675.

    Examples
    --------
    >>> infinite_system([1.002], 0.0, 500).round(6).tolist()
    [0.999996]

    Labels of an ideal gas, S = 1: nothing is to be corrected.

    >>> infinite_system(np.ones((3, 2)), np.eye(2), [10, 20]).tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    values = np.asarray(g, dtype=np.float64)
    n = np.atleast_1d(np.asarray(counts, dtype=np.float64))
    if not np.all(n > 1.0):
        raise InputError(f"a g(r) needs at least 2 beads, not {', '.join(f'{one:g}' for one in n)}")
    a, b = pair_indices(n.size)
    own = None if single is None else np.asarray(single, dtype=np.float64).reshape(n.size, n.size)
    largest = LARGEST if own is None else LARGEST * float(np.linalg.eigvalsh(own).max())
    s = _believable(np.asarray(s_0, dtype=np.float64).reshape(n.size, n.size), largest)
    alone = np.where(a == b, 1.0 / n[a], 0.0) if own is None else own[a, b] / np.sqrt(n[a] * n[b])
    offset = alone - s[a, b] / np.sqrt(n[a] * n[b])
    offset *= n.sum() / (n.sum() - 1.0)
    return np.asarray(values / (1.0 + (offset if values.ndim == 1 else offset[:, None])), dtype=np.float64)


def _believable(s: Array, largest: float) -> Array:
    """Return structure factors ``(species, species)`` with eigenvalues between 0 and the largest believed."""
    values, vectors = np.linalg.eigh(s)
    return np.asarray((vectors * np.clip(values, 0.0, largest)) @ vectors.T)


def compressibility_limit(
    r: ArrayLike, g: ArrayLike, density: float, beads: float, error: ArrayLike | None = None
) -> float:
    """Return S(0) of the infinite system whose g(r) was sampled with some number of beads.

    It follows from the Ornstein-Zernike inversion of the corrected g, and the correction from it, in turns.

    Parameters
    ----------
    r, g, density, error
        See `cginit.liquid.ornstein_zernike.invert`.
    beads : float
        Number of beads.

    Raises
    ------
    ConvergenceError
        If the inversion has no solution.

    Examples
    --------
    >>> r = np.linspace(0.05, 4, 80)
    >>> round(compressibility_limit(r, np.ones(80), 0.1, 500), 2)
    1.0
    """
    return float(corrected_inversion(r, g, density, beads, error).s_k[0])


def corrected_inversion(
    r: ArrayLike, g: ArrayLike, density: float, beads: float, error: ArrayLike | None = None
) -> OZInversion:
    """Return the inversion whose S(0) is `compressibility_limit`, which takes and raises the same."""
    (found,) = corrected_inversions([MeasuredLiquid(r, g, density, error)], [beads])
    if isinstance(found, OZInversion):
        return found
    raise found


def corrected_inversions(
    liquids: Sequence[MeasuredLiquid], beads: Sequence[float]
) -> list[OZInversion | ConvergenceError]:
    """Return `corrected_inversion` of each liquid and number of beads, or its ConvergenceError; together."""
    sizes = list(zip(liquids, beads, strict=True))
    begin = [replace(one, g=infinite_system(one.g, 0.0, n)) for one, n in sizes]
    found = invert_together(begin)
    for _ in range(1, ROUNDS):
        left = [i for i, one in enumerate(found) if isinstance(one, OZInversion)]
        again = []
        for i in left:
            (liquid, n), last = sizes[i], found[i]
            if isinstance(last, OZInversion):
                g = infinite_system(liquid.g, float(last.s_k[0]), n)
                again.append(replace(liquid, g=g, start=last))
        for i, one in zip(left, invert_together(again), strict=True):
            found[i] = one
    return found
