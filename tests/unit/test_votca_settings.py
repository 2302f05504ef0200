"""Settings files of csg_inverse: what is read, what is named as missing, what the refinement becomes."""

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from cginit import RDF, InputError, PairPotential, StatePoint, write_rdf, write_table
from cginit.configuration import random_configuration
from cginit.engines.base import length_scale
from cginit.interactions import Interactions
from cginit.refine.stop import Norm
from cginit.refine.updates import IBI, IMC, GaussNewton, KirkwoodBuffRamp
from cginit.units import NM_KJ
from cginit.votca import (
    OPTIONS,
    find_option,
    make_plan,
    options_table,
    read_lammps_script,
    read_mdp,
    read_settings,
    read_target,
    update_of,
)
from cginit.votca.adjusted import Adjustment, triangular
from cginit.votca.bonds import bonded_in_simulation
from cginit.votca.script import script_exclusions

DEFAULTS = Path("/usr/share/votca/xml/csg_defaults.xml")
DENSITY, KT = 33.2827, 2.49435

SETTINGS = """\
<!-- the layout of VOTCA's SPC/E tutorial for LAMMPS -->
<cg>
  <non-bonded>
    <name>CG-CG</name> <type1>B</type1> <type2>B</type2>
    <min>0.0</min> <max>0.9</max> <step>0.01</step>
    <inverse>
      <target>CG-CG.dist.tgt</target>
      <lammps> <table>CG_CG.pot</table> <scale>10</scale> <y_scale>0.239006</y_scale> </lammps>
      <!-- interaction -->
    </inverse>
  </non-bonded>
  <inverse>
    <kBT>2.49435</kBT>
    <program>lammps</program>
    <lammps> <script>bead.in</script> <topol>bead.data</topol> <traj>traj.dump</traj> </lammps>
    <filelist>bead.data bead.in</filelist>
    <iterations_max>300</iterations_max>
    <method>ibi</method>
    <!-- general -->
  </inverse>
</cg>
"""
SCRIPT = """\
units real
atom_style atomic
variable steps equal 90000
read_data bead.data
pair_style table linear 1000
pair_coeff 1 1 CG_CG.pot VOTCA 9
timestep 2.00
fix 1 all nve
fix 2 all langevin 300 300 200 545454 # damping in fs
thermo 100
run 10000
dump 1 all atom 100 traj.dump
run ${steps}
"""
R = np.arange(0.20, 1.005, 0.01)
G = np.where(
    R < 0.26, 0.0, 1.0 + 1.5 * np.exp(-(((R - 0.28) / 0.02) ** 2)) - 0.1 * np.exp(-(((R - 0.35) / 0.04) ** 2))
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "CG-CG.dist.tgt").write_text(
        "".join(f"{r:.2f} {g:.6f} i\n" for r, g in zip(R, G, strict=True))
    )
    start = random_configuration(400, DENSITY, seed=1, units=NM_KJ).to("angstrom-kcal/mol")
    edges = "".join(f"0 {edge} {axis}lo {axis}hi\n" for edge, axis in zip(start.box, "xyz", strict=True))
    atoms = "".join(f"{i + 1} 1 {x} {y} {z}\n" for i, (x, y, z) in enumerate(start.positions))
    (tmp_path / "bead.data").write_text(
        f"beads\n\n{start.n} atoms\n1 atom types\n{edges}\nMasses\n\n1 18.0154\n\nAtoms\n\n{atoms}"
    )
    (tmp_path / "bead.in").write_text(SCRIPT)
    return tmp_path


def settings(folder, *, interaction="", general="", replace=()):
    text = SETTINGS.replace("<!-- interaction -->", interaction).replace("<!-- general -->", general)
    for old, new in replace:
        assert old in text
        text = text.replace(old, new)
    (folder / "settings.xml").write_text(text)
    return read_settings(folder / "settings.xml")


def test_the_tutorial_layout_becomes_a_refinement(folder):
    plan = make_plan(settings(folder))
    assert plan.target.kT == KT
    # The box is printed with all digits, but MDAnalysis keeps it in single precision.
    assert plan.target.state.density == pytest.approx(DENSITY, rel=1e-6)
    assert plan.potentials.only().r_cut == pytest.approx(0.9)
    assert plan.update.update == IBI()
    assert plan.update.adjustments == ((plan.target.pairs[0], Adjustment()),)
    assert plan.limits.iterations == 300
    assert plan.start.n == 400
    # 10000 steps before the dump begins, of which 500 are the push-off.
    assert (plan.schedule.equilibration, plan.schedule.production, plan.schedule.every) == (9500, 90000, 100)
    # tau = a sqrt(m / kT), with a the distance at which U falls to kT, at most the mean spacing.
    a = min(
        plan.potentials.only().r[np.flatnonzero(plan.potentials.only().u <= KT)[0]],
        plan.target.state.density ** (-1 / 3),
    )
    tau = a * np.sqrt(18.0154 / KT)
    assert plan.schedule.dt == pytest.approx(0.002 / tau)
    assert plan.schedule.friction == pytest.approx(tau / 0.2)
    notes = " ".join(plan.notes)
    assert "not needed here" in notes
    assert "y_scale" in notes
    assert "from the beads and the box of bead.data" in notes


