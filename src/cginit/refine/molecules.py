"""What the Ornstein-Zernike equation needs to know of the molecules of a simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.interactions import Interactions, all_pairs
from cginit.refine.inside import RdfParts
from cginit.refine.record import Record
from cginit.sampling import MoleculeStructure
from cginit.target import Target

__all__ = ["InsideResponse", "doubt", "molecule_structure", "parts_of"]

#: g between molecules below which it does not tell how pairs inside them answer.
SHOWN = 1e-3
#: Configurations whose molecules make up their structure factor, and distances in all of these together, at most.
MOST_FRAMES, MOST_DISTANCES = 8, 20_000


def molecule_structure(record: Record, target: Target) -> MoleculeStructure | None:
    """Return the structure of the molecules in the last configurations of a simulation; None for loose beads.

    Raises
    ------
    ConvergenceError
        If the g(r) between different molecules, which the equation wants, are not known.
    """
    if target.topology is None or not target.topology.is_molecular:
        return None
    if not target.counts_between_molecules and not record.inside.between:
        raise ConvergenceError(
            f"the g(r) count pairs inside molecules (target_exclusions = {target.target_exclusions!r}), and those "
            "between molecules, which the Ornstein-Zernike equation wants, were not counted on their own"
        )
    if len(target.rdfs) < len(all_pairs(target.densities)):
        raise ConvergenceError("some pairs of beads have no g(r); the Ornstein-Zernike equation needs all")
    configurations = [record.final, *record.others]
    if record.shapes is not None:
        places = record.shapes
        inside = max(1, len(target.topology.excluded("molecule")))
        wanted = min(len(places), MOST_FRAMES, max(1, MOST_DISTANCES // inside))
        chosen = np.linspace(0, len(places) - 1, wanted).round().astype(int)
        configurations = [replace(record.final, positions=places[one]) for one in chosen]
    return MoleculeStructure(configurations)


def parts_of(record: Record, target: Target) -> Interactions[RdfParts]:
    """Return what each g(r) of a simulation is made of; empty where they count pairs of different molecules only."""
    if target.topology is None or not record.inside.between:
        return Interactions({})
    topology, rule = target.topology, target.target_exclusions
    return Interactions(
        {
            name: record.inside.parts(name, curve, topology.pairs_left(name, rule))
            for name, curve in record.rdfs.items()
        }
    )


def doubt(record: Record, parts: Interactions[RdfParts], nodes: Array) -> Interactions[Array]:
    """Return the variance ``(n,)`` of each g(r) by pairs inside molecules whose shapes are not yet the wanted ones.

    No pair potential is to answer for that. The part by which such pairs are misplaced is that of the bond, angle or
    dihedral that is furthest from its target, half the integral of the difference.
    """
    part = max(
        (0.5 * one.integral for name, one in record.distances.items() if not name.is_pair), default=0.0
    )
    return parts.map(lambda one: (part * np.interp(nodes, one.r, one.answering + one.idle)) ** 2)


@dataclass(frozen=True, eq=False)
class InsideResponse:
    r"""How g(r) that count pairs inside molecules answer, from how those between molecules do.

    .. math:: g = w\, g_{between} + a + b, \qquad
              \delta a = a \left(\delta \ln g_{between} - \langle \delta \ln g_{between} \rangle_a\right)

    Two beads far apart along a chain feel the potential and the liquid around them as beads of different molecules at
    that distance do, and are as many as before: the mean is that over all of them. Pairs that do not feel the
    potential (b) stay. Of ten-bead chains in a liquid whose contacts are made 0.3 kT more repulsive the pairs inside
    moved by 1.3 +- 0.4 of that, beside a change of their number; of the Boltzmann factor alone, without the liquid,
    they moved by 0.5 +- 0.2.

    Attributes
    ----------
    share : ndarray, shape (pairs,)
        Part w of the pairs of different molecules among all that count.
    answering, weight : ndarray, shape (pairs, n)
        a at the nodes of the potentials, and the part of the pairs in it that each node has.
    between : ndarray, shape (pairs, n)
        g between molecules in the simulation.
    """

    share: Array
    answering: Array
    weight: Array
    between: Array

    @classmethod
    def of(cls, parts: Interactions[RdfParts], r: Array, between: Array) -> InsideResponse:
        """Put the parts of all g(r) on the nodes ``(n,)`` of the potentials, where g between molecules is known."""
        share = np.array([one.share for one in parts.values()])
        answering = np.array([np.interp(r, one.r, one.answering) for one in parts.values()])
        volume = np.array([one.volume for one in parts.values()])[:, None]
        shells = 4.0 * np.pi * r**2 * float(r[1] - r[0])
        weight = np.divide(answering * shells, volume, out=np.zeros_like(answering), where=volume > 0.0)
        return cls(share, answering, weight, between)

    def moved(self, between: Array) -> Array:
        """Return by how much all g ``(pairs, n)`` move where those between molecules become these."""
        a, _ = self._changed(between)
        return np.asarray(self.share[:, None] * (between - self.between) + a - self.answering)

    def jacobian(self, between: Array, response: Array) -> Array:
        """Return minus the derivative ``(pairs n, pairs n)`` of all g by all potentials.

        Parameters
        ----------
        between : ndarray, shape (pairs, n)
            g between molecules there.
        response : ndarray, shape (pairs n, pairs n)
            Minus its derivative.
        """
        pairs, n = self.answering.shape
        found = np.repeat(self.share, n)[:, None] * response
        a, weight = self._changed(between)
        for p in range(pairs):
            own = slice(p * n, (p + 1) * n)
            shown = between[p] > SHOWN
            relative = np.zeros((n, response.shape[1]))
            np.divide(response[own], between[p][:, None], out=relative, where=shown[:, None])
            found[own] += a[p][:, None] * (relative - weight[p] @ relative)
        return np.asarray(found)

    def _changed(self, between: Array) -> tuple[Array, Array]:
        """Return a and its weight ``(pairs, n)`` where g between molecules is changed."""
        shown = (self.between > SHOWN) & (between > SHOWN)
        factor = np.divide(between, self.between, out=np.ones_like(between), where=shown)
        factor /= 1.0 + np.sum(self.weight * (factor - 1.0), axis=1, keepdims=True)
        return self.answering * factor, self.weight * factor
