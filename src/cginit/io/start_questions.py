"""Whether the configuration of a topology can be one of the target: bonds in the same unit, dihedrals alike."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from cginit.bonded import Distribution
from cginit.configuration import Configuration
from cginit.coordinates import COORDINATES
from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.target import Target

__all__ = ["question_start"]

#: Bonds of a start that are so many times longer or shorter than those of the target are in another unit, or broken.
#: A start that was drawn together or apart, as one from a lattice, is not that far off.
OTHER_UNIT = 4.0
#: Dihedrals of a start that tell their distribution, and how much more of it another convention must have in common.
LEAST_GROUPS, BETTER = 100, 0.25
#: Bins of a turn in which they are compared.
COARSE = 24
#: How a dihedral of another convention is turned to the one of here: trans is 180 degrees.
CONVENTIONS: dict[str, Callable[[Array], Array]] = {
    "turned by 180 degrees (here trans is 180 degrees, not 0)": lambda phi: phi + np.pi,
    "with the other sign": lambda phi: -phi,
}


def question_start(
    target: Target, start: Configuration, given: Collection[Interaction] = ()
) -> tuple[str, ...]:
    """Return what is odd about the targets of bonds beside the configuration that the topology comes with.

    Parameters
    ----------
    target : Target
        With a topology.
    start : Configuration
        In the units of the target.
    given : collection of Interaction
        What has a table that stays.

    Raises
    ------
    InputError
        If bonds are many times longer or shorter than those of the target.
    """
    if target.topology is None:
        return ()
    notes = []
    for name, wanted in target.distributions.items():
        members = target.topology.terms[name]
        if not len(members):
            continue
        found = COORDINATES[name.coordinate].measure(start.positions, members, start.box)
        if name.coordinate == "bond":
            _check_length(name, float(np.median(found)), wanted)
        elif name.coordinate == "dihedral" and len(members) >= LEAST_GROUPS:
            notes += _convention(name, found, wanted)
    free = [
        str(one)
        for one, members in target.topology.terms.items()
        if one.coordinate != "bond" and len(members) and one not in target.distributions and one not in given
    ]
    if free:
        notes.append(
            f"{', '.join(free)} of the topology {'has' if len(free) == 1 else 'have'} neither a target nor a given "
            "table: no potential acts there"
        )
    return tuple(notes)


def _check_length(name: Interaction, median: float, wanted: Distribution) -> None:
    unit, mean = wanted.units.length, wanted.mean
    if mean / OTHER_UNIT < median < mean * OTHER_UNIT:
        return
    ratio = median / mean
    reason = (
        "one of them is in another unit than it is read in (topology_units)"
        if min(abs(np.log(ratio / 10.0)), abs(np.log(ratio * 10.0))) < 0.3
        else "the file of the positions does not hold these molecules whole, in this order"
    )
    raise InputError(
        f"{name} is {median:.3g} {unit} long in the configuration of the topology and {mean:.3g} {unit} in its "
        f"target; {reason}"
    )


def _convention(name: Interaction, found: Array, wanted: Distribution) -> list[str]:
    """Return a sentence if the dihedrals of the start have much more in common with the target in another convention.

    What two distributions have in common is the integral of the smaller one.
    """
    edges = np.linspace(-np.pi, np.pi, COARSE + 1)

    def shares(phi: Array, weights: Array) -> Array:
        # Within [-pi, pi), whatever turn a grid or a convention makes.
        found, _ = np.histogram(np.mod(phi + np.pi, 2.0 * np.pi) - np.pi, edges, weights=weights)
        return np.asarray(found / found.sum(), dtype=np.float64)

    target = shares(wanted.x, wanted.p)

    def common(phi: Array) -> float:
        return float(np.minimum(shares(phi, np.ones(phi.size)), target).sum())

    own = common(found)
    other, what = max((common(turned(found)), words) for words, turned in CONVENTIONS.items())
    if other < own + BETTER:
        return []
    return [
        f"{name}: the dihedrals of the start have {100 * own:.0f} % in common with the target, and "
        f"{100 * other:.0f} % {what}; is its zero another one?"
    ]
