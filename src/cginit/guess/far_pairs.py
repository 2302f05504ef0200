"""The g(r) between molecules of a target that counts pairs of beads inside them, too."""

from __future__ import annotations

import numpy as np

from cginit.bond_graph import among
from cginit.configuration import Configuration
from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.target import Target
from cginit.topology import Topology

__all__ = ["between_molecules"]

#: Largest part of the pairs at any distance that is taken to be inside molecules: more is within the error of the
#: estimate, and would leave a g of 0 where molecules do meet.
MOST_INSIDE = 0.9
#: Narrowest Gaussian, in steps: it reaches the next bin. And where it ends, in widths, at 3e-4 of its height.
NARROWEST, REACH = 0.5, 4.0


def between_molecules(target: Target, pair: Interaction, start: Configuration) -> RDF:
    r"""Return the g(r) of the pairs of different molecules.

    .. math:: g_{between}(r) = \frac{1 - f(r)}{w}\, g(r)

    with the part w of the pairs between molecules among all that g(r) counts, and the part f of those inside at each
    distance. It is that of the molecules of `start`, whose few pairs are smoothed over the width of a kernel density
    estimate; those that g(r) counts are smoothed alike, so that f keeps to the core, where neither are.

    Source: of the width, B. W. Silverman, Density Estimation for Statistics and Data Analysis (1986), equation 3.28.

    Parameters
    ----------
    target : Target
        Of molecules; its g(r) leave out pairs inside molecules only.
    pair : Interaction
        The types of the beads.
    start : Configuration
        Molecules of the shapes that they have in the liquid.

    Raises
    ------
    InputError
        If target or start have no topology.
    """
    curve, topology, rule = target.rdfs[pair].with_core(), target.topology, target.target_exclusions
    if topology is None or start.topology is None:
        raise InputError(
            f"the pairs of {pair} inside molecules are not known without the bonds; give target and start a topology"
        )
    counted = topology.pairs_left(pair, rule)
    inside = counted - topology.pairs_left(pair, "molecule")
    distances = _distances(start, start.topology, pair, rule)
    if inside == 0 or distances.size == 0:
        return curve
    volume = topology.n / target.state.density
    r, dr = curve.r, curve.dr
    every = counted * curve.g * 4.0 * np.pi * r**2 * dr / volume
    edges = np.append(r - 0.5 * dr, r[-1] + 0.5 * dr)
    found = np.histogram(distances, edges)[0] * (inside / distances.size)
    # Silverman's rule for a Gaussian kernel.
    width = 1.06 * float(np.std(distances)) * distances.size**-0.2
    smooth, among = (_smoothed(one, max(width / dr, NARROWEST)) for one in (found, every))
    part = np.divide(smooth, among, out=np.zeros_like(among), where=among > 0.0)
    factor = (1.0 - np.minimum(part, MOST_INSIDE)) * counted / (counted - inside)
    error = None if curve.error is None else curve.error * factor
    return RDF(r, curve.g * factor, error, units=curve.units)


def _distances(start: Configuration, topology: Topology, pair: Interaction, rule: str) -> Array:
    """Return the distances ``(m,)`` of the beads of two types in one molecule that a rule of exclusion leaves."""
    own = topology.of_types(topology.excluded("molecule"), pair)
    own = own[~among(own, topology.excluded(rule))]
    places = topology.whole(start.positions, start.box)
    return np.asarray(np.linalg.norm(places[own[:, 1]] - places[own[:, 0]], axis=1))


def _smoothed(values: Array, steps: float) -> Array:
    """Return values ``(n,)`` smoothed by a Gaussian of a width in steps."""
    reach = int(np.ceil(REACH * steps))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / steps) ** 2)
    return np.convolve(values, kernel / kernel.sum())[reach : reach + values.size]
