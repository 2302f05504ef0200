"""Iterative Boltzmann inversion by VOTCA (csg_inverse) and MSIBI on cases of the benchmark.

Each is given the same target, start table, number of beads and number of steps as cginit; neither stops at the noise,
so that the number of simulations to it is counted afterwards. csg_inverse gives no errors of g: they are those of
cginit's simulations of the same length, of which one row of the case must be finished before.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from cases import Case, load
from machine import describe

from cginit import RDF, guess, write_rdf, write_table
from cginit.configuration import random_configuration
from cginit.curves import Array
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.io import write_atomically
from cginit.refine.convergence import CHI2_AT_NOISE, distance

HERE = Path(__file__).resolve().parent
PEERS = ("votca", "msibi")
STARTS = ("boltzmann", "hnc")
#: What each is run on: csg_inverse on the input of its tutorial, MSIBI also on a liquid in reduced units.
CASES = {"votca": ("spce",), "msibi": ("lj", "spce")}


@dataclass(frozen=True)
class PeerJob:
    """One row of another program; `python` is that of MSIBI."""

    program: str
    case: str
    start: str
    python: str = ""

    @property
    def name(self) -> str:
        return f"{self.case}-{self.start}-{self.program}"


def all_jobs() -> list[PeerJob]:
    """Return all rows, whatever is here to run them."""
    return [PeerJob(program, case, start) for program in PEERS for case in CASES[program] for start in STARTS]


def jobs(cases: Sequence[str], programs: Sequence[str], msibi: str | None) -> list[PeerJob]:
    """Return the rows of the programs that are here."""
    here = {"votca": shutil.which("csg_inverse") is not None, "msibi": msibi is not None}
    return [
        replace(job, python=msibi or "")
        for job in all_jobs()
        if job.program in programs and here[job.program] and job.case in cases
    ]


def one(
    job: PeerJob, arguments: argparse.Namespace, settings: dict[str, int], done: dict[str, dict[str, Any]]
) -> None:
    """Run the program anew and write its row; `done` are the finished ones."""
    case = load(job.case, arguments.out / "targets", arguments.beads)
    error = next(
        (row["error"] for row in done.values() if row["case"] == job.case and row.get("error")), None
    )
    if error is None and job.program == "votca":
        print(f"{job.name} waits for a row of cginit, whose errors of g it is judged by", flush=True)
        return
    folder = (arguments.out / job.name).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    schedule = Schedule(arguments.equilibration, arguments.production, arguments.every)
    table = write_table(guess(case.target, case.state, job.start, case.r_cut), folder / "start.pot")
    row: dict[str, object] = {"program": job.program, "case": job.case, "start": job.start, "update": "ibi"}
    began = time.monotonic()
    try:
        row |= {"votca": _votca, "msibi": _msibi}[job.program](job, case, table, folder, schedule, arguments)
        row["wall"] = time.monotonic() - began
        curves = row.pop("curves", None)
        if curves is not None:
            row |= _distances(curves, case, np.array(error))
        row |= _to_the_noise(row, schedule.steps)
    except (OSError, SystemExit, subprocess.SubprocessError) as failure:
        row |= {"failed": str(failure), "wall": time.monotonic() - began}
    row["steps_each"], row["settings"] = schedule.steps, settings
    row["machine"] = describe(["cginit", "lammps"])
    write_atomically(arguments.out / f"{job.name}.json", json.dumps(row) + "\n")


def _distances(curves: Any, case: Case, error: Array) -> dict[str, object]:
    """chi^2 and mean squared difference of curves ``(simulations, n)`` on the grid of the target."""
    target = case.target.with_core()
    n = target.r.size
    error = np.pad(error[:n], (0, max(0, n - error.size)), mode="edge")
    found: dict[str, list[float]] = {"chi2": [], "lmse": []}
    for values in curves:
        g = np.maximum(np.array(values), 0.0)
        measured = distance(RDF(target.r, g, error, units=target.units), target, case.r_cut)
        found["chi2"].append(measured.chi2)
        found["lmse"].append(measured.lmse)
    return dict(found)


def _to_the_noise(row: dict[str, Any], steps_each: int) -> dict[str, object]:
    """Number of simulations and steps until chi^2 is at the noise, of a program that does not stop there."""
    at = [k for k, value in enumerate(row["chi2"]) if value <= CHI2_AT_NOISE]
    count = at[0] + 1 if at else len(row["lmse"])
    return {"converged": bool(at), "simulations": count, "steps": count * steps_each}


def _votca(
    job: PeerJob, case: Case, table: Path, folder: Path, schedule: Schedule, arguments: argparse.Namespace
) -> dict[str, object]:
    """csg_inverse from its tutorial's configuration, with the friction and the time step of cginit."""
    run = _sibling("votca", "run")
    spce = (Path(os.environ["CGINIT_TARGETS"]) / "spce").resolve()
    engine = LammpsEngine()
    os.environ["LMP"] = engine.command()[0]
    os.environ["LMP_LIBRARIES"] = engine.environment().get("LD_LIBRARY_PATH", "")
    # The push-off of cginit counts as equilibration.
    steps = run.Steps(schedule.push_off + schedule.equilibration, schedule.production, schedule.every)
    work = folder / "votca"
    run.votca(work, spce, table, arguments.others_iterations, steps, damp=run.time_unit_fs(table))
    done = sorted(path.parent for path in work.glob("step_*/done"))[1:]
    r = case.target.with_core().r
    curves = [np.loadtxt(step / "CG-CG.dist.new", usecols=(0, 1)).T for step in done]
    times = np.array([np.loadtxt(step / "lmp.times") for step in done])
    return {
        "curves": [np.interp(r, *curve).tolist() for curve in curves],
        "engine": float(times[:, 1].sum()),
    }


def _sibling(folder: str, name: str) -> ModuleType:
    """Load a script of another benchmark."""
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", HERE.parent / folder / f"{name}.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"there is no benchmark {folder}/{name}.py")
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look for their module by name.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _msibi(
    job: PeerJob, case: Case, table: Path, folder: Path, schedule: Schedule, arguments: argparse.Namespace
) -> dict[str, object]:
    """MSIBI in its own Python, from a configuration that has known the start potential for a while."""
    from cginit.io import read_table

    potential = read_table(table, units=case.target.units.name)
    start = random_configuration(case.beads, case.state.density, seed=1, units=case.target.units)
    work = folder / "equilibration"
    work.mkdir()
    brief = Schedule(equilibration=schedule.equilibration, production=schedule.every, every=schedule.every)
    final = LammpsEngine().run(potential, case.state, start, brief, seed=1, workdir=work).final
    np.savez(folder / "start.npz", positions=final.positions, box=final.box)
    write_rdf(case.target, folder / "target.dat", state=case.state)
    settings = {
        "units": case.target.units.name,
        "density": case.state.density,
        "kT": case.state.kT,
        "steps": schedule.steps,
        "sampled": schedule.production,
        "every": schedule.every,
        "dt": schedule.dt,
        "iterations": arguments.others_iterations,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    command = [job.python, str(HERE / "msibi_worker.py"), str(folder)]
    with (folder / "output.txt").open("w") as log:
        subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder, check=True)
    found: dict[str, object] = json.loads((folder / "found.json").read_text())
    return found
