"""Solutions of HNC a second on one core, one after the other and many at once: ``python benchmarks/closure.py``.

The first potentials of each family from integers, at densities log-uniform in [0.05, 1.1], on steps of 0.05 sigma.
Only processor time counts, so that other work on the machine matters little. Rows without a solution take part.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from cginit.campaign.beads import bead_potential
from cginit.campaign.potentials import spline_potential
from cginit.campaign.screen import MAX_PEAK, MIN_B2
from cginit.errors import ConvergenceError
from cginit.learn.closure import solve_many
from cginit.learn.pairs import density_of
from cginit.liquid import second_virial
from cginit.liquid.forward import solve
from cginit.models.grid import interpolate

FIRST, STEP, BOUNDS = 1_000_000, 0.05, (0.05, 1.1)
RECIPES = {
    "a": lambda seed: spline_potential(seed).potential,
    "b": lambda seed: bead_potential(seed).potential,
}


def rows(family: str, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return distances from 0 to 5, potentials ``(m, n)`` and densities ``(m,)``."""
    r = np.linspace(0.0, 5.0, 101)
    u: list[np.ndarray] = []
    density: list[float] = []
    seed = FIRST
    while len(u) < count:
        made = RECIPES[family](seed)
        if second_virial(made.r, made.u) >= MIN_B2:
            u.append(interpolate(np.minimum(made.u, 1e3)[None], 0.0, made.dr, r, 0.0)[0])
            density.append(density_of(family, seed, 0, BOUNDS))
        seed += 1
    return r, np.array(u), np.array(density)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--many", type=int, default=512)
    parser.add_argument("--single", type=int, default=48)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| family | solver | nodes | rows | with a solution | ms of a core a row | a second |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for family in "ab":
        r, u, density = rows(family, options.many)

        def line(what: str, nodes: int, count: int, solved: int, spent: float, family: str = family) -> None:
            figures = f"{nodes} | {count} | {solved} | {1e3 * spent / count:.1f} | {count / spent:.0f}"
            print(f"| {family} | {what} | {figures} |")

        for nodes, peak in ((1023, torch.inf), (511, torch.inf), (511, MAX_PEAK)):
            start = time.process_time()
            found = solve_many(
                torch.from_numpy(u[:, 1:]), torch.from_numpy(density), STEP, nodes=nodes, max_peak=peak
            )
            spent = time.process_time() - start
            limit = "" if peak == torch.inf else f", up to a peak of {peak:g}"
            line(f"many at once{limit}", nodes, options.many, int(found.solved.sum()), spent)
        start, solved = time.process_time(), 0
        for i in range(options.single):
            try:
                # From r = 0 to 5 the grid has 1023 nodes.
                solve(r, u[i], float(density[i]), nodes=511)
                solved += 1
            except ConvergenceError:
                pass
        line("one after the other", 1023, options.single, solved, time.process_time() - start)


if __name__ == "__main__":
    main()
