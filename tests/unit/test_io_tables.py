"""Tables: what is written is safe to run and reads back as what it was."""

from __future__ import annotations

import logging
import shutil
import subprocess
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cginit
from cginit.curves import PairPotential, Provenance
from cginit.errors import InputError
from cginit.extrapolate import extend_core
from cginit.io import (
    FORMATS,
    read_lammps_tables,
    read_table,
    table_format,
    write_lammps_tables,
    write_table,
)

NM = "nm-kJ/mol"
ORIGIN = Provenance("hnc", "cn-f 1.0", 33.2827, 2.494338785445972, "sha256:0123456789ab")
CARRIERS = {"votca": "pot", "csv": "csv", "text": "dat"}
RUNNABLE = {"tab": "tab", "lammps": "table", "gromacs": "xvg", "hoomd": "npz"}


def _water_like(**fields: object) -> PairPotential:
    """A potential as a guess gives it, but with its core missing: 0.24 to 0.9 nm in steps of 0.01."""
    r = np.arange(24, 91) * 0.01
    x = 0.26 / r
    values = {"r_core": 0.25, "provenance": ORIGIN, "units": NM, "notes": ("A note.", "Another.")} | fields
    return PairPotential.shifted(r, 4 * 1.5 * (x**12 - x**6) + 0.3 * np.cos(20 * r), **values)


def _numbers(path: Path) -> np.ndarray:
    return np.array([line.split() for line in path.read_text().splitlines() if line[0] not in "#@"], float)


@pytest.mark.parametrize(("format", "suffix"), CARRIERS.items())
@pytest.mark.parametrize("error", [False, True])
def test_carriers_give_back_the_same_numbers(tmp_path, format, suffix, error):
    potential = _water_like()
    if error:
        potential = _water_like(u_error=np.linspace(0.3, 0.0, potential.r.size))
    again = read_table(write_table(potential, tmp_path / f"CG-CG.{suffix}"))
    np.testing.assert_array_equal(again.r, potential.r)
    np.testing.assert_array_equal(again.u, potential.u)
    np.testing.assert_array_equal(again.f, potential.f)
    assert (again.u_error is None) == (not error)
    if error:
        np.testing.assert_array_equal(again.u_error, potential.u_error)
    assert again.provenance == potential.provenance
    assert again.notes == potential.notes
    assert again.r_core == potential.r_core
    assert again.units == potential.units


@pytest.mark.parametrize(("format", "suffix"), RUNNABLE.items())
def test_run_tables_hold_every_point_and_a_core(tmp_path, format, suffix):
    potential = _water_like()
    path = write_table(potential, tmp_path / f"CG-CG.{suffix}", units=NM)
    table = read_table(path, units=NM)
    assert table.r_cut == pytest.approx(potential.r_cut, rel=1e-15)
    assert table.u[-1] == 0.0
    assert table.r[0] <= potential.r_cut / 2000
    nodes = np.rint((potential.r - table.r[0]) / table.dr).astype(int)
    np.testing.assert_allclose(table.r[nodes], potential.r, rtol=1e-12)
    np.testing.assert_array_equal(table.u[nodes], potential.u)
    # The core is the one of extend_core, which repels more the further in.
    below = table.r < potential.r[0] - 1e-9
    assert below.sum() > 100
    joined = np.concatenate([table.r[below], potential.r[:3]])
    expected = extend_core(
        joined, np.concatenate([0 * table.r[below], potential.u[:3]]), int(below.sum()), ORIGIN.kT
    )
    np.testing.assert_allclose(table.u[below], expected[: below.sum()], rtol=1e-12)
    assert np.all(np.diff(table.f[below]) < 0.0)
    # Force and energy of the printed numbers agree: the mean of the two secants, to their rounding.
    secants = -np.diff(table.u) / table.dr
    np.testing.assert_allclose(
        table.f[1:-1], 0.5 * (secants[1:] + secants[:-1]), rtol=1e-9, atol=1e-9 * np.max(np.abs(potential.f))
    )
    # Between the points: a cubic spline through them, good to 5/384 h^4 U''''. At 0.25 nm, U'''' is
    # 6 * 12*13*14*15 / 0.25^4 * (0.26/0.25)^12 = 8e7, times 1e-8 * 5/384: 0.011; from 0.3 nm on below 1e-3.
    r = table.r[table.r > 0.3]
    x = 0.26 / r
    exact = 4 * 1.5 * (x**12 - x**6) + 0.3 * np.cos(20 * r)
    assert np.max(np.abs(table.u[table.r > 0.3] - (exact - exact[-1]))) < 1e-3


