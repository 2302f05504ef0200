"""Conjugate gradients and GMRES against the direct solution, and Newton's method with them."""

import numpy as np
import pytest

from cginit.liquid.krylov import conjugate_gradients, gmres
from cginit.liquid.newton import damped_newton


def _system(seed, n=60, positive=False):
    rng = np.random.default_rng(seed)
    a = np.eye(n) + rng.normal(size=(n, n)) / (2.0 * np.sqrt(n))
    return (a @ a.T if positive else a), rng.normal(size=n)


@pytest.mark.parametrize("rtol", [1e-2, 1e-6, 1e-11])
def test_conjugate_gradients_end_at_the_residual_asked_for(rtol):
    a, b = _system(1, positive=True)
    scale = np.linspace(1.0, 30.0, b.size)
    a = scale[:, None] * a * scale
    x, spent = conjugate_gradients(
        lambda v: a @ v, b, rtol=rtol, precondition=lambda v: v / scale**2, maxiter=300
    )
    # The recursion of the residual drifts from the residual by rounding, here of a matrix of condition 1e4.
    assert np.linalg.norm(a @ x - b) <= rtol * np.linalg.norm(b) + 1e-12 * np.linalg.norm(a) * np.linalg.norm(
        x
    )
    assert spent < 60


def test_conjugate_gradients_need_no_product_for_zero_and_stop_at_the_cap():
    a, b = _system(2, positive=True)
    assert (
        conjugate_gradients(lambda v: a @ v, 0.0 * b, rtol=1e-3, precondition=lambda v: v, maxiter=9)[1] == 0
    )
    assert conjugate_gradients(lambda v: a @ v, b, rtol=1e-12, precondition=lambda v: v, maxiter=2)[1] == 2


@pytest.mark.parametrize("restart", [8, 60])
@pytest.mark.parametrize("rtol", [1e-2, 1e-10])
def test_gmres_ends_at_the_residual_asked_for(rtol, restart):
    a, b = _system(3)
    products = []

    def product(v):
        products.append(v)
        return a @ v

    x = gmres(product, b, rtol=rtol, restart=restart, cycles=20)
    assert np.linalg.norm(a @ x - b) <= rtol * np.linalg.norm(b) * (1.0 + 1e-6)
    if rtol == 1e-2:
        # It ends when it is there: 60 products would solve the system exactly.
        assert len(products) < 30


def test_gmres_with_a_preconditioner_solves_the_same_equation():
    a, b = _system(4)
    scale = np.linspace(1.0, 1e3, b.size)
    a = a * scale
    x = gmres(lambda v: a @ v, b, rtol=1e-10, precondition=lambda v: v / scale)
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-7)


def test_gmres_finds_what_a_small_space_holds():
    # One product spans the space of an eigenvector: the basis cannot grow and the answer is exact.
    b = np.array([3.0, 0.0, 0.0])
    np.testing.assert_allclose(gmres(lambda v: 2.0 * v, b, rtol=1e-12), [1.5, 0.0, 0.0])
    assert not np.any(gmres(lambda v: 0.0 * v, b, rtol=1e-12))


def test_the_last_step_ends_far_below_the_tolerance_unless_less_is_enough():
    wanted = np.linspace(1.0, 5.0, 60)

    def residual(enough):
        found = damped_newton(
            np.ones(60),
            lambda x: (x**2 - wanted, x),
            lambda x: lambda y: 2.0 * x * y,
            tolerance=1e-4,
            enough=enough,
        )
        assert found.solved
        return found.residual

    # The step before it ended at 4e-4, whose square this is.
    assert residual(0.0) < 2e-7
    assert 1e-6 < residual(1e-5) < 1e-5


def test_newton_takes_the_slope_as_a_matrix_or_as_its_products():
    a = np.array([[3.0, 1.0, 0.0], [0.5, 4.0, 1.0], [0.0, 1.0, 5.0]])

    def root(linear):
        found = damped_newton(np.ones((1, 3)), lambda x: (x @ a.T + x**3 - 2.0, x), linear, tolerance=1e-12)
        assert found.solved
        return found.x

    def matrix(x):
        return a + np.diag(3.0 * x[0] ** 2)

    np.testing.assert_allclose(root(matrix), root(lambda x: lambda y: matrix(x) @ y), rtol=0, atol=1e-12)
