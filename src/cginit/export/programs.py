"""One entry for each program that a model is written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cginit.atomic import write_atomically
from cginit.errors import InputError
from cginit.export.hoomd import write_hoomd
from cginit.export.lammps import write_lammps
from cginit.export.model import Model
from cginit.export.openmm import write_openmm

__all__ = ["PROGRAMS", "Program", "export_model"]

#: Why a program has no entry.
REFUSED = {
    "gromacs": "GROMACS has run no tabulated potentials of pairs since 2020 (gmx grompp refuses them). The tables of "
    "an older one: cg-init convert A-A.pot A-A.xvg",
}


@dataclass(frozen=True)
class Program:
    """How a model is written for a program.

    Attributes
    ----------
    title : str
        Its name.
    write : callable
        Writes a model into a folder and returns the files.
    run : str
        The command that runs them.
    """

    title: str
    write: Callable[[Model, Path], list[Path]]
    run: str


PROGRAMS: Mapping[str, Program] = {
    "lammps": Program("LAMMPS", write_lammps, "lmp -in in.lammps"),
    "hoomd": Program("HOOMD-blue", write_hoomd, "python run.py"),
    "openmm": Program("OpenMM", write_openmm, "python run.py"),
}

_README = """{title}: run `{run}` in this folder, for so many steps with {steps}.
Written by cginit: kT = {kT:.6g} {energy}, {beads} beads, masses {masses} ({mass}; no structure depends on them).
The tables are those of {source}; the start is where its simulation ended.
"""


def export_model(model: Model, program: str, folder: Path, *, source: str = "a refinement") -> list[Path]:
    """Write a folder that a program runs as it is: tables, start, input script and a README of three lines.

    Parameters
    ----------
    model : Model
    program : {"lammps", "hoomd", "openmm"}
    folder : Path
        Is made.
    source : str
        Where the model comes from, for the README.

    Returns
    -------
    list of Path
        The files written; the README last.

    Raises
    ------
    InputError
        If the program is unknown or cannot run the model.
    """
    if program not in PROGRAMS:
        raise InputError(
            REFUSED.get(
                program, f"{program!r} is no program that is written for; those are {', '.join(PROGRAMS)}"
            )
        )
    one = PROGRAMS[program]
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        files = one.write(model, folder)
    except InputError:
        # What a program cannot run leaves nothing; a folder that holds files stays.
        if new and not any(folder.iterdir()):
            folder.rmdir()
        raise
    text = _README.format(
        title=one.title,
        run=one.run,
        steps="-var steps N" if program == "lammps" else "a number behind it",
        kT=model.kT,
        energy=model.units.energy,
        beads=model.start.n,
        masses=", ".join(f"{name} {mass:g}" for name, mass in model.masses.items()),
        mass=("reduced" if model.units.is_reduced else "g/mol")
        + (f", assumed of {', '.join(model.assumed)}" if model.assumed else ""),
        source=source,
    )
    return [*files, write_atomically(folder / "README", text)]
