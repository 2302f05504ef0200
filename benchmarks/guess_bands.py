"""Whether the error bands of the default guess hold the true potentials, by source of the fluids and noise of g.

    python benchmarks/guess_bands.py [--method NAME] [--model FOLDER] [--targets FOLDER [--liquids ...]]
                                     [--sources ...]

For each source of fluids, the part of the points at which the band of 90 % of `u_error` holds the potential that
made g, and the errors of U and the stated ones (root mean square, each point at most 1 kT); points with g > 0.01 and
U < 20 kT up to the cut-off. Fluids for which the network was not used count in all columns, and have their own.

- simulated: the test set of ``data/state-points.h5``, families a and b.
- dense: its dense liquids, family c.
- forward map: its potentials with g of `cginit.forward`, with noise sqrt(g) sigma/r times the number.
- textbook: the potentials of ``benchmarks/textbook.py`` likewise.
- smooth: potentials of another generator, a core or none and a Gaussian process; likewise.
- liquids: of known potential, by their names in ``benchmarks/refine/cases.py``, in FOLDER, simulated there where they
  are absent (minutes each); left out without FOLDER.

g of the forward map is no judge of a network that has learned from it: both have the same bridge functions wrong.

``--model`` takes a network `bridge` of another folder than that which ships.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "refine"))

import numpy as np
import torch
from cases import LIQUIDS, OTHER_LIQUIDS, load, true_potential
from textbook import CORES, CUT_OFF, DENSITIES

from cginit import RDF, StatePoint
from cginit.campaign import FAMILIES
from cginit.campaign import load as load_dataset
from cginit.eos.textbook import TEXTBOOK, textbook_potentials
from cginit.errors import CGInitError
from cginit.guess import load_guess
from cginit.guess.base import Guess
from cginit.guess.network import NetworkGuess
from cginit.learn.data import FINE, STRIDE, TrainingSet
from cginit.learn.pairs import STEP, counting_error, structure_of
from cginit.learn.simulated import training_set
from cginit.learn.subjects.bridge_bands import NINETY
from cginit.models.grid import RANGE, interpolate

DATA = Path(__file__).resolve().parents[1] / "data" / "state-points.h5"
NOISES = (8e-3, 1e-3, 1e-4)
#: Smooth potentials: number, seed, length of correlation in sigma, size in kT, densities.
SMOOTH, SEED, LENGTHS, SIZES, SPARSEST, DENSEST = 120, 7, (0.25, 0.8), (0.3, 2.0), 0.1, 0.9
EDGES = (0.0, 0.2, 0.4, 0.75, 9.0)
#: g below the first is the flank of a core; beyond the second, in sigma of the data, is the tail.
FLANK, TAIL = 0.5, 1.5
#: Distances in sigma over which correlations of errors are shown; larger errors count as so many standard errors.
LAGS, FAR = (0.05, 0.1, 0.25, 0.6, 1.0), 3.0


@dataclass(frozen=True, eq=False)
class Fluid:
    """One g(r) with the potential that made it, in kT on its own grid."""

    target: RDF
    state: StatePoint
    r_cut: float
    r: np.ndarray
    u: np.ndarray
    bin_average: bool = False


@dataclass(frozen=True, eq=False)
class Points:
    """Points of some fluids, ``(n,)`` each."""

    off: np.ndarray
    error: np.ndarray
    g: np.ndarray
    r: np.ndarray
    density: np.ndarray
    fallback: np.ndarray
    fluid: np.ndarray

    def held(self, rows: np.ndarray) -> str:
        inside = np.abs(self.off[rows]) <= NINETY * self.error[rows]
        return f"{100 * np.mean(inside):.0f} %" if inside.size else ""

    def row(self) -> str:
        everything = np.ones(self.off.size, dtype=bool)
        sizes = [f"{np.sqrt(np.mean(np.minimum(np.abs(x), 1.0) ** 2)):.3f}" for x in (self.off, self.error)]
        dense = [(self.density > low) & (self.density <= high) for low, high in pairwise(EDGES)]
        flank = self.g < FLANK
        where = [flank, ~flank & (self.r <= TAIL), ~flank & (self.r > TAIL)]
        fallen = np.unique(self.fluid[self.fallback]).size
        cells = [
            str(np.unique(self.fluid).size),
            self.held(everything),
            *sizes,
            *(self.held(rows) for rows in (*dense, *where)),
            f"{fallen}: {self.held(self.fallback)}" if fallen else "0",
        ]
        return " | ".join(cells)

    def correlations(self) -> str:
        """Return how errors in units of the stated ones go together over each of `LAGS`, where the network served."""
        z = np.clip(self.off / self.error, -FAR, FAR)
        sums = np.zeros((len(LAGS), 2))
        for number in np.unique(self.fluid[~self.fallback]):
            own, r = z[self.fluid == number], self.r[self.fluid == number]
            for row, lag in zip(sums, LAGS, strict=True):
                step = round(lag / (r[1] - r[0])) if r.size > 1 else r.size
                a, b = own[step:], own[: max(own.size - step, 0)]
                row += np.sum(a * b), 0.5 * np.sum(a**2 + b**2)
        return " | ".join(f"{both / each:.2f}" for both, each in sums)


def points(fluids: Iterator[Fluid], guess: Guess) -> Points:
    """Return what the guesses are off by, and what they state."""
    found = []
    for number, one in enumerate(fluids):
        if hasattr(guess, "bin_average"):
            guess = replace(guess, bin_average=one.bin_average)
        try:
            made = guess(one.target, one.state, one.r_cut)
        except CGInitError:
            continue
        truth = np.interp(made.r, one.r, one.u, right=0.0)
        g = one.target.g[: made.r.size]
        seen = (g > 0.01) & (truth < 20.0) & (made.r < one.r_cut - 1e-9)
        fallback = any("was not used" in note for note in made.notes)
        size = np.count_nonzero(seen)
        found.append(
            (
                (made.u - truth)[seen],
                made.u_error[seen],
                g[seen],
                made.r[seen],
                np.full(size, one.state.density),
                np.full(size, fallback),
                np.full(size, number),
            )
        )
    return Points(*(np.concatenate(column) for column in zip(*found, strict=True)))


def rows_of(data: TrainingSet) -> Iterator[Fluid]:
    """Yield the fluids of a training set with their cut-offs, on the grid of g."""
    for row in range(len(data)):
        target, state = data.target(row)
        r_cut = min(max(0.5, np.ceil(data.r_cut[row] / target.dr - 1e-6) * target.dr), target.r_max)
        yield Fluid(target, state, float(r_cut), data.u_r, data.u[row])


def by_forward_map(data: TrainingSet) -> TrainingSet:
    """Return the rows that have a solution, with its g."""
    r = np.linspace(0.0, RANGE, round(RANGE / STEP) + 1)
    found = structure_of(interpolate(data.u, 0.0, FINE, r, 0.0), data.density, "bridge", "cpu")
    return replace(data.select(found.solved), r=r, g=found.g, g_error=np.zeros_like(found.g))


def noisy(data: TrainingSet, noise: float) -> TrainingSet:
    """Return the rows with noise."""
    error = counting_error(data.r, np.maximum(data.g, 1e-6), noise)
    change = error * np.random.default_rng(1).standard_normal(data.g.shape)
    return replace(data, g=np.maximum(np.where(data.g > 1e-6, data.g + change, 0.0), 0.0), g_error=error)


def set_of(u: np.ndarray, density: np.ndarray, r_cut: np.ndarray) -> TrainingSet:
    """Return potentials ``(m, 501)`` as rows without a g."""
    r = np.linspace(0.0, RANGE, round(RANGE / STEP) + 1)
    u_r = np.linspace(0.0, RANGE, u.shape[1])
    nothing = np.ones((len(u), r.size))
    return TrainingSet(
        r, nothing, 0.0 * nothing, u_r, u, density, r_cut, np.arange(len(u)), test=np.ones(len(u), bool)
    )


def textbook() -> TrainingSet:
    """Return the textbook potentials at their densities, cut as there."""
    r, curves = textbook_potentials()
    last = int(np.flatnonzero(r <= CUT_OFF + 1e-9)[-1])
    rows = [
        (np.where(r <= CUT_OFF + 1e-9, u - u[last], 0.0), density)
        for name, u in zip(TEXTBOOK, curves, strict=True)
        for density in DENSITIES["core" if name.startswith(CORES) else "soft"]
    ]
    u, density = (np.array(column) for column in zip(*rows, strict=True))
    return set_of(u, density, np.full(len(u), CUT_OFF))


def smooth() -> TrainingSet:
    """Return random smooth potentials: a Gaussian process that ends at the cut-off, every other one around a core."""
    rng = np.random.default_rng(SEED)
    r = np.linspace(0.0, RANGE, round(RANGE / FINE) + 1)
    u, cuts = [], []
    for number in range(SMOOTH):
        length, size, cut = rng.uniform(*LENGTHS), rng.uniform(*SIZES), rng.uniform(1.8, 3.5)
        nodes = np.arange(0.0, cut + 4.0 * length, 0.5 * length)
        weights = rng.standard_normal(nodes.size)
        bumps = np.exp(-0.5 * ((r[:, None] - nodes) / length) ** 2)
        curve = size * (bumps @ weights) / np.sqrt(np.sum(bumps**2, axis=1))
        curve = np.where(r < cut, curve * np.cos(0.5 * np.pi * np.minimum(r / cut, 1.0)) ** 2, 0.0)
        if number % 2:
            curve = curve + np.minimum(np.maximum(r, FINE) ** -12.0, 1e3) * (r < cut)
        else:
            # Without repulsion particles would pile up.
            curve = curve**2 / size + size * np.exp(-((r / 0.8) ** 2)) * (r < cut)
        u.append(np.minimum(curve, 1e3))
        cuts.append(cut)
    density = np.exp(rng.uniform(np.log(SPARSEST), np.log(DENSEST), SMOOTH))
    return set_of(np.array(u), density, np.array(cuts))


def liquids(folder: Path, names: Sequence[str]) -> Iterator[Fluid]:
    """Yield simulated liquids of known potential."""
    for name in names:
        case, truth = load(name, folder, 1000), true_potential(name)
        yield Fluid(case.target, case.state, case.r_cut, truth.r, truth.u, bin_average=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="network")
    parser.add_argument("--targets", type=Path)
    parser.add_argument("--liquids", nargs="+", default=[*LIQUIDS, *OTHER_LIQUIDS])
    parser.add_argument(
        "--sources", nargs="+", help="words with which the names of the sources begin; all by default"
    )
    parser.add_argument(
        "--correlation", action="store_true", help="how errors go together, in place of the table"
    )
    parser.add_argument("--model", type=Path, help="folder of another network than the one that ships")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tests = training_set(load_dataset(DATA), "abc")
    dense = tests.potential // STRIDE == FAMILIES.index("c")
    data, liquid = (tests.select(tests.test & rows) for rows in (~dense, dense))
    sources: dict[str, Iterator[Fluid]] = {"simulated": rows_of(data), "dense": rows_of(liquid)}
    for name, some in (("forward map", data), ("textbook", textbook()), ("smooth", smooth())):
        exact = by_forward_map(some)
        sources |= {f"{name}, {noise:g}": rows_of(noisy(exact, noise)) for noise in NOISES}
    if arguments.targets is not None:
        arguments.targets.mkdir(parents=True, exist_ok=True)
        sources["liquids"] = liquids(arguments.targets, arguments.liquids)
    ranges = " | ".join(f"density {low:g} to {high:g}" for low, high in pairwise(EDGES[:-1]))
    head = f"| fluids | number | held | off by | stated | {ranges} | above {EDGES[-2]:g} | g < {FLANK:g} "
    if arguments.correlation:
        print(f"| fluids | {' | '.join(f'{lag:g} sigma' for lag in LAGS)} |\n|{' --- |' * (1 + len(LAGS))}")
    else:
        print(f"{head}| to {TAIL:g} sigma | beyond | not by the network |\n|{' --- |' * 13}")
    guess = load_guess(arguments.method)
    if arguments.model is not None:
        guess = NetworkGuess("bridge", folder=arguments.model)
    for name, fluids in sources.items():
        if arguments.sources is None or name.split(",")[0] in arguments.sources:
            found = points(fluids, guess)
            print(
                f"| {name} | {found.correlations() if arguments.correlation else found.row()} |", flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
