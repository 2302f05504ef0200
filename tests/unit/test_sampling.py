"""g(r), pressure, block errors and the health of a run, on configurations whose answers are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import stdtrit

from cginit import sampling
from cginit.configuration import Trajectory
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.state import StatePoint
from cginit.units import LJ

FALSE_ALARM = 1e-4  # chance that a statistical test of this file would fail with another seed


def ideal_gas(frames: int = 200, n: int = 300, edge: float = 8.0, seed: int = 1) -> Trajectory:
    positions = np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, n, 3)) * edge
    return Trajectory(positions.astype(np.float32), np.full(3, edge), units=LJ)


def still(positions, edge, frames: int = 20, shake: float = 0.0) -> Trajectory:
    rng = np.random.default_rng(5)
    positions = np.asarray(positions) + shake * rng.standard_normal((frames, *np.shape(positions)))
    return Trajectory(positions.astype(np.float32), np.broadcast_to(edge, 3), units=LJ)


def test_ideal_gas_has_g_of_one():
    g = sampling.rdf(ideal_gas(), dr=0.2, blocks=20)
    assert g.r[-1] == pytest.approx(3.8)  # the last whole bin within half the box
    # The point at 0 repeats its neighbour; independent bins, t-distributed with 19 degrees of freedom.
    t = (g.g[1:] - 1.0) / g.error[1:]
    assert np.max(np.abs(t)) < stdtrit(19, 1.0 - 0.5 * FALSE_ALARM / t.size)
    # The variance of t is 19/17; a chi^2 of 19 such values is within 5 of its own standard deviations, some
    # sqrt(2.6 * 19), of its mean. Errors too small or too large by half would not be.
    assert abs(np.sum(t**2) - t.size * 19 / 17) < 5.0 * np.sqrt(2.6 * t.size)


@pytest.mark.parametrize(("offset", "dr", "hit"), [(0.0, 0.1, 13), (0.05, 0.1, 12), (0.02, 0.3, 4)])
def test_a_known_pair_fills_one_bin(offset, dr, hit):
    # The distance 1.28 spans the periodic boundary.
    edge, distance = 6.0, 1.28
    pair = np.array([[0.5 * edge - 0.4, 1.0, -1.0], [-0.5 * edge + 0.88, 1.0, -1.0]])
    g = sampling.rdf(still(pair, edge), dr=dr, offset=offset)
    assert np.flatnonzero(g.g).tolist() == [hit]
    r = g.r[hit]
    assert abs(r - distance) <= 0.5 * dr
    # One pair: the expected number in the shell is its part of the volume. Bins are found in single precision.
    shell = 4.0 / 3.0 * np.pi * ((r + 0.5 * dr) ** 3 - (r - 0.5 * dr) ** 3)
    assert g.g[hit] == pytest.approx(edge**3 / shell, rel=1e-5)
    # Every frame is the same.
    np.testing.assert_allclose(g.error, 0.0, atol=1e-9)


def test_bins_may_end_at_half_the_box():
    g = sampling.rdf(ideal_gas(frames=20), dr=0.2, offset=0.1)
    assert g.r[-1] == pytest.approx(3.9)
    np.testing.assert_allclose(g.g[-5:], 1.0, atol=0.03)  # some 5e4 pairs a bin: 0.5 %, six times


def test_a_box_may_be_given_as_a_matrix():
    gas = ideal_gas(frames=20)
    edges = sampling.rdf(gas, dr=0.2, r_max=3.0)
    matrix = sampling.accumulate_rdf(
        ((frame, np.diag(gas.box)) for frame in gas.positions), 20, dr=0.2, r_max=3.0, units=LJ
    )
    np.testing.assert_allclose(matrix.g, edges.g, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dr": 0.2, "r_max": 4.1}, "half the box"),
        ({"dr": 0.2, "blocks": 30}, "20 frames cannot fill 30 blocks"),
    ],
)
def test_what_cannot_be_sampled_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        sampling.rdf(ideal_gas(frames=20), **arguments)


def test_block_errors_of_correlated_samples():
    # AR(1), x_k = phi x_(k-1) + noise of variance 1: the mean of n samples has the variance
    # 1 / (n (1 - phi)^2) for n much longer than the correlation time of 20 samples.
    from scipy.signal import lfilter

    phi, n, runs = 0.95, 20_000, 200
    noise = np.random.default_rng(2).standard_normal((runs, n + 1_000))
    series = lfilter([1.0], [1.0, -phi], noise, axis=1)[:, 1_000:]
    exact = 1.0 / (n * (1.0 - phi) ** 2)
    estimates = np.array([sampling.block_mean(row, 10).error ** 2 for row in series])
    # 200 estimates of 9 degrees of freedom: sqrt(2/1800) = 3.3 %, five times; correlation between blocks of 2000
    # samples is good for 2 % more. Taking the samples as independent would give 1/39 of it.
    assert np.mean(estimates) == pytest.approx(exact, rel=0.19)
    means = np.array([sampling.block_mean(row, 10).value for row in series])
    assert np.var(means) == pytest.approx(exact, rel=0.5)  # 200 values: sqrt(2/200) = 10 %, five times


def test_blocks_leave_out_the_beginning_where_they_do_not_fit():
    assert sampling.block_mean([100.0, 1.0, 1.0, 2.0, 2.0], 2).value == pytest.approx(1.5)
    with pytest.raises(InputError, match="3 samples cannot fill 5 blocks"):
        sampling.block_mean([1.0, 2.0, 3.0], 5)


def test_pressure_of_a_pair():
    # U = 25/2 (1 - r)^2 on a grid that a cubic spline reproduces: r F = 25 r (1 - r).
    r = np.linspace(0.0, 1.0, 41)
    potential = PairPotential(r, 12.5 * (1.0 - r) ** 2, units=LJ)
    pair = [[1.9, 0.0, 0.0], [-1.7, 0.0, 0.0]]  # 0.4 apart through the boundary
    result = sampling.virial_pressure(still(pair, 4.0), potential, StatePoint(2 / 64, 2.0))
    # Positions have 7 digits.
    assert result.value == pytest.approx(2 / 64 * 2.0 + 25.0 * 0.4 * 0.6 / (3.0 * 64.0), rel=1e-5)
    assert result.error == pytest.approx(0.0, abs=1e-9)


def test_pressure_of_an_ideal_gas_under_a_potential_is_the_mean_field():
    # Uncorrelated positions: P - rho kT = -(2 pi/3) rho (n-1)/V int U' r^3 dr = 2 pi rho (n-1)/V int U r^2 dr.
    gas = ideal_gas(frames=100)
    r = np.linspace(0.0, 2.0, 101)
    potential = PairPotential(r, (1.0 - (r / 2.0) ** 2) ** 2, units=LJ)
    volume, n = np.prod(gas.box), gas.n
    integral = 8.0 * (1 / 3 - 2 / 5 + 1 / 7)
    exact = gas.density + 2.0 * np.pi * gas.density * (n - 1) / volume * integral
    result = sampling.virial_pressure(gas, potential, StatePoint(gas.density, 1.0), blocks=20)
    assert abs(result.value - exact) < stdtrit(19, 1.0 - 0.5 * FALSE_ALARM) * result.error
    assert result.error < 0.01 * exact


def test_structure_factor_of_an_ideal_gas_is_one():
    s = sampling.low_k_structure_factor(ideal_gas())
    # Averages of exponential variates, 60 a block: nearly normal, nine degrees of freedom.
    assert abs(s.value - 1.0) < stdtrit(9, 1.0 - 0.5 * FALSE_ALARM) * s.error
    assert 0.01 < s.error < 0.1  # 1/sqrt(600) = 0.04


def lattice(basis, cells: int, constant: float) -> tuple[np.ndarray, float]:
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    edge = cells * constant
    return ((corners + np.array(basis)).reshape(-1, 3) + 0.25) * constant - 0.5 * edge, edge


FCC = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
CRYSTALS = {"simple cubic": ([[0, 0, 0]], 7, 1.0), "fcc": (FCC, 5, 1.6)}


def reasons(trajectory: Trajectory, energy=None) -> str:
    g = sampling.rdf(trajectory, dr=0.1, blocks=5)
    return " ".join(sampling.examine(trajectory, g, energy).reasons)


@pytest.mark.parametrize("name", CRYSTALS)
def test_a_crystal_is_told(name):
    # Vibrations of a tenth of the spacing, Lindemann's limit, where crystals melt.
    positions, edge = lattice(*CRYSTALS[name])
    assert "crystal:" in reasons(still(positions, edge, shake=0.1))


def test_a_gas_is_healthy():
    gas = ideal_gas(frames=20)
    health = sampling.examine(gas, sampling.rdf(gas, dr=0.2, blocks=5), np.zeros(20))
    assert health.ok
    assert health.reasons == ()
    assert 0.3 < health.s_k_min < 1.7  # 60 exponential variates: 1 +- 0.13, five times


def test_two_phases_are_told():
    rng = np.random.default_rng(3)
    positions = rng.uniform(-0.5, 0.5, (20, 300, 3)) * 8.0
    positions[..., 2] *= 0.5  # a slab in half of the box
    slab = Trajectory(positions.astype(np.float32), np.full(3, 8.0), units=LJ)
    told = reasons(slab)
    assert told.count("inhomogeneous:") == 2  # by S(k_min), and by g that is not 1 at half the box


def test_clusters_are_told():
    rng = np.random.default_rng(4)
    centres = rng.uniform(-0.5, 0.5, (10, 1, 3)) * 8.0
    positions = centres + 0.2 * rng.standard_normal((10, 30, 3))
    assert "inhomogeneous:" in reasons(still(positions.reshape(-1, 3), 8.0))


def test_drift_is_told_and_noise_is_not():
    gas = ideal_gas(frames=20)
    noise = np.random.default_rng(6).standard_normal(400)
    assert reasons(gas, 10.0 + 0.1 * noise) == ""
    assert "not equilibrated:" in reasons(gas, 10.0 + 0.1 * noise + np.linspace(0.0, 1.0, 400))


def test_g_that_is_not_one_far_out_is_told_only_at_half_the_box():
    gas = ideal_gas(frames=20)
    g = sampling.rdf(gas, dr=0.2, blocks=5)
    raised = RDF(g.r, g.g * 1.2, g.error, units=LJ)
    assert not sampling.examine(gas, raised).ok
    assert sampling.examine(gas, raised.truncated(2.0)).ok


@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_pair_counts_give_the_same_g(offset):
    gas = ideal_gas(frames=40)
    counted = sampling.count_pairs(gas, dr=0.2, r_max=3.6 + offset, offset=offset)
    direct = sampling.rdf(gas, dr=0.2, r_max=3.6 + offset, offset=offset)
    g = counted.rdf()
    # The same counts, normalised twice.
    np.testing.assert_allclose(g.g, direct.g, rtol=1e-12)
    np.testing.assert_allclose(g.error, direct.error, rtol=1e-4, atol=1e-6)
    assert counted.counts.dtype == np.int32


def test_weighted_counts_are_the_counts_of_the_chosen_frames():
    gas = ideal_gas(frames=40)
    counted = sampling.count_pairs(gas, dr=0.2, r_max=3.6)
    chosen = (np.arange(40) % 2).astype(float)
    half = sampling.count_pairs(Trajectory(gas.positions[1::2], gas.box, units=LJ), dr=0.2, r_max=3.6)
    np.testing.assert_allclose(counted.rdf(chosen).g, half.rdf().g, rtol=1e-12)
    np.testing.assert_allclose(counted.rdf(chosen).error, half.rdf().error, rtol=1e-9)


def test_what_was_counted_before_is_not_counted_again():
    gas = ideal_gas(frames=20)
    kinds = {"units": LJ, "types": np.arange(gas.n) % 2, "species": ("A", "B")}
    whole, part = (Trajectory(frames, gas.box, **kinds) for frames in (gas.positions, gas.positions[:7]))
    known, all_at_once = (sampling.count_partial_pairs(one, dr=0.2, r_max=3.6) for one in (part, whole))
    marked = {pair: dataclasses.replace(one, counts=one.counts + 1) for pair, one in known.items()}
    for pair, found in sampling.count_partial_pairs(whole, dr=0.2, r_max=3.6, before=marked).items():
        np.testing.assert_array_equal(found.counts[:7], marked[pair].counts)
        np.testing.assert_array_equal(found.counts[7:], all_at_once[pair].counts[7:])


def test_a_stream_may_change_its_box():
    # An ideal gas that breathes: g is 1 only if each frame counts with its own volume.
    gas = ideal_gas(frames=200)
    scales = np.tile([0.8, 1.25], 100)
    frames = ((frame * scale, gas.box * scale) for frame, scale in zip(gas.positions, scales, strict=True))
    g = sampling.accumulate_rdf(frames, 200, dr=0.2, r_max=3.0, units=LJ, blocks=20)
    t = (g.g[1:] - 1.0) / g.error[1:]
    assert np.max(np.abs(t)) < stdtrit(19, 1.0 - 0.5 * FALSE_ALARM / t.size)
    with pytest.raises(InputError, match="ended after 200 of 201"):
        sampling.accumulate_rdf(
            ((frame, gas.box) for frame in gas.positions), 201, dr=0.2, r_max=3.0, units=LJ
        )


def test_counts_of_one_species_are_those_of_all_frames_in_one_pass():
    gas = ideal_gas(frames=3)
    bins = sampling.Bins(0.2, 3.6)
    pairs = sampling.PairCounter(np.zeros(gas.n, dtype=int), ((0, 0),), bins)
    halves = sampling.PairCounter(np.arange(gas.n) % 2, ((0, 1), (1, 1)), bins)
    all_pairs, typed = sampling.count_each(gas, [pairs, halves])
    assert (all_pairs.shape, typed.shape) == ((1, 3, 19), (2, 3, 19))
    np.testing.assert_array_equal(all_pairs[0], sampling.count_pairs(gas, dr=0.2, r_max=3.6).counts)
    for index in range(3):
        np.testing.assert_array_equal(typed[:, index], halves.count(gas.positions[index], np.diag(gas.box)))
