r"""The linear equations between the positions of beads and the potentials that act on them.

With the energy :math:`E = \sum_k c_k \psi_k` in kT, linear in its coefficients, the density of configurations
:math:`e^{-E}` obeys :math:`\langle \nabla E \cdot \nabla \psi_k \rangle = \langle \nabla^2 \psi_k \rangle` for every
k (integration by parts), hence

.. math:: \sum_l A_{kl} c_l = b_k, \qquad A_{kl} = \langle \nabla\psi_k \cdot \nabla\psi_l \rangle, \qquad
          b_k = \langle \nabla^2 \psi_k \rangle,

averages over configurations alone: the generalised Yvon-Born-Green equations, and what score matching minimises,
:math:`\langle \tfrac12 |\nabla E|^2 - \nabla^2 E \rangle = \tfrac12 c A c - b c`.

The gradient of a dihedral is infinite where its bonds lie in a line, :math:`1/\sin\theta`, and a few such molecules
would be most of an average. The derivatives by the place of a bead i therefore count with a weight :math:`w_i` of the
configuration that vanishes there, which the same integration by parts allows:

.. math:: A_{kl} = \Big\langle \sum_i w_i \nabla_i\psi_k \cdot \nabla_i\psi_l \Big\rangle, \qquad
          b_k = \Big\langle \sum_i \nabla_i \cdot (w_i \nabla_i \psi_k) \Big\rangle, \qquad
          w_i = \prod_\theta \frac{\sin^2\theta}{\sin^2\theta + \epsilon}

with the angles of all dihedrals that bead i is part of. Without dihedrals all weights are 1.

Sources: J. W. Mullinax and W. G. Noid, Phys. Rev. Lett. 103, 198104 (2009), doi:10.1103/PhysRevLett.103.198104;
A. Hyvärinen, J. Mach. Learn. Res. 6, 695 (2005); with weights A. Barp et al., NeurIPS 32 (2019), arXiv:1906.08283.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cginit.bonded_grids import period
from cginit.coordinates import COORDINATES
from cginit.curves import Array
from cginit.errors import InputError, MissingDependencyError
from cginit.guess.direct_basis import Basis
from cginit.periodic import narrowest
from cginit.sampling.counter import lower_triangular
from cginit.topology import Topology

if TYPE_CHECKING:
    from cginit.sampling.gradients import PairFunctions

__all__ = ["Equations", "FrameEquations"]

#: Numbers in the gradients that are in memory at once (64 MB).
AT_ONCE = 8_000_000
#: The search for neighbours reaches further than the functions by this part.
MARGIN = 1e-6
#: Sine of an angle that is as good as straight, where the weights are as good as 0.
LEAST_SINE = 1e-6
#: Square of the sine of an angle from which the dihedrals beside it count in full.
BENT = 0.1


@dataclass(frozen=True, eq=False)
class Equations:
    """The averages of blocks of configurations, per bead.

    Attributes
    ----------
    a : ndarray, shape (blocks, p, p)
        Products of gradients.
    b : ndarray, shape (blocks, p)
        Laplacians.
    frames : ndarray, shape (blocks,)
        Configurations of each block.
    """

    a: Array
    b: Array
    frames: Array

    def without(self, block: int | None) -> tuple[Array, Array]:
        """Return the averages of all blocks, or of all but one."""
        weight = self.frames.astype(np.float64)
        if block is not None:
            weight[block] = 0.0
        weight /= weight.sum()
        return np.tensordot(weight, self.a, 1), weight @ self.b


@dataclass(frozen=True, eq=False)
class FrameEquations:
    """What one configuration after another adds to the equations.

    Parameters
    ----------
    topology : Topology
        The molecules, with the pairs that feel no pair potential.
    bases : sequence of Basis
        The functions of each interaction.
    """

    topology: Topology
    bases: Sequence[Basis]

    @property
    def size(self) -> int:
        """Number of columns."""
        return sum(one.size for one in self.bases)

    def of_blocks(
        self, frames: Iterable[tuple[NDArray[np.floating[Any]], Array]], n_frames: int, blocks: int
    ) -> Equations:
        """Return the averages of so many configurations and their lattice vectors, in blocks contiguous in time.

        Raises
        ------
        InputError
            If there are fewer configurations than blocks, or a pair function reaches beyond half the box.
        MissingDependencyError
            If Numba is not installed.
        """
        if n_frames < blocks:
            raise InputError(
                f"{n_frames} frames cannot fill {blocks} blocks; sample more often or run longer"
            )
        found = Equations(
            np.zeros((blocks, self.size, self.size)), np.zeros((blocks, self.size)), np.zeros(blocks)
        )
        pairs = _Pairs.of(self.topology, self.bases)
        for index, (positions, vectors) in enumerate(frames):
            block = index * blocks // n_frames
            a, b = self._of_frame(pairs, np.array(positions, dtype=np.float64), vectors)
            found.a[block] += a
            found.b[block] += b
            found.frames[block] += 1.0
        scale = 1.0 / (found.frames * self.topology.n)
        return Equations(found.a * scale[:, None, None], found.b * scale[:, None], found.frames)

    def _of_frame(self, pairs: _Pairs, positions: Array, vectors: Array) -> tuple[Array, Array]:
        kernel = _kernel()
        lattice, turned = lower_triangular(vectors)
        if pairs.reach > 0.5 * narrowest(lattice):
            raise InputError(
                f"the cut-off {pairs.reach:g} reaches beyond half the box ({0.5 * narrowest(lattice):g}); choose a "
                "shorter one"
            )
        placed = positions if turned is None else np.ascontiguousarray(positions @ turned)
        n = len(placed)
        a, b = np.zeros((self.size, self.size)), np.zeros(self.size)
        # Without pairs any reach will do.
        reach = pairs.reach * (1.0 + MARGIN) or 0.1 * narrowest(lattice)
        beads = kernel.sort_beads(placed, lattice, reach)
        order = beads.order
        rank = np.empty(n, dtype=np.int64)
        rank[order] = np.arange(n)
        weights, slopes = self._weights(placed, lattice)
        groups = [self._groups(one, start, placed, lattice, weights, b) for one, start in self._bonded()]
        at_once = max(1, AT_ONCE // (3 * self.size))
        for first in range(0, n, at_once):
            rows = np.zeros((min(at_once, n - first), 3, self.size))
            if pairs.reach > 0.0:
                kernel.add_pairs(first, rows, b, weights, beads, pairs.functions)
            for members, place, gradient, basis, columns in groups:
                kernel.add_groups(
                    first, rows, rank, members, place, gradient, basis.intervals, columns, basis.signs
                )
            here = order[first : first + len(rows)]
            b += np.einsum("ij,ijk->k", slopes[here], rows)
            rows *= np.sqrt(weights[here])[:, None, None]
            flat = rows.reshape(-1, self.size)
            a += flat.T @ flat
        return a, b

    @cached_property
    def _bent(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the angles ``(m, 3)`` of the dihedrals, and which of them weighs on which bead, two ``(k,)``."""
        groups = [self.topology.terms[one.name] for one in self.bases if one.name.coordinate == "dihedral"]
        members = np.concatenate([np.empty((0, 4), dtype=np.int64), *groups])
        both = np.concatenate([members[:, :3], members[:, 1:]])
        both = np.where(both[:, :1] > both[:, 2:], both[:, ::-1], both)
        angles, which = np.unique(both, axis=0, return_inverse=True)
        weighs = np.column_stack([np.repeat(which.reshape(-1), 4), np.tile(members, (2, 1)).reshape(-1)])
        own, beads = np.unique(weighs, axis=0).T
        return angles, own, beads

    def _weights(self, positions: Array, lattice: Array) -> tuple[Array, Array]:
        """Return the weight of each bead ``(n,)``, and its derivative by the place of that bead ``(n, 3)``."""
        n = len(positions)
        weights, slopes = np.ones(n), np.zeros((n, 3))
        angles, which, beads = self._bent
        if not len(angles):
            return weights, slopes
        theta, gradient = COORDINATES["angle"].gradient(positions, angles, lattice)
        sine = np.maximum(np.sin(theta), LEAST_SINE)
        logarithm = np.zeros(n)
        np.add.at(logarithm, beads, np.log(sine**2 / (sine**2 + BENT))[which])
        weights = np.exp(logarithm)
        # Only the angles that a bead is part of change with its place.
        row, place = np.nonzero(angles[which] == beads[:, None])
        change = 2.0 * BENT * np.cos(theta) / (sine * (sine**2 + BENT))
        np.add.at(slopes, beads[row], change[which[row], None] * gradient[which[row], place])
        return weights, weights[:, None] * slopes

    def _bonded(self) -> list[tuple[Basis, int]]:
        starts = np.concatenate([[0], np.cumsum([one.size for one in self.bases])])
        return [
            (one, int(start))
            for one, start in zip(self.bases, starts[:-1], strict=True)
            if not one.name.is_pair
        ]

    def _groups(
        self, basis: Basis, start: int, positions: Array, lattice: Array, weights: Array, b: Array
    ) -> tuple[NDArray[np.int64], Array, Array, Basis, NDArray[np.int64]]:
        """Return beads, places and gradients of one bonded interaction, and add its Laplacians to b."""
        coordinate = COORDINATES[basis.name.coordinate]
        members = self.topology.terms[basis.name]
        x, gradient = coordinate.gradient(positions, members, lattice)
        laplacian = coordinate.laplacian(positions, members, lattice)
        place = (x - basis.origin) / basis.step
        if period(coordinate.name):
            place = np.mod(place, basis.intervals)
        columns = np.where(basis.columns >= 0, basis.columns + start, -1)
        inside = (place >= 0.0) & (place < basis.intervals)
        knot = place[inside].astype(np.int64)
        values, slopes = _splines(place[inside] - knot)
        square = np.einsum("kij,kij,ki->k", gradient, gradient, weights[members])[inside]
        curved = np.einsum("ki,ki->k", laplacian, weights[members])[inside]
        for m in range(4):
            column, sign = columns[knot + m], basis.signs[knot + m]
            added = sign * (slopes[m] / basis.step * square + values[m] * curved)
            np.add.at(b, column[column >= 0], added[column >= 0])
        return np.ascontiguousarray(members), place, np.ascontiguousarray(gradient), basis, columns


