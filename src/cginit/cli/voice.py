"""What a command says: lines for people, or one JSON document with the same keys for every command.

A command speaks through `voice()` and never prints by itself. Lines, notes and the names of written files go to
standard output; progress, warnings about the command line and errors to standard error.
"""

from __future__ import annotations

import json
import math
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from cginit._version import __version__
from cginit.cli.failures import exit_code, words

__all__ = ["SCHEMA", "STATUS", "Voice", "plain", "quantity", "speaking", "voice"]

#: Version of the keys of the document; a change that a script would notice raises it.
SCHEMA = 1
#: The word of the document for each exit code.
STATUS = {0: "done", 2: "bad input", 3: "not converged", 4: "failed", 130: "interrupted"}


@dataclass
class Voice:
    """How loudly a command speaks, and what it has said.

    Attributes
    ----------
    quiet, verbose, as_json : bool
        The options ``--quiet``, ``--verbose`` and ``--json``, which every command has.
    command : str
        Name of the command, as ``cg-init dataset status``.
    result : dict
        What the command found, for the document: numbers by `quantity`, with their units.
    files, notes : list of str
        What was written, and what is worth knowing.
    """

    quiet: bool = False
    verbose: bool = False
    as_json: bool = False
    command: str = "cg-init"
    result: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: What was wrong with the command line, where the parser has said it and only an exit code comes through.
    misuse: str | None = None

    @property
    def for_people(self) -> bool:
        """Whether lines are printed."""
        return not (self.quiet or self.as_json)

    def line(self, text: str = "") -> None:
        """Print a line for people."""
        if self.for_people:
            typer.echo(text)

    def answer(self, text: str) -> None:
        """Print the line that the command was called for, which ``--quiet`` leaves."""
        if not self.as_json:
            typer.echo(text)

    def note(self, text: str, label: str = "note      ", colour: str | None = typer.colors.YELLOW) -> None:
        """Print something that is worth knowing, and keep it for the document."""
        self.notes.append(text)
        if self.for_people:
            typer.secho(f"{label}{text}", fg=colour)

    def file(self, path: str | Path, about: str = "") -> None:
        """Print the name of a file that was written, and what it holds unless ``--quiet``."""
        self.files.append(str(path))
        if not self.as_json:
            typer.echo(f"{path}: {about}" if about and not self.quiet else str(path))

    def aside(self, text: str) -> None:
        """Print a line for people to standard error, so that a script that reads the names of files is left alone."""
        if self.for_people:
            typer.echo(text, err=True)

    def progress(self, text: str) -> None:
        """Print a line of progress to standard error."""
        if not self.quiet:
            typer.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Print a warning about the command line to standard error, and keep it for the document."""
        if text not in self.notes:
            self.notes.append(text)
            if not self.quiet:
                typer.secho(f"{self.command.split()[0]}: {text}", err=True, fg=typer.colors.YELLOW)

    def explain(self) -> None:
        """Begin to print what only ``--verbose`` asks for: the versions, and what the package logs."""
        import platform

        self.verbose = True
        self.detail(f"cg-init {__version__}, Python {platform.python_version()}, {platform.platform()}")
        _listen()

    def detail(self, text: str) -> None:
        """Print to standard error what only ``--verbose`` asks for."""
        if self.verbose:
            typer.secho(text, err=True, dim=True)

    def document(self, code: int, error: str | None, seconds: float) -> dict[str, Any]:
        """Return the JSON document of a command that has ended."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "version": __version__,
            "status": STATUS.get(code, "failed"),
            "exit_code": code,
            "error": error,
            "seconds": round(seconds, 3),
            "files": self.files,
            "notes": self.notes,
            "result": plain(self.result),
        }


def _listen() -> None:
    """Let what the package logs be seen on standard error."""
    import logging

    logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("cginit").setLevel(logging.DEBUG)


_current: ContextVar[Voice] = ContextVar("voice")


def voice() -> Voice:
    """Return the voice of the command that runs; one that speaks to people where none does."""
    found = _current.get(None)
    return Voice() if found is None else found


@contextmanager
def speaking(arguments: list[str]) -> Iterator[Voice]:
    """Give a command its voice; at the end its document is printed, also that of a failure.

    Parameters
    ----------
    arguments : list of str
        The command line: it asks for JSON also where it cannot be parsed.
    """
    own = Voice(as_json="--json" in arguments)
    token, began = _current.set(own), time.monotonic()
    code, error = 0, None
    try:
        yield own
    except BaseException as failure:
        code, error = exit_code(failure), words(failure) or own.misuse
        if code and not isinstance(failure, SystemExit):
            own.detail("".join(traceback.format_exception(failure)).rstrip())
        raise
    finally:
        _current.reset(token)
        seconds = time.monotonic() - began
        own.detail(f"{own.command} took {seconds:.2f} s")
        if own.as_json:
            sys.stdout.write(json.dumps(own.document(code, error, seconds), indent=1) + "\n")


def quantity(value: float, unit: str, error: float | None = None) -> dict[str, Any]:
    """Return a number with its unit and its standard error, as the document has it.

    Examples
    --------
    >>> quantity(9682.0, "bar", 68.0)
    {'value': 9682.0, 'error': 68.0, 'unit': 'bar'}
    """
    return {"value": value, "error": error, "unit": unit}


def plain(value: Any) -> Any:
    """Return what JSON can hold: arrays as lists, paths as text, and null for numbers that are not finite.

    Examples
    --------
    >>> plain({"a": float("nan"), 1: (Path("b"), 2.0)})
    {'a': None, '1': ['b', 2.0]}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