def test_every_option_of_csg_inverse_is_known():
    if not DEFAULTS.is_file():
        pytest.skip("csg_defaults.xml is absent: apt-get install votca")

    def leaves(element, path):
        children = [child for child in element if child.tag != "DESC"]
        if not children:
            yield path
        for child in children:
            yield from leaves(child, f"{path}.{child.tag}")

    found = list(leaves(ET.parse(DEFAULTS).getroot(), "cg"))
    assert len(found) > 150
    assert [path for path in found if find_option(path) is None] == []


def test_the_documentation_has_the_table_of_options():
    page = (Path(__file__).parents[2] / "docs" / "votca.md").read_text()
    assert options_table() in page
    assert len({option.path for option in OPTIONS}) == len(OPTIONS)


def test_what_has_no_effect_is_named(folder):
    notes = settings(
        folder,
        general="<dist_min>0.1</dist_min> <nonsense>7</nonsense> <log_file>inverse.log</log_file>",
        interaction="<gromacs><table_left_extrapolation>linear</table_left_extrapolation></gromacs>",
    ).notes
    assert any(note.startswith("inverse.dist_min has no effect") for note in notes)
    assert any(note.startswith("inverse.nonsense is no option") for note in notes)
    assert any("table_left_extrapolation has no effect" in note for note in notes)
    assert any("not needed here" in note and "inverse.log_file" in note for note in notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"general": "<map>water.xml</map>"}, "names the mapping water.xml, which is not in"),
        (
            {"general": "<iie><n_intra>3</n_intra></iie>"},
            "neither a map nor the topology says how they are bonded",
        ),
        (
            {"replace": [("<method>ibi", "<method>re")]},
            r"the method re \(relative entropy\); ibi, imc and iie",
        ),
        ({"replace": [("<kBT>2.49435", "<kBT>warm")]}, "kBT is 'warm', not a number"),
        ({"replace": [("<step>0.01</step>", "")]}, "has no cg.non-bonded .CG-CG..step"),
        ({"replace": [("<iterations_max>300", "<iterations_max>0")]}, "iterations_max is 0"),
        (
            {"interaction": "<post_update>splinesmooth</post_update>"},
            "post_update splinesmooth does not exist here",
        ),
        ({"interaction": "<post_update>pressure</post_update>"}, "has no p_target"),
        ({"interaction": "<do_potential>0</do_potential>"}, "do_potential of CG-CG is 0"),
        ({"replace": [("<target>CG-CG", "<target>XX")]}, "the target .*XX.dist.tgt of CG-CG is absent"),
        ({"replace": [("bead.in</script>", "no.in</script>")]}, "names the LAMMPS script no.in"),
        ({"replace": [("<non-bonded>", "<bonded>"), ("</non-bonded>", "</bonded>")]}, "no <non-bonded>"),
    ],
)
def test_what_cannot_be_done_is_an_error(folder, changes, message):
    with pytest.raises(InputError, match=message):
        make_plan(settings(folder, **changes))


def test_no_xml_and_other_xml(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text("cg")
    with pytest.raises(InputError, match="is not valid XML"):
        read_settings(path)
    path.write_text("<topology/>")
    with pytest.raises(InputError, match="begins with <topology>"):
        read_settings(path)
    with pytest.raises(InputError, match="cannot read"):
        read_settings(tmp_path / "none.xml")


def test_a_mixture_is_no_single_component(folder):
    section = SETTINGS[SETTINGS.index("  <non-bonded>") : SETTINGS.index("  <inverse>\n    <kBT>")]
    second = section.replace("CG-CG<", "CG-X<").replace("<type2>B", "<type2>X")
    (folder / "settings.xml").write_text(SETTINGS.replace(section, section + second))
    found = read_settings(folder / "settings.xml")
    assert [item.name for item in found.interactions] == ["CG-CG", "CG-X"]
    assert found.components == ("B", "X")
    with pytest.raises(InputError, match="no <non-bonded> interaction of X and X"):
        make_plan(found)


def rule_of(found):
    """The update, the adjustment of its only interaction, the pressure to reach, and notes."""
    update, pressure, notes = update_of(found, Interactions({("B", "B"): found.interaction}))
    return update.update, update.adjustments[0][1], pressure, notes


def iie(method, more=""):
    return {
        "replace": [("<method>ibi", "<method>iie")],
        "general": f"<iie><method>{method}</method><densities>20.0</densities><n_intra>1</n_intra>{more}</iie>",
    }


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "ibi"),
        ({"replace": [("<method>ibi", "<method>imc")]}, "imc"),
        (iie("gauss-newton"), "gauss-newton"),
        (iie("newton"), "hncn"),
        (iie("newton-mod"), "ihnc"),
    ],
)
def test_methods(folder, changes, name):
    update, *_ = rule_of(settings(folder, **changes))
    assert update.name == name


