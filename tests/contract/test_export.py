"""Folders that are written for other programs, run by these: each has the energy of the model, and goes on."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import InputError, PairPotential
from cginit.bonded import BondedPotential
from cginit.cli.app import app
from cginit.coordinates import COORDINATES
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.export import Model, export_model
from cginit.growth import grown_configuration
from cginit.interactions import Interactions
from cginit.state import StatePoint
from cginit.topology import Topology
from cginit.units import ANGSTROM_KCAL
from made_refinements import trimers

pytest.importorskip("MDAnalysis")
KT, DENSITY = 2.494, 5.0
CHAIN = Topology([0, 1, 1, 0], ("A", "B"), {"bond A-B": [[0, 1], [2, 3]], "bond B-B": [[1, 2]]}).completed()


def pair(size: float) -> PairPotential:
    r = np.arange(0.0, 1.001, 0.01)
    x = np.maximum(r, 0.5 * size) / size
    return PairPotential.shifted(r, 4 * 0.5 * KT * (x**-12 - x**-6), units="nm-kJ/mol")


def bonded(coordinate: str, x: np.ndarray, u: np.ndarray) -> BondedPotential:
    return BondedPotential.shifted(x, u, coordinate=coordinate, units="nm-kJ/mol")


POTENTIALS = Interactions(
    {
        "A-A": pair(0.40),
        "A-B": pair(0.42),
        "B-B": pair(0.44),
        "bond A-B": bonded("bond", B := np.arange(0.25, 0.511, 0.005), 4000.0 * (B - 0.38) ** 2),
        "bond B-B": bonded("bond", B, 4000.0 * (B - 0.37) ** 2),
        "angle A-B-B": bonded("angle", T := np.linspace(0, np.pi, 91), 15.0 * (T - 2.0) ** 2),
        "dihedral A-B-B-A": bonded("dihedral", P := np.arange(-36, 36) * np.pi / 36, 3.0 * np.cos(P + 0.4)),
    }
)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Chains of which no two beads overlap: the end of a short simulation."""
    topology = CHAIN.repeated(80)
    shape = Interactions({name: one.at_minimum for name, one in POTENTIALS.items() if not name.is_pair})
    first = grown_configuration(topology, DENSITY, seed=2, units="nm-kJ/mol", shape=shape)
    state = StatePoint(DENSITY, kT=KT, units="nm-kJ/mol")
    schedule = Schedule(equilibration=300, production=100, every=10)
    folder = tmp_path_factory.mktemp("start")
    return LammpsEngine().run(POTENTIALS, state, first, schedule, seed=1, workdir=folder).final


def model(start, exclusions: str) -> Model:
    from dataclasses import replace

    return Model(POTENTIALS, replace(start, topology=start.topology.excluding(exclusions)), KT, {"A": 15.0})


def energy(one: Model) -> float:
    """The potential energy in kJ/mol, pair by pair."""
    start, topology = one.start, one.start.topology
    total = 0.0
    for name, members in topology.terms.items():
        x = COORDINATES[name.coordinate].measure(start.positions, members, start.box)
        u = one.potentials[name]
        # The spline through the points is what programs are given; these are springs and waves.
        exact = {
            "bond A-B": lambda b: 4000.0 * (b - 0.38) ** 2,
            "bond B-B": lambda b: 4000.0 * (b - 0.37) ** 2,
            "angle A-B-B": lambda t: 15.0 * (t - 2.0) ** 2 - np.min(15.0 * (T - 2.0) ** 2),
            "dihedral A-B-B-A": lambda p: 3.0 * np.cos(p + 0.4) - np.min(3.0 * np.cos(P + 0.4)),
        }[str(name)]
        assert u.u.min() == 0.0
        total += float(np.sum(exact(x)))
    i, j = np.triu_indices(start.n, 1)
    keep = np.ones(i.size, dtype=bool)
    number = {pair: k for k, pair in enumerate(zip(i.tolist(), j.tolist(), strict=True))}
    keep[[number[tuple(sorted(pair))] for pair in topology.excluded().tolist()]] = False
    apart = start.positions[j[keep]] - start.positions[i[keep]]
    r = np.linalg.norm(apart - start.box * np.round(apart / start.box), axis=1)
    kinds = start.types[i[keep]] + start.types[j[keep]]
    for kind, size in enumerate((0.40, 0.42, 0.44)):
        near = r[(kinds == kind) & (r < 1.0)] / size
        end = 1.0 / size
        total += float(np.sum(2.0 * KT * (near**-12 - near**-6 - end**-12 + end**-6)))
    return total


