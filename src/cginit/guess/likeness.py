"""Whether the molecules of a configuration have the shapes that a target wants, before anything is simulated."""

from __future__ import annotations

import numpy as np

from cginit.bonded import Distribution
from cginit.configuration import Configuration
from cginit.coordinates import COORDINATES
from cginit.curves import Array
from cginit.target import Target

__all__ = ["fits_its_box", "has_wanted_shapes"]

#: Parts of equal probability into which a distribution is cut, and largest part of the values that may lie in wrong
#: ones. Of 250 values that are drawn from the distribution 0.08 do on average; of molecules that are grown with one
#: typical value of each bond and angle 0.9.
PARTS, ELSEWHERE = 10, 0.25


def has_wanted_shapes(target: Target, start: Configuration) -> bool:
    r"""Whether each bond, angle and dihedral is distributed in a configuration as in the target.

    .. math:: \tfrac12 \sum_i |n_i / n - 1/10| \le \tfrac14

    over the tenths of the distribution of the target, with the number :math:`n_i` of values in each. What has no
    distribution is not looked at.
    """
    if start.topology is None:
        return False
    known = dict(start.topology.terms)
    if target.topology is not None and target.topology.n == start.topology.n:
        known |= dict(target.topology.terms)
    places = start.topology.whole(start.positions, start.box)[None]
    for name, curve in target.distributions.items():
        members = known.get(name)
        if members is None or not len(members):
            return False
        values = COORDINATES[name.coordinate].measure(places, members, start.box).ravel()
        if _elsewhere(curve, values) > ELSEWHERE:
            return False
    return True


def _elsewhere(curve: Distribution, values: Array) -> float:
    """Return the part of values ``(m,)`` that would have to move to be distributed as the curve is."""
    step = float(curve.x[1] - curve.x[0])
    below = np.concatenate([[0.0], np.cumsum(curve.p)])
    edges = np.append(curve.x - 0.5 * step, curve.x[-1] + 0.5 * step)
    ranks = np.interp(values, edges, below / below[-1])
    counts = np.histogram(ranks, np.linspace(0.0, 1.0, PARTS + 1))[0]
    return 0.5 * float(np.sum(np.abs(counts / values.size - 1.0 / PARTS)))


def fits_its_box(start: Configuration) -> bool:
    """Whether molecules are shorter than the box on average: the largest distance of two beads of each."""
    topology = start.topology
    if topology is None:
        return True
    pairs = topology.excluded("molecule")
    if not len(pairs):
        return True
    places = topology.whole(start.positions, start.box)
    distances = np.linalg.norm(places[pairs[:, 1]] - places[pairs[:, 0]], axis=1)
    longest = np.zeros(topology.n_molecules)
    np.maximum.at(longest, topology.molecules[pairs[:, 0]], distances)
    return float(np.mean(longest[longest > 0.0])) < float(np.min(start.box))
