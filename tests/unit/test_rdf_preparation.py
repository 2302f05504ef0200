"""Targets that look right and are not: too fine, beyond half the box, another level, two phases, other units."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cginit import RDF, StatePoint
from cginit.errors import InputError
from cginit.io import check_target, prepare_target, refuse_two_phases
from cginit.io.preparation import MOST_ROWS, rebinned
from cginit.liquid.tail import half_box, kirkwood_buff, tail_level
from cginit.state import number_density

NM, ANGSTROM = "nm-kJ/mol", "angstrom-kcal/mol"


def liquid(r, sigma=1.0, decay=0.6, depth=1.8):
    """A dense liquid's g(r) in form: core, main peak near sigma, an oscillation that dies off."""
    core = 1.0 / (1.0 + np.exp(-(r - 0.95 * sigma) / (0.02 * sigma)))
    wave = np.cos(2 * np.pi * (r / sigma - 1.08)) * np.exp(-(r / sigma - 1.08) / decay)
    return core * np.maximum(1.0 + depth * wave, 0.0)


def noisy(r, g, scale, seed=0):
    """The noise of counts in shells."""
    noise = scale * np.sqrt(g) / np.maximum(r, r[1]) * np.random.default_rng(seed).normal(size=r.size)
    return np.maximum(g + noise, 0.0)


R = np.arange(0.0, 5.4, 0.04)


def outside(r, half, faces=3):
    """The part of a sphere that lies in a box whose shortest edges, of `faces` directions, are twice `half`."""
    return np.where(r > half, np.maximum(1.0 - faces * (1.0 - half / np.maximum(r, 1e-9)), 0.0), 1.0)


class TestHalfBox:
    # One pair of faces takes 6 % at 5.05, which the oscillation could as well: it is not in this list.
    @pytest.mark.parametrize(
        ("half", "faces", "seed"),
        [(2.6, 3, 0), (2.6, 1, 1), (3.7, 3, 0), (3.7, 1, 1), (4.6, 3, 1), (4.6, 1, 0), (5.05, 3, 0)],
    )
    def test_it_is_found_cut_and_said(self, half, faces, seed):
        g = noisy(R, liquid(R) * outside(R, half, faces), 0.004, seed)
        target = RDF(R, g, units="lj")
        found = half_box(R, g)
        # Two steps of the grid.
        assert found.distance == pytest.approx(half, abs=0.08)
        prepared = prepare_target(target)
        assert prepared.target.r_max < half + 0.05
        assert "half the box" in prepared.notes[0]
        with pytest.raises(InputError, match="half the box"):
            check_target(target)
        assert check_target(prepared.target) == () or "main peak" in check_target(prepared.target)[0]

    @pytest.mark.parametrize("r_max", [2.7, 3.0, 3.3, 3.6, 4.0, 5.0])
    @pytest.mark.parametrize("decay", [0.4, 0.6, 1.2])
    def test_a_good_tail_is_left_alone(self, r_max, decay):
        r = R[r_max >= R]
        for seed in range(5):
            g = noisy(r, liquid(r, decay=decay), 0.01, seed)
            assert half_box(r, g) is None
            assert prepare_target(RDF(r, g, units="lj")).notes == ()


class TestLevel:
    @pytest.mark.parametrize("factor", [0.96, 0.98, 1.02, 1.04])
    def test_it_is_noted_with_its_error_and_a_remedy(self, factor):
        target = RDF(R, factor * noisy(R, liquid(R), 0.003), units="lj")
        (note,) = check_target(target)
        level = tail_level(target.r, target.g)
        assert level.mean == pytest.approx(factor, abs=4 * level.error)
        assert f"{level.mean:.4f} ± {level.error:.4f}" in note
        distance = float(note.split("--normalise ")[1].split()[0])
        mended = prepare_target(target, normalise=distance)
        assert "divided by" in mended.remarks[0]
        assert check_target(mended.target) == ()
        np.testing.assert_allclose(mended.target.g, target.g / factor, rtol=2e-3)

    @pytest.mark.parametrize("seed", range(10))
    def test_noise_and_oscillation_are_no_level(self, seed):
        # Noise a hundred times that of a usual simulation: its error covers what it does to the level.
        for scale, decay in ((0.003, 0.6), (0.05, 0.6), (0.003, 1.5)):
            target = RDF(R, noisy(R, liquid(R, decay=decay), scale, seed), units="lj")
            assert check_target(target) == ()

    def test_few_beads_whose_bins_are_all_off_alike_have_no_other_norm(self):
        """The g of ten solutes that hardly move has a smooth tail that is off 1 by an error of each of its bins."""
        g, error = 1.03 * noisy(R, liquid(R), 0.003), np.full(R.size, 0.02)
        assert len(check_target(RDF(R, g, units="lj"))) == 1
        assert check_target(RDF(R, g, error, units="lj")) == ()
        assert len(check_target(RDF(R, g, 0.2 * error, units="lj"))) == 1

    def test_a_short_curve_is_not_judged(self):
        r = R[R < 2.8]
        assert tail_level(r, liquid(r)) is None


