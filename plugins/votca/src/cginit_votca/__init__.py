"""csg_inverse of VOTCA starts from cginit's guess of the pair potential."""

from __future__ import annotations

from cginit_votca.guess import guess_for, script_path

__all__ = ["guess_for", "script_path"]
