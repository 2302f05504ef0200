"""Bonds, angles and dihedrals: iterative Boltzmann inversion of each, beside whatever the pairs take."""

from __future__ import annotations

import numpy as np

from cginit.bonded import BondedPotential, Distribution
from cginit.curves import Array
from cginit.interactions import Interaction
from cginit.refine.bonded import bonded_signal
from cginit.refine.history import History
from cginit.refine.record import Record
from cginit.refine.updates.base import MAX_CHANGE, mean_of_states
from cginit.target import Target

__all__ = ["bonded_changes"]


def bonded_changes(history: History) -> dict[Interaction, Array]:
    r"""Return the change ``(n,)`` of each refined bonded potential on its grid.

    .. math:: \Delta U = w\, kT \ln (p_n / p_{target})

    with the weight w of `cginit.refine.updates.IBI`, which leaves noise alone. The distribution of a stiff coordinate
    answers its own potential within a few per cent, so that nothing better is needed. Of several states the mean is
    taken, by their weights.
    """

    def changes(record: Record, target: Target) -> dict[Interaction, Array]:
        return {
            name: _change(record.bonded[name], record.distributions[name], curve, target.kT)
            for name, curve in target.distributions.items()
        }

    limit = MAX_CHANGE * history.coldest
    return {name: np.clip(one, -limit, limit) for name, one in mean_of_states(history, changes).items()}


def _change(potential: BondedPotential, sampled: Distribution, target: Distribution, kT: float) -> Array:
    change = np.zeros(target.x.size)
    shown = target.p > 0.0
    least = float(np.exp(-MAX_CHANGE))
    ratio = np.maximum(sampled.p[shown] / target.p[shown], least)
    change[shown] = kT * np.log(ratio) * bonded_signal(sampled, target)[shown]
    if potential.coordinate == "dihedral":
        return np.asarray(np.interp(potential.x, target.x, change, period=2.0 * np.pi))
    return np.interp(potential.x, target.x, change)
