"""Names of interactions: which coordinate of which beads a tabulated function acts on.

The energy of a configuration is a sum over interactions i and bins b of :math:`n_{ib} U_i(x_b)`, whatever the
coordinate x is: the distance of a pair, the length of a bond, an angle, a dihedral. So errors, convergence,
reweighting and regularisation are the same for all of them, and an interaction is no more than a name for what
differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TypeVar, overload

from cginit.errors import InputError
from cginit.names import with_article

__all__ = ["BEADS", "ByName", "Interaction", "Interactions", "Named", "all_pairs", "pair"]

T = TypeVar("T")
S = TypeVar("S")
T_co = TypeVar("T_co", covariant=True)

#: How many beads a coordinate has.
BEADS = {"pair": 2, "bond": 2, "angle": 3, "dihedral": 4}


@dataclass(frozen=True, eq=False)
class Interaction:
    """One tabulated function of one coordinate: a pair, bond, angle or dihedral of beads of certain types.

    Read forwards or backwards it is the same one: ``A-B`` equals ``B-A``, and angles ``A-B-C`` equal ``C-B-A``. It is
    printed as it was spelled.

    Parameters
    ----------
    coordinate : {"pair", "bond", "angle", "dihedral"}
        What the function depends on.
    beads : tuple of str
        Names of the bead types in order.
    label : str
        What tells apart several of the same beads, where a file names them (``bond_1``).

    Raises
    ------
    InputError
        If there is no such coordinate, or it has another number of beads.

    Examples
    --------
    >>> Interaction.of("angle A-B-C") == Interaction("angle", ("C", "B", "A"))
    True
    >>> str(Interaction.of("B-A")), str(Interaction.of("bond A-A"))
    ('B-A', 'bond A-A')
    """

    coordinate: str
    beads: tuple[str, ...]
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "beads", tuple(self.beads))
        if self.coordinate not in BEADS:
            raise InputError(f"unknown coordinate {self.coordinate!r}; known are {', '.join(BEADS)}")
        if len(self.beads) != BEADS[self.coordinate] or not all(self.beads):
            named = "-".join(self.beads) or "none"
            raise InputError(
                f"{with_article(self.coordinate)} has {BEADS[self.coordinate]} beads, not {named}"
            )

    @classmethod
    def of(cls, name: str | tuple[str, ...] | Interaction) -> Interaction:
        """Return the interaction of that name: ``A-B`` is a pair, others begin with their coordinate.

        Parameters
        ----------
        name : str, tuple of str or Interaction
            ``"A-B"``, ``"bond A-B"``, ``"angle A-B-A bond_1"`` (with a label), or the two bead types of a pair.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        if isinstance(name, Interaction):
            return name
        if isinstance(name, tuple):
            return cls("pair", name)
        words = name.split()
        if len(words) == 1:
            return cls("pair", tuple(words[0].split("-")))
        if len(words) in (2, 3) and words[0] in BEADS:
            return cls(words[0], tuple(words[1].split("-")), "".join(words[2:]))
        raise InputError(
            f"{name!r} names no interaction; write 'A-B' for a pair, 'bond A-B', 'angle A-B-C' or 'dihedral A-B-C-D'"
        )

    @property
    def _key(self) -> tuple[str, tuple[str, ...], str]:
        return self.coordinate, min(self.beads, self.beads[::-1]), self.label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interaction) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        beads = "-".join(self.beads)
        words = [beads] if self.coordinate == "pair" else [self.coordinate, beads]
        return " ".join([*words, self.label] if self.label else words)

    def __repr__(self) -> str:
        return f"Interaction.of({str(self)!r})"

    @property
    def is_pair(self) -> bool:
        """Whether it acts between any two beads of its types rather than along bonds."""
        return self.coordinate == "pair"

    @property
    def types(self) -> tuple[str, str]:
        """The bead types at the two ends: those of a pair."""
        return self.beads[0], self.beads[-1]

    @property
    def like(self) -> bool:
        """Whether a pair is one of beads of the same type."""
        return self.beads[0] == self.beads[-1]

    @property
    def file_stem(self) -> str:
        """The name as part of a file name: ``A-B``, ``bond_A-B``."""
        return str(self).replace(" ", "_")


def pair(a: str, b: str) -> Interaction:
    """Return the pair of two bead types."""
    return Interaction("pair", (a, b))


def all_pairs(species: Iterable[str]) -> tuple[Interaction, ...]:
    """Return every pair of these bead types, in the order of all tables of pairs.

    Examples
    --------
    >>> [str(one) for one in all_pairs(["A", "B"])]
    ['A-A', 'A-B', 'B-B']
    """
    return tuple(pair(a, b) for a, b in combinations_with_replacement(species, 2))


#: What names an interaction where one is looked up.
Named = Interaction | str | tuple[str, ...]
#: A mapping from such names; keys of mappings are invariant to type checkers.
ByName = (
    Mapping[Named, T]
    | Mapping[Interaction, T]
    | Mapping[str, T]
    | Mapping[tuple[str, str], T]
    | Mapping[tuple[str, ...], T]
)


class Interactions(Mapping[Interaction, T_co]):
    """One value for each interaction, found by any of its names and in either order of its beads.

    Parameters
    ----------
    values : mapping or iterable of (name, value)
        In the order in which they are iterated.

    Raises
    ------
    InputError
        If an interaction is given twice.

    Examples
    --------
    >>> found = Interactions({"A-A": 1, "A-B": 2})
    >>> found["B-A"], found["B", "A"], ("A", "A") in found, [str(one) for one in found]
    (2, 2, True, ['A-A', 'A-B'])
    """

    def __init__(
        self, values: ByName[T_co] | Iterable[tuple[Interaction, T_co]] | Iterable[tuple[Named, T_co]]
    ) -> None:
        items: Iterable[tuple[Named, T_co]] = values.items() if isinstance(values, Mapping) else values
        self._values: dict[Interaction, T_co] = {}
        for name, value in items:
            one = Interaction.of(name)
            if one in self._values:
                raise InputError(f"{one} is given twice")
            self._values[one] = value

    def __getitem__(self, name: Named) -> T_co:
        return self._values[Interaction.of(name)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, (Interaction, str, tuple)) and Interaction.of(name) in self._values

    @overload
    def get(self, name: Named, /) -> T_co | None: ...
    @overload
    def get(self, name: Named, default: S, /) -> T_co | S: ...
    def get(self, name: Named, default: S | None = None, /) -> T_co | S | None:
        """Return the value of an interaction, or `default` where it has none."""
        return self._values.get(Interaction.of(name), default)

    def __iter__(self) -> Iterator[Interaction]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Interactions({{{', '.join(f'{str(one)!r}: {value!r}' for one, value in self._values.items())}}})"

    def map(self, function: Callable[[T_co], S]) -> Interactions[S]:
        """Return what a function makes of each value."""
        return Interactions({one: function(value) for one, value in self._values.items()})

    def only(self) -> T_co:
        """Return the value of a single interaction.

        Raises
        ------
        InputError
            If there are several.
        """
        if len(self._values) != 1:
            raise InputError(
                f"there are {len(self._values)} interactions ({', '.join(map(str, self))}); name one"
            )
        return next(iter(self._values.values()))
