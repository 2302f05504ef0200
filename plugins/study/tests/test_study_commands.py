"""Figures and table of the study; guesses simulated for test state points; the commands behind them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit.campaign.dataset import Record, merge, save
from cginit.errors import EngineError, InputError
from cginit.learn.data import TrainingSet
from cginit_study import simulated
from cginit_study.aims import aims
from cginit_study.cli import app
from cginit_study.figures import bar_figure
from cginit_study.pressure_figures import Agreement, pressure_figure, route_figure
from cginit_study.simulated import choose_cases, read_cases, simulate_cases
from cginit_study.table import PUBLISHED, Row, delta_row, pressure_rows, simulated_rows, table

R = np.linspace(0.0, 5.0, 101)
FINE = np.linspace(0.0, 5.0, 501)
STUDY = """
subject = "{subject}"
kinds = ["DN"]
labels = {labels}
folds = 2
final = ["DN/{final}"]
[architecture.DN]
width = 4
layers = 1
[schedule]
steps = 2
batch = 4
evaluate_every = 1
"""


def soft(seed: int, density: float, split: str) -> Record:
    """Return a dilute Gaussian particle, for which g = exp(-U)."""
    height = 0.5 + 0.1 * (seed % 13)
    r = np.linspace(0.0, 4.0, 201)
    u = height * np.exp(-(r**2))
    g = np.exp(-np.interp(R, r, u, right=0.0))
    b2 = -2.0 * np.pi * np.trapezoid(np.expm1(-u) * r**2, r)
    return Record(
        family="a",
        seed=seed,
        index=0,
        split=split,
        density=density,
        r_cut=4.0,
        u_r=r,
        u=u,
        r=R,
        g=g,
        g_error=0.002 * np.ones(R.size),
        peak_error=0.01,
        pressure=density + density**2 * b2,
        pressure_error=1e-4,
        n=500,
        steps=100,
        run_seed=1,
        engine="made up",
        seconds=1.0,
        s_k_min=1.0,
        screened="",
        rejected="",
    )


@pytest.fixture(scope="module")
def data_file(tmp_path_factory):
    records = [soft(s, d, "test" if s % 10 == 0 else "train") for s in range(30) for d in (0.02, 0.04)]
    path = tmp_path_factory.mktemp("data") / "d.h5"
    save(merge(records), path)
    return path


@pytest.fixture(scope="module")
def studies(data_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies")
    for subject, labels, final in (("potential", '["x", "f"]', "f"), ("pressure", '["Bn-c"]', "Bn-c")):
        config = folder / f"{subject}.toml"
        config.write_text(STUDY.format(subject=subject, labels=labels, final=final))
        arguments = ["train", "--data", str(data_file), "--config", str(config), "--quiet"]
        done = CliRunner().invoke(app, [*arguments, "--out", str(folder / subject), "--device", "cpu"])
        assert done.exit_code == 0, done.output
    return folder


@pytest.mark.slow
def test_one_command_draws_all_figures_and_the_table(data_file, studies, tmp_path):
    runs = ["--potential-study", str(studies / "potential"), "--pressure-study", str(studies / "pressure")]
    names = ["--network", "DN/f", "--eos", "DN/Bn-c"]
    arguments = ["figures", "--data", str(data_file), "--out", str(tmp_path), *runs, *names]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    figures = {path.name for path in tmp_path.glob("*.png")}
    assert figures == {*(f"figure-{k:02d}.png" for k in (3, 4, 6, 7, 8, 9, 11)), "figure-consistency.png"}
    assert "| WCA, T = 1 |" in (tmp_path / "virial.md").read_text()
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert set(numbers["validation"]) == {"DN/x", "DN/f"}
    assert len(numbers["validation"]["DN/f"]["mae"]) == 2
    # P0 is the truth of these data, but for single precision on disk and grids.
    assert numbers["pressure"]["P0"]["test"]["mean"] < 1e-3
    assert numbers["pressure"]["P0"]["test"]["cases"] == 6
    # -ln g is the potential itself.
    assert numbers["delta"]["-ln g"]["median"] < 1e-3
    text = (tmp_path / "table.md").read_text()
    assert "54 state points of 27 potentials" in text
    assert "| R² of P | test | P0 | 1.000 (without the largest deviation 1.000) | 6 | 0.172 |" in text
    # The theory stands in the table beside the networks, and so do aims and conditions.
    assert "| mean relative error of P, validation | train | HNC virial |" in text
    assert "| mean relative error of P | DN/Bn-c |" in text
    assert "2 steps of 4 state points, about 0 epochs" in text
    routes = {"DN/f, then DN/Bn-c", "DN/f and the virial of g", "network, then default network"}
    assert routes < set(numbers["pressure from g"])


def test_the_search_ends_in_a_file_that_a_study_reads(data_file, studies, tmp_path):
    pytest.importorskip("optuna", reason="the search needs Optuna (cginit-study[search])")
    common = ["--data", str(data_file), "--config", str(studies / "potential.toml"), "--quiet"]
    search = ["search", *common, "--steps", "2", "--device", "cpu", "--out", str(tmp_path / "s")]
    done = CliRunner().invoke(app, [*search, "--trials", "1"])
    assert done.exit_code == 0, done.output
    trials = tmp_path / "s" / "DN"
    assert [x.name for x in trials.iterdir()] == ["trial-0"]
    # The first trial is not repeated.
    done = CliRunner().invoke(app, [*search, "--trials", "2"])
    assert done.exit_code == 0, done.output
    assert sorted(x.name for x in trials.iterdir()) == ["trial-0", "trial-1"]
    sizes = tmp_path / "s" / "sizes.toml"
    best = json.loads((tmp_path / "s" / "best.json").read_text())["DN"]
    assert f"width = {best['width']}" in sizes.read_text()
    study = ["train", *common, "--sizes", str(sizes), "--only", "DN/x", "--out", str(tmp_path / "r")]
    done = CliRunner().invoke(app, study)
    assert done.exit_code == 0, done.output
    config = json.loads((tmp_path / "r" / "study.json").read_text())["config"]
    assert config["architecture"]["DN"]["width"] == best["width"]
    assert config["loss"]["kind"] == best["loss"]
    assert [x.name for x in (tmp_path / "r").glob("DN-*")] == ["DN-x"]


def test_figures_need_something_to_draw(tmp_path):
    with pytest.raises(InputError, match="no network of the study"):
        bar_figure({"<MAE>": {}}, tmp_path / "f.png")
    with pytest.raises(InputError, match="no network of the study"):
        route_figure({}, {}, {}, tmp_path / "f.png")
    with pytest.raises(InputError, match="no route"):
        pressure_figure([], tmp_path / "f.png")


def test_the_table_names_what_was_published():
    rows = [Row("R² of P", "test", "P0", "0.5", 7)]
    errors = -0.1 * np.log(np.linspace(0.001, 0.999, 500))
    fitted, median = delta_row("CN/f test", errors, rows)
    assert fitted == pytest.approx(0.1, rel=0.05)
    assert median == pytest.approx(0.1, rel=0.01)
    truth = np.array([1.0, 2.0, 4.0, 8.0])
    panel = Agreement(
        "UN/Bn-c", np.array([1.1, 2.0, np.nan, 8.0]), truth, np.array([True, True, True, False])
    )
    numbers = pressure_rows(panel, rows, "")
    # The state point without an answer is left out, and the count says so.
    assert numbers["test"]["cases"] == 2
    assert numbers["test"]["mean"] == pytest.approx(0.05)
    assert numbers["test"]["mean without the largest"] == pytest.approx(0.0, abs=1e-12)
    drawn = simulated_rows({"cn-f": np.array([1e-4, np.nan, 3e-4])}, np.array([0.1, 0.2, 0.5]), rows)
    assert drawn["cn-f"]["density"] == [0.1, 0.2, 0.5]
    data = TrainingSet(
        R,
        np.ones((2, 101)),
        np.ones((2, 101)),
        FINE,
        np.zeros((2, 501)),
        np.ones(2),
        np.ones(2),
        np.arange(2),
    )
    text = table(rows, data)
    assert "| R² of P | test | P0 | 0.5 | 7 | 0.172 |" in text
    assert PUBLISHED["delta of p(MAE) / kT", "test", "CN/f"] == "0.03"
    assert "| delta of p(MAE) / kT | test | CN/f |" in text
    # A failed simulation counts as the worst: the median of (1e-4, 3e-4, failed) is 3e-4.
    assert "| 0.0003 (quartiles 0.0001, inf), 1 failed | 3 |" in text


def few(test: list[bool]) -> TrainingSet:
    m = len(test)
    g = np.exp(-0.5 * np.exp(-(R**2)))
    return TrainingSet(
        R,
        np.tile(g, (m, 1)),
        np.full((m, R.size), 1e-3),
        FINE,
        np.tile(0.5 * np.exp(-(FINE**2)), (m, 1)),
        np.array([0.1, 0.1, 0.1, 0.4, 0.4, 0.4][:m]),
        np.full(m, 4.0),
        np.arange(m),
        test=np.array(test),
    )


def test_aims_are_judged_by_the_better_route():
    entry = {"mean": 0.1, "R2": 0.5, "R2 without the largest": 0.8}
    better = {"mean": 0.1, "R2": 0.95, "R2 without the largest": 0.97}
    routes = {"CN/f, then UN/Bn-c": {"test": entry}, "CN/f and the virial of g": {"test": better}}
    simulated = {
        "hnc": {"density": [0.1, 0.2, 1.0], "lmse": [1e-5, float("nan"), 1.0]},
        "network": {"density": [0.1, 0.2, 1.0], "lmse": [6e-5, 8e-5, 1.0]},
        "true": {"density": [0.1, 0.2, 1.0], "lmse": [4e-5, 4e-5, 1e-5]},
    }
    text = "\n".join(aims({"pressure from g": routes, "simulated": simulated}))
    assert "| R² of P from g, better of two routes | CN/f and the virial of g | 0.95 | ≥ 0.9 | yes |" in text
    assert "less that of the true potential | network | 3e-05 | ≤ 5e-05 | yes |" in text
    # A failure is the worst, and the dense case does not count.
    assert "| median LMSE at ρ ≤ 0.512 | hnc | inf | ≤ 5e-05 | no |" in text


def test_cases_are_chosen_by_rule_from_the_test_set():
    data = few([False, True, True, True, True, True])
    # Two of each class of densities, in the order of the names, from another place in each.
    assert choose_cases(data, 4).tolist() == [1, 4, 2, 5]
    assert sorted(choose_cases(data, 5).tolist()) == [1, 2, 3, 4, 5]
    with pytest.raises(InputError, match="holds 5 state points"):
        choose_cases(data, 6)


def test_a_case_is_simulated_once_and_a_failure_counts(tmp_path, monkeypatch):
    calls, drawn = [], []

    class Broken:
        name = "broken"

        def run(self, potential, state, start, schedule, *, seed, workdir):
            calls.append((potential.r_cut, state.density, start.positions.shape[0]))
            drawn.append(potential)
            raise EngineError("no program")

    monkeypatch.setattr(simulated, "load_engine", lambda name: Broken())
    data = few([True] * 4)
    lines = list(simulate_cases(data, tmp_path, ("boltzmann", "hnc"), count=2))
    assert len(lines) == len(calls) == 4
    assert calls[0] == (5.0, 0.1, 500)
    assert all("nan" in line for line in lines)
    list(simulate_cases(data, tmp_path, ("boltzmann", "hnc"), count=2))
    assert len(calls) == 4
    list(simulate_cases(data, tmp_path / "t", ("true",), count=1))
    np.testing.assert_allclose(drawn[-1].u, data.u[0] - data.u[0, -1], atol=1e-9)
    cases = read_cases(tmp_path)
    assert [set(case.g) for case in cases] == [{"boltzmann", "hnc"}] * 2
    assert np.isnan(cases[0].lmse("hnc"))
    np.testing.assert_array_equal(cases[0].target, data.g[0])
    with pytest.raises(InputError, match="no simulated guess"):
        read_cases(tmp_path / "empty")
