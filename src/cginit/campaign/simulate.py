"""Simulate one state point: screened, in a box that fits its correlations, as long as its g(r) needs."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from cginit.campaign.families import StatePointTask
from cginit.campaign.potentials import uniforms
from cginit.campaign.records import Record
from cginit.campaign.sampled import (
    Sampled,
    is_drift,
    on_record_grid,
    peak_error,
    record_grid,
    run_columns,
    too_slow,
)
from cginit.campaign.screen import Screening, screen
from cginit.campaign.trapping import crossing_time
from cginit.configuration import random_configuration
from cginit.curves import RDF
from cginit.engines.base import Engine, Schedule
from cginit.errors import CGInitError
from cginit.state import StatePoint

__all__ = ["AUDITED", "PRECISION", "is_audited", "peak_error", "simulate_state"]

#: Median relative standard error of g in bins of 0.1 sigma around its first peak that a run aims at.
PRECISION = 0.005
#: A nearly structureless g of a fluid of high pressure, P > 5 rho kT, carries its signal in a small h: there the
#: error aimed at is also at most this part of the largest h, down to the smallest precision.
HIGH_PRESSURE, PART_OF_H, FINEST = 5.0, 0.02, 0.0005
#: g reaches 5 sigma, and there are at least so many beads.
MIN_EDGE, MIN_BEADS = 10.2, 500
#: A box may grow until h at its half is below this part of the largest h, as far as so many beads allow.
DECAYED, MAX_BEADS = 0.05, 1500
#: First run: equilibration, then enough to see whether the state is a fluid and how fast g converges.
PILOT = Schedule(equilibration=3_000, production=4_000, every=100, length=1.0)
#: Pairs must leave any pocket of their potential within this part of a run.
CROSSED = 0.3
#: Production steps, least; and most work, in pairs of neighbours (some 14 ns each on one core).
MIN_STEPS, MAX_WORK = 5_000, 3.0e9
#: Configurations of one run, most.
MAX_FRAMES = 1000
#: What integrating a bead costs, in pairs; and the skin of the neighbour list, in sigma.
BEAD_WORK, SKIN = 12.0, 0.3
#: How often a run that is too short, or not yet in equilibrium, is continued.
MAX_RUNS = 3
#: One screened state point in so many is simulated all the same, which tells how often the screen is wrong.
AUDITED = 20
_AUDIT = 2


def is_audited(task: StatePointTask) -> bool:
    """Whether a state point is simulated even if the screen refuses it; by chance, but always the same ones."""
    return uniforms(task.seed, ord(task.family), task.index, _AUDIT)() * AUDITED < 1.0


def simulate_state(
    task: StatePointTask,
    engine: Engine,
    *,
    precision: float = PRECISION,
    larger: int = 1,
    force: bool = False,
    workdir: Path | None = None,
) -> Record:
    """Simulate one state point and return its record, accepted or with the reason why not.

    Langevin dynamics at kT = 1 with dt = 0.005. A pilot run equilibrates, shows whether the state clusters,
    freezes or drifts, and how many steps the wanted precision of g needs; production runs follow until
    it is reached, or `MAX_WORK` is done, and the energy does not drift.

    Parameters
    ----------
    task : StatePointTask
        Potential and density.
    engine : Engine
        What simulates.
    precision : float
        Median relative standard error of g in bins of 0.1 sigma around the first peak.
    larger : int
        Factor on the number of beads, to check for finite size.
    force : bool
        Simulate also what the screen refuses.
    workdir : Path, optional
        Where temporary folders are made.
    """
    screening = screen(task.potential, task.density)
    refused = screening.reason and (screening.known or not is_audited(task))
    if refused and not force:
        return _record(task, screening, screening.reason)
    try:
        with tempfile.TemporaryDirectory(dir=workdir) as folder:
            return _simulate(task, engine, screening, precision, larger, Path(folder))
    except CGInitError as error:
        return _record(task, screening, f"failed: {error}")


def _simulate(
    task: StatePointTask, engine: Engine, screening: Screening, precision: float, larger: int, folder: Path
) -> Record:
    n = larger * _beads(screening, task.density, task.potential.r_cut)
    sampled = Sampled(random_configuration(n, task.density, seed=task.run_seed, units="lj"))

    def run(schedule: Schedule) -> None:
        seed = int(np.random.SeedSequence([task.run_seed, sampled.runs]).generate_state(1)[0])
        state = StatePoint(task.density, 1.0)
        done = engine.run(task.potential, state, sampled.last, schedule, seed=seed, workdir=folder)
        sampled.add(done, schedule.production)

    run(PILOT)
    (g,) = sampled.rdfs.values()
    most = _most_steps(n, task.density, task.potential.r_cut)
    reasons = tuple(x for x in sampled.examine(g) if not is_drift(x))
    reasons += too_slow(sampled.steps, peak_error(g), precision, most) + _trapped(task, g, sampled, most)
    if not reasons:
        aim = precision
        pressure = float(np.mean(sampled.pressure[0]))
        if pressure > HIGH_PRESSURE * task.density:
            precision = min(precision, max(PART_OF_H * float(np.max(np.abs(g.g - 1.0))), FINEST))
        needed = _steps(PILOT.production, g, precision, most)
        sampled.forget()
        while sampled.runs <= MAX_RUNS:
            # A run that must be long decorrelates slowly, and need not be looked at so often.
            production = needed - sampled.steps
            every = PILOT.every * -(-production // (MAX_FRAMES * PILOT.every))
            run(replace(PILOT, equilibration=1_000, production=production, every=every, push_off=0))
            (g,) = sampled.rdfs.values()
            reasons = sampled.examine(g) + sampled.trend(task.potential.r_cut)
            if any(is_drift(x) for x in reasons) and sampled.runs <= MAX_RUNS:
                # What was sampled belongs to the equilibration; begin again where it ended.
                sampled.forget()
                continue
            needed = _steps(sampled.steps, g, precision, most)
            if reasons or needed < 1.1 * sampled.steps:
                break
        reasons += too_slow(sampled.steps, peak_error(g), aim, sampled.steps) + _trapped(
            task, g, sampled, sampled.steps
        )
    return _record(task, screening, "; ".join(reasons), sampled, g)


def _steps(sampled: int, g: RDF, precision: float, most: int) -> int:
    """Return the steps that the precision needs, from the error after `sampled` steps."""
    needed = min(max(sampled * (peak_error(g) / precision) ** 2, MIN_STEPS), most)
    return int(np.ceil(needed / PILOT.every)) * PILOT.every


def _trapped(task: StatePointTask, g: RDF, sampled: Sampled, steps: int) -> tuple[str, ...]:
    """Return the reason against a run of so many steps in which pairs cannot cross a barrier, if so."""
    frames = sum(len(part) for part in sampled.frames)
    time, barrier = crossing_time(g, task.potential, sampled.last.n, task.density, frames)
    whole = (PILOT.steps + steps) * PILOT.dt
    if time <= CROSSED * whole:
        return ()
    return (
        f"not equilibrated: pairs cross the barrier at r = {barrier:.2f} once in {time:.3g} tau, and the run lasts "
        f"{whole:.3g} tau",
    )


def _most_steps(n: int, density: float, r_cut: float) -> int:
    neighbours = 2.0 * np.pi / 3.0 * density * (r_cut + SKIN) ** 3
    return max(2 * MIN_STEPS, int(MAX_WORK / (n * (neighbours + BEAD_WORK))))


def _beads(screening: Screening, density: float, r_cut: float) -> int:
    """Return how many beads: g reaches 5 sigma, and h has decayed at half the box, as far as HNC can tell."""
    edge = max(MIN_EDGE, 2.0 * r_cut + 0.2, (MIN_BEADS / density) ** (1.0 / 3.0))
    if screening.h.size:
        size = np.abs(screening.h) * screening.r
        # r h decays like a damped wave; what counts is where its envelope falls below the limit.
        alive = np.flatnonzero(size > DECAYED * float(size.max()))
        edge = max(edge, min(2.0 * float(screening.r[alive[-1]]), (MAX_BEADS / density) ** (1.0 / 3.0)))
    return int(np.ceil(density * edge**3 - 1e-6))


def _record(
    task: StatePointTask,
    screening: Screening,
    rejected: str,
    sampled: Sampled | None = None,
    g: RDF | None = None,
) -> Record:
    values, errors = on_record_grid(g)
    return Record(
        family=task.family,
        seed=task.seed,
        index=task.index,
        split=task.split,
        density=task.density,
        r_cut=task.potential.r_cut,
        u_r=task.potential.r,
        u=task.potential.u,
        r=record_grid(),
        g=values,
        g_error=errors,
        peak_error=np.nan if g is None else peak_error(g),
        run_seed=task.run_seed,
        screened=screening.reason,
        rejected=rejected,
        **run_columns(sampled),
    )