#: Linear interpolation of tables, whose steps are some 1e-3 of the ranges, in sums over some 10^4 pairs.
CLOSE = 2e-3


@pytest.mark.lammps
@pytest.mark.parametrize("exclusions", ["1-2", "1-4", "molecule"])
def test_lammps_runs_its_folder(start, tmp_path, exclusions):
    one = model(start, exclusions)
    files = export_model(one, "lammps", tmp_path / "run")
    assert {file.name for file in files} == {
        "pairs.table",
        "bonded.table",
        "start.data",
        "in.lammps",
        "README",
    }
    engine = LammpsEngine()
    command = [
        *engine.command(),
        "-in",
        "in.lammps",
        "-log",
        "log",
        "-screen",
        "none",
        "-var",
        "steps",
        "500",
    ]
    subprocess.run(command, cwd=tmp_path / "run", env=engine.environment(), check=True, timeout=200)
    log = (tmp_path / "run" / "log").read_text()
    rows = [row.split() for row in log.split("Step")[1].split("Loop")[0].splitlines()[1:]]
    # In kcal/mol; the total of all beads.
    assert float(rows[0][2]) * 4.184 == pytest.approx(energy(one), rel=CLOSE)
    assert float(rows[0][1]) == pytest.approx(KT / 0.00831446, rel=1e-3)
    # Each of 960 degrees of freedom has its kT: 4.6 % at one standard error.
    assert float(rows[-1][1]) == pytest.approx(KT / 0.00831446, rel=0.2)
    assert "WARNING: Bond" not in log
    assert len((tmp_path / "run" / "README").read_text().splitlines()) == 3


@pytest.mark.hoomd
@pytest.mark.parametrize("exclusions", ["1-3", "molecule"])
def test_hoomd_runs_its_folder(start, tmp_path, exclusions):
    environment = {**os.environ, "PYTHONPATH": os.environ.get("CGINIT_HOOMD_PATH", "")}
    one = model(start, exclusions)
    export_model(one, "hoomd", tmp_path / "run")
    found = run_script(tmp_path / "run", environment)
    assert found[0] == pytest.approx(energy(one), rel=CLOSE)
    assert found[1] == pytest.approx(KT, rel=0.2)
    assert np.isfinite(float(re.search(r"pressure (\S+)", (tmp_path / "run" / "log").read_text())[1]))


@pytest.mark.slow
@pytest.mark.parametrize("exclusions", ["1-3", "molecule"])
def test_openmm_runs_its_folder(start, tmp_path, exclusions):
    pytest.importorskip("openmm")
    one = model(start, exclusions)
    export_model(one, "openmm", tmp_path / "run")
    found = run_script(tmp_path / "run", dict(os.environ))
    # A natural spline through the points of a table.
    assert found[0] == pytest.approx(energy(one), rel=CLOSE)
    assert found[1] == pytest.approx(KT, rel=0.2)


