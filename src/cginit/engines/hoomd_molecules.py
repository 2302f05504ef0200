"""What the HOOMD-blue worker is told of molecules: who is bonded, tables of bonded potentials, exclusions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from cginit.engines.base import ReducedProblem
from cginit.engines.bonds import left_potential, longest_bond, terms_of
from cginit.engines.table import bonded_table, widened

__all__ = ["left_table", "molecule_inputs"]

KINDS = ("bond", "angle", "dihedral")
#: Length to which bonds may stretch while overlaps are pushed apart, in multiples of the longest.
LONGER = 1.5


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
    longest = LONGER * longest_bond(problem)
    for kind in KINDS:
        for k, term in enumerate(terms_of(problem, kind)):
            table = bonded_table(term.potential)
            arrays |= {f"{kind}_{k}": np.stack(table), f"members_{kind}_{k}": term.members}
            ranges[kind].append((float(table[0][0]), float(table[0][-1])))
            if kind == "bond":
                arrays[f"wide_{k}"] = np.stack(widened(table, longest))
    return arrays, {"terms": {kind: len(found) for kind, found in ranges.items()}, "bonds": ranges["bond"]}


def left_table(words: str, problem: ReducedProblem) -> str | None:
    """Return a sentence on the bond that left its table, if that is what the worker says."""
    found = re.search(r"bond type (\d+) of length ([0-9.eE+-]+)", words)
    return None if found is None else left_potential(problem, int(found[1]), float(found[2]))