def test_gromacs_table_starts_at_zero_and_extends(tmp_path):
    potential = _water_like()
    columns = _numbers(write_table(potential, tmp_path / "table_CG_CG.xvg"))
    assert columns.shape[1] == 7
    assert columns[0, 0] == 0.0
    # r_cut + 1 nm, GROMACS' default table-extension.
    assert columns[-1, 0] == pytest.approx(1.9, abs=1e-9)
    assert not np.any(columns[:, 1:5])
    assert not np.any(columns[columns[:, 0] > potential.r_cut + 1e-9, 5:])
    longer = _numbers(write_table(potential, tmp_path / "long.xvg", table_extension=0.3))
    assert longer[-1, 0] == pytest.approx(1.2, abs=1e-3)


def test_hoomd_arrays_leave_out_the_cut_off(tmp_path):
    potential = _water_like()
    with np.load(write_table(potential, tmp_path / "CG.npz")) as arrays:
        r = np.linspace(arrays["r_min"], arrays["r_cut"], arrays["U"].size, endpoint=False)
        assert arrays["r_min"] == 0.0
        assert arrays["r_cut"] == potential.r_cut
        # What HOOMD-blue finds at the potential's own distances by its linear interpolation.
        u = np.interp(potential.r[:-1], r, arrays["U"])
        f = np.interp(potential.r[:-1], r, arrays["F"])
    np.testing.assert_allclose(u, potential.u[:-1], rtol=1e-9, atol=1e-9)
    x = 0.26 / potential.r[6:-1]
    exact = 6.0 * (12 * x**12 - 6 * x**6) / potential.r[6:-1] + 6 * np.sin(20 * potential.r[6:-1])
    # From 0.3 nm on: the spline's slope is good to h^3/24 U'''' = 1e-6/24 * 5e6 = 0.2 at most, and falls fast.
    np.testing.assert_allclose(f[6:], exact, atol=0.2)


def test_msibi_csv_is_bare_and_its_spacing_round(tmp_path):
    import pandas as pd

    potential = _water_like()
    path = write_table(potential, tmp_path / "CG.csv", format="msibi")
    frame = pd.read_csv(path)
    assert list(frame.columns) == ["x", "potential"]
    # MSIBI: dx = round(x[1] - x[0], 3), which must be the spacing; HOOMD's grid leaves out the cut-off.
    dx = np.round(frame.x[1] - frame.x[0], 3)
    assert dx == 0.01
    np.testing.assert_allclose(frame.x, np.arange(90) * dx, atol=1e-12)
    assert frame.x.iloc[-1] + dx == pytest.approx(potential.r_cut)
    again = read_table(path, units=NM, format="msibi")
    np.testing.assert_array_equal(again.u[24:], potential.u)
    coarse = PairPotential.shifted(np.linspace(0, 1, 7), np.linspace(1, 0, 7), units="lj")
    assert np.diff(pd.read_csv(write_table(coarse, tmp_path / "c.csv", format="msibi")).x)[
        0
    ] == pytest.approx(0.2)
    odd = PairPotential.shifted(np.linspace(0, 0.9337, 7), np.linspace(1, 0, 7), units="lj")
    with pytest.raises(InputError, match=r"MSIBI.*0\.9337"):
        write_table(odd, tmp_path / "odd.csv", format="msibi")


