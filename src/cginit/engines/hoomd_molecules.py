"""What the HOOMD-blue worker is told of molecules: who is bonded, tables of bonded potentials, exclusions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from cginit.coordinates import BOND
from cginit.engines.base import ReducedProblem
from cginit.engines.table import bonded_table, widened

__all__ = ["left_table", "molecule_inputs"]

KINDS = ("bond", "angle", "dihedral")


def molecule_inputs(problem: ReducedProblem) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return arrays and settings of the molecules of a problem; empty where all beads are loose.

    All pairs that are left out are listed one by one, whatever the rule. Bonds have a second table, in which they may
    have any length, as while overlaps are pushed apart.
    """
    start = problem.start
    if start.topology is None or not problem.is_molecular:
        return {}, {}
    arrays: dict[str, Any] = {
        "excluded": np.asarray(start.topology.excluded(), dtype=np.int64).reshape(-1, 2)
    }
    ranges: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    longest = _longest(problem)
    for kind in KINDS:
        terms = [term for term in problem.terms if term.interaction.coordinate == kind]
        for k, term in enumerate(terms):
            table = bonded_table(term.potential)
            arrays |= {f"{kind}_{k}": np.stack(table), f"members_{kind}_{k}": term.members}
            ranges[kind].append((float(table[0][0]), float(table[0][-1])))
            if kind == "bond":
                arrays[f"wide_{k}"] = np.stack(widened(table, longest))
    return arrays, {"terms": {kind: len(found) for kind, found in ranges.items()}, "bonds": ranges["bond"]}


def _longest(problem: ReducedProblem) -> float:
    """Return a length that no bond of the start, or of its potential, comes near."""
    start, longest = problem.start, 0.0
    for term in problem.terms:
        if term.interaction.coordinate == "bond":
            measured = BOND.measure(start.positions, term.members, start.box)
            longest = max(longest, float(term.potential.x[-1]), float(np.max(measured, initial=0.0)))
    return 1.5 * longest


def left_table(words: str, problem: ReducedProblem) -> str | None:
    """Return a sentence on the bond that left its table, if that is what the worker says."""
    found = re.search(r"bond type (\d+) of length ([0-9.eE+-]+)", words)
    bonds = [term for term in problem.terms if term.interaction.coordinate == "bond"]
    if found is None or int(found[1]) >= len(bonds):
        return None
    term, length = bonds[int(found[1])], float(found[2])
    low, high = term.potential.x[[0, -1]] * problem.length
    unit = problem.units.length
    return (
        f"a {term.interaction} of length {length * problem.length:.4g} {unit} left its potential, which ends at "
        f"{low:.4g} and {high:.4g} {unit}; the run blew up, or the potential does not hold the bond"
    )
