"""Targets as users have them: what is read, and what is refused with a sentence that helps."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cginit
from cginit.curves import RDF
from cginit.errors import InputError
from cginit.io import check_target, read_rdf, read_rdf_header, write_rdf
from cginit.state import StatePoint
from reference import TARGETS

NM = "nm-kJ/mol"
PLAIN = "0.30 0.1\n0.32 1.2\n0.34 1.6\n0.36 1.0\n"
CURVE = ([0.30, 0.32, 0.34, 0.36], [0.1, 1.2, 1.6, 1.0])


def _file(folder: Path, content: str | bytes, name: str = "target.dat") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "# a comment\n\n" + PLAIN,
        PLAIN.replace(" ", "\t").replace("\n", "\r\n"),
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"# r in \xc5\n" + PLAIN.encode(),
        PLAIN.replace("\n", " i\n"),
        PLAIN.replace("1.2\n", "1.2  # the first shell\n"),
        '@ title "RDF"\n@ s0 legend "water"\n' + PLAIN + "&\n",
        "r,g\n" + PLAIN.replace(" ", ","),
        '"r"; "g"\n' + PLAIN.replace(" ", "; "),
        "r g\n" + PLAIN,
        "0.28 0.0 o\n" + PLAIN.replace("\n", " i\n") + "0.38 nan u\n",
        "0.28 nan u\n" + PLAIN.replace("\n", " i\n") + "0.38 5.0 o\n",
    ],
)
def test_layouts_hold_the_same_curve(tmp_path, content):
    target = read_rdf(_file(tmp_path, content), units=NM)
    np.testing.assert_allclose(target.r, CURVE[0], rtol=1e-15)
    np.testing.assert_array_equal(target.g, CURVE[1])
    assert target.error is None
    assert target.units.name == NM


@pytest.mark.parametrize("flag", ["", " i"])
def test_third_numeric_column_is_the_error(tmp_path, flag):
    target = read_rdf(_file(tmp_path, PLAIN.replace("\n", f" 0.01{flag}\n")), units=NM)
    np.testing.assert_array_equal(target.error, [0.01] * 4)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PLAIN.replace("1.6", "nan"), ["line 3", "nan", "finite"]),
        (PLAIN.replace("1.6", "1,6"), ["line 3", "1,6", "not a number"]),
        (PLAIN.replace("1.6", "x1.6"), ["line 3", "x1.6", "not a number"]),
        ("#\n" + PLAIN.replace("0.34", "0.32"), ["line 4", "repeats", "line 3"]),
        (PLAIN.replace("0.34", "0.31"), ["line 3", "smaller", "sort"]),
        (PLAIN.replace("0.30", "-0.30"), ["line 1", "negative"]),
        (PLAIN.replace("1.2", "-0.0003"), ["r = 0.32 nm", "-0.0003", "line 2", "--clean"]),
        (PLAIN.replace("0.36", "0.40"), ["line 4", "step", "200 %", "missing rows", "--dr"]),
        (PLAIN.replace("1.6", "1.6 7"), ["line 3", "3 columns", "2"]),
        (PLAIN.replace("\n", " k\n"), ["line 1", "'k'", "flag"]),
        (PLAIN.replace("\n", " 1 2 3\n"), ["5 columns"]),
        (PLAIN.replace("\n", " -0.1\n"), ["line 1", "error", "-0.1"]),
        (PLAIN.replace("\n", " o\n"), ["flag i"]),
        ("@ s0 legend a\n@ s1 legend b\n" + PLAIN.replace("\n", " 1\n"), ["2 curves"]),
        ("0.1 1\n0.2 1\n", ["2 usable rows", "3"]),
        ("# nothing\n", ["no rows"]),
        (b"\x00\x01\x02\x00\x05", ["binary"]),
        ("0.1,1\n0.2,1,3,4\n0.3,1\n", ["CSV", "columns"]),
    ],
)
def test_errors_name_file_line_value_and_remedy(tmp_path, content, words):
    path = _file(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_rdf(path, units=NM)
    message = str(caught.value)
    assert "target.dat" in message
    for word in words:
        assert word in message


def test_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.dat.*No such file.*check the path"):
        read_rdf(tmp_path / "nowhere.dat", units=NM)
    with pytest.raises(InputError, match="directory"):
        read_rdf(tmp_path, units=NM)


def test_units_are_never_guessed(tmp_path):
    for name in ("target.xvg", "A-A.dist.tgt"):
        with pytest.raises(InputError, match="--units"):
            read_rdf(_file(tmp_path, PLAIN, name))


def test_clean_sets_small_negatives_to_zero_and_refuses_large_ones(tmp_path):
    path = _file(tmp_path, PLAIN.replace("0.1\n", "-0.0003\n"))
    assert read_rdf(path, units=NM, clean=True).g[0] == 0.0
    with pytest.raises(InputError, match="no noise"):
        read_rdf(_file(tmp_path, PLAIN.replace("0.1\n", "-0.06\n")), units=NM, clean=True)
    with pytest.raises(InputError, match="add 1"):
        read_rdf(_file(tmp_path, PLAIN.replace("0.1\n", "-1.0\n")), units=NM, clean=True)


def test_rounded_distances_are_the_uniform_grid_they_were(tmp_path):
    # 1/30 printed to two decimals: steps of 0.03 and 0.04, which are not the grid.
    r = np.arange(1, 60) / 30.0
    path = _file(tmp_path, "".join(f"{x:.2f} {float(1.0 + 0.1 * np.sin(9 * x))!r}\n" for x in r.tolist()))
    target = read_rdf(path, units="lj")
    # The line through 59 points, each off by at most 0.005, is known to 0.002.
    np.testing.assert_allclose(target.r, r, atol=2e-3)
    np.testing.assert_array_equal(target.g, 1.0 + 0.1 * np.sin(9 * r))


def test_slightly_uneven_grid_is_interpolated(tmp_path):
    # Steps between 0.0091 and 0.0109, as from a change of the box.
    x = np.linspace(0.0, 1.0, 101)
    r = 1.0 + x + 0.0145 * np.sin(2 * np.pi * x)
    g = 1.0 + 0.5 * np.cos(6.0 * r)
    path = _file(
        tmp_path, "".join(f"{a!r} {b!r} 0.01\n" for a, b in zip(r.tolist(), g.tolist(), strict=True))
    )
    target = read_rdf(path, units="lj")
    np.testing.assert_allclose(np.diff(target.r), 0.01, rtol=1e-9)
    # PCHIP is of second order where g has an extremum: h^2/8 g'' = 1e-4/8 * 18 = 2e-4; taking the rows for the
    # uniform grid would be off by 0.0145 * 3 = 0.04.
    np.testing.assert_allclose(target.g, 1.0 + 0.5 * np.cos(6.0 * target.r), atol=2.5e-4)
    np.testing.assert_allclose(target.error, 0.01, rtol=1e-12)


# No deadline: a loaded machine is not a defect.
@settings(deadline=None, max_examples=60)
@given(
    start=st.integers(0, 400),
    n=st.integers(3, 60),
    dr=st.sampled_from([0.002, 0.01, 0.05, 1 / 3]),
    error=st.booleans(),
    suffix=st.sampled_from([".dist.tgt", ".csv", ".dat"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_written_target_reads_back_as_the_same_numbers(tmp_path_factory, start, n, dr, error, suffix, seed):
    rng = np.random.default_rng(seed)
    r = np.linspace(start * dr, (start + n - 1) * dr, n)
    curve = RDF(r, rng.exponential(size=n), rng.exponential(size=n) if error else None, units=NM)
    path = tmp_path_factory.mktemp("rdf") / f"A-A{suffix}"
    again = read_rdf(write_rdf(curve, path, state=StatePoint(33.3, 2.494)))
    np.testing.assert_array_equal(again.r, curve.r)
    np.testing.assert_array_equal(again.g, curve.g)
    assert (again.error is None) == (curve.error is None)
    if error:
        np.testing.assert_array_equal(again.error, curve.error)


def test_header_states_units_and_state(tmp_path):
    curve = RDF(*CURVE, units=NM)
    path = write_rdf(
        curve, tmp_path / "A.dist.tgt", state=StatePoint(0.0333, 0.596, units="angstrom-kcal/mol")
    )
    stated = read_rdf_header(path)
    assert stated.units is curve.units
    # 15 digits are printed.
    assert stated.density == pytest.approx(33.3, rel=1e-14)
    assert stated.kT == pytest.approx(0.596 * 4.184, rel=1e-14)
    assert stated.version == cginit.__version__
    assert stated.source.startswith("sha256:")
    assert len(stated.source) == len("sha256:") + 12
    # A flag in the last column is what VOTCA needs.
    assert path.read_text().splitlines()[-1] == "0.36 1.0 i"


def test_header_says_nothing_where_there_is_none(tmp_path):
    stated = read_rdf_header(_file(tmp_path, PLAIN))
    assert (stated.units, stated.density, stated.kT) == (None, None, None)
    with pytest.raises(InputError, match="density = 'dense'"):
        read_rdf_header(_file(tmp_path, "# cginit: density = dense\n" + PLAIN))


def test_argument_wins_over_the_header_and_is_logged(tmp_path, caplog):
    path = write_rdf(RDF(*CURVE, units=NM), tmp_path / "A.dist.tgt")
    assert read_rdf(path, units="lj").units.name == "lj"
    assert "states units nm-kJ/mol" in caplog.text


def _liquid(r, sigma=1.0, depth=1.8, decay=0.5):
    """A dense liquid's g(r) in form: core, main peak near sigma, oscillation that dies off."""
    core = 1.0 / (1.0 + np.exp(-(r - 0.95 * sigma) / (0.02 * sigma)))
    wave = np.cos(2 * np.pi * (r / sigma - 1.08)) * np.exp(-(r / sigma - 1.08) / decay)
    return core * np.maximum(1.0 + depth * wave, 0.0)


