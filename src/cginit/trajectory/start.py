"""Start configurations from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.configuration import Configuration
from cginit.curves import Array
from cginit.errors import InputError
from cginit.trajectory.bead_topology import mapped_topology, universe_topology
from cginit.trajectory.files import UNITLESS_FORMATS, box_vectors, length_scale, open_universe
from cginit.trajectory.mapping import MappedAtoms, bead_positions, map_atoms
from cginit.trajectory.specification import MappingRules
from cginit.units import UnitSystem

__all__ = ["read_configuration", "read_system"]


def read_configuration(
    path: str | Path,
    *,
    units: str | UnitSystem | None = None,
    mapping: str = "all",
    frame: int = -1,
    atom_style: str | None = None,
) -> Configuration:
    """Read bead positions and box from a GRO, LAMMPS data, GSD or any other file that MDAnalysis reads.

    Bead types are those of a mapping file, or those of a LAMMPS or GSD file that holds several.

    Parameters
    ----------
    path : path
        The file.
    units : str or UnitSystem, optional
        Units of the result, nm and kJ/mol by default. For a format without units of its own (LAMMPS, GSD)
        these are the units in which the file was written, and they are required.
    mapping : str
        How atoms become beads, see `rdf_from_trajectory`; by default each atom of the file is one.
    frame : int
        Which frame of a file with several; by default the last.
    atom_style : str, optional
        Atom style of a LAMMPS data file (``atomic``, ``full``, ...) or its columns (``"id type x y z"``). By
        default taken from the hint after ``Atoms #``, or from the number and kind of the columns.

    Raises
    ------
    InputError
        If the file cannot be read, has no box or a skewed one, or `units` are missing.
    MissingDependencyError
        If MDAnalysis is not installed.

    Examples
    --------
    >>> start = read_configuration("spce.data", units="angstrom-kcal/mol")  # doctest: +SKIP
    """
    with open_universe(path, None, atom_style) as universe:
        system_units, length = length_scale(universe, units)
        edges = _edges(universe, path, frame)
        groups = map_atoms(universe, mapping)
        species, types = _species(universe, groups)
        return Configuration(
            bead_positions(groups).astype(np.float64) * length,
            edges * length,
            units=system_units,
            types=types,
            species=species,
        )


def read_system(
    topology: str | Path,
    coordinates: str | Path | None = None,
    *,
    units: str | UnitSystem | None = None,
    mapping: str | MappingRules | None = None,
    exclusions: str | None = None,
    names: Mapping[str, str] | None = None,
    frame: int = -1,
    atom_style: str | None = None,
) -> Configuration:
    """Read beads with their topology: types, molecules, bonds, angles, dihedrals and exclusions.

    The topology is that of a file of beads, or that which a mapping file makes of atoms (or of beads). Angles and
    dihedrals that a file does not list are not made up; `Topology.completed` adds those that the bonds make.

    Parameters
    ----------
    topology : path
        LAMMPS data, GSD, GROMACS (``.top``, ``.tpr``), PSF, PDB, VOTCA's XML topology or any other file that
        MDAnalysis reads.
    coordinates : path, optional
        File of the positions and the box, where `topology` has none (``.gro`` beside ``.top``).
    units : str or UnitSystem, optional
        See `read_configuration`.
    mapping : str or MappingRules, optional
        A mapping file (YAML, or VOTCA's XML); its bonds, or those that the atoms' bonds imply, are the topology.
    exclusions : str, optional
        Pairs that feel no pair potential: ``none``, ``1-2``, ``1-3``, ``1-4``, ``molecule``. By default what a
        GROMACS topology or a mapping says, else ``1-3``.
    names : mapping of str to str, optional
        Names of bead types in place of the file's, such as ``{"1": "A"}``. By default the type labels of a LAMMPS
        file or the comments after its masses; a single type without a name is ``A``.
    frame, atom_style
        See `read_configuration`.

    Returns
    -------
    Configuration
        With its `topology`.

    Raises
    ------
    InputError
        If a file cannot be read, has no or a skewed box, states no bead types, or `units` are missing.
    MissingDependencyError
        If MDAnalysis is not installed.

    Examples
    --------
    >>> hexane = read_system("topol.top", "conf.gro")  # doctest: +SKIP
    >>> [str(one) for one in hexane.topology.terms]  # doctest: +SKIP
    ['bond A-B', 'angle A-B-A']
    """
    with open_universe(topology, coordinates, atom_style) as universe:
        system_units, length = length_scale(universe, units)
        edges = _edges(universe, topology if coordinates is None else coordinates, frame)
        if mapping is None:
            found = universe_topology(universe, Path(topology), names=names, exclusions=exclusions)
            positions = np.asarray(universe.atoms.positions, dtype=np.float64)
        else:
            groups = map_atoms(universe, mapping, exclusions)
            found, positions = mapped_topology(groups), bead_positions(groups).astype(np.float64)
        return Configuration(positions * length, edges * length, units=system_units, topology=found)


def _edges(universe: Any, path: str | Path, frame: int) -> Array:
    """Go to a frame and return the edges of its box, which must be orthorhombic."""
    try:
        timestep = universe.trajectory[frame]
    except IndexError:
        raise InputError(f"{path} has {len(universe.trajectory)} frames, no frame {frame}") from None
    vectors = box_vectors(timestep)
    edges = np.diagonal(vectors)
    if np.any(np.abs(vectors - np.diag(edges)) > 1e-5 * edges.max()):
        raise InputError(
            f"the box of {path} is not orthorhombic; a simulation starts from an orthorhombic one"
        )
    return np.asarray(edges, dtype=np.float64)


def _species(universe: Any, groups: MappedAtoms) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the bead types: those of a mapping file, else those that a file of beads states, if several."""
    if len(groups.types) > 1:
        return groups.types, groups.type_ids.astype(np.int64)
    one = ("A",), np.zeros(groups.n_beads, dtype=np.int64)
    if str(universe.trajectory.format) not in UNITLESS_FORMATS or groups.n_beads != groups.atoms.n_atoms:
        return one
    names, types = np.unique(np.asarray(groups.atoms.types, dtype=str), return_inverse=True)
    return one if names.size < 2 else (tuple(map(str, names)), types.astype(np.int64))
