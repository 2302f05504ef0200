"""Files appear whole or not at all, and become other files."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cginit.atomic import check_writable, keep_backups
from cginit.cli.convert import convert as convert_command
from cginit.curves import RDF, PairPotential, Provenance
from cginit.errors import InputError, StorageError
from cginit.io import convert, read_rdf, read_rdf_header, read_table, write_atomically, write_rdf, write_table
from cginit.state import StatePoint

NM = "nm-kJ/mol"


def test_text_and_bytes_are_written(tmp_path):
    assert write_atomically(tmp_path / "a", "Å\n").read_bytes() == "Å\n".encode()
    assert write_atomically(str(tmp_path / "b"), b"\x00\xff").read_bytes() == b"\x00\xff"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "a.pot", "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk is full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.pot"]


def test_what_is_replaced_is_kept_where_that_is_asked_for(tmp_path):
    path = write_atomically(tmp_path / "a.pot", "1")
    write_atomically(path, "2")
    assert [one.name for one in tmp_path.iterdir()] == ["a.pot"]
    with keep_backups() as kept:
        for text in ("3", "3", "4"):
            write_atomically(path, text)
        write_atomically(path, "5", backup=False)
        write_atomically(tmp_path / "new", "1")
    assert [(old.name, new.name) for old, new in kept] == [("a.pot", "#a.pot.1#"), ("a.pot", "#a.pot.2#")]
    assert [(tmp_path / f"#a.pot.{n}#").read_text() for n in (1, 2)] == ["2", "3"]
    assert path.read_text() == "5"


@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
def test_a_failure_leaves_no_backup(tmp_path, monkeypatch, call):
    path = write_atomically(tmp_path / "a.pot", "old")

    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    if call == "link":
        # Without links a backup is a copy, for which there is no room.
        monkeypatch.setattr(shutil, "copy2", lambda a, b: (b.write_text("half"), full()))
    with keep_backups() as kept, pytest.raises(StorageError, match="disk is full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.pot"]
    assert not kept


def test_a_file_system_without_links_keeps_a_copy(tmp_path, monkeypatch):
    def no_links(source, target):
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", no_links)
    path = write_atomically(tmp_path / "a.pot", "1")
    with keep_backups():
        write_atomically(path, "2")
    assert (tmp_path / "#a.pot.1#").read_text() == "1"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_device_is_written_to_and_stays_one():
    write_atomically("/dev/null", "1")
    assert not Path("/dev/null").is_file()
    with pytest.raises(StorageError, match="cannot use /dev/full: the disk is full"):
        write_atomically("/dev/full", "1")


@pytest.mark.parametrize("check", [check_writable, lambda path: write_atomically(path, "1")])
def test_names_that_cannot_be_written_to(tmp_path, check):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, words in {
        "": "it is a folder",
        "none/a.pot": "does not exist; create it first",
        "file/a.pot": "is not a folder",
        "x" * 300: "too long",
        "loop": "loop",
        "a\0b": "null",
    }.items():
        with pytest.raises(InputError, match=words):
            check(tmp_path / name)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "loop"]
    # 255 bytes are a name.
    check(tmp_path / ("é" * 127))


def test_permissions_are_those_of_the_umask_or_the_old_file(tmp_path):
    mask = os.umask(0o027)
    try:
        path = write_atomically(tmp_path / "a", "1")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o600)
    write_atomically(path, "2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    real = write_atomically(tmp_path / "real", "1")
    link = tmp_path / "link"
    link.symlink_to(real)
    write_atomically(link, "2")
    assert link.is_symlink()
    assert real.read_text() == "2"


def test_impossible_places_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="create it first"):
        write_atomically(tmp_path / "no" / "a", "")
    with pytest.raises(InputError, match="is a folder"):
        write_atomically(tmp_path, "")


def _potential() -> PairPotential:
    r = np.arange(24, 91) * 0.01
    x = 0.26 / r
    return PairPotential.shifted(
        r, 6 * (x**12 - x**6), units=NM, provenance=Provenance("test", kT=2.494, density=33.0)
    )


def test_convert_tables(tmp_path):
    pot = write_table(_potential(), tmp_path / "CG-CG.pot")
    table = convert(pot, tmp_path / "CG-CG.table")
    assert read_table(table).units.name == "angstrom-kcal/mol"
    assert "\nCG-CG\n" in table.read_text()
    # A section keeps its name.
    assert "\nCG-CG\n" in convert(table, tmp_path / "x.table", keyword="CG-CG").read_text()
    back = read_table(convert(table, tmp_path / "back.pot"))
    assert back.units.name == NM
    nodes = np.rint((_potential().r - back.r[0]) / back.dr).astype(int)
    np.testing.assert_allclose(back.u[nodes], _potential().u, rtol=1e-10, atol=1e-12)
    # The dat file states its own units, whatever its name says.
    odd = convert(
        pot, tmp_path / "CG.out", from_units=NM, to_units="real", from_format="votca", to_format="text"
    )
    assert read_table(odd, format="text").units.name == "angstrom-kcal/mol"


def test_convert_rdf_with_its_state(tmp_path):
    curve = RDF([0.2, 0.3, 0.4], [0.0, 1.5, 1.0], units=NM)
    source = write_rdf(curve, tmp_path / "A.dist.tgt", state=StatePoint(33.0, 2.494))
    written = convert(source, tmp_path / "A.csv", to_units="real")
    again, stated = read_rdf(written), read_rdf_header(written)
    np.testing.assert_allclose(again.r, [2.0, 3.0, 4.0], rtol=1e-14)
    np.testing.assert_array_equal(again.g, curve.g)
    assert stated.density == pytest.approx(0.033, rel=1e-14)
    assert stated.kT == pytest.approx(2.494 / 4.184, rel=1e-14)
    # Without a telling suffix it has to be said.
    plain = tmp_path / "g.xvg"
    plain.write_text("0.2 -0.001\n0.3 1.5\n0.4 1.0\n")
    with pytest.raises(InputError, match="--is-rdf"):
        convert(plain, tmp_path / "g.dat", from_units=NM)
    cleaned = convert(plain, tmp_path / "g.dat", from_units=NM, rdf=True, clean=True)
    assert read_rdf(cleaned).g[0] == 0.0
    with pytest.raises(InputError, match="no meaning"):
        convert(plain, tmp_path / "h.rdf", from_units=NM, from_format="votca")


def test_command_prints_the_path_and_passes_its_options_on(tmp_path):
    app = typer.Typer()
    app.command()(convert_command)
    r = np.linspace(0.3, 1.0, 71)
    bare = tmp_path / "A.dat"
    np.savetxt(bare, np.column_stack([r, (1 - r) ** 2]), fmt="%.17g")
    out = tmp_path / "A.table"
    options = ["--units", "lj", "--kT", "1.5", "--out-keyword", "SOFT"]
    done = CliRunner().invoke(app, [str(bare), str(out), *options])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        str(out),
        "pair_style table linear 4000",
        "pair_coeff 1 1 A.table SOFT",
    ]
    assert "\nSOFT\n" in out.read_text()
    failed = CliRunner().invoke(app, [str(bare), str(out), "--units", "lj"])
    assert isinstance(failed.exception, InputError)
    assert "--kT" in str(failed.exception)
