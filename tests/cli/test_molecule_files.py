"""Files of systems of molecules as users write them: several states, tables, bins, exclusions, slips."""

import re
from pathlib import Path

import numpy as np
import pytest

from cginit import RDF, InputError, PairPotential, write_rdf
from cginit.bonded import BondedPotential
from cginit.cli.refinement import write_potentials
from cginit.cli.system import read_system
from cginit.interactions import Interaction
from trimers import DATA

HEAD = 'units = "lj"\nkT = 1.0\ntopology = "start.data"\nexclusions = "1-2"\n'
GIVEN = {Interaction.of("bond A-B"), Interaction.of("angle A-B-A")}
#: Places of the bins of bonds, of width 0.01.
BOND = 0.8 + 0.01 * np.arange(41)


def columns(path: Path, *curves: np.ndarray) -> Path:
    path.write_text("\n".join(" ".join(f"{x:.9g}" for x in row) for row in np.column_stack(curves)) + "\n")
    return path


def density(x, middle, width):
    p = np.exp(-0.5 * ((x - middle) / width) ** 2)
    return p / (p.sum() * (x[1] - x[0]))


@pytest.fixture
def trimers(tmp_path):
    """Write the files of two trimers; a call writes the file of the system, and returns its path."""
    (tmp_path / "start.data").write_text(DATA)
    r = np.arange(0.0, 3.01, 0.05)
    columns(tmp_path / "g.dat", r, np.where(r < 0.9, 0.0, 1.0))
    columns(tmp_path / "bond.dat", BOND, density(BOND, 1.0, 0.05))
    theta = np.linspace(0.0, np.pi, 91)
    columns(tmp_path / "angle.dat", theta, density(theta, 2.0, 0.2))
    columns(tmp_path / "stiff.pot", BOND, 80.0 * (BOND - 1.0) ** 2)
    degrees = np.linspace(0.0, 180.0, 91)
    columns(tmp_path / "angle.pot", degrees, 0.01 * (degrees - 120.0) ** 2)
    columns(tmp_path / "other.pot", BOND, 40.0 * (BOND - 1.0) ** 2)

    def write(name: str = "system.toml", head: str = "", tables: str = "", **targets: str) -> Path:
        named = {"A-A": "g.dat", "A-B": "g.dat", "B-B": "g.dat", "bond A-B": "bond.dat"} | targets
        lines = [f'"{one}" = "{path}"' for one, path in named.items() if path]
        file = tmp_path / name
        file.write_text(HEAD + head + "\n[targets]\n" + "\n".join(lines) + "\n" + tables)
        return file

    return write


def states(folder: Path, *files: Path, more: str = "") -> Path:
    whole = folder / "states.toml"
    whole.write_text(more + "".join(f'[[states]]\nsystem = "{file.name}"\n' for file in files))
    return whole


def test_tables_that_one_state_gives_are_given_to_all(trimers, tmp_path):
    given = '[given]\n"bond A-B" = "stiff.pot"\n"angle A-B-A" = "angle.pot"\n'
    first = trimers("first.toml", 'angles = "degrees"\n', given, **{"bond A-B": ""})
    second = trimers("second.toml", "", '[given]\n"bond B-A" = "stiff.pot"\n')
    found = read_system(states(tmp_path, first, second)).given_potentials()
    assert found.keys() == GIVEN
    # Each table is read as its own file says.
    assert found["angle A-B-A"].at_minimum == pytest.approx(np.radians(120.0))
    # The whole file may give one as well.
    both = states(tmp_path, first, second, more='[given]\n"bond A-B" = "stiff.pot"\n')
    assert read_system(both).given_potentials().keys() == GIVEN


def test_a_start_without_a_target_is_refused(trimers):
    """It would act in every simulation, and no update would change it: said of a target that was taken out."""
    start = '[start]\n"bond A-B" = "stiff.pot"\n'
    assert set(read_system(trimers(tables=start)).first_potentials()) == {Interaction.of("bond A-B")}
    without = read_system(trimers(tables=start, **{"bond A-B": ""}))
    with pytest.raises(InputError, match=r"names bond A-B, which has no target.*Move it to \[given\]"):
        without.first_potentials()


