"""Bonds as every engine has to know them: how long they may be, and words for one that left its potential."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cginit.coordinates import BOND
from cginit.engines.base import ReducedProblem
from cginit.engines.potentials import Term

__all__ = ["left_potential", "longest_bond", "terms_of"]


def terms_of(problem: ReducedProblem, coordinate: str) -> list[Term]:
    """Return the bonded interactions of one coordinate; engines number them by their place."""
    return [term for term in problem.terms if term.interaction.coordinate == coordinate]


def longest_bond(problem: ReducedProblem, further: NDArray[np.int64] | None = None) -> float:
    """Return the longest bond that can occur, those of the start among them; 0 without any.

    `further` ``(m, 2)``: pairs of beads that count as bonds.
    """
    bonds = terms_of(problem, "bond")
    lengths = [float(term.potential.x[-1]) for term in bonds]
    pairs = [term.members for term in bonds] + ([] if further is None else [further])
    beads = np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)
    if len(beads):
        lengths.append(float(BOND.measure(problem.start.positions, beads, problem.start.box).max()))
    return max(lengths, default=0.0)


def left_potential(problem: ReducedProblem, number: int, length: float) -> str | None:
    """Return a sentence on the bond of that number (from 0) and reduced length that left its potential."""
    bonds = terms_of(problem, "bond")
    if not 0 <= number < len(bonds):
        return None
    term = bonds[number]
    low, high = term.potential.x[[0, -1]] * problem.length
    unit = problem.units.length
    return (
        f"a {term.interaction} of length {length * problem.length:.4g} {unit} left its potential, which ends at "
        f"{low:.4g} and {high:.4g} {unit}; the run blew up, or the potential does not hold the bond"
    )
