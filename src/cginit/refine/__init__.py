"""Refinement of a potential by simulation: one loop, interchangeable updates and engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cginit.lazy import lazy_names

if TYPE_CHECKING:
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

# The package is imported with `cginit`, whose start should not wait for what a guess does not need.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "cginit.refine.checkpoint": ["Iteration"],
        "cginit.refine.convergence": ["Distance", "distance"],
        "cginit.refine.driver": ["Limits", "Refinement", "refine"],
        "cginit.refine.loop": ["DEFAULT_SCHEDULE", "Loop"],
        "cginit.refine.measurement": ["Measurement"],
        "cginit.refine.replicas": ["Replicas", "open_replicas"],
        "cginit.refine.updates": [
            "DEFAULT_UPDATE",
            "HNCN",
            "IBI",
            "IHNC",
            "IMC",
            "UPDATES",
            "Anderson",
            "Automatic",
            "Corrected",
            "GaussNewton",
            "KirkwoodBuffRamp",
            "PressureRamp",
            "Update",
            "make_update",
        ],
    },
)
