import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cginit import RDF, InputError, PairPotential, Provenance
from cginit.curves import force


def potential(n=50, r_cut=2.5, **fields):
    r = np.linspace(0.5, r_cut, n)
    return PairPotential.shifted(r, 3.0 * np.exp(-r) * np.cos(2 * r), units="nm-kJ/mol", **fields)


def test_arrays_are_copies_and_read_only():
    r, g = np.linspace(0, 1, 11), np.ones(11)
    target = RDF(r, g, units="lj")
    r[3] = 99.0
    assert target.r[3] == pytest.approx(0.3)
    with pytest.raises(ValueError, match="read-only"):
        target.g[0] = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        target.g = g


@pytest.mark.parametrize(
    ("r", "g", "words"),
    [
        ([0, 1, 2, 3], [0, np.nan, 1, 1], r"g\[1\] is nan"),
        ([0, 1, 0.5, 3], [0, 1, 1, 1], "does not increase"),
        ([0, 1, 2.5, 3], [0, 1, 1, 1], "not uniform"),
        ([-1, 0, 1, 2], [0, 1, 1, 1], "negative"),
        ([0, 1, 2, 3], [0, -0.1, 1, 1], "--clean"),
        ([0, 1, 2, 3], [0, 1, 1], "3 values for 4"),
        ([0, 1], [0, 1], "at least 3"),
        ([0, 1, 2], ["a", 1, 1], "must be numbers"),
    ],
)
def test_what_is_wrong_with_an_rdf_is_named(r, g, words):
    with pytest.raises(InputError, match=words):
        RDF(r, g, units="lj")


def test_units_are_never_assumed():
    with pytest.raises(TypeError, match="units"):
        RDF([0, 1, 2], [0, 1, 1])


def test_missing_core_is_filled_on_the_same_grid():
    target = RDF(np.arange(24, 101) * 0.01, np.ones(77), units="nm-kJ/mol")
    full = target.with_core()
    assert full.r[0] == 0.0
    assert full.r.size == 101
    np.testing.assert_allclose(full.r[24:], target.r, atol=1e-12)  # rounding of i * 0.01
    assert not full.g[:24].any()
    assert full.with_core() is full


def test_missing_core_of_bin_centres_keeps_the_half_step():
    target = RDF((np.arange(10, 60) + 0.5) * 0.02, np.ones(50), units="lj")
    assert target.with_core().r[0] == pytest.approx(0.01)


def test_potential_must_end_at_zero():
    with pytest.raises(InputError, match="shifted"):
        PairPotential([0.0, 1.0, 2.0], [3.0, 2.0, 1.0], units="lj")
    assert PairPotential.shifted([0.0, 1.0, 2.0], [3.0, 2.0, 1.0], units="lj").u[0] == 2.0


def test_force_lies_between_the_secants():
    p = potential()
    left = -(p.u[1:-1] - p.u[:-2]) / p.dr
    right = -(p.u[2:] - p.u[1:-1]) / p.dr
    rounding = 1e-12 * np.abs(p.f).max()
    assert np.all(p.f[1:-1] >= np.minimum(left, right) - rounding)
    assert np.all(p.f[1:-1] <= np.maximum(left, right) + rounding)


@given(length=st.floats(1e-3, 1e3), energy=st.floats(1e-3, 1e3))
def test_reduction_and_back_is_the_identity(length, energy):
    p = potential(u_error=np.full(50, 0.1), r_core=0.6, provenance=Provenance("x", density=33.0, kT=2.5))
    q = p.reduced(length, energy).scaled(length, energy, "nm-kJ/mol")
    for name in ("r", "u", "f", "u_error"):
        # A product and its quotient round twice: a few units in the last place.
        np.testing.assert_allclose(getattr(q, name), getattr(p, name), rtol=1e-13, atol=1e-13)
    assert q.r_core == pytest.approx(p.r_core)
    assert (q.provenance.density, q.provenance.kT) == pytest.approx((33.0, 2.5))


def test_conversion_keeps_force_and_energy_consistent():
    p = potential().to("angstrom-kcal/mol")
    assert p.r_cut == pytest.approx(25.0)
    np.testing.assert_allclose(p.f, force(p.r, p.u), rtol=1e-9, atol=1e-12)


def test_truncation_beyond_the_end_is_refused():
    target = RDF(np.linspace(0, 3, 31), np.ones(31), units="lj")
    assert target.truncated(2.0).r_max == pytest.approx(2.0)
    with pytest.raises(InputError, match="ends at r = 3"):
        target.truncated(3.5)


@pytest.mark.parametrize("factor", [1, 4, 5])
def test_rebinning_averages_as_counts_do(factor):
    r = np.arange(0.0, 4.001, 0.01)
    # r^2 g is then a polynomial of second order, whose averages are known.
    g = np.where(r > 0.0, 1.0 + 0.5 * r, 1.0)
    fine = RDF(r, g, np.full(r.size, 0.1), units="lj")
    coarse = fine.rebinned(0.01 * factor)
    assert coarse.dr == pytest.approx(0.01 * factor)
    np.testing.assert_allclose(coarse.r, 0.01 * factor * np.arange(coarse.r.size), atol=1e-12)
    far = coarse.r > 1.0
    # The shift by the weights is (width^2/12) d ln(r^2)/dr dg/dr < 1e-4.
    np.testing.assert_allclose(coarse.g[far], 1.0 + 0.5 * coarse.r[far], atol=1e-3)
    np.testing.assert_allclose(coarse.error[far], 0.1 / np.sqrt(factor), rtol=0.08)
    with pytest.raises(InputError, match="no multiple"):
        fine.rebinned(0.0157)


def test_a_curve_is_normalised_by_its_mean_in_the_volume_beyond():
    r = np.arange(0.0, 4.01, 0.05)
    g = np.where(r < 1.0, 0.0, 1.0 + 0.1 * np.sin(6.0 * r) / np.maximum(r, 1.0) ** 4)
    low = RDF(r, 0.99 * g, np.full(r.size, 0.01), units="lj")
    # What is left of the oscillation beyond 3 is below 0.1 / 3^4, and its mean far below.
    assert low.mean_beyond(3.0) == pytest.approx(0.99, abs=2e-4)
    mended = low.normalised(3.0)
    np.testing.assert_allclose(mended.g, g, rtol=3e-4)
    np.testing.assert_allclose(mended.error, 0.01 / low.mean_beyond(3.0))
    with pytest.raises(InputError, match="ends at r = 4, before 5"):
        low.normalised(5.0)
    with pytest.raises(InputError, match="is 0 beyond"):
        RDF(r, np.zeros(r.size), units="lj").normalised(3.0)
