"""``cg-init convert``: a table or a g(r) from one format to another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.groups import with_groups
from cginit.cli.voice import voice
from cginit.errors import InputError
from cginit.names import check_bead_type

__all__ = ["ConvertOptions", "convert"]


@dataclass(frozen=True)
class ConvertOptions:
    """What the command line says of the files read (A) and of the file written (B)."""

    units: Annotated[
        str | None,
        typer.Option(
            help="Units of A (nm-kJ/mol, angstrom-kcal/mol, lj), if its header does not state them."
        ),
    ] = None
    out_units: Annotated[
        str | None,
        typer.Option(
            help="Units of B. Default: nm-kJ/mol for VOTCA and GROMACS, LAMMPS real for LAMMPS, else as A."
        ),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            help="Format of A: votca, tab, lammps, gromacs, hoomd, openmm, espresso, dlpoly, csv, text, msibi. "
            "Default: by its name."
        ),
    ] = None
    out_format: Annotated[str | None, typer.Option(help="Format of B. Default: by its name.")] = None
    kT: Annotated[
        float | None,
        typer.Option(
            "--kT", help="Thermal energy in the units of A, if its core must be extended towards r = 0."
        ),
    ] = None
    keyword: Annotated[
        str | None, typer.Option(help="Section of A, if A is a LAMMPS file of several tables.")
    ] = None
    out_keyword: Annotated[
        str | None,
        typer.Option(help="Section of B, if B is a LAMMPS table. Default: --keyword, or the name of B."),
    ] = None
    table_extension: Annotated[
        float | None,
        typer.Option(help="How far a GROMACS table goes beyond the cut-off, in units of B. Default: 1 nm."),
    ] = None
    pairs: Annotated[
        str | None,
        typer.Option(
            help="Bead types of the A, such as 'E-E,E-M,M-M'. Default: their names without suffix. Types are "
            "numbered in the order of the like pairs."
        ),
    ] = None
    is_rdf: Annotated[
        bool, typer.Option("--is-rdf", help="A holds a g(r); not needed for .dist.tgt, .dist.new and .rdf.")
    ] = False
    clean: Annotated[bool, typer.Option("--clean", help="Set slightly negative g(r) to 0.")] = False


#: Options that mean one file.
OF_ONE = ("keyword", "out_keyword", "table_extension", "is_rdf", "clean")


def convert_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="A... B",
            help="File to read (.pot .tab .table .xvg .npz .xml .csv .dat .dist.tgt ...) and file to write; the "
            "end of its name is the format. Several A, one for each pair of bead types, become the tables "
            "of one program: .table (LAMMPS), .py (HOOMD-blue), .xml (OpenMM), .espresso.npz, TABLE (DL_POLY), .xvg.",
        ),
    ],
    options: ConvertOptions,
) -> None:
    """Convert a tabulated potential, or a g(r), to another format and to other units.

    Of several potentials one table of all pairs of bead types is made. The lines that load it, or a single LAMMPS
    table, are printed.

    Tables that a program runs are refined and their core is extended repulsively towards r = 0; .pot, .csv and .dat
    keep the points of A.
    """
    *sources, destination = files
    if not sources:
        raise InputError(f"give the file to write after {destination}, as in: cg-init convert A.pot A.table")
    if len(sources) == 1 and options.pairs is None and destination.suffix.lower() != ".py":
        _convert_one(sources[0], destination, options)
    else:
        _convert_pairs(sources, destination, options)


convert = with_groups(convert_command)


def _convert_one(source: Path, destination: Path, options: ConvertOptions) -> None:
    """Convert one table or g(r)."""
    from cginit.io import convert as convert_file
    from cginit.io import table_usage
    from cginit.io.formats import is_rdf_name

    written = convert_file(
        source,
        destination,
        from_units=options.units,
        to_units=options.out_units,
        from_format=options.format,
        to_format=options.out_format,
        kT=options.kT,
        keyword=options.keyword,
        to_keyword=options.out_keyword,
        table_extension=options.table_extension,
        rdf=options.is_rdf or None,
        clean=options.clean,
    )
    is_rdf = options.is_rdf or is_rdf_name(written)
    usage = "" if is_rdf else table_usage(written, options.out_format)
    voice().result |= {"kind": "rdf" if is_rdf else "potential", "usage": usage.splitlines()}
    voice().file(written)
    if usage:
        # Standard output is the name of the file, for scripts.
        voice().aside(usage)


def _convert_pairs(sources: list[Path], destination: Path, options: ConvertOptions) -> None:
    """Make one table of all pairs of bead types."""
    from cginit.io import read_table, write_pair_tables

    for name in OF_ONE:
        if getattr(options, name) not in (None, False):
            option = "--" + name.replace("_", "-")
            raise InputError(f"{option} has no meaning for the tables of several pairs; leave it out")
    potentials = {
        pair: read_table(source, units=options.units, format=options.format)
        for source, pair in zip(sources, _pairs(sources, options.pairs), strict=True)
    }
    tables = write_pair_tables(
        potentials, destination, format=options.out_format, units=options.out_units, kT=options.kT
    )
    voice().result |= {"kind": "potential", "usage": tables.usage.splitlines()}
    for path in tables.paths:
        voice().file(path)
    voice().line(tables.usage)


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
