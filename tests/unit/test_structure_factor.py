"""S(k) at many small k: counted, carried with a target, and weighed with g by the inversion."""

from dataclasses import replace

import numpy as np
import pytest

from cginit import RDF, StatePoint, guess, read_rdf, write_rdf
from cginit.configuration import Trajectory
from cginit.curves import StructureFactor
from cginit.errors import InputError
from cginit.guess.integral_equation import IntegralEquation
from cginit.guess.network import NetworkGuess
from cginit.liquid import invert, invert_with_structure_factor, solve
from cginit.sampling import WaveVectors, density_waves, structure_factor

DENSITY, R = 0.8, np.linspace(0.0, 5.0, 101)[1:]
K = np.linspace(0.6, 6.0, 13)
#: Relative error of S(k): that of some 250 frames of four waves.
PART = 0.03


def ramp(r):
    """A long-ranged repulsion with a core, smooth at its end at 4."""
    inside = np.clip(1.0 - (r / 4.0) ** 2, 0.0, None) ** 3
    return 6.0 * inside + 4.0 * np.exp(-((r / 0.6) ** 2))


@pytest.fixture(scope="module")
def fluid():
    """HNC solution for the ramp: g with the noise of a simulation and its error, and S(k) with its own."""
    rng = np.random.default_rng(3)
    fine = np.linspace(0.0, 16.0, 1281)
    found = solve(fine, ramp(fine), DENSITY)
    exact = np.interp(R, found.r, found.g)
    error = 0.004 * np.sqrt(exact) / R
    noisy = np.maximum(exact + error * rng.standard_normal(R.size), 0.0)
    s = np.interp(K, found.k, found.s_k)
    waves = StructureFactor(K, s * (1.0 + PART * rng.standard_normal(K.size)), PART * s, units="lj")
    return noisy, error, waves


def deviation(found, waves):
    """Return the root mean square deviation of S(k), in standard errors."""
    s = np.interp(waves.k, found.k, found.s_k)
    return float(np.sqrt(np.mean(((s - waves.s) / waves.error) ** 2)))


def test_the_potential_that_noise_hides_comes_back(fluid):
    g, error, waves = fluid
    alone = invert(R, g, DENSITY, error=error)
    both = invert_with_structure_factor(R, g, DENSITY, waves, error=error)
    # S(0) is 0.0036, which the noise of g hides; with S(k) the solution is within the errors of both.
    assert deviation(alone, waves) > 10.0
    assert deviation(both, waves) < 1.5
    shown = g > 0.05
    assert np.sqrt(np.mean(((both.h + 1.0 - g)[shown] / error[shown]) ** 2)) < 1.5
    # The closure is that which made g, and only noise is left.
    mean = [float(np.mean(np.abs(x.u - ramp(R))[shown])) for x in (alone, both)]
    assert mean[1] < 0.1 < 1.0 < mean[0]


def test_errors_weigh_the_two(fluid):
    g, error, waves = fluid
    alone = invert(R, g, DENSITY, error=error)
    vague = replace(waves, error=1e3 * waves.s)
    assert invert_with_structure_factor(R, g, DENSITY, vague, error=error).u == pytest.approx(
        alone.u, abs=0.02
    )
    # Where S(k) is sharp, at another value than it has, g gives way within its noise.
    keep = waves.k <= 1.6
    few = replace(waves, k=waves.k[keep], s=waves.s[keep], error=waves.error[keep])
    other = replace(few, s=1.5 * few.s, error=0.01 * few.s)
    found = invert_with_structure_factor(R, g, DENSITY, other, error=error)
    assert np.interp(few.k, found.k, found.s_k) == pytest.approx(other.s, rel=0.05)


def test_an_exact_g_stays_as_it_is(fluid):
    waves = fluid[2]
    soft = np.exp(-0.1 * np.exp(-(R**2)))
    zero = np.zeros(R.size)
    exact = invert_with_structure_factor(R, soft, 0.1, waves, error=zero)
    assert np.array_equal(exact.u, invert(R, soft, 0.1, error=zero).u)


@pytest.mark.parametrize("start", [0.0, 0.025])
def test_every_grid_has_an_answer(fluid, start):
    g, error, waves = fluid
    r = start + 0.05 * np.arange(90)
    curve, spread = np.interp(r, R, g), np.interp(r, R, error)
    found = invert_with_structure_factor(r, curve, DENSITY, waves, error=spread)
    assert deviation(found, waves) < 1.5


def test_a_core_that_the_grid_leaves_out_is_core():
    core = np.where(R < 0.899, 0.0, 1.0)
    error = np.full(R.size, 0.01)
    waves = StructureFactor([0.6, 1.2], [0.69, 0.71], [0.02, 0.02], units="lj")
    whole = invert_with_structure_factor(R, core, 0.1, waves, error=error)
    part = slice(9, None)
    found = invert_with_structure_factor(R[part], core[part], 0.1, waves, error=error[part])
    assert found.r == pytest.approx(R[part])
    # Newton's method ends a thousandth of the likelihood from its end.
    assert found.c == pytest.approx(whole.c[part], abs=1e-3)
    alone = invert(R, core, 0.1, error=error)
    assert np.interp(0.6, found.k, found.s_k) < np.interp(0.6, alone.k, alone.s_k) - 0.005


