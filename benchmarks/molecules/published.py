"""Targets of molecules that other programs publish, read from the folder that CGINIT_TARGETS names."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from case import Case, spring

from cginit.cli.system import read_system as read_file
from cginit.configuration import Configuration, Trajectory
from cginit.coordinates import count_terms
from cginit.engines.base import Schedule
from cginit.growth import grown_configuration, typical_value
from cginit.interactions import Interactions
from cginit.sampling import count_partial_pairs
from cginit.target import Target
from cginit.topology import Topology
from cginit.trajectory import read_system
from cginit.trajectory.files import open_universe

POLYSTYRENE_CUTOFF = 1.5
#: What MSIBI's chains were simulated with.
MSIBI = Interactions({"bond A-A": spring(500.0, 1.1, "bond"), "angle A-A-A": spring(250.0, 2.0, "angle")})
HEXANE = """units = "nm-kJ/mol"
temperature = 300
topology = "{0}/topol.top"
coordinates = "{0}/conf.gro"
exclusions = "molecule"
range = 1.5
[targets]
"A-A" = "{0}/A-A.dist.tgt"
"A-B" = "{0}/A-B.dist.tgt"
"B-B" = "{0}/B-B.dist.tgt"
"bond A-B" = "{0}/bond.dist.tgt"
"angle A-B-A" = "{0}/angle.dist.tgt"
"""
POLYSTYRENE = """units = "nm-kJ/mol"
temperature = {1}
topology = "{0}/PS.data"
topology_units = "angstrom-kcal/mol"
exclusions = "1-4"
target_exclusions = "1-4"
# Divided by the density of all beads, N / V.
target_normalisation = "all pairs"
dr = 0.01
range = 2.19
# The files' bins of 0.001 nm and 0.01 radian hold no more than noise of a simulation.
bond_step = 0.005
angle_step = 0.03
dihedral_step = 0.04
[targets]
"A-A" = "{0}/nb_smoothed.dist.tgt"
"bond A-A" = "{0}/bondAA_smooth.dist.tgt"
"angle A-A-A" = "{0}/angleAAA.dist.tgt"
"dihedral A-A-A-A" = "{0}/dihedralAAAA.dist.tgt"
"""


def folder(*names: str) -> Path:
    """Return a folder of published targets."""
    return Path(os.environ["CGINIT_TARGETS"], *names).resolve()


def read(text: str, *values: object) -> Case:
    """Return the target and start of the file of a system."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "system.toml"
        file.write_text(text.format(*values))
        system = read_file(file)
    return Case(system.targets, system.starts, 0.0, Schedule())


def polystyrene(production: int, kelvin: tuple[int, ...]) -> Case:
    """Read 50 chains of 10 beads at 400 K, at 500 K, or at both, by common potentials."""
    read_ones = [read(POLYSTYRENE, folder("polystyrene", f"T{one}"), one) for one in kelvin]
    targets = tuple(target for one in read_ones for target in one.targets)
    schedule = Schedule(equilibration=2_000, production=10 * production, every=100)
    starts = tuple(start for one in read_ones for start in one.starts)
    return Case(targets, starts, POLYSTYRENE_CUTOFF, schedule)


def counted(
    file: Path,
    skip: int,
    kT: float,
    exclusions: str,
    *,
    bonds: tuple[float, float],
    step: float | None = None,
) -> tuple[Target, Configuration, Trajectory]:
    """Return the target of the frames of a GSD file after the first `skip`, the last, and all; without dihedrals."""
    start = read_system(file, units="lj", exclusions=exclusions)
    topology = start.topology.without("dihedral").completed("angle")
    with open_universe(file, None) as universe:
        frames = np.array([universe.atoms.positions.copy() for _ in universe.trajectory])[skip:]
    trajectory = Trajectory(frames, start.box, units="lj", topology=topology)
    grids = {
        name: np.arange(*bonds, 0.01)
        if name.coordinate == "bond"
        else np.arange(0.0, np.pi + 1e-6, np.pi / 180)
        for name in topology.terms
    }
    bonded = count_terms(trajectory, grids).map(lambda one: one.distribution())
    rdfs = {}
    if step is not None:
        excluded = topology.excluded(exclusions)
        reach = step * int(0.5 * float(start.box[0]) / step - 1)
        pairs = count_partial_pairs(trajectory, dr=step, r_max=reach, excluded=excluded)
        rdfs = {name: one.rdf() for name, one in pairs.items()}
    target = Target(
        rdfs, start.density, kT, topology=topology, target_exclusions=exclusions, distributions=bonded
    )
    return target, replace(start, positions=frames[-1], topology=topology), trajectory


def chain(production: int) -> Case:
    """Read MSIBI's single chain of 20 beads; the first frame is no sample: all its angles are equal."""
    target, start, _ = counted(folder("msibi") / "single-chain.gsd", 1, 4.0, "molecule", bonds=(0.7, 1.5001))
    schedule = Schedule(equilibration=5_000, production=5 * production, every=100)
    return Case((target,), (start,), 0.0, schedule, MSIBI)


def chains(production: int) -> Case:
    """Read MSIBI's 50 chains of 6 beads; in the first 11 frames the box shrinks."""
    file = folder("msibi") / "lj-chains-3.0kT.gsd"
    target, start, trajectory = counted(file, 11, 3.0, "1-4", bonds=(0.7, 1.5001), step=0.05)
    schedule = Schedule(equilibration=5_000, production=10 * production, every=100)
    return Case((target,), (start,), 3.0, schedule, MSIBI, trajectory=trajectory)


def hexane(production: int, molecules: int | None = None) -> Case:
    """Read VOTCA's targets; the molecules are those of its configuration, or so many that are grown."""
    case = read(HEXANE, folder("hexane"))
    schedule = Schedule(equilibration=3_000, production=production, every=max(production // 100, 1))
    (target,), (start,) = case.targets, case.starts
    if molecules is None:
        return Case((target,), (start,), 1.2, schedule)
    terms = {"bond A-B": [[0, 1], [1, 2]], "angle A-B-A": [[0, 1, 2]]}
    topology = Topology([0, 1, 0], ("A", "B"), terms, exclusions="molecule").repeated(molecules)
    small = Target(
        target.rdfs,
        target.state.density,
        target.kT,
        topology=topology,
        distributions=target.distributions,
    )
    shape = target.distributions.map(typical_value)
    grown = grown_configuration(topology, small.state.density, seed=3, units=small.units, shape=shape)
    return Case((small,), (grown,), 1.2, schedule, shapes=start)
