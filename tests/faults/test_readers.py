"""Every reader against files that are not what they seem: an answer, or a sentence that names the file."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    MAPPING,
    SETTINGS,
    VOTCA_MAPPING,
    liquid,
    spoiled,
    structure_factor,
    tables,
    targets,
)
from watching import answered, examples

from cginit import RDF, PairPotential, read_rdf, read_table
from cginit.io import read_rdf_header
from cginit.io.scattering import read_structure_factor
from cginit.toml import read_toml
from cginit.trajectory.mapping_files import read_mapping
from cginit.votca import read_settings

TARGETS = targets()
with tempfile.TemporaryDirectory() as _folder:
    TABLES = tables(Path(_folder))
UNITS = st.sampled_from((None, "lj", "nm-kJ/mol", "angstrom-kcal/mol"))


def read_spoiled(content: bytes, name: str, read):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return answered(lambda: read(path), name)


@pytest.mark.parametrize("layout", TARGETS)
@examples(400)
@given(data=st.data(), units=UNITS, clean=st.booleans())
def test_targets(layout, data, units, clean):
    content = data.draw(spoiled(TARGETS[layout]))
    name = "t.csv" if layout == "csv" else "t.xvg" if layout == "xvg" else "t.dat"
    found = read_spoiled(content, name, lambda path: read_rdf(path, units=units, clean=clean))
    assert found is None or isinstance(found, RDF)
    read_spoiled(content, name, read_rdf_header)


@pytest.mark.parametrize("name", TABLES)
@examples(400)
@given(data=st.data(), units=UNITS)
def test_tables(name, data, units):
    content = data.draw(spoiled(TABLES[name]))
    found = read_spoiled(content, name, lambda path: read_table(path, units=units))
    assert found is None or isinstance(found, PairPotential)


@examples(500)
@given(
    content=st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace"))
)
def test_anything(content):
    for read, name in (
        (lambda path: read_rdf(path, units="lj"), "a.dat"),
        (read_structure_factor, "a.dat"),
        (read_settings, "a.xml"),
        (lambda path: read_mapping(str(path)), "a.yaml"),
        (lambda path: read_mapping(str(path)), "a.xml"),
        (read_toml, "a.toml"),
        *((lambda path: read_table(path, units="lj"), name) for name in TABLES),
    ):
        read_spoiled(content, name, read)


@examples(400)
@given(content=spoiled(structure_factor()))
def test_structure_factors(content):
    read_spoiled(content, "s.dat", read_structure_factor)


@examples(600)
@given(content=spoiled(SETTINGS))
def test_settings(content):
    read_spoiled(content, "settings.xml", read_settings)


@examples(600)
@given(content=spoiled(MAPPING))
def test_mappings(content):
    read_spoiled(content, "map.yaml", lambda path: read_mapping(str(path)))


@examples(400)
@given(content=spoiled(VOTCA_MAPPING))
def test_mappings_of_votca(content):
    read_spoiled(content, "map.xml", lambda path: read_mapping(str(path)))


def test_what_is_not_spoiled_is_read():
    r, _ = liquid()
    assert read_spoiled(TARGETS["votca"], "t.dat", read_rdf).r.size == r.size
    for name, content in TABLES.items():
        if not name.endswith((".xvg", ".xml", ".tab", ".table")):
            assert (
                read_spoiled(content, name, lambda path: read_table(path, units="nm-kJ/mol")) is not None
            ), name
    assert read_spoiled(SETTINGS, "settings.xml", read_settings) is not None
    assert read_spoiled(MAPPING.replace(b"W, X", b"W, x").replace(b"type: W", b"name: W, type: W"), "m.yaml",
                        lambda path: read_mapping(str(path))) is not None  # fmt: skip
