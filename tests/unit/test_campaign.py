"""The generators, the plan, the screen, the files and the runner of a campaign; simulated by a fake engine."""

import dataclasses
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cginit import EngineError, InputError, PairPotential
from cginit.campaign import (
    DENSITIES,
    Batch,
    Campaign,
    StatePointTask,
    aged_states,
    bead_potential,
    counts,
    join,
    load,
    merge,
    plan,
    read_record,
    record_path,
    run_campaign,
    save,
    screen,
    screen_report,
    simulate_state,
)
from cginit.campaign.beads import KINDS, effective_volume
from cginit.campaign.dense import DENSE_KINDS, DENSEST, LOOSEST, dense_potential
from cginit.campaign.potentials import MAX_CUTOFF, spline_potential
from cginit.campaign.simulate import MIN_BEADS, peak_error
from cginit.campaign.trapping import crossing_time
from cginit.cli.app import app
from cginit.configuration import Trajectory
from cginit.curves import RDF
from cginit.engines.base import EngineRun


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_every_spline_follows_the_recipe(seed):
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


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_every_bead_potential_ends_smoothly_and_repels_where_it_is_steep(seed):
    made = bead_potential(seed)
    p = made.potential
    assert p.r.size == 201
    assert 0.5 < p.r_cut <= 5.0
    # The switch is of third order at its end: one step of 40 before, it leaves 10/40^3 of the 12 kT that
    # four barriers on top of each other have.
    assert abs(p.u[-2]) <= 10 / 40**3 * 12
    steep = p.u > 20.0
    # Star polymers, which diverge slowly, are flat below 0.2 sigma.
    assert np.all(np.diff(p.u[steep]) <= 0.0)
    for index in range(4):
        assert 0.03 <= StatePointTask("b", seed, index).density <= 1.5


def test_an_integer_names_one_potential_for_ever():
    # Values of the first release; a change of these numbers breaks every data set.
    made = spline_potential(12)
    assert (made.degree, made.base_points, made.core) == (2, 10, True)
    np.testing.assert_allclose(
        made.potential.u[[50, 100, 150]], [10.32223909165089, 8.762600281272572, 1.624579152048863], rtol=1e-9
    )
    assert made.potential.r_cut == pytest.approx(3.7458777094577695, rel=1e-12)
    bead = bead_potential(12)
    assert bead.kind == "mie"
    np.testing.assert_allclose(
        [bead.potential.r_cut, bead.potential.u[100], StatePointTask("b", 12, 0).density],
        BEAD_12,
        rtol=1e-9,
    )


def test_an_integer_names_one_dense_liquid_for_ever():
    dense = dense_potential(12)
    assert dense.kind == "simple"
    np.testing.assert_allclose(
        [dense.potential.r_cut, dense.potential.u[100], StatePointTask("c", 12, 0).density],
        [2.782582768711541, -0.31389061832044196, 0.686725017708672],
        rtol=1e-9,
    )


BEAD_12 = [3.345299211877515, -0.04141956953113467, 0.4419996782667336]


def test_half_of_the_splines_carry_a_core_and_every_kind_of_bead_occurs():
    cores = sum(spline_potential(seed).core for seed in range(400))
    # Binomial: 200 +- 10; 4 standard deviations, false alarm 6e-5 (and the seeds are fixed).
    assert abs(cores - 200) < 40
    kinds = [bead_potential(seed).kind for seed in range(400)]
    for kind, (share, _) in KINDS.items():
        assert abs(kinds.count(kind) - 400 * share) < 4 * np.sqrt(400 * share), kind

    kinds = [dense_potential(seed).kind for seed in range(400)]
    for kind, (share, _) in DENSE_KINDS.items():
        assert abs(kinds.count(kind) - 400 * share) < 4 * np.sqrt(400 * share), kind