def test_two_tables_given_for_one_interaction_are_refused(trimers, tmp_path):
    first = trimers("first.toml", "", '[given]\n"bond A-B" = "stiff.pot"\n')
    second = trimers("second.toml", "", '[given]\n"bond B-A" = "other.pot"\n')
    with pytest.raises(
        InputError, match=r"state 2 of .* gives bond B-A the table .*other.pot, another state"
    ):
        read_system(states(tmp_path, first, second))
    twice = trimers("twice.toml", "", '[given]\n"bond A-B" = "stiff.pot"\n"bond B-A" = "other.pot"\n')
    with pytest.raises(InputError, match=r"names bond B-A twice"):
        read_system(twice)
    with pytest.raises(InputError, match="must give bond A-B the name of a file, not 3"):
        read_system(trimers("number.toml", "", '[given]\n"bond A-B" = 3\n'))


def test_an_angle_that_bonds_make_may_be_given_without_a_target(trimers):
    file = trimers("system.toml", 'angles = "degrees"\n', '[given]\n"angle A-B-A" = "angle.pot"\n')
    found = read_system(file)
    assert [str(one) for one in found.given_potentials()] == ["angle A-B-A"]
    assert found.targets[0].topology.terms["angle A-B-A"].shape == (2, 3)
    whole = file.read_text()
    shared = whole[whole.index("[given]") :]
    rest = whole[: whole.index("[given]")].replace("[targets]", "[states.targets]")
    file.write_text(
        'angles = "degrees"\n' + shared + "[[states]]\n" + rest.replace('angles = "degrees"\n', "")
    )
    assert read_system(file).targets[0].topology.terms["angle A-B-A"].shape == (2, 3)


@pytest.mark.parametrize(
    ("head", "entry"),
    [("bond_step = 0.02\n", "bond.dat"), ("bond_step = 0.05\n", '{ file = "bond.dat", step = 0.02 }')],
)
def test_bins_of_bonds_are_averaged_over_wider_ones(trimers, tmp_path, head, entry):
    x = 0.8 + 0.001 * np.arange(401)
    columns(tmp_path / "bond.dat", x, density(x, 1.0, 0.05))
    file = trimers("system.toml", head, **{"bond A-B": "bond.dat"})
    file.write_text(file.read_text().replace('"bond.dat"', entry if "{" in entry else f'"{entry}"'))
    found = read_system(file)
    curve = found.targets[0].distributions["bond A-B"]
    assert curve.dx == pytest.approx(0.02)
    assert curve.p @ curve.widths == pytest.approx(1.0, abs=1e-4)
    # The average over a bin of 0.4 of the width lowers the peak by h^2 / 24 of the width squared.
    assert curve.p.max() == pytest.approx(density(x, 1.0, 0.05).max() * (1 - 0.16 / 24), rel=2e-3)
    assert not any("bins of" in note for note in found.notes)


def test_bins_that_hold_noise_only_are_said(trimers, tmp_path):
    x = 0.8 + 0.001 * np.arange(401)
    columns(tmp_path / "bond.dat", x, density(x, 1.0, 0.05))
    (note,) = (note for note in read_system(trimers()).notes if "bins of" in note)
    assert note == (
        "bond A-B: its bins of 0.001 sigma are a 50th of the width of the distribution; a simulation counts little "
        "but noise in them. bond_step = 0.006 averages them"
    )


def test_bins_of_five_degrees_as_this_program_makes_them_are_not_questioned(trimers, tmp_path):
    for bins, asked in ((36, False), (72, True)):
        theta = np.linspace(0.0, np.pi, bins + 1)
        # Half a bin at each end.
        flat = np.full(bins + 1, 1.0 / np.pi)
        columns(tmp_path / "flat.dat", theta, flat)
        notes = read_system(trimers(**{"angle A-B-A": "flat.dat"})).notes
        assert any("little but noise" in text for text in notes) is asked


