"""Start configurations from files: GRO, GSD, LAMMPS data of every common atom style."""

from __future__ import annotations

import warnings
from pathlib import Path

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest

from cginit.errors import InputError
from cginit.trajectory import rdf_from_trajectory, read_configuration
from reference import TARGETS

POSITIONS = np.array([[0.5, 1.0, 7.5], [3.0, 3.5, 0.25], [5.75, 0.125, 4.0]])
BOX = np.array([6.0, 7.0, 8.0])

ROWS = {
    "atomic": "{id} 1 {x} {y} {z}",
    "charge": "{id} 1 -0.5 {x} {y} {z}",
    "molecular": "{id} {id} 1 {x} {y} {z}",
    "full": "{id} {id} 1 -0.5 {x} {y} {z}",
}


def lammps_data(
    folder: Path, style: str, *, hint: str = "", images: bool = False, box_line: str = ""
) -> Path:
    rows = [
        ROWS[style].format(id=k + 1, x=x, y=y, z=z) + (" 0 -1 1" if images else "")
        for k, (x, y, z) in enumerate(POSITIONS)
    ]
    path = folder / "start.data"
    path.write_text(
        "made by hand\n\n3 atoms\n1 atom types\n\n"
        f"0.0 {BOX[0]} xlo xhi\n0.0 {BOX[1]} ylo yhi\n0.0 {BOX[2]} zlo zhi\n{box_line}\n"
        f"Masses\n\n1 18.0154\n\nAtoms{'  # ' + hint if hint else ''}\n\n" + "\n".join(rows[::-1]) + "\n"
        # LAMMPS writes atoms in any order.
    )
    return path


def assert_same(positions: np.ndarray, expected: np.ndarray, box: np.ndarray, atol: float) -> None:
    """Compare positions modulo the box."""
    away = positions - expected
    np.testing.assert_allclose(away - box * np.round(away / box), 0.0, atol=atol)


@pytest.mark.parametrize("images", [False, True])
@pytest.mark.parametrize("style", ["atomic", "charge", "molecular", "full"])
def test_the_atom_style_of_lammps_data_is_found_from_its_columns(tmp_path, style, images):
    start = read_configuration(lammps_data(tmp_path, style, images=images), units="lj")
    # Every value here is exact in single precision; wrapping costs an ulp.
    assert_same(start.positions, POSITIONS, BOX, 1e-6)
    np.testing.assert_allclose(start.box, BOX, rtol=1e-7)
    assert start.units.name == "lj"


def test_a_hint_or_an_argument_goes_before_the_columns(tmp_path):
    path = lammps_data(tmp_path, "molecular", hint="bond")
    assert_same(read_configuration(path, units="real").positions, POSITIONS, BOX, 1e-6)
    # The columns of no style, in which x and y change places.
    swapped = read_configuration(path, units="real", atom_style="id resid type y x z").positions
    with pytest.raises(AssertionError):
        assert_same(swapped, POSITIONS, BOX, 1e-6)
    assert_same(swapped, POSITIONS[:, [1, 0, 2]], BOX, 1e-6)
    with pytest.raises(InputError, match="atom_style 'dipole' is unknown"):
        read_configuration(path, units="real", atom_style="dipole")
    with pytest.raises(InputError, match="MDAnalysis cannot read"):
        read_configuration(path, units="real", atom_style="full")


def test_an_unknown_hint_asks_for_the_columns(tmp_path):
    with pytest.raises(InputError, match=r"the atom style 'sphere' is not one of .*give atom_style"):
        read_configuration(lammps_data(tmp_path, "full", hint="sphere"), units="lj")
    (tmp_path / "empty.data").write_text("nothing here\n")
    with pytest.raises(InputError, match="has no section Atoms"):
        read_configuration(tmp_path / "empty.data", units="lj")


def test_a_format_without_units_needs_them(tmp_path):
    with pytest.raises(
        InputError, match=r"start.data \(DATA\) does not state its unit of length; give the units"
    ):
        read_configuration(lammps_data(tmp_path, "atomic"))


def test_a_skewed_box_is_refused(tmp_path):
    path = lammps_data(tmp_path, "atomic", box_line="1.5 0.0 0.0 xy xz yz\n")
    with pytest.raises(InputError, match="not orthorhombic"):
        read_configuration(path, units="lj")


