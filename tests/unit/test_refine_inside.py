"""Targets whose g(r) count pairs inside molecules: what these are made of, and how they answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit import RDF, PairPotential
from cginit.bonded import BondedPotential
from cginit.configuration import Configuration, Trajectory
from cginit.coordinates import count_terms
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.errors import ConvergenceError
from cginit.growth import grown_configuration
from cginit.guess.molecules import guess_molecules
from cginit.interactions import Interactions
from cginit.refine import History, Limits, Settings, refine_system
from cginit.refine.convergence import Distance
from cginit.refine.inside import Inside, count_inside
from cginit.refine.molecules import InsideResponse, doubt, molecule_structure, parts_of
from cginit.refine.record import Record
from cginit.refine.reweighting import reweighted
from cginit.refine.state_response import CONNECTED, StateResponse
from cginit.refine.stored_curves import read_record, write_record
from cginit.refine.updates import UPDATES, Automatic
from cginit.sampling import count_partial_pairs
from cginit.state import StatePoint
from cginit.target import Target
from cginit.topology import Topology

LENGTH, CHAINS, DENSITY = 10, 30, 0.5
R = np.arange(0.0, 2.0001, 0.05)
BONDS, ANGLES = np.arange(0.7, 1.3001, 0.01), np.linspace(0.0, np.pi, 91)
BEADS = {"bond A-A": [[i, i + 1] for i in range(LENGTH - 1)]}
TOPOLOGY = Topology([0] * LENGTH, ("A",), BEADS, exclusions="1-4").completed("angle").repeated(CHAINS)
TERMS = {
    "bond A-A": BondedPotential.shifted(BONDS, 200.0 * (BONDS - 1.0) ** 2, coordinate="bond", units="lj"),
    "angle A-A-A": BondedPotential.shifted(ANGLES, 5.0 * (ANGLES - 2.0) ** 2, coordinate="angle", units="lj"),
}


def soft(more: float = 0.0) -> PairPotential:
    """Return Lennard-Jones beads whose contacts are more repulsive."""
    u = 2.0 * (np.maximum(R, 0.5) ** -12 - np.maximum(R, 0.5) ** -6)
    u = np.where(R < 0.85, u[17] + 250.0 * (0.85 - R), u) - u[-1]
    return PairPotential(R, u + more * np.clip((1.8 - R) / 0.9, 0.0, 1.0) ** 2, units="lj")


def record_of(trajectory: Trajectory, final: Configuration, target: Target, pair: PairPotential) -> Record:
    def count(left_out, known):
        reach = 0.5 * float(final.box[0]) - 0.05
        found = count_partial_pairs(trajectory, dr=0.05, r_max=reach, excluded=left_out)
        return Interactions({"A-A": found["A", "A"]})

    counts = count(target.topology.excluded(target.target_exclusions), None)
    return Record(
        index=0,
        potentials=Interactions({"A-A": pair, **TERMS}),
        rdfs=counts.map(lambda one: one.rdf()),
        distances=Interactions({}),
        final=final,
        counts=counts,
        inside=count_inside(target, count, None),
    )


def target_of(rdf: RDF, counted: str, acting: str = "1-4") -> Target:
    topology = TOPOLOGY.excluding(acting)
    return Target({"A-A": rdf}, DENSITY, 1.0, topology=topology, target_exclusions=counted)


ONES = RDF(R, np.ones(R.size), units="lj")


@pytest.fixture(scope="module")
def ghosts() -> tuple[Trajectory, Configuration]:
    """Chains that feel no pairs: each grown anew, so that they are as random as they can be."""
    shape = Interactions({"bond A-A": 1.0, "angle A-A-A": 2.0})
    frames = [
        grown_configuration(TOPOLOGY, DENSITY, seed=seed, units="lj", shape=shape, separation=0.05)
        for seed in range(20)
    ]
    positions = np.array([one.positions for one in frames], dtype=np.float32)
    return Trajectory(positions, frames[0].box, units="lj", topology=TOPOLOGY), frames[-1]


@pytest.mark.parametrize(
    ("counted", "acting", "share"),
    [
        # 30 chains of 10: 43 500 pairs between them; inside each 45, of which 9, 8 and 7 are 1, 2 and 3 bonds apart.
        ("1-4", "1-4", (43_500, 21, 0)),
        ("1-3", "1-4", (43_500, 21, 7)),
        ("none", "1-2", (43_500, 36, 9)),
        ("none", "molecule", (43_500, 0, 45)),
    ],
)
def test_a_g_is_made_of_pairs_between_and_inside_molecules(ghosts, counted, acting, share):
    target, final = target_of(ONES, counted, acting), ghosts[1]
    record = record_of(*ghosts, target, soft())
    parts = parts_of(record, target)["A-A"]
    between, answering, idle = share
    pairs = between + CHAINS * (answering + idle)
    assert parts.share == pytest.approx(between / pairs)
    whole = parts.share * parts.between.g + parts.answering + parts.idle
    assert whole == pytest.approx(record.rdfs["A-A"].g, abs=1e-12)
    volume = float(np.prod(final.box))
    assert parts.volume == pytest.approx(CHAINS * answering / pairs * volume, abs=1e-9)
    # Counted by hand, as far as half the box shows them; a pair at the edge of the last bin may go either way.
    apart = np.array([(i, j) for i in range(LENGTH) for j in range(i)])
    bonds = apart[:, 0] - apart[:, 1]
    places = ghosts[0].positions.astype(np.float64).reshape(-1, CHAINS, LENGTH, 3)
    vectors = places[:, :, apart[:, 0]] - places[:, :, apart[:, 1]]
    distance = np.linalg.norm(vectors - final.box * np.round(vectors / final.box), axis=-1)
    seen = distance < parts.r[-1] + 0.025
    numbers = {"none": 0, "1-2": 1, "1-3": 2, "1-4": 3, "molecule": LENGTH}
    free, felt = bonds > numbers[counted], bonds > numbers[acting]
    by_hand = [np.count_nonzero(seen[:, :, free & felt]), np.count_nonzero(seen[:, :, free & ~felt])]
    ideal = record.counts["A-A"].ideal() * len(record.counts["A-A"])
    assert [float(one[1:] @ ideal[1:]) for one in (parts.answering, parts.idle)] == pytest.approx(
        by_hand, abs=3
    )
    # What pairs between molecules show is taken from a target, too.
    back = parts.target_between(record.rdfs["A-A"])
    assert back.g == pytest.approx(parts.between.g, abs=1e-12)


def test_where_the_same_pairs_are_counted_and_act_nothing_is_counted_twice(ghosts):
    target = target_of(ONES, "molecule", "molecule")
    inside = record_of(*ghosts, target, soft()).inside
    assert not any(getattr(inside, word) for word in Inside.names())


def test_a_chain_alone_has_no_pairs_between_molecules():
    """Its g has no inversion, and the stand-in takes its steps."""
    alone = Topology([0] * LENGTH, ("A",), BEADS, exclusions="1-4").completed("angle")
    target = Target({"A-A": ONES}, 0.01, 1.0, topology=alone, target_exclusions="1-4")
    shape = Interactions({"bond A-A": 1.0, "angle A-A-A": 2.0})
    frames = [
        grown_configuration(alone, 0.01, seed=seed, units="lj", shape=shape, separation=0.9)
        for seed in range(10)
    ]
    positions = np.array([one.positions for one in frames], dtype=np.float32)
    record = record_of(
        Trajectory(positions, frames[0].box, units="lj", topology=alone), frames[0], target, soft()
    )
    assert not record.inside.between
    with pytest.raises(ConvergenceError, match="inside molecules"):
        molecule_structure(record, target)
    step = Automatic()(History((target,), ((record,),)))
    assert step.made_by == "ibi"


def test_the_derivative_of_pairs_inside_is_that_of_their_change():
    """Against finite differences of `moved`, for a response that changes every g by itself only."""
    r = np.arange(1, 41) * 0.05
    g = 1.0 - np.exp(-r)
    answering = 0.1 * np.exp(-r)
    weight = answering * r**2 / np.sum(answering * r**2)
    inside = InsideResponse(np.array([0.95]), answering[None], weight[None], g[None])
    found = inside.jacobian(g[None], np.diag(g))
    step = 1e-6
    for j in (3, 20):
        changed = g.copy()
        changed[j] *= np.exp(-step)
        slope = -inside.moved(changed[None])[0] / step
        assert found[:, j] == pytest.approx(slope, abs=1e-6)
    # There are as many pairs inside as before, wherever they are.
    moved = inside.moved((g * np.exp(-0.3 * np.cos(r)))[None])[0]
    between = 0.95 * g * (np.exp(-0.3 * np.cos(r)) - 1.0)
    assert float((moved - between) @ r**2) == pytest.approx(0.0, abs=1e-12)


def test_molecules_answer_as_the_closure_does_to_a_larger_change(ghosts):
    target = target_of(ONES, "1-4")
    record = record_of(*ghosts, target, soft())
    bonds = count_terms(ghosts[0], Interactions({"bond A-A": BONDS})).map(lambda one: one.distribution())
    target = replace(target, distributions=bonds)
    record = replace(record, shapes=ghosts[0].positions)
    state = StateResponse.of(record, target, History((target,), ((record,),)))
    part = state.difference.parts["A-A"]
    change = 0.1 * np.clip(1.0 - part.r / 2.0, 0.0, 1.0) ** 2
    closure = replace(state, stretch=1.0)
    assert state.answer(change) == pytest.approx(closure.answer(CONNECTED * change), abs=1e-9)
    assert state.jacobian() == pytest.approx(CONNECTED * closure.jacobian(), rel=1e-9)
    # Beads of one molecule feel the change as it is, and its medium is that of the change as it is, but for what the
    # closure is not linear in it (0.09 of it here; the medium of the larger change is larger by 0.41).
    felt, foreseen = (one.inside_energy(one.alike(change)) for one in (state, closure))
    assert felt.direct[0, : change.size] == pytest.approx(change)
    assert np.std(felt.medium) == pytest.approx(np.std(foreseen.medium), rel=0.15)


def test_pairs_inside_of_other_shapes_count_as_noise(ghosts):
    """Half of the molecules' angles elsewhere: half of what pairs inside them add to g says nothing of U."""
    target = target_of(ONES, "1-3", "1-4")
    record = record_of(*ghosts, target, soft())
    parts = parts_of(record, target)
    off = Distance(chi2=9.0, lmse=0.1, integral=1.0, largest=0.5)
    turned = replace(record, distances=Interactions({"A-A": off, "angle A-A-A": off}))
    assert doubt(record, parts, R)["A-A"] == pytest.approx(np.zeros(R.size))
    one = parts["A-A"]
    expected = (0.5 * np.interp(R, one.r, one.answering + one.idle)) ** 2
    assert doubt(turned, parts, R)["A-A"] == pytest.approx(expected)
    states = [StateResponse.of(each, target, History((target,), ((each,),))) for each in (record, turned)]
    before, after = (np.diag(state.difference.parts["A-A"].covariance) for state in states)
    r = states[0].difference.parts["A-A"].r
    assert after - before == pytest.approx(np.interp(r, R, expected), abs=1e-9)


