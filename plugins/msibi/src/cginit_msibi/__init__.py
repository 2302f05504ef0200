"""Potentials of cginit as the forces of MSIBI, on grids that MSIBI and HOOMD-blue read alike."""

from __future__ import annotations

from cginit_msibi.bonded import msibi_bonded, msibi_bonded_grid
from cginit_msibi.pair import msibi_grid, msibi_pair

__all__ = ["msibi_bonded", "msibi_bonded_grid", "msibi_grid", "msibi_pair"]
