"""S(k) on the command line: written with a target, given beside one, and refused where it does not fit."""

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import InputError, read_rdf, read_table
from cginit.cli.app import app
from cginit.cli.system import read_system
from cginit.liquid import solve

DENSITY = 0.8
R = np.linspace(0.05, 5.0, 100)


def ramp(r):
    inside = np.clip(1.0 - (r / 4.0) ** 2, 0.0, None) ** 3
    return 6.0 * inside + 4.0 * np.exp(-((r / 0.6) ** 2))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with g.dat, with noise, and s.dat, of a long-ranged repulsion with S(0) = 0.004."""
    folder = tmp_path_factory.mktemp("waves")
    fine = np.linspace(0.0, 16.0, 1281)
    found = solve(fine, ramp(fine), DENSITY)
    rng = np.random.default_rng(3)
    exact = np.interp(R, found.r, found.g)
    error = 0.004 * np.sqrt(exact) / R
    g = np.maximum(exact + error * rng.standard_normal(R.size), 0.0)
    head = f"# cginit: units = lj\n# cginit: density = {DENSITY}\n# cginit: kT = 1.0\n"
    rows = [f"{r:.4f} {x:.8g} {e:.3g}\n" for r, x, e in zip(R, g, error, strict=True)]
    (folder / "g.dat").write_text(head + "".join(rows))
    k = np.linspace(0.6, 6.0, 13)
    s = np.interp(k, found.k, found.s_k)
    (folder / "s.dat").write_text(
        "".join(f"{a:.4f} {b:.6g} {0.03 * b:.3g}\n" for a, b in zip(k, s, strict=True))
    )
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_s_of_k_beside_g_brings_the_potential_back(files, tmp_path):
    errors = []
    for more in ((), ("--sk", files / "s.dat")):
        out = tmp_path / "U.pot"
        done = run("guess", "--rdf", files / "g.dat", "--method", "hnc", "--cutoff", 4, "--out", out, *more)
        assert done.exit_code == 0, done.output
        found = read_table(out)
        errors.append(np.mean(np.abs(found.u - ramp(found.r))[found.r > 0.5]))
    assert errors[1] < 0.2 < 0.8 < errors[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("0.6 0.012\n0.9 0.015\n", "no errors"),
        ("0.6 500 1\n0.9 400 1\n", "intensity"),
        ("0.6 -0.1 0.01\n0.9 0.2 0.01\n", "negative"),
        ("0.6 0 0.01\n0.9 0.2 0.01\n", "positive"),
        ("0.9 0.1 0.01\n0.6 0.2 0.01\n", "sort"),
    ],
)
def test_what_is_no_s_of_k_is_refused(files, tmp_path, content, words):
    bad = tmp_path / "bad.dat"
    bad.write_text(content)
    done = run("guess", "--rdf", files / "g.dat", "--sk", bad, "--out", tmp_path / "U.pot")
    assert isinstance(done.exception, InputError)
    assert words in str(done.exception)


def test_the_file_of_a_system_may_name_it(files):
    path = files / "system.toml"
    path.write_text(
        f'units = "lj"\nkT = 1.0\ndensity = {DENSITY}\ntarget = {{ file = "g.dat", structure_factor = "s.dat" }}\n'
    )
    curve = read_system(path).targets[0].rdfs.only()
    assert len(curve.structure_factor) == 13
    pair = '{ file = "g.dat", structure_factor = "s.dat" }'
    path.write_text(
        'units = "lj"\nkT = 1.0\n[densities]\nA = 0.4\nB = 0.4\n[targets]\n'
        f'"A-A" = {pair}\n"A-B" = "g.dat"\n"B-B" = "g.dat"\n'
    )
    with pytest.raises(InputError, match="one bead type only"):
        read_system(path)


def test_a_trajectory_yields_it_in_the_header(tmp_path):
    gsd = pytest.importorskip("gsd.hoomd")
    rng = np.random.default_rng(6)
    with gsd.open(str(tmp_path / "gas.gsd"), "w") as file:
        for _ in range(40):
            frame = gsd.Frame()
            frame.particles.N = 216
            frame.particles.position = rng.uniform(-3.0, 3.0, (216, 3))
            frame.configuration.box = [6.0, 6.0, 6.0, 0, 0, 0]
            file.append(frame)
    arguments = ("target", "--topology", tmp_path / "gas.gsd", "--map", "all", "--units", "lj", "--kT", 1)
    done = run(*arguments, "--dr", 0.1, "--out", tmp_path / "g.dat")
    assert done.exit_code == 0, done.output
    assert "S(k) at" in done.output
    target = read_rdf(tmp_path / "g.dat")
    waves = target.structure_factor
    # Up to 2 pi over the mean spacing, which is 1.
    assert 5.0 < waves.k[-1] <= 2.0 * np.pi
    assert waves.k[0] == pytest.approx(2.0 * np.pi / 6.0, rel=1e-6)
    assert target.long_wave == waves.smallest
    # chi^2 within four sigma; see tests/unit/test_structure_factor.py.
    many = len(waves)
    chi = float(np.sum(((waves.s - 1.0) / waves.error) ** 2))
    assert chi < many + 4.0 * np.sqrt(2.0 * many)
    again = run(*arguments, "--dr", 0.1, "--out", tmp_path / "two.dat", "--workers", 2)
    assert again.exit_code == 0, again.output
    assert read_rdf(tmp_path / "two.dat").structure_factor.rows() == waves.rows()
