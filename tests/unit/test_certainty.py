"""How well refined potentials are known, in a fluid whose closure is exact."""

import dataclasses

import numpy as np
import pytest
from closure_fluid import NOISE, R_CUT, STATE, TRUE, R, measure
from one_species import AA, history_of

from cginit import PairPotential
from cginit.curves import LongWave
from cginit.interactions import Interactions
from cginit.refine import distance
from cginit.refine.certainty import Certainty, WithError, certainty_of
from cginit.refine.priors import open_root

#: The core of the potential; below it g shows nothing.
SHOWN = R > 0.95


def known(potential, *, noise=NOISE, pressure=None, long_wave=None, seed=1):
    """What is known of a potential after a simulation, from a target of the true one with the same noise."""
    target = dataclasses.replace(measure(TRUE, seed=100, noise=noise).rdf, long_wave=long_wave)
    record = measure(potential, seed, noise=noise)
    found = Interactions({AA: distance(record.rdf, target, R_CUT)})
    return certainty_of(
        history_of(target, STATE, dataclasses.replace(record, distances=found), pressure=pressure)
    )


def band(certainty):
    return float(np.sqrt(np.mean(certainty.potentials.only().u_error[SHOWN] ** 2)))


def off_by(change):
    return PairPotential.shifted(R, TRUE.u + change, units="lj")


def test_the_band_holds_the_truth_and_is_not_wide():
    """The band of 90 % holds the true potential of those that are off as the prior expects, and is not vague."""
    root = open_root(R, 18)
    rng = np.random.default_rng(7)
    held, ratio = [], []
    for seed in range(12):
        # A tenth of what may be wrong before g is looked at: the last simulation of a refinement is not far.
        change = 0.1 * root @ rng.standard_normal(root.shape[1])
        error = known(off_by(change), seed=seed).potentials.only().u_error
        held.append(np.mean(np.abs(change[SHOWN]) <= 1.645 * error[SHOWN]))
        ratio.append(np.sqrt(np.mean(error[SHOWN] ** 2) / np.mean(change[SHOWN] ** 2)))
    # Points of one potential are worth some five independent ones: 0.9 +- 0.04 over twelve, with the error of the
    # change itself on top of it.
    assert 0.82 <= np.mean(held) <= 1.0
    assert np.mean(ratio) < 2.0


def test_less_noise_leaves_less_open_as_was_foretold():
    before, after = known(TRUE), known(TRUE, noise=NOISE / 2)
    foretold = {pin.name: pin.part for pin in before.pins}["g(r) with half the error"]
    assert foretold < 0.8
    # The change that is left to make has noise of its own, which is part of the band.
    assert band(after) / band(before) == pytest.approx(foretold, rel=0.2)


def test_a_pressure_leaves_less_open():
    pressure = measure(TRUE).pressure
    without, with_it = known(TRUE), known(TRUE, pressure=pressure)
    assert with_it.pressures[0].error < 0.2 * without.pressures[0].error
    assert band(with_it) < band(without)
    assert "the pressure of the target" not in [pin.name for pin in with_it.pins]


def test_s_of_k_is_named_unless_it_is_known():
    names = {pin.name for pin in known(TRUE).pins}
    assert names == {"the pressure of the target", "S(k) at a small k", "g(r) with half the error"}
    with_it = known(TRUE, long_wave=LongWave(0.0, 0.1, 0.01))
    assert "S(k) at a small k" not in {pin.name for pin in with_it.pins}


def test_the_error_of_the_pressure_is_that_of_the_potentials():
    """A change that g hardly shows moves the pressure by about its error, as solving the fluid anew says."""
    certainty = known(TRUE)
    error = certainty.potentials.only().u_error
    ramp = 0.5 * np.where(R < 1.0, error[20], error) * (1.0 - R / R_CUT) / (1.0 - 1.0 / R_CUT)
    moved = abs(measure(off_by(ramp)).pressure - measure(TRUE).pressure)
    # It is one of many directions, so that only the size is compared.
    assert 0.1 * moved < certainty.pressures[0].error < 10.0 * moved


def test_numbers_have_errors_and_are_said():
    certainty = known(TRUE)
    potential = certainty.potentials.only()
    assert certainty.minima.only().value == pytest.approx(potential.u.min())
    assert certainty.minima.only().error == pytest.approx(potential.u_error[np.argmin(potential.u)])
    assert certainty.virials.only().error > 0.0
    text = " ".join(certainty.sentences())
    for word in (
        "U +- ",
        " kT, at r = ",
        ", minimum ",
        "B2",
        "noise have another, by +- ",
        "errors of U smaller",
    ):
        assert word in text


def test_a_pressure_is_said_in_bar_too_and_all_of_it_in_one_line():
    reduced = known(TRUE)
    assert "epsilon/sigma^3 in the simulation" in " ".join(reduced.sentences())
    assert " bar" not in " ".join(reduced.sentences())
    real = PairPotential(
        reduced.potentials.only().r,
        reduced.potentials.only().u,
        reduced.potentials.only().f,
        reduced.potentials.only().u_error,
        r_core=reduced.potentials.only().r_core,
        units="nm-kJ/mol",
    )
    pressures = (WithError(599.8, 4.1), WithError(1.0, 0.5))
    water = Certainty(Interactions({"A-A": real}), 2.5, pressures)
    # 1 kJ/mol/nm^3 is 16.6054 bar.
    (sentence,) = [text for text in water.sentences() if text.startswith("P = ")]
    assert sentence.startswith("P = 600, 1 kJ/mol/nm^3 (9960, 16.6 bar) in the simulation")
    assert sentence.endswith("by +- 4.1, 0.5 kJ/mol/nm^3 (68, 8.3 bar)")
    for one in (water, reduced, Certainty(Interactions({}))):
        assert "\n" not in repr(one)
        assert len(repr(one)) < 120
    assert ", P 599.8 ± 4.1 kJ/mol/nm^3, P 1 ± 0.5 kJ/mol/nm^3>" in repr(water)


def test_the_error_of_a_virial_coefficient_follows_the_potential():
    """B2 of a potential off by its error is off by about its own, whichever way the error is correlated."""
    certainty = known(TRUE)
    potential = certainty.potentials.only()
    other = dataclasses.replace(potential, u=potential.u + np.where(SHOWN, potential.u_error, 0.0))
    from cginit.liquid import second_virial

    moved = abs(second_virial(R, other.u) - second_virial(R, potential.u))
    assert certainty.virials.only().error <= 1.2 * moved
