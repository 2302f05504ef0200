"""The g(r) inside molecules, as ``cg-init target`` writes it: drawn beside simulations, and no target."""

from __future__ import annotations

import os

from cginit.curves import RDF
from cginit.io.columns import choose_columns
from cginit.io.header import parse_header
from cginit.io.rdf_units import length_factor, units_of
from cginit.io.sheet import read_sheet
from cginit.units import UnitSystem
from cginit.untrusted import reads_a_file

__all__ = ["read_inside"]


@reads_a_file
def read_inside(path: str | os.PathLike[str], units: UnitSystem) -> RDF:
    r"""Read a g(r) of pairs inside molecules, which is empty beyond the longest of them and does not tend to 1.

    .. math:: 4 \pi \rho_b \int g_{ab}\, r^2 dr

    is the number of beads b in the molecule of a bead a. Columns and units are those of `read_rdf`, the questions
    that a liquid is asked are not.

    Parameters
    ----------
    path : path-like
        The file, with the columns r, g and perhaps its error, in even steps.
    units : UnitSystem
        Those of the curve.

    Raises
    ------
    InputError
        If the file has no such columns, or they are no curve.
    """
    name = os.fspath(path)
    sheet = read_sheet(path)
    columns = choose_columns(sheet, None)
    system = units_of(units, parse_header(sheet.rows.comments, name), sheet, name)
    rows = sheet.rows
    error = None if columns.error is None else rows.numbers(columns.error, "error")
    factor = length_factor(sheet, columns, system)[0]
    return RDF(rows.numbers(columns.r, "r") * factor, rows.numbers(columns.g, "g"), error, units=system)
