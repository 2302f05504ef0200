"""Settings of csg_inverse whose molecules have several beads, laid out as VOTCA's tutorials of hexane and propane."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from cginit.bonded import BondedPotential
from cginit.errors import InputError
from cginit.votca import make_plan, read_settings
from cginit.votca.schedule import MOST_FRAMES

MOLECULES, EDGE, KT = 27, 3.0, 2.5

TOP = """\
[ defaults ]
1 1 no 0 0
[ atomtypes ]
B 28 0 A 1 1
A 29 0 A 1 1
[ moleculetype ]
hexane 3
[ atoms ]
1 A 1 hex A1 1 0 29
2 B 1 hex B 2 0 28
3 A 1 hex A2 3 0 29
[ bonds ]
1 2 8 1 1.0
2 3 8 1 1.0
[ angles ]
1 2 3 8 1 2.0
[ system ]
hexane
[ molecules ]
hexane 27
"""
MAP = """\
<cg_molecule> <name>HEX</name> <ident>hexane</ident>
  <topology>
    <cg_beads>
      <cg_bead><name>A1</name><type>A</type><mapping>one</mapping><beads>1:hex:A1</beads></cg_bead>
      <cg_bead><name>B</name><type>B</type><mapping>one</mapping><beads>1:hex:B</beads></cg_bead>
      <cg_bead><name>A2</name><type>A</type><mapping>one</mapping><beads>1:hex:A2</beads></cg_bead>
    </cg_beads>
    <cg_bonded>
      <bond><name>stretch</name><beads>A1 B A2 B</beads></bond>
      <angle><name>bend</name><beads>A1 B A2</beads></angle>
    </cg_bonded>
  </topology>
  <maps><map><name>one</name><weights>1</weights></map></maps>
</cg_molecule>
"""
BONDED = """\
<bonded><name>stretch</name><min>0.2</min><max>0.3</max><step>0.002</step>
  <inverse><target>stretch.dist.tgt</target><gromacs><table>table_b1.xvg</table></gromacs></inverse></bonded>
<bonded><name>bend</name><min>1.7</min><max>3.1</max><step>0.02</step>
  <inverse><target>bend.dist.tgt</target></inverse></bonded>
"""
GENERAL = """\
<inverse><kBT>2.5</kBT><program>gromacs</program><gromacs><equi_time>0</equi_time></gromacs>
  <map>hexane.xml</map><iterations_max>5</iterations_max><method>ibi</method></inverse>
