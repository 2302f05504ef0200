"""Mapping files: which atoms make which beads, which pairs count, and what the beads look like elsewhere."""

from __future__ import annotations

import warnings
from pathlib import Path

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest
from typer.testing import CliRunner

from cginit.cli.app import app
from cginit.errors import InputError
from cginit.io import read_rdf, read_rdf_header
from cginit.trajectory import map_atoms, rdfs_from_trajectory, read_configuration, read_mapping, write_beads

N, EDGE = 40, 24.0
MASSES = np.array([15.0, 14.0, 14.0, 16.0])

YAML = """
molecules:
  - select: resname CHN
    beads:
      - {name: head, type: H, atoms: A B}
      - {name: body, type: T, atoms: [C]}
      - {name: tail, type: T, select: name D, centre: geometry}
    bonds: [[head, body], [body, tail]]
"""

XML = """<cg_molecule><name>chain</name><ident>CHN</ident>
<topology><cg_beads>
<cg_bead><name>head</name><type>H</type><mapping>two</mapping><beads>1:CHN:A 1:CHN:B</beads></cg_bead>
<cg_bead><name>body</name><type>T</type><mapping>one</mapping><beads>1:CHN:C</beads></cg_bead>
<cg_bead><name>tail</name><type>T</type><mapping>one</mapping><beads>1:CHN:D</beads></cg_bead>
</cg_beads>
<cg_bonded><bond><name>b</name><beads>head body</beads></bond></cg_bonded></topology>
<maps><map><name>two</name><weights>15 14</weights></map><map><name>one</name><weights>1</weights></map></maps>
</cg_molecule>"""


