"""``cg-init convert``: a table or a g(r) from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cginit.errors import InputError
from cginit.names import check_bead_type

__all__ = ["convert"]


def convert(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="A... B",
            help="File to read (.pot .tab .table .xvg .npz .xml .csv .dat .dist.tgt ...) and file to write; the "
            "end of its name is the format. Several A, one for each pair of bead types, become the tables "
            "of one program: .table (LAMMPS), .py (HOOMD-blue), .xml (OpenMM), .espresso.npz, TABLE (DL_POLY), .xvg.",
        ),
    ],
    from_units: Annotated[
        str | None,
        typer.Option(
            help="Units of A (nm-kJ/mol, angstrom-kcal/mol, lj), if its header does not state them."
        ),
    ] = None,
    to_units: Annotated[
        str | None,
        typer.Option(
            help="Units of B. Default: nm-kJ/mol for VOTCA and GROMACS, LAMMPS real for LAMMPS, else as A."
        ),
    ] = None,
    from_format: Annotated[
        str | None,
        typer.Option(
            help="Format of A: votca, tab, lammps, gromacs, hoomd, openmm, espresso, dlpoly, csv, text, msibi. "
            "Default: by its name."
        ),
    ] = None,
    to_format: Annotated[str | None, typer.Option(help="Format of B. Default: by its name.")] = None,
    kT: Annotated[
        float | None,
        typer.Option(
            "--kT", help="Thermal energy in the units of A, if its core must be extended towards r = 0."
        ),
    ] = None,
    keyword: Annotated[
        str | None, typer.Option(help="Section of A, if A is a LAMMPS file of several tables.")
    ] = None,
    to_keyword: Annotated[
        str | None,
        typer.Option(help="Section of B, if B is a LAMMPS table. Default: --keyword, or the name of B."),
    ] = None,
    table_extension: Annotated[
        float | None,
        typer.Option(help="How far a GROMACS table goes beyond the cut-off, in units of B. Default: 1 nm."),
    ] = None,
    pairs: Annotated[
        str | None,
        typer.Option(
            help="Bead types of the A, such as 'E-E,E-M,M-M'. Default: their names without suffix. Types are "
            "numbered in the order of the like pairs."
        ),
    ] = None,
    rdf: Annotated[
        bool, typer.Option("--rdf", help="A holds a g(r); not needed for .dist.tgt, .dist.new and .rdf.")
    ] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Set slightly negative g(r) to 0.")] = False,
) -> None:
    """Convert a tabulated potential, or a g(r), to another format and to other units.

    Of several potentials one table of all pairs of bead types is made. The lines that load it, or a single LAMMPS
    table, are printed.

    Tables that a program runs are refined and their core is extended
    repulsively towards r = 0; .pot, .csv and .dat keep the points of A.
    """
    from cginit.io import convert as convert_file
    from cginit.io import table_usage
    from cginit.io.formats import is_rdf_name

    *sources, destination = files
    if not sources:
        raise InputError(f"give the file to write after {destination}, as in: cg-init convert A.pot A.table")
    if len(sources) == 1 and pairs is None and destination.suffix.lower() != ".py":
        written = convert_file(
            sources[0],
            destination,
            from_units=from_units,
            to_units=to_units,
            from_format=from_format,
            to_format=to_format,
            kT=kT,
            keyword=keyword,
            to_keyword=to_keyword,
            table_extension=table_extension,
            rdf=rdf or None,
            clean=clean,
        )
        typer.echo(str(written))
        if not rdf and not is_rdf_name(written) and (usage := table_usage(written, to_format)):
            # Standard output is the name of the file, for scripts.
            typer.echo(usage, err=True)
        return
    for option, given in (
        ("--keyword", keyword),
        ("--to-keyword", to_keyword),
        ("--table-extension", table_extension),
        ("--rdf", rdf or None),
        ("--clean", clean or None),
    ):
        if given is not None:
            raise InputError(f"{option} has no meaning for the tables of several pairs; leave it out")
    from cginit.io import read_table, write_pair_tables

    potentials = {
        pair: read_table(source, units=from_units, format=from_format)
        for source, pair in zip(sources, _pairs(sources, pairs), strict=True)
    }
    tables = write_pair_tables(potentials, destination, format=to_format, units=to_units, kT=kT)
    for path in tables.paths:
        typer.echo(str(path))
    typer.echo(tables.usage)


def _pairs(sources: list[Path], stated: str | None) -> list[tuple[str, str]]:
    """Return the bead types of each file, as stated or by its name up to the first dot."""
    names = [source.name.partition(".")[0] for source in sources] if stated is None else stated.split(",")
    if len(names) != len(sources):
        raise InputError(f"--pairs names {len(names)} pairs for {len(sources)} files; name one for each")
    pairs: list[tuple[str, str]] = []
    for name in names:
        first, _, second = name.strip().partition("-")
        if not first or not second or "-" in second:
            raise InputError(f"{name!r} is not a pair of bead types A-B; give them with --pairs A-A,A-B,...")
        pairs.append((check_bead_type(first, name), check_bead_type(second, name)))
    if len({frozenset(pair) for pair in pairs}) < len(pairs):
        raise InputError(f"a pair occurs twice in {', '.join(names)}; give one file for each pair")
    return pairs
