"""The application: its commands, and how errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cginit._version import __version__
from cginit.cli.commands import Commands
from cginit.cli.guess import GuessOptions, propose
from cginit.cli.options import (
    Clean,
    Cutoff,
    Density,
    Kt,
    Method,
    OptionalRdf,
    Out,
    OutUnits,
    Quiet,
    TargetBeads,
    Temperature,
    Units,
)
from cginit.errors import CGInitError, ConvergenceError, EngineError
from cginit.guess import DEFAULT_METHOD

__all__ = ["app", "main"]

USAGE, NOT_CONVERGED, ENGINE_FAILED = 2, 3, 4

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"cg-init {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True, epilog="Commands have help of their own: cg-init refine --help")
def start(
    context: typer.Context,
    rdf: OptionalRdf = None,
    density: Density = None,
    temperature: Temperature = None,
    kT: Kt = None,
    units: Units = None,
    method: Method = DEFAULT_METHOD,
    cutoff: Cutoff = None,
    out: Out = None,
    out_units: OutUnits = None,
    clean: Clean = False,
    target_beads: TargetBeads = None,
    quiet: Quiet = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From a target g(r) to a pair potential U(r): the guess, its refinement, and the tables.

    [bold]cg-init --rdf target.dat --density 33.28 --temperature 300 --units nm-kJ/mol --out CG-CG.pot[/bold]
    """
    if context.invoked_subcommand is not None:
        return
    if rdf is None:
        raise typer.BadParameter("give the target g(r): --rdf FILE", param_hint="--rdf")
    propose(
        GuessOptions(
            rdf=rdf,
            density=density,
            temperature=temperature,
            kT=kT,
            units=units,
            method=method,
            cutoff=cutoff,
            clean=clean,
            target_beads=target_beads,
        ),
        out=out or [],
        out_units=out_units,
        quiet=quiet,
    )


def main() -> None:
    """Run the command line; errors of the package end with a message and its exit code."""
    try:
        app()
    except EngineError as error:
        _fail(error, ENGINE_FAILED)
    except ConvergenceError as error:
        _fail(error, NOT_CONVERGED)
    except CGInitError as error:
        _fail(error, USAGE)
    except BrokenPipeError:
        # The reader of a pipe (head, less) is gone; what it wanted to see it has seen.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: Exception, code: int) -> None:
    typer.secho(f"cg-init: {error}", err=True, fg=typer.colors.RED)
    sys.exit(code)
