"""``cg-init export``: a refined model as a folder that another program runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.voice import voice
from cginit.errors import InputError

__all__ = ["export"]


def export(
    workdir: Annotated[Path, typer.Argument(metavar="DIR", help="The --workdir of a refinement.")],
    program: Annotated[str, typer.Option("--for", help="lammps, hoomd or openmm.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to write. Default: DIR/PROGRAM.")
    ] = None,
    mass: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A=M",
            help="Mass of a bead type in g/mol (in lj units in theirs); again for each type. Default: that of the "
            "topology, else 72 (in lj units 1).",
        ),
    ] = None,
    state: Annotated[
        int, typer.Option(min=1, help="Which of several states, from 1: its kT and its configuration.")
    ] = 1,
) -> None:
    """Write the best potentials of a refinement and its last configuration as a folder that a program runs as it is.

    Tables, data file or GSD, input script, and a README of three lines.
    """
    from cginit.export import DEFAULT_MASS, PROGRAMS, Model, export_model
    from cginit.interactions import Interactions
    from cginit.refine import open_refinement

    opened = open_refinement(workdir)
    if state > len(opened.targets):
        raise InputError(f"{workdir} has {len(opened.targets)} states, no state {state}")
    record = opened.rounds[opened.best][state - 1]
    target = opened.targets[state - 1]
    acting = {name: opened.potentials[name] for name in target.interactions if name in opened.potentials}
    model = Model(Interactions(acting), record.final, target.kT, _masses(mass or []))
    folder = out if out is not None else workdir / program
    files = export_model(model, program, folder, source=f"{workdir.name}, iteration {opened.best}")
    for file in files:
        voice().file(file)
    voice().line(f"run       cd {folder} && {PROGRAMS[program].run}")
    if model.assumed and not model.units.is_reduced:
        voice().note(
            f"the mass of {', '.join(model.assumed)} is not known and taken as {DEFAULT_MASS:g} g/mol, which no "
            f"structure depends on; --mass {model.assumed[0]}=M sets another"
        )


def _masses(given: list[str]) -> dict[str, float]:
    found = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise InputError(f"--mass {text} is not the name of a bead type, = and a number") from None
    return found