class TestTwoPhases:
    DROP = RDF(R, liquid(R) * (0.99 + 0.4 * np.exp(-((R / 3.0) ** 2))), units="lj")

    def test_they_are_named_and_refused(self):
        state = StatePoint(0.5, 1.0)
        assert kirkwood_buff(self.DROP.r, self.DROP.g, 0.5) > 10.0
        (note,) = check_target(self.DROP, None, state)
        assert "S(0)" in note
        assert "two phases" in note
        with pytest.raises(InputError, match=r"two phases.*larger box"):
            refuse_two_phases(self.DROP, state)

    def test_a_gas_with_large_fluctuations_is_refined(self):
        # S(0) = 1 + 4 pi rho * 0.5 * 2^3 * 2 = 3: near a critical point, and a fluid.
        gas = RDF(R, np.where(R < 1.0, 0.0, 1.0 + 0.5 * np.exp(-R)), units="lj")
        state = StatePoint(0.2, 1.0)
        assert 1.5 < kirkwood_buff(gas.r, gas.g, 0.2) < 5.0
        refuse_two_phases(gas, state)
        assert not any("two phases" in note for note in check_target(gas, None, state))

    def test_a_grid_coarser_than_the_shells_is_no_matter(self):
        r = np.array([0.0, 2.0, 4.0, 6.0, 8.0])
        refuse_two_phases(RDF(r, [0.0, 1.5, 1.0, 1.0, 1.0], units="lj"), StatePoint(0.1, 1.0))

    def test_a_liquid_is_refined(self):
        refuse_two_phases(RDF(R, liquid(R), units="lj"), StatePoint(0.8, 1.0))
        # A level that is off raises S(0) as much, but does not fall.
        refuse_two_phases(RDF(R, 1.05 * liquid(R), units="lj"), StatePoint(0.8, 1.0))


class TestBins:
    FINE = np.arange(0.0005, 4.0, 0.001)

    def test_a_fine_curve_is_rebinned_to_a_round_step(self):
        target = RDF(self.FINE, noisy(self.FINE, liquid(self.FINE), 0.02), units="lj")
        prepared = prepare_target(target)
        assert prepared.target.dr == pytest.approx(0.02)
        assert prepared.target.r.size <= MOST_ROWS
        assert prepared.notes == ()
        assert "4000 rows 0.001 sigma apart averaged over bins of 0.02 sigma" in prepared.remarks[0]
        # 20 values of 0.02/r each; four times 0.0045 covers 200 points, and the average of a peak of width 0.1 over
        # a bin of 0.02 adds some 0.003.
        far = prepared.target.r > 1.1
        np.testing.assert_allclose(prepared.target.g[far], liquid(prepared.target.r[far]), atol=0.025)

    def test_more_noise_gets_wider_bins(self):
        target = RDF(self.FINE, noisy(self.FINE, liquid(self.FINE), 0.4), units="lj")
        assert prepare_target(target).target.dr == pytest.approx(0.05)

    def test_a_usual_curve_keeps_its_own(self):
        target = RDF(R, liquid(R), units="lj")
        assert prepare_target(target).target is target

    def test_a_long_curve_is_rebinned_too(self):
        r = np.arange(0.0, 40.0, 0.02)
        prepared = prepare_target(RDF(r, liquid(r), units="lj"))
        assert prepared.target.r.size <= MOST_ROWS

    def test_the_width_can_be_chosen(self):
        target = RDF(self.FINE, liquid(self.FINE), units="lj")
        assert prepare_target(target, dr=0.0237).target.dr == pytest.approx(0.0237)
        with pytest.raises(InputError, match="narrower"):
            prepare_target(target, dr=0.0005)
        with pytest.raises(InputError, match=r"at most 600.*--dr"):
            prepare_target(target, dr=0.002)
        with pytest.raises(InputError, match="three bins"):
            prepare_target(target, dr=3.0)
        for wrong in (0.0, -0.1, float("nan")):
            with pytest.raises(InputError, match="positive width"):
                prepare_target(target, dr=wrong)

    @pytest.mark.parametrize("dr", [0.05, 0.0237, 0.011])
    @pytest.mark.parametrize("start", [0.0, 0.005, 0.9])
    def test_counts_are_conserved(self, dr, start):
        r = start + np.arange(200) * 0.01
        rng = np.random.default_rng(4)
        target = RDF(r, rng.exponential(size=200), np.full(200, 0.1), units="lj")
        coarse = rebinned(target, dr)

        def counts(curve, upper):
            whole = curve.with_core()
            low = np.maximum(whole.r - 0.5 * whole.dr, 0.0)
            high = np.minimum(whole.r + 0.5 * whole.dr, upper)
            return float(np.sum(np.where(high > low, whole.g * (high**3 - low**3), 0.0)))

        end = coarse.r_max + 0.5 * dr
        assert end <= r[-1] + 0.005 + 1e-9
        assert counts(coarse, end) == pytest.approx(counts(target, end), rel=1e-9)

    def test_errors_fall_as_those_of_independent_counts(self):
        r = np.arange(1, 400) * 0.01
        coarse = rebinned(RDF(r, np.ones(r.size), np.full(r.size, 0.1), units="lj"), 0.05)
        # Five bins of nearly the same volume.
        np.testing.assert_allclose(coarse.error[20:], 0.1 / np.sqrt(5.0), rtol=1e-3)
        np.testing.assert_allclose(coarse.g[1:], 1.0, rtol=1e-12)


