r"""How long a time step may be, beside the one of the schedule: as short as the stiffest bond needs.

A velocity-Verlet step of length dt samples a spring of frequency :math:`\omega` with a variance that is too large by
:math:`(\omega\,dt)^2/4`, and is unstable from :math:`\omega\,dt = 2` on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cginit.bonded import BondedPotential
from cginit.coordinates import COORDINATES
from cginit.curves import Array
from cginit.engines.potentials import Term

__all__ = ["LARGEST_PHASE", "stiffness", "time_step"]

#: Largest omega dt: the variance of the stiffest bond is right within 1 %.
LARGEST_PHASE = 0.2


def stiffness(reduced: BondedPotential) -> float:
    r"""Return the mean curvature :math:`\langle U'' \rangle = \langle U'^2 \rangle` of a potential in kT.

    The second mean is over :math:`e^{-U}`; it is exact, and does not need the noisy second derivative of a table.
    """
    weights = np.exp(-reduced.u)
    return float(np.sum(weights * reduced.f**2) / np.sum(weights))


def _typical(reduced: BondedPotential) -> float:
    weights = np.exp(-reduced.u) * COORDINATES[reduced.coordinate].ideal(reduced.x)
    return float(weights @ reduced.x / weights.sum())


def time_step(terms: Sequence[Term], n: int, longest: float) -> float:
    r"""Return a time step for molecules of beads of mass 1, in reduced units.

    The largest eigenvalue of the Hessian is at most the largest row sum of its blocks. A bond of stiffness k adds 2k
    to the row of each of its ends; an angle of stiffness k between bonds of length b adds :math:`k\,G` to that of its
    middle bead, with :math:`G = (4 - 2\cos\theta)/b^2`.

    Parameters
    ----------
    terms : sequence of Term
        The bonded interactions in reduced units.
    n : int
        Number of beads.
    longest : float
        The time step that is not exceeded.

    Examples
    --------
    >>> time_step([], 100, 0.005)
    0.005
    """
    rows: Array = np.zeros(n)
    shortest = min(
        (_typical(term.potential) for term in terms if term.potential.coordinate == "bond"), default=1.0
    )
    for term in terms:
        k = stiffness(term.potential)
        if term.potential.coordinate == "bond":
            np.add.at(rows, term.members.reshape(-1), 2.0 * k)
        elif term.potential.coordinate == "angle":
            factor = (4.0 - 2.0 * np.cos(_typical(term.potential))) / shortest**2
            np.add.at(rows, term.members[:, 1], factor * k)
    highest = float(np.sqrt(rows.max())) if rows.size else 0.0
    return min(longest, LARGEST_PHASE / highest) if highest > 0.0 else longest
