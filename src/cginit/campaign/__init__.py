"""Training data: random potentials, their simulation at many state points, and the files of the results."""

from __future__ import annotations

from cginit.campaign.beads import BeadPotential, bead_potential
from cginit.campaign.campaign import Batch, Campaign, counts, screen_report
from cginit.campaign.dataset import (
    aged_states,
    join,
    load,
    load_any,
    load_molecules,
    merge,
    read_record,
    save,
)
from cginit.campaign.dense import dense_potential
from cginit.campaign.families import DENSITIES, FAMILIES, StatePointTask, plan, split_of
from cginit.campaign.molecules import Molecule, MoleculeTask, random_molecule
from cginit.campaign.potentials import SplinePotential, spline_potential
from cginit.campaign.records import Dataset, MoleculeDataset, MoleculeRecord, Record
from cginit.campaign.run import record_path, run_campaign
from cginit.campaign.screen import screen
from cginit.campaign.simulate import simulate_state
from cginit.campaign.simulate_molecules import simulate_molecules

__all__ = [
    "DENSITIES",
    "FAMILIES",
    "Batch",
    "BeadPotential",
    "Campaign",
    "Dataset",
    "Molecule",
    "MoleculeDataset",
    "MoleculeRecord",
    "MoleculeTask",
    "Record",
    "SplinePotential",
    "StatePointTask",
    "aged_states",
    "bead_potential",
    "counts",
    "dense_potential",
    "join",
    "load",
    "load_any",
    "load_molecules",
    "merge",
    "plan",
    "random_molecule",
    "read_record",
    "record_path",
    "run_campaign",
    "save",
    "screen",
    "screen_report",
    "simulate_molecules",
    "simulate_state",
    "spline_potential",
    "split_of",
]
