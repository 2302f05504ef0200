"""Atoms to beads: centres of groups of atoms, whole across periodic boundaries, or selected atoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.trajectory.coverage import loose_parts, mapping_notes, merged_residues, merged_types
from cginit.trajectory.files import box_vectors, width
from cginit.trajectory.mapping_files import is_mapping_file, read_mapping
from cginit.trajectory.molecules import map_molecules, sizes_of
from cginit.trajectory.selections import DEFAULT_TYPE, map_selections
from cginit.trajectory.specification import MappingRules, exclusion_depth
from cginit.trajectory.topology import excluded_pairs

__all__ = [
    "DEFAULT_TYPE",
    "FloatArray",
    "MappedAtoms",
    "bead_positions",
    "map_atoms",
    "mapping_name",
    "resolved",
]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]
#: An atom this far from the first of its bead, in box widths, may belong to another periodic image.
LARGEST_BEAD = 0.4


@dataclass(frozen=True, eq=False)
class MappedAtoms:
    """Atoms of a universe sorted by bead: bead k owns the atoms ``starts[k]`` to ``starts[k + 1]``.

    Attributes
    ----------
    atoms : MDAnalysis.AtomGroup
        The mapped atoms.
    starts : ndarray, shape (n_beads,)
        Where each bead's atoms begin.
    weights : ndarray, shape (n_atoms,)
        The part of each atom in its bead's centre; they add up to 1 in each bead.
    types : tuple of str
        Names of the bead types.
    type_ids : ndarray, shape (n_beads,)
        Type of each bead.
    molecules : ndarray, shape (n_beads,)
        Number of each bead's molecule, from 0.
    bonds : ndarray, shape (n_bonds, 2)
        Bonded beads, where the mapping or the topology knows.
    exclusions : str
        ``none``, ``molecule``, ``listed`` or ``1-2``, ``1-3``, ...: the pairs that g(r) leaves out.
    excluded : ndarray, shape (n_excluded, 2)
        These pairs, i < j; empty where whole molecules are excluded.
    terms : tuple of (str, str, tuple of int)
        Coordinate, name and beads of each bond, angle and dihedral that the mapping names.
    notes : tuple of str
        What the mapping leaves out, or counts, that a user may not expect.
    """

    atoms: Any
    starts: IntArray
    weights: Array
    types: tuple[str, ...]
    type_ids: IntArray
    molecules: IntArray
    bonds: IntArray
    exclusions: str
    excluded: IntArray
    terms: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_beads(self) -> int:
        """Number of beads."""
        return int(self.starts.size)

    def count(self, kind: str) -> int:
        """Return the number of beads of one type."""
        return int(np.count_nonzero(self.type_ids == self.types.index(kind)))


def map_atoms(
    universe: Any, mapping: str | Sequence[str] | MappingRules, exclusions: str | None = None
) -> MappedAtoms:
    """Resolve a mapping of `rdf_from_trajectory` once; which atoms are in it does not change later.

    Raises
    ------
    InputError
        If the mapping does not fit the universe.
    """
    rules = resolved(mapping)
    if isinstance(rules, MappingRules):
        source = rules.source
        chosen = exclusions or rules.exclusions
        mapped = map_molecules(universe, rules, bonds_needed=exclusion_depth(chosen) is not None)
    else:
        source = mapping_name(rules)
        chosen = exclusions or "none"
        mapped = map_selections(universe, rules)
        if chosen == "listed" or (exclusion_depth(chosen) is not None and not hasattr(universe, "bonds")):
            raise InputError(
                f"exclusions {chosen!r} need a mapping file, which knows the bonds between beads, since the topology "
                f"has none; with the mapping {source!r} they are none or molecule here"
            )
    atoms = universe.atoms[mapped.atom_indices]
    notes = mapping_notes(universe.atoms, mapped.atom_indices, mapped.starts.size, len(mapped.bonds), chosen)
    notes += loose_parts(mapped.molecules, mapped.bonds, chosen)
    one_type = not isinstance(rules, MappingRules) and len(mapped.types) == 1
    if one_type and mapped.starts.size == atoms.n_atoms:
        notes += merged_types(atoms)
    elif one_type:
        notes += merged_residues(atoms[mapped.starts])
    by_bonds = excluded_pairs(mapped.bonds, mapped.starts.size, exclusion_depth(chosen))
    groups = MappedAtoms(
        atoms,
        mapped.starts,
        mapped.weights,
        mapped.types,
        mapped.type_ids,
        mapped.molecules,
        mapped.bonds,
        chosen,
        mapped.listed if chosen == "listed" else by_bonds,
        mapped.terms,
        notes,
    )
    _check_number(groups, universe, source)
    return groups


def resolved(mapping: str | Sequence[str] | MappingRules) -> MappingRules | tuple[str, ...]:
    """Return the rules of a mapping file, or the selections of a mapping without one.

    Raises
    ------
    InputError
        If there is none, or a file is one of several.
    """
    if isinstance(mapping, MappingRules):
        return mapping
    words = (mapping,) if isinstance(mapping, str) else tuple(mapping)
    if not words:
        raise InputError("no mapping was given; name one, such as residues:com or 'name OW'")
    if not any(is_mapping_file(word) for word in words):
        return words
    if len(words) > 1:
        raise InputError(
            f"a mapping file is a whole mapping, not one of {len(words)} ({', '.join(words)}); give it alone"
        )
    return read_mapping(words[0])


def mapping_name(mapping: str | Sequence[str] | MappingRules) -> str:
    """Return the name of a mapping for messages: that of its file, or its selections."""
    if isinstance(mapping, MappingRules):
        return mapping.source
    return mapping if isinstance(mapping, str) else " + ".join(mapping)


def bead_positions(groups: MappedAtoms) -> FloatArray:
    """Return the bead centres ``(n_beads, 3)`` of the universe's present frame, in the units of MDAnalysis.

    Atoms are taken at their minimum image to the first atom of their bead; the centres are wrapped into the
    box that is centred on the origin.

    Raises
    ------
    InputError
        If a bead is so large that the minimum image is not certain.
    """
    from MDAnalysis.lib.distances import minimize_vectors

    positions = np.asarray(groups.atoms.positions, dtype=np.float64)
    vectors = box_vectors(groups.atoms.universe.trajectory.ts)
    first = positions[groups.starts]
    if groups.n_beads < positions.shape[0]:
        sizes = sizes_of(groups.starts, positions.shape[0])
        offsets = np.asarray(
            minimize_vectors(positions - np.repeat(first, sizes, axis=0), groups.atoms.dimensions)
        )
        reach = float(np.sqrt(np.max(np.einsum("ij,ij->i", offsets, offsets))))
        narrowest = width(vectors)
        if reach > LARGEST_BEAD * narrowest:
            raise InputError(
                f"a bead reaches {reach / narrowest:.2g} of the box width from its first atom, too far to "
                "be made whole without bonds; check that the topology numbers each molecule as a residue and "
                "its atoms in the order of the trajectory, or map it to more beads"
            )
        first = first + np.add.reduceat(groups.weights[:, None] * offsets, groups.starts, axis=0)
    fractional = first @ np.linalg.inv(vectors)
    return ((fractional - np.floor(fractional + 0.5)) @ vectors).astype(np.float32)


def _check_number(groups: MappedAtoms, universe: Any, source: str) -> None:
    if groups.n_beads < 2:
        raise InputError(
            f"mapping {source!r} makes {groups.n_beads} bead{'s' * (groups.n_beads != 1)} of "
            f"{universe.atoms.n_atoms} atoms in {universe.residues.n_residues} residues; two or more "
            "are needed"
        )
