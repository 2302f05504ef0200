"""Many liquids of one species inverted at once: each as if alone, from any start, and what fails by itself."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.errors import ConvergenceError, InputError
from cginit.liquid.forward import solve
from cginit.liquid.ornstein_zernike import MeasuredLiquid, OZInversion, invert, invert_together

POINTS = 90


@pytest.fixture(scope="module")
def liquids() -> list[MeasuredLiquid]:
    """WCA liquids from a gas to a dense one with noise of 1e-3, and one on half the step with fewer points."""
    r = np.linspace(0.0, 2.0, 41)
    x = np.maximum(r, 0.3) ** -6
    u = np.where(r < 2 ** (1 / 6), 4 * (x * x - x) + 1, 0.0)
    rng = np.random.default_rng(4)
    found = []
    for density in (0.05, 0.3, 0.6, 0.9):
        fluid = solve(r, u, density)
        error = 1e-3 * np.sqrt(fluid.g[:POINTS])
        g = np.maximum(fluid.g[:POINTS] + error * rng.standard_normal(POINTS), 0.0)
        found.append(MeasuredLiquid(fluid.r[:POINTS], g, density, error))
    last = found[1]
    shifted = np.asarray(last.r)[:70] + 0.025
    g = np.interp(shifted, last.r, last.g)
    return [*found, MeasuredLiquid(shifted, g, 0.3, np.full(70, 1e-3))]


def _solved(found: list[OZInversion | ConvergenceError]) -> list[OZInversion]:
    assert all(isinstance(one, OZInversion) for one in found)
    return [one for one in found if isinstance(one, OZInversion)]


@pytest.mark.parametrize("closure", ["hnc", "py"])
def test_liquids_together_are_what_they_are_alone(liquids, closure: str) -> None:
    together = _solved(invert_together(liquids, closure))
    for liquid, one in zip(liquids, together, strict=True):
        alone = invert(liquid.r, liquid.g, liquid.density, closure, error=liquid.error)
        # The same steps: rounding of 1e-16, times 1 / S^2 of 1e3 at most.
        np.testing.assert_allclose(one.gamma, alone.gamma, rtol=0, atol=1e-10)
        np.testing.assert_allclose(one.s_k, alone.s_k, rtol=0, atol=1e-10)
        assert one.ending is not None


def test_elimination_finds_what_the_equations_of_any_number_of_species_find(liquids, monkeypatch) -> None:
    by_elimination = _solved(invert_together(liquids))
    monkeypatch.setattr("cginit.liquid.ornstein_zernike.MOST_NODES", 0)
    for one, other in zip(by_elimination, _solved(invert_together(liquids)), strict=True):
        assert other.ending is None
        # The other solver stops at 1e-9 of r h, which S of 0.03 makes 1e-6 of gamma.
        np.testing.assert_allclose(one.gamma, other.gamma, rtol=0, atol=2e-6)
        np.testing.assert_allclose(one.h, other.h, rtol=0, atol=1e-7)


def test_from_a_near_solution_it_takes_fewer_steps_and_ends_at_the_same_one(liquids) -> None:
    dense = liquids[3]
    first = invert(dense.r, dense.g, dense.density, error=dense.error)
    shifted = np.asarray(dense.g) * (1.0 + 1e-6)
    alone = invert(dense.r, shifted, dense.density, error=dense.error)
    after = invert(dense.r, shifted, dense.density, error=dense.error, start=first)
    assert after.iterations < alone.iterations
    np.testing.assert_allclose(after.gamma, alone.gamma, rtol=0, atol=1e-7)


def test_a_start_too_far_off_is_forgotten(liquids) -> None:
    """That of a gas is no start for a dense liquid on the same nodes."""
    gas, dense = liquids[0], liquids[3]
    start = invert(gas.r, gas.g, gas.density, error=gas.error)
    found = invert(dense.r, dense.g, dense.density, error=dense.error, start=start)
    alone = invert(dense.r, dense.g, dense.density, error=dense.error)
    np.testing.assert_allclose(found.gamma, alone.gamma, rtol=0, atol=1e-7)


def test_what_has_no_solution_does_not_stop_the_others(liquids) -> None:
    """A uniform g of 0.9 needs S(0) below 0 at this density; with an error of 0 nothing can give."""
    r = np.asarray(liquids[0].r)
    hopeless = MeasuredLiquid(r, np.full(POINTS, 0.9), 5.0, np.zeros(POINTS))
    first, failed, last = invert_together([liquids[0], hopeless, liquids[2]])
    assert isinstance(first, OZInversion)
    assert isinstance(last, OZInversion)
    assert isinstance(failed, ConvergenceError)
    assert "no solution at density 5" in str(failed)


def test_an_input_that_is_none_is_refused(liquids) -> None:
    with pytest.raises(InputError, match="must not be negative"):
        invert_together([liquids[0], MeasuredLiquid(liquids[0].r, np.full(POINTS, -1.0), 0.3)])
    with pytest.raises(InputError, match="positive number"):
        invert_together([MeasuredLiquid(liquids[0].r, liquids[0].g, -1.0)])


def test_an_ideal_gas_has_no_correlations() -> None:
    """Its c is 0 from the start on, by which nothing may be divided; warnings are errors here."""
    r = np.arange(1, 81) * 0.05
    found = invert(r, np.ones(80), 0.5, error=np.zeros(80))
    assert np.array_equal(found.gamma, np.zeros(80))
    assert np.array_equal(found.s_k, np.ones(found.k.size))
