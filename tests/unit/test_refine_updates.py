"""Updates and what they rest on, with fluids that the hypernetted chain solves in place of simulations."""

import dataclasses

import numpy as np
import pytest
from closure_fluid import BEADS, DENSITY, DR, R_CUT, SOME, STATE, TRUE, R, endless, measure
from one_species import AA, applied, history_of, record_of

from cginit import RDF, ConvergenceError, InputError, PairPotential, StatePoint
from cginit.interactions import Interactions
from cginit.refine import (
    HNCN,
    IBI,
    IHNC,
    IMC,
    Anderson,
    Automatic,
    Corrected,
    GaussNewton,
    KirkwoodBuffRamp,
    PressureRamp,
    distance,
    make_update,
    state_response,
)
from cginit.refine.difference import energy_datum, with_data
from cginit.refine.pair_difference import Difference
from cginit.refine.regularisation import ROUGHNESS, curvature_basis, fit_change
from cginit.refine.reweighting import boltzmann_weights, effective_share, reweighted
from cginit.refine.search import Search
from cginit.refine.secant import KnownChange, secant
from cginit.refine.settle import settle, smooth_cutoff
from cginit.refine.updates.gauss_newton import MAX_TURNS, MEDIUM_LIMIT, foreseen_part, part_of_turn
from cginit.refine.updates.monte_carlo import sampled_response
from cginit.sampling import PairCounts
from cginit.target import Target
from cginit.units import LJ
from cginit.votca.update import AdjustedUpdate, Adjustment

TARGET = measure(TRUE, seed=100).rdf


def against(target, record):
    """The record with its difference to a target."""
    found = distance(record.rdf, target, record.potential.r_cut)
    return dataclasses.replace(record, distances=Interactions({AA: found}))


def after(update, records, target=TARGET, pressure=None):
    """The potential that follows a number of simulations."""
    history = history_of(target, STATE, *(against(target, one) for one in records), pressure=pressure)
    return applied(update, history)


def changed_by(potential, change, target=TARGET):
    """The potential with a change, made fit to simulate."""
    return settle(potential, potential.u + change, target, 1.0)


def with_rdf(record, rdf):
    return dataclasses.replace(record, rdfs=Interactions({AA: rdf}))


def unhealthy(record):
    return dataclasses.replace(record, warnings=("inhomogeneous: the beads cluster",))


def start():
    """Return the Boltzmann inversion of the target, half a kT off in the well."""
    g = np.maximum(TARGET.g[: R.size], 1e-9)
    return changed_by(PairPotential.shifted(R, np.minimum(-np.log(g), 20.0), units="lj"), 0.0 * R)


def errors(update, steps, closure="hnc", target=TARGET):
    """Return the mean squared difference of g after each of a number of simulations."""
    potential, history, found = start(), [], []
    for seed in range(steps):
        history.append(measure(potential, seed, closure))
        found.append(distance(history[-1].rdf, target, R_CUT).lmse)
        potential = after(update, history, target)
    return found, history


# Mean squared noise of the difference of two g: 2 (1e-3)^2 <g / r^2>, some 1e-6.
FLOOR = 2e-6


@pytest.mark.parametrize("name", ["auto", "gauss-newton"])
def test_gauss_newton_is_at_the_noise_after_one_update(name):
    found, _ = errors(make_update(name), 3)
    assert found[0] > 1e-3
    # The closure is exact here, so that only noise is left: that of target and simulation, and some of that of the
    # simulation before it, which the update was made from.
    assert found[1] < 3 * FLOOR
    assert found[2] < 3 * FLOOR


@pytest.mark.parametrize(("update", "factor"), [(IHNC(), 30), (HNCN(), 10), (Anderson(), 3), (IBI(), 3)])
def test_every_update_reduces_the_error(update, factor):
    found, _ = errors(update, 3)
    assert found[2] < found[0] / factor


def test_the_truncated_rule_works_as_well():
    found, _ = errors(GaussNewton(rule="truncated"), 2)
    assert found[1] < found[0] / 100


def test_a_closure_that_is_not_exact_is_calibrated():
    # A fluid of the Percus-Yevick closure stands for a real one: its bridge function is ln(1 + gamma) - gamma.
    target = measure(TRUE, seed=100, closure="py").rdf
    plain, _ = errors(GaussNewton(calibrated=False), 3, "py", target)
    calibrated, _ = errors(GaussNewton(), 3, "py", target)
    assert calibrated[1] < 0.5 * plain[1]
    assert calibrated[2] < plain[2]


