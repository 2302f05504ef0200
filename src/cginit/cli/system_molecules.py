"""Molecules in the file of a system: their topology, and the targets of pairs, bonds, angles and dihedrals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cginit.cli.system_bonds import read_distributions
from cginit.cli.system_curves import read_curves
from cginit.cli.toml import stated_energy
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.configuration import Configuration
    from cginit.curves import RDF
    from cginit.interactions import Interaction
    from cginit.target import Target
    from cginit.topology import Topology
    from cginit.units import UnitSystem

__all__ = ["read_molecules"]


def read_molecules(
    content: Mapping[str, Any], units: UnitSystem, file: Path, where: str, notes: list[str]
) -> tuple[Target, Configuration]:
    """Return the target of molecules, and the configuration that the file of their topology holds.

    Parameters
    ----------
    content : mapping
        The file of the system, or one of its states with what all share.
    units : UnitSystem
    file : Path
        What names are relative to.
    where : str
        What errors call it.
    notes : list of str
        Sentences on what is odd are added to it.

    Raises
    ------
    InputError
        If a file cannot be read, or targets and topology do not fit.
    """
    from cginit.target import Target

    if "targets" not in content:
        raise InputError(f"{where} does not state targets; give a table [targets] of pairs, bonds and angles")
    start, topology = _topology(content, units, file, where)
    named = _named(content["targets"], topology, where)
    bonded = {one: entry for one, entry in named.items() if not one.is_pair}
    target = Target(
        _rdfs(content, named, units, file, where, topology, notes),
        content.get("densities", content.get("density", start.density)),
        stated_energy(content, units, where),
        content.get("pressure"),
        topology=topology,
        target_exclusions=content.get("target_exclusions", "molecule"),
        distributions=read_distributions(bonded, file.parent, units, content, notes),
        inside=_inside(content.get("inside", {}), units, file, where, notes),
    )
    return target, start


def _inside(
    entries: Mapping[str, Any], units: UnitSystem, file: Path, where: str, notes: list[str]
) -> dict[Interaction, RDF]:
    """Return the g(r) inside molecules, which are only drawn: one whose file is gone is said, and no hindrance."""
    from cginit.interactions import Interaction
    from cginit.io.inside import read_inside

    found = {}
    for name, entry in entries.items():
        if not isinstance(entry, str):
            raise InputError(f"{where}: [inside] must give {name} the name of a file, not {entry!r}")
        if (file.parent / entry).exists():
            found[Interaction.of(name)] = read_inside(file.parent / entry, units)
        else:
            notes.append(f"g(r) of {name} inside molecules is not drawn: there is no file {entry}")
    return found


def _topology(
    content: Mapping[str, Any], units: UnitSystem, file: Path, where: str
) -> tuple[Configuration, Topology]:
    """Return the start, and its topology with the angles and dihedrals of given tables."""
    from cginit.interactions import Interaction
    from cginit.topology import FROM_BONDS
    from cginit.trajectory import read_system
    from cginit.units import LJ

    coordinates = content.get("coordinates")
    start = read_system(
        file.parent / content["topology"],
        None if coordinates is None else file.parent / coordinates,
        units=content.get("topology_units", LJ if units == LJ else None),
        exclusions=content.get("exclusions"),
        names=content.get("names"),
        atom_style=content.get("atom_style"),
    ).to(units)
    topology = start.topology
    if topology is None:
        raise InputError(f"{where}: {content['topology']} has no topology")
    given = map(Interaction.of, content.get("given", {}))
    lacking = {one.coordinate for one in given if one not in topology.terms}.intersection(FROM_BONDS)
    if lacking:
        topology = topology.completed(*sorted(lacking))
    return start, topology


def _named(targets: Mapping[str, Any], topology: Topology, where: str) -> dict[Interaction, Any]:
    """Return the entries of ``[targets]`` by their interactions; InputError where a bead or a name is no such."""
    from cginit.interactions import Interaction

    found: dict[Interaction, Any] = {}
    for name, entry in targets.items():
        one = Interaction.of(name)
        unknown = [bead for bead in one.beads if bead not in topology.species]
        if unknown:
            raise InputError(
                f"{where}: the target {name!r} names the bead {unknown[0]}; the topology has "
                f"{', '.join(topology.species)}{_by_names(topology)}"
            )
        if one in found:
            raise InputError(f"{where}: [targets] names {name} twice, forwards and backwards; remove one")
        found[one] = entry
    return found


def _by_names(topology: Topology) -> str:
    """Return how types that are numbers only get names."""
    numbers = [name for name in topology.species if name.isdigit()]
    return f'. Name them: names = {{ "{numbers[0]}" = "A", ... }}' if numbers else ""


def _rdfs(
    content: Mapping[str, Any],
    named: Mapping[Interaction, Any],
    units: UnitSystem,
    file: Path,
    where: str,
    topology: Topology,
    notes: list[str],
) -> dict[Interaction, RDF]:
    """Return the g(r), divided by the pairs that count."""
    from cginit.interactions import Interaction
    from cginit.io.molecule_questions import (
        ALL_PAIRS,
        NORMALISATIONS,
        PAIRS_THAT_COUNT,
        of_pairs_that_count,
    )

    divided_by = content.get("target_normalisation", PAIRS_THAT_COUNT)
    if divided_by not in NORMALISATIONS:
        raise InputError(
            f"{where} states target_normalisation = {divided_by!r}; g(r) is divided by "
            + " or ".join(f'"{word}"' for word in NORMALISATIONS)
        )
    pairs = {str(one): entry for one, entry in named.items() if one.is_pair}
    for name, entry in pairs.items():
        if isinstance(entry, Mapping) and "structure_factor" in entry:
            raise InputError(
                f"{where}: the target {name} names an S(k), which is weighed with g(r) of loose beads only; leave "
                "structure_factor out"
            )
    read = read_curves(pairs, file.parent, units, content, notes)
    curves = {Interaction.of(name): curve for name, curve in read.items()}
    if divided_by != ALL_PAIRS:
        return curves
    left_out = content.get("target_exclusions", "molecule")
    return {one: of_pairs_that_count(curve, topology, one, left_out) for one, curve in curves.items()}
