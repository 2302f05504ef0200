"""The guess in the real relentless: energies, its dilute engine, its relative entropy, and LAMMPS through it."""

import os

import numpy as np
import pytest
import relentless
from cginit_relentless import pair_spline, spline_knots, tabulated, target_ensemble

from cginit import RDF, InputError, PairPotential, StatePoint, guess
from cginit.engines.lammps import LammpsEngine

KT = 1.5
R = np.linspace(0.0, 3.0, 121)


def lennard_jones():
    r = np.maximum(R, 0.6)
    u = 4.0 * (r**-12 - r**-6)
    return PairPotential.shifted(R, u + 500.0 * np.maximum(0.6 - R, 0.0), units="lj")


def guessed():
    """Return a guess as cginit makes it: a well of 0.7 kT behind an extrapolated core."""
    g = np.exp(-lennard_jones().u / KT)
    return guess(RDF(R, g, units="lj"), StatePoint(0.1, KT, "lj"), "boltzmann", 2.5)


def test_energy_and_force_are_those_of_the_potential():
    potential = guessed()
    spline = pair_spline(potential, tolerance=0.02)
    r = np.linspace(1.0, 2.45, 200)
    energy = np.array([spline.energy(("A", "A"), float(x)) for x in r])
    # The tolerance asked for, and the linear interpolation used here: dr^2 U''/8 with U'' < 60 kT.
    np.testing.assert_allclose(energy, np.interp(r, potential.r, potential.u), atol=(0.02 + 0.005) * KT)
    h = 1e-5
    force = np.array([spline.force(("A", "A"), float(x)) for x in r])
    slope = -(spline.energy(("A", "A"), r + h) - spline.energy(("A", "A"), r - h)) / (2 * h)
    np.testing.assert_allclose(force, slope, atol=1e-5 * np.max(np.abs(force)))


def test_core_repels_and_the_cut_off_is_exact():
    potential = guessed()
    spline = pair_spline(potential)
    r = np.linspace(0.0, 0.9, 400)
    assert np.all(np.diff(spline.energy(("A", "A"), r)) < 0.0)
    assert spline.energy(("A", "A"), potential.r_cut) == pytest.approx(0.0, abs=1e-12)
    assert spline.energy(("A", "A"), 1.1 * potential.r_cut) == pytest.approx(0.0, abs=1e-12)
    assert spline.force(("A", "A"), 1.1 * potential.r_cut) == 0.0


@pytest.mark.parametrize("mode", ["diff", "value"])
def test_knots_and_modes(mode):
    spline = pair_spline(guessed(), ("B", "C"), 30, mode=mode)
    knots = list(spline.knots(("B", "C")))
    assert len(knots) == 30
    # relentless keeps the distance to the knot before.
    assert sum(dr.value for dr, _ in knots) == pytest.approx(2.5)
    plain = pair_spline(guessed(), ("B", "C"), 30, mode="value")
    assert spline.energy(("B", "C"), 1.3) == pytest.approx(plain.energy(("B", "C"), 1.3), rel=1e-9)


def test_a_finer_tolerance_takes_more_knots():
    coarse, fine = (spline_knots(guessed(), tolerance=t)[0].size for t in (0.1, 0.02))
    assert 8 < coarse < fine


def test_refusals():
    with pytest.raises(InputError, match="give kT"):
        spline_knots(lennard_jones())
    with pytest.raises(InputError, match="too few"):
        spline_knots(guessed(), 4)
    with pytest.raises(InputError, match="larger tolerance"):
        spline_knots(guessed(), tolerance=1e-9)


def dilute(potential, spline, state, bins):
    average = relentless.simulate.EnsembleAverage(
        filename=None, every=1, rdf={"stop": potential.r_cut, "num": bins}
    )
    ensemble = target_ensemble(RDF(R, np.ones(R.size), units="lj"), state)
    start = relentless.simulate.InitializeRandomly(seed=1, N={"A": 1000}, V=ensemble.V, T=state.kT)
    run = relentless.simulate.RunLangevinDynamics(
        steps=1, timestep=1.0, T=state.kT, friction=1.0, seed=2, analyzers=average
    )
    return relentless.simulate.Dilute(start, run), average, tabulated(spline, potential.r_cut)