def test_gauss_newton_learns_from_what_it_predicted_wrongly():
    """A fluid answers 1.3 times as much as the closure knows: a step that has learned nothing goes too far."""

    def steps(update):
        potential, history, found = start(), [], []
        for seed in range(3):
            apart = potential.u - TRUE.u
            there = dataclasses.replace(potential, u=potential.u + 0.3 * np.where(R > 0.9, apart, 0.0))
            history.append(
                dataclasses.replace(measure(there, seed), potentials=Interactions({AA: potential}))
            )
            found.append(distance(history[-1].rdf, TARGET, R_CUT).lmse)
            potential = after(update, history)
        return found, history

    blind, _ = steps(GaussNewton(calibrated=False, learning=False))
    learning, history = steps(GaussNewton(calibrated=False))
    assert learning[:2] == blind[:2]
    # 0.3^2 of the mean squared error is left each time; of that what is learned leaves little.
    assert 0.05 < blind[2] / blind[1] < 0.2
    assert learning[2] < 0.2 * blind[2]
    # A cluster says nothing of how a fluid responds.
    cluster = unhealthy(history[0])
    alone = after(Automatic(), [history[1]])
    assert np.array_equal(after(Automatic(), [cluster, history[1]]).u, alone.u)
    assert not np.array_equal(after(Automatic(), history[:2]).u, alone.u)


def test_what_a_closure_misses_counts_unless_it_is_noise_or_all():
    change, response = (
        np.array([1.0, 2.0, 0.0]),
        np.array([[0.0, 0.0, 0.0], [0.0, 0.5, 3.0], [1.0, 0.0, 0.0]]),
    )
    found = -response @ change

    def matrix(part, noise=0.0, weight=(1.0, 1.0, 1.0)):
        known = KnownChange(change, found, np.full(3, noise), np.array(weight))
        return secant([(known, (1.0 - part) * found)], response)

    # Half of it by each way; a tenth of the amplitude is missed, a hundredth of the mean square.
    missed = 0.99 * 0.1 * found
    np.testing.assert_allclose(matrix(0.1) @ change, 0.5 * (1.0 + 1.0 / 0.9) * missed)
    # A change that has nothing in common with the known one, but whose answer has: 3 (0, 1, 0) on (0, 1, 1).
    np.testing.assert_allclose(matrix(0.1) @ np.array([0.0, 0.0, 1.0]), 0.5 * 1.5 / 0.9 * missed)
    # Three points, of which the noise counts twice, beside the 0.02 that are missed.
    np.testing.assert_allclose(matrix(0.1, 1e-2 / 6.0), 0.5 * matrix(0.1))
    assert not np.any(matrix(0.1, 2e-2 / 6.0))
    assert not np.any(matrix(1.5))
    # Where nothing counts, nothing is missed either.
    assert not np.any(matrix(0.1, weight=(1.0, 1.0, 0.0))[2])


def test_noise_alone_calls_for_no_change():
    bases = [curvature_basis(np.exp(-R), 0, rough) for rough in ROUGHNESS]
    response = np.eye(R.size)
    noise = 0.1 * np.random.default_rng(4).standard_normal(R.size)
    for rule in ("tikhonov", "truncated"):
        fit = fit_change(response, noise, 0.01 * np.eye(R.size), bases, rule)
        # A mean of 51 independent points is known to a seventh of their noise; a line takes two of 51 parameters.
        assert fit.freedom < 8
        assert np.sqrt(np.mean(fit.change**2)) < 0.05


def test_a_sharp_peak_is_not_smoothed_away():
    # A well of the width of three steps in the potential, and the same in its change.
    well = -np.exp(-(((R - 1.0) / 0.08) ** 2))
    basis = [curvature_basis(well + np.exp(-((R / 0.9) ** 12)) * 10, 10)]
    rng = np.random.default_rng(2)
    fit = fit_change(np.eye(51), 0.3 * well + 0.01 * rng.standard_normal(51), 1e-4 * np.eye(51), basis)
    assert fit.change[20] == pytest.approx(-0.3, abs=0.03)  # three standard errors of the point


