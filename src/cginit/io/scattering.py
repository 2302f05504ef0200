"""Structure factors read from files."""

from __future__ import annotations

import os

import numpy as np

from cginit.curves import Array, StructureFactor
from cginit.errors import InputError
from cginit.io.rows import read_rows
from cginit.units import UnitSystem
from cginit.untrusted import reads_a_file

__all__ = ["question_structure_factor", "read_structure_factor", "read_waves"]

#: Rows of a structure factor, most: a diffractometer's are hundreds, and their transform takes seconds from here on.
MOST_ROWS = 10_000
#: So many rows of zeros are a core; rounding to two digits may leave one or two near k = 0 of a hard liquid.
EMPTY_ROWS = 5
#: A peak as high as this is that of a liquid, whose beads are not this many times nearer than their mean spacing.
STRUCTURED, FAR = 1.5, 3.0
#: S of a liquid at small k is at most some ten, near a critical point; a list of intensities has larger numbers.
LARGEST = 100.0


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


def question_structure_factor(
    k: Array, s: Array, density: float, units: UnitSystem, name: str = "S(k)"
) -> tuple[str, ...]:
    r"""Refuse what cannot be the S(k) of a liquid of this density, and return questions on what hardly can.

    The main peak of a liquid lies near :math:`2\pi\rho^{1/3}`, the wave number of the mean spacing.

    Parameters
    ----------
    k, s : ndarray, shape (m,)
    density : float
        Of scatterers, in the inverse cube of the length unit of `units`.
    units : UnitSystem
        k is in its inverse unit of length.
    name : str
        What errors call it.

    Raises
    ------
    InputError
        If S is 0 in several rows, as g(r) is in a core, or ends before the main peak.

    Examples
    --------
    >>> from cginit.units import NM_KJ
    >>> k = np.linspace(1.0, 300.0, 300)
    >>> s = 1.0 + 2.0 * np.exp(-((k - 200.0) ** 2) / 50.0)
    >>> question_structure_factor(k, s, 33.0, NM_KJ)[0][:35]
    'The main peak of S(k) is at k = 200'
    """
    spacing = 2.0 * np.pi * density ** (1.0 / 3.0)
    unit = f"{units.length}^-1"
    if np.count_nonzero(s == 0.0) >= EMPTY_ROWS:
        raise InputError(
            f"{name} is 0 in {np.count_nonzero(s == 0.0)} rows, which no structure factor is; this looks like g(r), "
            "which needs no transform: cg-init guess --rdf"
        )
    if k[-1] < spacing:
        raise InputError(
            f"{name} ends at k = {k[-1]:.4g} {unit}, and at a density of {density:.4g} {units.density} its main peak "
            f"is expected near {spacing:.3g}: g(r) would show nothing of the liquid. Is k in "
            f"{'angstrom^-1' if units.length == 'nm' else 'another unit'}, or the density in another?"
        )
    top = int(np.argmax(s))
    if s[top] > STRUCTURED and k[top] > FAR * spacing:
        return (
            f"The main peak of {name} is at k = {k[top]:.3g} {unit}, and at a density of {density:.4g} "
            f"{units.density} it is expected near {spacing:.3g}: is k in "
            f"{'nm^-1' if units.length == 'angstrom' else 'another unit'}, or the density in another?",
        )
    return ()


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
