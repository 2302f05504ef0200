"""Simulations and MD steps to the noise floor, by case, start and update, beside other programs.

    python benchmarks/refine/run.py OUT [--part 1/2] [--cases ...] [--starts ...] [--updates ...] [--peers ...]

runs what is missing in OUT and writes RESULTS.md (``--results``, by default beside this script). Everything is
kept in OUT: run again, it goes on where it stopped, and finished refinements cost nothing. With ``--part K/N`` N
processes share the work; the targets are made first, by ``--only-targets``. CGINIT_TARGETS names the folder of spce/
and lj-mixture/, which are left out without it; VOTCA is run where csg_inverse is on the path, MSIBI where ``--msibi``
names a Python that has it beside HOOMD-blue.

On the liquids, water and the mixtures every update runs from every start. On the test points of the data set the
default update does, and plain iterative Boltzmann inversion from the Boltzmann and the HNC start.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import peers
from cases import LIQUIDS, MIXTURES, load, load_mixture, names
from machine import describe
from report import write_results

from cginit import CGInitError, guess, refine
from cginit.configuration import random_configuration
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.guess.mixture import guess_mixture
from cginit.io import write_atomically
from cginit.refine import UPDATES, Limits, make_update
from cginit.refine.mixture import refine_mixture
from cginit.refine.mixture_updates import MIXTURE_UPDATES
from cginit.refine.updates import IBI

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
STARTS = ("boltzmann", "hnc", "cn-f", "network")
#: Iterative Boltzmann inversion as other programs have it: the noise of g goes into the next potential.
PLAIN = "plain"
WATER = ("water", "spce")
#: What runs on a test point of the data set: the default from every start, the reference from the classical ones.
ON_TEST_POINTS = {start: ("auto", PLAIN) if start in ("boltzmann", "hnc") else ("auto",) for start in STARTS}


@dataclass(frozen=True)
class Job:
    """One row: a case, its start, and the update or the other program."""

    case: str
    start: str
    update: str

    @property
    def name(self) -> str:
        return f"{self.case}-{self.start}-{self.update}"


def jobs(cases: Sequence[str], starts: Sequence[str], updates: Sequence[str] | None) -> list[Job]:
    """Return all rows, those of the default update first."""
    found = []
    for case in cases:
        for start in starts:
            if case in MIXTURES:
                known: Sequence[str] = tuple(MIXTURE_UPDATES) if start in ("boltzmann", "hnc") else ()
            elif case in LIQUIDS or case in WATER:
                known = (*UPDATES, PLAIN)
            else:
                known = ON_TEST_POINTS[start]
            found += [Job(case, start, update) for update in known if updates is None or update in updates]
    return sorted(
        found, key=lambda job: ("auto", PLAIN).index(job.update) if job.update in ("auto", PLAIN) else 2
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--part", default="1/1", help="K/N: every N-th row, from the K-th")
    parser.add_argument("--cases", nargs="+")
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=STARTS)
    parser.add_argument("--updates", nargs="+", choices=sorted({*UPDATES, PLAIN}))
    parser.add_argument("--peers", nargs="*", choices=peers.PEERS, default=peers.PEERS)
    parser.add_argument("--msibi", help="a Python that has MSIBI and HOOMD-blue")
    parser.add_argument("--only-targets", action="store_true")
    parser.add_argument("--only-report", action="store_true")
    parser.add_argument("--beads", type=int, default=1000, help="of all cases but the test points")
    parser.add_argument("--equilibration", type=int, default=3_000)
    parser.add_argument("--production", type=int, default=12_000)
    parser.add_argument("--every", type=int, default=120)
    parser.add_argument("--iterations", type=int, default=20, help="cap on the simulations of one refinement")
    arguments = parser.parse_args()
    targets = arguments.out / "targets"
    targets.mkdir(parents=True, exist_ok=True)
    known = names(arguments.out)
    cases = known if arguments.cases is None else arguments.cases
    for case in cases:
        if case not in known:
            parser.error(f"unknown case {case}; known are {', '.join(known)}")
    if not arguments.only_report:
        for case in cases:
            (load_mixture if case in MIXTURES else load)(case, targets, arguments.beads)
        if not arguments.only_targets:
            run_all(cases, arguments)
    if not arguments.only_targets:
        print(write_results(arguments.out, arguments.results))


def run_all(cases: Sequence[str], arguments: argparse.Namespace) -> None:
    """Run the rows of this part that are missing."""
    part, parts = (int(x) for x in arguments.part.split("/"))
    rows: list[Job | peers.PeerJob] = [*jobs(cases, arguments.starts, arguments.updates)]
    rows += peers.jobs(cases, arguments.peers, arguments.msibi)
    for row in rows[part - 1 :: parts]:
        if (arguments.out / f"{row.name}.json").exists():
            continue
        if isinstance(row, Job):
            one(row, arguments)
        else:
            peers.one(row, arguments)


def one(job: Job, arguments: argparse.Namespace) -> None:
    """Run or continue one refinement and write its summary."""
    folder = arguments.out / job.name
    resumed = folder.exists()
    row: dict[str, object] = {"program": "cginit", "case": job.case, "start": job.start, "update": job.update}
    began = time.monotonic()
    try:
        row |= (mixture if job.case in MIXTURES else single)(job, folder, arguments)
    except CGInitError as error:
        row |= {"failed": str(error)}
    row["wall"] = time.monotonic() - began
    # Of a refinement that was interrupted the wall time is not known.
    row["engine"] = None if resumed else engine_seconds(folder)
    row["steps_each"] = schedule(arguments).steps
    row["machine"] = describe(["cginit", "lammps"])
    write_atomically(arguments.out / f"{job.name}.json", json.dumps(row, indent=1) + "\n")
    for path in folder.glob("iteration_*/engine*/**/trajectory.dump"):
        path.unlink()


def single(job: Job, folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Refine a case of one species."""
    case = load(job.case, arguments.out / "targets", arguments.beads)
    result = refine(
        case.target,
        case.state,
        guess(case.target, case.state, job.start, case.r_cut),
        update=IBI(plain=True) if job.update == PLAIN else make_update(job.update),
        workdir=folder,
        schedule=schedule(arguments),
        limits=Limits(arguments.iterations),
        start=random_configuration(case.beads, case.state.density, seed=1, units=case.target.units),
        # As other programs do it: every simulation of its full length, and a simulation after each change.
        adaptive=job.update != PLAIN,
        reweighting=job.update != PLAIN,
        progress=lambda item: show(job.name, item.index, item.distance.chi2, item.distance.lmse),
    )
    return {
        "converged": result.converged,
        "simulations": len(result.history),
        "steps": sum(item.steps for item in result.history),
        "skipped": result.skipped,
        "chi2": [item.distance.chi2 for item in result.history],
        "lmse": [item.distance.lmse for item in result.history],
        "reason": result.reason,
    }