def test_lammps_table_is_in_real_units_by_default(tmp_path):
    potential = _water_like()
    path = write_table(potential, tmp_path / "CG-CG.table")
    lines = path.read_text().splitlines()
    assert "UNITS: real" in lines[0]
    assert "CG-CG" in lines
    table = read_table(path)
    assert table.units.name == "angstrom-kcal/mol"
    assert table.r[0] == pytest.approx(table.dr, rel=1e-9)
    back = table.to(NM)
    nodes = np.rint((potential.r - back.r[0]) / back.dr).astype(int)
    np.testing.assert_allclose(back.u[nodes], potential.u, rtol=1e-10)
    assert back.provenance is not None
    assert back.provenance.kT == pytest.approx(ORIGIN.kT, rel=1e-10)
    assert back.provenance.density == pytest.approx(ORIGIN.density, rel=1e-10)


def test_conversion_there_and_back_keeps_ten_digits(tmp_path):
    first = write_table(_water_like(), tmp_path / "a.table")
    gromacs = write_table(read_table(first), tmp_path / "a.pot")
    second = write_table(read_table(gromacs), tmp_path / "b.table", keyword="a")
    a, b = read_table(first), read_table(second)
    np.testing.assert_allclose(b.r, a.r, rtol=1e-10)
    np.testing.assert_allclose(b.u, a.u, rtol=1e-10, atol=1e-12)
    # A force is a difference of energies of 2e4 over a step of 2e-3 angstrom: 2e4 * 1e-15 / 2e-3 = 1e-8.
    np.testing.assert_allclose(b.f, a.f, rtol=1e-9, atol=1e-7)


def test_lj_units_stay_in_every_format(tmp_path):
    potential = _water_like().reduced(0.26, 1.5)
    for suffix in ("pot", "table", "xvg", "npz", "csv", "dat"):
        table = read_table(write_table(potential, tmp_path / f"A-A.{suffix}"))
        assert table.units.is_reduced
        assert table.r_cut == pytest.approx(potential.r_cut, rel=1e-12)
    assert "UNITS: lj" in (tmp_path / "A-A.table").read_text()
    with pytest.raises(InputError, match="lj to nm-kJ/mol"):
        write_table(potential, tmp_path / "A-A.pot", units=NM)


def test_a_section_of_several(tmp_path):
    soft = PairPotential(np.linspace(0, 1, 51), 12.5 * (1 - np.linspace(0, 1, 51)) ** 2, units="lj")
    path = write_lammps_tables({"A-A": soft, "A-B": replace_u(soft, 2.0)}, tmp_path / "all.table")
    tables = read_lammps_tables(path)
    assert list(tables) == ["A-A", "A-B"]
    np.testing.assert_allclose(tables["A-B"].u, 2.0 * tables["A-A"].u, rtol=1e-12)
    np.testing.assert_array_equal(read_table(path, keyword="A-B").u, tables["A-B"].u)
    with pytest.raises(InputError, match=r"2 tables \(A-A, A-B\).*keyword"):
        read_table(path)
    with pytest.raises(InputError, match="no table 'B-B'"):
        read_table(path, keyword="B-B")
    for word in ("", "two words", "12", "a#b"):
        with pytest.raises(InputError, match="cannot name a table"):
            write_lammps_tables({word: soft}, tmp_path / "bad.table")
    with pytest.raises(InputError, match="at least one"):
        write_lammps_tables({}, tmp_path / "bad.table")
    assert not (tmp_path / "bad.table").exists()


def replace_u(potential: PairPotential, factor: float) -> PairPotential:
    return PairPotential(potential.r, factor * potential.u, units=potential.units)


