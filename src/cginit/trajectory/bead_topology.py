"""Topologies of beads: those that a file states, and those that a mapping makes of the atoms of a file."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.bonded_terms import IMPROPER, named_terms
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.topology import Topology
from cginit.trajectory.bead_masses import type_masses
from cginit.trajectory.gromacs_topology import GromacsMolecule, gromacs_molecules
from cginit.trajectory.mapping import MappedAtoms

__all__ = ["mapped_topology", "universe_topology"]

log = logging.getLogger(__name__)

IntArray = NDArray[np.int64]
_KINDS = ("bond", "angle", "dihedral")
#: Suffixes of the topologies of GROMACS that are text.
GROMACS = frozenset({".top", ".itp"})


def universe_topology(
    universe: Any, path: Path, *, names: Mapping[str, str] | None = None, exclusions: str | None = None
) -> Topology:
    """Return the topology of a file of beads that MDAnalysis has read.

    Bonded interactions are named by bead types. Where the file gives several types (LAMMPS data, GSD, VOTCA) or
    tables (GROMACS) to bonds of the same beads, its names become labels.

    Parameters
    ----------
    universe : MDAnalysis.Universe
        What was read.
    path : Path
        The file of the topology.
    names : mapping of str to str, optional
        Names of bead types in place of the file's, such as ``{"1": "A"}`` for a LAMMPS data file.
    exclusions : str, optional
        Pairs that are left out, see `Topology`; by default what a GROMACS topology says, else ``1-3``.

    Raises
    ------
    InputError
        If the file states no bead types.
    """
    species, types = _species(universe, path, names)
    gromacs = gromacs_molecules(path) if path.suffix.lower() in GROMACS else {}
    terms: list[tuple[Interaction, IntArray]] = []
    for kind in _KINDS:
        groups, labels = _stated(universe, path, kind)
        if len(groups) and gromacs:
            labels = _tables(universe, gromacs, kind, groups)
        terms += named_terms(kind, groups, types, species, labels)
    _warn_of_charges(universe, path)
    terms += _impropers(universe, types, species)
    numbers = (
        np.asarray(universe.atoms.molnums, dtype=np.int64) if hasattr(universe.atoms, "molnums") else None
    )
    bonds = np.concatenate(
        [np.empty((0, 2), dtype=np.int64), *(m for one, m in terms if one.coordinate == "bond")]
    )
    if numbers is not None and np.any(numbers[bonds[:, 0]] != numbers[bonds[:, 1]]):
        # Some formats number residues or segments.
        numbers = None
    if numbers is not None and len(bonds) and np.unique(numbers).size == 1:
        # Programs that do not number molecules write one number for all; bonds know better.
        numbers = None
    rule = exclusions or _rule(gromacs)
    listed = _listed(universe, gromacs)
    masses = type_masses(universe.atoms, np.arange(types.size), types, len(species))
    found = Topology(
        types,
        species,
        Interactions(terms),
        numbers,  # type: ignore[arg-type]
        exclusions=rule,
        masses=masses,
    )
    if len(listed) and exclusions is None:
        pairs = np.concatenate([found.excluded().astype(np.int64), listed])
        return found.excluding("listed", pairs)
    return found


def mapped_topology(groups: MappedAtoms, exclusions: str | None = None) -> Topology:
    """Return the topology of the beads that a mapping has made.

    Its angles and dihedrals are those of the mapping or, where that names none, those that the bonds make.

    Parameters
    ----------
    groups : MappedAtoms
        The beads.
    exclusions : str, optional
        Pairs that are left out, see `Topology`; by default those of the mapping.
    """
    types = groups.type_ids.astype(np.int64)
    terms: list[tuple[Interaction, IntArray]] = []
    for kind in _KINDS:
        stated = [(members, label) for one, label, members in groups.terms if one == kind]
        if stated:
            labels = [label for _, label in stated]
            terms += named_terms(
                kind, np.array([members for members, _ in stated]), types, groups.types, labels
            )
    if not any(one.coordinate == "bond" for one, _ in terms):
        terms = [*named_terms("bond", groups.bonds, types, groups.types), *terms]
    topology = Topology(
        types,
        groups.types,
        Interactions(terms),
        groups.molecules.astype(np.int64),
        exclusions=exclusions or groups.exclusions,
        listed=groups.excluded.astype(np.int64),
        masses=type_masses(groups.atoms, groups.starts, types, len(groups.types)),
    )
    # VOTCA's mappings state all that is bonded, and no more than that acts.
    return _in_words(topology if groups.terms else topology.completed())


def _in_words(topology: Topology) -> Topology:
    """Return the topology with its listed exclusions as a rule, if they are what one says."""
    if topology.exclusions != "listed":
        return topology
    rules = (word for word in ("none", "1-2", "1-3", "1-4", "molecule"))
    same = (word for word in rules if np.array_equal(topology.excluded(word), topology.listed))
    return topology.excluding(next(same, "listed"))


def _species(universe: Any, path: Path, names: Mapping[str, str] | None) -> tuple[tuple[str, ...], IntArray]:
    if not hasattr(universe.atoms, "types"):
        raise InputError(
            f"{path} states no bead types; take a topology that does (LAMMPS data, GSD, top, PSF)"
        )
    words, types = np.unique(np.asarray(universe.atoms.types, dtype=str), return_inverse=True)
    found = [str(word) for word in words]
    if names is not None:
        unknown = next((word for word in names if word not in found), None)
        if unknown is not None:
            raise InputError(f"{path} has no bead type {unknown}; it has {', '.join(found)}")
        found = [names.get(word, word) for word in found]
    elif all(word.isdigit() for word in found) and path.suffix.lower() != ".gsd":
        found = _lammps_names(path, found) or (["A"] if len(found) == 1 else found)
    if len(set(found)) < len(found):
        raise InputError(f"two bead types of {path} have one name ({', '.join(found)}); name them apart")
    blank = next((name for name in found if not re.fullmatch(r"[^\s-]+", name)), None)
    if blank is not None:
        raise InputError(
            f"the bead type {blank!r} of {path} cannot be used, since '-' and blanks part names; rename it"
        )
    return tuple(found), types.reshape(-1).astype(np.int64)


def _lammps_names(path: Path, types: list[str]) -> list[str] | None:
    """Return names of the types of a LAMMPS data file: its type labels, or the comments after the masses."""
    text = path.read_text(errors="replace")
    labels = dict(re.findall(r"^\s*(\d+)\s+(\S+)\s*$", _section(text, "Atom Type Labels"), re.MULTILINE))
    masses = dict(re.findall(r"^\s*(\d+)\s+\S+\s*#\s*(\S+)\s*$", _section(text, "Masses"), re.MULTILINE))
    for found in (labels, masses):
        if all(word in found for word in types):
            return [found[word] for word in types]
    return None


def _section(text: str, title: str) -> str:
    """Return the body of a section of a LAMMPS data file: up to the next line that begins with a letter."""
    match = re.search(rf"^{title}\b[^\n]*\n(.*?)(?=^[A-Za-z]|\Z)", text, re.MULTILINE | re.DOTALL)
    return "" if match is None else match[1]


def _stated(universe: Any, path: Path, kind: str) -> tuple[IntArray, list[str]]:
    """Return the groups ``(m, beads)`` of one coordinate, and what the file calls each."""
    if path.suffix.lower() == ".gsd":
        return _gsd(universe, path, kind)
    found = getattr(universe, f"{kind}s", None)
    if found is None or not len(found):
        return np.empty((0, {"bond": 2, "angle": 3, "dihedral": 4}[kind]), dtype=np.int64), []
    labels = ["" if isinstance(word, tuple) or word is None else str(word) for word in found._bondtypes]
    return np.asarray(found.indices, dtype=np.int64), labels


def _warn_of_charges(universe: Any, path: Path) -> None:
    charges = np.nan_to_num(np.asarray(getattr(universe.atoms, "charges", 0.0), dtype=np.float64))
    if np.any(charges != 0.0):
        log.warning(
            "%s has charges (up to %g e), which do not act in a simulation: what they do is in the tables of pairs",
            path.name,
            float(np.max(np.abs(charges))),
        )


def _impropers(
    universe: Any, types: IntArray, species: tuple[str, ...]
) -> list[tuple[Interaction, IntArray]]:
    """Return improper dihedrals: the angle between the planes of the first and of the last three beads, as listed.

    It is the coordinate of dihedrals, of beads that no chain of bonds joins; their label tells them from those.
    """
    found = getattr(universe, "impropers", None)
    if found is None or not len(found):
        return []
    groups = named_terms("dihedral", np.asarray(found.indices, dtype=np.int64), types, species)
    return [(replace(one, label=IMPROPER), members) for one, members in groups]


def _gsd(universe: Any, path: Path, kind: str) -> tuple[IntArray, list[str]]:
    """Return what a GSD file says; MDAnalysis leaves out the names of its types."""
    import gsd.hoomd

    with gsd.hoomd.open(path) as file:
        terms = getattr(file[0], f"{kind}s")
        if not terms.N:
            return np.empty((0, {"bond": 2, "angle": 3, "dihedral": 4}[kind]), dtype=np.int64), []
        return np.asarray(terms.group, dtype=np.int64), [terms.types[k] for k in terms.typeid]


def _molecules(universe: Any) -> tuple[NDArray[Any], IntArray]:
    """Return kind and first atom of the molecule of each atom."""
    numbers = np.asarray(universe.atoms.molnums, dtype=np.int64)
    _, first, which = np.unique(numbers, return_index=True, return_inverse=True)
    return np.asarray(universe.atoms.moltypes, dtype=str), first[which.reshape(-1)].astype(np.int64)


def _tables(universe: Any, gromacs: Mapping[str, GromacsMolecule], kind: str, groups: IntArray) -> list[str]:
    """Return the number of the table of each group, which MDAnalysis leaves out."""
    kinds, first = _molecules(universe)
    labels = []
    for members in groups.tolist():
        molecule = gromacs.get(str(kinds[members[0]]))
        local = tuple(bead - int(first[members[0]]) for bead in members)
        number = None if molecule is None else molecule.tables.get((kind, min(local, local[::-1])))
        labels.append("" if number is None else f"table_{kind[0]}{number}")
    return labels


def _rule(gromacs: Mapping[str, GromacsMolecule]) -> str:
    bonded = {
        molecule.nrexcl for molecule in gromacs.values() if any(kind == "bond" for kind, _ in molecule.groups)
    }
    if len(bonded) > 1:
        raise InputError(
            f"the molecules leave out pairs up to {sorted(bonded)} bonds apart (nrexcl); choose one rule (exclusions)"
        )
    depth = next(iter(bonded), None)
    if depth is None:
        return "1-3"
    return "none" if depth == 0 else f"1-{depth + 1}"


def _listed(universe: Any, gromacs: Mapping[str, GromacsMolecule]) -> IntArray:
    """Return the pairs of the sections [ exclusions ] of GROMACS."""
    pairs: list[tuple[int, int]] = []
    if any(molecule.exclusions for molecule in gromacs.values()):
        kinds, first = _molecules(universe)
        for head in np.unique(first).tolist():
            molecule = gromacs.get(str(kinds[head]))
            if molecule is not None:
                pairs += [(head + i, head + j) for i, j in molecule.exclusions]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
