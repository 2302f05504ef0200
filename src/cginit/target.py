"""What one state is to reproduce: the distributions of its interactions at its densities and temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cginit.curves import RDF
from cginit.errors import InputError
from cginit.interactions import ByName, Interaction, Interactions, all_pairs
from cginit.state import StatePoint, check_density, common_units
from cginit.units import UnitSystem

__all__ = ["Target"]

#: Name of the bead type where there is only one and nobody has named it.
BEAD = "A"


@dataclass(frozen=True, eq=False)
class Target:
    """One state: g(r) of all pairs of its bead types, their densities and kT. One species is a mixture of one.

    Parameters
    ----------
    rdfs : mapping of interaction to RDF
        g(r) of all pairs, named ``"A-B"`` or ``("A", "B")`` in either order, on one grid and in one unit system.
    densities : mapping of str to float
        Number density of each bead type, in the inverse cube of the length unit.
    kT : float
        Thermal energy in the energy unit.
    pressure : float, optional
        Pressure to reach as well, in the units of the curves.
    weight : float
        How much this state counts where there are several.

    Raises
    ------
    InputError
        If a pair is missing or unknown, grids or units differ, or a number cannot be right.

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

    def __init__(
        self,
        rdfs: ByName[RDF],
        densities: Mapping[str, float],
        kT: float,
        pressure: float | None = None,
        weight: float = 1.0,
    ) -> None:
        numbers = {name: float(value) for name, value in densities.items()}
        if not weight > 0.0:
            raise InputError(f"the weight of a state must be positive, not {weight}")
        found = _complete(Interactions(rdfs), numbers)
        for name, value in numbers.items():
            check_density(found[name, name], StatePoint(value, kT))
        for attribute, content in (
            ("rdfs", found),
            ("densities", numbers),
            ("kT", float(kT)),
            ("pressure", None if pressure is None else float(pressure)),
            ("weight", float(weight)),
        ):
            object.__setattr__(self, attribute, content)

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
        """All pairs, each once, in the order of all tables of pairs."""
        return tuple(self.rdfs)

    @property
    def units(self) -> UnitSystem:
        """Units of all curves."""
        return next(iter(self.rdfs.values())).units

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


def _complete(given: Interactions[RDF], densities: Mapping[str, float]) -> Interactions[RDF]:
    """Return the g(r) of all pairs on their common range, each with its core."""
    found: dict[Interaction, RDF] = {}
    for pair in all_pairs(densities):
        curve = given.get(pair)
        if curve is None:
            raise InputError(f"g(r) of {pair} is missing; a mixture needs all its pairs")
        found[pair] = curve.with_core()
    for pair in given:
        if any(name not in densities for name in pair.beads):
            raise InputError(f"there is a g(r) of {pair}, but densities of {', '.join(densities)} only")
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