def test_keyword_from_the_file_name_is_a_word(tmp_path):
    soft = PairPotential(np.linspace(0, 1, 51), (1 - np.linspace(0, 1, 51)) ** 2, units="lj")
    assert "\nmy_pair\n" in write_table(soft, tmp_path / "my pair.table").read_text()
    assert "\nPAIR_1\n" in write_table(soft, tmp_path / "1.table").read_text()


def test_a_missing_core_needs_kT(tmp_path):
    potential = _water_like(provenance=None)
    path = tmp_path / "a.table"
    with pytest.raises(InputError, match=r"starts at r = 2.4 angstrom.*--kT"):
        write_table(potential, path)
    assert not path.exists()
    with pytest.raises(InputError, match="positive"):
        write_table(potential, path, kT=-1.0)
    # kT is given in the units of the potential, not of the file.
    write_table(potential, path, kT=ORIGIN.kT)
    with_origin = write_table(_water_like(), tmp_path / "b.table")
    np.testing.assert_allclose(read_table(path).u, read_table(with_origin).u, rtol=1e-12)
    # A carrier keeps what there is.
    assert read_table(write_table(potential, tmp_path / "a.pot")).r[0] == 0.24


@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
def test_a_soft_particle_stays_soft(tmp_path, start):
    # DPD: the force at contact is finite, and a repulsive core must not be invented in the last step.
    r = np.linspace(0.02 * start, 1.0, 51 if start < 1.0 else 50)
    soft = PairPotential(r, 12.5 * (1 - r) ** 2, units="lj", provenance=Provenance("test", kT=1.0))
    table = read_table(write_table(soft, tmp_path / "dpd.xvg"))
    assert table.r[0] == 0.0
    # Linear below the first point, with the slope of the first step: at r = 0 this is 12.5 (r_1^2 + r_1 dr), at
    # most 0.01, below the parabola; a core of 20 kT / r_1 would be 150 above it.
    np.testing.assert_allclose(table.u, 12.5 * (1 - table.r) ** 2, atol=0.0101)


@pytest.mark.parametrize("dr", [0.01, 0.05])
def test_a_core_of_astronomic_energies_does_not_spoil_the_well(tmp_path, dr):
    # A cubic spline through the points of this table is off by 8e6 at r = 0.9 for dr = 0.05.
    r = np.arange(1, round(2.5 / dr) + 1) * dr
    potential = PairPotential.shifted(r, 4 * (r**-12 - r**-6), units="lj")
    table = read_table(write_table(potential, tmp_path / "lj.table"))
    core = table.r < 1.0
    assert np.all(np.diff(table.u[core]) < 0.0)
    exact = 4 * (table.r**-12 - table.r**-6) - 4 * (2.5**-12 - 2.5**-6)
    # A cubic spline is good to 5/384 h^4 d^4U/dr^4, which is 0.0097 at r = 1 for h = 0.05; at 0.85, where it ends
    # and knows no point further in, it is 16 times more, and a factor of 4 for the end: 0.6.
    assert np.max(np.abs(table.u - exact)[table.r > 1.0]) < 0.0097
    assert np.max(np.abs(table.u - exact)[(table.r > 0.8) & core]) < 0.6


def test_units_are_never_guessed(tmp_path):
    path = tmp_path / "a.pot"
    path.write_text("0.1 2 i\n0.2 1 i\n0.3 0 i\n")
    with pytest.raises(InputError, match="--units"):
        read_table(path)
    assert read_table(path, units="votca").units.name == NM


def test_units_of_the_argument_win_and_are_logged(tmp_path, caplog):
    path = write_table(_water_like(), tmp_path / "a.pot")
    with caplog.at_level(logging.WARNING):
        assert read_table(path, units="lj").units.is_reduced
    assert "states units nm-kJ/mol" in caplog.text


