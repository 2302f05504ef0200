"""Curves as people bring them: spreadsheets, edges of bins, figures, other functions of r, slips of the state."""

from __future__ import annotations

import re
import zipfile

import numpy as np
import pytest

from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.io import check_target, rdf_reading, read_rdf, read_table
from cginit.io.answer_questions import question_well
from cginit.io.bin_edges import edge_of_bins
from cginit.io.scattering import question_structure_factor
from cginit.io.state_questions import question_state, question_temperature
from cginit.state import StatePoint, check_density, number_density, thermal_energy
from cginit.toml import read_toml
from cginit.units import NM_KJ, unit_system

NM = "nm-kJ/mol"
R = np.arange(1, 101) * 0.02


def liquid(r, sigma=0.34):
    """A dense liquid's g(r) in form: core, main peak, an oscillation that dies off."""
    core = 1.0 / (1.0 + np.exp(-(r - 0.95 * sigma) / (0.02 * sigma)))
    wave = np.cos(2 * np.pi * (r / sigma - 1.08)) * np.exp(-(r / sigma - 1.08) / 0.6)
    return core * np.maximum(1.0 + 1.8 * wave, 0.0)


G = liquid(R)


def save(folder, content, name="g.dat"):
    path = folder / name
    path.write_text(content)
    return path


def text(*columns, separator=" ", head="", form="{:.7f}"):
    return head + "".join(
        separator.join(form.format(x) for x in row) + "\n" for row in zip(*columns, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.csv", text(R, G, separator=";").replace(".", ",")),
        ("g.csv", text(R, G, separator=";", head="r [nm];g(r)\n").replace(".", ",")),
        ("g.txt", text(R, G, separator="\t").replace(".", ",")),
        ("g.txt", text(R, G, head="# r g\n").replace(".", ",")),
        ("g.csv", text(R, G, separator=";", form='"{:.7f}"').replace(".", ",")),
    ],
)
def test_decimal_commas_of_a_spreadsheet_are_read_and_said(tmp_path, name, content):
    found = rdf_reading(save(tmp_path, content, name), units=NM)
    # Seven digits are printed.
    assert np.allclose(found.rdf.with_core().g[-G.size :], G, atol=1e-7)
    assert found.line.endswith("decimal commas")


def test_commas_that_separate_stay_separators(tmp_path):
    found = rdf_reading(save(tmp_path, text(R, G, separator=","), "g.csv"), units=NM)
    assert "decimal" not in found.line
    with pytest.raises(InputError, match="decimal comma; write decimal points"):
        read_rdf(save(tmp_path, "0.1;0,5\n0.2;1.0\n0.3;1.0\n"), units=NM)


def test_empty_columns_at_the_end_of_a_spreadsheet_do_no_harm(tmp_path):
    content = "r;g;\n" + text(R, G, separator=";").replace("\n", ";\n")
    assert rdf_reading(save(tmp_path, content, "g.csv"), units=NM).columns == ("r", "g")


def test_an_empty_field_is_called_so(tmp_path):
    content = "r,g\n" + text(R, G, separator=",").replace(f"{G[0]:.7f}\n", "\n", 1)
    with pytest.raises(InputError, match="line 2: g is empty, not a number; complete the row"):
        read_rdf(save(tmp_path, content, "g.csv"), units=NM)


@pytest.mark.parametrize(("label", "in_nm"), [("r (bohr)", 0.0529177210544), ("r / um", 1000.0)])
def test_more_units_of_length_are_converted(tmp_path, label, in_nm):
    path = save(tmp_path, text(R / in_nm, G, head=f"# {label}  g(r)\n", form="{:.9g}"))
    assert np.isclose(read_rdf(path, units=NM).r_max, R[-1])


def test_distances_in_sigma_are_no_nanometres(tmp_path):
    path = save(tmp_path, text(R / 0.34, G, head="# r/sigma g(r)\n"))
    with pytest.raises(InputError, match="states its distances as 'r/sigma'; give --units lj"):
        read_rdf(path, units=NM)
    assert read_rdf(path, units="lj").r_max == pytest.approx(2.0 / 0.34)


@pytest.mark.parametrize("head", ["", "# r_lo r_hi g\n", "r_min,r_max,g\n"])
def test_edges_of_bins_give_their_middles(tmp_path, head):
    separator = "," if "," in head else " "
    path = save(tmp_path, text(R - 0.01, R + 0.01, G, head=head, separator=separator), "g.csv")
    found = rdf_reading(path, units=NM)
    assert np.allclose(found.rdf.r, R)
    assert found.columns[0] == "r between the edges of bins in columns 1 and 2"


