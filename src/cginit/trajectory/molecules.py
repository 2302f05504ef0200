"""The rules of a mapping file applied to the molecules of a universe."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.trajectory.specification import BeadRule, MappingRules, MoleculeRule
from cginit.trajectory.topology import bead_bonds, unique_pairs

__all__ = ["Beads", "map_molecules", "molecule_ids", "sizes_of"]

#: Names that an error lists.
NAMED = 10

log = logging.getLogger(__name__)

IntArray = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Beads:
    """Beads by the indices of their atoms; see `cginit.trajectory.MappedAtoms`.

    `listed` ``(n, 2)`` are the pairs that the rules themselves exclude, `terms` the bonded terms that they name.
    """

    atom_indices: IntArray
    starts: IntArray
    weights: Array
    types: tuple[str, ...]
    type_ids: IntArray
    molecules: IntArray
    bonds: IntArray
    listed: IntArray
    terms: tuple[tuple[str, str, tuple[int, ...]], ...] = ()


def sizes_of(starts: IntArray, n: int) -> IntArray:
    """Return the lengths of consecutive groups of which the last ends at `n`."""
    return np.diff(np.append(starts, n))


def molecule_ids(atoms: Any, otherwise: str) -> IntArray:
    """Return the molecule of each atom ``(n,)``: as the topology numbers them, by bonds, or `otherwise`.

    Files that know neither molecules nor bonds (gro, xyz) leave only what `otherwise` names, ``residue`` or
    ``segment``. Where all atoms are one residue, as those of a dump or of particles that are in no body of a GSD
    file, the file knows nothing, and each atom is a molecule.
    """
    if hasattr(atoms, "molnums"):
        return np.asarray(atoms.molnums, dtype=np.intp)
    if hasattr(atoms.universe, "bonds") and len(atoms.universe.bonds):
        return np.asarray(atoms.fragindices, dtype=np.intp)
    if atoms.universe.residues.n_residues == 1:
        return np.asarray(atoms.indices, dtype=np.intp)
    return np.asarray(atoms.segindices if otherwise == "segment" else atoms.resindices, dtype=np.intp)


def _unit_ids(atoms: Any, per: str) -> IntArray:
    if per == "molecule":
        return molecule_ids(atoms, "residue")
    if per == "atom":
        return np.asarray(atoms.indices, dtype=np.intp)
    return np.asarray(atoms.resindices if per == "residue" else atoms.segindices, dtype=np.intp)


class _Builder:
    """Collects the beads of one kind of molecule after another."""

    def __init__(self, universe: Any, source: str) -> None:
        self.universe = universe
        self.source = source
        self.indices: list[IntArray] = []
        self.weights: list[Array] = []
        self.sizes: list[int] = []
        self.types: list[str] = []
        self.type_ids: list[int] = []
        self.bonds: list[tuple[int, int]] = []
        self.listed: list[tuple[int, int]] = []
        self.terms: list[tuple[str, str, tuple[int, ...]]] = []
        self.bonds_stated = True

    def add(self, rule: MoleculeRule, where: str) -> None:
        atoms = _select(self.universe.atoms, rule, where)
        ids = _unit_ids(atoms, rule.per)
        atoms = atoms[np.argsort(ids, kind="stable")]
        _, starts = np.unique(np.sort(ids, kind="stable"), return_index=True)
        sizes = sizes_of(starts, atoms.n_atoms)
        names = np.asarray(atoms.names, dtype=str) if hasattr(atoms, "names") else None
        resnames = np.asarray(atoms.resnames, dtype=str) if hasattr(atoms, "resnames") else None
        members = [_members(atoms, bead, f"{where}, bead {bead.name}") for bead in rule.beads]
        masses = _masses(atoms, rule, where)
        templates: dict[tuple[Any, ...], list[IntArray]] = {}
        indices = np.asarray(atoms.indices, dtype=np.intp)
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
            part = slice(start, start + size)
            residues = atoms.resindices[part] - atoms.resindices[start] + 1
            labels = (
                None if names is None else names[part],
                None if resnames is None else resnames[part],
                residues,
            )
            key = tuple(None if label is None else label.tobytes() for label in labels) + tuple(
                None if member is None else member[part].tobytes() for member in members
            )
            if key not in templates:
                templates[key] = [
                    _local(
                        bead, *labels, None if member is None else member[part], f"{where}, bead {bead.name}"
                    )
                    for bead, member in zip(rule.beads, members, strict=True)
                ]
            self._molecule(rule, templates[key], indices[part], masses[part], where)
        self.bonds_stated &= rule.bonds is not None

    def _molecule(
        self, rule: MoleculeRule, local: list[IntArray], indices: IntArray, masses: Array, where: str
    ) -> None:
        first = len(self.sizes)
        for bead, chosen in zip(rule.beads, local, strict=True):
            if bead.weights is not None:
                weights = np.array(bead.weights)
            elif bead.centre == "geometry":
                weights = np.ones(chosen.size)
            else:
                weights = masses[chosen]
            total = float(weights.sum())
            if not total > 0.0:
                raise InputError(
                    f"{where}, bead {bead.name} has no mass; take a topology that states masses (tpr, psf, "
                    "LAMMPS data) or set centre: geometry"
                )
            if bead.type not in self.types:
                self.types.append(bead.type)
            self.type_ids.append(self.types.index(bead.type))
            self.indices.append(indices[chosen])
            self.weights.append(weights / total)
            self.sizes.append(chosen.size)
        self.bonds += [(first + i, first + j) for i, j in rule.bonds or ()]
        self.listed += [(first + i, first + j) for i, j in rule.excluded or ()]
        self.terms += [
            (kind, label, tuple(first + bead for bead in members)) for kind, label, members in rule.terms
        ]


def map_molecules(universe: Any, rules: MappingRules, *, bonds_needed: bool) -> Beads:
    """Apply the rules of a mapping file.

    Raises
    ------
    InputError
        If a rule finds no molecule, a bead not its atoms, masses are missing, or `bonds_needed` and neither
        the rules nor the topology know the bonds.
    """
    builder = _Builder(universe, rules.source)
    for number, rule in enumerate(rules.molecules, 1):
        builder.add(rule, f"{rules.source}: molecule {number}")
    starts = np.concatenate([[0], np.cumsum(builder.sizes)[:-1]]).astype(np.intp)
    indices = np.concatenate(builder.indices)
    first = universe.atoms[indices[starts]]
    bonds = _pairs(builder.bonds)
    if not builder.bonds_stated:
        if hasattr(universe, "bonds"):
            owner = np.full(universe.atoms.n_atoms, -1, dtype=np.intp)
            owner[indices] = np.repeat(np.arange(starts.size), builder.sizes)
            implied = bead_bonds(universe, owner)
            bonds = unique_pairs(*np.concatenate([bonds, implied]).T)
        elif bonds_needed:
            raise InputError(
                f"{rules.source}: exclusions by bonds need the key bonds for each molecule, since the topology "
                "has none; or exclude the whole molecule"
            )
    molecules = molecule_ids(first, "residue")
    return Beads(
        indices,
        starts,
        np.concatenate(builder.weights),
        tuple(builder.types),
        np.array(builder.type_ids, dtype=np.intp),
        np.unique(molecules, return_inverse=True)[1].astype(np.intp),
        bonds,
        _pairs(builder.listed),
        tuple(builder.terms),
    )


def _pairs(pairs: list[tuple[int, int]]) -> IntArray:
    array = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return unique_pairs(array[:, 0], array[:, 1])


def _select(atoms: Any, rule: MoleculeRule, where: str) -> Any:
    if rule.ident is not None:
        for attribute in ("moltypes", "resnames"):
            if hasattr(atoms, attribute):
                chosen = atoms[np.asarray(getattr(atoms, attribute), dtype=str) == rule.ident]
                if chosen.n_atoms:
                    return chosen
        raise InputError(
            f"{where}: the topology has no molecule and no residue named {rule.ident}{_names_of(atoms)}"
        )
    chosen = _selection(atoms, rule.select, where)
    if chosen.n_atoms == 0:
        raise InputError(f"{where}: the selection {rule.select!r} finds no atoms{_names_of(atoms)}")
    return chosen


def _names_of(atoms: Any) -> str:
    """Return which residues there are, for whoever named others."""
    if not hasattr(atoms, "resnames"):
        return "; the topology has no names of residues"
    names = list(dict.fromkeys(str(name) for name in atoms.resnames))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"; its residues are {', '.join(names[:NAMED])}{more}"


def _selection(atoms: Any, words: str, where: str) -> Any:
    try:
        return atoms.select_atoms(words)
    except Exception as error:  # the selection parser raises whatever the words make it do
        raise InputError(
            f"{where}: MDAnalysis does not understand the selection {words!r} ({error})"
        ) from None


def _members(atoms: Any, bead: BeadRule, where: str) -> NDArray[np.bool_] | None:
    if bead.select is None:
        return None
    return np.isin(atoms.indices, _selection(atoms, bead.select, where).indices)


def _local(
    bead: BeadRule,
    names: NDArray[np.str_] | None,
    resnames: NDArray[np.str_] | None,
    residues: IntArray,
    member: NDArray[np.bool_] | None,
    where: str,
) -> IntArray:
    """Return where the atoms of a bead are among those of its molecule."""
    if bead.index is not None:
        if max(bead.index) > residues.size:
            raise InputError(
                f"{where}: the index {max(bead.index)} is beyond the {residues.size} atoms of a molecule (check per)"
            )
        return np.array(bead.index, dtype=np.intp) - 1
    if bead.atoms is None:
        chosen = np.arange(residues.size) if member is None else np.flatnonzero(member)
        if chosen.size == 0:
            raise InputError(f"{where}: the selection {bead.select!r} finds no atom in a molecule")
        return np.asarray(chosen, dtype=np.intp)
    if names is None:
        raise InputError(f"{where}: the topology has no atom names; choose the atoms by select")
    found: list[int] = []
    for atom in bead.atoms:
        fits = names == atom.name
        if atom.residue is not None:
            fits &= residues == atom.residue
        if atom.resname is not None and resnames is not None:
            fits &= resnames == atom.resname
        places = np.flatnonzero(fits)
        if places.size != 1:
            label = ":".join(
                str(part) for part in (atom.residue, atom.resname, atom.name) if part is not None
            )
            raise InputError(
                f"{where}: the atom {label} occurs {places.size} times in a molecule of the atoms "
                f"{' '.join(names[:20])}{' ...' * (names.size > 20)}; it must occur once (check per and select)"
            )
        found.append(int(places[0]))
    return np.array(found, dtype=np.intp)


def _masses(atoms: Any, rule: MoleculeRule, where: str) -> Array:
    if all(bead.weights is not None or bead.centre == "geometry" for bead in rule.beads):
        return np.ones(atoms.n_atoms)
    if not hasattr(atoms, "masses"):
        raise InputError(
            f"{where} needs masses and the topology has none; take a topology that states masses (tpr, psf, "
            "LAMMPS data) or set centre: geometry"
        )
    return np.nan_to_num(np.asarray(atoms.masses, dtype=np.float64))
