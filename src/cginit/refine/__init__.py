"""Refinement of a potential by simulation: one loop, interchangeable updates and engines."""

from __future__ import annotations

from cginit.refine.checkpoint import Iteration
from cginit.refine.convergence import Distance, distance
from cginit.refine.loop import DEFAULT_SCHEDULE, Limits, Loop, Refinement, refine
from cginit.refine.updates import IBI, UPDATES, Update, make_update

__all__ = [
    "DEFAULT_SCHEDULE",
    "IBI",
    "UPDATES",
    "Distance",
    "Iteration",
    "Limits",
    "Loop",
    "Refinement",
    "Update",
    "distance",
    "make_update",
    "refine",
]
