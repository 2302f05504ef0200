"""The application: its commands, and what it does without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cginit._version import __version__
from cginit.cli.command import Application
from cginit.cli.commands import Commands
from cginit.cli.groups import given_options, with_groups
from cginit.cli.guess import propose
from cginit.cli.guess_problem import GuessOptions
from cginit.cli.options import Out, OutUnits, Plot
from cginit.cli.program import Program, misuse_kept, run
from cginit.cli.voice import voice
from cginit.errors import InputError

__all__ = ["app", "main"]


class CgInit(Program, Commands):
    """The program ``cg-init``."""

    program = "cg-init"

    @property
    def examples(self) -> Mapping[str, tuple[str, ...]]:
        """The examples of its help."""
        from cginit.cli.examples import EXAMPLES

        return EXAMPLES

    @property
    def first(self) -> Mapping[str, tuple[str, ...]]:
        """What its short help shows."""
        from cginit.cli.help import FIRST

        return FIRST

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """Parse the options of the program; a second target, of which the parser would take the last, is refused."""
        with misuse_kept():
            words = [
                str(word).partition("=")[0] for part in arguments if isinstance(part, list) for word in part
            ]
            if words.count("--rdf") > 1:
                raise typer.BadParameter(
                    "--rdf is given more than once; a mixture or several states stand in the file of a system: "
                    "cg-init guess SYSTEM.toml"
                )
        return super().make_context(*arguments, **settings)


app = Application(
    cls=CgInit,
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        voice().answer(f"cg-init {__version__}")
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
    """Run the command line; errors end with a message and an exit code."""
    run(app, CgInit.program)
