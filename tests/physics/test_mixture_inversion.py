"""The matrix Ornstein-Zernike inversion against what is known exactly of mixtures."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.errors import ConvergenceError, InputError
from cginit.liquid import forward
from cginit.liquid.mixture import invert_mixture
from cginit.liquid.ornstein_zernike import invert

R = 0.05 * np.arange(1, 101)
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))


@pytest.fixture(scope="module")
def fluid() -> np.ndarray:
    """g of a Lennard-Jones fluid at T* = 1.7 and density 0.7 in HNC."""
    r = np.maximum(R, 0.3)
    return np.asarray(forward.solve(R, 2.4 * (r**-12 - r**-6), 0.7).g[: R.size])


@pytest.mark.parametrize("closure", ["hnc", "py"])
@pytest.mark.parametrize("error", [0.0, 0.01])
@pytest.mark.parametrize("tail", ["closure", "zero"])
def test_a_mixture_of_equal_species_is_the_pure_fluid(fluid, closure, error, tail):
    x = 0.2 / 0.7
    pure = invert(R, fluid, 0.7, closure, error=np.full(R.size, error), tail=tail)
    # The labels leave fewer pairs to each g, whose errors are larger by so much.
    fewer = dict(zip(PAIRS, (x, np.sqrt(2.0 * x * (1.0 - x)), 1.0 - x), strict=True))
    mixed = invert_mixture(
        R,
        dict.fromkeys(PAIRS, fluid),
        {"A": 0.2, "B": 0.5},
        closure,
        error={pair: np.full(R.size, error) / part for pair, part in fewer.items()},
        tail=tail,
    )
    seen = fluid > 1e-4
    for pair in PAIRS:
        # Both solve their equations to 1e-9 in r h; far below that they are the same matrix.
        np.testing.assert_allclose(mixed.u[pair][seen], pure.u[seen], atol=1e-8)
        np.testing.assert_allclose(mixed.c[pair], pure.c, atol=1e-8)
    # One combination of the partial structure factors is that of the fluid, the other that of the labels, 1.
    np.testing.assert_allclose(np.linalg.det(mixed.s_k), pure.s_k, atol=1e-7)


def test_species_that_do_not_see_each_other_are_two_fluids():
    u = {"A": 3.0 * np.exp(-(R**2)), "B": 4.0 * np.exp(-((R / 1.3) ** 2))}
    rho = {"A": 0.4, "B": 0.2}
    solved = {name: forward.solve(R, u[name], rho[name]).g[: R.size] for name in u}
    mixed = invert_mixture(
        R,
        {("A", "A"): solved["A"], ("B", "A"): np.ones(R.size), ("B", "B"): solved["B"]},
        rho,
        error=dict.fromkeys(PAIRS, np.zeros(R.size)),
    )
    # h of soft particles beyond 5 is below 1e-6, so that c = 0 there is no loss.
    np.testing.assert_allclose(mixed.u["A", "A"], u["A"], atol=1e-4)
    np.testing.assert_allclose(mixed.u["B", "B"], u["B"], atol=1e-4)
    np.testing.assert_allclose(mixed.u["A", "B"], 0.0, atol=1e-6)


def test_first_order_in_density_is_exact():
    """U_AB/kT = -ln g_AB + sum_d rho_d f_Ad * f_dB to first order, whatever the closure."""
    u = dict(
        zip(PAIRS, (np.exp(-(R**2)), -0.5 * np.exp(-(R**2)), 2.0 * np.exp(-((R / 0.8) ** 2))), strict=True)
    )
    g = {pair: np.exp(-values) for pair, values in u.items()}
    rho = {"A": 1e-3, "B": 3e-3}
    found = invert_mixture(R, g, rho, error=dict.fromkeys(PAIRS, np.zeros(R.size)))
    k = np.linspace(1e-3, 40.0, 8000)
    kernel = np.sinc(np.outer(k, R) / np.pi)
    f = {p: 4.0 * np.pi * 0.05 * kernel @ (R**2 * (g[p] - 1.0)) for p in PAIRS}
    f["B", "A"] = f["A", "B"]
    back = np.sinc(np.outer(R, k) / np.pi) * k**2 * (k[1] - k[0]) / (2.0 * np.pi**2)
    for a, b in PAIRS:
        chain = sum(rho[d] * (back @ (f[a, d] * f[d, b])) for d in "AB")
        # The second order is some (rho int f)^2 = (4e-3 * 5)^2 = 4e-4 of the first-order term's scale, 2e-2.
        np.testing.assert_allclose(found.u[a, b] - u[a, b], chain, atol=4e-4)
        assert np.max(np.abs(chain)) > 2e-3


def test_impossible_and_incomplete_input_is_refused(fluid):
    with pytest.raises(InputError, match="B-B is missing"):
        invert_mixture(R, {("A", "A"): fluid, ("A", "B"): fluid}, {"A": 0.1, "B": 0.1})
    with pytest.raises(InputError, match="positive numbers"):
        invert_mixture(R, dict.fromkeys(PAIRS, fluid), {"A": 0.1, "B": 0.0})
    with pytest.raises(InputError, match="A-A is negative at r = 1"):
        invert_mixture(
            R, {**dict.fromkeys(PAIRS, fluid), ("A", "A"): fluid - 5.0 * (R == 1.0)}, {"A": 0.1, "B": 0.1}
        )
    # Three times its density: S(0) would have to be negative.
    with pytest.raises(ConvergenceError, match="not positive"):
        invert_mixture(
            R,
            dict.fromkeys(PAIRS, fluid),
            {"A": 1.0, "B": 1.1},
            error=dict.fromkeys(PAIRS, np.zeros(R.size)),
        )
