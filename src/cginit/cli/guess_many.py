"""``cg-init guess --rdf *.dat``: the guesses of several targets, each a liquid of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from cginit.cli.guess_facts import Problem, facts
from cginit.cli.guess_problem import GuessOptions, default_tables, read_problem, write_tables
from cginit.cli.progress import waiting
from cginit.cli.voice import voice
from cginit.curves import PairPotential
from cginit.errors import CGInitError, ConvergenceError, InputError
from cginit.guess import DEFAULT_METHOD, guess_many

__all__ = ["NAME", "propose_many"]

#: What stands for the name of a target, without what follows its first point, in the names of tables and figures.
NAME = "{name}"


def propose_many(
    files: Sequence[Path],
    options: GuessOptions,
    *,
    out: Sequence[Path],
    out_units: str | None,
    plot: Path | None = None,
) -> None:
    """Read several targets, guess all at once, write the tables of each, and say what was done.

    What is wrong with a target does not stop the others.

    Raises
    ------
    InputError
        If tables of two targets would have one name, or a target cannot be used; the tables of the others are
        written by then.
    ConvergenceError
        If all that failed are targets without a solution.
    """
    tables = _names(files, out, plot)
    problems: dict[Path, Problem] = {}
    failures: dict[Path, CGInitError] = {}
    for file in files:
        try:
            problems[file] = read_problem(replace(options, rdf=file))
        except CGInitError as failure:
            failures[file] = failure
    with waiting(f"guessing {len(problems)} potentials"):
        found = guess_many(
            [one.target for one in problems.values()],
            [one.state for one in problems.values()],
            options.method or DEFAULT_METHOD,
            options.cutoff,
        )
    answers = dict(zip(problems, found, strict=True))
    spoken = voice()
    spoken.result["targets"] = []
    for file in files:
        answer = failures.get(file) or answers[file]
        if isinstance(answer, CGInitError):
            failures[file] = answer
            spoken.result["targets"].append({"rdf": file, "error": str(answer)})
            text = str(answer)
            spoken.warn(text if file.name in text else f"{file}: {text}")
            continue
        _say(file, problems[file], answer)
        for path in write_tables(answer, tables[file], out_units):
            spoken.file(path)
        if plot is not None:
            from cginit.report.guess import guess_figure

            problem = problems[file]
            spoken.file(guess_figure(problem.target, problem.state, answer, _named(plot, file)))
    if failures:
        _give_up(failures, len(files))


def _named(pattern: Path, file: Path) -> Path:
    """Return a name with that of the target in it."""
    return Path(str(pattern).replace(NAME, file.name.split(".")[0] or "potential"))


def _names(files: Sequence[Path], out: Sequence[Path], plot: Path | None) -> dict[Path, list[Path]]:
    """Return the tables of each target; InputError if two files would have one name."""
    again = next((file for file, number in Counter(files).items() if number > 1), None)
    if again is not None:
        raise InputError(f"{again} is given twice; leave one out")
    for pattern in (*out, *([] if plot is None else [plot])):
        if NAME not in str(pattern):
            raise InputError(
                f"{len(files)} targets cannot all be written to {pattern}; put {NAME} into it, which stands for the "
                f"name of each target, as {NAME}{pattern.suffix}"
            )
    tables = {
        file: [_named(pattern, file) for pattern in out] if out else default_tables(file) for file in files
    }
    counts = Counter(path for paths in tables.values() for path in paths)
    twice = next((path for path, number in counts.items() if number > 1), None)
    if twice is not None:
        owners = " and ".join(str(file) for file, paths in tables.items() if twice in paths)
        raise InputError(
            f"the tables of {owners} would both be {twice}; guess them one after the other, each with --out"
        )
    return tables


def _say(file: Path, problem: Problem, potential: PairPotential) -> None:
    """Say of one target in a line what the potential is, and what is odd about it."""
    spoken, own = voice(), facts(problem, potential)
    spoken.result["targets"].append({"rdf": file, **own.result})
    spoken.line(
        f"{file}: {own.method}, cut-off {potential.r_cut:g} {potential.units.length}, {own.minimum}, "
        f"pressure {own.pressure}"
    )
    for note in own.notes:
        spoken.note(f"{file}: {note}")


def _give_up(failures: dict[Path, CGInitError], number: int) -> NoReturn:
    """End with the exit code of what failed, once all else is written."""
    kind = (
        ConvergenceError
        if all(isinstance(one, ConvergenceError) for one in failures.values())
        else InputError
    )
    names = ", ".join(map(str, failures))
    raise kind(f"{len(failures)} of {number} targets have no potential: {names}; the reasons stand above")
