"""The pressure routes against exact limits and a simulated value."""

import numpy as np
import pytest

import cginit
from cginit import InputError, PairPotential, StatePoint

R = np.linspace(0.0, 2.5, 126)


def soft(amplitude=2.0):
    return PairPotential.shifted(R, amplitude * np.exp(-(R**2)), units="lj")


@pytest.mark.parametrize("method", ["network", "hnc", "b2"])
def test_an_ideal_gas(method):
    gas = PairPotential(R, np.zeros(R.size), units="nm-kJ/mol")
    found = cginit.pressure(gas, StatePoint(2.0, 2.5), method)
    assert found.value == pytest.approx(5.0, rel=1e-9)  # rho kT, exact


def test_routes_agree_in_the_dilute_limit():
    state = StatePoint(1e-3, 1.0)
    b2, hnc = cginit.pressure(soft(), state, "b2").value, cginit.pressure(soft(), state, "hnc").value
    # They differ by B3 rho^3, some rho^3 B2^2 = 1e-8.
    assert hnc == pytest.approx(b2, abs=1e-7)
    assert b2 > 1e-3


def test_units_are_those_of_the_potential():
    state = StatePoint(0.5, 1.0, "lj")
    reduced = cginit.pressure(soft(), state)
    nm = soft().scaled(0.3, 2.5, "nm-kJ/mol")
    found = cginit.pressure(nm, StatePoint(0.5 / 0.3**3, 2.5, "nm-kJ/mol"))
    assert found.value == pytest.approx(reduced.value * 2.5 / 0.3**3, rel=1e-6)  # the grids are rebuilt
    assert found.method == "hnc"


def test_soft_particles_approach_the_mean_field():
    # P = rho + rho^2/2 int U d^3r is the high-density limit of a Gaussian core and bounds P from above; at rho = 1
    # and 2 kT correlations still lower it by a few per cent (Louis, Bolhuis and Hansen, Phys. Rev. E 62, 7961, 2000).
    value = cginit.pressure(soft(), StatePoint(1.0, 1.0)).value
    mean_field = 1.0 + 0.5 * 2.0 * np.pi**1.5
    assert 0.85 * mean_field < value < mean_field


def test_an_unknown_route_is_refused():
    with pytest.raises(InputError, match="known are network"):
        cginit.pressure(soft(), StatePoint(1.0, 1.0), "magic")
