"""What may go wrong in a refinement, and that it recovers or stops with a sentence that helps."""

import dataclasses
import errno

import numpy as np
import pytest
from one_species import AA, history_of, loop_of, record_of

from cginit import RDF, EngineError, InputError, PairPotential, StatePoint, refine
from cginit.configuration import Configuration, Trajectory, random_configuration
from cginit.engines.base import EngineRun, Schedule
from cginit.errors import ConvergenceError, UnstableError
from cginit.interactions import Interactions
from cginit.liquid import solve
from cginit.refine import IBI, IMC, Limits, Settings, Step, refine_system
from cginit.refine.reweighting import propose, reweighted
from cginit.refine.simulation import reach_of
from cginit.target import Target

DENSITY, DR = 0.4, 0.05
STATE = StatePoint(DENSITY, 1.0, "lj")
R = np.arange(41) * DR
SOFT = PairPotential.shifted(R, 3.0 * np.exp(-2.0 * R**2), units="lj")
FLAT = PairPotential(R, np.zeros(R.size), units="lj")
N = 200
EDGE = (N / DENSITY) ** (1 / 3)
START = Configuration(np.random.default_rng(0).uniform(-3.0, 3.0, (N, 3)), np.full(3, EDGE), units="lj")
# Large, so that what a closed box does to g is negligible: an integral equation has no box.
BIG = Configuration(np.random.default_rng(0).uniform(-30.0, 30.0, (50_000, 3)), np.full(3, 50.0), units="lj")
NOISE = 1e-3
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))


@dataclasses.dataclass(frozen=True)
class IdealGas:
    """Positions at random whatever the potential, as a real engine would return them."""

    name: str = "ideal gas"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        frames = schedule.production // schedule.every
        rng = np.random.default_rng(seed)
        positions = rng.uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        trajectory = Trajectory(positions.astype(np.float32), start.box, units="lj")
        final = Configuration(positions[-1], start.box, units="lj")
        energy = rng.standard_normal(frames)
        return EngineRun(trajectory, final, energy, energy, self.name, "1", seed, schedule.steps, 1.0)


@dataclasses.dataclass(frozen=True)
class Closure:
    """The hypernetted chain in place of a simulation, with noise, and with the failures that a test asks for."""

    fail: str = ""
    name: str = "closure"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        (workdir / "log").write_text("ran")
        index = int(workdir.parent.name.split("_")[1].split(".")[0])
        if self.fail == "disk" and index == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.fail == "time step" and index == 1 and schedule.dt > 0.004:
            raise UnstableError("atoms were lost")
        if self.fail == "potential" and index == 1 and potential.u[0] > 2.0:
            raise UnstableError("atoms were lost")
        if self.fail == "always" and index == 1:
            raise UnstableError("atoms were lost")
        fluid = solve(potential.r, potential.u, state.density)
        r = np.arange(81) * DR
        g = np.concatenate([fluid.g[:1], fluid.g[:80]])
        error = NOISE * np.sqrt(g) / np.maximum(r, DR)
        g = np.maximum(g + error * np.random.default_rng(seed).standard_normal(g.size), 0.0)
        ones = np.ones(20)
        rdf = RDF(r, g, error, units="lj")
        return EngineRun(None, start, ones, ones, self.name, "1", seed, schedule.steps, 0.0, rdf)


def target(density=DENSITY):
    fluid = solve(R, SOFT.u, density)
    return RDF(np.arange(81) * DR, np.concatenate([fluid.g[:1], fluid.g[:80]]), units="lj")


def run(workdir, engine, update="auto", limits=None, **more):
    return refine(
        target(),
        STATE,
        FLAT,
        engine,
        update,
        workdir=workdir,
        limits=limits or Limits(8),
        start=START,
        **more,
    )


def test_a_simulation_far_from_the_target_is_ended_early(tmp_path):
    schedule = Schedule(equilibration=10, production=10_000, every=100, push_off=5)
    near = RDF(R, np.ones(R.size), units="lj")
    far = RDF(R, 1.0 + 3.0 * np.exp(-((R - 1.0) ** 2)), units="lj")
    lengths = []
    for name, wanted, adaptive in (("far", far, True), ("near", near, True), ("whole", far, False)):
        loop = loop_of(
            wanted, STATE, FLAT, engine=IdealGas(), update=IBI(), workdir=tmp_path / name, schedule=schedule,
            start=START, adaptive=adaptive,
        )  # fmt: skip
        (item,) = loop.step()
        lengths.append((item.steps, len(item.counts.only()), item.complete))
    # A quarter of 100 frames; the second part neither equilibrates nor pushes off.
    assert lengths == [(2_515, 25, False), (10_015, 100, True), (10_015, 100, True)]
    assert sorted(p.name for p in (tmp_path / "near" / "iteration_000").glob("engine*")) == [
        "engine",
        "engine_2",
    ]