def test_post_update_steps(folder):
    options = (
        "<scale>0.3</scale><smooth><iterations>2</iterations></smooth><pressure><type>wjk</type></pressure>"
    )
    found = settings(
        folder,
        interaction="<p_target>100.0</p_target><post_update>scale smooth pressure</post_update>"
        f"<post_update_options>{options}</post_update_options>",
    )
    update, adjustment, pressure, notes = rule_of(found)
    assert update == IBI()
    assert adjustment == Adjustment(damping=0.3, smoothing=2, ramp="wjk")
    # 1 kJ/(mol nm^3) is 16.6054 bar.
    assert pressure == pytest.approx(100.0 / 16.605390671738466)
    assert any("100 bar" in note for note in notes)
    # A scale that post_update does not ask for does not count, in csg_inverse and here.
    idle = f"<post_update>smooth</post_update><post_update_options>{options}</post_update_options>"
    assert rule_of(settings(folder, interaction=idle))[1] == Adjustment(smoothing=2)


def test_the_pressure_of_iie_is_a_datum_of_gauss_newton(folder):
    update, adjustment, pressure, _ = rule_of(
        settings(folder, **iie("gauss-newton", "<pressure_constraint>1.0</pressure_constraint>"))
    )
    assert (update, adjustment.ramp, pressure) == (GaussNewton(), None, 1.0 / 16.605390671738466)


def test_a_cycle_of_one_interaction_has_no_idle_turns(folder):
    _, adjustment, _, notes = rule_of(settings(folder, interaction="<do_potential>1 0 0</do_potential>"))
    assert adjustment.cycle == (True, False, False)
    assert any("do_potential 1 0 0: every simulation is followed by an update" in note for note in notes)


def test_imc_group(folder):
    imc = {"replace": [("<method>ibi", "<method>imc")]}
    assert rule_of(settings(folder, interaction="<imc><group>1</group></imc>", **imc))[0] == IMC()
    with pytest.raises(InputError, match="group of CG-CG is none"):
        rule_of(settings(folder, interaction="<imc><group>none</group></imc>", **imc))


def test_smoothing_is_that_of_csg_inverse(tmp_path):
    if shutil.which("csg_call") is None:
        pytest.skip("csg_call is absent: apt-get install votca")
    values = np.sin(np.arange(12.0)) * 3.0
    (tmp_path / "in.pot").write_text("".join(f"{0.1 * i:.2f} {v:.10f} i\n" for i, v in enumerate(values)))
    subprocess.run(
        ["csg_call", "table", "smooth", "in.pot", "out.pot"], cwd=tmp_path, check=True, capture_output=True
    )
    rows = [line.split() for line in (tmp_path / "out.pot").read_text().splitlines() if line[0] != "#"]
    # Printed with ten digits.
    np.testing.assert_allclose([float(row[1]) for row in rows], triangular(values, 1), atol=1e-8)


def test_density_comes_from_the_first_that_states_it(folder):
    assert read_target(settings(folder), density=7.0).state.density == 7.0
    mine = "<cginit><density>8.0</density></cginit>"
    dens = "<particle_dens>9.0</particle_dens>"
    assert read_target(settings(folder, interaction=dens, general=mine)).state.density == 8.0
    assert read_target(settings(folder, interaction=dens)).state.density == 9.0
    assert read_target(settings(folder, **iie("newton"))).state.density == 20.0
    (folder / "bead.data").unlink()
    with pytest.raises(InputError, match="density is stated neither"):
        read_target(settings(folder))
    write_rdf(RDF(R, G, units=NM_KJ), folder / "CG-CG.dist.tgt", state=StatePoint(30.0, KT, NM_KJ))
    assert read_target(settings(folder)).state.density == 30.0


def test_another_step_than_that_of_the_target(folder):
    problem = read_target(settings(folder, replace=[("<step>0.01", "<step>0.02")]))
    np.testing.assert_allclose(problem.target.r, np.arange(0.20, 1.005, 0.02), atol=1e-12)
    # Points that both grids share keep their value.
    np.testing.assert_allclose(problem.target.g, np.round(G[::2], 6), atol=1e-12)
    assert any("interpolated to a step of 0.02" in note for note in problem.notes)


