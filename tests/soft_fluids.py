"""Soft spheres with the g of the hypernetted chain, as a set that networks learn from in a second."""

from __future__ import annotations

import numpy as np

from cginit.learn.data import TrainingSet
from cginit.liquid import solve

__all__ = ["FINE", "R", "soft_fluids"]

R = np.linspace(0.0, 5.0, 101)
FINE = np.linspace(0.0, 5.0, 501)


def soft_fluids(m: int = 10, density: float = 0.4) -> TrainingSet:
    """Return m of them; potentials 0, 2, 4 ...: the first is the test set."""
    height, width = np.linspace(0.6, 2.0, m), np.linspace(0.8, 1.1, m)
    u = height[:, None] * np.exp(-((FINE / width[:, None]) ** 2))
    g = []
    for row in u:
        fluid = solve(R, np.interp(R, FINE, row), density, nodes=255)
        y = fluid.y[0] + (fluid.y[0] - fluid.y[1]) / 3.0
        g.append(np.append(y * np.exp(-row[0]), fluid.g[: R.size - 1]))
    error = np.full((m, R.size), 1e-3)
    return TrainingSet(R, np.array(g), error, FINE, u, np.full(m, density), np.full(m, 3.0), 2 * np.arange(m))
