"""Files of simulation programs, read by MDAnalysis: a target g(r) from a trajectory, a start from a file.

MDAnalysis converts the lengths of every format that states its unit to angstrom, so converting them on is
safe. LAMMPS and GSD files state none: their `units` must be given.
"""

from cginit.trajectory.mapping import MappedAtoms, bead_positions, map_atoms
from cginit.trajectory.start import read_configuration
from cginit.trajectory.target import MappedSystem, rdf_from_trajectory

__all__ = [
    "MappedAtoms",
    "MappedSystem",
    "bead_positions",
    "map_atoms",
    "rdf_from_trajectory",
    "read_configuration",
]
