"""The inversion of a trajectory: its derivatives against differences, and known potentials found again."""

from __future__ import annotations

import numpy as np
import pytest

from cginit import RDF, InputError, PairPotential
from cginit.bonded import Distribution
from cginit.configuration import Trajectory, random_configuration
from cginit.coordinates import COORDINATES, count_terms
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.guess.assembly import visible_target
from cginit.guess.direct import invert_directly
from cginit.guess.direct_basis import bonded_basis, pair_basis
from cginit.guess.direct_equations import FrameEquations
from cginit.interactions import Interaction
from cginit.periodic import minimum_image
from cginit.sampling import count_partial_pairs
from cginit.state import StatePoint
from cginit.target import Target
from cginit.topology import Topology

RNG = np.random.default_rng(7)
BOX = np.diag([7.0, 8.0, 9.0])
SKEWED = BOX + np.array([[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [-1.0, 0.8, 0.0]])
R = np.arange(0.0, 3.01, 0.1)


def shape(coordinate: str) -> Distribution:
    if coordinate == "bond":
        x = np.arange(0.2, 2.5, 0.05)
        return Distribution.normalised(x, np.exp(-((x - 1.2) ** 2)), coordinate="bond", units="lj")
    if coordinate == "angle":
        x = np.linspace(0.0, np.pi, 31)
        return Distribution.normalised(x, np.sin(x) + 0.01, coordinate="angle", units="lj")
    x = np.linspace(-np.pi, np.pi, 36, endpoint=False)
    return Distribution.normalised(x, 1.2 + np.cos(x), coordinate="dihedral", units="lj")


def tetramers(n: int, exclusions: str = "1-3"):
    chain = Topology(
        [0, 1, 1, 0], ("A", "B"), {"bond A-B": [[0, 1], [2, 3]], "bond B-B": [[1, 2]]}, exclusions=exclusions
    )
    topology = chain.completed().repeated(n)
    steps = RNG.normal(size=(n, 4, 3))
    steps *= RNG.uniform(0.9, 1.5, (n, 4, 1)) / np.linalg.norm(steps, axis=-1, keepdims=True)
    steps[:, 0] = RNG.uniform(0.0, 7.0, (n, 3))
    return topology, np.cumsum(steps, axis=1).reshape(-1, 3)


def bases(topology: Topology):
    g = RDF(R, np.where(R < 0.45, 0.0, 1.0), units="lj")
    pairs = [pair_basis(Interaction.of(name), visible_target(g), 2.4) for name in ("A-A", "A-B", "B-B")]
    bonded = [
        bonded_basis(name, one := shape(name.coordinate), COORDINATES[name.coordinate].ideal(one.x))
        for name in topology.terms
    ]
    return [*pairs, *bonded]


def value(basis, c, x):
    """The potential at any place, by the sums that the guess takes at its knots."""
    place = (x - basis.origin) / basis.step
    if basis.name.coordinate == "dihedral":
        place = np.mod(place, basis.intervals)
    inside = (place >= 0) & (place < basis.intervals)
    knot = np.where(inside, place, 0).astype(int)
    t = np.where(inside, place - knot, 0.0)
    full = basis.expanded() @ c
    # U' = sum c B; its integral from the knot on, and the energies at the knots.
    areas = basis.step * (full[:-3] + 11 * full[1:-2] + 11 * full[2:-1] + full[3:]) / 24.0
    at = np.concatenate([[0.0], np.cumsum(areas)]) - areas.sum()
    y = 1.0 - t
    parts = [
        (1.0 - y**4) / 24.0,
        (0.75 * t**4 - 2.0 * t**3 + 4.0 * t) / 6.0,
        (11.0 / 24.0) - (0.75 * y**4 - 2.0 * y**3 + 4.0 * y) / 6.0 + 0.0 * t,
        t**4 / 24.0,
    ]
    inner = sum(full[knot + m] * part for m, part in enumerate(parts)) * basis.step
    return np.where(inside, at[knot] + inner, np.where(place < 0, at[0], 0.0))


def energy(topology, functions, c, positions, box):
    total, start = 0.0, 0
    i, j = np.triu_indices(topology.n, 1)
    left_out = np.zeros((topology.n,) * 2, dtype=bool)
    left_out[tuple(topology.excluded().T)] = True
    for one in functions:
        own = c[start : start + one.size]
        start += one.size
        if one.name.is_pair:
            kinds = sorted(topology.species.index(name) for name in one.name.types)
            chosen = np.all(np.sort(topology.types[np.stack([i, j], 1)], axis=1) == kinds, axis=1)
            chosen &= ~left_out[i, j]
            x = np.linalg.norm(minimum_image(positions[i[chosen]] - positions[j[chosen]], box), axis=1)
        else:
            coordinate = COORDINATES[one.name.coordinate]
            x = coordinate.measure(positions, topology.terms[one.name], box)
        total += np.sum(value(one, own, x))
    return total


@pytest.mark.parametrize(("exclusions", "box"), [("1-3", BOX), ("molecule", SKEWED)])
def test_products_of_gradients_and_laplacians_are_those_of_the_energy(exclusions, box):
    topology, positions = tetramers(3, exclusions)
    functions = bases(topology)
    frames = FrameEquations(topology, functions)
    found = frames.of_blocks([(positions, box)], 1, 1)
    c = RNG.normal(size=frames.size)
    # Without a mean around the turn, the sum of splines is the derivative of a periodic function.
    start = 0
    for one in functions:
        if one.name.coordinate == "dihedral":
            c[start : start + one.size] -= c[start : start + one.size].mean()
        start += one.size
    h = 1e-4
    square = laplacian = 0.0
    middle = energy(topology, functions, c, positions, box)
    weights, _ = frames._weights(positions, box)
    assert weights.min() < 0.95
    for bead in range(topology.n):
        for axis in range(3):
            moved = np.zeros_like(positions)
            moved[bead, axis] = h
            up, down = (energy(topology, functions, c, positions + sign * moved, box) for sign in (1, -1))
            ahead, behind = (frames._weights(positions + sign * moved, box)[0][bead] for sign in (1, -1))
            square += weights[bead] * ((up - down) / (2 * h)) ** 2
            laplacian += weights[bead] * (up - 2.0 * middle + down) / h**2
            laplacian += (ahead - behind) * (up - down) / (2 * h) ** 2
    # Differences of second order: the third derivatives of the splines are some 1e3, h^2 is 1e-8; the second
    # difference has the rounding of an energy of 1e2 over h^2, too.
    assert c @ found.a[0] @ c * topology.n == pytest.approx(square, rel=1e-5)
    assert c @ found.b[0] * topology.n == pytest.approx(laplacian, rel=1e-4)


@pytest.mark.parametrize("name", ["bond", "angle", "dihedral"])
def test_laplacians_of_coordinates_are_sums_of_second_differences(name):
    coordinate = COORDINATES[name]
    positions = RNG.uniform(0.0, 1.0, (coordinate.beads, 3)) * 2.0
    members = np.arange(coordinate.beads)[None, :]
    h, total = 1e-4, np.zeros(positions.size)
    middle = coordinate.measure(positions, members, BOX)[0]
    for k in range(positions.size):
        moved = np.zeros(positions.size)
        moved[k] = h
        up, down = (
            coordinate.measure(positions + sign * moved.reshape(-1, 3), members, BOX)[0] for sign in (1, -1)
        )
        total[k] = (up - 2.0 * middle + down) / h**2
    # Rounding of 1e-16 over h^2, and the fourth derivative times h^2.
    wanted = total.reshape(-1, 3).sum(axis=1)
    assert coordinate.laplacian(positions, members, BOX)[0] == pytest.approx(wanted, abs=1e-5)


BONDS, ANGLES = np.arange(0.7, 1.5001, 0.02), np.linspace(0.0, np.pi, 61)
TURN = np.linspace(-np.pi, np.pi, 48, endpoint=False)
CHAIN = Topology([0, 0, 0, 0], ("A",), {"bond A-A": [[0, 1], [1, 2], [2, 3]]}, exclusions="molecule")
CHAINS = CHAIN.completed().repeated(60)
TRUE = {
    "bond A-A": lambda b: 100.0 * (b - 1.1) ** 2,
    "angle A-A-A": lambda a: 4.0 * (np.cos(a) + 0.5) ** 2,
    "dihedral A-A-A-A": lambda d: 1.0 + np.cos(d) + 0.5 * np.cos(3.0 * d),
}


def drawn(rng, potential, measure, low, high, shape):
    fine = np.linspace(low, high, 4001)
    weight = np.cumsum(np.exp(-potential(fine)) * measure(fine))
    return np.interp(rng.uniform(size=shape), weight / weight[-1], fine)


def ideal_chains(frames: int, seed: int) -> Trajectory:
    """Chains that feel nothing but their own bonds, angles and dihedrals, each drawn from what these make of them."""
    rng = np.random.default_rng(seed)
    shape, box = (frames, CHAINS.n // 4), np.full(3, 9.0)
    b = drawn(rng, TRUE["bond A-A"], lambda x: x**2, 0.6, 1.6, (*shape, 3))[..., None]
    theta = drawn(rng, TRUE["angle A-A-A"], np.sin, 0.0, np.pi, (*shape, 2))[..., None]
    phi = drawn(rng, TRUE["dihedral A-A-A-A"], np.ones_like, -np.pi, np.pi, shape)[..., None]
    z = rng.normal(size=(*shape, 3))
    z /= np.linalg.norm(z, axis=-1, keepdims=True)
    x = np.cross(z, rng.normal(size=(*shape, 3)))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    # The middle bond lies along z; the others leave its ends at their angles, turned by phi about it.
    second = b[..., 1, :] * z
    first = b[..., 0, :] * (np.cos(theta[..., 0, :]) * z + np.sin(theta[..., 0, :]) * x)
    way = np.cos(phi) * x + np.sin(phi) * np.cross(z, x)
    last = second + b[..., 2, :] * (-np.cos(theta[..., 1, :]) * z + np.sin(theta[..., 1, :]) * way)
    places = rng.uniform(0.0, box, (*shape, 3))
    positions = places[..., None, :] + np.stack([first, 0.0 * z, second, last], axis=-2)
    return Trajectory(positions.reshape(frames, -1, 3), box, units="lj", topology=CHAINS)


def target_of(trajectory: Trajectory, reach: float = 3.0) -> Target:
    topology = trajectory.topology
    pairs = count_partial_pairs(
        trajectory, dr=0.1, r_max=reach, excluded=None if topology is None else topology.excluded()
    )
    grids = {"bond": BONDS, "angle": ANGLES, "dihedral": TURN}
    bonded = {}
    if topology is not None:
        bonded = count_terms(trajectory, {one: grids[one.coordinate] for one in topology.terms})
    return Target(
        {name: one.rdf() for name, one in pairs.items()},
        {"A": trajectory.density},
        1.0,
        topology=topology,
        distributions={name: one.distribution() for name, one in bonded.items()},
    )


def deviation(potential, true, seen) -> float:
    """The rms difference from a true potential, up to a constant."""
    off = potential.u[seen] - true(potential.x[seen])
    return float(np.std(off))


def test_every_term_of_ideal_chains_comes_out_and_the_better_the_more_frames():
    errors = []
    for frames in (20, 320):
        trajectory = ideal_chains(frames, 3)
        found = invert_directly(target_of(trajectory), trajectory, 2.0)
        # Chains that do not see each other: all of the pair potential is noise, in units of its error. The points of
        # a smooth curve are far from independent; 4 sigma of some five independent numbers is one alarm in 3000.
        pair = found["A-A"]
        inner = slice(4, -4)
        assert np.max(np.abs(pair.u[inner]) / pair.u_error[inner]) < 4.0
        errors.append(
            [
                deviation(found[name], true, true(found[name].x) < 3.0 + true(found[name].x).min())
                for name, true in TRUE.items()
            ]
        )
    few, many = np.array(errors)
    # Sixteen times as many: a quarter of the error, up to chance in each.
    assert np.mean(many / few) < 0.5
    assert np.all(many < 0.06)


@pytest.mark.lammps
def test_the_potential_of_loose_beads_comes_out_within_its_error(tmp_path):
    r = np.arange(0.0, 2.5001, 0.1)
    x = np.maximum(r, 0.8)
    u = 4.0 * (x**-12 - x**-6)
    truth = PairPotential(r, u - u[-1] + np.where(r < 0.8, 300.0 * (0.8 - r), 0.0), units="lj")
    start = random_configuration(300, 0.6, seed=1, units="lj")
    schedule = Schedule(equilibration=1500, production=6000, every=30)
    run = LammpsEngine().run(truth, StatePoint(0.6, 1.5), start, schedule, seed=2, workdir=tmp_path)
    target = Target(
        {"A-A": count_partial_pairs(run.trajectory, dr=0.1, r_max=3.8)["A", "A"].rdf()}, {"A": 0.6}, 1.5
    )
    found = invert_directly(target, run.trajectory, 2.5)["A-A"]
    seen = target.rdfs["A-A"].g[: r.size] > 0.1
    off = (found.u - truth.u)[seen][:-2]
    # Minus kT ln g is off by 0.4 here. The table has a step of a tenth, of which splines miss some hundredths of the
    # flank; 4 sigma of some five independent numbers.
    assert np.max(np.abs(off) / np.hypot(found.u_error[seen][:-2], 0.05)) < 4.0
    assert np.sqrt(np.mean(off**2)) < 0.15


def test_what_cannot_be_inverted_is_said():
    trajectory = ideal_chains(12, 5)
    target = target_of(trajectory)
    with pytest.raises(InputError, match="12 frames cannot fill 20 blocks"):
        invert_directly(target, trajectory, 2.0, blocks=20)
    with pytest.raises(InputError, match="the cut-off 3 lies beyond"):
        invert_directly(target_of(trajectory, 2.5), trajectory, 3.0)
    other = Trajectory(trajectory.positions, trajectory.box, units="nm-kJ/mol", topology=CHAINS)
    with pytest.raises(InputError, match="they must share units"):
        invert_directly(target, other, 2.0)
