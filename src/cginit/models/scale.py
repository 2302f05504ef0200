"""The length that a network takes as its sigma: a rule, so that the same input always gives the same guess."""

from __future__ import annotations

import numpy as np

from cginit.curves import RDF
from cginit.models.grid import RANGE
from cginit.state import StatePoint, common_units, excluded_diameter

__all__ = ["network_length"]

#: Largest density that the rule aims at; the training data end at 1.2 with their augmentation.
MAX_DENSITY = 1.1
#: Density given to particles that overlap: the geometric middle of the densities of the training data.
SOFT_DENSITY = 0.35


def network_length(target: RDF, state: StatePoint, r_cut: float) -> float:
    r"""Return the length, in the units of the target and state, that becomes the network's sigma.

    1. With an excluded core (g below 0.01 at small r): the first distance where g crosses 1, by linear
       interpolation. A WCA particle has 0.95 to 1.1 of its own sigma, depending on density.
    2. For particles that overlap: :math:`(0.35/\rho)^{1/3}`, the middle of the trained densities.
    3. At most :math:`(1.1/\rho)^{1/3}`, where the trained densities end.
    4. At least r_cut / 5, since the potential has to end within the range of the network. This bound wins.

    Every distance scales with the unit of length and the density with its inverse cube, so the result does not
    depend on the units. The networks are trained with sigma varied by a factor of 0.75 to 1.3, so that they do not
    hang on the exact value either.

    Examples
    --------
    >>> r = np.linspace(0, 5, 101)
    >>> network_length(RDF(r, np.where(r > 0.99, 1.0, 0.0), units="lj"), StatePoint(0.1, 1.0), 2.5).__round__(6)
    1.0
    """
    target, state = common_units(target, state)
    length = (SOFT_DENSITY / state.density) ** (1.0 / 3.0)
    if excluded_diameter(target) > 0.0:
        above = np.flatnonzero(target.g >= 1.0)
        if above.size:
            length = _crossing(target, int(above[0]))
    length = min(length, float((MAX_DENSITY / state.density) ** (1.0 / 3.0)))
    return float(max(length, r_cut / RANGE))


def _crossing(target: RDF, above: int) -> float:
    r, g = target.r, target.g
    if above == 0:
        return float(r[0])
    return float(r[above - 1] + (r[above] - r[above - 1]) * (1.0 - g[above - 1]) / (g[above] - g[above - 1]))