"""
MDP = "nsteps = 100000\ndt = 0.002\nnstxout-compressed = 10\ntau-t = 0.5\n"


def pairs(more: str = "") -> str:
    return "".join(
        f"<non-bonded><name>{a}-{b}</name><type1>{a}</type1><type2>{b}</type2><min>0</min><max>1.2</max>"
        f"<step>0.01</step><inverse><target>{a}-{b}.dist.tgt</target>{more}</inverse></non-bonded>"
        for a, b in ("AA", "AB", "BB")
    )


def write_settings(folder: Path, content: str) -> Path:
    path = folder / "settings.xml"
    path.write_text(f"<cg>{content}</cg>")
    return path


@pytest.fixture
def hexane(tmp_path: Path) -> Path:
    """The files of the tutorial, of 27 molecules on a lattice and with targets that formulas give."""
    for name, text in (("topol.top", TOP), ("hexane.xml", MAP), ("grompp.mdp", MDP)):
        (tmp_path / name).write_text(text)
    rows, number = [], 0
    for cell in np.ndindex(3, 3, 3):
        for name, shift in (("A1", (-0.2, 0.1, 0.0)), ("B", (0.0, 0.0, 0.0)), ("A2", (0.2, 0.1, 0.0))):
            number += 1
            x, y, z = np.array(cell) + 0.5 + shift
            rows.append(f"{(number - 1) // 3 + 1:5d}HEX  {name:>5s}{number:5d}{x:8.3f}{y:8.3f}{z:8.3f}")
    (tmp_path / "conf.gro").write_text("\n".join(["hexane", f"{number}", *rows, f"{EDGE} {EDGE} {EDGE}", ""]))
    r = np.arange(0.0, 1.3001, 0.01)
    g = 1.0 / (1.0 + np.exp(-(r - 0.45) / 0.02))
    g[r < 0.3] = 0.0
    b, theta = np.arange(0.2, 0.3001, 0.001), np.linspace(0.13159, 3.13159, 151)
    stretch = np.exp(-0.5 * ((b - 0.25) / 0.01) ** 2)
    bend = np.sin(theta) * np.exp(-0.5 * ((theta - 2.6) / 0.2) ** 2)
    for name, x, y in (
        *((f"{pair}.dist.tgt", r, g) for pair in ("A-A", "A-B", "B-B")),
        ("stretch.dist.tgt", b, stretch / stretch.sum() / 0.001),
        ("bend.dist.tgt", theta, bend / bend.sum() / 0.02),
    ):
        np.savetxt(tmp_path / name, np.column_stack([x, y]), fmt="%.10g %.10g i")
    return tmp_path


def test_the_layout_of_hexane_becomes_a_refinement_of_molecules(hexane):
    plan = make_plan(read_settings(write_settings(hexane, BONDED + pairs() + GENERAL)))
    assert {str(one): name for one, name in plan.names.items()} == {
        **{pair: pair for pair in ("A-A", "A-B", "B-B")},
        "bond A-B": "stretch",
        "angle A-B-A": "bend",
    }
    target = plan.target
    assert target.topology.n_molecules == MOLECULES
    assert target.counts_between_molecules
    assert target.state.density == pytest.approx(81 / 27.0)
    assert (plan.update.name, plan.held, plan.limits.iterations) == ("ibi", (), 5)
    stretch = plan.potentials["bond A-B"]
    # U = -kT ln(p / b^2), of which the b^2 moves the minimum by 2 sigma^2/b = 0.0008.
    assert stretch.at_minimum == pytest.approx(0.249, abs=0.0011)
    assert stretch.units.name == "nm-kJ/mol"
    # An output every ten steps would be 10 000 configurations.
    assert plan.schedule.every == plan.schedule.production // MOST_FRAMES
    assert any("a configuration every" in note for note in plan.notes)


def test_bonds_that_are_given_as_tables_stay(hexane):
    """Propane's layout: pairs are refined, bonds and angles are tables of GROMACS."""
    # As csg_inverse writes it, the table of a bond reaches as far as those of pairs: beyond half the box.
    b, degrees = np.linspace(0.0, 2.0, 1001), np.linspace(0.0, 180.0, 361)
    k, bend = 5000.0, 0.01
    np.savetxt(hexane / "table_b1.xvg", np.column_stack([b, 0.5 * k * (b - 0.25) ** 2, -k * (b - 0.25)]))
    np.savetxt(
        hexane / "table_a1.xvg",
        np.column_stack([degrees, 0.5 * bend * (degrees - 150.0) ** 2, -bend * (degrees - 150.0)]),
    )
    general = GENERAL.replace("<map>hexane.xml</map>", "")
    plan = make_plan(read_settings(write_settings(hexane, pairs() + general)))
    stretch, angle = plan.potentials["bond A-B"], plan.potentials["angle A-B-A"]
    assert isinstance(angle, BondedPotential)
    assert np.interp(0.3, stretch.x, stretch.u) == pytest.approx(0.5 * k * 0.05**2)
    # It ends where it is 50 kT high: sqrt(100 kT / k) = 0.2236 from its minimum, or one point beyond.
    assert stretch.x[[0, -1]] == pytest.approx([0.026, 0.474], abs=1e-9)
    # In radians, and twice the table, as the last number in the topology says.
    assert np.interp(np.radians(120.0), angle.x, angle.u) == pytest.approx(
        2.0 * 0.5 * bend * 30.0**2, rel=1e-3
    )
    assert not plan.target.distributions
    # nrexcl = 3: of three beads that is the whole molecule.
    assert plan.target.counts_between_molecules


def test_a_bonded_interaction_may_be_held_or_follow_in_turns(hexane):
    turns = (
        "<do_potential>0</do_potential><post_update>ibi</post_update>"
        "<post_update_options><ibi><do>0 1</do></ibi></post_update_options>"
    )
    held = BONDED.replace(
        "<inverse><target>stretch", "<inverse><do_potential>0</do_potential><target>stretch"
    )
    held = held.replace("<target>bend", f"{turns}<target>bend")
    plan = make_plan(read_settings(write_settings(hexane, held + pairs() + GENERAL)))
    assert list(map(str, plan.held)) == ["bond A-B"]
    assert any("bend is refined in every simulation" in note for note in plan.notes)


