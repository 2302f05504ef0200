"""csg_inverse of VOTCA: its settings files read and run here."""

from __future__ import annotations

from cginit.votca.options import OPTIONS, Option, find_option, options_table
from cginit.votca.settings import Interaction, Settings, read_settings
from cginit.votca.target import VotcaTarget, read_target

__all__ = [
    "OPTIONS",
    "Interaction",
    "Option",
    "Settings",
    "VotcaTarget",
    "find_option",
    "options_table",
    "read_settings",
    "read_target",
]
