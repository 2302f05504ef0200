"""How a mixture responds to its potentials: against differences, the inversion, and the pure fluid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.errors import ConvergenceError
from cginit.interactions import Interactions
from cginit.liquid import forward, infinite_system, measured_liquid
from cginit.liquid.mixture import invert_mixture
from cginit.refine import HNCN, IBI, Automatic, GaussNewton, History, Record, distance, make_update
from cginit.refine.history import apply_step
from cginit.refine.search import Search
from cginit.refine.updates import gauss_newton
from cginit.target import Target

R = 0.05 * np.arange(1, 161)
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))
RHO = {"A": 0.25, "B": 0.35}
#: Points up to a cut-off of 2.5.
M = 50


def soft_liquid(strength: float) -> np.ndarray:
    return strength * np.maximum(R, 0.3) ** -12


def curve(g: np.ndarray, error: float = 1e-6) -> RDF:
    return RDF(R, g, np.full(R.size, error), units="lj")


@pytest.fixture(scope="module")
def pure() -> np.ndarray:
    """g of a repulsive liquid in HNC."""
    return np.asarray(forward.solve(R, soft_liquid(1.0), 0.6).g[: R.size])


@pytest.fixture(scope="module")
def unlike(pure):
    """A mixture of three different g that the equation has a solution for: that of `pure`, changed."""
    fluid = measured_liquid(dict.fromkeys(PAIRS, curve(pure)), RHO)
    change = np.zeros((3, M))
    change[0] = -0.15 * np.exp(-((R[:M] - 1.2) ** 2) / 0.1)
    change[1] = 0.25 * np.exp(-((R[:M] - 1.1) ** 2) / 0.05)
    change[2] = 0.1 * np.exp(-((R[:M] - 1.6) ** 2) / 0.2)
    return fluid.response(np.array([0.0, 0.2, 0.4])).at(change, core(fluid))


def core(fluid) -> np.ndarray:
    u = fluid.u[:, :M]
    return np.where(np.isfinite(u), u, 20.0)


def test_the_jacobian_is_the_slope_of_the_solution(unlike):
    rng = np.random.default_rng(3)
    centres = rng.uniform(1.0, 2.0, 3)
    direction = rng.normal(size=(3, 1)) * np.exp(-((R[:M] - centres[:, None]) ** 2) / 0.1)
    step = 1e-3
    up, down = (unlike.solve(unlike.change + sign * step * direction, core(unlike.fluid)) for sign in (1, -1))
    slope = (up.g - down.g)[:, :M] / (2.0 * step)
    expected = -(unlike.jacobian(M) @ direction.ravel()).reshape(3, M)
    # The Jacobian ends after 2.5 times the range of the change, the solution does not; and the difference is of
    # second order in steps of 1e-3 kT that a response of 3 per kT to a core multiplies.
    np.testing.assert_allclose(slope, expected, atol=1e-3 * np.max(np.abs(expected)))
    # What one pair does to another is no small part of it.
    others = unlike.jacobian(M)[:M, M:]
    assert np.max(np.abs(others)) > 0.05


def test_the_jacobian_is_the_inverse_of_the_inversion(unlike):
    """The potential that the matrix inversion finds changes by what the Jacobian was given."""
    unlike = replace(unlike, factors=np.zeros(3))
    size = 120
    direction = np.zeros((3, size))
    direction[1] = np.exp(-((R[:size] - 1.3) ** 2) / 0.1)
    step, exact = 2e-3, dict.fromkeys(PAIRS, np.zeros(R.size))
    moved = -(unlike.jacobian(size) @ (step * direction.ravel())).reshape(3, size)
    before = unlike.g[:, : R.size]
    after = before.copy()
    after[:, :size] += moved
    first, second = (
        invert_mixture(R, dict(zip(PAIRS, np.maximum(g, 0.0), strict=True)), RHO, error=exact)
        for g in (before, after)
    )
    for row, pair in enumerate(PAIRS):
        seen = (before[row] > 0.1) & (R <= 3.0)
        found = (second.u[pair] - first.u[pair])[seen] / step
        # The change of g is cut at 6, where it has all but ended: 2e-2 of the largest is left of long waves.
        np.testing.assert_allclose(found, direction[row][seen[:size]], atol=0.02)


def test_the_change_of_a_solution_is_found_by_the_way(pure):
    """A change that Newton's method does not find at once is reached in parts."""
    fluid = measured_liquid(dict.fromkeys(PAIRS, curve(pure)), RHO)
    base = fluid.response(np.zeros(3))
    # A core that gives way by 2 kT at once: at first g is far too high in it.
    change = np.tile(-2.0 * np.exp(-((R[:M] - 0.9) ** 2) / 0.05), (3, 1))
    with pytest.raises(ConvergenceError):
        base.solve(change, core(fluid))
    reached = base.at(change, core(fluid))
    parts = base
    for part in (0.25, 0.5, 0.75, 1.0):
        parts = parts.solve(part * change, core(fluid))
    # Both are solutions to 1e-6.
    np.testing.assert_allclose(reached.g, parts.g, atol=1e-4)