def test_g_of_csg_stat_is_divided_by_the_pairs_that_count(hexane):
    """csg_stat leaves out pairs of the same molecule and divides by all: 54 beads A, of which 27 pairs share one."""
    path = write_settings(hexane, BONDED + pairs() + GENERAL)
    stated = np.loadtxt(hexane / "A-A.dist.tgt", usecols=(0, 1))
    # As in a closed box, g is above 1 outside the core by what it lacks inside: 4 pi / 3 (0.45 nm)^3 of 27 nm^3.
    stated[:, 1] /= 1.0 - 4.0 / 3.0 * np.pi * 0.45**3 / EDGE**3
    np.savetxt(hexane / "A-A.dist.tgt", stated)
    plan = make_plan(read_settings(path))
    part = (54 * 53 / 2 - 27) / (54**2 / 2)
    # It adds up to all pairs that count: it was divided by these.
    assert any(note.startswith("A-A: over the box g(r) adds up to 0.999") for note in plan.notes)
    np.testing.assert_allclose(plan.target.rdfs["A-A"].g[-60:], stated[-60:, 1], rtol=1e-9)
    np.savetxt(hexane / "A-A.dist.tgt", np.column_stack([stated[:, 0], part * stated[:, 1]]))
    plan = make_plan(read_settings(path))
    np.testing.assert_allclose(plan.target.rdfs["A-A"].g[-60:], stated[-60:, 1], rtol=1e-9)
    assert any(f"it is taken times A-A {1 / part:.5g}" in note for note in plan.notes)


def test_what_is_asked_of_molecules_is_asked_of_those_of_settings(hexane):
    general = GENERAL.replace("<kBT>2.5", "<kBT>0.2245")
    plan = make_plan(read_settings(write_settings(hexane, BONDED + pairs() + general)))
    assert any("27 K" in note for note in plan.notes)
    text = (hexane / "conf.gro").read_text().splitlines()
    rows = [
        f"{row[:20]}{float(row[20:28]) * 5:8.3f}{float(row[28:36]) * 5:8.3f}{float(row[36:44]) * 5:8.3f}"
        for row in text[2:-1]
    ]
    (hexane / "conf.gro").write_text("\n".join([*text[:2], *rows, "15.0 15.0 15.0", ""]))
    with pytest.raises(InputError, match=r"bond A-B is 1.12 nm long in the configuration"):
        make_plan(read_settings(write_settings(hexane, BONDED + pairs() + GENERAL)))


def test_only_bonds_may_be_refined(hexane):
    still = pairs("<do_potential>0</do_potential>")
    plan = make_plan(read_settings(write_settings(hexane, BONDED + still + GENERAL)))
    assert sorted(map(str, plan.update.held)) == ["A-A", "A-B", "B-B"]
    quiet = BONDED.replace("<inverse>", "<inverse><do_potential>0</do_potential>")
    path = write_settings(hexane, quiet + still + GENERAL)
    with pytest.raises(InputError, match="nothing would be refined"):
        make_plan(read_settings(path))


def test_the_layout_of_the_integral_equation_branch(hexane):
    general = GENERAL.replace(
        "<method>ibi</method>",
        "<method>iie</method><iie><algorithm>newton</algorithm></iie><newton><cut_off>1.0</cut_off></newton>"
        "<initial_guess><method>bi</method></initial_guess>",
    )
    plan = make_plan(read_settings(write_settings(hexane, BONDED + pairs() + general)))
    assert plan.update.name == "hncn"
    assert plan.potentials["A-A"].r_cut == pytest.approx(1.0)
    assert "start: guess boltzmann" in plan.notes