def chains(frames: int, seed: int = 1, bonds: bool = False) -> MDAnalysis.Universe:
    """Return independent molecules of four atoms, 1.5 angstrom apart, at random."""
    rng = np.random.default_rng(seed)
    u = MDAnalysis.Universe.empty(
        4 * N, n_residues=N, atom_resindex=np.repeat(np.arange(N), 4), trajectory=True
    )
    u.add_TopologyAttr("name", list("ABCD") * N)
    u.add_TopologyAttr("resname", ["CHN"] * N)
    u.add_TopologyAttr("resid", np.arange(1, N + 1))
    u.add_TopologyAttr("masses", np.tile(MASSES, N))
    if bonds:
        first = 4 * np.arange(N)[:, None] + np.arange(3)
        u.add_TopologyAttr("bonds", np.stack([first, first + 1], axis=-1).reshape(-1, 2))
    positions = []
    for _ in range(frames):
        axes = rng.normal(size=(N, 1, 3))
        axes *= 1.5 / np.linalg.norm(axes, axis=2, keepdims=True)
        positions.append((rng.uniform(0, EDGE, (N, 1, 3)) + axes * np.arange(4)[:, None]).reshape(-1, 3))
    u.load_new(
        np.array(positions, dtype=np.float32),
        dimensions=np.tile([EDGE, EDGE, EDGE, 90.0, 90.0, 90.0], (frames, 1)),
        order="fac",
        dt=1.0,
    )
    return u


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("chains")
    u = chains(60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the gro writer fills in what the universe lacks and says so
        u.atoms.write(folder / "chains.gro")
        with MDAnalysis.Writer(str(folder / "chains.xtc"), u.atoms.n_atoms) as writer:
            for _ in u.trajectory:
                writer.write(u.atoms)
    return folder / "chains.gro", folder / "chains.xtc"


def named(folder: Path, text: str, suffix: str = "yaml") -> str:
    path = folder / f"mapping.{suffix}"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(("text", "suffix"), [(YAML, "yaml"), (XML, "xml")])
def test_beads_of_a_file_are_the_centres_it_names(tmp_path, text, suffix):
    u = chains(1)
    groups = map_atoms(u, named(tmp_path, text, suffix))
    assert groups.types == ("H", "T")
    assert groups.type_ids[:6].tolist() == [0, 1, 1, 0, 1, 1]
    assert groups.molecules[:6].tolist() == [0, 0, 0, 1, 1, 1]
    assert [str(name) for name in groups.atoms.names[:4]] == list("ABCD")
    sizes = np.diff(np.append(groups.starts, groups.atoms.n_atoms))[:3]
    assert sizes.tolist() == [2, 1, 1]
    # VOTCA's weights are those of the masses here.
    np.testing.assert_allclose(groups.weights[:2], [15 / 29, 14 / 29])


def test_exclusions_by_bonds_whole_molecules_and_as_votca_does(tmp_path):
    u = chains(1)
    yaml = named(tmp_path, YAML)
    assert map_atoms(u, yaml, "1-2").excluded[:3].tolist() == [[0, 1], [1, 2], [3, 4]]
    assert map_atoms(u, yaml, "1-3").excluded[:3].tolist() == [[0, 1], [0, 2], [1, 2]]
    assert map_atoms(u, yaml, "1-9").excluded.shape == (3 * N, 2)
    assert map_atoms(u, yaml).exclusions == "molecule"
    # Only what shares a bonded interaction, of which there is one in the file.
    assert map_atoms(u, named(tmp_path, XML, "xml")).excluded[:2].tolist() == [[0, 1], [3, 4]]
    for wrong in ("1-1", "all", "2-3"):
        with pytest.raises(InputError, match=f"exclusions '{wrong}' are unknown"):
            map_atoms(u, yaml, wrong)
    with pytest.raises(InputError, match="need a mapping file, which knows the bonds"):
        map_atoms(u, "name A", "1-3")


def test_bonds_of_the_topology_serve_where_the_file_has_none(tmp_path):
    text = YAML.replace("    bonds: [[head, body], [body, tail]]\n", "")
    mapping = named(tmp_path, text)
    assert map_atoms(chains(1, bonds=True), mapping, "1-2").excluded[:3].tolist() == [[0, 1], [1, 2], [3, 4]]
    with pytest.raises(InputError, match="need the key bonds for each molecule"):
        map_atoms(chains(1), mapping, "1-2")


def test_independent_molecules_have_g_of_one_whatever_is_left_out(files, tmp_path):
    mapping = named(tmp_path, YAML)
    curves, system = rdfs_from_trajectory(*files, mapping=mapping, dr=0.1, blocks=6)
    assert list(curves) == [("H", "H"), ("H", "T"), ("T", "T")]
    assert (system.n_beads, system.exclusions) == (3 * N, "molecule")
    assert dict(system.densities)["T"] == pytest.approx(2 * N / (EDGE / 10) ** 3, rel=1e-6)
    volume = (EDGE / 10) ** 3
    for pair, pairs in (
        (("H", "H"), N * (N - 1) / 2),
        (("H", "T"), 2 * N * (N - 1)),
        (("T", "T"), 2 * N * (N - 1)),
    ):
        g = curves[pair]
        shells = 4 / 3 * np.pi * ((g.r[1:] + 0.05) ** 3 - (g.r[1:] - 0.05) ** 3)
        # Pairs of molecules are independent; with two T a molecule those of their beads are correlated at short
        # distance, at most four together.
        sigma = np.sqrt((4 if "T" in pair else 1) / (60 * pairs * shells / volume))
        # 33 bins, 4.5 sigma: a false alarm for one seed in 4000.
        assert np.max(np.abs(g.g[1:] - 1.0) / sigma) < 4.5, pair
    everything, _ = rdfs_from_trajectory(
        *files, mapping=mapping, dr=0.1, blocks=6, exclusions="none", pairs=["T-T"]
    )
    # The two T of a molecule are 0.15 nm apart: 40 pairs in the bin of 0.1 or 0.2, where the gas has 1.4.
    assert np.max(everything["T", "T"].g[1:3]) > 5.0
    bonded, _ = rdfs_from_trajectory(
        *files, mapping=mapping, dr=0.1, blocks=6, exclusions="1-2", pairs=["T-T"]
    )
    np.testing.assert_allclose(bonded["T", "T"].g, curves["T", "T"].g, rtol=1e-12)


def test_the_number_of_processes_changes_nothing(files, tmp_path):
    mapping = named(tmp_path, YAML)
    options = {"mapping": mapping, "dr": 0.1, "blocks": 2, "exclusions": "1-2"}
    one, _ = rdfs_from_trajectory(*files, **options)
    seen: list[int] = []
    two, _ = rdfs_from_trajectory(
        *files, **options, workers=2, progress=lambda done, total: seen.append(done)
    )
    assert seen == [25, 30, 55, 60]
    for pair, curve in one.items():
        np.testing.assert_array_equal(curve.g, two[pair].g)
        np.testing.assert_array_equal(curve.error, two[pair].error)


def test_a_step_below_one_is_refused_by_all_that_read_frames(files, tmp_path):
    mapping = named(tmp_path, YAML)
    for read in (
        lambda: write_beads(*files, tmp_path / "beads.gsd", mapping=mapping, step=0),
        lambda: rdfs_from_trajectory(*files, mapping=mapping, dr=0.1, step=0),
    ):
        with pytest.raises(InputError, match="step must be at least 1, not 0"):
            read()


@pytest.mark.parametrize("suffix", ["gsd", "dump", "gro"])
def test_beads_are_read_back_where_they_were(files, tmp_path, suffix):
    mapping = named(tmp_path, YAML)
    path = write_beads(*files, tmp_path / f"beads.{suffix}", mapping=mapping, step=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # masses of the made-up elements
        u = MDAnalysis.Universe(*map(str, files))
    u.trajectory[40]
    from cginit.trajectory import bead_positions

    expected = bead_positions(map_atoms(u, mapping)) / 10
    again = read_configuration(path, units=None if suffix == "gro" else "nm-kJ/mol")
    np.testing.assert_allclose(again.box, EDGE / 10, rtol=1e-6)
    away = again.positions - expected
    away -= again.box * np.round(away / again.box)
    # A gro file has three decimals; the others print single precision.
    np.testing.assert_allclose(away, 0.0, atol=6e-4 if suffix == "gro" else 2e-6)
    if suffix == "gsd":
        assert (again.species, again.types[:3].tolist()) == (("H", "T"), [0, 1, 1])
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_gsd_holds_types_and_bonds(files, tmp_path):
    path = write_beads(*files, tmp_path / "b.gsd", mapping=named(tmp_path, YAML), step=30)
    with gsd.hoomd.open(str(path)) as file:
        assert len(file) == 2
        frame = file[0]
    assert frame.particles.types == ["H", "T"]
    assert frame.bonds.types == ["H-T", "T-T"]
    assert frame.bonds.group[:2].tolist() == [[0, 1], [1, 2]]
    assert frame.bonds.typeid[:2].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("molecules:", "molecule:"), "unknown key molecule; known are centre, exclusions, molecules"),
        (("type: H", "kind: H"), "molecule 1, bead 1 has the unknown key kind"),
        (
            ("atoms: A B", "atoms: A X"),
            "bead head: the atom X occurs 0 times in a molecule of the atoms A B C D",
        ),
        (
            ("[body, tail]", "[body, end]"),
            "must be two different beads by name or number, of head, body, tail",
        ),
        (("centre: geometry", "centre: middle"), "centre is 'middle'; it must be one of mass, geometry"),
        (("resname CHN", "resname XYZ"), "the selection 'resname XYZ' finds no atoms; its residues are CHN"),
        (("select: name D", "select: within D"), "MDAnalysis does not understand the selection 'within D'"),
        (("molecules:", "molecules: ["), "is not valid YAML"),
        (("name: tail", "name: body"), "two beads have the same name"),
    ],
)
def test_wrong_mapping_files_say_where(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        map_atoms(chains(1), named(tmp_path, YAML.replace(*change)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("<ident>CHN", "<ident>SOL"), "no molecule and no residue named SOL; its residues are CHN"),
        (("15 14<", "15<"), "has 1 weights for 2 atoms"),
        (("1:CHN:D", "CHN:D"), "the atom 'CHN:D' must be residue number:residue name:atom name"),
        (("head body<", "head foot<"), "a bond names foot"),
        (("<mapping>two", "<mapping>three"), "uses the map three"),
        (("</cg_molecule>", ""), "is not valid XML"),
    ],
)
def test_wrong_votca_files_say_where(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        map_atoms(chains(1), named(tmp_path, XML.replace(*change), "xml"))


def test_several_files_of_votca_are_one_mapping(tmp_path):
    first, second = tmp_path / "a.xml", tmp_path / "b.xml"
    first.write_text(XML)
    second.write_text(XML.replace("CHN", "SOL"))
    assert [rule.ident for rule in read_mapping(f"{first};{second}").molecules] == ["CHN", "SOL"]


def test_the_command_writes_one_target_for_each_pair(files, tmp_path):
    def run(*more: str):
        common = ["rdf", "--topology", files[0], "--trajectory", files[1], "--map", named(tmp_path, YAML)]
        arguments = [*common, "--temperature", 300, "--dr", 0.1, "--blocks", 2, *more]
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    result = run("--out", f"{tmp_path}/{{pair}}.dist.tgt", "--out-beads", str(tmp_path / "b.gro"))
    assert result.exit_code == 0, result.output
    header = read_rdf_header(tmp_path / "H-T.dist.tgt")
    assert header.kT == pytest.approx(2.494339, rel=1e-6)
    assert header.density == pytest.approx(3 * N / (EDGE / 10) ** 3, rel=1e-6)
    assert "pairs left out: molecule" in (tmp_path / "H-T.dist.tgt").read_text()
    assert read_rdf(tmp_path / "T-T.dist.tgt").r_max == pytest.approx(1.1)
    assert (tmp_path / "b.gro").is_file()
    for options, message in (
        (("--out", str(tmp_path / "one.dat")), "is one file, but there are 3 pairs"),
        (("--pair", "H-X", "--out", str(tmp_path / "one.dat")), "the mapping has no pair H-X"),
    ):
        failed = run(*options)
        assert isinstance(failed.exception, InputError)
        assert message in str(failed.exception)
    assert run("--pair", "T-H", "--out", str(tmp_path / "one.dat")).exit_code == 0