def test_other_pairs_are_kept_on_disk(ghosts, tmp_path):
    target = target_of(ONES, "1-3", "1-4")
    record = record_of(*ghosts, target, soft())
    write_record(record, tmp_path)
    again = read_record(tmp_path, target.topology)
    for word in Inside.names():
        one, other = getattr(record.inside, word)["A-A"], getattr(again.inside, word)["A-A"]
        assert np.array_equal(one.counts, other.counts)
        assert one.pairs == other.pairs


def test_reweighting_weighs_the_pairs_that_act(ghosts):
    """Of configurations that count no pair that acts, and of others: only the latter change their weight."""
    trajectory, final = ghosts
    target = target_of(ONES, "molecule", "1-4")
    record = record_of(trajectory, final, target, soft())
    # Far pairs of a chain meet at contact; a change there only they feel.
    u = soft().u + np.where(R < 0.2, 0.02, 0.0)
    changed = Interactions({"A-A": replace(soft(), u=u), **TERMS})
    found = reweighted(record, changed, target)
    assert found is not None
    energy = record.inside.acting["A-A"].counts[:, : R.size] @ (u - soft().u)
    weights = np.exp(-(energy - energy.min()))
    assert found.inside.weights == pytest.approx(weights / weights.sum())
    assert np.ptp(energy) > 0.0
    assert reweighted(replace(record, inside=Inside()), changed, target) is None