def test_the_guess_takes_it_in_any_unit(fluid):
    g, error, waves = fluid
    target = RDF(R, g, error, units="lj", structure_factor=waves)
    state = StatePoint(DENSITY, 1.0)
    known = guess(target, state, "hnc", 4.0)
    alone = guess(replace(target, structure_factor=None), state, "hnc", 4.0)
    shown = known.r > 0.5
    assert np.mean(np.abs(known.u - ramp(known.r))[shown]) < 0.2
    assert np.mean(np.abs(alone.u - ramp(alone.r))[shown]) > 0.8
    length = 0.4
    real = RDF(
        R * length,
        g,
        error,
        units="nm-kJ/mol",
        structure_factor=replace(waves.scaled(length), units="nm-kJ/mol"),
    )
    found = guess(real, StatePoint(DENSITY / length**3, 2.5, "nm-kJ/mol"), "hnc", 4.0 * length)
    assert found.u / 2.5 == pytest.approx(known.u, abs=1e-6)


def test_it_travels_with_g(tmp_path):
    waves = StructureFactor([0.62, 0.9], [0.0123, 0.02], [0.0004, 0.0005], units="nm-kJ/mol")
    curve = RDF(np.arange(5) * 0.1, np.ones(5), units="nm-kJ/mol", structure_factor=waves)
    for name in ("g.dat", "g.csv"):
        back = read_rdf(write_rdf(curve, tmp_path / name)).structure_factor
        assert back is not None
        assert back.rows() == waves.rows()
    angstrom = curve.to("angstrom-kcal/mol")
    assert angstrom.structure_factor.k == pytest.approx(waves.k / 10.0, rel=1e-12)
    assert angstrom.truncated(3.0).with_core().structure_factor is angstrom.structure_factor
    assert curve.reduced(0.1).structure_factor.k == pytest.approx(0.1 * waves.k, rel=1e-12)
    assert curve.smallest_wave.s == 0.0123


@pytest.mark.parametrize("line", ["1 2", "1 0.5 x", "0.5 -1 0.1", "0.5 0.1 -1"])
def test_a_header_that_is_wrong_is_refused(tmp_path, line):
    path = tmp_path / "g.dat"
    path.write_text(f"# cginit: units = lj\n# cginit: structure_factor = {line}\n0.5 0\n1 1\n1.5 1\n")
    with pytest.raises(InputError, match=r"structure_factor.*g\.dat|g\.dat.*structure_factor"):
        read_rdf(path)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (([0.5, 0.4], [1, 1], [0, 0]), "increase"),
        (([0.5], [1, 1], [0, 0]), "as many"),
        (([-0.5], [1], [0]), "0 or more"),
        (([0.5], [0], [0]), "positive"),
        (([0.5], [1], [-1]), "negative"),
        (([], [], []), "at least one"),
    ],
)
def test_impossible_values_are_refused(arrays, words):
    with pytest.raises(InputError, match=words):
        StructureFactor(*arrays, units="lj")


def test_units_must_be_those_of_g():
    waves = StructureFactor([0.5], [1.0], [0.1], units="nm-kJ/mol")
    with pytest.raises(InputError, match="convert"):
        RDF(np.arange(5) * 0.1, np.ones(5), units="lj", structure_factor=waves)


def test_the_waves_are_those_of_the_sum_over_beads():
    rng = np.random.default_rng(5)
    box = np.array([[5.0, 0.0, 0.0], [1.0, 4.0, 0.0], [0.0, -1.0, 6.0]])
    beads = rng.uniform(0.0, 4.0, (60, 3))
    waves = WaveVectors.of(box, 4.0)
    one_k, one_s = waves.count(beads, box)
    k, s = waves.mean(one_k), waves.mean(one_s)
    vectors = 2.0 * np.pi * waves.numbers @ np.linalg.inv(box).T
    whole = np.abs(np.exp(-1j * vectors @ beads.T).sum(axis=1)) ** 2 / 60
    for shell in range(k.size):
        mine = waves.shells == shell
        assert s[shell] == pytest.approx(whole[mine].mean(), rel=1e-4)
        assert k[shell] == pytest.approx(np.linalg.norm(vectors[mine], axis=1).mean(), rel=1e-12)
    # Increasing, up to the end, and no vector twice, not even with its opposite.
    assert np.all(np.diff(k) > 0.0)
    assert k[-1] <= 4.0
    both = np.concatenate([waves.numbers, -waves.numbers])
    assert len(np.unique(both, axis=0)) == len(both)
    # Beads may be anywhere, for all that is the same in a periodic box.
    moved = beads + rng.integers(-2, 3, (60, 3)) @ box
    assert waves.count(moved, box)[1] == pytest.approx(one_s, rel=1e-4)


