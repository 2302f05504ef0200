"""MSIBI from cginit's guess and from Boltzmann inversion: the Lennard-Jones liquid at T* = 1.2, rho* = 0.6.

    python plugins/msibi/examples/lennard_jones.py WORKDIR [--iterations 3]

Simulates a target on HOOMD-blue, guesses U(r) from its g(r), and lets MSIBI go on. Prints MSIBI's fit score (1 is
best) of each iteration for both starts, and how far the last potential is from the true one.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from cginit_msibi import msibi_pair

import cginit
from cginit import sampling
from cginit.configuration import random_configuration
from cginit.engines.base import Schedule
from cginit.engines.hoomd import HOOMD_PATH_VARIABLE, HoomdEngine

KT, DENSITY, R_CUT, DR, BEADS = 1.2, 0.6, 2.5, 0.02, 1000
STATE = cginit.StatePoint(DENSITY, KT, "lj")


def true_potential() -> cginit.PairPotential:
    r = np.linspace(0.0, R_CUT, round(R_CUT / DR) + 1)
    s = np.maximum(r, 0.7)
    u = 4.0 * (s**-12 - s**-6)
    return cginit.PairPotential.shifted(r, u + 700.0 * np.maximum(0.7 - r, 0.0), units="lj")


def make_target(folder: Path) -> cginit.RDF:
    """Simulate the liquid, write its trajectory for MSIBI, and return its g(r)."""
    import gsd.hoomd

    start = random_configuration(BEADS, DENSITY, seed=1, units="lj")
    schedule = Schedule(equilibration=5_000, production=20_000, every=200)
    work = folder / "target"
    work.mkdir(parents=True)
    trajectory = HoomdEngine().run(true_potential(), STATE, start, schedule, seed=1, workdir=work).trajectory
    with gsd.hoomd.open(folder / "target.gsd", "w") as file:
        for positions in trajectory.positions:
            frame = gsd.hoomd.Frame()
            frame.particles.N, frame.particles.types = BEADS, ["A"]
            frame.particles.position, frame.particles.mass = positions, np.ones(BEADS)
            frame.configuration.box = [*trajectory.box, 0, 0, 0]
            file.append(frame)
    return sampling.rdf(trajectory, dr=DR)


def optimise(
    guess: cginit.PairPotential, folder: Path, name: str, iterations: int
) -> tuple[list[float], float]:
    """Run MSIBI; return its fit scores, and the mean difference to the true potential where g(r) shows it, in kT."""
    import hoomd
    import msibi

    state = msibi.State(name=name, kT=KT, traj_file=str(folder / "target.gsd"), n_frames=80)
    optimizer = msibi.MSIBI(
        nlist=hoomd.md.nlist.Cell,
        integrator_method=hoomd.md.methods.ConstantVolume,
        method_kwargs={},
        thermostat=hoomd.md.methods.thermostats.MTTK,
        thermostat_kwargs={"tau": 0.1},
        dt=0.003,
        gsd_period=100,
        nlist_exclusions=[],
    )
    optimizer.add_state(state)
    pair = msibi_pair(guess)
    optimizer.add_force(pair)
    # The logarithm of g(r) in the core, which MSIBI corrects afterwards.
    with np.errstate(divide="ignore", invalid="ignore"):
        optimizer.run_optimization(n_steps=10_000, n_iterations=iterations)
    true = true_potential()
    seen = pair.x_range >= 1.0
    difference = pair.potential[seen] - np.interp(pair.x_range[seen], true.r, true.u)
    return list(pair._states[state]["f_fit"]), float(np.mean(np.abs(difference))) / KT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workdir", type=Path, help="must not exist")
    parser.add_argument("--iterations", type=int, default=3)
    args = parser.parse_args()
    if os.environ.get(HOOMD_PATH_VARIABLE):
        sys.path.insert(0, os.environ[HOOMD_PATH_VARIABLE])
    args.workdir.mkdir(parents=True)
    folder = args.workdir.resolve()
    os.chdir(folder)
    target = make_target(folder)
    rows = []
    for method in ("hnc", "boltzmann"):
        scores, error = optimise(cginit.guess(target, STATE, method, R_CUT), folder, method, args.iterations)
        rows.append(
            f"{method:10s} fit {'  '.join(f'{score:.4f}' for score in scores)}   |U - U_true| {error:.3f} kT"
        )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
