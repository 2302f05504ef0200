"""Whether a density can be that of a g(r): too high makes S(k) negative, too low leaves it that of a gas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cginit import read_target
from cginit.curves import RDF
from cginit.io.density_questions import question_density

WATER, STATE = read_target(Path(__file__).parents[2] / "examples" / "water" / "target.dat")


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0.5, "shells of packed beads, but at a density of 16.64"),
        (1.0 / 3.0, "shells of packed beads"),
        (0.8, None),
        (1.0, None),
        (1.15, None),
        (1.5, "No liquid of a density of 49.92"),
        (2.0, "The density is at most 40.1 nm"),
    ],
)
def test_a_density_is_asked_about_where_g_cannot_have_it(factor, words):
    question = question_density(WATER, factor * STATE.density)
    assert question is None if words is None else words in question


@pytest.mark.parametrize("r_max", [0.85, 0.95, 1.2])
def test_a_g_that_ends_early_is_asked_about_no_more(r_max):
    short = WATER.truncated(r_max)
    assert question_density(short, STATE.density) is None
    assert "No liquid" in question_density(short, 2.0 * STATE.density)


def test_noise_and_the_level_of_g_make_no_negative_structure_factor():
    rng = np.random.default_rng(3)
    noise = 0.3 * np.sqrt(WATER.g) / np.maximum(WATER.r, 0.1) * 0.1
    noisy = replace(WATER, g=np.maximum(WATER.g + noise * rng.standard_normal(WATER.g.size), 0.0), error=None)
    assert question_density(noisy, STATE.density) is None
    # As of fifty beads that were divided by N^2.
    assert question_density(replace(WATER, g=0.98 * WATER.g), STATE.density) is None


def test_nothing_is_said_of_pairs_that_are_left_out_of_a_gas_and_of_soft_beads():
    assert question_density(WATER, 2.0 * STATE.density, loose=False) is None
    r = np.arange(1, 200) * 0.02
    well = RDF(r, np.exp(-np.minimum(6.0 * (r**-12.0 - r**-6.0), 700.0)), units="lj")
    assert question_density(well, 0.05) is None
    assert question_density(RDF(r, 1.0 - 0.5 * np.exp(-(r**2)), units="lj"), 0.2) is None
    assert question_density(RDF(r, np.ones(r.size), units="lj"), 5.0) is None