@pytest.mark.parametrize("rough", ROUGHNESS)
def test_a_change_is_the_mean_of_what_the_data_leave_of_the_prior(rough):
    # Of Gaussian weights of variance v, with data X B w of covariance C: C_u X^T (X C_u X^T + C)^-1 y, C_u = v B B^T.
    # The strength is not known here; among those of equal variance everywhere the most probable is this close.
    basis = curvature_basis(4.0 * np.exp(-2.0 * R), 10, rough)
    rng = np.random.default_rng(3)
    response = np.eye(51) + 0.1 * rng.standard_normal((51, 51))
    wanted = basis @ rng.standard_normal(basis.shape[1])
    noise = np.diag(rng.uniform(0.5, 2.0, 51) * 1e-4 * np.var(wanted))
    asked = response @ wanted + np.sqrt(np.diag(noise)) * rng.standard_normal(51)
    found = fit_change(response, asked, noise, [basis])

    def change_and_cost(variance: float) -> tuple[np.ndarray, float]:
        prior = variance * basis @ basis.T
        whole = response @ prior @ response.T + noise
        solved = np.linalg.solve(whole, asked)
        return prior @ response.T @ solved, float(np.linalg.slogdet(whole)[1] + asked @ solved)

    # Strengths lie 26 % apart: at most 12 % off, which costs (2 0.12)^2 / 2 for each effective parameter at most.
    change, cost = min((change_and_cost(v) for v in np.geomspace(1e-4, 1e4, 81)), key=lambda one: one[1])
    assert found.cost <= cost + 0.03 * found.freedom
    np.testing.assert_allclose(found.change, change, atol=0.02 * np.std(wanted))


def test_a_change_of_its_own_of_each_point_adds_its_variance():
    u, first, size = 4.0 * np.exp(-2.0 * R), 10, 3.0
    smooth, rough = curvature_basis(u, first), curvature_basis(u, first, size)
    assert rough.shape[1] <= R.size
    added = rough @ rough.T - smooth @ smooth.T
    own = np.diag(added)[first + 1 : -1]
    np.testing.assert_allclose(
        added[first + 1 :, first + 1 :], np.diag(np.append(own, 0.0)), atol=1e-9 * own.max()
    )
    # Below the first visible point all move with it.
    np.testing.assert_allclose(added[: first + 2, : first + 2], own[0], rtol=1e-9)


def test_the_pressure_is_a_datum_of_gauss_newton():
    # The pressure that the true potential has is reached together with g, from a start with another one.
    wanted = measure(TRUE).pressure
    wrong = changed_by(TRUE, 0.3 * (1.0 - R / R_CUT))
    assert measure(wrong).pressure > wanted + 0.2
    history = []
    potential = wrong
    for seed in range(3):
        history.append(measure(potential, seed))
        potential = after(GaussNewton(), history, pressure=wanted)
    # The datum has an error of 1e-3; g changes the pressure in the second order of what is left.
    assert measure(potential).pressure == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("kind", ["wjk", "simple"])
def test_pressure_ramps_point_the_right_way(kind):
    measured = dataclasses.replace(measure(TRUE), pressure=1.0, pressure_error=0.01)

    def ramp(wanted):
        pairs = measured.potentials
        found = PressureRamp(kind).changes(measured, Target.of(TARGET, STATE, pressure=wanted), tuple(pairs))
        return Interactions(found).get(AA, 0.0 * R)

    up = ramp(1.3)
    assert up[-1] == 0.0
    assert 0.0 < up[0] <= 0.1
    np.testing.assert_array_equal(ramp(1.005), 0.0 * R)
    if kind == "wjk":
        small = ramp(1.02)
        g = measured.rdf.g[: R.size]
        effect = 2 * np.pi / 3 * DENSITY**2 * small[0] / R_CUT * np.trapezoid(g * R**3, R)
        assert effect == pytest.approx(0.02)  # its definition
        more = measure(changed_by(TRUE, small)).pressure - measure(TRUE).pressure
        assert 0.005 < more < 0.03  # g answers, which the ramp does not know


