"""The algebra of all species: numbers for one species are matrices of one element; and what molecules add."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.curves import RDF
from cginit.errors import ConvergenceError, InputError
from cginit.liquid import forward, measured_liquid
from cginit.liquid.bridge import modified_verlet, modified_verlet_slope
from cginit.liquid.finite_size import infinite_system
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.matrices import (
    Intramolecular,
    PairMatrices,
    damped_inverse,
    definite_inverse,
    inverse,
    sandwich,
)
from cginit.liquid.newton import damped_newton
from cginit.liquid.pair_inversion import invert_pairs

R = 0.05 * np.arange(1, 121)
RHO = np.array([0.2, 0.3])


@pytest.fixture(scope="module")
def g() -> np.ndarray:
    """g of a soft repulsive liquid at density 0.5."""
    return np.asarray(forward.solve(R, 2.0 * np.exp(-(R**2)), 0.5).g[: R.size])


@pytest.mark.parametrize("size", [1, 40, 41, 101])
def test_the_inverse_by_halves_is_the_inverse(size: int) -> None:
    a = np.random.default_rng(size).normal(size=(2, size, size))
    matrices = a @ a.transpose(0, 2, 1) + np.eye(size)
    before = matrices.copy()
    # Rounding of 1e-16 times a condition number of some 4 times the size.
    np.testing.assert_allclose(definite_inverse(matrices) @ matrices, [np.eye(size)] * 2, rtol=0, atol=1e-12)
    assert np.array_equal(matrices, before)


def positive(species: int) -> np.ndarray:
    a = np.random.default_rng(species).normal(size=(7, species, species))
    return a @ a.transpose(0, 2, 1) + 0.1 * np.eye(species)


@pytest.mark.parametrize("species", [1, 2, 3])
def test_products_and_inverses(species):
    a, x = positive(species), positive(species + 10)[:, :species, :species]
    found = inverse(a)
    np.testing.assert_allclose(found, np.linalg.inv(a), rtol=1e-10)
    np.testing.assert_allclose(sandwich(a, x), a @ x @ a, rtol=1e-12)
    undone = damped_inverse(a, 0.0)(a @ x @ a)
    np.testing.assert_allclose(undone, x, atol=1e-10)
    # With damping it is exact for numbers, and between a half and the whole for matrices that commute.
    part = np.linalg.eigvals(np.linalg.solve(a, damped_inverse(a, 0.3)(a @ a @ a + 0.3 * a))).real
    assert np.all((part > (1.0 if species == 1 else 0.5) - 1e-9) & (part < 1.0 + 1e-9))
    assert inverse(a - 100.0 * np.eye(species)) is None
    assert inverse(np.where(np.arange(7)[:, None, None] == 3, np.nan, a)) is None


@pytest.mark.parametrize("species", [1, 2, 3])
def test_curves_become_matrices_and_come_back(species):
    pairs = species * (species + 1) // 2
    grid = RadialGrid(63, 0.1)
    curves = np.random.default_rng(1).normal(size=(pairs, 20))
    matrices = PairMatrices.of_densities(grid, np.arange(1.0, species + 1.0))
    found = matrices.of(curves)
    assert found.shape == (63, species, species)
    assert np.array_equal(found, found.transpose(0, 2, 1))
    padded = np.concatenate([curves[0], np.zeros(43)]) / grid.r
    np.testing.assert_allclose(found[:, 0, 0], grid.forward(padded), rtol=1e-10)
    np.testing.assert_allclose(matrices.back(found, 20), curves, atol=1e-12)


def test_the_slope_of_the_bridge_function():
    gamma = np.linspace(-1.5, 3.0, 31)
    h = 1e-6
    slope = (modified_verlet(gamma + h) - modified_verlet(gamma - h)) / (2.0 * h)
    # Rounding of the difference, 1e-16 / 1e-6.
    np.testing.assert_allclose(modified_verlet_slope(gamma), slope, atol=1e-8)


def test_what_is_trained_and_what_is_solved_share_the_bridge_function():
    torch = pytest.importorskip("torch")
    gamma = np.linspace(-1.5, 3.0, 31)
    tensor = torch.from_numpy(gamma).requires_grad_()
    found = modified_verlet(tensor)
    assert np.array_equal(found.detach().numpy(), modified_verlet(gamma))
    found.sum().backward()
    np.testing.assert_allclose(tensor.grad.numpy(), modified_verlet_slope(gamma), atol=1e-12)


def test_newton_says_where_it_ended():
    def evaluate(x):
        return x**2 + 1.0, (x if np.all(np.isfinite(x)) else None)

    found = damped_newton(np.ones(1), evaluate, lambda x: lambda y: 2.0 * x * y, tolerance=1e-9)
    assert not found.solved
    # x^2 + 1 is nowhere below 1, and no step led away from the start.
    assert 1.0 <= found.residual <= 2.0
    with pytest.raises(ConvergenceError, match="no root"):
        found.solution("no root")
    nowhere = damped_newton(np.array([np.nan]), evaluate, lambda x: lambda y: y, tolerance=1e-9)
    assert nowhere.state is None
    assert not nowhere.solved


def test_beads_that_differ_by_name_are_corrected_as_one_species():
    x = np.array([0.3, 0.7])
    s = np.eye(2) + np.sqrt(np.outer(x, x)) * (0.05 - 1.0)
    curves = np.tile(np.linspace(0.9, 1.1, 5), (3, 1))
    found = infinite_system(curves, s, 50.0 * x)
    np.testing.assert_allclose(found, np.tile(infinite_system(curves[0], 0.05, 50), (3, 1)), rtol=1e-12)
    # As far as a near-critical S is believed.
    s = np.eye(2) + np.sqrt(np.outer(x, x)) * (20.0 - 1.0)
    found = infinite_system(curves, s, 50.0 * x)
    np.testing.assert_allclose(found, np.tile(infinite_system(curves[0], 20.0, 50), (3, 1)), rtol=1e-12)


@pytest.mark.parametrize("species", [1, 2])
def test_molecules_of_one_bead_are_loose_beads(g, species):
    densities = RHO if species == 2 else np.array([0.5])
    curves = np.tile(g, (3 if species == 2 else 1, 1))
    exact = np.zeros(curves.shape)

    def single(k):
        return np.tile(np.diag(densities), (k.size, 1, 1))

    loose = invert_pairs(R, curves, densities, error=exact)
    bound = invert_pairs(R, curves, densities, error=exact, intramolecular=single)
    # The same equation; both are solved to 1e-9.
    np.testing.assert_allclose(bound.u, loose.u, atol=1e-7)
    np.testing.assert_allclose(bound.s_k, loose.s_k, atol=1e-7)


def dumbbells(k: np.ndarray, length: float, density: float) -> np.ndarray:
    """Omega of molecules of an A and a B bead, `density` of each."""
    bond = np.sinc(k * length / np.pi)
    return density * np.stack([np.ones_like(k), bond, bond, np.ones_like(k)], axis=1).reshape(-1, 2, 2)


def h_of_dumbbells(direct: np.ndarray, grid: RadialGrid, length: float, density: float) -> np.ndarray:
    """H = Omega C (1 - Omega C)^-1 Omega of one c(r) between all beads, by plain matrices."""
    omega = dumbbells(grid.k, length, density)
    c = grid.forward(direct)[:, None, None] * np.ones((2, 2))
    h = np.linalg.solve(np.eye(2) - omega @ c, omega @ c @ omega)
    return np.array([grid.inverse(h[:, a, b] / density**2) for a, b in ((0, 0), (0, 1), (1, 1))])


def test_dumbbells_give_back_their_direct_correlation():
    """h made from a known c by the site-site equation is inverted to that c, through a singular Omega(0)."""
    density, length = 0.25, 0.6
    grid = RadialGrid(2047, 0.05)
    direct = np.where(grid.r <= R[-1], -0.6 * np.exp(-(grid.r**2)), 0.0)
    h = h_of_dumbbells(direct, grid, length, density)
    n = R.size
    found = invert_pairs(
        R,
        1.0 + h[:, :n],
        np.full(2, density),
        error=np.zeros((3, n)),
        tail="zero",
        intramolecular=lambda k: dumbbells(k, length, density),
    )
    # The equations are solved to 1e-9 in r h, and the three c by themselves are told less well than their sum.
    np.testing.assert_allclose(found.c.mean(axis=0), direct[:n], atol=1e-4)
    np.testing.assert_allclose(found.h, h[:, :n], atol=1e-7)
    # Loose beads cannot have these g: the bonds matter.
    with pytest.raises(ConvergenceError, match="no solution"):
        invert_pairs(R, 1.0 + h[:, :n], np.full(2, density), error=np.zeros((3, n)), tail="zero")


def test_dumbbells_respond_to_their_potentials():
    """The Jacobian is the slope of the solution, with the bonds in both."""
    density, length, m = 0.25, 0.6, 50
    grid = RadialGrid(2047, 0.05)
    h = h_of_dumbbells(-0.6 * np.exp(-(grid.r**2)), grid, length, density)
    pairs = (("A", "A"), ("A", "B"), ("B", "B"))
    curves = {
        p: RDF(R, 1.0 + h[row, : R.size], np.full(R.size, 1e-5), units="lj") for row, p in enumerate(pairs)
    }
    liquid = measured_liquid(
        curves, {"A": density, "B": density}, intramolecular=lambda k: dumbbells(k, length, density)
    )
    base = liquid.response(np.zeros(3))
    direction = np.zeros((3, m))
    direction[1] = np.exp(-((R[:m] - 0.8) ** 2) / 0.1)
    step = 1e-3
    up, down = (base.solve(sign * step * direction, np.zeros((3, m))) for sign in (1.0, -1.0))
    slope = (up.g - down.g)[:, :m] / (2.0 * step)
    expected = -(base.jacobian(m) @ direction.ravel()).reshape(3, m)
    # The Jacobian ends after 2.5 times the range of the change, the solution does not.
    np.testing.assert_allclose(slope, expected, atol=3e-3 * np.max(np.abs(expected)))
    # What the A-B potential does to A-A is more than a tenth of what it does to A-B.
    assert np.max(np.abs(expected[0])) > 0.1 * np.max(np.abs(expected[1]))


def test_a_structure_that_no_molecule_has_is_refused():
    with pytest.raises(InputError, match="eigenvalue"):
        Intramolecular.of(dumbbells(np.linspace(0.1, 5.0, 9), 0.6, 0.4) * [[1, 3], [3, 1]], np.full(2, 0.4))
    with pytest.raises(InputError, match="symmetric"):
        Intramolecular.of(np.tile([[1.0, 0.2], [0.1, 1.0]], (3, 1, 1)), np.ones(2))


def test_pairs_are_found_in_either_order_and_none_may_be_missing(g):
    curve = RDF(R, g, np.full(R.size, 1e-4), units="lj")
    densities = {"A": 0.2, "B": 0.3}
    one, other = (
        measured_liquid({("A", "A"): curve, mixed: curve, ("B", "B"): curve}, densities)
        for mixed in (("A", "B"), ("B", "A"))
    )
    assert np.array_equal(one.u, other.u)
    with pytest.raises(InputError, match="A-B is missing"):
        measured_liquid({("A", "A"): curve, ("B", "B"): curve}, densities)