def test_the_start_is_the_network_where_the_configuration_has_the_wanted_shapes(hexane):
    """As for system.toml; here molecules on a lattice are all alike, which those of the target are not."""
    path = write_settings(hexane, BONDED + pairs() + GENERAL)
    assert "start: guess boltzmann" in make_plan(read_settings(path)).notes
    rng = np.random.default_rng(5)
    # All quantiles once, in any order.
    places = (np.arange(2 * MOLECULES) + 0.5) / (2 * MOLECULES)
    theta = np.linspace(0.01, np.pi, 2000)
    risen = np.cumsum(np.sin(theta) * np.exp(-0.5 * ((theta - 2.6) / 0.2) ** 2))
    angles = rng.permutation(np.interp(places[::2], risen / risen[-1], theta))
    lengths = 0.25 + 0.01 * np.array([NormalDist().inv_cdf(one) for one in places])
    lengths = rng.permutation(lengths).reshape(-1, 2)
    rows, number = [], 0
    for cell, angle, (left, right) in zip(np.ndindex(3, 3, 3), angles, lengths, strict=True):
        middle = np.array(cell) + 0.5
        bent = right * np.array([np.cos(angle), np.sin(angle), 0.0])
        for name, at in (("A1", middle + np.array([left, 0.0, 0.0])), ("B", middle), ("A2", middle + bent)):
            number += 1
            where = "".join(f"{x:9.4f}" for x in at)
            rows.append(f"{(number - 1) // 3 + 1:5d}HEX  {name:>5s}{number:5d}{where}")
    (hexane / "conf.gro").write_text("\n".join(["hexane", f"{number}", *rows, f"{EDGE} {EDGE} {EDGE}", ""]))
    assert "start: guess network (csg_inverse: Boltzmann inversion)" in make_plan(read_settings(path)).notes
    assert "start: guess boltzmann" in make_plan(read_settings(path), method="boltzmann").notes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("topol.top", "[ angles ]\n1 2 3 8 1 2.0\n", ""), None),
        (
            ("settings.xml", "<name>bend</name>", "<name>twist</name>"),
            "the bonded interaction twist is none of",
        ),
        (
            ("hexane.xml", "A1 B A2 B</beads></bond>", "A1 A2 A2 B</beads></bond>"),
            "are not those that the simulation",
        ),
        (
            ("hexane.xml", "<type>B</type>", "<type>C</type>"),
            "a molecule has the beads A B A, which no molecule",
        ),
        (
            ("settings.xml", "<target>bend.dist.tgt</target>", ""),
            "has neither inverse.target nor bend.pot.in",
        ),
        (("settings.xml", BONDED, ""), "has no <bonded> section, and table_b1.xvg"),
    ],
)
def test_what_is_not_whole_is_an_error(hexane, change, message):
    path = write_settings(hexane, BONDED + pairs() + GENERAL)
    name, old, new = change
    text = (hexane / name).read_text()
    assert old in text
    (hexane / name).write_text(text.replace(old, new))
    if message is None:
        # The mapping names the angle, whatever the topology of the simulation lists.
        assert "angle A-B-A" in make_plan(read_settings(path)).potentials
        return
    if "table_b1" in message:
        message = "names the table table_b1.xvg"
    with pytest.raises(InputError, match=message):
        make_plan(read_settings(path))


@pytest.mark.parametrize(
    ("line", "rule"), [("", "1-4"), ("special_bonds lj 0 1 1", "1-2"), ("special_bonds lj 1 1 1", "none")]
)
def test_the_script_of_lammps_says_which_pairs_of_a_molecule_act(hexane, line, rule):
    """The data file knows the bonds, and not what they leave out."""
    atoms, bonds = [], []
    lines = (hexane / "conf.gro").read_text().splitlines()[2:-1]
    for number, row in enumerate(lines, 1):
        place = " ".join(f"{10.0 * float(word):.3f}" for word in row.split()[-3:])
        atoms.append(f"{number} {(number + 2) // 3} {2 if number % 3 == 2 else 1} {place}")
        if number % 3 == 2:
            bonds += [
                f"{len(bonds) + 1} 1 {number - 1} {number}",
                f"{len(bonds) + 2} 1 {number} {number + 1}",
            ]
    (hexane / "beads.data").write_text(
        f"hexane\n\n{len(atoms)} atoms\n{len(bonds)} bonds\n2 atom types\n1 bond types\n\n"
        + "".join(f"0 {10.0 * EDGE} {axis}lo {axis}hi\n" for axis in "xyz")
        + "\nMasses\n\n1 29 # A\n2 28 # B\n\nAtoms # molecular\n\n"
        + "\n".join(atoms)
        + "\n\nBonds\n\n"
        + "\n".join(bonds)
        + "\n"
    )
    (hexane / "in.beads").write_text(
        f"units real\natom_style molecular\nread_data beads.data\n{line}\ntimestep 1\nfix 1 all nve\n"
        "fix 2 all langevin 300 300 200 1\nrun 100\ndump 1 all atom 10 traj.dump\nrun 1000\n"
    )
    program = (
        "<program>lammps</program><lammps><script>in.beads</script><topol>beads.data</topol>"
        "<traj>traj.dump</traj></lammps>"
    )
    old = "<program>gromacs</program><gromacs><equi_time>0</equi_time></gromacs>"
    assert old in GENERAL
    plan = make_plan(read_settings(write_settings(hexane, BONDED + pairs() + GENERAL.replace(old, program))))
    assert plan.target.topology.n_molecules == MOLECULES
    assert plan.target.topology.exclusions == rule
    assert any(f"the simulation {rule}" in note for note in plan.notes)
