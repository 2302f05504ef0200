"""The radial Fourier transform: exact pairs, exact inverses, the stated nodes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dst

from cginit.errors import InputError
from cginit.liquid.fourier import RadialGrid

# Sums over 255 terms of order 1 round to some 1e-14; a hundred times that is still far below any physics.
ROUNDING = 1e-12


@pytest.mark.parametrize("half", [False, True])
def test_gaussian_pair(half: bool) -> None:
    """exp(-r^2) has the transform pi^(3/2) exp(-k^2/4), and the trapezoidal sum is spectrally exact for it."""
    grid = RadialGrid(255, 0.05, half)
    assert np.allclose(
        grid.forward(np.exp(-(grid.r**2))), np.pi**1.5 * np.exp(-(grid.k**2) / 4), rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("n", [2, 3, 4, 7, 64, 255, 512])
def test_the_sine_transform_is_that_of_scipy(n: int, half: bool) -> None:
    x = np.random.default_rng(n).standard_normal((3, n))
    expected = dst(x, type=4 if half else 1)
    np.testing.assert_allclose(RadialGrid(n, 0.1, half).sine(x), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("half", [False, True])
@given(n=st.integers(2, 300), dr=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_inverse_undoes_forward(half: bool, n: int, dr: float, seed: int) -> None:
    grid = RadialGrid(n, dr, half)
    f = np.random.default_rng(seed).standard_normal(n)
    # 1/r amplifies the rounding of the outer nodes by up to n at the first one.
    assert np.allclose(grid.inverse(grid.forward(f)), f, rtol=0, atol=ROUNDING * n)


def test_nodes_are_the_stated_ones() -> None:
    whole, half = RadialGrid(7, 0.5), RadialGrid(8, 0.5, half=True)
    assert np.array_equal(whole.r, np.arange(1, 8) * 0.5)
    assert np.allclose(whole.k, np.arange(1, 8) * np.pi / 4.0)
    assert np.array_equal(half.r, (np.arange(1, 9) - 0.5) * 0.5)
    assert np.allclose(half.k, (np.arange(1, 9) - 0.5) * np.pi / 4.0)


@pytest.mark.parametrize("start", [0.0, 0.1, 0.05, 0.85])
def test_covering_grid_continues_the_given_one(start: float) -> None:
    r = start + 0.1 * np.arange(30)
    grid = RadialGrid.covering(r, 100)
    first = grid.index(start)
    assert grid.n >= 100
    assert np.allclose(grid.r[max(first, 0) : first + 30], r[max(-first, 0) :])


def test_covering_refuses_other_offsets() -> None:
    with pytest.raises(InputError, match="multiple of half the step"):
        RadialGrid.covering(0.03 + 0.1 * np.arange(30), 100)


@pytest.mark.parametrize(("n", "dr"), [(1, 0.1), (10, 0.0), (10, -1.0)])
def test_bad_grids_are_refused(n: int, dr: float) -> None:
    with pytest.raises(InputError, match="radial grid"):
        RadialGrid(n, dr)


@pytest.mark.parametrize("half", [False, True])
def test_filter_is_the_convolution(half: bool) -> None:
    """The convolution of two Gaussians is a Gaussian of the summed variances."""
    grid = RadialGrid(255, 0.05, half)
    a, b = 2.0, 3.0
    gaussian = np.exp(-a * grid.r**2)
    weight = (np.pi / b) ** 1.5 * np.exp(-(grid.k**2) / (4 * b))
    s = a * b / (a + b)
    expected = (np.pi / (a + b)) ** 1.5 * np.exp(-s * grid.r**2)
    assert np.allclose(grid.filter(weight, grid.r * gaussian) / grid.r, expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("size", [1, 2, 40, 255])
def test_the_matrix_of_a_filter_is_that_of_its_products(half: bool, size: int) -> None:
    grid = RadialGrid(255, 0.05, half)
    weight = np.random.default_rng(size).uniform(0.1, 3.0, grid.n)
    columns = np.stack([grid.filter(weight, unit) for unit in np.eye(size)], axis=1)
    np.testing.assert_allclose(grid.filter_matrix(weight, size), columns, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("half", [False, True])
def test_matrices_of_several_filters_and_more_of_their_columns(half: bool) -> None:
    grid = RadialGrid(255, 0.05, half)
    weights = np.random.default_rng(1).uniform(0.1, 3.0, (3, grid.n))
    found = grid.filter_matrix(weights, 30, 70)
    whole = [grid.filter_matrix(weight, 70)[:30] for weight in weights]
    np.testing.assert_allclose(found, whole, rtol=0, atol=ROUNDING)
    products = grid.filter(weights, np.ones((3, 70)))[:, :30]
    np.testing.assert_allclose(found.sum(axis=2), products, rtol=0, atol=70 * ROUNDING)


@pytest.mark.parametrize("half", [False, True])
def test_a_curve_that_ends_is_0_beyond(half: bool) -> None:
    grid, x = RadialGrid(255, 0.05, half), np.random.default_rng(1).standard_normal((2, 70))
    assert np.array_equal(grid.sine(x), grid.sine(np.pad(x, ((0, 0), (0, 185)))))


def test_integral_is_the_transform_at_zero() -> None:
    grid = RadialGrid(255, 0.05)
    assert grid.integral(np.exp(-(grid.r**2))) == pytest.approx(np.pi**1.5, rel=ROUNDING)
