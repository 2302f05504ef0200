"""What a start that states its errors says of a change: twice as much is open as it states, unless g wants more."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.refine.priors import start_covariance
from cginit.refine.regularisation import curvature_basis
from cginit.refine.start_data import StartData

R = np.linspace(0.0, 2.0, 41)
FIRST = 10
NOISE = 1e-3


def start(change: np.ndarray) -> tuple[StartData, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the data of a start that states 0.05 kT, and what g shows of a `change` back to the truth."""
    covariance = start_covariance(R, np.full(R.size, 0.05), FIRST)[FIRST:, FIRST:]
    places = np.arange(FIRST, R.size)
    data = StartData(places, np.zeros(places.size), covariance)
    return data, (np.eye(R.size)[FIRST:], change[FIRST:], NOISE**2 * np.eye(places.size))


@pytest.mark.parametrize(("times", "expected"), [(1.0, 2.0), (20.0, 20.0)])
def test_stated_errors_are_believed_within_two_unless_g_contradicts_them(times, expected):
    rng = np.random.default_rng(5)
    covariance = start_covariance(R, np.full(R.size, 0.05), FIRST)
    change = times * np.linalg.cholesky(covariance) @ rng.standard_normal(R.size)
    data, system = start(change)
    basis = curvature_basis(4.0 * np.exp(-3.0 * R), FIRST)
    # 30 numbers: a factor of three off is less probable by exp(-20) at least.
    assert data.believed(system, basis).factor == expected


def test_a_start_of_no_network_says_nothing():
    nothing = StartData(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros((0, 0)))
    _, system = start(np.zeros(R.size))
    basis = curvature_basis(4.0 * np.exp(-3.0 * R), FIRST)
    assert nothing.believed(system, basis) is nothing
