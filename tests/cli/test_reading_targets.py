"""Files of g(r) as users have them, through the command line: what is said, what is refused, and the same U(r)."""

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import RDF, PairPotential, StatePoint, read_table, write_rdf
from cginit.cli.app import app
from cginit.cli.guess_facts import Problem, implied_pressure
from cginit.eos.result import Pressure
from cginit.errors import InputError

R = np.arange(0, 151) * 0.01
DENSITY = 33.28
STATE = ("--density", DENSITY, "--temperature", 300, "--units", "nm-kJ/mol", "--method", "boltzmann")


def liquid(sigma=0.28):
    """Water in form: core, main peak, an oscillation that dies off."""
    core = 1.0 / (1.0 + np.exp(-(R - 0.95 * sigma) / (0.02 * sigma)))
    wave = np.cos(2 * np.pi * (R / sigma - 1.08)) * np.exp(-(R / sigma - 1.08) / 0.6)
    return core * np.maximum(1.0 + 1.2 * wave, 0.0)


G = liquid()
NUMBER = np.cumsum(4 * np.pi * DENSITY * R**2 * G * 0.01)


def save(path, *columns, head="", separator=" "):
    path.write_text(
        head + "".join(separator.join(f"{x:.8g}" for x in row) + "\n" for row in zip(*columns, strict=True))
    )
    return path


def invoke(*arguments):
    return CliRunner().invoke(app, [str(x) for x in arguments], catch_exceptions=True)


def guessed(folder, *arguments):
    """Return the output of a guess that must succeed, and its table."""
    done = invoke(*arguments, "--out", folder / "u.csv")
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output, read_table(folder / "u.csv")


@pytest.fixture
def reference(tmp_path):
    return guessed(tmp_path, "--rdf", save(tmp_path / "plain.dat", R, G), *STATE)


def test_a_plain_file_raises_no_note(reference):
    output, _ = reference
    assert "read as columns: r, g\n" in output
    notes = [line for line in output.splitlines() if line.startswith("note")]
    # This g was computed, which its smoothness shows.
    expected = ("extrapolated", "a simulation of this potential", "it was computed, or smoothed")
    assert all(any(words in note for words in expected) for note in notes), notes


@pytest.mark.parametrize("header", ["", "r,g_r,coordination\n"])
def test_a_coordination_number_changes_nothing(tmp_path, reference, header):
    path = save(tmp_path / "g.dat", R, G, NUMBER, head=header, separator="," if header else " ")
    output, table = guessed(tmp_path, "--rdf", path, *STATE)
    assert "left out" in output.splitlines()[0]
    np.testing.assert_allclose(table.u, reference[1].u, atol=1e-6)


def test_lammps_blocks_in_angstrom(tmp_path, reference):
    blocks = "# Time-averaged data for fix g\n# TimeStep Number-of-rows\n# Row c_g[1] c_g[2] c_g[3]\n"
    for step in (5000, 10000):
        rows = zip(10 * R, G, NUMBER, strict=True)
        lines = (f"{i} {r:.8g} {g:.8g} {n:.8g}" for i, (r, g, n) in enumerate(rows, 1))
        blocks += f"{step} {R.size}\n" + "\n".join(lines) + "\n"
    (tmp_path / "rdf.dat").write_text(blocks)
    state = (
        "--density",
        DENSITY / 1000,
        "--temperature",
        300,
        "--units",
        "angstrom-kcal/mol",
        "--method",
        "boltzmann",
    )
    output, table = guessed(tmp_path, "--rdf", tmp_path / "rdf.dat", *state)
    assert (
        "read as LAMMPS compute rdf: r, g of pair 1, coordination of pair 1 left out; mean of 2 blocks"
        in output
    )
    np.testing.assert_allclose(table.to("nm-kJ/mol").u, reference[1].u, atol=1e-5)


def test_two_curves_ask_for_one(tmp_path):
    path = save(tmp_path / "g.xvg", R, G, liquid(0.2), head='@    title "RDF"\n@TYPE xy\n')
    done = invoke("--rdf", path, *STATE)
    assert done.exit_code != 0
    assert "--column 2" in str(done.exception)
    assert "in column 3" not in guessed(tmp_path, "--rdf", path, *STATE, "--column", 2)[0].splitlines()[0]
    assert "column 3" in guessed(tmp_path, "--rdf", path, *STATE, "--column", 3)[0].splitlines()[0]