def test_the_kirkwood_buff_ramp_repels_where_too_many_are_near():
    crowded = with_rdf(measure(TRUE), dataclasses.replace(TARGET, g=TARGET.g * 1.001))
    target = Target.of(TARGET, STATE)
    ramp = Interactions(KirkwoodBuffRamp().changes(crowded, target, target.pairs)).only()
    assert 0.0 < ramp[0] <= 0.1
    assert ramp[-1] == 0.0
    # With a small factor it is not cut at 0.1 kT: kT A (G - G_target) at r = 0, and 0 from its end on.
    window, reach = (1.0, 1.5), 1.2
    mine = KirkwoodBuffRamp(1e-3, window, reach)
    ramp = Interactions(mine.changes(crowded, target, target.pairs)).only()
    got, wanted = crowded.rdfs.only().with_core(), TARGET.with_core()
    inside = (wanted.r >= window[0] - 1e-9) & (wanted.r <= window[1] + 1e-9)
    running = 4.0 * np.pi * np.cumsum((got.g - wanted.g) * wanted.r**2) * wanted.dr
    assert ramp[0] == pytest.approx(1e-3 * running[inside].mean(), rel=1e-9)
    assert np.all(ramp[R[: ramp.size] >= reach] == 0.0)
    with pytest.raises(InputError, match=r"averaged from 9 on, but g\(r\) ends at"):
        KirkwoodBuffRamp(1.0, (9.0, 10.0)).changes(crowded, target, target.pairs)
    with pytest.raises(InputError, match="the factor of a Kirkwood-Buff ramp is 0; it must be above 0"):
        KirkwoodBuffRamp(0.0)


def test_corrections_come_on_top():
    measured = dataclasses.replace(measure(TRUE), pressure=1.0, pressure_error=0.0)
    plain = after(IBI(), [measured])
    more = after(make_update("ibi", pressure=True), [measured], pressure=2.0)
    assert more.u[25] - plain.u[25] == pytest.approx(0.1 * 0.5, abs=1e-3)  # the largest ramp, half-way
    assert Automatic() == make_update("auto", pressure=True)
    ramp = make_update("auto", pressure=True, correction="simple")
    assert ramp == Corrected(Automatic(constrained=False), (PressureRamp("simple"),))
    assert make_update("imc", kirkwood_buff=True).beyond_cutoff
    with pytest.raises(InputError, match="unknown update 'newton'"):
        make_update("newton")
    with pytest.raises(InputError, match="at least one"):
        Corrected(IBI(), ())


def test_an_update_of_another_distribution_has_a_name(tmp_path, monkeypatch):
    package = tmp_path / "another-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[cginit.updates]\nslow = cginit.refine.updates.ibi:IBI\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert make_update("slow", 0.2) == IBI(0.2)
    with pytest.raises(InputError, match=r"unknown update 'newton'; known are auto, .*, slow"):
        make_update("newton")


@pytest.mark.parametrize("kind", [IBI, IHNC, HNCN, GaussNewton, IMC, Automatic])
def test_damping_is_checked(kind):
    with pytest.raises(InputError, match="damping"):
        kind(0.0)


def test_anderson_needs_a_past():
    with pytest.raises(InputError, match="depth"):
        Anderson(depth=0)
    one = [measure(start(), 0)]
    np.testing.assert_array_equal(after(Anderson(), one).u, after(IBI(), one).u)
    slow, _ = errors(IBI(0.3), 6)
    fast, _ = errors(Anderson(IBI(0.3)), 6)
    assert fast[-1] < 0.5 * slow[-1]


def test_automatic_goes_back_where_a_step_made_things_worse():
    good = measure(start(), 0)
    away = dataclasses.replace(start(), u=start().u + 1.2 * np.exp(-(((R - 1.2) / 0.3) ** 2)) * (R < 2.4))
    bad = measure(away, 1)
    assert distance(bad.rdf, TARGET, R_CUT).lmse > 2 * distance(good.rdf, TARGET, R_CUT).lmse
    chosen = after(Search(Automatic()), [good, bad])
    step = (chosen.u - good.potential.u)[25] / (bad.potential.u - good.potential.u)[25]
    assert 0.1 < step < 0.7
    # Given up after two: from the best, and by a rule that needs no theory.
    careful = after(Search(Automatic()), [good, bad, bad, bad])
    np.testing.assert_allclose(careful.u, after(IBI(0.7), [good]).u)
    # The same for every update.
    np.testing.assert_allclose(after(Search(IBI()), [good, bad]).u, chosen.u)
    assert not np.allclose(after(Search(IBI(), back=False), [good, bad]).u, chosen.u)


def test_automatic_does_without_theory_where_it_has_no_answer(monkeypatch):
    def no_answer(*arguments, **options):
        raise ConvergenceError("no structure factor")

    monkeypatch.setattr(state_response, "measured_liquid", no_answer)
    measured = measure(start(), 0)
    np.testing.assert_array_equal(after(Automatic(), [measured]).u, after(IBI(0.7), [measured]).u)


