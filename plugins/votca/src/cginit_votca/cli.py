"""``cginit-votca``: the path of the scripts, the start table, and what csg_inverse itself calls."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from pathlib import Path

from cginit import CGInitError, write_table
from cginit.votca import read_settings
from cginit_votca.guess import METHOD_VARIABLE, guess_for, script_path

__all__ = ["main"]

#: Exit code by which the script in the script path hands on to VOTCA's own.
HAND_ON = 100


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 2 usage or bad input, 100 not for us."""
    parser = argparse.ArgumentParser(prog="cginit-votca", description=__doc__)
    parser.add_argument(
        "--scriptpath", action="store_true", help="print the folder for <inverse><scriptpath> and exit"
    )
    parser.add_argument("--version", action="version", version=version("cginit-votca"))
    commands = parser.add_subparsers(dest="command")
    pot_in = commands.add_parser("pot-in", help="write NAME.pot.in, which csg_inverse takes as its start")
    pot_in.add_argument("--options", type=Path, default=Path("settings.xml"), help="settings file")
    pot_in.add_argument(
        "--method", help=f"guess; default: {METHOD_VARIABLE}, or what the settings say, or hnc"
    )
    pot_in.add_argument("--density", type=float, help="beads per nm^3, if no file states it")
    invert = commands.add_parser("dist-invert", help="called by csg_inverse in step_000")
    invert.add_argument("--type", default="non-bonded")
    invert.add_argument("--kbT", type=float)
    invert.add_argument("--min", type=float)
    invert.add_argument("target")
    invert.add_argument("output", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.scriptpath:
        _say(script_path())
        return 0
    try:
        if chosen.command == "pot-in":
            return _pot_in(chosen.options, chosen.method, chosen.density)
        if chosen.command == "dist-invert":
            return _dist_invert(chosen.type, chosen.output)
    except CGInitError as error:
        _say(f"cginit-votca: {error}", error=True)
        return 2
    parser.print_help()
    return 2


def _say(text: object, *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write(f"{text}\n")


def _pot_in(options: Path, method: str | None, density: float | None) -> int:
    settings = read_settings(options)
    potential, notes = guess_for(settings, method=method, density=density)
    path = settings.folder / f"{settings.interaction.name}.pot.in"
    for note in notes:
        _say(f"note      {note}", error=True)
    _say(write_table(potential, path, format="votca", units="nm-kJ/mol"))
    return 0


def _dist_invert(kind: str, output: Path) -> int:
    if kind != "non-bonded":
        return HAND_ON
    options = os.environ.get("CSGXMLFILE")
    if not options:
        _say("cginit-votca: CSGXMLFILE is not set; dist-invert is called by csg_inverse", error=True)
        return 2
    settings = read_settings(options)
    if len(settings.interactions) != 1:
        _say(
            f"cginit-votca: {len(settings.interactions)} non-bonded interactions; cginit guesses for one component"
        )
        return HAND_ON
    potential, notes = guess_for(settings)
    for note in notes:
        _say(f"cginit-votca: {note}")
    write_table(potential, output, format="votca", units="nm-kJ/mol")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
