"""``cg-init target``: from trajectory files to a target that states all that the guess needs."""

from __future__ import annotations

from pathlib import Path

import gsd.hoomd
import numpy as np
import pytest
import typer
from program import cg_init
from typer.testing import CliRunner

from cginit.cli.rdf import rdf
from cginit.cli.system import read_system
from cginit.errors import InputError
from cginit.guess.molecules import guess_molecules
from cginit.io import read_rdf, read_rdf_header, read_table
from cginit.trajectory.files import readers_words

app = typer.Typer()
app.command()(rdf)

EDGE = 6.0


@pytest.fixture
def gas(tmp_path: Path) -> Path:
    """Return a GSD file with 20 frames of 50 independent beads."""
    rng = np.random.default_rng(6)
    path = tmp_path / "gas.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(20):
            frame = gsd.hoomd.Frame()
            frame.particles.N = 50
            frame.particles.position = rng.uniform(-EDGE / 2, EDGE / 2, (50, 3))
            frame.configuration.box = [EDGE, EDGE, EDGE, 0, 0, 0]
            file.append(frame)
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def test_the_target_states_units_and_state(gas, tmp_path):
    out = tmp_path / "target.dat"
    result = run("--topology", gas, "--map", "all", "--units", "lj", "--kT", 1.5, "--out", out, "--dr", 0.1)
    assert result.exit_code == 0
    assert str(out) in result.stdout
    header, target = read_rdf_header(out), read_rdf(out)
    assert (header.units.name, header.kT) == ("lj", 1.5)
    assert header.density == pytest.approx(50 / EDGE**3, rel=1e-6)  # single precision in the file
    assert target.dr == pytest.approx(0.1)
    assert target.error is not None
    # The bins from 1.95 to 2.95 hold 0.354 of the box, 8700 of the 20 x 1225 pairs: 0.06 is more than 5 sigma.
    assert np.mean(target.g[-10:]) == pytest.approx(1.0, abs=0.06)


def test_temperature_becomes_thermal_energy_and_density_can_be_stated(gas, tmp_path):
    out = tmp_path / "target.csv"
    run(
        *("--topology", gas, "--map", "all", "--units", "real", "--temperature", 300, "--out", out),
        *("--density", 0.033, "--begin", 1, "--end", 12, "--stride", 2, "--blocks", 3, "--r-max", 2),
    )
    header, target = read_rdf_header(out), read_rdf(out)
    assert header.kT == pytest.approx(0.5961613, rel=1e-6)  # 300 K x R = 2.494339 kJ/mol, over 4.184
    assert header.density == 0.033
    assert (target.dr, target.r_max) == (pytest.approx(0.1), pytest.approx(2.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), r"not stated in a trajectory; give it in kelvin with --temperature, or as energy \(kcal/mol\)"),
        (("--temperature", 300, "--kT", 1), "either --temperature or --kT, not both"),
    ],
)
def test_one_of_temperature_and_thermal_energy_is_needed(gas, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        run("--topology", gas, "--map", "all", "--units", "real", "--out", tmp_path / "t.dat", *options)


def test_nothing_is_written_when_units_are_missing(gas, tmp_path):
    with pytest.raises(InputError, match="does not state its unit of length"):
        run("--topology", gas, "--map", "all", "--temperature", 300, "--out", tmp_path / "target.dat")
    assert not (tmp_path / "target.dat").exists()


@pytest.fixture
def two_kinds(tmp_path: Path) -> Path:
    """Return a GSD file with 20 frames of 40 independent beads of type P and 60 of type Q."""
    rng = np.random.default_rng(7)
    path = tmp_path / "mixture.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(20):
            frame = gsd.hoomd.Frame()
            frame.particles.N = 100
            frame.particles.types = ["P", "Q"]
            frame.particles.typeid = [0] * 40 + [1] * 60
            frame.particles.body = list(range(100))  # each a residue of its own
            frame.particles.position = rng.uniform(-EDGE / 2, EDGE / 2, (100, 3))
            frame.configuration.box = [EDGE, EDGE, EDGE, 0, 0, 0]
            file.append(frame)
    return path


def test_a_trajectory_of_several_types_leaves_what_the_refinement_of_a_mixture_reads(two_kinds, tmp_path):
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "exclusions: none\nmolecules:\n"
        + "".join(
            f"  - {{select: type {k}, per: residue, beads: [{{name: {k}, type: {k}}}]}}\n" for k in "PQ"
        )
    )
    options = ("--topology", two_kinds, "--map", mapping, "--units", "lj", "--kT", 1.5, "--dr", 0.1)
    file = tmp_path / "deep" / "mixture.toml"
    result = run(*options, "--out", f"{tmp_path}/targets/", "--system", file, "--r-max", 2.5)
    assert f"{file}: run cg-init refine {file} --workdir {file.parent}/refined" in result.stdout.replace(
        "\n", ""
    )
    (found,) = read_system(file).targets
    assert [str(pair) for pair in found.pairs] == ["P-P", "P-Q", "Q-Q"]
    assert (found.units.name, found.kT) == ("lj", 1.5)
    # Single precision in the trajectory.
    assert found.densities == pytest.approx({"P": 40 / EDGE**3, "Q": 60 / EDGE**3}, rel=1e-6)
    assert (
        found.rdfs["P", "Q"].g.tolist() == read_rdf(tmp_path / "targets" / "P-Q.dat").with_core().g.tolist()
    )
    # A pair alone is no liquid of its own, and says so to whoever guesses from it.
    assert read_rdf_header(tmp_path / "targets" / "P-Q.dat").part_of == "mixture"
    with pytest.raises(InputError, match="P-Q, Q-Q is not sampled; leave --pair out"):
        run(*options, "--out", tmp_path / "one.dat", "--pair", "P-P", "--system", file)


