"""Simulate test potentials as long as the publication did: ``python benchmarks/precise/simulate.py DATA.h5 OUT``.

The test state points of family a at densities up to 0.512 whose g needs the least work for a standard error of 0.001
at g = 1 and r = 1 sigma, a g eight times as precise as that of the data set: `--count` of them, cheapest first. The
same potential, density and number of beads as in the data set. OUT gets one record a state point, as
`cginit.campaign.read_record` reads it; what it holds already is not simulated again. One state point takes some
minutes of a core.

    python benchmarks/precise/simulate.py DATA.h5 OUT --merge data/precise-test.h5

puts those that are done into one file, which `judge.py` reads.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from cginit.campaign import Dataset, Record, StatePointTask, load, read_record
from cginit.campaign.dataset import merge, save, write_record
from cginit.campaign.sampled import Sampled, on_record_grid, peak_error, run_columns
from cginit.configuration import random_configuration
from cginit.engines.base import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.learn.data import noise_at_sigma
from cginit.state import StatePoint

#: Standard error at g = 1 and r = 1 sigma, of the simulations of the publication (`cginit.learn.curves`).
ERROR = 1e-3
DENSEST = 0.512
#: One run, of which each state point has as many as it needs; ten blocks of a run know its error to a quarter.
EQUILIBRATION = 5_000
RUN = Schedule(equilibration=0, production=40_000, every=50, push_off=0, length=1.0)


def chosen(data: Dataset, count: int) -> list[int]:
    """Return the rows to simulate, the cheapest first."""
    rows = np.flatnonzero(
        data.accepted & (data.split == "test") & (data.family == "a") & (data.density <= DENSEST)
    )
    work = [data.seconds[row] * noise_at_sigma(data.r, data.g[row], data.g_error[row]) ** 2 for row in rows]
    return [int(row) for row in rows[np.argsort(work)][:count]]


def simulate(recorded: Record) -> Record:
    """Return the record of a state point with a g as precise as is wanted."""
    task = StatePointTask(recorded.family, recorded.seed, recorded.index)
    state = StatePoint(task.density, 1.0)
    sampled = Sampled(random_configuration(recorded.n, task.density, seed=task.run_seed, units="lj"))
    schedule = replace(RUN, equilibration=EQUILIBRATION, push_off=Schedule().push_off)
    while True:
        seed = int(np.random.SeedSequence([task.run_seed, sampled.runs]).generate_state(1)[0])
        with tempfile.TemporaryDirectory() as folder:
            run = LammpsEngine(threads=1).run(
                task.potential, state, sampled.last, schedule, seed=seed, workdir=Path(folder)
            )
        sampled.add(run, schedule.production)
        schedule = RUN
        (g,) = sampled.rdfs.values()
        if noise_at_sigma(g.r, g.g, np.asarray(g.error)) <= ERROR:
            values, errors = on_record_grid(g)
            found = run_columns(sampled)
            return replace(recorded, g=values, g_error=errors, peak_error=peak_error(g), **found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--merge", type=Path, help="put what is done into this file, and simulate nothing")
    arguments = parser.parse_args()
    data = load(arguments.data)
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = chosen(data, arguments.count)
    records = [next(iter(data.select(np.array([row])).records())) for row in rows]
    names = [StatePointTask(one.family, one.seed, one.index).name for one in records]
    paths = [arguments.out / f"{name}.npz" for name in names]
    if arguments.merge:
        save(merge([read_record(path) for path in paths if path.exists()]), arguments.merge)
        return 0
    for number, (record, path) in enumerate(zip(records, paths, strict=True), start=1):
        if not path.exists():
            write_record(simulate(record), path)
            done = read_record(path)
            print(
                f"{number} of {len(rows)}: {path.stem}, {done.steps} steps, {done.seconds:.0f} s", flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
