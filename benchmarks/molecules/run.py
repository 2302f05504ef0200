"""Molecules refined by cginit: simulations needed, and how near the potentials come to known ones.

    python benchmarks/molecules/run.py dimers trimers melt [--production N] [--method hnc|trajectory] [--engine hoomd]
    python benchmarks/molecules/run.py chain chains hexane polystyrene-400 polystyrene-500 polystyrene [--update ibi]

Liquids of known potentials (``dimers``, ``trimers``, ``melt``) are simulated here. The others are read from the
folder that the environment variable CGINIT_TARGETS names, and left out without it: MSIBI's single chain and its 50
chains, VOTCA's hexane, DiffCG's polystyrene at 400 K, at 500 K, and at both by common potentials. Each prints a line
a simulation with chi^2, mean squared difference and integral of the difference of every interaction, then the
potentials beside the truth.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from case import ANGLES, Case, harmonic, spring
from published import chain, chains, hexane, polystyrene

from cginit.bonded import BondedPotential
from cginit.coordinates import count_terms
from cginit.curves import PairPotential
from cginit.engines.base import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.growth import grown_configuration
from cginit.guess.direct import invert_directly
from cginit.guess.molecules import MOLECULE_METHODS, guess_molecules
from cginit.interactions import Interactions
from cginit.refine import Limits, Settings, refine_system
from cginit.sampling import count_partial_pairs
from cginit.state import StatePoint
from cginit.target import Target
from cginit.topology import Topology

#: The start from the frames of the beads, which `cg-init target` takes unasked where a bead is an atom of the file.
DIRECT = "trajectory"
STEP, CUTOFF = 0.05, 2.5
#: Standard errors that a band of 90 % reaches to either side.
NINETY = 1.645
BONDS = np.arange(0.7, 1.3001, 0.01)


def lennard_jones(epsilon: float) -> PairPotential:
    r = np.arange(0.0, CUTOFF + 1e-9, STEP)
    u = 4.0 * epsilon * (np.maximum(r, 0.5) ** -12 - np.maximum(r, 0.5) ** -6)
    u -= u[-1]
    return PairPotential(r, np.where(r < 0.85, u[17] + 250.0 * (0.85 - r), u), units="lj")


def simulated(
    topology: Topology,
    density: float,
    truth: Interactions,
    production: int,
    seed: int,
    left_out: str = "molecule",
) -> Case:
    """Simulate known potentials three times as long as a refinement does, and take what that shows as target."""
    shape = Interactions({name: one.at_minimum for name, one in truth.items() if not name.is_pair})
    start = grown_configuration(topology, density, seed=3, units="lj", shape=shape)
    long = Schedule(equilibration=3_000, production=3 * production, every=40)
    with tempfile.TemporaryDirectory() as folder:
        run = LammpsEngine().run(
            truth, StatePoint(density, 1.0), start, long, seed=seed, workdir=Path(folder)
        )
    reach = STEP * int((0.5 * float(start.box[0]) - 0.5 * STEP) / STEP - 1e-6)
    pairs = count_partial_pairs(run.trajectory, dr=STEP, r_max=reach, excluded=topology.excluded(left_out))
    grids = {name: BONDS if name.coordinate == "bond" else ANGLES for name in topology.terms}
    bonded = count_terms(run.trajectory, grids).map(lambda one: one.distribution())
    target = Target(
        {name: one.rdf() for name, one in pairs.items()},
        density,
        1.0,
        topology=topology,
        target_exclusions=left_out,
        distributions=bonded,
    )
    schedule = Schedule(equilibration=1_500, production=production, every=40)
    return Case((target,), (run.final,), CUTOFF, schedule, truth, trajectory=run.trajectory)


def dimers(production: int, seed: int) -> Case:
    topology = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(300)
    truth = {"A-A": lennard_jones(0.6), "bond A-A": spring(600.0, 1.0, "bond")}
    return simulated(topology, 0.4, Interactions(truth), production, seed)


def trimers(production: int, seed: int) -> Case:
    terms = {"bond A-B": [[0, 1], [1, 2]], "angle A-B-A": [[0, 1, 2]]}
    topology = Topology([0, 1, 0], ("A", "B"), terms).repeated(250)
    truth = {"A-A": lennard_jones(0.6), "A-B": lennard_jones(0.5), "B-B": lennard_jones(0.4)}
    truth |= {"bond A-B": spring(400.0, 1.0, "bond"), "angle A-B-A": spring(30.0, 2.1, "angle")}
    return simulated(topology, 0.45, Interactions(truth), production, seed)


def melt(production: int, seed: int) -> Case:
    """Simulate chains of ten beads whose pairs more than three bonds apart act and are counted."""
    bonds = {"bond A-A": [[i, i + 1] for i in range(9)]}
    topology = Topology([0] * 10, ("A",), bonds, exclusions="1-4").completed("angle").repeated(30)
    truth = {"A-A": lennard_jones(0.5), "bond A-A": spring(400.0, 1.0, "bond")}
    truth |= {"angle A-A-A": spring(10.0, 2.0, "angle")}
    return simulated(topology, 0.5, Interactions(truth), production, seed, "1-4")


def refined(case: Case, options: argparse.Namespace) -> None:
    def show(done) -> None:
        for record in done:
            numbers = {
                str(name): f"{one.chi2:.2f} ({one.lmse:.1e}, {one.integral:.3f})"
                for name, one in record.distances.items()
            }
            print(
                record.index,
                record.made_by,
                numbers,
                f"P {record.pressure:.4g}",
                f"{record.steps} steps, {record.seconds:.0f} s",
                *record.remarks,
                flush=True,
            )

    target, cutoff = case.targets[0], case.cutoff or None
    if options.method == DIRECT:
        if case.trajectory is None:
            raise SystemExit("this case has no frames to start from; choose another --method")
        first = invert_directly(target, case.trajectory, cutoff)
    else:
        first = guess_molecules(target, options.method, cutoff, case.shapes or case.starts[0])
    for note in {note: None for one in first.values() for note in one.notes if "stands in" in note}:
        print(note, flush=True)
    began = time.perf_counter()
    result = refine_system(
        case.targets,
        first,
        options.engine,
        options.update,
        workdir=options.workdir,
        settings=Settings(schedule=case.schedule, limits=Limits(options.iterations), seed=options.seed),
        starts=case.starts,
        progress=show,
    )
    print(result.reason, f"({time.perf_counter() - began:.0f} s)")
    for name, one in result.certainty.potentials.items():
        true = case.truth.get(name)
        if isinstance(one, BondedPotential):
            known = (
                "" if true is None else f"; truth {harmonic(true, target.kT)}; {held(one, true, target.kT)}"
            )
            print(f"  {name}: {harmonic(one, target.kT)}{known}")
        elif true is not None:
            seen = target.rdfs[name].g[: one.r.size] > 0.1
            off = (one.u - true.u)[seen]
            sizes = f"{np.sqrt(np.mean(off**2)):.3f} (rms), {np.abs(off).max():.3f} at most"
            print(f"  {name}: U off by {sizes}; {of_bands(off, one.u_error, seen)}")


def held(one: BondedPotential, true: BondedPotential, kT: float) -> str:
    """Return how far a bonded potential is from the truth in its well but for a constant, and what its band holds."""
    exact = np.interp(one.x, true.x, true.u)
    well = exact < 4.0 * kT
    off = one.u - exact
    off = (off - np.average(off[well], weights=np.exp(-exact[well] / kT)))[well]
    return f"off by {np.sqrt(np.mean(off**2)):.3f} (rms); {of_bands(off, one.u_error, well)}"


def of_bands(off: np.ndarray, error: np.ndarray | None, seen: np.ndarray) -> str:
    """Return the part of points whose 90 % band holds the truth, and the error that is stated."""
    if error is None:
        return "no band"
    part, stated = np.mean(np.abs(off) <= NINETY * error[seen]), np.sqrt(np.mean(error[seen] ** 2))
    return f"band of 90 % holds {100 * part:.0f} % of {off.size} points, states {stated:.3f}"


KNOWN = {"dimers": dimers, "trimers": trimers, "melt": melt}
PUBLISHED = {
    "chain": chain,
    "chains": chains,
    "hexane": hexane,
    "polystyrene-400": partial(polystyrene, kelvin=(400,)),
    "polystyrene-500": partial(polystyrene, kelvin=(500,)),
    "polystyrene": partial(polystyrene, kelvin=(400, 500)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="+", choices=(*KNOWN, *PUBLISHED))
    parser.add_argument("--production", type=int, default=6_000)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument(
        "--molecules", type=int, help="of hexane; by default the 1000 of VOTCA's configuration"
    )
    parser.add_argument("--update", default="auto")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target-seed", type=int, default=5, help="of the simulation of known potentials")
    parser.add_argument("--engine", choices=("lammps", "hoomd"), default="lammps", help="of the refinement")
    parser.add_argument("--method", choices=(*MOLECULE_METHODS, DIRECT), default="boltzmann")
    parser.add_argument("--workdir", type=Path, help="keep the refinement of one case, and go on there")
    options = parser.parse_args()
    for name in options.cases:
        if name in PUBLISHED and "CGINIT_TARGETS" not in os.environ:
            print(f"{name} is left out: CGINIT_TARGETS names no folder of published targets")
            continue
        print(name)
        case = PUBLISHED.get(name) or partial(KNOWN[name], seed=options.target_seed)
        if name == "hexane":
            case = partial(case, molecules=options.molecules)
        refined(case(options.production), options)


if __name__ == "__main__":
    main()
