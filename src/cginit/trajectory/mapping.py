"""Atoms to beads: centres of residues, whole across periodic boundaries, or selected atoms."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.trajectory.files import box_vectors, width

__all__ = ["FloatArray", "MappedAtoms", "bead_positions", "map_atoms"]

log = logging.getLogger(__name__)

FloatArray = NDArray[np.float32]
#: An atom this far from the first of its residue, in box widths, may belong to another periodic image.
LARGEST_RESIDUE = 0.4


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
    """

    atoms: Any
    starts: NDArray[np.intp]
    weights: Array

    @property
    def n_beads(self) -> int:
        """Number of beads."""
        return int(self.starts.size)


def map_atoms(universe: Any, mapping: str) -> MappedAtoms:
    """Resolve the mapping of `rdf_from_trajectory` once; which atoms are in it does not change later."""
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
            "a mapping is residues:com, residues:cog or a selection such as 'name OW'"
        ) from None
    if per_residue:
        order = np.argsort(atoms.resindices, kind="stable")
        atoms = atoms[order]
        _, starts = np.unique(atoms.resindices, return_index=True)
    else:
        starts = np.arange(atoms.n_atoms)
    if starts.size < 2:
        raise InputError(
            f"mapping {mapping!r} makes {starts.size} bead{'s' * (starts.size != 1)} of "
            f"{universe.atoms.n_atoms} atoms in {universe.residues.n_residues} residues; two or more "
            "are needed"
        )
    masses = _masses(atoms, starts, mapping) if per_residue and centre == "com" else np.ones(atoms.n_atoms)
    sizes = np.diff(np.append(starts, atoms.n_atoms))
    weights = masses / np.repeat(np.add.reduceat(masses, starts), sizes)
    return MappedAtoms(atoms, np.asarray(starts, dtype=np.intp), weights)


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
        sizes = np.diff(np.append(groups.starts, positions.shape[0]))
        offsets = np.asarray(
            minimize_vectors(positions - np.repeat(first, sizes, axis=0), groups.atoms.dimensions)
        )
        reach = float(np.sqrt(np.max(np.einsum("ij,ij->i", offsets, offsets))))
        narrowest = width(vectors)
        if reach > LARGEST_RESIDUE * narrowest:
            raise InputError(
                f"a residue reaches {reach / narrowest:.2g} of the box width from its first atom, too far to "
                "be made whole without bonds; check that the topology numbers each molecule as a residue"
            )
        first = first + np.add.reduceat(groups.weights[:, None] * offsets, groups.starts, axis=0)
    fractional = first @ np.linalg.inv(vectors)
    return ((fractional - np.floor(fractional + 0.5)) @ vectors).astype(np.float32)


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
