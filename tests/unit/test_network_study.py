"""Bodies of networks, the bridge network and its features, and the published figures of merit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from soft_fluids import FINE, R, soft_fluids

pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")
pytest.importorskip("safetensors", reason="weights need safetensors (cginit[train])")

import torch
from scipy.interpolate import CubicSpline

from cginit.curves import RDF, LongWave
from cginit.errors import ConvergenceError, InputError
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.network import NetworkGuess
from cginit.learn.bodies import BODIES, Ports, build_body
from cginit.learn.config import Architecture, Auxiliary, Config, Pretraining, TrainingSchedule
from cginit.learn.data import DATA_NOISE, TrainingSet, fold_of, noise_at_sigma
from cginit.learn.export import write_model
from cginit.learn.pool import choose_device
from cginit.learn.statistics import case_errors, exponential_delta, median_delta, r_squared
from cginit.learn.subjects import bridge as subject
from cginit.learn.subjects.bridge import verlet_closure
from cginit.learn.subjects.bridge_features import LiquidFeatures, liquid_features
from cginit.learn.training import train
from cginit.liquid import invert, invert_with_long_wave
from cginit.models.correlations import verlet_modified
from cginit.models.grid import interpolate, network_grid
from cginit.models.model import load_model
from cginit.state import StatePoint
from cginit.units import LJ


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fluids() -> TrainingSet:
    return soft_fluids()


@pytest.mark.parametrize("kind", list(BODIES))
@pytest.mark.parametrize("outputs", [50, 4])
def test_bodies_read_all_and_give_what_is_asked(kind, outputs):
    ports = Ports(curves=2, scalars=1, outputs=outputs)
    body = build_body(Architecture(kind=kind, width=4, layers=3), ports, seed=1)
    for parameter in body.parameters():
        torch.nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(1))
    curves, scalars = torch.ones(3, 2, 50, requires_grad=True), torch.ones(3, 1, requires_grad=True)
    out = body(curves, scalars)
    assert out.shape == (3, outputs)
    by_curve, by_scalar = torch.autograd.grad(out[0].sum(), (curves, scalars))
    assert (by_curve[0] != 0.0).any(dim=-1).all()
    assert by_scalar[0] != 0.0
    # State points of a batch do not meet.
    assert not by_curve[1:].any()
    assert not by_scalar[1:].any()


def test_devices_by_name():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(InputError, match="unknown device"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA device"):
            choose_device("cuda")


def test_a_split_of_the_data_set_wins_over_the_rule():
    names = np.array([0, 2, 4, 6])
    test = np.array([False, True, False, False])
    assert fold_of(names, 2, test).tolist()[1] == -1
    assert min(fold_of(names, 2, test)[[0, 2, 3]]) >= 0


def test_figures_of_merit():
    x = -0.02 * np.log(np.random.default_rng(4).random(4000))
    # 4000 draws fix delta to 1/sqrt(4000) = 1.6 % (one standard error); 5 % are three, and the median is less sharp.
    assert exponential_delta(x) == pytest.approx(0.02, rel=0.05)
    assert median_delta(x) == pytest.approx(0.02, rel=0.07)
    # A tenth of outliers moves the mean by a factor of 6 and these by little.
    outliers = np.append(x, np.full(400, 1.0))
    assert exponential_delta(outliers) == pytest.approx(0.02, rel=0.2)
    assert median_delta(outliers) == pytest.approx(0.02, rel=0.2)
    with pytest.raises(InputError, match="10 errors"):
        exponential_delta(x[:9])
    with pytest.raises(InputError, match="do not fall off"):
        exponential_delta(np.append(1e-9, np.linspace(1.0, 1.1, 40)))
    assert math.isnan(r_squared(np.ones(3), np.ones(3)))
    truth = np.array([[25.0, 1.0, 0.0, 0.0]])
    # The first point is above 20 kT and counts in nothing.
    found = case_errors(np.array([[0.0, 1.0, 1.0, 0.0]]), truth)
    assert [x[0] for x in found] == pytest.approx([1 / 3, 1 / 3, 2.0])


def test_features_of_a_hnc_fluid_give_its_potential_back(fluids):
    data = fluids.select(np.arange(len(fluids)) < 3)
    features = liquid_features(data, variations=3, noise=(1.0, 1.0))
    assert features.valid.all()
    inner = R <= 3.0
    for i in range(3):
        u = np.interp(R, FINE, data.u[i])
        # The inversions allow for an error of g of 1e-3 and take g as known up to 5 only.
        for gamma in features.gamma[i, 0]:
            hnc = -np.log(features.g[i, 0]) + gamma
            np.testing.assert_allclose(hnc[inner], u[inner], atol=5e-3)
    # The second leaves c more freedom.
    assert np.all(np.abs(features.gamma[:, 0, 1] - features.gamma[:, 0, 0]).max(axis=1) > 0.0)
    # The second knows S(k), where there is one; without it is the first again.
    assert np.array_equal(features.gamma[:, 1], features.gamma[:, 0])
    # The third variation is noisy and ends early.
    assert 1e-4 < np.std((features.g[:, 2] - features.g[:, 0])[:, :60]) < 2e-3
    assert np.all(features.gamma[:, 2, :, -1] == 0.0)
    assert np.all(features.gamma[:, 0, :, -1] != 0.0)
    with pytest.raises(InputError, match="at least two variations"):
        liquid_features(data, variations=1)


def test_features_with_a_structure_factor_agree_with_it(fluids):
    data = fluids.select(np.arange(len(fluids)) < 1)
    k = 0.5
    plain = invert(R, data.g[0], float(data.density[0]), error=data.g_error[0])
    # Half of what g says, known to a tenth: no curve of the inversion alone has it.
    wave = np.array([[k, 0.5 * float(np.interp(k, plain.k, plain.s_k)), 0.0]])
    wave[0, 2] = 0.1 * wave[0, 1]
    features = liquid_features(replace(data, long_wave=wave), variations=4)
    assert features.valid.all()
    arguments = (R, data.g[0], float(data.density[0]))
    known = invert_with_long_wave(*arguments, LongWave(*wave[0]), error=data.g_error[0])
    # r = 0 is no node of the transform.
    assert np.array_equal(features.gamma[0, 0, 0, 1:], plain.gamma)
    assert np.array_equal(features.gamma[0, 1, 0, 1:], known.gamma)
    assert float(np.interp(k, known.k, known.s_k)) == pytest.approx(wave[0, 1], rel=0.1)


def test_noise_of_features_is_drawn_between_its_bounds(fluids):
    data = fluids.select(np.arange(len(fluids)) < 6)
    exact = liquid_features(data, variations=2)
    noisy = liquid_features(data, variations=2, as_it_is=0, noise=(0.25, 1.0))
    part = (noisy.g - exact.g)[:, :, 20:60] / data.g_error[:, None, 20:60]
    spread = part.std(axis=2)
    # Forty points tell a standard deviation to 11 %; three of them.
    assert 0.25 * 0.66 < spread.min() < spread.max() < 1.34
    assert spread.max() > 1.5 * spread.min()
    # By default a precise g has up to the noise of most of the data set.
    most = DATA_NOISE / min(noise_at_sigma(R, g, e) for g, e in zip(data.g, data.g_error, strict=True))
    assert most > 2.5
    usual = liquid_features(data, variations=4, as_it_is=0)
    part = (usual.g - liquid_features(data, variations=4).g[:, :1])[:, :, 20:60] / data.g_error[
        :, None, 20:60
    ]
    spread = part.std(axis=2)
    assert 0.66 < spread.min() < spread.max() < 1.34 * most
    assert spread.max() > 1.5
    # Features with fewer variations stand in several times.
    both = LiquidFeatures.joined([liquid_features(data, variations=4), noisy])
    assert both.valid.shape == (12, 4)
    assert np.array_equal(both.g[6:, 2:], noisy.g)


def test_features_are_kept_in_a_file(tmp_path):
    rng = np.random.default_rng(1)
    x = rng.random((2, 3, 4))
    features = LiquidFeatures(np.arange(4.0), x, 2 * x, x[..., 0] > 0.5)
    features.write(tmp_path / "f.npz")
    again = LiquidFeatures.read(tmp_path / "f.npz")
    # Single precision on disk.
    np.testing.assert_allclose(again.gamma, features.gamma, rtol=1e-6)
    assert np.array_equal(again.valid, features.valid)


def test_the_closure_is_the_same_with_and_without_pytorch():
    u0, gamma = np.array([0.5, 2.0, -1.0]), np.array([0.4, -0.3, 3.0])
    # The closure takes the first of the two inversions.
    both = torch.from_numpy(np.stack([gamma, np.zeros(3)]))
    found = verlet_closure(torch.from_numpy(u0), both).numpy()
    np.testing.assert_allclose(found, verlet_modified(u0, gamma), rtol=1e-12)
    # gamma > 0: -g^2 / (2 + 1.6 g); gamma < 0: -g^2 / 2.
    np.testing.assert_allclose(found[:2], [0.9 - 0.16 / 2.64, 1.7 - 0.045])


@pytest.fixture(scope="module", autouse=True)
def few_variations():
    """Inversions take time; what is tested does not hang on how many variations a network sees."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject, "VARIATIONS", 2)
        yield


