"""What a refinement begins with: potentials that fit the targets, and configurations at their densities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cginit.bonded import BondedPotential, Potential
from cginit.configuration import Configuration, random_configuration
from cginit.coordinates import COORDINATES
from cginit.curves import RDF, PairPotential
from cginit.engines.base import Schedule, length_scale
from cginit.errors import InputError
from cginit.extrapolate import check_start
from cginit.growth import grown_configuration, typical_value
from cginit.interactions import ByName, Interaction, Interactions
from cginit.refine.record import bonded_potentials, pair_potentials
from cginit.refine.settle import widest_distribution
from cginit.target import Target

__all__ = [
    "fitting_potentials",
    "partial_of",
    "start_configuration",
    "start_configurations",
    "with_one_time_step",
]

#: Smallest number of beads of a start configuration made here.
MIN_BEADS = 1_000
#: Ratio of the highest to the lowest kT of the states of one potential. Supercritical argon over its triple point is
#: 10; what is beyond was given in two units.
WIDEST_TEMPERATURES = 20.0


def start_configuration(
    target: Target, r_cut: float, *, seed: int, beads: int | None = None
) -> Configuration:
    """Return a random, de-overlapped start large enough for the cut-off.

    `beads`, by default at least 1000, and half the box beyond the range of the comparison and of the neighbour lists
    of the potentials.
    """
    density = target.state.density
    least = max(MIN_BEADS, int(np.ceil(density * (2.2 * r_cut) ** 3))) if beads is None else beads
    return random_configuration(target.counts(least), density, seed=seed, units=target.units)


def partial_of(potentials: Interactions[Potential], target: Target) -> Interactions[Potential]:
    """Return the potentials that act in a state."""
    return Interactions({name: potentials[name] for name in target.interactions if name in potentials})


def with_one_time_step(
    schedule: Schedule, potentials: Interactions[Potential], targets: Sequence[Target]
) -> Schedule:
    """Return the schedule with one time step for all rounds, set by the length of the first potentials."""
    scales = [
        length_scale(one, target.state)
        for target in targets
        for name in target.interactions
        if (one := potentials.get(name)) is not None
    ]
    return replace(schedule, length=schedule.length or min(scales))


def fitting_potentials(
    targets: Sequence[Target], potentials: ByName[Potential], held: frozenset[Interaction] = frozenset()
) -> Interactions[Potential]:
    """Return the potentials of all that acts in some state, in the units and on the grids of the targets.

    Pairs of beads that never feel each other, since their molecules leave them out, need none. Bonded potentials are
    closed where the targets show nothing, but for those that are `held`.

    Raises
    ------
    InputError
        If there is no state, a potential is missing, or units, temperatures or grids do not fit.
    """
    if not targets:
        raise InputError("give at least one state")
    _check_temperatures(targets)
    given = Interactions(potentials)
    units = targets[0].units
    found: dict[Interaction, Potential] = {}
    for number, target in enumerate(targets):
        where = f" of state {number}" if len(targets) > 1 else ""
        if target.units != units:
            raise InputError(
                f"state {number} is in {target.units.name}, the first in {units.name}; convert with .to(units)"
            )
        for name, curve in target.rdfs.items():
            potential = given.get(name)
            if not isinstance(potential, PairPotential):
                raise InputError(
                    f"the pair {name}{where} has no potential; give one for every pair of every state"
                )
            potential = potential.to(units)
            found.setdefault(name, potential)
            _check_pair(name, potential, curve, where)
        for name, distribution in target.distributions.items():
            bonded = given.get(name)
            if not isinstance(bonded, BondedPotential):
                raise InputError(f"{name}{where} has no potential; cginit.guess.molecules makes one")
            if name not in found and name in held:
                found[name] = bonded.to(units)
            elif name not in found:
                widest = widest_distribution(targets, name)
                settled = COORDINATES[name.coordinate].settle(bonded.to(units), widest, target.kT)
                found[name] = settled
            first = next(one for one in targets if name in one.distributions).distributions[name]
            if first.x.shape != distribution.x.shape or not np.allclose(first.x, distribution.x):
                raise InputError(f"the distributions of {name} lie on different grids; sample all alike")
        for name in target.interactions:
            if name not in found and (acting := _without_target(name, target, given, where)) is not None:
                found[name] = acting.to(units)
    return Interactions(found)


def _check_temperatures(targets: Sequence[Target]) -> None:
    """Refuse states of which one is too hot to feel the potential, or too cold to leave its well."""
    energies = [target.kT for target in targets]
    if max(energies) > WIDEST_TEMPERATURES * min(energies):
        raise InputError(
            f"kT of the states goes from {min(energies):g} to {max(energies):g}; no one potential makes liquids of "
            "both. Are all of them in the same unit?"
        )


def _without_target(
    name: Interaction, target: Target, given: Interactions[Potential], where: str
) -> Potential | None:
    """Return the potential of what acts and has no target: a given one, or none where it need not have one."""
    potential = given.get(name)
    if potential is not None:
        return potential
    if name.is_pair:
        if target.topology is None or target.topology.pairs_left(name) > 0:
            raise InputError(
                f"the pair {name}{where} has neither a target nor a given potential; beads of the topology without "
                "either would pass through each other"
            )
        # An engine wants one, and nothing feels it.
        length = max(
            (
                2.0 * typical_value(one)
                for key, one in target.distributions.items()
                if key.coordinate == "bond"
            ),
            default=target.state.density ** (-1.0 / 3.0),
        )
        r = np.linspace(0.0, length, 51)
        return PairPotential(r, np.zeros(51), units=target.units)
    if name.coordinate == "bond":
        raise InputError(
            f"{name}{where} has neither a target nor a given potential; without one molecules fall apart"
        )
    return None


def _check_pair(name: Interaction, potential: PairPotential, curve: RDF, where: str) -> None:
    check_start(potential, curve)
    if potential.r_cut > curve.r_max * (1.0 + 1e-9):
        raise InputError(
            f"the cut-off {potential.r_cut:g} of {name} lies beyond the target g(r){where}, which ends at "
            f"{curve.r_max:g}"
        )
    n = potential.r.size
    if curve.r.size < n or not np.allclose(curve.r[:n], potential.r, atol=1e-4 * potential.dr):
        raise InputError(
            f"g(r) of {name}{where} (step {curve.dr:g}, from {curve.r[0]:g} to {curve.r_max:g}) does not lie "
            f"on the grid of the potential (step {potential.dr:g}, from {potential.r[0]:g} to "
            f"{potential.r_cut:g}); sample all alike"
        )


def start_configurations(
    targets: Sequence[Target],
    potentials: Interactions[Potential],
    given: Sequence[Configuration | None] | None,
    seed: int,
) -> list[Configuration]:
    """Return the start of each state, at its density and with its topology."""
    found = []
    for number, target in enumerate(targets):
        start = None if given is None else given[number]
        if start is None and target.topology is not None:
            start = _grown(target, potentials, seed + number)
        if start is None:
            r_cut = max(one.r_cut for one in pair_potentials(partial_of(potentials, target)).values())
            start = start_configuration(target, r_cut, seed=seed + number)
        if target.topology is not None:
            start = replace(start, topology=target.topology, types=target.topology.types)
        elif len(start.species) == 1 == len(target.species):
            # Nobody need name the beads of a pure liquid.
            start = replace(start, species=target.species)
        if start.species != target.species:
            raise InputError(
                f"the start has the species {', '.join(start.species)}, the target {', '.join(target.species)}"
            )
        found.append(start.to(target.units).at_density(target.state.density))
    return found


def _grown(target: Target, potentials: Interactions[Potential], seed: int) -> Configuration:
    """Return molecules at random, with the bonds and angles of their potentials."""
    if target.topology is None:
        raise InputError("only molecules are grown")
    shape = {name: typical_value(one) for name, one in bonded_potentials(potentials).items()}
    return grown_configuration(
        target.topology, target.state.density, seed=seed, units=target.units, shape=Interactions(shape)
    )
