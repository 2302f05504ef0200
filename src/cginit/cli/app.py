"""The application: its commands, and how errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from cginit._version import __version__
from cginit.atomic import keep_backups
from cginit.cli.command import Application
from cginit.cli.commands import Commands
from cginit.cli.failures import INTERRUPTED, exit_code, words
from cginit.cli.groups import given_options, with_groups
from cginit.cli.guess import GuessOptions, propose
from cginit.cli.options import Out, OutUnits, Plot
from cginit.cli.voice import speaking, voice
from cginit.errors import CGInitError, InputError

__all__ = ["app", "main"]


class Program(Commands):
    """All commands: results that they replace are kept, and an interrupt says what is kept of their work."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line with a voice of its own."""
        with speaking(list(sys.argv[1:] if args is None else args)):
            return super().main(args, prog_name, complete_var, standalone_mode, windows_expand_args, **extra)

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """Parse the options of the program; what is wrong with them belongs into the JSON document, too."""
        with _misuse_kept():
            words = [
                str(word).partition("=")[0] for part in arguments if isinstance(part, list) for word in part
            ]
            if words.count("--rdf") > 1:
                # The parser would take the last one without a word.
                raise typer.BadParameter(
                    "--rdf is given more than once; a mixture or several states stand in the file of a system: "
                    "cg-init guess SYSTEM.toml"
                )
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with keep_backups() as backups, _misuse_kept():
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
                    voice().notes.append(f"{old} was there before; it is kept as {kept}")
                    typer.echo(voice().notes[-1], err=True)


@contextmanager
def _misuse_kept() -> Iterator[None]:
    """Keep the words of the parser, which prints them itself and then only passes an exit code on."""
    try:
        yield
    except Exception as error:
        # Typer's own exceptions have this method; some versions bring a Click of their own, others do not.
        if hasattr(error, "format_message"):
            voice().misuse = str(error.format_message())
        raise


app = Application(
    cls=Program,
    no_args_is_help=True,
    add_completion=True,
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
    plot: Plot = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Print the version and exit.",
            rich_help_panel="Output",
        ),
    ] = False,
) -> None:
    """From a target g(r) to a pair potential U(r): the guess, its refinement, and the tables.

    Without a command, cg-init --rdf FILE does what cg-init guess does.
    """
    if context.invoked_subcommand is not None:
        _nothing_before(context)
        return
    if target.rdf is None:
        raise typer.BadParameter("give the target g(r): --rdf FILE", param_hint="--rdf")
    propose(target, out=out or [], out_units=out_units, plot=plot)


def _nothing_before(context: typer.Context) -> None:
    """Refuse options of a guess before the name of another command, which would not see them."""
    for name in given_options(context):
        option = "--" + name.replace("_", "-")
        raise InputError(f"{option} stands before {context.invoked_subcommand}; write it behind the command")


app.callback(invoke_without_command=True, epilog="Each command has help of its own: cg-init refine --help")(
    with_groups(start)
)


def main() -> None:
    """Run the command line; errors of the package and of the system end with a message and its exit code."""
    try:
        app(prog_name="cg-init")
    except BrokenPipeError:
        # The reader of a pipe (head, less) is gone; what it wanted to see it has seen.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (CGInitError, OSError, MemoryError) as error:
        typer.secho(f"cg-init: {words(error)}", err=True, fg=typer.colors.RED)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
