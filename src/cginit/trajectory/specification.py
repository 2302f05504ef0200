"""What a mapping says: which atoms of which molecules make which beads, and which pairs do not count."""

from __future__ import annotations

from dataclasses import dataclass

from cginit.bond_graph import exclusion_depth

__all__ = [
    "CENTRES",
    "UNITS_OF_MAPPING",
    "AtomName",
    "BeadRule",
    "MappingRules",
    "MoleculeRule",
    "exclusion_depth",
]

#: How the atoms of a bead are weighted.
CENTRES = ("mass", "geometry")
#: What the bead definitions are applied to, one by one.
UNITS_OF_MAPPING = ("residue", "molecule", "segment", "atom")


@dataclass(frozen=True)
class AtomName:
    """An atom of a molecule by its name and, where names repeat, by its residue.

    Attributes
    ----------
    name : str
        Name of the atom.
    resname : str or None
        Name of its residue; None for any.
    residue : int or None
        Number of its residue in the molecule, from 1; None for any.
    """

    name: str
    resname: str | None = None
    residue: int | None = None


@dataclass(frozen=True)
class BeadRule:
    """One bead of a molecule.

    Attributes
    ----------
    type : str
        Its type; pairs of types get a g(r) each.
    name : str
        Its name in the molecule, for bonds.
    atoms : tuple of AtomName or None
        Its atoms, each found exactly once in the molecule.
    select : str or None
        Instead, an MDAnalysis selection of the molecule's atoms; None and no `atoms` for all of them.
    centre : str
        ``mass`` or ``geometry``.
    weights : tuple of float or None
        Weights of the atoms instead of the rule of `centre`.
    index : tuple of int or None
        Instead of `atoms` and `select`, the numbers of its atoms in the molecule, from 1, for topologies without
        names.
    """

    type: str
    name: str
    atoms: tuple[AtomName, ...] | None = None
    select: str | None = None
    centre: str = "mass"
    weights: tuple[float, ...] | None = None
    index: tuple[int, ...] | None = None


@dataclass(frozen=True)
class MoleculeRule:
    """How molecules of one kind become beads.

    Attributes
    ----------
    select : str
        MDAnalysis selection of all atoms of these molecules.
    per : str
        What is one molecule: a ``residue``, a ``molecule`` (of the topology, or by bonds), a ``segment``, or an
        ``atom``, so that each is a bead.
    beads : tuple of BeadRule
        Its beads, in the order of their numbers.
    bonds : tuple of (int, int) or None
        Pairs of beads that are bonded, from 0; None for those that the topology's bonds imply.
    excluded : tuple of (int, int) or None
        Pairs of beads that do not count, if the exclusions are ``listed``.
    ident : str or None
        Name of the molecule in the topology, or of its only residue where a topology knows no molecules.
    terms : tuple of (str, str, tuple of int)
        Coordinate, name and beads of each bond, angle and dihedral that the mapping names.
    """

    select: str
    per: str
    beads: tuple[BeadRule, ...]
    bonds: tuple[tuple[int, int], ...] | None = None
    excluded: tuple[tuple[int, int], ...] | None = None
    ident: str | None = None
    terms: tuple[tuple[str, str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True)
class MappingRules:
    """A whole mapping.

    Attributes
    ----------
    source : str
        Where it comes from, for messages.
    molecules : tuple of MoleculeRule
        The kinds of molecules.
    exclusions : str
        ``none``, ``molecule``, ``listed`` or ``1-2``, ``1-3``, ...
    """

    source: str
    molecules: tuple[MoleculeRule, ...]
    exclusions: str = "molecule"
