import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cginit import RDF, InputError, PairPotential
from cginit.extrapolate import extend_core, first_visible, resampled


@given(
    first=st.integers(2, 40),
    noise=st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3),
    kT=st.floats(0.1, 10.0),
)
def test_the_core_repels_whatever_the_first_points_are(first, noise, kT):
    r = np.linspace(0.0, 2.0, 101)
    u = np.zeros(101)
    u[first : first + 3] = noise
    core = extend_core(r, u, first, kT)[: first + 1]
    assert np.all(np.diff(core) < 0.0)
    # The floor alone lifts the centre by F r + 13/2 F r = 150 kT above the first visible point.
    assert core[0] - core[-1] >= 149.0 * kT
    np.testing.assert_array_equal(extend_core(r, u, first, kT)[first:], u[first:])


def test_the_core_of_a_twelfth_power_is_close_to_the_truth():
    r = np.linspace(0.0, 2.5, 251)
    true = 4.0 * np.maximum(r, 0.01) ** -12.0
    u = extend_core(r, true, 90, kT=1.0)
    # Over s = 0.05 from r = 0.9, where u = 14.2: the third derivative that a parabola lacks, 2184 u/r^3 s^3/6 = 0.9,
    # and the curvature, which three points 0.01 apart show 15 % too low: 0.15 * 2740 s^2/2 = 0.5.
    assert u[85] == pytest.approx(true[85], abs=1.5)


def test_a_visible_point_needs_a_visible_successor():
    r = np.linspace(0.0, 2.0, 21)
    g = np.ones(21)
    g[:8] = 0.0
    g[3] = 0.1  # a lone count inside the core
    assert first_visible(RDF(r, g, units="lj")) == 8


def test_errors_decide_what_is_visible():
    r, g = np.linspace(0.0, 2.0, 21), np.linspace(0.0, 1.0, 21)
    assert first_visible(RDF(r, g, np.full(21, 0.2), units="lj")) == 9
    with pytest.raises(InputError, match="no information"):
        first_visible(RDF(r, np.zeros(21), units="lj"))


def test_resampling_keeps_the_values_and_the_cut_off():
    r = np.linspace(0.9, 2.5, 81)
    p = PairPotential.shifted(r, 4 * (r**-12.0 - r**-6.0), units="lj")
    fine = resampled(p, np.linspace(0.0, 2.5, 2501), kT=1.0)
    np.testing.assert_allclose(np.interp(r, fine.r, fine.u), p.u, atol=1e-12)  # every old point is a new one
    middle = 1.105
    # Interpolation error of a cubic spline: 5/384 h^4 U'''' with h = 0.02 and U'''' < 5e4 at r = 1.1.
    assert np.interp(middle, fine.r, fine.u) == pytest.approx(
        4 * (middle**-12 - middle**-6) - 4 * (2.5**-12 - 2.5**-6), abs=2e-4
    )
    assert np.all(np.diff(fine.u[:900]) < 0.0)
    with pytest.raises(InputError, match="before the cut-off"):
        resampled(p, np.linspace(0.0, 2.0, 101), kT=1.0)
