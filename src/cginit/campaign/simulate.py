"""Simulate the state points of a campaign, each a task of its own that can be repeated, skipped or lost."""

from __future__ import annotations

import itertools
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.campaign.dataset import Record, write_record
from cginit.campaign.potentials import spline_potential, wca
from cginit.configuration import random_configuration
from cginit.curves import Array, PairPotential
from cginit.engines.base import Engine, Schedule
from cginit.errors import CGInitError
from cginit.state import StatePoint

__all__ = ["DENSITIES", "StateTask", "plan", "record_path", "run_campaign", "screen", "simulate_state"]

#: The published densities in sigma^-3.
DENSITIES = (0.125, 0.244, 0.512, 1.0)
#: Common grid of g: the networks read r in [0, 5] sigma.
GRID_STEP, GRID_END = 0.05, 5.0
#: Smallest box edge (so that g reaches 5 sigma) and smallest number of beads.
MIN_EDGE, MIN_BEADS = 10.2, 500
#: Production steps by density: dilute runs are cheap and have fewer pairs per configuration.
PRODUCTION = {0.125: 24_000, 0.244: 20_000, 0.512: 14_000, 1.0: 9_600}
#: Reduced second virial coefficient below which a fluid separates into gas and liquid somewhere; half the value
#: -pi sigma^3 at the critical temperature of simple fluids (Vliegenthart and Lekkerkerker,
#: J. Chem. Phys. 112, 5364, 2000, doi:10.1063/1.481106).
MIN_B2 = -np.pi


@dataclass(frozen=True)
class StateTask:
    """One state point of family a: the integer of its potential, and its density."""

    seed: int
    density: float

    @property
    def run_seed(self) -> int:
        """Seed of start and dynamics, derived so that a task is the same whoever runs it."""
        return self.seed * 16 + DENSITIES.index(self.density) + 1


def plan(seeds: range, per_potential: int = len(DENSITIES)) -> list[StateTask]:
    """Return the tasks of these potentials, `per_potential` densities each.

    With fewer than all four, the seed chooses among the combinations in turn, so that each density, and each
    combination, is used equally often.
    """
    combinations = list(itertools.combinations(DENSITIES, per_potential))
    return [StateTask(seed, density) for seed in seeds for density in combinations[seed % len(combinations)]]


def screen(potential: PairPotential, core: bool) -> str:
    """Return why a potential is not worth simulating, or an empty string.

    Lengths in sigma, energies in kT. Two cheap tests: B2 far enough below zero that the fluid condenses, and a
    spline so hidden by its WCA core that the potential is one more bare WCA.
    """
    r, u = potential.r, potential.u
    b2 = -2.0 * np.pi * np.trapezoid((np.exp(-u) - 1.0) * r**2, r)
    if b2 < MIN_B2:
        return f"screened: B2 = {b2:.3g} sigma^3 is in the gas-liquid region"
    if core:
        outside = r > 0.85
        if np.max(np.abs(u - wca(r))[outside], initial=0.0) < 0.1:
            return "screened: no different from a bare WCA core"
    return ""


def simulate_state(task: StateTask, engine: Engine, workdir: Path | None = None) -> Record:
    """Simulate one state point and return its record, accepted or with the reason why not.

    A short run first: one that clusters, freezes or drifts there is not continued.
    """
    made = spline_potential(task.seed)
    potential, density = made.potential, task.density
    reason = screen(potential, made.core)
    if reason:
        return _rejected(task, potential, reason)
    n = max(MIN_BEADS, int(np.ceil(density * MIN_EDGE**3)))
    state = StatePoint(density, 1.0)
    try:
        with tempfile.TemporaryDirectory(dir=workdir) as folder:
            start = random_configuration(n, density, seed=task.run_seed, units="lj")
            trial = engine.run(
                potential,
                state,
                start,
                Schedule(equilibration=2_000, production=2_000, every=100, length=1.0),
                seed=task.run_seed,
                workdir=Path(folder),
            )
            if trial.trajectory is None:
                return _rejected(task, potential, f"failed: {engine.name} returns no configurations")
            g = sampling.rdf(trial.trajectory, dr=0.1)
            health = sampling.examine(trial.trajectory, g)
            if not health.ok:
                return _rejected(task, potential, health.reasons[0])
            production = PRODUCTION[density]
            run = engine.run(
                potential,
                state,
                trial.final,
                Schedule(equilibration=1_000, production=production, every=80, push_off=0, length=1.0),
                seed=task.run_seed + 1_000_000,
                workdir=Path(folder),
            )
            if run.trajectory is None:
                return _rejected(task, potential, f"failed: {engine.name} returns no configurations")
            g = sampling.rdf(run.trajectory, dr=GRID_STEP)
            health = sampling.examine(run.trajectory, g, run.energy)
            # Flatness is judged at half the box; a long-ranged potential is still at work at 5 sigma.
            g = g.truncated(GRID_END)
            pressure = sampling.block_mean(run.pressure)
    except CGInitError as error:
        return _rejected(task, potential, f"failed: {error}")
    return Record(
        family="a",
        seed=task.seed,
        density=density,
        u_r=potential.r,
        u=potential.u,
        r=g.r,
        g=g.g,
        g_error=g.g * 0.0 if g.error is None else g.error,
        pressure=pressure.value,
        pressure_error=pressure.error,
        n=n,
        steps=production,
        run_seed=task.run_seed,
        engine=f"{run.engine} {run.version}",
        seconds=trial.seconds + run.seconds,
        s_k_min=health.s_k_min,
        rejected="; ".join(health.reasons),
    )


def _rejected(task: StateTask, potential: PairPotential, reason: str) -> Record:
    r: Array = np.arange(round(GRID_END / GRID_STEP) + 1, dtype=np.float64) * GRID_STEP
    empty = np.full(r.size, np.nan)
    return Record(
        family="a",
        seed=task.seed,
        density=task.density,
        u_r=potential.r,
        u=potential.u,
        r=r,
        g=empty,
        g_error=empty,
        pressure=float("nan"),
        pressure_error=float("nan"),
        n=0,
        steps=0,
        run_seed=task.run_seed,
        engine="",
        seconds=0.0,
        s_k_min=float("nan"),
        rejected=reason,
    )


def record_path(folder: Path, task: StateTask) -> Path:
    """Return the file of a task's record."""
    return folder / f"a-{task.seed:06d}-{task.density:.3f}.npz"


def _task_to_file(task: StateTask, engine: Engine, folder: Path) -> str:
    record = simulate_state(task, engine)
    write_record(record, record_path(folder, task))
    return record.rejected


def run_campaign(
    tasks: list[StateTask], engine: Engine, folder: Path, workers: int = 1
) -> dict[StateTask, str]:
    """Simulate what `folder` does not hold yet; return the reason of rejection (or "") of each new task.

    A task is done when its file exists; a killed run loses the tasks under way and nothing else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    todo = [task for task in tasks if not record_path(folder, task).exists()]
    outcome: dict[StateTask, str] = {}
    # One thread per worker: state points are independent, so parallel tasks beat parallel loops.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(max_workers=workers) as pool:
        futures = {pool.submit(_task_to_file, task, engine, folder): task for task in todo}
        for future in as_completed(futures):
            outcome[futures[future]] = future.result()
    return outcome