@pytest.mark.parametrize("r_max", [2.7, 3.0, 3.3, 3.6, 4.0, 6.0])
def test_short_oscillating_targets_pass(r_max):
    r = np.arange(0.05, r_max, 0.05)
    assert check_target(RDF(r, _liquid(r), units="lj")) == ()


@pytest.mark.parametrize(
    ("factor", "hint"), [(2.0, "counted twice"), (0.5, "multiply g"), (1.25, "divide g"), (0.8, "divide g")]
)
def test_wrong_normalisation_is_refused_with_the_factor(factor, hint):
    r = np.arange(0.05, 4.0, 0.05)
    with pytest.raises(InputError, match=f"does not tend to 1.*{hint}"):
        check_target(RDF(r, factor * _liquid(r), units="lj"))


def test_phase_separation_is_named():
    r = np.arange(0.05, 8.0, 0.05)
    droplet = RDF(r, _liquid(r) * (1.0 + 2.0 * np.exp(-r / 6.0)), units="lj")
    with pytest.raises(InputError, match="coexistence"):
        check_target(droplet)
    near_critical = RDF(r, _liquid(r) * (1.0 + 0.4 * np.exp(-r / 4.0)), units="lj")
    assert "begins to separate" in check_target(near_critical)[0]


def test_milder_cases_are_notes():
    r = np.arange(0.05, 4.0, 0.05)
    assert "normalisation" in check_target(RDF(r, 1.06 * _liquid(r), units="lj"))[0]
    short = r[r < 2.0]
    assert "cannot be judged" in check_target(RDF(short, _liquid(short), units="lj"))[0]


