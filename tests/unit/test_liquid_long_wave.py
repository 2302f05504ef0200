"""S(k) at a small k beside g(r): what it adds to the inversion, and how it travels."""

import numpy as np
import pytest

from cginit import RDF, StatePoint, guess, read_rdf, write_rdf
from cginit.curves import LongWave
from cginit.errors import ConvergenceError, InputError
from cginit.liquid import invert, invert_with_long_wave, long_wave, solve
from cginit.sampling import density_waves

DENSITY, K, R = 0.8, 0.6, np.linspace(0.0, 5.0, 101)[1:]


def ramp(r):
    """A long-ranged repulsion with a core, smooth at its end at 4."""
    inside = np.clip(1.0 - (r / 4.0) ** 2, 0.0, None) ** 3
    return 6.0 * inside + 4.0 * np.exp(-((r / 0.6) ** 2))


@pytest.fixture(scope="module")
def fluid():
    """HNC solution for the ramp: g with the noise of a simulation, its error, and S(k)."""
    fine = np.linspace(0.0, 16.0, 1281)
    found = solve(fine, ramp(fine), DENSITY)
    exact = np.interp(R, found.r, found.g)
    error = 0.004 * np.sqrt(exact) / R
    noisy = np.maximum(exact + error * np.random.default_rng(3).standard_normal(R.size), 0.0)
    return noisy, error, float(np.interp(K, found.k, found.s_k))


def test_the_potential_that_noise_hides_comes_back(fluid):
    g, error, s = fluid
    alone = invert(R, g, DENSITY, error=error)
    both = invert_with_long_wave(R, g, DENSITY, LongWave(K, s, 0.05 * s), error=error)
    found = [float(np.interp(K, x.k, x.s_k)) for x in (alone, both)]
    # S is 0.0036: the entropy makes of the noise a fluid that is several times too compressible.
    assert found[0] > 2.0 * s
    # The search ends within the error.
    assert found[1] == pytest.approx(s, rel=0.05)
    shown = g > 0.05
    mean = [float(np.mean(np.abs(x.u - ramp(R))[shown])) for x in (alone, both)]
    assert mean[1] < 0.5 * mean[0]


def test_an_inversion_that_agrees_stays_as_it_is(fluid):
    g, error, _ = fluid
    alone = invert(R, g, DENSITY, error=error)
    s = float(np.interp(K, alone.k, alone.s_k))
    same = invert_with_long_wave(R, g, DENSITY, LongWave(K, 1.04 * s, 0.05 * s), error=error)
    assert np.array_equal(same.u, alone.u)


@pytest.mark.slow
def test_without_a_solution_the_reason_is_that_of_the_inversion(monkeypatch):
    # Without errors all weights of them are the same, and each takes a second to fail.
    monkeypatch.setattr(long_wave, "FACTORS", (0.0, 0.5))
    # g = 0 up to 2 at density 1 would mean a structure factor that is negative.
    impossible = np.where(R < 2.0, 0.0, 1.0)
    zero = np.zeros(R.size)
    with pytest.raises(ConvergenceError) as reason:
        invert(R, impossible, 1.0, error=zero)
    with pytest.raises(ConvergenceError) as other:
        invert_with_long_wave(R, impossible, 1.0, LongWave(K, 0.1, 0.01), error=zero)
    assert str(other.value) == str(reason.value)


def test_a_guess_uses_it_in_any_units(fluid):
    g, error, s = fluid
    target = RDF(R, g, error, units="lj", long_wave=LongWave(K, s, 0.05 * s))
    state = StatePoint(DENSITY, 1.0, "lj")
    without = guess(RDF(R, g, error, units="lj"), state, "hnc", 4.5)
    found = guess(target, state, "hnc", 4.5)
    shown = found.r >= 1.0
    off = [np.abs(x.u - ramp(x.r))[shown].mean() for x in (without, found)]
    assert off[1] < 0.5 * off[0]

    length, energy = 0.34, 2.5
    real = RDF(R * length, g, error, units="nm-kJ/mol", long_wave=target.long_wave.scaled(length))
    other = guess(real, StatePoint(DENSITY / length**3, energy, "nm-kJ/mol"), "hnc", 4.5 * length)
    # The same problem up to rounding, which the Newton iteration ends at (1e-9 of r h).
    assert other.u / energy == pytest.approx(found.u, abs=1e-5)


def test_it_travels_in_the_file_and_through_units(tmp_path):
    wave = LongWave(0.62, 0.0123, 0.0004)
    curve = RDF(np.arange(5) * 0.1, np.ones(5), units="nm-kJ/mol", long_wave=wave)
    path = write_rdf(curve, tmp_path / "g.dat")
    assert read_rdf(path).long_wave == wave
    angstrom = read_rdf(path).to("angstrom-kcal/mol")
    assert angstrom.long_wave.k == pytest.approx(0.062, rel=1e-12)
    assert angstrom.truncated(3.0).with_core().long_wave == angstrom.long_wave
    assert curve.reduced(0.1).long_wave.k == pytest.approx(0.062, rel=1e-12)
    for wrong in ("0.62 0.0123", "0.62 -1 0.1", "a b c"):
        text = path.read_text().replace("0.62 0.0123 0.0004", wrong)
        (tmp_path / "wrong.dat").write_text(text)
        with pytest.raises(InputError, match="long_wave"):
            read_rdf(tmp_path / "wrong.dat")


def test_waves_of_two_beads():
    # Half a wave apart along x they cancel, in phase along y and z they add up.
    k, s = density_waves(np.array([[0.5, 1.0, 1.0], [3.0, 1.0, 1.0]]), np.diag([5.0, 4.0, 2.0]))
    assert k == pytest.approx(2.0 * np.pi / np.array([5.0, 4.0, 2.0]))
    assert s == pytest.approx([0.0, 2.0, 2.0], abs=1e-6)  # single precision


def test_waves_of_a_triclinic_box():
    vectors = np.array([[4.0, 0.0, 0.0], [1.0, 3.0, 0.0], [0.5, 0.7, 5.0]])
    # Moving a bead by a lattice vector changes nothing.
    beads = np.random.default_rng(5).random((20, 3)) @ vectors
    moved = beads + np.random.default_rng(6).integers(-2, 3, (20, 3)) @ vectors
    assert density_waves(moved, vectors)[1] == pytest.approx(density_waves(beads, vectors)[1], abs=1e-4)
