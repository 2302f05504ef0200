"""Names of commands and options that were others before; they keep working, and a note names the new ones."""

from __future__ import annotations

__all__ = ["COMMANDS", "MOVED", "OPTIONS", "renamed"]

_STUDY = "now, in the distribution cginit-study: pip install ./plugins/study"

#: What a command of before is called now.
COMMANDS = {
    "rdf": "cg-init target",
    "mixture": "cg-init refine FILE --workdir DIR, or cg-init guess FILE without a simulation",
    "multistate": "cg-init refine FILE --workdir DIR",
}
#: Where a command is that is no longer one of this program.
MOVED = {
    "train study": f"cginit-study train {_STUDY}",
    "train search": f"cginit-study search {_STUDY}",
    "evaluate": f"cginit-study figures {_STUDY}",
    "evaluate simulate": f"cginit-study simulate {_STUDY}",
}
#: By command, what an option of before is called now.
OPTIONS = {
    "convert": {
        "--from-units": "--units",
        "--to-units": "--out-units",
        "--from-format": "--format",
        "--to-format": "--out-format",
        "--to-keyword": "--out-keyword",
        "--rdf": "--is-rdf",
    },
    "target": {"--beads": "--out-beads", "--step": "--stride", "--mixture": "--system"},
    "dataset simulate": {"--scheduler": "--cluster"},
    "train curves": {"--figure": "--plot"},
}
OPTIONS["rdf"] = OPTIONS["target"]


def renamed(command: str, arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments of a command with the names of today, and a note for each that was another.

    Examples
    --------
    >>> renamed("convert", ["A.pot", "--to-units=lj"])
    (['A.pot', '--out-units=lj'], ['--to-units is called --out-units now'])
    """
    own = OPTIONS.get(command, {})
    found: list[str] = []
    notes = [f"cg-init {command} is called {COMMANDS[command]} now"] if command in COMMANDS else []
    for position, text in enumerate(arguments):
        # What follows is no option, whatever it looks like.
        if text == "--":
            found += arguments[position:]
            break
        name, equals, value = text.partition("=")
        if name in own:
            notes.append(f"{name} is called {own[name]} now")
            text = f"{own[name]}{equals}{value}"
        found.append(text)
    return found, notes
