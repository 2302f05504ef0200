"""The stated errors of the networks of the bridge function: what is in them, and how their factors are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit.curves import RDF
from cginit.guess.network import NetworkGuess
from cginit.liquid import invert, solve
from cginit.liquid.carried_noise import carried_noise
from cginit.liquid.ornstein_zernike import NOISE_WEIGHT
from cginit.models.correlations import structure_size
from cginit.models.grid import bridge_grid
from cginit.models.model import load_model
from cginit.state import StatePoint

R = np.linspace(0.0, 5.0, 101)


def fluid(noise: float, seed: int = 1) -> tuple[RDF, StatePoint, np.ndarray]:
    """Return g of Gaussian particles, for which HNC is as good as exact, with noise, their state, and U/kT."""
    u = 2.0 * np.exp(-(R**2))
    state = StatePoint(0.3, 1.0, "lj")
    found = solve(R, u - u[-1], state.density)
    g = np.interp(R, found.r, found.g)
    error = noise * np.sqrt(g) / np.maximum(R, 0.3)
    g = np.maximum(g + error * np.random.default_rng(seed).standard_normal(g.size), 0.0)
    return RDF(R, g, error, units="lj"), state, u


def test_the_size_of_the_structure_hangs_on_no_unit():
    u0 = 3.0 * np.exp(-(R**2))[None]
    # Of a longer unit, with the density in that unit.
    first, second = (structure_size(u0, np.array([0.4 * k**3]), R[1] / k)[0] for k in (1.0, 1.7))
    assert first == pytest.approx(second, rel=1e-12)


def test_more_structure_and_members_that_differ_make_a_larger_error():
    model = load_model("bridge")
    x = bridge_grid()
    gamma = np.zeros((1, 2, x.size))
    u0, density = np.exp(-(x**2))[None], np.array([0.3])
    spread, error = model.mean_and_spread(u0, gamma, density)[1], model(u0, gamma, density)[1]
    size = structure_size(u0, density, float(x[1]))[0]
    np.testing.assert_allclose(error, model.error_scale * (1.0 + model.structure_scale * size) * spread)
    assert model.structure_scale > 0.1


def test_two_inversions_that_differ_say_what_noise_decides():
    model = load_model("bridge")
    x = bridge_grid()
    u0, density = np.exp(-(x**2))[None], np.array([0.3])
    gamma = np.array([0.2, 0.3])[None, :, None] * np.exp(-(x**2))
    spread, error = model.mean_and_spread(u0, gamma, density)[1], model(u0, gamma, density)[1]
    size = structure_size(u0, density, float(x[1]))[0]
    bridge = model.error_scale * (1.0 + model.structure_scale * size) * spread
    np.testing.assert_allclose(
        error**2 - bridge**2, (0.1 * model.noise_scale * np.exp(-(x**2)))[None] ** 2, atol=1e-12
    )
    assert model.noise_scale > 0.1


def test_what_the_inversion_makes_of_the_noise_is_a_part_of_the_error():
    model = load_model("bridge")
    x = bridge_grid()
    inputs = np.exp(-(x**2))[None], np.zeros((1, 2, x.size)), np.array([0.3])
    carried = 0.1 * np.exp(-x)[None]
    error, whole = model(*inputs)[1], model(*inputs, carried=carried)[1]
    np.testing.assert_allclose(whole**2 - error**2, (model.carried_scale * carried) ** 2, atol=1e-12)
    assert model.carried_scale > 0.1


@pytest.mark.parametrize("step", [1, 2])
def test_the_noise_that_an_inversion_carries_is_that_of_repeated_ones(step):
    r = R[1::step]
    found = solve(R, 2.0 * np.exp(-(R**2)), 1.0)
    g = np.interp(r, found.r, found.g)
    error = 0.003 * np.sqrt(g) / np.maximum(r, 0.3)
    rng = np.random.default_rng(5)
    gamma = np.array(
        [invert(r, g + error * rng.standard_normal(r.size), 1.0, error=error).gamma for _ in range(200)]
    )
    last = int(np.searchsorted(r, 3.0 - 1e-9))
    stated = carried_noise(invert(r, g, 1.0, error=error), 1.0, error, NOISE_WEIGHT, r, r[last])
    inner = slice(0, last - 2)
    ratio = np.std(gamma - gamma[:, last : last + 1], axis=0)[inner] / stated[inner]
    # Two hundred repetitions tell a standard deviation to 5 %, and neighbouring distances go together; four of them.
    assert np.all(np.abs(ratio - 1.0) < 0.2)
    assert stated[last] == 0.0
    # Ten times the error of g.
    assert stated[0] > 0.03


def test_noise_of_g_is_in_the_stated_error():
    guess = NetworkGuess("bridge", bin_average=False)
    seen = slice(4, 60)
    stated = []
    for noise in (1e-4, 1e-1):
        target, state, u = fluid(noise)
        potential = guess(target, state, 3.0)
        off = np.interp(R[seen], potential.r, potential.u) - u[seen]
        stated.append(np.interp(R[seen], potential.r, potential.u_error))
        # Errors at neighbouring distances go together: some three independent ones, whose mean square exceeds four
        # times its expectation in 1 of 100.
        assert np.sqrt(np.mean(off**2)) < 2.0 * np.sqrt(np.mean(stated[-1] ** 2))
        # The noise of -ln g itself is in it everywhere.
        assert np.all(stated[-1] >= (target.error / target.g)[seen] * (1.0 - 1e-9))
    assert np.median(stated[1]) > 3.0 * np.median(stated[0])


torch = pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")

from cginit.errors import InputError  # noqa: E402
from cginit.learn.config import Auxiliary  # noqa: E402
from cginit.learn.data import TrainingSet  # noqa: E402
from cginit.learn.subjects.bridge_bands import (  # noqa: E402
    BandPoints,
    band_points,
    fitted_factors,
    stated_errors,
    unseen_fluids,
)
from cginit.learn.subjects.bridge_features import LiquidFeatures  # noqa: E402


def test_what_counts_is_seen_and_lies_before_the_cut_off():
    one = np.ones((3, R.size))
    g = one.copy()
    g[:, :10] = 0.0
    error, density = 0.02 * g, np.full(3, 0.3)
    data = TrainingSet(R, g, error, R, 0.0 * one, density, np.full(3, 2.0), np.arange(3))
    gamma = np.zeros((3, 2, 2, R.size))
    gamma[:, 0, 1] = 0.05
    valid = np.array([[True, True], [False, True], [True, True]])
    features = LiquidFeatures(R, g[:, None].repeat(2, axis=1), gamma, valid)
    # Off by 0.1 up to the cut-off, where U of a guess is 0, and by more beyond, where it ends.
    u = np.where(R < 1.99, 0.3, 0.2) * one
    found = band_points(data, features, u, 0.01 * one, np.array([True, True, False]))
    # Of the row that is asked for and has a solution: 40 points to the cut-off, 10 of them in the core.
    np.testing.assert_allclose(found.off, np.full(30, 0.1))
    np.testing.assert_allclose(found.spread, 0.01)
    np.testing.assert_allclose(found.freedom, 0.05)
    np.testing.assert_allclose(found.noise, 0.02)
    np.testing.assert_allclose(found.carried, 0.0)
    carried = band_points(data, features, u, 0.01 * one, np.array([True, False, False]), 0.03 * one).carried
    np.testing.assert_allclose(carried, 0.03)
    # g = 0 is 7 kT for the networks.
    core = 4.0 * np.pi * 0.3 * R[1] * np.sum(R[:10] ** 2) * (1.0 - np.exp(-7.0)) ** 2
    np.testing.assert_allclose(found.structure**2, core, rtol=5e-3)


def test_the_band_of_ninety_per_cent_holds_ninety_per_cent():
    rng = np.random.default_rng(3)
    spread, freedom, noise = rng.uniform(0.01, 0.1, (3, 20_000))
    structure = rng.uniform(0.0, 3.0, 20_000)
    # Errors with heavier tails than a Gaussian's, as those of the networks.
    size = np.sqrt((2.0 * (1.0 + 0.5 * structure) * spread) ** 2 + (2.0 * freedom) ** 2 + noise**2)
    points = BandPoints(size * rng.standard_t(3, 20_000), spread, structure, freedom, noise, 0.0 * noise)
    a, c, b, d = fitted_factors(points)
    assert points.held((a, c, b, d)) == pytest.approx(0.9, abs=1e-3)
    assert d == 0.0
    # 20 000 points tell the quotient to some 3 %, and how much structure adds to some 10 %.
    assert a / b == pytest.approx(1.0, rel=0.15)
    assert c == pytest.approx(0.5, rel=0.4)
    found = stated_errors(points, points)
    assert found["error_scale"] == pytest.approx(a, abs=1e-4)
    assert found["coverage of the 90 % band"] == {"calibration": 0.9, "test": 0.9}


def test_fluids_that_a_training_draws_judge_no_errors(tmp_path):
    how = Auxiliary(share=0.5, families="ab", potentials=9, density=(0.1, 0.3))
    found = unseen_fluids(how, tmp_path)
    # The precision differs by orders of magnitude between fluids.
    level = np.median(found.g_error * found.r, axis=1)
    assert np.max(level) > 10.0 * np.min(level)
    with pytest.raises(InputError, match="choose another `first`"):
        unseen_fluids(replace(how, first=2_999_995), tmp_path)


def test_the_noise_that_an_inversion_carries_does_not_hang_on_whether_r_0_is_given():
    """With r = 0 the nodes are 128, and the transform of the inversion is twice as long as that of 127."""
    r = 0.04 * np.arange(128)
    found = solve(r[1:], 2.0 * np.exp(-(r[1:] ** 2)), 0.5)
    g = np.concatenate([found.g[:1], found.g[:127]])
    error = np.full(128, 0.003)
    whole = carried_noise(invert(r, g, 0.5, error=error), 0.5, error[1:], NOISE_WEIGHT, r[1:], 3.0)
    alone = invert(r[1:], g[1:], 0.5, error=error[1:])
    stated = carried_noise(alone, 0.5, error[1:], NOISE_WEIGHT, r[1:], 3.0)
    # What lies between the wave numbers of the shorter transform is some 1e-4 of it.
    np.testing.assert_allclose(whole, stated, rtol=1e-2)
