"""A guess hangs neither on the units of its target nor on the unit of length in which a network works."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.curves import RDF, Array
from cginit.guess import guess
from cginit.guess.network import NetworkGuess
from cginit.liquid.forward import solve
from cginit.state import StatePoint
from cginit.units import LJ, NM_KJ

#: A bead's size in nm and kT at 300 K in kJ/mol, so that no number is near 1 by accident.
LENGTH, ENERGY = 0.34, 2.494338785445972
DENSITY, R_CUT = 0.6, 2.5


@pytest.fixture(scope="module")
def liquid() -> RDF:
    """Return g of a WCA liquid by HNC with noise as a simulation has it."""
    fine = np.linspace(0.0, 2.5, 501)
    x = np.maximum(fine, 0.3)
    found = solve(fine, np.where(fine < 2 ** (1 / 6), 4.0 * (x**-12 - x**-6) + 1.0, 0.0), DENSITY)
    g = np.concatenate([[0.0], found.g[9:1000:10]])
    error = 2e-3 * np.sqrt(g)
    noise = error * np.random.default_rng(4).standard_normal(g.size)
    return RDF(np.arange(g.size) * 0.05, np.maximum(g + noise, 0.0), error, units=LJ)


def visible(target: RDF, r: Array) -> Array:
    return np.interp(r, target.r, target.g) > 1e-2


@pytest.mark.parametrize("units", ["nm-kJ/mol", "angstrom-kcal/mol"])
@pytest.mark.parametrize("method", ["boltzmann", "hnc", "py", "cn-f", "network"])
def test_units_do_not_matter(liquid: RDF, method: str, units: str) -> None:
    here = guess(liquid, StatePoint(DENSITY, 1.0, LJ), method, R_CUT)
    real = RDF(liquid.r * LENGTH, liquid.g, liquid.error, units=NM_KJ).to(units)
    state = StatePoint(DENSITY / LENGTH**3, ENERGY, NM_KJ).to(units)
    there = guess(real, state, method, R_CUT * real.r_max / liquid.r_max)
    assert there.units.name == units
    assert len(there.notes) == len(here.notes)
    assert here.provenance is not None
    assert here.provenance.method == ("bridge" if method == "network" else method)
    # Rounding of the unit factors: 1e-15, at most 1e-6 where a network in single precision sees the other side of it.
    np.testing.assert_allclose(
        (there.u / state.kT)[visible(liquid, here.r)], here.u[visible(liquid, here.r)], atol=1e-5
    )
    assert (there.u_error is None) == (here.u_error is None)


@pytest.mark.parametrize("factor", [0.75, 0.9, 1.1, 1.25])
def test_the_length_of_the_network_does_not_matter(liquid: RDF, factor: float) -> None:
    state = StatePoint(DENSITY, 1.0, LJ)
    here = guess(liquid, state, NetworkGuess("bridge", fallback=False), R_CUT)
    there = guess(liquid, state, NetworkGuess("bridge", fallback=False, stretch=factor), R_CUT)
    difference = np.abs(there.u - here.u)[visible(liquid, here.r)]
    # That it enters at all; where the range of g bounds the length, a larger one is the same.
    assert np.max(difference) > 0.0 or factor > 1.0
    # The aim is 0.01 kT; measured 0.004, and 0.012 and 0.018 of cn-f at the two larger factors. It is trained, not
    # built in (`benchmarks/invariance.py` has the test state points of the data set).
    assert np.mean(difference) < 0.01