def test_what_is_asked_of_a_target_is_asked_of_that_of_a_settings_file(folder):
    plan = make_plan(settings(folder, replace=[("<kBT>2.49435", "<kBT>0.2245")]))
    assert any("27 K: hardly anything is liquid. Is it in degrees Celsius" in note for note in plan.notes)
    # The part of a sphere that is inside a box of edge 1.9 nm.
    inside = np.where(R > 0.95, 2.85 / R - 2.0, 1.0)
    np.savetxt(folder / "CG-CG.dist.tgt", np.column_stack([R, G * inside]))
    plan = make_plan(settings(folder))
    assert any("It is cut at" in note and "half the box" in note for note in plan.notes)
    assert plan.target.rdfs.only().r_max < 0.96
    noisy = G * (1.0 + 0.01 * np.random.default_rng(1).normal(size=R.size))
    np.savetxt(folder / "CG-CG.dist.tgt", np.column_stack([R, noisy, np.full(R.size, 1e-4)]))
    plan = make_plan(settings(folder))
    assert any("is it a variance?" in note for note in plan.notes)
    far = 0.01 * np.arange(20, 301)
    drop = np.interp(far, R, G) * (0.99 + 0.4 * np.exp(-((far / 0.9) ** 2)))
    np.savetxt(folder / "CG-CG.dist.tgt", np.column_stack([far, drop]))
    with pytest.raises(InputError, match="two phases"):
        make_plan(settings(folder))


def test_min_leaves_out_what_shows_no_potential(folder):
    # A spurious count at 0.21 nm, such as beads counted with themselves leave; the core ends at 0.26 nm.
    spurious = np.where(np.isclose(R, 0.21), 0.4, G)
    (folder / "CG-CG.dist.tgt").write_text(
        "".join(f"{r:.2f} {g:.6f} i\n" for r, g in zip(R, spurious, strict=True))
    )
    whole = read_target(settings(folder))
    assert whole.target.g[1] == 0.4
    kept = read_target(settings(folder, replace=[("<min>0.0", "<min>0.23")]))
    assert kept.target.r[0] == pytest.approx(0.23)
    np.testing.assert_array_equal(kept.target.g, np.round(G[3:], 6))
    assert "g(r) below min of CG-CG (0.23 nm), up to 0.4, is left out" in kept.notes
    # Together with another step.
    coarse = read_target(settings(folder, replace=[("<min>0.0", "<min>0.23"), ("<step>0.01", "<step>0.02")]))
    assert coarse.target.r[0] == pytest.approx(0.24)
    assert coarse.target.g[0] == 0.0


def test_min_does_not_cut_into_a_visible_g(folder):
    found = read_target(settings(folder, replace=[("<min>0.0", "<min>0.30")]))
    np.testing.assert_array_equal(found.target.g, read_target(settings(folder)).target.g)
    # G(0.30) = 1 + 1.5 exp(-1) - 0.1 exp(-25/16)
    assert any(
        "min of CG-CG (0.3 nm) has no effect: g(r) is still 1.53 there" in note for note in found.notes
    )
    # Nothing is left out where there is nothing, and nothing is said.
    assert not any("min of" in note for note in read_target(settings(folder)).notes)
    silent = read_target(settings(folder, replace=[("<min>0.0", "<min>0.25")]))
    assert not any("min of" in note for note in silent.notes)
    np.testing.assert_array_equal(silent.target.g, read_target(settings(folder)).target.g)
    for wrong in ("0.9", "-0.1"):
        with pytest.raises(InputError, match="min must lie between 0 and max"):
            settings(folder, replace=[("<min>0.0", f"<min>{wrong}")])


def test_pot_in_is_the_start_unless_a_guess_is_asked_for(folder):
    r = np.linspace(0.0, 0.9, 91)
    table = PairPotential.shifted(r, 30.0 * np.exp(-r / 0.1), units=NM_KJ)
    write_table(table, folder / "CG-CG.pot.in", format="votca")
    plan = make_plan(settings(folder))
    np.testing.assert_allclose(plan.potentials.only().u, table.u, atol=1e-9)
    assert plan.notes[0] == "start: CG-CG.pot.in"
    plan = make_plan(settings(folder), method="boltzmann")
    assert plan.notes[0] == "start: guess boltzmann"
    closure = "<initial_guess><method>ie</method><closure>py</closure></initial_guess>"
    assert make_plan(settings(folder, **iie("newton", closure))).notes[0] == "start: guess py"


def test_a_longer_or_shorter_pot_in(folder):
    for end in (0.5, 1.2):
        r = np.arange(0.0, end + 1e-9, 0.005)
        table = PairPotential.shifted(r, 30.0 * np.exp(-r / 0.1), units=NM_KJ)
        write_table(table, folder / "CG-CG.pot.in", format="votca")
        found = make_plan(settings(folder)).potentials.only()
        assert found.r_cut == pytest.approx(0.9)
        shift = np.interp(0.9, table.r, table.u, right=0.0)
        wanted = np.interp(found.r, table.r, table.u, right=0.0) - shift
        # Cubic against linear interpolation at the kink at 0.5 nm, where the force of 2 kJ/mol/nm ends.
        np.testing.assert_allclose(found.u, wanted, atol=0.02)


def test_convergence_check(folder):
    check = "<convergence_check><type>default</type><limit>0.5</limit></convergence_check>"
    add = "<post_add>convergence</post_add><post_add_options><convergence><weight>2</weight><norm>2</norm>"
    plan = make_plan(
        settings(folder, general=check, interaction=add + "</convergence></post_add_options>"),
        method="boltzmann",
    )
    assert plan.below.limit == 0.5
    assert list(plan.below.norms.values()) == [Norm(2.0, 2)]
    plan = make_plan(settings(folder, general=check), method="boltzmann")
    assert plan.below is None
    assert any("convergence_check has no effect" in note for note in plan.notes)


