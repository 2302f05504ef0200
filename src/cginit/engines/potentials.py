"""The potentials of a simulation: of pairs of species, and of the bonds, angles and dihedrals of molecules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from cginit.bonded import BondedPotential
from cginit.configuration import Configuration
from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions, pair
from cginit.names import with_article
from cginit.state import StatePoint
from cginit.topology import Topology
from cginit.units import UnitSystem

__all__ = ["Potentials", "Term", "as_interactions", "bonded_terms", "by_pair", "length_scale"]

#: One potential, those of all pairs of the species of a mixture in either order of the two names, or those of all
#: interactions, pairs and bonded ones.
Potentials = (
    PairPotential
    | Mapping[tuple[str, str], PairPotential]
    | Mapping[Interaction, PairPotential]
    | Mapping[Interaction, PairPotential | BondedPotential]
)


@dataclass(frozen=True, eq=False)
class Term:
    """A bonded interaction of a simulation.

    Attributes
    ----------
    interaction : Interaction
        Its name.
    potential : BondedPotential
        What acts.
    members : ndarray, shape (m, beads)
        On which beads.
    """

    interaction: Interaction
    potential: BondedPotential
    members: NDArray[np.int64]


def as_interactions(
    potential: Potentials, species: tuple[str, ...]
) -> Interactions[PairPotential | BondedPotential]:
    """Return potentials by interaction, whatever way they were given.

    Raises
    ------
    InputError
        If one potential is given for several species, or an interaction has two.
    """
    if isinstance(potential, PairPotential):
        if len(species) > 1:
            raise InputError(
                f"a mixture of {', '.join(species)} needs one potential for each pair of species, not one in all"
            )
        return Interactions({pair(species[0], species[0]): potential})
    found: Interactions[PairPotential | BondedPotential] = Interactions(list(potential.items()))
    for one, curve in found.items():
        fits = isinstance(curve, PairPotential) if one.is_pair else isinstance(curve, BondedPotential)
        if not fits or (isinstance(curve, BondedPotential) and curve.coordinate != one.coordinate):
            kind = with_article(curve.coordinate if isinstance(curve, BondedPotential) else "pair")
            raise InputError(
                f"the potential of {one} is one of {kind}; give one of {with_article(one.coordinate)}"
            )
    return found


def by_pair(potential: Potentials, species: tuple[str, ...]) -> dict[tuple[int, int], PairPotential]:
    """Return the potential of each pair of species by their numbers, the smaller first.

    Raises
    ------
    InputError
        If a pair has none, or the potentials differ in their units.
    """
    given = as_interactions(potential, species)
    found = {}
    for i, j in combinations_with_replacement(range(len(species)), 2):
        a, b = species[i], species[j]
        one = given.get((a, b))
        if not isinstance(one, PairPotential):
            raise InputError(f"the pair {a}-{b} has no potential; a mixture needs all its pairs")
        found[i, j] = one
    if len(_units(given)) > 1:
        raise InputError("the potentials of a mixture must share one unit system; convert with .to(units)")
    return found


def _units(potentials: Interactions[PairPotential | BondedPotential]) -> set[UnitSystem]:
    return {one.units for one in potentials.values()}


def bonded_terms(potential: Potentials, start: Configuration) -> tuple[Term, ...]:
    """Return the bonded interactions that act in a simulation of `start`.

    Angles and dihedrals of the topology that have no potential feel no force of their own; a bond must have one.

    Raises
    ------
    InputError
        If a bonded potential has no beads to act on, a bond no potential, or a bond's potential reaches beyond half
        the box.
    """
    given = {} if isinstance(potential, PairPotential) else as_interactions(potential, start.species)
    bonded = {one: curve for one, curve in given.items() if isinstance(curve, BondedPotential)}
    topology = start.topology or Topology(start.types, start.species)
    found = []
    half = 0.5 * float(np.min(start.box))
    for one, curve in bonded.items():
        members = topology.terms.get(one)
        if members is None or not len(members):
            known = ", ".join(map(str, topology.terms)) or "no bonds at all"
            raise InputError(
                f"{one} has a potential, but the start has none; its topology has {known}. Give a start with a "
                "topology"
            )
        if curve.coordinate == "bond" and curve.x[-1] > half:
            curve = _ended_in_box(one, curve, half)
        found.append(Term(one, curve, members))
    for one in topology.of("bond"):
        if one not in bonded and len(topology.terms[one]):
            raise InputError(f"{one} has no potential; without it the molecules would fall apart")
    return tuple(found)


def _ended_in_box(name: Interaction, curve: BondedPotential, half: float) -> BondedPotential:
    """Return the potential of a bond up to half the box, where it is so high that no bond gets there."""
    inside = int(np.searchsorted(curve.x, half, side="right"))
    # A potential ends where it is 50 kT high.
    if inside < 2 or not curve.u[inside - 1] >= 0.5 * curve.u[-1] or curve.at_minimum > half:
        raise InputError(
            f"the potential of {name} ends at {curve.x[-1]:g}, beyond half the box ({half:g} "
            f"{curve.units.length}), and still holds bonds there; use more molecules"
        )
    return curve.part(0, inside)


def length_scale(potential: Potentials | BondedPotential, state: StatePoint) -> float:
    """Return the length that sets the time step: where U first falls to kT, at most the bead spacing.

    The distance of U = kT is the size of a repulsive bead; a soft or long-ranged potential has none smaller
    than the mean spacing rho^(-1/3). In a mixture the smallest beads set it. It is at most two bonds: a single chain
    in a large box has a mean spacing far beyond its own size.
    """
    if isinstance(potential, BondedPotential):
        return 2.0 * potential.at_minimum if potential.coordinate == "bond" else float("inf")
    if not isinstance(potential, PairPotential):
        return min(length_scale(one, state) for one in potential.values())
    spacing = float(state.density ** (-1.0 / 3.0))
    below = np.flatnonzero(potential.u <= state.kT)
    size = float(potential.r[below[0]]) if below.size else potential.r_cut
    return min(size, spacing) if size > 0.1 * spacing else spacing
