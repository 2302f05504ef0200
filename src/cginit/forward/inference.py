"""The shipped forward map through ONNX Runtime: g(r) of a potential in less than a second, without simulation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.forward.theory import fine_grid, fine_potential, gamma_at_points, solve_corrected
from cginit.models.grid import RANGE
from cginit.models.model import Model, load_model
from cginit.models.scale import network_length
from cginit.state import StatePoint

__all__ = ["ForwardModel", "load_forward", "predict_rdf"]

#: Name of the model.
MODEL = "forward"


@dataclass(frozen=True, eq=False)
class ForwardModel:
    """An exported ensemble that gives the bridge function of a potential.

    Attributes
    ----------
    model : Model
        Its session, description and the domain of the g of its training.
    """

    model: Model

    def bridge(self, u: Array, density: float) -> Array:
        """Return the bridge function ``(101,)`` of U/kT ``(251,)`` on `fine_grid`, in network sigmas.

        Raises
        ------
        ConvergenceError
            If HNC has no solution.
        """
        gamma = gamma_at_points(solve_corrected(u, density))
        # The points of the networks are every so many of the finer grid, or between two.
        at = np.linspace(0.0, RANGE, gamma.size)
        given = (np.interp(at, fine_grid(), u)[None], gamma[None], np.array([density]))
        return np.asarray(self.model(*given)[0][0], dtype=np.float64)

    def g(self, u: Array, density: float) -> Array:
        """Return g ``(251,)`` of U/kT on `fine_grid`.

        Raises
        ------
        ConvergenceError
            If HNC, or the equation with the bridge function, has no solution.
        """
        found = solve_corrected(u, density, self.bridge(u, density))
        n = fine_grid().size
        # r = 0 is no node; g hardly changes over the first step.
        return np.concatenate([found.g[:1], found.g[: n - 1]])


@cache
def load_forward(folder: Path | None = None) -> ForwardModel:
    """Load the shipped model, or that of another `folder`; later calls return the same object."""
    return ForwardModel(load_model(MODEL, folder))


def predict_rdf(
    potential: PairPotential, state: StatePoint, *, length: float | None = None, folder: Path | None = None
) -> RDF:
    r"""Return the g(r) that a simulation of `potential` would show, without one.

    HNC, corrected by a bridge function that a network gives: :math:`g = \exp(-U/kT + \gamma + B)`.

    Parameters
    ----------
    potential : PairPotential
        The pair potential.
    state : StatePoint
        Density and kT, in the same units.
    length : float, optional
        What becomes the network's sigma; by default `cginit.models.scale.network_length` of the dilute gas, and at
        least a fifth of the cut-off.
    folder : Path, optional
        Where the model's files are, if not in the package.

    Returns
    -------
    RDF
        On [0, 5] of the network's sigma.

    Raises
    ------
    ConvergenceError
        If HNC has no solution, typically inside the gas-liquid region.

    Examples
    --------
    >>> r = np.linspace(0.0, 3.0, 61)
    >>> soft = PairPotential.shifted(r, 2.0 * np.exp(-(r**2)), units="lj")
    >>> bool(abs(predict_rdf(soft, StatePoint(0.3, 1.0)).g[-1] - 1.0) < 0.01)
    True
    """
    state = state.to(potential.units)
    if length is None:
        dilute = RDF(potential.r, np.exp(-np.clip(potential.u / state.kT, -5.0, 50.0)), units=potential.units)
        length = max(network_length(dilute, state, potential.r_cut), potential.r_cut / RANGE)
    u = fine_potential(potential, length, state.kT)
    g = load_forward(folder).g(u, state.density * length**3)
    return RDF(fine_grid() * length, g, units=potential.units)
