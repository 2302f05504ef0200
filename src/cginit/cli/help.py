"""The help of every command: the options that most people need with examples, and all options by ``--help-all``.

One layout for all commands. Lines are wrapped to the terminal, never cut.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import typer

__all__ = ["FEW", "FIRST", "shown", "write_help"]

#: Up to so many options a command shows all of them.
FEW = 10
#: What a longer command shows at first. The options of `cginit.cli.command.OUTPUT` are always there.
FIRST = {
    "": ("--install-completion",),
    "guess": (
        *("--rdf", "--density", "--temperature", "--kT", "--units", "--method", "--cutoff", "--out"),
        *("--out-units", "--plot"),
    ),
    "refine": (
        *("--rdf", "--density", "--temperature", "--units", "--settings", "--workdir", "--plan", "--engine"),
        *("--iterations", "--out"),
    ),
    "target": (
        *("--topology", "--trajectory", "--map", "--out", "--temperature", "--units", "--pair", "--system"),
        *("--begin", "--workers"),
    ),
    "convert": (
        *("--units", "--out-units", "--format", "--out-format", "--kT", "--keyword", "--pairs", "--is-rdf"),
    ),
    "pressure": ("--potential", "--density", "--temperature", "--kT", "--units", "--rdf", "--plot"),
    "train curves": ("--out", "--data", "--axis", "--most", "--steps", "--plot", "--device"),
}
#: What the kinds of values are called; an option may say more by a `metavar` of its own.
KINDS = {"float": "NUMBER", "int": "N", "integer": "N", "path": "PATH", "str": "TEXT", "text": "TEXT"}
#: Widest name of an option beside its text; that of a longer one begins on the next line.
COLUMN = 26


def shown(command: Any, path: str, first: Mapping[str, tuple[str, ...]] = FIRST) -> list[Any]:
    """Return the options and arguments of a command that its short help shows; `first` is that of its program."""
    visible = [one for one in command.params if not getattr(one, "hidden", False)]
    options = [one for one in visible if _is_option(one) and _panel(one) != "Output"]
    names = first.get(path, () if len(options) > FEW else None)
    if names is None:
        return visible
    return [one for one in visible if one not in options or any(name in names for name in one.opts)]


def write_help(command: Any, context: Any, formatter: Any, program: str, path: str, *, whole: bool) -> None:
    """Write the help of a command.

    Parameters
    ----------
    command, context, formatter
        As Click gives them to ``format_help``.
    program : str
        Name of the program.
    path : str
        Names of the command without that of the program: ``dataset status``, "" for the program itself.
    whole : bool
        Whether every option is shown.
    """
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    root = context.find_root().command
    _examples(formatter, getattr(root, "examples", {}).get(path, ()))
    if hasattr(command, "list_commands"):
        _commands(command, context, formatter)
    visible = [one for one in command.params if not getattr(one, "hidden", False)]
    chosen = visible if whole else shown(command, path, getattr(root, "first", {}))
    help_option = command.get_help_option(context)
    panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for one in chosen:
        panels.setdefault(_panel(one), []).append(_entry(one, context))
    output = panels.pop("Output")
    if help_option is not None:
        output.insert(-1, _entry(help_option, context))
    for title, rows in [*panels.items(), ("Output", output)]:
        if rows:
            with formatter.section(_bold(title)):
                formatter.write_dl(rows, col_max=COLUMN)
    if left := len(visible) - len(chosen):
        formatter.write_paragraph()
        name = f"{program} {path}".strip()
        formatter.write_text(f"{left} more options: {name} --help-all")
    command.format_epilog(context, formatter)


def _commands(command: Any, context: Any, formatter: Any) -> None:
    rows = []
    for name in command.list_commands(context):
        one = command.get_command(context, name)
        if one is not None and not one.hidden:
            rows.append((_name(name), _first_sentence(one.help or "")))
    with formatter.section(_bold("Commands")):
        formatter.write_dl(rows, col_max=COLUMN)


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return paragraph.split(". ")[0].split("; ")[0].removesuffix(".") + "."


def _examples(formatter: Any, examples: tuple[str, ...]) -> None:
    """Write commands that can be copied: a long one goes on after a backslash, between two of its words."""
    if not examples:
        return
    with formatter.section(_bold("Examples")):
        for text in examples:
            formatter.write("".join(f"  {line}\n" for line in continued(text, formatter.width - 2)))


def continued(text: str, width: int) -> list[str]:
    r"""Return a command in lines of at most `width` characters, those to be continued with a backslash at the end.

    Examples
    --------
    >>> continued("cg-init guess --rdf target.dat", 24)
    ['cg-init guess \\', '    --rdf target.dat']
    """
    lines, line = [], ""
    # An option stays with its value.
    for word in text.replace(" -", "\n-").split("\n"):
        if line and len(line) + 1 + len(word) > width - 2:
            lines.append(f"{line} \\")
            line = "   "
        line = f"{line} {word}" if line else word
    return [*lines, line]


def _entry(one: Any, context: Any) -> tuple[str, str]:
    """Return the name of an option with the kind of its value, and what is said of it."""
    record = one.get_help_record(context)
    text = record[1].replace("  [", " [") if record else ""
    if not _is_option(one):
        return _name(one.metavar or one.make_metavar(context)), text
    names = ", ".join(sorted(one.opts, key=len))
    if one.secondary_opts:
        names += " / " + ", ".join(one.secondary_opts)
    if one.is_flag:
        return _name(names), text
    return f"{_name(names)} {_kind(one, context)}", text


def _kind(one: Any, context: Any) -> str:
    if one.metavar:
        return str(one.metavar)
    choices = getattr(one.type, "choices", None)
    if choices:
        return "|".join(map(str, choices))
    name = str(one.type.name)
    return KINDS.get(name.split()[0], name.upper())


def _is_option(one: Any) -> bool:
    return bool(one.param_type_name == "option")


def _panel(one: Any) -> str:
    if not _is_option(one):
        return "Arguments"
    return getattr(one, "rich_help_panel", None) or "Options"


def _name(text: str) -> str:
    return _styled(text, fg=typer.colors.CYAN)


def _bold(text: str) -> str:
    return _styled(text, bold=True)


def _styled(text: str, **style: Any) -> str:
    return text if os.environ.get("NO_COLOR") else typer.style(text, **style)
