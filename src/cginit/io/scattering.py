"""Structure factors read from files."""

from __future__ import annotations

import os

import numpy as np

from cginit.curves import Array, StructureFactor
from cginit.errors import InputError
from cginit.io.rows import read_rows
from cginit.units import UnitSystem
from cginit.untrusted import reads_a_file

__all__ = ["read_structure_factor", "read_waves"]

#: Rows of a structure factor, most: a diffractometer's are hundreds, and their transform takes seconds from here on.
MOST_ROWS = 10_000


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
    if len(rows) > MOST_ROWS:
        raise InputError(
            f"{rows.name} has {len(rows)} rows of S(k), more than {MOST_ROWS}; average neighbouring ones, of which "
            "each oscillation needs some ten"
        )
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


#: S of a liquid at small k is at most some ten, near a critical point; a list of intensities has larger numbers.
LARGEST = 100.0


@reads_a_file
def read_waves(path: str | os.PathLike[str], units: str | UnitSystem) -> StructureFactor:
    r"""Read columns ``k S error`` as what a target knows beside its g(r).

    Parameters
    ----------
    path : path-like
        Text or CSV file; k in the inverse unit of length of `units`.
    units : str or UnitSystem
        Units of the target.

    Raises
    ------
    InputError
        If the file is no such table, has no errors, or holds numbers that no S(k) of a liquid is.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "s.dat")
    ...     with open(file, "w") as out:
    ...         _ = out.write("0.6 0.012 0.001\n0.9 0.015 0.001\n")
    ...     len(read_waves(file, "lj"))
    2
    """
    k, s, error = read_structure_factor(path)
    name = os.fspath(path)
    if error is None:
        raise InputError(
            f"{name} has no errors of S(k), by which it is weighed with g(r); give their standard errors in a third "
            "column"
        )
    if np.max(s) > LARGEST:
        raise InputError(
            f"S(k) of {name} reaches {np.max(s):.3g}; that of a liquid tends to 1, and is at most some ten at small "
            "k. Is it an intensity, or a sum that is not divided by the number of beads?"
        )
    try:
        return StructureFactor(k, s, error, units=units)  # type: ignore[arg-type]  # a name becomes its system
    except InputError as reason:
        raise InputError(f"{name}: {reason}") from None