def test_one_type_is_a_mixture_of_one(gas, tmp_path):
    options = ("--topology", gas, "--map", "all", "--units", "lj", "--kT", 1.5, "--dr", 0.1)
    file = tmp_path / "system.toml"
    run(*options, "--out", tmp_path / "one.dat", "--system", file)
    (found,) = read_system(file).targets
    assert (len(found.pairs), found.kT) == (1, 1.5)
    assert read_rdf_header(tmp_path / "one.dat").part_of is None


def test_neighbours_along_bonds_that_no_file_names_are_asked_about(tmp_path):
    """A file without bonds, as a .gro: its atoms would be refined as loose beads, with the peak of the bonds in g."""
    rng = np.random.default_rng(4)
    path = tmp_path / "dimers.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(10):
            middle = 2.0 * np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3), axis=-1).reshape(-1, 3)
            ways = rng.normal(size=(27, 3))
            ways *= (0.3 + 0.01 * rng.random((27, 1))) / np.linalg.norm(ways, axis=1)[:, None]
            frame = gsd.hoomd.Frame()
            frame.particles.N = 54
            frame.particles.position = np.concatenate([middle - ways, middle + ways])
            frame.configuration.box = [EDGE, EDGE, EDGE, 0, 0, 0]
            file.append(frame)
    out = tmp_path / "g.dat"
    result = run(
        "--topology", path, "--map", "types", "--units", "lj", "--kT", 1.0, "--dr", 0.05, "--out", out
    )
    assert "are these neighbours along a bond?" in " ".join(result.stdout.split())


