"""The commands by name; the module of each is imported when it is called, or listed by ``cg-init --help``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer

from cginit.cli.command import Application, Group

__all__ = ["COMMANDS", "Commands"]

#: ``module:object`` of each command, in the order of the help: a function, or an application with its own commands.
COMMANDS = {
    "guess": "cginit.cli.guess:propose_tables",
    "refine": "cginit.cli.refine:refine",
    "target": "cginit.cli.rdf:rdf",
    "scattering": "cginit.cli.scattering:scattering",
    "pressure": "cginit.cli.pressure:pressure",
    "convert": "cginit.cli.convert:convert",
    "report": "cginit.cli.report:report",
    "export": "cginit.cli.export:export",
    "doctor": "cginit.cli.doctor:doctor",
    "dataset": "cginit.cli.dataset:app",
    "train": "cginit.cli.train:app",
}
#: The same of commands that had other names; they are not in the help.
BEFORE = {
    "mixture": "cginit.cli.refine:mixture",
    "multistate": "cginit.cli.refine:multistate",
    "rdf": "cginit.cli.rdf:rdf",
}


class Commands(Group):
    """The group of `COMMANDS`: typer's own would import all of them to run one."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return their names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; None if there is none of that name."""
        # A name that is mistyped is compared with those of all commands.
        for name in [cmd_name] if cmd_name in COMMANDS or cmd_name in BEFORE else COMMANDS:
            if name not in self.commands:
                self.commands[name] = _load(name)
        return self.commands.get(cmd_name)


def _load(name: str) -> Any:
    module, _, attribute = {**COMMANDS, **BEFORE}[name].partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
        command.name = name
        return command
    single = Application()
    single.command(name)(found)
    return typer.main.get_command(single)
