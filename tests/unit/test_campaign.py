"""The generator, the files, and the plan of the training campaign; simulated by a fake engine."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cginit import EngineError, InputError, PairPotential
from cginit.campaign import (
    DENSITIES,
    StateTask,
    load,
    merge,
    plan,
    read_record,
    run_campaign,
    save,
    simulate_state,
)
from cginit.campaign.potentials import MAX_CUTOFF, spline_potential
from cginit.campaign.simulate import record_path, screen
from cginit.configuration import Trajectory
from cginit.engines.base import EngineRun


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_every_potential_follows_the_recipe(seed):
    made = spline_potential(seed)
    p = made.potential
    assert p.r.size == 201
    assert 0.0 < p.r_cut <= MAX_CUTOFF
    assert 6 <= made.base_points <= 10
    assert 2 <= made.degree <= 5
    assert p.u[-1] == 0.0
    if not made.core:
        # F(r_cut) = 0: the one-sided difference over the last step is U'' dr/2, and U'' of a spline through
        # heights up to 15 kT on 1/9 of the range is below 15 (9/r_cut)^2 20.
        assert abs(p.u[-2]) <= 0.5 * 20 * 15 * (9 / 200) ** 2
    else:
        assert p.u[10] > 1000.0


def test_an_integer_names_one_potential_for_ever():
    # Values of the first release; a change of these numbers breaks every data set.
    made = spline_potential(12)
    assert (made.degree, made.base_points, made.core) == (2, 10, True)
    np.testing.assert_allclose(
        made.potential.u[[50, 100, 150]], [10.32223909165089, 8.762600281272572, 1.624579152048863], rtol=1e-9
    )
    assert made.potential.r_cut == pytest.approx(3.7458777094577695, rel=1e-12)


def test_half_of_the_potentials_carry_a_core():
    cores = sum(spline_potential(seed).core for seed in range(400))
    # Binomial: 200 +- 10; 4 standard deviations, false alarm 6e-5 (and the seeds are fixed).
    assert abs(cores - 200) < 40


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="non-negative"):
        spline_potential(-1)


@pytest.mark.parametrize("each", [1, 2, 4])
def test_the_plan_uses_each_density_equally(each):
    tasks = plan(range(60), each)
    assert len(set(tasks)) == len(tasks) == 60 * each
    assert {density: sum(t.density == density for t in tasks) for density in DENSITIES} == dict.fromkeys(
        DENSITIES, 15 * each
    )


def test_the_screen_refuses_condensing_fluids_and_bare_cores():
    r = np.linspace(0.0, 2.0, 201)
    assert "gas-liquid" in screen(PairPotential(r, -8.0 * (1 - r / 2) ** 2, units="lj"), core=False)
    assert screen(PairPotential(r, 8.0 * (1 - r / 2) ** 2, units="lj"), core=False) == ""


@dataclasses.dataclass(frozen=True)
class Gas:
    """Configurations of an ideal gas: always homogeneous, never equilibrating."""

    error: str = ""
    name: str = "gas"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        if self.error:
            raise EngineError(self.error)
        rng = np.random.default_rng(seed)
        frames = rng.uniform(-0.5, 0.5, (40, start.n, 3)) * start.box
        series = rng.standard_normal(100)
        return EngineRun(
            Trajectory(frames, start.box, units="lj"), start, series, series, self.name, "1", seed, 1, 0.0
        )


ACCEPTABLE = next(
    s for s in range(100) if not screen(spline_potential(s).potential, spline_potential(s).core)
)
REFUSED = next(s for s in range(100) if screen(spline_potential(s).potential, spline_potential(s).core))


def test_a_record_survives_its_file(tmp_path):
    pytest.importorskip("freud", reason="sampling needs freud")
    task = StateTask(ACCEPTABLE, 0.125)
    assert run_campaign([task], Gas(), tmp_path) == {task: ""}
    record = read_record(record_path(tmp_path, task))
    assert (record.seed, record.density, record.rejected) == (ACCEPTABLE, 0.125, "")
    assert record.r[-1] == pytest.approx(5.0)
    again = simulate_state(task, Gas())
    np.testing.assert_array_equal(record.g, again.g)
    # Nothing is simulated twice.
    assert run_campaign([task], Gas(error="must not run"), tmp_path) == {}


def test_rejections_carry_their_reason(tmp_path):
    pytest.importorskip("freud", reason="sampling needs freud")
    assert simulate_state(StateTask(REFUSED, 0.125), Gas()).rejected.startswith("screened")
    failed = simulate_state(StateTask(ACCEPTABLE, 0.125), Gas(error="no licence"))
    assert failed.rejected == "failed: no licence"


def test_a_data_set_survives_its_file(tmp_path):
    pytest.importorskip("freud", reason="sampling needs freud")
    pytest.importorskip("h5py", reason="data sets need h5py")
    records = [
        simulate_state(StateTask(ACCEPTABLE, 0.125), Gas()),
        simulate_state(StateTask(REFUSED, 0.244), Gas()),
    ]
    save(merge(records), tmp_path / "data.h5")
    data = load(tmp_path / "data.h5")
    assert len(data) == 2
    assert sorted(data.accepted) == [False, True]
    good = data.select(data.accepted)
    # Curves are float32 on disk.
    np.testing.assert_allclose(good.g[0], records[0].g, rtol=1e-6)
    assert good.rejected[0] == ""
    with pytest.raises(InputError, match="no record"):
        merge([])
    (tmp_path / "no.h5").write_bytes(b"not a data set")
    with pytest.raises((InputError, OSError)):
        load(tmp_path / "no.h5")
