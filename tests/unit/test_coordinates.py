"""Bonds, angles and dihedrals: measured, differentiated, counted, inverted and closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from cginit.bonded import BondedPotential, Distribution
from cginit.bonded_grids import bonded_grid
from cginit.configuration import Trajectory
from cginit.coordinates import COORDINATES, Smoothing, count_terms
from cginit.errors import InputError
from cginit.interactions import Interactions
from cginit.topology import Topology
from reference import TARGETS

GRIDS = {
    "bond": np.linspace(0.0, 4.0, 81),
    "angle": (np.arange(60) + 0.5) * np.pi / 60,
    "dihedral": -np.pi + np.arange(72) * np.pi / 36,
}


def walk(frames: int, beads: int, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(size=(frames, beads, 3))
    return np.cumsum(steps, axis=1)


@pytest.mark.parametrize("name", COORDINATES)
def test_derivatives_are_those_of_finite_differences(name):
    coordinate = COORDINATES[name]
    positions, box = walk(1, 6, 3)[0], np.array([30.0, 31.0, 32.0])
    members = np.array([np.arange(k, k + coordinate.beads) for k in range(3)])
    values, derivatives = coordinate.gradient(positions, members, box)
    np.testing.assert_allclose(values, coordinate.measure(positions, members, box), rtol=1e-12)
    h = 1e-5
    for group, beads in enumerate(members):
        for place, bead in enumerate(beads):
            for axis in range(3):
                moved = [positions.copy(), positions.copy()]
                moved[0][bead, axis] += h
                moved[1][bead, axis] -= h
                plus, minus = (coordinate.measure(one, members[[group]], box)[0] for one in moved)
                # The error of a central difference is h^2/6 of a third derivative of order 1 to 100.
                assert derivatives[group, place, axis] == pytest.approx((plus - minus) / (2 * h), abs=1e-7)
    # Neither moving nor turning a group changes its coordinate.
    np.testing.assert_allclose(derivatives.sum(axis=1), 0.0, atol=1e-12)
    torque = np.cross(positions[members], derivatives).sum(axis=1)
    np.testing.assert_allclose(torque, 0.0, atol=1e-11)


@pytest.mark.parametrize("name", COORDINATES)
def test_counts_do_not_see_where_a_molecule_is_cut(name):
    coordinate = COORDINATES[name]
    edges = np.array([20.0, 21.0, 22.0])
    true = walk(4, 5, 7)
    members = np.array([np.arange(coordinate.beads)])
    whole = coordinate.count(true, edges, members, GRIDS[name])
    wrapped = true - edges * np.round(true / edges)
    assert whole.sum() > 0
    np.testing.assert_array_equal(coordinate.count(wrapped, edges, members, GRIDS[name]), whole)
    # The same box given by its vectors, and a skewed one that holds the molecule as well.
    np.testing.assert_array_equal(coordinate.count(wrapped, np.diag(edges), members, GRIDS[name]), whole)
    skewed = np.array([[20.0, 0, 0], [5.0, 21.0, 0], [3.0, -4.0, 22.0]])
    fractional = true @ np.linalg.inv(skewed)
    moved = (fractional - np.floor(fractional)) @ skewed
    np.testing.assert_array_equal(coordinate.count(moved, skewed, members, GRIDS[name]), whole)
    # One configuration alone gives one row.
    np.testing.assert_array_equal(coordinate.count(true[0], edges, members, GRIDS[name]), whole[0])


def test_measures_agree_with_mdanalysis():
    mda = pytest.importorskip("MDAnalysis.lib.distances")
    edges = np.array([7.0, 7.5, 8.0])
    positions = walk(1, 200, 9)[0]
    positions -= edges * np.round(positions / edges)
    dimensions = np.array([*edges, 90, 90, 90], dtype=np.float32)
    for name, function in (
        ("bond", mda.calc_bonds),
        ("angle", mda.calc_angles),
        ("dihedral", mda.calc_dihedrals),
    ):
        beads = COORDINATES[name].beads
        members = np.array([np.arange(k, k + beads) for k in range(200 - beads + 1)])
        ours = COORDINATES[name].measure(positions, members, edges)
        theirs = function(*(positions[members[:, k]] for k in range(beads)), box=dimensions)
        # The box is in single precision there.
        off = np.abs(ours - theirs)
        assert np.minimum(off, 2 * np.pi - off if name == "dihedral" else off).max() < 2e-4


@pytest.mark.skipif(not (TARGETS / "msibi").is_dir(), reason=f"{TARGETS} holds no trajectories")
def test_counts_of_a_published_chain_are_those_of_mdanalysis():
    gsd = pytest.importorskip("gsd.hoomd")
    mda = pytest.importorskip("MDAnalysis.lib.distances")
    with gsd.open(TARGETS / "msibi" / "single-chain.gsd") as file:
        frames = [file[k] for k in range(0, len(file), 10)]
    first = frames[0]
    topology = Topology(
        first.particles.typeid, tuple(first.particles.types), {"bond A-A": first.bonds.group}
    ).completed()
    assert np.array_equal(topology.terms["angle A-A-A"], first.angles.group)
    run = Trajectory(
        np.array([frame.particles.position for frame in frames]),
        first.configuration.box[:3],
        units="lj",
        topology=topology,
    )
    grids = {
        "bond A-A": np.arange(0.6, 1.6, 0.01),
        "angle A-A-A": GRIDS["angle"],
        "dihedral A-A-A-A": GRIDS["dihedral"],
    }
    counts = count_terms(run, Interactions(grids))
    functions = {"bond": mda.calc_bonds, "angle": mda.calc_angles, "dihedral": mda.calc_dihedrals}
    for one, counted in counts.items():
        x, members = counted.x, topology.terms[one]
        step = x[1] - x[0]
        edges = np.append(x - step / 2, x[-1] + step / 2)
        for row, frame in zip(counted.counts, frames, strict=True):
            r = frame.particles.position.astype(np.float64)
            values = functions[one.coordinate](
                *(r[members[:, k]] for k in range(members.shape[1])),
                box=frame.configuration.box[:3].tolist() + [90.0] * 3,
            )
            if one.coordinate == "dihedral":
                values = np.mod(values - edges[0], 2 * np.pi) + edges[0]
            # A value within rounding of an edge may fall on either side of it.
            clear = np.abs((values - edges[0]) / step - np.round((values - edges[0]) / step)) > 1e-4
            sure = np.histogram(values[clear], edges)[0]
            assert np.all(row >= sure)
            assert row.sum() - sure.sum() <= np.count_nonzero(~clear)
        assert counted.beyond < 1e-3


def sampled(coordinate: str, energy, x: np.ndarray, n: int | None, seed: int = 5) -> Distribution:
    """Return exp(-U) J on a grid, exactly or as counts of n samples."""
    ideal = COORDINATES[coordinate].ideal(x)
    p = np.exp(-energy(x)) * ideal
    if n is None:
        return Distribution.normalised(x, p, coordinate=coordinate, units="lj")
    p = Distribution.normalised(x, p, coordinate=coordinate, units="lj")
    expected = p.p * p.widths * n
    counts = np.random.default_rng(seed).poisson(expected)
    scale = 1.0 / p.widths
    return Distribution.normalised(
        x, counts * scale, np.sqrt(np.maximum(counts, 1)) * scale, coordinate=coordinate, units="lj"
    )


CASES = {
    "bond": (np.arange(201) * 0.01, lambda b: 62.5 * (b - 1.1) ** 2),
    "angle": ((np.arange(160) + 0.5) * np.pi / 160, lambda t: 31.25 * (t - 2.0) ** 2),
    "dihedral": (GRIDS["dihedral"], lambda p: 1.5 * (1 + np.cos(3 * p)) + 0.7 * np.sin(p)),
}


@pytest.mark.parametrize("name", CASES)
def test_inversion_gives_back_the_potential(name):
    x, energy = CASES[name]
    for n, tolerance in ((None, 0.05), (100_000, 0.2)):
        found = COORDINATES[name].invert(sampled(name, energy, x, n), kT=1.0)
        true = energy(found.x) - energy(found.x).min()
        low = true < 4.0
        assert np.count_nonzero(low) > 10
        # Without noise: a bin averages the measure and the density, h^2/24 (U'^2 - U'') = 0.02 at 4 kT.
        # With 1e5 samples: at 4 kT some 100 counts a bin, 0.1 kT before smoothing.
        assert np.max(np.abs(found.u - true)[low]) < tolerance
        assert found.u.min() == 0.0


def test_noise_leaves_the_stiffness_of_a_spring_alone():
    """A spline that is drawn to straight ends would bend a spring open there, where its walls begin."""
    x, k = np.arange(0.8, 1.4001, 0.01), 200.0
    noisy = 0.5 * k * (x - 1.1) ** 2 + 0.3 * (-1.0) ** np.arange(x.size)
    p = np.exp(-noisy) * COORDINATES["bond"].ideal(x)
    found = COORDINATES["bond"].invert(Distribution.normalised(x, p, coordinate="bond", units="lj"), kT=1.0)
    seen = np.flatnonzero(np.interp(found.x, x, p) > 1.1e-3 * p.max())
    bends = np.diff(found.u[seen[1:-1]], 2) / 0.01**2
    assert bends == pytest.approx(k, rel=0.1)


def test_an_inversion_knows_a_spring_as_well_as_its_samples_do():
    """The variance of 2000 bonds tells the stiffness to 3.2 %; what the inversion adds to that is less."""
    x, k, beside = np.arange(0.8, 1.4001, 0.01), 200.0, []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        b = rng.normal(1.1, k**-0.5, 6000)
        b = b[rng.uniform(0.0, 1.0, b.size) < (b / 1.6) ** 2][:2000]
        blocks = np.array([np.histogram(one, 61, (0.795, 1.405))[0] for one in np.array_split(b, 10)])
        error = blocks.std(axis=0, ddof=1) * np.sqrt(10.0)
        target = Distribution.normalised(x, blocks.sum(axis=0), error, coordinate="bond", units="lj")
        found = COORDINATES["bond"].invert(target, kT=1.0)
        well = found.u < 3.0
        parabola = np.polyfit(found.x[well], found.u[well], 2, w=np.exp(-0.5 * found.u[well]))
        # The measure b^2 narrows the distribution by 2 / b^2.
        beside.append(2.0 * parabola[0] / (1.0 / b.var() - 2.0 / 1.1**2) - 1.0)
    assert np.sqrt(np.mean(np.square(beside))) < 0.032


def test_a_smoothing_that_knows_the_noise_keeps_what_is_larger():
    """Waves of four times the noise and two to ten bins are no noise, though a smooth curve does not follow them."""
    x = np.linspace(-1.0, 1.0, 61)
    counts = 4000.0 * np.exp(-0.5 * (x / 0.5) ** 2)
    waves, weights = 0.08 * np.sin(30.0 * x), counts / counts.sum()
    missed, noise = [], np.sqrt(weights @ (1.0 / counts))
    for seed in range(10):
        values = waves + x - x**2 + np.random.default_rng(seed).normal(size=x.size) / np.sqrt(counts)
        found = Smoothing.of(counts, counts > 1.0, noise=1.0)(values) - x + x**2
        missed.append(weights @ (found - waves) ** 2)
    # Without knowing it, it takes them for noise: 0.057, with noise of 0.021.
    assert np.sqrt(np.mean(missed)) < noise


def test_the_errors_of_single_bins_do_not_shape_a_potential():
    """Ten blocks know each to a quarter; all of them together follow the counts."""
    x, energy = CASES["bond"]
    target = sampled("bond", energy, x, 5000)
    rough = target.error * np.random.default_rng(4).uniform(0.75, 1.25, x.size)
    one, other = (
        COORDINATES["bond"].invert(replace(target, error=error), kT=1.0) for error in (target.error, rough)
    )
    low = np.flatnonzero(one.u < 3.0)
    assert np.interp(one.x[low], other.x, other.u) == pytest.approx(one.u[low], abs=1e-3)


def test_walls_hold_a_bond_whatever_its_rarest_lengths():
    x, energy = CASES["bond"]
    for seed in range(5):
        found = COORDINATES["bond"].invert(sampled("bond", energy, x, 2000, seed), kT=1.0)
        assert found.u[0] >= 49.0
        assert found.u[-1] >= 49.0
        # Each side of what was seen rises outwards.
        assert np.all(np.diff(found.u[found.x < 0.85]) < 0)
        assert np.all(np.diff(found.u[found.x > 1.35]) > 0)
        # The grid is the lattice of the target's.
        np.testing.assert_allclose(found.x / 0.01, np.round(found.x / 0.01), atol=1e-6)


def test_two_peaks_are_kept_and_what_lies_between_is_a_barrier():
    x = np.arange(301) * 0.01
    shallow = sampled("bond", lambda b: 40 * ((b - 1.2) ** 2 - 0.09) ** 2 / 0.09, x, None)
    found = COORDINATES["bond"].invert(shallow, kT=1.0)
    at = {place: float(np.interp(place, found.x, found.u)) for place in (0.9, 1.2, 1.5)}
    assert at[0.9] < 0.2
    assert at[1.5] < 0.2
    assert at[1.2] == pytest.approx(3.6, abs=0.2)
    # Two peaks with nothing between them.
    deep = sampled("bond", lambda b: np.minimum(500 * (b - 0.8) ** 2, 500 * (b - 1.6) ** 2), x, None)
    found = COORDINATES["bond"].invert(deep, kT=1.0)
    middle = found.u[(found.x > 1.0) & (found.x < 1.4)]
    assert middle.min() > 10.0
    assert np.argmax(middle) == pytest.approx(middle.size / 2, abs=2)


def test_a_dihedral_that_was_never_cis_is_repelled_from_there():
    x = GRIDS["dihedral"]
    found = COORDINATES["dihedral"].invert(
        sampled("dihedral", lambda p: 30 * (1 + np.cos(p)), x, None), kT=1.0
    )
    assert found.x.size == x.size
    centre = np.argmax(found.u)
    assert abs(found.x[centre]) < 0.2
    assert found.u[centre] > 20.0
    # Seen across the end of the turn, where the well is.
    assert found.u[0] == 0.0
    assert abs(found.u[1] - found.u[-1]) < 1e-2


def test_an_angle_is_closed_on_both_sides():
    x = (np.arange(90) + 0.5) * np.pi / 90
    found = COORDINATES["angle"].invert(sampled("angle", lambda t: 100 * (t - 1.5) ** 2, x, 5000), kT=1.0)
    assert found.u[0] > 40.0
    assert found.u[-1] > 40.0
    np.testing.assert_allclose(found.x, x)


def test_settling_keeps_what_is_seen_and_closes_the_rest():
    x, energy = CASES["bond"]
    target = sampled("bond", energy, x, None)
    start = COORDINATES["bond"].invert(target, kT=1.0)
    wild = start.u.copy()
    wild[0] = wild[-1] = -300.0  # an update knows nothing of what is never seen
    wild += 0.3 * np.sin(20 * start.x)
    changed = BondedPotential.shifted(start.x, wild, coordinate="bond", units="lj")
    settled = COORDINATES["bond"].settle(changed, target, kT=1.0)
    inner = (settled.x > 0.9) & (settled.x < 1.3)
    asked = np.interp(settled.x, start.x, wild)
    difference = (settled.u - asked)[inner]
    np.testing.assert_allclose(difference, difference[0], atol=1e-9)
    assert settled.u[0] > 40.0
    assert settled.u[-1] > 40.0


def test_distributions_have_block_errors_and_weights():
    rng = np.random.default_rng(8)
    lengths = 1.0 + 0.1 * rng.normal(size=(400, 50))
    frames = np.zeros((400, 100, 3))
    frames[:, 1::2, 0] = lengths
    topology = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(50)
    run = Trajectory(frames, [10, 10, 10], units="lj", topology=topology)
    counts = count_terms(run, Interactions({"bond A-A": np.arange(0.5, 1.5, 0.05)}))["bond A-A"]
    p = counts.distribution()
    edges = np.append(p.x - 0.025, p.x[-1] + 0.025)
    exact = np.diff(ndtr((edges - 1.0) / 0.1)) / 0.05
    # Poisson: sqrt(p / (n dx)), with 24 % of uncertainty from ten blocks.
    middle = np.abs(p.x - 1.0) < 0.15
    np.testing.assert_allclose(p.error[middle], np.sqrt(exact[middle] / (20_000 * 0.05)), rtol=1.0)
    # chi^2 of seven bins with ten blocks each (t-distributed): 30 is passed once in some thousand seeds.
    assert np.sum(((p.p - exact)[middle] / p.error[middle]) ** 2) < 30.0
    weights = np.zeros(400)
    weights[:200] = 1.0
    again = count_terms(run, Interactions({"bond A-A": counts.x}), before=counts_of(counts, 200))["bond A-A"]
    np.testing.assert_array_equal(again.counts, counts.counts)
    half = counts.counts[:200].sum(axis=0) / (200 * 50 * 0.05)
    np.testing.assert_allclose(counts.distribution(weights).p, half * (half.sum() * 0.05) ** -1, rtol=1e-9)


def counts_of(counts, frames: int) -> Interactions:
    from dataclasses import replace

    return Interactions({counts.interaction: replace(counts, counts=counts.counts[:frames])})


@pytest.mark.parametrize(
    ("x", "coordinate", "words"),
    [
        (np.arange(0, 181.0), "angle", "radians, and this looks like degrees"),
        (np.arange(-180, 180.0), "dihedral", "looks like degrees"),
        (np.linspace(-3, 3, 50), "dihedral", "must cover one turn"),
        (np.linspace(0, 3.3, 50), "angle", "at most pi"),
    ],
)
def test_grids_that_cannot_be_right_are_refused(x, coordinate, words):
    with pytest.raises(InputError, match=words):
        bonded_grid(x, coordinate)


def test_a_distribution_must_be_normalised():
    x = np.linspace(0.5, 1.5, 101)
    with pytest.raises(InputError, match=r"integral 2\.02, not 1"):
        Distribution(x, np.full(101, 2.0), coordinate="bond", units="lj")
    fixed = Distribution.normalised(x, np.full(101, 2.0), coordinate="bond", units="lj")
    assert float(fixed.p @ fixed.widths) == pytest.approx(1.0)
    in_nm = Distribution.normalised(x, np.ones(101), coordinate="bond", units="nm-kJ/mol").to("real")
    assert in_nm.x[-1] == pytest.approx(15.0)
    assert float(in_nm.p @ in_nm.widths) == pytest.approx(1.0)
