"""The table formats: which suffix means which, how each is read and written, and in which units."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.io.table import RawTable, WriteOptions
from cginit.units import ANGSTROM_KCAL, NM_KJ, UnitSystem

__all__ = ["FORMATS", "RDF_SUFFIXES", "TableFormat", "is_potential_name", "is_rdf_name", "table_format"]

Reader = Callable[[bytes, str, str | None], RawTable]
Writer = Callable[[PairPotential, WriteOptions], str | bytes]


@dataclass(frozen=True)
class TableFormat:
    """One table format.

    Attributes
    ----------
    name : str
        The name for ``format=``.
    suffixes : tuple of str
        Ends of file names that mean this format.
    read : callable
        Takes content, file name and keyword.
    write : callable
        Takes the potential, in the units of the file, and options; returns the content.
    units : UnitSystem or None
        The units that programs expect in such a file of a physical potential; None where any will do.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Reader
    write: Writer
    units: UnitSystem | None = None


def _functions(module: str, read: str, write: str) -> tuple[Reader, Writer]:
    """Return the two functions of a module of this package, which is imported when one of them is first called."""

    def reader(data: bytes, name: str, keyword: str | None = None) -> RawTable:
        raw: RawTable = getattr(import_module(f"cginit.io.{module}"), read)(data, name, keyword)
        return raw

    def writer(potential: PairPotential, options: WriteOptions) -> str | bytes:
        content: str | bytes = getattr(import_module(f"cginit.io.{module}"), write)(potential, options)
        return content

    return reader, writer


FORMATS: tuple[TableFormat, ...] = (
    TableFormat(
        "votca",
        (".pot", ".pot.new", ".pot.cur", ".pot.in"),
        *_functions("votca", "read_pot", "write_pot"),
        NM_KJ,
    ),
    TableFormat("tab", (".tab",), *_functions("votca", "read_tab", "write_tab"), NM_KJ),
    TableFormat(
        "lammps", (".table", ".lammps"), *_functions("lammps", "read_lammps", "write_lammps"), ANGSTROM_KCAL
    ),
    TableFormat("gromacs", (".xvg",), *_functions("gromacs", "read_xvg", "write_xvg"), NM_KJ),
    TableFormat("hoomd", (".npz",), *_functions("hoomd", "read_npz", "write_npz")),
    TableFormat("openmm", (".xml",), *_functions("openmm", "read_openmm", "write_openmm"), NM_KJ),
    TableFormat("espresso", (".espresso.npz",), *_functions("espresso", "read_espresso", "write_espresso")),
    TableFormat("dlpoly", (".dlpoly",), *_functions("dlpoly", "read_dlpoly", "write_dlpoly"), ANGSTROM_KCAL),
    TableFormat("csv", (".csv",), *_functions("text", "read_columns", "write_csv")),
    TableFormat("text", (".dat", ".txt"), *_functions("text", "read_columns", "write_text")),
    TableFormat("msibi", (), *_functions("text", "read_msibi", "write_msibi")),
)

#: Ends of file names that mean a g(r).
RDF_SUFFIXES = (".dist.tgt", ".dist.new", ".dist", ".rdf")
#: Formats whose names are those of any columns, not of a potential alone.
COLUMNS = ("csv", "text", "msibi")


def table_format(path: str | os.PathLike[str], name: str | None = None) -> TableFormat:
    """Return the format of that name or, without one, the format that the end of the file's name means.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> table_format("CG-CG.pot.new").name
    'votca'
    """
    if name is not None:
        for known in FORMATS:
            if known.name == name.lower():
                return known
        raise InputError(f"unknown table format {name!r}; known are {', '.join(f.name for f in FORMATS)}")
    file = os.path.basename(os.fspath(path)).lower()  # noqa: PTH119  # a name need not be a Path
    if file == "table":  # the name that DL_POLY's file must have
        return table_format(path, "dlpoly")
    matches: list[tuple[int, Any]] = [
        (len(suffix), known) for known in FORMATS for suffix in known.suffixes if file.endswith(suffix)
    ]
    if not matches:
        table = ", ".join(f"{suffix} ({known.name})" for known in FORMATS for suffix in known.suffixes)
        raise InputError(
            f"the end of {os.fspath(path)} names no table format; known are {table}. Name it otherwise, or give "
            "the format (format=, --format)"
        )
    chosen: TableFormat = max(matches, key=lambda match: match[0])[1]
    return chosen


def is_potential_name(path: str | os.PathLike[str]) -> bool:
    """Whether the end of a file's name means the potential of some program.

    Examples
    --------
    >>> is_potential_name("CG-CG.table"), is_potential_name("CG-CG.dist.tgt"), is_potential_name("CG-CG.dat")
    (True, False, False)
    """
    if is_rdf_name(path):
        return False
    try:
        return table_format(path).name not in COLUMNS
    except InputError:
        return False


def is_rdf_name(path: str | os.PathLike[str]) -> bool:
    """Whether the end of a file's name means a g(r)."""
    return os.fspath(path).lower().endswith(RDF_SUFFIXES)
