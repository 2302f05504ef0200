"""A trajectory file becomes a g(r) of beads: mapping, periodic boundaries, units, frames, errors."""

from __future__ import annotations

import warnings
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cginit.errors import InputError
from cginit.trajectory import bead_positions, map_atoms, rdf_from_trajectory
from cginit.trajectory.files import box_vectors, open_universe
from pickling_pool import counted_elsewhere

SHAPE = np.array([[0.0, 0.0, 0.0], [0.8, 0.6, 0.0], [-0.3, 0.9, 0.2]])  # angstrom, a bent triatomic
MASSES = np.array([15.999, 1.008, 1.008])


def rotations(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n orthogonal 3x3 matrices."""
    return np.linalg.qr(rng.normal(size=(n, 3, 3)))[0]


def molecules(centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return atoms (3 n, 3) of molecules whose centres of mass are the given ones."""
    body = SHAPE - MASSES @ SHAPE / MASSES.sum()
    return (centres[:, None] + body @ rotations(len(centres), rng)).reshape(-1, 3)


def universe_of(n: int, frames: list[np.ndarray], dimensions: list[float] | list[list[float]]):
    """Return a universe of n triatomic residues with the given atom positions (angstrom) and boxes."""
    u = MDAnalysis.Universe.empty(
        3 * n, n_residues=n, atom_resindex=np.repeat(np.arange(n), 3), trajectory=True, velocities=False
    )
    u.add_TopologyAttr("name", ["OW", "HW1", "HW2"] * n)
    u.add_TopologyAttr("type", ["O", "H", "H"] * n)
    u.add_TopologyAttr("resname", ["SOL"] * n)
    u.add_TopologyAttr("resid", np.arange(1, n + 1))
    u.add_TopologyAttr("masses", np.tile(MASSES, n))
    boxes = np.broadcast_to(np.asarray(dimensions, dtype=np.float32), (len(frames), 6))
    u.load_new(np.array(frames, dtype=np.float32), dimensions=boxes.copy(), order="fac", dt=2.0)
    return u


def write(u, folder: Path, suffix: str = "xtc") -> tuple[Path, Path]:
    """Write topology (gro) and trajectory."""
    topology, trajectory = folder / "topology.gro", folder / f"trajectory.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the gro writer fills in what the universe lacks and says so
        u.atoms.write(topology)
        with MDAnalysis.Writer(str(trajectory), u.atoms.n_atoms) as writer:
            for _ in u.trajectory:
                writer.write(u.atoms)
    return topology, trajectory


def simple_cubic(cells: int, spacing: float) -> np.ndarray:
    grid = np.arange(cells) * spacing
    return np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, 3)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    edges=st.tuples(*[st.floats(9.0, 30.0)] * 3),
    angles=st.sampled_from([(90.0, 90.0, 90.0), (80.0, 95.0, 100.0), (60.0, 60.0, 90.0)]),
)
def test_molecules_broken_over_the_boundary_have_the_right_centre(seed, edges, angles):
    rng = np.random.default_rng(seed)
    dimensions = [*edges, *angles]
    vectors = MDAnalysis.lib.mdamath.triclinic_vectors(dimensions)
    centres = rng.uniform(0.0, 1.0, (20, 3)) @ vectors
    atoms = molecules(centres, rng)
    # Each atom goes to an image of its own, as in a trajectory wrapped atom by atom.
    broken = atoms + rng.integers(-1, 2, atoms.shape) @ vectors
    u = universe_of(20, [broken], dimensions)
    beads = bead_positions(map_atoms(u, "residues:com"))
    away = MDAnalysis.lib.distances.minimize_vectors((beads - centres).astype(np.float32), u.dimensions)
    # Positions are single precision: half an ulp at 60 angstrom is 2e-6 per coordinate, and a few add up.
    np.testing.assert_allclose(away, 0.0, atol=5e-5)
    fractional = beads @ np.linalg.inv(vectors)
    assert np.all(np.abs(fractional) <= 0.5 + 1e-6)


