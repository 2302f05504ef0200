"""``cg-init guess``: the guess and its tables."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.groups import given_options, refuse_options, with_groups
from cginit.cli.guess_facts import describe
from cginit.cli.guess_problem import GuessOptions, default_tables, read_problem, write_tables
from cginit.cli.options import Out, OutUnits, Plot
from cginit.cli.progress import waiting
from cginit.cli.refinement import say_tables, start_of_system, write_potentials
from cginit.cli.voice import voice
from cginit.errors import InputError
from cginit.guess import DEFAULT_METHOD, guess

__all__ = ["OptionalSystem", "nothing_beside", "propose", "propose_tables"]


OptionalSystem = Annotated[
    Path | None,
    typer.Argument(metavar="[SYSTEM]", help="TOML file of a mixture or of several states, instead of --rdf."),
]


def guess_command(
    context: typer.Context,
    target: GuessOptions,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SYSTEM]",
            help="TOML file of a mixture or of several states, instead of --rdf; or more targets behind that of "
            "--rdf (as of --rdf *.dat), each a liquid of its own.",
        ),
    ] = None,
    out: Out = None,
    out_units: OutUnits = None,
    plot: Plot = None,
) -> None:
    """Guess the pair potential U(r) from a target g(r) and write its tables.

    Density, temperature and units come from the options or from the header of the target. Of a SYSTEM file, the
    potentials of all pairs are guessed; of several targets behind --rdf, that of each.
    """
    if not files:
        propose(target, out=out or [], out_units=out_units, plot=plot)
    elif target.rdf is not None and all(file.suffix != ".toml" for file in files):
        from cginit.cli.guess_many import propose_many

        propose_many([target.rdf, *files], target, out=out or [], out_units=out_units, plot=plot)
    elif len(files) > 1:
        raise InputError(
            f"{len(files)} files are given; give one SYSTEM file, or several targets behind --rdf"
        )
    else:
        _guess_file(context, files[0], target, out, out_units, plot)


propose_tables = with_groups(guess_command)


def propose(
    options: GuessOptions, *, out: list[Path], out_units: str | None, plot: Path | None = None
) -> None:
    """Read, guess, write the tables, and say what was done."""
    problem = read_problem(options)
    with waiting("guessing the potential"):
        potential = guess(problem.target, problem.state, options.method or DEFAULT_METHOD, problem.r_cut)
    describe(problem, potential)
    paths = write_tables(potential, out or default_tables(options.file), out_units)
    say_tables(paths)
    if plot is not None:
        from cginit.report.guess import guess_figure

        voice().file(guess_figure(problem.target, problem.state, potential, plot))


def _guess_file(
    context: typer.Context,
    file: Path,
    options: GuessOptions,
    out: list[Path] | None,
    out_units: str | None,
    plot: Path | None,
) -> None:
    """Guess the potentials of the file of a system and write their tables: ``cg-init guess SYSTEM``.

    Raises
    ------
    InputError
        If an option stands beside the file that it decides.
    """
    if options.rdf is not None:
        raise InputError(f"give one target: --rdf, or the file {file}")
    if plot is not None:
        raise InputError("--plot draws the guess for one --rdf; of a system, refine and use cg-init report")
    nothing_beside(context, file)
    _, targets, potentials = start_of_system(file, options.method, options.cutoff, out, None)
    write_potentials(potentials, out, Path(), kT=targets[0].kT, out_units=out_units)


def nothing_beside(context: typer.Context, system: Path) -> None:
    """Refuse options that say what the file of a system says.

    Raises
    ------
    InputError
        If the user wrote one.
    """
    from cginit.cli.system import refuse_curve

    refuse_curve(system)
    stated = [item.name for item in fields(GuessOptions) if item.name not in ("rdf", "method", "cutoff")]
    given = given_options(context)
    refuse_options([name for name in (*stated, "potential") if name in given], f"{system}, which states it")
