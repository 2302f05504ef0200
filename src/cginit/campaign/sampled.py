"""What the runs of one state point have sampled, and when that is enough: shared by beads and molecules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cginit import sampling
from cginit.campaign.records import GRID_END, GRID_STEP
from cginit.configuration import Configuration, Trajectory
from cginit.curves import RDF, Array
from cginit.engines.base import EngineRun
from cginit.errors import EngineError
from cginit.interactions import Interaction

if TYPE_CHECKING:
    from cginit.campaign.families import StatePointTask
    from cginit.campaign.molecules import MoleculeTask

__all__ = [
    "PairsOf",
    "Sampled",
    "count_of_beads",
    "is_drift",
    "on_record_grid",
    "peak_error",
    "reach_of",
    "record_grid",
    "run_columns",
    "task_columns",
    "too_slow",
]

NEAREST_PEAK = 0.5
#: A run whose error stays above this many times the aim moves too slowly to be in equilibrium.
TOO_SLOW = 4.0

#: What counts the pairs of a run.
PairsOf = Callable[[Trajectory], dict[Interaction, sampling.PairCounts]]
_BEADS = Interaction.of("A-A")


def record_grid() -> Array:
    """Return the common grid of records."""
    return np.arange(round(GRID_END / GRID_STEP) + 1, dtype=np.float64) * GRID_STEP


def reach_of(trajectory: Trajectory) -> float:
    """Return the last point of the common grid that half the box allows."""
    half = 0.5 * float(np.min(trajectory.box))
    return min(GRID_STEP * float(np.floor(half / GRID_STEP - 0.5)), GRID_END)


def count_of_beads(trajectory: Trajectory) -> dict[Interaction, sampling.PairCounts]:
    """Return the pairs of loose beads."""
    return {_BEADS: sampling.count_pairs(trajectory, dr=GRID_STEP, r_max=reach_of(trajectory))}


class Sampled:
    """What the runs of one state point have sampled since it was last forgotten, and where they ended."""

    def __init__(self, start: Configuration, count: PairsOf = count_of_beads) -> None:
        self.last, self.runs, self.seconds, self.engine, self._count = start, 0, 0.0, "", count
        self.forget()

    def forget(self) -> None:
        """Begin again; the last configuration stays."""
        self.frames: list[NDArray[np.float32]] = []
        self.energy: list[Array] = []
        self.pressure: list[Array] = []
        self.pairs: list[dict[Interaction, sampling.PairCounts]] = []
        self.steps = 0

    def add(self, run: EngineRun, production: int) -> None:
        """Add a run of so many steps of production; EngineError if it has no configurations."""
        if run.trajectory is None:
            raise EngineError(f"{run.engine} returns no configurations; a campaign needs a simulation")
        self.frames.append(run.trajectory.positions)
        self.pairs.append(self._count(run.trajectory))
        self.energy.append(run.energy)
        self.pressure.append(run.pressure)
        self.last, self.engine = run.final, f"{run.engine} {run.version}"
        self.runs += 1
        self.seconds += run.seconds
        self.steps += production

    @property
    def trajectory(self) -> Trajectory:
        """All configurations."""
        return Trajectory(
            np.concatenate(self.frames), self.last.box, units=self.last.units, topology=self.last.topology
        )

    @property
    def rdfs(self) -> dict[Interaction, RDF]:
        """g(r) of each pair."""
        return {pair: one.rdf() for pair, one in self.counts().items()}

    def counts(self) -> dict[Interaction, sampling.PairCounts]:
        """Return the counts of all runs."""
        return {
            pair: replace(one, counts=np.concatenate([part[pair].counts for part in self.pairs]))
            for pair, one in self.pairs[0].items()
        }

    def trend(self, r_cut: float) -> tuple[str, ...]:
        """Return the reason against a run of which some g moves while it is sampled, if so."""
        if not any(sampling.moves(one, r_cut) for one in self.counts().values()):
            return ()
        return ("not equilibrated: g(r) moves while it is sampled, by more than chance; the liquid ages",)

    def examine(self, g: RDF) -> tuple[str, ...]:
        """Return what is wrong with the run as a fluid."""
        return sampling.examine(self.trajectory, g, np.concatenate(self.energy)).reasons


def is_drift(reason: str) -> bool:
    """Whether a reason against a run is that it is not in equilibrium yet."""
    return reason.startswith("not equilibrated")


def peak_error(g: RDF) -> float:
    """Return the median relative standard error of g, in bins of 0.1 sigma, within 0.3 of its highest point.

    The peak is sought from 0.5 sigma on: nearer to r = 0 a bin holds few pairs of any fluid. The error of
    bins of other width is scaled as that of counts is: by the root of the ratio.
    """
    if g.error is None:
        return float("nan")
    peak = g.r[int(np.argmax(np.where(g.r >= NEAREST_PEAK, g.g, 0.0)))]
    near = (np.abs(g.r - peak) < 0.3 + 0.5 * g.dr) & (g.g > 0.1)
    if not np.any(near):
        return float("inf")
    return float(np.median(g.error[near] / g.g[near]) * np.sqrt(g.dr / 0.1))


def on_record_grid(g: RDF | None) -> tuple[Array, Array]:
    """Return g and its error on the common grid of records, NaN where they are not known."""
    size = record_grid().size
    values, errors = np.full(size, np.nan), np.full(size, np.nan)
    if g is not None and g.r.size >= 3 and abs(g.dr - GRID_STEP) < 1e-9:
        n = min(size, g.r.size)
        values[:n] = g.g[:n]
        errors[:n] = 0.0 if g.error is None else g.error[:n]
    return values, errors


def task_columns(task: StatePointTask | MoleculeTask) -> dict[str, Any]:
    """Return what a record says of what was asked for: potential, state and the seed of the runs."""
    names = ("family", "seed", "index", "split", "density", "run_seed")
    return {name: getattr(task, name) for name in names}


def run_columns(sampled: Sampled | None) -> dict[str, Any]:
    """Return what a record says of its runs, if any: pressure, beads, steps, engine, time, S(k) of the box."""
    pressure = sampling.Mean(np.nan, np.nan)
    if sampled is not None:
        pressure = sampling.block_mean(np.concatenate(sampled.pressure))
    return {
        "pressure": pressure.value,
        "pressure_error": pressure.error,
        "n": 0 if sampled is None else sampled.last.n,
        "steps": 0 if sampled is None else sampled.steps,
        "engine": "" if sampled is None else sampled.engine,
        "seconds": 0.0 if sampled is None else sampled.seconds,
        "s_k_min": np.nan if sampled is None else sampling.low_k_structure_factor(sampled.trajectory).value,
    }


def too_slow(sampled: int, error: float, precision: float, most: int) -> tuple[str, ...]:
    """Return the reason against a run that even `most` steps would not bring near the precision, if so.

    `error` is the `peak_error` after the steps that were `sampled`.
    """
    error *= (sampled / most) ** 0.5
    if error <= TOO_SLOW * precision:
        return ()
    return (
        f"not equilibrated: the error of g at its peak would be {100 * error:.1f} % after {most} steps; the beads "
        "hardly move",
    )