def test_centre_of_geometry_and_plain_selection_differ_from_the_centre_of_mass():
    rng = np.random.default_rng(1)
    atoms = molecules(rng.uniform(8.0, 12.0, (5, 3)), rng)
    u = universe_of(5, [atoms], [20.0, 20.0, 20.0, 90.0, 90.0, 90.0])
    by_atom = atoms.reshape(5, 3, 3)
    for mapping, expected in (
        ("name OW", by_atom[:, 0]),
        ("residues:cog", by_atom.mean(axis=1)),
        ("residues:com name HW1 HW2", by_atom[:, 1:].mean(axis=1)),
    ):
        # float32 coordinates near 10 angstrom: 1e-6
        np.testing.assert_allclose(
            (bead_positions(map_atoms(u, mapping)) - expected + 10.0) % 20.0, 10.0, atol=1e-5
        )


@pytest.mark.parametrize("units", ["nm-kJ/mol", "angstrom-kcal/mol"])
def test_a_cubic_lattice_has_its_shells_in_the_right_bins(tmp_path, units):
    cells, spacing = 6, 3.0
    rng = np.random.default_rng(2)
    edge = cells * spacing
    frames = [molecules(simple_cubic(cells, spacing) + shift, rng) for shift in rng.uniform(0, edge, (4, 3))]
    u = universe_of(cells**3, frames, [edge, edge, edge, 90.0, 90.0, 90.0])
    topology, trajectory = write(u, tmp_path)
    length = 0.1 if units.startswith("nm") else 1.0
    g, system = rdf_from_trajectory(
        topology, trajectory, mapping="residues:com", dr=0.25 * length, blocks=2, units=units
    )
    assert (system.n_beads, system.n_frames) == (216, 4)
    # The box of a gro or xtc file is single precision.
    assert system.density == pytest.approx((spacing * length) ** -3, rel=1e-6)
    # r_max + dr/2 is within half the box, r_max + 3/2 dr is not.
    assert g.r_max == pytest.approx(8.75 * length)
    shells = {3.0: 6, 4.25: 12, 5.25: 8, 6.0: 6, 6.75: 24}  # 3, sqrt(2) 3 = 4.24, sqrt(3) 3 = 5.20, 6, 6.71
    occupied = g.r[(g.g > 0) & (g.r < 7.0 * length)] / length
    np.testing.assert_allclose(occupied, list(shells), atol=1e-6)
    for r, neighbours in shells.items():
        bin_ = round(r / 0.25)
        volume = 4.0 / 3.0 * np.pi * ((r + 0.125) ** 3 - (r - 0.125) ** 3)
        # g is normalised with the 215 other beads; a box file is single precision.
        assert g.g[bin_] == pytest.approx(neighbours * edge**3 / (215 * volume), rel=1e-5)
    np.testing.assert_allclose(g.error, 0.0, atol=1e-5)


def ideal_gas(n_frames: int, n: int = 30, boxes: tuple[float, ...] = ()) -> MDAnalysis.Universe:
    rng = np.random.default_rng(3)
    edges = boxes or (20.0,) * n_frames
    frames = [molecules(rng.uniform(0.0, edge, (n, 3)), rng) for edge in edges]
    return universe_of(n, frames, [[edge, edge, edge, 90.0, 90.0, 90.0] for edge in edges])


def test_begin_end_and_step_choose_frames(tmp_path):
    topology, trajectory = write(ideal_gas(20), tmp_path)
    options = {"mapping": "residues:com", "dr": 0.1, "blocks": 2}
    calls: list[tuple[int, int]] = []
    g, system = rdf_from_trajectory(
        topology,
        trajectory,
        begin=6.0,
        end=20.0,
        step=3,
        progress=lambda done, total: calls.append((done, total)),
        **options,
    )
    # Frames are 2 ps apart: 6, 12, 18 of 6, 8, ..., 20.
    assert (system.n_frames, system.times) == (3, (6.0, 18.0))
    # Two blocks, one piece each.
    assert calls == [(1, 3), (3, 3)]
    everything, _ = rdf_from_trajectory(topology, trajectory, **options)
    assert not np.array_equal(g.g, everything.g)
    with pytest.raises(InputError, match=r"begin = 50.*from time 0 to 38"):
        rdf_from_trajectory(topology, trajectory, begin=50.0, **options)