@pytest.mark.lammps
def test_the_response_of_chains_predicts_how_their_g_changes(tmp_path):
    """The g of a melt of chains, with its far pairs counted, after contacts are made 0.6 kT more repulsive."""
    shape = Interactions({"bond A-A": 1.0, "angle A-A-A": 2.0})
    final = grown_configuration(TOPOLOGY, DENSITY, seed=2, units="lj", shape=shape, separation=0.9)
    target, records = target_of(ONES, "1-4"), []
    for more in (0.0, 0.6):
        folder = tmp_path / f"{more}"
        folder.mkdir()
        potentials = Interactions({"A-A": soft(more), **TERMS})
        schedule = Schedule(equilibration=2_000, production=8_000, every=40)
        run = LammpsEngine().run(
            potentials, StatePoint(DENSITY, 1.0), final, schedule, seed=3, workdir=folder
        )
        final = run.final
        records.append(record_of(run.trajectory, final, target, soft(more)))
    first, second = records
    wanted = replace(target, rdfs=second.rdfs)
    state = StateResponse.of(first, wanted, History((wanted,), ((first,),)))
    part = state.difference.parts["A-A"]
    change = np.interp(part.r, R, soft(0.6).u - soft().u)
    seen = part.r > 0.85
    real = part.wanted_change[seen]
    predicted = state.answer(change)[seen]
    alone = (part.got * np.expm1(-change))[seen]

    def size(values):
        return float(np.sqrt(np.mean(values**2)))

    noise = float(np.sqrt(np.mean(np.diag(part.covariance)[seen])))
    # A third of the change, with the noise of both simulations beside it; without the liquid around a pair, as
    # iterative Boltzmann inversion has it, the prediction is off by more than the change itself.
    assert size(real - predicted) < np.hypot(0.3 * size(real), noise)
    assert size(real - alone) > 2.0 * size(real - predicted)
    assert "gauss-newton" in UPDATES
    assert Automatic()(History((wanted,), ((first,),))).made_by == "gauss-newton"


