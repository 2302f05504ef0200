"""Virial coefficients and pressures: identities, exact values and input checks."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.eos.textbook import TEXTBOOK, textbook_potentials
from cginit.errors import InputError
from cginit.liquid.forward import solve
from cginit.liquid.hard_sphere import barker_henderson, carnahan_starling
from cginit.liquid.virial import (
    compressibility_pressure,
    isothermal_compressibility,
    sampled_virial,
    second_virial,
    third_virial,
    virial_pressure,
)

R = np.linspace(0.0, 3.0, 61)
SOFT = 2.0 * np.exp(-(R**2))


def test_ideal_gas() -> None:
    zero = np.zeros(61)
    assert second_virial(R, zero) == 0.0
    assert virial_pressure(R, zero, np.ones(61), 0.4, kT=2.0) == pytest.approx(0.8, rel=1e-15)
    assert compressibility_pressure(R, zero, 0.4, kT=2.0) == pytest.approx(0.8, rel=1e-12)


def test_units_of_energy_and_length_factor_out() -> None:
    b2 = second_virial(R, SOFT)
    assert second_virial(R * 0.34, SOFT * 2.5, kT=2.5) == pytest.approx(b2 * 0.34**3, rel=1e-12)
    fluid = solve(R, SOFT, 0.5)
    g = np.concatenate([[np.exp(-SOFT[0])], fluid.g[:60]])
    p = virial_pressure(R, SOFT, g, 0.5)
    scaled = virial_pressure(R * 0.34, SOFT * 2.5, g, 0.5 / 0.34**3, kT=2.5)
    assert scaled == pytest.approx(p * 2.5 / 0.34**3, rel=1e-12)


def test_virial_pressure_at_low_density_is_the_virial_series() -> None:
    """With g = exp(-U/kT), P = rho kT + rho^2 kT B2 exactly (integration by parts)."""
    density = 0.01
    p = virial_pressure(R, SOFT, np.exp(-SOFT), density)
    # U(3) = 2.5e-4 ends in a small jump that only one of the two integrals counts: 1e-4 of rho^2 B2, and the
    # interpolation on a grid of 0.05 gives as much again.
    assert (p - density) / density**2 == pytest.approx(second_virial(R, SOFT), rel=5e-3)


def test_core_below_the_table_counts_in_full() -> None:
    x = np.maximum(R, 0.3) ** -6
    u = 4 * (x * x - x)
    whole = second_virial(R, u)
    # U(0.8) is 41 kT; only the slope that PCHIP takes at the first node, where exp(-U) = 1e-18, differs.
    assert second_virial(R[16:], u[16:]) == pytest.approx(whole, rel=1e-5)
    with pytest.raises(InputError, match="no core"):
        second_virial(R[30:], u[30:])


def test_given_cavity_function_agrees_with_g() -> None:
    x = np.maximum(R, 0.3) ** -6
    u = np.where(R < 2 ** (1 / 6), 4 * (x * x - x) + 1, 0.0)
    fluid = solve(R, u, 0.6)
    a = virial_pressure(R[1:], u[1:], fluid.g[:60], 0.6, y=fluid.y[:60])
    b = virial_pressure(R[1:], u[1:], fluid.g[:60], 0.6)
    # They differ by the straight line in ln y below g = 1e-3, where exp(-U) has all but vanished.
    assert a == pytest.approx(b, rel=1e-4)


def test_compressibility_is_the_derivative_of_the_pressure() -> None:
    """1 / (rho kT chi) = dP/d(rho kT) along the compressibility route, by a central difference of 1 %."""
    kT, density = 1.5, 0.5
    high, low = (compressibility_pressure(R, SOFT * kT, density * f, kT) for f in (1.01, 0.99))
    slope = (high - low) / (0.02 * density)
    chi = isothermal_compressibility(solve(R, SOFT, density), kT)
    # Quadrature with 8 nodes is exact to 1e-8 for a smooth integrand, the difference quotient to 1e-4.
    assert 1.0 / (density * chi) == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: second_virial(R, np.zeros(3)), "u must"),
        (lambda: second_virial(R, SOFT, kT=-1), "kT"),
        (lambda: second_virial(R, -75.0 * SOFT), "150 kT deep"),
        (lambda: virial_pressure(R, SOFT, np.ones(3), 0.5), "g must"),
        (lambda: virial_pressure(R, SOFT, np.zeros(61), 0.5), "never exceeds"),
        (lambda: virial_pressure(R, SOFT, np.ones(61), 0.5, y=np.zeros(61)), "y must"),
        (lambda: virial_pressure(R, SOFT, np.ones(61), -0.5), "density"),
        (lambda: compressibility_pressure(R, SOFT, 0.0), "density"),
    ],
)
def test_bad_input_is_refused(call, match: str) -> None:
    with pytest.raises(InputError, match=match):
        call()


def test_hard_spheres() -> None:
    r = np.linspace(0.0, 3.0, 3001)
    u = np.where(r < 1.0 - 1e-9, 1e3, 0.0)
    # B3 = 5 pi^2 / 18; the wall between two nodes is known to half a step of 0.001: 3e-3 of B3 (sixth power of d).
    assert third_virial(r, u) == pytest.approx(5.0 * np.pi**2 / 18.0, rel=4e-3)
    assert barker_henderson(r, u) == pytest.approx(1.0, abs=1e-3)
    assert barker_henderson(r, np.exp(-r)) == 0.0
    # Series of Carnahan and Starling: beta P / rho = 1 + 4 eta + 10 eta^2 + 18 eta^3 + ...
    eta = np.pi / 6 * 0.05
    assert carnahan_starling(0.05, 1.0) == pytest.approx(
        0.05 * (1 + 4 * eta + 10 * eta**2 + 18 * eta**3), rel=1e-4
    )
    assert np.isnan(carnahan_starling(1.5, 1.0))


def test_the_sampled_virial_pressure_knows_steep_cores() -> None:
    r, fine = np.linspace(0.0, 5.0, 101), np.linspace(0.0, 5.0, 501)
    density, steep = 0.1, 4.0 * (np.maximum(fine, 0.4) ** -24.0)
    g = np.where(np.interp(r, fine, steep) < 6.9, np.exp(-np.interp(r, fine, steep)), 0.0)
    b2 = -2.0 * np.pi * np.trapezoid(np.expm1(-steep) * fine**2, fine)
    # With y = 1 the virial integral is B2 exactly, by parts; U at 5 is zero.
    found = sampled_virial(r, g, fine, steep, density)
    assert found == pytest.approx(density + density**2 * b2, rel=2e-3)


def test_the_textbook_has_known_coefficients() -> None:
    r, u = textbook_potentials()
    names = list(TEXTBOOK)
    b0 = 2.0 * np.pi / 3.0
    # By parts, B2 = b0 Gamma(3/4) of r^-12; the cut at 5 sigma changes 1e-8.
    soft = names.index("r^-12")
    assert second_virial(r, u[soft]) == pytest.approx(b0 * 1.2254167, rel=1e-3)
    # Lennard-Jones at T = 2: B2 = -0.6276 b0, B3 = 0.4371 b0^2 (J. O. Hirschfelder, C. F. Curtiss and R. B. Bird,
    # Molecular Theory of Gases and Liquids, 1954, table I-B and I-C). Cut and shifted at 5 sigma B2 lacks some of its
    # tail: 3 U_6(5) 5^3 / 3 + U_6(5) 5^3 = 2 x 1.3e-4 x 125 = 0.03 b0.
    lj = names.index("LJ, T = 2")
    assert second_virial(r, u[lj]) / b0 == pytest.approx(-0.6276, abs=0.04)
    assert third_virial(r, u[lj]) / b0**2 == pytest.approx(0.4371, abs=2e-3)