def test_g_beyond_half_the_box_is_cut(tmp_path, reference):
    half = 1.4
    path = save(tmp_path / "g.dat", R, np.where(half < R, G * (3 * half / np.maximum(R, 1e-9) - 2), G))
    output, table = guessed(tmp_path, "--rdf", path, *STATE)
    assert "half the box" in output
    np.testing.assert_allclose(table.u, reference[1].u, atol=1e-6)


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_another_level_is_noted_and_mended(tmp_path, reference, factor):
    path = save(tmp_path / "g.dat", R, factor * G)
    output, _ = guessed(tmp_path, "--rdf", path, *STATE)
    (note,) = [line for line in output.splitlines() if "tends to" in line]
    assert f"{factor:.2f}"[:4] in note
    distance = note.split("--normalise ")[1].split()[0]
    output, table = guessed(tmp_path, "--rdf", path, *STATE, "--normalise", distance)
    assert "divided by" in output
    assert "tends to" not in output
    # kT ln 1.002, the least that its error leaves of a level.
    np.testing.assert_allclose(table.u, reference[1].u, atol=5e-3)


def test_a_fine_file_is_rebinned(tmp_path):
    fine = np.arange(0.00005, 1.5, 0.0001)
    path = save(tmp_path / "g.dat", fine, np.interp(fine, R, G))
    output, table = guessed(tmp_path, "--rdf", path, *STATE)
    assert "averaged over bins of 0.005 nm" in output.splitlines()[0]
    assert table.dr == pytest.approx(0.005)
    assert guessed(tmp_path, "--rdf", path, *STATE, "--dr", 0.01)[1].dr == pytest.approx(0.01)


def test_two_phases_are_named_and_not_refined(tmp_path):
    path = save(tmp_path / "g.dat", R, G * (0.99 + 0.25 * np.exp(-((R / 0.93) ** 2))))
    output, _ = guessed(tmp_path, "--rdf", path, *STATE)
    assert "two phases" in output
    done = invoke("refine", "--rdf", path, *STATE, "--workdir", tmp_path / "w")
    assert "two phases" in str(done.exception)
    assert not (tmp_path / "w").exists()


def test_a_mass_density(tmp_path, reference):
    path = save(tmp_path / "g.dat", R, G)
    rest = ("--temperature", 300, "--units", "nm-kJ/mol", "--method", "boltzmann")
    output, table = guessed(
        tmp_path, "--rdf", path, "--mass-density", 0.99557, "--molar-mass", 18.0153, *rest
    )
    # 0.99557 / 18.0153 * 602.214
    assert "density 33.27" in output
    np.testing.assert_allclose(table.u, reference[1].u, atol=1e-6)
    for wrong, words in (
        (("--mass-density", 1.0), "belong together"),
        (("--density", 33.3, "--mass-density", 1.0, "--molar-mass", 18.0), "not both"),
    ):
        assert words in str(invoke("--rdf", path, *wrong, *rest).exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--density", 33.28, "--temperature", 300, "--units", "angstrom-kcal/mol"), "Is r in nm?"),
        (("--density", 0.9956, "--temperature", 300, "--units", "nm-kJ/mol"), "--mass-density"),
        (("--density", 33.28, "--kT", 0.596, "--units", "nm-kJ/mol"), "kcal/mol it would be that of 300 K"),
        (("--density", 33.28, "--temperature", 27, "--units", "nm-kJ/mol"), "Celsius"),
    ],
)
def test_units_that_would_pass_are_asked_about(tmp_path, arguments, words):
    path = save(tmp_path / "g.dat", R, G)
    output, _ = guessed(tmp_path, "--rdf", path, *arguments, "--method", "boltzmann")
    assert words in output


def test_one_pair_of_several_is_no_liquid_of_its_own(tmp_path):
    path = save(tmp_path / "g.dat", R, G, liquid(0.26), head="# r g(A-A) g(A-B)\n")
    output, _ = guessed(tmp_path, "--rdf", path, *STATE, "--column", "g(A-B)")
    assert "the file holds more g(r): column 2 (g(A-A)). If they are pairs of one mixture" in output