def test_lammps_scripts(tmp_path):
    path = tmp_path / "in"
    path.write_text(
        SCRIPT.replace("fix 1 all nve", "fix 1 all nvt temp 310 310 &\n 100.0").replace("real", "metal")
    )
    plan = read_lammps_script(path)
    assert (plan.equilibration, plan.production, plan.every) == (10000, 90000, 100)
    assert plan.timestep == 2.0
    assert plan.data == "bead.data"
    assert any("nvt runs as Langevin" in note for note in plan.notes)
    # Ten frames of 100 steps, and nothing before the dump begins.
    assert plan.shifted(10, 0.0).equilibration == 11000
    assert plan.shifted(10, 0.0).production == 89000
    with pytest.raises(InputError, match="to be left out"):
        plan.shifted(900, 0.0)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("", "1-4"),
        ("special_bonds lj 0.0 1.0 1.0", "1-2"),
        ("special_bonds lj/coul 0 0 1 angle no dihedral no", "1-3"),
        ("special_bonds coul 0 0 0.5 lj 1 1 1", "none"),
        ("special_bonds lj 1e-12 1e-12 1", "1-3"),
        ("special_bonds dreiding", "1-3"),
        ("special_bonds lj 0 1 1\nspecial_bonds charmm", "1-4"),
    ],
)
def test_what_a_script_leaves_out_of_molecules(tmp_path, line, rule):
    path = tmp_path / "in"
    path.write_text(f"units real\n{line}\nread_data bead.data\n")
    assert script_exclusions(path) == rule


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("special_bonds amber", r"factors 0 0 0\.5; here pairs of bonded beads act or do not"),
        ("special_bonds lj 1 0 1", "factors 1 0 1"),
        ("special_bonds lj 0 0", "has no three numbers behind lj"),
    ],
)
def test_pairs_of_molecules_that_act_in_part_are_refused(tmp_path, line, message):
    path = tmp_path / "in"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=message):
        script_exclusions(path)


def test_what_else_acts_in_a_script_is_named(tmp_path):
    path = tmp_path / "in"
    path.write_text(
        SCRIPT.replace(
            "pair_style table linear 1000", "pair_style hybrid/overlay table linear 1000 lj/cut 10"
        )
        + "kspace_style pppm 1e-4\n"
    )
    notes = read_lammps_script(path).notes
    assert "in: of pair_style hybrid/overlay table linear 1000 lj/cut 10 only tables act here" in notes
    assert "in: kspace_style pppm has no effect; charges do not act here" in notes
    path.write_text(
        SCRIPT.replace(
            "pair_style table linear 1000", "pair_style hybrid table linear 1000 table/omp spline 9"
        )
    )
    assert read_lammps_script(path).notes == ()


def test_scripts_that_keep_a_pressure_or_count_otherwise(tmp_path):
    path = tmp_path / "in"
    path.write_text(SCRIPT.replace("fix 1 all nve", "fix 1 all npt temp 300 300 100 iso 1 1 1000"))
    with pytest.raises(InputError, match="keeps a pressure"):
        read_lammps_script(path)
    path.write_text(SCRIPT.replace("variable steps equal 90000", "variable steps equal 100*v_n"))
    plan = read_lammps_script(path)
    assert plan.production is None
    assert any("give --equilibration and --production" in note for note in plan.notes)


def test_mdp(tmp_path):
    path = tmp_path / "grompp.mdp"
    path.write_text(
        "integrator = sd\ndt = 0.002 ; ps\nnsteps = 50000\nnstxtcout=100\ntau-t = 0.5\nref_t = 300\n"
    )
    plan = read_mdp(path)
    assert (plan.timestep, plan.production, plan.every, plan.relaxation) == (0.002, 50000, 100, 0.5)
    # 20 ps are 10000 steps.
    assert plan.shifted(0, 20.0).equilibration == 10000
    path.write_text("integrator = md\npcoupl = berendsen\n")
    with pytest.raises(InputError, match="keeps a pressure"):
        read_mdp(path)


TOPOLOGY = """\
#include "chain.itp"
[ moleculetype ]
SOL 1
[ atoms ]
1 CG 1 SOL CG 1 0 18.0 ; no bonds
[ molecules ]
SOL 400
"""


