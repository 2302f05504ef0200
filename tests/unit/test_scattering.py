"""S(k) to g(r): the transform, its windows, and whether its errors are what it says."""

from __future__ import annotations

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cginit.cli.scattering import scattering
from cginit.errors import InputError
from cginit.io import read_rdf, read_rdf_header
from cginit.io.scattering import read_structure_factor
from cginit.liquid.forward import solve
from cginit.liquid.scattering import invert_structure_factor

DENSITY = 0.7


@pytest.fixture(scope="module")
def liquid():
    """Return the Percus-Yevick Lennard-Jones liquid, whose S(k) and g(r) belong together to rounding."""
    r = np.arange(1, 251) * 0.02
    u = 4.0 * (r**-12.0 - r**-6.0)
    return solve(r, u, DENSITY, "py")


@pytest.mark.parametrize("window", ["lorch", "none"])
@pytest.mark.parametrize("k_max", [15.0, 25.0, 40.0])
def test_the_error_is_estimated_from_the_data(liquid, window, k_max):
    used = (liquid.k > 0.3) & (liquid.k < k_max)
    done = invert_structure_factor(
        liquid.k[used], liquid.s_k[used], DENSITY, dr=0.02, r_max=5.0, window=window
    )
    outside = done.r >= 1.0
    true = np.interp(done.r, liquid.r, liquid.g)
    miss = np.abs(done.g - true)[outside]
    # An estimate, not a bound: it holds nine points of ten, twice it all; and it is no larger than needed by far.
    assert np.mean(miss <= done.error[outside]) > 0.9
    assert np.all(miss <= 2.0 * done.error[outside])
    assert np.max(done.error[outside]) < 8.0 * np.max(miss)


def test_complete_data_give_the_curve(liquid):
    used = liquid.k < 80.0
    done = invert_structure_factor(
        liquid.k[used], liquid.s_k[used], DENSITY, dr=0.02, r_max=4.0, window="none"
    )
    true = np.interp(done.r, liquid.r, liquid.g)
    # S - 1 is 1e-5 at k = 80: what is left is g's interpolation in its steep rise, h^2 g''/8 = 1e-3.
    np.testing.assert_allclose(done.g[45:], true[45:], atol=2e-3)
    assert done.s_0 == pytest.approx(liquid.s_0, rel=0.01)


def test_errors_of_the_data_are_carried_over(liquid):
    """The standard error is that of many noisy copies."""
    used = np.flatnonzero((liquid.k > 0.3) & (liquid.k < 20.0))[::4]
    k, s = liquid.k[used], liquid.s_k[used]
    error = np.full(k.size, 0.02)
    rng = np.random.default_rng(7)
    options = {"dr": 0.1, "r_max": 5.0}
    clean = invert_structure_factor(k, s, DENSITY, s_error=error, **options)
    copies = np.array(
        [invert_structure_factor(k, s + rng.normal(0.0, error), DENSITY, **options).g for _ in range(60)]
    )
    outside = clean.r >= 1.2
    ratio = copies.std(axis=0, ddof=1)[outside] / clean.noise[outside]
    # 60 copies know a standard deviation to 9 %; the mean over some ten independent distances to 3 %, and
    # the interpolation between the data adds correlations of a few per cent.
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.12)


def test_what_is_no_structure_factor_is_refused(liquid):
    k = np.linspace(0.2, 20.0, 100)
    for s, message in ((np.full(100, 0.0), r"S\(k\) is 0 on average over its last tenth"),):
        with pytest.raises(InputError, match=message):
            invert_structure_factor(k, s, DENSITY, dr=0.1, r_max=3.0)
    for options, message in (
        ({"window": "hann"}, "unknown window 'hann'; known are lorch, none"),
        ({"dr": -1.0}, "dr must be a positive number, not -1"),
    ):
        with pytest.raises(InputError, match=message):
            invert_structure_factor(k, np.ones(100), DENSITY, **({"dr": 0.1, "r_max": 3.0} | options))
    used = (liquid.k > 0.3) & (liquid.k < 20.0)
    with pytest.raises(InputError, match="not that of a fluid of density 1e-300"):
        invert_structure_factor(liquid.k[used], liquid.s_k[used], 1e-300, dr=0.1, r_max=3.0)


def test_files_are_read_with_their_errors_named(tmp_path):
    path = tmp_path / "s.dat"
    path.write_text("# k S\n1.0 0.5\n2.0 1.0 \n1.5 1.0\n")
    with pytest.raises(InputError, match=r"s.dat, line 4: k = 1.5 must be positive and increase"):
        read_structure_factor(path)
    path.write_text("1.0 -0.5\n2.0 0.0\n")
    with pytest.raises(InputError, match=r"line 1: S = -0.5 is negative; this looks like S\(k\) - 1"):
        read_structure_factor(path)
    path.write_text("".join(f"{k} 1.0\n" for k in range(1, 10_002)))
    with pytest.raises(InputError, match="has 10001 rows"):
        read_structure_factor(path)
    path.write_text("1.0 0.5 0.1\n2.0 1.0 0.1\n")
    assert read_structure_factor(path)[2].tolist() == [0.1, 0.1]


def test_the_command_writes_a_target_that_needs_nothing_else(liquid, tmp_path):
    used = (liquid.k > 0.3) & (liquid.k < 25.0)
    source, out = tmp_path / "s.csv", tmp_path / "g.dat"
    np.savetxt(source, np.column_stack([liquid.k[used], liquid.s_k[used]]), delimiter=",", header="k,S")
    app = typer.Typer()
    app.command()(scattering)
    arguments = ["--sk", source, "--density", DENSITY, "--units", "lj", "--kT", 1, "--out", out, "--r-max", 5]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    assert "with the window lorch" in result.stdout
    header, target = read_rdf_header(out), read_rdf(out)
    assert (header.density, header.kT, header.units.name) == (DENSITY, 1.0, "lj")
    assert target.r_max == pytest.approx(5.0)
    assert np.all(target.g[: int(0.8 / target.dr)] == 0.0)
