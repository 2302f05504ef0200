"""What a person reads after --help is what was written."""

from collections.abc import Iterator

import pytest
import typer
from rich.text import Text

from cginit.cli.app import app


def helps(command, name: str) -> Iterator[tuple[str, str]]:
    for key, other in getattr(command, "commands", {}).items():
        yield from helps(other, f"{name} {key}")
    for one in command.params:
        yield f"{name} {one.name}", getattr(one, "help", None) or ""


@pytest.mark.parametrize(("name", "text"), list(helps(typer.main.get_command(app), "cg-init")))
def test_no_help_of_an_option_loses_its_brackets(name, text):
    # Rich takes [words] for markup and shows nothing of it, unless the bracket is escaped.
    assert Text.from_markup(text).plain == text.replace("\\[", "[")
