"""Refinement of potentials by simulation: one loop for every system, interchangeable updates and engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cginit.lazy import callable_package, lazy_names

if TYPE_CHECKING:
    from cginit.refine.convergence import Distance, distance
    from cginit.refine.driver import Refinement, refine, refine_system
    from cginit.refine.history import History, Step
    from cginit.refine.loop import DEFAULT_SCHEDULE, Loop, Settings
    from cginit.refine.opened import OpenedRefinement, open_refinement
    from cginit.refine.record import Record, Round
    from cginit.refine.replicas import Replicas, open_replicas
    from cginit.refine.stop import Limits, Reason
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
    "History",
    "KirkwoodBuffRamp",
    "Limits",
    "Loop",
    "OpenedRefinement",
    "PressureRamp",
    "Reason",
    "Record",
    "Refinement",
    "Replicas",
    "Round",
    "Settings",
    "Step",
    "Update",
    "distance",
    "make_update",
    "open_refinement",
    "open_replicas",
    "refine",
    "refine_system",
]

# The package is imported with `cginit`, whose start should not wait for what a guess does not need.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "cginit.refine.convergence": ["Distance", "distance"],
        "cginit.refine.driver": ["Refinement", "refine", "refine_system"],
        "cginit.refine.history": ["History", "Step"],
        "cginit.refine.loop": ["DEFAULT_SCHEDULE", "Loop", "Settings"],
        "cginit.refine.opened": ["OpenedRefinement", "open_refinement"],
        "cginit.refine.record": ["Record", "Round"],
        "cginit.refine.replicas": ["Replicas", "open_replicas"],
        "cginit.refine.stop": ["Limits", "Reason"],
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

callable_package(__name__)
