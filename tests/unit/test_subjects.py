"""The contract of what networks learn, for every subject; configurations and folders of before."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from soft_fluids import soft_fluids

torch = pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")
pytest.importorskip("safetensors", reason="weights need safetensors (cginit[train])")

from cginit.errors import InputError  # noqa: E402
from cginit.learn.config import NAMES, Config, load_config  # noqa: E402
from cginit.learn.data import TrainingSet  # noqa: E402
from cginit.learn.export import model_card  # noqa: E402
from cginit.learn.subjects import SUBJECTS, Preparation, bridge, subject_of  # noqa: E402
from cginit.learn.subjects.base import outputs  # noqa: E402
from cginit.learn.training import train  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def fluids() -> TrainingSet:
    """Four soft fluids, of which the first is the test set."""
    data = soft_fluids(4)
    return replace(data, pressure=np.full(4, 0.5), pressure_error=np.full(4, 1e-3))


@pytest.fixture(scope="module", autouse=True)
def few_variations():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "VARIATIONS", 2)
        yield


def config(name: str) -> Config:
    return Config.from_dict(
        {
            "name": "tiny",
            "subject": name,
            "architecture": {"kind": "RN", "width": 4, "dilations": [1]},
            "augmentation": {"scale": [0.9, 1.1]},
            "schedule": {"members": 2, "steps": 2, "batch": 2, "evaluate_every": 2},
        }
    )


@pytest.mark.parametrize("name", list(SUBJECTS))
def test_what_is_trained_is_what_is_exported(name, fluids, tmp_path):
    subject = subject_of(name)
    lesson = subject.prepare(Preparation(config(name), fluids, tmp_path, CPU))
    assert lesson.usable.shape == (4,)
    assert all(len(x) == 4 for x in lesson.inputs.values())
    task = lesson.task(None)
    body = task.body(1)
    for parameter in body.parameters():
        torch.nn.init.normal_(parameter, std=0.2, generator=torch.Generator().manual_seed(3))
    # The ensemble sees the inputs that the task makes of the same rows, and gives one answer a row.
    rows = torch.arange(4)[None]
    by_task = body(*(x[0] for x in task.inputs(task.batch(rows, None), slice(0, 1))))
    seen = []
    body.register_forward_hook(lambda module, given, out: seen.append(out.detach()))
    found = outputs(lesson.ensemble([body]), lesson.inputs, CPU)
    assert found.shape[0] == 4
    assert np.all(np.isfinite(found))
    # Single precision, and an interpolation between grid points that coincide.
    torch.testing.assert_close(seen[-1].reshape(by_task.shape), by_task.detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", list(SUBJECTS))
def test_a_training_is_judged_by_networks_that_have_not_seen_the_potential(name, fluids, tmp_path):
    run = train(config(name), fluids, tmp_path, device="cpu")
    assert run.every.shape[:2] == (2, 4)
    assert run.fold.tolist() == [-1, 0, 1, 0]
    again = train(config(name), fluids, tmp_path, device="cpu")
    np.testing.assert_array_equal(run.every, again.every)
    subject = subject_of(name)
    figures = subject.figures(run)
    assert figures["error_scale"] > 0.0
    assert json.loads(json.dumps(subject.domain(run)))
    # Nothing of the test set is shown before there is a model.
    assert not any("test" in key for key in subject.errors(run, None))


def test_a_folder_of_before_goes_on(fluids, tmp_path):
    # The bridge function was named by the kind of its layers.
    before = {**config("bridge").to_dict(), "architecture": {**config("bridge").to_dict()["architecture"]}}
    del before["subject"]
    before["architecture"]["kind"] = "BN"
    assert Config.from_dict(before) == config("bridge")
    run = train(config("bridge"), fluids, tmp_path, device="cpu")
    path = tmp_path / "training.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "config": before}))
    again = train(config("bridge"), fluids, tmp_path, device="cpu")
    np.testing.assert_array_equal(run.every, again.every)
    with pytest.raises(InputError, match="another configuration"):
        train(config("structure"), fluids, tmp_path, device="cpu")


def test_a_configuration_knows_all_subjects():
    assert tuple(SUBJECTS) == NAMES


def test_pairs_that_teach_nothing_are_refused(fluids, tmp_path):
    share = Config.from_dict({**config("pressure").to_dict(), "auxiliary": {"share": 0.5}})
    with pytest.raises(InputError, match="teach nothing about the subject 'pressure'"):
        train(share, fluids, tmp_path, auxiliary=fluids)
    with pytest.raises(InputError, match="unknown subject"):
        subject_of("colour")


@pytest.mark.parametrize("name", ["bridge", "cn-f", "eos", "forward", "molecules"])
def test_the_card_of_a_shipped_model_is_made_of_its_description(name):
    folder = files("cginit.models") / "shipped"
    description = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    card = model_card(description)
    assert card.splitlines()[0] == f"# Model card: {description['name']} {description['version']}"
    assert "{" not in card.replace("{\\", "")
    # The card that ships is the same, but for what was written into it by hand.
    shipped = (folder / f"{name}.md").read_text(encoding="utf-8")
    for table in description["errors"].values():
        assert str(table) in card
        assert str(table) in shipped
    settings = files("cginit.learn") / "configs" / f"{name}.toml"
    assert load_config(settings).subject == Config.from_dict(description["config"]).subject