@pytest.mark.parametrize("factor", [0.0, 0.4])
def test_equal_beads_respond_as_one_species(pure, factor):
    mixture = measured_liquid(dict.fromkeys(PAIRS, curve(pure)), RHO).response(np.full(3, factor))
    single = measured_liquid({("A", "A"): curve(pure)}, {"A": 0.6}).response(np.array([factor]))
    blocks = mixture.jacobian(M).reshape(3, M, 3, M)
    for pair in range(3):
        # The same equation but for rounding, and the tail beyond the g that is given, where h is below 1e-5.
        np.testing.assert_allclose(blocks[pair].sum(axis=1), single.jacobian(M), atol=1e-7)


def test_a_closed_box_of_equal_beads_is_that_of_one_species():
    g = np.linspace(0.9, 1.1, 5)
    # S of a mixture of equal beads: 1 + sqrt(x_a x_b) (S - 1).
    x = np.array([0.25, 0.75])
    s = np.eye(2) + np.sqrt(np.outer(x, x)) * (0.05 - 1.0)
    found = infinite_system(np.tile(g, (3, 1)), s, 100.0 * x)
    np.testing.assert_allclose(found, np.tile(infinite_system(g, 0.05, 100), (3, 1)), rtol=1e-12)


def iteration(u: PairPotential, g: dict, target: Target, index: int = 0, warnings=()) -> Record:
    n = 1000
    kinds = {"types": np.repeat([0, 1], [417, 583])} if len(target.species) == 2 else {}
    beads = Configuration(
        np.random.default_rng(0).uniform(-5.0, 5.0, (n, 3)),
        np.full(3, (n / 0.6) ** (1 / 3)),
        units="lj",
        species=target.species,
        **kinds,
    )
    found = Interactions(g)
    return Record(
        index=index,
        potentials=Interactions(dict.fromkeys(g, u)),
        rdfs=found,
        distances=Interactions({pair: distance(found[pair], target.rdfs[pair], u.r_cut) for pair in g}),
        final=beads,
        pressure=1.0,
        pressure_error=0.1,
        warnings=warnings,
    )


def step(update, target: Target, *records: Record):
    return update(History((target,), tuple((one,) for one in records)))


@pytest.fixture(scope="module")
def equal():
    """A target and a simulation in which both species are the same bead: mixture and pure fluid."""
    wanted = np.asarray(forward.solve(R, soft_liquid(1.0), 0.6).g[: R.size])
    fluid = forward.solve(R, soft_liquid(0.7), 0.6)
    # What a closed box of 1000 beads shows.
    got = np.asarray(fluid.g[: R.size]) / infinite_system(np.ones(1), fluid.s_0, 1000)
    r = np.concatenate([[0.0], R[:M]])
    energies = soft_liquid(0.7)[:M]
    energies = np.minimum(np.concatenate([energies[:1], energies]), 1e3)
    u = PairPotential.shifted(r, energies, units="lj")
    error = 1e-4
    target = Target(dict.fromkeys(PAIRS, curve(wanted, error)), RHO, 1.0)
    alone = Target({("A", "A"): curve(wanted, error)}, {"A": 0.6}, 1.0)
    single = alone, iteration(u, {("A", "A"): curve(got, error)}, alone)
    return target, iteration(u, dict.fromkeys(PAIRS, curve(got, error)), target), single


def visible(target: Target, change: np.ndarray) -> np.ndarray:
    return change[target.rdfs["A", "A"].g[: change.size] > 0.05]


