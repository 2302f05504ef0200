"""Training data: random potentials, their simulation at many state points, and the files of the results."""

from __future__ import annotations

from cginit.campaign.beads import BeadPotential, bead_potential
from cginit.campaign.campaign import Batch, Campaign, counts, screen_report
from cginit.campaign.dataset import Dataset, Record, aged_states, join, load, merge, read_record, save
from cginit.campaign.families import DENSITIES, FAMILIES, StatePointTask, plan, split_of
from cginit.campaign.potentials import SplinePotential, spline_potential
from cginit.campaign.run import record_path, run_campaign
from cginit.campaign.screen import screen
from cginit.campaign.simulate import simulate_state

__all__ = [
    "DENSITIES",
    "FAMILIES",
    "Batch",
    "BeadPotential",
    "Campaign",
    "Dataset",
    "Record",
    "SplinePotential",
    "StatePointTask",
    "aged_states",
    "bead_potential",
    "counts",
    "join",
    "load",
    "merge",
    "plan",
    "read_record",
    "record_path",
    "run_campaign",
    "save",
    "screen",
    "screen_report",
    "simulate_state",
    "spline_potential",
    "split_of",
]
