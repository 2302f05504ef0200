"""``cg-init refine --settings``: a settings file of csg_inverse, with the analytic engine and with LAMMPS."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import RDF, InputError, StatePoint, read_table, write_rdf
from cginit.cli.app import app
from cginit.configuration import random_configuration
from cginit.refine.store import Store
from cginit.units import NM_KJ
from reference import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SPCE = TARGETS / "spce"
KT = 2.5
R = np.linspace(0.0, 0.9, 61)
U = 1.5 * np.exp(-((R / 0.3) ** 2)) - 0.5 * np.exp(-8 * (R / 0.3 - 1.3) ** 2)
U -= U[-1]

SETTINGS = """\
<cg>
  <non-bonded>
    <name>A-A</name> <type1>A</type1> <type2>A</type2>
    <min>0.0</min> <max>0.9</max> <step>{step}</step>
    <inverse>
      <target>A-A.dist.tgt</target> {interaction}
      <lammps> <table>A-A.table</table> <scale>10</scale> <y_scale>0.239006</y_scale> </lammps>
    </inverse>
  </non-bonded>
  <inverse>
    <kBT>{kT}</kBT>
    <program>lammps</program>
    <lammps> <script>bead.in</script> <topol>bead.data</topol> <traj>traj.dump</traj> </lammps>
    <initial_configuration>{start}</initial_configuration>
    <filelist>bead.data bead.in</filelist>
    <iterations_max>20</iterations_max>
    <method>ibi</method> {general}
  </inverse>