def test_soft_particles_and_gases_pass():
    r = np.arange(0.05, 4.0, 0.05)
    assert check_target(RDF(r, 1.0 - 0.6 * np.exp(-(r**2)), units="lj")) == ()
    assert check_target(RDF(r, np.where(r < 1.0, 0.0, 1.0), units="lj")) == ()
    assert check_target(RDF(r, np.ones(r.size), units="lj")) == ()


def test_cut_off_must_be_covered():
    r = np.arange(0.05, 4.0, 0.05)
    target = RDF(r, _liquid(r), units="lj")
    assert check_target(target, 3.95) == ()
    with pytest.raises(InputError, match=r"ends at r = 3.95 sigma, under the cut-off 4.5"):
        check_target(target, 4.5)


def test_real_targets():
    folder = TARGETS
    if not folder.is_dir():
        pytest.skip("reference targets are absent; name their folder in CGINIT_TARGETS")
    water = read_rdf(folder / "spce" / "CG-CG.dist.tgt", units=NM)
    assert (water.r[0], water.r_max, water.r.size) == (0.24, 1.0, 77)
    assert check_target(water, 0.9) == ()
    for pair in ("LJ1-LJ1", "LJ1-LJ2", "LJ2-LJ2"):
        mixture = read_rdf(folder / "lj-mixture" / f"{pair}.dist.tgt", units=NM)
        assert mixture.dr == pytest.approx(0.002)
        assert check_target(mixture, 0.85) == ()
        # VOTCA's cut-off is at 2.4 to 2.6 peak distances: nothing may be refused there.
        check_target(mixture.truncated(0.85))


def test_a_csv_is_written_without_pandas(tmp_path, monkeypatch):
    """No installation of the package brings pandas."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    curve = RDF([0.1, 0.2, 0.3], [0.0, 1.25, 1.0], error=[0.0, 0.01, 0.02], units="lj")
    path = write_rdf(curve, tmp_path / "g.csv")
    assert path.read_text().splitlines()[-4:] == ["r,g,error", "0.1,0.0,0.0", "0.2,1.25,0.01", "0.3,1.0,0.02"]
    np.testing.assert_array_equal(read_rdf(path).g, curve.g)
