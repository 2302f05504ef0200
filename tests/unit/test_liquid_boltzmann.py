"""Boltzmann inversion and the correction of bin averages."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.errors import InputError
from cginit.liquid.boltzmann import bin_average_correction, boltzmann_inversion

Array = np.ndarray


def wca(r: Array) -> Array:
    return np.where(r < 2 ** (1 / 6), 4 * (r**-12 - r**-6) + 1, 0.0)


def dpd(r: Array) -> Array:
    return np.where(r < 1, 12.5 * (1 - r) ** 2, 0.0)


def averaged(u, r: Array) -> Array:
    """Average exp(-u) r^2 over bins by the midpoint rule; 2000 points leave an error below 1e-6."""
    dr = r[1] - r[0]
    fine = r[:, None] + dr * ((np.arange(2000) + 0.5) / 2000 - 0.5)
    return np.sum(np.exp(-u(fine)) * fine**2, axis=1) / np.sum(fine**2, axis=1)


def test_inversion_undoes_the_boltzmann_factor() -> None:
    r = np.linspace(0.5, 3, 51)
    u = np.sin(3 * r)
    # One exp and one log, each rounded once.
    assert np.allclose(boltzmann_inversion(r, np.exp(-u / 2.5), kT=2.5), u, rtol=0, atol=1e-14)


def test_inversion_of_zero_is_infinite_and_of_one_is_zero() -> None:
    assert boltzmann_inversion([1, 2, 3], [0.0, 1.0, 1.0]).tolist() == [np.inf, 0.0, 0.0]


@pytest.mark.parametrize(
    ("g", "kT", "match"),
    [
        ([1, -0.1, 1], 1.0, "g must"),
        ([1, np.nan, 1], 1.0, "g must"),
        ([1, 1], 1.0, "g must"),
        ([1, 1, 1], 0.0, "kT"),
    ],
)
def test_bad_input_is_refused(g: list[float], kT: float, match: str) -> None:
    with pytest.raises(InputError, match=match):
        boltzmann_inversion([1, 2, 3], g, kT)


@pytest.mark.parametrize(
    ("u", "dr", "gain"),
    [
        (wca, 0.05, 10.0),  # measured 15: mean error 0.0353 to 0.0024 kT
        (wca, 0.02, 50.0),  # measured above 100; the spline is of fourth order
        (dpd, 0.05, 50.0),
    ],
)
def test_correction_recovers_a_steep_core(u, dr: float, gain: float) -> None:
    r = np.arange(1, round(3 / dr)) * dr
    g = averaged(u, r)
    first = int(np.flatnonzero(g > 1e-3)[0])
    corrected = bin_average_correction(r, g, first=first)
    raw = np.mean(np.abs(-np.log(g[first:]) - u(r)[first:]))
    error = np.mean(np.abs(-np.log(corrected[first:]) - u(r)[first:]))
    assert error * gain < raw


def test_correction_has_the_averages_that_it_was_given() -> None:
    """Averaging the potential of the corrected points gives the histogram back."""
    from scipy.interpolate import CubicSpline

    r = np.arange(16, 60) * 0.05
    g = averaged(wca, r)
    spline = CubicSpline(r[2:], -np.log(bin_average_correction(r, g, first=2))[2:])
    # The iteration ends at the fixed point of a 4-point rule per bin; the midpoint rule differs by some 1e-4
    # where ln g falls by ten within a bin, which only the first bin does.
    assert np.allclose(averaged(spline, r[2:])[1:], g[3:], rtol=1e-3)


def test_correction_below_the_noise_is_not_made() -> None:
    r = np.arange(18, 60) * 0.05
    g = averaged(wca, r)
    assert np.array_equal(bin_average_correction(r, g, error=np.full(r.size, 10.0)), g)
    assert not np.array_equal(bin_average_correction(r, g, error=np.zeros(r.size)), g)


def test_correction_leaves_core_and_short_curves_alone() -> None:
    r = np.arange(10, 20) * 0.1
    g = np.array([0.0, 1e-5, 0.1, 0.9, 1.1, 1.0, 1.0, 0.0, 1.0, 1.0])
    out = bin_average_correction(r, g, first=2)
    assert np.array_equal(out[:2], g[:2])
    assert np.array_equal(out[7:], g[7:])
    assert np.array_equal(bin_average_correction(r, g, first=5), g)


@pytest.mark.parametrize("points", [4, 5, 6, 40])
def test_correction_is_the_iteration_with_a_plain_spline(points: int) -> None:
    """The same twenty steps with scipy's spline, whose two ends reach half a bin beyond the points."""
    from scipy.interpolate import CubicSpline

    rng = np.random.default_rng(points)
    r = 0.3 + 0.05 * np.arange(points)
    g = np.exp(-4 * np.exp(-r / 0.3) + 0.1 * rng.standard_normal(points))
    nodes, weights = np.polynomial.legendre.leggauss(4)
    at = r[:, None] + 0.025 * nodes
    log_g = np.log(g)
    for _ in range(20):
        inside = np.exp(CubicSpline(r, log_g)(at))
        average = np.sum(weights * at**2 * inside, axis=1) / np.sum(weights * at**2, axis=1)
        log_g = log_g + np.log(g) - np.log(average)
    # Twenty steps of rounding; measured 1e-13.
    assert np.allclose(bin_average_correction(r, g), np.exp(log_g), rtol=1e-11, atol=0.0)
