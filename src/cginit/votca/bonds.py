"""Whether the simulation of a settings file has bonds, which a refinement here would leave out."""

from __future__ import annotations

import re
from pathlib import Path

from cginit.errors import InputError
from cginit.votca.script import read_lammps_script
from cginit.votca.settings import Settings

__all__ = ["refuse_bonds"]

#: Sections of a GROMACS topology that hold the beads of a molecule together.
BONDED = ("bonds", "constraints", "settles", "angles", "dihedrals")
#: How deep files may include each other.
MAX_DEPTH = 10


def refuse_bonds(settings: Settings) -> None:
    """Refuse settings whose molecules have several beads: bonds stand in the topology, not in the settings file.

    csg_inverse simulates them; here every bead is a molecule, and the potentials would be those of another liquid.

    Raises
    ------
    InputError
        If the GROMACS topology or the LAMMPS data file has bonds.
    """
    found = None
    if settings.program == "gromacs":
        found = _gromacs(settings.folder / settings.program_option("topol_in", "topol.top"))
    elif settings.program == "lammps":
        found = _lammps(settings)
    if found is not None:
        raise InputError(
            f"{settings.path} cannot be run here: {found}. Every bead is a molecule of its own here, and without its "
            "bonds this would be another liquid"
        )


def _gromacs(path: Path) -> str | None:
    """Return what of a topology is bonded, of the molecules that it has."""
    directive, molecule = "", ""
    bonded: dict[str, str] = {}
    present = set()
    for line in _lines(path):
        heading = re.fullmatch(r"\[\s*(\w+)\s*\]", line)
        if heading is not None:
            directive = heading[1].lower()
        elif directive == "moleculetype":
            molecule = line.split()[0]
        elif directive == "molecules":
            present.add(line.split()[0])
        elif directive in BONDED:
            bonded.setdefault(molecule, directive)
    for name in sorted(present & set(bonded)):
        return f"the molecule {name} of {path.name} has {bonded[name]}"
    return None


def _lines(path: Path, depth: int = 0) -> list[str]:
    """Return the lines of a topology without comments, with those of the included files that lie beside it."""
    if not path.is_file() or depth > MAX_DEPTH:
        return []
    found: list[str] = []
    for raw in path.read_text(errors="replace").splitlines():
        line = raw.split(";")[0].strip()
        included = re.match(r'#\s*include\s+["<](.+)[">]', line)
        if included is not None:
            found += _lines(path.parent / included[1], depth + 1)
        elif line and not line.startswith("#"):
            found.append(line)
    return found


def _lammps(settings: Settings) -> str | None:
    """Return how many bonds the data file has."""
    names = [settings.program_option("topol")]
    script = settings.program_option("script")
    if script and (settings.folder / script).is_file():
        names.append(read_lammps_script(settings.folder / script).data or "")
    for name in dict.fromkeys(filter(None, names)):
        path = settings.folder / name
        if not path.is_file():
            continue
        number = re.search(r"^\s*(\d+)\s+bonds\s*(#.*)?$", path.read_text(errors="replace"), re.MULTILINE)
        if number is not None and int(number[1]) > 0:
            return f"{name} has {number[1]} bonds"
    return None
