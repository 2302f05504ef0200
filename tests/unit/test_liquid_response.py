"""How a measured liquid answers to a change of its potential, with fluids that the hypernetted chain solves."""

import numpy as np
import pytest

from cginit import RDF, ConvergenceError, PairPotential
from cginit.liquid import infinite_system, measured_liquid, solve
from cginit.liquid.bridge import modified_verlet as bridge
from cginit.liquid.bridge import modified_verlet_slope as bridge_slope
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.jacobian import jacobian
from cginit.liquid.response import responding_factor

DR, R_CUT, DENSITY = 0.05, 2.5, 0.6
R = np.arange(51) * DR


def lennard_jones(r, kT=1.4):
    r = np.maximum(r, 0.7)
    return 4.0 * (r**-12 - r**-6) / kT


TRUE = PairPotential.shifted(R, lennard_jones(R), units="lj")


def measure(potential, closure="hnc", noise=1e-3):
    """Return g as the closure gives it, to two cut-offs, with the errors of counts in shells."""
    fluid = solve(potential.r, potential.u, DENSITY, closure)
    r = np.arange(101) * DR
    g = np.maximum(np.concatenate([fluid.g[:1], fluid.g[:100]]), 0.0)
    return RDF(r, g, noise * np.sqrt(g) / np.maximum(r, DR), units="lj")


def liquid(rdf, beads=None):
    return measured_liquid({("A", "A"): rdf}, {"A": DENSITY}, None if beads is None else {"A": beads})


def test_the_bridge_function_is_measured():
    shown = R[1:]
    u = TRUE.u[1:]
    hnc = liquid(measure(TRUE))
    py = liquid(measure(TRUE, closure="py"))
    assert shown.size == u.size
    assert hnc.bridge_factors([u])[0] < 0.1  # it has none; what is left is that g ends
    assert 0.5 < py.bridge_factors([u])[0] <= 1.5  # ln(1 + x) - x is near -x^2 / (2 + 1.6 x)


def test_the_slope_of_the_bridge_function():
    gamma = np.linspace(-0.9, 4.0, 50)
    h = 1e-6
    # Central differences are off by h^2 and rounding by 1e-16 / h.
    np.testing.assert_allclose(
        bridge_slope(gamma), (bridge(gamma + h) - bridge(gamma - h)) / (2 * h), atol=1e-8
    )


def test_the_jacobian_is_the_derivative_of_the_closure():
    r = R[1:]
    fluid = solve(r, TRUE.u[1:], DENSITY)
    change = 1e-4 * np.exp(-(((r - 1.3) / 0.2) ** 2)) * (r < 2.4)
    moved = solve(r, TRUE.u[1:] + change, DENSITY)
    n = 300
    s_k = fluid.s_k[:, None, None]
    g, ones = fluid.g[None, :n], np.ones((1, n))
    found = -jacobian(fluid.r[:n], g, fluid.k, s_k, np.array([DENSITY]), r.size, ones) @ change
    found = found[: r.size]
    exact = (moved.g - fluid.g)[: r.size]
    # Second order in the change, 1e-4 relative, and what the response beyond 15 neglects.
    assert np.max(np.abs(found - exact)) < 1e-3 * np.max(np.abs(exact))


@pytest.mark.parametrize("k", [0.0, 0.8])
def test_a_long_wave_answers_as_the_closure_does(k):
    clean = measure(TRUE, noise=1e-9)
    r = R[1:]
    change = 0.01 * np.exp(-(((r - 1.3) / 0.3) ** 2)) * (r < 2.4)
    now, row = liquid(clean).response(np.zeros(1)).long_wave(k, r.size)
    before, after = solve(r, TRUE.u[1:], DENSITY), solve(r, TRUE.u[1:] + change, DENSITY)
    exact = [float(np.interp(k, one.k, one.s_k)) for one in (before, after)]
    # The measured g ends at twice the cut-off; its inversion and the response beyond know S(k) to a hundredth.
    assert now == pytest.approx(exact[0], rel=0.01)
    assert row @ change == pytest.approx(exact[1] - exact[0], rel=0.05)


