"""What one state is to reproduce: the distributions of its interactions at its densities and temperature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cginit.bond_graph import exclusion_depth
from cginit.bonded import Distribution
from cginit.curves import RDF
from cginit.errors import InputError
from cginit.interactions import ByName, Interaction, Interactions, all_pairs
from cginit.names import with_article
from cginit.state import StatePoint, check_density, common_units
from cginit.topology import FROM_BONDS, Topology
from cginit.units import UnitSystem

__all__ = ["Target"]

#: Name of the bead type where there is only one and nobody has named it.
BEAD = "A"


@dataclass(frozen=True, eq=False, repr=False)
class Target:
    """One state: what its pairs and bonds are to show, its densities and kT. One species is a mixture of one.

    Parameters
    ----------
    rdfs : mapping of interaction to RDF
        g(r) of all pairs, named ``"A-B"`` or ``("A", "B")`` in either order, on one grid and in one unit system. Of
        molecules pairs may be missing, whose potentials are then given and stay.
    densities : mapping of str to float, or float
        Number density of each bead type, in the inverse cube of the length unit; with a topology that of all beads
        is enough.
    kT : float
        Thermal energy in the energy unit.
    pressure : float, optional
        Pressure to reach as well, in the units of the curves.
    weight : float
        How much this state counts where there are several.
    topology : Topology, optional
        How the beads of the whole box are bonded, with the pairs that feel no pair potential; without one they are
        loose.
    target_exclusions : str
        The pairs that the g(r) leave out, in the words of `Topology`.
    distributions : mapping of interaction to Distribution
        Those of bonds, angles and dihedrals. Angles and dihedrals that the topology does not list are those that its
        bonds make.
    inside : mapping of interaction to RDF
        g(r) of the pairs inside molecules, each on a grid of its own: drawn beside that of simulations, and nothing
        that a refinement reads.

    Raises
    ------
    InputError
        If a pair is missing or unknown, grids or units differ, the topology lacks what is to be distributed or has
        another composition, or a number cannot be right.

    Examples
    --------
    >>> r = np.arange(0.0, 3.01, 0.05)
    >>> g = RDF(r, np.where(r < 1.0, 0.0, 1.0), units="lj")
    >>> target = Target({"A-A": g, "B-A": g, "B-B": g}, {"A": 0.1, "B": 0.2}, 1.0)
    >>> [str(pair) for pair in target.pairs]
    ['A-A', 'A-B', 'B-B']
    >>> target.rdfs["A", "B"].r_max
    3.0
    """

    rdfs: Interactions[RDF]
    densities: Mapping[str, float]
    kT: float
    pressure: float | None = None
    weight: float = 1.0
    topology: Topology | None = None
    target_exclusions: str = "molecule"
    distributions: Interactions[Distribution] = field(default_factory=lambda: Interactions({}))
    inside: Interactions[RDF] = field(default_factory=lambda: Interactions({}))

    def __init__(
        self,
        rdfs: ByName[RDF],
        densities: Mapping[str, float] | float,
        kT: float,
        pressure: float | None = None,
        weight: float = 1.0,
        *,
        topology: Topology | None = None,
        target_exclusions: str = "molecule",
        distributions: ByName[Distribution] | None = None,
        inside: ByName[RDF] | None = None,
    ) -> None:
        if not 0.0 < weight < math.inf:
            raise InputError(f"the weight of a state must be a positive number, not {weight}")
        if pressure is not None and not math.isfinite(pressure):
            raise InputError(f"the pressure must be a number, not {pressure}")
        bonded: Interactions[Distribution] = Interactions(distributions or {})
        if topology is None:
            if isinstance(densities, (int, float)):
                raise InputError("one density for all beads needs a topology; give that of each bead type")
            if bonded:
                raise InputError(f"{next(iter(bonded))} has a distribution, which needs a topology")
            numbers = {name: float(value) for name, value in densities.items()}
        else:
            exclusion_depth(target_exclusions)
            numbers = _composition(topology, densities)
            topology = _with_terms(topology, bonded)
        found = _complete(Interactions(rdfs), numbers, partial=topology is not None)
        within: Interactions[RDF] = Interactions(inside or {})
        _same_units(found, bonded, within)
        _known_inside(within, topology)
        for name, value in numbers.items():
            if (name, name) in found:
                check_density(found[name, name], StatePoint(value, kT))
        for attribute, content in (
            ("topology", topology),
            ("target_exclusions", target_exclusions),
            ("distributions", bonded),
            ("inside", within),
            ("rdfs", found),
            ("densities", numbers),
            ("kT", float(kT)),
            ("pressure", None if pressure is None else float(pressure)),
            ("weight", float(weight)),
        ):
            object.__setattr__(self, attribute, content)

    def __repr__(self) -> str:
        units = self.units
        beads = ", ".join(f"{name} {value:.4g} {units.density}" for name, value in self.densities.items())
        wanted = "" if self.pressure is None else f"; pressure {self.pressure:.4g} {units.pressure}"
        return f"<Target: {', '.join(map(str, self.measured))}; {beads}; kT {self.kT:.4g} {units.energy}{wanted}>"

    @classmethod
    def of(
        cls,
        rdf: RDF,
        state: StatePoint,
        *,
        pressure: float | None = None,
        weight: float = 1.0,
        species: str = BEAD,
    ) -> Target:
        """Return the target of one bead type, in the units of the state, or of g(r) where the state names none.

        Raises
        ------
        InputError
            If the density cannot be right.
        """
        rdf, state = common_units(rdf, state)
        return cls({(species, species): rdf}, {species: state.density}, state.kT, pressure, weight)

    @property
    def species(self) -> tuple[str, ...]:
        """Names of the bead types."""
        return tuple(self.densities)

    @property
    def pairs(self) -> tuple[Interaction, ...]:
        """All pairs that have a g(r), each once, in the order of all tables of pairs."""
        return tuple(self.rdfs)

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """All that may act in this state: every pair of its bead types, and what its topology lists."""
        bonded = () if self.topology is None else tuple(self.topology.terms)
        return (*all_pairs(self.densities), *bonded)

    @property
    def measured(self) -> tuple[Interaction, ...]:
        """All that has a target: pairs, then bonds, angles and dihedrals."""
        return (*self.rdfs, *self.distributions)

    @cached_property
    def counts_what_acts(self) -> bool:
        """Whether the pairs that the g(r) count are those that feel pair potentials."""
        if self.topology is None or not self.topology.is_molecular:
            return True
        return np.array_equal(self.topology.excluded(), self.topology.excluded(self.target_exclusions))

    @cached_property
    def leaves_out_inside_only(self) -> bool:
        """Whether all pairs of beads of different molecules are counted by the g(r) and feel pair potentials."""
        if self.topology is None or not self.topology.is_molecular:
            return True
        molecules = self.topology.molecules
        rules = (self.topology.excluded(), self.topology.excluded(self.target_exclusions))
        return all(np.array_equal(molecules[pairs[:, 0]], molecules[pairs[:, 1]]) for pairs in rules)

    @cached_property
    def counts_between_molecules(self) -> bool:
        """Whether the g(r) leave out every pair of beads of the same molecule, and no other."""
        if self.topology is None or not self.topology.is_molecular:
            return True
        return np.array_equal(
            self.topology.excluded("molecule"), self.topology.excluded(self.target_exclusions)
        )

    @property
    def units(self) -> UnitSystem:
        """Units of all curves."""
        curves: list[RDF | Distribution] = [*self.rdfs.values(), *self.distributions.values()]
        return curves[0].units

    @property
    def state(self) -> StatePoint:
        """Density of all beads, and kT."""
        return StatePoint(sum(self.densities.values()), self.kT, self.units)

    def counts(self, least: int) -> dict[str, int]:
        """Return numbers of beads in proportion to the densities, `least` or a few more in all."""
        total = sum(self.densities.values())
        return {name: max(2, round(least * value / total)) for name, value in self.densities.items()}

    def density_product(self, pair: Interaction) -> float:
        """Return rho_a rho_b of a pair; of unlike beads twice that, since both orders count."""
        a, b = pair.types
        return (1.0 if a == b else 2.0) * self.densities[a] * self.densities[b]


def _composition(topology: Topology, densities: Mapping[str, float] | float) -> dict[str, float]:
    """Return the density of each bead type of a topology, from that of all beads or from those that are given."""
    parts = np.bincount(topology.types, minlength=len(topology.species)) / topology.n
    total = float(densities) if isinstance(densities, (int, float)) else float(sum(densities.values()))
    found = {name: float(part) * total for name, part in zip(topology.species, parts, strict=True)}
    if isinstance(densities, Mapping):
        unknown = sorted(set(densities) ^ set(found))
        if unknown:
            raise InputError(
                f"the bead types of the topology are {', '.join(found)}, the densities those of "
                f"{', '.join(densities)}; {unknown[0]} is not in both"
            )
        for name, value in densities.items():
            if abs(value - found[name]) > 1e-3 * total:
                raise InputError(
                    f"the density of {name} is {value:g}, but {found[name]:g} by the topology and the density "
                    f"{total:g} of all beads; leave the densities to the topology"
                )
        # Its own numbers, so that a copy of a target is the same to the last digit.
        return {name: float(densities[name]) for name in found}
    return found


def _with_terms(topology: Topology, bonded: Interactions[Distribution]) -> Topology:
    """Return a topology that lists all that is to be distributed.

    Raises
    ------
    InputError
        If its bonds do not make that.
    """
    lacking = [one for one in bonded if one not in topology.terms and one.coordinate in FROM_BONDS]
    if lacking:
        topology = topology.completed(*dict.fromkeys(one.coordinate for one in lacking))
    for one, curve in bonded.items():
        if one.is_pair or curve.coordinate != one.coordinate:
            raise InputError(f"{one} has the distribution of {with_article(curve.coordinate)}")
        if one not in topology.terms:
            known = ", ".join(map(str, topology.terms)) or "no bonds at all"
            raise InputError(f"there is a target of {one}, but the topology has {known}")
    return topology


def _known_inside(inside: Interactions[RDF], topology: Topology | None) -> None:
    """Refuse a g(r) inside molecules of beads that no molecule has."""
    known = () if topology is None else topology.species
    for one in inside:
        unknown = [bead for bead in one.beads if bead not in known]
        if unknown or not one.is_pair:
            raise InputError(
                f"there is a g(r) of {one} inside molecules, but "
                + (f"the topology has the beads {', '.join(known)}" if known else "there is no topology")
            )


def _same_units(
    rdfs: Interactions[RDF], bonded: Interactions[Distribution], inside: Interactions[RDF]
) -> None:
    curves: list[tuple[Interaction, RDF | Distribution]] = [*rdfs.items(), *bonded.items()]
    if not curves:
        raise InputError("a target needs a g(r) or a distribution")
    for one, curve in (*curves, *inside.items()):
        if curve.units != curves[0][1].units:
            raise InputError(
                f"{one} is in {curve.units.name}, {curves[0][0]} in {curves[0][1].units.name}; convert with "
                ".to(units)"
            )


def _complete(
    given: Interactions[RDF], densities: Mapping[str, float], *, partial: bool = False
) -> Interactions[RDF]:
    """Return the g(r) of all pairs on their common range, each with its core; `partial` where some may be missing."""
    found: dict[Interaction, RDF] = {}
    for pair in all_pairs(densities):
        curve = given.get(pair)
        if curve is None and partial:
            continue
        if curve is None:
            raise InputError(f"g(r) of {pair} is missing; a mixture needs all its pairs")
        found[pair] = curve.with_core()
    for pair in given:
        if any(name not in densities for name in pair.beads):
            raise InputError(f"there is a g(r) of {pair}, but densities of {', '.join(densities)} only")
    if not found:
        return Interactions(found)
    first = next(iter(found.values()))
    for pair, curve in found.items():
        if curve.units != first.units:
            raise InputError(
                f"g(r) of {pair} is in {curve.units.name}, others in {first.units.name}; convert with .to(units)"
            )
        if abs(curve.dr - first.dr) > 1e-6 * first.dr or abs(curve.r[0] - first.r[0]) > 1e-4 * first.dr:
            raise InputError(
                f"g(r) of {pair} (step {curve.dr:g}, from {curve.r[0]:g}) does not share the grid of the others "
                f"(step {first.dr:g}, from {first.r[0]:g}); sample all on one grid"
            )
    end = min(curve.r_max for curve in found.values())
    return Interactions({pair: curve.truncated(end) for pair, curve in found.items()})
