r"""A guess made better by the forward map: part of a step towards the potential whose predicted g is the target.

The potential whose g, by the forward map, is the target obeys

.. math:: U/kT = -\ln g + \gamma + B[U],

with :math:`\gamma` of the target by the Ornstein-Zernike equation and the bridge function of the potential itself,
which the network gives. B depends on U weakly, so that one evaluation at the guess serves. The guess of a network
that has seen g has an error of its own, as large and half independent, so that a potential between the two is better
than either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cginit.curves import RDF, Array, PairPotential, Provenance
from cginit.errors import ConvergenceError
from cginit.forward.inference import load_forward
from cginit.forward.theory import fine_potential
from cginit.guess import load_guess
from cginit.guess.assembly import VisibleTarget, potential_from, visible_target
from cginit.guess.integral_equation import at_infinite_size, indirect_correlation
from cginit.liquid.inverse_problem import closed
from cginit.models.coverage import noise_level, outside
from cginit.models.grid import RANGE, bridge_grid, on_network_grid
from cginit.models.scale import network_length
from cginit.state import StatePoint, common_units

__all__ = ["PART", "PolishedGuess", "polish", "step"]

#: Part of the step that is taken. On the validation folds 0.3 to 0.7 lower the error of g in the first simulation
#: alike; that of U rises from 0.5 on.
PART = 0.4
#: Where S at the smallest wave number is known to be below this, the fluid is one of long-ranged repulsion, whose
#: bridge function the forward map does not know: of ten of them the whole step made all but one worse, most by
#: several kT (`benchmarks/long_waves`).
LEAST_STRUCTURE = 0.01
#: Name of the guess.
NAME = "polished"


def polish(
    potential: PairPotential,
    target: RDF,
    state: StatePoint,
    *,
    bin_average: bool = True,
    folder: Path | None = None,
) -> PairPotential:
    """Return a guess that is nearer to the potential of the target, by the forward map.

    Parameters
    ----------
    potential : PairPotential
        The guess, on the grid of the target.
    target : RDF
        The g(r) to reproduce.
    state : StatePoint
        Its density and kT.
    bin_average : bool
        Whether g holds averages over bins of its step, as histograms give them; False for point values.
    folder : Path, optional
        Where the model's files are, if not in the package.

    Returns
    -------
    PairPotential
        The guess as it was, with a note, where the target lies outside of the training or an equation has no
        solution.

    Examples
    --------
    >>> from cginit.guess import guess
    >>> r = np.linspace(0.0, 5.0, 101)
    >>> target = RDF(r, np.exp(-2 * np.exp(-(r**2))), units="lj")
    >>> state = StatePoint(0.05, 1.0)
    >>> polish(guess(target, state, "hnc"), target, state).provenance.method
    'polished'
    """
    target, state = common_units(target, state)
    wave = target.smallest_wave
    if wave is not None and wave.s < LEAST_STRUCTURE:
        return _unchanged(
            potential, f"S(k) is {wave.s:.2g} at k = {wave.k:.3g}, below all that it has learned from"
        )
    visible = at_infinite_size(visible_target(target, bin_average=bin_average), state.density)
    length = _length(visible, state, potential.r_cut)
    network = load_forward(folder)
    noise = noise_level(visible.target.r, visible.error) / length**1.5
    g = on_network_grid(visible.target, length)
    reasons = outside(network.model.domain, g, state.density * length**3, noise)
    if reasons:
        return _unchanged(potential, "; ".join(reasons))
    try:
        found = step(potential, visible, state, network.bridge)
    except ConvergenceError as error:
        return _unchanged(potential, str(error))
    origin = potential.provenance
    start = "" if origin is None else origin.model or origin.method
    name = f"{network.model.name} {network.model.version} on {start}"
    return replace(found, provenance=Provenance(NAME, name, density=state.density, kT=state.kT))


def step(
    potential: PairPotential,
    visible: VisibleTarget,
    state: StatePoint,
    bridge: Callable[[Array, float], Array],
    part: float = PART,
) -> PairPotential:
    """Return the potential after `part` of the step.

    Parameters
    ----------
    potential : PairPotential
        The guess, on the grid of the target.
    visible : VisibleTarget
        The target, of an infinite system.
    state : StatePoint
        In the same units.
    bridge : callable
        Returns the bridge function ``(101,)`` of U/kT ``(251,)`` and a density, as `ForwardModel.bridge`.
    part : float
        1 is the whole step.

    Raises
    ------
    ConvergenceError
        If HNC has no solution for the potential, or the inversion none for the target.
    """
    from scipy.interpolate import CubicSpline

    length = _length(visible, state, potential.r_cut)
    values = bridge(fine_potential(potential, length, state.kT), state.density * length**3)
    gamma = indirect_correlation(visible, state.density, "hnc")[0]
    r = visible.target.r
    x = np.minimum(r / length, RANGE)
    answer = closed(visible.target.g, gamma) + CubicSpline(bridge_grid(), values)(x)
    n = potential.r.size
    answer = state.kT * (answer[:n] - answer[n - 1])
    u, error = np.full(r.size, np.inf), np.zeros(r.size)
    seen = np.isfinite(answer)
    u[:n][seen] = ((1.0 - part) * potential.u + part * answer)[seen]
    if potential.u_error is not None:
        error[:n] = potential.u_error
    u_error = None if potential.u_error is None else error
    found = potential_from(visible, u, state, potential.r_cut, NAME, u_error=u_error)
    notes = (*potential.notes, *(x for x in found.notes if x not in potential.notes))
    return replace(found, notes=notes)


def _length(visible: VisibleTarget, state: StatePoint, r_cut: float) -> float:
    """Return the network's sigma: as for the networks that see the correlations of g."""
    length = network_length(visible.target, state, r_cut)
    return float(max(min(length, visible.target.r_max / RANGE), r_cut / RANGE))


def _unchanged(potential: PairPotential, why: str) -> PairPotential:
    return replace(potential, notes=(f"the guess was not polished: {why}", *potential.notes))


@dataclass(frozen=True)
class PolishedGuess:
    """The guess of a network, polished by the forward map.

    Parameters
    ----------
    start : str
        Name of the guess to begin with.
    bin_average : bool
        Whether g holds averages over bins of its step, as histograms give them; False for point values.
    folder : Path, optional
        Where the forward model's files are, if not in the package.

    Examples
    --------
    >>> r = np.linspace(0.0, 5.0, 101)
    >>> target = RDF(r, np.exp(-2 * np.exp(-(r**2))), units="lj")
    >>> PolishedGuess("hnc")(target, StatePoint(0.05, 1.0), r_cut=3.0).provenance.method
    'polished'
    """

    start: str = "network"
    bin_average: bool = True
    folder: Path | None = None

    @property
    def name(self) -> str:
        """Name of the method."""
        return NAME

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
        """Propose the pair potential.

        Raises
        ------
        InputError
            If g shows nothing or ends before `r_cut`, or there is no such model.
        """
        first: Any = load_guess(self.start)
        if hasattr(first, "bin_average"):
            first = replace(first, bin_average=self.bin_average)
        potential = first(target, state, r_cut)
        return polish(potential, target, state, bin_average=self.bin_average, folder=self.folder)
