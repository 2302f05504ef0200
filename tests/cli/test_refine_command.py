"""``cg-init refine`` with the analytic engine, and its report."""

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import RDF, InputError, PairPotential, StatePoint, read_table, write_rdf, write_table
from cginit.cli.app import app

R = np.linspace(0.0, 3.0, 61)
U = 1.5 * np.exp(-(R**2)) - 0.5 * np.exp(-8 * (R - 1.3) ** 2)
U -= U[-1]
RUN = ("--method", "boltzmann", "--cutoff", "3.0", "--engine", "dilute", "--beads", "300")


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "target.dat"
    g = RDF(R, np.exp(-U), np.full(R.size, 1e-3), units="lj")
    return write_rdf(g, path, state=StatePoint(0.01, 1.0, "lj"))


def invoke(*arguments):
    return CliRunner().invoke(app, [str(x) for x in arguments], catch_exceptions=False)


def test_refine_writes_the_best_potential_and_a_figure(target, tmp_path):
    done = invoke("refine", "--rdf", target, "--workdir", tmp_path / "w", *RUN)
    assert done.exit_code == 0, done.output
    assert "converged" in done.output
    potential = read_table(tmp_path / "w" / "best.pot")
    # Boltzmann inversion is exact here but for the bin average, which is g'' dr^2/24 = 4e-4 at this step.
    assert np.interp(1.3, potential.r, potential.u) == pytest.approx(np.interp(1.3, R, U), abs=2e-3)
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    done = invoke("report", tmp_path / "w")
    assert done.exit_code == 0, done.output
    # A PNG of 1800 x 570 pixels with three panels is tens of kilobytes.
    assert (tmp_path / "w" / "report.png").stat().st_size > 20_000


def test_start_table_on_another_grid(target, tmp_path):
    # Of 300 beads a factor of 1/300 in g counts as that of the box, three times the error of this target.
    table = tmp_path / "start.csv"
    table.write_text("r,u,f\n" + "".join(f"{r},{3.0 - r},1.0\n" for r in np.linspace(0.1, 3.0, 30)))
    done = invoke(
        "refine", "--rdf", target, "--workdir", tmp_path / "w", "--potential", table, "--engine", "dilute",
        "--beads", "3000", "--units", "lj", "--iterations", "6",
    )  # fmt: skip
    assert done.exit_code == 0, done.output


def test_not_converged_is_exit_code_3(target, tmp_path):
    table = tmp_path / "start.csv"
    table.write_text("r,u,f\n" + "".join(f"{r},{3.0 - r},1.0\n" for r in np.linspace(0.1, 3.0, 30)))
    done = invoke(
        "refine", "--rdf", target, "--workdir", tmp_path / "w", "--potential", table, "--engine", "dilute",
        "--beads", "300", "--units", "lj", "--iterations", "1",
    )  # fmt: skip
    assert done.exit_code == 3
    assert "cap of 1 simulation:" in done.output


def test_options_of_other_engines_are_refused(target, tmp_path):
    with pytest.raises(ValueError, match="do not apply to the engine dilute"):
        invoke("refine", "--rdf", target, "--workdir", tmp_path / "w", *RUN, "--threads", "2")
    with pytest.raises(ValueError, match="exclude each other"):
        invoke("refine", "--rdf", target, "--workdir", tmp_path / "w", *RUN, "--start", target)


def test_an_unknown_engine_or_rule_is_refused_before_the_guess(target, tmp_path, monkeypatch):
    def no_guess(*_, **__):
        raise AssertionError("a guess was made")

    monkeypatch.setattr("cginit.guess.guess", no_guess)
    arguments = ("refine", "--rdf", target, "--workdir", tmp_path / "w")
    with pytest.raises(InputError, match=r"unknown engine 'lamps'; installed are dilute"):
        invoke(*arguments, "--engine", "lamps")
    with pytest.raises(InputError, match=r"unknown update 'newton'; known are auto"):
        invoke(*arguments, "--update", "newton")
    with pytest.raises(InputError, match=r"--launcher does not apply to the engine dilute"):
        invoke(*arguments, "--engine", "dilute", "--launcher", "srun")


def test_a_plan_is_said_and_nothing_is_run_or_written(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    done = invoke(
        "refine", "--rdf", target, "--plan", "--engine", "dilute", "--iterations", "4", "--update", "ibi"
    )
    assert done.exit_code == 0, done.output
    assert "update    ibi, at most 4 simulations by dilute" in done.output
    assert "3000 steps of equilibration, 12000 of sampling, a configuration every 120" in done.output
    assert "nothing has been simulated or written" in done.output
    assert sorted(tmp_path.iterdir()) == before


def test_report_of_no_refinement(tmp_path):
    with pytest.raises(ValueError, match="holds no refinement"):
        invoke("report", tmp_path)


def test_the_units_of_a_start_table_are_those_that_it_states(tmp_path):
    nm = StatePoint(0.01 / 0.3**3, 2.5, "nm-kJ/mol")
    write_rdf(RDF(R * 0.3, np.exp(-U), units="nm-kJ/mol"), tmp_path / "t.dat", state=nm)
    start = PairPotential.shifted(R * 0.3, 2.5 * U, units="nm-kJ/mol")
    write_table(start, tmp_path / "start.table", kT=2.5)  # LAMMPS: angstrom, kcal/mol
    done = invoke(
        "refine", "--rdf", tmp_path / "t.dat", "--workdir", tmp_path / "w", "--engine", "dilute",
        "--potential", tmp_path / "start.table", "--beads", "300", "--iterations", "1", "--out", tmp_path / "o.pot",
    )  # fmt: skip
    assert done.exit_code == 3, done.output
    simulated = read_table(tmp_path / "o.pot")
    assert simulated.r_cut == pytest.approx(0.9)
    # Every point of the start but r = 0 is a node of its table: ten printed digits.
    np.testing.assert_allclose(simulated.u[1:], start.u[1:], atol=1e-6)


def test_numbers_that_are_none_are_refused(target, tmp_path):
    done = invoke("refine", "--rdf", target, "--workdir", tmp_path / "w", *RUN, "--seed", "-1")
    assert done.exit_code == 2
    with pytest.raises(InputError, match="pressure must be a number, not nan"):
        invoke("refine", "--rdf", target, "--workdir", tmp_path / "w", *RUN, "--pressure", "nan")
    assert not (tmp_path / "w").exists()