@pytest.mark.lammps
def test_chains_whose_far_pairs_are_counted_come_to_the_noise(tmp_path):
    shape = Interactions({"bond A-A": 1.0, "angle A-A-A": 2.0})
    start = grown_configuration(TOPOLOGY, DENSITY, seed=2, units="lj", shape=shape, separation=0.9)
    truth = Interactions({"A-A": soft(), **TERMS})
    long = Schedule(equilibration=2_000, production=16_000, every=40)
    (tmp_path / "target").mkdir()
    run = LammpsEngine().run(
        truth, StatePoint(DENSITY, 1.0), start, long, seed=3, workdir=tmp_path / "target"
    )
    pairs = count_partial_pairs(run.trajectory, dr=0.05, r_max=4.1, excluded=TOPOLOGY.excluded("1-4"))
    bonded = count_terms(run.trajectory, Interactions({"bond A-A": BONDS, "angle A-A-A": ANGLES}))
    wanted = Target(
        {name: one.rdf() for name, one in pairs.items()},
        DENSITY,
        1.0,
        topology=TOPOLOGY,
        target_exclusions="1-4",
        distributions=bonded.map(lambda one: one.distribution()),
    )
    # Ten seeds of ten came to the noise in two or three simulations.
    settings = Settings(
        schedule=Schedule(equilibration=1_000, production=6_000, every=40), limits=Limits(4), seed=1
    )
    first = guess_molecules(wanted, "boltzmann", 2.0)
    result = refine_system(wanted, first, workdir=tmp_path / "refined", settings=settings, starts=[run.final])
    assert result.converged
    # No step goes too far: none is taken back, and each g is nearer than the first.
    assert {done[0].made_by for done in result.rounds[1:]} == {"gauss-newton"}
    first_one, *others = (done[0].distances["A-A"].lmse for done in result.rounds)
    assert max(others) < 0.5 * first_one
    seen = wanted.rdfs["A-A"].g[: R.size] > 0.3
    off = (result.pairs["A-A"].u - soft().u)[seen]
    # The start is off by 0.3 kT; the noise of these runs leaves the attraction open by some 0.05 kT.
    assert np.sqrt(np.mean(off**2)) < 0.1
