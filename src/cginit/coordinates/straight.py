r"""Dihedrals of chains that straighten.

Where three beads of a dihedral are in line its angle is not defined, and its force grows as
:math:`1/\sin\theta` of the angle between them: a simulation in which that happens blows up. Chains of whole segments
straighten all the time, and their dihedrals are nearly free.
Source: M. Bulacu, N. Goga, W. Zhao, G. Rossi, L. Monticelli, X. Periole, D. P. Tieleman and S. J. Marrink,
J. Chem. Theory Comput. 9, 3282 (2013), doi:10.1021/ct400219n.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cginit.bonded import Distribution
from cginit.bonded_grids import PI
from cginit.interactions import Interaction, Interactions

__all__ = ["StraightChain", "straight_chains"]

#: Angles so near to 0 or to a straight one count, in radians (10 degrees), and the part of all that may be there.
NEAR, OFTEN = PI / 18.0, 1e-3
#: Information of a dihedral, in nats, up to which it is nearly free: that of a potential of 0.6 kT cos(phi).
FREE = 0.1


@dataclass(frozen=True)
class StraightChain:
    """A dihedral whose beads are in line now and then.

    Attributes
    ----------
    angle : Interaction
        The angle that straightens.
    part : float
        Part of these angles that are within 10 degrees of a straight or a folded one.
    free : bool
        Whether the dihedral is nearly free, so that little is lost without it.
    """

    angle: Interaction
    part: float
    free: bool

    def __str__(self) -> str:
        known = "the dihedral is nearly free" if self.free else "the dihedral is not free"
        return (
            f"{100.0 * self.part:.2g} % of {self.angle} are within 10 degrees of straight, where the force of a "
            f"dihedral has no bound; {known}"
        )


def straight_chains(distributions: Mapping[Interaction, Distribution]) -> Interactions[StraightChain]:
    """Return the dihedrals of which more than a thousandth of an angle is nearly straight, or folded.

    Parameters
    ----------
    distributions : mapping of Interaction to Distribution
        Of dihedrals and of the angles along them.

    Examples
    --------
    Segments that do not know of each other: their angles are those of random directions.

    >>> x = np.radians(np.arange(0.0, 181.0, 5.0))
    >>> turn = np.radians(np.arange(-180.0, 180.0, 5.0))
    >>> angles = Distribution.normalised(x, np.sin(x), coordinate="angle", units="lj")
    >>> free = Distribution.normalised(turn, np.ones(72), coordinate="dihedral", units="lj")
    >>> named = {Interaction.of("angle A-A-A"): angles, Interaction.of("dihedral A-A-A-A"): free}
    >>> straight_chains(named)["dihedral A-A-A-A"].free
    True
    """
    found = {}
    for name, turn in distributions.items():
        if name.coordinate != "dihedral":
            continue
        beads = name.beads
        angles = [Interaction.of(f"angle {'-'.join(part)}") for part in (beads[:3], beads[1:])]
        parts = {one: _straight_part(distributions[one]) for one in angles if one in distributions}
        worst = max(parts, key=parts.__getitem__, default=None)
        if worst is not None and parts[worst] > OFTEN:
            found[name] = StraightChain(worst, parts[worst], _information(turn) < FREE)
    return Interactions(found)


def _straight_part(angles: Distribution) -> float:
    near = np.minimum(angles.x, PI - angles.x) <= NEAR
    return float(angles.p[near] @ angles.widths[near])


def _information(turn: Distribution) -> float:
    r"""Return :math:`\int p \ln(2 \pi p)\,d\phi`, 0 of a free dihedral."""
    seen = turn.p > 0.0
    p = turn.p[seen]
    return float(np.sum(turn.widths[seen] * p * np.log(2.0 * PI * p)))
