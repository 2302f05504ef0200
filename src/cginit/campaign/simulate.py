"""Simulate one state point: screened, in a box that fits its correlations, as long as its g(r) needs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from cginit.campaign.families import StatePointTask
from cginit.campaign.liquid_run import Effort, LiquidRun, recorded, simulated_by
from cginit.campaign.potentials import uniforms
from cginit.campaign.records import Record
from cginit.campaign.sampled import on_record_grid, peak_error, record_grid, run_columns, task_columns
from cginit.campaign.screen import Screening, screen
from cginit.campaign.trapping import crossing_time
from cginit.configuration import random_configuration
from cginit.engines.base import Engine, Schedule

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
#: Pairs must leave any pocket of their potential within this part of a run.
CROSSED = 0.3
EFFORT = Effort(
    pilot=Schedule(equilibration=3_000, production=4_000, every=100, length=1.0),
    equilibration=1_000,
    least=5_000,
    again=100,
    work=3.0e9,
    bead_work=12.0,
    enough=1.1,
)
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
    it is reached, or the work of `EFFORT` is done, and the energy does not drift.

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

    def run(folder: Path) -> _BeadRun:
        n = larger * _beads(screening, task.density, task.potential.r_cut)
        return _BeadRun(task, engine, n, folder)

    return recorded(run, partial(_record, task, screening), precision, workdir)


class _BeadRun(LiquidRun):
    """The runs of loose beads, which start at random."""

    def __init__(self, task: StatePointTask, engine: Engine, n: int, folder: Path) -> None:
        self._task, r_cut = task, task.potential.r_cut
        super().__init__(
            random_configuration(n, task.density, seed=task.run_seed, units="lj"),
            simulated_by(engine, task.potential, task.density, folder),
            task.run_seed,
            EFFORT,
            EFFORT.most(n, task.density, r_cut),
            r_cut,
        )

    def wanted(self, precision: float) -> float:
        """Return the precision, or a part of the largest h at high pressure."""
        if float(np.mean(self.sampled.pressure[0])) <= HIGH_PRESSURE * self._task.density:
            return precision
        (g,) = self.g.values()
        return min(precision, max(PART_OF_H * float(np.max(np.abs(g.g - 1.0))), FINEST))

    def trapped(self, steps: int) -> tuple[str, ...]:
        """Return the reason against a run in which pairs cannot cross a barrier, if so."""
        (g,), task, sampled = self.g.values(), self._task, self.sampled
        frames = sum(len(part) for part in sampled.frames)
        time, barrier = crossing_time(g, task.potential, sampled.last.n, task.density, frames)
        whole = (EFFORT.pilot.steps + steps) * EFFORT.pilot.dt
        if time <= CROSSED * whole:
            return ()
        return (
            f"not equilibrated: pairs cross the barrier at r = {barrier:.2f} once in {time:.3g} tau, and the run "
            f"lasts {whole:.3g} tau",
        )


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
    task: StatePointTask, screening: Screening, rejected: str, run: LiquidRun | None = None
) -> Record:
    (g,) = (None,) if run is None else run.g.values()
    values, errors = on_record_grid(g)
    return Record(
        r_cut=task.potential.r_cut,
        u_r=task.potential.r,
        u=task.potential.u,
        r=record_grid(),
        g=values,
        g_error=errors,
        peak_error=np.nan if g is None else peak_error(g),
        screened=screening.reason,
        rejected=rejected,
        **task_columns(task),
        **run_columns(None if run is None else run.sampled),
    )
