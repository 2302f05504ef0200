"""Whether the simulation of a settings file has bonds: then its beads are molecules."""

from __future__ import annotations

import re
from pathlib import Path

from cginit.trajectory.gromacs_topology import topology_lines
from cginit.votca.script import read_lammps_script
from cginit.votca.settings import Settings

__all__ = ["bonded_in_simulation"]

#: Sections of a GROMACS topology that hold the beads of a molecule together.
BONDED = ("bonds", "constraints", "settles", "angles", "dihedrals")


def bonded_in_simulation(settings: Settings) -> str | None:
    """Return a sentence on the first bonds in the GROMACS topology or the LAMMPS data file; None without any.

    Bonds stand there, and not in the settings file unless they are refined.
    """
    if settings.program == "gromacs":
        return _gromacs(settings.folder / settings.program_option("topol_in", "topol.top"))
    return _lammps(settings) if settings.program == "lammps" else None


def _gromacs(path: Path) -> str | None:
    """Return what of a topology is bonded, of the molecules that it has."""
    directive, molecule = "", ""
    bonded: dict[str, str] = {}
    present = set()
    for _, line in topology_lines(path):
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
