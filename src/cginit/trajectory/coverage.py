"""What a mapping leaves out or counts that a user may not expect: sentences for the report."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["loose_parts", "mapping_notes", "merged_residues", "merged_types"]

#: Kinds of residues or atoms that are named; the others are counted.
NAMED = 8


def mapping_notes(
    atoms: Any, mapped: NDArray[np.intp], beads: int, n_bonds: int, exclusions: str
) -> tuple[str, ...]:
    """Return sentences on atoms that no bead covers, bonded pairs that count, and types that count as one.

    Parameters
    ----------
    atoms : MDAnalysis.AtomGroup
        All atoms of the topology.
    mapped : ndarray of int
        Indices of the atoms of the beads.
    beads : int
        Number of beads.
    n_bonds : int
        Bonds between them that are known.
    exclusions : str
        What g(r) leaves out.
    """
    covered = np.zeros(atoms.n_atoms, dtype=np.bool_)
    covered[mapped] = True
    return (*_uncovered(atoms, covered), *_bonded(n_bonds, beads, exclusions))


def loose_parts(molecules: NDArray[np.intp], bonds: NDArray[np.intp], exclusions: str) -> tuple[str, ...]:
    """Return a sentence if molecules have several beads that no bonds join, or not all.

    Parameters
    ----------
    molecules : ndarray of int, shape (n,)
        Number of the molecule of each bead, or of its residue where the topology knows of no molecules.
    bonds : ndarray of int, shape (m, 2)
        Beads that are bonded.
    exclusions : str
        What g(r) leaves out.
    """
    from cginit.bond_graph import connected

    number = molecules.size
    several = int(np.count_nonzero(np.bincount(molecules) > 1))
    if not several:
        return ()
    if not len(bonds):
        # A rule that leaves the pairs of a molecule out knows that there are some.
        if exclusions != "none":
            return ()
        return (
            f"{several} molecules or residues have several beads, between which no bonds are known: these are loose "
            "here, and neighbours in the same molecule count in g(r). If they are bonded, take a topology that knows "
            "it (tpr, psf, LAMMPS data), or name the bonds in a mapping file; --exclude molecule leaves them out",
        )
    parts = connected(bonds, number)
    apart = np.unique(np.stack([molecules, parts]), axis=1)[0]
    split = int(np.count_nonzero(np.bincount(apart) > 1))
    if not split:
        return ()
    return (
        f"in {split} of {several} molecules of several beads the bonds do not join all beads: the others are loose "
        "in a simulation. Is a bond missing in the mapping file?",
    )


def merged_types(beads: Any) -> tuple[str, ...]:
    """Return a sentence if atoms that are beads of one type are of several in their topology."""
    if not hasattr(beads, "types"):
        return ()
    kinds = np.asarray(beads.types, dtype=str)
    if np.unique(kinds).size < 2:
        return ()
    return (
        f"beads of different atom types ({_kinds(kinds)}) count as one bead type; --map types makes each its own",
    )


def merged_residues(beads: Any) -> tuple[str, ...]:
    """Return a sentence if residues of several names are beads of one type; `beads` has an atom of each."""
    if not hasattr(beads, "resnames"):
        return ()
    kinds = np.asarray(beads.resnames, dtype=str)
    found = np.unique(kinds)
    if found.size < 2:
        return ()
    first = str(found[0])
    return (
        f"residues of different names ({_kinds(kinds)}) count as one bead type; --map '{first}=residues:com resname "
        f"{first}' and so on make each its own",
    )


def _uncovered(atoms: Any, covered: NDArray[np.bool_]) -> list[str]:
    """Say which residues have no bead, so that another system is described, and which atoms of the others."""
    if np.all(covered):
        return []
    notes = []
    residue = np.asarray(atoms.resindices, dtype=np.intp)
    with_bead = np.zeros(int(residue.max()) + 1, dtype=np.bool_)
    with_bead[residue[covered]] = True
    lost = ~with_bead[residue]
    if np.any(lost):
        rows = np.unique(residue[lost])
        named = hasattr(atoms.residues, "resnames")
        kinds = _kinds(atoms.residues.resnames[rows] if named else ["residue"] * rows.size)
        notes.append(
            f"{int(np.sum(lost))} of {covered.size} atoms lie in {rows.size} residues without a bead ({kinds}): "
            "g(r) and the density are those of the other beads alone, and a simulation of these has another pressure"
        )
    rest = ~covered & ~lost
    if np.any(rest):
        kinds = _kinds(atoms[rest].names if hasattr(atoms, "names") else ["atom"] * int(np.sum(rest)))
        notes.append(f"{int(np.sum(rest))} atoms of residues with beads belong to no bead ({kinds})")
    return notes


def _bonded(n_bonds: int, beads: int, exclusions: str) -> list[str]:
    if exclusions != "none" or not n_bonds:
        return []
    return [
        f"the {n_bonds} bonded pairs of the {beads} beads count in g(r): a coarse-grained simulation that has these "
        "bonds leaves them out; --exclude 1-2 (1-3, 1-4, molecule) does so here"
    ]


def _kinds(names: Any) -> str:
    """Return how often each name occurs, the most frequent first."""
    counts = Counter(str(name) for name in names).most_common()
    text = ", ".join(f"{number} {name}" for name, number in counts[:NAMED])
    others = sum(number for _, number in counts[NAMED:])
    return f"{text}, {others} others" if others else text