def test_bonded_beads_leave_all_that_their_refinement_reads(tmp_path):
    """The file of the system names targets of every interaction, the start and what the two exclude."""
    trajectory = tmp_path / "dimers.gsd"
    rng = np.random.default_rng(3)
    with gsd.hoomd.open(str(trajectory), "w") as file:
        for _ in range(20):
            ways = rng.normal(size=(100, 3))
            ways *= (rng.normal(0.6, 0.03, 100) / np.linalg.norm(ways, axis=1))[:, None]
            ends = rng.uniform(-EDGE / 2, EDGE / 2, (100, 3))
            places = np.stack([ends, ends + ways], axis=1).reshape(-1, 3)
            frame = gsd.hoomd.Frame()
            frame.particles.N = 200
            frame.particles.types = ["P"]
            frame.particles.position = places - EDGE * np.round(places / EDGE)
            frame.configuration.box = [EDGE, EDGE, EDGE, 0, 0, 0]
            frame.bonds.N, frame.bonds.group = 100, np.arange(200).reshape(-1, 2)
            file.append(frame)
    system = tmp_path / "dimers" / "system.toml"
    options = ("--topology", trajectory, "--map", "types", "--units", "lj", "--kT", 1.0, "--dr", 0.1)
    result = run(*options, "--system", system, "--pressure", 0.2)
    assert result.exit_code == 0, result.output
    # The command refuses to run without a folder of its own.
    assert f"run cg-init refine {system} --workdir {system.parent}/refined" in result.stdout
    read = read_system(system)
    (target,), (start,) = read.targets, read.starts
    assert [str(one) for one in target.measured] == ["P-P", "bond P-P"]
    # The only other bead of a dimer: to be drawn.
    inside = target.inside["P-P"]
    number = 4.0 * np.pi * target.densities["P"] * np.sum(inside.r**2 * inside.g) * inside.dr
    assert number == pytest.approx(1.0, rel=0.02)  # of r^2 in the middles of bins: (dr / r)^2 / 12 = 0.2 %
    assert (target.pressure, target.kT, target.target_exclusions) == (0.2, 1.0, "molecule")
    assert start.topology.exclusions == "molecule"
    assert target.distributions["bond P-P"].mean == pytest.approx(0.6, abs=0.01)  # 2000 bonds: 15 sigma
    assert target.counts_what_acts
    assert target.rdfs["P-P"].error is not None
    first = guess_molecules(target)
    assert first["bond P-P"].at_minimum == pytest.approx(0.6, abs=0.03)
    # What the frames show directly, on the grids of the targets: a refinement takes it unless a guess is named.
    tables = read.first_potentials()
    assert [str(one) for one in tables] == ["P-P", "bond P-P"]
    assert tables["bond P-P"].at_minimum == pytest.approx(0.6, abs=0.03)
    assert tables["P-P"].r_cut == pytest.approx(first["P-P"].r_cut)
    assert read.first_potentials(1.5)["P-P"].r_cut == pytest.approx(1.5)
    for method, wanted in (((), tables), (("--method", "boltzmann"), first)):
        table = tmp_path / "guessed.pot"
        done = cg_init("guess", system, *method, "--out", table, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert read_table(table, units="lj").u == pytest.approx(wanted["P-P"].u, abs=1e-6)
    run(*options, "--system", system, "--no-start")
    assert not read_system(system).first


def test_types_that_are_numbers_keep_their_names(tmp_path):
    """LAMMPS' type 1 was named 1 in the targets and A in the topology beside them."""
    random = np.random.default_rng(5)
    first = random.uniform(0.0, 8.0, (60, 3))
    places = np.stack([first, first + np.array([1.0, 0.0, 0.0])], axis=1).reshape(-1, 3) % 8.0
    head = "dimers\n\n120 atoms\n1 atom types\n60 bonds\n1 bond types\n\n" + "".join(
        f"0 8 {axis}lo {axis}hi\n" for axis in "xyz"
    )
    atoms = [f"{k + 1} {k // 2 + 1} 1 {x:.5f} {y:.5f} {z:.5f}" for k, (x, y, z) in enumerate(places)]
    bonds = [f"{k + 1} 1 {2 * k + 1} {2 * k + 2}" for k in range(60)]
    (tmp_path / "run.data").write_text(
        "\n".join([head, "Masses\n\n1 1.0\n\nAtoms # bond\n", *atoms, "\nBonds\n", *bonds]) + "\n"
    )
    frames = []
    for step in range(20):
        box = "ITEM: BOX BOUNDS pp pp pp\n" + 3 * "0 8\n"
        moved = (places + random.normal(0.0, 0.03, places.shape)) % 8.0
        rows = "\n".join(f"{k + 1} 1 {x:.5f} {y:.5f} {z:.5f}" for k, (x, y, z) in enumerate(moved))
        frames.append(
            f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n120\n{box}ITEM: ATOMS id type x y z\n{rows}\n"
        )
    (tmp_path / "run.dump").write_text("".join(frames))
    done = CliRunner().invoke(
        app,
        ["--topology", str(tmp_path / "run.data"), "--trajectory", str(tmp_path / "run.dump"),
         "--map", "types", "--kT", "1", "--units", "lj", "--dr", "0.1", "--no-start",
         "--system", str(tmp_path / "sys" / "system.toml")],
        catch_exceptions=False,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (target,) = read_system(tmp_path / "sys" / "system.toml").targets
    assert [str(one) for one in target.measured] == ["1-1", "bond 1-1"]


def test_somewhere_to_write_is_needed(gas, tmp_path):
    with pytest.raises(InputError, match="give --out"):
        run("--topology", gas, "--map", "all", "--units", "lj", "--kT", 1.5)
    with pytest.raises(InputError, match="--pressure is written into the file of --system"):
        run(
            *("--topology", gas, "--map", "all", "--units", "lj", "--kT", 1.5, "--out", tmp_path / "a.dat"),
            *("--pressure", 1.0),
        )


def test_a_frame_that_cannot_be_read_is_named(tmp_path):
    frame = "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n" + 3 * "0 6\n"
    frame += "ITEM: ATOMS id type x y z\n1 1 0 0 0\n2 1 3 3 3\n"
    path = tmp_path / "cut.lammpsdump"
    # A line too much between the second and the third.
    path.write_text(frame.format(0) + frame.format(10) + "\n" + frame.format(20) + frame.format(30))
    with pytest.raises(InputError, match="frame 2 of cut"):
        run("--topology", path, "--map", "all", "--units", "lj", "--kT", 1, "--out", tmp_path / "g.dat")


def test_slips_of_a_reader_are_said_in_words_for_users():
    assert readers_words(IndexError("list index out of range")).startswith("a line or a field is missing")
    assert readers_words(OSError("no such device")) == "no such device"
