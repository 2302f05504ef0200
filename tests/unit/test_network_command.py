"""``cg-init train`` on a made-up data set: from HDF5 to the files that ship."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")
# To import it takes half a second of every run, most of which leave these tests out.
if find_spec("onnxscript") is None:
    pytest.skip("the export needs onnxscript (cginit[train])", allow_module_level=True)
pytest.importorskip("h5py", reason="data sets need h5py (cginit[campaign])")

from typer.testing import CliRunner

from cginit.campaign.dataset import Record, merge, save
from cginit.campaign.potentials import spline_potential
from cginit.cli.app import app
from cginit.cli.train import train
from cginit.errors import InputError
from cginit.guess.network import NetworkGuess
from cginit.learn.simulated import training_set
from cginit.models.model import load_model

pytestmark = pytest.mark.training

R = np.linspace(0.0, 5.0, 101)
CONFIG = """
name = "small"
version = "1"
[architecture]
width = 4
dilations = [1]
residual = true
[schedule]
members = 2
steps = 4
batch = 4
evaluate_every = 2
[auxiliary]
share = 0.25
potentials = 6
states = 1
density = [0.05, 0.1]
"""


def record(seed: int, density: float, rejected: str = "") -> Record:
    """Return a record with g = exp(-U), the dilute limit."""
    p = spline_potential(seed).potential
    g = np.exp(-np.interp(R, p.r, np.minimum(p.u, 50.0), right=0.0))
    if rejected:
        g = np.full(R.size, np.nan)
    return Record(
        family="a",
        seed=seed,
        index=0,
        split="test" if (seed // 2) % 10 == 0 else "train",
        density=density,
        r_cut=p.r_cut,
        u_r=p.r,
        u=p.u,
        r=R,
        g=g,
        g_error=0.002 * np.sqrt(g),
        peak_error=0.01,
        pressure=1.0,
        pressure_error=0.1,
        n=500,
        steps=100,
        run_seed=1,
        engine="made up",
        seconds=1.0,
        s_k_min=1.0,
        screened="",
        rejected=rejected,
    )


@pytest.fixture(scope="module")
def dataset():
    # Repulsive potentials only, in the classes 0, 1 and 2 of the split.
    seeds = [s for s in range(120) if (s // 2) % 10 < 3 and spline_potential(s).potential.u.min() > -0.5][:9]
    return merge([record(s, 0.1) for s in seeds] + [record(5, 0.5, "crystal")])


def test_only_accepted_rows_are_learned_from(dataset) -> None:
    data = training_set(dataset)
    assert len(data) == 9
    assert 0.5 not in data.density
    row = int(np.argmax(data.r_cut))
    truth = spline_potential(int(data.potential[row])).potential
    expected = np.interp(data.u_r, truth.r, truth.u)
    counts = (data.u_r < truth.r_cut) & (expected < 20.0)
    # The reference interpolates linearly: 0.025^2 / 8 times a U'' of up to 3e3 near 20 kT. A shifted grid or a lost
    # core is off by several kT.
    np.testing.assert_allclose(data.u[row][counts], expected[counts], atol=0.25)
    assert np.all(data.u[row][data.u_r > truth.r_cut + 1e-9] == 0.0)
    with pytest.raises(InputError, match="no accepted state point"):
        training_set(dataset.select(dataset.rejected != ""))


def test_the_command_writes_a_model_that_loads(dataset, tmp_path, capsys) -> None:
    data, config, out, model = (tmp_path / x for x in ("d.h5", "c.toml", "run", "model"))
    save(dataset, data)
    config.write_text(CONFIG)
    train(data=data, config=config, out=out, export=None)
    printed = capsys.readouterr().out
    assert printed.split()[-1] == str(out)
    # Nothing of the test set is shown before there is something to ship.
    assert "## validation" in printed
    assert "test" not in printed.replace(str(out), "")
    # Again, with the export: nothing is trained twice.
    before = (out / "member-1.safetensors").stat().st_mtime_ns
    train(data=data, config=config, out=out, export=model)
    assert (out / "member-1.safetensors").stat().st_mtime_ns == before
    printed = capsys.readouterr().out
    assert "| all | small |" in printed
    assert str(model / "small.onnx") in printed
    loaded = load_model("small", model)
    assert loaded(np.ones((3, 50)), np.full(3, 0.1))[0].shape == (3, 50)
    description = json.loads((model / "small.json").read_text())
    assert description["auxiliary"]["pairs"] > 0
    card = (model / "small.md").read_text()
    assert "Of 10 tasks 9 were accepted" in card
    for method in ("network", "small", "hnc", "boltzmann", "-ln g"):
        assert f"| all | {method} |" in card


def test_the_command_writes_a_bridge_network_that_guesses(dataset, tmp_path, capsys) -> None:
    data, config, out, model = (tmp_path / x for x in ("d.h5", "c.toml", "run", "model"))
    # So dilute that every g made up from the Boltzmann factor alone is one of a fluid.
    dilute = [replace(x, density=1e-3) for x in dataset.records() if not x.rejected]
    save(merge([*dilute, record(5, 0.5, "crystal")]), data)
    config.write_text(
        'name = "small"\n[architecture]\nkind = "BN"\nwidth = 4\ndilations = [1]\n'
        '[schedule]\nmembers = 2\nsteps = 2\nbatch = 4\nevaluate_every = 2\nkeep = "last"\n'
    )
    train(data=data, config=config, out=out, export=None)
    printed = capsys.readouterr().out
    assert "| all | Verlet-modified |" in printed
    # Nothing of the test set is shown before there is something to ship.
    assert printed.count("| all |") == 4
    train(data=data, config=config, out=out, export=model)
    assert "| all | small |" in capsys.readouterr().out
    card = (model / "small.md").read_text()
    assert "Of 10 tasks 9 were accepted" in card
    for method in ("network", "small", "hnc", "boltzmann", "-ln g", "Verlet-modified"):
        assert f"| all | {method} |" in card
    assert NetworkGuess("small", folder=model).name == "small"


def test_the_command_without_its_files_says_which() -> None:
    done = CliRunner().invoke(app, ["train"])
    assert done.exit_code == 2
    assert "--data" in done.output
