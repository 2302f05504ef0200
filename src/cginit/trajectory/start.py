"""Start configurations from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.errors import InputError
from cginit.trajectory.files import box_vectors, length_scale, open_universe
from cginit.trajectory.mapping import bead_positions, map_atoms
from cginit.units import UnitSystem

__all__ = ["read_configuration"]


def read_configuration(
    path: str | Path,
    *,
    units: str | UnitSystem | None = None,
    mapping: str = "all",
    frame: int = -1,
    atom_style: str | None = None,
) -> Configuration:
    """Read bead positions and box from a GRO, LAMMPS data, GSD or any other file that MDAnalysis reads.

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
        return Configuration(
            bead_positions(map_atoms(universe, mapping)).astype(np.float64) * length,
            edges * length,
            units=system_units,
        )
