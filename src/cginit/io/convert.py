"""From one file format to another."""

from __future__ import annotations

import os
from pathlib import Path

from cginit.errors import InputError
from cginit.io.formats import is_potential_name, is_rdf_name
from cginit.io.rdf import read_rdf, read_rdf_header, write_rdf
from cginit.io.tables import read_table, write_table
from cginit.state import StatePoint
from cginit.units import UnitSystem, unit_system

__all__ = ["convert"]


def convert(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    from_units: str | UnitSystem | None = None,
    to_units: str | UnitSystem | None = None,
    from_format: str | None = None,
    to_format: str | None = None,
    kT: float | None = None,
    keyword: str | None = None,
    to_keyword: str | None = None,
    table_extension: float | None = None,
    rdf: bool | None = None,
    clean: bool = False,
) -> Path:
    """Convert a table of a potential, or a g(r), from one format and unit system to another.

    Parameters
    ----------
    source, destination : path-like
        The files.
    from_units, to_units : str or UnitSystem, optional
        Units of the two files. By default what the source states, and the units that `write_table` chooses for
        the format; a g(r) keeps its units.
    from_format, to_format : str, optional
        Formats; by default those that the ends of the names mean.
    kT : float, optional
        Thermal energy in the units of the source, for a core that must be extended and a file that does not
        state it.
    keyword, to_keyword : str, optional
        Section of a LAMMPS source, and of a LAMMPS destination (default: that of the source or the file's name).
    table_extension : float, optional
        See `write_table`.
    rdf : bool, optional
        Whether the files hold a g(r); by default what the end of either name says (``.dist.tgt``, ``.dist.new``,
        ``.rdf``).
    clean : bool
        See `read_rdf`.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If a file is not what it should be, a g(r) would get the name of a potential or the other way round, or units
        are missing or cannot be converted.
    """
    stated_rdf = rdf
    if rdf is None:
        rdf = is_rdf_name(source) or is_rdf_name(destination)
    if rdf:
        _check_rdf_names(os.fspath(source), os.fspath(destination), stated=stated_rdf is not None)
    if not rdf:
        potential = read_table(source, units=from_units, format=from_format, keyword=keyword)
        return write_table(
            potential,
            destination,
            format=to_format,
            units=to_units,
            kT=kT,
            keyword=to_keyword or keyword,
            table_extension=table_extension,
        )
    if from_format is not None:
        raise InputError(
            f"from_format={from_format!r} has no meaning for a g(r), whose layouts are told apart"
        )
    curve = read_rdf(source, units=from_units, clean=clean)
    stated = read_rdf_header(source)
    state = None
    if stated.density is not None and stated.kT is not None and stated.units == curve.units:
        state = StatePoint(stated.density, stated.kT, curve.units)
    return write_rdf(
        curve if to_units is None else curve.to(unit_system(to_units)),
        destination,
        state=state,
        format=to_format,
        left_out=stated.left_out,
        part_of=stated.part_of,
    )


def _check_rdf_names(source: str, destination: str, *, stated: bool) -> None:
    """Refuse a g(r) under the name of a potential, and a potential under that of a g(r)."""
    if is_potential_name(destination):
        raise InputError(
            f"{source} is a g(r) and the name of {destination} means a potential, which convert does not make of it; "
            f"run cg-init --rdf {source} --out {destination}, or name the copy .dist.tgt, .csv or .dat"
        )
    # gmx rdf writes xvg, too, and whoever says that a file is a g(r) knows.
    if not stated and is_potential_name(source) and not source.lower().endswith(".xvg"):
        raise InputError(
            f"the name of {source} means a potential and that of {destination} a g(r), which a simulation makes "
            "of it; give --rdf (rdf=True) if the file holds a g(r), or another name to the copy"
        )
