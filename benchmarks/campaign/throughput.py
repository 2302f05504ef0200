"""Steps per second of a campaign against the bare engine, and one worker against two.

python benchmarks/campaign/throughput.py [--out benchmarks/campaign/THROUGHPUT.md]

The same state points are simulated with one and with two workers; the engine's own clock gives its share of the
wall time, and its speed when it has a core to itself.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from cginit.campaign import StatePointTask, plan, read_record, record_path, run_campaign, screen
from cginit.engines.lammps import LammpsEngine


def state_points(count: int) -> list[StatePointTask]:
    """The first fluids of both families."""
    found: list[StatePointTask] = []
    for family in ("a", "b"):
        tasks = (
            task for task in plan(family, range(1, 400)) if not screen(task.potential, task.density).reason
        )
        found += [next(tasks) for _ in range(count // 2)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tasks = state_points(options.count)
    lines = [
        "# Throughput of a campaign",
        "",
        f"{len(tasks)} state points, made by `python benchmarks/campaign/throughput.py`. Engine: the integration "
        "loop's own clock. Share: engine time over workers times wall time, from the first task to the last.",
        "",
        "| workers | wall time (s) | engine (s) | share | million bead-steps/s |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    walls = {}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            done: list[float] = []
            # The first task warms the workers up: its end is the beginning of the measurement.
            run_campaign(
                tasks,
                LammpsEngine(),
                folder,
                workers=workers,
                progress=lambda task, reason, done=done: done.append(time.perf_counter()),
            )
            records = [read_record(record_path(folder, task)) for task in tasks]
            wall = done[-1] - done[0]
            engine = sum(record.seconds for record in records[1:])
            steps = sum(record.n * (record.steps + 8_500.0) for record in records[1:])
            walls[workers] = wall
            share, speed = engine / wall / workers, steps / wall / 1e6
            lines.append(f"| {workers} | {wall:.1f} | {engine:.1f} | {share:.1%} | {speed:.2f} |")
    lines += ["", f"Two workers are {walls[1] / walls[2]:.2f} times as fast as one."]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
