"""Atoms to beads: centres of groups of atoms, whole across periodic boundaries, or selected atoms."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.trajectory.files import box_vectors, width
from cginit.trajectory.mapping_files import is_mapping_file, read_mapping
from cginit.trajectory.molecules import map_molecules, molecule_ids, sizes_of
from cginit.trajectory.specification import MappingRules, exclusion_depth
from cginit.trajectory.topology import excluded_pairs

__all__ = ["DEFAULT_TYPE", "FloatArray", "MappedAtoms", "bead_positions", "map_atoms"]

log = logging.getLogger(__name__)

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]
#: An atom this far from the first of its bead, in box widths, may belong to another periodic image.
LARGEST_BEAD = 0.4
#: Type of the beads of a mapping that names none.
DEFAULT_TYPE = "CG"


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

    @property
    def n_beads(self) -> int:
        """Number of beads."""
        return int(self.starts.size)

    def count(self, kind: str) -> int:
        """Return the number of beads of one type."""
        return int(np.count_nonzero(self.type_ids == self.types.index(kind)))


def map_atoms(universe: Any, mapping: str | MappingRules, exclusions: str | None = None) -> MappedAtoms:
    """Resolve a mapping of `rdf_from_trajectory` once; which atoms are in it does not change later.

    Raises
    ------
    InputError
        If the mapping does not fit the universe.
    """
    if isinstance(mapping, str) and not is_mapping_file(mapping):
        return _map_selection(universe, mapping, exclusions or "none")
    rules = mapping if isinstance(mapping, MappingRules) else read_mapping(mapping)
    chosen = exclusions or rules.exclusions
    depth = exclusion_depth(chosen)
    mapped = map_molecules(universe, rules, bonds_needed=depth is not None)
    by_bonds = excluded_pairs(mapped.bonds, mapped.starts.size, depth)
    groups = MappedAtoms(
        universe.atoms[mapped.atom_indices],
        mapped.starts,
        mapped.weights,
        mapped.types,
        mapped.type_ids,
        mapped.molecules,
        mapped.bonds,
        chosen,
        mapped.listed if chosen == "listed" else by_bonds,
        mapped.terms,
    )
    _check_number(groups, universe, rules.source)
    return groups


def _map_selection(universe: Any, mapping: str, exclusions: str) -> MappedAtoms:
    """Map by ``residues:com``, ``residues:cog`` or a plain selection to beads of one type."""
    if exclusion_depth(exclusions) is not None or exclusions == "listed":
        raise InputError(
            f"exclusions {exclusions!r} need a mapping file, which knows the bonds between beads; "
            f"with the mapping {mapping!r} they are none or molecule"
        )
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
            "a mapping is residues:com, residues:cog, a selection such as 'name OW', or a file .yaml or .xml"
        ) from None
    if per_residue:
        order = np.argsort(atoms.resindices, kind="stable")
        atoms = atoms[order]
        _, starts = np.unique(atoms.resindices, return_index=True)
    else:
        starts = np.arange(atoms.n_atoms)
    masses = _masses(atoms, starts, mapping) if per_residue and centre == "com" else np.ones(atoms.n_atoms)
    weights = masses / np.repeat(np.add.reduceat(masses, starts), sizes_of(starts, atoms.n_atoms))
    none = np.empty((0, 2), dtype=np.intp)
    first = atoms[starts] if starts.size else atoms
    groups = MappedAtoms(
        atoms,
        np.asarray(starts, dtype=np.intp),
        weights,
        (DEFAULT_TYPE,),
        np.zeros(starts.size, dtype=np.intp),
        molecule_ids(first, "residue"),
        none,
        exclusions,
        none,
    )
    _check_number(groups, universe, mapping)
    return groups


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
                "be made whole without bonds; check that the topology numbers each molecule as a residue, or map "
                "it to more beads"
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
