"""Structure factors read from files."""

from __future__ import annotations

import os

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.io.rows import read_rows
from cginit.untrusted import reads_a_file

__all__ = ["read_structure_factor"]


@reads_a_file
def read_structure_factor(path: str | os.PathLike[str]) -> tuple[Array, Array, Array | None]:
    """Read columns ``k S(k) [error]`` of a text or CSV file, as they stand.

    Returns
    -------
    k, s : ndarray, shape (m,)
    error : ndarray, shape (m,), or None

    Raises
    ------
    InputError
        If the file is no such table, naming file and line.
    """
    rows = read_rows(path)
    width = rows.width()
    if width not in (2, 3):
        raise InputError(f"{rows.where(0)} has {width} columns; a structure factor has 2 or 3: k S [error]")
    k, s = rows.numbers(0, "k"), rows.numbers(1, "S")
    falls = np.flatnonzero(np.diff(k) <= 0.0)
    if k[0] < 0.0 or falls.size:
        row = int(falls[0]) + 1 if falls.size else 0
        raise InputError(f"{rows.where(row)}: k = {k[row]:g} must be positive and increase; sort the rows")
    if np.any(s < 0.0):
        row = int(np.argmin(s))
        raise InputError(
            f"{rows.where(row)}: S = {s[row]:g} is negative; this looks like S(k) - 1 or an intensity with its "
            "background subtracted; give S(k), which tends to 1"
        )
    error = rows.numbers(2, "the error of S") if width == 3 else None
    if error is not None and np.any(error < 0.0):
        row = int(np.argmin(error))
        raise InputError(f"{rows.where(row)}: the error of S is {error[row]:g}; it must not be negative")
    return k, s, error
