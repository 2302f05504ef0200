r"""How well a refined bonded potential is known: what the noise of target and simulations leaves open.

The potential of a bond, an angle or a dihedral comes from the distribution of the target, whose noise an inversion
smooths, and from changes that simulations asked for, each smoothed as well (`cginit.coordinates.Smoothing`). But for
a constant, its covariance is

.. math:: C = C_t + f\, R\, C_c\, R + w\, m m^T

with :math:`C_t` of the smooth curves behind the potential if its points have the noise of the target, and m and
:math:`C_c` of those behind the change that the last simulation asks for. R is the part of the latter's noise (a
standard error) that is the simulation's, f how much of such noise the potential has taken up on its way, and w the
part of m that is not noise. Both covariances count as often as smooth curves vary more than independent bins would
(`cginit.refine.bonded.common_noise`): noise that moves many bins together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from cginit.bonded import BondedPotential
from cginit.curves import Array
from cginit.interactions import Interaction
from cginit.refine.history import History
from cginit.refine.record import Record
from cginit.refine.settle import on_bonded_grid
from cginit.refine.shapes import bonded_curve_at
from cginit.refine.updates.asked import Asked

__all__ = ["with_bonded_error"]


def with_bonded_error(potential: BondedPotential, history: History, name: Interaction) -> BondedPotential:
    """Return a bonded potential of the last round with its standard errors ``(n,)``.

    They are those of its differences along the curve: the constant of a potential means nothing. Where the targets do
    not show it nothing is known, and the largest stands there, since a table needs a number.
    """
    asked = [Asked.of(done, history.targets, name) for done in history.rounds]
    last, known = asked[-1], asked[-1].known
    taken = _taken_up(asked, [done[0] for done in history.rounds], name)
    # Ten blocks know it to a third; all simulations tell it of one liquid.
    common = float(np.mean([one.common for one in asked]))
    by_target = common * _of_target(last, bonded_curve_at(name, potential.x, potential.u, last.x))
    mean, of_change = last.behind
    of_change = common / last.common * of_change
    by_simulation = np.ones(known.size)
    np.divide(last.simulation, last.variance, out=by_simulation, where=last.variance > 0.0)
    variance = np.diag(by_target) + taken * by_simulation * np.diag(of_change) + last.real * mean**2
    error = np.sqrt(np.maximum(variance, 0.0))
    shown = bonded_curve_at(name, last.x[known], error[known], potential.x)
    nearest = np.argmin(np.abs(potential.x[:, None] - last.x), axis=1)
    inside = known[nearest] & (np.abs(potential.x - last.x[nearest]) < 0.75 * potential.dx)
    return replace(potential, u_error=np.where(inside, shown, float(error[known].max())))


def _of_target(last: Asked, u: Array) -> Array:
    """Return the covariance ``(n, n)`` of a potential ``(n,)`` by the noise of the target, but for a constant."""
    if np.any(last.target[last.known] <= 0.0):
        return np.zeros((u.size, u.size))
    _, covariance = last.smoothing_of(last.target).posterior(np.where(last.known, u, 0.0))
    return last.centred @ covariance @ last.centred.T


def _taken_up(asked: Sequence[Asked], records: Sequence[Record], name: Interaction) -> float:
    """Return how much of the noise of a simulation is in the potential of the last round, as a part of its variance.

    A change that takes the part a of what was asked for takes that part of its noise, and leaves 1 - a of the noise
    of before. Inversions of the target have none.
    """
    found = 0.0
    for one, (before, after) in zip(asked, pairwise(records), strict=False):
        old = before.bonded[name]
        change = bonded_curve_at(name, old.x, on_bonded_grid(after.bonded[name], old.x).u - old.u, one.x)
        wanted = one.behind[0]
        power = float(one.weights @ wanted**2)
        part = float(np.clip(one.weights @ (wanted * change) / power, 0.0, 1.0)) if power > 0.0 else 0.0
        found = (1.0 - part) ** 2 * found + part**2
    return found
