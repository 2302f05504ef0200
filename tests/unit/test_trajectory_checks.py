"""What a trajectory does not say by itself: a drifting box, bonds that count, atoms without beads, their types."""

from __future__ import annotations

from pathlib import Path

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cginit.cli.rdf import rdf
from cginit.errors import InputError
from cginit.io import read_rdf, read_rdf_header
from cginit.trajectory import rdfs_from_trajectory, read_configuration
from cginit.trajectory.coverage import loose_parts
from cginit.trajectory.frames import Frames, volume_drift
from cginit.trajectory.mapping import map_atoms

app = typer.Typer()
app.command()(rdf)

LJ = ("--units", "lj", "--kT", 1, "--dr", 0.1)
EDGE, CHAINS = 12.0, 40


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def plain(text: str) -> str:
    return " ".join(text.split())


def frames(volumes):
    volumes = np.asarray(volumes, dtype=np.float64)
    times = np.arange(volumes.size, dtype=np.float64)
    return Frames(np.arange(volumes.size), times, volumes, 1.0)


@pytest.fixture(scope="module")
def chains(tmp_path_factory) -> Path:
    """Return a GSD file of independent chains A-B-A, 0.9 apart."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("chains") / "chains.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(20):
            x = rng.uniform(-EDGE / 2, EDGE / 2, (CHAINS, 1, 3)) + 0.9 * np.arange(3)[:, None] * [1, 0, 0]
            frame = gsd.hoomd.Frame()
            frame.particles.N = 3 * CHAINS
            frame.particles.types = ["A", "B"]
            frame.particles.typeid = [0, 1, 0] * CHAINS
            frame.particles.position = (x - EDGE * np.floor(x / EDGE + 0.5)).reshape(-1, 3)
            frame.configuration.box = [EDGE] * 3 + [0, 0, 0]
            frame.bonds.N = 2 * CHAINS
            frame.bonds.types = ["b"]
            frame.bonds.group = [[3 * i + k, 3 * i + k + 1] for i in range(CHAINS) for k in (0, 1)]
            file.append(frame)
    return path


def gro(path: Path, shift: int = 0) -> Path:
    """Write 4 residues of three beads and 30 waters; fields behind the residue stand `shift` columns to the left."""
    rng = np.random.default_rng(2)
    kinds = [("ALA", ("N", "CA", "C"))] * 4 + [("SOL", ("OW", "HW1", "HW2"))] * 30
    rows = [(r, resname, name) for r, (resname, names) in enumerate(kinds, 1) for name in names]
    text = f"protein in water\n{len(rows)}\n"
    for number, (r, resname, name) in enumerate(rows, 1):
        xyz = "".join(f"{x:8.3f}" for x in rng.uniform(0, 3, 3))
        text += f"{r:5d}{resname:<5s}{name.rjust(5)[shift:]}{number:5d}{xyz}\n"
    path.write_text(text + "   3.00000   3.00000   3.00000\n")
    return path


def xtc(path: Path, topology: Path) -> Path:
    """Write four frames of these residues of three atoms at random."""
    rng = np.random.default_rng(6)
    universe = MDAnalysis.Universe(str(topology))
    with MDAnalysis.Writer(str(path), universe.atoms.n_atoms) as writer:
        universe.trajectory.ts.dt = 1.0  # a gro file states none
        for _ in range(4):
            centres = np.repeat(rng.uniform(0, 30, (universe.residues.n_residues, 3)), 3, axis=0)
            universe.atoms.positions = centres + rng.normal(0.0, 0.5, centres.shape)
            writer.write(universe.atoms)
    return path


def test_a_drifting_volume_is_seen_and_the_time_from_which_it_is_not():
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 1.0, 200)
    # A barostat: a volume of 1000 with 1 % of scatter, correlated over ten frames.
    steady = 1000.0 + 10.0 * np.convolve(noise, np.ones(10), "same") / np.sqrt(10)
    assert volume_drift(frames(steady)) is None
    assert volume_drift(frames(np.full(60, 1000.0))) is None
    assert volume_drift(frames([3000.0, 1000.0])) is None  # two frames say nothing
    shrinking = steady + 500.0 * np.exp(-np.arange(200) / 10.0)
    settled = volume_drift(frames(shrinking))
    # 500 exp(-t/10) is 40, four times the scatter, at t = 25, and gone at 60.
    assert settled is not None
    assert 15 <= settled <= 70
    # One that drifts to the end is not settled before its second half.
    assert volume_drift(frames(np.linspace(1100, 1000, 100) + noise[:100])) == 50.0


def test_a_shrinking_box_is_reported_with_begin(tmp_path):
    rng = np.random.default_rng(4)
    path = tmp_path / "run.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for i in range(40):
            edge = 10.0 if i >= 10 else 20.0 - i
            frame = gsd.hoomd.Frame()
            frame.particles.N = 100
            frame.particles.position = rng.uniform(-edge / 2, edge / 2, (100, 3))
            frame.configuration.box = [edge] * 3 + [0, 0, 0]
            file.append(frame)
    done = run("--topology", path, "--map", "all", "--out", tmp_path / "g.dat", *LJ)
    shown = plain(done.output)
    assert "volume: first 8000, last 1000, mean " in shown
    assert "note: the volume drifts: 8000 in the first frame, 1000 in the last" in shown
    assert "--begin 10" in shown
    assert "--begin 10" in (tmp_path / "g.dat").read_text()
    better = run("--topology", path, "--map", "all", "--out", tmp_path / "g.dat", "--begin", 10, *LJ)
    assert "volume" not in better.output
    assert read_rdf_header(tmp_path / "g.dat").density == pytest.approx(0.1)


def test_bonds_of_the_topology_are_named_and_excluded_without_a_mapping_file(chains, tmp_path):
    curves = {}
    for words in ("none", "1-2", "1-3", "molecule"):
        out = tmp_path / f"{words}.dat"
        done = run("--topology", chains, "--map", "all", "--exclude", words, "--out", out, *LJ)
        assert ("80 bonded pairs of the 120 beads count in g(r)" in plain(done.output)) == (words == "none")
        curves[words] = read_rdf(out)
    # Chains are independent: with all their pairs left out g is 1; each bin holds some hundred pairs.
    bond, second = 9, 18
    for words, at_bond, at_second in (
        ("none", 20, 3.3),
        ("1-2", 1, 3.3),
        ("1-3", 1, 1),
        ("molecule", 1, 1),
    ):
        g, error = curves[words].g, curves[words].error
        assert abs(g[bond] - at_bond) < 5 * error[bond] + 0.05 * (at_bond > 1)
        assert abs(g[second] - at_second) < 5 * error[second]
    with pytest.raises(InputError, match="since the topology has none"):
        run("--topology", gro(tmp_path / "a.gro"), "--map", "name OW", "--temperature", 300, "--exclude", "1-2",
            "--blocks", 2, "--out", tmp_path / "x.dat")  # fmt: skip


@pytest.mark.parametrize("mapping", [["type A", "type B"], ["A=type A", "B=type B"], ["types"], ["YAML"]])
def test_the_atom_types_of_a_file_are_bead_types(chains, tmp_path, mapping):
    if mapping == ["YAML"]:
        file = tmp_path / "atom.yaml"
        file.write_text(
            "exclusions: none\nmolecules:\n"
            + "".join(f"  - {{select: type {k}, per: atom, beads: [{{type: {k}}}]}}\n" for k in "AB")
        )
        mapping = [str(file)]
    curves, system = rdfs_from_trajectory(chains, mapping=mapping, dr=0.1, units="lj", blocks=5)
    assert list(curves) == [("A", "A"), ("A", "B"), ("B", "B")]
    assert dict(system.densities) == pytest.approx({"A": 80 / EDGE**3, "B": 40 / EDGE**3})
    # A and B are bonded, A and A are second neighbours: 80 pairs among 3200 and 40 among 3160.
    volume = 4 / 3 * np.pi * (0.95**3 - 0.85**3)
    assert curves["A", "B"].g[9] == pytest.approx(1 + 80 / 3200 * EDGE**3 / volume, rel=0.05)
    assert np.all(curves["B", "B"].g[9:19] < 3)


def test_residues_of_several_names_are_one_bead_type_only_with_a_word(tmp_path):
    topology = gro(tmp_path / "a.gro")
    options = {"topology": topology, "trajectory": xtc(tmp_path / "a.xtc", topology), "dr": 0.1, "blocks": 2}
    both = ["ALA=residues:cog resname ALA", "SOL=residues:cog resname SOL"]
    words = "residues of different names (30 SOL, 4 ALA) count as one bead type"
    for mapping, said in (("residues:cog", 1), ("residues:cog resname SOL", 0), (both, 0)):
        _, system = rdfs_from_trajectory(mapping=mapping, **options)
        assert sum(words in note for note in system.notes) == said


def test_one_selection_of_several_atom_types_says_so(chains):
    _, system = rdfs_from_trajectory(chains, mapping="all", dr=0.1, units="lj", blocks=5)
    assert any("(80 A, 40 B) count as one bead type; --map types" in note for note in system.notes)


def test_particles_without_bonds_or_bodies_are_molecules_of_their_own(tmp_path):
    rng = np.random.default_rng(5)
    path = tmp_path / "free.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(20):
            frame = gsd.hoomd.Frame()
            frame.particles.N = 60
            frame.particles.position = rng.uniform(-3, 3, (60, 3))
            frame.configuration.box = [6, 6, 6, 0, 0, 0]
            file.append(frame)
    mapping = tmp_path / "atom.yaml"
    mapping.write_text("molecules:\n  - {per: atom, beads: [{type: A}]}\n")
    curves, system = rdfs_from_trajectory(path, mapping=str(mapping), dr=0.2, units="lj", blocks=5)
    assert system.exclusions == "molecule"
    # 20 x 1770 pairs; beyond r = 1 each bin of 0.2 holds more than 400: 0.25 is 5 sigma.
    np.testing.assert_allclose(curves["A", "A"].g[6:14], 1.0, atol=0.25)


def test_beads_of_a_chain_by_index(chains, tmp_path):
    mapping = tmp_path / "index.yaml"
    mapping.write_text(
        "centre: geometry\nmolecules:\n  - per: molecule\n    beads:\n"
        "      - {name: head, type: H, index: 1}\n      - {name: tail, type: T, index: 2-3}\n"
    )
    curves, system = rdfs_from_trajectory(
        chains, mapping=str(mapping), dr=0.1, units="lj", blocks=5, exclusions="none"
    )
    assert dict(system.densities) == pytest.approx({"H": CHAINS / EDGE**3, "T": CHAINS / EDGE**3})
    # The centre of the tail is 1.35 from the head: between the bins 13 and 14.
    assert curves["H", "T"].g[13:15].sum() > 10
    mapping.write_text("molecules: [{per: molecule, beads: [{type: H, index: 4}]}]")
    with pytest.raises(InputError, match="index 4 is beyond the 3 atoms of a molecule"):
        rdfs_from_trajectory(chains, mapping=str(mapping), dr=0.1, units="lj")
    for wrong in ("0", "x", "[1, 1]", "3-2"):
        mapping.write_text(f"molecules: [{{beads: [{{type: H, index: {wrong}}}]}}]")
        with pytest.raises(InputError, match="index"):
            rdfs_from_trajectory(chains, mapping=str(mapping), dr=0.1, units="lj")


def test_atoms_without_a_bead_are_named(tmp_path):
    files = (path := gro(tmp_path / "p.gro"), xtc(tmp_path / "p.xtc", path))
    options = {"dr": 0.05, "blocks": 2}
    _, water = rdfs_from_trajectory(*files, mapping="residues:cog resname SOL", **options)
    assert water.notes == (
        "12 of 102 atoms lie in 4 residues without a bead (4 ALA): g(r) and the density are those of the other beads "
        "alone, and a simulation of these has another pressure",
    )
    _, oxygen = rdfs_from_trajectory(*files, mapping=["name OW", "A=name CA"], **options)
    assert oxygen.notes == ("68 atoms of residues with beads belong to no bead (30 HW1, 30 HW2, 4 N, 4 C)",)
    both = ["ALA=residues:cog resname ALA", "SOL=residues:cog resname SOL"]
    _, everything = rdfs_from_trajectory(*files, mapping=both, **options)
    assert everything.notes == ()


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (["name OW", "all"], "belong to two of the selections"),
        (["name OW", "resname SOL and name OW"], "name a bead type twice"),
        (["name OW", "name XX"], "'name XX' finds no atoms"),
        (["types", "name OW"], "give it alone"),
        (["name OW", "name HW1 or (name HW2)"], "NAME=SELECTION"),
        (["A;rm=name OW"], "cannot name a bead type"),
        (["a.yaml", "b.yaml"], "a whole mapping"),
        ([], "no mapping was given"),
    ],
)
def test_selections_that_do_not_fit_each_other(tmp_path, mapping, words):
    path = gro(tmp_path / "p.gro")
    with pytest.raises(InputError, match=words):
        rdfs_from_trajectory(path, path, mapping=mapping, dr=0.05, blocks=2)


def test_a_mapping_file_refuses_names_that_scripts_would_run(tmp_path):
    path, mapping = gro(tmp_path / "p.gro"), tmp_path / "map.yaml"
    mapping.write_text('molecules: [{beads: [{type: "A; shell rm"}]}]')
    with pytest.raises(InputError, match=r"molecule 1, bead 1: type: 'A; shell rm' cannot name a bead type"):
        rdfs_from_trajectory(path, path, mapping=str(mapping), dr=0.05, blocks=2)


def test_a_shifted_gro_is_read_as_gromacs_does_or_named_by_line_and_column(tmp_path):
    right, left = gro(tmp_path / "right.gro"), gro(tmp_path / "left.gro", shift=1)
    a, b = read_configuration(right), read_configuration(left)
    np.testing.assert_array_equal(a.positions, b.positions)
    np.testing.assert_array_equal(a.box, b.box)
    assert read_configuration(left, mapping="name OW").n == 30
    run_of = xtc(tmp_path / "p.xtc", right)
    curves, expected = (
        rdfs_from_trajectory(file, run_of, mapping="name OW", dr=0.05, blocks=2)[0] for file in (left, right)
    )
    np.testing.assert_array_equal(curves["CG", "CG"].g, expected["CG", "CG"].g)
    lines = right.read_text().splitlines()
    for line, words in (
        (
            lines[5][:20] + " 0.5x0  " + lines[5][28:],
            r"line 6, columns 21 to 28: ' 0.5x0  ' is no coordinate",
        ),
        ("    x" + lines[5][5:], "line 6, columns 1 to 5: 'x' is no residue number"),
    ):
        (tmp_path / "bad.gro").write_text("\n".join([*lines[:5], line, *lines[6:]]) + "\n")
        with pytest.raises(InputError, match=words):
            read_configuration(tmp_path / "bad.gro")
    (tmp_path / "bad.gro").write_text("\n".join([lines[0], "1000x", *lines[2:]]) + "\n")
    with pytest.raises(InputError, match="line 2: '1000x' is no number of atoms"):
        read_configuration(tmp_path / "bad.gro")


@pytest.mark.parametrize("name", ["g.pot", "g.table", "g.npz"])
def test_g_of_a_trajectory_gets_no_name_of_a_potential(chains, tmp_path, name):
    with pytest.raises(InputError, match="means the table of a potential"):
        run("--topology", chains, "--map", "all", "--out", tmp_path / name, *LJ)


@pytest.mark.parametrize(
    ("bonds", "exclusions", "words"),
    [
        # Of a .gro, a .pdb: residues, and nothing about bonds.
        ([], "none", "2 molecules or residues have several beads, between which no bonds are known"),
        ([], "molecule", ""),
        # The second of two bonds is missing.
        ([[0, 1], [3, 4]], "1-2", "in 2 of 2 molecules of several beads the bonds do not join all beads"),
        ([[0, 1], [1, 2], [3, 4], [4, 5]], "1-2", ""),
    ],
)
def test_beads_that_become_loose_are_said(bonds, exclusions, words):
    molecules = np.array([0, 0, 0, 1, 1, 1, 2])
    found = " ".join(loose_parts(molecules, np.array(bonds, dtype=np.intp).reshape(-1, 2), exclusions))
    assert found.startswith(words) if words else not found


def test_a_residue_of_several_beads_without_bonds_is_said_by_the_mapping():
    universe = MDAnalysis.Universe.empty(6, 2, atom_resindex=[0, 0, 0, 1, 1, 1], trajectory=True)
    universe.add_TopologyAttr("types", ["C"] * 6)
    universe.add_TopologyAttr("names", ["C"] * 6)
    assert any("no bonds are known" in note for note in map_atoms(universe, "types").notes)
    universe.add_TopologyAttr("bonds", [(0, 1), (1, 2), (3, 4), (4, 5)])
    assert not any("no bonds are known" in note for note in map_atoms(universe, "types").notes)
