"""Tables and radial distribution functions in and out of the formats of other programs."""

from cginit.atomic import write_atomically
from cginit.io.checks import check_target
from cginit.io.convert import convert
from cginit.io.formats import FORMATS, TableFormat, table_format
from cginit.io.lammps import read_lammps_tables, write_lammps_tables
from cginit.io.pair_tables import PairTables, write_pair_tables
from cginit.io.rdf import RDFHeader, read_rdf, read_rdf_header, write_rdf
from cginit.io.start_table import read_start
from cginit.io.tables import read_table, table_usage, write_table

__all__ = [
    "FORMATS",
    "PairTables",
    "RDFHeader",
    "TableFormat",
    "check_target",
    "convert",
    "read_lammps_tables",
    "read_rdf",
    "read_rdf_header",
    "read_start",
    "read_table",
    "table_format",
    "table_usage",
    "write_atomically",
    "write_lammps_tables",
    "write_pair_tables",
    "write_rdf",
    "write_table",
]