class TestQuestions:
    """Water in form: peak at 0.28 nm, 33.3 molecules a nm^3."""

    NM_R = np.arange(0.0, 1.5, 0.01)
    WATER = RDF(NM_R, liquid(NM_R, 0.27), units=NM)

    def ask(self, target, density, kT):
        return " ".join(check_target(target, None, StatePoint(density, kT)))

    def test_the_right_state_raises_none(self):
        assert self.ask(self.WATER, 33.3, 2.494) == ""
        assert self.ask(self.WATER.to(ANGSTROM), 0.0333, 0.596) == ""
        # Argon at 85 K, and a salt at 1100 K.
        assert self.ask(self.WATER, 25.0, 0.7067) == ""
        assert self.ask(self.WATER, 25.0, 9.146) == ""

    @pytest.mark.parametrize(
        ("units", "density", "kT", "words"),
        [
            (ANGSTROM, 33.3, 0.596, r"0.2\d angstrom wide.*in nm"),
            (NM, 0.997, 2.494, r"gas.*mass density"),
            (NM, 33.3, 0.596, r"72 K; in kcal/mol it would be that of 300 K"),
            (NM, 33.3, 0.2245, r"27 K.*Celsius"),
            (NM, 33.3, 15.0, r"1804 K.*in kJ/mol"),
        ],
    )
    def test_a_slip_is_asked_about(self, units, density, kT, words):
        target = RDF(self.WATER.r, self.WATER.g, units=units)
        assert re.search(words, self.ask(target, density, kT))

    def test_the_other_unit_of_energy_in_both_directions(self):
        assert "in kJ/mol it would be that of 300 K" in self.ask(self.WATER.to(ANGSTROM), 0.0333, 2.494)

    def test_angstrom_read_as_nm(self):
        wide = RDF(10 * self.WATER.r, self.WATER.g, units=NM)
        assert "in angstrom?" in self.ask(wide, 0.0333, 2.494)

    def test_reduced_units_have_no_molecules(self):
        asked = self.ask(RDF(self.WATER.r, self.WATER.g, units="lj"), 0.997, 0.01)
        assert "angstrom" not in asked
        assert "temperature" not in asked
        # Whether the density is that of the liquid can be asked in any units.
        assert "Are r and the density in the same reduced units?" in asked


def test_number_density_of_water():
    # 18.0153 g/mol: 0.997 g/cm^3 is 33.33 molecules a nm^3.
    assert number_density(0.997, 18.0153, NM) == pytest.approx(33.33, abs=0.01)
    assert number_density(0.997, 18.0153, ANGSTROM) == pytest.approx(0.03333, abs=1e-5)
    with pytest.raises(InputError, match="lj"):
        number_density(0.997, 18.0153, "lj")
    with pytest.raises(InputError, match="positive"):
        number_density(0.0, 18.0153, NM)
