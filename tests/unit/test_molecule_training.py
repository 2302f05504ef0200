"""The network of connected beads: rows and features of a data set of molecules, and how its training begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gas_of_molecules import Gas

from soft_fluids import soft_fluids

torch = pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")
pytest.importorskip("safetensors", reason="weights need safetensors (cginit[train])")

from cginit.campaign import merge, simulate_molecules  # noqa: E402
from cginit.campaign.liquids import liquid_of  # noqa: E402
from cginit.campaign.molecules import molecule_plan  # noqa: E402
from cginit.errors import InputError  # noqa: E402
from cginit.learn.config import Config, load_config  # noqa: E402
from cginit.learn.molecules import VARIATIONS, molecule_features, molecule_set  # noqa: E402
from cginit.learn.subjects import Preparation, subject_of  # noqa: E402
from cginit.learn.subjects import bridge as bridge_module  # noqa: E402
from cginit.learn.subjects.base import outputs  # noqa: E402
from cginit.learn.subjects.molecules import shipped_members  # noqa: E402
from cginit.learn.training import train  # noqa: E402
from cginit.models.model import load_model  # noqa: E402

CPU = torch.device("cpu")
CONFIG = {
    "name": "tiny",
    "subject": "molecules",
    "start": "bridge",
    "architecture": {"kind": "RN", "width": 40, "kernel": 5, "dilations": [1, 3, 7, 13, 25]},
    "augmentation": {"scale": [1.0, 1.0]},
    "schedule": {"members": 2, "steps": 40, "batch": 4, "evaluate_every": 40, "learning_rate": 1e-3},
}


@pytest.fixture(scope="module")
def records():
    """Two liquids of two bead types, a test one and another; the first is a solution."""
    pytest.importorskip("numba", reason="sampling needs Numba")
    tasks = [
        next(
            x for x in molecule_plan(range(200)) if len(x.molecule.topology.species) == 2 and x.split == split
        )
        for split in ("test", "train")
    ]
    return [simulate_molecules(task, Gas()) for task in tasks]


def test_a_liquid_is_made_of_its_record(records):
    for record in records:
        one = liquid_of(record)
        made = next(x.molecule for x in molecule_plan(range(200)) if x.seed == record.seed)
        assert set(one.potentials) == set(made.pairs)
        for pair, potential in one.potentials.items():
            # r^-24 cores in double precision here, straight from the simulation.
            np.testing.assert_allclose(potential.u, made.pairs[pair].u, rtol=1e-9, atol=1e-9)
        assert set(one.bonded) == set(made.topology.terms)
        for name, potential in one.bonded.items():
            assert potential.at_minimum == pytest.approx(made.potentials[name].at_minimum)
        assert one.start.n == record.n
        assert sum(one.densities.values()) == pytest.approx(record.density)
        # Molecules are in one piece: no bond is longer than its potential.
        whole = one.start.topology.whole(one.start.positions, one.start.box)
        for name, members in one.start.topology.of("bond").items():
            length = np.linalg.norm(whole[members[:, 1]] - whole[members[:, 0]], axis=1)
            assert length.max() < one.bonded[name].x[-1]
    with pytest.raises(InputError, match="was rejected"):
        liquid_of(replace(records[0], rejected="crystal"))


def test_each_pair_of_types_is_a_row(records, tmp_path):
    dataset = merge(records)
    data = molecule_set(dataset)
    assert len(data) == 6
    assert sorted(np.unique(data.test).tolist()) == [False, True]
    assert np.unique(data.potential).size == 2
    # All rows of a molecule are in the same fold, and in no other set than its molecule.
    assert all(np.unique(data.test[data.potential == p]).size == 1 for p in np.unique(data.potential))
    features = molecule_features(dataset, tmp_path)
    assert features.gamma.shape == (6, VARIATIONS, 2, 101)
    assert features.valid[:, 0].all()
    np.testing.assert_allclose(features.g[:, 0], data.g, atol=1e-6)
    again = molecule_features(dataset, tmp_path)
    np.testing.assert_array_equal(again.gamma, features.gamma)
    assert len(list(tmp_path.glob("*.npz"))) == 2
    # Molecules that do not feel each other have h = 0, and c with it: gamma is noise, some hundredths.
    far = features.r > 2.0
    assert np.abs(features.gamma[:, 0, 0, far]).mean() < 0.1


def test_networks_start_from_those_that_ship(tmp_path):
    fluids, config = soft_fluids(4), Config.from_dict(CONFIG)
    subject = subject_of("molecules")
    lesson = subject.prepare(Preparation(config, fluids, tmp_path, CPU))
    task = lesson.task(None)
    members = shipped_members("bridge")
    for k, member in enumerate(members):
        weights = task.body(1000 + k).state_dict()
        assert all(torch.equal(weights[name], value) for name, value in member.items())
    # Untrained they are the model that ships; single precision.
    found = outputs(lesson.ensemble([task.body(1000 + k) for k in range(len(members))]), lesson.inputs, CPU)
    expected, _ = load_model("bridge")(*lesson.inputs.values())
    np.testing.assert_allclose(found, expected, atol=1e-4)
    narrow = replace(config, architecture=replace(config.architecture, width=8))
    with pytest.raises(InputError, match="other layers"):
        subject.prepare(Preparation(narrow, fluids, tmp_path, CPU)).task(None).body(1000)
    with pytest.raises(InputError, match="no shipped model"):
        shipped_members("colour")


@pytest.mark.training
def test_a_training_learns_what_the_model_before_lacks(tmp_path, monkeypatch):
    monkeypatch.setattr(bridge_module, "VARIATIONS", 2)
    fluids = soft_fluids(6)
    # A potential that the closure cannot know of: half a kT at contact, as connected beads have.
    fluids = replace(fluids, u=fluids.u + 0.5 * np.exp(-(fluids.u_r**2)))
    run = train(Config.from_dict(CONFIG), fluids, tmp_path, device="cpu")
    known = ~fluids.test
    before, after = (
        np.abs(u - run.predictions.truth)[known].mean()
        for u in (run.predictions.start, run.predictions.out_of_fold)
    )
    assert after < 0.5 * before
    tables = subject_of("molecules").errors(run, None)
    assert set(tables) == {"validation"}
    assert "| bridge |" in tables["validation"]


def test_the_configuration_that_ships_starts_from_loose_beads():
    from importlib.resources import files

    config = load_config(files("cginit.learn") / "configs" / "molecules.toml")
    assert (config.subject, config.start) == ("molecules", "bridge")
    assert Config.from_dict(config.to_dict()) == config
