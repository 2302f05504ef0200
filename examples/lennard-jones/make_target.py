"""Simulate the truncated and shifted Lennard-Jones liquid and write its g(r) as a target.

The answer to the inverse problem is known here: U(r) = 4 (r^-12 - r^-6), cut at 2.5 and shifted.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from cginit import PairPotential, StatePoint, sampling, write_rdf
from cginit.configuration import random_configuration
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine

R_CUT, DENSITY, KT = 2.5, 0.85, 1.0


def lennard_jones(dr: float = 0.01) -> PairPotential:
    """Return the potential from r = 0.7, where it is 250 kT, to the cut-off."""
    r = np.arange(round(0.7 / dr), round(R_CUT / dr) + 1) * dr
    return PairPotential.shifted(r, 4.0 * (r**-12.0 - r**-6.0), units="lj")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "target.dat")
    parser.add_argument("--beads", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=40_000)
    arguments = parser.parse_args()
    state = StatePoint(density=DENSITY, kT=KT, units="lj")
    start = random_configuration(arguments.beads, DENSITY, seed=7, units="lj")
    schedule = Schedule(equilibration=10_000, production=arguments.steps, every=100)
    with tempfile.TemporaryDirectory() as folder:
        run = LammpsEngine().run(lennard_jones(), state, start, schedule, seed=7, workdir=Path(folder))
    if run.trajectory is None:
        raise SystemExit("the engine returned no configurations")
    g = sampling.rdf(run.trajectory, dr=0.02, r_max=5.0)
    for reason in sampling.examine(run.trajectory, g, run.energy).reasons:
        print(f"note: {reason}")
    pressure = sampling.block_mean(run.pressure)
    print(f"P = {pressure.value:.3f} +- {pressure.error:.3f} epsilon/sigma^3")
    print(write_rdf(g, arguments.out, state=state))


if __name__ == "__main__":
    main()
