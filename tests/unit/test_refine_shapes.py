"""The shapes that a simulation keeps of its molecules, and how they answer to changes of energy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit import RDF, PairPotential
from cginit.bonded import BondedPotential, Distribution
from cginit.configuration import Configuration
from cginit.interactions import Interaction, Interactions
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.matrices import Intramolecular, PairMatrices
from cginit.liquid.response import Liquid
from cginit.refine.convergence import Distance
from cginit.refine.difference import Layout, StateDifference
from cginit.refine.history import History
from cginit.refine.record import Record
from cginit.refine.shapes import InsideEnergy, MoleculeShapes, kept_shapes
from cginit.refine.stored_curves import read_record, write_record
from cginit.refine.updates.bonded import bonded_changes, coupled_changes
from cginit.sampling import MoleculeStructure
from cginit.target import Target
from cginit.topology import Topology

MOLECULES, FRAMES, EDGE = 400, 20, 30.0
ANGLES, BONDS = np.linspace(0.0, np.pi, 61), np.arange(0.7, 1.3001, 0.02)
TRIMER = {"bond A-A": [[0, 1], [1, 2]], "angle A-A-A": [[0, 1, 2]]}
TOPOLOGY = Topology([0, 0, 0], ("A",), TRIMER, exclusions="1-2").repeated(MOLECULES)
R = np.arange(0.0, 3.0001, 0.05)
ANGLE, BOND, PAIR = Interaction.of("angle A-A-A"), Interaction.of("bond A-A"), Interaction.of("A-A")
LENGTH = 0.03


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    """Free trimers: bonds of a normal distribution, angles of all directions."""
    rng = np.random.default_rng(4)
    shape = (FRAMES, MOLECULES)
    middle = rng.uniform(-0.5 * EDGE, 0.5 * EDGE, (*shape, 3))
    arms = []
    for _ in range(2):
        way = rng.normal(size=(*shape, 3))
        way /= np.linalg.norm(way, axis=-1, keepdims=True)
        arms.append(way * rng.normal(1.0, LENGTH, (*shape, 1)))
    whole = np.stack([middle + arms[0], middle, middle + arms[1]], axis=2)
    whole -= EDGE * np.round(whole / EDGE)
    return whole.reshape(FRAMES, -1, 3).astype(np.float32)


def seen(places: np.ndarray) -> tuple[Record, Target]:
    density = 3 * MOLECULES / EDGE**3
    bond = Distribution.normalised(
        BONDS, np.exp(-0.5 * ((BONDS - 1.0) / LENGTH) ** 2), coordinate="bond", units="lj"
    )
    angle = Distribution.normalised(ANGLES, np.sin(ANGLES), coordinate="angle", units="lj")
    potentials = {
        "A-A": PairPotential(R, np.zeros(R.size), units="lj"),
        "bond A-A": BondedPotential.shifted(
            BONDS, 0.5 * ((BONDS - 1.0) / LENGTH) ** 2, coordinate="bond", units="lj"
        ),
        "angle A-A-A": BondedPotential.shifted(ANGLES, np.zeros(ANGLES.size), coordinate="angle", units="lj"),
    }
    target = Target(
        {"A-A": RDF(R, np.ones(R.size), units="lj")},
        density,
        1.0,
        topology=TOPOLOGY,
        target_exclusions="1-2",
        distributions={"bond A-A": bond, "angle A-A-A": angle},
    )
    record = Record(
        index=0,
        potentials=Interactions(potentials),
        rdfs=target.rdfs,
        distances=Interactions({}),
        final=Configuration(places[-1], [EDGE] * 3, units="lj", topology=TOPOLOGY),
        distributions=target.distributions,
        shapes=places,
    )
    return record, target


def ends(theta: np.ndarray) -> np.ndarray:
    """Distance of the ends of a trimer."""
    return 2.0 * np.sin(0.5 * theta)


def test_free_molecules_weighted_by_an_angle_have_its_distribution(places):
    shapes = MoleculeShapes.of(*seen(places))
    energies = shapes.bonded_energy(ANGLE, ANGLES, 1.5 * np.cos(ANGLES))
    weights, part = shapes.weights(energies)
    assert part == 1.0
    assert weights.mean() == pytest.approx(1.0)
    # The mean of the cosine is -coth(a) + 1/a; 8000 molecules with weights of variance 1 have 0.58 / sqrt(8000) as
    # standard error, times some 1.5.
    found = np.average(np.cos(shapes.terms[ANGLE].values), weights=weights[shapes.terms[ANGLE].owner])
    assert found == pytest.approx(-1.0 / np.tanh(1.5) + 1.0 / 1.5, abs=4 * 0.01)
    # By all but its own potential the angle does not change, nor do the bonds.
    own = shapes.answer(ANGLE, ANGLES, 1.5 * np.cos(ANGLES), energies)
    inner = slice(6, -6)
    assert np.ptp(own[inner]) < 1e-9
    bonds = shapes.answer(BOND, BONDS, np.zeros(BONDS.size), energies)
    shown = np.abs(BONDS - 1.0) < 2.0 * LENGTH
    # A bin has 1000 bonds or more, of weights of variance 1: 0.03; the largest of six.
    assert np.abs(bonds[shown]).max() < 0.12


def test_too_few_molecules_are_told_and_the_answer_is_that_of_less_energy(places):
    shapes = MoleculeShapes.of(*seen(places))
    energies = shapes.bonded_energy(ANGLE, ANGLES, 40.0 * np.cos(ANGLES))
    weights, part = shapes.weights(energies)
    assert 0.05 < part < 0.5
    assert weights.sum() ** 2 / (weights**2).sum() > 0.15 * weights.size


def test_an_angle_takes_back_what_a_pair_inside_the_molecule_does(places):
    """Ends that repel each other by the pair potential leave the angles as they are if these attract as much."""
    record, target = seen(places)
    history = History((target,), ((record,),))
    shapes = [MoleculeShapes.of(record, target)]
    repulsion = 1.2 * np.exp(-(((R - 1.0) / 0.5) ** 2))
    inside = InsideEnergy(R, np.zeros((1, R.size)), repulsion[None, :])
    step = coupled_changes(history, shapes, [inside])
    inner = slice(4, -4)
    wanted = -np.interp(ends(ANGLES), R, repulsion)[inner]
    found = step.changes[ANGLE][inner]
    # 8000 angles in 60 bins: 0.09 a bin, where neighbours are not joined; the mean of |difference| is 0.8 of that.
    assert np.mean(np.abs(found - found.mean() - (wanted - wanted.mean()))) < 0.1
    assert np.ptp(wanted) > 1.0
    # Alone, without knowledge of the pairs, nothing is wanted.
    assert np.abs(bonded_changes(history)[ANGLE]).max() < 1e-12
    # The medium acts between all beads of a molecule, bonded ones too.
    everywhere = InsideEnergy(R, repulsion[None, :], np.zeros((1, R.size)))
    assert np.ptp(coupled_changes(history, shapes, [everywhere]).changes[BOND]) > 0.05


def test_a_change_keeps_what_the_errors_of_a_simulation_know(places):
    """Of a target without errors, whose angles waver by four times the errors of the simulation."""
    record, target = seen(places)
    wave, p = 0.08 * np.sin(19.0 * ANGLES), np.maximum(np.sin(ANGLES), 0.0)
    error = np.sqrt(p * (ANGLES[1] - ANGLES[0]) / 50_000.0)
    p = np.abs(p * np.exp(wave) + error * np.random.default_rng(3).normal(size=p.size))
    angle = Distribution.normalised(ANGLES, p, error, coordinate="angle", units="lj")
    record = replace(record, distributions=Interactions({BOND: record.distributions[BOND], ANGLE: angle}))
    found = bonded_changes(History((target,), ((record,),)))[ANGLE]
    weights = np.sin(ANGLES) / np.sin(ANGLES).sum()
    off = found - wave
    off -= weights @ off
    # Smoothed by what the values themselves tell of their noise they lose all of it, 0.057.
    assert np.sqrt(weights @ off**2) < 0.02


def test_the_medium_spreads_energies_by_what_it_makes_of_distances(places):
    shapes = MoleculeShapes.of(*seen(places))
    nothing = np.zeros((1, R.size))
    # 0.5 kT more for each unit of all three distances.
    medium = InsideEnergy(R, 0.5 * R[None, :], nothing)
    apart = shapes.distances[0].values.reshape(FRAMES, MOLECULES, 3).sum(axis=2)
    assert shapes.spread(medium) == pytest.approx(0.5 * apart.std() / np.sqrt(3.0), rel=1e-6)
    # What acts directly is not of the medium.
    assert shapes.spread(InsideEnergy(R, nothing, 0.5 * R[None, :])) == 0.0


def test_weighted_molecules_keep_their_number_and_change_their_structure(places):
    shapes = MoleculeShapes.of(*seen(places))
    energies = shapes.bonded_energy(ANGLE, ANGLES, 1.5 * np.cos(ANGLES))
    weights, _ = shapes.weights(energies)
    edges = np.linspace(0.0, 4.0, 161)
    moved = shapes.moved_inside(weights, edges, counted=False)
    assert abs(moved.sum()) < 1e-6 * MOLECULES
    # Angles that open: pairs of ends leave short distances.
    assert moved[0, (edges > 0.3) & (edges < 1.2)].sum() < -20.0
    grid = RadialGrid(2048, 0.025)
    rho = np.array([3 * MOLECULES / EDGE**3])
    change = shapes.moved_structure(weights, PairMatrices.of_densities(grid, rho), rho)
    # The same by a sum over distances, of the molecules themselves; nodes 0.025 apart miss (k dr)^2 / 12 of it.
    k = grid.k[20:400:40]
    one = shapes.distances[0]
    waves = np.sinc(np.outer(k, one.values) / np.pi) @ (weights[one.owner] - 1.0)
    assert change[20:400:40, 0, 0] == pytest.approx(2.0 * waves / (FRAMES * 3 * MOLECULES), abs=0.01)
    omega = MoleculeStructure([seen(places)[0].final])(grid.k[:50])
    structure = Intramolecular.of(omega, rho)
    low = structure.changed(-np.full((50, 1, 1), 10.0))
    assert np.all(low.structure == 0.0)


def test_the_g_of_pairs_inside_follows_the_shapes(places):
    shapes = MoleculeShapes.of(*seen(places))
    weights, _ = shapes.weights(shapes.bonded_energy(ANGLE, ANGLES, 1.5 * np.cos(ANGLES)))
    r = R[1:]
    moved = shapes.moved_g(weights, r)[0]
    # Only the ends count: bonded beads are left out.
    volume = 4.0 * np.pi * r**2 * 0.05
    pairs = TOPOLOGY.pairs_left(PAIR, "1-2")
    numbers = moved * volume * pairs / EDGE**3
    # Pairs nearer than the first point, half a bin from the origin, are left out.
    assert abs(numbers.sum()) < 1e-4 * MOLECULES
    assert numbers[r < 1.2].sum() < -20.0


def test_the_medium_of_a_weak_potential_is_that_of_random_phases():
    r"""Where c = -U, W(k) = -rho U(k)^2 / (1 + rho U(k))."""
    grid, rho = RadialGrid(4096, 0.02), np.array([0.5])
    u = 0.05 * np.exp(-(grid.r**2))
    matrices = PairMatrices.of_densities(grid, rho)
    direct = matrices.of(-(grid.r * u)[None, :])
    s = 1.0 / (1.0 - direct)
    h = matrices.back(s - 1.0) / grid.r
    gamma = h + u
    liquid = Liquid(grid.r, u[None, :], grid, 1.0 + h, gamma, s, rho, Intramolecular.loose(1))
    found = liquid.response(np.zeros(1)).medium()
    wave = 0.05 * np.pi**1.5 * np.exp(-(grid.k**2) / 4.0)
    exact = grid.k * -0.5 * wave**2 / (1.0 + 0.5 * wave)
    at = np.array([0.5, 1.0, 2.0])
    by_hand = [float(np.sum(exact * np.sin(grid.k * x)) * grid.dk / (2.0 * np.pi**2 * x)) for x in at]
    assert np.interp(at, grid.r, found[0]) == pytest.approx(by_hand, abs=1e-6)
    assert found[0, 0] < -1e-4


def test_kept_shapes_are_spread_over_the_run_and_stored(places, tmp_path):
    assert len(kept_shapes(places, 400)) == 13
    assert len(kept_shapes(places, 5000)) == 4
    one = kept_shapes(np.arange(500.0, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32), 1)
    assert (len(one), float(one[0, 0, 0]), float(one[-1, 0, 0])) == (400, 0.0, 499.0)
    record, _ = seen(places)
    write_record(record, tmp_path)
    again = read_record(tmp_path, TOPOLOGY)
    assert again.shapes.dtype == np.float32
    assert np.array_equal(again.shapes, record.shapes)


def test_the_pressure_asked_of_pairs_leaves_that_of_the_changes_of_bonds(places):
    # A force of 3 that draws the bonds together: -N/(3V) 3 <b> on the pressure, which the pairs are to make up for.
    record, target = seen(places)
    target = replace(target, pressure=1.0)
    far = Interactions({PAIR: Distance(50.0, 0.1, 0.1, 0.1)})
    record = replace(record, pressure=1.0, pressure_error=0.01, distances=far)
    difference = StateDifference.of(record, target, History((target,), ((record,),)))
    layout = Layout.of([difference], [PAIR])
    changes = {BOND: 3.0 * record.bonded[BOND].x, ANGLE: 5.0 * np.cos(ANGLES)}
    asked = [difference.data(layout, pressure=True, bonded=some)[-1].value for some in (None, changes)]
    assert asked[1] - asked[0] == pytest.approx(2 * MOLECULES / EDGE**3, rel=1e-3)  # <b> of the bins, 1.0


def test_what_g_lacks_for_good_changes_no_pressure(places):
    # The noise of a target that no simulation follows, times a repulsion, was counted as pressure to come for ever.
    record, target = seen(places)
    steep = PairPotential(R, 20.0 * np.exp(-2.0 * R) * (1.0 - R / R[-1]), units="lj")
    rdf = RDF(R, np.ones(R.size), np.full(R.size, 0.05), units="lj")
    noisy = RDF(R, np.where(R < 0.6, 1.05, 1.0), np.full(R.size, 0.05), units="lj")
    target = replace(target, rdfs=Interactions({PAIR: noisy}), pressure=1.0)
    near = Interactions({PAIR: Distance(1.1, 0.1, 0.1, 0.1)})
    potentials = Interactions({**record.potentials, PAIR: steep})
    record = replace(
        record,
        potentials=potentials,
        rdfs=Interactions({PAIR: rdf}),
        distances=near,
        pressure=0.9,
        pressure_error=0.01,
    )

    def asked(rounds: int) -> float:
        difference = StateDifference.of(record, target, History((target,), ((record,),) * rounds))
        return difference.data(Layout.of([difference], [PAIR]), pressure=True)[-1].value

    # Two rounds near the target may be on their way to it; of three the mean is where they are.
    assert asked(3) == pytest.approx(0.1, abs=1e-9)
    assert abs(asked(2) - 0.1) > 1e-5  # of a density of 0.04