</cg>
"""
SCRIPT = """\
units real
atom_style atomic
read_data bead.data
velocity all create 300 87287
pair_style table linear 1000
pair_coeff 1 1 A-A.table VOTCA 9
timestep 2.0
fix 1 all nve
fix 2 all langevin 300 300 200 545454
run {equilibration}
dump 1 all atom 20 traj.dump
run {production}
"""


def invoke(*arguments):
    return CliRunner().invoke(app, [str(x) for x in arguments], catch_exceptions=False)


@pytest.fixture
def dilute(tmp_path):
    """Write settings of a dilute gas, whose potential is known: g = exp(-U/kT)."""
    g = RDF(R, np.exp(-U), np.full(R.size, 1e-3), units=NM_KJ)
    write_rdf(g, tmp_path / "A-A.dist.tgt", state=StatePoint(0.4, KT, NM_KJ))
    (tmp_path / "bead.in").write_text(SCRIPT.format(equilibration=100, production=1000))
    return tmp_path


def write(folder, *, step="0.015", kT=KT, start="nowhere", interaction="", general=""):
    path = folder / "settings.xml"
    path.write_text(SETTINGS.format(step=step, kT=kT, start=start, interaction=interaction, general=general))
    return path


def test_settings_run_and_leave_tables_named_as_the_interaction(dilute):
    done = invoke("refine", "--settings", write(dilute), "--method", "boltzmann", "--engine", "dilute")
    assert done.exit_code == 0, done.output
    assert "converged" in done.output
    assert "settings  start: guess boltzmann" in done.output
    assert "not needed here" in done.output
    potential = read_table(dilute / "cginit" / "A-A.pot")
    # Boltzmann inversion is exact here but for the bin average, which is g'' dr^2/24 = 4e-4 kT at this step.
    np.testing.assert_allclose(
        np.interp(0.39, potential.r, potential.u), KT * np.interp(0.39, R, U), atol=5e-3
    )
    assert (dilute / "cginit" / "A-A.table").is_file()


def test_options_beside_the_settings(dilute):
    (dilute / "A-A.pot.in").write_text("".join(f"{r:.3f} {3.0 * (0.9 - r):.6f} i\n" for r in R))
    arguments = ("refine", "--settings", write(dilute), "--engine", "dilute")
    done = invoke(
        *arguments, "--iterations", "1", "--workdir", dilute / "w", "--out", dilute / "x.pot", "--quiet"
    )
    assert done.exit_code == 3, done.output
    assert done.output.split() == [str(dilute / "x.pot")]
    # The start was the table beside the settings.
    np.testing.assert_allclose(read_table(dilute / "x.pot").u, 3.0 * (0.9 - R), atol=1e-6)
    done = invoke(
        *arguments, "--update", "anderson-ibi", "--iterations", "2", "--workdir", dilute / "a", "--quiet"
    )
    assert done.exit_code in (0, 3)
    assert "anderson" in (dilute / "a" / "refinement.json").read_text().lower()
    with pytest.raises(InputError, match="--kT, --cutoff cannot stand beside --settings"):
        invoke(*arguments, "--kT", "1.0", "--cutoff", "0.5")


def test_a_plan_of_settings_says_what_counts_and_runs_nothing(dilute):
    path = write(dilute, general="<convergence_check><limit>100</limit></convergence_check>")
    before = sorted(dilute.iterdir())
    done = invoke("refine", "--settings", path, "--plan", "--engine", "dilute", "--production", "777")
    assert done.exit_code == 0, done.output
    assert (
        "settings  inverse.convergence_check.limit has no effect: convergence_check.type is none"
        in done.output
    )
    assert "update    ibi, at most" in done.output
    assert "777 of sampling" in done.output
    assert sorted(dilute.iterdir()) == before


def test_the_limit_of_the_convergence_check_stops_the_run(dilute):
    (dilute / "A-A.pot.in").write_text("".join(f"{r:.3f} {3.0 * (0.9 - r):.6f} i\n" for r in R))
    path = write(
        dilute,
        interaction="<post_add>convergence</post_add>",
        general="<convergence_check><type>default</type><limit>100</limit></convergence_check>",
    )
    done = invoke("refine", "--settings", path, "--engine", "dilute")
    assert done.exit_code == 0, done.output
    # 100 is far above the sum of |g - g_target| of the start, 61 points of at most 2.
    assert "after 1 simulation the norm of g - g_target is" in done.output


def test_neither_target_nor_settings(dilute):
    done = invoke("refine", "--workdir", dilute / "w")
    assert done.exit_code == 2
    assert "--settings" in done.output


@pytest.mark.lammps
def test_the_layout_of_the_tutorial_runs_in_lammps(tmp_path):
    """Target, script and data file as in VOTCA's SPC/E tutorial for LAMMPS, but short: one simulation."""
    target = SPCE / "CG-CG.dist.tgt" if SPCE.is_dir() else ROOT / "examples" / "water" / "target.dat"
    # Without comments: VOTCA's targets state no density.
    rows = [line for line in target.read_text().splitlines() if not line.startswith("#")]
    (tmp_path / "A-A.dist.tgt").write_text("\n".join(rows) + "\n")
    start = random_configuration(800, 33.2827, seed=1, units=NM_KJ).to("angstrom-kcal/mol")
    edges = "".join(f"0 {edge} {axis}lo {axis}hi\n" for edge, axis in zip(start.box, "xyz", strict=True))
    atoms = "".join(f"{i + 1} 1 {x} {y} {z}\n" for i, (x, y, z) in enumerate(start.positions))
    (tmp_path / "bead.data").write_text(
        f"water\n\n{start.n} atoms\n1 atom types\n{edges}\nMasses\n\n1 18.0154\n\nAtoms\n\n{atoms}"
    )
    (tmp_path / "bead.in").write_text(SCRIPT.format(equilibration=600, production=400))
    path = write(
        tmp_path, step="0.01", kT=2.49435, start="maindir", interaction="<post_update>smooth</post_update>"
    )
    done = invoke("refine", "--settings", path, "--iterations", "1")
    # One short simulation from HNC is near the noise; whether it is below is not the question.
    assert done.exit_code in (0, 3), done.output
    assert "density 33.2827 nm^-3, from the beads and the box of bead.data" in done.output
    # A g(r) that still moves at the end has a second run, which goes on where the first one ended.
    script = next((tmp_path / "cginit").rglob("engine/in.lammps")).read_text()
    # 600 steps of which 500 are the push-off; every 20 of 400.
    assert "run 400" in script
    assert "run 100" in script
    potential = read_table(tmp_path / "cginit" / "A-A.pot")
    assert potential.r_cut == pytest.approx(0.9)
    assert read_table(tmp_path / "cginit" / "A-A.table").units.name == "angstrom-kcal/mol"