@pytest.fixture(scope="module")
def bridge(fluids, tmp_path_factory):
    config = Config(
        name="small",
        version="1",
        subject="bridge",
        architecture=Architecture(kind="RN", width=8, dilations=(1, 4, 12)),
        schedule=TrainingSchedule(
            members=2, steps=60, batch=8, evaluate_every=30, learning_rate=1e-2, seed=2, keep="last"
        ),
    )
    return config, train(config, fluids, tmp_path_factory.mktemp("bridge"), device="cpu")


@pytest.mark.training
def test_the_bridge_network_improves_on_its_closure(fluids, bridge, tmp_path):
    config, run = bridge
    found = run.predictions
    rows = found.fold >= 0
    # The g are those of HNC, so the network has to learn that the closure's bridge function is wrong here.
    closure = case_errors(found.closure[rows], found.truth[rows])[1].mean()
    network = case_errors(found.out_of_fold[rows], found.truth[rows])[1].mean()
    assert network < 0.7 * closure
    assert case_errors(found.hnc[rows], found.truth[rows])[1].mean() < 0.1 * closure
    wide = replace(fluids, r=fluids.r[:91], g=fluids.g[:, :91], g_error=fluids.g_error[:, :91])
    with pytest.raises(InputError, match="g has 91 points"):
        train(config, wide, tmp_path)


