"""The loop of several states: what goes wrong in one of them, and that all recover or stop with a sentence."""

import dataclasses

import numpy as np
import pytest

from cginit import RDF, EngineError, InputError, PairPotential, StatePoint
from cginit.configuration import Configuration, Trajectory
from cginit.curves import force
from cginit.engines.base import EngineRun, Schedule
from cginit.errors import UnstableError
from cginit.refine import Limits, Settings, refine_system
from cginit.target import Target

R = np.arange(41) * 0.05
U = 0.8 * (1.0 - (R / 2.0) ** 2) ** 2
FIRST = PairPotential(R, U, force(R, U), units="lj")
SCHEDULE = Schedule(equilibration=10, production=2_000, every=100, push_off=5)


@dataclasses.dataclass(frozen=True)
class IdealGas:
    """Positions at random whatever the potential; in the denser state it fails as a test asks."""

    fail: str = dataclasses.field(default="", repr=False)
    calls: list = dataclasses.field(default_factory=list, compare=False, repr=False)
    name: str = "ideal gas"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        number = int(workdir.parent.name.split("_")[1].split(".")[0])
        dense = state.density > 0.3
        self.calls.append((number, dense, schedule.dt, start.positions, potential.u))
        if dense and number == 1 and self.fail == "unstable" and schedule.dt > 0.004:
            raise UnstableError("atoms were lost")
        if dense and number == 1 and self.fail == "disk":
            raise OSError(28, "No space left on device")
        frames = schedule.production // schedule.every
        rng = np.random.default_rng(seed)
        positions = rng.uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        clustered = self.fail == "always" or (self.fail == "cluster" and number == 1)
        if dense and clustered:
            positions[:, :, 0] *= 0.5
        trajectory = Trajectory(positions.astype(np.float32), start.box, units="lj")
        final = Configuration(positions[-1], start.box, units="lj")
        noise = rng.standard_normal(frames)
        return EngineRun(trajectory, final, noise, noise, self.name, "1", seed, schedule.steps, 1.0)


def run(folder, engine, iterations=3, wall_time=None):
    # What an ideal gas does not have, so that it goes on.
    r = np.arange(61) * 0.05
    far = RDF(r, 1.0 + 0.2 * np.exp(-((r - 1.0) ** 2)), units="lj")
    states = [Target.of(far, StatePoint(density, 1.0, "lj")) for density in (0.2, 0.4)]
    settings = Settings(schedule=SCHEDULE, limits=Limits(iterations, wall_time))
    return refine_system(states, {"A-A": FIRST}, engine, "ibi", workdir=folder, settings=settings)


def test_a_cluster_is_not_where_the_next_round_starts_and_part_of_its_step_is_next(tmp_path):
    engine = IdealGas("cluster")
    result = run(tmp_path, engine)
    first, second, third = (done[1] for done in result.rounds)
    assert [item.homogeneous for item in (first, second, third)] == [True, False, True]
    start = next(call[3] for call in engine.calls if call[0] == 2 and call[1])
    np.testing.assert_allclose(start, first.final.positions, atol=1e-9)
    part = (third.potential.u - first.potential.u)[5:-5] / (second.potential.u - first.potential.u)[5:-5]
    # The least part: what g of a cluster says of the way is nothing.
    np.testing.assert_allclose(part, 0.15, atol=1e-6)


def test_half_the_potential_is_next_as_long_as_a_state_clusters(tmp_path):
    result = run(tmp_path, IdealGas("always"), iterations=3)
    # These beads overlap, so that what the closure makes of the target comes first.
    assert [done[0].made_by for done in result.rounds] == ["start", "closure", "half"]
    _, before, after = (done[0].potential for done in result.rounds)
    np.testing.assert_allclose(after.u[5:-5], 0.5 * before.u[5:-5], atol=1e-3)


def test_a_state_that_blows_up_is_repeated_with_a_shorter_step(tmp_path):
    engine = IdealGas("unstable")
    result = run(tmp_path, engine, iterations=2)
    assert "shorter time step" in result.rounds[1][1].remarks[0]
    assert result.rounds[1][0].remarks == ()
    assert [call[2] for call in engine.calls if call[:2] == (1, True)] == [0.005, pytest.approx(0.002)]


def test_a_full_disk_is_named_and_the_state_that_was_finished_is_not_simulated_again(tmp_path):
    with pytest.raises(EngineError, match=r"disk of .*state_1 is full.*same command"):
        run(tmp_path, IdealGas("disk"))
    assert (tmp_path / "state_0" / "iteration_001").is_dir()
    assert not (tmp_path / "state_1" / "iteration_001").exists()
    engine = IdealGas()
    again = run(tmp_path, engine)
    assert [call[:2] for call in engine.calls] == [(1, True), (2, False), (2, True)]
    whole = run(tmp_path / "whole", IdealGas())
    assert again.potential.u.tobytes() == whole.potential.u.tobytes()


def test_the_wall_time_ends_it_with_a_sentence(tmp_path):
    result = run(tmp_path, IdealGas(), iterations=20, wall_time=1e-6)
    assert len(result.rounds) == 1
    assert not result.converged
    assert not result.compromise
    assert "stopped before the wall time" in result.reason


def test_temperatures_of_two_units_are_not_refined_together():
    r = np.arange(61) * 0.05
    flat = RDF(r, np.ones(61), units="lj")
    states = [Target.of(flat, StatePoint(0.2, kT, "lj")) for kT in (1.0, 300.0)]
    with pytest.raises(InputError, match="from 1 to 300"):
        refine_system(states, {"A-A": FIRST}, IdealGas())
