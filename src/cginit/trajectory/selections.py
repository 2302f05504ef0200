"""Beads by selections of MDAnalysis: one a residue, or one an atom; each selection is a bead type."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.names import check_bead_type
from cginit.trajectory.molecules import Beads, molecule_ids, sizes_of
from cginit.trajectory.topology import bead_bonds

__all__ = ["DEFAULT_TYPE", "EACH_TYPE", "map_selections"]

log = logging.getLogger(__name__)

IntArray = NDArray[np.intp]
#: Type of the beads of a single selection that names none.
DEFAULT_TYPE = "CG"
#: The mapping that makes every atom a bead of its own type.
EACH_TYPE = "types"
#: A type in front of its selection, ``W=name OW``; MDAnalysis compares with two signs.
_NAMED = re.compile(r"\s*([^\s=]+)\s*=(?!=)\s*(.+)", re.DOTALL)


def map_selections(universe: Any, mappings: Sequence[str]) -> Beads:
    """Map by ``residues:com``, ``residues:cog``, plain selections, or ``types``; each is a bead type.

    A type is named in front of its selection, ``W=name OW``, or is the last word of it; beads of a single selection
    without a name are `DEFAULT_TYPE`. Bonds are those of the topology.

    Raises
    ------
    InputError
        If a selection is not understood, finds no atom or one of another selection, masses are missing, or a name is
        not one of a bead type or given twice.
    """
    stated = [_NAMED.fullmatch(mapping) for mapping in mappings]
    words = [
        mapping if match is None else match.group(2) for mapping, match in zip(mappings, stated, strict=True)
    ]
    names = [None if match is None else check_bead_type(match.group(1), "--map") for match in stated]
    if EACH_TYPE in [word.strip() for word in words]:
        if len(words) > 1 or names[0] is not None:
            raise InputError(f"the mapping {EACH_TYPE!r} makes beads of all atoms; give it alone")
        names, words = _each_type(universe)
    elif len(words) > 1:
        names = [name or _last_word(mapping) for name, mapping in zip(names, mappings, strict=True)]
    kinds = [name or DEFAULT_TYPE for name in names]
    if len(set(kinds)) < len(kinds):
        raise InputError(
            f"the mappings {', '.join(map(repr, mappings))} name a bead type twice ({', '.join(kinds)}); write "
            "NAME=SELECTION"
        )
    parts = [_atoms_of(universe, one) for one in words]
    if len(parts) > 1 and (
        lost := [word for word, part in zip(words, parts, strict=True) if not part[0].size]
    ):
        raise InputError(f"the selection {lost[0]!r} finds no atoms")
    indices = np.concatenate([part[0] for part in parts])
    _check_once(universe, indices, words)
    sizes = np.concatenate([part[1] for part in parts])
    starts = (np.cumsum(sizes) - sizes).astype(np.intp)
    type_ids = np.repeat(np.arange(len(parts)), [part[1].size for part in parts]).astype(np.intp)
    first = universe.atoms[indices[starts]]
    none = np.empty((0, 2), dtype=np.intp)
    bonds = none
    if hasattr(universe, "bonds"):
        owner = np.full(universe.atoms.n_atoms, -1, dtype=np.intp)
        owner[indices] = np.repeat(np.arange(starts.size), sizes)
        bonds = bead_bonds(universe, owner)
    molecules = molecule_ids(first, "residue")
    weights = np.concatenate([part[2] for part in parts])
    return Beads(indices, starts, weights, tuple(kinds), type_ids, molecules, bonds, none)


def _each_type(universe: Any) -> tuple[list[str | None], list[str]]:
    """Return the names of the atom types of a topology and the selections of their atoms."""
    if not hasattr(universe.atoms, "types"):
        raise InputError(
            f"the topology has no atom types for the mapping {EACH_TYPE!r}; select the atoms otherwise"
        )
    found = sorted(set(np.asarray(universe.atoms.types, dtype=str).tolist()), key=_by_number)
    for name in found:
        check_bead_type(name, "the topology's atom types")
    return list(found), [f"type {name}" for name in found]


def _by_number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (-1, name)


def _last_word(mapping: str) -> str:
    word = mapping.split()[-1]
    try:
        return check_bead_type(word)
    except InputError:
        raise InputError(
            f"the mapping {mapping!r} is one of several and its last word cannot name its bead type; write "
            "NAME=SELECTION"
        ) from None


def _atoms_of(universe: Any, mapping: str) -> tuple[IntArray, IntArray, Array]:
    """Return the atoms of the beads of one selection, one bead after the other, their numbers, and their weights."""
    head, _, rest = mapping.strip().partition(" ")
    kind, _, centre = head.partition(":")
    per_residue = kind == "residues"
    if per_residue and centre not in ("com", "cog"):
        raise InputError(f"mapping {mapping!r} must begin with residues:com or residues:cog")
    selection = (rest.strip() or "all") if per_residue else mapping
    try:
        atoms = universe.select_atoms(selection)
    except Exception as error:  # the selection parser raises whatever the words make it do
        raise InputError(
            f"mapping {mapping!r}: MDAnalysis does not understand the selection {selection!r} ({error}); "
            "a mapping is residues:com, residues:cog, types, a selection such as 'name OW', or a file .yaml or .xml"
        ) from None
    if atoms.n_atoms == 0:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0)
    if per_residue:
        atoms = atoms[np.argsort(atoms.resindices, kind="stable")]
        _, starts = np.unique(atoms.resindices, return_index=True)
    else:
        starts = np.arange(atoms.n_atoms)
    sizes = sizes_of(np.asarray(starts, dtype=np.intp), atoms.n_atoms)
    masses = _masses(atoms, starts, mapping) if per_residue and centre == "com" else np.ones(atoms.n_atoms)
    total = np.add.reduceat(masses, starts)
    return np.asarray(atoms.indices, dtype=np.intp), sizes, masses / np.repeat(total, sizes)


def _check_once(universe: Any, indices: IntArray, words: Sequence[str]) -> None:
    found, counts = np.unique(indices, return_counts=True)
    if np.any(counts > 1):
        atom = int(found[np.argmax(counts > 1)])
        raise InputError(
            f"{int(np.sum(counts > 1))} atoms, the first of them number {atom + 1}, belong to two of the selections "
            f"{', '.join(map(repr, words))}; each atom is in one bead"
        )


def _masses(atoms: Any, starts: NDArray[np.intp], mapping: str) -> Array:
    remedy = "take a topology that states masses (tpr, psf, LAMMPS data) or map with residues:cog"
    if not hasattr(atoms, "masses"):
        raise InputError(f"mapping {mapping!r} needs masses and the topology has none; {remedy}")
    masses = np.nan_to_num(np.asarray(atoms.masses, dtype=np.float64))
    if np.any(np.add.reduceat(masses, starts) <= 0.0):
        raise InputError(f"mapping {mapping!r} needs masses, and a residue has none; {remedy}")
    if np.any(masses <= 0.0):
        massless = atoms[masses <= 0.0]
        names = ", ".join(np.unique(massless.names)) if hasattr(massless, "names") else "unnamed"
        log.warning(
            "%d atoms without mass (%s) do not count in the centre of mass; that is right for virtual sites",
            massless.n_atoms,
            names,
        )
    return masses
