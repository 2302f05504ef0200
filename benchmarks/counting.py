"""How fast pairs are counted by distance: the counter of cginit beside others, on one core.

    python benchmarks/counting.py [--beads 1000 8000 64000] [--reach 2.25] [--core N]

Beads of the density of water (33 per nm^3) at random, a bin of 0.01 nm, g(r) to `--reach` nm or half the box. freud
and SciPy take part where they are installed and the number of beads is not too large for them. Processor time, so
that other work on the machine matters less; the first call of cginit is told apart: it compiles, or loads what an
earlier process has compiled.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from machine import describe, pin, table

from cginit.sampling import Bins, PairCounter

DENSITY, STEP = 33.0, 0.01
#: Beads above which the others are left out.
OTHERS = 10_000


def seconds(count: Callable[[], object], least: float = 1.0) -> float:
    """Processor time of one call, from as many as take `least` seconds."""
    calls, began = 0, time.process_time()
    while calls == 0 or time.process_time() - began < least:
        count()
        calls += 1
    return (time.process_time() - began) / calls


def others(positions: np.ndarray, edge: float, bins: Bins) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {}
    if find_spec("freud") is not None:
        import freud

        freud.parallel.set_num_threads(1)
        rdf = freud.density.RDF(bins=bins.grid.size - 1, r_max=bins.upper * (1 - 2e-6), r_min=bins.lower)
        box = freud.Box.cube(edge)
        found["freud"] = lambda: rdf.compute((box, positions), reset=True)
    if find_spec("scipy") is not None:
        from scipy.spatial import cKDTree

        edges = bins.grid + 0.5 * bins.dr

        def scipy_tree() -> None:
            tree = cKDTree(np.mod(positions.astype(np.float64), edge) % edge, boxsize=edge)
            tree.count_neighbors(tree, edges)

        found["SciPy cKDTree"] = scipy_tree
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beads", type=int, nargs="+", default=[1_000, 8_000, 64_000])
    parser.add_argument("--reach", type=float, default=2.25)
    parser.add_argument("--core", type=int)
    args = parser.parse_args()
    pin(args.core)
    packages = ["cginit", "numpy", "numba"] + (["freud-analysis"] if find_spec("freud") else [])
    print(describe(packages), "\n")
    rows, first = [], 0.0
    for n in args.beads:
        edge = (n / DENSITY) ** (1 / 3)
        steps = int(min(args.reach, 0.5 * edge - 0.5 * STEP) / STEP + 1e-9)
        bins = Bins(STEP, steps * STEP)
        positions = np.random.default_rng(1).uniform(-0.5 * edge, 0.5 * edge, (n, 3)).astype(np.float32)
        alike = PairCounter(np.zeros(n, dtype=int), ((0, 0),), bins)
        typed = PairCounter(np.arange(n) % 2, ((0, 0), (0, 1), (1, 1)), bins, np.arange(n) // 4)
        vectors = np.diag(np.full(3, edge))
        if not rows:
            began = time.process_time()
            alike.count(positions, vectors)
            first = time.process_time() - began
        ways = {
            "cginit": lambda c=alike, p=positions, v=vectors: c.count(p, v),
            "cginit, 2 types, molecules of 4 left out": lambda c=typed, p=positions, v=vectors: c.count(p, v),
            **(others(positions, edge, bins) if n <= OTHERS else {}),
        }
        pairs = int(alike.count(positions, vectors).sum())
        for name, count in ways.items():
            spent = seconds(count)
            rows.append(
                [f"{n}", name, f"{pairs / 1e6:.2f}", f"{1e3 * spent:.2f}", f"{pairs / spent / 1e6:.0f}"]
            )
    print(table(["beads", "counter", "million pairs", "ms a configuration", "million pairs a second"], rows))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nFirst call: {first:.2f} s. Most memory of the process: {memory:.0f} MiB.")


if __name__ == "__main__":
    main()
