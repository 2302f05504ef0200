"""Iterations and states of folders of format 2, which are read and gone on with."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential, Provenance
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.refine.convergence import Distance
from cginit.refine.record import Record
from cginit.refine.stored_counts import read_counts
from cginit.target import BEAD
from cginit.units import unit_system

__all__ = ["COUNTS", "CURVES", "old_state", "read_old_record"]

#: Files that iterations of either format have.
CURVES, COUNTS = "curves.npz", "counts.npz"
#: Name of the summary.
OLD_SUMMARY = "iteration.json"


def old_state(settings: Path) -> tuple[float, float]:
    """Return density and kT that a folder of format 2 states in words."""
    text = str(json.loads(settings.read_text())["identity"].get("state", ""))
    found = re.search(r"density=([^,]+), kT=([^,)]+)", text)
    if found is None:
        raise InputError(f"{settings} does not say what state it is of")
    return float(found.group(1)), float(found.group(2))


def read_old_record(folder: Path, scalars: Sequence[str]) -> Record:
    """Read an iteration of format 2, of one species or of a mixture; `scalars` are what a summary holds as it is."""
    summary = json.loads((folder / OLD_SUMMARY).read_text())
    units, mixture = summary["units"], "distances" in summary
    names = [
        Interaction.of(name.replace("|", "-")) for name in summary.get("distances", {f"{BEAD}|{BEAD}": 0})
    ]
    potentials, rdfs, distances = {}, {}, {}
    with np.load(folder / CURVES, allow_pickle=False) as data:
        for name in names:
            key = "|".join(name.beads)
            prefix, curve = (f"{key}|", f"{key}|g_r") if mixture else ("potential_", "rdf_r")
            notes = summary["notes"][key] if mixture else summary["notes"]
            r_core = summary["r_core"][key] if mixture else summary["r_core"]
            origin = summary.get("provenance")
            potentials[name] = PairPotential(
                data[f"{prefix}r"],
                data[f"{prefix}u"],
                data[f"{prefix}f"],
                data.get(f"{prefix}u_error"),
                tuple(notes),
                r_core=r_core,
                provenance=None if origin is None else Provenance(**origin),
                units=unit_system(units),
            )
            g, error = (f"{key}|g", f"{key}|g_error") if mixture else ("rdf_g", "rdf_error")
            rdfs[name] = RDF(data[curve], data[g], data.get(error), units=unit_system(units))
            distances[name] = Distance(**(summary["distances"][key] if mixture else summary["distance"]))
        place = "" if mixture else "final_"
        box, types = data[f"{place}box"], data.get("types")
        final, *others = (
            Configuration(one, box, units=units, types=types, species=tuple(summary.get("species", (BEAD,))))
            for one in (data[f"{place}positions"], *data.get("other_positions", ()))
        )
    keys = {name: "|".join(name.beads) if mixture else "counts" for name in names}
    # What the first folders of the format did not have keeps its default.
    kept = {name: summary[name] for name in scalars if name in summary}
    return Record(
        potentials=Interactions(potentials),
        rdfs=Interactions(rdfs),
        distances=Interactions(distances),
        final=final,
        others=tuple(others),
        counts=read_counts(folder / COUNTS, keys, final),
        made_by=summary.get("update", "" if summary["index"] else "start"),
        **kept,
        warnings=tuple(summary["warnings"]),
        remarks=tuple(summary.get("remarks", ())),
    )
