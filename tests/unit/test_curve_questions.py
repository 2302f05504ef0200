"""Curves that users take for g(r): read for what they are, refused with a sentence, or asked about."""

import dataclasses

import numpy as np
import pytest

from cginit import RDF, InputError, StatePoint, guess
from cginit.io import check_target, rdf_reading, read_rdf
from cginit.io.curve_questions import question_curve
from cginit.state import check_density

R = 0.02 * np.arange(1, 251)
STATE = StatePoint(0.5, 1.0, "lj")


def counted(r=R, pairs=2e4, seed=1):
    """Return a g(r) of a liquid with the noise of counts in shells, sqrt(g / pairs) / r."""
    smooth = np.where(
        r < 0.9,
        0.0,
        1.0 + 2.0 * np.exp(-2.0 * (r - 1.0)) * np.cos(6.3 * (r - 1.05)) / np.maximum(r, 0.5) ** 2,
    )
    noise = np.random.default_rng(seed).normal(size=r.size) * np.sqrt(smooth / pairs) / np.maximum(r, 0.02)
    return np.maximum(smooth + noise, 0.0)


def curve(g, error=None, r=R):
    return RDF(r, g, error, units="lj")


def test_a_counted_g_is_not_questioned():
    error = np.sqrt(counted() / 2e4) / R
    assert question_curve(curve(counted())) == ()
    assert question_curve(curve(counted(), error)) == ()
    # Correlated errors may be some times what neighbouring rows scatter by.
    assert question_curve(curve(counted(), 3.0 * error)) == ()


@pytest.mark.parametrize(
    ("g", "error", "words"),
    [
        (np.where(R < 0.9, 0.03, counted()), None, "0.03 at all r below 0.72 sigma"),
        (counted() + 30.0 * np.exp(-(((R - 0.5) / 0.02) ** 2)), None, "peak at r = 0.5 sigma of its own"),
        (np.convolve(np.pad(counted(pairs=1e9), 6, "edge"), np.hanning(15)[1:-1] / 7.0, "valid"), None, "smoothed"),
        (counted(), counted() / 2e4 / R**2, "is it a variance"),
        (counted(), 100.0 * np.sqrt(counted() / 2e4) / R, "in per cent"),
    ],
    ids=["offset", "bonds", "smoothed", "variance", "per cent"],
)  # fmt: skip
def test_what_was_not_counted_so_is_asked_about(g, error, words):
    assert any(words in text for text in question_curve(curve(g, error)))


def test_coarse_bins_are_named():
    r = 0.25 * np.arange(1, 25)
    assert "Sample g(r) in bins of about 0.02 sigma" in question_curve(curve(counted(r), r=r))[0]


def test_bins_as_wide_as_the_cut_off_are_no_curve():
    r = 0.5 * np.arange(1, 200)
    with pytest.raises(InputError, match=r"fewer than 4 rows up to the cut-off .* cg-init scattering"):
        guess(curve(1.0 - 0.6 * np.exp(-0.1 * r), r=r), StatePoint(33.0, 1.0, "lj"), "boltzmann", r_cut=1.2)


def test_shells_of_two_dimensions_are_named():
    with pytest.raises(InputError, match="grows like r, as one does that was divided by rings"):
        check_target(curve(counted() * R / 1.5))


def test_distances_in_pm_are_recognised():
    target = dataclasses.replace(curve(counted()), r=250.0 * R, units="nm-kJ/mol")
    with pytest.raises(InputError, match=r"it looks like a g.r. whose r is in pm"):
        check_density(target, StatePoint(33.0, 2.5, "nm-kJ/mol"))


def write(path, *columns, separator=" ", number="{:.6g}"):
    rows = (separator.join(number.format(x) for x in row) for row in zip(*columns, strict=True))
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ((R, -np.log(np.maximum(counted(), 1e-3))), "tends to 0, as a potential"),
        ((R, 4.0 * np.pi * 0.5 * R * (counted() - 1.0)), "tends to 0, as a potential, -kT ln g or G"),
        ((counted(), R), "has g in column 1 and r in column 2"),
        ((R, np.where(R > 4.8, 0.0, counted())), "g is 0 from here on .r > 4.8., where nothing was counted"),
        ((R, np.where(R > 4.9, 1e200, counted())), "1e[+]200, which no such quantity is"),
    ],
)
def test_columns_that_are_no_g_are_refused_with_what_they_are(tmp_path, columns, words):
    with pytest.raises(InputError, match=words):
        read_rdf(write(tmp_path / "a.dat", *columns), units="lj")


def test_numbers_of_fortran_are_read(tmp_path):
    path = write(tmp_path / "a.dat", R, counted(), number="{:.10e}")
    text = path.read_text()
    plain = read_rdf(path, units="lj")
    path.write_text(text.replace("e", "D"))
    assert np.array_equal(read_rdf(path, units="lj").g, plain.g)
    assert rdf_reading(path, units="lj").columns == ("r", "g")


def test_json_is_named(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"r": [1, 2, 3], "g": [0, 1, 1]}')
    with pytest.raises(InputError, match="is JSON"):
        read_rdf(path, units="lj")


@pytest.mark.parametrize("value", [1e308, 1e-308])
def test_a_state_of_nothing_is_refused(value):
    with pytest.raises(InputError, match="is that of nothing"):
        StatePoint(0.3, value)
    assert STATE.kT == 1.0


@pytest.mark.parametrize("unit", ["lj", "nm-kJ/mol", "angstrom-kcal/mol"])
def test_a_structure_factor_without_labels_is_asked_about_in_every_unit(unit):
    # The Percus-Yevick hard spheres of a packing of 0.4: S(0) = 0.04, a peak of 2.0 at k sigma = 6.7.
    k, eta = 0.1 * np.arange(1, 301), 0.4
    a, b = (1 + 2 * eta) ** 2 / (1 - eta) ** 4, -((1 + eta / 2) ** 2) / (1 - eta) ** 4
    x = (np.arange(2000) + 0.5) / 2000
    c = -(a + 6 * eta * b * x + 0.5 * eta * a * x**3)
    s = 1 / (1 - 24 * eta * np.mean(c * x * np.sin(np.outer(k, x)), axis=1) / k)
    found = question_curve(RDF(k, s, units=unit))
    assert "there is no core. Is it a structure factor S(k)?" in found[0]
    # One that was measured is rough.
    rough = s + np.random.default_rng(2).normal(0.0, 0.01, k.size)
    assert "structure factor" in question_curve(RDF(k, np.abs(rough), units=unit))[0]


def test_soft_beads_that_overlap_are_no_structure_factor():
    # Gaussian cores of 3 kT with a shell of neighbours: 0.05 at r = 0, and a third at half the distance of the shell.
    g = np.exp(-3.0 * np.exp(-((R / 0.5) ** 2)) + 1.0 * np.exp(-30.0 * (R - 1.0) ** 2))
    assert g.max() > 1.7
    assert not any("structure factor" in text for text in question_curve(curve(g)))
