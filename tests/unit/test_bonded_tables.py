"""Files of bonds, angles and dihedrals, and the file of a system of molecules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from cginit import InputError
from cginit.bonded import BondedPotential, Distribution
from cginit.cli.refinement import write_potentials
from cginit.cli.system import read_system
from cginit.engines.lammps import LammpsEngine
from cginit.interactions import Interaction, Interactions
from cginit.io.bonded_given import read_bonded_table
from cginit.io.bonded_tables import (
    read_bonded_potential,
    read_distribution,
    write_bonded_pot,
    write_lammps_bonded,
)
from trimers import DATA

THETA = (np.arange(60) + 0.5) * np.pi / 60
B = np.arange(0.7, 1.3001, 0.01)


def angles() -> Distribution:
    return Distribution.normalised(
        THETA, np.sin(THETA) * np.exp(-10.0 * (THETA - 2.0) ** 2), coordinate="angle", units="lj"
    )


def bonds() -> Distribution:
    return Distribution.normalised(B, np.exp(-100.0 * (B - 1.0) ** 2), coordinate="bond", units="lj")


def write(path: Path, x: np.ndarray, y: np.ndarray) -> Path:
    path.write_text("# x y flag\n" + "".join(f"{a:.10g} {b:.10g} i\n" for a, b in zip(x, y, strict=True)))
    return path


def test_distributions_are_read_in_radians_and_degrees(tmp_path):
    p = angles()
    radians = read_distribution(write(tmp_path / "a.dist.tgt", p.x, p.p), "angle", units="lj")
    file = write(tmp_path / "degrees.dist.tgt", np.degrees(p.x), np.radians(p.p))
    degrees = read_distribution(file, "angle", units="lj", degrees=True)
    assert radians.p == pytest.approx(p.p, rel=1e-6)
    assert degrees.p == pytest.approx(p.p, rel=1e-6)
    with pytest.raises(InputError, match=r"degrees\.dist\.tgt.*looks like degrees"):
        read_distribution(file, "angle", units="lj")
    with pytest.raises(InputError, match="has the integral 3, not 1"):
        read_distribution(write(tmp_path / "three.dist.tgt", p.x, 3.0 * p.p), "angle", units="lj")


def test_an_angle_may_end_a_part_of_a_step_beyond_pi(tmp_path):
    # csg_stat with <max>3.144</max>: the last row lies beyond pi, where nothing can be.
    theta = np.linspace(0.0, 3.144, 315)
    p = np.where(theta < np.pi, np.sin(theta) * np.exp(-10.0 * (theta - 2.0) ** 2), 0.0)
    p /= np.trapezoid(p, theta)
    found = read_distribution(write(tmp_path / "angle.dist.tgt", theta, p), "angle", units="lj")
    assert found.x[-1] == pytest.approx(theta[-2])
    # A straight angle is one, whatever the rounding of pi.
    whole = write(
        tmp_path / "whole.dist.tgt", np.linspace(0.0, 3.1415926535897936, 37), np.full(37, 1.0 / np.pi)
    )
    assert read_distribution(whole, "angle", units="lj").x.size == 37
    with pytest.raises(InputError, match=r"an angle is at most pi, not 3\.3"):
        read_distribution(write(tmp_path / "far.dist.tgt", theta * 3.3 / 3.144, p), "angle", units="lj")


def test_a_table_whose_last_row_misses_the_step_ends_before_it(tmp_path):
    # csg_resample to 0:0.01:3.144 prints its last row at 3.144.
    theta = np.append(np.arange(0.0, 3.135, 0.01), 3.144)
    u = 50.0 * (theta - 2.0) ** 2
    found = read_bonded_potential(write(tmp_path / "angle.pot.in", theta, u), "angle", units="lj")
    assert found.x[-1] == pytest.approx(3.14)
    # A straight line between the last two rows is off by less than U'' h^2 / 8.
    assert found.u == pytest.approx(50.0 * (found.x - 2.0) ** 2, abs=50.0 * 2 * 0.014**2 / 8)
    even = read_bonded_potential(
        write(tmp_path / "even.pot.in", B, 100.0 * (B - 1.0) ** 2), "bond", units="lj"
    )
    assert even.x == pytest.approx(B)


def test_a_dihedral_that_repeats_its_first_point_is_one_turn(tmp_path):
    phi = np.linspace(-np.pi, np.pi, 73)
    p = (1.0 + 0.5 * np.cos(phi)) / (2.0 * np.pi)
    found = read_distribution(write(tmp_path / "d.dist.tgt", phi, p), "dihedral", units="lj")
    assert found.x.size == 72
    assert found.p == pytest.approx(p[:-1], rel=1e-6)


def test_potentials_come_back_from_votcas_tables(tmp_path):
    spring = BondedPotential.shifted(B, 200.0 * (B - 1.0) ** 2, coordinate="bond", units="nm-kJ/mol")
    path = write_bonded_pot(spring, tmp_path / "bond.pot")
    found = read_bonded_potential(path, "bond", units="nm-kJ/mol")
    assert found.u == pytest.approx(spring.u, abs=1e-8)


SCRIPT = """units lj
atom_style molecular
boundary p p p
region box block -10 10 -10 10 -10 10
create_box 1 box bond/types 1 angle/types 1 dihedral/types 1 extra/bond/per/atom 3 extra/angle/per/atom 3 &
  extra/dihedral/per/atom 3 extra/special/per/atom 6
