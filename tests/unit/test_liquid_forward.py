"""The forward solver: residual, continuation, grids and clear failure."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cginit.errors import ConvergenceError, InputError
from cginit.liquid.forward import solve

R = np.linspace(0.0, 3.0, 61)
SOFT = 2.0 * np.exp(-(R**2))


def lennard_jones(r: np.ndarray, temperature: float) -> np.ndarray:
    x = np.maximum(r, 0.3) ** -6
    return 4 * (x * x - x) / temperature


@pytest.mark.parametrize("closure", ["hnc", "py"])
def test_closure_and_ornstein_zernike_hold(closure: str) -> None:
    fluid = solve(R, SOFT, 0.7, closure)
    u = np.zeros(fluid.r.size)
    u[:60] = SOFT[1:]
    y = np.exp(fluid.gamma) if closure == "hnc" else 1 + fluid.gamma
    assert np.array_equal(fluid.g, np.exp(-u) * y)
    k, dr = fluid.k[:400:40], 0.05
    c_k = 4 * np.pi * dr / k * np.sum(fluid.r * fluid.c * np.sin(k[:, None] * fluid.r), axis=1)
    # The same sums in another order, and a residual of 1e-9 of the solver over r of up to 100.
    assert np.allclose(fluid.s_k[:400:40] * (1 - 0.7 * c_k), 1.0, rtol=0, atol=1e-6)
    assert fluid.residual <= 1e-9


def test_ideal_gas_has_no_structure() -> None:
    fluid = solve(R, np.zeros(61), 0.5)
    assert np.array_equal(fluid.g, np.ones(fluid.r.size))
    assert fluid.s_0 == 1.0


@pytest.mark.parametrize("closure", ["hnc", "py"])
def test_no_solution_inside_the_gas_liquid_region(closure: str) -> None:
    """T* = 0.7, rho* = 0.3 is deep inside the spinodal of Lennard-Jones (critical at 1.31, 0.32)."""
    with pytest.raises(ConvergenceError, match=r"has no solution at this state.*coexistence"):
        solve(R, lennard_jones(R, 0.7), 0.3, closure)


def test_liquid_below_the_critical_temperature_is_reached_by_cooling() -> None:
    """At T* = 0.8, rho* = 0.85 neither the direct way nor compression from the gas leads there."""
    fluid = solve(R, lennard_jones(R, 0.8), 0.85)
    assert np.all(fluid.s_k > 0.0)
    # A liquid: first peak of g near 1.1 sigma, above 2.5.
    assert fluid.r[np.argmax(fluid.g)] == pytest.approx(1.1, abs=0.051)
    assert fluid.g.max() > 2.5


@pytest.mark.parametrize("temperature", [0.7, 0.5])
def test_cold_dense_fluid_is_reached(temperature: float) -> None:
    """At rho* = 1.0 the way down in temperature must keep a true core; a capped one has other solutions."""
    fluid = solve(R, lennard_jones(R, temperature), 1.0)
    assert np.all(fluid.s_k > 0.0)
    assert np.all(fluid.g[:12] < 1e-12)  # r <= 0.6: U is above 1700 kT


def test_start_from_a_neighbour_gives_the_same_solution() -> None:
    cold = solve(R, SOFT, 0.7)
    warm = solve(R, SOFT, 0.7, start=solve(R, SOFT, 0.65))
    assert np.allclose(cold.g, warm.g, rtol=0, atol=1e-7)  # residual 1e-9 over r = 0.05, S > 0.1
    assert solve(R, SOFT, 0.7, start=cold).iterations == 0
    with pytest.raises(InputError, match="another grid"):
        solve(R[:50], SOFT[:50], 0.7, start=solve(R[:50] * 2, SOFT[:50], 0.7))


def test_grid_is_long_and_continues_the_given_one() -> None:
    fluid = solve(R, SOFT, 0.5)
    assert fluid.r.size >= 2047
    assert fluid.r[-1] >= 10 * R[-1]
    assert np.allclose(fluid.r[:60], R[1:])
    fine = solve(np.linspace(0, 3, 1001), np.zeros(1001), 0.5)
    assert fine.r[-1] >= 30.0


def test_hard_core_is_allowed() -> None:
    r = (np.arange(30) + 0.5) * 0.05
    fluid = solve(r, np.where(r < 1, np.inf, 0.0), 0.3)
    assert np.all(fluid.g[r.searchsorted(1) - 1 :: -1] == 0.0)
    assert np.all(fluid.y > 0.0)


def test_speed() -> None:
    """A typical solve takes some 10 ms; 1 s on a busy machine still tells a broken solver from a sound one."""
    solve(R, SOFT, 0.5)
    start = time.perf_counter()
    solve(R, lennard_jones(R, 1.5), 0.6)
    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"closure": "msa"}, "closure 'msa'"),
        ({"density": -1.0}, "density"),
        ({"u": np.full(61, np.nan)}, "u must"),
        ({"u": np.full(61, -np.inf)}, "u must"),
        ({"u": np.zeros(60)}, "u must"),
        ({"r": R + 1.0}, "core must be given"),
        ({"r": R + 0.01}, "half the step"),
    ],
)
def test_bad_input_is_refused(change: dict, match: str) -> None:
    arguments = {"r": R, "u": SOFT, "density": 0.5} | change
    with pytest.raises(InputError, match=match):
        solve(**arguments)
