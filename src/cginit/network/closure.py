"""Auxiliary training pairs from the HNC closure: no simulation, any density, exact where it is dilute."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.forward import solve
from cginit.network.data import TrainingSet
from cginit.network.features import RANGE, interpolate

__all__ = ["closure_pairs"]

#: Grid of g, that of the simulated data.
STEP = 0.05
#: Nodes of the transform; 25 sigma hold the decay of h of all but near-critical fluids.
NODES = 511
#: g has the error noise * sqrt(g) / r of counts in shells, with r not below this.
INNERMOST = 0.3


def closure_pairs(
    u_r: Array,
    u: Array,
    r_cut: Array,
    density: Array,
    potential: NDArray[np.int64],
    noise: float,
    report: Callable[[int, int], None] | None = None,
) -> TrainingSet:
    """Return g(r) in the HNC approximation for some potentials; states without a solution are left out.

    The closure is exact to first order in density and very good for particles that overlap; in a dense fluid with
    cores it lacks the bridge function, which only simulation teaches.

    Parameters
    ----------
    u_r : ndarray, shape (k,)
        Uniform distances from 0 to 5 sigma.
    u : ndarray, shape (m, k)
        Potentials in kT.
    r_cut, density : ndarray, shape (m,)
        Cut-off and number density of each state.
    potential : ndarray, shape (m,)
        The integers that name the potentials.
    noise : float
        Standard error of g = 1 at r = 1 that the pairs pretend to have; augmentation draws from it.
    report : callable, optional
        Called with the number of states tried and their total.

    Raises
    ------
    InputError
        If no state has a solution.
    """
    r = np.linspace(0.0, RANGE, round(RANGE / STEP) + 1)
    on_nodes = interpolate(u, 0.0, float(u_r[1]), r, 0.0)
    g, rows = [], []
    for i in range(density.size):
        end = min(max(int(np.ceil(r_cut[i] / STEP)) + 1, 3), r.size)
        try:
            fluid = solve(r[:end], on_nodes[i, :end], float(density[i]), nodes=NODES)
        except ConvergenceError:
            continue
        finally:
            if report is not None:
                report(i + 1, int(density.size))
        # The cavity function is smooth and even, so that it can be continued to r = 0.
        y = max(float(fluid.y[0] + (fluid.y[0] - fluid.y[1]) / 3.0), 0.0)
        g.append(np.append(y * np.exp(-on_nodes[i, 0]), fluid.g[: r.size - 1]))
        rows.append(i)
    if not rows:
        raise InputError("no state has a solution of the closure; choose other potentials or densities")
    curves = np.array(g)
    error = noise * np.sqrt(curves) / np.maximum(r, INNERMOST)
    return TrainingSet(r, curves, error, u_r, u[rows], density[rows], r_cut[rows], potential[rows])
