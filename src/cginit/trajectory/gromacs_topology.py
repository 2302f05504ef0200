"""What MDAnalysis leaves out of a GROMACS topology: exclusions, and the numbers of bonded tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from cginit.errors import InputError

__all__ = ["GromacsMolecule", "gromacs_molecules"]

_SIZES = {
    "bonds": ("bond", 2),
    "angles": ("angle", 3),
    "dihedrals": ("dihedral", 4),
    "constraints": ("bond", 2),
}
#: Function types whose parameter is the number of a table.
TABULATED = ("8", "9")
#: Kinds of particles: atom, shell, virtual site (two letters).
PARTICLES = ("A", "S", "V", "D")
#: How deep files may include each other.
MAX_DEPTH = 10


@dataclass
class GromacsMolecule:
    """One ``[ moleculetype ]``, its atoms numbered from 0.

    Attributes
    ----------
    nrexcl : int
        Pairs up to so many bonds apart feel no pair potential.
    groups : list of (str, tuple of int)
        Bonds, angles and dihedrals.
    tables : dict
        Number of the table of each tabulated group.
    factors : dict
        Factor of the table of each of these.
    exclusions : list of (int, int)
        More pairs that feel none.
    types : list of str
        Type of each atom.
    masses : list of float or None
        Mass of each atom in g/mol, or that of its type; None where neither is stated.
    charges : list of float
        Charge of each atom in e, or that of its type.
    """

    nrexcl: int
    groups: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    tables: dict[tuple[str, tuple[int, ...]], int] = field(default_factory=dict)
    factors: dict[tuple[str, tuple[int, ...]], float] = field(default_factory=dict)
    exclusions: list[tuple[int, int]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    masses: list[float | None] = field(default_factory=list)
    charges: list[float] = field(default_factory=list)


def gromacs_molecules(path: Path) -> dict[str, GromacsMolecule]:
    """Read the molecule types of a topology and of the files that it includes and that lie beside it.

    Raises
    ------
    InputError
        If a line is not what its section asks for.
    """
    found: dict[str, GromacsMolecule] = {}
    of_types: dict[str, tuple[float, float]] = {}
    section, molecule = "", None
    for where, line in topology_lines(path):
        heading = re.fullmatch(r"\[\s*(\w+)\s*\]", line)
        words = line.split()
        if heading is not None:
            section = heading[1].lower()
            if section.startswith("virtual_sites"):
                raise InputError(
                    f"{where}: [ {section} ] places beads by others, which no engine does here; they would move "
                    "freely. Leave them out of the topology, or map them (a mapping file)"
                )
            continue
        try:
            if section == "moleculetype":
                molecule = found.setdefault(words[0], GromacsMolecule(int(words[1])))
            elif section == "atoms" and molecule is not None:
                molecule.types.append(words[1])
                mass, charge = of_types.get(words[1], (None, 0.0))
                molecule.masses.append(float(words[7]) if len(words) > 7 else mass)
                molecule.charges.append(float(words[6]) if len(words) > 6 else charge)
            elif section == "atomtypes":
                # Behind the name may stand one of bonds and a number; the letter of the kind of particle does always.
                kind = next(place for place, word in enumerate(words) if place > 2 and word in PARTICLES)
                of_types[words[0]] = float(words[kind - 2]), float(words[kind - 1])
            elif section in _SIZES and molecule is not None:
                _add(molecule, section, words)
            elif section == "exclusions" and molecule is not None:
                first, *others = (int(word) - 1 for word in words)
                molecule.exclusions += [(first, other) for other in others]
        except (ValueError, IndexError, StopIteration):
            raise InputError(f"{where}: {line!r} does not belong into the section [ {section} ]") from None
    return found


def _add(molecule: GromacsMolecule, section: str, words: list[str]) -> None:
    kind, size = _SIZES[section]
    local = tuple(int(word) - 1 for word in words[:size])
    group = (kind, min(local, local[::-1]))
    molecule.groups.append(group)
    if len(words) > size + 1 and words[size] in TABULATED and section != "constraints":
        molecule.tables[group] = int(words[size + 1])
        molecule.factors[group] = float(words[size + 2]) if len(words) > size + 2 else 1.0


def topology_lines(path: Path, depth: int = 0) -> list[tuple[str, str]]:
    """Return the lines without comments, those of included files in their place, each with the place where it stands.

    ``#ifdef`` branches are all read; an included file that is not there is none.
    """
    if not path.is_file() or depth > MAX_DEPTH:
        return []
    found = []
    for number, raw in enumerate(path.read_text(errors="replace").splitlines(), 1):
        line = raw.split(";")[0].strip()
        included = re.match(r'#\s*include\s+["<](.+)[">]', line)
        if included is not None:
            found += topology_lines(path.parent / included[1], depth + 1)
        elif line and not line.startswith("#"):
            found.append((f"{path}, line {number}", line))
    return found
