"""Files of simulation programs, read by MDAnalysis: target g(r) from a trajectory, a start from a file.

MDAnalysis converts the lengths of every format that states its unit to angstrom, so converting them on is
safe. LAMMPS and GSD files state none: their `units` must be given.
"""

from cginit.trajectory.beads import write_beads
from cginit.trajectory.mapping import MappedAtoms, bead_positions, map_atoms
from cginit.trajectory.mapping_files import read_mapping
from cginit.trajectory.molecule_target import MoleculeTargets, molecules_from_trajectory
from cginit.trajectory.specification import AtomName, BeadRule, MappingRules, MoleculeRule
from cginit.trajectory.start import read_configuration, read_system
from cginit.trajectory.start_file import write_start
from cginit.trajectory.target import MappedSystem, rdf_from_trajectory, rdfs_from_trajectory

__all__ = [
    "AtomName",
    "BeadRule",
    "MappedAtoms",
    "MappedSystem",
    "MappingRules",
    "MoleculeRule",
    "MoleculeTargets",
    "bead_positions",
    "map_atoms",
    "molecules_from_trajectory",
    "rdf_from_trajectory",
    "rdfs_from_trajectory",
    "read_configuration",
    "read_mapping",
    "read_system",
    "write_beads",
    "write_start",
]