def test_gro_is_in_nanometres_whatever_is_asked_for(tmp_path):
    path = tmp_path / "start.gro"
    lines = [
        f"{k + 1:5d}SOL     CG{k + 1:5d}" + "".join(f"{x:8.3f}" for x in row)
        for k, row in enumerate(POSITIONS)
    ]
    path.write_text("beads\n    3\n" + "\n".join(lines) + f"\n{BOX[0]:10.5f}{BOX[1]:10.5f}{BOX[2]:10.5f}\n")
    in_nm = read_configuration(path)
    assert in_nm.units.name == "nm-kJ/mol"
    # Single precision in angstrom: half an ulp at 64 is 4e-6 angstrom; POSITIONS[1, 2] ends in a rounded digit.
    assert_same(in_nm.positions, np.round(POSITIONS, 3), BOX, 1e-6)
    in_angstrom = read_configuration(path, units="angstrom-kcal/mol")
    assert in_angstrom.density == pytest.approx(3 / np.prod(10 * BOX), rel=1e-6)
    with pytest.raises(InputError, match="in real units, not in lj"):
        read_configuration(path, units="lj")


def gsd_file(folder: Path, n_frames: int = 3) -> Path:
    path = folder / "start.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for k in range(n_frames):
            frame = gsd.hoomd.Frame()
            frame.particles.N = 3
            frame.particles.position = POSITIONS - 0.5 * BOX + 0.25 * k
            frame.configuration.box = [*BOX, 0, 0, 0]
            frame.configuration.step = 100 * k
            file.append(frame)
    return path


def test_gsd_gives_the_frame_asked_for_in_its_own_units(tmp_path):
    path = gsd_file(tmp_path)
    for frame, shift in ((-1, 0.5), (0, 0.0)):
        start = read_configuration(path, units="lj", frame=frame)
        assert_same(start.positions, POSITIONS - 0.5 * BOX + shift, BOX, 1e-6)
    with pytest.raises(InputError, match="has 3 frames, no frame 3"):
        read_configuration(path, units="lj", frame=3)
    with pytest.raises(InputError, match=r"\(GSD\) does not state its unit"):
        read_configuration(path)


def test_a_reduced_trajectory_keeps_its_numbers(tmp_path):
    g, system = rdf_from_trajectory(gsd_file(tmp_path, 4), mapping="all", dr=0.1, blocks=2, units="lj")
    assert system.density == pytest.approx(3 / np.prod(BOX), rel=1e-6)
    assert g.units.name == "lj"
    assert g.r_max == pytest.approx(2.9)


def test_lammps_dump_is_read_under_its_usual_name(tmp_path):
    path = tmp_path / "run.lammpstrj"
    with path.open("w") as file:
        for k in range(3):
            file.write(f"ITEM: TIMESTEP\n{100 * k}\nITEM: NUMBER OF ATOMS\n3\nITEM: BOX BOUNDS pp pp pp\n")
            file.writelines(f"0.0 {edge}\n" for edge in BOX)
            file.write("ITEM: ATOMS id type x y z\n")
            file.writelines(f"{i + 1} 1 {x} {y} {z}\n" for i, (x, y, z) in enumerate(POSITIONS))
    assert_same(read_configuration(path, units="lj").positions, POSITIONS, BOX, 1e-6)
    with_topology = rdf_from_trajectory(
        lammps_data(tmp_path, "atomic"), path, mapping="all", dr=0.1, blocks=3, units="real"
    )
    assert with_topology[1].n_frames == 3


def test_atomistic_files_can_be_mapped(tmp_path):
    u = MDAnalysis.Universe.empty(6, n_residues=2, atom_resindex=[0, 0, 0, 1, 1, 1], trajectory=True)
    u.add_TopologyAttr("name", ["OW", "HW1", "HW2"] * 2)
    u.add_TopologyAttr("resname", ["SOL"] * 2)
    u.add_TopologyAttr("resid", [1, 2])
    u.atoms.positions = np.array(
        [[1, 1, 1], [1, 2, 1], [1, 1, 2], [9, 9, 9], [0, 9, 9], [9, 0, 9]], dtype=float
    )
    u.dimensions = [10, 10, 10, 90, 90, 90]
    path = tmp_path / "water.gro"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        u.atoms.write(path)
    start = read_configuration(path, mapping="residues:cog")
    expected = np.array([[1, 4 / 3, 4 / 3], [28 / 3, 28 / 3, 9]]) / 10
    assert_same(start.positions, expected, np.ones(3), 1e-6)


@pytest.mark.skipif(not TARGETS.is_dir(), reason=f"no reference targets in {TARGETS}")
def test_coarse_grained_water_of_the_votca_tutorial():
    start = read_configuration(TARGETS / "spce" / "spce.data", units="angstrom-kcal/mol").to("nm-kJ/mol")
    assert start.n == 2180
    # The edge 40.31 angstrom is given to four digits; single precision adds nothing to that.
    assert start.density == pytest.approx(2180 / 4.031**3, rel=1e-6)