def test_automatic_heats_clusters_and_returns_to_a_fluid():
    sound = measure(start(), 0)
    cluster = unhealthy(sound)
    shown = slice(20, 45)  # apart from the core and the last points before the cut-off, which are made anew
    for history in ([cluster], [cluster, cluster]):
        heated = after(Search(Automatic()), history)
        np.testing.assert_allclose(heated.u[shown], 0.5 * cluster.potential.u[shown], atol=1e-9)
    # However good the g of a cluster looks, the fluid counts more.
    lucky = unhealthy(with_rdf(sound, TARGET))
    back = after(Search(Automatic()), [sound, lucky])
    # The cut-off is smoothed once more, which moves its last points by a thousandth.
    np.testing.assert_allclose(back.u, sound.potential.u, atol=2e-3)


def test_the_force_goes_to_zero_at_the_cut_off():
    jump = 1.0 / R_CUT
    u = smooth_cutoff(R, 1.0 - R / R_CUT)
    assert u[-1] == 0.0
    assert abs(u[-2]) < 0.2 * jump * DR
    np.testing.assert_allclose(u[:46], (1.0 - R / R_CUT)[:46])
    assert np.all(np.diff(u) <= 1e-12)


def test_a_potential_cut_off_where_it_is_steep_keeps_its_step():
    # 2 kT down to 0 in the last bin, of twelve: a ramp over four points would turn 2 kT into -1 kT.
    r = np.arange(12) * DR
    steep = PairPotential(r, np.append(np.full(11, 2.0), 0.0), units="lj")
    shown = RDF(R, np.where(r[-1] > R, np.exp(-2.0), 1.0), np.full(R.size, 1e-3), units="lj")
    changed = changed_by(steep, np.zeros(r.size), shown)
    np.testing.assert_array_equal(changed.u[3:], steep.u[3:])


def test_smoothing_the_cut_off_leaves_what_an_update_asks_of_the_last_points():
    """On a grid of 0.05 four points are a sixth of the range of a short repulsion, and hold all of its tail."""
    r = np.arange(24) * DR
    repulsive = np.maximum(r[-1] - np.maximum(r, 0.7), 0.0) ** 3 * 30.0
    before = PairPotential(r, repulsive, units="lj")
    shown = RDF(R, np.where(r[-1] > R, 0.5, 1.0) * (R > 0.8), np.full(R.size, 1e-3), units="lj")
    change = np.where(r > 1.0, -0.07, 0.0) * (r < r[-1])
    changed = changed_by(before, change, shown)
    np.testing.assert_allclose((changed.u - before.u)[18:], change[18:], atol=0.021)


def test_smoothing_the_cut_off_changes_no_point_by_more_than_it_may():
    u = 3.0 * (1.0 - R / R_CUT)
    whole, gentle = smooth_cutoff(R, u), smooth_cutoff(R, u, most=0.04)
    assert np.max(np.abs(whole - u)) > 0.05
    assert 0.0 < np.max(np.abs(gentle - u)) <= 0.04


def test_particles_that_overlap_get_no_core():
    g = np.exp(-2.0 * np.exp(-(R**2)))
    g[:2] = 0.0  # no pair was seen so close
    soft = RDF(R, g, np.full(R.size, 1e-3), units="lj")
    potential = PairPotential.shifted(R, 2.0 * np.exp(-(R**2)), units="lj")
    changed = changed_by(potential, 0.0 * R, soft)
    # A straight line over two steps of a Gaussian of height 2 is off by its curvature, some 2 x 2 x 0.1^2.
    np.testing.assert_allclose(changed.u, potential.u, atol=0.04)


def counts_of(frames, seed=3, n=30, mean=400.0, correlated=0.3):
    """Return made-up counts whose covariance is known: Poisson-like, and one mode that all bins share."""
    rng = np.random.default_rng(seed)
    shape = np.linspace(1.0, -1.0, n)
    mode = 1.0 + correlated * 0.05 * rng.standard_normal((frames, 1)) * shape
    return PairCounts(np.arange(1, n + 1) * 0.1, rng.poisson(mean * mode).astype(np.int32), 100, 1000.0, LJ)


def weighted(record, potential):
    target = Target.of(record.rdf, StatePoint(0.06, 1.0, "lj"))
    return reweighted(record, Interactions({AA: potential}), target)


