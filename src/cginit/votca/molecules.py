"""Molecules of several beads in settings of csg_inverse: their topology, and the target of each bonded interaction.

csg_inverse leaves bonds to the files of the simulation program and names them in a mapping (``map``). Here the beads
come from the GROMACS topology, from ``topol_xml``, from the LAMMPS data file, or from the mapped configuration; the
names, and the groups that they stand for, from the mapping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit.bonded import BondedPotential, Distribution
from cginit.bonded_terms import named_terms
from cginit.configuration import Configuration
from cginit.coordinates import COORDINATES, ended_where_high
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.io.bonded_given import read_gromacs_bonded
from cginit.io.bonded_tables import read_bonded_potential, read_distribution
from cginit.topology import Topology
from cginit.trajectory import MappingRules, MoleculeRule, read_mapping, read_system
from cginit.trajectory.gromacs_topology import gromacs_molecules
from cginit.units import NM_KJ
from cginit.votca.bonds import bonded_in_simulation
from cginit.votca.components import lammps_names
from cginit.votca.script import script_exclusions
from cginit.votca.settings import BondedSection, Settings
from cginit.votca.target import topology as configuration_of

__all__ = ["Molecules", "molecules_of"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Molecules:
    """The molecules of a settings file.

    Attributes
    ----------
    start : Configuration
        In nm, with this topology.
    topology : Topology
        With the exclusions of the simulation.
    target_exclusions : str
        What csg_stat leaves out of the g(r).
    distributions : Interactions of Distribution
        Targets of the bonded interactions that are refined or held.
    potentials : Interactions of BondedPotential
        The start of each of them, and what is given for the others.
    names : Interactions of str
        Names in the settings.
    held : tuple of Interaction
        Those that keep their potential.
    notes : tuple of str
        What is done otherwise than csg_inverse would.
    """

    start: Configuration
    topology: Topology
    target_exclusions: str
    distributions: Interactions[Distribution]
    potentials: Interactions[BondedPotential]
    names: Interactions[str]
    held: tuple[Interaction, ...]
    notes: tuple[str, ...]


def molecules_of(settings: Settings) -> Molecules | None:
    """Return the molecules of a settings file; None where each bead is one of its own.

    Raises
    ------
    InputError
        If bonds are named that nothing defines, or one has neither a target nor a table.
    """
    rules = _mapping(settings)
    mapped = rules is not None and any(len(one.beads) > 1 for one in rules.molecules)
    found = bonded_in_simulation(settings)
    if not mapped and not settings.bonded and found is None:
        return None
    start, origin = _start(settings, rules)
    bare = start.topology
    if bare is None or (not bare.terms and not mapped):
        raise InputError(
            f"{settings.path} has <bonded> interactions, but neither {origin} nor a map says which beads they join; "
            "name the mapping (<map>) or give the topology"
        )
    topology, names = (bare, {}) if rules is None else _named(bare, rules, settings)
    start = replace(start, topology=topology)
    sections = _sections(settings, topology, names)
    distributions, potentials, held, notes = _terms(settings, sections)
    for one, table in _tables(settings, topology, [name for name in topology.terms if name not in sections]):
        potentials[one] = table
        notes.append(f"{one} keeps the potential of {', '.join(table.notes)}")
    counted = topology.exclusions if rules is None or not mapped else _counted(topology, rules)
    return Molecules(
        start,
        topology,
        counted,
        Interactions(distributions),
        Interactions(potentials),
        Interactions({one: section.name for one, section in sections.items()}),
        tuple(held),
        (f"molecules: {origin}; g(r) leaves out {counted}, the simulation {topology.exclusions}", *notes),
    )


def _mapping(settings: Settings) -> MappingRules | None:
    names = settings.option("map").split(";")
    files = [settings.file(name.strip(), "the mapping") for name in names if name.strip()]
    return read_mapping(";".join(map(str, files))) if files else None


def _start(settings: Settings, rules: MappingRules | None) -> tuple[Configuration, str]:
    """Return the beads with the topology that the files of the program state, and where they come from."""
    place = configuration_of(settings)
    if settings.program == "lammps":
        if place is None:
            raise InputError(f"{settings.path} names no data file of LAMMPS, which has the molecules")
        path, units = place
        names = lammps_names(settings, path)
        if names is None:
            raise InputError(
                f"{path.name} does not say which beads are {', '.join(settings.components)} (pair_coeff of the "
                "script, or comments of its masses)"
            )
        script = settings.program_option("script")
        rule = script_exclusions(settings.file(script, "the LAMMPS script")) if script else "1-4"
        return read_system(path, units=units, names=names, exclusions=rule).to(NM_KJ), path.name
    if place is None:
        raise InputError(
            f"{settings.path}: a configuration (conf.gro) is needed for molecules, and there is none"
        )
    conf, _ = place
    top = settings.folder / settings.program_option("topol_in", "topol.top")
    other = settings.option("topol_xml")
    if top.is_file():
        return read_system(top, conf), f"{top.name} and {conf.name}"
    if other:
        return read_system(settings.file(other, "the topology"), conf), f"{other} and {conf.name}"
    if rules is None:
        raise InputError(f"{settings.path}: {top.name} is absent, and no map says what the beads are")
    return read_system(conf, mapping=rules), f"{conf.name} mapped by {Path(rules.source).name}"


def _named(
    topology: Topology, rules: MappingRules, settings: Settings
) -> tuple[Topology, dict[tuple[str, str], Interaction]]:
    """Return the topology with the bonded terms of a mapping, and the interaction of each coordinate and name."""
    groups: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for first, rule in _molecules(topology, rules, settings):
        for kind, label, members in rule.terms:
            groups.setdefault(kind, []).append((label, tuple(first + bead for bead in members)))
    if "bond" in groups and len(topology.bonds):
        mapped = {frozenset(members) for _, members in groups["bond"]}
        if mapped != set(map(frozenset, topology.bonds.tolist())):
            raise InputError(
                f"{settings.path}: the bonds of {Path(rules.source).name} are not those that the simulation has"
            )
    found: dict[tuple[str, str], Interaction] = {}
    terms = [(one, members) for one, members in topology.terms.items() if one.coordinate not in groups]
    for kind, listed in groups.items():
        labels = [label for label, _ in listed]
        beads = np.array([group for _, group in listed], dtype=np.int64)
        own = named_terms(kind, beads, topology.types, topology.species, labels)
        terms += own
        for label in dict.fromkeys(labels):
            of_label = np.array([group for name, group in listed if name == label], dtype=np.int64)
            kinds = named_terms(kind, of_label, topology.types, topology.species)
            if len(kinds) > 1:
                raise InputError(
                    f"{settings.path}: the {kind} {label} of {Path(rules.source).name} joins beads of different "
                    f"types ({', '.join(str(one) for one, _ in kinds)}), which have a potential each here; name "
                    "them apart"
                )
            bare = kinds[0][0]
            whole = {one for one, _ in own}
            found[kind, label] = bare if bare in whole else replace(bare, label=label)
    return replace(topology, terms=Interactions(terms)), found


def _molecules(topology: Topology, rules: MappingRules, settings: Settings) -> list[tuple[int, MoleculeRule]]:
    """Return the first bead and the rule of each molecule, told by its sequence of bead types."""
    kinds = [topology.species[kind] for kind in topology.types]
    bounds = [0, *(np.flatnonzero(np.diff(topology.molecules)) + 1).tolist(), topology.n]
    by_beads = {tuple(bead.type for bead in rule.beads): rule for rule in rules.molecules}
    found = []
    for first, last in pairwise(bounds):
        rule = by_beads.get(tuple(kinds[first:last]))
        if rule is not None:
            found.append((first, rule))
        elif last - first > 1:
            raise InputError(
                f"{settings.path}: a molecule has the beads {' '.join(kinds[first:last][:10])}, which no molecule of "
                f"{Path(rules.source).name} has"
            )
    if found:
        return found
    # A file that knows of no bonds has beads one after another.
    if len(rules.molecules) == 1:
        rule = rules.molecules[0]
        size = len(rule.beads)
        if topology.n % size == 0 and kinds == [bead.type for bead in rule.beads] * (topology.n // size):
            return [(first, rule) for first in range(0, topology.n, size)]
    raise InputError(
        f"{settings.path}: the beads of the simulation are not those of {Path(rules.source).name}"
    )


def _sections(
    settings: Settings, topology: Topology, names: dict[tuple[str, str], Interaction]
) -> dict[Interaction, BondedSection]:
    """Return the section of each bonded interaction that the settings name."""
    found = {}
    for section in settings.bonded:
        fits = [one for (_, label), one in names.items() if label == section.name]
        fits = fits or [one for one in topology.terms if section.name in (str(one), one.label)]
        if len(fits) != 1:
            known = ", ".join(label for _, label in names) or ", ".join(map(str, topology.terms))
            raise InputError(
                f"{settings.path}: the bonded interaction {section.name} is {len(fits) or 'none'} of those that the "
                f"mapping or the topology has ({known})"
            )
        found[fits[0]] = section
    return found


Terms = tuple[
    dict[Interaction, Distribution], dict[Interaction, BondedPotential], list[Interaction], list[str]
]


def _terms(settings: Settings, sections: dict[Interaction, BondedSection]) -> Terms:
    """Return targets, start potentials, those that are held, and notes, of all sections."""
    distributions, potentials, held, notes = {}, {}, [], []
    for one, section in sections.items():
        table = settings.folder / f"{section.name}.pot.in"
        start = read_bonded_potential(table, one.coordinate, units=NM_KJ) if table.is_file() else None
        if section.target is None and start is None:
            raise InputError(
                f"{settings.path}: the bonded interaction {section.name} has neither inverse.target nor {table.name}"
            )
        if section.target is not None:
            if not section.target.is_file():
                raise InputError(f"{settings.path}: the target {section.target} of {section.name} is absent")
            curve = read_distribution(section.target, one.coordinate, units=NM_KJ)
            distributions[one] = curve
            start = start or COORDINATES[one.coordinate].invert(curve, settings.kT)
        if start is not None:
            potentials[one] = ended_where_high(start, settings.kT)
        if not section.refined and section.target is not None:
            held.append(one)
            notes.append(
                f"{section.name} keeps its potential, and its distribution does not count for convergence"
            )
        elif section.in_turns:
            notes.append(f"{section.name} is refined in every simulation, not in turns")
    return distributions, potentials, held, notes


def _tables(
    settings: Settings, topology: Topology, lacking: list[Interaction]
) -> list[tuple[Interaction, BondedPotential]]:
    """Return the potentials of bonded interactions that the settings do not name: tables of GROMACS."""
    found: list[tuple[Interaction, BondedPotential]] = []
    top = settings.folder / settings.program_option("topol_in", "topol.top")
    molecules = gromacs_molecules(top) if settings.program == "gromacs" else {}
    for one in lacking:
        kinds = {
            (number, molecule.factors[kind, members])
            for molecule in molecules.values()
            for (kind, members), number in molecule.tables.items()
            if kind == one.coordinate and one in _interactions(kind, members, molecule.types, one.label)
        }
        if len(kinds) != 1:
            raise InputError(
                f"{settings.path}: {one} has no <bonded> section, and "
                + ("no table of GROMACS" if not kinds else "several tables of GROMACS")
                + f" in {top.name}; give it a section with a target, or NAME.pot.in"
            )
        number, factor = kinds.pop()
        name = f"table_{one.coordinate[0]}{number}.xvg"
        table = read_gromacs_bonded(settings.file(name, "the table"), one.coordinate, factor)
        found.append((one, ended_where_high(table, settings.kT)))
    return found


def _interactions(
    kind: str, members: tuple[int, ...], types: list[str], label: str
) -> tuple[Interaction, ...]:
    if max(members) >= len(types):
        return ()
    bare = Interaction(kind, tuple(types[bead] for bead in members))
    return (bare, replace(bare, label=label))


def _counted(topology: Topology, rules: MappingRules) -> str:
    """Return what csg_stat leaves out with a mapping: pairs that share a bonded interaction, as a rule."""
    shared = [
        members[:, [a, b]]
        for members in topology.terms.values()
        for a in range(members.shape[1])
        for b in range(a + 1, members.shape[1])
    ]
    listed = topology.excluding("listed", np.concatenate(shared) if shared else None).listed
    for word in ("molecule", "none", "1-2", "1-3", "1-4"):
        if np.array_equal(topology.excluded(word), listed):
            return word
    raise InputError(
        f"csg_stat leaves out the pairs that share a bonded interaction of {Path(rules.source).name}, and these are "
        "not those up to so many bonds apart; name all bonds, angles and dihedrals in the mapping"
    )
