"""Iterative Boltzmann inversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.refine.measurement import Measurement, on_grid
from cginit.refine.updates.base import MAX_CHANGE, apply_change, check_damping, signal
from cginit.state import StatePoint

__all__ = ["IBI"]


@dataclass(frozen=True)
class IBI:
    r"""Iterative Boltzmann inversion, :math:`U_{n+1} = U_n + \alpha w\, kT \ln (g_n / g_{target})`.

    A plain update (w = 1) writes the noise of one simulation into the potential of the next, so that the
    difference to the target never falls below twice the noise. Here each point's change is multiplied by the part of
    its difference that is not noise,

    .. math:: w = \max(0, 1 - 1 / \langle z^2 \rangle),

    with z the difference in units of its standard error and the mean over nine neighbouring points: 1 far
    from the target, 0 at the noise.

    Source: Reith, Putz and Mueller-Plathe, J. Comput. Chem. 24, 1624 (2003), doi:10.1002/jcc.10307.

    Parameters
    ----------
    damping : float
        The factor alpha in (0, 1]; smaller ones are slower and safer.
    plain : bool
        Whether to leave out the factor w, as other programs do.
    """

    damping: float = 1.0
    plain: bool = False
    beyond_cutoff: bool = False

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``ibi``."""
        return "ibi"

    def change(self, measured: Measurement, target: RDF, state: StatePoint) -> Array:
        """Return the change ``(n,)`` of the potential, not yet limited."""
        potential = measured.potential
        wanted, got = on_grid(target, potential), on_grid(measured.rdf, potential)
        change = np.zeros(potential.r.size)
        seen = wanted > 0.0
        # With strong damping the exponential is 0, and its logarithm no number.
        tiny = max(np.exp(-MAX_CHANGE / self.damping), np.finfo(np.float64).tiny)
        ratio = np.maximum(got[seen] / wanted[seen], tiny)
        change[seen] = self.damping * state.kT * np.log(ratio)
        return change if self.plain else change * signal(measured.rdf, target, potential.r.size)

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        last = history[-1]
        return apply_change(last.potential, self.change(last, target, state), target, state.kT)
