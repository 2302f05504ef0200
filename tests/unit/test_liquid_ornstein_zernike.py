"""The Ornstein-Zernike inversion: input checks, tails, noise and failure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cginit.errors import ConvergenceError, InputError
from cginit.io import read_rdf, read_rdf_header
from cginit.liquid.forward import solve
from cginit.liquid.ornstein_zernike import estimate_noise, invert

DR = 0.05
R = np.arange(1, 81) * DR
SOFT = 2.0 * np.exp(-(R**2))


@pytest.fixture(scope="module")
def dense():
    """A dense WCA fluid solved by HNC: S(k) falls to 0.025, so that the inversion is ill-conditioned."""
    r = np.linspace(0, 2, 41)
    x = np.maximum(r, 0.3) ** -6
    return solve(r, np.where(r < 2 ** (1 / 6), 4 * (x * x - x) + 1, 0.0), 1.0)


def test_the_solution_satisfies_ornstein_zernike(dense) -> None:
    """S(k) (1 - rho c(k)) = 1 with c summed independently, and h is g - 1."""
    m = 100
    found = invert(dense.r[:m], dense.g[:m], 1.0, tail="zero", error=np.zeros(m))
    k = found.k[::50]
    c_k = 4 * np.pi * DR / k * np.sum(found.r * found.c * np.sin(k[:, None] * found.r), axis=1)
    # The trapezoidal sum over the same nodes is the same number up to rounding, amplified by S up to 5.
    assert np.allclose(found.s_k[::50] * (1 - c_k), 1.0, rtol=0, atol=1e-9)
    # Tolerance of the solver: 1e-9 in r h, and the smallest r is 0.05.
    assert np.allclose(found.h, dense.g[:m] - 1.0, rtol=0, atol=1e-7)
    assert np.array_equal(found.gamma, found.h - found.c)
    assert found.converged
    assert found.residual < 1e-8


def test_the_search_begins_near_the_solution() -> None:
    r = np.linspace(0.0, 2.5, 51)
    x = np.maximum(r, 0.3) ** -6
    fluid = solve(r, np.where(r < 2 ** (1 / 6), 4 * (x * x - x) + 1, 0.0), 0.6)
    found = invert(fluid.r[:100], fluid.g[:100], 0.6, error=np.full(100, 1e-3))
    # From c = 0 on it took nine Newton steps, with the two of the closure beyond the range of g.
    assert found.iterations <= 5


def test_a_noisy_dense_liquid_is_solved_from_a_small_start() -> None:
    # A pair of beads of decane alone. S(k) falls to 6e-4; from c = 0, S = 1, the 60 steps it may take are too few.
    path = Path(__file__).parents[2] / "examples/decane/M-M.dist.tgt"
    curve, density = read_rdf(path), read_rdf_header(path).density
    assert invert(curve.r, curve.g, density, error=curve.error).residual < 1e-8


@pytest.mark.parametrize("half", [False, True])
def test_elimination_and_conjugate_gradients_find_one_solution(dense, monkeypatch, half: bool) -> None:
    """A liquid whose S(k) is nowhere small: the tolerance of 1e-9 in r h is one of some 1e-8 in U then."""
    m, shift = 90, 0.5 * DR if half else 0.0
    r = dense.r[:m] + shift
    g = np.interp(r, dense.r, dense.g)
    eliminated = invert(r, g, 0.3, error=np.full(m, 1e-3))
    monkeypatch.setattr("cginit.liquid.ornstein_zernike.MOST_NODES", 0)
    monkeypatch.setattr("cginit.liquid.extension.MOST_ELIMINATED", 0)
    iterated = invert(r, g, 0.3, error=np.full(m, 1e-3))
    assert eliminated.residual <= 1e-9
    np.testing.assert_allclose(eliminated.gamma, iterated.gamma, rtol=0, atol=1e-6)


def test_a_solution_of_another_weight_is_a_nearer_start(dense) -> None:
    r, g, error = dense.r[:90], dense.g[:90], np.full(90, 1e-3)
    first = invert(r, g, 1.0, error=error)
    alone = invert(r, g, 1.0, error=error, noise_weight=10.0)
    after = invert(r, g, 1.0, error=error, noise_weight=10.0, start=first)
    assert after.iterations < alone.iterations
    # Of g at three or more decimals S(k) of 0.025 leaves 1e-9 of r h as 1e-6 of gamma.
    np.testing.assert_allclose(after.gamma, alone.gamma, rtol=0, atol=1e-5)
    # A start on another grid is none.
    assert np.array_equal(
        invert(r, g, 1.0, error=error, start=invert(r[:80], g[:80], 1.0)).gamma, first.gamma
    )


@pytest.mark.parametrize("start", [0.0, DR, 3 * DR])
def test_where_the_grid_starts_does_not_matter(dense, start: float) -> None:
    """The core may be given as zeros, left out, or include r = 0."""
    r = np.concatenate([[0.0], dense.r[:80]])
    g = np.concatenate([[0.0], np.where(dense.g[:80] > 1e-3, dense.g[:80], 0.0)])
    first = round(start / DR)
    found = invert(r[first:], g[first:], 1.0, error=np.zeros(81 - first))
    whole = invert(r[1:], g[1:], 1.0, error=np.zeros(80))
    # Same equations, same iterates.
    assert np.array_equal(found.gamma, whole.gamma[80 - found.gamma.size :])
    assert found.r[-1] == pytest.approx(r[-1])


def test_half_step_grids_agree_with_whole_ones() -> None:
    """Bin centres give the same potential; both sums are spectrally exact for a smooth fluid."""
    r = np.linspace(0.0, 4.0, 81)
    whole = solve(r, 2 * np.exp(-(r**2)), 0.8)
    half = solve(r[:-1] + DR / 2, 2 * np.exp(-((r[:-1] + DR / 2) ** 2)), 0.8)
    a = invert(whole.r[:80], whole.g[:80], 0.8)
    b = invert(half.r[:80], half.g[:80], 0.8)
    # U(4) = 2e-7 is cut off, which each grid sees at another distance.
    assert np.allclose(a.u, 2 * np.exp(-(a.r**2)), rtol=0, atol=1e-5)
    assert np.allclose(b.u, 2 * np.exp(-(b.r**2)), rtol=0, atol=1e-5)


def test_zero_g_is_infinite_energy(dense) -> None:
    g = np.where(dense.g[:80] > 1e-3, dense.g[:80], 0.0)
    u = invert(dense.r[:80], g, 1.0).u
    assert np.array_equal(np.isinf(u), g == 0.0)


def test_results_are_read_only_and_arguments_untouched() -> None:
    g = np.exp(-SOFT)
    before = g.copy()
    found = invert(R, g, 0.1)
    assert np.array_equal(g, before)
    assert not any(a.flags.writeable for a in (found.u, found.c, found.h, found.gamma, found.k, found.s_k))


def test_noise_estimate_finds_the_noise(dense) -> None:
    rng = np.random.default_rng(3)
    r, g = dense.r[:200], np.where(dense.g[:200] > 1e-3, dense.g[:200], 0.0)
    sigma = 0.01 * np.sqrt(g) / r
    found = estimate_noise(r, g + sigma * rng.standard_normal(200))
    # The median of some 180 correlated differences has a relative error near 10 %; 40 % is four of these.
    assert np.allclose(found, sigma, rtol=0.4)
    # Smooth curves show almost none: below a thousandth of the peak of h, which is 1.9 here.
    assert estimate_noise(r, g).max() < 2e-3
    assert np.array_equal(estimate_noise(r[:12], np.zeros(12)), np.zeros(12))
    # A g of bins as wide as beads has fewer points than a difference needs.
    assert np.array_equal(estimate_noise(r[:6], np.ones(6)), np.zeros(6))


def test_noise_does_not_run_away(dense) -> None:
    """Noise of 0.03 in g at density 1 makes the exact problem unsolvable; with its error it stays mild."""
    rng = np.random.default_rng(5)
    m = 100
    g = np.where(dense.g[:m] > 1e-3, dense.g[:m], 0.0)
    noisy = np.maximum(g + 0.03 * np.sqrt(g) / dense.r[:m] * rng.standard_normal(m), 0.0)
    with pytest.raises(ConvergenceError, match=r"no solution at density 1 .*structure factor near k"):
        invert(dense.r[:m], noisy, 1.0, error=np.zeros(m))
    visible = (noisy > 0.05) & (g > 0.05)
    x = np.maximum(dense.r[:m], 0.3) ** -6
    exact = np.where(dense.r[:m] < 2 ** (1 / 6), 4 * (x * x - x) + 1, 0.0)
    error = np.abs(invert(dense.r[:m], noisy, 1.0).u - exact)[visible]
    pmf = np.abs(-np.log(noisy[visible]) - exact[visible])
    # Measured over 4 draws: 0.07 kT against 0.23 for -ln g; a failure to regularise gives 3 kT and more.
    assert error.mean() < pmf.mean()


def test_known_errors_are_used(dense) -> None:
    """A large stated error pulls the solution towards c = 0 outside the core; none leaves it exact."""
    m = 80
    g = np.where(dense.g[:m] > 1e-3, dense.g[:m], 0.0)
    exact = invert(dense.r[:m], g, 1.0, error=np.zeros(m))
    loose = invert(dense.r[:m], g, 1.0, error=np.full(m, 0.3), tail="zero")
    outside = dense.r[:m] > 1.2
    assert np.abs(loose.c[outside]).mean() < 0.5 * np.abs(exact.c[outside]).mean()
    # In the core g is certain.
    core = g == 0.0
    assert np.allclose(loose.h[core], -1.0, rtol=0, atol=1e-6)


def test_py_without_a_logarithm_says_so() -> None:
    """A cold dense fluid has less g in the well than PY can explain: 1 + h - c = -1 there."""
    r = np.linspace(0, 3, 61)
    x = np.maximum(r, 0.3) ** -6
    fluid = solve(r, 4 * (x * x - x) / 0.5, 1.1)
    with pytest.raises(ConvergenceError, match=r"PY defines no potential.*use the closure 'hnc'"):
        invert(fluid.r[:60], fluid.g[:60], 1.1, "py")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"closure": "msa"}, "closure 'msa'"),
        ({"density": 0.0}, "density"),
        ({"density": np.nan}, "density"),
        ({"g": np.ones(5)}, "g must"),
        ({"g": -np.ones(80)}, "g must"),
        ({"error": np.zeros(3)}, "error has shape"),
        ({"r": R + 0.01}, "half the step"),
    ],
)
def test_bad_input_is_refused(change: dict, match: str) -> None:
    arguments = {"r": R, "g": np.exp(-SOFT), "density": 0.1} | change
    with pytest.raises(InputError, match=match):
        invert(**arguments)
