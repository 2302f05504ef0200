"""Columns that are not what they look like are refused or read as what they are; good tables pass."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.io import convert, read_lammps_tables, read_table, table_usage, write_rdf, write_table
from cginit.io.bonded_kind import bonded_sign
from cginit.io.forces import force_notes
from cginit.io.lammps import lammps_word
from cginit.io.pair_tables import write_pair_tables
from cginit.names import check_bead_type

NM = "nm-kJ/mol"


def lennard_jones(r):
    return 4 * (r**-12 - r**-6), 48 * r**-13 - 24 * r**-7


def steep(r):
    """A core of r^-36 with a well of 250: as steep as anything that is tabulated."""
    return 1e3 * (r**-36 - r**-18), 1e3 * (36 * r**-37 - 18 * r**-19)


def soft(r):
    return 2 * np.exp(-(r**2)), 4 * r * np.exp(-(r**2))


def waves(r):
    return np.exp(-r) * np.cos(6 * r) / r, np.exp(-r) * (
        np.cos(6 * r) / r + np.cos(6 * r) / r**2 + 6 * np.sin(6 * r) / r
    )


CURVES = (lennard_jones, steep, soft, waves)


def columns(path, *values, fmt="%.10g", head=""):
    np.savetxt(path, np.column_stack(values), fmt=fmt, header=head, comments="")
    return path


def rounded(values, digits):
    return np.array([float(f"{value:.{digits}g}") for value in values])


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("dr", [0.002, 0.01, 0.02, 0.05])
@pytest.mark.parametrize("first", [0.3, 0.8])
def test_no_good_table_is_called_wrong(curve, dr, first):
    r = first + dr * np.arange(round((2.5 - first) / dr) + 1)
    u, f = curve(r)
    # Analytic forces; end rows that are 0, as of pair_write of LAMMPS and table_to_xvg of VOTCA; few digits.
    ended = f * (np.arange(r.size) > 0) * (np.arange(r.size) < r.size - 1)
    for energy, force in (
        (u, f),
        (u - u[-1], f),
        (u, -np.gradient(u, r)),
        (np.where(r > r[-2], 0.0, u), np.where(r > r[-2], 0.0, f)),
        (u, ended),
        (rounded(u, 6), rounded(f, 6)),
        (rounded(u, 3), rounded(f, 3)),
        (np.round(u, 4), np.round(f, 4)),
    ):
        assert force_notes(r, energy, force, str) == ()


@pytest.mark.parametrize("curve", [lennard_jones, soft])
@pytest.mark.parametrize("dr", [0.002, 0.01, 0.05])
def test_every_systematic_slip_is_found_and_named(curve, dr):
    r = 0.8 + dr * np.arange(round(1.7 / dr) + 1)
    u, f = curve(r)
    for energy, force, words in (
        (u, -f, "wrong sign"),
        (f, u, "exchanged"),
        (u, 10 * f, r"factor 0\.(1|09)"),
        (u, f / 4.184, r"factor 4\.[12]"),
        (u, 0 * f, "no force"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            force_notes(r, energy, force, lambda row: f"line {row + 1}")
        assert "line " in str(caught.value)
        assert "-dU/dr of the energies is" in str(caught.value)


def test_a_single_odd_row_is_a_note_and_no_refusal(tmp_path, caplog):
    r = np.linspace(0.9, 2.5, 81)
    u, f = lennard_jones(r)
    f[30] *= -1.0
    path = columns(tmp_path / "odd.tab", r, u - u[-1], f)
    with caplog.at_level(logging.WARNING):
        found = read_table(path, units="lj")
    assert f"{path}, line 31" in caplog.text
    assert "F is not -dU/dr in one row" in found.notes[0]
    np.testing.assert_allclose(found.f, f, rtol=1e-9)


@pytest.mark.parametrize("error", ["", " 0.01"])
def test_a_target_with_flags_is_no_table_whatever_its_name(tmp_path, error):
    path = tmp_path / "target.dat"
    path.write_text("".join(f"{0.1 * row:.1f} 1.0{error} i\n" for row in range(1, 8)))
    with pytest.raises(InputError, match=r"VOTCA's flags.* cg-init guess --rdf"):
        read_table(path, units="nm-kJ/mol")


@pytest.mark.parametrize("name", ["a.tab", "a.dat", "a.csv"])
def test_swapped_columns_are_refused_with_their_line(tmp_path, name):
    x = np.array([0.30, 0.35, 0.40, 0.45, 0.50, 0.55])
    u = 2.0 * np.exp(-((x - 0.3) ** 2) / 0.01)
    f = 4.0 * (x - 0.3) / 0.01 * np.exp(-((x - 0.3) ** 2) / 0.01)
    head, separator = ("r,u,f\n", ",") if name.endswith("csv") else ("", " ")

    def table(*values):
        np.savetxt(tmp_path / name, np.column_stack(values), fmt="%.6g", delimiter=separator)
        (tmp_path / name).write_text(head + (tmp_path / name).read_text())
        return tmp_path / name

    assert read_table(table(x, u - u[-1], f), units=NM).notes == ()
    with pytest.raises(InputError, match=r"line \d: the force is -15.576 where -dU/dr .* 12.6424.*sign"):
        read_table(table(x, u, -f), units=NM)
    with pytest.raises(InputError, match="exchanged"):
        read_table(table(x, f, u), units=NM)


def test_arrays_are_compared_as_well(tmp_path):
    r = np.linspace(0.0, 2.5, 100, endpoint=False)
    u, f = soft(r)
    np.savez(tmp_path / "wrong.npz", r_min=0.0, r_cut=2.5, U=u, F=-f)
    with pytest.raises(InputError, match=r"wrong.npz, value .*sign"):
        read_table(tmp_path / "wrong.npz", units="lj")
    espresso = {"A-A.min": 0.0, "A-A.max": 2.475, "A-A.energy": f, "A-A.force": u, "A-A.header": ""}
    np.savez(tmp_path / "wrong.espresso.npz", **espresso)
    with pytest.raises(InputError, match="exchanged"):
        read_table(tmp_path / "wrong.espresso.npz", units="lj")


def test_votcas_table_for_espresso_is_r_f_u(tmp_path):
    # As table_to_tab.pl --header espresso prints it.
    r = np.linspace(0.9, 2.5, 161)
    u, f = lennard_jones(r)
    u -= u[-1]
    path = columns(tmp_path / "A-A.tab", r, f, u, fmt="%15.10e", head="#161 0.900000 2.500000")
    found = read_table(path, units="lj")
    np.testing.assert_allclose(found.u, u, atol=1e-9)
    np.testing.assert_allclose(found.f, f, rtol=1e-9)
    # Without that line the force is not taken for the energy.
    with pytest.raises(InputError, match="exchanged"):
        read_table(columns(tmp_path / "bare.tab", r, f, u), units="lj")


def test_the_third_column_of_a_pot_is_no_force(tmp_path):
    r = np.linspace(0.9, 2.5, 33)
    u, f = lennard_jones(r)
    with pytest.raises(InputError, match=r"third column .* error of U, but is -.*\.tab"):
        read_table(columns(tmp_path / "a.pot", r, u, f), units="lj")


def lammps(path, x, u, f, parameters):
    rows = "".join(
        f"{i} {a:.5f} {b:.7g} {c:.7g}\n" for i, (a, b, c) in enumerate(zip(x, u, f, strict=True), 1)
    )
    path.write_text(f"KEY\nN {len(x)} {parameters}\n\n{rows}")
    return path


BOND, ANGLE = np.linspace(0.8, 1.4, 31), np.linspace(0, 180, 61)


@pytest.mark.parametrize("parameters", ["EQ 1.1", "FP 1 2", ""])
def test_tables_of_bonds_are_no_pair_potentials(tmp_path, parameters):
    u, f = 50 * (BOND - 1.1) ** 2, -100 * (BOND - 1.1)
    path = lammps(tmp_path / "b.table", BOND, u, f, parameters)
    with pytest.raises(InputError, match="table of a bond"):
        read_table(path, units="lj")
    with pytest.raises(InputError, match="table of a bond"):
        read_table(columns(tmp_path / "b.pot", BOND, u), units="lj")


@pytest.mark.parametrize("parameters", ["FP 0 0 EQ 120", ""])
def test_tables_of_angles_are_no_pair_potentials(tmp_path, parameters):
    u, f = 0.01 * (ANGLE - 120) ** 2, -0.02 * (ANGLE - 120)
    with pytest.raises(InputError, match="table of an angle"):
        read_table(lammps(tmp_path / "a.table", ANGLE, u, f, parameters), units="lj")
    with pytest.raises(InputError, match="table of an angle"):
        read_table(columns(tmp_path / "a.pot", np.radians(ANGLE), u), units=NM)


def test_tables_of_dihedrals_are_no_pair_potentials(tmp_path):
    x = np.linspace(-180, 175, 72)
    u = 1 + np.cos(np.radians(3 * x))
    with pytest.raises(InputError, match="table of a dihedral"):
        read_table(lammps(tmp_path / "d.table", x, u, 0 * u, "DEGREES"), units="lj")
    rows = "".join(f"{i} {a:.3f} {b:.6f}\n" for i, (a, b) in enumerate(zip(x, u, strict=True), 1))
    (tmp_path / "nof.table").write_text(f"D\nN {x.size} NOF RADIANS\n\n{rows}")
    with pytest.raises(InputError, match="table of a dihedral"):
        read_table(tmp_path / "nof.table", units="lj")
    with pytest.raises(InputError, match="table of a dihedral"):
        read_table(columns(tmp_path / "d.pot", np.radians(x), u), units=NM)
    with pytest.raises(InputError, match=r"3 columns.*table_d0"):
        read_table(columns(tmp_path / "table_d0.xvg", x, u, 0 * u), units=NM)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("cut", [1.05, 1.2, 1.5, 2.5, np.pi, 180.0])
def test_pair_potentials_are_not_taken_for_bonded_ones(curve, cut):
    r = np.linspace(0.05, cut, 200)
    # Even one that is cut on the way back from its well, where it is steepest.
    found = bonded_sign(r, curve(r)[0], ["R", "0.05", f"{cut}"])
    assert found is None
    if cut in (1.05, 1.2, 1.5, 2.5):
        assert bonded_sign(r, curve(r)[0]) is None
        visible = r > 0.85 if cut > 1.0 else r > 0
        assert cut == 1.2 or bonded_sign(r[visible], curve(r[visible])[0]) is None


def test_one_bonded_section_does_not_hide_the_pairs_of_a_file(tmp_path):
    r = np.linspace(0.9, 2.5, 33)
    u, f = lennard_jones(r)
    pair = lammps(tmp_path / "p.table", r, u, f, "R 0.9 2.5").read_text().replace("KEY", "PAIR")
    bond = lammps(tmp_path / "b.table", BOND, (BOND - 1.1) ** 2, -2 * (BOND - 1.1), "EQ 1.1").read_text()
    (tmp_path / "all.table").write_text(pair + "\n" + bond)
    assert read_table(tmp_path / "all.table", keyword="PAIR", units="lj").r_cut == 2.5
    with pytest.raises(InputError, match="table of a bond"):
        read_lammps_tables(tmp_path / "all.table", units="lj")


def _rdf():
    r = np.linspace(0.0, 3.0, 61)
    return RDF(r, np.where(r < 1, 0.0, 1 + np.exp(-r) * np.cos(6 * r)), units="lj")


@pytest.mark.parametrize("name", ["Y.table", "Y.pot", "Y.xvg", "Y.npz", "Y.tab", "Y.xml", "TABLE"])
def test_g_gets_no_name_of_a_potential(tmp_path, name):
    source = write_rdf(_rdf(), tmp_path / "X.dist.tgt")
    for options in ({}, {"rdf": True}):
        with pytest.raises(InputError, match=f"run cg-init --rdf {source} --out .*{name}"):
            convert(source, tmp_path / name, **options)
    assert not (tmp_path / name).exists()


def test_a_potential_gets_no_name_of_g(tmp_path):
    r = np.linspace(0.0, 1.0, 51)
    source = write_table(PairPotential(r, (1 - r) ** 2, units="lj"), tmp_path / "A.pot")
    with pytest.raises(InputError, match="a simulation makes"):
        convert(source, tmp_path / "A.dist.tgt")
    # g under any name is no potential.
    g = _rdf()
    with pytest.raises(InputError, match=r"looks like a g\(r\).*cg-init --rdf"):
        read_table(columns(tmp_path / "g.dat", g.r, g.g), units="lj")


def test_a_single_lammps_table_carries_the_lines_that_load_it(tmp_path):
    r = np.linspace(0.0, 1.0, 51)
    potential = PairPotential(r, (1 - r) ** 2, units="lj")
    path = write_table(potential, tmp_path / "my table$.table", keyword="SOFT")
    lines = 'pair_style table linear 4000\npair_coeff 1 1 "my table$.table" SOFT'
    assert table_usage(path) == lines
    assert "".join(f"# {line}\n" for line in lines.splitlines()) in path.read_text()
    assert table_usage(write_table(potential, tmp_path / "A.pot")) == ""
    assert read_table(path).r_cut == 1.0


@pytest.mark.parametrize(
    "name", ["A; shell rm", "A\nshell rm", "", "../x", "a b", "$A", '"A"', "A#", "A&", "-A", "é"]
)
def test_names_that_scripts_would_run_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="cannot name a bead type"):
        check_bead_type(name)
    r = np.linspace(0.0, 1.0, 51)
    with pytest.raises(InputError, match="cannot name a bead type"):
        write_pair_tables(
            {("B", name): PairPotential(r, (1 - r) ** 2, units="lj")}, tmp_path / "all.table", kT=1.0
        )


@pytest.mark.parametrize("name", ["TABLE", "N", "R", "NULL", "CL-", "NA+", "O5'", "H*", "pair_coeff", "2"])
@pytest.mark.parametrize("file", ["all.table", "all.xml", "all.espresso.npz"])
def test_names_of_atoms_and_keywords_survive(tmp_path, name, file):
    r = np.linspace(0.0, 1.0, 51)
    potential = PairPotential(r, (1 - r) ** 2, units="lj")
    write_pair_tables({(name, name): potential, ("B", "B"): potential}, tmp_path / file, kT=1.0)
    again = read_table(tmp_path / file, keyword=f"{name}-{name}")
    assert again.r_cut == pytest.approx(1.0)


def test_a_word_that_no_quotation_holds_is_refused():
    assert lammps_word("a'b c") == '"a\'b c"'
    with pytest.raises(InputError, match="input script of LAMMPS"):
        lammps_word("a'b\"c")


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("dr", [0.01, 0.05])
@pytest.mark.parametrize(
    "name", ["a.tab", "a.table", "a.xvg", "a.npz", "a.espresso.npz", "TABLE", "a.dat", "a.csv", "a.xml"]
)
def test_tables_written_here_agree_with_themselves(tmp_path, caplog, curve, dr, name):
    # Potentials that begin within the core, at some 10 kT, whose extrapolation is a part of the table.
    r = 0.9 + dr * np.arange(round(1.6 / dr) + 1)
    potential = PairPotential.shifted(r, curve(r)[0], units="lj")
    with caplog.at_level(logging.WARNING):
        again = read_table(write_table(potential, tmp_path / name, kT=1.0), units="lj")
    assert not [note for note in again.notes if "dU/dr" in note]
    assert "dU/dr" not in caplog.text
    assert again.r_cut == pytest.approx(2.5)
