"""The difference of one g(r) from its target, on the nodes of an update, with its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.refine.convergence import combined_variance, neighbour_means
from cginit.refine.settle import first_shown

__all__ = ["Difference", "noise_covariance"]

#: Part of a difference that the closure may predict wrongly; it counts as noise, so that a large difference is
#: not fitted to the last digit by a wild potential.
MODEL_ERROR = 0.1
#: Floor of the noise of g, relative to g: an exact g is not known better than its grid.
FLOOR = 1e-5


@dataclass(frozen=True, eq=False)
class Difference:
    """The difference of one g(r), on nodes that are multiples of (half) the step, up to the cut-off.

    Attributes
    ----------
    r : ndarray, shape (m,)
        Nodes, the last at the cut-off.
    u : ndarray, shape (m,)
        The simulated potential in kT.
    wanted, got : ndarray, shape (m,)
        Target and simulated g.
    covariance : ndarray, shape (m, m)
        Noise of their difference.
    first : int
        First node that shows the potential.
    """

    r: Array
    u: Array
    wanted: Array
    got: Array
    covariance: Array
    first: int

    @classmethod
    def of(
        cls, potential: PairPotential, sampled: RDF, target: RDF, kT: float, beads: int, nodes: Array
    ) -> Difference:
        """Put a sampled curve and its target on `nodes`, those up to the cut-off."""
        p, got_curve, shown = potential, sampled.with_core(), target.with_core()
        r = nodes[nodes <= p.r_cut + 1e-6 * p.dr]
        wanted, got = np.interp(r, shown.r, shown.g), np.interp(r, got_curve.r, got_curve.g)
        n = int(np.searchsorted(p.r, p.r_cut - 0.5 * p.dr)) + 1
        variance = np.interp(r, p.r, combined_variance(got_curve, shown, n))
        start = float(p.r[first_shown(p, target)])
        first = int(np.searchsorted(r, start - 0.5 * p.dr))
        covariance = noise_covariance(wanted, got, variance, beads)
        return cls(r, np.interp(r, p.r, p.u) / kT, wanted, got, covariance, first)

    @property
    def wanted_change(self) -> Array:
        """What g is to change by."""
        return self.wanted - self.got


def noise_covariance(wanted: Array, got: Array, variance: Array, beads: int) -> Array:
    """Return the covariance ``(m, m)`` of the noise of a difference of two g.

    The statistical errors; a part of the difference itself, for what the closure does not know; and one common
    factor of 1/beads, by which two g in boxes of different size differ and which no potential mends.
    """
    squared = neighbour_means((wanted - got) ** 2)
    size = np.maximum(wanted, got)
    floor = (FLOOR * np.maximum(size, 1e-3)) ** 2
    return np.asarray(np.diag(variance + MODEL_ERROR**2 * squared + floor) + np.outer(size, size) / beads**2)
