"""The tables of potentials that the file of a system names: those that are given, and those to start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.bonded import Potential
    from cginit.interactions import Interaction, Interactions
    from cginit.target import Target

__all__ = ["TableFile", "joined_given", "named_tables", "read_tables", "says_degrees"]


@dataclass(frozen=True)
class TableFile:
    """A table that the file of a system names.

    Attributes
    ----------
    path : Path
        Of LAMMPS perhaps with the keyword of a section behind, after a blank.
    degrees : bool
        Whether angles are in degrees where the program of the table leaves that open.
    """

    path: Path
    degrees: bool


def says_degrees(content: Mapping[str, Any], where: str) -> bool:
    """Whether the file of a system states that angles are in degrees; InputError if it states neither unit."""
    words = content.get("angles", "radians")
    if words not in ("degrees", "radians"):
        raise InputError(f"{where} states angles = {words!r}; they are in degrees or radians")
    return bool(words == "degrees")


def named_tables(content: Mapping[str, Any], section: str, file: Path) -> dict[Interaction, TableFile]:
    """Return the tables of ``[given]`` or ``[start]``, whose names are relative to the file.

    Raises
    ------
    InputError
        If a name is that of no interaction, or one stands twice.
    """
    from cginit.interactions import Interaction
    from cginit.topology import FROM_BONDS

    degrees = says_degrees(content, str(file))
    found: dict[Interaction, TableFile] = {}
    for text, path in content.get(section, {}).items():
        name = Interaction.of(text)
        if not isinstance(path, str):
            raise InputError(f"{file}: [{section}] must give {name} the name of a file, not {path!r}")
        if name in found:
            raise InputError(f"{file}: [{section}] names {name} twice; remove one")
        found[name] = TableFile(file.parent / path, degrees and name.coordinate in FROM_BONDS)
    return found


def joined_given(
    given: Mapping[Interaction, TableFile], own: Mapping[Interaction, TableFile], where: str
) -> dict[Interaction, TableFile]:
    """Return the given tables of all states; InputError where two differ, since all states share their potentials."""
    for name, table in own.items():
        other = given.get(name, table)
        if (other.path.resolve(), other.degrees) != (table.path.resolve(), table.degrees):
            raise InputError(
                f"{where} gives {name} the table {table.path}, another state {other.path}; all states have the same "
                "potentials, so name one table"
            )
    return {**own, **given}


def read_tables(
    tables: Mapping[Interaction, TableFile],
    section: str,
    targets: Sequence[Target],
    r_cut: float | None = None,
) -> Interactions[Potential]:
    """Read tables in the units of the targets; pairs that have a g(r) onto its grid, with the cut-off `r_cut`.

    Raises
    ------
    InputError
        If one cannot be read, or belongs to no interaction of the targets.
    """
    from cginit.coordinates import ended_where_high
    from cginit.interactions import Interactions
    from cginit.io import read_start, read_table
    from cginit.io.bonded_given import read_bonded_table

    found: dict[Interaction, Potential] = {}
    for name, table in tables.items():
        owner = next((one for one in targets if name in one.interactions), None)
        if owner is None:
            raise InputError(f"[{section}] names {name}, which no state has")
        if section == "start" and not any(name in one.measured for one in targets):
            raise InputError(
                f"[start] names {name}, which has no target: it would act and never be refined. Move it to [given] "
                "if it is to stay as it is, else remove it"
            )
        if not name.is_pair:
            whole = read_bonded_table(table.path, name, units=owner.units, degrees=table.degrees)
            found[name] = ended_where_high(whole, owner.kT)
        elif name in owner.rdfs:
            found[name] = read_start(table.path, owner.rdfs[name], owner.kT, r_cut)
        else:
            found[name] = read_table(table.path, units=owner.units)
    return Interactions(found)
