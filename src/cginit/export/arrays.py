"""What the scripts of HOOMD-blue and OpenMM load: who is bonded, what is left out, tables of bonds."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np

from cginit.coordinates.table import bonded_table
from cginit.export.model import Model

__all__ = ["KINDS", "bonded_arrays", "saved"]

KINDS = ("bond", "angle", "dihedral")


def bonded_arrays(model: Model) -> dict[str, Any]:
    """Return names, members and tables ``(x, U, F)`` of the terms of each kind, and the pairs that are left out."""
    topology = model.start.topology
    excluded = np.empty((0, 2)) if topology is None else topology.excluded()
    arrays: dict[str, Any] = {"excluded": np.asarray(excluded, dtype=np.int64).reshape(-1, 2)}
    for kind in KINDS:
        own = [term for term in model.terms if term.interaction.coordinate == kind]
        arrays[f"{kind}s"] = np.array([str(term.interaction) for term in own], dtype=str)
        for k, term in enumerate(own):
            arrays[f"{kind}_{k}_members"] = term.members
            arrays[f"{kind}_{k}_table"] = np.stack(bonded_table(term.potential))
    return arrays


def saved(arrays: dict[str, Any]) -> bytes:
    """Return the arrays as an ``.npz``."""
    stream = BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
