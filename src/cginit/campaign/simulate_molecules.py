"""Simulate one state point of molecules, as long as its g(r) need."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.campaign.liquid_run import Effort, LiquidRun, recorded, simulated_by
from cginit.campaign.molecules import LARGEST, PAIRS, MoleculeTask, liquid_topology
from cginit.campaign.records import GRID_STEP, MoleculeRecord
from cginit.campaign.sampled import (
    on_record_grid,
    peak_error,
    reach_of,
    record_grid,
    run_columns,
    task_columns,
)
from cginit.configuration import Trajectory
from cginit.curves import Array
from cginit.engines.base import Engine, Schedule
from cginit.growth import grown_configuration
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.topology import Topology

__all__ = ["PRECISION", "simulate_molecules"]

#: Relative standard error of g near its first peak that a run aims at, median over the pairs.
PRECISION = 0.02
#: Smallest box in sigma, and numbers of molecules and beads.
MIN_EDGE, MIN_MOLECULES, MIN_BEADS, MAX_BEADS = 7.2, 48, 320, 800
#: Part of the range of g that is looked at: half of so small a box may lie on a true oscillation.
SEEN = 0.8
EFFORT = Effort(
    pilot=Schedule(equilibration=1_500, production=1_200, every=40, dt=0.007, length=1.0, push_off=300),
    equilibration=300,
    least=3_200,
    again=3_200,
    work=2.0e8,
    bead_work=15.0,
    enough=1.2,
)


def simulate_molecules(
    task: MoleculeTask,
    engine: Engine,
    *,
    precision: float = PRECISION,
    larger: int = 1,
    workdir: Path | None = None,
) -> MoleculeRecord:
    """Simulate one state point of molecules and return its record, accepted or with the reason why not.

    Langevin dynamics at kT = 1 from molecules grown at random. A pilot run equilibrates and tells how many steps the
    wanted precision needs; production follows until it is reached, or the work of `EFFORT` is done. The tests are
    those of loose beads: the energy does not drift, no g(r) moves, S(k) shows neither two phases nor a crystal.

    Parameters
    ----------
    task : MoleculeTask
        Molecule and density.
    engine : Engine
        What simulates.
    precision : float
        Median over the pairs of the relative standard error of g, in bins of 0.1 sigma around its first peak.
    larger : int
        Factor on the number of molecules, to check for finite size.
    workdir : Path, optional
        Where temporary folders are made.
    """
    topology = _liquid(task, larger)
    return recorded(
        lambda folder: _MoleculeRun(task, engine, topology, folder),
        partial(_record, task, topology),
        precision,
        workdir,
    )


def _liquid(task: MoleculeTask, larger: int) -> Topology:
    """Return enough molecules for the range of g and of the potentials."""
    made, density = task.molecule, task.density
    bonds = made.bonded.potentials(made.topology.without("angle", "dihedral"))
    longest = [*(one.r_cut for one in made.pairs.values()), *(float(one.x[-1]) for one in bonds.values())]
    reach = 2.0 * max(longest) + 0.2
    least = max(MIN_BEADS, MIN_MOLECULES * made.topology.n)
    beads = larger * min(max(least, density * max(MIN_EDGE, reach) ** 3), MAX_BEADS)
    solvent = int(np.ceil(made.solvent * beads))
    return liquid_topology(made.topology, int(np.ceil((beads - solvent) / made.topology.n)), solvent)


class _MoleculeRun(LiquidRun):
    """The runs of molecules, which are grown at random."""

    def __init__(self, task: MoleculeTask, engine: Engine, topology: Topology, folder: Path) -> None:
        made = task.molecule
        terms = made.bonded.potentials(topology)
        shape = Interactions({name: one.at_minimum for name, one in terms.items()})
        excluded = topology.excluded("molecule")

        def count(trajectory: Trajectory) -> dict[Interaction, sampling.PairCounts]:
            found = sampling.count_partial_pairs(
                trajectory, dr=GRID_STEP, r_max=reach_of(trajectory), excluded=excluded
            )
            return {Interaction("pair", name): one for name, one in found.items()}

        r_cut = max(one.r_cut for one in made.pairs.values())
        super().__init__(
            grown_configuration(topology, task.density, seed=task.run_seed, units="lj", shape=shape),
            simulated_by(engine, made.potentials, task.density, folder),
            task.run_seed,
            EFFORT,
            EFFORT.most(topology.n, task.density, r_cut),
            r_cut,
            count,
        )

    def examined(self) -> tuple[str, ...]:
        """Return what is wrong with the run, by the g of the pair of which it has seen most."""
        best = min(self.g.values(), key=peak_error)
        return self.sampled.examine(best.truncated(SEEN * best.r_max))


def _rows(topology: Topology, values: dict[Interaction, Array], size: int) -> Array:
    """Return one row for each pair of three types ``(6, size)``; NaN where there is no such pair."""
    found = np.full((PAIRS, size), np.nan)
    for row, name in enumerate(all_pairs(topology.species)):
        if name in values:
            found[row] = values[name]
    return found


def _record(task: MoleculeTask, topology: Topology, rejected: str, run: LiquidRun | None) -> MoleculeRecord:
    made = task.molecule
    sampled, g = (None, {}) if run is None else (run.sampled, run.g)
    single, rows = made.topology, all_pairs(made.topology.species)
    # Solvent beads are the only ones of the last type.
    solvent = int(np.sum(topology.types == len(single.species) - 1)) if made.solvent else 0
    curves = {name: on_record_grid(one) for name, one in g.items()}
    types, bonds = np.full(LARGEST, -1), np.full((LARGEST, 2), -1)
    types[: single.n] = single.types
    bonds[: len(single.bonds)] = single.bonds
    terms = np.full((2, PAIRS), np.nan)
    terms[:, : len(rows)] = made.bonded.lengths, made.bonded.stiffness
    bonded = [Interaction("bond", name.beads) in single.terms for name in rows]
    terms[:, ~np.array([*bonded, *[False] * (PAIRS - len(rows))])] = np.nan
    positions = np.full((MAX_BEADS + LARGEST, 3), np.nan)
    if sampled is not None and not rejected:
        positions[: sampled.last.n] = sampled.last.positions
    grid = record_grid()
    return MoleculeRecord(
        molecules=(topology.n - solvent) // single.n,
        solvent=solvent,
        species=len(single.species),
        types=types,
        bonds=bonds,
        exclusions=single.exclusions,
        bond_length=terms[0],
        bond_stiffness=terms[1],
        angle=made.bonded.angle,
        angle_stiffness=made.bonded.angle_stiffness,
        torsion=made.bonded.torsion,
        r_cut=_rows(single, {k: np.array([v.r_cut]) for k, v in made.pairs.items()}, 1)[:, 0],
        u=_rows(single, {k: v.u for k, v in made.pairs.items()}, 201),
        r=grid,
        g=_rows(single, {k: v[0] for k, v in curves.items()}, grid.size),
        g_error=_rows(single, {k: v[1] for k, v in curves.items()}, grid.size),
        peak_error=_rows(single, {k: np.array([peak_error(v)]) for k, v in g.items()}, 1)[:, 0],
        positions=positions,
        rejected=rejected,
        **task_columns(task),
        **run_columns(sampled),
    )
