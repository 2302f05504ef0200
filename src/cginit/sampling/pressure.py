"""Pressure of sampled configurations under a pair potential."""

from __future__ import annotations

import numpy as np

from cginit.configuration import Trajectory, close_pairs
from cginit.curves import PairPotential
from cginit.extrapolate import resampled
from cginit.sampling.errors import BLOCKS, Mean, block_mean
from cginit.state import StatePoint

__all__ = ["virial_pressure"]

#: Points of the fine grid on which the virial interpolates the force.
FORCE_POINTS = 2500


def virial_pressure(
    trajectory: Trajectory, potential: PairPotential, state: StatePoint, *, blocks: int = BLOCKS
) -> Mean:
    r"""Return the pressure of the sampled configurations under a pair potential.

    .. math:: P = \rho kT + \frac{1}{3V} \Big\langle \sum_{i<j} r_{ij} F(r_{ij}) \Big\rangle

    with the force of the spline that engines tabulate (the central differences of a coarse grid are off by
    several per cent in a steep core), and the kinetic part by kT rather than by the momentary velocities,
    which removes their noise. In the units of trajectory, potential and state, which must agree.
    """
    fine = resampled(potential, np.linspace(0.0, potential.r_cut, FORCE_POINTS + 1), state.kT)
    volume = float(np.prod(trajectory.box))
    virial = np.empty(len(trajectory))
    for index, positions in enumerate(trajectory.positions):
        r = np.linalg.norm(close_pairs(positions, trajectory.box, potential.r_cut)[1], axis=1)
        virial[index] = np.sum(r * np.interp(r, fine.r, fine.f, right=0.0))
    mean = block_mean(virial / (3.0 * volume), blocks)
    return Mean(trajectory.density * state.kT + mean.value, mean.error)
