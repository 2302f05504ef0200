"""What a benchmark of molecules refines, and the known potentials that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cginit.bonded import BondedPotential
from cginit.configuration import Configuration, Trajectory
from cginit.engines.base import Schedule
from cginit.interactions import Interactions
from cginit.target import Target

__all__ = ["ANGLES", "Case", "harmonic", "spring"]

ANGLES = np.linspace(0.0, np.pi, 91)


@dataclass(frozen=True)
class Case:
    """The target of each state with its start and, where it is known, the truth."""

    targets: tuple[Target, ...]
    starts: tuple[Configuration, ...]
    # 0 for that of the guess.
    cutoff: float
    schedule: Schedule
    truth: Interactions = field(default_factory=lambda: Interactions({}))
    # Molecules of the shapes that they have in the liquid, where the start does not have them.
    shapes: Configuration | None = None
    # Frames of the beads themselves, which ``--method trajectory`` starts from.
    trajectory: Trajectory | None = None


def spring(k: float, x0: float, coordinate: str) -> BondedPotential:
    """Return U = k/2 (x - x0)^2 in reduced units."""
    x = np.arange(0.6, 1.4001, 0.01) if coordinate == "bond" else ANGLES
    return BondedPotential.shifted(x, 0.5 * k * (x - x0) ** 2, coordinate=coordinate, units="lj")


def harmonic(potential: BondedPotential, kT: float) -> str:
    """Return stiffness and centre of the parabola through the well, each point as often as it is visited."""
    well = potential.u < 3.0 * kT
    weight = np.exp(-0.5 * potential.u[well] / kT)
    a, b, _ = np.polyfit(potential.x[well], potential.u[well], 2, w=weight)
    return f"k {2.0 * a:.4g}, centre {-b / (2.0 * a):.4f}"