def test_a_curve_of_a_figure_is_read_where_its_step_is_given(tmp_path, reference):
    rows = np.flatnonzero(G > 1e-3)
    some = np.union1d(rows[:20], rows[20::3])
    path = save(tmp_path / "g.dat", R[some], G[some])
    refused = invoke("--rdf", path, *STATE, "--out", tmp_path / "u.csv")
    assert isinstance(refused.exception, InputError)
    assert "give --dr to interpolate" in str(refused.exception)
    output, table = guessed(tmp_path, "--rdf", path, *STATE, "--dr", 0.01)
    assert "uneven rows interpolated in steps of 0.01 nm" in output
    _, whole = reference
    near = (table.r > 0.27) & (table.r < 0.8)
    # Every third row beyond the peak of a curve of period 0.28: a cubic is this near in kT.
    assert np.allclose(table.u[near], whole(table.r[near]), atol=0.05)


@pytest.mark.parametrize("command", [("guess",), ("refine", "--workdir", "w")])
def test_a_temperature_in_degrees_below_zero_is_named(tmp_path, command):
    path = save(tmp_path / "g.dat", R, G)
    done = invoke(*command, "--rdf", path, "--density", DENSITY, "--temperature", -20, "--units", "nm-kJ/mol")
    assert isinstance(done.exception, InputError)
    assert "-20 degrees Celsius are 253.15 K" in str(done.exception)


@pytest.mark.parametrize(
    ("what", "words"),
    [("mixture", "one pair of a mixture"), ("molecules", "a liquid of its own without bonds")],
)
def test_a_pair_of_something_larger_says_so(tmp_path, what, words):
    whole = RDF(R, G, units="nm-kJ/mol")
    path = write_rdf(whole, tmp_path / "A-B.dat", part_of=what)
    output, _ = guessed(tmp_path, "--rdf", path, *STATE)
    assert words in output


@pytest.mark.parametrize(("error", "known"), [(5.0e8, False), (40.0, True)])
def test_a_pressure_that_no_route_knows_is_not_printed(monkeypatch, error, known):
    """A third virial coefficient of wells of many kT is a number without meaning, as large as its error."""
    found = Pressure(-30.0 if known else -5.0e8, error, "b2+b3")
    monkeypatch.setattr("cginit.eos.pressure", lambda *_: found)
    target = RDF(R, G, units="lj")
    potential = PairPotential.shifted(R, np.where(R < 0.28, 40.0, 0.0), units="lj")
    text, _, _ = implied_pressure(Problem(target, StatePoint(0.7, 1.0, "lj"), 1.0, ()), potential)
    assert text.startswith("-30 ± 40 " if known else "not known: no route of theory has an answer")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--potential", "a.pot", "--method", "hnc"), "--method cannot stand beside --potential a.pot"),
        (
            ("--pressure-correction", "wjk", "--engine", "dilute"),
            "wjk has no pressure to reach; give --pressure",
        ),
    ],
)
def test_options_that_would_not_count_are_refused(tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    done = invoke("refine", "--rdf", save(tmp_path / "g.dat", R, G), *STATE[:6], *options, "--workdir", "w")
    assert words in str(done.exception)
    assert not (tmp_path / "w").exists()


def test_the_guess_of_middles_of_bins_is_a_start_of_its_refinement(tmp_path, monkeypatch):
    """As LAMMPS, MDAnalysis and freud write them; such rows lie half a step off the multiples of the step."""
    monkeypatch.chdir(tmp_path)
    middles = R[:-1] + 0.005
    path = save(tmp_path / "g.dat", middles, np.interp(middles, R, G))
    state = STATE[:6]
    assert invoke("guess", "--rdf", path, *state, "--method", "boltzmann", "--out", "a.pot").exit_code == 0
    options = ("--engine", "dilute", "--iterations", 1, "--workdir", "w")
    done = invoke("refine", "--rdf", path, *state, "--potential", "a.pot", *options)
    # One iteration is the cap.
    assert done.exit_code == 3, done.exception
