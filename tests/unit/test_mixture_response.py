"""How a mixture responds to its potentials: against differences, the inversion, and the pure fluid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cginit.mixture import MixtureTarget
from cginit.refine.measurement import Measurement
from cginit.refine.mixture_response import infinite_mixture, measured_mixture
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates import (
    MixtureAutomatic,
    MixtureGaussNewton,
    MixtureHNCN,
    MixtureIBI,
    make_mixture_update,
)
from cginit.refine.response import infinite_system, measured_fluid

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.errors import ConvergenceError
from cginit.liquid import forward
from cginit.liquid.mixture import invert_mixture
from cginit.refine.convergence import distance
from cginit.refine.updates import HNCN, GaussNewton
from cginit.state import StatePoint

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
    fluid = measured_mixture(dict.fromkeys(PAIRS, curve(pure)), RHO)
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
    fluid = measured_mixture(dict.fromkeys(PAIRS, curve(pure)), RHO)
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
    mixture = measured_mixture(dict.fromkeys(PAIRS, curve(pure)), RHO).response(np.full(3, factor))
    single = measured_fluid(curve(pure), 0.6).response(factor)
    blocks = mixture.jacobian(M).reshape(3, M, 3, M)
    for pair in range(3):
        # The same equation but for rounding, and the tail beyond the g that is given, where h is below 1e-5.
        np.testing.assert_allclose(blocks[pair].sum(axis=1), single.jacobian(M), atol=1e-7)


def test_a_closed_box_of_equal_beads_is_that_of_one_species():
    g = np.linspace(0.9, 1.1, 5)
    # S of a mixture of equal beads: 1 + sqrt(x_a x_b) (S - 1).
    x = np.array([0.25, 0.75])
    s = np.eye(2) + np.sqrt(np.outer(x, x)) * (0.05 - 1.0)
    found = infinite_mixture(np.tile(g, (3, 1)), s, 100.0 * x)
    np.testing.assert_allclose(found, np.tile(infinite_system(g, 0.05, 100), (3, 1)), rtol=1e-12)


def iteration(
    u: PairPotential, g: dict, target: MixtureTarget, index: int = 0, warnings=()
) -> MixtureIteration:
    n = 1000
    beads = Configuration(
        np.random.default_rng(0).uniform(-5.0, 5.0, (n, 3)),
        np.full(3, (n / 0.6) ** (1 / 3)),
        units="lj",
        types=np.repeat([0, 1], [417, 583]),
        species=("A", "B"),
    )
    return MixtureIteration(
        index=index,
        potentials=dict.fromkeys(PAIRS, u),
        rdfs=g,
        final=beads,
        distances={pair: distance(g[pair], target.rdfs[pair], u.r_cut) for pair in PAIRS},
        pressure=1.0,
        pressure_error=0.1,
        warnings=warnings,
        update="start",
        steps=1,
        seconds=1.0,
    )


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
    target = MixtureTarget(dict.fromkeys(PAIRS, curve(wanted, error)), RHO, 1.0)
    single = Measurement(u, curve(got, error), 1000), curve(wanted, error)
    return target, iteration(u, dict.fromkeys(PAIRS, curve(got, error)), target), single


def visible(target: MixtureTarget, change: np.ndarray) -> np.ndarray:
    return change[target.rdfs["A", "A"].g[: change.size] > 0.05]


def test_newton_changes_equal_beads_as_one_species(equal):
    target, done, (measured, wanted) = equal
    changes, name = MixtureHNCN()([done], target)
    assert name == "hncn"
    alone = visible(target, HNCN().change(measured, wanted, StatePoint(0.6, 1.0, "lj")))
    assert np.max(np.abs(alone)) > 0.1
    for pair in PAIRS:
        # Singular values below 1e-3 are left out; of the three differences a few more are.
        np.testing.assert_allclose(visible(target, changes[pair]), alone, atol=0.01)


def test_gauss_newton_changes_equal_beads_as_one_species_as_far_as_g_shows(equal):
    target, done, (measured, wanted) = equal
    state = StatePoint(0.6, 1.0, "lj")
    changes, name = MixtureGaussNewton()([done], target)
    assert name == "gauss-newton"
    alone = GaussNewton().change([measured], wanted, state)
    response = measured_fluid(measured.rdf, 0.6, 1000).response(0.0).jacobian(M)
    asked = (wanted.g - measured.rdf.g)[:M]
    for pair in PAIRS:
        # Three differences weigh the noise otherwise than one; a tenth of the difference counts as noise.
        apart = response @ (changes[pair] - alone)[1:]
        assert np.sqrt(np.mean(apart**2)) < 0.1 * np.sqrt(np.mean(asked**2))


def test_gauss_newton_needs_no_inversion_of_the_target(equal):
    """Targets that are a per cent too low have none, and the change is that of targets which have one."""
    target, done, _ = equal
    low = {pair: RDF(one.r, 0.98 * one.g, one.error, units="lj") for pair, one in target.rdfs.items()}
    with pytest.raises(ConvergenceError, match="no solution"):
        make_mixture_update("ihnc")([done], replace(target, rdfs=low))
    changes, name = MixtureAutomatic()([done], replace(target, rdfs=low))
    assert name == "gauss-newton"
    assert all(np.all(np.isfinite(change)) for change in changes.values())


def test_the_default_goes_back_and_heats(equal):
    target, good, _ = equal
    u = good.potentials["A", "A"]
    far = replace(u, u=u.u * 1.8)
    wild = {
        pair: RDF(R, 1.0 + 3.0 * (one.g[1:] - 1.0).clip(-1 / 3), one.error[1:], units="lj")
        for pair, one in target.rdfs.items()
    }
    bad = iteration(far, wild, target, index=1)
    assert bad.lmse > 2.0 * good.lmse
    changes, name = MixtureAutomatic()([good, bad], target)
    assert name == "part"
    for pair in PAIRS:
        part = (far.u + changes[pair] - u.u)[1:-1] / (far.u - u.u)[1:-1]
        # Between 0.15 and 0.6 of the step, the same part everywhere.
        assert np.ptp(part) < 1e-9
        assert 0.15 - 1e-9 <= part[0] <= 0.6 + 1e-9
    # The step that follows a way back is half as long.
    back = replace(good, update="part")
    whole, half = (MixtureAutomatic()(history, target)[0] for history in ([good], [good, bad, back]))
    np.testing.assert_allclose(half["A", "A"], 0.5 * whole["A", "A"], rtol=1e-12)
    _, name = MixtureAutomatic()([good, bad, bad, bad], target)
    assert name == "ibi"
    cluster = iteration(far, wild, target, warnings=("inhomogeneous: two phases",))
    changes, name = MixtureAutomatic()([cluster], target)
    assert name == "half"
    np.testing.assert_allclose(changes["A", "B"], -0.5 * far.u)
    drifting = iteration(u, good.rdfs, target, warnings=("not equilibrated: the energy drifts",))
    assert MixtureAutomatic()([drifting], target)[1] == "gauss-newton"


def test_damping_of_boltzmann_inversion(equal):
    target, done, _ = equal
    whole, half = (MixtureIBI(damping)([done], target)[0] for damping in (1.0, 0.5))
    seen = target.rdfs["A", "A"].g[: M + 1] > 0.05
    np.testing.assert_allclose(half["A", "B"][seen], 0.5 * whole["A", "B"][seen], rtol=1e-12)


def virial(potentials: dict, target: MixtureTarget, g: dict) -> float:
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
    g = {pair: one.with_core().g[:n] for pair, one in done.rdfs.items()}
    bare, _ = MixtureIBI()([done], target)
    for missing in (0.02, -0.02):
        rule = make_mixture_update("ibi", pressure=done.pressure + missing)
        assert rule.pressure == done.pressure + missing
        measured = replace(done, pressure_error=1e-6)
        changes, name = rule([measured], target)
        assert name == "ibi"
        ramps = {pair: replace(done.potentials[pair], u=changes[pair] - bare[pair]) for pair in PAIRS}
        # The same at r = 0; by parts on a grid of 0.05 the integral of r^3 is good to a per cent.
        assert len({round(float(one.u[0]), 12) for one in ramps.values()}) == 1
        assert virial(ramps, target, g) == pytest.approx(missing, rel=0.01)
    # Within its error the pressure is reached, and no ramp is more than a tenth of kT.
    changes, _ = make_mixture_update("ibi", pressure=done.pressure + 0.05)([done], target)
    np.testing.assert_array_equal(changes["A", "B"], bare["A", "B"])
    changes, _ = make_mixture_update("ibi", pressure=50.0)([done], target)
    assert changes["A", "A"][0] - bare["A", "A"][0] == pytest.approx(0.1)
    simple = make_mixture_update("auto", pressure=50.0, correction="simple")
    assert simple([done], target)[0]["A", "A"].shape == (n,)


def test_the_pressure_is_a_datum_of_gauss_newton(equal):
    target, done, (measured, wanted) = equal
    n = done.potentials["A", "A"].r.size
    g = {pair: target.rdfs[pair].with_core().g[:n] for pair in PAIRS}
    free, _ = MixtureGaussNewton()([done], target)
    exact = replace(done, pressure_error=1e-4)
    moved = []
    for pressure in (2.0, 2.5):
        rule = make_mixture_update("gauss-newton", pressure=pressure)
        changes, _ = rule([exact], target)
        made = {pair: replace(done.potentials[pair], u=changes[pair]) for pair in PAIRS}
        moved.append(virial(made, target, g))
        alone = GaussNewton(pressure=pressure).change(
            [replace(measured, pressure=done.pressure, pressure_error=1e-4)],
            wanted,
            StatePoint(0.6, 1.0, "lj"),
        )
        # Equal beads again: the ramp by which the pressure moves is that of one species.
        apart = np.max(np.abs(visible(target, changes["A", "B"] - alone)))
        assert apart < 0.2 * np.max(np.abs(visible(target, alone - free["A", "B"])))
    # What is asked of the pressure comes, to a per cent of it; the rest of the change is that of g.
    assert moved[1] - moved[0] == pytest.approx(0.5, rel=0.02)
    assert MixtureAutomatic(pressure=2.0)([exact], target)[1] == "gauss-newton"
