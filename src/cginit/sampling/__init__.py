"""Configurations to g(r) and pressure with statistical errors, and what makes a run useless."""

from cginit.sampling.bins import Bins
from cginit.sampling.counter import FrameCounter, PairCounter, count_each
from cginit.sampling.errors import BLOCKS, Mean, block_curve, block_mean
from cginit.sampling.health import Health, density_waves, examine, low_k_structure_factor
from cginit.sampling.histogram import (
    PairCounts,
    accumulate_rdf,
    count_pairs,
    count_partial_pairs,
    partial_rdfs,
    rdf,
)
from cginit.sampling.intramolecular import MoleculeStructure
from cginit.sampling.pressure import virial_pressure
from cginit.sampling.trend import moves
from cginit.sampling.waves import WaveVectors, mean_structure_factor, structure_factor

__all__ = [
    "BLOCKS",
    "Bins",
    "FrameCounter",
    "Health",
    "Mean",
    "MoleculeStructure",
    "PairCounter",
    "PairCounts",
    "WaveVectors",
    "accumulate_rdf",
    "block_curve",
    "block_mean",
    "count_each",
    "count_pairs",
    "count_partial_pairs",
    "density_waves",
    "examine",
    "low_k_structure_factor",
    "mean_structure_factor",
    "moves",
    "partial_rdfs",
    "rdf",
    "structure_factor",
    "virial_pressure",
]