def test_the_sampled_response_is_that_of_reweighting():
    counts = counts_of(100_000)
    n = counts.r.size
    zero = PairPotential(counts.r, np.zeros(n), units="lj")
    u = 1e-4 * np.cos(counts.r)
    measured = record_of(
        zero, counts.rdf(), counts.rdf(), SOME, counts=counts, pressure=0.0, pressure_error=0.0
    )
    found = weighted(measured, PairPotential.shifted(counts.r, u, units="lj"))
    change = found.rdf.g - measured.rdf.g
    predicted = -sampled_response(counts, n) @ (u - u[-1])
    # The shrinkage of 100000 samples of 30 bins is below two per cent; the change is linear to 1e-3.
    assert np.max(np.abs(predicted - change)) < 0.03 * np.max(np.abs(change))


def test_few_configurations_shrink_the_response():
    few, many = counts_of(20), counts_of(20_000)
    n = few.r.size
    off = ~np.eye(n, dtype=bool)
    truth = sampled_response(many, n)[off]
    raw = np.cov(few.counts.T)[off] / np.repeat(few.ideal(), n - 1)
    assert np.mean((sampled_response(few, n)[off] - truth) ** 2) < 0.5 * np.mean((raw - truth) ** 2)


def test_inverse_monte_carlo_finds_a_change():
    counts = counts_of(4_000)
    n = counts.r.size
    zero = PairPotential(counts.r, np.zeros(n), units="lj")
    u = 0.01 * np.cos(2.0 * counts.r) * np.linspace(1.0, 0.0, n) ** 2
    measured = endless(record_of(zero, counts.rdf(), counts.rdf(), SOME, counts=counts))
    target = dataclasses.replace(measured.rdf, g=measured.rdf.g - sampled_response(counts, n) @ u)
    target = dataclasses.replace(target, error=np.full(n, 1e-5))
    measured = with_rdf(measured, dataclasses.replace(measured.rdf, error=np.full(n, 1e-5)))
    found = IMC()(history_of(target, STATE, measured)).changes.only()
    # The allowance for what a response may predict wrongly, a tenth of the difference, sets the accuracy.
    assert np.sqrt(np.mean((found - u) ** 2)) < 0.2 * np.sqrt(np.mean(u**2))
    with pytest.raises(ConvergenceError, match="pair counts"):
        IMC()(history_of(target, STATE, dataclasses.replace(measured, counts=Interactions({}))))


def test_reweighting_an_ideal_gas_gives_the_dilute_limit():
    rng = np.random.default_rng(11)
    frames, n = 4_000, 30
    r = np.arange(n) * 0.1 + 0.05
    ideal = PairCounts(r, np.zeros((1, n), dtype=np.int32), 60, 1000.0, LJ).ideal()
    counts = PairCounts(r, rng.poisson(ideal, (frames, n)).astype(np.int32), 60, 1000.0, LJ)
    zero = PairPotential(r, np.zeros(n), units="lj")
    u = PairPotential.shifted(r, 0.3 * np.exp(-(r**2)), units="lj")
    plain = counts.rdf()
    measured = record_of(zero, plain, plain, SOME, counts=counts, pressure=0.06, pressure_error=0.001)
    assert 0.5 < effective_share(boltzmann_weights(counts.counts @ u.u)) < 1.0
    found = weighted(measured, u)
    z = (found.rdf.g - np.exp(-u.u)) / found.rdf.error
    # Independent bins, t-distributed with 9 degrees of freedom: the largest of 30 is below 6.6 but once in 300.
    assert np.max(np.abs(z)) < 6.6
    # B2 rho^2 of the change, to first order in U.
    b2 = -2 * np.pi * np.sum((np.exp(-u.u) - 1.0) * r**2) * 0.1
    assert found.pressure - 0.06 == pytest.approx(b2 * 0.06**2, rel=0.15)
    strong = PairPotential.shifted(r, 5.0 * np.exp(-(r**2)), units="lj")
    assert weighted(measured, strong) is None
    assert weighted(dataclasses.replace(measured, counts=Interactions({})), u) is None


