"""The structure of single molecules: what beads of the same molecule contribute to the structure factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from cginit.configuration import Configuration
from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["MoleculeStructure"]

#: Products of distances and wave numbers that are in memory at once (some 30 MB).
AT_ONCE = 1_000_000
#: Part of a step by which evenly spaced wave numbers may be off, and the phase that no wave tells from 0.
EVEN, NO_DISTANCE = 1e-9, 1e-9


@dataclass(frozen=True, eq=False)
class MoleculeStructure:
    r"""Omega of the molecules of some configurations, at any wave number.

    .. math:: \Omega_{ab}(k) = \frac{1}{V} \Big\langle \sum_{i \in a} \sum_{j \in b, \text{ same molecule}}
              \frac{\sin k r_{ij}}{k r_{ij}} \Big\rangle

    with the terms i = j, so that :math:`\Omega_{ab} \to \rho_a \delta_{ab}` for large k and for loose beads. Every
    distance has its own term: only so has the matrix no negative eigenvalue, as that of real molecules.

    Parameters
    ----------
    configurations : sequence of Configuration
        Of one topology.

    Raises
    ------
    InputError
        If there is none, or it has no topology.

    Examples
    --------
    >>> from cginit.topology import Topology
    >>> dimers = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(2)
    >>> places = [[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 3, 0]]
    >>> one = Configuration(places, [8, 8, 8], units="lj", topology=dimers)
    >>> MoleculeStructure([one])(np.array([1e-9])).ravel() * 512 / 4
    array([2.])
    """

    configurations: Sequence[Configuration]
    _known: dict[bytes, Array] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.configurations or any(one.topology is None for one in self.configurations):
            raise InputError("the structure of molecules needs configurations with a topology")

    def __call__(self, k: Array) -> Array:
        """Return Omega ``(m, species, species)`` at wave numbers ``(m,)``, in the units of the configurations."""
        key = np.asarray(k).tobytes()
        if key not in self._known:
            found = [_structure(one, k) for one in self.configurations]
            self._known[key] = np.asarray(np.mean(found, axis=0), dtype=np.float64)
        return self._known[key]


def _structure(one: Configuration, k: Array) -> Array:
    topology = one.topology
    if topology is None:
        raise InputError("the structure of molecules needs a topology")
    volume, species = float(np.prod(one.box)), len(one.species)
    found = np.zeros((k.size, species, species))
    kinds = np.arange(species)
    found[:, kinds, kinds] = np.bincount(one.types, minlength=species)
    pairs = topology.excluded("molecule")
    whole = topology.whole(one.positions, one.box)
    distance = np.linalg.norm(whole[pairs[:, 1]] - whole[pairs[:, 0]], axis=1)
    a, b = np.sort(one.types[pairs], axis=1).T
    for i in range(species):
        for j in range(i, species):
            waves = _sines(distance[(a == i) & (b == j)], k)
            # Of like beads both orders of a pair, of unlike ones one each in ab and ba.
            found[:, i, j] += 2.0 * waves if i == j else waves
            if i != j:
                found[:, j, i] += waves
    return found / volume


def _sines(distance: NDArray[np.float64], k: Array) -> Array:
    r"""Return the sum over distances of sin(kr)/(kr) at each wave number ``(m,)``.

    .. math:: \sum_r \sin((p + q) r) / r = \sum_r (\sin pr \cos qr + \cos pr \sin qr) / r

    makes matrix products of it: of evenly spaced wave numbers in rows, p begins the rows and q is the place within
    one, so that each distance has some twice the root of m waves instead of m.
    """
    steps = np.diff(k)
    even = k.size > 2 and bool(np.all(np.abs(steps - steps[0]) <= EVEN * np.abs(steps[0])))
    width = isqrt(k.size) if even else 1
    first, within = k[::width], k[:width] - k[0]
    total = np.zeros((first.size, width))
    # A bead on another one counts as far from it as no wave can tell.
    apart = np.maximum(distance, NO_DISTANCE / max(float(np.max(np.abs(k))), NO_DISTANCE))
    chunk = max(1, AT_ONCE // (first.size + width))
    for begin in range(0, apart.size, chunk):
        r = apart[begin : begin + chunk]
        p, q = np.outer(first, r), np.outer(within, r)
        total += np.sin(p) @ (np.cos(q) / r).T + np.cos(p) @ (np.sin(q) / r).T
    waves = total.ravel()[: k.size]
    return np.asarray(np.divide(waves, k, out=np.full(k.size, float(distance.size)), where=k != 0.0))
