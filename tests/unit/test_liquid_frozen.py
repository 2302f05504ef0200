"""The liquid-state code against the numbers that its code for one species had before all species shared one.

``tests/data/liquid.npz`` holds them for the fluids below: potentials and gamma of the inversion, bridge factors,
Jacobians and solutions of the response of one species, and the inversion and response of a mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cginit.curves import RDF, LongWave
from cginit.liquid import invert, invert_mixture, invert_with_long_wave, measured_liquid, solve

FROZEN = Path(__file__).parents[1] / "data" / "liquid.npz"
DR = 0.05
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))
DENSITIES = {"A": 0.25, "B": 0.35}
#: Points up to a cut-off of 2.5.
M = 50


def lennard_jones(r, kT=1.4):
    x = np.maximum(r, 0.3) ** -6
    return 4.0 * (x * x - x) / kT


def wca(r):
    return np.where(r < 2 ** (1 / 6), lennard_jones(r, 1.0) + 1.0, 0.0)


@dataclass(frozen=True)
class Case:
    """A fluid: potential, density, points of g, noise of g = 1 at r = 1, and whether its error is told."""

    u: object
    density: float
    n: int = 100
    noise: float = 0.0
    told: bool = True
    wave: bool = False


CASES = {
    "lj": Case(lennard_jones, 0.6),
    "lj noisy": Case(lennard_jones, 0.6, noise=3e-3),
    "lj noise not told": Case(lennard_jones, 0.6, noise=3e-3, told=False),
    "lj dense": Case(lambda r: lennard_jones(r, 1.7), 0.8, 80),
    "lj attractive": Case(lambda r: lennard_jones(r, 1.5), 0.3, 120, noise=1e-3),
    "wca": Case(wca, 0.7, 60),
    "wca dense": Case(wca, 1.0, 80, noise=1e-3),
    "wca exact": Case(wca, 1.0, 80),
    "gaussian core": Case(lambda r: 2.0 * np.exp(-(r**2)), 0.8, 80, told=False),
    "dpd": Case(lambda r: 12.5 * np.maximum(1.0 - r, 0.0) ** 2, 3.0, 60, noise=1e-3),
    "soft and long": Case(lambda r: 8.0 * np.exp(-0.5 * (r / 1.5) ** 2), 0.5, noise=1e-3),
    "soft and long, S known": Case(lambda r: 8.0 * np.exp(-0.5 * (r / 1.5) ** 2), 0.5, noise=1e-3, wave=True),
    "dilute": Case(lambda r: lennard_jones(r, 1.0), 1e-4, 80),
}


def target(case: Case):
    """Return r, g and its error (None where it is not told), and S(k) at a small k."""
    r = DR * np.arange(1, case.n + 1)
    far = DR * np.arange(241)
    fluid = solve(far, case.u(far), case.density)
    g = np.where(fluid.g[: case.n] > 1e-3, fluid.g[: case.n], 0.0)
    sigma = case.noise * np.sqrt(g) / r
    g = np.maximum(g + sigma * np.random.default_rng(7).standard_normal(case.n), 0.0)
    k = 0.6
    s = float(np.interp(k, fluid.k, fluid.s_k))
    return r, g, sigma if case.told else None, LongWave(k, s, 0.03 * s)


def inverted(case: Case, closure: str):
    r, g, error, wave = target(case)
    if case.wave:
        return invert_with_long_wave(r, g, case.density, wave, closure, error=error)
    return invert(r, g, case.density, closure, error=error)


def curve(case: Case) -> RDF:
    r, g, error, _ = target(case)
    return RDF(r, g, error, units="lj")


def change(r):
    """Return a change of the potential up to the cut-off."""
    return 0.2 * np.exp(-((r - 1.3) ** 2) / 0.1) * (r <= 2.5)


def pairs_of_a_mixture():
    """Return g of two unlike species that the equation has a solution for, in some noise."""
    r = DR * np.arange(1, 161)
    pure = solve(r, 1.0 * np.maximum(r, 0.3) ** -12, 0.6).g[:160]
    bumps = ((0.02, 1.3), (-0.02, 1.5), (0.015, 1.8))
    noise = np.random.default_rng(11)
    g = [pure * (1.0 + a * np.exp(-((r - at) ** 2) / 0.1)) for a, at in bumps]
    g = [np.where(x > 1e-3, np.maximum(x + 1e-3 * noise.standard_normal(160) / r, 0.0), 0.0) for x in g]
    return r, dict(zip(PAIRS, g, strict=True)), 1e-3 / r


@pytest.fixture(scope="module")
def frozen():
    with np.load(FROZEN, allow_pickle=False) as content:
        return dict(content)


@pytest.mark.parametrize("closure", ["hnc", "py"])
@pytest.mark.parametrize("name", CASES)
def test_the_inversion_is_what_it_was(frozen, name, closure):
    found = inverted(CASES[name], closure)
    known = {what: frozen[f"{name}/{closure}/{what}"] for what in ("u", "gamma", "s")}
    assert np.array_equal(np.isfinite(found.u), np.isfinite(known["u"]))
    seen = np.isfinite(found.u)
    # The iterates are the same but for rounding, which S of up to 10 magnifies; another FFT may round otherwise.
    np.testing.assert_allclose(found.u[seen], known["u"][seen], atol=1e-6)
    np.testing.assert_allclose(found.gamma, known["gamma"], atol=1e-6)
    np.testing.assert_allclose(np.interp(np.linspace(0.3, 15, 50), found.k, found.s_k), known["s"], atol=1e-6)


@pytest.mark.parametrize("beads", [0, 2000])
@pytest.mark.parametrize("name", CASES)
def test_the_response_is_what_it_was(frozen, name, beads):
    case = CASES[name]
    fluid = measured_liquid({("A", "A"): curve(case)}, {"A": case.density}, {"A": beads} if beads else None)
    u = case.u(fluid.r)
    # The correction for 2000 beads has another term of second order, 1/2000^2.
    assert fluid.bridge_factors([u])[0] == pytest.approx(frozen[f"{name}/{beads}/factor"], abs=1e-4)
    base = fluid.response(np.array([0.3]))
    # Between wave numbers 1/S is interpolated, not S.
    np.testing.assert_allclose(base.jacobian(M)[::5], frozen[f"{name}/{beads}/jacobian"], atol=2e-4)
    if not beads:
        core = np.minimum(np.where(np.isfinite(fluid.u[0]), fluid.u[0], u), 1e4)[None, :M]
        reached = base.at(change(fluid.r[:M])[None], core)
        np.testing.assert_allclose(reached.g[0, :M], frozen[f"{name}/0/g"], atol=1e-6)


def test_a_mixture_is_what_it_was(frozen):
    r, g, error = pairs_of_a_mixture()
    found = invert_mixture(r, g, DENSITIES, error=dict.fromkeys(PAIRS, error), tail="zero")
    for pair in PAIRS:
        known = frozen[f"mixture/u/{''.join(pair)}"]
        seen = np.isfinite(known)
        np.testing.assert_allclose(found.u[pair][seen], known[seen], atol=1e-6)
    curves = {pair: RDF(r, x, error, units="lj") for pair, x in g.items()}
    fluid = measured_liquid(curves, DENSITIES, {"A": 1000, "B": 1400})
    base = fluid.response(np.array([0.0, 0.2, 0.4]))
    # The closure stands beyond 8 sigma, where c was 0; and the correction for the box has a term of 1/2400^2 more.
    np.testing.assert_allclose(base.jacobian(M)[::10], frozen["mixture/jacobian"], atol=2e-5)
    core = np.where(np.isfinite(fluid.u), fluid.u, 50.0)[:, :M]
    reached = base.at(np.array([1.0, -0.5, 0.5])[:, None] * change(fluid.r[:M]), core)
    np.testing.assert_allclose(reached.g[:, :M], frozen["mixture/g"], atol=2e-5)
