"""The components of a mixture in settings of csg_inverse: which beads they are, and how many."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.errors import InputError
from cginit.units import NM_KJ
from cginit.votca.script import pair_files
from cginit.votca.settings import PairSection, Settings
from cginit.votca.target import topology

Pair = tuple[str, str]

__all__ = ["by_pair", "densities_of", "lammps_names", "mass_rows", "typed_start"]


def by_pair(settings: Settings) -> dict[Pair, PairSection]:
    """Return the interaction of each pair of components, in the order of the components.

    Raises
    ------
    InputError
        If a pair has no interaction or two, or a bead type is a pattern.
    """
    where = {(item.type1, item.type2): item for item in settings.interactions}
    components = settings.components
    patterns = [name for name in components if set("*?[") & set(name)]
    if patterns:
        raise InputError(f"{settings.path}: the bead type {patterns[0]} is a pattern; name the type itself")
    found: dict[Pair, PairSection] = {}
    for a, b in combinations_with_replacement(components, 2):
        item = where.get((a, b), where.get((b, a)))
        if item is None:
            raise InputError(
                f"{settings.path} has no <non-bonded> interaction of {a} and {b}; a mixture of "
                f"{', '.join(components)} is run with all its pairs"
            )
        found[a, b] = item
    if len(found) != len(settings.interactions):
        raise InputError(f"{settings.path} has two <non-bonded> interactions of the same pair of types")
    return found


def densities_of(settings: Settings, start: Configuration | None) -> tuple[dict[str, float], str]:
    """Return the number density of each component in nm^-3, and where it comes from.

    It is, in this order, ``cginit.density`` (one number a component), ``particle_dens`` of the interactions of like
    beads, ``iie.densities``, or the number of beads over the volume of the start configuration.

    Raises
    ------
    InputError
        If nothing states them.
    """
    names = settings.components
    stated = _listed(settings, "cginit.density")
    if stated is not None:
        return stated, f"cginit.density of {settings.path.name}"
    like = {pair[0]: item.density for pair, item in by_pair(settings).items() if pair[0] == pair[1]}
    known = {name: value for name, value in like.items() if value is not None}
    if len(known) == len(names):
        return known, f"particle_dens of {settings.path.name}"
    stated = _listed(settings, "iie.densities")
    if stated is not None:
        return stated, f"iie.densities of {settings.path.name}"
    if start is None:
        raise InputError(
            f"the number densities of {', '.join(names)} are stated neither in {settings.path} nor by a data file or "
            "a configuration with their names; give each in nm^-3: <particle_dens> below <non-bonded><inverse> of "
            "the interactions of like beads"
        )
    volume = float(np.prod(start.box))
    counts = np.bincount(start.types, minlength=len(names))
    return {
        name: float(count / volume) for name, count in zip(names, counts, strict=True)
    }, "the start configuration"


def _listed(settings: Settings, path: str) -> dict[str, float] | None:
    text = settings.option(path)
    if not text:
        return None
    words, names = text.split(), settings.components
    try:
        values = [float(word) for word in words]
    except ValueError:
        raise InputError(f"{settings.path}: cg.inverse.{path} is {text!r}, not numbers") from None
    if len(values) != len(names) or min(values) <= 0.0:
        raise InputError(
            f"{settings.path}: cg.inverse.{path} is {text!r}; it must hold one positive density for each of "
            f"{', '.join(names)}, in this order"
        )
    return dict(zip(names, values, strict=True))


def typed_start(settings: Settings) -> tuple[Configuration | None, str]:
    """Return the beads of the topology with their components as species, None without their names; and a sentence."""
    from cginit.trajectory import read_configuration

    found = topology(settings)
    if found is None:
        return None, "the first simulation starts from a random configuration made here"
    path, units = found
    names = lammps_names(settings, path) if units is not None else _atom_names(path, settings.components)
    if names is None:
        return None, (
            f"{path.name} does not say which beads are {', '.join(settings.components)} (pair_coeff of the script, "
            "comments of its masses, or names of atoms); the first simulation starts from a random configuration"
        )
    whole = read_configuration(path, units=units).to(NM_KJ)
    order = settings.components
    beads = [names[whole.species[kind]] for kind in whole.types] if isinstance(names, dict) else names
    types = np.array([order.index(name) for name in beads], dtype=np.int64)
    return replace(whole, types=types, species=order), f"start configuration: {path.name}"


def mass_rows(path: Path) -> list[tuple[list[str], str]]:
    """Return the rows of the section Masses of a LAMMPS data file: their words, and the comment behind them."""
    lines = [line.partition("#") for line in path.read_text(errors="replace").splitlines()]
    parts = [(words.split(), comment.strip()) for words, _, comment in lines]
    heads = [index for index, (words, _) in enumerate(parts) if words == ["Masses"]]
    rows = []
    for words, comment in parts[heads[0] + 1 :] if heads else []:
        if words and not words[0].isdigit():
            break
        if len(words) > 1:
            rows.append((words, comment))
    return rows


def lammps_names(settings: Settings, path: Path) -> dict[str, str] | None:
    """Return the component of each numbered type: by the table that the script gives it, or a comment."""
    tables = {
        table: pair[0]
        for pair, item in by_pair(settings).items()
        if pair[0] == pair[1]
        for table in (
            *item.words("lammps.table"),
            *item.words("table"),
            f"{item.name}.table",
            f"{item.name}.pot",
        )
    }
    script = settings.program_option("script")
    if script and (settings.folder / script).is_file():
        files = pair_files(settings.folder / script)
        named = {
            str(i): tables[word]
            for (i, j), words in files.items()
            if i == j
            for word in words
            if word in tables
        }
        if set(named.values()) == set(settings.components):
            return named
    commented = {words[0]: comment for words, comment in mass_rows(path)}
    return commented if set(commented.values()) == set(settings.components) else None


def _atom_names(path: Path, components: tuple[str, ...]) -> list[str] | None:
    """Return the component of each atom of a configuration, by the name of the atom or of its residue."""
    from cginit.trajectory.files import open_universe

    with open_universe(path, None) as universe:
        for names in (universe.atoms.names, universe.atoms.resnames):
            if set(map(str, names)) == set(components):
                return [str(name) for name in names]
    return None
