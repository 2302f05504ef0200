"""How much larger than the closure says the answer of molecules is, from refinements that were kept.

    python benchmarks/molecules/answers.py WORKDIR ...

For each two successive simulations of a refinement of one state (`run.py --workdir`) the change of all g is foreseen
by the closure at s times the change of the pair potentials, and the s that foresees it best is printed: with the size
of the change, its noise, and the part of it (rms over volume) that is missed with s = 1, with the one in use
(`cginit.refine.state_response.CONNECTED`) and with the best; inf where the closure has no solution. Changes of the
shapes of molecules are not foreseen here, so that rounds in which bonds or angles moved tell less: the integral of
the difference of the worst of them before and after is printed, too.

A second line says how well the kept molecules foresee the next distributions of bonds, angles and dihedrals from the
changes of all potentials: integrals of the difference of what was foreseen from what came, without a medium, with
that of the changes, and with that of changes `CONNECTED` times as large.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from cginit.errors import ConvergenceError
from cginit.refine.history import History
from cginit.refine.opened import OpenedRefinement, open_refinement
from cginit.refine.settle import on_bonded_grid
from cginit.refine.shapes import InsideEnergy, MoleculeShapes
from cginit.refine.state_response import CONNECTED, StateResponse

FACTORS = np.round(np.arange(0.6, 2.01, 0.1), 1)


def shown(opened: OpenedRefinement, number: int) -> str:
    """Return what the simulation after `number` tells of the answer around that."""
    target = opened.targets[0]
    history = History(opened.targets, opened.rounds[: number + 1])
    record, after = history.last[0], opened.rounds[number + 1][0]
    closure = replace(StateResponse.of(record, target, history), stretch=1.0)
    changes, found, weights, noise = [], [], [], []
    for name, one in closure.difference.parts.items():
        before, p = record.pairs[name], after.pairs[name]
        change = (np.interp(one.r, p.r, p.u) - np.interp(one.r, before.r, before.u)) / target.kT
        change[: one.first] = change[one.first]
        changes.append(change)
        sampled = after.rdfs[name].with_core()
        found.append(np.interp(one.r, sampled.r, sampled.g) - one.got)
        weights.append(one.r**2 * (np.arange(one.r.size) >= one.first))
        curves = (record.rdfs[name], after.rdfs[name])
        noise.append(sum(np.interp(one.r, curve.r, curve.error) ** 2 for curve in curves))
    change, real, weight = (np.concatenate(rows) for rows in (changes, found, weights))
    size = np.sqrt(weight @ real**2)

    def missed(factor: float) -> float:
        try:
            return float(np.sqrt(weight @ (closure.answer(factor * change) - real) ** 2) / size)
        except ConvergenceError:
            return np.inf

    parts = [missed(factor) for factor in FACTORS]
    best = int(np.argmin(parts))
    bonded = [
        max((one.integral for name, one in done.distances.items() if not name.is_pair), default=0.0)
        for done in (record, after)
    ]
    chance = np.sqrt(weight @ np.concatenate(noise)) / size
    return (
        f"g moved by {size / np.sqrt(weight.sum()):.3f} (noise {chance:.2f} of it), bonded off by {bonded[0]:.3f} "
        f"and {bonded[1]:.3f}: best s {FACTORS[best]:.1f}, missed {missed(1.0):.2f} with 1, "
        f"{missed(CONNECTED):.2f} with {CONNECTED:g}, {parts[best]:.2f} with the best"
    )


def foreseen(opened: OpenedRefinement, number: int) -> str:
    """Return how well the molecules of one simulation foresee the distributions of the next."""
    target = opened.targets[0]
    record, after = opened.rounds[number][0], opened.rounds[number + 1][0]
    state = StateResponse.of(record, target, History(opened.targets, opened.rounds[: number + 1]))
    shapes, change = state.shapes, []
    if shapes is None:
        return "no molecules were kept"
    for name, one in state.difference.parts.items():
        before, p = record.pairs[name], after.pairs[name]
        change.append((np.interp(one.r, p.r, p.u) - np.interp(one.r, before.r, before.u)) / target.kT)
    alike = state.alike(np.concatenate(change))
    inside = state.inside_energy(alike)
    if inside is None:
        return "the closure has no solution with molecules as simulated"
    energies = np.zeros(shapes.kinds.size)
    for name in shapes.terms:
        now = record.bonded[name]
        moved = on_bonded_grid(after.bonded[name], now.x).u - now.u
        energies += shapes.bonded_energy(name, now.x, moved / target.kT)
    found = []
    for factor in (0.0, 1.0, CONNECTED):
        scaled = replace(inside, medium=factor * inside.medium)
        found.append(f"medium times {factor:g}: {_missed(opened, number, shapes, energies, scaled)}")
    return "; ".join(found)


def _missed(
    opened: OpenedRefinement, number: int, shapes: MoleculeShapes, energies: np.ndarray, inside: InsideEnergy
) -> str:
    """Return the integral of what was not foreseen of each distribution."""
    weights, _ = shapes.weights(energies + shapes.inside_energy(inside))
    record, after = opened.rounds[number][0], opened.rounds[number + 1][0]
    found = []
    for name, groups in shapes.terms.items():
        now, came = record.distributions[name], after.distributions[name]
        places = groups.on(now.x, periodic=name.coordinate == "dihedral")
        moved = places.sums(weights[groups.owner])
        p = now.p * np.divide(moved, places.counts, out=np.ones_like(moved), where=places.counts > 0.0)
        p *= now.p.sum() / p.sum()
        found.append(f"{name} {np.sum(np.abs(p - came.p)) * now.dx:.3f}")
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workdir", nargs="+", type=Path)
    for folder in parser.parse_args().workdir:
        opened = open_refinement(folder)
        for number in range(len(opened.rounds) - 1):
            try:
                print(folder.name, number + 1, shown(opened, number), flush=True)
                print(folder.name, number + 1, foreseen(opened, number), flush=True)
            except ConvergenceError as error:
                print(folder.name, number + 1, f"has no inversion: {error}")


if __name__ == "__main__":
    main()