@pytest.mark.training
def test_cheap_pairs_alone_teach_the_bridge_function(fluids, bridge, tmp_path):
    config, known = bridge
    cheap = soft_fluids(8, density=0.35)
    cheap = replace(cheap, potential=cheap.potential + 10_001)
    # The members do not move: what they know, the network before them has learned from other potentials.
    still = replace(config.schedule, steps=1, evaluate_every=1, learning_rate=1e-12)
    taught = replace(
        config,
        schedule=still,
        auxiliary=Auxiliary(share=0.5),
        pretraining=Pretraining(steps=60, batch=8, learning_rate=1e-2),
    )
    (tmp_path / "features").mkdir()
    known.lesson.features.write(tmp_path / "features" / "0.npz")
    run = train(taught, fluids, tmp_path, device="cpu", auxiliary=cheap)
    found = run.predictions
    closure = case_errors(found.closure, found.truth)[1].mean()
    assert case_errors(found.out_of_fold, found.truth)[1].mean() < 0.7 * closure
    with pytest.raises(InputError, match="belong together"):
        train(taught, fluids, tmp_path, device="cpu")
    with pytest.raises(InputError, match="also a simulated one"):
        train(taught, fluids, tmp_path, device="cpu", auxiliary=fluids)


@pytest.fixture(scope="module")
def exported(fluids, bridge, tmp_path_factory):
    pytest.importorskip("onnxscript", reason="the export needs onnxscript (cginit[train])")
    folder = tmp_path_factory.mktemp("model")
    write_model(bridge[1], folder, "Made up.")
    return folder


@pytest.mark.training
def test_the_exported_bridge_network_gives_what_was_trained(fluids, bridge, exported):
    run = bridge[1]
    u, error = load_model("small", exported)(*run.lesson.inputs.values())
    # Single precision of energies of up to some 20 kT.
    np.testing.assert_allclose(u[:, 20:].mean(axis=0)[-1], 0.0, atol=0.5)
    test = run.predictions.fold < 0
    on_points = -np.log(np.maximum(run.predictions.g[test], 1e-3)) + interpolate(
        (u - run.lesson.inputs["u0"])[test], 0.0, float(R[1]), network_grid(), 0.0
    )
    np.testing.assert_allclose(on_points, run.predictions.out_of_fold[test], atol=1e-4)
    # Calibrated, and never zero.
    assert np.all(error > 0.9 * load_model("small", exported).error_scale * 1e-3)


@pytest.mark.training
def test_the_bridge_network_as_a_guess(fluids, exported):
    guess = NetworkGuess("small", bin_average=False, folder=exported, fallback=False)
    row = int(np.argmax(fluids.density))
    target = RDF(R, fluids.g[row], fluids.g_error[row], units=LJ)
    state = StatePoint(float(fluids.density[row]), 1.0)
    potential = guess(target, state, 3.0)
    assert potential.provenance.model == "small 1"
    truth = np.interp(potential.r, FINE, fluids.u[row])
    seen = (potential.r >= potential.r_core) & (truth < 4.6)

    def error(u):
        return np.mean(np.abs(u - truth)[seen])

    # Trained on fluids of HNC for a second, it is nearer to the truth than the potential of mean force.
    plain = Boltzmann(bin_average=False)(target, state, 3.0)
    assert error(potential.u) < 0.7 * error(plain.u)
    # Finer points of the same curve give the same potential: the way to the network's grid and back is smooth.
    fine = np.linspace(0.0, 5.0, 201)
    spline = CubicSpline(R, np.log(fluids.g[row]))
    finer = guess(RDF(fine, np.exp(spline(fine)), units=LJ), state, 3.0)
    np.testing.assert_allclose(finer.u[::2][seen], potential.u[seen], atol=0.05)


@pytest.mark.training
def test_without_a_solution_the_small_network_takes_the_place_of_the_bridge_network(exported):
    r = np.linspace(0.05, 5.0, 100)
    # g = 0 up to half a spacing and 1 beyond at high density: no positive structure factor has it.
    target = RDF(r, np.where(r < 1.6, 0.0, 1.0), np.zeros(r.size), units=LJ)
    guess = NetworkGuess("small", bin_average=False, folder=exported)
    potential = guess(target, StatePoint(0.9, 1.0), 3.0)
    # Each is said once: that this one was not used, and what was in the end.
    assert sum("small was not used" in note for note in potential.notes) == 1
    assert sum("cn-f was not used" in note for note in potential.notes) <= 1
    with pytest.raises(ConvergenceError):
        replace(guess, fallback=False)(target, StatePoint(0.9, 1.0), 3.0)
