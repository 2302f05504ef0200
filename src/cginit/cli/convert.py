"""``cg-init convert``: a table or a g(r) from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["convert"]


def convert(
    source: Annotated[
        Path,
        typer.Argument(metavar="A", help="File to read: .pot .tab .table .xvg .npz .csv .dat .dist.tgt ..."),
    ],
    destination: Annotated[
        Path, typer.Argument(metavar="B", help="File to write; the end of its name is the format.")
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
            help="Format of A: votca, tab, lammps, gromacs, hoomd, csv, text, msibi. Default: by its name."
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
    rdf: Annotated[
        bool, typer.Option("--rdf", help="A holds a g(r); not needed for .dist.tgt, .dist.new and .rdf.")
    ] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Set slightly negative g(r) to 0.")] = False,
) -> None:
    """Convert a tabulated potential, or a g(r), to another format and to other units.

    Tables that a program runs (LAMMPS, GROMACS, HOOMD-blue, .tab) are refined and their core is extended
    repulsively towards r = 0; .pot, .csv and .dat keep the points of A.
    """
    from cginit.io import convert as convert_file

    written = convert_file(
        source,
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