def test_a_changed_fluid_is_that_of_the_changed_potential():
    clean = measure(TRUE, noise=1e-9)
    fluid = liquid(clean)
    change = -0.3 * np.exp(-(((R[1:] - 1.3) / 0.3) ** 2)) * (R[1:] < 2.4)
    changed = fluid.response(np.zeros(1)).at(change[None], TRUE.u[None, 1:])
    exact = solve(R[1:], TRUE.u[1:] + change, DENSITY)
    moved = np.max(np.abs(exact.g[:50] - clean.g[1:51]))
    # The measured g ends at two cut-offs, beyond which the closure stands in.
    assert np.max(np.abs(changed.g[0, :50] - exact.g[:50])) < 0.01 * moved


def test_the_compressibility_of_a_small_closed_box_is_that_of_the_liquid():
    """g to half the box carries an offset of 1/N, and half of all beads within its range."""
    fluid = solve(R, lennard_jones(R, 3.0), DENSITY)
    n = 80
    r = np.arange(1, n + 1) * DR
    beads = round(DENSITY * (2.0 * n * DR) ** 3)
    g = fluid.g[:n] / infinite_system(np.ones(1), fluid.s_0, beads)
    found = liquid(RDF(r, g, np.full(n, 1e-4), units="lj"), beads)
    # S changes by some 0.02 from k = 0 to the first wave number of the box, from which the offset is taken; that of
    # the uncorrected g is off by half.
    assert found.s_k[0, 0, 0] == pytest.approx(fluid.s_0, abs=0.03)
    assert liquid(RDF(r, g, np.full(n, 1e-4), units="lj")).s_k[0, 0, 0] > fluid.s_0 + 0.1


@pytest.mark.parametrize("strength", [0.0, 0.03, 0.2])
def test_the_compressibility_of_chains_comes_back_from_a_box_no_wider_than_they_are(strength):
    """Ten-bead chains with direct correlations -strength exp(-r^2): nothing at all, a thin and a dense liquid."""
    beads, length, density = 300, 10, 0.5
    grid = RadialGrid(1023, DR)

    def single(k):
        # Gaussian chains with a root mean square bond of 1.
        apart = np.arange(1, length)
        terms = 2.0 / length * (length - apart) * np.exp(-np.outer(k**2, apart) / 6.0)
        return 1.0 + np.sum(terms, axis=1)

    c = grid.forward(-strength * np.exp(-(grid.r**2)))
    s = single(grid.k) / (1.0 - density * single(grid.k) * c)
    limit = length / (1.0 - density * length * c[0])
    h = grid.inverse((s - single(grid.k)) / density)[:82]
    # What is counted in a closed box, with the pairs of different chains.
    offset = (length - limit) / beads * beads / (beads - 1.0)
    g = np.concatenate([[1.0 + h[0]], 1.0 + h]) * (1.0 + offset)
    measured = RDF(np.arange(83) * DR, g, np.full(83, 1e-4), units="lj")
    found = measured_liquid(
        {("A", "A"): measured},
        {"A": density},
        {"A": beads},
        intramolecular=lambda k: density * single(k)[:, None, None],
    )
    # The direct correlations at the wave number of the box, 0.75, are those at 0 but for 13 %.
    assert found.s_k[0, 0, 0] == pytest.approx(limit, rel=0.15)


def test_a_far_change_is_answered_by_the_way():
    """A core that gives way by 2 kT at once has no solution from where the liquid was, but one on the way."""
    soft = PairPotential.shifted(R, np.maximum(R, 0.3) ** -12.0, units="lj")
    fluid = liquid(measure(soft, noise=1e-6))
    change = -2.0 * np.exp(-((fluid.r[None, :50] - 0.9) ** 2) / 0.05)
    core = np.where(np.isfinite(fluid.u[:, :50]), fluid.u[:, :50], 20.0)
    base = fluid.response(np.zeros(1))
    with pytest.raises(ConvergenceError):
        base.solve(change, core)
    parts = base.solve(0.25 * change, core).solve(0.5 * change, core).solve(0.75 * change, core)
    # Both are solved to 1e-6.
    np.testing.assert_allclose(base.at(change, core).g, parts.solve(change, core).g, atol=1e-4)


def test_less_of_the_bridge_function_responds_to_small_differences():
    far, near = np.full(10, 0.1), np.full(10, 0.01)
    assert responding_factor(0.1, near) == responding_factor(0.1, far) == pytest.approx(0.06)
    assert responding_factor(1.0, far) == pytest.approx(0.6)
    assert responding_factor(1.0, near) == pytest.approx(0.2)
    assert responding_factor(1.5, 10.0 * far) == pytest.approx(0.75)
