"""The structure factors of a simulation and of its target, from the same range of g(r)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.interactions import Interactions
from cginit.liquid.finite_size import infinite_system
from cginit.liquid.structure_factor import structure_factor
from cginit.refine.record import Record
from cginit.report.comparison import Comparison
from cginit.target import Target

__all__ = ["StructureFactors", "structure_factors"]

#: Wave numbers that are drawn, and the largest in units of 2 pi by the distance of the highest peak of g.
POINTS, LARGEST = 240, 6.0
#: Turns of finding S(k -> 0) and correcting g for the size of the box by it.
TURNS = 2


@dataclass(frozen=True, eq=False)
class StructureFactors:
    """S(k) of all pairs of one state.

    Attributes
    ----------
    k : ndarray, shape (m,)
        Wave numbers from 2 pi by the range of g on.
    got, wanted : Interactions of ndarray
        S(k) ``(m,)`` of the simulation and of the target; of molecules that between them.
    """

    k: Array
    got: Interactions[Array]
    wanted: Interactions[Array]


def structure_factors(record: Record, target: Target) -> StructureFactors | None:
    """Return S(k) of a simulation and its target; None where their g(r) do not hold what it is made of.

    All pairs are needed, and of molecules g(r) that count the pairs of different ones, no more and no less.
    """
    shown = {name: one for name in target.rdfs if (one := Comparison.of(name, record, target))}
    every = [name for name in target.interactions if name.is_pair]
    if not shown or set(every) - set(shown) or not target.counts_between_molecules:
        return None
    n = min(one.x.size for one in shown.values())
    r = next(iter(shown.values())).x[:n]
    highest = max((one.wanted[:n] for one in shown.values()), key=np.max)
    peak = max(float(r[int(np.argmax(highest))]), float(r[1]))
    last = min(LARGEST * 2.0 * np.pi / peak, np.pi / float(r[1] - r[0]))
    first = 2.0 * np.pi / float(r[-1])
    if first >= last:
        return None
    k = np.linspace(first, last, POINTS)
    got = np.array([shown[name].got[:n] for name in target.rdfs])
    wanted = np.array([shown[name].wanted[:n] for name in target.rdfs])
    known = next((one.beads for one in target.rdfs.values() if one.beads is not None), None)
    return StructureFactors(
        k,
        _transformed(r, got, k, target, sum(record.beads.values())),
        _transformed(r, wanted, k, target, known),
    )


def _transformed(r: Array, g: Array, k: Array, target: Target, beads: int | None) -> Interactions[Array]:
    """Return S(k) of all pairs from their g ``(pairs, n)``, without what a box of so many beads does to these."""
    species = list(target.densities)
    densities = np.array(list(target.densities.values()))
    # Of molecules g leaves out the beads of the same one, each bead itself among them.
    molecular = target.topology is not None and target.topology.is_molecular

    def transform(values: Array) -> list[Array]:
        return [
            structure_factor(
                r,
                one,
                k,
                (target.densities[name.types[0]], target.densities[name.types[1]]),
                like=name.like and not molecular,
            )
            for name, one in zip(target.rdfs, values, strict=True)
        ]

    found = transform(g)
    if beads is not None and not molecular and beads * densities.min() > densities.sum():
        for _ in range(TURNS):
            s_0 = np.zeros((len(species), len(species)))
            for name, one in zip(target.rdfs, found, strict=True):
                a, b = (species.index(kind) for kind in name.types)
                s_0[a, b] = s_0[b, a] = one[0]
            found = transform(infinite_system(g, s_0, beads * densities / densities.sum()))
    return Interactions(dict(zip(target.rdfs, found, strict=True)))