def test_a_breathing_box_gives_the_mean_volume_and_its_narrowest_half(tmp_path):
    topology, trajectory = write(ideal_gas(4, boxes=(20.0, 22.0, 19.0, 21.0)), tmp_path)
    g, system = rdf_from_trajectory(topology, trajectory, mapping="residues:com", dr=0.1, blocks=2)
    volume = np.mean(np.array([2.0, 2.2, 1.9, 2.1]) ** 3)
    assert system.density == pytest.approx(30 / volume, rel=1e-6)
    # The bin of 0.9 ends at 0.95, exactly half of the narrowest box.
    assert g.r_max == pytest.approx(0.9)
    with pytest.raises(InputError, match=r"r_max = 1 nm is too large: .* ends at 0.9"):
        rdf_from_trajectory(topology, trajectory, mapping="residues:com", dr=0.1, r_max=1.0, blocks=2)


def test_ideal_gas_is_one_within_its_errors_in_a_skewed_box(tmp_path):
    rng = np.random.default_rng(4)
    dimensions = [24.0, 24.0, 24.0, 60.0, 60.0, 90.0]
    vectors = MDAnalysis.lib.mdamath.triclinic_vectors(dimensions)
    frames = [molecules(rng.uniform(0, 1, (60, 3)) @ vectors, rng) for _ in range(60)]
    topology, trajectory = write(universe_of(60, frames, dimensions), tmp_path)
    g, system = rdf_from_trajectory(topology, trajectory, mapping="residues:com", dr=0.1, blocks=6)
    assert system.density == pytest.approx(60 / (np.linalg.det(vectors) * 1e-3), rel=1e-5)
    # Faces of this cell are 24 / sqrt(2) = 16.97 angstrom apart: half is 0.848 nm.
    assert g.r_max == pytest.approx(0.7)
    # Pairs of an ideal gas are independent: the count in a bin is Poisson, about 1e5 pairs v/V.
    shells = 4 / 3 * np.pi * ((g.r[1:] + 0.05) ** 3 - (g.r[1:] - 0.05) ** 3)
    pairs = 60 * 60 * 59 / 2 * shells / np.linalg.det(vectors * 0.1)
    # Seven bins, 4.5 sigma: a false alarm for one seed in 20000.
    assert np.max(np.abs(g.g[1:] - 1.0) * np.sqrt(pairs)) < 4.5


def test_a_skewed_box_of_hoomd_is_the_one_that_its_file_states(tmp_path):
    """Its tilts are no cosines, as which MDAnalysis reads them: the volume is that of the edges alone."""
    gsd = pytest.importorskip("gsd.hoomd")
    path = tmp_path / "skewed.gsd"
    boxes = [[7.0, 8.0, 9.0, 0.3, 0.2, -0.1], [7.0, 8.0, 9.0, 1.2, 0.0, 0.0]]
    with gsd.open(str(path), "w") as file:
        for box in boxes:
            frame = gsd.Frame()
            frame.particles.N = 2
            frame.particles.position = [[0, 0, 0], [1, 0, 0]]
            frame.configuration.box = box
            file.append(frame)
    with open_universe(path, None) as universe:
        for box, timestep in zip(boxes, universe.trajectory, strict=True):
            (x, y, z, xy, xz, yz), vectors = box, box_vectors(timestep)
            wanted = [[x, 0.0, 0.0], [xy * y, y, 0.0], [xz * z, yz * z, z]]
            # MDAnalysis keeps angles in single precision.
            assert vectors == pytest.approx(np.array(wanted), abs=1e-5)


