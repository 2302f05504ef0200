"""A coarse-grained model as programs need it: potentials, a configuration, masses and a time step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cginit.bonded import BondedPotential, Potential
from cginit.configuration import Configuration
from cginit.curves import PairPotential
from cginit.engines.base import ReducedProblem, Schedule, reduce_problem
from cginit.engines.potentials import Term
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.state import StatePoint
from cginit.units import LJ, NM_KJ, UnitSystem, conversion

__all__ = ["DEFAULT_MASS", "Model"]

#: Mass of a bead, in g/mol, where none is given. No structure depends on it.
DEFAULT_MASS = 72.0


@dataclass(frozen=True, eq=False)
class Model:
    """Potentials and a configuration to start from.

    Parameters
    ----------
    potentials : Interactions of PairPotential or BondedPotential
        Of all pairs, and of the bonds, angles and dihedrals that act.
    start : Configuration
        With its topology, if beads are bonded; in the units of the potentials.
    kT : float
        In their unit of energy.
    masses : mapping of str to float, optional
        Of bead types, in g/mol or in the unit of mass of reduced units; by default those that the topology of the
        start knows, else 72 g/mol, or 1.

    Attributes
    ----------
    assumed : tuple of str
        Bead types whose mass neither `masses` nor the topology states.

    Raises
    ------
    InputError
        If a mass is not positive or is that of no bead type.
    """

    potentials: Interactions[Potential]
    start: Configuration
    kT: float
    masses: Mapping[str, float]
    assumed: tuple[str, ...]

    def __init__(
        self,
        potentials: Interactions[Potential],
        start: Configuration,
        kT: float,
        masses: Mapping[str, float] | None = None,
    ) -> None:
        known = {} if start.topology is None else dict(zip(start.species, start.topology.masses, strict=True))
        given = dict(masses or {})
        unknown = sorted(set(given) - set(start.species))
        if unknown:
            raise InputError(
                f"there is a mass of {unknown[0]}, but the bead types are {', '.join(start.species)}"
            )
        default = 1.0 if start.units == LJ else DEFAULT_MASS
        stated = {name: float(mass) for name, mass in known.items() if mass > 0.0} | given
        whole = {name: float(stated.get(name, default)) for name in start.species}
        for name, mass in whole.items():
            if not mass > 0.0:
                raise InputError(f"the mass of {name} must be positive, not {mass:g}")
        for attribute, value in (
            ("potentials", potentials),
            ("start", start),
            ("kT", float(kT)),
            ("masses", whole),
            ("assumed", tuple(name for name in start.species if name not in stated)),
        ):
            object.__setattr__(self, attribute, value)

    @property
    def units(self) -> UnitSystem:
        """Units of all but the masses."""
        return self.start.units

    def to(self, units: UnitSystem) -> Model:
        """Return the same model in other units; reduced ones stay."""
        if self.units in (units, LJ):
            return self
        moved = Interactions({name: one.to(units) for name, one in self.potentials.items()})
        stated = {name: mass for name, mass in self.masses.items() if name not in self.assumed}
        return Model(moved, self.start.to(units), self.kT * conversion(self.units, units)[1], stated)

    @property
    def pairs(self) -> Interactions[PairPotential]:
        """The potentials of all pairs, in the order of the bead types."""
        found: dict[Interaction, PairPotential] = {}
        for name in all_pairs(self.start.species):
            one = self.potentials.get(name)
            if isinstance(one, PairPotential):
                found[name] = one
        return Interactions(found)

    @cached_property
    def problem(self) -> ReducedProblem:
        """What an engine of here would simulate."""
        state = StatePoint(self.start.density, self.kT, self.units)
        return reduce_problem(self.potentials, state, self.start, Schedule())

    @property
    def terms(self) -> tuple[Term, ...]:
        """The bonded interactions, in the units of the model, in the order of their programs' types."""
        found = []
        for term in self.problem.terms:
            potential = self.potentials[term.interaction]
            if isinstance(potential, BondedPotential):
                found.append(Term(term.interaction, potential, term.members))
        order = ("bond", "angle", "dihedral")
        return tuple(sorted(found, key=lambda term: order.index(term.interaction.coordinate)))

    @property
    def time(self) -> float:
        r"""The unit of time :math:`a \sqrt{m / kT}` of the lightest bead, in ps or in that of reduced units."""
        a, kT = self.problem.length, self.kT
        if self.units != LJ:
            length, energy = conversion(self.units, NM_KJ)
            a, kT = a * length, kT * energy
        return float(a * (min(self.masses.values()) / kT) ** 0.5)

    @property
    def dt(self) -> float:
        """Time step, in ps or in the unit of time of reduced units: as stiff bonds need it."""
        return self.problem.dt * self.time
