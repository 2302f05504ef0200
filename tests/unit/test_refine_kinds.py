"""Every feature of the refinement for every kind of system: the cells of the table in docs/refinement.md."""

import dataclasses
from contextlib import closing

import numpy as np
import pytest

from cginit import RDF, InputError, PairPotential
from cginit.configuration import Configuration, Trajectory
from cginit.engines.base import EngineRun, Schedule
from cginit.engines.dilute import DiluteEngine
from cginit.interactions import all_pairs, pair
from cginit.refine import (
    UPDATES,
    Distance,
    GaussNewton,
    Limits,
    Loop,
    Replicas,
    Settings,
    make_update,
    refine_system,
)
from cginit.refine.state_response import StateResponse
from cginit.refine.stop import Compromise
from cginit.target import Target

R = np.arange(31) * 0.1
CUTOFF = 21
SOFT = PairPotential.shifted(R[:CUTOFF], 0.3 * np.exp(-2.0 * R[:CUTOFF] ** 2), units="lj")
SCHEDULE = Schedule(equilibration=0, production=4_000, every=100, push_off=0)
KINDS = ("one", "mixture", "states", "states of mixtures")


@dataclasses.dataclass(frozen=True)
class Gas:
    """Positions at random whatever the potentials, of any species."""

    calls: list = dataclasses.field(default_factory=list, compare=False, repr=False)
    pressure: float = 0.2
    name: str = "gas"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        self.calls.append((workdir, schedule.production, seed))
        frames = schedule.production // schedule.every
        rng = np.random.default_rng(seed)
        positions = rng.uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        kinds = {"units": "lj", "types": start.types, "species": start.species}
        trajectory = Trajectory(positions.astype(np.float32), start.box, **kinds)
        final = Configuration(positions[-1], start.box, **kinds)
        noise = self.pressure + 0.01 * rng.standard_normal(frames)
        return EngineRun(trajectory, final, noise, noise, self.name, "1", seed, schedule.steps, 1.0)


def wanted(height=0.3):
    """g that no ideal gas has, so that there is something to do."""
    return RDF(R, 1.0 + height * np.exp(-((R - 1.0) ** 2) / 0.1), np.full(R.size, 1e-3), units="lj")


def targets(kind, pressure=None, height=0.3):
    g = wanted(height)

    def state(densities, kT=1.0):
        return Target(dict.fromkeys(all_pairs(densities), g), densities, kT, pressure)

    return {
        "one": [state({"A": 0.3})],
        "mixture": [state({"A": 0.15, "B": 0.15})],
        "states": [state({"A": 0.3}), state({"A": 0.25}, 0.8)],
        "states of mixtures": [state({"A": 0.15, "B": 0.15}), state({"B": 0.3}, 1.2)],
    }[kind]


def starts(states):
    found = []
    for one in states:
        counts = one.counts(160)
        types = np.repeat(np.arange(len(counts)), list(counts.values()))
        edge = np.full(3, (types.size / one.state.density) ** (1 / 3))
        positions = np.random.default_rng(0).uniform(-0.5, 0.5, (types.size, 3)) * edge
        found.append(Configuration(positions, edge, units="lj", types=types, species=one.species))
    return found


def loop(folder, states, engine, update="ibi", **settings):
    names = {name for one in states for name in one.pairs}
    held = settings.pop("held", ())
    return Loop(
        states,
        dict.fromkeys(names, SOFT),
        engine=engine,
        update=update,
        workdir=folder,
        settings=Settings(schedule=SCHEDULE, **{"adaptive": False, "reweighting": False} | settings),
        held=held,
        starts=starts(states),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UPDATES)