def test_dilute_engine_of_relentless_gives_back_the_target(tmp_path):
    potential = guessed()
    simulation, average, potentials = dilute(potential, pair_spline(potential), StatePoint(0.1, KT), 100)
    result = simulation.run(potentials, tmp_path)
    table = result[average]["ensemble"].rdf["A", "A"].table
    wanted = np.exp(-np.interp(table[:, 0], potential.r, potential.u) / KT)
    # exp(-U/kT) <= 2 times the tolerance of the knots and of linear interpolation.
    np.testing.assert_allclose(table[:, 1], wanted, atol=2 * 0.03)


def test_relative_entropy_vanishes_at_the_guess_and_not_elsewhere(tmp_path):
    """At low density Boltzmann inversion is exact, so that its relative entropy has no gradient."""
    potential, state = guessed(), StatePoint(0.001, KT, "lj")
    whole = np.exp(-np.interp(R, potential.r, potential.u, right=0.0) / KT)
    norms = {}
    for scale in (1.0, 0.8):
        changed = PairPotential(potential.r, scale * potential.u, units="lj")
        spline = pair_spline(changed, num_knots=50, kT=KT, mode="value")
        simulation, average, potentials = dilute(potential, spline, state, 100)
        objective = relentless.optimize.RelativeEntropy(
            target_ensemble(RDF(R, whole, units="lj"), state), simulation, potentials, average
        )
        # Knots of the core are never seen; those of the well and beyond count.
        variables = [k for dr, k in list(spline.knots(("A", "A")))[10:-1]]
        gradient = objective.compute(variables, tmp_path / str(scale)).gradient
        norms[scale] = gradient.norm()
    assert norms[1.0] < 0.1 * norms[0.8]


@pytest.mark.lammps
# relentless 0.2.1 divides so; numpy 2.4 began to warn of it.
@pytest.mark.filterwarnings("ignore:'where' used without 'out'")
def test_lammps_through_relentless_runs_the_guess(tmp_path, monkeypatch):
    potential, state = guessed(), StatePoint(0.1, KT, "lj")
    engine = LammpsEngine()
    monkeypatch.setenv("LD_LIBRARY_PATH", engine.environment().get("LD_LIBRARY_PATH", ""))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    average = relentless.simulate.EnsembleAverage(None, every=20, rdf={"stop": 2.5, "num": 25})
    start = relentless.simulate.InitializeRandomly(
        seed=1, N={"A": 1000}, V=target_ensemble(RDF(R, np.ones(R.size), units="lj"), state).V, T=KT,
        diameters={"A": 1.0},
    )  # fmt: skip
    run = relentless.simulate.RunLangevinDynamics
    operations = [
        run(steps=500, timestep=0.005, T=KT, friction=1.0, seed=2),
        run(steps=2000, timestep=0.005, T=KT, friction=1.0, seed=3, analyzers=average),
    ]
    program = os.fspath(engine.command()[0])
    result = relentless.simulate.LAMMPS(start, operations, executable=program).run(
        tabulated(pair_spline(potential), 2.5), tmp_path
    )
    table = result[average]["ensemble"].rdf["A", "A"].table
    wanted = np.exp(-np.interp(table[:, 0], potential.r, potential.u) / KT)
    outer = table[:, 0] > 1.2
    # At density 0.1 g differs from exp(-U/kT) by a term of order rho, some 0.1; noise is below 0.02 a bin.
    np.testing.assert_allclose(table[outer, 1], wanted[outer], atol=0.2)
    assert np.all(table[table[:, 0] < 0.8, 1] < 0.05)