def test_counts_survive_the_disk(tmp_path):
    schedule = Schedule(equilibration=0, production=6_000, every=100)
    near = RDF(R, np.ones(R.size), units="lj")

    def loop():
        return loop_of(
            near,
            STATE,
            FLAT,
            engine=IdealGas(),
            update=IBI(),
            workdir=tmp_path,
            schedule=schedule,
            start=START,
        )

    running = loop()
    (first,) = running.step()
    running.close()
    again = loop().rounds[0][0]
    np.testing.assert_array_equal(again.counts.only().counts, first.counts.only().counts)
    np.testing.assert_array_equal(again.counts.only().rdf().g, first.rdf.g)
    assert again.is_noise


def test_an_incomplete_simulation_does_not_converge(tmp_path):
    schedule = Schedule(equilibration=10, production=10_000, every=100, push_off=5)
    (item,) = loop_of(
        target(),
        STATE,
        FLAT,
        engine=IdealGas(),
        update=IBI(),
        workdir=tmp_path,
        schedule=schedule,
        start=START,
    ).step()
    flattering = item.distances.map(lambda one: dataclasses.replace(one, chi2=1.0))
    flattered = dataclasses.replace(item, distances=flattering)
    assert flattered.distance.is_noise
    assert not flattered.is_noise


def test_g_is_sampled_as_far_as_the_box_allows():
    assert reach_of(target(), 2.0, EDGE, beyond_cutoff=False) == pytest.approx(2.0)
    assert reach_of(target(), 2.0, EDGE, beyond_cutoff=True) == pytest.approx(3.9)  # half the box is 3.97
    assert reach_of(target(), 2.0, 100.0, beyond_cutoff=True) == pytest.approx(5.0)


def test_a_run_that_blows_up_is_repeated_with_a_shorter_step(tmp_path):
    result = run(tmp_path, Closure("time step"))
    assert result.converged, result.reason
    assert "shorter time step" in result.history[1].remarks[0]
    assert not result.history[0].remarks


def test_a_potential_that_blows_up_is_tamed(tmp_path):
    result = run(tmp_path, Closure("potential"))
    assert result.converged, result.reason
    assert len(result.history[1].remarks) == 2
    assert result.history[1].potential.u[0] <= 2.0


def test_what_cannot_run_is_an_error_and_what_was_done_stays(tmp_path):
    with pytest.raises(EngineError, match="atoms were lost"):
        run(tmp_path, Closure("always"))
    assert (tmp_path / "iteration_000").is_dir()
    assert not (tmp_path / "iteration_001").exists()


def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path, monkeypatch):
    whole = run(tmp_path / "whole", Closure(), IBI())
    assert len(whole.history) > 3
    with pytest.raises(
        EngineError, match=r"disk of .* is full.*2 finished simulations are kept.*same command"
    ):
        run(tmp_path / "full", Closure("disk"), IBI())

    # The same when it is the loop itself that finds no room.
    save = np.savez_compressed
    calls = []

    def full(stream, **arrays):
        calls.append(1)
        if len(calls) == 4:
            stream.write(b"half a file")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(stream, **arrays)

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(EngineError, match="is full"):
        run(tmp_path / "loop", Closure(), IBI())
    monkeypatch.undo()
    assert (tmp_path / "loop" / "iteration_001").is_dir()
    again = run(tmp_path / "loop", Closure(), IBI())
    assert len(again.history) == len(whole.history)
    assert again.potential.u.tobytes() == whole.potential.u.tobytes()


def test_automatic_converges_in_a_few_and_a_continued_run_is_bit_identical(tmp_path):
    whole = run(tmp_path / "whole", Closure())
    assert whole.converged, whole.reason
    # From no potential at all: two updates that find it, and one or two for the noise of the first ones.
    assert len(whole.history) <= 5
    run(tmp_path / "parts", Closure(), limits=Limits(1))
    parts = run(tmp_path / "parts", Closure())
    assert [x.potential.u.tobytes() for x in parts.history] == [
        x.potential.u.tobytes() for x in whole.history
    ]


def test_a_density_that_is_off_ends_with_a_potential_that_helps_itself(tmp_path):
    # g(r) belongs to a density 5 % higher; a potential has it at this one as well, or the loop says how near it came.
    result = refine(
        target(1.05 * DENSITY), STATE, FLAT, Closure(), workdir=tmp_path, limits=Limits(6), start=BIG
    )
    first, best = result.history[0].distance.lmse, result.history[result.best].distance.lmse
    assert best < 0.01 * first
    assert result.converged or "run again with a higher cap" in result.reason


def test_a_folder_of_an_older_layout_is_refused_for_going_on_and_still_read(tmp_path):
    from cginit.refine.store import Store

    run(tmp_path, Closure(), limits=Limits(1))
    settings = tmp_path / "refinement.json"
    settings.write_text(settings.read_text().replace('"format_version": 3', '"format_version": 1'))
    with pytest.raises(InputError, match="format 1"):
        run(tmp_path, Closure())
    assert len(Store(tmp_path).rounds()) == 1


