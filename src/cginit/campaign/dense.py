"""Random dense liquids: the third family of training data.

What people coarse-grain is most often a liquid near its vapour pressure: a core, an attraction of some kT, a
density at which cores touch. There g(r) hardly shows the attraction, and what a network says of it is what it has
learned from liquids like it; in families a and b few are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cginit.campaign.beads import KINDS, BeadPotential, Kinds, Uniform, bump, drawn, drawn_volume, outside
from cginit.campaign.potentials import uniforms
from cginit.curves import Array

__all__ = ["DENSE_KINDS", "dense_density", "dense_potential"]

#: Parts of the random stream, other ones than those of family b.
_POTENTIAL, _DENSITY = 198, 200
#: Largest cut-off in sigma; longer tails are in the other families.
LONGEST = 3.5
#: rho d^3 between a liquid whose cores do not yet order its beads, and hard spheres that freeze.
LOOSEST, DENSEST = 0.55, 0.95


def dense_potential(seed: int) -> BeadPotential:
    """Return the random potential of family c named by `seed`; see `DENSE_KINDS`.

    The cut-off is uniform in [2, 3.5] sigma, or nearer, where U ends earlier; U and the force vanish there as in
    family b.

    Raises
    ------
    InputError
        If `seed` is negative.

    Examples
    --------
    >>> made = dense_potential(3)
    >>> made.kind in DENSE_KINDS, float(made.potential.u[-1])
    (True, 0.0)
    """
    return drawn(seed, uniforms(seed, _POTENTIAL), DENSE_KINDS, LONGEST)


def dense_density(made: BeadPotential, index: int) -> float:
    """Return the density, in sigma^-3, of state point `index`: rho d^3 is uniform in [0.55, 0.95].

    d is a diameter as in family b (`cginit.campaign.beads.bead_density`).
    """
    uniform = uniforms(made.seed, _DENSITY, index)
    volume = drawn_volume(made.potential, uniform)
    return float((LOOSEST + (DENSEST - LOOSEST) * uniform()) / volume)


def _simple(r: Array, uniform: Uniform) -> Array:
    """Return Mie (n, m), n from 8 to 20 and m from 4 to 9, with a well of 0.2 to 1.6 kT."""
    n = 8.0 + 12.0 * uniform()
    m = 4.0 + (min(9.0, n - 2.0) - 4.0) * uniform()
    scale = n / (n - m) * (n / m) ** (m / (n - m))
    r = outside(r)
    return np.asarray(scale * (0.2 + 1.4 * uniform()) * (r**-n - r**-m), dtype=np.float64)


def _molecular(r: Array, uniform: Uniform) -> Array:
    """Return such a potential with one to three weak bumps, as averages over the shapes of molecules have them."""
    u = _simple(r, uniform)
    for _ in range(1 + int(3.0 * uniform())):
        height, centre = -0.4 + 0.9 * uniform(), 1.1 + 1.3 * uniform()
        u += height * bump(r, centre, 0.1 + 0.25 * uniform())
    return u


def _repulsive(r: Array, uniform: Uniform) -> Array:
    """Return such a potential without its attraction (Weeks, Chandler and Andersen): the same g, nearly."""
    u = _simple(r, uniform)
    lowest = int(np.argmin(u))
    return np.where(np.arange(r.size) < lowest, u - u[lowest], 0.0)


def _of_beads(name: str) -> Callable[[Array, Uniform], Array]:
    return KINDS[name][1]


#: Kinds with their shares. Those named as in family b are its own, at the densities of this family.
DENSE_KINDS: Kinds = {
    "simple": (0.26, _simple),
    "molecular": (0.26, _molecular),
    "repulsive": (0.14, _repulsive),
    "two wells": (0.12, _of_beads("two wells")),
    "structured": (0.08, _of_beads("structured")),
    "exponential": (0.06, _of_beads("exponential")),
    "screened": (0.04, _of_beads("screened")),
    "sticky": (0.04, _of_beads("sticky")),
}
