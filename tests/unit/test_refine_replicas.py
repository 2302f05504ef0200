"""Several simulations of one potential in an iteration, and simulations that grow longer."""

import dataclasses

import numpy as np
import pytest
from one_species import AA, loop_of

from cginit import RDF, InputError, PairPotential, StatePoint
from cginit.configuration import Configuration, Trajectory, random_configuration
from cginit.engines.base import EngineRun, Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.interactions import Interactions
from cginit.refine import IBI, Distance, Replicas, open_replicas
from cginit.refine.convergence import distance
from cginit.refine.length import longer_production
from cginit.sampling import PairCounter, count_pairs

R = np.arange(41) * 0.05
STATE = StatePoint(0.4, 1.0, "lj")
FLAT = PairPotential(R, np.zeros(R.size), units="lj")
ONES = RDF(R, np.ones(R.size), units="lj")
N = 200
EDGE = (N / STATE.density) ** (1 / 3)
START = Configuration(np.random.default_rng(0).uniform(-3.0, 3.0, (N, 3)), np.full(3, EDGE), units="lj")
SCHEDULE = Schedule(equilibration=0, production=8_000, every=100, push_off=0)


@dataclasses.dataclass(frozen=True)
class IdealGas:
    """Positions at random whatever the potential; it notes where each run began, and with what seed."""

    calls: list = dataclasses.field(default_factory=list, compare=False, repr=False)
    name: str = "ideal gas"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        self.calls.append((seed, start.positions[0, 0], workdir.name, schedule.production))
        frames = schedule.production // schedule.every
        rng = np.random.default_rng(seed)
        positions = rng.uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        trajectory = Trajectory(positions.astype(np.float32), start.box, units="lj")
        final = Configuration(positions[-1], start.box, units="lj")
        energy = rng.standard_normal(frames)
        (workdir / "trajectory.dump").write_text("large")
        return EngineRun(trajectory, final, energy, energy, self.name, "1", seed, schedule.steps, 1.0)


def loop(folder, engine, **more):
    return loop_of(
        ONES, STATE, FLAT, engine=engine, update=IBI(), workdir=folder, schedule=SCHEDULE, start=START, **more
    )


def test_replicas_are_averaged_and_go_on_each_from_its_own(tmp_path):
    single, several = IdealGas(), IdealGas()
    (one,) = loop(tmp_path / "one", single).step()
    (item,) = loop(tmp_path / "three", several, replicas=Replicas(3)).step()
    # Two parts, a quarter and the rest, of three replicas.
    assert [call[2] for call in several.calls] == [f"replica_{k}" for k in (1, 2, 3)] * 2
    assert [len(one.counts.only()), len(item.counts.only())] == [80, 240]
    assert len({call[0] for call in several.calls}) == 6
    assert (several.calls[0][0], several.calls[3][0]) == (single.calls[0][0], single.calls[1][0])
    assert len({call[1] for call in several.calls[3:]}) == 3
    assert item.steps == 3 * one.steps
    # The mean of three; an error from ten blocks is itself known to 24 %, its mean over 30 points to some 4 %.
    ratio = np.mean(item.rdf.error[10:]) / np.mean(one.rdf.error[10:])
    assert ratio == pytest.approx(1.0 / np.sqrt(3.0), rel=0.2)
    # Nothing large stays, and the next iteration goes on from all three.
    assert not list((tmp_path / "three").rglob("trajectory.dump"))
    again = IdealGas()
    resumed = loop(tmp_path / "three", again, replicas=Replicas(3))
    assert len(resumed.rounds[0][0].others) == 2
    resumed.step()
    resumed.close()
    finals = [resumed.rounds[0][0].final, *resumed.rounds[0][0].others]
    assert [call[1] for call in again.calls[:3]] == [one.positions[0, 0] for one in finals]
    with pytest.raises(InputError, match="replicas: 3 there, None here"):
        loop(tmp_path / "three", IdealGas())


def test_the_number_of_replicas_is_checked():
    with pytest.raises(InputError, match="at least 1"):
        Replicas(0)
    with pytest.raises(InputError, match="one simulation only"), open_replicas(1, "tcp://host:8786"):
        pass