def mixture(job: Job, folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Refine all pairs of a mixture; its chi^2 is that of the worst pair."""
    target, r_cut, start = load_mixture(job.case, arguments.out / "targets", arguments.beads)
    result = refine_mixture(
        target,
        guess_mixture(target, job.start, r_cut),
        LammpsEngine(),
        workdir=folder,
        update=job.update,
        schedule=schedule(arguments),
        iterations=arguments.iterations,
        start=start,
        progress=lambda item: show(
            job.name, item.index, max(one.chi2 for one in item.distances.values()), item.lmse
        ),
    )
    return {
        "converged": result.converged,
        "simulations": len(result.history),
        "steps": sum(item.steps for item in result.history),
        "skipped": 0,
        "chi2": [max(one.chi2 for one in item.distances.values()) for item in result.history],
        "lmse": [item.lmse for item in result.history],
        "reason": result.reason,
    }


def schedule(arguments: argparse.Namespace) -> Schedule:
    return Schedule(arguments.equilibration, arguments.production, arguments.every)


def show(name: str, index: int, chi2: float, lmse: float) -> None:
    print(f"{name} {index} chi2 {chi2:.2f} lmse {lmse:.2e}", flush=True)


def engine_seconds(folder: Path) -> float:
    """Seconds that LAMMPS integrated, from the logs that the folders of all simulations hold."""
    logs = folder.glob("iteration_*/**/log.lammps")
    return sum(float(x) for log in logs for x in re.findall(r"Loop time of ([0-9.eE+-]+)", log.read_text()))


if __name__ == "__main__":
    main()
