"""Topologies from the files of other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cginit.coordinates import ANGLE, BOND
from cginit.errors import InputError
from cginit.trajectory import read_system
from cginit.trajectory.gromacs_topology import gromacs_molecules
from reference import TARGETS

pytest.importorskip("MDAnalysis")

DATA = """two chains

8 atoms
6 bonds
4 angles
2 atom types
2 bond types
1 angle types

0 10 xlo xhi
0 11 ylo yhi
0 12 zlo zhi

Masses

1 1.0 # E
2 2.0 # M

Atoms # molecular

1 1 1 9.5 1 1
2 1 2 0.5 1 1
3 1 2 0.5 2 1
4 1 1 1.5 2 1
5 2 1 5 5 5
6 2 2 6 5 5
7 2 2 6 6 5
8 2 1 7 6 5

Bonds

1 1 1 2
2 2 2 3
3 1 3 4
4 1 5 6
5 2 6 7
6 1 7 8

Angles

1 1 1 2 3
2 1 2 3 4
3 1 5 6 7
4 1 6 7 8
"""


def names(topology) -> list[str]:
    return [str(one) for one in topology.terms]


def test_lammps_data(tmp_path):
    path = tmp_path / "start.data"
    path.write_text(DATA)
    start = read_system(path, units="lj")
    topology = start.topology
    assert topology.species == ("E", "M")
    assert names(topology) == ["bond E-M", "bond M-M", "angle E-M-M"]
    assert topology.terms["angle E-M-M"].shape == (4, 3)
    assert topology.n_molecules == 2
    assert topology.exclusions == "1-3"
    # The first molecule is broken over the box.
    np.testing.assert_allclose(BOND.measure(start.positions, topology.bonds, start.box), 1.0, atol=1e-5)
    assert [str(one) for one in topology.completed().of("dihedral")] == ["dihedral E-M-M-E"]
    renamed = read_system(path, units="lj", names={"1": "A", "2": "B"}, exclusions="1-4").topology
    assert names(renamed)[0] == "bond A-B"
    assert renamed.exclusions == "1-4"
    with pytest.raises(InputError, match="has no bead type 3; it has 1, 2"):
        read_system(path, units="lj", names={"3": "A"})


def test_masses_are_those_that_a_file_states(tmp_path):
    path = tmp_path / "start.data"
    path.write_text(DATA.replace("1 1.0 # E", "1 15.035 # E"))
    assert read_system(path, units="real").topology.masses.tolist() == [15.035, 2.0]
    # One that nobody set.
    path.write_text(DATA)
    masses = read_system(path, units="real").topology.masses
    assert np.isnan(masses[0])
    assert masses[1] == 2.0
    # Three of the beads are one, with the sum of their masses.
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "molecules:\n  - select: all\n    per: molecule\n    bonds: []\n    beads:\n"
        "      - {name: H, type: H, index: [1, 2, 3], centre: geometry}\n"
        "      - {name: T, type: T, index: [4]}\n"
    )
    path.write_text(DATA.replace("1 1.0 # E", "1 15.035 # E"))
    mapped = read_system(path, units="real", mapping=str(mapping)).topology
    assert dict(zip(mapped.species, mapped.masses, strict=True)) == {"H": 19.035, "T": 15.035}


def test_masses_that_names_only_suggest_are_not_known(tmp_path):
    _, gro = write_gromacs(tmp_path)
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "centre: geometry\nmolecules:\n  - select: resname TRI\n    per: residue\n    bonds: [[A, B]]\n    beads:\n"
        "      - {name: A, type: A, index: [1]}\n      - {name: B, type: B, index: [2, 3]}\n"
    )
    assert np.all(np.isnan(read_system(gro, mapping=str(mapping)).topology.masses))


def test_lammps_types_that_bead_types_do_not_tell(tmp_path):
    path = tmp_path / "start.data"
    # The third bond, of E and M like the first, is of the other type.
    path.write_text(DATA.replace("3 1 3 4\n", "3 2 3 4\n", 1).replace(" # E", "").replace(" # M", ""))
    topology = read_system(path, units="lj").topology
    assert topology.species == ("1", "2")
    assert set(names(topology)) == {"bond 1-2 1", "bond 1-2 2", "bond 2-2", "angle 1-2-2"}
    assert topology.terms["bond 1-2 2"].tolist() == [[3, 2]]


def test_impropers_are_dihedrals_that_bonds_do_not_make(tmp_path):
    path = tmp_path / "start.data"
    text = DATA.replace("4 angles\n", "4 angles\n1 impropers\n").replace(
        "1 angle types\n", "1 angle types\n1 improper types\n"
    )
    path.write_text(f"{text}\nImpropers\n\n1 1 2 1 3 4\n")
    topology = read_system(path, units="lj").topology
    # Read backwards it is the same angle.
    assert topology.terms["dihedral M-E-M-E improper"].tolist() == [[3, 2, 0, 1]]
    assert [str(one) for one in topology.of("dihedral")] == ["dihedral E-M-E-M improper"]
    # Those along the bonds are still made.
    assert "dihedral E-M-M-E" in topology.completed().terms


def test_gsd_keeps_the_names_of_its_types(tmp_path):
    gsd = pytest.importorskip("gsd.hoomd")
    frame = gsd.Frame()
    frame.configuration.box = [10, 10, 10, 0, 0, 0]
    frame.particles.N = 4
    frame.particles.types = ["A"]
    frame.particles.typeid = [0] * 4
    frame.particles.position = np.arange(12).reshape(4, 3) * 0.4
    frame.bonds.N = 3
    frame.bonds.types = ["hard", "soft"]
    frame.bonds.typeid = [0, 1, 0]
    frame.bonds.group = [[0, 1], [1, 2], [2, 3]]
    frame.dihedrals.N = 1
    frame.dihedrals.types = ["A-A-A-A"]
    frame.dihedrals.typeid = [0]
    frame.dihedrals.group = [[0, 1, 2, 3]]
    with gsd.open(tmp_path / "start.gsd", "w") as file:
        file.append(frame)
    topology = read_system(tmp_path / "start.gsd", units="lj").topology
    assert names(topology) == ["bond A-A hard", "bond A-A soft", "dihedral A-A-A-A"]
    assert topology.terms["bond A-A soft"].tolist() == [[1, 2]]


TOP = """[ defaults ]
1 1 no 0 0
[ atomtypes ]
A 30 0 A 1 1
B 28 0 A 1 1
W 18 0 A 1 1
#include "trimer.itp"
[ moleculetype ]
SOL 0
[ atoms ]
1 W 1 SOL W 1 0 18
[ system ]
mixture
[ molecules ]
TRI 2
SOL 3
"""
ITP = """[ moleculetype ]
TRI 2
[ atoms ]
1 A 1 TRI A1 1 0 30
2 B 1 TRI B1 2 0 28
3 A 1 TRI A2 3 0 30
[ bonds ]
1 2 8 0 1.0 ; two tables for bonds of the same beads
2 3 8 1 1.0
[ angles ]
1 2 3 8 0 1.0
"""


def write_gromacs(folder: Path, itp: str = ITP) -> tuple[Path, Path]:
    (folder / "topol.top").write_text(TOP)
    (folder / "trimer.itp").write_text(itp)
    beads = [("TRI", name) for _ in range(2) for name in ("A1", "B1", "A2")] + [("SOL", "W")] * 3
    rows = [
        f"{1 + k // 3 if k < 6 else k - 3:5d}{residue:<5s}{name:>5s}{k + 1:5d}{0.3 * k:8.3f}{0.1:8.3f}{0.2:8.3f}"
        for k, (residue, name) in enumerate(beads)
    ]
    (folder / "conf.gro").write_text("\n".join(["beads", "9", *rows, "   3.00000   3.00000   3.00000", ""]))
    return folder / "topol.top", folder / "conf.gro"


def test_gromacs_topology_with_a_solvent(tmp_path):
    start = read_system(*write_gromacs(tmp_path))
    topology = start.topology
    assert start.units.name == "nm-kJ/mol"
    assert topology.species == ("A", "B", "W")
    assert names(topology) == ["bond A-B table_b0", "bond A-B table_b1", "angle A-B-A"]
    assert topology.molecules.tolist() == [0, 0, 0, 1, 1, 1, 2, 3, 4]
    assert topology.exclusions == "1-3"
    assert start.positions[1, 0] - start.positions[0, 0] == pytest.approx(0.3, abs=1e-6)


def test_virtual_sites_of_gromacs_are_refused(tmp_path):
    (tmp_path / "one.itp").write_text(
        "[ moleculetype ]\nM 1\n[ atoms ]\n1 A 1 M A 1 0 1\n[ virtual_sites2 ]\n3 1 2 1 0.5\n"
    )
    with pytest.raises(InputError, match=r"one.itp, line 5: \[ virtual_sites2 \] places beads by others"):
        gromacs_molecules(tmp_path / "one.itp")


def test_gromacs_exclusions_of_its_own(tmp_path):
    chain = ITP.replace("TRI 2", "TRI 1") + "[ exclusions ]\n1 3\n"
    topology = read_system(*write_gromacs(tmp_path, chain)).topology
    assert topology.exclusions == "listed"
    assert topology.excluded().tolist() == [[0, 1], [0, 2], [1, 2], [3, 4], [3, 5], [4, 5]]
    (tmp_path / "trimer.itp").write_text(ITP.replace("1 2 8 0 1.0", "1 x 8 0 1.0"))
    with pytest.raises(InputError, match=r"trimer.itp, line 8.*section \[ bonds \]"):
        gromacs_molecules(tmp_path / "topol.top")


XML = """<topology>
  <box xx="3" yy="3" zz="3" />
  <molecules>
    <molecule name="TRI" nmols="2" nbeads="3">
      <bead name="A1" type="A" mass="30" q="0" />
      <bead name="B1" type="B" mass="28" q="0" />
      <bead name="A2" type="A" mass="30" q="0" />
    </molecule>
    <molecule name="SOL" nmols="3" nbeads="1"><bead name="W" type="W" mass="18" q="0" /></molecule>
  </molecules>
  <bonded>
    <bond><name>stretch</name><beads>TRI:A1 TRI:B1 TRI:B1 TRI:A2</beads></bond>
    <angle><name>bend</name><beads>TRI:A1 TRI:B1 TRI:A2</beads></angle>
  </bonded>