def test_edges_as_numpy_histogram_returns_them(tmp_path):
    np.savez(tmp_path / "g.npz", hist=G, bin_edges=np.append(R - 0.01, R[-1] + 0.01))
    found = rdf_reading(tmp_path / "g.npz", units=NM)
    assert np.allclose(found.rdf.r, R)
    assert "between the edges of bins, bin_edges" in found.line


def counted(*, pairs=2000.0, dr=0.05):
    """Edges of bins, and g of a Lennard-Jones gas counted in them: whole numbers of pairs over volumes of shells."""
    edges = np.arange(0, 101) * dr
    middle = 0.5 * (edges[1:] + edges[:-1])
    mean = np.exp(-np.minimum(4.0 * (middle**-12.0 - middle**-6.0), 700.0))
    volume = np.diff(edges**3)
    return edges, np.random.default_rng(5).poisson(pairs * mean * volume) / (pairs * volume)


@pytest.mark.parametrize("form", ["%.18e", "%.12g", "%.9f"])
@pytest.mark.parametrize(
    ("place", "words"),
    [(0.0, r"lower edges .* r \+ 0\.025"), (1.0, r"upper edges .* r - 0\.025"), (0.5, None)],
)
def test_edges_as_r_are_told_by_the_whole_numbers_of_pairs(tmp_path, place, words, form):
    edges, g = counted()
    np.savetxt(tmp_path / "g.dat", np.c_[edges[:-1] + 0.05 * place, g], fmt=form)
    if words is None:
        assert read_rdf(tmp_path / "g.dat", units="lj").r[0] == 0.025
        return
    with pytest.raises(InputError, match=words):
        read_rdf(tmp_path / "g.dat", units="lj")


def test_shells_that_are_as_thin_as_their_formula_tell_their_edges_too():
    edges, g = counted()
    middle = 0.5 * (edges[1:] + edges[:-1])
    thin = g * np.diff(edges**3) / (3.0 * middle**2 * 0.05)
    assert edge_of_bins(edges[:-1], thin) == "lower"
    # Divided by 4 pi r^2 dr of the r of the file, g says nothing of where the bins were.
    assert edge_of_bins(edges[1:], g * np.diff(edges**3) / (0.15 * edges[1:] ** 2)) is None


def test_nothing_is_said_of_bins_on_multiples_or_without_whole_numbers():
    rng = np.random.default_rng(6)
    edges, g = counted()
    r = edges[:-1]
    # Bins centred on multiples of their width, as those of gmx rdf and csg_stat.
    volume = (r + 0.025) ** 3 - np.maximum(r - 0.025, 0.0) ** 3
    mean = np.exp(-np.minimum(4.0 * (np.maximum(r, 0.1) ** -12.0 - np.maximum(r, 0.1) ** -6.0), 700.0))
    assert edge_of_bins(r, rng.poisson(2000.0 * mean * volume) / volume) is None
    # A box that changes, and too few digits.
    assert edge_of_bins(r, g * (1.0 + 1e-4 * rng.standard_normal(g.size))) is None
    assert edge_of_bins(r, np.round(g, 3)) is None
    assert edge_of_bins(r, np.ones(r.size)) is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("# k S(k)\n", "is a structure factor S.k. by its name"),
        ("# q (1/nm)   S(q)\n", "is a structure factor"),
        ("# r W(r)\n", "is a potential or a free energy by its name"),
        ("# r PMF\n", "is a potential or a free energy by its name"),
        # TRAVIS, older and newer: a probability density, and a structure factor.
        (
            "# Distance [nm];  g(r) [nm^(-3)]\n",
            "is a density around a bead by its name.* divide it by the number",
        ),
        ("# Distance / nm;  g(r) / nm^-3\n", "is a density around a bead by its name"),
        ("# r  rho(r) A**-3\n", "is a density around a bead by its name"),
        (
            "# Wave vector modulus / nm^-1;  Intensity\n",
            "is a wave number by its name, .* cg-init scattering",
        ),
    ],
)
def test_a_curve_that_is_called_something_else_is_no_g(tmp_path, head, words):
    path = save(tmp_path, text(R, G, head=head))
    with pytest.raises(InputError, match=words):
        read_rdf(path, units=NM)
    assert read_rdf(path, units=NM, column=2).r_max == 2.0


def test_a_comment_on_a_potential_is_no_label(tmp_path):
    assert read_rdf(save(tmp_path, text(R, G, head="# Lennard-Jones potential\n")), units=NM).r_max == 2.0


def test_a_potential_of_mean_force_that_was_shifted_is_no_g(tmp_path):
    seen = G > 1e-3
    w = -np.log(G[seen]) + np.log(G.max())
    with pytest.raises(InputError, match=r"falls from there; .* potential of mean force W, give g = exp"):
        read_rdf(save(tmp_path, text(R[seen], w)), units=NM)


