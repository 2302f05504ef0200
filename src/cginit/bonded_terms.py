"""Groups of bonded beads: named by the types of their beads, and checked against these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.errors import InputError
from cginit.interactions import BEADS, Interaction

__all__ = ["IMPROPER", "checked_term", "integers", "named_terms"]

IntArray = NDArray[np.int64]

#: Label of dihedrals of beads that no chain of bonds joins: impropers, the angle between two planes.
IMPROPER = "improper"


def named_terms(
    coordinate: str,
    members: ArrayLike,
    types: NDArray[Any],
    species: Sequence[str],
    labels: Sequence[str] | None = None,
) -> list[tuple[Interaction, IntArray]]:
    """Sort groups of beads into interactions named by the types of their beads.

    Parameters
    ----------
    coordinate : {"bond", "angle", "dihedral"}
        What each group is.
    members : array_like, shape (n, beads)
        Beads of each group.
    types : ndarray, shape (n_beads,)
        Type of each bead.
    species : sequence of str
        Names of the types.
    labels : sequence of str, optional
        What a file calls each group. It becomes the label of an interaction only where the same bead types occur
        under several of these names.

    Returns
    -------
    list of (Interaction, ndarray of shape (m, beads))

    Examples
    --------
    >>> found = named_terms("bond", [[0, 1], [1, 2]], np.array([0, 1, 0]), ["A", "B"])
    >>> [(str(one), beads.tolist()) for one, beads in found]
    [('bond A-B', [[0, 1], [2, 1]])]
    """
    groups = np.array(members, dtype=np.int64).reshape(-1, BEADS[coordinate])
    if groups.size == 0:
        return []
    kinds = types[groups]
    backwards = [tuple(kind[::-1]) < tuple(kind) for kind in kinds.tolist()]
    groups[backwards], kinds[backwards] = groups[backwards, ::-1], kinds[backwards, ::-1]
    different, which = np.unique(kinds, axis=0, return_inverse=True)
    words = np.asarray([""] * len(groups) if labels is None else list(labels), dtype=str)
    found = []
    for row, kind in enumerate(different):
        chosen = which.reshape(-1) == row
        names = np.unique(words[chosen])
        for name in names:
            one = Interaction(
                coordinate, tuple(species[k] for k in kind), str(name) if names.size > 1 else ""
            )
            found.append((one, groups[chosen & (words == name)]))
    return found


def integers(values: ArrayLike, what: str, dimensions: int) -> IntArray:
    """Return whole numbers as a read-only array of so many dimensions; InputError, which says what they are."""
    try:
        array = np.array(values)
        if array.size and not np.array_equal(array, array.astype(np.int64)):
            raise ValueError
        array = array.astype(np.int64)
    except (TypeError, ValueError):
        raise InputError(f"{what} must be whole numbers") from None
    if array.ndim != dimensions:
        raise InputError(f"{what} must have {dimensions} dimensions, not the shape {array.shape}")
    array.flags.writeable = False
    return array


def checked_term(one: Interaction, members: ArrayLike, types: IntArray, species: tuple[str, ...]) -> IntArray:
    """Return the groups of one interaction ``(m, beads)``.

    Raises
    ------
    InputError
        If a group names no bead, beads of other types or a bead twice, or stands twice.
    """
    if one.is_pair:
        raise InputError(f"{one} is a pair; a topology lists bonds, angles and dihedrals")
    groups = integers(np.asarray(members).reshape(-1, BEADS[one.coordinate]), str(one), 2)
    if groups.size == 0:
        return groups
    if groups.min() < 0 or groups.max() >= types.size:
        raise InputError(
            f"{one} names bead {groups.max()}; the beads are numbered from 0 to {types.size - 1}"
        )
    ordered = np.sort(groups, axis=1)
    if np.any(ordered[:, 1:] == ordered[:, :-1]):
        row = int(np.flatnonzero(np.any(ordered[:, 1:] == ordered[:, :-1], axis=1))[0])
        raise InputError(f"{one}: the group {groups[row].tolist()} names a bead twice")
    unknown = [name for name in one.beads if name not in species]
    if unknown:
        raise InputError(f"{one} names the bead type {unknown[0]}; known are {', '.join(species)}")
    wanted = np.array([species.index(name) for name in one.beads])
    found = types[groups]
    wrong = ~(np.all(found == wanted, axis=1) | np.all(found[:, ::-1] == wanted, axis=1))
    if np.any(wrong):
        row = int(np.flatnonzero(wrong)[0])
        kinds = "-".join(species[k] for k in found[row])
        raise InputError(f"{one}: the beads {groups[row].tolist()} (from 0) are {kinds}")
    canonical = np.where((groups[:, :1] < groups[:, -1:]), groups, groups[:, ::-1])
    if np.unique(canonical, axis=0).shape[0] < len(groups):
        raise InputError(f"{one}: the same beads occur twice; list each {one.coordinate} once")
    return groups
