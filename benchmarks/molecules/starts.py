"""The starts of molecules compared: how far the first simulation is from g(r) and the distributions.

    python benchmarks/molecules/starts.py OUT [--liquid NAME ...] [--start NAME ...]
    python benchmarks/molecules/starts.py OUT --table
    python benchmarks/molecules/starts.py OUT --default

Liquids of `liquids.py` are simulated here with their known potentials (OUT/NAME.npz); ``hexane`` is read from the
folder that the environment variable CGINIT_TARGETS names, ``decane`` from the GROMACS run of examples/decane whose
folder is named by CGINIT_DECANE. Of one liquid after another first the potentials of all starts are compared with the
known ones (OUT/potentials.jsonl), then each is simulated (OUT/rows.jsonl), a line a liquid and start; the same
command goes on where it was interrupted. ``--table`` prints what is there, ``--default`` the method that each liquid
starts from where none is named, with molecules of its own shapes and with grown ones. The start ``truth`` repeats the
simulation of the known potentials with another seed: no start can be seen to be nearer.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from liquids import ANGLES, BONDS, CUTOFF, DIHEDRALS, LIQUIDS, STEP, Liquid
from published import HEXANE

from cginit.cli.system import read_system as read_file
from cginit.configuration import Configuration, Trajectory
from cginit.coordinates import count_terms
from cginit.engines.base import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.errors import CGInitError
from cginit.growth import grown_configuration, typical_value
from cginit.guess.direct import invert_directly
from cginit.guess.molecules import default_method, guess_molecules
from cginit.interactions import Interactions
from cginit.refine.start import fitting_potentials
from cginit.sampling import count_partial_pairs
from cginit.state import StatePoint
from cginit.target import Target
from cginit.topology import Topology
from cginit.trajectory import molecules_from_trajectory
from cginit.trajectory.files import box_vectors, open_universe
from cginit.trajectory.mapping import bead_positions, map_atoms
from cginit.trajectory.mapping_files import read_mapping

GRIDS = {"bond": BONDS, "angle": ANGLES, "dihedral": DIHEDRALS}
#: Of a target, and of a start, whose noise is then most of what is seen of two runs of the same potentials.
TARGET = Schedule(equilibration=2_000, production=8_000, every=40)
FIRST = Schedule(equilibration=1_000, production=4_000, every=40)
#: The start that is compared with, the one that needs no guess, and the one that needs a trajectory.
PLAIN, TRUTH, DIRECT = "boltzmann", "truth", "trajectory"
STARTS = ("boltzmann", DIRECT, "hnc", "network", "verlet", TRUTH)


@dataclass(frozen=True)
class Case:
    """What a liquid is to show, a configuration to start from, one with the shapes of the molecules, and frames."""

    target: Target
    start: Configuration
    shapes: Configuration
    cutoff: float
    trajectory: Trajectory | None = None
    truth: Interactions | None = None


def simulated(name: str, folder: Path) -> Case:
    """Simulate a known liquid, or read what was simulated before."""
    liquid = LIQUIDS[name]()
    file = folder / f"{name}.npz"
    if not file.is_file():
        with tempfile.TemporaryDirectory() as workdir:
            state = StatePoint(liquid.density, 1.0)
            run = LammpsEngine().run(
                liquid.truth, state, liquid.grown(3), TARGET, seed=5, workdir=Path(workdir)
            )
        temporary = file.with_name(f".{file.name}")
        np.savez(
            temporary, positions=run.trajectory.positions, box=run.trajectory.box, final=run.final.positions
        )
        temporary.replace(file)
    with np.load(file) as stored:
        trajectory = Trajectory(stored["positions"], stored["box"], units="lj", topology=liquid.topology)
        final = Configuration(stored["final"], stored["box"], units="lj", topology=liquid.topology)
    target = target_of(liquid, trajectory)
    return Case(target, final, final, CUTOFF, trajectory, liquid.truth)


def target_of(liquid: Liquid, trajectory: Trajectory) -> Target:
    topology = liquid.topology
    reach = STEP * int((0.5 * float(trajectory.box[0]) - 0.5 * STEP) / STEP - 1e-6)
    pairs = count_partial_pairs(trajectory, dr=STEP, r_max=reach, excluded=topology.excluded("molecule"))
    bonded = count_terms(trajectory, {name: GRIDS[name.coordinate] for name in topology.terms})
    return Target(
        {name: one.rdf() for name, one in pairs.items()},
        liquid.density,
        1.0,
        topology=topology,
        distributions=bonded.map(lambda one: one.distribution()),
    )


def hexane(_: Path) -> Case:
    """Read VOTCA's targets, which come without a trajectory; 250 molecules are simulated."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "system.toml"
        file.write_text(HEXANE.format(Path(os.environ["CGINIT_TARGETS"]).resolve() / "hexane"))
        system = read_file(file)
    whole, shapes = system.targets[0], system.starts[0]
    terms = {"bond A-B": [[0, 1], [1, 2]], "angle A-B-A": [[0, 1, 2]]}
    topology = Topology([0, 1, 0], ("A", "B"), terms, exclusions="molecule").repeated(250)
    density = whole.state.density
    target = Target(whole.rdfs, density, whole.kT, topology=topology, distributions=whole.distributions)
    shape = target.distributions.map(typical_value)
    grown = grown_configuration(topology, density, seed=3, units=target.units, shape=shape)
    return Case(target, grown, shapes, 1.2)


