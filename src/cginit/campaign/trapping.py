"""Whether a run was long enough for beads to cross the barriers of their potential."""

from __future__ import annotations

import numpy as np

from cginit.curves import RDF, PairPotential

__all__ = ["crossing_time"]

#: Pairs that a bin must have held before -ln g is taken from it.
SEEN = 5.0
#: Attempts of a pair to leave a well of some kT and a few tenths of sigma: one in so many tau.
ATTEMPT = 0.3
#: Distances below this part of sigma hold almost no volume, and energies above this many kT almost no beads.
NEAREST, HIGHEST = 0.1, 5.0


def crossing_time(
    g: RDF, potential: PairPotential, n: int, density: float, frames: int
) -> tuple[float, float]:
    r"""Return how long a pair stays in the deepest pocket, in tau, and the distance of the barrier around it.

    .. math:: t = 0.3\,\tau\; e^{\max_{r' > r} w(r') - w(r)}

    with the potential of mean force :math:`w = -\ln g`. A bin in which fewer than 5 pairs were seen bounds w from
    below; if there are beads to be expected nevertheless (U < 5 kT), the pocket was never entered, and U stands
    for w. A spline with a well, or beads on top of each other, behind a barrier of 10 kT so keeps the pairs of its
    random start, whatever equilibrium wants. In sigma and kT.

    Parameters
    ----------
    g : RDF
        As sampled, from r = 0.
    potential : PairPotential
        As simulated.
    n : int
        Beads.
    density : float
        rho sigma^3.
    frames : int
        Independent configurations that went into g.
    """
    near = g.r >= NEAREST
    r, values = g.r[near], g.g[near]
    u = np.interp(r, potential.r, potential.u, right=0.0)
    ideal = 0.5 * n * density * 4.0 * np.pi * r**2 * g.dr * frames
    w = -np.log(np.maximum(values, SEEN / ideal))
    barrier = np.maximum.accumulate(w[::-1])[::-1]
    seen = values * ideal >= SEEN
    height = barrier - np.where(seen, w, u)
    height[(u > HIGHEST) & ~seen] = 0.0
    pocket = int(np.argmax(height))
    top = pocket + int(np.argmax(w[pocket:]))
    return ATTEMPT * float(np.exp(height[pocket])), float(r[top])
