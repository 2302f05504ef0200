"""MSIBI on the target, start table and start configuration in a folder; run by peers.py with MSIBI's own Python."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from cginit_msibi import msibi_pair

from cginit import StatePoint, read_rdf, sampling
from cginit.configuration import Trajectory
from cginit.engines.base import length_scale
from cginit.io import read_table
from cginit.refine.convergence import distance


def main() -> None:
    folder = Path(sys.argv[1])
    if os.environ.get("CGINIT_HOOMD_PATH"):
        sys.path.insert(0, os.environ["CGINIT_HOOMD_PATH"])
    import gsd.hoomd
    import hoomd
    import msibi

    settings = json.loads((folder / "settings.json").read_text())
    units = settings["units"]
    # kT = 1, m = 1. The unit of length is of the size of a bead or less, since MSIBI's neighbour list is 0.4 wider
    # than the cut-off whatever the units, and a round one, since MSIBI rounds its grid to 0.001.
    length = 0.1 if units.startswith("nm") else 1.0
    target = read_rdf(folder / "target.dat", units=units).with_core().reduced(length)
    potential = read_table(folder / "start.pot", units=units).reduced(length, settings["kT"])
    # The same step in a sqrt(m/kT) as cginit's.
    tau = length_scale(potential, StatePoint(settings["density"] * length**3, 1.0, potential.units))
    start = {name: array / length for name, array in np.load(folder / "start.npz").items()}
    with gsd.hoomd.open(folder / "start.gsd", "w") as file:
        # MSIBI takes a g(r) of its own from it, which the target replaces.
        for _ in range(settings["sampled"] // settings["every"] + 1):
            frame = gsd.hoomd.Frame()
            frame.particles.N, frame.particles.types = len(start["positions"]), ["A"]
            frame.particles.position = start["positions"]
            rng = np.random.default_rng(1)
            frame.particles.velocity = rng.normal(size=start["positions"].shape)
            frame.particles.mass = np.ones(len(start["positions"]))
            frame.configuration.box = [*start["box"], 0, 0, 0]
            file.append(frame)
    frames = settings["sampled"] // settings["every"]
    os.chdir(folder)
    state = msibi.State(name="case", kT=1.0, traj_file=str(folder / "start.gsd"), n_frames=frames)
    optimizer = msibi.MSIBI(
        nlist=hoomd.md.nlist.Cell,
        integrator_method=hoomd.md.methods.ConstantVolume,
        method_kwargs={},
        thermostat=hoomd.md.methods.thermostats.MTTK,
        thermostat_kwargs={"tau": 100.0 * settings["dt"] * tau},
        dt=settings["dt"] * tau,
        gsd_period=settings["every"],
        nlist_exclusions=[],
        device=hoomd.device.CPU(),
    )
    optimizer.add_state(state)
    pair = msibi_pair(potential, "A", kT=1.0)
    optimizer.add_force(pair)
    bins = pair.target_distribution(state)[:, 0]
    pair.set_target_distribution(state, np.column_stack([bins, np.interp(bins, target.r, target.g)]))
    found: dict[str, list[float]] = {"chi2": [], "lmse": []}
    for _ in range(settings["iterations"]):
        # The logarithm of g(r) in the core, which MSIBI corrects afterwards.
        with np.errstate(divide="ignore", invalid="ignore"):
            optimizer.run_optimization(n_steps=settings["steps"], n_iterations=1)
        with gsd.hoomd.open(state.query_traj, "r") as file:
            positions = np.array([frame.particles.position for frame in file[-frames:]], dtype=np.float32)
        trajectory = Trajectory(positions, start["box"], units=potential.units)
        half = 0.5 * float(start["box"].min()) - target.dr
        reach = target.dr * np.floor(min(target.r_max, half) / target.dr)
        g = sampling.rdf(trajectory, dr=target.dr, r_max=float(reach))
        measured = distance(g, target, potential.r_cut)
        found["chi2"].append(measured.chi2)
        found["lmse"].append(measured.lmse)
        print(found, flush=True)
        (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
