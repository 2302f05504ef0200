"""cginit's guess of the pair potential as a ``Pair`` of MSIBI, on a grid that MSIBI and HOOMD-blue read alike."""

from __future__ import annotations

from cginit_msibi.pair import msibi_grid, msibi_pair

__all__ = ["msibi_grid", "msibi_pair"]
