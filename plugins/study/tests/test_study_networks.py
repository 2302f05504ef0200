"""Many networks g -> U on every fold: trained once, judged out of their fold, kept without the weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from cginit.errors import InputError
from cginit.learn.data import TrainingSet, fold_of
from cginit.learn.statistics import case_errors
from cginit_study.potentials import assess_potentials
from cginit_study.study import (
    PotentialSubject,
    StudyConfig,
    final_path,
    fold_path,
    load_study,
    run_study,
    study_config,
)
from cginit_study.subjects import SUBJECTS, config_path
from soft_fluids import soft_fluids

SMALL = StudyConfig.from_dict(
    {
        "kinds": ["DN", "UN"],
        "labels": ["x", "bf"],
        "folds": 2,
        "final": ["DN/bf"],
        "final_steps": 3,
        "architecture": {"DN": {"width": 6, "layers": 1}, "UN": {"width": 3, "layers": 1, "kernel": 3}},
        "schedule": {"steps": 4, "batch": 4, "evaluate_every": 2, "seed": 5},
    }
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fluids() -> TrainingSet:
    return soft_fluids()


def test_a_study_trains_every_network_once_and_goes_on(fluids, tmp_path):
    seen = []
    run_study(SMALL, PotentialSubject(), fluids, tmp_path, device="cpu", report=seen.append)
    assert seen[-1].total == 9
    assert seen[-1].done == 8
    paths = [fold_path(tmp_path, k, x, f) for k in ("DN", "UN") for x in ("x", "bf") for f in (0, 1)]
    times = [path.stat().st_mtime_ns for path in paths]
    again = []
    # A lost network is trained again, alone, and comes out the same: to the bit where the processor's kernels round a
    # batch of one as they round a batch of eight, elsewhere but for what some hundred steps make of that.
    before = load_file(paths[2])
    paths[2].unlink()
    run_study(SMALL, PotentialSubject(), fluids, tmp_path, device="cpu", report=again.append)
    assert {name for p in again for name in p.fit.names} == {"DN/bf fold 1"}
    after = load_file(paths[2])
    assert after.keys() == before.keys()
    for name, weights in before.items():
        np.testing.assert_allclose(after[name], weights, rtol=1e-3, atol=1e-5)
    assert [path.stat().st_mtime_ns for path in paths[:2]] == times[:2]
    assert load_study(tmp_path)[0] == SMALL
    with pytest.raises(InputError, match="another configuration"):
        run_study(replace(SMALL, folds=3), PotentialSubject(), fluids, tmp_path, device="cpu")


def test_a_study_does_not_see_the_test_set(fluids, tmp_path):
    other = replace(fluids, g=np.where(fluids.test[:, None], 1.0, fluids.g))
    assert not np.array_equal(other.g, fluids.g)
    small = replace(SMALL, kinds=("DN",), labels=("x",), final=("DN/x",))
    for data, name in ((fluids, "a"), (other, "b")):
        run_study(small, PotentialSubject(), data, tmp_path / name, device="cpu")
    for path in (fold_path(tmp_path / "a", "DN", "x", 0), final_path(tmp_path / "a", "DN", "x")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_predictions_are_out_of_fold(fluids, tmp_path):
    run_study(SMALL, PotentialSubject(), fluids, tmp_path, device="cpu", only=("DN",))
    found = assess_potentials(tmp_path, fluids)
    assert set(found.errors) == {"DN/x", "DN/bf"}
    assert set(found.final) == {"DN/bf"}
    assert found.fold.tolist() == fold_of(fluids.potential, 2).tolist()
    # Another first network changes the predictions of its own fold, and those of the test set, not of the other fold.
    path, twin = fold_path(tmp_path, "DN", "x", 0), fold_path(tmp_path, "DN", "x", 1)
    path.write_bytes(twin.read_bytes())
    changed = assess_potentials(tmp_path, fluids).curves["DN/x"] != found.curves["DN/x"]
    assert changed[found.fold == 0].any(axis=1).all()
    assert changed[found.fold < 0].any(axis=1).all()
    assert not changed[found.fold == 1].any()
    expected = case_errors(found.curves["DN/x"], found.truth)[1][found.fold == 1].mean()
    assert found.errors["DN/x"].mae[1] == pytest.approx(expected)


def test_results_stay_when_the_weights_of_the_folds_go(fluids, tmp_path):
    run_study(SMALL, PotentialSubject(), fluids, tmp_path, device="cpu", only=("DN",))
    before = assess_potentials(tmp_path, fluids)
    for k in range(2):
        fold_path(tmp_path, "DN", "x", k).unlink()
    after = assess_potentials(tmp_path, fluids)
    # Single precision on disk.
    assert after.errors["DN/x"].mae == pytest.approx(before.errors["DN/x"].mae, rel=1e-6)
    np.testing.assert_allclose(after.curves["DN/x"], before.curves["DN/x"], rtol=1e-6)
    # Results of other data are none.
    other = replace(fluids, g=fluids.g * 0.99)
    assert set(assess_potentials(tmp_path, other).errors) == {"DN/bf"}


def test_shipped_studies_are_read_and_errors_name_the_key(tmp_path):
    for name in SUBJECTS:
        config = study_config(config_path(name))
        assert config.subject == name
        assert config.augmentation.none
        assert StudyConfig.from_dict(config.to_dict()) == config
    path = tmp_path / "s.toml"
    for text, word in (
        ("speed = 1", "speed"),
        ("[architecture.DN]\ndepth = 2", "depth"),
        ("[schedule]\nkeep = 'first'", "'first'"),
        ("[", "cannot be read as TOML"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=word):
            study_config(path)