def test_dense_liquids_are_dense_and_most_attract():
    wells = []
    for seed in range(100):
        task = StatePointTask("c", seed, seed % 4)
        p = task.potential
        assert 1.0 < p.r_cut <= 3.5
        assert p.u[-1] == 0.0
        smallest, largest = sorted(effective_volume(p))
        assert LOOSEST / largest <= task.density <= DENSEST / smallest
        wells.append(float(p.u.min()))
    # The deepest are short-ranged, 3 kT. 0.52 are simple or molecular, of wells of 0.2 kT and more.
    assert min(wells) > -3.0
    assert np.mean(np.array(wells) < -0.2) > 0.5


@pytest.mark.parametrize("make", [spline_potential, bead_potential, dense_potential])
def test_a_negative_seed_is_refused(make):
    with pytest.raises(InputError, match="non-negative"):
        make(-1)


def test_a_state_point_needs_a_family_and_a_density():
    with pytest.raises(InputError, match="unknown family"):
        StatePointTask("d", 1, 0)
    with pytest.raises(InputError, match="state points 0 to 3"):
        StatePointTask("a", 1, 4)


@pytest.mark.parametrize("family", ["a", "b", "c"])
def test_the_plan_splits_by_potential_and_uses_each_density_equally(family):
    tasks = plan(family, range(600))
    assert len(set(tasks)) == len(tasks) == 60 * 4 + 540 * 2
    sides = {}
    for task in tasks:
        assert sides.setdefault(task.seed, task.split) == task.split
    assert list(sides.values()).count("test") == 60
    for index in range(4):
        # 540 draws of two out of four: 270 +- 11.6 each, and 60 test potentials; 4 standard deviations.
        assert abs(sum(t.index == index for t in tasks) - 330) < 47
    # The pair of densities must not follow the class that cross-validation makes of the integer.
    for fold in range(4):
        pairs = [t.index for t in tasks if t.split == "train" and t.seed % 4 == fold]
        assert min(pairs.count(index) for index in range(4)) > 40
    if family == "a":
        assert {task.density for task in tasks} == set(DENSITIES)
    assert len({task.run_seed for task in tasks}) == len(tasks)


def test_the_screen_refuses_what_condenses_clusters_or_is_known():
    r = np.linspace(0.0, 2.0, 201)
    well = PairPotential(r, -8.0 * (1 - r / 2) ** 2, units="lj")
    assert "gas-liquid" in screen(well, 0.3).reason
    repulsive = PairPotential(r, 8.0 * (1 - r / 2) ** 2, units="lj")
    passed = screen(repulsive, 0.3)
    assert passed.reason == ""
    assert passed.h.size == passed.r.size > 0
    # A plateau of 4 sigma: beads form clusters on a lattice, and S(k) of HNC reaches 39.
    assert "freezes or clusters" in screen(spline_potential(25).potential, 0.125).reason
    hidden = next(
        p.potential for p in map(spline_potential, range(100)) if p.core and p.potential.r_cut < 1.13
    )
    assert screen(hidden, 0.5).known


