"""GRO files as GROMACS itself reads them, for those that readers of fixed columns refuse."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from cginit.errors import InputError

__all__ = ["normalised_gro"]

#: Columns of residue number, residue name and atom name, and where the coordinates begin. GROMACS does not read the
#: number of the atom between them.
RESIDUE, RESNAME, NAME, COORDINATES = slice(0, 5), slice(5, 10), slice(10, 15), 20
#: Width of the coordinate fields of a file without atoms.
WIDTH = 8


def normalised_gro(path: Path) -> str:
    """Return the frames of a GRO file with every field in its column, read by the rules of GROMACS.

    GROMACS takes the names from their columns, and the coordinates from fields behind column 20 that are as wide as
    the distance of two decimal points of the first atom; blanks in a field do not count. A line that is shifted by a
    column is therefore still read there, and here. Velocities are left out.

    Raises
    ------
    InputError
        Naming line and columns of a field that is no number, or the line where atoms are missing.

    Notes
    -----
    Source: "gro file format" in the GROMACS manual, and what ``gmx editconf`` makes of such a file.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    parts: list[str] = []
    at = 0
    while at < len(lines):
        at = _frame(path, lines, at, parts)
    return "".join(parts)


def _frame(path: Path, lines: list[str], at: int, parts: list[str]) -> int:
    """Append the frame that begins in line `at`, from 0, and return the line after it."""
    count = lines[at + 1].strip() if at + 1 < len(lines) else ""
    if not count.isdigit():
        raise InputError(
            f"cannot read {path}: line {at + 2}: {count!r} is no number of atoms, which stands there in a "
            "GRO file"
        )
    n = int(count)
    end = at + n + 3
    if len(lines) < end:
        raise InputError(
            f"cannot read {path}: it ends in line {len(lines)}, but the {n} atoms that line {at + 2} announces, and "
            f"their box, need {end} lines"
        )
    width = _width(path, lines[at + 2], at + 3) if n else WIDTH
    parts.append(f"{lines[at]}\n{n:5d}\n")
    parts += [_atom(path, lines[at + 2 + k], at + 3 + k, k + 1, width) for k in range(n)]
    for field in lines[end - 1].split():
        try:
            float(field)
        except ValueError:
            raise InputError(f"cannot read {path}: line {end}: {field!r} is no edge of a box") from None
    parts.append(lines[end - 1] + "\n")
    return end


def _atom(path: Path, line: str, number: int, atom: int, width: int) -> str:
    residue = line[RESIDUE].strip()
    if not residue.lstrip("-").isdigit():
        raise InputError(
            f"cannot read {path}: line {number}, columns 1 to 5: {residue!r} is no residue number; a GRO file "
            "has fixed columns"
        )
    fields = [line[start : start + width] for start in range(COORDINATES, COORDINATES + 3 * width, width)]
    xyz = []
    for k, field in enumerate(fields):
        try:
            xyz.append(float(field))
        except ValueError:
            first = COORDINATES + k * width + 1
            raise InputError(
                f"cannot read {path}: line {number}, columns {first} to {first + width - 1}: {field!r} is no "
                "coordinate; a GRO file has fixed columns, and the fields of this line are shifted"
            ) from None
    names = f"{int(residue):5d}{line[RESNAME].strip():<5s}{line[NAME].strip():>5s}{atom % 100_000:5d}"
    return names + "".join(f"{value:{width}.{width - 5}f}" for value in xyz) + "\n"


def _width(path: Path, line: str, number: int) -> int:
    """Return the width of a coordinate's field: the distance of two decimal points, as GROMACS takes it."""
    # The first point may stand in front of column 20 where a line is shifted to the left.
    points = [at for at, mark in enumerate(line) if mark == "." and at >= NAME.stop][:3]
    steps = {b - a for a, b in pairwise(points)}
    if len(points) < 3 or len(steps) != 1 or min(steps) < 6:
        raise InputError(
            f"cannot read {path}: line {number}: no three coordinates with decimal points at equal distances "
            f"behind column {COORDINATES}; a GRO file has fixed columns (%8.3f each)"
        )
    return steps.pop()