def test_bonds_are_found_in_the_files_of_the_program(folder):
    """Without them the beads would be another liquid; what they are to be must be said."""
    gromacs = [("<program>lammps", "<program>gromacs")]
    # A molecule that is defined, but not there, does no harm.
    (folder / "chain.itp").write_text("[ moleculetype ]\nchain 3\n[ bonds ]\n; ai aj\n1 2 8 1 1.0\n")
    (folder / "topol.top").write_text(TOPOLOGY)
    assert bonded_in_simulation(settings(folder, replace=gromacs)) is None
    (folder / "topol.top").write_text(TOPOLOGY + "chain 10\n")
    assert (
        bonded_in_simulation(settings(folder, replace=gromacs)) == "the molecule chain of topol.top has bonds"
    )
    data = folder / "bead.data"
    data.write_text(data.read_text().replace("1 atom types", "0 bonds\n1 atom types"))
    make_plan(settings(folder))
    data.write_text(data.read_text().replace("0 bonds", "399 bonds"))
    assert bonded_in_simulation(settings(folder)) == "bead.data has 399 bonds"
    # The script may name another file than the settings.
    other = settings(folder, replace=[("<topol>bead.data</topol>", "<topol>other.data</topol>")])
    assert bonded_in_simulation(other) == "bead.data has 399 bonds"
    # Bonds whose potentials nobody knows.
    with pytest.raises(InputError):
        make_plan(settings(folder))


def write_liquid(path):
    """Write 300 beads of water as GROMACS does."""
    start = random_configuration(300, DENSITY, seed=1, units=NM_KJ)
    rows = "".join(
        f"{i + 1:5d}SOL     CG{i + 1:5d}{x:8.3f}{y:8.3f}{z:8.3f}\n"
        for i, (x, y, z) in enumerate(start.positions % start.box)
    )
    edges = " ".join(f"{edge:.5f}" for edge in start.box)
    path.write_text(f"water\n{start.n}\n{rows}{edges}\n")


def test_gromacs_settings(folder):
    write_liquid(folder / "conf.gro")
    (folder / "grompp.mdp").write_text(
        "integrator = sd\ndt = 0.002\nnsteps = 50000\nnstxtcout = 100\ntau_t = 0.5\nref_t = 310\n"
    )
    plan = make_plan(
        settings(
            folder,
            replace=[("<program>lammps", "<program>gromacs")],
            general="<gromacs><equi_time>20</equi_time><pot_max>1000000</pot_max></gromacs>",
        )
    )
    assert plan.start.n == 300
    # Edges of some 2 nm are printed with five decimals.
    assert plan.target.state.density == pytest.approx(DENSITY, rel=3e-5)
    assert (plan.schedule.equilibration, plan.schedule.production, plan.schedule.every) == (9500, 40000, 100)
    notes = " ".join(plan.notes)
    assert "no mass is stated" in notes
    assert "the run is at 310 K" in notes
    # With the mass of the bead, that of its type here, the time step of the parameter file is known, too.
    (folder / "topol.top").write_text(
        "[ atomtypes ]\nB C 6 28.0 0.0 A 1 1\nH 1.0 0.0 A 1 1\n[ moleculetype ]\nwater 1\n[ atoms ]\n"
        "1 B 1 SOL CG 1 0\n[ moleculetype ]\nother 1\n[ atoms ]\n1 H 1 OTH H 1 0 1.0\n"
    )
    heavy = make_plan(settings(folder, replace=[("<program>lammps", "<program>gromacs")]))
    assert not any("no mass is stated" in note for note in heavy.notes)
    (potential,) = heavy.potentials.values()
    tau = length_scale(potential, heavy.target.state) * np.sqrt(28.0 / heavy.target.kT)
    assert heavy.schedule.dt == pytest.approx(0.002 / tau)
    assert heavy.schedule.friction == pytest.approx(tau / 0.5)
    assert "inverse.gromacs.pot_max" in notes


def _with_configuration(folder, rows):
    (folder / "conf.gro").write_text(f"water\n9\n{rows} 3.0 3.0 3.0\n")
    (folder / "grompp.mdp").write_text("integrator = sd\ndt = 0.002\nnsteps = 50000\nnstxout = 100\n")
    return settings(folder, replace=[("<program>lammps", "<program>gromacs")])


def test_a_configuration_that_cannot_be_read(folder):
    rows = "".join(f"{i + 1:5d}SOL     CG{i + 1:5d}{0.1 * i:8.3f}   1.0x0{1.0:8.3f}\n" for i in range(9))
    found = _with_configuration(folder, rows)
    with pytest.raises(
        InputError, match=r"cannot read .*conf\.gro: .*columns 29 to 36: .* give it in nm\^-3"
    ):
        make_plan(found)
    plan = make_plan(found, density=DENSITY)
    assert plan.start is None
    assert any("starts from a random configuration" in note and "conf.gro" in note for note in plan.notes)


def test_a_configuration_that_gromacs_forgives(folder):
    # A column too few, as in a file of VOTCA's tutorials, which GROMACS forgives and MDAnalysis does not.
    rows = "".join(f"{i + 1:5d}SOL    CG{i + 1:5d}{0.1 * i:8.3f}{1.0:8.3f}{1.0:8.3f}\n" for i in range(9))
    plan = make_plan(_with_configuration(folder, rows))
    assert plan.start is not None
    assert plan.start.n == 9
    assert plan.start.positions[:, 0] == pytest.approx(0.1 * np.arange(9), abs=1e-6)