def test_rows_that_are_missing_below_are_missed(tmp_path):
    top = int(np.argmax(G))
    with pytest.raises(InputError, match=r"line 1: g.r. begins at r = .* the rows below, .* are missing"):
        read_rdf(save(tmp_path, text(R[top:], G[top:])), units=NM)
    rise = int(np.argmax(G > 0.5))
    found = rdf_reading(save(tmp_path, text(R[rise:], G[rise:])), units=NM)
    assert any("rows below are missing" in note for note in found.notes)
    # From the first row that is not empty on, as many files begin.
    low = int(np.argmax(G > 0.0))
    assert not rdf_reading(save(tmp_path, text(R[low:], G[low:])), units=NM).notes


def test_a_figure_is_interpolated_where_steps_are_given(tmp_path):
    r = np.geomspace(0.3, 1.5, 60)
    path = save(tmp_path, text(r, liquid(r), form="{:.6f}"))
    with pytest.raises(InputError, match="give --dr to interpolate"):
        read_rdf(path, units=NM)
    found = rdf_reading(path, units=NM, dr=0.01)
    # A cubic through sixty points is this near to the curve.
    assert np.allclose(found.rdf.g, liquid(found.rdf.r), atol=0.03)
    assert np.isclose(found.rdf.dr, 0.01)
    assert "60 uneven rows interpolated in steps of 0.01 nm" in found.line


def test_what_ends_with_its_first_peak_is_told_so():
    end = R < 0.42
    with pytest.raises(
        InputError, match=r"ends at r = .* does not show whether it tends to 1; sample it up to"
    ):
        check_target(RDF(R[end], G[end], units=NM))


def test_degrees_celsius_are_named():
    with pytest.raises(InputError, match=r"-20 degrees Celsius are 253.15 K"):
        thermal_energy(-20.0, NM)
    with pytest.raises(InputError, match="-20 degrees Celsius"):
        StatePoint(33.0, temperature=-20.0, units=NM)


@pytest.mark.parametrize(
    ("kT", "words"),
    [
        (2.494 * 0.0083145, "Is it kT .give it with --kT., or a reduced one"),
        (0.238, "or kT in kcal/mol .119.8 K"),
    ],
)
def test_slips_of_the_temperature_are_told_apart(kT, words):
    assert re.search(words, question_temperature(kT, NM_KJ)[0])


def test_mass_densities_in_si_units_are_named():
    with pytest.raises(InputError, match=r"if it is in kg/m.3, it is 1.3503 g/cm.3"):
        number_density(1350.3, 39.948, NM)
    with pytest.raises(InputError, match=r"if it is in kg/mol, it is 39.948 g/mol"):
        number_density(1.3503, 0.039948, NM)


def test_a_density_that_no_matter_has_by_mass_is_not_called_one():
    r = R / 0.34
    with pytest.raises(InputError, match="r may be in another unit than nm; give the number"):
        check_density(RDF(r, G, units=NM), StatePoint(20.35, 1.0, NM))


@pytest.mark.parametrize(("units", "words"), [(NM, "a reduced one"), ("lj", "the same reduced units")])
def test_a_reduced_density_beside_nanometres_is_asked_about(units, words):
    target = RDF(R, G, units=units)
    assert words in " ".join(question_state(target, StatePoint(0.8, 1.0, units)))
    assert not any("as in a gas" in text for text in question_state(target, StatePoint(20.35, 1.0, units)))


def grace(*sets, legends=()):
    head = '# Grace project file\n@version 50122\n@    xaxis  label "r (nm)"\n@    yaxis  label "g(r)"\n'
    head += "".join(f'@    s{k} legend  "{name}"\n' for k, name in enumerate(legends))
    parts = (f"@target G0.S{k}\n@type xy\n{one}&\n" for k, one in enumerate(sets))
    return head + "".join(parts)


def test_sets_of_a_grace_file_are_chosen_by_their_legends(tmp_path):
    other = liquid(R, 0.3)
    path = save(tmp_path, grace(text(R, G), text(R, other), legends=("A-A", "A-B")), "g.agr")
    with pytest.raises(InputError, match=r"holds 2 curves: column 2 \(A-A\), column 3 \(A-B\); choose one"):
        read_rdf(path, units=NM)
    found = rdf_reading(path, units=NM, column="A-B")
    assert np.allclose(found.rdf.g, other, atol=1e-7)
    assert found.program == "xvg"


def test_sets_of_a_grace_file_with_errors_keep_them(tmp_path):
    error = 0.01 / R
    sets = (text(R, G, error), text(R, liquid(R, 0.3), 2.0 * error))
    found = read_rdf(save(tmp_path, grace(*sets), "g.agr"), units=NM, column="set 1")
    assert np.allclose(found.error, 2.0 * error, atol=1e-7)


