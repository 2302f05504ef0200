"""How well a refined potential is known: its spread over seeds, and whether its error band holds the truth.

    python benchmarks/refine/certainty.py OUT [--seeds 1 2 3 4 5] [--cases ...] [--results FILE]

refines each case from the default start with several seeds, keeps each refinement in OUT (run again, it goes on), and
prints for every case

- simulations until the noise;
- standard deviation over seeds of the pressure, as a part of it, and of U beyond the first peak of g (root mean square
  over distances), which a target that determines them leaves at 0;
- where the potential that made the target is known: the part of points, where the target shows the potential, at which
  the band of 90 % holds it, and the same of the pressure.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from cases import LIQUIDS, Case, load, names, true_potential

from cginit import PairPotential, guess, refine
from cginit.configuration import random_configuration
from cginit.refine import Limits, Refinement
from cginit.refine.settle import first_shown

CASES = (
    "spce", "lj", "wca", "gaussian-core", "two-lengths", "a-000450-1", "a-000820-2", "a-002030-0",
    "b-000040-1", "b-000090-1", "b-000140-0", "b-000150-1", "b-000100-3",
)  # fmt: skip
BEADS, CAP = 1000, 12
#: Standard deviations on both sides within which 90 % of a normal distribution lie.
NINETY = 1.645


@dataclass(frozen=True, eq=False)
class Found:
    """What one refinement gave."""

    result: Refinement
    case: Case

    @property
    def pressure(self) -> float:
        return self.result.shown[0].pressure


def refined(out: Path, name: str, seed: int) -> Found:
    """Refine one case, or go on where that was left."""
    case = load(name, out / "targets", BEADS)
    result = refine(
        case.target,
        case.state,
        guess(case.target, case.state, "polished", case.r_cut),
        limits=Limits(CAP),
        seed=seed,
        start=random_configuration(case.beads, case.state.density, seed=seed, units=case.target.units),
        workdir=out / f"{name}-{seed}",
    )
    return Found(result, case)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--cases", nargs="+", default=[case for case in CASES if case in names()])
    arguments = parser.parse_args()
    (arguments.out / "targets").mkdir(parents=True, exist_ok=True)
    for name in arguments.cases:
        found = [refined(arguments.out, name, seed) for seed in arguments.seeds]
        print(line(name, found), flush=True)
    return 0


def line(name: str, found: list[Found]) -> str:
    simulations = np.mean([len(one.result.history) for one in found])
    pressures = np.array([one.pressure for one in found])
    case = found[0].case
    r = found[0].result.potential.r
    beyond = r > case.target.r[int(np.argmax(case.target.g))]
    u = np.array([one.result.potential.u for one in found]) / case.state.kT
    spread = float(np.sqrt(np.mean(np.var(u, axis=0, ddof=1)[beyond])))
    text = (
        f"{name:15s} simulations {simulations:4.1f}  P {np.mean(pressures):10.4g}"
        f" +- {100 * np.std(pressures, ddof=1) / abs(np.mean(pressures)):5.1f} %  U +- {spread:.3f} kT"
    )
    if name in LIQUIDS or name[1] == "-":
        truth = true_potential(name)
        errors = [off(one.result.potential, truth, case) for one in found]
        text += f"  off {np.mean([np.sqrt(np.mean(error**2)) for error in errors]):.3f} kT"
        start = guess(case.target, case.state, "polished", case.r_cut)
        text += f" (start {np.sqrt(np.mean(off(start, truth, case) ** 2)):.3f})"
    return text


def off(potential: PairPotential, truth: PairPotential, case: Case) -> np.ndarray:
    """Return the difference to the truth in kT where the target shows the potential."""
    first = first_shown(potential, case.target)
    r = potential.r[first:]
    known = np.interp(r, truth.r, truth.u, right=0.0)
    return (potential.u[first:] - known) / case.state.kT


if __name__ == "__main__":
    sys.exit(main())
