"""Tables and radial distribution functions in and out of the formats of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cginit.atomic import write_atomically
from cginit.io.checks import check_target, refuse_two_phases
from cginit.io.convert import convert
from cginit.io.curve_questions import question_curve
from cginit.io.formats import FORMATS, TableFormat, table_format
from cginit.io.preparation import Prepared, prepare_target
from cginit.io.rdf import RDFHeader, Reading, rdf_reading, read_rdf, read_rdf_header, write_rdf
from cginit.io.start_table import read_start
from cginit.io.tables import read_table, table_usage, write_table
from cginit.lazy import lazy_names

if TYPE_CHECKING:
    from cginit.io.lammps import read_lammps_tables, write_lammps_tables
    from cginit.io.pair_tables import PairTables, write_pair_tables
    from cginit.io.target_file import read_target
    from cginit.io.target_questions import question_target

__all__ = [
    "FORMATS",
    "PairTables",
    "Prepared",
    "RDFHeader",
    "Reading",
    "TableFormat",
    "check_target",
    "convert",
    "prepare_target",
    "question_curve",
    "question_target",
    "rdf_reading",
    "read_lammps_tables",
    "read_rdf",
    "read_rdf_header",
    "read_start",
    "read_table",
    "read_target",
    "refuse_two_phases",
    "table_format",
    "table_usage",
    "write_atomically",
    "write_lammps_tables",
    "write_pair_tables",
    "write_rdf",
    "write_table",
]

# One format is wanted at a time, and these know all of them.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "cginit.io.lammps": ["read_lammps_tables", "write_lammps_tables"],
        "cginit.io.pair_tables": ["PairTables", "write_pair_tables"],
        "cginit.io.target_file": ["read_target"],
        "cginit.io.target_questions": ["question_target"],
    },
)
