"""What the forward map learns from: for each simulated fluid its HNC solution, bridge function and response."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.forward.theory import CAP, fine_grid, gamma_at_points, solve_corrected
from cginit.learn.data import TrainingSet
from cginit.liquid import RadialGrid, invert
from cginit.liquid.jacobian import jacobian

__all__ = ["FluidTheory", "fluid_theory"]

#: g below this shows no bridge function.
SHOWN = 1e-4
#: Range of the nodes that respond, in multiples of that of g.
RESPONDING = 2


@dataclass(frozen=True, eq=False)
class FluidTheory:
    r"""Theory of the rows of a training set, on its grid of g.

    Attributes
    ----------
    gamma : ndarray, shape (m, n)
        h - c of the true potential in HNC.
    valid : ndarray of bool, shape (m,)
        Where HNC and the Ornstein-Zernike inversion of the simulated g have a solution.
    bridge : ndarray, shape (m, n)
        ln g + U/kT - gamma of the simulated fluid; 0 where g shows none.
    g : ndarray, shape (m, n)
        The simulated g as the inversion fits it.
    response : ndarray, shape (m, n - 1, n - 1)
        :math:`\partial g_i/\partial B_j` of the simulated fluid without r = 0, which is
        :math:`-\partial g_i/\partial (U_j/kT)` with the bridge function held (`cginit.liquid.response.jacobian`).
    """

    gamma: Array
    valid: NDArray[np.bool_]
    bridge: Array
    g: Array
    response: NDArray[np.float32]

    def write(self, path: Path) -> None:
        """Write the arrays as ``.npz``, whole or not at all."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as stream:
            np.savez(stream, **{f.name: getattr(self, f.name) for f in fields(self)})
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> FluidTheory:
        """Read what `write` wrote."""
        with np.load(path, allow_pickle=False) as content:
            return cls(**{f.name: content[f.name] for f in fields(cls)})


def fluid_theory(data: TrainingSet, report: Callable[[int, int], None] | None = None) -> FluidTheory:
    """Return the theory of all rows of `data`; some 0.2 s a row.

    Parameters
    ----------
    data : TrainingSet
        With g on the networks' points and potentials on a grid that divides that of `fine_grid`.
    report : callable, optional
        Called with the number of rows done and in all.
    """
    m, n = data.g.shape
    gamma, bridge, g = np.zeros((m, n)), np.zeros((m, n)), np.zeros((m, n))
    valid = np.zeros(m, dtype=np.bool_)
    response = np.zeros((m, n - 1, n - 1), dtype=np.float32)
    fine = fine_grid()
    for i in range(m):
        density = float(data.density[i])
        u = np.minimum(np.interp(fine, data.u_r, data.u[i]), CAP)
        try:
            gamma[i] = gamma_at_points(solve_corrected(u, density))
            g[i, 1:], bridge[i, 1:], response[i] = _measured(data, i)
            valid[i] = True
        except ConvergenceError:
            pass
        if report is not None:
            report(i + 1, m)
    return FluidTheory(gamma, valid, bridge, g, response)


def _measured(data: TrainingSet, row: int) -> tuple[Array, Array, NDArray[np.float32]]:
    """Return g, bridge function and response of a simulated fluid, without r = 0."""
    r, density = data.r, float(data.density[row])
    seen = data.g[row, 1:] > 0.0
    n = seen.size
    found = invert(r, data.g[row], density, error=data.g_error[row])
    grid = RadialGrid(found.k.size, float(r[1]))
    h = grid.inverse((found.s_k - 1.0) / density)[: RESPONDING * n]
    g = np.maximum(1.0 + h, 0.0)
    g[:n][~seen] = 0.0
    r_long, s_k = grid.r[: RESPONDING * n], found.s_k[:, None, None]
    matrix = jacobian(r_long, g[None], found.k, s_k, np.array([density]), n, np.ones((1, g.size)))[:n]
    shown = seen & (g[:n] > SHOWN)
    u = np.interp(r, data.u_r, data.u[row])[1:]
    bridge = np.where(shown, np.log(np.maximum(g[:n], SHOWN)) + u - found.gamma, 0.0)
    return g[:n], bridge, matrix.astype(np.float32)