MIXTURE = """\
<cg>
  <non-bonded>
    <name>A-A</name> <type1>A</type1> <type2>A</type2> <min>0</min> <max>0.8</max> <step>0.02</step>
    <inverse> <target>A-A.dist.tgt</target> <particle_dens>6.0</particle_dens>
      <post_update>smooth</post_update> </inverse>
  </non-bonded>
  <non-bonded>
    <name>A-B</name> <type1>A</type1> <type2>B</type2> <min>0</min> <max>0.7</max> <step>0.02</step>
    <inverse> <target>A-B.dist.tgt</target> </inverse>
  </non-bonded>
  <non-bonded>
    <name>B-B</name> <type1>B</type1> <type2>B</type2> <min>0</min> <max>0.8</max> <step>0.02</step>
    <inverse> <target>B-B.dist.tgt</target> <particle_dens>12.0</particle_dens>
      <do_potential>0</do_potential> </inverse>
  </non-bonded>
  <inverse>
    <kBT>2.5</kBT> <program>lammps</program>
    <lammps> <script>mix.in</script> </lammps>
    <initial_configuration>nowhere</initial_configuration>
    <iterations_max>2</iterations_max> <method>ibi</method>
  </inverse>
</cg>
"""


@pytest.mark.lammps
def test_a_mixture_runs_pair_by_pair_as_its_settings_say(tmp_path):
    r = 0.02 * np.arange(51)
    u = 1.5 * np.exp(-((r / 0.3) ** 2))
    for k, pair in enumerate(("A-A", "A-B", "B-B")):
        # Rather strong, so that no two short simulations are at the noise.
        g = np.exp(-(1.0 + 0.5 * k) * u / KT) * (1.0 + 0.3 * np.exp(-((r - 0.5) ** 2) / 0.01))
        (tmp_path / f"{pair}.dist.tgt").write_text(
            "".join(f"{x:.2f} {y:.6f} i\n" for x, y in zip(r, g, strict=True))
        )
    (tmp_path / "mix.in").write_text(
        SCRIPT.format(equilibration=700, production=400).replace("read_data", "mass * 20.0\nread_data")
    )
    path = tmp_path / "settings.xml"
    path.write_text(MIXTURE)
    done = invoke("refine", "--settings", path, "--method", "boltzmann")
    assert done.exit_code == 3, done.output
    assert "settings  densities in nm^-3: A 6, B 12, from particle_dens" in done.output
    assert "B-B keeps its potential" in done.output
    assert "stopped at the cap of 2 simulations" in done.output
    work = tmp_path / "cginit"
    assert {file.name for file in work.glob("*.*")} >= {"A-A.pot", "A-B.pot", "B-B.pot", "mixture.table"}
    assert read_table(work / "A-B.pot").r_cut == pytest.approx(0.7)
    (first,), (second,) = Store(work).rounds()
    assert (first.made_by, second.made_by) == ("start", "ibi")
    script = (work / "iteration_000" / "engine" / "in.lammps").read_text()
    # 700 steps of which 500 are the push-off; every 20 of 400; two thirds of the 1000 beads are B.
    assert "run 400" in script
    assert "run 200" in script
    assert np.bincount(first.final.types).tolist() == [333, 667]
    # The pair that is held stays, the others change, smoothly where it was asked for.
    kept, free = ("B", "B"), ("A", "A")
    np.testing.assert_array_equal(second.potentials[kept].u, first.potentials[kept].u)
    assert np.max(np.abs(second.potentials[free].u - first.potentials[free].u)) > 0.05
    with pytest.raises(InputError, match="--density is that of a single component"):
        invoke("refine", "--settings", path, "--density", "3")