def test_bins_of_angles_are_in_the_unit_of_the_angles(trimers, tmp_path):
    degrees = np.linspace(0.0, 180.0, 721)
    columns(tmp_path / "angle.dat", degrees, density(degrees, 120.0, 10.0))
    head = 'angles = "degrees"\n'
    (note,) = (note for note in read_system(trimers("a.toml", head, **{"angle A-B-A": "angle.dat"})).notes
               if "bins of" in note)  # fmt: skip
    assert "bins of 0.25 degrees" in note
    assert "angle_step = 1 averages them" in note
    file = trimers("b.toml", f"{head}angle_step = 2\n", **{"angle A-B-A": "angle.dat"})
    curve = read_system(file).targets[0].distributions["angle A-B-A"]
    assert curve.dx == pytest.approx(np.radians(2.0))
    assert curve.x[-1] == pytest.approx(np.pi)
    assert curve.p @ curve.widths == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("bond_step = 0.001\n", "bond A-B: bins of 0.001 are narrower than those of the distribution"),
        ("bond_step = -1\n", "bond_step is -1; a width of bins is a positive number"),
        ("bond_step = true\n", "bond_step is True"),
    ],
)
def test_a_width_of_bins_that_cannot_be_is_refused(trimers, head, words):
    with pytest.raises(InputError, match=words):
        read_system(trimers("system.toml", head))


def test_states_that_saw_other_lengths_share_a_grid(trimers, tmp_path):
    warm = 0.9 + 0.005 * np.arange(80)
    columns(tmp_path / "warm.dat", warm, density(warm, 1.05, 0.06))
    cold = trimers("cold.toml", "bond_step = 0.02\n")
    warmer = trimers("warm.toml", "bond_step = 0.02\n", **{"bond A-B": "warm.dat"})
    first, second = (
        one.distributions["bond A-B"] for one in read_system(states(tmp_path, cold, warmer)).targets
    )
    np.testing.assert_allclose(first.x, second.x)
    assert first.x[0] == pytest.approx(0.8)
    assert second.x[-1] > 1.28
    assert second.p[0] == 0.0


def test_a_norm_that_a_file_states_is_not_questioned(tmp_path):
    """The sum over a small box may be that of either norm; the program that counted knows."""
    atoms = "".join(f"{i + 1} {i // 2 + 1} 1 {i % 2} {i // 2 % 4 * 2} {i // 8 * 2}\n" for i in range(24))
    bonds = "".join(f"{i + 1} 1 {2 * i + 1} {2 * i + 2}\n" for i in range(12))
    box = "0 8 xlo xhi\n0 8 ylo yhi\n0 8 zlo zhi"
    (tmp_path / "start.data").write_text(
        f"dumbbells\n\n24 atoms\n1 atom types\n12 bonds\n1 bond types\n{box}\n\nMasses\n\n1 1.0 # A\n\n"
        f"Atoms # molecular\n\n{atoms}\nBonds\n\n{bonds}"
    )
    columns(tmp_path / "bond.dat", BOND, density(BOND, 1.0, 0.05))
    r = np.arange(0.0, 3.91, 0.05)
    # 264 of 24^2 / 2 pairs are of different molecules.
    g = RDF(r, np.where(r < 0.9, 0.0, 264 / 288), units="lj")
    (tmp_path / "system.toml").write_text(f'{HEAD}\n[targets]\n"A-A" = "g.dat"\n"bond A-A" = "bond.dat"\n')
    for left_out, said in ((None, 1), ("molecule", 0)):
        write_rdf(g, tmp_path / "g.dat", left_out=left_out)
        notes = read_system(tmp_path / "system.toml").notes
        assert sum("it was divided by all of them" in note for note in notes) == said


def test_a_norm_of_all_pairs_is_converted(trimers, tmp_path):
    r = np.arange(0.0, 3.01, 0.05)
    # Of two trimers half of all pairs of each kind of beads are left: 4 of 4^2 / 2, 4 of 4 x 2, 1 of 2^2 / 2.
    columns(tmp_path / "g.dat", r, np.where(r < 0.9, 0.0, 0.5))
    found = read_system(trimers("two.toml", 'target_normalisation = "all pairs"\n')).targets[0]
    for curve in found.rdfs.values():
        np.testing.assert_allclose(curve.g[-20:], 1.0)
    with pytest.raises(
        InputError, match=r"target_normalisation = 'all'; g.r. is divided by .pairs that count. or"
    ):
        read_system(trimers("three.toml", 'target_normalisation = "all"\n'))
    with pytest.raises(InputError, match="names B-A twice"):
        read_system(trimers("four.toml", "", "", **{"B-A": "g.dat"}))