def test_the_energy_of_the_target_is_expected_to_change_little():
    problem = Difference.of(TRUE, measure(TRUE).rdf, TARGET, 1.0, BEADS, R[1:])
    datum = energy_datum(problem, DENSITY)
    # Of a constant it counts half the neighbours.
    neighbours = 4.0 * np.pi * DENSITY * DR * np.sum(R[1:] ** 2 * problem.wanted)
    assert datum.row @ np.ones(R.size - 1) == pytest.approx(0.5 * neighbours)
    assert (datum.value, datum.error) == (0.0, 2.0)
    strong = dataclasses.replace(problem, u=10.0 * problem.u)
    assert energy_datum(strong, DENSITY).error == pytest.approx(0.2 * abs(datum.row @ strong.u))
    matrix, data, noise = with_data(np.eye(R.size - 1), np.ones(R.size - 1), np.eye(R.size - 1), [datum])
    assert matrix.shape == (R.size, R.size - 1)
    assert data[-1] == 0.0
    assert noise[-1, -1] == 4.0
    assert not np.any(noise[-1, :-1])


def test_strong_damping_of_what_is_not_sampled_is_a_number():
    zero = PairPotential(TARGET.r, np.zeros(TARGET.r.size), units="lj")
    empty = RDF(TARGET.r, np.zeros(TARGET.r.size), np.full(TARGET.r.size, 1e-3), units="lj")
    record = record_of(zero, empty, TARGET, SOME)
    change = IBI(1e-3)(history_of(TARGET, STATE, record)).changes.only()
    # Where g must be and is not, U falls; exp(-change / damping) is no number any more.
    assert np.isfinite(change).all()
    assert change.min() < 0.0


@pytest.mark.parametrize("slope", [-1.9, -1.0, 0.5])
def test_turns_of_pairs_and_shapes_that_swing_come_to_rest(slope):
    """Each turn asks for `slope` times what was found, and a constant; whole turns of -1.9 run away."""
    asked = np.array([1.0, -2.0])
    found, before, taken = np.zeros(2), np.zeros(2), 1.0
    for _ in range(MAX_TURNS):
        step = asked + slope * found - found
        taken = part_of_turn(step, before, taken)
        found, before = found + taken * step, step
    assert found == pytest.approx(asked / (1.0 - slope), rel=0.01)


class Kept:
    """Molecules whose energies are spread by the change of their medium, which is a number here."""

    def spread(self, change):
        return abs(change)


@pytest.mark.parametrize(
    ("largest", "spread", "part"),
    [
        (1.0, 0.8 * MEDIUM_LIMIT, 1.0),
        (1.0, 2.0 * MEDIUM_LIMIT, 0.5),
        # Without a solution for the whole change: half of it is within the limit, or twice beyond.
        (0.6, 1.6 * MEDIUM_LIMIT, 0.5),
        (0.6, 4.0 * MEDIUM_LIMIT, 0.25),
        # None for a quarter, either.
        (0.0, 1.0, 0.25),
    ],
)
def test_a_step_whose_medium_has_no_solution_is_shortened(largest, spread, part):
    def inside(taken):
        return [taken * spread if taken <= largest else None, None]

    # The second state has no molecules.
    assert foreseen_part([Kept(), None], inside(1.0), inside) == pytest.approx(part)


def test_the_ramp_of_kbibi_comes_on_top_of_the_update_of_settings():
    """Beside it, that of the pressure is added, and a pair whose turn it is not has neither."""
    crowded = dataclasses.replace(
        with_rdf(measure(TRUE), dataclasses.replace(TARGET, g=TARGET.g * 1.001)),
        pressure=1.0,
        pressure_error=0.0,
    )
    target = Target.of(TARGET, STATE)
    ramp = KirkwoodBuffRamp(1e-3, (1.0, 1.5), 1.2)
    plain = after(AdjustedUpdate(IBI(), ((target.pairs[0], Adjustment()),)), [crowded])
    both = after(AdjustedUpdate(IBI(), ((target.pairs[0], Adjustment(kirkwood_buff=ramp)),)), [crowded])
    wanted = Interactions(ramp.changes(crowded, target, target.pairs)).only()
    # Beyond the core, which is extrapolated anew.
    shown = both.r > 0.95
    np.testing.assert_allclose((both.u - plain.u)[shown], wanted[shown], atol=1e-9)
    pressed = AdjustedUpdate(IBI(), ((target.pairs[0], Adjustment(ramp="simple", kirkwood_buff=ramp)),))
    more = after(pressed, [crowded], pressure=2.0)
    assert np.all((more.u - both.u)[shown & (both.r < R_CUT - 0.1)] > 0.0)
