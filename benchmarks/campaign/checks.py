"""Repeat state points of a data set with twice the beads and with the other engine, and compare.

python benchmarks/campaign/checks.py data/state-points.h5 WORK --out benchmarks/campaign/CHECKS.md

WORK keeps what is done; a stopped check goes on. HOOMD-blue is used where CGINIT_HOOMD_PATH names it.
"""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from cginit.campaign import Dataset, Record, StatePointTask, load, read_record, record_path, run_campaign
from cginit.engines.hoomd import HOOMD_PATH_VARIABLE, HoomdEngine
from cginit.engines.lammps import LammpsEngine

#: State points of each family among which is chosen.
FIRST = 90


def chosen(data: Dataset, count: int, seed: int = 7) -> list[int]:
    """Rows: half of each family, spread evenly over the density of its first state points.

    The first ones stay the same when a data set grows.
    """
    rows: list[int] = []
    rng = np.random.default_rng(seed)
    for family in ("a", "b"):
        order = np.flatnonzero(data.accepted & (data.family == family))[:FIRST]
        order = order[np.argsort(data.density[order], kind="stable")]
        for part in np.array_split(order, count // 2):
            rows.append(int(rng.choice(part)))
    return rows


def compare(data: Dataset, row: int, other: Record) -> dict[str, float]:
    """Differences of g and P in standard errors, and in absolute terms."""
    seen = np.isfinite(data.g[row]) & np.isfinite(other.g) & (data.g[row] > 0.05) & (data.r >= 0.3)
    difference = other.g[seen] - data.g[row][seen]
    error = np.hypot(other.g_error[seen], data.g_error[row][seen])
    # Nine neighbouring errors are averaged: ten blocks alone know an error to a quarter.
    window = np.ones(9)
    smooth = np.sqrt(np.convolve(error**2, window, "same") / np.convolve(np.ones(error.size), window, "same"))
    pressure = other.pressure - data.pressure[row]
    return {
        "chi2": float(np.mean((difference / smooth) ** 2)),
        "rms": float(np.sqrt(np.mean(difference**2))),
        "P": float(pressure / np.hypot(other.pressure_error, data.pressure_error[row])),
        "relative P": float(pressure / data.pressure[row]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    data = load(options.data)
    rows = chosen(data, options.count)
    tasks = [StatePointTask(str(data.family[i]), int(data.seed[i]), int(data.index[i])) for i in rows]
    runs = [("twice the beads", LammpsEngine(), 2)]
    if os.environ.get(HOOMD_PATH_VARIABLE) or find_spec("hoomd") is not None:
        runs.append(("HOOMD-blue", HoomdEngine(), 1))
    lines = [
        "# Finite size and engine",
        "",
        f"{len(tasks)} state points of `{options.data}` repeated, made by `python benchmarks/campaign/checks.py`. "
        "chi^2: mean squared difference of g in standard errors, 1 expected (bins share their noise: 0.3 either "
        "way). rms: of the difference of g. P: difference of the pressure in standard errors, and relative.",
    ]
    for name, engine, larger in runs:
        folder = options.work / name.replace(" ", "-")
        run_campaign(tasks, engine, folder, workers=options.workers, larger=larger)
        lines += [
            "",
            f"## {name}",
            "",
            "| state point | density | N | P | chi^2 | rms | P, errors | P, relative |",
        ]
        lines += ["| --- |" + " ---: |" * 7]
        found = []
        for row, task in zip(rows, tasks, strict=True):
            other = read_record(record_path(folder, task))
            head = f"| {task.name} | {task.density:.3f} | {other.n} | {data.pressure[row]:.4g} |"
            if other.rejected:
                lines.append(f"{head} rejected: {other.rejected} | | | |")
                continue
            c = compare(data, row, other)
            found.append(c)
            lines.append(
                f"{head} {c['chi2']:.2f} | {c['rms']:.2g} | {c['P']:+.1f} | {c['relative P']:+.2%} |"
            )
        chi2, p = np.array([c["chi2"] for c in found]), np.array([c["P"] for c in found])
        lines += [
            "",
            f"Median chi^2 {np.median(chi2):.2f}; {np.sum(chi2 > 2)} of {len(found)} above 2. Pressures: root mean "
            f"square {np.sqrt(np.mean(p**2)):.2f} standard errors, mean {np.mean(p):+.2f}; largest relative "
            f"difference {max(abs(c['relative P']) for c in found):.2%}.",
        ]
    options.out.write_text("\n".join(lines) + "\n")
    print(options.out)


if __name__ == "__main__":
    main()
