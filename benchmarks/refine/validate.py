"""Acceptance of a change of the refinement: the same number of simulations and MD steps, within what seeds give.

    python benchmarks/refine/validate.py OUT [--seeds 1 2 3] [--cases ...]   # make validate

refines short cases from the default and from the HNC start with several seeds, keeps each in OUT (run again, it goes
on), and compares with validate.json beside this script, which ``--freeze`` writes. It fails where the mean number of
simulations of all rows has grown by more than two standard errors of the difference, judged by the spread over seeds.
The reference is of the code before the one refinement (commit 7a5a63d), and has more seeds where the start is at the
edge of the noise (`two-lengths`: chi^2 of 1.4 to 2.2, and 2 is the limit). Where it has one seed it is that of
`rows.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from cases import MIXTURES, load, load_mixture, names

from cginit import guess, refine
from cginit.configuration import random_configuration
from cginit.engines import Schedule
from cginit.guess.mixture import guess_mixture
from cginit.io import write_atomically
from cginit.refine import Limits, Settings, refine_system

FROZEN = Path(__file__).with_name("validate.json")
#: Each takes less than a minute on one core.
CASES = (
    "spce", "water", "gaussian-core", "two-lengths", "wca", "lj", "binary", "lj-mixture",
    "a-000240-0", "a-000450-1", "a-000820-2", "a-002030-0",
    "b-000040-1", "b-000070-3", "b-000090-1", "b-000210-3",
)  # fmt: skip
BEADS, CAP = 1000, 12
SCHEDULE = Schedule(equilibration=3_000, production=12_000, every=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--cases", nargs="+", default=[case for case in CASES if case in names()])
    parser.add_argument("--freeze", action="store_true", help="make this the reference")
    arguments = parser.parse_args()
    (arguments.out / "targets").mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, list[int]]] = {}
    for case in arguments.cases:
        for start in ("default", "hnc"):
            rows = [row(arguments.out, case, start, seed) for seed in arguments.seeds]
            found[f"{case} {start}"] = {
                name: [one[name] for one in rows] for name in ("simulations", "steps")
            }
    if arguments.freeze:
        write_atomically(FROZEN, json.dumps(found, indent=1) + "\n")
        return 0
    return compare(found, json.loads(FROZEN.read_text()))


def row(out: Path, case: str, start: str, seed: int) -> dict[str, int]:
    """Run one refinement, or read what it took."""
    path = out / f"{case}-{start}-{seed}.json"
    if not path.exists():
        history = (mixture if case in MIXTURES else single)(out, case, start, seed)
        done = {"simulations": len(history), "steps": sum(item.steps for item in history)}
        write_atomically(path, json.dumps(done) + "\n")
        print(
            f"{case} {start} seed {seed}: {done['simulations']} simulations, {done['steps']} steps",
            flush=True,
        )
    found: dict[str, int] = json.loads(path.read_text())
    return found


def single(out: Path, name: str, start: str, seed: int) -> tuple:
    case = load(name, out / "targets", BEADS)
    return refine(
        case.target,
        case.state,
        guess(case.target, case.state, "polished" if start == "default" else start, case.r_cut),
        schedule=SCHEDULE,
        limits=Limits(CAP),
        seed=seed,
        start=random_configuration(case.beads, case.state.density, seed=seed, units=case.target.units),
    ).history


def mixture(out: Path, name: str, start: str, seed: int) -> tuple:
    target, r_cut, _ = load_mixture(name, out / "targets", BEADS)
    begin = random_configuration(target.counts(BEADS), target.state.density, seed=seed, units=target.units)
    return refine_system(
        target,
        guess_mixture(target, "network" if start == "default" else start, r_cut),
        settings=Settings(schedule=SCHEDULE, limits=Limits(CAP), seed=seed),
        starts=[begin],
    ).history


def compare(
    found: Mapping[str, Mapping[str, list[int]]], frozen: Mapping[str, Mapping[str, list[int]]]
) -> int:
    """Print both side by side; 1 if the simulations or steps have grown by more than seeds explain."""
    worse = 0
    for quantity in ("simulations", "steps"):
        common = [name for name in found if name in frozen]
        now = np.array([np.mean(found[name][quantity]) for name in common])
        then = np.array([np.mean(frozen[name][quantity]) for name in common])
        both = [(found[name][quantity], frozen[name][quantity]) for name in common]
        variance = sum(variance_of_mean(a, b) + variance_of_mean(b, a) for a, b in both)
        error = np.sqrt(variance) / len(common)
        for name, a, b in zip(common, then, now, strict=True):
            print(f"{name:24s} {quantity:12s} {a:10.1f} -> {b:10.1f}")
        growth = float(np.mean(now) - np.mean(then))
        print(
            f"mean {quantity}: {np.mean(then):.2f} -> {np.mean(now):.2f}, change {growth:+.3f} +- {error:.3f}"
        )
        worse += growth > 2.0 * error
    return int(worse > 0)


def variance_of_mean(values: list[int], others: list[int]) -> float:
    """Return the variance of the mean over seeds; one seed is taken to scatter as those of the other version do."""
    several = values if len(values) > 1 else others
    return float(np.var(several, ddof=1)) / len(values) if len(several) > 1 else 0.0


if __name__ == "__main__":
    sys.exit(main())
