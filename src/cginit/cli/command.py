"""What all commands have in common: ``--quiet``, ``--verbose``, ``--json``, ``--help-all``, names of before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from cginit.cli.old_names import MOVED, renamed
from cginit.cli.voice import voice
from cginit.errors import InputError

__all__ = ["Application", "Command", "Group"]

#: Panel of the options that every command has.
OUTPUT = "Output"
#: The program whose commands and options have had other names.
CG_INIT = "cg-init"
#: Key in the context of a command that is to show all of its options.
HELP_ALL = "cginit.help_all"


def _quiet(context: Any, option: Any, value: bool) -> None:
    if value and not context.resilient_parsing:
        voice().quiet = True


def _verbose(context: Any, option: Any, value: bool) -> None:
    if value and not context.resilient_parsing and not voice().verbose:
        voice().explain()


def _json(context: Any, option: Any, value: bool) -> None:
    if value and not context.resilient_parsing:
        voice().as_json = True


def _help_all(context: Any, option: Any, value: bool) -> None:
    if value and not context.resilient_parsing:
        context.meta[HELP_ALL] = True
        typer.echo(context.get_help(), color=context.color)
        context.exit()


def _shared() -> list[TyperOption]:
    """Return the options that every command has."""

    def flag(names: list[str], call: Callable[[Any, Any, bool], None], text: str) -> TyperOption:
        return TyperOption(
            param_decls=names,
            is_flag=True,
            default=False,
            expose_value=False,
            # Before all others, whose callbacks may speak already.
            is_eager=True,
            callback=call,
            help=text,
            show_default=False,
            rich_help_panel=OUTPUT,
        )

    return [
        flag(["-q", "--quiet"], _quiet, "Print the files written or the one answer, and no progress."),
        flag(["-v", "--verbose"], _verbose, "Also say what is decided, and how long it takes."),
        flag(["--json"], _json, "Print one JSON document, with the same keys for every command."),
        flag(["--help-all"], _help_all, "Show all options and exit."),
    ]


class _Common:
    """The part that commands and groups of commands share; before Typer's class in the order of bases."""

    params: list[Any]

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params = [*self.params, *_shared()]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands after the name of the command, names of before included."""
        spoken = voice()
        path = _path(ctx)
        spoken.command = " ".join([_program(ctx), *path])
        args, notes = renamed(" ".join(path), args) if _program(ctx) == CG_INIT else (args, [])
        found: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        # Only now it is known how loud it is to be.
        for note in notes:
            spoken.warn(note)
        return found

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help: what people need, or all of it after ``--help-all``."""
        from cginit.cli.help import write_help

        write_help(self, ctx, formatter, _program(ctx), " ".join(_path(ctx)), whole=HELP_ALL in ctx.meta)


def _program(ctx: Any) -> str:
    """Return the name of the program whose command this is."""
    return str(getattr(ctx.find_root().command, "program", CG_INIT))


def _path(ctx: Any) -> list[str]:
    """Return the names of the command without that of the program."""
    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, ctx.command.name or ctx.info_name)
        ctx = ctx.parent
    return names


class Command(_Common, TyperCommand):
    """One command."""


class Group(_Common, TyperGroup):
    """A command that has commands of its own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that is called; of one that another program has now, say where it is.

        Raises
        ------
        InputError
            If it is in another program.
        """
        for length in (2, 1):
            name = " ".join([*_path(ctx), *args[:length]])
            if name in MOVED and _program(ctx) == CG_INIT:
                raise InputError(f"{CG_INIT} {name} is {MOVED[name]}")
        found: tuple[str | None, Any, list[str]] = super().resolve_command(ctx, args)
        return found


class Application(typer.Typer):
    """An application of Typer whose commands are `Command` and whose groups are `Group`."""

    def __init__(self, **settings: Any) -> None:
        # Without markup: what stands in brackets is meant.
        common = {"cls": Group, "add_completion": False, "rich_markup_mode": None}
        super().__init__(**{**common, "pretty_exceptions_enable": False, **settings})

    def command(  # type: ignore[override]
        self, name: str | None = None, **settings: Any
    ) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Return the decorator of a function that is a command."""
        return super().command(name, **{"cls": Command, **settings})