def _splines(x: Array) -> tuple[Array, Array]:
    """Return the four cubic B-splines ``(4, n)`` at places between two knots, and their slopes."""
    y = 1.0 - x
    values = [y**3, 3.0 * x**3 - 6.0 * x**2 + 4.0, 3.0 * y**3 - 6.0 * y**2 + 4.0, x**3]
    slopes = [-0.5 * y**2, 1.5 * x**2 - 2.0 * x, 2.0 * y - 1.5 * y**2, 0.5 * x**2]
    return np.array(values) / 6.0, np.array(slopes)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The pair functions as the kernel wants them, and the end of the longest."""

    reach: float
    functions: PairFunctions

    @classmethod
    def of(cls, topology: Topology, bases: Sequence[Basis]) -> _Pairs:
        starts = np.concatenate([[0], np.cumsum([one.size for one in bases])])
        pairs = [(one, start) for one, start in zip(bases, starts, strict=False) if one.name.is_pair]
        rows = np.full((len(topology.species),) * 2, -1, dtype=np.int32)
        for row, (one, _) in enumerate(pairs):
            a, b = (topology.species.index(name) for name in one.name.types)
            rows[a, b] = rows[b, a] = row
        left_out = topology.excluded().astype(np.int64)
        both = np.concatenate([left_out, left_out[:, ::-1]])
        both = both[np.argsort(both[:, 0], kind="stable")]
        begin = np.searchsorted(both[:, 0], np.arange(topology.n + 1)).astype(np.int64)
        origin, step, ends = (
            np.array([getattr(one, name) for one, _ in pairs]) for name in ("origin", "step", "end")
        )
        columns = np.array([[start, one.size] for one, start in pairs], dtype=np.int64).reshape(-1, 2)
        functions = _kernel().PairFunctions(
            topology.types.astype(np.int32),
            rows,
            begin,
            np.ascontiguousarray(both[:, 1]),
            origin,
            step,
            *np.ascontiguousarray(columns.T),
        )
        return cls(float(ends.max(initial=0.0)), functions)


def _kernel() -> Any:
    try:
        from cginit.sampling import gradients
    except ImportError as error:
        raise MissingDependencyError(
            "the inversion of a trajectory needs Numba: pip install 'cginit[sampling]'"
        ) from error
    return gradients
