"""Simulate test state points again, with S(k): ``python benchmarks/long_waves/simulate.py DATA.h5 FOLDER [S_MAX]``.

Each accepted test state point of family a whose S at the smallest wave number is below S_MAX (0.02), highest
pressure first: the same potential, density, beads and steps as in the data set. FOLDER gets one file a state point
with g(r), S(k) up to 2 pi/sigma and the pressure, all of the same configurations; what it holds already is not
simulated again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.atomic import write_arrays
from cginit.campaign.dataset import load
from cginit.campaign.families import StatePointTask
from cginit.configuration import random_configuration
from cginit.engines.base import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.state import StatePoint

#: Step of g, as in the data set, and its end.
STEP, END = 0.05, 5.0
#: Steps to equilibrate, and between configurations.
EQUILIBRATION, EVERY = 4_000, 50
#: Largest wave number.
K_MAX = 2.0 * np.pi
S_MAX = 0.02


def tasks(path: Path, s_max: float) -> list[tuple[StatePointTask, int, int]]:
    """Return the state points, their beads and their steps."""
    data = load(path)
    wanted = (data.rejected == "") & (data.split == "test") & (data.family == "a") & (data.s_k_min < s_max)
    rows = np.flatnonzero(wanted)
    return [
        (StatePointTask("a", int(data.seed[i]), int(data.index[i])), int(data.n[i]), int(data.steps[i]))
        for i in rows[np.argsort(-data.pressure[rows])]
    ]


def simulate(task: StatePointTask, beads: int, steps: int, path: Path) -> None:
    """Simulate one state point and write what it shows."""
    start = random_configuration(beads, task.density, seed=task.run_seed, units="lj")
    schedule = Schedule(equilibration=EQUILIBRATION, production=steps, every=EVERY, length=1.0)
    state = StatePoint(task.density, 1.0)
    with tempfile.TemporaryDirectory() as folder:
        run = LammpsEngine().run(
            task.potential, state, start, schedule, seed=task.run_seed, workdir=Path(folder)
        )
    frames = run.trajectory
    if frames is None:
        raise RuntimeError(f"{run.engine} returned no configurations")
    g = sampling.rdf(frames, dr=STEP).truncated(END)
    waves = sampling.structure_factor(frames, K_MAX)
    pressure = sampling.block_mean(run.pressure)
    found = {"r": g.r, "g": g.g, "g_error": g.error, "k": waves.k, "s": waves.s, "s_error": waves.error}
    numbers = {"density": task.density, "pressure": pressure.value, "pressure_error": pressure.error}
    counted = {"beads": beads, "seconds": run.seconds, "r_cut": task.potential.r_cut}
    table = {"u_r": task.potential.r, "u": task.potential.u}
    write_arrays(path, {name: np.asarray(x) for name, x in (found | numbers | counted | table).items()})


def main(data: Path, folder: Path, s_max: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = tasks(data, s_max)
    for number, (task, beads, steps) in enumerate(wanted, start=1):
        path = folder / f"{task.name}.npz"
        if not path.exists():
            simulate(task, beads, steps, path)
            print(f"{number} of {len(wanted)}: {task.name}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else S_MAX)
