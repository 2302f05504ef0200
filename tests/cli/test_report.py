"""``cg-init report``: figures of refinements, of one component and of mixtures."""

import dataclasses

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import RDF, PairPotential, StatePoint
from cginit.cli.app import app
from cginit.configuration import random_configuration
from cginit.errors import InputError
from cginit.interactions import Interactions
from cginit.refine import Distance, Record
from cginit.refine.store import Store
from cginit.report import figures
from cginit.target import Target

R = 0.05 * np.arange(51)
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))


def curve(height):
    return RDF(R, np.where(R < 0.8, 0.0, 1.0 + height * np.exp(-(((R - 1.0) / 0.2) ** 2))), units="lj")


def potential(depth):
    u = np.where(R < 0.8, 5.0 + 10.0 * (0.8 - R), -depth * np.exp(-(((R - 1.0) / 0.2) ** 2)))
    return PairPotential.shifted(R, u, units="lj", r_core=0.8)


@pytest.fixture
def drawn(monkeypatch):
    """Keep the figures that are drawn, in place of their files."""
    found = []
    save = figures.save_figure
    monkeypatch.setattr(
        figures, "save_figure", lambda figure, path: (found.append(figure), save(figure, path))[1]
    )
    return found


def labels(axes):
    return [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]


def record(names, index, depth, height, found, final, **more):
    return Record(
        index=index,
        potentials=Interactions(dict.fromkeys(names, potential(depth))),
        rdfs=Interactions(dict.fromkeys(names, curve(height))),
        distances=Interactions(dict.fromkeys(names, found)),
        final=final,
        pressure=1.0,
        pressure_error=0.1,
        **more,
    )


def commit(store, *records):
    for number, one in enumerate(records):
        store.prepare(number, one.index)
        store.commit(number, one)


def report(folder):
    done = CliRunner().invoke(app, ["report", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (folder / "report.png").stat().st_size > 10_000


def test_a_mixture_has_two_panels_a_pair_and_its_history(tmp_path, drawn):
    target = Target({pair: curve(1.0) for pair in PAIRS}, {"A": 0.2, "B": 0.3}, 2.0)
    store = Store(tmp_path)
    assert store.open([{"target": "mine"}], [target]) == []
    final = random_configuration({"A": 2, "B": 3}, 0.5, seed=1, units="lj")
    for index, lmse in enumerate((1e-2, 1e-4)):
        found = Distance(50.0 - 49.0 * index, lmse, 0.1, 0.1)
        commit(store, record(PAIRS, index, 2.0 + index, 0.5 + 0.5 * index, found, final))
    report(tmp_path)
    axes = drawn[0].axes
    assert len(axes) == 7
    assert [one.get_title() for one in axes[:6:2]] == ["A-A", "A-B", "B-B"]
    assert labels(axes[0]) == ["target", "start", "iteration 1"]
    # U in kT: the well of 3 in units of kT = 2.
    assert axes[1].lines[1].get_ydata().min() == pytest.approx(-1.5, abs=0.01)
    assert labels(axes[6]) == ["A-A", "A-B", "B-B"]
    # The target on disk is the target.
    (again,) = store.targets()
    assert (again.densities, again.kT) == (target.densities, 2.0)
    np.testing.assert_array_equal(again.rdfs["A", "B"].g, target.rdfs["A", "B"].g)


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
    axes = drawn[0].axes
    # Three pairs of two states and a potential each, and the errors.
    assert len(axes) == 10
    assert axes[1].get_title() == "A-A, state 1"
    assert labels(axes[-1]) == ["A-A, state 0", "A-B, state 0", "B-B, state 0", "A-A, state 1"]
    assert [text.get_text() for text in axes[4].texts] == ["not in this state"]


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
    axes_g, axes_u, axes_e = drawn[0].axes
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