def test_newton_changes_equal_beads_as_one_species(equal):
    target, done, (pure_target, pure_done) = equal
    found = step(HNCN(), target, done)
    changes = found.changes
    assert found.made_by == "hncn"
    alone = visible(target, step(HNCN(), pure_target, pure_done).changes.only())
    assert np.max(np.abs(alone)) > 0.1
    for pair in PAIRS:
        # Singular values below 1e-3 are left out; of the three differences a few more are.
        np.testing.assert_allclose(visible(target, changes[pair]), alone, atol=0.01)


def test_gauss_newton_changes_equal_beads_as_one_species_as_far_as_g_shows(equal):
    target, done, (pure_target, pure_done) = equal
    found = step(GaussNewton(), target, done)
    changes = found.changes
    assert found.made_by == "gauss-newton"
    alone = step(GaussNewton(), pure_target, pure_done).changes.only()
    response = measured_liquid(pure_done.rdfs, {"A": 0.6}, {"A": 1000}).response(np.zeros(1)).jacobian(M)
    asked = (pure_target.rdfs.only().with_core().g[1:] - pure_done.rdf.with_core().g[1:])[:M]
    for pair in PAIRS:
        # Three differences weigh the noise otherwise than one; a tenth of the difference counts as noise.
        apart = response @ (changes[pair] - alone)[1:]
        assert np.sqrt(np.mean(apart**2)) < 0.1 * np.sqrt(np.mean(asked**2))


def test_gauss_newton_needs_no_inversion_of_the_target(equal):
    """Targets that are a per cent too low have none, and the change is that of targets which have one."""
    target, done, _ = equal
    low = target.rdfs.map(lambda one: RDF(one.r, 0.98 * one.g, one.error, units="lj"))
    with pytest.raises(ConvergenceError, match="no solution"):
        step(make_update("ihnc"), replace(target, rdfs=low), done)
    found = step(Automatic(), replace(target, rdfs=low), done)
    assert found.made_by == "gauss-newton"
    assert all(np.all(np.isfinite(change)) for change in found.changes.values())


def test_the_default_goes_back_and_heats(equal):
    target, good, _ = equal
    u = good.potentials["A", "A"]
    far = replace(u, u=u.u * 1.8)
    wild = {
        pair: RDF(R, 1.0 + 3.0 * (one.g[1:] - 1.0).clip(-1 / 3), one.error[1:], units="lj")
        for pair, one in target.rdfs.items()
    }
    bad = iteration(far, wild, target, index=1)
    assert bad.distance.lmse > 2.0 * good.distance.lmse
    found = step(Search(Automatic()), target, good, bad)
    assert (found.base, found.made_by) == (0, "part")
    for pair in PAIRS:
        part = found.changes[pair][1:-1] / (far.u - u.u)[1:-1]
        # Between 0.15 and 0.6 of the step, the same part everywhere.
        assert np.ptp(part) < 1e-9
        assert 0.15 - 1e-9 <= part[0] <= 0.6 + 1e-9
    # The step that follows a way back is half as long.
    back = replace(good, made_by="part")
    whole, half = (step(Search(Automatic()), target, *done).changes for done in ([good], [good, bad, back]))
    np.testing.assert_allclose(half["A", "A"], 0.5 * whole["A", "A"], rtol=1e-12)
    assert step(Search(Automatic()), target, good, bad, bad, bad).made_by == "ibi"
    drifting = iteration(u, good.rdfs, target, warnings=("not equilibrated: the energy drifts",))
    assert step(Search(Automatic()), target, drifting).made_by == "gauss-newton"


def test_half_of_a_mixture_is_half_however_deep(equal):
    """A change of -U/2 that was limited to 2 kT a point made 5.65 kT of 7.65, where one species had 3.82."""
    target, good, _ = equal
    deep = np.where(R[:M] < 1.6, -7.65, 0.0) * (1.0 - R[:M] / 2.5)
    u = PairPotential.shifted(np.concatenate([[0.0], R[:M]]), np.concatenate([[-7.65], deep]), units="lj")
    cluster = iteration(u, good.rdfs, target, warnings=("inhomogeneous: two phases",))
    history = History((target,), ((cluster,),))
    found = Search(Automatic())(history)
    assert (found.base, found.factor, found.made_by) == (0, 0.5, "half")
    # Apart from the core and the last points before the cut-off, which are made anew.
    shown = slice(22, 45)
    assert u.u[22] < -4.0
    for potential in apply_step(history, found).values():
        np.testing.assert_allclose(potential.u[shown], 0.5 * u.u[shown], atol=1e-9)


