"""Pairs of beads of the same molecule, where a g(r) counts them or where they feel pair potentials.

Which pairs inside molecules a g(r) counts is the choice of whoever made the target; which of them feel a pair
potential is that of the model. Of the pairs in one molecule some are counted and act, some are only counted, some
only act. All pairs of different molecules do both.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.sampling import PairCounts
from cginit.target import Target

__all__ = ["Inside", "RdfParts", "count_inside"]

Counts = Interactions[PairCounts]


@dataclass(frozen=True, eq=False)
class Inside:
    """Pairs of every configuration other than those that the g(r) count; each set empty where it is the same.

    Attributes
    ----------
    between : Interactions of PairCounts
        The pairs of different molecules.
    acting : Interactions of PairCounts
        The pairs that feel pair potentials.
    both : Interactions of PairCounts
        The pairs that the g(r) count and that feel pair potentials.
    weights : ndarray, shape (frames,), or None
        Weight of each configuration; None where all are alike.
    """

    between: Counts = field(default_factory=lambda: Interactions({}))
    acting: Counts = field(default_factory=lambda: Interactions({}))
    both: Counts = field(default_factory=lambda: Interactions({}))
    weights: Array | None = None

    def __repr__(self) -> str:
        sets = (f"{name} of {', '.join(map(str, getattr(self, name)))}" for name in self.names())
        return f"<Inside: {'; '.join(one for one in sets if not one.endswith(' of ')) or 'no other pairs'}>"

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the sets of pairs."""
        return tuple(one.name for one in fields(cls) if one.name != "weights")

    def parts(self, name: Interaction, counted: RDF, pairs: float) -> RdfParts:
        """Return what the g(r) of a pair is made of, which counts so many pairs of beads."""
        between, both = self.between[name], self.both.get(name)
        n = counted.g.size
        g = between.rdf(self.weights)
        share = _number(between) / pairs
        part, answers = 1.0, counted.g
        if both is not None:
            part = _number(both) / pairs
            answers = part * both.rdf(self.weights).g[:n]
        inside = np.maximum(answers - share * g.g[:n], 0.0)
        return RdfParts(counted.r, g, share, inside, counted.g - answers, (part - share) * between.volume)


@dataclass(frozen=True, eq=False)
class RdfParts:
    r"""What a g(r) that counts pairs inside molecules is made of, :math:`g = w\, g_{between} + a + b`.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Grid of g(r).
    between : RDF
        That of the pairs of different molecules.
    share : float
        Part w of these among all pairs that count.
    answering, idle : ndarray, shape (n,)
        What pairs inside molecules add that feel the pair potential, a, and that do not, b.
    volume : float
        :math:`4 \pi \int a\, r^2 dr` over all distances: the part of all pairs times the volume of the box.
    """

    r: Array
    between: RDF
    share: float
    answering: Array
    idle: Array
    volume: float

    def target_between(self, target: RDF) -> RDF:
        """Return the g(r) between molecules of a target whose molecules are those of the simulation."""
        whole = target.with_core()
        rest = np.interp(whole.r, self.r, self.answering + self.idle)
        return RDF(whole.r, np.maximum(whole.g - rest, 0.0) / self.share, whole.error, units=whole.units)


def _number(counts: PairCounts) -> float:
    return 0.5 * counts.beads * (counts.beads - 1) if counts.pairs is None else counts.pairs


def count_inside(
    target: Target, count: Callable[[NDArray[np.intp], Counts | None], Counts], before: Inside | None
) -> Inside:
    """Count the pairs that the update and reweighting need beside those that the g(r) count.

    Parameters
    ----------
    target : Target
        Of molecules.
    count : callable
        Is given the pairs of beads that are left out and the counts of the first configurations.
    before : Inside or None
        What was counted of the first configurations.
    """
    topology = target.topology
    if topology is None or not target.leaves_out_inside_only:
        return Inside()
    before = before or Inside()
    left_out = {
        "counted": topology.excluded(target.target_exclusions),
        "between": topology.excluded("molecule"),
        "acting": topology.excluded(),
    }
    left_out["both"] = np.unique(np.concatenate([left_out["counted"], left_out["acting"]]), axis=0)
    found: dict[str, Any] = {}
    for name in Inside.names():
        if np.array_equal(left_out[name], left_out["counted"]):
            continue
        known: Counts = getattr(before, name)
        # Where no pair is left, as between molecules of a chain alone, there is nothing to know.
        with suppress(InputError):
            found[name] = count(left_out[name], known or None)
    return Inside(**found)