def test_radians_that_are_said_to_be_degrees_are_refused(trimers, tmp_path):
    with pytest.raises(InputError, match=r"angle.dat: the angle ends at 3.14159; it must be in degrees"):
        read_system(trimers("one.toml", 'angles = "degrees"\n', **{"angle A-B-A": "angle.dat"}))
    theta = np.linspace(0.0, np.pi, 91)
    columns(tmp_path / "radians.pot", theta, 5.0 * (theta - 2.0) ** 2)
    given = trimers("two.toml", 'angles = "degrees"\n', '[given]\n"angle A-B-A" = "radians.pot"\n')
    with pytest.raises(InputError, match="looks like radians"):
        read_system(given).given_potentials()


def test_types_that_are_numbers_are_named_and_columns_stated(trimers, tmp_path):
    data = DATA.replace(" # A", "").replace(" # B", "").replace("# molecular", "# hybrid")
    (tmp_path / "start.data").write_text(data)
    with pytest.raises(InputError, match="the atom style 'hybrid' is not one of"):
        read_system(trimers("one.toml"))
    style = 'atom_style = "id resid type x y z"\n'
    with pytest.raises(InputError, match=r"the topology has 1, 2. Name them: names = . .1. = .A., "):
        read_system(trimers("two.toml", style))
    named = read_system(trimers("three.toml", style + 'names = { "1" = "A", "2" = "B" }\n'))
    assert named.targets[0].species == ("A", "B")


def test_one_number_for_all_molecules_is_none(trimers, tmp_path):
    (tmp_path / "start.data").write_text(
        DATA.replace("4 2 1 1", "4 1 1 1").replace("5 2 2", "5 1 2").replace("6 2 1", "6 1 1")
    )
    topology = read_system(trimers()).targets[0].topology
    assert topology.n_molecules == 2


def test_charges_are_said(trimers, tmp_path, caplog):
    # Behind the type, where the style full has them.
    charged = re.sub(r"(?m)^(\d \d \d)( \d \d \d)$", r"\1 -0.5\2", DATA.replace("# molecular", "# full"))
    (tmp_path / "start.data").write_text(charged)
    read_system(trimers())
    assert "start.data has charges (up to 0.5 e), which do not act" in caplog.text


def test_g_that_counts_no_pair_is_refused(trimers, tmp_path):
    one = DATA.replace("6 atoms", "3 atoms").replace("4 bonds", "2 bonds")
    one = one.replace("4 2 1 1 5 1\n5 2 2 2 5 1\n6 2 1 3 5 1\n", "").replace("3 1 4 5\n4 1 5 6\n", "")
    (tmp_path / "start.data").write_text(one)
    with pytest.raises(InputError, match=r"g.r. of A-A counts no pair: .* a topology of 1 molecule$"):
        read_system(trimers())


def test_the_lines_that_load_all_tables_are_said(tmp_path, capsys):
    r = np.linspace(0.5, 3.0, 51)
    pair = PairPotential(r, 0.2 * (3.0 - r) ** 2, units="lj")
    bond = BondedPotential(BOND, 40.0 * (BOND - 1.0) ** 2, coordinate="bond", units="lj")
    write_potentials({Interaction.of(name): pair for name in ("A-A", "A-B")} | {
        Interaction.of("bond A-B"): bond
    }, None, tmp_path, kT=1.0)  # fmt: skip
    usage = [line for line in capsys.readouterr().out.splitlines() if line.startswith("LAMMPS")]
    assert [line.split()[1] for line in usage] == [
        *("bond_style", "bond_coeff", "pair_style", "pair_coeff", "pair_coeff")
    ]


def test_what_is_inside_molecules_is_read_to_be_drawn_and_its_loss_is_said(trimers, tmp_path):
    r = np.arange(0.0, 3.01, 0.05)
    own = RDF(r, np.where(np.abs(r - 1.5) < 0.12, 900.0, 0.0), units="lj")
    write_rdf(own, tmp_path / "A-A.intra.dat")
    file = trimers(tables='[inside]\n"A-A" = "A-A.intra.dat"\n"B-A" = "A-B.intra.dat"\n')
    system = read_system(file)
    assert list(map(str, system.targets[0].inside)) == ["A-A"]
    np.testing.assert_array_equal(system.targets[0].inside["A-A"].g, own.g)
    (said,) = [note for note in system.notes if "inside molecules" in note]
    assert said == "g(r) of B-A inside molecules is not drawn: there is no file A-B.intra.dat"
    with pytest.raises(InputError, match=r"\[inside\] must give A-A the name of a file, not 3"):
        read_system(trimers(tables='[inside]\n"A-A" = 3\n'))