def test_lammps_units_tag_is_read(tmp_path):
    body = "A\nN 3 R 1.0 3.0\n\n1 1.0 2.0 1.5\n2 2.0 0.5 1.0\n3 3.0 0.0 0.1\n"
    path = tmp_path / "foreign.table"
    path.write_text(f"# DATE: 2020-01-01 UNITS: real\n\n{body}")
    foreign = read_table(path)
    assert foreign.units.name == "angstrom-kcal/mol"
    np.testing.assert_array_equal(foreign.f, [1.5, 1.0, 0.1])
    assert foreign.provenance is None
    path.write_text(f"# UNITS: metal\n\n{body}")
    with pytest.raises(InputError, match="'metal' units"):
        read_table(path)
    path.write_text(f"# nothing\n\n{body}")
    with pytest.raises(InputError, match="--units"):
        read_table(path)


def test_lammps_rsq_grid_is_made_even(tmp_path):
    s = np.linspace(0.8**2, 2.5**2, 400)
    r = np.sqrt(s)
    u, f = 4 * (r**-12 - r**-6), 48 * r**-13 - 24 * r**-7
    rows = "".join(
        f"{k} {a} {b} {c}\n"
        for k, (a, b, c) in enumerate(zip(r.tolist(), u.tolist(), f.tolist(), strict=True), 1)
    )
    path = tmp_path / "rsq.table"
    path.write_text(f"# UNITS: lj\n\nLJ\nN 400 RSQ 0.8 2.5\n\n{rows}")
    table = read_table(path)
    exact = 4 * (table.r**-12 - table.r**-6) - 4 * (2.5**-12 - 2.5**-6)
    # Hermite: h^4/384 U'''' with h = 9e-3 and U'''' = 4 * 32760 * 0.8^-16 = 4.7e6 at 0.8: 8e-5.
    np.testing.assert_allclose(table.u, exact, atol=1e-4)
    assert [note.split()[0] for note in table.notes] == ["Interpolated", "Shifted"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pot", "0.1 2 i\n0.2 nan i\n0.3 0 i\n", ["line 2", "nan"]),
        ("a.pot", "0.1 2 i\n0.1 1 i\n0.3 0 i\n", ["line 2", "repeats"]),
        ("a.pot", "0.1 2 i\n0.2 1 x\n0.3 0 i\n", ["line 2", "'x'"]),
        ("a.tab", "0.1 2\n0.2 1\n0.3 0\n", ["2 columns", "r U F"]),
        ("a.xvg", "0.1 2\n0.2 1\n0.3 0\n", ["2 columns", "--is-rdf"]),
        ("a.xvg", "0 0 0 0 0 2 1\n.1 0 0 -1 0 1 1\n.2 0 0 0 0 0 0\n", ["line 2", "dispersion", "C6"]),
        ("a.xvg", "0 0 0 0 0 0 0\n.1 0 0 0 0 0 0\n.2 0 0 0 0 0 0\n", ["0 everywhere"]),
        ("a.csv", "r,g\n1,2\n2,1\n3,0\n", ["names its columns r, g"]),
        ("a.table", "A\nR 1 2\n\n1 1 1 1\n", ["line 2", "N n"]),
        ("a.table", "A\nN 4 R 1 2\n\n1 1 1 1\n", ["ends after 1 of 4"]),
        (
            "a.table",
            "A\nN 3 R 1 2\n\n1 1 1 1\n2 1.7 1 1\n3 2 0 1\n",
            ["line 5", "r = 1.7", "'R 1 2' gives 1.5"],
        ),
        ("a.table", "A\nN 3 BITMAP 1 2\n\n1 1 1 1\n2 2 1 1\n3 3 0 1\n", ["BITMAP"]),
        ("a.table", "A\nN 3\n\n1 1 1 1\n2 2 1 1\n3 3 0 1\nA\nN 3\n\n1 1 1 1\n2 2 1 1\n3 3 0 1\n", ["twice"]),
        ("a.table", "# only a comment\n", ["holds no table"]),
        ("TABLE", "units: lj\n0.0 2.5 8\nA A\n" + 16 * "1 ", ["8 points of step 0", "cut-off 2.5"]),
        ("TABLE", "units: lj\n0.5 nan 9\nA A\n" + 18 * "1 ", ["9 points of step 0.5", "cut-off nan"]),
        (
            "a.pot",
            "# cginit: r_cut = nan\n0.1 2 i\n0.2 1 i\n0.3 0 i\n",
            ["cut-off nan", "correct the header"],
        ),
        ("a.npz", "PK no zip", ["a.npz", "r_min"]),
        ("a.odd", "1 2\n", ["names no table format", ".pot (votca)"]),
    ],
)
def test_errors_name_file_line_value_and_remedy(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_table(path, units="lj")
    for word in words:
        assert word in str(caught.value)


def test_npz_without_its_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", U=np.zeros(4))
    with pytest.raises(InputError, match="F"):
        read_table(tmp_path / "a.npz", units="lj")
    np.savez(tmp_path / "a.npz", U=np.zeros(4), F=np.zeros(3), r_min=0.0, r_cut=1.0)
    with pytest.raises(InputError, match="both must be"):
        read_table(tmp_path / "a.npz", units="lj")


def test_foreign_gromacs_table_loses_its_hole_and_its_tail(tmp_path):
    r = np.arange(0, 301) * 0.005
    with np.errstate(divide="ignore"):
        u, f = 1e-6 * r**-12, 12e-6 * r**-13
    u[r < 0.04], f[r < 0.04] = 0.0, 0.0
    u[r > 0.9], f[r > 0.9] = 0.0, 0.0
    path = tmp_path / "table.xvg"
    path.write_text(
        "".join(f"{a:.3f} 0 0 0 0 {b!r} {c!r}\n" for a, b, c in zip(r, u.tolist(), f.tolist(), strict=True))
    )
    table = read_table(path, units="gromacs")
    assert table.r[0] == pytest.approx(0.04)
    assert table.r_cut == pytest.approx(0.905)


def test_votca_flags_are_understood(tmp_path):
    path = tmp_path / "a.pot"
    path.write_text("0.0 nan u\n0.1 9 o\n0.2 4 o\n0.3 1 i\n0.4 0.5 i\n0.5 0.25 i\n")
    potential = read_table(path, units=NM)
    assert potential.r[0] == 0.1
    assert potential.r_core == pytest.approx(0.3)
    # A flagless file, as HNC scripts leave, is read too; its energy at the cut-off becomes 0.
    assert potential.u[-1] == 0.0
    assert "Shifted by -0.25 kJ/mol" in potential.notes[0]
    flags = [line.split()[-1] for line in write_table(potential, tmp_path / "b.pot").read_text().splitlines()]
    assert flags[-5:] == ["o", "o", "i", "i", "i"]


def test_header_is_legal_and_short(tmp_path):
    long = "A very long note " * 100
    potential = _water_like(notes=("Å and\nnewline", long))
    text = write_table(potential, tmp_path / "a.table").read_text()
    head = [line for line in text.splitlines() if line.startswith("#")]
    # LAMMPS reads lines of at most 1024 characters.
    assert max(map(len, head)) < 1000
    assert text.isascii()
    for key in ("method = hnc", "model = cn-f 1.0", "source = sha256:0123456789ab", "kT = ", "density = "):
        assert any(key in line for line in head)
    assert any(f"version = {cginit.__version__}" in line for line in head)
    assert read_table(tmp_path / "a.table").notes[0] == "? and newline"


def test_equal_potentials_give_equal_files(tmp_path):
    for suffix in ("pot", "tab", "table", "xvg", "npz", "csv", "dat"):
        path = tmp_path / f"a.{suffix}"
        first = write_table(_water_like(), path, keyword="A").read_bytes()
        assert write_table(_water_like(), path, keyword="A").read_bytes() == first


def test_every_format_is_found_by_name_and_suffix():
    assert len({known.name for known in FORMATS}) == len(FORMATS)
    for known in FORMATS:
        assert table_format("x", known.name) is known
        for suffix in known.suffixes:
            assert table_format(f"folder.csv/A-B{suffix.upper()}") is known
    with pytest.raises(InputError, match=r"unknown table format 'xls'; known are votca"):
        table_format("x.pot", "xls")


# No deadline: a loaded machine is not a defect.
@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(3, 40),
    first=st.integers(0, 30),
    dr=st.sampled_from([0.01, 0.02, 1 / 7, 0.25]),
    suffix=st.sampled_from(["pot", "csv", "dat", "table", "xvg", "npz"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_round_trip_of_any_curve(tmp_path_factory, n, first, dr, suffix, seed):
    rng = np.random.default_rng(seed)
    r = np.linspace(first * dr, (first + n - 1) * dr, n)
    potential = PairPotential.shifted(
        r, rng.normal(size=n) * 10.0 ** rng.integers(-3, 4), units="lj", provenance=Provenance("test", kT=1.0)
    )
    path = write_table(potential, tmp_path_factory.mktemp("io") / f"a.{suffix}")
    table = read_table(path)
    nodes = np.rint((potential.r - table.r[0]) / table.dr).astype(int)
    held = nodes >= 0  # a LAMMPS table has no r = 0
    np.testing.assert_allclose(table.r[nodes[held]], potential.r[held], rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(table.u[nodes[held]], potential.u[held])
    assert table.r_cut == pytest.approx(potential.r_cut, rel=1e-14)


@pytest.mark.parametrize("suffix", ["pot", "pot.new"])
def test_votca_reads_our_potential(tmp_path, suffix):
    program = shutil.which("csg_resample")
    if program is None:
        pytest.skip("csg_resample of VOTCA is not installed")
    path = write_table(_water_like(), tmp_path / f"CG-CG.{suffix}")
    out = tmp_path / "out.pot"
    done = subprocess.run(
        [program, "--in", str(path), "--out", str(out), "--grid", "0.24:0.01:0.9", "--type", "cubic"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    values = [line.split() for line in out.read_text().splitlines() if not line.startswith("#")]
    u = np.array([row[1] for row in values], dtype=float)
    # VOTCA prints 10 digits.
    np.testing.assert_allclose(u, _water_like().u, rtol=1e-9, atol=1e-9)
    assert {row[-1] for row in values[2:]} == {"i"}


def test_io_imports_without_pandas_or_scipy():
    import sys

    code = (
        "import sys, cginit.io; raise SystemExit(any(m in sys.modules for m in ('pandas', 'scipy', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ("r,u,f\n1,2,1\n2,1,1,1\n3,0,1\n", "line 3 has 4 fields, the first row has 3"),
        ('r,u,f\n"1,2,1\n2,1,1\n3,0,1\n', "CSV"),
        ('r,u,f\n1,2,"1\n2",1,1\n3,0,1\n', "several lines"),
        ("r,u,f\n1,2,1\n2,1\n3,0,1\n", "line 3"),
    ],
)
def test_csv_that_is_not_regular_is_refused(tmp_path, rows, match):
    path = tmp_path / "a.csv"
    path.write_text(rows)
    with pytest.raises(InputError, match=match):
        read_table(path, units="lj")


def test_csv_quotes_are_understood(tmp_path):
    import pandas as pd

    path = tmp_path / "a.csv"
    frame = pd.DataFrame({"r": [1.0, 2.0, 3.0], "potential": [2.0, 1.0, 0.0], "force": [1.0, 1.0, 1.0]})
    text = StringIO()
    frame[["force", "r", "potential"]].to_csv(text, index=False, quoting=1)
    path.write_text(text.getvalue())
    table = read_table(path, units="lj")
    np.testing.assert_array_equal(table.r, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(table.f, [1.0, 1.0, 1.0])
