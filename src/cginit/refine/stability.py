r"""Whether particles that overlap can be a fluid at all, and a potential of theirs that can.

Particles with a core stop each other. Those without pile up where their potential is too little repulsive: in the
random phase approximation, which is good for them, the structure factor

.. math:: S(k) = \frac{1}{1 + \rho \hat U(k) / kT}

diverges at some k on the way there, and beyond it no homogeneous fluid exists. Simulations then show clusters, whose
g(r) says nothing of the fluid that is sought, and an update that believes them jumps between cluster and gas.

Source: C. N. Likos, A. Lang, M. Watzlawek and H. Loewen, Phys. Rev. E 63, 031206 (2001),
doi:10.1103/PhysRevE.63.031206.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cginit.bonded import Potential
from cginit.curves import Array, PairPotential
from cginit.extrapolate import OVERLAP_STEPS
from cginit.interactions import Interaction, pair
from cginit.liquid.response import measured_liquid
from cginit.refine.settle import first_shown
from cginit.target import Target

__all__ = ["closure_potentials", "collapses", "overlapping"]

#: Wave numbers looked at, up to that of so many steps of the grid.
WAVES, STEPS = 256, 4
#: Largest energy in kT that counts; a core among particles that overlap else hides all the rest.
STEEPEST = 10.0


def overlapping(potentials: Mapping[Interaction, Potential], target: Target) -> list[str]:
    """Return the bead types of a state that have no core: whose own g(r) begins at the origin.

    Molecules are left out; their bonds hold beads together whatever the pairs do.
    """
    if target.topology is not None:
        return []
    found = []
    for name in target.densities:
        own = pair(name, name)
        potential = potentials.get(own)
        curve = target.rdfs.get(own)
        if not isinstance(potential, PairPotential) or curve is None:
            continue
        if first_shown(potential, curve) <= OVERLAP_STEPS:
            found.append(name)
    return found


def collapses(potentials: Mapping[Interaction, Potential], targets: Sequence[Target]) -> bool:
    """Return whether beads that overlap would pile up in some state, by the random phase approximation.

    Examples
    --------
    >>> r = np.arange(51) * 0.1
    >>> g = RDF(np.arange(101) * 0.1, np.ones(101), units="lj")  # doctest: +SKIP
    >>> soft = PairPotential.shifted(r, -np.exp(-(r**2)), units="lj")  # doctest: +SKIP
    >>> collapses({pair("A", "A"): soft}, [Target.of(g, StatePoint(1.0, 1.0, "lj"))])  # doctest: +SKIP
    True
    """
    return any(_least(potentials, target) <= 0.0 for target in targets)


def _least(potentials: Mapping[Interaction, Potential], target: Target) -> float:
    """Return the smallest eigenvalue of the inverse structure factor; 1 where all beads have cores."""
    names = overlapping(potentials, target)
    if not names:
        return 1.0
    matrices = np.tile(np.eye(len(names)), (WAVES, 1, 1))
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            one = potentials.get(pair(a, b))
            if not isinstance(one, PairPotential):
                continue
            k = np.linspace(0.0, np.pi / (STEPS * one.dr), WAVES)
            u = np.minimum(one.u / target.kT, STEEPEST)
            shells = 4.0 * np.pi * one.r**2 * one.dr
            wave = np.sinc(k[:, None] * one.r / np.pi) @ (shells * u)
            matrices[:, i, j] += np.sqrt(target.densities[a] * target.densities[b]) * wave
    return float(np.min(np.linalg.eigvalsh(matrices)))


def closure_potentials(
    potentials: Mapping[Interaction, Potential], target: Target
) -> dict[Interaction, Array]:
    """Return the energies ``(n,)`` of all pairs that the hypernetted chain gives the target, on the grids they have.

    For particles that overlap it is nearly exact.

    Raises
    ------
    ConvergenceError
        If the target has no inversion.
    """
    liquid = measured_liquid(target.rdfs, target.densities)
    found = {}
    for row, name in zip(liquid.u, target.rdfs, strict=True):
        one = potentials[name]
        if isinstance(one, PairPotential):
            seen = np.isfinite(row)
            u = target.kT * np.interp(one.r, liquid.r[seen], row[seen])
            found[name] = u - u[-1]
    return found
