"""What the refinement loop costs beyond the engine, on the same steps.

    python benchmarks/overhead.py [TARGET] [--iterations 5] [--beads N] [--update auto] [--workdir DIR]

The default update wants g(r) to 2.5 cut-offs, as far as half the box allows. In large boxes a shorter run is enough:
what is outside the engine grows with the configurations, which `--every` sets, and so does the engine's part.

Two measures, from one run. (1) The loop's own account: wall time of an iteration outside the integration loop of
LAMMPS. (2) Independent of it: after every iteration the very same input files are run by LAMMPS alone, in a
folder of their own; the wall time of the whole iteration (inputs, LAMMPS, reading, g(r), the next potential,
writing to disk) is compared with that of the bare process; so is the processor time, which other work on the
machine disturbs less. The two take turns.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

BEGAN = time.perf_counter()

from machine import describe, pin, table  # noqa: E402

from cginit.configuration import random_configuration  # noqa: E402
from cginit.engines.base import Schedule  # noqa: E402
from cginit.engines.lammps import LammpsEngine  # noqa: E402
from cginit.guess import guess  # noqa: E402
from cginit.io import read_rdf, read_rdf_header  # noqa: E402
from cginit.refine import DEFAULT_SCHEDULE, UPDATES, Loop, Settings  # noqa: E402
from cginit.state import StatePoint  # noqa: E402
from cginit.target import Target  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("in.lammps", "start.data", "potential.table")


def clocks() -> tuple[float, float]:
    """Return wall time, and processor time of this process and its children, in s."""
    return time.perf_counter(), sum(os.times()[:4])


def since(start: tuple[float, float]) -> tuple[float, float]:
    wall, processor = clocks()
    return wall - start[0], processor - start[1]


def bare(engine: LammpsEngine, inputs: Path, folder: Path) -> tuple[float, float]:
    """Run LAMMPS on the inputs of an iteration; return wall and processor time of its process."""
    folder.mkdir(parents=True)
    for name in INPUTS:
        shutil.copy(inputs / name, folder)
    command = [*engine.command(), "-in", "in.lammps", "-log", "log.lammps", "-screen", "none"]
    began = clocks()
    subprocess.run(command, cwd=folder, env=engine.environment(), stdin=subprocess.DEVNULL, check=True)
    spent = since(began)
    shutil.rmtree(folder)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", type=Path, default=ROOT / "examples/water/target.dat")
    parser.add_argument("--method", default="hnc")
    parser.add_argument("--cutoff", type=float, default=0.9)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--equilibration", type=int, default=DEFAULT_SCHEDULE.equilibration)
    parser.add_argument("--production", type=int, default=DEFAULT_SCHEDULE.production)
    parser.add_argument("--every", type=int, default=DEFAULT_SCHEDULE.every)
    parser.add_argument("--beads", type=int, help="at least; by default as many as a refinement takes")
    parser.add_argument("--update", default="auto", choices=sorted(UPDATES))
    parser.add_argument("--workdir", type=Path, help="kept; a temporary folder by default")
    parser.add_argument("--core", type=int)
    args = parser.parse_args()
    pin(args.core)
    print(describe(["cginit", "lammps", "numba", "MDAnalysis"]), "\n")

    target, header = read_rdf(args.target), read_rdf_header(args.target)
    if header.density is None or header.kT is None:
        raise SystemExit(f"{args.target} does not state its density and kT in its header")
    state = StatePoint(header.density, header.kT, target.units)
    engine = LammpsEngine()
    start = None
    if args.beads is not None:
        start = random_configuration(args.beads, state.density, seed=1, units=target.units)
    rows, sums = [], []
    with tempfile.TemporaryDirectory() as temporary:
        work = args.workdir or Path(temporary)
        loop = Loop(
            Target.of(target, state),
            {"A-A": guess(target, state, args.method, args.cutoff)},
            engine=engine,
            update=args.update,
            starts=[start],
            workdir=work / "refine",
            settings=Settings(
                schedule=Schedule(args.equilibration, args.production, args.every),
                adaptive=False,
                reweighting=False,
            ),
        )
        prepared = time.perf_counter() - BEGAN
        for index in range(args.iterations):
            began = clocks()
            (step,) = loop.step()
            whole = since(began)
            alone = bare(engine, work / "refine" / f"iteration_{index:03d}" / "engine", work / "bare")
            sums.append((step.seconds - step.engine_seconds, step.engine_seconds, *whole, *alone))
            rows.append(_row(str(index), *sums[-1]))
    rows.append(_row("all", *map(sum, zip(*sums, strict=True))))
    if len(sums) > 1:
        rows.append(_row("all but the first", *map(sum, zip(*sums[1:], strict=True))))
    print(
        table(
            [
                "iteration",
                "outside LAMMPS' integration (s)",
                "integration (s)",
                "(1) ratio",
                "whole iteration (s)",
                "LAMMPS alone (s)",
                "(2) overhead",
                "(2) in processor time",
            ],
            rows,
        )
    )
    ratios = [whole / alone for _, _, whole, _, alone, _ in sums]
    scatter = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else float("nan")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (last,) = loop.rounds[-1]
    beads = last.final.n
    print(
        f"\n{beads} beads, {last.steps} steps an iteration with {args.production // args.every} "
        f"configurations, update {args.update}, one core; before the first iteration, once: {prepared:.1f} s "
        f"(imports, guess, start). Most memory of this process: {memory:.0f} MiB. "
        f"Standard error of the mean (2): {scatter:.1%}, from LAMMPS' own scatter between runs."
    )


def _row(
    name: str, outside: float, inside: float, whole: float, whole_cpu: float, alone: float, alone_cpu: float
) -> list[str]:
    return [
        name,
        f"{outside:.2f}",
        f"{inside:.2f}",
        f"{outside / inside:.1%}",
        f"{whole:.2f}",
        f"{alone:.2f}",
        f"{whole / alone - 1.0:+.1%}",
        f"{whole_cpu / alone_cpu - 1.0:+.1%}",
    ]


if __name__ == "__main__":
    main()
