"""Tables of bonds, angles and dihedrals, told from those of pairs by their parameters and their shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cginit.curves import Array

__all__ = ["BondedSign", "bonded_sign"]

#: Words on the line ``N n ...`` of a LAMMPS table that only bonds and angles, and only dihedrals, have.
_BOND_OR_ANGLE = frozenset({"FP", "EQ"})
_DIHEDRAL = frozenset({"NOF", "DEGREES", "RADIANS", "CHECKU", "CHECKF"})
#: Words that only those of pairs have.
_PAIR = frozenset({"R", "RSQ", "BITMAP", "FPRIME"})
#: A range that ends within this of 180 degrees or of pi is that of an angle: no pair potential ends there.
AT_END = 1e-3
#: A bond rises beyond its minimum to at least this part of what it rises below it. A pair potential of a liquid
#: comes back by its well, some kT, where its core is 7 kT high at the first distance that g(r) shows.
RISES = 0.25
#: A bond is as steep at its end as anywhere beyond the minimum, but for the end of a fit; a pair potential flattens.
STEEPEST = 0.8


@dataclass(frozen=True)
class BondedSign:
    """What says that a table is that of a bonded interaction.

    Attributes
    ----------
    kind : {"bond", "angle", "dihedral"}
        Which one.
    reason : str
        What shows it, for messages.
    """

    kind: Literal["bond", "angle", "dihedral"]
    reason: str


def bonded_sign(x: Array, u: Array, words: Iterable[str] = (), *, pair: bool = False) -> BondedSign | None:
    """Return the sign that a table is no pair potential, None if there is none.

    The line ``N n EQ r0`` of a LAMMPS table settles it. Otherwise the range of an angle (to 180 degrees or pi) or of
    a dihedral (from -180 degrees or -pi, or over 360 degrees) does, or a potential that confines on both sides: its
    minimum lies inside, and beyond it U rises ever more steeply to the end, as that of a bond.

    Parameters
    ----------
    x, u : ndarray, shape (n,)
        Lengths or angles, and energies, of a file.
    words : iterable of str
        The words of the line below the keyword of a LAMMPS table.
    pair : bool
        Whether the file says that it is a pair potential, so that its range and shape tell nothing.

    Examples
    --------
    >>> x = np.linspace(0.8, 1.4, 31)
    >>> bonded_sign(x, 50 * (x - 1.1) ** 2).kind
    'bond'
    >>> bonded_sign(x, x**-12 - x**-6) is None
    True
    """
    stated = frozenset(words)
    first, last = float(x[0]), float(x[-1])
    if found := sorted(stated & _DIHEDRAL):
        return BondedSign("dihedral", f"its parameters hold {found[0]}, which only those of dihedrals have")
    if first < 0.0:
        return BondedSign("dihedral", f"it begins at {first:g}, and no distance is negative")
    angular = any(abs(last - end) < AT_END for end in (180.0, np.pi))
    if found := sorted(stated & _BOND_OR_ANGLE):
        kind: Literal["bond", "angle"] = "angle" if angular else "bond"
        return BondedSign(kind, f"its parameters hold {found[0]}, which only those of bonds and angles have")
    if pair or stated & _PAIR:
        return None
    if abs(last - first - 360.0) < 0.05 * 360.0 and abs(last - 360.0) < 0.05 * 360.0:
        return BondedSign("dihedral", f"it covers {first:g} to {last:g}, a full turn in degrees")
    if angular:
        unit = "180 degrees" if last > 100.0 else "pi"
        return BondedSign("angle", f"it ends at {last:g}, {unit}")
    if _confines(u):
        return BondedSign(
            "bond", "U rises on both sides of its minimum, ever more steeply up to the last row"
        )
    return None


def _confines(u: Array) -> bool:
    """Whether U has its minimum inside and is steepest at its end."""
    low = int(np.argmin(u))
    if u.size < 5 or low == 0 or low >= u.size - 2:
        return False
    inner, outer = float(u[0] - u[low]), float(u[-1] - u[low])
    if not (inner > 0.0 and outer > RISES * inner):
        return False
    slopes = np.diff(u[low:])
    return bool(slopes[-1] >= STEEPEST * np.max(slopes) and np.all(slopes >= 0.0) and slopes.size >= 3)