</topology>
"""
MAPPING = """<cg_molecule>
  <name>TRI</name><ident>TRI</ident>
  <topology>
    <cg_beads>
      <cg_bead><name>C1</name><type>C</type><mapping>one</mapping><beads>1:TRI:A1</beads></cg_bead>
      <cg_bead><name>C2</name><type>C</type><mapping>one</mapping><beads>1:TRI:B1</beads></cg_bead>
      <cg_bead><name>C3</name><type>C</type><mapping>one</mapping><beads>1:TRI:A2</beads></cg_bead>
    </cg_beads>
    <cg_bonded>
      <bond><name>first</name><beads>C1 C2</beads></bond>
      <bond><name>second</name><beads>C2 C3</beads></bond>
      <angle><name>bend</name><beads>C1 C2 C3</beads></angle>
    </cg_bonded>
  </topology>
  <maps><map><name>one</name><weights>1</weights></map></maps>
</cg_molecule>
"""


def test_votca_topology_and_mapping(tmp_path):
    _, gro = write_gromacs(tmp_path)
    (tmp_path / "topology.xml").write_text(XML)
    topology = read_system(tmp_path / "topology.xml", gro).topology
    assert names(topology) == ["bond A-B", "angle A-B-A"]
    assert topology.terms["bond A-B"].tolist() == [[0, 1], [2, 1], [3, 4], [5, 4]]
    assert topology.n_molecules == 5
    (tmp_path / "mapping.xml").write_text(MAPPING)
    mapped = read_system(tmp_path / "topology.xml", gro, mapping=str(tmp_path / "mapping.xml")).topology
    assert set(names(mapped)) == {"bond C-C first", "bond C-C second", "angle C-C-C"}
    assert mapped.n == 6
    assert mapped.exclusions == "1-3"
    (tmp_path / "topology.xml").write_text(XML.replace("TRI:A2</beads></angle>", "TRI:A3</beads></angle>"))
    with pytest.raises(InputError, match="the angle bend names the bead 'TRI:A3'"):
        read_system(tmp_path / "topology.xml", gro)


@pytest.mark.skipif(not TARGETS.is_dir(), reason=f"{TARGETS} is absent")
def test_published_systems():
    folder = TARGETS / "hexane"
    for source in (
        read_system(folder / "topol.top", folder / "conf.gro"),
        read_system(folder / "topol.top", folder / "conf.gro", mapping=str(folder / "hexane_cg.xml")),
    ):
        topology = source.topology
        assert names(topology) == ["bond A-B", "angle A-B-A"]
        assert topology.n_molecules == 1000
        lengths = BOND.measure(source.positions, topology.bonds, source.box)
        angles = ANGLE.measure(source.positions, topology.angles, source.box)
        assert 0.21 < lengths.min() < lengths.max() < 0.29
        assert angles.mean() > 2.0
    polystyrene = read_system(TARGETS / "polystyrene" / "T400" / "PS.data", units="real").topology
    assert names(polystyrene.completed()) == ["bond A-A", "angle A-A-A", "dihedral A-A-A-A"]
    assert len(polystyrene.completed().dihedrals) == 50 * 7
    chain = read_system(TARGETS / "msibi" / "lj-chains-3.0kT.gsd", units="lj").topology
    assert names(chain) == ["bond A-A", "angle A-A-A", "dihedral A-A-A-A"]
    assert chain.n_molecules == 50


def test_a_topology_that_changes_that_of_another_file_names_it(tmp_path):
    """As those of VOTCA's tutorials for HOOMD-blue and ESPResSo: no molecule of its own."""
    _, gro = write_gromacs(tmp_path)
    path = tmp_path / "topol.xml"
    path.write_text(f'<topology base="{gro.name}"><molecules><clear/></molecules></topology>')
    with pytest.raises(
        InputError, match=rf"takes its beads from {gro.name} \(base\) .*; give {gro.name} instead"
    ):
        read_system(path, gro)
