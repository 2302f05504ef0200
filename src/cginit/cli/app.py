"""The application: its commands, and how errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from cginit._version import __version__
from cginit.atomic import keep_backups
from cginit.cli.commands import Commands
from cginit.cli.groups import with_groups
from cginit.cli.guess import GuessOptions, propose
from cginit.cli.options import Out, OutUnits, Quiet
from cginit.errors import CGInitError, ConvergenceError, EngineError, StorageError, in_words

__all__ = ["app", "main"]

#: A failing disk or too little memory is a failure of the machine, as that of an engine is.
USAGE, NOT_CONVERGED, MACHINE_FAILED = 2, 3, 4
#: What a shell returns for a program that Ctrl-C ended.
INTERRUPTED = 130


class Program(Commands):
    """All commands: results that they replace are kept, and an interrupt says what is kept of their work."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with keep_backups() as backups:
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt as interrupt:
                # The program of the parser would make an exit code of 1 of it.
                for note in dict.fromkeys(getattr(interrupt, "__notes__", ())) or ("",):
                    text = f"cg-init: interrupted{note and '; '}{note}"
                    typer.secho(text, err=True, fg=typer.colors.RED)
                raise typer.Exit(INTERRUPTED) from None
            finally:
                for old, kept in backups:
                    typer.echo(f"{old} was there before; it is kept as {kept}", err=True)


app = typer.Typer(
    cls=Program,
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


def start(
    context: typer.Context,
    target: GuessOptions,
    out: Out = None,
    out_units: OutUnits = None,
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
    if target.rdf is None:
        raise typer.BadParameter("give the target g(r): --rdf FILE", param_hint="--rdf")
    propose(target, out=out or [], out_units=out_units, quiet=quiet)


app.callback(invoke_without_command=True, epilog="Commands have help of their own: cg-init refine --help")(
    with_groups(start)
)


def main() -> None:
    """Run the command line; errors of the package and of the system end with a message and its exit code."""
    try:
        app()
    except (EngineError, StorageError) as error:
        _fail(error, MACHINE_FAILED)
    except ConvergenceError as error:
        _fail(error, NOT_CONVERGED)
    except CGInitError as error:
        _fail(error, USAGE)
    except BrokenPipeError:
        # The reader of a pipe (head, less) is gone; what it wanted to see it has seen.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        found = in_words(error)
        _fail(found, MACHINE_FAILED if isinstance(found, StorageError) else USAGE)
    except MemoryError as error:
        _fail(f"there is not enough memory ({error or 'out of memory'}); use smaller input", MACHINE_FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _fail(error: Exception | str, code: int) -> None:
    typer.secho(f"cg-init: {error}", err=True, fg=typer.colors.RED)
    sys.exit(code)
