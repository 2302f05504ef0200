"""Iterative Boltzmann inversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.interactions import Interaction
from cginit.refine.convergence import combined_variance, neighbour_sums, signal
from cginit.refine.history import History, Step
from cginit.refine.record import Record, on_grid
from cginit.refine.updates.base import MAX_CHANGE, check_damping, mean_of_states
from cginit.target import Target

__all__ = ["IBI"]


@dataclass(frozen=True)
class IBI:
    r"""Iterative Boltzmann inversion of each pair by its own g.

    .. math:: \Delta U = \alpha w\, kT \ln (g_n / g_{target})

    A plain update (w = 1) writes the noise of one simulation into the potential of the next, so that the
    difference to the target never falls below twice the noise. Here each point's change is multiplied by the part of
    its difference that is not noise,

    .. math:: w = \max(0, 1 - 1 / \langle z^2 \rangle),

    with z the difference in units of its standard error and the mean over nine neighbouring points: 1 far
    from the target, 0 at the noise. Of several states the mean is taken, by their weights.

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

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`."""
        step = Step.from_last(history, mean_of_states(history, self._changes), self.name)
        return step.clipped(MAX_CHANGE * history.coldest)

    def _changes(self, record: Record, target: Target) -> dict[Interaction, Array]:
        return {
            name: self._change(record.pairs[name], record.rdfs[name], curve, target.kT)
            for name, curve in target.rdfs.items()
        }

    def _change(self, potential: PairPotential, sampled: RDF, target: RDF, kT: float) -> Array:
        """Return the change ``(n,)`` of one potential, not yet limited."""
        wanted, got = on_grid(target, potential), on_grid(sampled, potential)
        change = np.zeros(potential.r.size)
        seen = wanted > 0.0
        # With strong damping the exponential is 0, and its logarithm no number.
        tiny = max(np.exp(-MAX_CHANGE / self.damping), np.finfo(np.float64).tiny)
        ratio = np.maximum(got[seen] / wanted[seen], tiny)
        change[seen] = self.damping * kT * np.log(ratio)
        if self.plain:
            return change
        n, sampled, target = potential.r.size, sampled.with_core(), target.with_core()
        return change * signal(
            sampled.g[:n] - target.g[:n], combined_variance(sampled, target, n), neighbour_sums
        )