mass 1 1.0
pair_style zero 3.0
pair_coeff * *
{styles}
create_atoms 1 single 0 0 0
create_atoms 1 single 1.03 0 0
create_atoms 1 single 1.4 0.95 0
create_atoms 1 single 2.2 1.2 0.6
special_bonds lj 0 0 0
{usage}
create_bonds single/bond 1 1 2
create_bonds single/bond 1 2 3
create_bonds single/bond 1 3 4
create_bonds single/angle 1 1 2 3
create_bonds single/angle 1 2 3 4
create_bonds single/dihedral 1 1 2 3 4
thermo_style custom ebond eangle edihed
thermo_modify norm no
thermo 1
run 0
"""


@pytest.mark.lammps
@pytest.mark.parametrize("head", ["x,potential,force\n", ""])
def test_a_force_in_the_third_column_is_no_error(tmp_path, head):
    """MSIBI saves x, potential, force with names; others the same without any."""
    rows = [f"{x!r},{250.0 * (x - 1.0) ** 2!r},{-500.0 * (x - 1.0)!r}" for x in B.tolist()]
    (tmp_path / "bond.csv").write_text(head + "\n".join(rows) + "\n")
    found = read_bonded_table(tmp_path / "bond.csv", Interaction.of("bond A-A"), units="lj")
    np.testing.assert_allclose(found.u, 250.0 * (B - 1.0) ** 2, atol=1e-9)
    assert found.u_error is None
    rows = [f"{x!r} {250.0 * (x - 1.0) ** 2!r} 0.1 i" for x in B.tolist()]
    (tmp_path / "bond.pot").write_text("\n".join(rows) + "\n")
    known = read_bonded_potential(tmp_path / "bond.pot", "bond", units="lj")
    assert known.u_error.tolist() == [0.1] * B.size


def test_lammps_loads_the_bonded_tables(tmp_path):
    from cginit.coordinates import COORDINATES

    phi = -np.pi + 2.0 * np.pi * np.arange(72) / 72
    theta = np.linspace(0.0, np.pi, 91)
    curves = Interactions(
        {
            "bond A-A": BondedPotential.shifted(B, 80.0 * (B - 1.0) ** 2, coordinate="bond", units="lj"),
            "angle A-A-A": BondedPotential.shifted(
                theta, 5.0 * (np.cos(theta) + 0.4) ** 2, coordinate="angle", units="lj"
            ),
            "dihedral A-A-A-A": BondedPotential.shifted(
                phi, np.cos(phi) + 0.5 * np.sin(2.0 * phi), coordinate="dihedral", units="lj"
            ),
        }
    )
    _, usage = write_lammps_bonded(curves, tmp_path / "bonded.table")
    lines = usage.splitlines()
    script = SCRIPT.format(styles="\n".join(lines[:3]), usage="\n".join(lines[3:]))
    (tmp_path / "in.lammps").write_text(script)
    engine = LammpsEngine()
    command = [*engine.command(), "-in", "in.lammps", "-log", "log", "-screen", "none"]
    subprocess.run(command, cwd=tmp_path, env=engine.environment(), check=True, timeout=100)
    log = (tmp_path / "log").read_text()
    assert "WARNING" not in log.split("run 0")[0]
    row = log.split("E_dihed")[1].split("\n")[1].split()
    places = np.array([[0.0, 0, 0], [1.03, 0, 0], [1.4, 0.95, 0], [2.2, 1.2, 0.6]])
    members = {"bond": [[0, 1], [1, 2], [2, 3]], "angle": [[0, 1, 2], [1, 2, 3]], "dihedral": [[0, 1, 2, 3]]}
    for energy, name in zip(map(float, row), curves, strict=True):
        groups = np.array(members[name.coordinate])
        x = COORDINATES[name.coordinate].measure(places, groups, [20.0] * 3)
        exact = {
            "bond": 80.0 * (x - 1.0) ** 2,
            "angle": 5.0 * (np.cos(x) + 0.4) ** 2,
            "dihedral": np.cos(x) + 0.5 * np.sin(2.0 * x) - np.min(np.cos(phi) + 0.5 * np.sin(2.0 * phi)),
        }[name.coordinate]
        # LAMMPS prints eight digits; splines of the tables are good to 1e-4. The zero is the lowest grid point.
        lowest = offset(theta) if name.coordinate == "angle" else 0.0
        assert energy == pytest.approx(float(exact.sum()) - lowest, abs=2e-3)


def offset(theta: np.ndarray) -> float:
    """What the lowest grid point of two angles is above the minimum."""
    return 2.0 * float(np.min(5.0 * (np.cos(theta) + 0.4) ** 2))


def system(folder: Path, **targets: str) -> Path:
    (folder / "start.data").write_text(DATA)
    r = np.arange(0.0, 3.01, 0.05)
    write(folder / "g.dist.tgt", r, np.where(r < 0.9, 0.0, 1.0))
    write(folder / "bond.dist.tgt", bonds().x, bonds().p)
    write(folder / "angle.dist.tgt", angles().x, angles().p)
    named = {f"{a}": "g.dist.tgt" for a in ("A-A", "A-B", "B-B")}
    named |= {"bond A-B": "bond.dist.tgt", "angle A-B-A": "angle.dist.tgt", **targets}
    lines = ['units = "lj"', "kT = 1.0", 'topology = "start.data"', 'exclusions = "1-2"', "[targets]"]
    lines += [f'"{name}" = "{path}"' for name, path in named.items()]
    file = folder / "system.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_the_file_of_a_system_of_molecules(tmp_path):
    found = read_system(system(tmp_path))
    (target,), (start,) = found.targets, found.starts
    assert start is not None
    assert target.densities == pytest.approx({"A": 4 / 15**3, "B": 2 / 15**3})
    assert target.topology is not None
    assert target.topology.exclusions == "1-2"
    assert target.target_exclusions == "molecule"
    assert [str(one) for one in target.measured][3:] == ["bond A-B", "angle A-B-A"]
    assert not target.counts_what_acts


def test_a_system_says_what_its_topology_lacks(tmp_path):
    with pytest.raises(InputError, match="names the bead C; the topology has A, B"):
        read_system(system(tmp_path, **{"A-C": "g.dist.tgt"}))
    with pytest.raises(InputError, match="there is a target of angle B-A-B, but the topology has"):
        read_system(system(tmp_path, **{"angle B-A-B": "angle.dist.tgt"}))
    file = system(tmp_path)
    file.write_text(file.read_text().replace("kT = 1.0", 'kT = 1.0\nangles = "grad"'))
    with pytest.raises(InputError, match="degrees or radians"):
        read_system(file)


def test_given_bonds_are_read(tmp_path):
    file = system(tmp_path)
    write_bonded_pot(
        BondedPotential.shifted(B, 80.0 * (B - 1.0) ** 2, coordinate="bond", units="lj"),
        tmp_path / "bond.pot",
    )
    file.write_text(file.read_text() + '[given]\n"bond B-A" = "bond.pot"\n')
    given = read_system(file).given_potentials()
    assert isinstance(given["bond A-B"], BondedPotential)


@pytest.mark.parametrize("units", ["lj", "nm-kJ/mol"])
def test_given_tables_of_lammps_are_read_in_its_units(tmp_path, units):
    """Sections by the names that cginit writes, or by the one behind the file."""
    theta, phi = np.linspace(0.0, np.pi, 91), np.arange(-90, 90) * np.pi / 90
    curves = {
        Interaction.of("bond A-B"): (B, 80.0 * (B - 1.0) ** 2),
        Interaction.of("angle A-B-A"): (theta, 5.0 * (theta - 2.0) ** 2),
        Interaction.of("dihedral A-B-B-A"): (phi, 1.0 + np.cos(phi)),
    }
    potentials = {
        name: BondedPotential.shifted(x, u, coordinate=name.coordinate, units=units)
        for name, (x, u) in curves.items()
    }
    file, _ = write_lammps_bonded(potentials, tmp_path / "bonded.table")
    for name, potential in potentials.items():
        found = read_bonded_table(file, name, units=units)
        assert found.units == potential.units
        inside = slice(2, -2)
        read = np.interp(potential.x[inside], found.x, found.u)
        # The table is a spline through the points, at other places; between them linear here.
        assert read == pytest.approx(potential.u[inside], abs=2e-3)
    other = Interaction.of("bond B-B")
    named = read_bonded_table(f"{file} BOND_A_B", other, units=units)
    assert named.at_minimum == pytest.approx(1.0, abs=1e-3)
    with pytest.raises(InputError, match="has no section BOND_B_B for bond B-B; it has BOND_A_B, "):
        read_bonded_table(file, other, units=units)


def test_a_section_of_lammps_that_is_cut_short_is_refused(tmp_path):
    file, _ = write_lammps_bonded(
        {
            Interaction.of("bond A-B"): BondedPotential.shifted(
                B, (B - 1.0) ** 2, coordinate="bond", units="lj"
            )
        },
        tmp_path / "bonded.table",
    )
    file.write_text("\n".join(file.read_text().splitlines()[:-5]))
    with pytest.raises(InputError, match="is it whole"):
        read_bonded_table(file, Interaction.of("bond A-B"), units="lj")


def test_given_tables_may_be_those_of_any_program(tmp_path):
    file = system(tmp_path)
    bond = BondedPotential.shifted(B, 80.0 * (B - 1.0) ** 2, coordinate="bond", units="lj")
    write_lammps_bonded({Interaction.of("bond A-A"): bond}, tmp_path / "bonded.table")
    text = file.read_text()
    file.write_text(text + '[given]\n"bond B-A" = "bonded.table BOND_A_A"\n')
    given = read_system(file).given_potentials()["bond A-B"]
    assert given.at_minimum == pytest.approx(1.0, abs=1e-3)
    # GROMACS: degrees, and the third column is a force, not an error.
    degrees = np.linspace(0.0, 180.0, 181)
    np.savetxt(
        tmp_path / "table_a0.xvg", np.column_stack([degrees, 0.01 * (degrees - 120.0) ** 2, 0.0 * degrees])
    )
    file.write_text(text + '[given]\n"angle A-B-A" = "table_a0.xvg"\n')
    angle = read_system(file).given_potentials()["angle A-B-A"]
    assert angle.at_minimum == pytest.approx(np.radians(120.0))
    assert angle.u_error is None


def test_bonded_tables_have_the_names_that_settings_give_them(tmp_path):
    bond = BondedPotential.shifted(B, 80.0 * (B - 1.0) ** 2, coordinate="bond", units="lj")
    potentials = {Interaction.of("bond A-B"): bond, Interaction.of("bond B-B"): bond}
    named = {"bond A-B": "stretch"}
    write_potentials(potentials, None, tmp_path, kT=1.0, label=lambda name: named.get(name, name))
    assert {path.name for path in tmp_path.glob("*.pot")} == {"stretch.pot", "bond_B-B.pot"}
