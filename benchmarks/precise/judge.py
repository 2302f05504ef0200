"""Guesses from simulated g(r) of the publication's precision: ``python benchmarks/precise/judge.py DATA.h5 PRECISE``.

The state points of PRECISE (`simulate.py` makes it), once with the g of the data set and once with the precise one:
delta = median / ln 2 of the mean absolute errors of U over U < 20 kT and g > 0.01, in kT.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from error_parts import errors

from cginit.campaign import Dataset, load
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import IntegralEquation
from cginit.guess.network import NetworkGuess
from cginit.learn.data import noise_at_sigma
from cginit.learn.simulated import training_set
from cginit.learn.statistics import median_delta


def same_states(data: Dataset, wanted: Dataset) -> Dataset:
    """Return the rows of `data` that `wanted` has, in its order."""
    rows = {key: row for row, key in enumerate(zip(data.family, data.seed, data.index, strict=True))}
    keys = zip(wanted.family, wanted.seed, wanted.index, strict=True)
    return data.select(np.array([rows[key] for key in keys]))


def main(path: Path, precise_path: Path) -> None:
    torch.set_num_threads(1)
    precise = load(precise_path)
    recorded = same_states(load(path), precise)
    guesses = {
        "bridge": NetworkGuess("bridge", bin_average=False),
        "cn-f": NetworkGuess("cn-f", bin_average=False),
        "hnc": IntegralEquation("hnc", False),
        "boltzmann": Boltzmann(False),
    }
    print(f"{len(precise)} state points of {np.unique(precise.seed).size} potentials")
    print("| g(r) | error at g = 1, r = 1 | " + " | ".join(guesses) + " |")
    print("| --- | ---: |" + " ---: |" * len(guesses))
    for name, data in (("of the data set", recorded), ("precise", precise)):
        rows = zip(data.g, data.g_error, strict=True)
        noise = np.median([noise_at_sigma(data.r, g, error) for g, error in rows])
        found = [errors(guess, training_set(data)) for guess in guesses.values()]
        print(f"| {name} | {noise:.4f} | " + " | ".join(f"{median_delta(one):.3f}" for one in found) + " |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