@pytest.mark.lammps
@pytest.mark.slow
def test_a_cluster_gives_what_one_process_gives(tmp_path):
    u = 2.0 * np.exp(-4.0 * R**2)
    soft = PairPotential.shifted(R, u, units="lj")
    start = random_configuration(200, STATE.density, seed=1, units="lj")

    def run(folder, replicas):
        return loop_of(
            ONES, STATE, soft, engine=LammpsEngine(), update=IBI(), workdir=folder, start=start, adaptive=False,
            schedule=Schedule(equilibration=100, production=400, every=20), replicas=replicas,
        ).step()[0]  # fmt: skip

    with open_replicas(2) as replicas:
        there = run(tmp_path / "there", replicas)
    here = run(tmp_path / "here", Replicas(2))
    np.testing.assert_array_equal(there.rdf.g, here.rdf.g)
    np.testing.assert_array_equal(there.others[0].positions, here.others[0].positions)


NOISE = Distance(1.5, 1e-6, 0.0, 0.0)


def with_distance(record, found):
    return dataclasses.replace(record, distances=Interactions({AA: found}), complete=True)


def near(lmse, chi2=5.0):
    return Distance(chi2, lmse, 0.0, 0.0)


def test_each_configuration_is_counted_once_and_in_its_place(tmp_path, monkeypatch):
    plain, seen = PairCounter.count, []

    def count(self, positions, vectors):
        seen.append(positions)
        return plain(self, positions, vectors)

    monkeypatch.setattr(PairCounter, "count", count)
    (item,) = loop(tmp_path, IdealGas(), replicas=Replicas(2)).step()
    # A quarter, judged on its own, and the rest.
    counts = item.counts.only()
    assert len(seen) == len(counts) == 160
    whole = Trajectory(np.array(seen), START.box, units="lj")
    direct = count_pairs(whole, dr=0.05, r_max=float(counts.r[-1]))
    assert np.array_equal(counts.counts, direct.counts)


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ([], 100),
        ([near(1.0)], 100),
        # Getting better.
        ([near(1.0), near(0.5), near(0.25), near(0.12)], 100),
        # Stuck once is bad luck; twice, the simulations double; and again, up to the cap.
        ([near(1.0), near(0.95)], 100),
        ([near(1.0), near(0.95), near(1.1)], 200),
        ([near(1.0), *[near(1.0)] * 4], 350),
        ([near(1.0), *[near(1.0)] * 9], 350),
        # Far from the target the noise is not what holds it back.
        ([near(1.0, 50.0), *[near(1.0, 50.0)] * 4], 100),
        ([near(1.0), near(0.95), near(0.2), near(0.19)], 100),
    ],
)
def test_simulations_double_where_two_in_a_row_bring_nothing(tmp_path, distances, expected):
    made = loop(tmp_path, IdealGas())
    (item,) = made.step()
    rounds = [(with_distance(item, one),) for one in distances]
    assert longer_production(rounds, made.targets, 100, 350) == expected
    short = [(dataclasses.replace(one, complete=False),) for (one,) in rounds]
    assert longer_production(short, made.targets, 100, 350) == 100


def test_the_loop_simulates_as_long_as_that(tmp_path):
    engine = IdealGas()
    made = loop(tmp_path, engine, adaptive=False, reweighting=False, longest=20_000)
    (item,) = made.step()
    stuck = (with_distance(item, near(1.0)),)
    made.rounds[:] = [stuck, stuck, stuck]
    (grown,) = made.step()
    assert [call[3] for call in engine.calls] == [8_000, 16_000]
    # What counts as noise stays that of the schedule; an exact target has none.
    assert (item.longer, grown.longer) == (1.0, 2.0)
    assert grown.distance.chi2 == pytest.approx(0.5 * distance(grown.rdf, ONES, 2.0).chi2)
    with pytest.raises(InputError, match="longest production, 100 steps"):
        loop(tmp_path / "other", IdealGas(), longest=100)