def test_every_update_changes_every_interaction(kind, name, tmp_path):
    states = targets(kind)
    with closing(loop(tmp_path, states, Gas(), make_update(name, 0.5))) as running:
        running.step()
        after = running.proposal.potentials
    assert set(after) == {pair for one in states for pair in one.pairs}
    for potential in after.values():
        assert np.max(np.abs(potential.u - SOFT.u)) > 1e-3
        assert potential.u[-1] == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_damping(kind, tmp_path):
    steps = []
    for damping in (1.0, 0.25):
        with closing(
            loop(tmp_path / str(damping), targets(kind), Gas(), make_update("ibi", damping))
        ) as running:
            running.step()
            steps.append(running.update(running.history).changes)
    for name, whole in steps[0].items():
        # A bin that saw no pair moves by the limit, whatever the damping.
        free = np.all(
            [done.rdfs[name].g[:CUTOFF] > 0.0 for done in running.rounds[0] if name in done.rdfs], axis=0
        )
        assert np.count_nonzero(free) > 15
        np.testing.assert_allclose(steps[1][name][free], 0.25 * whole[free], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_pressure_and_kirkwood_buff_ramps_point_the_right_way(kind, tmp_path):
    found = {}
    for pressure in (0.1, 0.3):
        states = targets(kind, pressure, height=0.0)
        rule = make_update("ibi", pressure=True, kirkwood_buff=True)
        with closing(loop(tmp_path / str(pressure), states, Gas(), rule)) as running:
            running.step()
            found[pressure] = running.update(running.history).changes
    for name, low in found[0.1].items():
        # The sampled pressure is 0.2: one asks for less, the other for more.
        assert found[0.3][name][0] - low[0] == pytest.approx(0.2, rel=0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pressure_that_is_not_reached_does_not_converge(kind, tmp_path):
    states = [dataclasses.replace(one, pressure=5.0) for one in targets(kind, height=0.0)]
    result = run(tmp_path, states, Gas(), cap=2)
    assert not result.converged
    assert "wanted: 5" in result.reason


def run(folder, states, engine, *, cap=3, wall_time=None, **settings):
    names = {name for one in states for name in one.pairs}
    options = {"adaptive": False, "reweighting": False} | settings
    return refine_system(
        states,
        dict.fromkeys(names, SOFT),
        engine,
        "ibi",
        workdir=folder,
        settings=Settings(schedule=SCHEDULE, limits=Limits(cap, wall_time), **options),
        starts=starts(states),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_several_states_end_in_a_compromise_that_counts_its_rounds(kind, tmp_path):
    states = targets(kind)
    result = refine_system(
        states,
        dict.fromkeys({name for one in states for name in one.pairs}, SOFT),
        Gas(),
        "ibi",
        workdir=tmp_path,
        settings=Settings(
            schedule=SCHEDULE, limits=Limits(30 if len(states) > 1 else 4), adaptive=False, reweighting=False
        ),
        starts=starts(states),
        stop=(Compromise(2),),
    )
    assert result.compromise == (len(states) > 1)
    if result.compromise:
        assert result.best == len(result.rounds) - 3
        assert f"2 rounds brought no improvement over round {result.best}" in result.reason


@pytest.mark.parametrize("kind", KINDS)
def test_one_pair_learns_from_earlier_answers_and_several_on_request(kind, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(StateResponse, "taught", lambda state, before: asked.append(len(before)) or 0.0)
    states = targets(kind)
    with closing(loop(tmp_path, states, Gas())) as running:
        for _ in range(2):
            running.step()
        history = running.history
    found = {}
    for learning in (None, True, False):
        asked.clear()
        GaussNewton(learning=learning)(history)
        found[learning] = list(asked)
    pairs = [len(one.pairs) for one in states]
    # From the one simulation before the last.
    assert found[True] == [1] * len(states)
    assert found[False] == []
    assert found[None] == [1] * pairs.count(1)


@pytest.mark.parametrize("kind", KINDS)
def test_wall_time_and_continuation_bit_for_bit(kind, tmp_path):
    states = targets(kind)
    whole = run(tmp_path / "whole", states, Gas())
    short = run(tmp_path / "parts", states, Gas(), wall_time=1e-9)
    assert len(short.rounds) == 1
    assert "before the wall time" in short.reason
    # What a kill in the middle of the last state of a round leaves behind.
    last = tmp_path / "parts" / (f"state_{len(states) - 1}" if len(states) > 1 else "")
    (last / "iteration_001.partial" / "engine").mkdir(parents=True)
    engine = Gas()
    parts = run(tmp_path / "parts", states, engine)
    assert len(engine.calls) == 2 * len(states)
    for x, y in zip(whole.rounds, parts.rounds, strict=True):
        for a, b in zip(x, y, strict=True):
            assert a.distance == b.distance
            for name in a.potentials:
                assert a.potentials[name].u.tobytes() == b.potentials[name].u.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_replicas(kind, tmp_path):
    states, engine = targets(kind), Gas()
    with closing(loop(tmp_path, states, engine, replicas=Replicas(2))) as running:
        finished = running.step()
    assert [call[0].name for call in engine.calls] == ["replica_1", "replica_2"] * len(states)
    assert len({call[2] for call in engine.calls}) == 2 * len(states)
    for record in finished:
        assert len(record.others) == 1
        assert len(next(iter(record.counts.values()))) == 80


@pytest.mark.parametrize("kind", KINDS)
def test_a_simulation_far_from_its_target_ends_early(kind, tmp_path):
    states = targets(kind, height=5.0)
    with closing(loop(tmp_path, states, Gas(), adaptive=True)) as running:
        assert [record.complete for record in running.step()] == [False] * len(states)


@pytest.mark.parametrize("kind", KINDS)
def test_simulations_grow_where_noise_leaves_no_way_on(kind, tmp_path):
    states, engine = targets(kind), Gas()
    with closing(loop(tmp_path, states, engine, longest=8_000)) as running:
        done = running.step()
        # Near the target, not at the noise, and no better than what was before, twice.
        stuck = Distance(5.0, 1e-4, 0.0, 0.0)
        done = tuple(
            dataclasses.replace(record, distances=record.distances.map(lambda _: stuck)) for record in done
        )
        running.rounds[:] = [done, done, done]
        running.step()
    assert [call[1] for call in engine.calls] == [4_000] * len(states) + [8_000] * len(states)


@pytest.mark.parametrize("kind", KINDS)
def test_reweighting_judges_small_updates(kind, tmp_path):
    # What an ideal gas has, weighted for potentials of a hundredth of kT: a target that one update reaches.
    states = targets(kind, height=0.01)
    result = run(tmp_path, states, Gas(), cap=1, reweighting=True)
    assert result.converged or result.skipped == 0
    assert len(result.rounds) == 1


@pytest.mark.parametrize("kind", ["mixture", "states of mixtures"])
def test_what_is_held_stays(kind, tmp_path):
    states = targets(kind)
    with closing(loop(tmp_path, states, Gas(), "imc", held=["A-B"])) as running:
        running.step()
        after = running.proposal.potentials
    np.testing.assert_array_equal(after["A-B"].u, SOFT.u)
    assert np.max(np.abs(after["B-B"].u - SOFT.u)) > 1e-3
    record = running.rounds[0][0]
    assert record.held == {pair("A", "B")}
    assert record.distance.chi2 == max(record.distances["A-A"].chi2, record.distances["B-B"].chi2)


@pytest.mark.parametrize("kind", ["one", "states"])
def test_if_all_is_held_there_is_nothing_to_refine(kind, tmp_path):
    with pytest.raises(InputError, match="nothing would be refined"):
        loop(tmp_path, targets(kind), Gas(), held=["A-A"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_analytic_engine_says_what_it_cannot(kind, tmp_path):
    with closing(loop(tmp_path, targets(kind), DiluteEngine())) as running:
        if kind in ("one", "states"):
            assert len(running.step()) == len(targets(kind))
        else:
            with pytest.raises(InputError, match="one species"):
                running.step()
