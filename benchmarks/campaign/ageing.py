"""Which recorded test points age: the trend test on the runs that made them, and their own potential simulated again.

    python benchmarks/campaign/ageing.py OUT [--above 20] [--count N] [--split test]

Candidates are the accepted state points whose pressure exceeds `--above` times that of an ideal gas: dense
liquids of strong repulsion, the only ones that were seen to age. Each is simulated as new records are
(`cginit.campaign.simulate_state`: the same start and seeds, with the trend test of g, up to three times as long
where it moves), shortest first. OUT keeps what is done, and the same command goes on. One line a state point
says whether g stood still, and the mean squared difference of the new g from the recorded one in units of their
errors (1 is noise). The last lines are rows for ``data/state-points.aged.csv``, of what a campaign refuses today.
Where two g stand still and differ by more, the errors of short runs of slow liquids are too small: they are counted.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from cginit.campaign import Dataset, Record, StatePointTask, load, read_record, simulate_state
from cginit.campaign.dataset import write_record
from cginit.engines.lammps import LammpsEngine

DATA = Path(__file__).resolve().parents[2] / "data" / "state-points.h5"
#: Difference per point, in variances, that noise of the stated size does not make.
DIFFERENT = 2.0


def candidates(data: Dataset, above: float, split: str) -> list[int]:
    """Return the rows to try, the cheapest first."""
    dense = data.accepted & (data.split == split) & (data.pressure > above * data.density)
    rows = np.flatnonzero(dense)
    return [int(row) for row in rows[np.argsort(data.seconds[rows])]]


def simulated(out: Path, task: StatePointTask) -> Record:
    """Simulate a state point, or read what was simulated before."""
    path = out / f"{task.name}.npz"
    if not path.exists():
        write_record(simulate_state(task, LammpsEngine(threads=1), force=True), path)
    return read_record(path)


def difference(data: Dataset, row: int, record: Record) -> float:
    """Return the mean squared difference of two g up to the cut-off, in variances of their difference."""
    g, error = data.g[row], data.g_error[row]
    variance = error**2 + record.g_error**2
    seen = np.isfinite(g) & np.isfinite(record.g) & (variance > 0.0) & (data.r <= data.r_cut[row] + 0.05)
    return float(np.mean((g - record.g)[seen] ** 2 / variance[seen])) if np.any(seen) else float("nan")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--above", type=float, default=20.0)
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser.add_argument("--count", type=int, help="so many of them")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    data = load(arguments.data, aged=True)
    rows = candidates(data, arguments.above, arguments.split)
    print(f"{len(rows)} candidates, {data.seconds[rows].sum():.0f} core-seconds when they were recorded")
    print("| state point | density | P / (rho kT) | steps, recorded and now | difference | now |")
    print("| --- | --- | --- | --- | --- | --- |")
    aged: list[str] = []
    uncertain = 0
    for row in rows[: arguments.count]:
        task = StatePointTask(str(data.family[row]), int(data.seed[row]), int(data.index[row]))
        record = simulated(arguments.out, task)
        off = difference(data, row, record)
        print(
            f"| {task.name} | {task.density:.3g} | {data.pressure[row] / task.density:.0f} | {data.steps[row]}, "
            f"{record.steps} | {off:.1f} | {record.rejected or 'stands still'} |",
            flush=True,
        )
        if record.rejected:
            why = record.rejected.replace('"', "'")
            aged.append(f'{task.family},{task.seed},{task.index},"simulated again: {why}"')
        elif off > DIFFERENT:
            uncertain += 1
    print(
        f"{uncertain} stand still and differ by more than {DIFFERENT:g} variances: their errors are too small"
    )
    print("\n".join(aged))
    return 0


if __name__ == "__main__":
    sys.exit(main())
