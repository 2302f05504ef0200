"""From the potential of a bond, an angle or a dihedral to MSIBI's force, around the traps of its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cginit import InputError
from cginit.bonded import BondedPotential
from cginit.coordinates.table import bonded_table
from cginit_msibi._force import load_msibi, set_table

if TYPE_CHECKING:
    import msibi

__all__ = ["msibi_bonded", "msibi_bonded_grid"]

#: MSIBI's class and the number of bead types of each coordinate.
FORCES = {"bond": ("Bond", 2), "angle": ("Angle", 3), "dihedral": ("Dihedral", 4)}
#: Intervals of a table: all bonds of a model must have as many, all angles, and all dihedrals, too.
INTERVALS = 100


def msibi_bonded_grid(
    potential: BondedPotential, intervals: int = INTERVALS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the places and energies ``(intervals + 1,)`` that MSIBI and HOOMD-blue see, both ends included.

    Of a bond these are the lengths that its potential has, beyond which HOOMD-blue ends the run; of an angle 0 to pi,
    of a dihedral -pi to pi.
    """
    if intervals < 3:
        raise InputError(f"a table needs three intervals or more, not {intervals}")
    x, u, _ = bonded_table(potential, intervals)
    return x, u


def msibi_bonded(
    potential: BondedPotential,
    *types: str,
    optimize: bool = True,
    intervals: int = INTERVALS,
    **options: Any,
) -> msibi.Bond | msibi.Angle | msibi.Dihedral:
    """Return MSIBI's ``Bond``, ``Angle`` or ``Dihedral`` that starts from the potential, or keeps it.

    Parameters
    ----------
    potential : BondedPotential
        In the units of the GSD file and the kT of MSIBI's states; see ``BondedPotential.reduced`` and ``to``.
    *types : str
        The bead types, as the GSD file names the bond, angle or dihedral.
    optimize : bool
        Whether MSIBI changes the potential. It changes one kind of force in a run.
    intervals : int
        Of the table, and MSIBI's ``nbins``; of all forces of a kind alike, since HOOMD-blue has one width for them.
    options
        Further arguments of MSIBI's class: ``smoothing_window``, ``correction_form`` ...

    Raises
    ------
    cginit.InputError
        If the number of bead types is not that of the coordinate, or `options` hold ``nbins``.
    cginit.MissingDependencyError
        If MSIBI or HOOMD-blue is not installed.
    """
    name, number = FORCES[potential.coordinate]
    if len(types) != number:
        raise InputError(
            f"the {potential.coordinate} of this potential joins {number} beads; give as many types, not {len(types)}"
        )
    if "nbins" in options:
        raise InputError("nbins is decided by intervals; leave it out")
    package = load_msibi()
    x, energies = msibi_bonded_grid(potential, intervals)
    force = getattr(package, name)(
        *types, optimize=optimize, nbins=intervals if optimize else None, **options
    )
    set_table(force, x, energies)
    # MSIBI rounds the step to three decimals and takes the table to end a step beyond its last row, which stretches
    # it in HOOMD-blue.
    force.dx, force.x_min, force.x_max = float(x[1] - x[0]), float(x[0]), float(x[-1])
    if force.nbins != intervals:
        raise InputError(
            f"this release of MSIBI takes nbins = {force.nbins} where the table has {intervals} intervals; the "
            "plugin knows 0.3"
        )
    return force
