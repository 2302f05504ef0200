"""A program of commands: its voice, what it does to files that are there, and how its errors become exit codes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import typer

from cginit.atomic import keep_backups, list_results
from cginit.cli.command import Group
from cginit.cli.failures import INTERRUPTED, exit_code, in_plain_words, words
from cginit.cli.voice import speaking, voice
from cginit.errors import CGInitError

__all__ = ["Program", "misuse_kept", "run"]


class Program(Group):
    """All commands of a program: results that they replace are kept; an interrupt says what is kept of their work.

    Attributes
    ----------
    program : str
        Its name, as a user types it.
    """

    program: ClassVar[str]

    @property
    def examples(self) -> Mapping[str, tuple[str, ...]]:
        """The examples of the help by command; "" is the program itself."""
        return {}

    @property
    def first(self) -> Mapping[str, tuple[str, ...]]:
        """The options that the short help of a long command shows, by command."""
        return {}

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
        with misuse_kept():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with keep_backups() as backups, list_results() as written, misuse_kept():
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt as interrupt:
                # The program of the parser would make an exit code of 1 of it.
                for note in dict.fromkeys(getattr(interrupt, "__notes__", ())) or (_left(written),):
                    text = f"{self.program}: interrupted; {note}"
                    typer.secho(text, err=True, fg=typer.colors.RED)
                raise typer.Exit(INTERRUPTED) from None
            finally:
                for old, kept in backups:
                    voice().notes.append(f"{old} was there before; it is kept as {kept}")
                    typer.echo(voice().notes[-1], err=True)


def _left(written: Sequence[Path]) -> str:
    """Return what an interrupted command leaves that keeps nothing of its work but results."""
    if not written:
        return "no result was written; run the same command again"
    return f"written before: {', '.join(dict.fromkeys(map(str, written)))}; run the same command again for the rest"


@contextmanager
def misuse_kept() -> Iterator[None]:
    """Keep the words of the parser, which prints them itself and then only passes an exit code on."""
    try:
        yield
    except Exception as error:
        # Typer's own exceptions have this method; some versions bring a Click of their own, others do not.
        if hasattr(error, "format_message"):
            said = getattr(error, "message", None)
            if isinstance(said, str):
                error.message = in_plain_words(said)  # type: ignore[attr-defined]
            voice().misuse = str(error.format_message())
        raise


def run(app: typer.Typer, name: str) -> None:
    """Run the command line; errors of the package and of the system end with a message and its exit code.

    Parameters
    ----------
    app : typer.Typer
        The application, whose class is a `Program`.
    name : str
        Name of the program.
    """
    # What is left at the end goes with the process: to look through it for garbage takes a twentieth of a guess.
    atexit.register(gc.freeze)
    try:
        app(prog_name=name)
    except BrokenPipeError:
        # The reader of a pipe (head, less) is gone; what it wanted to see it has seen.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (CGInitError, OSError, MemoryError) as error:
        typer.secho(f"{name}: {words(error)}", err=True, fg=typer.colors.RED)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        typer.secho(f"{name}: interrupted", err=True, fg=typer.colors.RED)
        sys.exit(INTERRUPTED)