def decane(_: Path) -> Case:
    """Map the atoms of the example's run to beads."""
    run = Path(os.environ["CGINIT_DECANE"])
    mapping = Path(__file__).parents[2] / "examples" / "decane" / "decane.yaml"
    files = str(run / "production.tpr"), str(run / "production.xtc")
    found = molecules_from_trajectory(*files, mapping=str(mapping), dr=0.01)
    target = found.target(300.0 * found.system.units.boltzmann())
    with open_universe(*files) as universe:
        beads = map_atoms(universe, read_mapping(mapping))
        frames = []
        for timestep in universe.trajectory:
            frames.append(0.1 * bead_positions(beads))
            edges = 0.1 * np.diagonal(box_vectors(timestep))
    trajectory = Trajectory(np.array(frames), edges, units=target.units, topology=found.topology)
    return Case(target, found.start, found.start, 1.2, trajectory)


CASES: dict[str, Callable[[Path], Case]] = {"hexane": hexane, "decane": decane}


def started(case: Case, start: str) -> Interactions:
    if start == TRUTH and case.truth is not None:
        return case.truth
    if start == DIRECT and case.trajectory is not None:
        return invert_directly(case.target, case.trajectory, case.cutoff)
    return guess_molecules(case.target, start, case.cutoff, case.shapes)


def stand_ins(potentials: Interactions) -> list[str]:
    """Return the sentences that say what took the place of the method asked for."""
    return sorted({note for one in potentials.values() for note in one.notes if "stands in" in note})


def first_simulation(case: Case, start: str) -> dict[str, object]:
    """Simulate a start and return how far what it shows is from the target."""
    began = time.perf_counter()
    potentials = started(case, start)
    notes = stand_ins(potentials)
    made = time.perf_counter() - began
    if start != TRUTH:
        potentials = fitting_potentials([case.target], potentials)
    target = case.target
    configuration = replace(case.start, topology=target.topology, types=target.topology.types)
    try:
        with tempfile.TemporaryDirectory() as workdir:
            run = LammpsEngine().run(
                potentials, target.state, configuration, FIRST, seed=11, workdir=Path(workdir)
            )
    except CGInitError as error:
        return {"failed": str(error).splitlines()[0], "notes": notes, "made": made}
    return {
        **differences(case, run.trajectory),
        "pressure": float(np.mean(run.pressure)),
        "notes": notes,
        "made": made,
        "seconds": time.perf_counter() - began,
    }


def differences(case: Case, trajectory: Trajectory) -> dict[str, object]:
    """Return mean squared differences of g up to the cut-off, and integrals of those of distributions."""
    target = case.target
    some = next(iter(target.rdfs.values()))
    reach = min(case.cutoff, some.r_max)
    excluded = target.topology.excluded(target.target_exclusions)
    pairs = count_partial_pairs(trajectory, dr=some.dr, r_max=reach, excluded=excluded)
    g, noise = {}, {}
    for name, counts in pairs.items():
        if name in target.rdfs:
            found, wanted = counts.rdf(), target.rdfs[name]
            at = found.r[found.r > 0.0]
            off = np.interp(at, found.r, found.g) - np.interp(at, wanted.r, wanted.g, left=0.0)
            g["-".join(name)] = float(np.mean(off**2))
            both = np.interp(at, found.r, found.error) ** 2
            if wanted.error is not None:
                both += np.interp(at, wanted.r, wanted.error, left=0.0) ** 2
            noise["-".join(name)] = float(np.mean(both))
    grids = {name: one.x for name, one in target.distributions.items()}
    bonded = {}
    for name, counts in count_terms(trajectory, grids, target.topology).items():
        wanted = target.distributions[name]
        bonded[str(name)] = float(np.sum(np.abs(counts.distribution().p - wanted.p)) * wanted.dx)
    means = {"mean": float(np.mean(list(g.values()))), "noise": float(np.mean(list(noise.values())))}
    return {"g": g, "bonded": bonded, **means}


def errors(case: Case, potentials: Interactions) -> dict[str, float]:
    """Return the rms differences of pair potentials from the truth in kT, where g is larger than a tenth."""
    found = {}
    for name, curve in case.target.rdfs.items():
        one, true = potentials[name], case.truth[name]
        n = min(one.r.size, true.r.size)
        shown = curve.g[:n] > 0.1
        found[str(name)] = float(np.sqrt(np.mean((one.u[:n] - true.u[:n])[shown] ** 2)) / case.target.kT)
    return found


