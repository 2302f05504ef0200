"""What cheap pairs alone have taught: ``python benchmarks/pretraining.py RUN [CURVES]``.

RUN is the folder of ``cg-init train`` with a configuration that has a pre-training. Its network, before it has seen a
simulation, is judged on the pairs from integral equations that it has learned from, and on those of potentials it has
not: delta = median / ln 2 of the mean absolute errors of U over U < 20 kT and g > 0.01, in kT. Tests of family a are
at the four published densities, as in ``cg-init train curves``; its finished networks in CURVES are judged as well.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from cginit.campaign.families import DENSITIES
from cginit.learn.architectures import Network, network_of, predict
from cginit.learn.augmentation import pairs
from cginit.learn.curves import DENSITY, NOISE, TEST_INTEGERS, TESTS, plan
from cginit.learn.data import STRIDE, TrainingSet
from cginit.learn.evaluate import absolute_errors
from cginit.learn.pairs import cheap_pairs, counting_error
from cginit.learn.statistics import median_delta
from cginit.learn.task import read_fit
from cginit.learn.training import load_config_of
from cginit.models.grid import boltzmann_potential

#: Integers after those of a training that no network has seen.
MORE = 13_000
EDGES = (0.0, 0.05, 0.2, 0.5, 1.0, np.inf)


def judge(label: str, network: Network, data: TrainingSet) -> None:
    """Print one row: delta of all, and by how much of U -ln g lacks."""
    g, density, u = pairs(data)
    found = absolute_errors(predict(network, g, density), u, g).visible
    inverted = absolute_errors(boltzmann_potential(g), u, g).visible
    cells = [f"{median_delta(found):.3f} ({median_delta(inverted):.3f})"]
    for low, high in pairwise(EDGES):
        rows = (inverted > low) & (inverted <= high)
        cells.append(f"{median_delta(found[rows]):.3f}" if rows.sum() >= 20 else "-")
    print(f"| {label} | {len(data)} | {' | '.join(cells)} |")


def noisy(data: TrainingSet, noise: float) -> TrainingSet:
    """Return the data with noise in g, a standard error of `noise` at g = 1 and r = 1 sigma."""
    error = counting_error(data.r, data.g, noise)
    g = np.maximum(data.g + error * np.random.default_rng(1).standard_normal(data.g.shape), 0.0)
    return replace(data, g=g)


def main(run: Path, curves: Path | None) -> None:
    torch.set_num_threads(1)
    config = load_config_of(run)
    network = network_of(read_fit(run / "pretrained.safetensors").weights, config.architecture)
    # Bare cores are all the same fluid, and a campaign refuses them.
    how = replace(config.auxiliary, distinct=True)
    folder = run / "auxiliary"
    known = cheap_pairs(how, folder)
    later = cheap_pairs(replace(how, families="a", first=how.first + how.potentials, potentials=MORE), folder)
    kept = (curves or run) / "tests"
    tests = cheap_pairs(
        replace(how, families="a", first=TESTS, potentials=TEST_INTEGERS, density=DENSITY),
        kept,
        densities=DENSITIES,
    )
    ranges = " | ".join(f"{low:g} to {high:g}" for low, high in pairwise(EDGES))
    print(f"| pairs | number | all (-ln g) | {ranges} |")
    print("| --- | ---: | ---: |" + " ---: |" * (len(EDGES) - 1))
    for k, family in enumerate(how.families):
        judge(f"family {family}, known", network, known.select(known.potential // STRIDE == k))
    judge("family a, unseen", network, later)
    judge("family a, unseen, published densities", network, tests)
    for name, noise in NOISE.items():
        if noise > 0.0:
            judge(f"the same, noise of the {name}", network, noisy(tests, noise))
    for density in DENSITIES:
        judge(f"the same, density {density:g}", network, tests.select(np.isclose(tests.density, density)))
    for point in plan() if curves is not None else []:
        weights = curves / "networks" / f"{point.label}.safetensors"
        if weights.exists():
            judge(f"curves, {point.label}", network_of(read_fit(weights).weights, point.architecture), tests)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
