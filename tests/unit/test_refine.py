"""The loop, its updates and its files, with an analytic engine."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from one_species import applied, history_of, loop_of, record_of

import cginit
from cginit import RDF, EngineError, InputError, PairPotential, StatePoint, refine
from cginit.configuration import Configuration
from cginit.engines.base import EngineRun, Schedule
from cginit.errors import StorageError
from cginit.refine import IBI, Limits, distance
from cginit.refine.settle import smooth_cutoff
from cginit.refine.store import End, Store

STATE = StatePoint(0.05, 1.0, "lj")
R = np.linspace(0.0, 3.0, 61)
TRUE = PairPotential.shifted(R, 1.8 * np.exp(-(R**2)) - 0.8 * np.exp(-8 * (R - 1.3) ** 2), units="lj")
ERROR = 1e-4
TARGET = RDF(R, np.exp(-TRUE.u), np.full(R.size, ERROR), units="lj")
FLAT = PairPotential(R, np.zeros(R.size), units="lj")
START = Configuration(np.random.default_rng(0).uniform(-5, 5, (50, 3)), np.full(3, 10.0), units="lj")


@dataclasses.dataclass(frozen=True)
class Analytic:
    """g = exp(-gain U/kT) with seeded noise; a gain below 1 makes the loop need several steps."""

    gain: float = 0.7
    fail_at: tuple[int, ...] = ()
    name: str = "analytic"

    def run(self, potential, state, start, schedule, *, seed, workdir):
        (workdir / "ran").write_text("yes")
        if int(workdir.parent.name.split("_")[1].split(".")[0]) in self.fail_at:
            raise EngineError("the engine says no")
        noise = ERROR * np.random.default_rng(seed).standard_normal(R.size)
        g = RDF(
            R, np.abs(np.exp(-self.gain * potential.u / state.kT) + noise), np.full(R.size, ERROR), units="lj"
        )
        final = Configuration(start.positions + 0.01 * seed % 1.0, start.box, units="lj")
        ones = np.ones(20)
        return EngineRun(None, final, ones, ones, self.name, "1", seed, schedule.steps, 0.0, g)


class FailsLater(Analytic):
    """The same to a folder as the one that does not fail."""

    def __repr__(self):
        return repr(Analytic())


def true_gain_target(gain=0.7):
    return dataclasses.replace(TARGET, g=np.exp(-gain * TRUE.u))


def run(workdir, engine=None, limits=None, target=None, **more):
    return refine(
        target or true_gain_target(),
        STATE,
        FLAT,
        engine or Analytic(),
        IBI(),
        workdir=workdir,
        limits=limits or Limits(25),
        start=START,
        **more,
    )


def test_the_loop_finds_the_potential_down_to_the_noise(tmp_path):
    result = run(tmp_path)
    assert result.converged, result.reason
    assert result.reason.startswith("converged")
    # chi^2 <= 2 bounds |g - g_target| at sqrt(2 n) = 11 combined errors of 1.4e-4; dU = dg / (gain g), g > 0.25.
    assert np.max(np.abs(result.potential.u - TRUE.u)) < 11 * 1.5e-4 / 0.17
    assert result.best == min(range(len(result.history)), key=lambda k: result.history[k].distance.lmse)
    assert len(result.history) > 3


def test_one_step_of_full_ibi_solves_the_dilute_limit(tmp_path):
    result = run(tmp_path, Analytic(gain=1.0), target=TARGET)
    assert len(result.history) == 2
    assert result.converged


def test_the_cap_is_a_reason_and_can_be_raised(tmp_path):
    stopped = run(tmp_path, limits=Limits(2))
    assert not stopped.converged
    assert "cap of 2 simulations" in stopped.reason
    assert len(stopped.history) == 2
    assert run(tmp_path, limits=Limits(25)).converged


def test_the_wall_time_is_a_reason(tmp_path):
    stopped = run(tmp_path, limits=Limits(25, wall_time=1e-9))
    assert "wall time" in stopped.reason
    assert len(stopped.history) == 1


def same_bits(a, b):
    assert len(a.history) == len(b.history)
    for x, y in zip(a.history, b.history, strict=True):
        assert x.seed == y.seed
        assert x.distance == y.distance
        for left, right in (
            (x.potential.u, y.potential.u),
            (x.potential.f, y.potential.f),
            (x.rdf.g, y.rdf.g),
            (x.final.positions, y.final.positions),
        ):
            assert left.tobytes() == right.tobytes()


@pytest.mark.parametrize("killed_after", [1, 2, 4])
def test_a_continued_refinement_ends_bit_identical(tmp_path, killed_after):
    whole = run(tmp_path / "whole")
    run(tmp_path / "parts", limits=Limits(killed_after))
    # What a kill in the middle of an iteration leaves behind.
    rubbish = tmp_path / "parts" / f"iteration_{killed_after:03d}.partial" / "engine"
    rubbish.mkdir(parents=True)
    (rubbish / "log").write_text("half a line")
    same_bits(whole, run(tmp_path / "parts"))
    assert not list((tmp_path / "parts").glob("*.partial"))


def test_an_engine_failure_leaves_the_iterations_intact(tmp_path):
    with pytest.raises(EngineError, match="says no"):
        run(tmp_path / "failed", Analytic(fail_at=(2,)))
    kept = sorted(path.name for path in (tmp_path / "failed").glob("iteration_???"))
    assert kept == ["iteration_000", "iteration_001"]
    settings = json.loads((tmp_path / "failed" / "refinement.json").read_text())
    # The same engine, mended: its settings are compared, so the failing one is recorded as the good one here.
    settings["identity"]["engine"] = repr(Analytic())
    (tmp_path / "failed" / "refinement.json").write_text(json.dumps(settings))
    same_bits(run(tmp_path / "whole"), run(tmp_path / "failed"))


def test_another_refinement_in_the_folder_is_refused(tmp_path):
    run(tmp_path, limits=Limits(1))
    with pytest.raises(InputError, match=r"another refinement \(engine: .*seed: 1 there, 2 here"):
        run(tmp_path, Analytic(gain=0.5), seed=2)


def test_a_finished_refinement_is_not_simulated_again(tmp_path):
    first = run(tmp_path)
    for path in tmp_path.glob("iteration_*/engine"):
        shutil.rmtree(path)
    again = run(tmp_path)
    assert again.reason == first.reason
    assert not list(tmp_path.glob("iteration_*/engine"))


def test_the_folder_knows_how_its_refinement_ended(tmp_path):
    stopped = run(tmp_path, limits=Limits(2))
    found = cginit.open(tmp_path)
    assert found.end == End("CAP", False, stopped.reason, stopped.best)
    assert found.settings[0]["engine"] == repr(Analytic())
    # Another run has begun, and is not at its end.
    with pytest.raises(EngineError):
        run(tmp_path, FailsLater(fail_at=(3,)), limits=Limits(25))
    assert (len(cginit.open(tmp_path).rounds), cginit.open(tmp_path).end) == (3, None)
    assert run(tmp_path, limits=Limits(25)).reason == cginit.open(tmp_path).end.sentence
    # What is not whole is not believed.
    (tmp_path / "end.json").write_text('{"why": "CAP"')
    assert cginit.open(tmp_path).end is None


def test_a_disk_without_room_for_how_it_ended_does_not_spoil_the_result(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise StorageError("the disk is full")

    monkeypatch.setattr(Store, "end", full)
    assert run(tmp_path).converged
    assert "the disk is full" in caplog.text


def test_one_step_at_a_time(tmp_path):
    loop = loop_of(
        true_gain_target(),
        STATE,
        FLAT,
        engine=Analytic(),
        update=IBI(plain=True),
        workdir=tmp_path,
        start=START,
    )
    with pytest.raises(InputError, match="nothing has been simulated"):
        _ = loop.best
    (first,) = loop.step()
    expected = first.potential.u + np.log(first.rdf.g / TARGET.g**0.7)
    expected = smooth_cutoff(R, expected)
    np.testing.assert_allclose(loop.proposal.potentials.only().u, expected, atol=1e-12)  # the update, by hand
    assert loop.step()[0].distance.lmse < first.distance.lmse


def test_without_a_workdir_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(None).converged
    assert not list(tmp_path.iterdir())


def apply(update, rdf, target=TARGET, potential=FLAT):
    return applied(update, history_of(target, STATE, record_of(potential, rdf, target, START)))


def test_damping_scales_the_update():
    rdf = dataclasses.replace(TARGET, g=TARGET.g * np.linspace(1.2, 1.0, R.size))
    full, half = apply(IBI(), rdf), apply(IBI(0.5), rdf)
    np.testing.assert_allclose(half.u, 0.5 * full.u, atol=1e-14)
    with pytest.raises(InputError, match="damping"):
        IBI(0.0)


def test_noise_is_not_written_into_the_potential():
    rng = np.random.default_rng(8)
    noisy = dataclasses.replace(TARGET, g=np.abs(TARGET.g + ERROR * rng.standard_normal(R.size)))
    plain, aware = apply(IBI(plain=True), noisy), apply(IBI(), noisy)
    # <z^2> of nine points is chi^2 of target and simulation together, half of it noise of one: 0.5 +- 0.24, so that
    # it rarely exceeds 1 and the change is all but removed.
    assert np.abs(aware.u).mean() < 0.1 * np.abs(plain.u).mean()
    far = dataclasses.replace(TARGET, g=TARGET.g * 1.5)
    # z = 0.5 g / (sqrt(2) 1e-4) > 500 everywhere: no factor to speak of.
    np.testing.assert_allclose(apply(IBI(), far).u, apply(IBI(plain=True), far).u, atol=1e-5)


def test_a_bin_that_saw_nothing_moves_by_no_more_than_the_limit():
    g = TARGET.g.copy()
    g[30] = 0.0
    changed = apply(IBI(), dataclasses.replace(TARGET, g=g))
    assert changed.u[30] == pytest.approx(-2.0)


def test_the_core_is_extrapolated_below_the_first_visible_point():
    g = TARGET.g.copy()
    g[:15] = 0.0
    target = dataclasses.replace(TARGET, g=g)
    changed = apply(IBI(), TARGET, target)
    assert changed.r_core == pytest.approx(R[15])
    assert np.all(np.diff(changed.u[:16]) < 0.0)
    assert changed.u[-1] == 0.0


def test_distance_of_pure_noise_is_one():
    rng = np.random.default_rng(3)
    r = np.linspace(0.0, 10.0, 4001)
    a = RDF(r, 1.0 + 0.01 * rng.standard_normal(r.size), np.full(r.size, 0.01), units="lj")
    b = RDF(r, 1.0 + 0.02 * rng.standard_normal(r.size), np.full(r.size, 0.02), units="lj")
    # Standard deviation of chi^2/n for 4001 independent points: sqrt(2/4001) = 0.022; 5 of them.
    assert distance(a, b, 10.0).chi2 == pytest.approx(1.0, abs=0.11)
    # Of a run four times as long as the schedule, whose error would be twice that of `a`: 5 parts of 8.
    longer = distance(a, b, 10.0, 4.0)
    assert longer.chi2 == pytest.approx(0.625 * distance(a, b, 10.0).chi2, rel=1e-3)
    assert longer.lmse == distance(a, b, 10.0).lmse


def test_distance_does_not_depend_on_the_number_of_points():
    def pair(n):
        r = np.linspace(0.0, 4.0, n)
        g = 1.0 + 0.1 * np.sin(2 * np.pi * r)
        return RDF(r, g, units="lj"), RDF(r, np.ones(n), units="lj")

    coarse, fine = distance(*pair(81), 4.0), distance(*pair(801), 4.0)
    # The mean over the points is a trapezoid sum with the weight of the two end points doubled: 1/80.
    assert coarse.lmse == pytest.approx(fine.lmse, rel=0.015)
    assert coarse.integral == pytest.approx(fine.integral, rel=0.015)
    assert np.isnan(coarse.chi2)
    assert not coarse.is_noise


def test_a_cut_off_beyond_the_target_is_refused(tmp_path):
    short = TARGET.truncated(2.0)
    with pytest.raises(InputError, match="beyond the target"):
        loop_of(short, STATE, FLAT, engine=Analytic(), update=IBI(), workdir=tmp_path, start=START)


@pytest.mark.parametrize("bad", [{"iterations": 0}, {"wall_time": 0.0}])
def test_limits_are_checked(bad):
    with pytest.raises(InputError):
        Limits(**bad)


def test_schedule_is_checked():
    with pytest.raises(InputError, match="shorter than one interval"):
        Schedule(production=10, every=100)