def test_a_program_that_is_not_read_is_named(folder):
    found = settings(
        folder,
        replace=[("<program>lammps", "<program>espresso")],
        interaction="<particle_dens>33.0</particle_dens>",
    )
    assert any(
        "nothing of the run is read for the program espresso" in note for note in make_plan(found).notes
    )


def test_an_option_with_two_values_is_refused_and_several_mappings_are_joined(folder):
    with pytest.raises(InputError, match=r"inverse\.kBT has two values, 2\.49435 and 2\.5; keep one"):
        settings(folder, general="<kBT>2.5</kBT>")
    with pytest.raises(InputError, match=r"non-bonded\.max has two values, 0\.9 and 1\.2"):
        settings(folder, replace=[("<max>0.9</max>", "<max>0.9</max><max>1.2</max>")])
    # The same value twice says nothing else; one mapping a molecule is as csg_stat takes them.
    twice = settings(folder, general="<kBT>2.49435</kBT><map>a.xml</map><map>b.xml</map>")
    assert twice.kT == KT
    assert twice.option("map") == "a.xml;b.xml"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"general": "<convergence_check><limit>0.1</limit></convergence_check>"},
            "inverse.convergence_check.limit has no effect: convergence_check.type is none",
        ),
        (
            {"general": "<iie><closure>hnc</closure><cut_off>0.7</cut_off></iie>"},
            "inverse.iie.closure, inverse.iie.cut_off have no effect: the method is ibi",
        ),
        (
            {"general": "<initial_guess><method>ie</method></initial_guess>"},
            "inverse.initial_guess.method has no effect: the method is ibi",
        ),
        (
            {"general": "<gromacs><mdp>grompp.mdp</mdp></gromacs>"},
            "inverse.gromacs.mdp has no effect: the program is lammps",
        ),
        (
            {"interaction": "<post_update_options><scale>0.5</scale></post_update_options>"},
            "non-bonded.inverse.post_update_options.scale has no effect: post_update does not contain scale",
        ),
        (
            {"interaction": "<imc><group>1</group></imc>"},
            "non-bonded.inverse.imc.group has no effect: the method is ibi",
        ),
        (
            {
                "interaction": "<post_add>convergence</post_add><post_add_options><convergence><weight>2</weight>"
                "</convergence></post_add_options>"
            },
            "non-bonded.inverse.post_add_options.convergence.weight has no effect: convergence_check.type is none",
        ),
        (
            {"interaction": "<optimizer><parameters>eps sig</parameters></optimizer>"},
            "non-bonded.inverse.optimizer.parameters has no effect: parameters are not optimised here",
        ),
    ],
)
def test_options_that_count_only_beside_others_are_named(folder, changes, note):
    assert note in make_plan(settings(folder, **changes), method="boltzmann").notes


def test_options_that_count_are_not_named_as_idle(folder):
    found = settings(
        folder,
        interaction="<post_update>scale</post_update><post_update_options><scale>0.5</scale></post_update_options>",
        general="<iie><densities>33.0</densities></iie>",
    )
    assert not any(
        "scale has no effect" in note or "densities" in note.split(" has no effect")[0]
        for note in make_plan(found, method="boltzmann").notes
        if "no effect" in note
    )


def test_a_method_is_refused_before_what_belongs_to_it(folder):
    re = {
        "replace": [("<method>ibi", "<method>re"), ("<target>CG-CG", "<target>XX")],
        "interaction": "<re><function>cbspl</function></re>",
    }
    with pytest.raises(
        InputError, match=r"the method re \(relative entropy\); ibi, imc and iie are run here"
    ):
        make_plan(settings(folder, **re))
    with pytest.raises(InputError, match="thermodynamic force"):
        make_plan(settings(folder, replace=[("<method>ibi", "<method>tf")]))
    # A rule beside the settings is run instead.
    plan = make_plan(
        settings(folder, replace=[("<method>ibi", "<method>re")]), method="boltzmann", update="ibi"
    )
    assert plan.update.update == IBI()
    # The name of early releases.
    assert (
        make_plan(settings(folder, replace=[("<method>ibi", "<method>ibm")]), method="boltzmann").update.name
        == "ibi"
    )


def test_settings_of_other_programs_of_votca_are_named(folder):
    no_target = ("<target>CG-CG.dist.tgt</target>", "")
    with pytest.raises(InputError, match=r"settings of csg_stat; give those of csg_inverse"):
        settings(folder, replace=[no_target, ("<method>ibi</method>", "")])
    with pytest.raises(InputError, match=r"settings of csg_fmatch"):
        settings(folder, replace=[no_target, ("</cg>", "<fmatch><frames>10</frames></fmatch></cg>")])
    with pytest.raises(InputError, match=r"which the method optimizer does not want; ibi, imc and iie"):
        settings(folder, replace=[no_target, ("<method>ibi", "<method>optimizer")])


