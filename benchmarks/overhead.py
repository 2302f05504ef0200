"""What the refinement loop costs beyond the engine, on the same steps.

    python benchmarks/overhead.py [TARGET] [--iterations 5] [--beads N] [--update auto] [--workdir DIR]

The default update wants g(r) to 2.5 cut-offs, as far as half the box allows. In large boxes a shorter run is enough:
what is outside the engine grows with the configurations, which `--every` sets, and so does the engine's part.

Two measures. (1) Wall time of an iteration outside the integration loop of LAMMPS, by the loop's own account; other
work on the machine disturbs it. (2) Processor time of this process against that of LAMMPS, which it disturbs less;
what LAMMPS takes to start and to read its inputs counts as its own.
"""

from __future__ import annotations

import argparse
import os
import resource
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


def processor_times() -> tuple[float, float]:
    """Return the processor time of this process and that of those it has waited for, in s."""
    times = os.times()
    return times.user + times.system, times.children_user + times.children_system


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
            own, engines = processor_times()
            (step,) = loop.step()
            own_after, engines_after = processor_times()
            outside = step.seconds - step.engine_seconds
            sums.append((outside, step.engine_seconds, own_after - own, engines_after - engines))
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
                "processor time of cginit (s)",
                "of LAMMPS (s)",
                "(2) ratio",
            ],
            rows,
        )
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (last,) = loop.rounds[-1]
    beads = last.final.n
    print(
        f"\n{beads} beads, {last.steps} steps an iteration with {args.production // args.every} "
        f"configurations, update {args.update}, one core; before the first iteration, once: {prepared:.1f} s "
        f"(imports, guess, start). Most memory of this process: {memory:.0f} MiB."
    )


def _row(name: str, outside: float, inside: float, own: float, engine: float) -> list[str]:
    ratios = f"{outside / inside:.1%}", f"{own / engine:.1%}"
    return [name, f"{outside:.2f}", f"{inside:.2f}", ratios[0], f"{own:.2f}", f"{engine:.2f}", ratios[1]]


if __name__ == "__main__":
    main()
