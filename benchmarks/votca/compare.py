"""Error against iteration and wall time of the two programs, from the folders that run.py left.

    python benchmarks/votca/compare.py WORKDIR [--figure FILE.svg]

The error is the mean squared difference of g(r) and target over 0, 0.01, ... 0.90 nm, with g = 0 where the target
starts later. An iteration lasts from one start of LAMMPS to the next (the last one to the end of the program), so
that the update, its files and the preparation of the next run belong to it, in the same way for both.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from run import KT, MASS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import table

GRID = np.linspace(0.0, 0.9, 91)
PROGRAMS = ("votca", "cginit")
LABEL = {"votca": "VOTCA", "cginit": "cginit"}


@dataclass(frozen=True)
class Refinement:
    """Potential of the start in kJ/mol; error, and its expectation from noise alone; times in s.

    `wall` and `lammps` have a value an iteration; `processor` is the time outside LAMMPS divided by their number.
    """

    start: NDArray[np.float64]
    error: NDArray[np.float64]
    noise: float | None
    wall: NDArray[np.float64]
    lammps: NDArray[np.float64]
    processor: float
    preparation: float


def read(folder: Path, program: str, target: NDArray[np.float64]) -> Refinement:
    if program == "votca":
        # step_000 prepares and simulates nothing.
        steps = [path for path in sorted(folder.glob("step_*")) if (path / "done").exists()][1:]
        curves = [np.loadtxt(step / "CG-CG.dist.new", usecols=(0, 1)).T for step in steps]
        start = np.loadtxt(folder / "step_000" / "CG-CG.pot.new", usecols=(0, 1)).T
        noise = None
    else:
        steps = [path / "engine" for path in sorted((folder / "work").glob("iteration_???"))]
        arrays = [np.load(step.parent / "curves.npz") for step in steps]
        curves = [(data["rdf_r"], data["rdf_g"]) for data in arrays]
        start = np.array([arrays[0]["potential_r"], arrays[0]["potential_u"]])
        noise = float(np.mean([np.mean(data["rdf_error"][: GRID.size] ** 2) for data in arrays]))
    began, lammps, user, system = np.array([np.loadtxt(step / "lmp.times") for step in steps]).T
    times = json.loads((folder / "times.json").read_text())
    return Refinement(
        start=np.interp(GRID, *start),
        error=np.array([np.mean((np.interp(GRID, r, g) - target) ** 2) for r, g in curves]),
        noise=noise,
        wall=np.diff(np.append(began, times["ended"])),
        lammps=lammps,
        processor=(times["processor"] - float(np.sum(user + system))) / len(steps),
        preparation=float(began[0] - times["began"]),
    )


def time_steps(folder: Path) -> str:
    """The range of cginit's time step: it is stated in a sqrt(m / kT), and a follows the potential."""
    found = []
    for path in sorted((folder / "work").glob("iteration_???/engine/in.lammps")):
        text = path.read_text()
        a = float(re.search(r"lengths in (\S+) nm", text)[1])
        found.append(1e3 * float(re.search(r"timestep (\S+)", text)[1]) * a * np.sqrt(MASS / KT))
    return f"{min(found):.2f}" if np.ptp(found) < 0.005 else f"{min(found):.2f} to {max(found):.2f}"


def report(name: str, folder: Path, target: NDArray[np.float64]) -> dict[str, Refinement]:
    both = {program: read(folder / program, program, target) for program in PROGRAMS}
    rows = []
    for index in range(max(one.error.size for one in both.values())):
        row = [str(index + 1)]
        for one in both.values():
            known = index < one.error.size
            row += [f"{one.error[index]:.2g}", f"{one.wall[index]:.1f}", f"{one.lammps[index]:.1f}"] * known
            row += [""] * 3 * (not known)
        rows.append(row)
    head = [f"{LABEL[p]} {what}" for p in PROGRAMS for what in ("error", "wall time (s)", "of it LAMMPS (s)")]
    print(f"\n### Start: {name}\n\n{table(['simulation', *head], rows)}\n")
    summary = []
    for program, one in both.items():
        outside = one.wall - one.lammps
        summary.append(
            [
                LABEL[program],
                f"{one.preparation:.1f}",
                f"{one.wall.mean():.1f}",
                f"{outside.mean():.1f}",
                f"{outside.sum() / one.wall.sum():.1%}",
                f"{one.processor:.1f}",
            ]
        )
    print(
        table(
            [
                "mean of an iteration",
                "before the first (s)",
                "wall time (s)",
                "outside LAMMPS (s)",
                "share outside LAMMPS",
                "processor time outside LAMMPS (s), start-up included",
            ],
            summary,
        )
    )
    visible = target > 0.1
    difference = np.abs(both["votca"].start - both["cginit"].start)[visible].max()
    print(
        f"\nThe two start potentials differ by at most {difference / KT:.2g} kT where g > 0.1. "
        f"Time step: VOTCA 2.00 fs, cginit {time_steps(folder / 'cginit')} fs."
    )
    print(
        f"An exact potential would show an error of {both['cginit'].noise:.1g} (block errors of cginit's g)."
    )
    last = (folder / "cginit" / "output.txt").read_text().replace("\n", " ")
    if "converged:" in last:
        print("cginit stopped because the difference was noise (its chi^2 per point below 2).")
    return both


def draw(results: dict[str, dict[str, Refinement]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams["svg.hashsalt"] = "cginit"
    figure, axes = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
    for (start, both), marker in zip(results.items(), "os", strict=False):
        for program, colour in (("votca", "tab:orange"), ("cginit", "tab:blue")):
            error = both[program].error
            label = f"{LABEL[program]}, {start}"
            axes.semilogy(
                1 + np.arange(error.size),
                error,
                marker + "-",
                color=colour,
                label=label,
                mfc="white" if marker == "s" else colour,
            )
    axes.set(xlabel="simulation", ylabel=r"mean of $(g - g_\mathrm{target})^2$")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workdir", type=Path)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    settings = json.loads((args.workdir / "run.json").read_text())
    print(settings["machine"])
    print(
        f"\n{settings['equilibration']} + {settings['production']} steps an iteration, "
        f"g(r) every {settings['every']} steps, one core."
    )
    results = {}
    for name, title in (("boltzmann", "Boltzmann inversion"), ("hnc", "HNC inversion")):
        folder = args.workdir / name
        if folder.exists():
            raw = np.loadtxt(folder / "votca" / "CG-CG.dist.tgt", usecols=(0, 1)).T
            results[title] = report(title, folder, np.interp(GRID, *raw, left=0.0))
    if args.figure is not None:
        draw(results, args.figure)


if __name__ == "__main__":
    main()
