"""Refine SPC/E water from four starts and set their errors side by side.

Writes refinement.md and refinement.png beside this file (refinement-hoomd.* for --engine hoomd), and the work
folders below --out; a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cginit import guess, read_rdf, refine
from cginit.engines import Schedule
from cginit.io import read_rdf_header, write_atomically
from cginit.refine import Limits, Refinement
from cginit.report import error_figure
from cginit.state import StatePoint

HERE = Path(__file__).parent
METHODS = ("boltzmann", "hnc", "network", "polished")
SCHEDULE = Schedule(equilibration=3_000, production=20_000, every=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo-output/water-starts"))
    parser.add_argument("--engine", default="lammps")
    parser.add_argument("--iterations", type=int, default=15)
    parser.add_argument("--methods", nargs="+", default=METHODS)
    arguments = parser.parse_args()
    target = read_rdf(HERE / "target.dat")
    header = read_rdf_header(HERE / "target.dat")
    if header.density is None or header.kT is None:
        raise SystemExit("target.dat does not state its density and kT")
    state = StatePoint(header.density, header.kT, target.units)

    results: dict[str, Refinement] = {}
    for method in arguments.methods:
        results[method] = refine(
            target,
            state,
            guess(target, state, method=method, r_cut=0.9),
            engine=arguments.engine,
            update="ibi",
            adaptive=False,
            reweighting=False,
            workdir=arguments.out / f"{arguments.engine}-{method}",
            schedule=SCHEDULE,
            limits=Limits(arguments.iterations),
            progress=lambda item, method=method: print(
                f"{method:<10} {item.index:2d}  chi2 {item.distance.chi2:8.2f}  lmse {item.distance.lmse:.2e}  "
                f"P {item.pressure:.1f}  {item.seconds:.1f} s",
                flush=True,
            ),
        )
        print(results[method].reason)
    name = "refinement" if arguments.engine == "lammps" else f"refinement-{arguments.engine}"
    print(write_atomically(HERE / f"{name}.md", table(results, arguments.engine)))
    print(error_figure({key: item.history for key, item in results.items()}, HERE / f"{name}.png"))


def table(results: dict[str, Refinement], engine: str) -> str:
    """Return the mean squared difference of g up to 0.9 nm by simulation and start, in Markdown."""
    first = next(iter(results.values())).history[0]
    lines = [
        "# Refinement of SPC/E water",
        "Mean squared difference of g(r) up to 0.9 nm after each simulation of iterative Boltzmann inversion; in "
        f"brackets chi^2 per point. {first.final.n} beads, {SCHEDULE.equilibration} + {SCHEDULE.production} "
        f"steps, {first.engine}. Made by `python examples/water/starts.py --engine {engine} --methods "
        f"{' '.join(results)}`.",
        "",
        "| simulation | " + " | ".join(results) + " |",
        "| ---: | " + " | ".join("---:" for _ in results) + " |",
    ]
    for index in range(max(len(item.history) for item in results.values())):
        cells = [
            f"{item.history[index].distance.lmse:.1e} ({item.history[index].distance.chi2:.1f})"
            if index < len(item.history)
            else ""
            for item in results.values()
        ]
        lines.append(f"| {index + 1} | " + " | ".join(cells) + " |")
    lines += ["", *(f"- {name}: {item.reason}." for name, item in results.items()), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