def test_the_error_of_another_curve_is_not_that_of_the_chosen_one(tmp_path):
    error = 0.01 / R
    content = text(R, G, error, liquid(R, 0.3), 2.0 * error, head="r,A-A,err,A-B,err\n", separator=",")
    found = read_rdf(save(tmp_path, content, "g.csv"), units=NM, column="A-B")
    assert np.allclose(found.error, 2.0 * error, atol=1e-7)


def test_one_set_of_grace_and_a_wrong_row_of_the_second(tmp_path):
    assert read_rdf(save(tmp_path, grace(text(R, G)), "g.agr"), units=NM).r_max == 2.0
    spoiled = text(R, G).replace(f"{G[50]:.7f}", "x")
    path = save(tmp_path, grace(text(R, G), spoiled), "g.agr")
    line = path.read_text().splitlines().index(f"{R[50]:.7f} x") + 1
    with pytest.raises(InputError, match=f"line {line}: g is 'x'"):
        read_rdf(path, units=NM, column=3)


def test_sets_with_distances_of_their_own_are_named(tmp_path):
    path = save(tmp_path, grace(text(R, G), text(R + 0.01, G), legends=("300 K", "310 K")), "g.agr")
    with pytest.raises(InputError, match=r"2 sets of points \(300 K, 310 K\) with distances of their own"):
        read_rdf(path, units=NM)


def test_distances_in_a_plane_are_refused(tmp_path):
    head = "# Command line:\n#   gmx rdf -f md.xtc -s md.tpr -o rdf.xvg -ref 'name AR' -sel 'name AR'{}\n@TYPE xy\n"
    with pytest.raises(InputError, match="made by gmx rdf -xy, of distances in the plane"):
        read_rdf(save(tmp_path, text(R, G, head=head.format(" -xy"))), units=NM)
    assert read_rdf(save(tmp_path, text(R, G, head=head.format(""))), units=NM).r_max == 2.0


class TestStructureFactor:
    K = np.linspace(0.5, 40.0, 200)
    #: In nm: the main peak of argon is near 20 nm^-1.
    S = 1.0 - 0.95 * np.exp(-((K / 12.0) ** 4)) + 1.5 * np.exp(-((K - 20.0) ** 2) / 8.0)

    def test_that_of_a_liquid_raises_no_question(self):
        assert question_structure_factor(self.K, self.S, 20.35, NM_KJ) == ()

    def test_g_in_its_place_is_named(self):
        with pytest.raises(InputError, match=r"0 in .* rows.*looks like g\(r\), which needs no transform"):
            question_structure_factor(R, np.where(R < 0.3, 0.0, G), 20.35, NM_KJ)

    def test_wave_numbers_of_another_unit_are_named(self):
        with pytest.raises(InputError, match=r"ends at k = 4 nm.*is expected near 17.2.*Is k in angstrom"):
            question_structure_factor(0.1 * self.K, self.S, 20.35, NM_KJ)
        (asked,) = question_structure_factor(self.K, self.S, 0.02035, unit_system("angstrom-kcal/mol"))
        assert "is k in nm^-1" in asked


@pytest.mark.parametrize(("beads", "asked"), [(2, True), (864, False)])
def test_beads_that_fill_less_than_g_shows_are_asked_about(beads, asked):
    target = RDF(R, G, units=NM, beads=beads)
    found = question_state(target, StatePoint(20.35, 1.0, NM))
    assert any("is the number of beads" in text for text in found) == asked


def test_a_g_that_is_converted_as_a_potential_is_told_how(tmp_path):
    path = save(tmp_path, text(R, G, head="r,g\n", separator=","), "g.csv")
    with pytest.raises(InputError, match="converted with --is-rdf"):
        read_table(path, units=NM)


def test_a_missing_file_is_not_called_wrong_toml(tmp_path):
    with pytest.raises(
        InputError, match=r"cannot read .*nowhere\.toml: No such file or directory; check the path"
    ):
        read_toml(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("depth", "at", "asked"), [(1.3, 0.37, False), (6.0, 0.55, True), (30.0, 0.35, True)]
)
def test_a_well_that_g_does_not_show_is_asked_about(depth, at, asked):
    u = PairPotential.shifted(
        R, 2.5 * np.where(R < 0.3, 40.0, -depth * np.exp(-(((R - at) / 0.03) ** 2))), units=NM
    )
    found = question_well(u, RDF(R, G, units=NM), 2.5)
    assert (found is not None) == asked


def test_a_workbook_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "g.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(InputError, match="is a workbook of Excel or the like; save its sheet as CSV"):
        read_rdf(tmp_path / "g.xlsx", units=NM)


def test_rows_that_are_uneven_by_rounding_are_not_called_interpolated(tmp_path):
    r = np.arange(1, 101) * 0.0171234
    path = save(tmp_path, text(r, liquid(r), form="{:.3e}"))
    assert "interpolated" not in rdf_reading(path, units=NM).line
