"""The target of a mixture: g(r) of all pairs of species, with their densities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

from cginit.curves import RDF
from cginit.errors import InputError
from cginit.state import StatePoint, check_density
from cginit.units import UnitSystem

__all__ = ["MixtureTarget", "Pair"]

#: The names of two species; a mixture names each pair once, in the order of its densities.
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class MixtureTarget:
    """What a mixture is to reproduce.

    Parameters
    ----------
    rdfs : mapping of (species, species) to RDF
        g(r) of all pairs, in either order of the names, all on one grid and in one unit system.
    densities : mapping of species to float
        Number density of each, in the inverse cube of the length unit.
    kT : float
        Thermal energy in the energy unit.

    Raises
    ------
    InputError
        If a pair is missing or unknown, grids or units differ, or a density cannot be right.

    Examples
    --------
    >>> r = np.arange(0.0, 3.01, 0.05)
    >>> g = RDF(r, np.where(r < 1.0, 0.0, 1.0), units="lj")
    >>> target = MixtureTarget({("A", "A"): g, ("B", "A"): g, ("B", "B"): g}, {"A": 0.1, "B": 0.2}, 1.0)
    >>> target.pairs
    (('A', 'A'), ('A', 'B'), ('B', 'B'))
    """

    rdfs: Mapping[Pair, RDF]
    densities: Mapping[str, float]
    kT: float

    def __post_init__(self) -> None:
        densities = {name: float(value) for name, value in self.densities.items()}
        object.__setattr__(self, "densities", densities)
        found: dict[Pair, RDF] = {}
        for pair in combinations_with_replacement(densities, 2):
            curve = self.rdfs.get(pair, self.rdfs.get((pair[1], pair[0])))
            if curve is None:
                raise InputError(f"g(r) of {pair[0]}-{pair[1]} is missing; a mixture needs all its pairs")
            found[pair] = curve.with_core()
        for a, b in self.rdfs:
            if a not in densities or b not in densities:
                raise InputError(f"there is a g(r) of {a}-{b}, but densities of {', '.join(densities)} only")
        first = next(iter(found.values()))
        end = min(curve.r_max for curve in found.values())
        for pair, curve in found.items():
            if curve.units != first.units:
                raise InputError(
                    f"g(r) of {pair[0]}-{pair[1]} is in {curve.units.name}, others in {first.units.name}; "
                    "convert with .to(units)"
                )
            if abs(curve.dr - first.dr) > 1e-6 * first.dr or abs(curve.r[0] - first.r[0]) > 1e-4 * first.dr:
                raise InputError(
                    f"g(r) of {pair[0]}-{pair[1]} (step {curve.dr:g}, from {curve.r[0]:g}) does not share the grid "
                    f"of the others (step {first.dr:g}, from {first.r[0]:g}); sample all on one grid"
                )
        object.__setattr__(self, "rdfs", {pair: curve.truncated(end) for pair, curve in found.items()})
        for name, value in densities.items():
            check_density(found[name, name], StatePoint(value, self.kT))

    @property
    def species(self) -> tuple[str, ...]:
        """Names of the species."""
        return tuple(self.densities)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs, each once."""
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

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.rdfs)