def test_damping_of_boltzmann_inversion(equal):
    target, done, _ = equal
    whole, half = (step(IBI(damping), target, done).changes for damping in (1.0, 0.5))
    seen = target.rdfs["A", "A"].g[: M + 1] > 0.05
    np.testing.assert_allclose(half["A", "B"][seen], 0.5 * whole["A", "B"][seen], rtol=1e-12)


def test_a_change_is_limited(equal):
    target, done, _ = equal
    for update, limit in ((GaussNewton(), 5.0), (IBI(), 2.0)):
        found = step(update, replace(target, pressure=50.0), replace(done, pressure_error=1e-4)).changes
        assert max(np.max(np.abs(change)) for change in found.values()) <= limit


def virial(potentials: dict, target: Target, g: dict) -> float:
    """Pressure of fixed g: rho kT - 2 pi/3 sum_ab rho_a rho_b int U' g r^3 dr, by parts of U."""
    found = 0.0
    for a, b in PAIRS:
        one = potentials[a, b]
        both = (1.0 if a == b else 2.0) * target.densities[a] * target.densities[b]
        slope = np.gradient(g[a, b] * one.r**3, one.r)
        found += 2.0 * np.pi / 3.0 * both * one.dr * float(slope @ one.u)
    return found


def test_the_ramps_of_all_pairs_bring_the_pressure(equal):
    target, done, _ = equal
    n = done.potentials["A", "A"].r.size
    g = {pair: done.rdfs[pair].with_core().g[:n] for pair in PAIRS}
    bare = step(IBI(), target, done).changes
    rule = make_update("ibi", pressure=True)
    for missing in (0.02, -0.02):
        measured = replace(done, pressure_error=1e-6)
        found = step(rule, replace(target, pressure=done.pressure + missing), measured)
        assert found.made_by == "ibi"
        ramps = {pair: replace(done.potentials[pair], u=found.changes[pair] - bare[pair]) for pair in PAIRS}
        # The same at r = 0; by parts on a grid of 0.05 the integral of r^3 is good to a per cent.
        assert len({round(float(one.u[0]), 12) for one in ramps.values()}) == 1
        assert virial(ramps, target, g) == pytest.approx(missing, rel=0.01)
    # Within its error the pressure is reached, and no ramp is more than a tenth of kT.
    changes = step(rule, replace(target, pressure=done.pressure + 0.05), done).changes
    np.testing.assert_array_equal(changes["A", "B"], bare["A", "B"])
    changes = step(rule, replace(target, pressure=50.0), done).changes
    assert changes["A", "A"][0] - bare["A", "A"][0] == pytest.approx(0.1)
    simple = make_update("auto", pressure=True, correction="simple")
    assert step(simple, replace(target, pressure=50.0), done).changes["A", "A"].shape == (n,)


def test_the_pressure_is_a_datum_of_gauss_newton(equal, monkeypatch):
    target, done, (pure_target, pure_done) = equal
    n = done.potentials["A", "A"].r.size
    g = {pair: target.rdfs[pair].with_core().g[:n] for pair in PAIRS}
    free = step(GaussNewton(), target, done).changes
    exact, pure_exact = (replace(one, pressure_error=1e-4) for one in (done, pure_done))
    # No point is limited so: the core would be, of which g shows nothing.
    monkeypatch.setattr(gauss_newton, "LIMIT", np.inf)
    moved = []
    for pressure in (2.0, 2.5):
        changes = step(GaussNewton(), replace(target, pressure=pressure), exact).changes
        made = {pair: replace(done.potentials[pair], u=changes[pair]) for pair in PAIRS}
        moved.append(virial(made, target, g))
        alone = step(GaussNewton(), replace(pure_target, pressure=pressure), pure_exact).changes.only()
        # Equal beads again: the ramp by which the pressure moves is that of one species.
        apart = np.max(np.abs(visible(target, changes["A", "B"] - alone)))
        assert apart < 0.2 * np.max(np.abs(visible(target, alone - free["A", "B"])))
    # What is asked of the pressure comes, to a per cent of it; the rest of the change is that of g.
    assert moved[1] - moved[0] == pytest.approx(0.5, rel=0.02)
    assert step(Automatic(), replace(target, pressure=2.0), exact).made_by == "gauss-newton"