def run_script(folder, environment) -> tuple[float, float]:
    """Run 500 steps; return the energy before them and kT after them."""
    done = subprocess.run(
        [sys.executable, "run.py", "500"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    (folder / "log").write_text(done.stdout)
    found = re.search(r"energy (\S+) .*\nkT (\S+) ", done.stdout)
    return float(found[1]), float(found[2])


def test_loose_beads_in_reduced_units(tmp_path):
    from cginit.configuration import random_configuration

    r = np.arange(0.0, 2.51, 0.05)
    x = np.maximum(r, 0.7)
    lj = PairPotential.shifted(r, 4.0 * (x**-12 - x**-6), units="lj")
    one = Model(Interactions({"A-A": lj}), random_configuration(400, 0.6, seed=1, units="lj"), 1.2)
    files = export_model(one, "lammps", tmp_path / "lj")
    script = (tmp_path / "lj" / "in.lammps").read_text()
    assert "units lj\natom_style atomic" in script
    assert "velocity all create 1.2 " in script
    assert not any(file.name == "bonded.table" for file in files)
    with pytest.raises(InputError, match="this model is in reduced ones; write it for lammps or hoomd"):
        export_model(one, "openmm", tmp_path / "openmm")
    assert not (tmp_path / "openmm").exists()


def test_what_cannot_be_written_is_said(start, tmp_path):
    one = model(start, "1-3")
    with pytest.raises(InputError, match="GROMACS has run no tabulated potentials of pairs since 2020"):
        export_model(one, "gromacs", tmp_path)
    with pytest.raises(
        InputError, match="'namd' is no program that is written for; those are lammps, hoomd, openmm"
    ):
        export_model(one, "namd", tmp_path)
    with pytest.raises(InputError, match="there is a mass of C, but the bead types are A, B"):
        Model(POTENTIALS, start, KT, {"C": 1.0})
    with pytest.raises(InputError, match="the mass of A must be positive, not 0"):
        Model(POTENTIALS, start, KT, {"A": 0.0})


def test_masses_are_those_of_the_topology(start, tmp_path):
    from dataclasses import replace

    known = replace(start, topology=replace(start.topology, masses=[15.035, np.nan]))
    one = Model(POTENTIALS, known, KT)
    assert one.masses == {"A": 15.035, "B": 72.0}
    assert one.assumed == one.to(ANGSTROM_KCAL).assumed == ("B",)
    export_model(one, "lammps", tmp_path / "run")
    assert "1 15.035 # A\n2 72 # B\n" in (tmp_path / "run" / "start.data").read_text()
    assert "masses A 15.035, B 72 (g/mol, assumed of B;" in (tmp_path / "run" / "README").read_text()
    assert Model(POTENTIALS, known, KT, {"A": 16.0, "B": 14.0}).masses == {"A": 16.0, "B": 14.0}


def test_the_command_takes_the_masses_that_the_refinement_keeps(tmp_path):
    trimers(tmp_path / "work", molecules=30, masses=[15.035, 14.027])
    done = CliRunner().invoke(app, ["export", str(tmp_path / "work"), "--for", "lammps"])
    assert done.exit_code == 0, done.output
    assert "1 15.035 # A\n2 14.027 # B\n" in (tmp_path / "work" / "lammps" / "start.data").read_text()


def test_the_command_writes_what_a_refinement_found(tmp_path):
    trimers(tmp_path / "work", molecules=30)
    runner = CliRunner()
    done = runner.invoke(app, ["export", str(tmp_path / "work"), "--for", "lammps", "--mass", "A=2"])
    assert done.exit_code == 0, done.output
    folder = tmp_path / "work" / "lammps"
    assert f"cd {folder} && lmp -in in.lammps" in done.output
    data = (folder / "start.data").read_text()
    assert "1 2 # A\n2 1 # B\n" in data
    assert "60 bonds" in data
    assert "30 angles" in data
    script = (folder / "in.lammps").read_text()
    assert "bond_coeff 1 bonded.table BOND_A_B" in script
    assert "pair_coeff 1 2 pairs.table A-B" in script
    for options, words in (
        (["--for", "gromacs"], "since 2020"),
        (["--for", "lammps", "--mass", "A"], "is not the name of a bead type"),
        (["--for", "lammps", "--state", "2"], "has 1 states, no state 2"),
    ):
        with pytest.raises(InputError, match=words):
            runner.invoke(app, ["export", str(tmp_path / "work"), *options], catch_exceptions=False)
