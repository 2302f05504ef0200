"""``cg-init rdf``: from trajectory files to a target that states all that the guess needs."""

from __future__ import annotations

from pathlib import Path

import gsd.hoomd
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cginit.cli.rdf import rdf
from cginit.errors import InputError
from cginit.io import read_rdf, read_rdf_header

app = typer.Typer()
app.command()(rdf)

EDGE = 6.0


@pytest.fixture
def gas(tmp_path: Path) -> Path:
    """Return a GSD file with 20 frames of 50 independent beads."""
    rng = np.random.default_rng(6)
    path = tmp_path / "gas.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(20):
            frame = gsd.hoomd.Frame()
            frame.particles.N = 50
            frame.particles.position = rng.uniform(-EDGE / 2, EDGE / 2, (50, 3))
            frame.configuration.box = [EDGE, EDGE, EDGE, 0, 0, 0]
            file.append(frame)
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def test_the_target_states_units_and_state(gas, tmp_path):
    out = tmp_path / "target.dat"
    result = run("--topology", gas, "--map", "all", "--units", "lj", "--kT", 1.5, "--out", out, "--dr", 0.1)
    assert result.exit_code == 0
    assert str(out) in result.stdout
    header, target = read_rdf_header(out), read_rdf(out)
    assert (header.units.name, header.kT) == ("lj", 1.5)
    assert header.density == pytest.approx(50 / EDGE**3, rel=1e-6)  # single precision in the file
    assert target.dr == pytest.approx(0.1)
    assert target.error is not None
    # The bins from 1.95 to 2.95 hold 0.354 of the box, 8700 of the 20 x 1225 pairs: 0.06 is more than 5 sigma.
    assert np.mean(target.g[-10:]) == pytest.approx(1.0, abs=0.06)


def test_temperature_becomes_thermal_energy_and_density_can_be_stated(gas, tmp_path):
    out = tmp_path / "target.csv"
    run(
        *("--topology", gas, "--map", "all", "--units", "real", "--temperature", 300, "--out", out),
        *("--density", 0.033, "--begin", 1, "--end", 12, "--step", 2, "--blocks", 3, "--r-max", 2),
    )
    header, target = read_rdf_header(out), read_rdf(out)
    assert header.kT == pytest.approx(0.5961613, rel=1e-6)  # 300 K x R = 2.494339 kJ/mol, over 4.184
    assert header.density == 0.033
    assert (target.dr, target.r_max) == (pytest.approx(0.1), pytest.approx(2.0))


@pytest.mark.parametrize("options", [(), ("--temperature", 300, "--kT", 1)])
def test_one_of_temperature_and_thermal_energy_is_needed(gas, tmp_path, options):
    with pytest.raises(InputError, match=r"either as --temperature \(kelvin\) or as --kT \(kcal/mol\)"):
        run("--topology", gas, "--map", "all", "--units", "real", "--out", tmp_path / "t.dat", *options)


def test_nothing_is_written_when_units_are_missing(gas, tmp_path):
    with pytest.raises(InputError, match="does not state its unit of length"):
        run("--topology", gas, "--map", "all", "--temperature", 300, "--out", tmp_path / "target.dat")
    assert not (tmp_path / "target.dat").exists()
