"""Time of one guess after everything is loaded, and of a batch of RDFs, on one core.

The default guess is also made of as many different RDFs, one after the other and by `cginit.guess_many`, turn by
turn, --part of them and the rest by proportion: the liquid of the other lines with noise of its own each, and
simulated liquids of the data set. The network is timed for one row and for many at once.

python benchmarks/guess_time.py [--repeats 200] [--batch 10000] [--part 1000] [--core N] [--out FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import describe, pin, table

from cginit import RDF, PairPotential, StatePoint, guess, guess_many
from cginit.campaign import load
from cginit.liquid import solve
from cginit.models.grid import bridge_grid, network_grid
from cginit.models.model import PORTION, load_model

#: Times that the many RDFs are guessed in either way.
TURNS = 3
METHODS = ("boltzmann", "hnc", "py", "cn-f", "bridge")


def target() -> tuple[RDF, StatePoint]:
    """Return g of a WCA liquid (HNC) on 101 points up to 5 sigma."""
    fine = np.linspace(0.0, 2.5, 501)
    x = np.maximum(fine, 0.3)
    found = solve(fine, np.where(fine < 2 ** (1 / 6), 4.0 * (x**-12 - x**-6) + 1.0, 0.0), 0.6)
    g = np.concatenate([[0.0], found.g[9:1000:10]])
    return RDF(np.arange(g.size) * 0.05, g, np.full(g.size, 1e-3), units="lj"), StatePoint(0.6, 1.0, "lj")


def noisy(number: int) -> list[tuple[RDF, StatePoint]]:
    """Return the liquid of `target` so many times, with the noise that counts of pairs have."""
    rdf, state = target()
    rng = np.random.default_rng(2)
    error = 1e-3 * np.sqrt(rdf.g) / np.maximum(rdf.r, rdf.dr)
    curves = np.maximum(rdf.g + error * rng.standard_normal((number, rdf.g.size)), 0.0)
    return [(RDF(rdf.r, g, error, units="lj"), state) for g in curves]


def simulated(number: int) -> list[tuple[RDF, StatePoint]]:
    """Return so many of the accepted state points of the data set, evenly chosen."""
    data = load(Path(__file__).parents[1] / "data" / "state-points.h5")
    accepted = np.flatnonzero(data.rejected == "")
    found = []
    for row in accepted[np.arange(number) * accepted.size // number]:
        known = np.isfinite(data.g[row])
        rdf = RDF(
            data.r[known], data.g[row][known], data.g_error[row][known], units="lj", beads=int(data.n[row])
        )
        found.append((rdf, StatePoint(float(data.density[row]), 1.0, "lj")))
    return found


def largest_difference(one: list[PairPotential], other: list[object]) -> float:
    """Return by how much the potentials differ at most, in kT, where g shows them."""
    worst = 0.0
    for a, b in zip(one, other, strict=True):
        if not isinstance(b, PairPotential):
            raise SystemExit(f"a guess of many failed where the one alone did not: {b}")
        shown = a.r >= a.r_core
        worst = max(worst, float(np.abs(a.u - b.u)[shown].max()))
    return worst


def seconds(run: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Return least and median wall time and least processor time of a call, after two that load what is loaded late.

    On a machine with other work the least is what the call takes; the median holds that work too.
    """
    for _ in range(2):
        run()
    wall, processor = np.empty(repeats), np.empty(repeats)
    for i in range(repeats):
        began, used = time.perf_counter(), time.thread_time()
        run()
        wall[i], processor[i] = time.perf_counter() - began, time.thread_time() - used
    return float(wall.min()), float(np.median(wall)), float(processor.min())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--part", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    pin(options.core)
    rdf, state = target()
    rows = []

    def add(
        label: str, run: Callable[[], object], repeats: int, factor: float = 1e3, unit: str = "ms"
    ) -> None:
        times = seconds(run, repeats)
        rows.append([label, *(f"{factor * t:.2f} {unit}" for t in times)])

    for method in METHODS:
        add(f"guess, {method}", lambda m=method: guess(rdf, state, m, 2.5), options.repeats)
    network = load_model("cn-f")
    one = np.interp(network_grid(), rdf.r, rdf.g)
    rng = np.random.default_rng(1)
    many = np.maximum(one + 1e-3 * rng.standard_normal((options.batch, one.size)), 0.0)
    density = np.full(options.batch, 0.6)
    add("network cn-f alone, 1 RDF", lambda: network(one[None], density[:1]), options.repeats)
    add(f"network cn-f alone, {options.batch} RDFs", lambda: network(many, density), 3, 1.0, "s")
    bridge = load_model("bridge")
    for number in (1, PORTION):
        u0, gamma = np.zeros((number, bridge_grid().size)), np.zeros((number, 2, bridge_grid().size))
        given = (u0, gamma, np.full(number, 0.6))
        add(
            f"network of the default alone, a row of {number}",
            lambda given=given: bridge(*given),
            options.repeats // number + 3,
            1e3 / number,
        )
    differences = []
    for what, liquids in (
        ("with noise each", noisy(options.part)),
        ("of the data set", simulated(options.part)),
    ):
        targets, states = [one for one, _ in liquids], [state for _, state in liquids]
        alone = [guess(*one) for one in liquids]
        differences.append(largest_difference(alone, guess_many(targets, states)))
        ways = {
            "one after the other": lambda some=liquids: [guess(*one) for one in some],
            "by guess_many": lambda some=targets, of=states: guess_many(some, of),
        }
        times = {way: np.empty((TURNS, 2)) for way in ways}
        for turn in range(TURNS):
            for way, run in ways.items():
                began, used = time.perf_counter(), time.thread_time()
                run()
                times[way][turn] = time.perf_counter() - began, time.thread_time() - used
        for way, found in times.items():
            whole = options.batch / options.part * found
            rows.append(
                [
                    f"guess, default, {options.batch} RDFs {what}, {way} ({options.part}, by proportion)",
                    *(f"{x:.2f} s" for x in (whole[:, 0].min(), np.median(whole[:, 0]), whole[:, 1].min())),
                ]
            )
    head = ["# Time of a guess", describe(["cginit", "onnxruntime"]), ""]
    end = f"Together and alone they differ by {max(differences):.1g} kT at most, where g shows the potential."
    text = "\n".join([*head, table(("what", "least", "median", "least processor time"), rows), "", end, ""])
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
