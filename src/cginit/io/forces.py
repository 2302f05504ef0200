"""Whether the force of a table is the derivative of its energy."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["force_notes"]

logger = logging.getLogger(__name__)

#: Where the secants this many steps to either side are not monotone, F may lie outside of the two next ones by a part
#: of their range. At an extremum of F it does by h^2 F''/6, where the range is h^2 F'', a sixth.
REACH = 2
WIDENED = 0.25
#: Part of F by which it may differ besides: derivatives of splines and smoothed tables. The least factor between two
#: units of a force, 2.4 of kJ/mol/angstrom and kcal/mol/nm, is far outside.
RELATIVE = 0.05
#: Part of the rows from which the two columns cannot belong together. A wrong sign, exchanged columns or another
#: unit are wrong in nearly all rows; a capped core, a cut-off step or a spline that overshoots in a few.
REFUSED = 0.25
#: Part of the rows below which an explanation of the columns counts as right.
EXPLAINED = 0.05
#: Rows from which a factor between the columns says something.
EXPLAINABLE = 6
#: Rows whose digits are counted to learn how U was rounded.
SAMPLED = 400


@dataclass(frozen=True, eq=False)
class _Comparison:
    """Rows whose force does not lie between the secants of U beside them.

    `slope` ``(n,)`` is the mean of the two secants at each row, `wrong` and `tested` ``(n,)`` are masks.
    """

    slope: Array
    wrong: np.ndarray[tuple[int], np.dtype[np.bool_]]
    tested: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def part(self) -> float:
        """The part of the tested rows that is wrong."""
        return float(np.sum(self.wrong)) / max(int(np.sum(self.tested)), 1)


def force_notes(r: Array, u: Array, f: Array, where: Callable[[int], str]) -> tuple[str, ...]:
    r"""Compare a force with the energy of the same table; a sentence, logged as well, says if some rows disagree.

    By the mean value theorem each secant :math:`-\Delta U / \Delta r` is the force somewhere in its step, so that F
    at a row lies between the two secants beside it, however wide the step, as LAMMPS checks, unless F has an extremum
    there; then a quarter of the range of the four next secants is allowed, and everywhere 5 % of F and the rounding
    of the printed numbers. The first and the last row have no secant on one side, are 0 in many tables by
    convention, and are not compared; neither are rows where both are 0 within the rounding.

    Parameters
    ----------
    r, u, f : ndarray, shape (n,)
        Increasing distances, energies and forces of a file.
    where : callable
        Names the place of a row, for messages.

    Raises
    ------
    InputError
        If more than a quarter of the rows disagree, and more than one: with both values of the worst row, and what
        the columns look like instead.

    Examples
    --------
    >>> r = np.linspace(0.0, 1.0, 11)
    >>> force_notes(r, (1 - r) ** 2, 2 * (1 - r), str)
    ()
    """
    if r.size < 3:
        return ()
    found = _compared(r, u, f)
    if not np.any(found.wrong):
        return ()
    off = np.where(found.wrong, np.abs(f - found.slope), -1.0)
    # Of rows that are equally wrong the first is named; of a steep core that is not the innermost by rounding.
    row = int(np.argmax(off >= 0.999 * np.max(off)))
    values = (
        f"the force is {f[row]:.6g} where -dU/dr of the energies is {found.slope[row]:.6g} (r = {r[row]:.6g})"
    )
    count, tested = int(np.sum(found.wrong)), int(np.sum(found.tested))
    if (found.part <= REFUSED or count == 1) and count < tested:
        rows = "one row" if count == 1 else f"{count} of {tested} rows"
        logger.warning("%s: %s; the force is not -dU/dr in %s", where(row), values, rows)
        return (f"F is not -dU/dr in {rows}: {values}.",)
    raise InputError(f"{where(row)}: {values}; {_explanation(r, u, f)}")


def _explanation(r: Array, u: Array, f: Array) -> str:
    """Say what the columns look like, and what to do."""
    found = _compared(r, u, f)

    def explains(energy: Array, force: Array) -> bool:
        other = _compared(r, energy, force)
        # Where next to nothing can be compared nothing is explained.
        return other.part <= EXPLAINED and bool(2 * np.sum(other.tested) >= np.sum(found.tested))

    if explains(u, -f):
        return "the force has the wrong sign (it must be -dU/dr): change the sign of the column"
    if explains(f, u):
        return "the columns of energy and force are exchanged: write r, U, F in this order"
    slope = found.slope
    known = (np.abs(f) > 1e-3 * np.max(np.abs(f))) & (np.abs(slope) > 1e-3 * np.max(np.abs(slope)))
    # Of a few rows one factor is always right.
    if np.sum(known) >= EXPLAINABLE:
        factor = float(np.median(slope[known] / f[known]))
        if explains(u, factor * f):
            return f"they differ by the factor {factor:.4g} throughout: give U and F in units that fit those of r"
    return "the third column is no force of this energy: correct it, or leave it out (two columns r U do)"


def _compared(r: Array, u: Array, f: Array) -> _Comparison:
    steps = np.diff(r)
    secants = -np.diff(u) / steps
    n = r.size
    left, right = np.append(secants[:1], secants), np.append(secants, secants[-1:])
    low, high = np.minimum(left, right), np.maximum(left, right)
    slope = 0.5 * (left + right)
    noise = _rounding(u)
    shaky = np.concatenate([[0.0], (noise[1:] + noise[:-1]) / steps, [0.0]])
    rounding = np.maximum(shaky[1:], shaky[:-1]) + _rounding(f)
    relative = RELATIVE
    if np.ptp(steps) > 1e-9 * steps[0]:
        # Uneven distances that are printed with few digits make steps, and with them secants, uncertain.
        relative += 2.0 * float(np.max(_rounding(r))) / float(np.min(steps))
    size = np.maximum(np.abs(f), np.abs(slope))
    tolerance = rounding + relative * size + WIDENED * _range(secants, n)
    tested = np.zeros(n, dtype=np.bool_)
    tested[1:-1] = (size > 2.0 * rounding)[1:-1]
    return _Comparison(slope, tested & (np.maximum(low - f, f - high) > tolerance), tested)


def _range(secants: Array, n: int) -> Array:
    """Return the range of the secants around each of `n` rows, 0 where they are monotone.

    Where the secants of `REACH` steps to either side rise or fall throughout, as in a core however steep it is, the
    force of a smooth energy lies between the two next ones.
    """
    steps = np.arange(n)[:, None] + np.arange(-REACH, REACH)
    around = secants[np.clip(steps, 0, n - 2)]
    change = np.diff(around, axis=1)
    monotone = np.all(change >= 0.0, axis=1) | np.all(change <= 0.0, axis=1)
    return np.asarray(np.where(monotone, 0.0, np.ptp(around, axis=1)), dtype=np.float64)


def _rounding(values: Array) -> Array:
    """Return by how much printing may have changed each value ``(n,)``: half a unit of its last digit.

    The shortest decimal number that is a value is what a file printed, but for zeros at its end. Fixed decimals and
    fixed digits are both provided for.
    """
    sample = values[:: max(1, values.size // SAMPLED)]
    decimals, digits = 0, 1
    for value in sample.tolist():
        mantissa, _, exponent = f"{abs(value)!r}".partition("e")
        whole, _, part = mantissa.partition(".")
        part = "" if part == "0" else part
        decimals = max(decimals, len(part) - int(exponent or 0))
        digits = max(digits, len((whole + part).strip("0")))
    size = np.abs(values)
    leading = 10.0 ** np.floor(np.log10(np.where(size > 0.0, size, 1.0)))
    unit = np.maximum(np.where(size > 0.0, leading, 0.0) * 10.0 ** (1 - digits), 10.0**-decimals)
    if not np.any(size):
        # Zeros throughout have no digits that tell.
        unit = size
    return np.asarray(0.5 * unit, dtype=np.float64)
