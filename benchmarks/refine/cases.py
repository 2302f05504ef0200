"""Targets of the refinement benchmark: liquids whose potential is known, simulated here, and water."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit import RDF, PairPotential, StatePoint, read_rdf, sampling, write_rdf
from cginit.configuration import random_configuration
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.io import read_rdf_header

ROOT = Path(__file__).resolve().parents[2]
Energy = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Liquid:
    """A liquid in reduced units (kT = 1) with a known potential."""

    density: float
    r_cut: float
    dr: float
    energy: Energy


def lennard_jones(r: np.ndarray) -> np.ndarray:
    r = np.maximum(r, 0.65)
    return 4.0 * (r**-12 - r**-6)


def wca(r: np.ndarray) -> np.ndarray:
    return np.where(r < 2 ** (1 / 6), lennard_jones(r) + 1.0, 0.0)


def gaussian_core(r: np.ndarray) -> np.ndarray:
    return 5.0 * np.exp(-(r**2))


def two_lengths(r: np.ndarray) -> np.ndarray:
    """Core and a soft shoulder at 1.8 of it, as water-like models have them."""
    return wca(r) + 1.5 / (1.0 + np.exp((r - 1.8) / 0.1))


LIQUIDS = {
    "lj": Liquid(0.8, 2.5, 0.02, lennard_jones),
    "wca": Liquid(0.8, 2.0, 0.02, wca),
    "gaussian-core": Liquid(0.5, 3.5, 0.05, gaussian_core),
    "two-lengths": Liquid(0.3, 3.0, 0.03, two_lengths),
}
#: Steps and seed of a target; long against those of a refinement, so that its noise hardly counts.
TARGET_STEPS, TARGET_SEED = 60_000, 2024


def names() -> list[str]:
    """Return the cases that can be run here; the folder of spce/ is named by CGINIT_TARGETS."""
    return [*LIQUIDS, "water", *(["spce"] if _spce() else [])]


def _spce() -> Path | None:
    folder = os.environ.get("CGINIT_TARGETS")
    path = None if folder is None else Path(folder) / "spce" / "CG-CG.dist.tgt"
    return path if path is not None and path.exists() else None


def true_potential(name: str) -> PairPotential:
    """Return the known potential of a liquid."""
    liquid = LIQUIDS[name]
    r = np.arange(round(liquid.r_cut / liquid.dr) + 1) * liquid.dr
    return PairPotential.shifted(r, liquid.energy(r), units="lj")


def load(name: str, folder: Path, beads: int) -> tuple[RDF, StatePoint, float]:
    """Return target, state and cut-off of a case; a liquid is simulated once and kept in `folder`."""
    if name == "spce":
        target = read_rdf(_spce() or Path("CG-CG.dist.tgt"), units="nm-kJ/mol")
        return target, StatePoint.from_temperature(33.2827, 300.0, "nm-kJ/mol"), 0.9
    if name == "water":
        path = ROOT / "examples/water/target.dat"
        target, header = read_rdf(path), read_rdf_header(path)
        return target, StatePoint(header.density or 0.0, header.kT or 0.0, target.units), 0.9
    liquid = LIQUIDS[name]
    state = StatePoint(liquid.density, 1.0, "lj")
    path = folder / f"{name}.dat"
    if not path.exists():
        start = random_configuration(beads, liquid.density, seed=TARGET_SEED, units="lj")
        schedule = Schedule(equilibration=10_000, production=TARGET_STEPS, every=150)
        work = folder / f"{name}-run"
        work.mkdir(parents=True, exist_ok=True)
        run = LammpsEngine().run(true_potential(name), state, start, schedule, seed=TARGET_SEED, workdir=work)
        if run.trajectory is None:
            raise SystemExit("the engine returned no configurations")
        half = 0.5 * float(np.min(run.trajectory.box))
        r_max = np.floor((min(half, 2.0 * liquid.r_cut) / liquid.dr) - 0.5) * liquid.dr
        write_rdf(sampling.rdf(run.trajectory, dr=liquid.dr, r_max=float(r_max)), path, state=state)
    return read_rdf(path), state, liquid.r_cut
