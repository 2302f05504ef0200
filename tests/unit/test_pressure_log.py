"""The mean pressure of a run from the files of GROMACS and LAMMPS."""

from __future__ import annotations

import numpy as np
import pytest

from cginit.errors import InputError
from cginit.io.pressure_log import read_mean_pressure

VALUES = np.random.default_rng(2).normal(100.0, 30.0, 200)


def xvg(path, name="Pressure"):
    rows = "".join(f"{k} {k + 300} {value:.6f}\n" for k, value in enumerate(VALUES))
    head = '# gmx energy\n@ yaxis  label "(K), (bar)"\n@ s0 legend "Temperature"\n'
    path.write_text(f'{head}@ s1 legend "{name}"\n{rows}')
    return path


def log(path, style="real"):
    early = "Step Temp Press\n0 1 5000\nLoop time of 1\n"
    rows = "".join(f"  {k} 300 {value:.6f} -5\n" for k, value in enumerate(VALUES))
    path.write_text(
        f"LAMMPS\nunits {style}\n{early}   Step  Temp  Press  PotEng\n{rows}Loop time of 3 on 1 procs\n"
    )
    return path


def test_the_column_of_gromacs_is_in_bar(tmp_path):
    found = read_mean_pressure(xvg(tmp_path / "ener.xvg"), units="nm-kJ/mol")
    # 1 kJ/(mol nm^3) is 16.6054 bar.
    assert found.value == pytest.approx(VALUES.mean() / 16.60539, rel=1e-6)
    # The standard error of 200 independent values, which ten blocks know to 24 %; four of these.
    assert found.error == pytest.approx(30.0 / np.sqrt(200) / 16.60539, rel=1.0)


def test_the_last_run_of_a_log_of_lammps_counts_in_its_own_units(tmp_path):
    real = read_mean_pressure(log(tmp_path / "log.lammps"), units="nm-kJ/mol")
    assert real.value == pytest.approx(1.01325 * VALUES.mean() / 16.60539, rel=1e-6)
    reduced = read_mean_pressure(log(tmp_path / "log.lj", "lj"), units="lj")
    assert reduced.value == pytest.approx(VALUES.mean(), rel=1e-6)


def test_what_holds_no_pressure_is_refused(tmp_path):
    with pytest.raises(InputError, match="no column named Pressure"):
        read_mean_pressure(xvg(tmp_path / "ener.xvg", "Density"), units="nm-kJ/mol")
    with pytest.raises(InputError, match="reduced"):
        read_mean_pressure(log(tmp_path / "log.lammps"), units="lj")
    (tmp_path / "short.log").write_text("units lj\nStep Press\n0 1\n1 2\n")
    with pytest.raises(InputError, match="has 2 pressures"):
        read_mean_pressure(tmp_path / "short.log", units="lj")
    (tmp_path / "notes.txt").write_text("no log\n")
    with pytest.raises(InputError, match="no log of LAMMPS"):
        read_mean_pressure(tmp_path / "notes.txt", units="lj")
