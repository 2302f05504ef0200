"""Training data: random potentials, their simulation at many state points, and the files of the results."""

from __future__ import annotations

from cginit.campaign.dataset import Dataset, Record, load, merge, read_record, save
from cginit.campaign.potentials import SplinePotential, spline_potential
from cginit.campaign.simulate import DENSITIES, StateTask, plan, run_campaign, simulate_state

__all__ = [
    "DENSITIES",
    "Dataset",
    "Record",
    "SplinePotential",
    "StateTask",
    "load",
    "merge",
    "plan",
    "read_record",
    "run_campaign",
    "save",
    "simulate_state",
    "spline_potential",
]
