"""The analytic engine: closed forms, grid and noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cginit.configuration import random_configuration
from cginit.curves import PairPotential
from cginit.engines import Schedule
from cginit.engines.dilute import DiluteEngine
from cginit.errors import InputError
from cginit.state import StatePoint
from cginit.units import NM_KJ

LENGTH, KT, DENSITY = 0.3, 2.5, 0.02


def gaussian(start: float = 0.0) -> PairPotential:
    """U = kT ln(1/(1 - exp(-x^2))), whose Mayer function is -exp(-x^2): B2 = pi^(3/2) / 2."""
    x = np.arange(start, 6.0 + 1e-9, 0.02)
    with np.errstate(divide="ignore"):
        u = -np.log1p(-np.exp(-(x**2)))
    if start == 0.0:
        u[0] = u[1] + (u[1] - u[2])  # infinite, but without volume
    u[-1] = 0.0
    return PairPotential(x, u, units="lj").scaled(LENGTH, KT, NM_KJ)


def run(engine: DiluteEngine, potential: PairPotential, seed: int = 1):
    state = StatePoint(DENSITY / LENGTH**3, KT, NM_KJ)
    start = random_configuration(200, state.density, seed=1, units=NM_KJ)
    schedule = Schedule(production=2_000, every=20)
    return engine.run(potential, state, start, schedule, seed=seed, workdir=Path()), start


def test_pressure_of_a_known_second_virial_coefficient():
    result, _ = run(DiluteEngine(), gaussian())
    expected = DENSITY / LENGTH**3 * KT * (1.0 + 0.5 * np.pi**1.5 * DENSITY)
    # The integral resolves the logarithmic core to 1e-6 of B2 (second_virial's own tests), here 5 % of P.
    np.testing.assert_allclose(result.pressure, expected, rtol=1e-5)
    assert result.pressure.shape == result.energy.shape == (200,)
    assert result.trajectory is None


def test_energy_is_minus_the_derivative_of_the_mayer_integral():
    # E/N = 2 pi rho int U exp(-U) r^2 dr, and d/db exp(-b U) = -U exp(-b U): a finite difference of B2 checks it
    # without evaluating the same integral: E/N = rho kT d(B2)/d(ln b).
    from cginit.liquid.virial import second_virial

    potential = gaussian()
    reduced = potential.reduced(LENGTH, KT)
    h = 1e-3
    slope = (
        second_virial(reduced.r, (1 + h) * reduced.u) - second_virial(reduced.r, (1 - h) * reduced.u)
    ) / (2 * h)
    result, _ = run(DiluteEngine(), potential)
    # Trapezoids of step 0.02 on a curve of width 1: (0.02)^2/12 of its curvature.
    np.testing.assert_allclose(result.energy[0], DENSITY * KT * slope, rtol=1e-3)


def test_grid_reaches_from_zero_to_half_the_box_and_holds_the_points_of_the_potential():
    potential = gaussian(start=0.4)
    result, start = run(DiluteEngine(), potential)
    r = result.exact_rdf.r
    half = 0.5 * start.box[0]
    assert r[0] == pytest.approx(0.0, abs=1e-12)
    assert half - potential.dr <= r[-1] <= half * (1 + 1e-9)
    # An update compares g with a target on the grid of the potential: there g is the Boltzmann factor itself.
    at = np.interp(potential.r, r, result.exact_rdf.g)
    np.testing.assert_allclose(at, np.exp(-potential.u / KT), rtol=1e-9, atol=1e-12)
    assert np.all(np.diff(result.exact_rdf.g[r < potential.r[0]]) >= 0.0)
    assert np.all(result.exact_rdf.g[r > potential.r_cut + potential.dr] == 1.0)


def test_noise_has_the_stated_size_and_follows_the_seed():
    clean, _ = run(DiluteEngine(), gaussian())
    noisy, _ = run(DiluteEngine(noise=0.02), gaussian(), seed=4)
    again, _ = run(DiluteEngine(noise=0.02), gaussian(), seed=4)
    other, _ = run(DiluteEngine(noise=0.02), gaussian(), seed=5)
    np.testing.assert_array_equal(noisy.exact_rdf.g, again.exact_rdf.g)
    assert np.all(noisy.exact_rdf.g[10:] != other.exact_rdf.g[10:])
    seen = clean.exact_rdf.g > 0.01
    z = ((noisy.exact_rdf.g - clean.exact_rdf.g) / noisy.exact_rdf.error)[seen]
    # chi^2 of n normal deviates has the standard deviation sqrt(2 n): five of them, one false alarm in 10^6.
    assert abs(np.sum(z**2) - z.size) < 5.0 * np.sqrt(2.0 * z.size)
    np.testing.assert_allclose(noisy.exact_rdf.error[seen], 0.02 * clean.exact_rdf.g[seen], rtol=1e-12)
    assert clean.exact_rdf.error is None


def test_negative_noise_is_refused():
    with pytest.raises(InputError, match="noise must be"):
        DiluteEngine(noise=-0.1)


def test_a_well_that_no_bead_leaves_is_refused():
    deep = gaussian()
    well = 150.0 * KT * (np.abs(deep.r / LENGTH - 2.0) < 0.1)
    deep = PairPotential(deep.r, deep.u - well, units=NM_KJ)
    with pytest.raises(InputError, match="150 kT deep"):
        run(DiluteEngine(), deep)
