"""``cg-init pressure``, and what ``cg-init --rdf`` says about the pressure: in a process of its own."""

import json

import numpy as np
import pytest
from program import cg_init

import cginit
from cginit import RDF, InputError, PairPotential, StatePoint, read_table, write_rdf, write_table
from cginit.cli import pressure as command
from cginit.curves import Provenance
from cginit.eos.comparison import compare_routes
from cginit.eos.fluid import fluid_at
from cginit.units import ANGSTROM_KCAL, NM_KJ


def argon(**fields):
    """Return Lennard-Jones argon, cut and shifted, in nm and kJ/mol."""
    r = np.linspace(0.1, 0.85, 301)
    u = 4 * 0.996 * ((0.34 / r) ** 12 - (0.34 / r) ** 6)
    return PairPotential.shifted(r, u, units="nm-kJ/mol", **fields)


@pytest.fixture
def table(tmp_path):
    """A table whose header states nothing."""
    path = tmp_path / "AR-AR.pot"
    potential = argon()
    path.write_text("".join(f"{r:.6f} {u:.8g} i\n" for r, u in zip(potential.r, potential.u, strict=True)))
    return path


STATE = ("--density", 12.0, "--temperature", 300, "--units", "nm-kJ/mol")


def test_every_route_in_every_unit(table, tmp_path):
    done = cg_init("pressure", "--potential", table, *STATE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert "density 12 nm^-3" in head
    assert "(300 K)" in head
    rows = {x[2:].split()[0]: x for x in lines}
    assert {
        "hnc",
        "hnc-mean",
        "hnc-energy",
        "hnc-compressibility",
        "b2",
        "b2+b3",
        "carnahan-starling",
    } <= set(rows)
    trusted = [x for x in lines if x.startswith("* ")]
    assert len(trusted) == 1
    expected = cginit.pressure(argon(), StatePoint.from_temperature(12.0, 300.0, "nm-kJ/mol"))
    numbers = [float(x) for x in trusted[0].replace("±", " ").split()[2:10]]
    unit = 12.0 * 300.0 * NM_KJ.boltzmann()
    # kJ/mol/nm^3, bar, atm, reduced, each with its error; printed to two figures of the error.
    for k, factor in enumerate((1.0, NM_KJ.bar(), NM_KJ.bar() / 1.01325, 1.0 / unit)):
        assert numbers[2 * k] == pytest.approx(expected.value * factor, abs=0.1 * expected.error * factor)
    assert f"trusted   {expected.method}: " in done.stdout


def test_json_holds_the_same(table, tmp_path):
    done = cg_init("pressure", "--potential", table, *STATE, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["result"]
    trusted = found["routes"][found["trusted"]]
    assert trusted["atm"] == pytest.approx(trusted["bar"] / 1.01325)
    assert trusted["bar"] == pytest.approx(trusted["value"] * NM_KJ.bar())
    assert found["routes"]["carnahan-starling"]["error"] is None
    assert found["flags"] == []


def test_units_and_state_may_come_from_the_header(tmp_path):
    state = StatePoint.from_temperature(12.0, 300.0, "nm-kJ/mol")
    origin = Provenance("known", density=state.density, kT=state.kT)
    for name in ("a.pot", "a.table"):
        write_table(argon(provenance=origin), tmp_path / name)
    first, second = (
        json.loads(cg_init("pressure", "--potential", x, "--json", cwd=tmp_path).stdout)["result"]
        for x in ("a.pot", "a.table")
    )
    # LAMMPS tables are in angstrom and kcal/mol; the pressure in bar is the same.
    assert second["routes"]["hnc"]["unit"] == ANGSTROM_KCAL.pressure
    # The two grids differ: 1e-3 of the pressure.
    assert second["routes"]["hnc"]["bar"] == pytest.approx(first["routes"]["hnc"]["bar"], rel=2e-3)


def test_a_figure_is_drawn(table, tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib (cginit[report])")
    done = cg_init("pressure", "--potential", table, *STATE, "--plot", "p.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_inside_the_gas_liquid_region_no_pressure_is_trusted(table, tmp_path):
    # 100 K is T* = 0.83, density 8 per nm^3 is rho* = 0.31.
    done = cg_init(
        "pressure",
        "--potential",
        table,
        "--density",
        8,
        "--temperature",
        100,
        "--units",
        "nm-kJ/mol",
        cwd=tmp_path,
    )
    assert done.returncode == 3
    assert "gas-liquid" in done.stdout
    assert "trusted   none" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--units", "nm-kJ/mol", "--temperature", 300], "--density"),
        (["--units", "nm-kJ/mol", "--density", 12], "--temperature"),
        ([*STATE, "--kT", 2.5], "not both"),
        (["--density", 12, "--temperature", 300], "units"),
        (["--density", 12, "--temperature", 300, "--units", "lj"], "kelvin"),
        (["--density", -1, "--temperature", 300, "--units", "nm-kJ/mol"], "positive"),
        ([*STATE, "--rdf", "absent.dat"], "absent.dat"),
    ],
)
def test_bad_input_is_named_with_exit_code_2(table, tmp_path, arguments, words):
    done = cg_init("pressure", "--potential", table, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_row_that_sticks_out_is_asked_about(table):
    lines = table.read_text().splitlines()
    place = len(lines) // 2
    lines[place] = f"{lines[place].split()[0]} 9734323 i"
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="a row of the table sticks out"):
        fluid_at(read_table(table, units="nm-kJ/mol"), StatePoint(12.0, temperature=300, units="nm-kJ/mol"))


def test_a_guess_tells_its_pressure(tmp_path):
    # A dense fluid of soft cores at 300 K: thousands of bar.
    r = np.arange(0, 151) * 0.01
    g = np.exp(-np.minimum(2.0 * (0.28 / np.maximum(r, 1e-3)) ** 12, 50.0))
    write_rdf(RDF(r, g, units="nm-kJ/mol"), tmp_path / "t.dat", state=StatePoint(15.0, 2.494, "nm-kJ/mol"))
    done = cg_init("--rdf", "t.dat", "--method", "boltzmann", "--cutoff", 1.0, "--out", "t.pot", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    line = next(x for x in done.stdout.splitlines() if x.startswith("pressure"))
    value = float(line.split()[1])
    potential = cginit.read_table(tmp_path / "t.pot")
    expected = cginit.pressure(potential, StatePoint(15.0, 2.494, "nm-kJ/mol")).in_bar()
    assert value == pytest.approx(expected[0], abs=0.1 * expected[1])
    assert value > 500.0
    assert "need not give the pressure" in done.stdout
    # An ideal gas of 0.02 per nm^3 has 0.8 bar.
    write_rdf(
        RDF(r, np.ones(151), units="nm-kJ/mol"),
        tmp_path / "i.dat",
        state=StatePoint(0.02, 2.494, "nm-kJ/mol"),
    )
    done = cg_init("--rdf", "i.dat", "--method", "boltzmann", "--out", "i.pot", cwd=tmp_path)
    assert "need not give" not in done.stdout
    line = next(x for x in done.stdout.splitlines() if x.startswith("pressure"))
    assert float(line.split()[1]) == pytest.approx(
        0.02 * 2.494 * NM_KJ.bar(), rel=1e-4
    )  # five figures are printed


def test_a_narrow_terminal_shows_whole_lines(monkeypatch):
    monkeypatch.setattr(command.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    found = compare_routes(argon(), StatePoint.from_temperature(12.0, 300.0, "nm-kJ/mol"))
    whole = command._table(found, NM_KJ)
    assert command._too_wide(whole)
    narrow = command._table(found, NM_KJ, narrow=True)
    assert not command._too_wide(narrow)
    assert "bar" in narrow.splitlines()[0]
    assert len(narrow.splitlines()) == len(whole.splitlines())
