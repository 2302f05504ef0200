"""Splines and monotone cubics against those of SciPy."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline, PchipInterpolator

from cginit.splines import cubic_spline, monotone_cubic


@pytest.mark.parametrize("n", [2, 3, 4, 5, 30, 400])
def test_the_curves_are_those_of_scipy_beyond_the_ends_too(n):
    rng = np.random.default_rng(n)
    x, y = np.cumsum(rng.uniform(0.2, 2.0, n)), rng.normal(size=(n, 2))
    at = np.sort(rng.uniform(x[0] - 0.3, x[-1] + 0.3, 300))
    # Both solve the same equations; what differs is the order of operations on numbers of order 1.
    np.testing.assert_allclose(cubic_spline(x, y, at), CubicSpline(x, y)(at), atol=1e-11)
    np.testing.assert_allclose(monotone_cubic(x, y[:, 0], at), PchipInterpolator(x, y[:, 0])(at), atol=1e-11)


@pytest.mark.parametrize("n", [4, 31, 32, 33, 60, 400])
def test_equal_steps_have_the_same_curves(n):
    """From 32 points on their slopes come from a convolution."""
    x, y = np.linspace(0.3, 0.3 + 0.07 * (n - 1), n), np.random.default_rng(n).normal(size=(n, 2))
    at = np.linspace(x[0] - 0.1, x[-1] + 0.1, 300)
    np.testing.assert_allclose(cubic_spline(x, y, at), CubicSpline(x, y)(at), atol=1e-10)
    # Steps that only nearly are equal are not taken as equal.
    x[n // 2] += 1e-3 * 0.07
    np.testing.assert_allclose(cubic_spline(x, y, at), CubicSpline(x, y)(at), atol=1e-10)


def test_one_curve_and_several_have_the_shape_of_the_values():
    x, at = np.arange(6.0), np.array([0.5, 2.5])
    assert cubic_spline(x, x**2, at).shape == (2,)
    assert cubic_spline(x, np.stack([x, x**2], axis=1), at).shape == (2, 2)


def test_a_monotone_curve_stays_between_its_points():
    g = np.array([0.0, 0.0, 1e-4, 2.5, 1.1, 1.0])
    fine = monotone_cubic(np.arange(6.0), g, np.linspace(0.0, 5.0, 501))
    assert fine.min() == 0.0
    assert fine.max() == 2.5
