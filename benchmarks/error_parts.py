"""What the error of a guess is made of: ``python benchmarks/error_parts.py DATA.h5 [MODELS]``.

The test potentials again, at the same densities, with a g(r) in which one thing after the other is wrong: exact and
without noise (what is left is what the network cannot do, or what g(r) up to 5 sigma does not tell), with the noise
of the publication, with that of the simulations, and the simulated g itself (whose bridge function is not exactly the
one of the forward map, `cginit.forward`, that makes the others). "known bridge" is no guess: the Ornstein-Zernike
inversion of that g with the bridge function that made it, so that what is left is the noise of g, and its end.

MODELS is a folder with other networks of these names than those that ship.

delta = median / ln 2 of the mean absolute errors of U over U < 20 kT and g > 0.01, in kT, of the state points that
have a solution of the closure.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cginit.campaign.dataset import load
from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.guess.base import Guess
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import IntegralEquation
from cginit.guess.network import NetworkGuess
from cginit.learn.data import STRIDE, TrainingSet
from cginit.learn.evaluate import absolute_errors
from cginit.learn.pairs import STEP, Structures, counting_error, structure_of
from cginit.learn.simulated import training_set
from cginit.learn.statistics import median_delta
from cginit.learn.subjects.guess_errors import guesses_on_points, held_rows, on_points
from cginit.models.correlations import inversions, with_origin
from cginit.models.grid import RANGE, boltzmann_potential, interpolate, network_grid

#: Standard error of g at g = 1 and r = 1 sigma: of the publication's simulations, as `cginit.learn.curves`.
PAPER = 1e-3
KNOWN = "known bridge"


def closure_g(data: TrainingSet) -> Structures:
    """Return g of the closure with the learned bridge function, of the rows that have one."""
    r = np.linspace(0.0, RANGE, round(RANGE / STEP) + 1)
    u = interpolate(data.u, 0.0, float(data.u_r[1]), r, 0.0)
    return structure_of(u, data.density, "bridge", "cpu")


def errors(guess: Guess, data: TrainingSet) -> Array:
    """Return the error of the visible part of each row, NaN where there is no guess."""
    g, truth = on_points(data)
    return absolute_errors(guesses_on_points(guess, data), truth, g).visible


def with_known_bridge(data: TrainingSet, bridge: Array) -> Array:
    """Return the same of -ln g + gamma + B with gamma of the inversion and the `bridge` function B ``(m, n)``."""
    g, truth = on_points(data)
    found = np.full((len(data), data.r.size), np.nan)
    for row in range(len(data)):
        try:
            solution = inversions(data.r, data.g[row], float(data.density[row]), data.g_error[row], None)[0]
        except ConvergenceError:
            continue
        gamma = with_origin(solution.gamma)
        found[row] = boltzmann_potential(data.g[row]) + gamma + bridge[row]
    u = interpolate(found, 0.0, float(data.r[1]), network_grid(), 0.0)
    return absolute_errors(u, truth, g).visible


def main(path: Path, models: Path | None) -> None:
    torch.set_num_threads(1)
    data = held_rows(training_set(load(path), "ab"))
    found = closure_g(data)
    exact, data = found.g, data.select(found.solved)
    rng = np.random.default_rng(1)
    paper = counting_error(data.r, np.maximum(exact, 1e-6), PAPER)

    def noisy(error: Array) -> TrainingSet:
        noise = np.where(exact > 1e-6, error * rng.standard_normal(exact.shape), 0.0)
        return replace(data, g=np.maximum(exact + noise, 0.0), g_error=error)

    def network(name: str) -> NetworkGuess:
        own = models is not None and (models / f"{name}.json").exists()
        return NetworkGuess(name, bin_average=False, folder=models if own else None)

    kinds = {
        "exact": replace(data, g=exact, g_error=0.1 * paper),
        "noise of the paper": noisy(paper),
        "noise of the simulations": noisy(data.g_error),
        "simulated": data,
    }
    guesses = {
        "bridge": network("bridge"),
        "cn-f": network("cn-f"),
        "hnc": IntegralEquation("hnc", False),
        "boltzmann": Boltzmann(False),
    }
    family = data.potential // STRIDE
    names = [*guesses, KNOWN]
    print("| state points | g | " + " | ".join(names) + " |")
    print("| --- | --- |" + " ---: |" * len(names))
    table = {
        (kind, name): errors(guess, rows) for kind, rows in kinds.items() for name, guess in guesses.items()
    }
    u = interpolate(data.u, 0.0, float(data.u_r[1]), data.r, 0.0)
    bridge = u + np.log(np.maximum(exact, 1e-300)) - found.gamma
    table |= {(kind, KNOWN): with_known_bridge(rows, bridge) for kind, rows in kinds.items()}
    dense = data.density > 0.75
    groups = {
        "family a": family == 0,
        "family a, rho <= 0.75": (family == 0) & ~dense,
        "family a, rho > 0.75": (family == 0) & dense,
        "family b": family == 1,
    }
    for label, rows in groups.items():
        for kind in kinds:
            cells = [f"{median_delta(table[kind, name][rows]):.3f}" for name in names]
            print(f"| {label}, {rows.sum()} | {kind} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