def test_slightly_negative_values_of_a_target_count_as_0(folder):
    rows = (folder / "CG-CG.dist.tgt").read_text().splitlines()
    rows[3] = rows[3].split()[0] + " -0.000275 i"
    (folder / "CG-CG.dist.tgt").write_text("\n".join(rows) + "\n")
    problem = read_target(settings(folder))
    assert problem.target.g.min() == 0.0
    assert any("-0.000275, line 4); such values count as 0" in note for note in problem.notes)


def test_the_kirkwood_buff_step_adds_its_ramp(folder):
    options = "<factor>0.4</factor><start>0.6</start><stop>0.8</stop><r_ramp>0.7</r_ramp>"
    step = "<post_update>kbibi</post_update><post_update_options><kbibi>{}</kbibi></post_update_options>"
    plan = make_plan(settings(folder, interaction=step.format(options)), method="boltzmann")
    assert plan.update.adjustments[0][1].kirkwood_buff == KirkwoodBuffRamp(0.4, (0.6, 0.8), 0.7)
    assert plan.update.beyond_cutoff
    # The text by which a refinement goes on in its folder: other ramps are another one, none is what it was.
    assert "factor=0.4, window=(0.6, 0.8), reach=0.7, beyond_cutoff=True" in repr(plan.update)
    assert repr(Adjustment()) == "Adjustment(damping=1.0, smoothing=0, cycle=(True,), ramp=None)"
    assert repr(KirkwoodBuffRamp()) == "KirkwoodBuffRamp(beyond_cutoff=True)"
    # By default it ends at max.
    plan = make_plan(
        settings(folder, interaction=step.format(options.replace("<r_ramp>0.7</r_ramp>", ""))),
        method="boltzmann",
    )
    assert plan.update.adjustments[0][1].kirkwood_buff.reach == 0.9
    for wrong, message in (
        (options.replace("<factor>0.4</factor>", ""), "kbibi of CG-CG has factor nowhere, and needs it"),
        (options.replace("<start>0.6", "<start>0.9"), "averaged from 0.9 to 0.8"),
    ):
        with pytest.raises(InputError, match=message):
            make_plan(settings(folder, interaction=step.format(wrong)), method="boltzmann")
    with pytest.raises(InputError, match="would add ramps alone"):
        make_plan(
            settings(folder, interaction="<do_potential>0</do_potential>" + step.format(options)),
            method="boltzmann",
        )


def test_a_topology_in_xml_names_the_configuration(folder):
    write_liquid(folder / "beads.gro")
    (folder / "topol.xml").write_text(
        '<topology base="beads.gro"><molecules><clear/><define name="SOL" first="1" nbeads="1" nmols="300"/>'
        "</molecules></topology>"
    )
    plan = make_plan(
        settings(
            folder,
            replace=[("<program>lammps", "<program>hoomd-blue")],
            general="<hoomd-blue><topol>topol.xml</topol></hoomd-blue>",
        ),
        method="boltzmann",
    )
    assert plan.start.n == 300
    # Edges of some 2 nm are printed with five decimals.
    assert plan.target.state.density == pytest.approx(DENSITY, rel=3e-5)


def test_charges_that_do_not_act_are_named(folder):
    """Ions as beads: csg_inverse refines the tables beside them, here they become part of the tables."""
    assert not any("charges" in note for note in make_plan(settings(folder), method="boltzmann").notes)
    data = folder / "bead.data"
    atoms = data.read_text().partition("Atoms\n\n")
    rows = [line.split() for line in atoms[2].splitlines()]
    data.write_text(
        atoms[0]
        + "Atoms # charge\n\n"
        + "".join(" ".join((*row[:2], "0.5", *row[2:])) + "\n" for row in rows)
    )
    notes = make_plan(settings(folder), method="boltzmann").notes
    assert any("bead.data has charges (up to 0.5 e), which do not act here" in note for note in notes)


@pytest.mark.parametrize(
    ("atom", "kind", "stated"),
    [
        ("1 B 1 SOL CG 1 -1.0", "B 28.0 0.0 A 1 1", True),
        ("1 B 1 SOL CG 1", "B 28.0 -1.0 A 1 1", True),
        ("1 B 1 SOL CG 1 0.0", "B 28.0 -1.0 A 1 1", False),
    ],
)
def test_charges_of_a_gromacs_topology(folder, atom, kind, stated):
    rows = "".join(f"{i + 1:5d}SOL     CG{i + 1:5d}{0.1 * i:8.3f}{1.0:8.3f}{1.0:8.3f}\n" for i in range(9))
    (folder / "topol.top").write_text(
        f"[ atomtypes ]\n{kind}\n[ moleculetype ]\nwater 1\n[ atoms ]\n{atom}\n[ molecules ]\nwater 9\n"
    )
    notes = make_plan(_with_configuration(folder, rows), method="boltzmann").notes
    assert stated == any("topol.top has charges (up to 1 e)" in note for note in notes)
