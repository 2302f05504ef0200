"""Masses of bead types, as far as a file states those of its atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array

__all__ = ["PLACEHOLDER", "type_masses"]

#: What stands in files for which nobody stated a mass: GSD, VOTCA's XML, data files written by hand. In g/mol it is
#: that of no atom; in reduced units it is what is taken where none is known.
PLACEHOLDER = 1.0
#: Digits of a mass; GSD has it in single precision.
DIGITS = 7


def type_masses(atoms: Any, starts: NDArray[np.integer], types: NDArray[np.integer], species: int) -> Array:
    """Return the mean mass of the beads of each type ``(species,)``; NaN where the file does not state them all.

    The mass of a bead is the sum of those of its atoms, whatever weights its centre has. Masses that MDAnalysis
    guesses from names are not stated.

    Parameters
    ----------
    atoms : MDAnalysis.AtomGroup
        Sorted by bead.
    starts : ndarray, shape (beads,)
        Where the atoms of each bead begin.
    types : ndarray, shape (beads,)
        Type of each bead.
    species : int
        Number of types.
    """
    masses = np.full(len(atoms), np.nan)
    guessed = {one.attrname for one in atoms.universe._topology.guessed_attributes}
    if hasattr(atoms, "masses") and "masses" not in guessed:
        stated = np.asarray(atoms.masses, dtype=np.float64)
        masses = np.where(stated == PLACEHOLDER, np.nan, stated)
    beads = np.add.reduceat(masses, starts)
    beads[beads <= 0.0] = np.nan
    number = np.bincount(types, minlength=species)
    sums = np.bincount(types, beads, minlength=species)
    means = np.divide(sums, number, out=np.full(species, np.nan), where=number > 0)
    return np.array([float(f"{mean:.{DIGITS}g}") for mean in means])
