"""Guesses of many g(r) at once: those of one after the other, whatever goes wrong with some of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import cginit
from cginit import RDF, PairPotential, StatePoint, guess, guess_many
from cginit.curves import StructureFactor
from cginit.errors import CGInitError, InputError
from cginit.guess import METHODS
from cginit.guess.network import NetworkGuess
from cginit.liquid import solve


@pytest.fixture(scope="module")
def liquids() -> list[tuple[RDF, StatePoint]]:
    """WCA liquids of two densities on two grids and in two units, one of few beads, one that knows S(k)."""
    fine = np.linspace(0.0, 2.5, 501)
    x = np.maximum(fine, 0.3)
    u = np.where(fine < 2 ** (1 / 6), 4.0 * (x**-12 - x**-6) + 1.0, 0.0)
    rng = np.random.default_rng(3)
    found = []
    for density, points in ((0.3, 101), (0.7, 101), (0.7, 91)):
        g = np.concatenate([[0.0], solve(fine, u, density).g[9:1000:10]])[:points]
        error = 2e-3 * np.sqrt(g)
        g = np.maximum(g + error * rng.standard_normal(points), 0.0)
        rdf = RDF(np.arange(points) * 0.05, g, error, units="lj")
        found.append((rdf, StatePoint(density, 1.0, "lj")))
    dense, state = found[1]
    waves = StructureFactor([0.6, 0.9], [0.05, 0.05], [0.005, 0.005], units="lj")
    nanometre = RDF(0.3 * dense.r, dense.g, dense.error, units="nm-kJ/mol")
    return [
        *found,
        (replace(dense, beads=500), state),
        (replace(dense, structure_factor=waves), state),
        (nanometre, StatePoint(0.7 / 0.3**3, 2.5, "nm-kJ/mol")),
    ]


def _same(one: PairPotential | CGInitError, other: PairPotential) -> None:
    assert isinstance(one, PairPotential)
    assert np.array_equal(one.r, other.r)
    # The core is extrapolated from its first points; what single precision leaves of them is 1e-7 of its height.
    np.testing.assert_allclose(one.u, other.u, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(one.u_error, other.u_error, rtol=1e-5, atol=1e-6)
    assert (one.notes, one.provenance, one.units) == (other.notes, other.provenance, other.units)


@pytest.mark.parametrize("method", ["network", "cn-f", "boltzmann", NetworkGuess("bridge", fallback=False)])
def test_many_guesses_are_those_of_one_after_the_other(liquids, method) -> None:
    targets, states = zip(*liquids, strict=True)
    for one, (target, state) in zip(guess_many(targets, states, method), liquids, strict=True):
        _same(one, guess(target, state, method))


def test_the_error_of_one_is_in_its_place(liquids) -> None:
    (gas, state), (dense, other) = liquids[:2]
    too_dense = StatePoint(9.0, 1.0, "lj")
    empty = RDF(gas.r, np.zeros(gas.r.size), units="lj")
    found = guess_many([gas, dense, empty, dense], [state, too_dense, StatePoint(1e-3, 1.0, "lj"), other])
    _same(found[0], guess(gas, state))
    assert isinstance(found[1], InputError)
    assert "cannot be right" in str(found[1])
    assert isinstance(found[2], InputError)
    _same(found[3], guess(dense, other))


def test_what_is_unlike_the_training_is_answered_by_another_method(liquids) -> None:
    """A crystal-like peak: HNC or Boltzmann inversion takes the place, with the notes of a single guess."""
    gas, state = liquids[0]
    peak = RDF(gas.r, gas.g + 30.0 * np.exp(-200.0 * (gas.r - 1.5) ** 2), gas.error, units="lj")
    _, second = guess_many([gas, peak], state)
    alone = guess(peak, state)
    assert "was not used" in alone.notes[0]
    _same(second, alone)


def test_one_state_is_that_of_all(liquids) -> None:
    gas, state = liquids[0]
    first, second = guess_many([gas, gas], state, r_cut=2.5)
    assert isinstance(first, PairPotential)
    assert isinstance(second, PairPotential)
    assert np.array_equal(first.u, second.u)
    assert first.r_cut == pytest.approx(2.5)


def test_states_must_fit_the_targets(liquids) -> None:
    gas, state = liquids[0]
    with pytest.raises(InputError, match="2 targets have 1 states"):
        guess_many([gas, gas], [state])
    assert guess_many([], []) == []
    with pytest.raises(InputError, match="unknown method"):
        guess_many([gas], state, "none")


def test_a_method_without_a_way_for_many_runs_one_after_the_other(liquids) -> None:
    boltzmann = METHODS["boltzmann"]()
    targets, states = zip(*liquids[:2], strict=True)
    for one, (target, state) in zip(guess_many(targets, states, boltzmann), liquids, strict=False):
        _same(one, guess(target, state, boltzmann))


def test_it_is_a_public_name() -> None:
    assert cginit.guess_many is guess_many
    assert "guess_many" in cginit.__all__
