"""The mean pressure of a run, from what GROMACS and LAMMPS write of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.sampling import BLOCKS, Mean, block_mean
from cginit.units import LJ, UnitSystem, unit_system
from cginit.untrusted import reads_a_file

__all__ = ["read_mean_pressure"]

#: Pressures of LAMMPS' unit styles in bar; None where they are reduced.
LAMMPS_UNITS = {"real": 1.01325, "metal": 1.0, "si": 1e-5, "lj": None}


@reads_a_file
def read_mean_pressure(path: str | os.PathLike[str], *, units: str | UnitSystem) -> Mean:
    """Return the mean pressure of a run with its standard error from blocks in time.

    Parameters
    ----------
    path : path-like
        An ``.xvg`` file of ``gmx energy`` with a column named Pressure, in bar, or a log file of LAMMPS with a thermo
        column Press. Of a log with several runs the last counts.
    units : str or UnitSystem
        Units of the result.

    Raises
    ------
    InputError
        If the file has no pressure, too few values, or one in units of another kind.
    """
    file = Path(path)
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    system = unit_system(units)
    values, bar = _xvg(lines, file) if file.suffix.lower() == ".xvg" else _lammps(lines, file)
    if (bar is None) != (system == LJ):
        kinds = ("reduced", "real") if bar is None else ("real", "reduced")
        raise InputError(
            f"the pressures of {file} are in {kinds[0]} units, and what is wanted in {kinds[1]} ones"
        )
    if values.size < BLOCKS:
        raise InputError(
            f"{file} has {values.size} pressures; {BLOCKS} or more are needed for a mean with its error"
        )
    scale = 1.0 if bar is None else bar / system.bar()
    found = block_mean(values)
    return Mean(scale * found.value, scale * found.error)


def _xvg(lines: list[str], file: Path) -> tuple[Array, float | None]:
    """Return the column named Pressure of a file of GROMACS, and its unit in bar."""
    legends = [re.match(r'@\s*s(\d+)\s+legend\s+"([^"]*)"', line) for line in lines]
    named = {match[2].strip(): int(match[1]) for match in legends if match}
    if "Pressure" not in named:
        raise InputError(
            f"{file} has no column named Pressure; write it by 'gmx energy -f production.edr -o {file.name}' with "
            "the choice Pressure"
        )
    rows = [line.split() for line in lines if line.strip() and line[0] not in "#@&"]
    return _numbers([row[named["Pressure"] + 1 :][:1] for row in rows], file), 1.0


def _lammps(lines: list[str], file: Path) -> tuple[Array, float | None]:
    """Return the column Press of the last run of a log of LAMMPS, and its unit in bar."""
    style = next(
        (words[1] for words in map(str.split, lines) if words[:1] == ["units"] and len(words) == 2), None
    )
    if style not in LAMMPS_UNITS:
        raise InputError(
            f"{file} is no log of LAMMPS with units of {', '.join(LAMMPS_UNITS)} ({style or 'it states none'}); give "
            "the pressure as a number"
        )
    heads = [k for k, line in enumerate(lines) if "Press" in line.split() and "Step" in line.split()]
    if not heads:
        raise InputError(f"{file} has no thermo column Press; give the pressure as a number")
    place = lines[heads[-1]].split().index("Press")
    rows = []
    for line in lines[heads[-1] + 1 :]:
        words = line.split()
        if not words or not re.fullmatch(r"[-+]?\d+", words[0]):
            break
        rows.append(words[place : place + 1])
    return _numbers(rows, file), LAMMPS_UNITS[style]


def _numbers(rows: list[list[str]], file: Path) -> Array:
    try:
        return np.array([float(row[0]) for row in rows])
    except (IndexError, ValueError):
        raise InputError(f"{file} has a line without a pressure; is it whole?") from None
