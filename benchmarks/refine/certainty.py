"""How well a refined potential is known: its spread over seeds, and whether its error band holds the truth.

    python benchmarks/refine/certainty.py OUT [--seeds 1 2 3 4 5] [--cases ... | --others] [--method NAME]

refines each case from the default start, or another, with several seeds, keeps each refinement in OUT (run again, it
goes on), and prints for every case

- simulations until the noise;
- standard deviation over seeds of the pressure, as a part of it, and of U (kT) beyond the first peak of g (root mean
  square over distances): what seeds decide and g does not;
- where the potential that made the target is known, by how much (kT, root mean square over the points that the target
  shows) the start and the result are off it, and at which part of the points the band of 90 % of `u_error` holds it.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from cases import DATA, LIQUIDS, OTHER_LIQUIDS, Case, load, names, others, true_potential

from cginit import PairPotential, guess, refine
from cginit.campaign import load as load_dataset
from cginit.configuration import random_configuration
from cginit.guess import REFINEMENT_METHOD
from cginit.refine import Limits, Refinement
from cginit.refine.convergence import root_mean_square
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


def refined(out: Path, name: str, seed: int, method: str) -> Found:
    """Refine one case, or go on where that was left."""
    case = load(name, out / "targets", BEADS)
    result = refine(
        case.target,
        case.state,
        guess(case.target, case.state, method, case.r_cut),
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
    parser.add_argument(
        "--others", action="store_true", help="liquids that did not set the size of the band, instead"
    )
    parser.add_argument("--method", default=REFINEMENT_METHOD, help="what the refinements start from")
    arguments = parser.parse_args()
    if arguments.others:
        arguments.cases = others(load_dataset(DATA))
    (arguments.out / "targets").mkdir(parents=True, exist_ok=True)
    print(HEAD)
    rows = []
    for name in arguments.cases:
        found = [refined(arguments.out, name, seed, arguments.method) for seed in arguments.seeds]
        rows.append(row(name, found, arguments.method))
        print(rows[-1], flush=True)
    held = [one.held for one in rows if one.held is not None]
    if held:
        print(
            f"mean of the {len(held)} cases of known potential: held {100 * np.mean(held):.0f} % of their points"
        )
    return 0


@dataclass(frozen=True)
class Row:
    """What the seeds of one case have in common; spreads are standard deviations over them."""

    case: str
    simulations: float
    pressure: float
    pressure_spread: float
    u_spread: float
    u_error: float
    off: float | None = None
    start_off: float | None = None
    held: float | None = None

    def __str__(self) -> str:
        known = ["", "", ""]
        if self.held is not None:
            known = [f"{self.start_off:.3f}", f"{self.off:.3f}", f"{100 * self.held:.0f} %"]
        return (
            f"| {self.case} | {self.simulations:.1f} | {self.pressure:.4g} | {100 * self.pressure_spread:.1f} % | "
            f"{self.u_spread:.3f} | {' | '.join(known)} | {self.u_error:.3f} |"
        )


HEAD = """| case | simulations | P | spread of P | spread of U | start off by | off by | held by 90 % | `u_error` |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def row(name: str, found: list[Found], method: str) -> Row:
    case, kT = found[0].case, found[0].case.state.kT
    pressures = np.array([one.pressure for one in found])
    potential = found[0].result.potential
    beyond = potential.r > case.target.r[int(np.argmax(case.target.g))]
    u = np.array([one.result.potential.u for one in found]) / kT
    shown = slice(first_shown(potential, case.target), potential.r.size - 1)
    errors = np.array([one.result.potential.u_error for one in found])[:, shown] / kT
    common = Row(
        name,
        float(np.mean([len(one.result.history) for one in found])),
        float(np.mean(pressures)),
        float(np.std(pressures, ddof=1) / abs(np.mean(pressures))),
        float(np.sqrt(np.mean(np.var(u, axis=0, ddof=1)[beyond]))),
        root_mean_square(errors),
    )
    if name not in LIQUIDS and name not in OTHER_LIQUIDS and name[1] != "-":
        return common
    truth = true_potential(name)
    start = guess(case.target, case.state, method, case.r_cut)
    misses = np.array([off(one.result.potential, truth, case) for one in found])
    return replace(
        common,
        off=root_mean_square(misses),
        start_off=root_mean_square(off(start, truth, case)),
        held=float(np.mean(np.abs(misses) <= NINETY * errors)),
    )


def off(potential: PairPotential, truth: PairPotential, case: Case) -> np.ndarray:
    """Return the difference to the truth in kT where the target shows the potential."""
    shown = slice(first_shown(potential, case.target), potential.r.size - 1)
    known = np.interp(potential.r[shown], truth.r, truth.u, right=0.0)
    return np.asarray((potential.u[shown] - known) / case.state.kT)


if __name__ == "__main__":
    sys.exit(main())