# The reader of MDAnalysis trips over its own half-made object when a file is no trajectory.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. .*ReaderBase.__del__:pytest.PytestUnraisableExceptionWarning"
)
def test_wrong_mappings_say_what_to_do(tmp_path):
    topology, trajectory = write(ideal_gas(4), tmp_path)
    for mapping, message in (
        ("residues", "residues:com or residues:cog"),
        ("residues:mass", "residues:com or residues:cog"),
        ("name XX", r"makes 0 beads of 90 atoms in 30 residues"),
        ("index 3", "makes 1 bead of"),
        ("nonsense of words", "does not understand"),
    ):
        with pytest.raises(InputError, match=message):
            rdf_from_trajectory(topology, trajectory, mapping=mapping, dr=0.1, blocks=2)
    for options, message in (
        ({"dr": 0.0}, "dr must be a positive number, not 0"),
        ({"dr": 0.5}, "choose a smaller dr"),
        ({"blocks": 1}, "blocks must be at least 2, not 1"),
        ({"step": 0}, "step must be at least 1, not 0"),
        ({"blocks": 9}, "4 frames cannot fill 9 blocks"),
        ({"units": "lj"}, "not in lj"),
    ):
        with pytest.raises(InputError, match=message):
            rdf_from_trajectory(
                topology, trajectory, **({"mapping": "residues:com", "dr": 0.1, "blocks": 2} | options)
            )
    with pytest.raises(InputError, match=r"absent.xtc: no such file"):
        rdf_from_trajectory(topology, tmp_path / "absent.xtc", mapping="all", dr=0.1)
    (tmp_path / "broken.xtc").write_bytes(b"not a trajectory")
    with pytest.raises(InputError, match=r"MDAnalysis cannot read .*broken.xtc"):
        rdf_from_trajectory(topology, tmp_path / "broken.xtc", mapping="all", dr=0.1)


def test_missing_masses_are_not_replaced_by_equal_ones():
    u = ideal_gas(1)
    u.atoms[6:9].masses = 0.0
    with pytest.raises(InputError, match=r"a residue has none; take a topology that states masses"):
        map_atoms(u, "residues:com")
    assert map_atoms(u, "residues:cog").n_beads == 30


def test_massless_sites_are_reported_but_allowed(caplog):
    u = ideal_gas(1)
    u.select_atoms("name HW2").masses = 0.0
    map_atoms(u, "residues:com")
    assert "30 atoms without mass (HW2)" in caplog.text


def test_one_residue_for_everything_is_refused():
    """The residue numbers of some topologies do not tell the molecules apart."""
    rng = np.random.default_rng(5)
    u = MDAnalysis.Universe.empty(60, n_residues=2, atom_resindex=np.repeat([0, 1], 30), trajectory=True)
    u.atoms.positions = rng.uniform(0, 20, (60, 3))
    u.dimensions = [20.0, 20.0, 20.0, 90.0, 90.0, 90.0]
    with pytest.raises(InputError, match="numbers each molecule as a residue"):
        bead_positions(map_atoms(u, "residues:cog"))


def test_a_trajectory_without_a_box_is_refused(tmp_path):
    u = ideal_gas(3)
    file = tmp_path / "trajectory.xyz"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        u.atoms.write(file)
    with pytest.raises(InputError, match="has no periodic box"):
        rdf_from_trajectory(file, mapping="all", dr=0.1)


def test_the_smallest_waves_of_the_box_are_sampled_too(tmp_path, monkeypatch):
    u = ideal_gas(200, n=40)
    topology, trajectory = write(u, tmp_path)
    g, _ = rdf_from_trajectory(topology, trajectory, mapping="residues:com", dr=0.1, blocks=10)
    wave = g.long_wave
    assert wave.k == pytest.approx(2.0 * np.pi / 2.0, rel=1e-6)  # the box of 20 A in nm
    # 600 exponential variates; a mean of ten blocks is t-distributed with nine degrees of freedom, 5 is one in 1000.
    assert abs(wave.s - 1.0) < 5.0 * wave.error
    assert 0.02 < wave.error < 0.08  # 1/sqrt(600) = 0.04, known to 24 %
    elsewhere = counted_elsewhere(monkeypatch)
    parallel, _ = rdf_from_trajectory(
        topology, trajectory, mapping="residues:com", dr=0.1, blocks=10, workers=2
    )
    assert elsewhere.cache_info().misses == 1
    assert parallel.long_wave == wave
