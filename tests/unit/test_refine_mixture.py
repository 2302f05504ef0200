"""The loop of a mixture: simulations as long as they are worth, reweighting, replicas."""

import dataclasses

import numpy as np
import pytest

from cginit import RDF, EngineError, InputError, PairPotential
from cginit.configuration import Configuration, Trajectory, random_configuration
from cginit.curves import force
from cginit.engines.base import EngineRun, Schedule
from cginit.errors import ConvergenceError, UnstableError
from cginit.interactions import Interactions
from cginit.refine import IMC, History, Limits, Record, Replicas, Settings, Step, distance, refine_system
from cginit.refine.reweighting import propose, reweighted
from cginit.sampling import count_partial_pairs
from cginit.target import Target

DENSITIES = {"A": 0.2, "B": 0.2}
R = np.arange(41) * 0.05
FLAT = PairPotential(R, np.zeros(R.size), units="lj")
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))
N = 200
START = random_configuration({"A": N // 2, "B": N // 2}, 0.4, seed=1, units="lj", separation=0.1)
SCHEDULE = Schedule(equilibration=10, production=10_000, every=100, push_off=5)


@dataclasses.dataclass(frozen=True)
class IdealMixture:
    """Positions at random whatever the potentials, and what a test asks to go wrong; it tells what was run."""

    fail: str = ""
    calls: list = dataclasses.field(default_factory=list, compare=False, repr=False)
    name: str = "ideal mixture"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        self.calls.append((workdir, schedule.production, start.positions))
        if self.fail == "core" and potential["A", "B"].u[0] > 0.5:
            raise UnstableError("atoms were lost")
        if self.fail == "disk" and "iteration_001" in str(workdir):
            raise OSError(28, "No space left on device")
        frames = schedule.production // schedule.every
        rng = np.random.default_rng(seed)
        positions = rng.uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        kinds = {"units": "lj", "types": start.types, "species": start.species}
        trajectory = Trajectory(positions.astype(np.float32), start.box, **kinds)
        final = Configuration(positions[-1], start.box, **kinds)
        noise = rng.standard_normal(frames)
        return EngineRun(trajectory, final, noise, noise, self.name, "1", seed, schedule.steps, 1.0)


@dataclasses.dataclass(frozen=True)
class Towards:
    """A rule that goes a part of the way to potentials that it knows."""

    wanted: PairPotential
    part: float = 1.0
    name: str = "towards"
    beyond_cutoff: bool = False

    def __call__(self, history):
        last = history.potentials()
        changes = {pair: self.part * (self.wanted.u - last[pair].u) for pair in history.free}
        return Step.from_last(history, changes, self.name)


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule from a function."""

    function: object
    name: str = "rule"
    beyond_cutoff: bool = False

    def __call__(self, history):
        return self.function(history)


def mixture(g=None, error=None):
    """Return a target; by default that of an ideal mixture."""
    one = RDF(R, np.ones(R.size) if g is None else g, error, units="lj")
    return Target(dict.fromkeys(PAIRS, one), DENSITIES, 1.0)


def bump(height):
    return PairPotential(R, u := height * (1.0 - (R / 2.0) ** 2) ** 2, force(R, u), units="lj")


def all_of(potential):
    return Interactions(dict.fromkeys(PAIRS, potential))


def run(folder, engine, target, rule="ibi", iterations=1, wall_time=None, **more):
    settings = Settings(schedule=SCHEDULE, limits=Limits(iterations, wall_time), **more)
    flat = dict.fromkeys(PAIRS, FLAT)
    return refine_system(target, flat, engine, rule, workdir=folder, settings=settings, starts=[START])


def test_a_simulation_far_from_the_target_is_ended_early(tmp_path):
    far = mixture(1.0 + 3.0 * np.exp(-((R - 1.0) ** 2)))
    lengths = []
    for name, target, adaptive in (("far", far, True), ("near", mixture(), True), ("whole", far, False)):
        (item,) = run(tmp_path / name, IdealMixture(), target, adaptive=adaptive, reweighting=False).history
        lengths.append((item.steps, len(item.counts["A", "B"]), item.complete))
    # A quarter of 100 configurations; the second part neither equilibrates nor pushes off.
    assert lengths == [(2_515, 25, False), (10_015, 100, True), (10_015, 100, True)]


def test_what_ended_early_has_not_converged_and_stays_so_on_disk(tmp_path):
    far = mixture(1.0 + 3.0 * np.exp(-((R - 1.0) ** 2)))
    first = run(tmp_path, IdealMixture(), far)
    flattered = dataclasses.replace(first.history[0].distances["A", "A"], chi2=1.0)
    assert not first.converged
    assert flattered.is_noise
    again = run(tmp_path, IdealMixture(), far)
    assert [item.complete for item in again.history] == [False]


def test_simulations_double_where_two_in_a_row_bring_nothing(tmp_path):
    # Beads of an ideal gas, which no potential moves: at r = 1 the error of g of 100 configurations is some 0.03.
    engine = IdealMixture()
    target = mixture(np.where(R > 1.0, 1.0 + 0.075 * np.sin(8.0 * R), 1.0))
    settings = {"reweighting": False, "adaptive": False, "iterations": 4, "longest": 20_000}
    result = run(tmp_path, engine, target, **settings)
    assert all(2.0 < item.distance.chi2 < 10.0 for item in result.history[:3])
    assert [call[1] for call in engine.calls] == [10_000, 10_000, 10_000, 20_000]
    # What counts as noise stays that of the schedule; an exact target has none.
    last = run(tmp_path, engine, target, **settings).history[-1]
    assert last.longer == 2.0
    for pair, found in last.distances.items():
        assert found.chi2 == pytest.approx(0.5 * distance(last.rdfs[pair], target.rdfs[pair], 2.0).chi2)
    with pytest.raises(InputError, match="longest production, 100 steps"):
        run(tmp_path / "other", engine, target, longest=100)


def test_replicas_are_averaged_and_go_on_each_from_its_own(tmp_path):
    engine = IdealMixture()
    far = mixture(1.0 + 0.2 * np.exp(-((R - 1.0) ** 2)))
    options = {"adaptive": False, "reweighting": False, "iterations": 2, "replicas": Replicas(2)}
    result = run(tmp_path, engine, far, **options)
    assert [folder.name for folder, *_ in engine.calls] == ["replica_1", "replica_2"] * 2
    first = result.history[0]
    assert len(first.counts["A", "A"]) == 200
    assert len(first.others) == 1
    for call, before in zip(engine.calls[2:], (first.final, *first.others), strict=True):
        np.testing.assert_allclose(call[2], before.positions, atol=1e-12)


def measured(target, frames=400, seed=3, potentials=None):
    """Return the simulation of an ideal mixture with its counts."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-0.5, 0.5, (frames, N, 3)) * START.box
    kinds = {"units": "lj", "types": START.types, "species": START.species}
    trajectory = Trajectory(positions.astype(np.float32), START.box, **kinds)
    counts = Interactions(count_partial_pairs(trajectory, dr=0.05, r_max=2.0))
    return against(
        target,
        Record(
            index=0,
            potentials=Interactions(potentials or dict.fromkeys(PAIRS, FLAT)),
            rdfs=counts.map(lambda one: one.rdf()),
            distances=Interactions({}),
            final=START,
            pressure=0.4,
            pressure_error=0.01,
            counts=counts,
        ),
    )


def against(target, record):
    """The record with its differences to a target."""
    found = {pair: distance(record.rdfs[pair], target.rdfs[pair], 2.0) for pair in PAIRS}
    return dataclasses.replace(record, distances=Interactions(found))


def proposed(record, target, rule, **more):
    return propose(History((target,), ((record,),)), rule, **more)


def test_the_configurations_of_one_mixture_stand_for_another():
    target = mixture()
    item = measured(target)
    # Of unlike beads only: g of these answers at first order, with -U; those of like beads do not.
    u = 0.01 * np.exp(-((R - 1.0) ** 2) / 0.1)
    weak = PairPotential.shifted(R, u, units="lj")
    estimate = reweighted(item, Interactions({**dict.fromkeys(PAIRS, FLAT), ("A", "B"): weak}), target)
    assert estimate is not None
    change = {pair: estimate.rdfs[pair].g - item.rdfs[pair].g for pair in PAIRS}
    # The covariance of counts of independent pairs is their mean: dg = -g dU, and noise of g times that of energy:
    # 0.01 times the square root of 10 bins of 1/sqrt(400 frames).
    shown = np.abs(R - 1.0) < 0.2
    slope = -np.sum(change["A", "B"][shown] * u[shown]) / np.sum(u[shown] ** 2)
    assert slope == pytest.approx(1.0, abs=0.3)
    assert np.abs(change["A", "A"][shown]).max() < 0.5 * np.abs(change["A", "B"][shown]).max()
    # Pressure: -2 pi/3 rho_a rho_b 2 int U' g r^3 dr, of the derivative of what was added, to the noise of counts.
    expected = -4.0 * np.pi / 3.0 * 0.04 * np.sum(np.gradient(weak.u, R) * R**3) * 0.05
    assert estimate.pressure - item.pressure == pytest.approx(expected, rel=0.1)
    assert estimate.pressure_error >= item.pressure_error
    assert reweighted(item, all_of(bump(3.0)), target) is None
    assert reweighted(dataclasses.replace(item, counts=Interactions({})), item.potentials, target) is None


def test_small_updates_are_judged_without_a_simulation():
    reached = bump(0.002)
    item = measured(mixture())
    estimate = reweighted(item, all_of(reached), mixture())
    assert estimate is not None
    # What the configurations say of the potentials that the rule aims at, so that the way there helps.
    aim = Target(
        {pair: dataclasses.replace(one, error=None) for pair, one in estimate.rdfs.items()}, DENSITIES, 1.0
    )
    start = against(aim, item)
    proposal = proposed(start, aim, Towards(reached, part=0.6))
    assert proposal.at_noise
    assert proposal.skipped == 1
    assert proposal.made_by == proposal.estimate[0].made_by == "towards"
    plain = proposed(start, aim, Towards(reached, part=0.6), reweighting=False)
    assert (plain.skipped, plain.estimate) == (0, None)
    # A short simulation does not end a refinement, whatever its reweighting says; and an update that does not help
    # is simulated.
    short = dataclasses.replace(start, complete=False)
    assert not proposed(short, aim, Towards(reached, part=0.6)).at_noise
    assert proposed(start, aim, Towards(bump(-0.002))).skipped == 0


def test_a_rule_without_an_answer_for_what_was_weighted_leaves_the_last_that_it_had():
    # Inverse Monte Carlo needs configurations of their own weight.
    reached = bump(0.002)
    item = measured(mixture())
    estimate = reweighted(item, all_of(reached), mixture())
    aim = Target(
        {pair: dataclasses.replace(one, error=None) for pair, one in estimate.rdfs.items()}, DENSITIES, 1.0
    )
    start = dataclasses.replace(against(aim, item), complete=False)
    with pytest.raises(ConvergenceError, match="pair counts"):
        IMC()(History((aim,), ((start,), (estimate,))))

    def once(history):
        if not history.last[0].counts:
            raise ConvergenceError("inverse Monte Carlo needs the pair counts of every configuration")
        return Towards(reached, part=0.6)(history)

    proposal = proposed(start, aim, Rule(once))
    assert proposal.skipped == 1
    assert not proposal.at_noise
    # The cut-off is smoothed.
    np.testing.assert_allclose(proposal.potentials["A", "B"].u, 0.6 * reached.u, atol=1e-5)


def test_a_core_that_blows_up_is_tamed_and_said_so(tmp_path):
    target = mixture()
    rule = Towards(bump(0.8))
    far = mixture(1.0 + 0.2 * np.exp(-((R - 1.0) ** 2)))
    result = run(tmp_path, IdealMixture("core"), far, rule, iterations=2, reweighting=False)
    tried = result.history[1]
    assert len(tried.remarks) == 2
    assert tried.potentials["A", "B"].u[0] <= 0.5
    assert run(tmp_path / "calm", IdealMixture("core"), target, rule).history[0].remarks == ()


def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path):
    far = mixture(1.0 + 0.2 * np.exp(-((R - 1.0) ** 2)))
    with pytest.raises(EngineError, match=r"disk of .* is full.*1 finished simulation is kept"):
        run(tmp_path, IdealMixture("disk"), far, iterations=3)
    assert (tmp_path / "iteration_000").is_dir()
    assert not (tmp_path / "iteration_001").exists()


def test_the_wall_time_ends_it_with_a_sentence(tmp_path):
    far = mixture(1.0 + 0.2 * np.exp(-((R - 1.0) ** 2)))
    result = run(tmp_path, IdealMixture(), far, iterations=30, wall_time=1e-6)
    assert len(result.history) == 1
    assert "stopped before the wall time" in result.reason
    assert "run again on the same folder" in result.reason


def test_a_rule_without_an_answer_ends_it_with_the_best_and_a_sentence(tmp_path):
    def helpless(history):
        raise ConvergenceError("the inversion has no solution")

    far = mixture(1.0 + 0.2 * np.exp(-((R - 1.0) ** 2)))
    result = run(tmp_path, IdealMixture(), far, Rule(helpless), iterations=5)
    assert not result.converged
    assert result.potentials["A", "B"].u.tobytes() == FLAT.u.tobytes()
    assert (
        "update rule has no answer (the inversion has no solution): the best of 1 simulation is"
        in result.reason
    )
