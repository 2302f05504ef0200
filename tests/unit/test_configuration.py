"""Configurations: wrapping, scaling, random starts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cginit.configuration import Configuration, Trajectory, close_pairs, random_configuration
from cginit.errors import InputError
from cginit.units import ANGSTROM_KCAL, LJ, NM_KJ

EDGES = st.floats(0.1, 1e3)


@settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is no bug
@given(
    positions=arrays(np.float64, (3, 3), elements=st.floats(-1e4, 1e4)),
    box=st.tuples(EDGES, EDGES, EDGES),
)
def test_positions_are_wrapped_by_whole_boxes(positions, box):
    configuration = Configuration(positions, np.array(box), units=LJ)
    rounding = 4e-16 * (1e4 + np.array(box))  # of the largest number that takes part
    assert np.all(np.abs(configuration.positions) <= 0.5 * configuration.box + rounding)
    periods = (positions - configuration.positions) / configuration.box
    np.testing.assert_allclose(periods, np.round(periods), atol=1e-10 + 1e-11 / min(box))


def test_arrays_are_copied_and_read_only():
    positions, box = np.zeros((2, 3)), np.ones(3)
    configuration = Configuration(positions, box, units=LJ)
    positions[0], box[0] = 0.3, 5.0
    assert np.all(configuration.positions == 0.0)
    assert np.all(configuration.box == 1.0)
    with pytest.raises(ValueError, match="read-only"):
        configuration.positions[0] = 1.0


@pytest.mark.parametrize(
    ("positions", "box", "words"),
    [
        (np.zeros((2, 3)), [1.0, 1.0, 0.0], "three positive edges"),
        (np.zeros((2, 3)), [1.0, 1.0], "three positive edges"),
        (np.zeros((1, 3)), [1.0, 1.0, 1.0], "n >= 2"),
        (np.zeros((2, 2)), [1.0, 1.0, 1.0], r"shape \(n, 3\)"),
        (np.full((2, 3), np.nan), [1.0, 1.0, 1.0], "not finite"),
    ],
)
def test_what_is_no_configuration_is_refused(positions, box, words):
    with pytest.raises(InputError, match=words):
        Configuration(positions, box, units=LJ)


def test_units_and_density_scale():
    start = random_configuration(50, 30.0, seed=1, units=NM_KJ)
    angstrom = start.to(ANGSTROM_KCAL)
    np.testing.assert_allclose(angstrom.positions, 10.0 * start.positions, rtol=1e-12)
    assert angstrom.density == pytest.approx(0.03, rel=1e-12)
    assert start.at_density(15.0).density == pytest.approx(15.0, rel=1e-12)
    assert start.to(NM_KJ) is start


def closest(configuration: Configuration) -> float:
    nearest = np.inf
    for k in range(configuration.n - 1):
        apart = configuration.positions[k + 1 :] - configuration.positions[k]
        apart -= configuration.box * np.round(apart / configuration.box)
        nearest = min(nearest, float(np.min(np.linalg.norm(apart, axis=1))))
    return nearest


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "density"), [(2, 0.001), (64, 0.1), (500, 0.85), (500, 3.0), (2_000, 33.0)])
def test_random_beads_keep_their_distance(n, density, seed):
    start = random_configuration(n, density, seed=seed, units=LJ)
    assert start.n == n
    assert start.density == pytest.approx(density, rel=1e-12)
    wanted = min(0.8 * density ** (-1.0 / 3.0), 0.49 * start.box[0])
    assert closest(start) > 0.98 * wanted * (1.0 - 1e-5)  # it works in single precision


def test_a_smaller_separation_is_enough_for_soft_particles():
    start = random_configuration(500, 3.0, seed=1, units=LJ, separation=0.2)
    assert 0.98 * 0.2 * (1.0 - 1e-5) < closest(start) < 0.4


def test_seeds_make_starts():
    first, again, other = (random_configuration(100, 0.5, seed=seed, units=LJ) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.positions, again.positions)
    assert not np.any(first.positions == other.positions)


def test_trajectories_are_checked():
    with pytest.raises(InputError, match=r"shape \(m, n, 3\)"):
        Trajectory(np.zeros((5, 3)), np.ones(3), units=LJ)
    trajectory = Trajectory(np.zeros((4, 5, 3)), np.full(3, 2.0), units=LJ)
    assert (len(trajectory), trajectory.n, trajectory.density) == (4, 5, 5 / 8)
    assert trajectory.positions.dtype == np.float32
    assert not trajectory.positions.flags.writeable


def test_a_seed_has_kept_its_start():
    # In single precision to the last digit: a refinement that is repeated from its seed begins as it did.
    start = random_configuration(300, 0.9, seed=7, units="lj")
    expected = [
        [0.920351505279541, 2.7453017234802246, 1.9234981536865234],
        [-0.08477520942687988, 0.8233036994934082, 2.216404914855957],
        [0.28820180892944336, 0.7408585548400879, -2.816715717315674],
    ]
    np.testing.assert_array_equal(start.positions[[0, 150, 299]], expected)


@pytest.mark.parametrize("reach", [0.4, 1.0, 1.5])
def test_close_pairs_are_those_of_a_loop_over_all(reach):
    rng = np.random.default_rng(4)
    box = np.array([3.0, 4.0, 5.0])
    positions = rng.uniform(-6.0, 6.0, (60, 3))
    apart = positions[None] - positions[:, None]
    apart -= box * np.round(apart / box)
    near = np.argwhere(np.triu(np.linalg.norm(apart, axis=-1) < reach, 1))
    pairs, vectors = close_pairs(positions, box, reach)
    np.testing.assert_array_equal(pairs, near)
    np.testing.assert_allclose(vectors, apart[tuple(near.T)], atol=1e-14)
    assert len(pairs) > 0


def test_close_pairs_beyond_half_the_box_are_refused():
    with pytest.raises(InputError, match="twice that"):
        close_pairs(np.zeros((2, 3)), np.full(3, 2.0), 1.1)
