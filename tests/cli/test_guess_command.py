"""The command line as a user meets it: in a process of its own, exit codes and messages included."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from program import cg_init
from typer.testing import CliRunner

import cginit.guess
from cginit import RDF, InputError, StatePoint, read_table, write_rdf
from cginit.cli.app import app

WATER = Path(__file__).parents[2] / "examples/water/target.dat"
R = np.arange(0, 101) * 0.01


def water_like():
    r = np.maximum(R, 1e-3)
    u = 2.0 * ((0.27 / r) ** 12 - (0.27 / r) ** 6)
    return RDF(R, np.exp(-np.minimum(u, 50.0)), units="nm-kJ/mol")


@pytest.fixture
def target(tmp_path):
    """A target without a header: every value has to be given."""
    path = tmp_path / "CG-CG.dist.tgt"
    g = water_like()
    path.write_text("".join(f"{r:.2f} {x:.6g} i\n" for r, x in zip(g.r, g.g, strict=True)))
    return path


STATE = ("--density", 1.0, "--temperature", 300, "--units", "nm-kJ/mol")


def test_both_tables_are_written_and_agree(target, tmp_path):
    done = cg_init(
        "--rdf",
        target,
        *STATE,
        "--method",
        "boltzmann",
        "--out",
        "CG-CG.pot",
        "--out",
        "CG-CG.table",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["CG-CG.pot", "CG-CG.table"]
    votca, lammps = read_table(tmp_path / "CG-CG.pot"), read_table(tmp_path / "CG-CG.table")
    assert lammps.units.name == "angstrom-kcal/mol"
    same = lammps.to("nm-kJ/mol")
    shown = votca.r > 0.25
    # Every point of the potential is a node of the LAMMPS grid: ten printed digits.
    np.testing.assert_allclose(np.interp(votca.r, same.r, same.u)[shown], votca.u[shown], atol=1e-6)
    assert votca.provenance.method == "boltzmann"
    assert votca.provenance.kT == pytest.approx(2.49434, abs=1e-5)


def test_default_names_come_from_the_target(target, tmp_path):
    done = cg_init("--rdf", target, *STATE, "--method", "hnc", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, ["CG-CG.pot", "CG-CG.table"]), done.stderr


def test_the_header_makes_options_unnecessary(tmp_path):
    write_rdf(water_like(), tmp_path / "t.dat", state=StatePoint(1.0, 2.5, "nm-kJ/mol"))
    done = cg_init("--rdf", "t.dat", "--method", "hnc", "--out", "t.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "density 1 nm^-3, kT 2.5 kJ/mol" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--units", "nm-kJ/mol"], "density"),
        (["--density", 1.0, "--units", "nm-kJ/mol"], "--temperature"),
        (["--density", 1.0, "--temperature", 300], "--units"),
        ([*STATE, "--kT", 2.5], "not both"),
        ([*STATE, "--method", "magic"], "known are network"),
        ([*STATE, "--cutoff", 1.5], "cut-off 1.5"),
        (["--density", 997, "--temperature", 300, "--units", "nm-kJ/mol"], "cannot be right"),
        (["--density", 1.0, "--temperature", 300, "--units", "lj"], "kelvin"),
        (["--density", "33,28"], "no number; write it with a decimal point"),
        (["--target-beads", "1e3"], "no whole number"),
        ([*STATE, "--cutoff", "0"], "a cut-off must be above 0"),
        (["--out", "a.pot,b.table"], "give --out once a table: --out a.pot"),
    ],
)
def test_bad_input_is_named_with_exit_code_2(target, tmp_path, arguments, words):
    done = cg_init("--rdf", target, "--method", "hnc", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    # The parser wraps its lines.
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.pot"))


def test_no_solution_is_exit_code_3(tmp_path):
    # A density far above that of the g(r): its structure factor would have to be negative, and PY says so.
    r = np.arange(1, 201) * 0.02
    g = np.where(r < 1.0, 0.0, 1.0 + 2.5 * np.exp(-3 * (r - 1)) * np.cos(6.9 * (r - 1.05)))
    write_rdf(RDF(r, np.maximum(g, 0.0), units="lj"), tmp_path / "t.dat", state=StatePoint(1.05, 1.0, "lj"))
    done = cg_init("--rdf", "t.dat", "--method", "py", "--cutoff", "2.5", cwd=tmp_path)
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert done.stderr.startswith("cg-init: ")


def test_missing_file_and_no_arguments(tmp_path):
    done = cg_init("--rdf", "absent.dat", cwd=tmp_path)
    assert done.returncode == 2
    assert "absent.dat" in done.stderr
    assert "--rdf" in cg_init(cwd=tmp_path).stdout + cg_init(cwd=tmp_path).stderr


def test_the_start_is_light(target, tmp_path):
    code = (
        "import sys, cginit.cli; "
        "heavy = {'torch', 'MDAnalysis', 'numba', 'matplotlib', 'dask', 'hoomd', 'pandas', 'scipy', 'onnxruntime', "
        "'cginit.cli.refine', 'cginit.refine.driver'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("method", ["network", "cn-f", "hnc", "py", "boltzmann"])
def test_a_guess_needs_neither_scipy_nor_pandas(tmp_path, method):
    # Each takes longer to import than all the rest of a guess.
    given = ["--rdf", str(WATER), "--method", method, "--out", "a.pot", "--out", "a.table", "--out", "a.csv"]
    code = (
        f"import sys; from cginit.cli.app import app; app({given!r}, standalone_mode=False); "
        "print(sorted({'scipy', 'pandas', 'numpy.ma', 'xml.etree'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_of_the_table_is_there():
    from typer.main import get_command

    from cginit.cli.app import app
    from cginit.cli.commands import COMMANDS

    group = get_command(app)
    context = group.make_context("cg-init", ["doctor"])
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command.name == name
        assert command.help


def test_a_mistyped_command_is_answered_with_the_nearest(tmp_path):
    done = cg_init("refien", cwd=tmp_path)
    assert done.returncode == 2
    assert "refine" in done.stderr


def test_doctor_and_version(tmp_path):
    assert cg_init("--version", cwd=tmp_path).stdout.startswith("cg-init ")
    done = cg_init("doctor", cwd=tmp_path)
    assert done.returncode == 0
    assert "LAMMPS" in done.stdout


def test_several_targets_behind_rdf_are_guessed_at_once(target, tmp_path, monkeypatch):
    """As the shell makes them of --rdf *.dat: tables of each, what fails does not stop the others."""
    monkeypatch.chdir(tmp_path)
    text = Path(target).read_text()
    for name in ("a.dat", "b.dat"):
        (tmp_path / name).write_text(text)
    (tmp_path / "bad.dat").write_text("1 2 3\n")
    state = [*map(str, STATE), "--method", "boltzmann"]
    loaded = []
    load = cginit.guess.load_guess
    monkeypatch.setattr("cginit.guess.load_guess", lambda name: loaded.append(name) or load(name))
    done = CliRunner().invoke(app, ["guess", "--rdf", "a.dat", "b.dat", *state], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert loaded == ["boltzmann"]
    one = CliRunner().invoke(
        app, ["guess", "--rdf", "a.dat", *state, "--out", "one.pot"], catch_exceptions=False
    )
    assert one.exit_code == 0
    for name in ("a.pot", "a.table", "b.pot", "b.table"):
        assert (tmp_path / name).is_file()
    np.testing.assert_allclose(read_table("b.pot").u, read_table("one.pot").u, atol=1e-6)
    with pytest.raises(
        InputError, match=r"1 of 2 targets have no potential: bad\.dat; the reasons stand above"
    ):
        CliRunner().invoke(
            app, ["guess", "--rdf", "bad.dat", "a.dat", *state, "--out", "{name}.csv"], catch_exceptions=False
        )
    assert (tmp_path / "a.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rdf", "a.dat", "b.dat", "--out", "x.pot"], r"put \{name\} into it, .* as \{name\}\.pot"),
        (["--rdf", "a.dat", "a.dat"], r"a\.dat is given twice"),
        (["--rdf", "a.dat", "sub/a.dat"], r"the tables of a\.dat and sub/a\.dat would both be a\.pot"),
        (["a.dat", "b.dat"], r"2 files are given; give one SYSTEM file, or several targets behind --rdf"),
        (["--rdf", "a.dat", "s.toml"], r"give one target: --rdf, or the file s\.toml"),
    ],
)
def test_several_targets_that_cannot_be(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(app, ["guess", *arguments], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []
