"""Liquids that relax slowly: what they show is noticed, waited for, and not compared with what was too short."""

import dataclasses

import numpy as np
import pytest
from one_species import loop_of

from cginit import RDF, PairPotential, StatePoint
from cginit.configuration import Configuration, Trajectory
from cginit.engines.base import EngineRun, Schedule
from cginit.refine import IBI
from cginit.refine.relaxation import best_simulation, comparable, longer_equilibration, relaxes
from cginit.sampling import PairCounts
from cginit.units import unit_system

DENSITY, DR, N = 0.4, 0.05, 200
STATE = StatePoint(DENSITY, 1.0, "lj")
R = np.arange(41) * DR
EDGE = (N / DENSITY) ** (1 / 3)
FLAT = PairPotential(R, np.zeros(R.size), units="lj")
IDEAL = RDF(R, np.ones(R.size), units="lj")
FRAMES = 100


def counts(*, growth, seed=0, level=0.0):
    """Poisson counts of an ideal gas in which pairs at r = 1 gather: from `level` by `growth` times the ideal."""
    empty = PairCounts(R, np.zeros((FRAMES, R.size), np.int32), N, EDGE**3, unit_system("lj"))
    rate = np.tile(empty.ideal(), (FRAMES, 1))
    time = np.linspace(0.0, 1.0, FRAMES)
    rate[:, 18:23] *= 1.0 + level + growth * time[:, None]
    drawn = np.random.default_rng(seed).poisson(rate).astype(np.int32)
    return dataclasses.replace(empty, counts=drawn)


def test_a_growing_peak_is_noticed_and_a_steady_one_is_not():
    # Some 25 pairs in each of the bins; the peak grows by half, ten times the noise of a block.
    assert relaxes([(counts(growth=0.5), IDEAL, 2.0)])
    assert not relaxes([(counts(growth=0.0, level=0.5), IDEAL, 2.0)])


def test_false_alarms_are_as_rare_as_stated():
    found = sum(relaxes([(counts(growth=0.0, seed=seed), IDEAL, 2.0)]) for seed in range(250))
    # 1 is expected; more than 5 by chance in one of 1700 such tests (Poisson).
    assert found <= 5


def test_movement_that_hardly_matters_does_not_count():
    far = RDF(R, 1.0 + 20.0 * np.exp(-4.0 * (R - 0.5) ** 2), units="lj")
    assert not relaxes([(counts(growth=0.5), far, 2.0)])


def test_pairs_of_a_mixture_are_judged_together():
    still = counts(growth=0.0)
    assert relaxes([(still, IDEAL, 2.0), (counts(growth=0.5), IDEAL, 2.0)])
    assert not relaxes([(still, IDEAL, 2.0), (counts(growth=0.0, seed=1), IDEAL, 2.0)])


def test_too_few_configurations_tell_nothing():
    short = counts(growth=0.5)
    short = dataclasses.replace(short, counts=short.counts[:19])
    assert not relaxes([(short, IDEAL, 2.0)])
    assert not relaxes([])


@pytest.mark.parametrize(
    ("relaxed", "best"),
    [([0, 0], 0), ([9000, 0], 0), ([0, 9000], 1)],
    ids=["alike", "the first begins as no liquid does", "the second shows that the first was too short"],
)
def test_what_was_too_short_is_not_the_best(relaxed, best):
    assert best_simulation(relaxed, [True, True], [0.1, 0.2]) == best


def test_a_homogeneous_fluid_is_better_than_a_crystal():
    assert best_simulation([0, 0], [False, True], [0.1, 0.2]) == 1


def test_later_simulations_equilibrate_for_as_long():
    relaxed = [0, 9000, 0, 20_000, 0]
    assert [longer_equilibration(relaxed[:k], 1000, 25_000) for k in range(6)] == [
        1000, 1000, 10_000, 10_000, 26_000, 26_000,
    ]  # fmt: skip
    # The third equilibrates for as long as the second had to, the fourth for that and its own: 29 000 steps.
    assert comparable(relaxed) == [False, False, False, True, True]


@dataclasses.dataclass(frozen=True)
class Gathering:
    """An ideal gas whose beads pair up at 0.8 to 1.4 while the first two parts of a simulation run, and then stay."""

    gather: float = 0.8
    name: str = "gathering"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        frames = schedule.production // schedule.every
        rng = np.random.default_rng(seed)
        positions = rng.uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        part = {"engine": np.linspace(0.0, 0.25, frames), "engine_2": np.linspace(0.25, 1.0, frames)}
        paired = self.gather * part.get(workdir.name, np.ones(frames))
        for index, share in enumerate(paired):
            number = int(0.5 * share * start.n)
            step = rng.standard_normal((number, 3))
            step *= (rng.uniform(0.8, 1.4, number) / np.linalg.norm(step, axis=1))[:, None]
            positions[index, 1 : 2 * number : 2] = positions[index, 0 : 2 * number : 2] + step
        positions -= start.box * np.round(positions / start.box)
        trajectory = Trajectory(positions.astype(np.float32), start.box, units="lj")
        final = Configuration(positions[-1], start.box, units="lj")
        noise = rng.standard_normal(frames)
        return EngineRun(trajectory, final, noise, noise, self.name, "1", seed, schedule.steps, 1.0)


START = Configuration(np.random.default_rng(0).uniform(-3.0, 3.0, (N, 3)), np.full(3, EDGE), units="lj")
# An error so large that no run is far from it.
WIDE = RDF(R, np.ones(R.size), np.full(R.size, 0.1), units="lj")
SCHEDULE = Schedule(equilibration=10, production=10_000, every=100, push_off=5)


def loop(workdir, engine, **more):
    return loop_of(
        WIDE,
        STATE,
        FLAT,
        engine=engine,
        update=IBI(),
        workdir=workdir,
        schedule=SCHEDULE,
        start=START,
        **more,
    )


def test_a_simulation_that_still_moves_goes_on(tmp_path):
    (item,) = loop(tmp_path, Gathering()).step()
    # The first 10 000 steps of sampling count as equilibration; what follows has neither that nor a push-off.
    assert (item.relaxed, item.steps, len(item.counts.only())) == (10_000, 20_015, FRAMES)
    places = sorted(path.name for path in (tmp_path / "iteration_000").glob("engine*"))
    assert places == ["engine", "engine_2", "engine_3", "engine_4"]
    # g is that of the end: so many beads have one partner more in that shell. Some 5500 pairs know it to 1.3 %; four
    # times that.
    shell = slice(17, 28)
    more = 0.8 / (DENSITY * 4.0 / 3.0 * np.pi * (1.4**3 - 0.8**3))
    weights = R[shell] ** 2
    assert np.average(item.rdf.g[shell], weights=weights) == pytest.approx(1.0 + more, rel=0.055)


def test_one_that_does_not_move_ends(tmp_path):
    (item,) = loop(tmp_path, Gathering(gather=0.0)).step()
    assert (item.relaxed, item.steps) == (0, 10_015)


def test_without_adaptive_length_it_ends(tmp_path):
    (item,) = loop(tmp_path, Gathering(), adaptive=False).step()
    assert (item.relaxed, item.steps) == (0, 10_015)


def test_what_was_waited_for_survives_the_disk_and_lengthens_what_follows(tmp_path):
    first = loop(tmp_path, Gathering())
    # The second simulation gathers, too; the third knows how long that takes.
    first.step(), first.step()
    first.close()
    (before,) = first.rounds[1]
    assert before.relaxed > 0
    again = loop(tmp_path, Gathering())
    assert [done[0].relaxed for done in again.rounds] == [done[0].relaxed for done in first.rounds]
    assert again.step()[0].steps - before.steps == before.relaxed