@dataclasses.dataclass(frozen=True)
class Gas:
    """Configurations of an ideal gas: always homogeneous, never correlated."""

    error: str = ""
    drift: float = 0.0
    pairing: float = 0.0
    pause: float = 0.0
    name: str = "gas"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        if self.error:
            raise EngineError(self.error)
        time.sleep(self.pause)
        rng = np.random.default_rng(seed)
        frames = schedule.production // schedule.every
        positions = rng.uniform(-0.5, 0.5, (frames, start.n, 3)) * start.box
        # From frame to frame more beads sit at a distance of 1 from another.
        for number, frame in enumerate(positions):
            paired = int(self.pairing * number / frames * (start.n // 2))
            ways = rng.normal(size=(paired, 3))
            frame[1 : 2 * paired : 2] = frame[: 2 * paired : 2] + ways / np.linalg.norm(ways, axis=1)[:, None]
        series = rng.standard_normal(schedule.production // 10)
        energy = series + self.drift * np.linspace(0.0, 1.0, series.size)
        return EngineRun(
            Trajectory(positions.astype(np.float32), start.box, units="lj"),
            start,
            energy,
            series,
            self.name,
            "1",
            seed,
            schedule.steps,
            1.0,
        )


#: One that the screen passes, and one that it refuses and that is not simulated all the same. Both are screened fast.
ACCEPTABLE, REFUSED = StatePointTask("a", 7, 1), StatePointTask("a", 11, 2)


def test_a_state_point_is_simulated_until_its_g_is_precise():
    pytest.importorskip("numba", reason="sampling needs Numba")
    coarse = simulate_state(ACCEPTABLE, Gas(), precision=0.04)
    fine = simulate_state(ACCEPTABLE, Gas(), precision=0.02)
    assert coarse.rejected == fine.rejected == ""
    # The error falls with the root of the number of steps; ten blocks know it to a quarter.
    assert fine.steps > 2 * coarse.steps
    assert coarse.peak_error < 1.5 * 0.04
    assert fine.peak_error < 1.5 * 0.02
    assert fine.n >= MIN_BEADS
    reach = fine.r[np.isfinite(fine.g)][-1]
    half = 0.5 * (fine.n / fine.density) ** (1 / 3)
    assert 5.0 <= half - 0.1 < reach <= half
    # The ideal gas has g = 1; 5 standard errors over some hundred bins.
    seen = np.isfinite(fine.g) & (fine.r > 1.0)
    assert np.all(np.abs(fine.g[seen] - 1.0) < 5 * np.maximum(fine.g_error[seen], 1e-3))


def test_more_beads_can_be_asked_for():
    pytest.importorskip("numba", reason="sampling needs Numba")
    one, two = (simulate_state(ACCEPTABLE, Gas(), precision=0.02, larger=k) for k in (1, 2))
    assert two.n == 2 * one.n


def test_a_drifting_run_is_repeated_and_then_rejected():
    pytest.importorskip("numba", reason="sampling needs Numba")
    record = simulate_state(ACCEPTABLE, Gas(drift=3.0), precision=0.02)
    assert record.rejected.startswith("not equilibrated")
    # One pilot, and production three times.
    assert record.seconds == 4.0


def test_rejections_carry_their_reason():
    refused = simulate_state(REFUSED, Gas())
    assert refused.rejected == refused.screened != ""
    assert (refused.n, refused.steps) == (0, 0)
    failed = simulate_state(ACCEPTABLE, Gas(error="no licence"))
    assert failed.rejected == "failed: no licence"
    assert failed.screened == ""


def test_the_peak_error_is_that_of_a_tenth():
    r = np.arange(0.0, 5.0, 0.05)
    g = 1.0 + 2.0 * np.exp(-(((r - 1.2) / 0.2) ** 2))
    fine = RDF(r, g, 0.01 * g, units="lj")
    assert peak_error(fine) == pytest.approx(0.01 / np.sqrt(2.0))
    assert np.isnan(peak_error(RDF(r, g, units="lj")))


@pytest.fixture
def records():
    pytest.importorskip("numba", reason="sampling needs Numba")
    return [simulate_state(ACCEPTABLE, Gas(), precision=0.05), simulate_state(REFUSED, Gas())]


def test_a_data_set_survives_its_file(tmp_path, records):
    pytest.importorskip("h5py", reason="data sets need h5py")
    save(merge(records), tmp_path / "data.h5")
    data = load(tmp_path / "data.h5")
    assert sorted(data.accepted) == [False, True]
    good = data.select(data.accepted)
    # Curves are float32 on disk.
    np.testing.assert_allclose(good.g[0], records[0].g, rtol=1e-6)
    assert (good.rejected[0], good.split[0], good.index[0]) == ("", "train", ACCEPTABLE.index)
    again = join([data, data])
    assert len(again) == 2
    assert counts(again) == {
        "accepted": {"a": 1, "b": 0, "c": 0},
        "test": {"a": 0, "b": 0, "c": 0},
        "rejected": {"screened": 1},
    }
    report = screen_report(data)
    assert (report.refused, report.audited, report.simulated) == (1, 0, 1)
    with pytest.raises(InputError, match="no record"):
        merge([])
    (tmp_path / "no.h5").write_bytes(b"not a data set")
    with pytest.raises((InputError, OSError)):
        load(tmp_path / "no.h5")


def test_a_liquid_that_ages_is_rejected_although_its_energy_is_steady():
    pytest.importorskip("numba", reason="sampling needs Numba")
    assert simulate_state(ACCEPTABLE, Gas(), precision=0.05).rejected == ""
    rejected = simulate_state(ACCEPTABLE, Gas(pairing=0.5), precision=0.05).rejected
    assert (
        rejected == "not equilibrated: g(r) moves while it is sampled, by more than chance; the liquid ages"
    )


def test_what_is_known_to_age_is_not_used(tmp_path, records):
    pytest.importorskip("h5py", reason="data sets need h5py")
    path, beside = tmp_path / "data.h5", tmp_path / "data.aged.csv"
    save(merge(records), path)
    known = (ACCEPTABLE.family, ACCEPTABLE.seed, ACCEPTABLE.index)
    assert aged_states(path) == {}
    beside.write_text("family,seed,index,evidence\n" + ",".join(map(str, known)) + ',"moves on, and on"\n')
    assert aged_states(path) == {known: "moves on, and on"}
    data = load(path)
    assert not np.any(data.accepted)
    assert "aged: moves on, and on" in data.rejected
    assert counts(data)["rejected"] == {"aged": 1, "screened": 1}
    # The file itself stays what it was.
    assert sorted(load(path, aged=True).accepted) == [False, True]
    assert (
        CliRunner().invoke(app, ["dataset", "merge", str(path), "--out", str(tmp_path / "b.h5")]).exit_code
        == 0
    )
    assert sorted(load(tmp_path / "b.h5").accepted) == [False, True]
    beside.write_text("family,seed,index,evidence\na,one,2,moves\n")
    with pytest.raises(InputError, match="line 2: a row is family, seed, index, evidence"):
        load(path)


def test_a_campaign_survives_its_file(tmp_path):
    campaign = Campaign((Batch("a", 0, 30), Batch("b", 10, 10)), precision=0.01)
    campaign.write(tmp_path)
    assert Campaign.read(tmp_path) == campaign
    tasks = campaign.tasks()
    assert len(tasks) == len(set(tasks)) == (3 * 4 + 27 * 2) + (4 + 9 * 2)
    # The two batches advance together.
    half = tasks[: len(tasks) // 2]
    assert abs(sum(t.family == "b" for t in half) - 11) <= 1
    with pytest.raises(InputError, match="begin one with"):
        Campaign.read(tmp_path / "nowhere")


@pytest.fixture
def distributed():
    return pytest.importorskip("distributed", reason="campaigns run on Dask")


def test_nothing_is_simulated_twice_and_nothing_stops_the_rest(tmp_path, distributed):
    tasks = [ACCEPTABLE, REFUSED]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        run = {"scheduler": cluster.scheduler_address, "precision": 0.05}
        failed = run_campaign(tasks, Gas(error="no licence"), tmp_path, **run)
        assert failed[ACCEPTABLE] == "failed: no licence"
        assert failed[REFUSED].startswith("screened")
        assert run_campaign(tasks, Gas(), tmp_path, **run) == {}
        record_path(tmp_path, ACCEPTABLE).unlink()
        assert run_campaign(tasks, Gas(), tmp_path, **run) == {ACCEPTABLE: ""}
    assert read_record(record_path(tmp_path, ACCEPTABLE)).seed == ACCEPTABLE.seed


class Killer(Gas):
    """Kills its worker the first time a state point is simulated."""

    def run(self, potential, state, start, schedule, *, seed, workdir):
        mark = Path(self.name) / str(seed)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(potential, state, start, schedule, seed=seed, workdir=workdir)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_killed_worker_loses_its_own_task_only(tmp_path, distributed, monkeypatch):
    pytest.importorskip("numba", reason="sampling needs Numba")
    marks = tmp_path / "marks"
    marks.mkdir()
    tasks = [ACCEPTABLE, REFUSED]
    # The worker dies once in the pilot run and once in production; the task is tried again each time.
    outcome = run_campaign(tasks, Killer(name=str(marks)), tmp_path / "records", workers=1, precision=0.05)
    assert outcome[ACCEPTABLE] == ""
    assert len(list(marks.iterdir())) >= 2
    assert sorted(p.name for p in (tmp_path / "records").iterdir()) == sorted(f"{t.name}.npz" for t in tasks)


def test_the_commands_plan_count_merge_and_draw(tmp_path, records):
    pytest.importorskip("h5py", reason="data sets need h5py")
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    from cginit.campaign.dataset import write_record

    def run(program, arguments):
        return CliRunner().invoke(program, ["dataset", *arguments])

    folder = tmp_path / "records"
    assert run(app, ["generate", str(folder), "--family", "b", "--count", "10"]).exit_code == 0
    shown = run(app, ["generate", str(folder), "--family", "a", "--count", "20", "--precision", "0.01"])
    assert shown.output.startswith("66 state points of 30 potentials, 12 of them for tests only")
    assert Campaign.read(folder).precision == 0.01
    for record in records:
        write_record(record, folder / f"{record.family}-{record.seed}-{record.index}.npz")
    shown = run(app, ["status", str(folder), "--json"])
    assert json.loads(shown.output)["result"] == {
        "accepted": {"a": 1, "b": 0, "c": 0},
        "test": {"a": 0, "b": 0, "c": 0},
        "rejected": {"screened": 1},
    }
    file = tmp_path / "data.h5"
    assert run(app, ["merge", str(folder), "--out", str(file)]).exit_code == 0
    again = tmp_path / "again"
    assert run(app, ["unpack", str(file), str(again)]).exit_code == 0
    assert sorted(p.name for p in again.iterdir()) == sorted(
        record_path(again, StatePointTask(r.family, r.seed, r.index)).name for r in records
    )
    back = {read_record(p).rejected: read_record(p) for p in again.iterdir()}
    np.testing.assert_allclose(back[""].g, records[0].g, rtol=1e-6)
    shown = run(app, ["status", str(file)]).output
    assert "family a  1 accepted, of 1 potentials" in shown
    assert "refused 1 without simulation" in shown
    figure = tmp_path / "sheet.png"
    assert run(app, ["sheet", str(file), "--out", str(figure), "--count", "4"]).exit_code == 0
    assert figure.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("barrier", "entered", "trapped"), [(2.0, True, False), (9.0, True, True), (9.0, False, True)]
)
def test_pairs_behind_a_high_barrier_are_trapped(barrier, entered, trapped):
    r = np.linspace(0.0, 5.0, 101)
    u = barrier * np.exp(-(((r - 1.0) / 0.2) ** 2)) - 1.0 * np.exp(-((r / 0.5) ** 2))
    g = np.exp(-u)
    if not entered:
        g[r < 1.0] = 0.0
    time, at = crossing_time(RDF(r, g, units="lj"), PairPotential(r, u - u[-1], units="lj"), 500, 0.2, 1000)
    # A pocket of 1 kT behind the barrier: 0.3 exp(2 + 1) = 6 tau and 0.3 exp(9 + 1) = 6600 tau; a barrier that
    # is never seen counts for as much as its bins would show, some 7 kT.
    assert at == pytest.approx(1.0, abs=0.2)
    assert (time > 100.0) is trapped
    if entered and not trapped:
        assert time == pytest.approx(0.3 * np.exp(3.0), rel=0.1)


def test_beads_on_top_of_each_other_are_trapped_too():
    # A plateau of 12 kT around a centre of 6 kT, where a random start left some pairs for good.
    r = np.linspace(0.0, 5.0, 101)
    u = 12.0 / (1.0 + np.exp((r - 1.2) / 0.05)) - 6.0 * np.exp(-((r / 0.3) ** 2))
    g = np.exp(-u)
    g[r < 0.3] = 20.0
    time, _ = crossing_time(RDF(r, g, units="lj"), PairPotential(r, u - u[-1], units="lj"), 500, 0.5, 100)
    assert time > 1e3
