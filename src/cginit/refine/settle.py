"""A changed potential made fit to simulate: core and cut-off of a pair, the walls of a bond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cginit.bonded import BondedPotential, Distribution
from cginit.bonded_grids import bonded_force
from cginit.coordinates import COORDINATES
from cginit.curves import RDF, Array, PairPotential, force
from cginit.extrapolate import OVERLAP_STEPS, extend_core, first_visible
from cginit.interactions import Interaction
from cginit.target import Target

__all__ = [
    "first_shown",
    "on_bonded_grid",
    "settle",
    "settle_bonded",
    "smooth_cutoff",
    "widest_distribution",
]

#: Part of the cut-off over which the force is brought to zero, and the largest change in kT that this may make: a
#: potential that is cut off where it is steep keeps its step rather than turn into another one, and what an update
#: asks of the last points is not taken back by it.
CUTOFF_WIDTH, CUTOFF_CHANGE = 0.05, 0.02


def settle(potential: PairPotential, u: Array, target: RDF, kT: float) -> PairPotential:
    """Return the potential with energies `u` ``(n,)``, with core and cut-off put right.

    Below the first visible point of the target the core is extrapolated anew, and U and force are brought to zero at
    the cut-off (`smooth_cutoff`).
    """
    u = smooth_cutoff(potential.r, u, CUTOFF_CHANGE * kT)
    first = first_shown(potential, target)
    if first > OVERLAP_STEPS:
        u = extend_core(potential.r, u, first, kT)
    elif first > 0:
        slope = min(0.0, float(u[first + 2] - u[first]) / (2.0 * potential.dr))
        u[:first] = u[first] + slope * (potential.r[:first] - potential.r[first])
    return replace(potential, u=u, f=force(potential.r, u), u_error=None, r_core=float(potential.r[first]))


def settle_bonded(potential: BondedPotential, u: Array, target: Distribution, kT: float) -> BondedPotential:
    """Return a bonded potential with energies `u` ``(n,)`` on its grid, closed where the target shows nothing.

    A bond's grid ends where its new walls are high, which is farther out where these have become softer: a table that
    kept the ends of the first would end some kT above the minimum, where bonds get.
    """
    moved = replace(
        potential, u=u - u.min(), f=bonded_force(potential.x, u, potential.coordinate), u_error=None
    )
    return COORDINATES[potential.coordinate].settle(moved, target, kT)


def on_bonded_grid(potential: BondedPotential, x: Array) -> BondedPotential:
    """Return a potential on another grid of the same points, with straight lines beyond its own ends."""
    if potential.x.size == x.size and np.allclose(potential.x, x, rtol=0.0, atol=1e-6 * potential.dx):
        return potential
    u = np.interp(x, potential.x, potential.u)
    low, high = x < potential.x[0], x > potential.x[-1]
    slopes = np.diff(potential.u) / potential.dx
    u[low] = potential.u[0] + min(slopes[0], 0.0) * (x[low] - potential.x[0])
    u[high] = potential.u[-1] + max(slopes[-1], 0.0) * (x[high] - potential.x[-1])
    u -= u.min()
    return replace(potential, x=x, u=u, f=bonded_force(x, u, potential.coordinate), u_error=None)


def widest_distribution(targets: Sequence[Target], name: Interaction) -> Distribution:
    """Return the distribution of an interaction of that state that sees most of it."""
    curves = [one.distributions[name] for one in targets if name in one.distributions]
    return max(curves, key=lambda curve: int(np.count_nonzero(curve.p > 0.0)))


def first_shown(potential: PairPotential, target: RDF) -> int:
    """Return the index in the grid of the potential from which the target shows it."""
    shown = target.with_core()
    start = float(shown.r[first_visible(shown)])
    return int(np.searchsorted(potential.r, start - 0.5 * potential.dr))


def smooth_cutoff(r: Array, u: Array, most: float = np.inf) -> Array:
    r"""Return energies ``(n,)`` shifted to U(r_cut) = 0 whose force goes smoothly to zero there.

    Within the last 5 % before the cut-off (at least four points) the ramp :math:`U'(r_c) (r - r_c)` fades out by
    a weight :math:`x^2 (3 - 2 x)` that rises from 0 to 1; within fewer points where no point may change by more than
    `most`, down to none.

    Examples
    --------
    >>> r = np.linspace(0.0, 2.0, 81)
    >>> u = smooth_cutoff(r, 1.0 - 0.5 * r)
    >>> float(u[-1]), bool(abs(u[-2]) < 0.2 * 0.5 * (r[-1] - r[-2])), bool(u[0] == 1.0)
    (0.0, True, True)
    >>> steep = np.array([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.0])
    >>> bool(np.all(smooth_cutoff(np.arange(8.0), steep, most=0.1) == steep))
    True
    """
    dr = float(r[1] - r[0])
    widest = max(4, round(CUTOFF_WIDTH * float(r[-1]) / dr))
    shifted: Array = u - u[-1]
    if u.size <= widest + 2:
        return shifted
    # The slope of the parabola through the last three points.
    slope = (1.5 * shifted[-1] - 2.0 * shifted[-2] + 0.5 * shifted[-3]) / dr
    for points in range(widest, 1, -1):
        x = np.linspace(0.0, 1.0, points + 1)
        ramp = slope * (r[-points - 1 :] - r[-1]) * x**2 * (3.0 - 2.0 * x)
        if float(np.max(np.abs(ramp))) <= most:
            shifted[-points - 1 :] -= ramp
            break
    return shifted
