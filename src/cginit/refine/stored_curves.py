"""The files of a refinement: how a record, a target and a reweighted estimate are written and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from cginit.atomic import write_arrays
from cginit.bonded import BondedPotential, Distribution, Potential
from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential, Provenance
from cginit.interactions import Interaction, Interactions
from cginit.refine.convergence import Distance
from cginit.refine.old_format import COUNTS, CURVES, old_state, read_old_record
from cginit.refine.record import Record, Round
from cginit.refine.stored_counts import count_arrays, read_counts, read_inside
from cginit.refine.stored_molecules import (
    bonded_count_arrays,
    read_bonded_counts,
    stored_distribution,
    stored_topology,
    topology_arrays,
)
from cginit.refine.whole_files import write_json
from cginit.target import BEAD, Target
from cginit.topology import Topology
from cginit.units import unit_system

__all__ = [
    "read_estimate",
    "read_record",
    "read_target",
    "write_estimate",
    "write_record",
    "write_target",
]

BONDED, SUMMARY = "bonded_counts.npz", "record.json"
#: What a summary holds as it is.
_SCALARS = (
    *(
        "index",
        "pressure",
        "pressure_error",
        "made_by",
        "engine",
        "seed",
        "steps",
        "seconds",
        "engine_seconds",
    ),
    *("complete", "skipped", "relaxed", "longer"),
)
_TEXTS = ("warnings", "remarks")


def write_record(record: Record, folder: Path) -> None:
    """Write a record as ``record.json``, ``curves.npz`` and ``counts.npz``."""
    arrays = _curves(record)
    arrays |= {
        "final|types": record.final.types,
        "final|positions": record.final.positions,
        "final|box": record.final.box,
    }
    if record.others:
        arrays["final|others"] = np.array([one.positions for one in record.others])
    if record.shapes is not None:
        arrays["shapes"] = record.shapes
    write_arrays(folder / CURVES, arrays)
    if record.counts:
        write_arrays(folder / COUNTS, count_arrays(record))
    if record.bonded_counts:
        write_arrays(folder / BONDED, bonded_count_arrays(record))
    summary: dict[str, Any] = {name: getattr(record, name) for name in _SCALARS}
    summary |= {name: list(getattr(record, name)) for name in _TEXTS}
    summary |= {
        "units": record.final.units.name,
        "species": list(record.final.species),
        "held": [str(name) for name in record.held],
        "interactions": {
            str(name): {
                **({"distance": asdict(record.distances[name])} if name in record.distances else {}),
                "notes": list(potential.notes),
                **({"r_core": potential.r_core} if isinstance(potential, PairPotential) else {}),
                "provenance": None if potential.provenance is None else asdict(potential.provenance),
            }
            for name, potential in record.potentials.items()
        },
    }
    write_json(summary, folder / SUMMARY)


def read_record(folder: Path, topology: Topology | None = None) -> Record:
    """Read what `write_record` wrote, or an iteration of format 2; `topology` is that of the state."""
    if not (folder / SUMMARY).exists():
        return read_old_record(folder, _SCALARS)
    summary = json.loads((folder / SUMMARY).read_text())
    units, species = summary["units"], tuple(summary["species"])
    with np.load(folder / CURVES, allow_pickle=False) as data:
        potentials = {
            name: _potential(data, name, units, values) for name, values in _named(summary["interactions"])
        }
        rdfs = {name: _rdf(data, f"{name}|g", units) for name in potentials if f"{name}|g|r" in data}
        distributions = {
            name: stored_distribution(data, name, f"{name}|p", units)
            for name in potentials
            if f"{name}|p|x" in data
        }
        box, types, shapes = data["final|box"], data["final|types"], data.get("shapes")
        final, *others = (
            Configuration(positions, box, units=units, types=types, species=species, topology=topology)
            for positions in (data["final|positions"], *data.get("final|others", ()))
        )
    return Record(
        potentials=Interactions(potentials),
        rdfs=Interactions(rdfs),
        distances=Interactions(
            {
                name: Distance(**values["distance"])
                for name, values in _named(summary["interactions"])
                if "distance" in values
            }
        ),
        counts=read_counts(folder / COUNTS, {name: f"{name}|counts" for name in rdfs}, final),
        distributions=Interactions(distributions),
        bonded_counts=read_bonded_counts(folder / BONDED, distributions, units),
        inside=read_inside(folder / COUNTS, tuple(rdfs), final),
        final=final,
        others=tuple(others),
        shapes=shapes,
        held=frozenset(Interaction.of(name) for name in summary["held"]),
        **{name: summary[name] for name in _SCALARS},
        warnings=tuple(summary["warnings"]),
        remarks=tuple(summary["remarks"]),
    )


def _named(table: Mapping[str, Any]) -> Iterator[tuple[Interaction, Any]]:
    for name, value in table.items():
        yield Interaction.of(name), value


def _curves(record: Record) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for name, potential in record.potentials.items():
        grid = potential.r if isinstance(potential, PairPotential) else potential.x
        arrays |= {f"{name}|r": grid, f"{name}|u": potential.u, f"{name}|f": potential.f}
        if potential.u_error is not None:
            arrays[f"{name}|u_error"] = potential.u_error
    for name, p in record.distributions.items():
        arrays |= _distribution_arrays(f"{name}|p", p)
    for name, g in record.rdfs.items():
        arrays |= _rdf_arrays(f"{name}|g", g)
    return arrays


def _rdf_arrays(prefix: str, curve: RDF) -> dict[str, Any]:
    """Return the arrays of which `_rdf` makes the curve again."""
    arrays: dict[str, Any] = {f"{prefix}|r": curve.r, f"{prefix}|g": curve.g}
    if curve.error is not None:
        arrays[f"{prefix}|error"] = curve.error
    if curve.beads is not None:
        arrays[f"{prefix}|beads"] = np.array(curve.beads)
    return arrays


def _distribution_arrays(prefix: str, p: Distribution) -> dict[str, Any]:
    arrays = {f"{prefix}|x": p.x, f"{prefix}|p": p.p}
    return arrays if p.error is None else {**arrays, f"{prefix}|error": p.error}


def _potential(data: Any, name: Interaction, units: str, values: Mapping[str, Any]) -> Potential:
    origin = values["provenance"]
    if not name.is_pair:
        return BondedPotential(
            data[f"{name}|r"],
            data[f"{name}|u"],
            data[f"{name}|f"],
            coordinate=name.coordinate,
            units=unit_system(units),
            u_error=data.get(f"{name}|u_error"),
            provenance=None if origin is None else Provenance(**origin),
            notes=tuple(values["notes"]),
        )
    return PairPotential(
        data[f"{name}|r"],
        data[f"{name}|u"],
        data[f"{name}|f"],
        data.get(f"{name}|u_error"),
        tuple(values["notes"]),
        r_core=values["r_core"],
        provenance=None if origin is None else Provenance(**origin),
        units=unit_system(units),
    )


def _rdf(data: Any, prefix: str, units: str) -> RDF:
    beads = data.get(f"{prefix}|beads")
    return RDF(
        data[f"{prefix}|r"],
        data[f"{prefix}|g"],
        data.get(f"{prefix}|error"),
        units=unit_system(units),
        beads=None if beads is None else int(beads),
    )


def write_target(target: Target, path: Path) -> None:
    """Write a target as one .npz file."""
    arrays: dict[str, Any] = {
        "units": np.array(target.units.name),
        "species": np.array(target.species),
        "densities": np.array(list(target.densities.values())),
        "kT": np.array(target.kT),
        "weight": np.array(target.weight),
    }
    if target.pressure is not None:
        arrays["pressure"] = np.array(target.pressure)
    if target.topology is not None:
        arrays |= topology_arrays(target.topology)
        arrays["target_exclusions"] = np.array(target.target_exclusions)
    for name, p in target.distributions.items():
        arrays |= _distribution_arrays(str(name), p)
    for name, curve in target.rdfs.items():
        arrays |= _rdf_arrays(str(name), curve)
    for name, curve in target.inside.items():
        # Versions that do not know them take a key that ends with |g for a pair of the target.
        arrays |= {f"{key} inside": array for key, array in _rdf_arrays(str(name), curve).items()}
    write_arrays(path, arrays)


def read_target(path: Path) -> Target:
    """Read what `write_target` wrote, or the target of a folder of format 2."""
    with np.load(path, allow_pickle=False) as data:
        units = str(data["units"])
        if "species" not in data:
            density, kT = old_state(path.with_name("refinement.json"))
            curve = RDF(data["r"], data["g"], data.get("error"), units=unit_system(units))
            return Target({(BEAD, BEAD): curve}, {BEAD: density}, kT)
        densities = dict(zip(data["species"].tolist(), data["densities"].tolist(), strict=True))
        # Format 2 names a pair A|B.
        names = {key.removesuffix("|g"): key for key in data if key.endswith("|g")}
        rdfs = {Interaction.of(name.replace("|", "-")): _rdf(data, name, units) for name in names}
        pressure, weight = data.get("pressure"), data.get("weight")
        distributions = {
            one: stored_distribution(data, one, str(one), units)
            for one in (Interaction.of(key.removesuffix("|p")) for key in data if key.endswith("|p"))
        }
        inside = {
            Interaction.of(pair): RDF(
                data[f"{pair}|r inside"],
                data[key],
                data.get(f"{pair}|error inside"),
                units=unit_system(units),
            )
            for key in data
            if (pair := key.removesuffix("|g inside")) != key
        }
        return Target(
            Interactions(rdfs),
            densities,
            float(data["kT"]),
            None if pressure is None else float(pressure),
            1.0 if weight is None else float(weight),
            topology=stored_topology(data),
            target_exclusions=str(data.get("target_exclusions", "molecule")),
            distributions=Interactions(distributions),
            inside=Interactions(inside),
        )


def write_estimate(path: Path, estimate: Round, skipped: int) -> None:
    """Keep the curves of the last potentials, which reweighting has judged, beside the records."""
    arrays: dict[str, Any] = {"skipped": np.array(skipped)}
    for number, record in enumerate(estimate):
        arrays |= {f"{number}|{key}": value for key, value in _curves(record).items()}
        for name, one in record.distances.items():
            arrays[f"{number}|{name}|distance"] = np.array(list(asdict(one).values()))
        arrays[f"{number}|pressure"] = np.array([record.pressure, record.pressure_error])
    write_arrays(path, arrays)


def read_estimate(path: Path, last: Round) -> Round | None:
    """Return what `write_estimate` wrote, as records made from those of the last round; None of format 2."""
    with np.load(path, allow_pickle=False) as data:
        if "0|pressure" not in data:
            return None
        found = []
        for number, record in enumerate(last):
            units = record.final.units
            own = {key.removeprefix(f"{number}|"): data[key] for key in data if key.startswith(f"{number}|")}
            potentials: dict[Interaction, Potential] = {}
            for name, before in record.potentials.items():
                kept = {"notes": (), "provenance": None, "r_core": getattr(before, "r_core", 0.0)}
                potentials[name] = _potential(own, name, units.name, kept)
            rdfs = {name: _rdf(own, f"{name}|g", units.name) for name in record.rdfs}
            distributions = {
                name: stored_distribution(own, name, f"{name}|p", units.name) for name in record.distributions
            }
            distances = {name: Distance(*own[f"{name}|distance"].tolist()) for name in record.distances}
            pressure, error = own["pressure"].tolist()
            found.append(
                replace(
                    record,
                    potentials=Interactions(potentials),
                    rdfs=Interactions(rdfs),
                    distributions=Interactions(distributions),
                    distances=Interactions(distances),
                    pressure=pressure,
                    pressure_error=error,
                    counts=Interactions({}),
                    bonded_counts=Interactions({}),
                    skipped=int(data["skipped"]),
                )
            )
        return tuple(found)