def test_of_a_cube_the_first_shell_is_its_three_edges():
    beads = np.random.default_rng(6).uniform(0.0, 5.0, (80, 3))
    box = 5.0 * np.eye(3)
    found = WaveVectors.of(box, 0.1)
    assert len(found) == 3
    assert found.count(beads, box)[1].mean() == pytest.approx(density_waves(beads, box)[1].mean(), rel=1e-5)


def test_errors_are_those_of_the_gas():
    """Of an ideal gas S = 1 at every k, with the error of exponential numbers: chi^2 is at most that, and half."""
    gas = np.random.default_rng(7).uniform(-4.0, 4.0, (200, 100, 3)).astype(np.float32)
    found = structure_factor(Trajectory(gas, [8.0] * 3, units="lj"), 5.0)
    many = len(found)
    chi = float(np.sum(((found.s - 1.0) / found.error) ** 2))
    # The largest of three errors, the true one among them: less than 1 a point, within four sigma of chi^2.
    assert 0.5 * many - 4.0 * np.sqrt(many) < chi < many + 4.0 * np.sqrt(2.0 * many)
    exact = 1.0 / np.sqrt(WaveVectors.of(8.0 * np.eye(3), 5.0).sizes * 200)
    assert np.all(found.error >= found.s * exact * (1.0 - 1e-9))
    assert np.median(found.error / exact) < 1.5
    with pytest.raises(InputError, match="blocks"):
        structure_factor(Trajectory(gas[:3], [8.0] * 3, units="lj"), 5.0)


def test_the_forward_map_leaves_such_a_fluid_alone(fluid):
    g, error, waves = fluid
    # The shortest wave that it was not trained on decides, not what the rest of S(k) says.
    low = replace(waves, s=waves.s * 0.004 / waves.s[0], error=waves.error * 0.004 / waves.s[0])
    target = RDF(R, g, error, units="lj", structure_factor=low)
    found = guess(target, StatePoint(DENSITY, 1.0), "polished", 4.0)
    assert any(note.startswith("the guess was not polished: S(k) is 0.004") for note in found.notes)
    known = guess(target, StatePoint(DENSITY, 1.0), "network", 4.0)
    assert np.array_equal(found.u, known.u)


def test_s_of_k_of_another_liquid_is_left_out(fluid):
    g, error, waves = fluid
    # Twelve of thirteen values are right to 3 %, and one is twice what it should be: 9 errors off in the mean.
    s = waves.s.copy()
    s[5] *= 2.0
    other = replace(waves, s=s)
    target = RDF(R, g, error, units="lj", structure_factor=other)
    found = invert_with_structure_factor(R, g, DENSITY, other, error=error)
    assert np.array_equal(found.u, invert(R, g, DENSITY, error=error).u)
    for method in ("hnc", "network"):
        potential = guess(target, StatePoint(DENSITY, 1.0), method, 4.0)
        assert any(note.startswith("S(k) was left out") for note in potential.notes)


def test_far_out_the_network_adds_nothing_to_the_closure(fluid):
    g, error, waves = fluid
    target, state = RDF(R, g, error, units="lj", structure_factor=waves), StatePoint(DENSITY, 1.0)
    methods = NetworkGuess("bridge", fallback=False), IntegralEquation("hnc")
    network, hnc = (method(target, state, 4.5) for method in methods)
    unknown = replace(target, structure_factor=None)
    alone, closure = (method(unknown, state, 4.5) for method in methods)
    far = network.r > 3.0
    assert np.max(np.abs(g - 1.0)[R > 3.0]) < 0.03
    # Without S(k) the network mends by several tenths of kT what the noise of g hides there.
    assert np.max(np.abs(network.u - hnc.u)[far]) < 0.05 < np.max(np.abs(alone.u - closure.u)[far])


def test_a_liquid_that_does_not_move_knows_s_of_k_by_its_vectors_only():
    one = np.random.default_rng(8).uniform(-4.0, 4.0, (1, 400, 3)).astype(np.float32)
    frozen = Trajectory(np.repeat(one, 50, axis=0), [8.0] * 3, units="lj")
    found = structure_factor(frozen, 5.0)
    # S of a vector of one configuration is an exponential number: 24 of them leave a fifth, 50 times the same or not.
    full = WaveVectors.of(8.0 * np.eye(3), 5.0).sizes == 24
    assert np.median((found.error / found.s)[full]) == pytest.approx(1.0 / np.sqrt(24.0), rel=0.25)
    # Of these some ten values chi^2 is below 27 in 99 % of cases for ten; errors from time alone would make it huge.
    assert np.sum(((found.s - 1.0) / found.error)[full] ** 2) < 3.0 * np.count_nonzero(full)
