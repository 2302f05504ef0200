"""Which beads make a molecule: their types, bonds, angles and dihedrals, and the pairs that are left out.

A bonded interaction acts on groups of beads that the topology lists; a pair interaction acts between all other beads,
except those that are *excluded* because they are a few bonds apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.bond_graph import (
    angles_of_bonds,
    bond_graph,
    connected,
    dihedrals_of_bonds,
    excluded_pairs,
    exclusion_depth,
    in_order,
    pairs_within,
    unique_pairs,
)
from cginit.bonded_terms import IMPROPER, checked_term, integers, named_terms
from cginit.errors import InputError
from cginit.grids import Array
from cginit.interactions import BEADS, Interaction, Interactions, Named
from cginit.periodic import minimum_image

__all__ = ["Topology"]

IntArray = NDArray[np.int64]

#: Coordinates that bonds alone make.
FROM_BONDS = ("angle", "dihedral")


@dataclass(frozen=True, eq=False)
class Topology:
    """What the beads of a system are and how they are bonded.

    Parameters
    ----------
    types : array_like, shape (n,)
        Which of `species` each bead is.
    species : tuple of str
        Names of the bead types.
    terms : mapping of interaction to array_like of shape (m, beads)
        The beads on which each bonded interaction acts: two for a bond, three for an angle, four for a dihedral, in
        order along the chain, in either direction.
    molecules : array_like, shape (n,), optional
        Number of the molecule of each bead; by default beads that bonds connect are one.
    exclusions : str
        Pairs that feel no pair potential: ``none``, ``1-2`` (bonded beads), ``1-3`` and ``1-4`` (up to two and three
        bonds apart; more are possible), ``molecule`` (all beads of one molecule) or ``listed``.
    listed : array_like, shape (m, 2)
        The pairs that ``listed`` means.
    masses : array_like, shape (species,)
        Mean mass of the beads of each of `species`, in g/mol, or in the unit of mass of reduced units; NaN where it
        is not known, as by default. No structure depends on it.

    Raises
    ------
    InputError
        If an index or a type is out of range, a group names a bead twice or beads of other types than its
        interaction, the same group occurs twice, a bond joins two molecules, or a mass is not positive.

    Examples
    --------
    >>> trimer = Topology([0, 1, 0], ("A", "B"), {"bond A-B": [[0, 1], [1, 2]], "angle A-B-A": [[0, 1, 2]]})
    >>> trimer.excluded().tolist(), trimer.excluded("1-2").tolist()
    ([[0, 1], [0, 2], [1, 2]], [[0, 1], [1, 2]])
    >>> liquid = trimer.repeated(100)
    >>> liquid.n, liquid.terms["angle A-B-A"].shape
    (300, (100, 3))
    """

    types: IntArray
    species: tuple[str, ...] = ("A",)
    terms: Interactions[IntArray] = field(default_factory=lambda: Interactions({}))
    molecules: IntArray = field(default=None)  # type: ignore[arg-type]  # filled in by what bonds connect
    exclusions: str = field(default="1-3", kw_only=True)
    listed: IntArray = field(default=None, kw_only=True)  # type: ignore[arg-type]  # filled with none
    masses: Array = field(default=None, kw_only=True)  # type: ignore[arg-type]  # filled with NaN

    def __post_init__(self) -> None:
        types = integers(self.types, "the bead types", 1)
        species = tuple(self.species)
        if types.size < 1 or np.any(types < 0) or np.any(types >= len(species)):
            raise InputError(
                f"bead types must be numbers from 0 to {len(species) - 1}, of {', '.join(species)}"
            )
        terms: Mapping[Any, ArrayLike] = self.terms
        checked = Interactions(
            [
                (one, checked_term(one, members, types, species))
                for one, members in Interactions(terms).items()
            ]
        )
        object.__setattr__(self, "types", types)
        object.__setattr__(self, "species", species)
        object.__setattr__(self, "terms", checked)
        exclusion_depth(self.exclusions)
        listed = np.empty((0, 2)) if self.listed is None else np.asarray(self.listed).reshape(-1, 2)
        listed = integers(unique_pairs(listed[:, 0], listed[:, 1]), "the excluded pairs", 2)
        if listed.size and (listed.min() < 0 or listed.max() >= types.size):
            raise InputError(f"an excluded pair names bead {listed.max()} of {types.size} (from 0)")
        object.__setattr__(self, "listed", listed)
        object.__setattr__(self, "molecules", self._checked_molecules())
        object.__setattr__(self, "masses", _checked_masses(self.masses, species))

    def __repr__(self) -> str:
        terms = "".join(f", {len(members)} {name}" for name, members in self.terms.items())
        beads = f"{self.types.size} beads of {', '.join(self.species)}"
        return f"<Topology: {beads}{terms}; exclusions {self.exclusions}>"

    def _checked_molecules(self) -> IntArray:
        bonds = self.bonds
        if self.molecules is None:
            return connected(bonds, self.n)
        given = integers(self.molecules, "the molecules", 1)
        if given.shape != (self.n,):
            raise InputError(f"there are {given.size} molecule numbers for {self.n} beads")
        apart = np.flatnonzero(given[bonds[:, 0]] != given[bonds[:, 1]])
        if apart.size:
            i, j = bonds[apart[0]]
            raise InputError(
                f"beads {i} and {j} (from 0) are bonded, but belong to the molecules {given[i]} and {given[j]}; "
                "leave the molecules out to have them numbered by the bonds"
            )
        return integers(in_order(given), "the molecules", 1)

    @property
    def n(self) -> int:
        """Number of beads."""
        return int(self.types.size)

    @property
    def n_molecules(self) -> int:
        """Number of molecules; a bead without bonds is one."""
        return int(self.molecules.max()) + 1

    @property
    def is_molecular(self) -> bool:
        """Whether any beads are bonded, or belong to one molecule."""
        return len(self.terms) > 0 or self.n_molecules < self.n

    def of(self, coordinate: str) -> Interactions[IntArray]:
        """Return the interactions of one coordinate with their beads."""
        return Interactions(
            {one: members for one, members in self.terms.items() if one.coordinate == coordinate}
        )

    @cached_property
    def bonds(self) -> IntArray:
        """All bonds ``(m, 2)``, of whatever type."""
        return self._all("bond")

    @cached_property
    def angles(self) -> IntArray:
        """All angles ``(m, 3)``."""
        return self._all("angle")

    @cached_property
    def dihedrals(self) -> IntArray:
        """All dihedrals ``(m, 4)``."""
        return self._all("dihedral")

    def _all(self, coordinate: str) -> IntArray:
        found = list(self.of(coordinate).values())
        return np.concatenate([np.empty((0, BEADS[coordinate]), dtype=np.int64), *found])

    def excluded(self, exclusions: str | None = None) -> NDArray[np.intp]:
        """Return the pairs of beads i < j ``(m, 2)`` that are left out, by default by the rule of this topology."""
        word = self.exclusions if exclusions is None else exclusions
        if word == "listed":
            return self.listed.astype(np.intp)
        if word == "molecule":
            return pairs_within(self.molecules)
        return excluded_pairs(self.bonds, self.n, exclusion_depth(word))

    def of_types(self, pairs: NDArray[np.intp], pair: Interaction) -> NDArray[np.intp]:
        """Return those of some pairs of beads ``(m, 2)`` that are of the two types of an interaction."""
        kinds = np.sort(self.types[pairs], axis=1)
        a, b = sorted(self.species.index(name) for name in pair.types)
        return np.asarray(pairs[(kinds[:, 0] == a) & (kinds[:, 1] == b)], dtype=np.intp)

    def pairs_left(self, pair: Interaction, exclusions: str | None = None) -> int:
        """Return how many pairs of beads of two types a rule of exclusion leaves, by default that of this topology.

        Examples
        --------
        >>> trimers = Topology([0, 1, 0], ("A", "B"), {"bond A-B": [[0, 1], [1, 2]]}).repeated(2)
        >>> trimers.pairs_left(Interaction.of("A-A"), "none"), trimers.pairs_left(Interaction.of("A-B"), "1-2")
        (6, 4)
        """
        n_a, n_b = self._numbers(pair)
        left_out = len(self.of_types(self.excluded(exclusions), pair))
        return (n_a * (n_a - 1) // 2 if pair.like else n_a * n_b) - left_out

    def _numbers(self, pair: Interaction) -> tuple[int, int]:
        """Return how many beads there are of the two types of a pair."""
        a, b = (int(np.count_nonzero(self.types == self.species.index(name))) for name in pair.types)
        return a, b

    def part_left(self, pair: Interaction, exclusions: str | None = None) -> float:
        """Return `pairs_left` as a part of all pairs N_a N_b, or N^2 / 2 of like beads.

        That counts each bead with itself, as programs do that divide by the density of all beads.

        Examples
        --------
        >>> trimers = Topology([0, 1, 0], ("A", "B"), {"bond A-B": [[0, 1], [1, 2]]}).repeated(2)
        >>> trimers.part_left(Interaction.of("A-A"), "none"), trimers.part_left(Interaction.of("A-B"), "1-2")
        (0.75, 0.5)
        """
        n_a, n_b = self._numbers(pair)
        whole = 0.5 * n_a * n_b if pair.like else float(n_a * n_b)
        return self.pairs_left(pair, exclusions) / whole if whole else 0.0

    def excluding(self, exclusions: str, listed: ArrayLike | None = None) -> Topology:
        """Return the same molecules with another rule of exclusion."""
        return replace(self, exclusions=exclusions, listed=self.listed if listed is None else listed)  # type: ignore[arg-type]

    def with_terms(self, terms: Mapping[Named, ArrayLike] | Iterable[tuple[Named, ArrayLike]]) -> Topology:
        """Return the same molecules with more bonded interactions."""
        more = Interactions(terms)
        return replace(self, terms=Interactions([*self.terms.items(), *more.items()]))  # type: ignore[list-item]

    def completed(self, *coordinates: str) -> Topology:
        """Return the topology with all angles and dihedrals that its bonds make, named by bead types.

        Only those coordinates of which it lists none are added; by default both.

        Raises
        ------
        InputError
            If a coordinate is neither ``angle`` nor ``dihedral``.

        Examples
        --------
        >>> chain = Topology([0, 0, 0, 0], ("A",), {"bond A-A": [[0, 1], [1, 2], [2, 3]]}).completed()
        >>> [(str(one), members.tolist()) for one, members in chain.terms.items()][1:]
        [('angle A-A-A', [[0, 1, 2], [1, 2, 3]]), ('dihedral A-A-A-A', [[0, 1, 2, 3]])]
        """
        wanted = coordinates or FROM_BONDS
        found: list[tuple[Interaction, IntArray]] = []
        for coordinate in wanted:
            if coordinate not in FROM_BONDS:
                raise InputError(f"bonds make no {coordinate}; they make {' and '.join(FROM_BONDS)}s")
            if all(one.label == IMPROPER for one in self.of(coordinate)):
                groups = (
                    angles_of_bonds(self.bonds, self.n)
                    if coordinate == "angle"
                    else dihedrals_of_bonds(self.bonds, self.n)
                )
                found += named_terms(coordinate, groups, self.types, self.species)
        return self.with_terms(found)

    def without(self, *coordinates: str) -> Topology:
        """Return the topology without the interactions of some coordinates; its molecules stay."""
        kept = {one: members for one, members in self.terms.items() if one.coordinate not in coordinates}
        return replace(self, terms=Interactions(kept))

    def repeated(self, times: int) -> Topology:
        """Return so many copies one after another."""
        return Topology.joined([(self, times)])

    @classmethod
    def joined(cls, parts: Sequence[tuple[Topology, int]]) -> Topology:
        """Return a topology of several copies of each of several molecules, one after another.

        Bead types of the same name are the same; the rule of exclusion is that of the first, and the mass of a bead
        type that of the first that knows it.

        Parameters
        ----------
        parts : sequence of (Topology, int)
            Molecules and how many there are of each.

        Raises
        ------
        InputError
            If there is none.

        Examples
        --------
        >>> dimer, solvent = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}), Topology([0], ("S",))
        >>> mixed = Topology.joined([(dimer, 10), (solvent, 50)])
        >>> mixed.species, mixed.n, mixed.n_molecules
        (('A', 'S'), 70, 60)
        """
        copies = [(one, times) for one, times in parts if times > 0]
        if not copies:
            raise InputError("a topology needs at least one molecule")
        species = tuple(dict.fromkeys(name for one, _ in copies for name in one.species))
        types, molecules, listed = [], [], []
        masses = np.full(len(species), np.nan)
        terms: dict[Interaction, list[IntArray]] = {}
        first, first_molecule = 0, 0
        for one, times in copies:
            shifts = first + one.n * np.arange(times)
            numbers = np.array([species.index(name) for name in one.species])
            types.append(np.tile(numbers[one.types], times))
            masses[numbers] = np.where(np.isnan(masses[numbers]), one.masses, masses[numbers])
            for interaction, members in one.terms.items():
                terms.setdefault(interaction, []).append(_shifted(members, shifts))
            listed.append(_shifted(one.listed, shifts))
            shifts = first_molecule + one.n_molecules * np.arange(times)
            molecules.append((one.molecules[None, :] + shifts[:, None]).reshape(-1))
            first, first_molecule = first + one.n * times, first_molecule + one.n_molecules * times
        return cls(
            np.concatenate(types),
            species,
            Interactions({name: np.concatenate(groups) for name, groups in terms.items()}),
            np.concatenate(molecules),
            exclusions=copies[0][0].exclusions,
            listed=np.concatenate(listed),
            masses=masses,
        )

    def whole(self, positions: ArrayLike, box: ArrayLike) -> NDArray[np.float64]:
        """Return positions ``(..., n, 3)`` with each molecule in one piece, its first bead where it was.

        Each bond is taken to the nearest image, so that bonds must be shorter than half the box.
        """
        found = np.array(positions, dtype=np.float64)
        for parent, child in self.layers:
            step = found[..., child, :] - found[..., parent, :]
            found[..., child, :] = found[..., parent, :] + minimum_image(step, box)
        return found

    @cached_property
    def molecule_kinds(self) -> IntArray:
        """Number of the kind of each molecule ``(n_molecules,)``; like types and bonds in like order make one kind.

        Examples
        --------
        >>> dimer, solvent = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}), Topology([0], ("S",))
        >>> Topology.joined([(dimer, 2), (solvent, 3)]).molecule_kinds.tolist()
        [0, 0, 1, 1, 1]
        """
        order = np.argsort(self.molecules, kind="stable")
        starts = np.searchsorted(self.molecules[order], np.arange(self.n_molecules + 1))
        place = np.empty(self.n, dtype=np.int64)
        place[order] = np.arange(self.n) - starts[self.molecules[order]]
        bonds: list[list[tuple[int, int]]] = [[] for _ in range(self.n_molecules)]
        owners = self.molecules[self.bonds[:, 0]] if len(self.bonds) else np.empty(0, dtype=np.int64)
        for owner, (i, j) in zip(owners.tolist(), place[self.bonds].tolist(), strict=True):
            bonds[owner].append((min(i, j), max(i, j)))
        known: dict[object, int] = {}
        keys = (
            (tuple(self.types[order[starts[m] : starts[m + 1]]].tolist()), tuple(sorted(bonds[m])))
            for m in range(self.n_molecules)
        )
        return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)

    @cached_property
    def layers(self) -> list[tuple[IntArray, IntArray]]:
        """Beads by their number of bonds from the first bead of their molecule: pairs of parents and children."""
        graph = bond_graph(self.bonds, self.n) if len(self.bonds) else None
        reached = np.zeros(self.n, dtype=bool)
        _, roots = np.unique(connected(self.bonds, self.n), return_index=True)
        reached[roots] = True
        layer, layers = roots, []
        while graph is not None and layer.size:
            edges = graph[layer].tocoo()
            parents, children = layer[edges.coords[0]], edges.coords[1]
            new = ~reached[children]
            children, once = np.unique(children[new], return_index=True)
            layers.append((parents[new][once].astype(np.int64), children.astype(np.int64)))
            reached[children] = True
            layer = children
        return layers


def _checked_masses(masses: object, species: tuple[str, ...]) -> Array:
    found = np.full(len(species), np.nan) if masses is None else np.array(masses, dtype=np.float64)
    if found.shape != (len(species),):
        raise InputError(f"there are {found.size} masses of {len(species)} bead types ({', '.join(species)})")
    wrong = np.flatnonzero(~((found > 0.0) & (found < np.inf)) & ~np.isnan(found))
    if wrong.size:
        raise InputError(f"the mass of {species[wrong[0]]} must be positive, not {found[wrong[0]]:g}")
    found.flags.writeable = False
    return found


def _shifted(groups: IntArray, shifts: NDArray[Any]) -> IntArray:
    """Return groups ``(m, k)`` once for each shift of their beads' numbers."""
    return np.asarray(
        (groups[None, :, :] + shifts[:, None, None]).reshape(-1, groups.shape[1]), dtype=np.int64
    )
