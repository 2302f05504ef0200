"""Molecules refined by cginit: simulations needed, and how near the potentials come to known ones.

    python benchmarks/molecules/run.py dimers trimers [chain hexane] [--production N] [--method boltzmann|hnc]
    python benchmarks/molecules/run.py hexane --molecules 250 [--update ibi]

``dimers`` and ``trimers`` are simulated here with known potentials. ``chain`` (MSIBI's single chain) and ``hexane``
(VOTCA's targets) are read from the folder that the environment variable CGINIT_TARGETS names. Each prints a line a
simulation with chi^2 and mean squared difference of every interaction, then the potentials beside the truth.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit.bonded import BondedPotential
from cginit.cli.system import read_system as read_file
from cginit.configuration import Configuration, Trajectory
from cginit.coordinates import count_terms
from cginit.curves import PairPotential
from cginit.engines.base import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.growth import grown_configuration, typical_value
from cginit.guess.molecules import MOLECULE_METHODS, guess_molecules
from cginit.interactions import Interactions
from cginit.refine import Limits, Settings, refine_system
from cginit.sampling import count_partial_pairs
from cginit.state import StatePoint
from cginit.target import Target
from cginit.topology import Topology
from cginit.trajectory import read_system
from cginit.trajectory.files import open_universe

STEP, CUTOFF = 0.05, 2.5
BONDS, ANGLES = np.arange(0.7, 1.3001, 0.01), np.linspace(0.0, np.pi, 91)
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


@dataclass(frozen=True)
class Case:
    """A target with its start and, where it is known, the truth."""

    target: Target
    start: Configuration
    cutoff: float
    schedule: Schedule
    truth: Interactions
    # Molecules of the shapes that they have in the liquid, where the start does not have them.
    shapes: Configuration | None = None


def lennard_jones(epsilon: float) -> PairPotential:
    r = np.arange(0.0, CUTOFF + 1e-9, STEP)
    u = 4.0 * epsilon * (np.maximum(r, 0.5) ** -12 - np.maximum(r, 0.5) ** -6)
    u -= u[-1]
    return PairPotential(r, np.where(r < 0.85, u[17] + 250.0 * (0.85 - r), u), units="lj")


def spring(k: float, x0: float, coordinate: str) -> BondedPotential:
    x = np.arange(0.6, 1.4001, 0.01) if coordinate == "bond" else ANGLES
    return BondedPotential.shifted(x, 0.5 * k * (x - x0) ** 2, coordinate=coordinate, units="lj")


def simulated(topology: Topology, density: float, truth: Interactions, production: int) -> Case:
    """Simulate known potentials three times as long as a refinement does, and take what that shows as target."""
    shape = Interactions({name: one.at_minimum for name, one in truth.items() if not name.is_pair})
    start = grown_configuration(topology, density, seed=3, units="lj", shape=shape)
    long = Schedule(equilibration=3_000, production=3 * production, every=40)
    with tempfile.TemporaryDirectory() as folder:
        run = LammpsEngine().run(truth, StatePoint(density, 1.0), start, long, seed=5, workdir=Path(folder))
    reach = STEP * int((0.5 * float(start.box[0]) - 0.5 * STEP) / STEP - 1e-6)
    pairs = count_partial_pairs(run.trajectory, dr=STEP, r_max=reach, excluded=topology.excluded("molecule"))
    grids = {name: BONDS if name.coordinate == "bond" else ANGLES for name in topology.terms}
    bonded = count_terms(run.trajectory, grids).map(lambda one: one.distribution())
    target = Target(
        {name: one.rdf() for name, one in pairs.items()},
        density,
        1.0,
        topology=topology,
        distributions=bonded,
    )
    schedule = Schedule(equilibration=1_500, production=production, every=40)
    return Case(target, run.final, CUTOFF, schedule, truth)


def dimers(production: int) -> Case:
    topology = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(300)
    truth = {"A-A": lennard_jones(0.6), "bond A-A": spring(600.0, 1.0, "bond")}
    return simulated(topology, 0.4, Interactions(truth), production)


def trimers(production: int) -> Case:
    terms = {"bond A-B": [[0, 1], [1, 2]], "angle A-B-A": [[0, 1, 2]]}
    topology = Topology([0, 1, 0], ("A", "B"), terms).repeated(250)
    truth = {"A-A": lennard_jones(0.6), "A-B": lennard_jones(0.5), "B-B": lennard_jones(0.4)}
    truth |= {"bond A-B": spring(400.0, 1.0, "bond"), "angle A-B-A": spring(30.0, 2.1, "angle")}
    return simulated(topology, 0.45, Interactions(truth), production)


def chain(production: int) -> Case:
    file = Path(os.environ["CGINIT_TARGETS"]) / "msibi" / "single-chain.gsd"
    start = read_system(file, units="lj", exclusions="molecule")
    topology = start.topology.without("dihedral").completed("angle")
    with open_universe(file, None) as universe:
        # The first frame is no sample: all its angles are equal.
        frames = np.array([universe.atoms.positions.copy() for _ in universe.trajectory])[1:]
    trajectory = Trajectory(frames, start.box, units="lj", topology=topology)
    angles = np.arange(0.0, np.pi + 1e-6, np.pi / 180)
    grids = {
        name: np.arange(0.7, 1.5001, 0.01) if name.coordinate == "bond" else angles for name in topology.terms
    }
    bonded = count_terms(trajectory, grids).map(lambda one: one.distribution())
    target = Target({}, start.density, 4.0, topology=topology, distributions=bonded)
    truth = Interactions({"bond A-A": spring(500.0, 1.1, "bond"), "angle A-A-A": spring(250.0, 2.0, "angle")})
    schedule = Schedule(equilibration=5_000, production=5 * production, every=100)
    return Case(target, start, 0.0, schedule, truth)


def hexane(production: int, molecules: int | None = None) -> Case:
    """Read VOTCA's targets; the molecules are those of its configuration, or so many that are grown."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "system.toml"
        file.write_text(HEXANE.format(Path(os.environ["CGINIT_TARGETS"]).resolve() / "hexane"))
        system = read_file(file)
    schedule = Schedule(equilibration=3_000, production=production, every=max(production // 100, 1))
    target, start = system.targets[0], system.starts[0]
    if molecules is None:
        return Case(target, start, 1.2, schedule, Interactions({}))
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
    return Case(small, grown, 1.2, schedule, Interactions({}), start)


def harmonic(potential: BondedPotential, kT: float) -> str:
    """Return stiffness and centre of the parabola through the well, each point as often as it is visited."""
    well = potential.u < 3.0 * kT
    weight = np.exp(-0.5 * potential.u[well] / kT)
    a, b, _ = np.polyfit(potential.x[well], potential.u[well], 2, w=weight)
    return f"k {2.0 * a:.4g}, centre {-b / (2.0 * a):.4f}"


def refined(case: Case, method: str, iterations: int, update: str, engine: str) -> None:
    def show(done) -> None:
        record = done[0]
        numbers = {str(name): f"{one.chi2:.2f} ({one.lmse:.1e})" for name, one in record.distances.items()}
        print(
            record.index,
            record.made_by,
            numbers,
            f"P {record.pressure:.4g}",
            f"{record.seconds:.0f} s",
            flush=True,
        )

    first = guess_molecules(case.target, method, case.cutoff or None, case.shapes or case.start)
    began = time.perf_counter()
    result = refine_system(
        case.target,
        first,
        engine,
        update,
        settings=Settings(schedule=case.schedule, limits=Limits(iterations)),
        starts=[case.start],
        progress=show,
    )
    print(result.reason, f"({time.perf_counter() - began:.0f} s)")
    for name, one in result.potentials.items():
        true = case.truth.get(name)
        if isinstance(one, BondedPotential):
            known = "" if true is None else f"; truth {harmonic(true, case.target.kT)}"
            print(f"  {name}: {harmonic(one, case.target.kT)}{known}")
        elif true is not None:
            seen = case.target.rdfs[name].g[: one.r.size] > 0.1
            off = (one.u - true.u)[seen]
            print(f"  {name}: U off by {np.sqrt(np.mean(off**2)):.3f} (rms), {np.abs(off).max():.3f} at most")


CASES = {"dimers": dimers, "trimers": trimers, "chain": chain, "hexane": hexane}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="+", choices=CASES)
    parser.add_argument("--production", type=int, default=6_000)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument(
        "--molecules", type=int, help="of hexane; by default the 1000 of VOTCA's configuration"
    )
    parser.add_argument("--update", default="auto")
    parser.add_argument("--engine", choices=("lammps", "hoomd"), default="lammps", help="of the refinement")
    parser.add_argument("--method", choices=MOLECULE_METHODS, default="boltzmann")
    options = parser.parse_args()
    for name in options.cases:
        print(name)
        case = (
            hexane(options.production, options.molecules)
            if name == "hexane"
            else CASES[name](options.production)
        )
        refined(case, options.method, options.iterations, options.update, options.engine)


if __name__ == "__main__":
    main()
