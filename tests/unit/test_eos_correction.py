"""The network behind the route ``network``: limits that hold for any weights, its training, export and use."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")
pytest.importorskip("safetensors", reason="weights need safetensors (cginit[train])")
pytest.importorskip("onnx", reason="the export needs onnx (cginit[train])")

import torch

import cginit
from cginit import InputError, PairPotential, StatePoint
from cginit.eos.features import CURVES, SCALARS, fluid_features
from cginit.eos.fluid import fluid_at
from cginit.eos.inference import calibrated_error, load_eos
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.export import export_run
from cginit.learn.subjects.pressure import JUDGES, corrected, judging_jobs
from cginit.learn.subjects.pressure_errors import PressurePredictions
from cginit.learn.subjects.pressure_features import fluid_of, row_features
from cginit.learn.training import train
from cginit.models.grid import POINTS

R = np.linspace(0.0, 5.0, 101)
FINE = np.linspace(0.0, 5.0, 501)


def config(**rest) -> Config:
    return Config.from_dict(
        {
            "name": "eos",
            "subject": "pressure",
            "architecture": {"kind": "DN", "width": 16, "layers": 1},
            "schedule": {"members": 2, "steps": 60, "batch": 8, "evaluate_every": 30, "learning_rate": 1e-2},
            **rest,
        }
    )


def soft(height: float, width: float = 1.0) -> PairPotential:
    r = FINE[:301]
    return PairPotential.shifted(r, height * np.exp(-((r / width) ** 2)), units="lj")


def made_up(m: int = 12) -> TrainingSet:
    """Return soft particles whose pressure is said to be that of the virial route of HNC, and nothing else."""
    heights, density = np.linspace(1.0, 6.0, m), np.linspace(0.3, 0.9, m)
    u = np.zeros((m, FINE.size))
    pressure = np.zeros(m)
    for i in range(m):
        potential = soft(heights[i])
        u[i, : potential.r.size] = potential.u
        pressure[i] = density[i] * fluid_at(potential, StatePoint(density[i], 1.0)).z_virial
    g = np.exp(-u[:, ::5])
    error = 1e-3 * np.ones_like(g)
    # Neighbouring even integers are dealt to all classes of the split.
    names = 2 * np.arange(m)
    return TrainingSet(R, g, error, FINE, u, density, np.full(m, 3.0), names, pressure, np.full(m, 1e-4))


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    return made_up()


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("eos")
    run = train(config(), data, folder / "run", device="cpu")
    description = export_run(run, folder / "model", "Made up.")
    return folder, run, description


def test_no_weights_can_spoil_the_dilute_limit():
    # The correction is of third order in the density: at 1/4 of the density it is 1/64, or 1/48 with the saturation
    # of x / (1 + x), whatever the network gives.
    out = torch.tensor([[3.0, -2.0]])
    changes = []
    for density in (4e-3, 1e-3):
        features = fluid_features(fluid_at(soft(2.0), StatePoint(density, 1.0)))
        base = torch.from_numpy(features.base)
        changes.append(float(corrected(out.double(), base)[0] - base[0, 0]))
    assert abs(changes[1]) < abs(changes[0]) / 40.0
    assert abs(changes[0]) > 0.0


def test_the_inputs_do_not_know_the_length_unit():
    one = fluid_features(fluid_at(soft(3.0, 1.0), StatePoint(0.5, 1.0)))
    other = fluid_features(
        fluid_at(soft(3.0, 1.0).scaled(0.3, 2.5, "nm-kJ/mol"), StatePoint(0.5 / 0.3**3, 2.5, "nm-kJ/mol"))
    )
    for name in ("curves", "scalars", "base"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6, atol=1e-7)
    assert one.curves.shape == (1, CURVES, POINTS)
    assert one.scalars.shape == (1, len(SCALARS))


def test_features_are_kept(data, tmp_path):
    first, valid = row_features(data, tmp_path / "f.npz")
    again, same = row_features(data, tmp_path / "f.npz")
    np.testing.assert_array_equal(first.scalars, again.scalars)
    assert valid.all()
    assert same.all()
    other = data.select(np.arange(len(data)) > 0)
    assert row_features(other, tmp_path / "f.npz")[1].size == len(data) - 1


@pytest.mark.training
def test_the_network_learns_which_route_is_right(model, data):
    _, run, _ = model
    found, base = run.predictions, run.lesson.features.base
    held = found.fold < 0
    assert held.any()
    # The truth is the virial route; the untrained network is near the mean of both. On potentials that it has not
    # seen a third of the way should be left at most.
    start = np.abs(0.5 * (base[:, 0] + base[:, 1]) - found.truth)[held]
    left = np.abs(found.z - found.truth)[held]
    assert left.mean() < start.mean() / 3.0


@pytest.mark.training
def test_the_export_is_what_was_trained_and_runs_without_torch(model, data):
    folder, run, description = model
    names = {x.name for x in (folder / "model").iterdir()}
    assert names == {"eos.onnx", "eos.safetensors", "eos.json", "eos.md"}
    card = (folder / "model" / "eos.md").read_text()
    assert "Made up." in card
    assert "{" not in card
    assert "| all | network |" in card
    assert json.loads((folder / "model" / "eos.json").read_text())["domain"]["the attraction"]
    row = int(np.flatnonzero(~data.test)[3])
    potential, state = soft(np.linspace(1.0, 6.0, 12)[row]), StatePoint(float(data.density[row]), 1.0)
    found = cginit.pressure(potential, state, folder=folder / "model")
    assert found.method == "network"
    assert found.notes == ()
    with torch.no_grad():
        features = fluid_features(fluid_of(data, row))
        inputs = [
            torch.from_numpy(getattr(features, k).astype(np.float32)) for k in ("curves", "scalars", "base")
        ]
        z, spread = (float(x[0]) for x in run.ensemble(*inputs))
    # Single precision on both sides; the table of the data set is on another grid than the potential.
    assert found.value == pytest.approx(z * state.density, rel=1e-4)
    scale = load_eos("eos", folder / "model").model.error_scale
    expected = calibrated_error(scale, np.array([spread]), features.base, np.array([z]))[0]
    assert found.error == pytest.approx(expected * state.density, rel=1e-2)
    assert scale == description["error_scale"]


@pytest.mark.training
def test_inference_does_not_import_torch(model, data):
    row = int(np.flatnonzero(~data.test)[3])
    height, density = float(np.linspace(1.0, 6.0, 12)[row]), float(data.density[row])
    code = (
        "import sys; from pathlib import Path; import numpy as np; import cginit; "
        "r = np.linspace(0.0, 3.0, 301); "
        f"u = cginit.PairPotential.shifted(r, {height!r} * np.exp(-(r**2)), units='lj'); "
        f"p = cginit.pressure(u, cginit.StatePoint({density!r}, 1.0), folder=Path({str(model[0] / 'model')!r})); "
        "print(p.method, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["network", "False"]


@pytest.mark.training
def test_an_unlike_fluid_takes_the_theory_and_says_so(model):
    folder = model[0]
    found = cginit.pressure(soft(2.0, 2.0), StatePoint(0.9, 1.0), folder=folder / "model")
    assert found.method == "hnc-mean"
    assert "outside the training of the network" in found.notes[0]
    found = cginit.pressure(soft(2.0), StatePoint(0.5, 1.0), folder=folder)
    assert found.method == "hnc-mean"
    assert f"there is no network 'eos' in {folder}" in found.notes[0]
    with pytest.raises(InputError, match="no network of the equation of state"):
        load_eos("eos", folder)


def test_the_error_grows_with_what_there_is_to_correct():
    base = np.array([[2.0, 2.0, 0.1], [2.0, 1.0, 0.1]])
    small, large = calibrated_error(1.0, np.zeros(2), base, np.array([2.0, 2.0]))
    assert small == pytest.approx(2e-3)
    assert large == pytest.approx(np.hypot(0.02, 2e-3))


@pytest.mark.training
def test_the_error_is_judged_by_networks_that_have_not_seen_the_potential(model, data):
    folder, run, _ = model
    assert len(list((folder / "run").glob("judge-*.safetensors"))) == 2 * JUDGES
    group = data.folds(2)
    for k, job in enumerate(judging_jobs(folder, 1, group, 2, np.ones(len(data), dtype=bool))):
        assert not set(data.potential[job.rows]) & set(data.potential[job.exam])
        assert set(group[job.exam]) == {k // JUDGES}
        assert not np.any(data.test[job.rows])
    found = run.predictions
    # On the test set it is the ensemble itself that is judged.
    np.testing.assert_array_equal(found.unseen[data.test], found.z[data.test])
    assert np.all(found.unseen[~data.test] != found.z[~data.test])


def test_the_band_holds_what_it_says():
    rng = np.random.default_rng(1)
    m = 8000
    truth, spread = np.full(m, 2.0), 10.0 ** rng.uniform(-2.0, 0.0, m)
    # Errors of 1.7 times the spread; the test set is the last quarter.
    z = truth + 1.7 * spread * rng.standard_normal(m)
    fold = np.where(np.arange(m) < 6000, np.arange(m) % 4, -1)
    found = PressurePredictions(truth, z, z, spread, np.zeros((m, 3)), fold)
    # Of a quantile from 6000 numbers and from 2000: three standard errors are 4 % of the factor and 2 % of a part.
    assert found.error_scale() == pytest.approx(1.7, rel=0.04)
    assert found.coverage() == pytest.approx((0.9, 0.9), abs=0.02)


def test_wrong_configurations_are_refused(data, tmp_path):
    with pytest.raises(InputError, match="auxiliary pairs teach nothing"):
        train(config(auxiliary={"share": 0.5}), data, tmp_path)
    with pytest.raises(InputError, match="unknown subject"):
        Config.from_dict({"subject": "temperature"})


@pytest.mark.training
def test_a_folder_belongs_to_one_training(data, tmp_path):
    train(config(schedule={"members": 2, "steps": 1, "batch": 2}), data, tmp_path / "a", device="cpu")
    with pytest.raises(InputError, match="another configuration"):
        train(config(), data, tmp_path / "a")
