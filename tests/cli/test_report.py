"""``cg-init report``: figures of refinements, of one component and of mixtures."""

import dataclasses

import numpy as np
import pytest
from cginit.mixture import MixtureTarget
from cginit.refine.checkpoint import Iteration, Reweighted, Store
from cginit.refine.mixture_store import MixtureIteration, MixtureStore
from typer.testing import CliRunner

from cginit import RDF, PairPotential, StatePoint
from cginit.cli.app import app
from cginit.configuration import random_configuration
from cginit.errors import InputError
from cginit.refine import DEFAULT_SCHEDULE, IBI, Distance, Loop
from cginit.report import figures

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


def test_a_mixture_has_two_panels_a_pair_and_its_history(tmp_path, drawn):
    target = MixtureTarget({pair: curve(1.0) for pair in PAIRS}, {"A": 0.2, "B": 0.3}, 2.0)
    store = MixtureStore(tmp_path)
    assert store.open({"target": "mine"}, target) == []
    final = random_configuration({"A": 2, "B": 3}, 0.5, seed=1, units="lj")
    for index, lmse in enumerate((1e-2, 1e-4)):
        store.prepare(index)
        store.commit(
            MixtureIteration(
                index=index, potentials={pair: potential(2.0 + index) for pair in PAIRS},
                rdfs={pair: curve(0.5 + 0.5 * index) for pair in PAIRS}, final=final,
                distances={pair: Distance(50.0 - 49.0 * index, lmse, 0.1, 0.1) for pair in PAIRS},
                pressure=1.0, pressure_error=0.1, warnings=(), update="ibi", steps=1, seconds=1.0,
            )
        )  # fmt: skip
    done = CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "report.png").stat().st_size > 10_000
    axes = drawn[0].axes
    assert len(axes) == 7
    assert [one.get_title() for one in axes[::2][:3]] == ["A-A", "A-B", "B-B"]
    assert labels(axes[0]) == ["target", "start", "iteration 1"]
    # U in kT: the well of 3 in units of kT = 2.
    assert axes[1].lines[1].get_ydata().min() == pytest.approx(-1.5, abs=0.01)
    assert labels(axes[6]) == ["A-A", "A-B", "B-B"]
    # The target on disk is the target.
    again = store.target()
    assert (again.densities, again.kT) == (target.densities, 2.0)
    np.testing.assert_array_equal(again.rdfs["A", "B"].g, target.rdfs["A", "B"].g)


def test_the_potential_that_reweighting_judged_is_drawn(tmp_path, drawn):
    state = StatePoint(0.4, 1.0, "lj")
    loop = Loop(
        curve(1.0),
        state,
        potential(1.0),
        engine="none",
        update=IBI(),
        workdir=tmp_path,
        schedule=DEFAULT_SCHEDULE,
    )
    store = Store(tmp_path)
    for index, skipped in enumerate((0, 2)):
        store.prepare(index)
        store.commit(
            Iteration(
                index=index, potential=potential(1.0 + index), rdf=curve(0.6 + 0.2 * index), final=loop._start,
                distance=Distance(10.0, 1e-3 / (1 + index), 0.1, 0.1), pressure=1.0, pressure_error=0.1,
                warnings=(), engine="none", seed=1, steps=1, seconds=1.0, engine_seconds=1.0, skipped=skipped,
            )
        )  # fmt: skip
    assert store.reweighted() is None
    last = Reweighted(potential(2.5), curve(0.95), Distance(1.2, 1e-5, 0.1, 0.1), 3)
    store.keep(last)
    found = store.reweighted()
    assert dataclasses.asdict(found.distance) == dataclasses.asdict(last.distance)
    np.testing.assert_array_equal(found.potential.u, last.potential.u)
    done = CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    axes_g, axes_u, axes_e = drawn[0].axes
    assert labels(axes_g) == ["target", "start", "iteration 1", "reweighted"]
    assert labels(axes_u) == ["start", "iteration 1", "reweighted"]
    assert labels(axes_e) == ["reweighted, 3 updates"]
    assert [text.get_text() for text in axes_e.texts] == ["2 reweighted"]
    # A further simulation counts more.
    store.prepare(2)
    store.commit(dataclasses.replace(store.read()[-1], index=2))
    assert store.reweighted() is None


def test_a_folder_without_a_refinement(tmp_path):
    with pytest.raises(InputError, match="holds no refinement"):
        CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
