"""Topologies in VOTCA's XML: molecules of named beads, their bonds, angles and dihedrals, and the box."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from cginit.errors import InputError
from cginit.untrusted import parse_xml

__all__ = ["is_votca_topology", "votca_universe"]

_KINDS = (("bond", 2), ("angle", 3), ("dihedral", 4))


def is_votca_topology(path: Path) -> bool:
    """Whether a file is a topology in VOTCA's XML."""
    if path.suffix.lower() != ".xml" or not path.is_file():
        return False
    with path.open(errors="replace") as file:
        return "<topology" in file.read(4096)


def votca_universe(path: Path) -> Any:
    """Return an MDAnalysis universe of the beads that the XML lists, without positions.

    Bonded terms keep the name under which the file lists them.

    Raises
    ------
    InputError
        If the file is no such topology.
    """
    import MDAnalysis

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from error
    root = parse_xml(content, str(path))
    names: list[str] = []
    types: list[str] = []
    masses: list[float] = []
    kinds: list[str] = []
    owner: list[int] = []
    # Places of the beads of each kind of molecule, by name.
    places: dict[str, dict[str, list[int]]] = {}
    for molecule in root.iterfind("molecules/molecule"):
        kind, times = _attribute(molecule, "name", path), int(_attribute(molecule, "nmols", path))
        beads = [(_attribute(bead, "name", path), bead) for bead in molecule.iterfind("bead")]
        if not beads:
            raise InputError(f"{path}: the molecule {kind} has no beads")
        for _ in range(times):
            for name, bead in beads:
                places.setdefault(kind, {}).setdefault(name, []).append(len(names))
                names.append(name)
                types.append(bead.get("type", name))
                masses.append(float(bead.get("mass", 1.0)))
                owner.append(len(kinds))
            kinds.append(kind)
    base = root.get("base")
    if not names and base:
        raise InputError(
            f"{path} takes its beads from {base} (base) and changes their molecules; give {base} instead"
        )
    if not names:
        raise InputError(
            f"{path} lists no molecules; a topology has <topology><molecules><molecule name= nmols= >"
        )
    universe = MDAnalysis.Universe.empty(len(names), len(kinds), atom_resindex=owner, trajectory=False)
    universe.add_TopologyAttr("names", names)
    universe.add_TopologyAttr("types", types)
    universe.add_TopologyAttr("masses", masses)
    universe.add_TopologyAttr("moltypes", kinds)
    universe.add_TopologyAttr("molnums", np.arange(len(kinds)))
    for kind, size in _KINDS:
        groups, labels = _terms(root, kind, size, places, path)
        if groups:
            getattr(universe, f"add_{kind}s")(groups, types=labels)
    return universe


def _terms(
    root: ElementTree.Element, kind: str, size: int, places: dict[str, dict[str, list[int]]], path: Path
) -> tuple[list[tuple[int, ...]], list[str]]:
    """Return the beads of each bonded term, and what the file calls it."""
    groups: list[tuple[int, ...]] = []
    labels: list[str] = []
    for entry in root.iterfind(f"bonded/{kind}"):
        name = (entry.findtext("name") or kind).strip()
        words = (entry.findtext("beads") or "").split()
        if not words or len(words) % size:
            raise InputError(f"{path}: the {kind} {name} names {len(words)} beads; it needs {size} for each")
        for first in range(0, len(words), size):
            found = []
            for word in words[first : first + size]:
                molecule, _, bead = word.partition(":")
                if bead not in places.get(molecule, {}):
                    raise InputError(
                        f"{path}: the {kind} {name} names the bead {word!r}, which no molecule has"
                    )
                found.append(places[molecule][bead])
            members = list(zip(*found, strict=True))
            groups += members
            labels += [name] * len(members)
    return groups, labels


def _attribute(element: ElementTree.Element, name: str, path: Path) -> str:
    value = element.get(name)
    if value is None or not value.strip():
        raise InputError(f"{path}: <{element.tag}> lacks {name}=")
    return value.strip()