def read_rows(file: Path) -> dict[tuple[str, str], dict]:
    lines = file.read_text().splitlines() if file.is_file() else []
    return {(row["liquid"], row["start"]): row for row in map(json.loads, lines)}


def table(rows: dict[tuple[str, str], dict], value: Callable[[dict], float]) -> str:
    """Return a number of each liquid and start, and medians of the ratio to the plain start."""
    starts = [one for one in STARTS if any(start == one for _, start in rows)]
    liquids = [one for one in (*LIQUIDS, *CASES) if any(liquid == one for liquid, _ in rows)]
    lines = ["| liquid | " + " | ".join(starts) + " |", "| --- |" + " --- |" * len(starts)]
    numbers = {key: value(row) if "failed" not in row else np.inf for key, row in rows.items()}
    for liquid in liquids:
        cells = []
        for start in starts:
            number = numbers.get((liquid, start))
            cells.append("" if number is None else "failed" if np.isinf(number) else f"{number:.2g}")
            cells[-1] += "*" if rows.get((liquid, start), {}).get("notes") else ""
        lines.append(f"| {liquid} | " + " | ".join(cells) + " |")
    ratios = []
    for start in starts:
        found = [
            numbers[one, start] / numbers[one, PLAIN]
            for one in liquids
            if (one, start) in rows and np.isfinite(numbers.get((one, PLAIN), np.inf))
        ]
        ratios.append(f"{np.median(found):.2f} ({len(found)})" if found else "")
    lines.append(f"| median of the ratio to {PLAIN} (liquids) | " + " | ".join(ratios) + " |")
    return "\n".join(lines)


def beyond_noise(row: dict) -> float:
    """Return the mean squared difference of g without what two runs of the same potentials would have."""
    return max(row["mean"] - row["noise"], 0.05 * row["noise"])


def show(folder: Path) -> None:
    """Print the tables of what is known."""
    first = read_rows(folder / "rows.jsonl")
    for title, value in (
        ("Mean squared difference of g", lambda row: row["mean"]),
        ("The same beyond the noise of both runs", beyond_noise),
    ):
        print(f"\n{title}\n\n{table(first, value)}")
    made = read_rows(folder / "potentials.jsonl")
    print(
        f"\nRms error of the pair potentials / kT\n\n{table(made, lambda row: np.mean(list(row['u'].values())))}"
    )


def add_row(file: Path, row: dict[str, object]) -> None:
    with file.open("a") as stream:
        stream.write(json.dumps(row) + "\n")
    print(
        {key: row[key] for key in ("liquid", "start", "mean", "noise", "u", "failed") if key in row},
        flush=True,
    )


def run(folder: Path, name: str, starts: list[str], *, simulate: bool) -> None:
    """Make the potentials of all starts of a liquid, or simulate them, as far as neither is done."""
    file = folder / ("rows.jsonl" if simulate else "potentials.jsonl")
    rows = read_rows(file)
    wanted = [one for one in starts if (name, one) not in rows]
    if not simulate:
        wanted = [] if name in CASES else [one for one in wanted if one != TRUTH]
    if name in CASES and f"CGINIT_{'TARGETS' if name == 'hexane' else 'DECANE'}" not in os.environ:
        print(f"{name} is left out: no folder is named")
        return
    if not wanted:
        return
    case = CASES[name](folder) if name in CASES else simulated(name, folder)
    for start in wanted:
        if (start == DIRECT and case.trajectory is None) or (start == TRUTH and case.truth is None):
            continue
        if simulate:
            found = first_simulation(case, start)
        else:
            potentials = started(case, start)
            found = {"u": errors(case, potentials), "notes": stand_ins(potentials)}
        add_row(file, {"liquid": name, "start": start, **found})


def show_default(folder: Path, name: str) -> None:
    """Print the method that is taken where none is named, which nothing is simulated for."""
    if name in CASES and f"CGINIT_{'TARGETS' if name == 'hexane' else 'DECANE'}" not in os.environ:
        print(f"{name} is left out: no folder is named")
        return
    case = CASES[name](folder) if name in CASES else simulated(name, folder)
    target = case.target
    shape = target.distributions.map(typical_value)
    grown = grown_configuration(
        target.topology, target.state.density, seed=3, units=target.units, shape=shape
    )
    own, other = (default_method(target, one) for one in (case.shapes, grown))
    print(f"{name}: {own}; from grown molecules {other}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--liquid", nargs="*", choices=[*LIQUIDS, *CASES])
    parser.add_argument("--start", nargs="*", choices=STARTS, default=list(STARTS))
    parser.add_argument("--table", action="store_true", help="print what is known, and end")
    parser.add_argument("--default", action="store_true", help="print what is taken unasked, and end")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.default:
        for liquid in options.liquid or [*LIQUIDS, *CASES]:
            show_default(options.out, liquid)
        return
    if not options.table:
        for liquid in options.liquid or [*LIQUIDS, *CASES]:
            for simulate in (False, True):
                run(options.out, liquid, options.start, simulate=simulate)
    show(options.out)


if __name__ == "__main__":
    main()