@dataclasses.dataclass(frozen=True)
class Mixture:
    """An ideal gas of two species that clusters or blows up in the second iteration, and tells where it starts."""

    fail: str
    starts: list = dataclasses.field(default_factory=list, compare=False, repr=False)
    name: str = "mixture"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        index = int(workdir.parent.name.split("_")[1].split(".")[0])
        self.starts.append((index, schedule.dt, start.positions))
        if index == 1 and self.fail == "unstable" and schedule.dt > 0.004:
            raise UnstableError("atoms were lost")
        frames = schedule.production // schedule.every
        part = 0.5 if index == 1 and self.fail == "cluster" else 1.0
        positions = np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        positions[:, :, 0] *= part
        kinds = {"units": "lj", "types": start.types, "species": start.species}
        trajectory = Trajectory(positions.astype(np.float32), start.box, **kinds)
        final = Configuration(positions[-1], start.box, **kinds)
        noise = np.random.default_rng(seed).standard_normal(frames)
        return EngineRun(trajectory, final, noise, noise, self.name, "1", seed, schedule.steps, 1.0)


@pytest.mark.parametrize("fail", ["cluster", "unstable"])
def test_a_mixture_recovers(tmp_path, fail):
    engine = Mixture(fail)
    # What an ideal gas does not have, so that it goes on.
    mixture = Target(dict.fromkeys(PAIRS, target()), {"A": 0.2, "B": 0.2}, 1.0)
    beads = {"A": N // 2, "B": N // 2}
    start = random_configuration(beads, DENSITY, seed=1, units="lj", separation=0.1)
    flat = dict.fromkeys(PAIRS, FLAT)
    schedule = Schedule(equilibration=10, production=2_000, every=100, push_off=5, dt=0.005)
    settings = Settings(schedule=schedule, limits=Limits(3), reweighting=False)
    result = refine_system(mixture, flat, engine, "ibi", workdir=tmp_path, settings=settings, starts=[start])
    first, second, third = result.history
    assert first.homogeneous
    assert second.homogeneous == (fail == "unstable")
    sound = second if fail == "unstable" else first
    index, _, positions = engine.starts[-1]
    assert index == 2
    np.testing.assert_allclose(positions, sound.final.positions, atol=1e-9)
    assert third.homogeneous
    # The same potential with a shorter step.
    assert [dt for index, dt, _ in engine.starts if index == 1] == (
        [0.005] if fail == "cluster" else [0.005, pytest.approx(0.002)]
    )


def test_a_rule_without_an_answer_for_what_was_weighted_leaves_the_last_that_it_had(tmp_path):
    # Inverse Monte Carlo needs configurations of their own weight.
    schedule = Schedule(equilibration=0, production=20_000, every=100)
    near = RDF(R, np.ones(R.size), units="lj")
    loop = loop_of(
        near, STATE, FLAT, engine=IdealGas(), update=IBI(), workdir=tmp_path, schedule=schedule, start=START
    )
    (item,) = loop.step()
    # Weak enough that most configurations count: some 1000 pairs of it.
    u = 0.003 * (1.0 - (R / 2.0) ** 2) ** 2
    wanted = PairPotential.shifted(R, u, units="lj")
    weighted = reweighted(item, Interactions({AA: wanted}), Target.of(near, STATE))
    aim = dataclasses.replace(weighted.rdf, error=None)

    def once(history):
        if not history.last[0].counts:
            raise ConvergenceError("no counts")
        return Step(0, Interactions({AA: 0.6 * wanted.u}), 0.0)

    bare = dataclasses.replace(item, counts=Interactions({}))
    with pytest.raises(ConvergenceError, match="pair counts"):
        IMC()(history_of(aim, STATE, bare))
    short = record_of(FLAT, item.rdf, aim, START, counts=item.counts.only(), complete=False)
    proposal = propose(history_of(aim, STATE, short), once)
    assert proposal.skipped == 1
    # The cut-off is smoothed, and the core made anew.
    np.testing.assert_allclose(proposal.potentials.only().u, 0.6 * wanted.u, atol=1e-3)


@dataclasses.dataclass(frozen=True)
class Helpless:
    """A rule that has no answer after the second simulation."""

    name: str = "helpless"
    beyond_cutoff: bool = False

    def __call__(self, history):
        if len(history) > 1:
            raise ConvergenceError("the inversion has no solution")
        return IBI()(history)


def test_a_rule_without_an_answer_ends_it_with_the_best_and_a_sentence(tmp_path):
    result = run(tmp_path, Closure(), Helpless(), reweighting=False)
    assert not result.converged
    assert len(result.history) == 2
    assert np.array_equal(result.potential.u, result.history[result.best].potential.u)
    assert repr(result) == "<refinement of A-A: 2 rounds, no answer>"
    assert "update helpless has no answer (the inversion has no solution)" in result.reason
    assert "auto or ibi" in result.reason
