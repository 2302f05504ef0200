"""The part of the files of a refinement that only molecules have: distributions, their counts, the topology."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cginit.bonded import Distribution
from cginit.coordinates import BondedCounts
from cginit.interactions import Interaction, Interactions
from cginit.refine.record import Record
from cginit.topology import Topology
from cginit.units import unit_system

__all__ = [
    "bonded_count_arrays",
    "read_bonded_counts",
    "read_topology",
    "stored_distribution",
    "stored_topology",
    "topology_arrays",
]


def stored_distribution(data: Any, name: Interaction, prefix: str, units: str) -> Distribution:
    """Return the distribution whose arrays begin with a prefix."""
    return Distribution(
        data[f"{prefix}|x"],
        data[f"{prefix}|p"],
        data.get(f"{prefix}|error"),
        coordinate=name.coordinate,
        units=unit_system(units),
    )


def bonded_count_arrays(record: Record) -> dict[str, Any]:
    """Return what is kept of the counts of bonds, angles and dihedrals."""
    arrays: dict[str, Any] = {}
    for name, one in record.bonded_counts.items():
        arrays |= {f"{name}|counts": one.counts, f"{name}|members": np.array(one.members)}
    return arrays


def read_bonded_counts(
    path: Path, distributions: Mapping[Interaction, Distribution], units: str
) -> Interactions[BondedCounts]:
    """Return the counts of a file, where it is there."""
    if not path.exists():
        return Interactions({})
    with np.load(path, allow_pickle=False) as data:
        return Interactions(
            {
                name: BondedCounts(
                    name, one.x, data[f"{name}|counts"], int(data[f"{name}|members"]), unit_system(units)
                )
                for name, one in distributions.items()
            }
        )


def read_topology(path: Path) -> Topology | None:
    """Return the topology of a target that `write_target` wrote; None of loose beads."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as data:
        return stored_topology(data)


def topology_arrays(topology: Topology) -> dict[str, Any]:
    """Return what a topology is made of."""
    arrays: dict[str, Any] = {
        "topology|types": topology.types,
        "topology|molecules": topology.molecules,
        "topology|exclusions": np.array(topology.exclusions),
        "topology|listed": topology.listed,
        "topology|masses": topology.masses,
    }
    return arrays | {f"{name}|members": members for name, members in topology.terms.items()}


def stored_topology(data: Any) -> Topology | None:
    """Return the topology whose arrays these are; None of loose beads."""
    if "topology|types" not in data:
        return None
    terms = {
        Interaction.of(key.removesuffix("|members")): data[key] for key in data if key.endswith("|members")
    }
    return Topology(
        data["topology|types"],
        tuple(data["species"].tolist()),
        Interactions(terms),
        data["topology|molecules"],
        exclusions=str(data["topology|exclusions"]),
        listed=data["topology|listed"],
        # Absent in folders of before.
        masses=data.get("topology|masses"),
    )
