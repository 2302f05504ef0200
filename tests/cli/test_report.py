"""``cg-init report``: figures of refinements, of one component, of mixtures and of molecules; and their pages."""

import dataclasses
import re
import signal
import subprocess
import sys
import time
from urllib.request import urlopen

import numpy as np
import pytest
from typer.testing import CliRunner

import cginit
import cginit.report
from cginit import StatePoint
from cginit.cli.app import app
from cginit.configuration import random_configuration
from cginit.errors import InputError
from cginit.refine import Distance
from cginit.refine.store import Store
from cginit.report import refinement
from cginit.target import Target
from made_refinements import PAIRS, R, commit, curve, mixture, record, trimers


@pytest.fixture
def drawn(monkeypatch):
    """Keep the figures that are drawn, in place of their files."""
    found = []
    save = refinement.save_figure
    monkeypatch.setattr(
        refinement, "save_figure", lambda figure, path: (found.append(figure), save(figure, path))[1]
    )
    return found


def labels(axes):
    return [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]


def report(folder):
    done = CliRunner().invoke(app, ["report", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (folder / "report.png").stat().st_size > 10_000


def headed(figure, title):
    """The panel with that title."""
    (found,) = [axes for axes in figure.axes if axes.get_title() == title]
    return found


def with_label(figure, label):
    return [axes for axes in figure.axes if axes.get_ylabel() == label]


def test_a_mixture_has_three_panels_a_pair_and_its_history(tmp_path, drawn):
    target = Target({pair: curve(1.0) for pair in PAIRS}, {"A": 0.2, "B": 0.3}, 2.0)
    store = Store(tmp_path)
    assert store.open([{"target": "mine"}], [target]) == []
    final = random_configuration({"A": 2, "B": 3}, 0.5, seed=1, units="lj")
    for index, lmse in enumerate((1e-2, 1e-4)):
        found = Distance(50.0 - 49.0 * index, lmse, 0.1, 0.1)
        commit(store, record(PAIRS, index, 2.0 + index, 0.5 + 0.5 * index, found, final))
    report(tmp_path)
    (figure,) = drawn
    # A distribution, its difference and U of each pair, and the errors.
    assert len(figure.axes) == 3 * 3 + 1
    for name in ("A-A", "A-B", "B-B"):
        assert labels(headed(figure, name)) == ["target", "start", "iteration 1"]
    # U in kT: the well of 3 in units of kT = 2.
    for axes in with_label(figure, "U / kT"):
        assert axes.lines[2].get_ydata().min() == pytest.approx(-1.5, abs=0.01)
    (errors,) = with_label(figure, "mean squared difference")
    assert labels(errors) == ["A-A", "A-B", "B-B"]
    # Iterations have the numbers of their folders.
    assert errors.lines[0].get_xdata().tolist() == [0, 1]
    title = figure.get_suptitle().replace("\n", " ")
    assert title.startswith(f"{tmp_path.parent.name}/{tmp_path.name}: After 2 simulations the difference")
    # The target on disk is the target.
    (again,) = store.targets()
    assert (again.densities, again.kT) == (target.densities, 2.0)
    np.testing.assert_array_equal(again.rdfs["A", "B"].g, target.rdfs["A", "B"].g)


def test_the_difference_stands_in_the_band_of_its_noise(tmp_path, drawn):
    noisy = dataclasses.replace(curve(1.0), error=np.where(R < 0.8, 0.0, 0.01))
    target = Target.of(noisy, StatePoint(0.4, 1.0, "lj"))
    store = Store(tmp_path)
    store.open([{"target": "mine"}], [target])
    final = random_configuration({"A": 5}, 0.4, seed=1, units="lj")
    one = record(PAIRS[:1], 0, 1.0, 0.6, Distance(10.0, 1e-3, 0.1, 0.1), final)
    commit(store, one)
    report(tmp_path)
    (lower,) = with_label(drawn[0], "difference")
    np.testing.assert_allclose(lower.lines[-1].get_ydata(), one.rdf.g - target.rdfs["A", "A"].g)
    (band,) = lower.collections
    # Two standard errors, where the average over nine bins does not reach the core: 0.01, in proportion to g / r^2.
    heights = band.get_paths()[0].vertices
    at_end = heights[np.abs(heights[:, 0] - R[40]) < 1e-9][:, 1]
    assert at_end.max() == pytest.approx(0.02, rel=0.05)
    assert at_end.min() == -at_end.max()
    (energies,) = with_label(drawn[0], "U / kT")
    high = energies.collections[0].get_paths()[0].vertices[:, 1].max()
    known = cginit.open(tmp_path).potential
    assert known.u_error.max() > 0.0
    assert high == pytest.approx((known.u + 2.0 * known.u_error).max())


def test_several_states_of_mixtures_have_a_panel_each(tmp_path, drawn):
    both = Target({pair: curve(1.0) for pair in PAIRS}, {"A": 0.2, "B": 0.3}, 1.0)
    pure = Target.of(curve(1.2), StatePoint(0.4, 1.5, "lj"))
    store = Store(tmp_path)
    store.open([{"state": "0"}, {"state": "1"}], [both, pure])
    near = Distance(1.0, 1e-4, 0.1, 0.1)
    final = random_configuration({"A": 2, "B": 3}, 0.5, seed=1, units="lj")
    alone = random_configuration({"A": 5}, 0.4, seed=1, units="lj")
    commit(store, record(PAIRS, 0, 1.0, 0.9, near, final), record(PAIRS[:1], 0, 1.0, 0.9, near, alone))
    report(tmp_path)
    (figure,) = drawn
    # Three pairs of two states, each with its difference, a potential each, and the errors.
    assert len(figure.axes) == 3 * (2 * 2 + 1) + 1
    assert labels(headed(figure, "A-A, state 1")) == ["target", "start"]
    assert [text.get_text() for text in headed(figure, "A-B, state 1").texts] == ["not in this state"]
    (errors,) = with_label(figure, "mean squared difference")
    assert labels(errors) == ["A-A, state 0", "A-B, state 0", "B-B, state 0", "A-A, state 1"]


def test_bonds_and_angles_are_drawn_beside_the_pairs(tmp_path, drawn):
    trimers(tmp_path / "w")
    report(tmp_path / "w")
    (figure,) = drawn
    names = ["A-A", "A-B", "B-B", "bond A-B", "angle A-B-A"]
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == names
    assert len(figure.axes) == 3 * len(names) + 1
    # In degrees: the density per degree of a peak at 2 rad of height 4 per radian.
    angle = headed(figure, "angle A-B-A").lines[0]
    x, y = angle.get_data()
    assert (x[np.argmax(y)], y.max()) == pytest.approx((np.degrees(2.0), np.radians(4.0)), rel=0.02)
    (errors,) = with_label(figure, "mean squared difference")
    assert labels(errors) == names
    # One simulation has one number below it.
    assert [tick for tick in errors.get_xticks() if errors.get_xlim()[0] < tick < errors.get_xlim()[1]] == [
        0.0
    ]
    assert [axes.get_xlim() for axes in figure.axes if axes.get_xlabel() == "angle / degrees"] == [
        (0.0, 180.0)
    ] * 2


def test_what_has_no_target_has_no_empty_axes(tmp_path, drawn):
    trimers(tmp_path / "w", given="angle A-B-A")
    report(tmp_path / "w")
    (figure,) = drawn
    empty = headed(figure, "angle A-B-A")
    assert [text.get_text() for text in empty.texts] == ["no target; given"]
    assert not empty.axison
    assert sum(axes.axison for axes in figure.axes) == len(figure.axes) - 2


def test_the_potential_that_reweighting_judged_is_drawn(tmp_path, drawn):
    target = Target.of(curve(1.0), StatePoint(0.4, 1.0, "lj"))
    store = Store(tmp_path)
    store.open([{"target": "mine"}], [target])
    final = random_configuration({"A": 5}, 0.4, seed=1, units="lj")
    names = PAIRS[:1]
    for index, skipped in enumerate((0, 2)):
        found = Distance(10.0, 1e-3 / (1 + index), 0.1, 0.1)
        commit(store, record(names, index, 1.0 + index, 0.6 + 0.2 * index, found, final, skipped=skipped))
    assert store.estimate() is None
    last = record(names, 1, 2.5, 0.95, Distance(1.2, 1e-5, 0.1, 0.1), final)
    store.keep((last,), 3)
    (found,) = store.estimate()
    assert (found.distance, found.skipped) == (last.distance, 3)
    np.testing.assert_array_equal(found.potential.u, last.potential.u)
    report(tmp_path)
    (figure,) = drawn
    (axes_g,), (axes_u,) = with_label(figure, "g(r)"), with_label(figure, "U / kT")
    (axes_e,) = with_label(figure, "mean squared difference")
    assert labels(axes_g) == ["target", "start", "iteration 1", "reweighted"]
    assert labels(axes_u) == ["start", "iteration 1", "reweighted"]
    assert labels(axes_e) == ["reweighted, 3 updates"]
    assert [text.get_text() for text in axes_e.texts] == ["2 reweighted"]
    # A further simulation counts more.
    commit(store, dataclasses.replace(store.rounds()[-1][0], index=2))
    assert store.estimate() is None


def test_a_folder_without_a_refinement(tmp_path):
    with pytest.raises(InputError, match="holds no refinement"):
        CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)


def test_a_page_stands_beside_the_figure(tmp_path):
    mixture(tmp_path)
    for name, options in (("report.html", []), ("here.html", ["--page", str(tmp_path / "here.html")])):
        done = CliRunner().invoke(app, ["report", str(tmp_path), *options], catch_exceptions=False)
        assert done.stdout.splitlines() == [str(tmp_path / "report.png"), str(tmp_path / name)]
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("<!doctype html>")
    # A page is made of its folder, any time again: the one before is not kept.
    CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
    assert not list(tmp_path.glob("#report.html*"))


def test_a_report_that_takes_long_says_what_it_does(tmp_path, monkeypatch):
    mixture(tmp_path)
    monkeypatch.setattr("cginit.cli.progress.PATIENCE", 0.01)
    monkeypatch.setattr("cginit.cli.progress.LINES_EVERY", 0.01)
    slow = cginit.report.refinement_page
    monkeypatch.setattr("cginit.report.refinement_page", lambda *a, **b: (time.sleep(0.3), slow(*a, **b))[1])
    done = CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
    assert "finding how well the potentials of each iteration are known: 0 s so far" in done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "report.png"), str(tmp_path / "report.html")]


def test_without_matplotlib_there_is_the_page_and_a_word(tmp_path, monkeypatch):
    mixture(tmp_path)
    monkeypatch.setattr("cginit.cli.report.find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0
    note, path = done.stdout.splitlines()
    assert "pip install 'cginit[report]'" in note
    assert path == str(tmp_path / "report.html")


def test_a_page_is_served_until_ctrl_c(tmp_path):
    mixture(tmp_path).close()
    # A process that was started in the background ignores the signal until it says otherwise.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program = heard + "from cginit.cli import main; main()"
    command = [sys.executable, "-c", program, "report", str(tmp_path), "--live"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        address = served.stdout.readline().split()[0]
        try:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", address)
            with urlopen(address) as answer:
                assert answer.read().startswith(b"<!doctype html>")
        finally:
            served.send_signal(signal.SIGINT)
        try:
            said = served.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            served.kill()
            raise
    assert (served.returncode, "is not touched" in said) == (0, True)
    # Nothing was written.
    assert not list(tmp_path.glob("report.*"))
