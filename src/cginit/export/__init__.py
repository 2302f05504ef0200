"""What to run elsewhere: a folder with tables, start and input script for LAMMPS, HOOMD-blue or OpenMM."""

from cginit.export.model import DEFAULT_MASS, Model
from cginit.export.programs import PROGRAMS, export_model

__all__ = ["DEFAULT_MASS", "PROGRAMS", "Model", "export_model"]
