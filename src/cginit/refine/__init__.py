"""Refinement of a potential by simulation: one loop, interchangeable updates and engines."""

from __future__ import annotations

from cginit.refine.checkpoint import Iteration
from cginit.refine.convergence import Distance, distance
from cginit.refine.driver import Limits, Refinement, refine
from cginit.refine.loop import DEFAULT_SCHEDULE, Loop
from cginit.refine.measurement import Measurement
from cginit.refine.replicas import Replicas, open_replicas
from cginit.refine.updates import (
    DEFAULT_UPDATE,
    HNCN,
    IBI,
    IHNC,
    IMC,
    UPDATES,
    Anderson,
    Automatic,
    Corrected,
    GaussNewton,
    KirkwoodBuffRamp,
    PressureRamp,
    Update,
    make_update,
)

__all__ = [
    "DEFAULT_SCHEDULE",
    "DEFAULT_UPDATE",
    "HNCN",
    "IBI",
    "IHNC",
    "IMC",
    "UPDATES",
    "Anderson",
    "Automatic",
    "Corrected",
    "Distance",
    "GaussNewton",
    "Iteration",
    "KirkwoodBuffRamp",
    "Limits",
    "Loop",
    "Measurement",
    "PressureRamp",
    "Refinement",
    "Replicas",
    "Update",
    "distance",
    "make_update",
    "open_replicas",
    "refine",
]
