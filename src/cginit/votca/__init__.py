"""csg_inverse of VOTCA: its settings files read and run here."""

from __future__ import annotations

from cginit.votca.adjusted import AdjustedUpdate
from cginit.votca.options import OPTIONS, Option, find_option, options_table
from cginit.votca.plan import Plan, make_plan, run_plan
from cginit.votca.script import RunPlan, read_lammps_script, read_mdp
from cginit.votca.settings import PairSection, Settings, read_settings
from cginit.votca.target import VotcaTarget, read_target
from cginit.votca.update import update_of

__all__ = [
    "OPTIONS",
    "AdjustedUpdate",
    "Option",
    "PairSection",
    "Plan",
    "RunPlan",
    "Settings",
    "VotcaTarget",
    "find_option",
    "make_plan",
    "options_table",
    "read_lammps_script",
    "read_mdp",
    "read_settings",
    "read_target",
    "run_plan",
    "update_of",
]
