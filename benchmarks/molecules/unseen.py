"""Errors of U by the network of molecules and by closures, on molecules that the network has not seen.

    python benchmarks/molecules/unseen.py data/molecules.h5 KEEP [--learned 28]

Of each pair of bead types: the mean absolute error over the points with g > 0.01 and U < 20 kT, U being 0 at the
cut-off. Unseen are test molecules, and those of larger integers than the last that the training had. KEEP keeps the
inversions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cginit.campaign import load_molecules
from cginit.learn.data import STRIDE
from cginit.learn.molecules import molecule_features, molecule_set
from cginit.models.correlations import verlet_modified
from cginit.models.grid import boltzmann_potential
from cginit.models.model import load_model


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("keep", type=Path)
    parser.add_argument("--learned", type=int, default=28, help="largest integer of the training")
    options = parser.parse_args()
    dataset = load_molecules(options.data)
    dataset = dataset.select((dataset.split == "test") | (dataset.seed > options.learned))
    data = molecule_set(dataset)
    features = molecule_features(dataset, options.keep)
    gamma = features.gamma[:, 0]
    u0 = boltzmann_potential(features.g[:, 0])
    found = {
        "-ln g": u0,
        "hnc": u0 + gamma[:, 0],
        "verlet": verlet_modified(u0, gamma[:, 0]),
        "bridge": load_model("bridge")(u0, gamma, data.density)[0],
        "network": load_model("molecules")(u0, gamma, data.density)[0],
    }
    truth = np.array([np.interp(data.r, data.u_r, u) for u in data.u])
    last = np.searchsorted(data.r, data.r_cut - 1e-9)[:, None]
    seen = (features.g[:, 0] > 0.01) & (np.arange(data.r.size) < last) & (truth < 20.0)
    seen &= features.valid[:, :1]
    errors = {}
    for name, u in found.items():
        off = u - truth
        off = np.abs(off - np.take_along_axis(off, last, axis=1))
        errors[name] = np.where(seen, off, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    groups = {"for tests": data.test, "simulated later": ~data.test, "all": np.full(len(data), True)}
    for title, rows in groups.items():
        molecules = np.unique(data.potential[rows] % STRIDE).size
        cells = [f"{np.median(x[rows]):.2f}, {np.mean(x[rows]):.2f}" for x in errors.values()]
        better = [int(np.sum((errors["network"] < errors[x])[rows])) for x in ("-ln g", "verlet")]
        print(f"| {rows.sum()}, {title} | {molecules} | {' | '.join(cells)} | {better[0]} | {better[1]} |")


if __name__ == "__main__":
    main()
