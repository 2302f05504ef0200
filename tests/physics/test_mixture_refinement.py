"""A Lennard-Jones mixture is found again from its own g(r)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import guess, sampling
from cginit.cli.app import app
from cginit.configuration import random_configuration
from cginit.curves import RDF, PairPotential
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.errors import InputError
from cginit.guess.mixture import guess_mixture
from cginit.io import read_rdf, write_rdf
from cginit.liquid import solve
from cginit.refine import Limits, Settings, refine_system
from cginit.state import StatePoint
from cginit.target import Target
from reference import TARGETS

DENSITIES = {"A": 0.5, "B": 0.35}
SIZES = {("A", "A"): 1.0, ("A", "B"): 0.95, ("B", "B"): 0.85}
WELLS = {("A", "A"): 0.8, ("A", "B"): 1.0, ("B", "B"): 0.65}


def lennard_jones(size: float, well: float) -> PairPotential:
    r = np.linspace(0.0, 2.5, 51)
    x = np.maximum(r, 0.3) / size
    return PairPotential.shifted(r, np.minimum(4.0 * well * (x**-12 - x**-6), 1e4), units="lj")


SCHEDULE = Schedule(equilibration=3_000, production=9_000, every=90)

TRUE = {pair: lennard_jones(SIZES[pair], WELLS[pair]) for pair in SIZES}


def settings(iterations: int, **more) -> Settings:
    return Settings(schedule=SCHEDULE, limits=Limits(iterations), **more)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> tuple[Target, float]:
    """g(r) and pressure of the mixture, simulated."""
    state = StatePoint(0.85, 1.0)
    start = random_configuration({"A": 700, "B": 490}, 0.85, seed=1, units="lj")
    schedule = Schedule(equilibration=3_000, production=16_000, every=100, length=0.85)
    folder = tmp_path_factory.mktemp("mixture")
    run = LammpsEngine().run(TRUE, state, start, schedule, seed=5, workdir=folder)
    target = Target(sampling.partial_rdfs(run.trajectory, dr=0.05), DENSITIES, 1.0)
    return target, sampling.block_mean(run.pressure).value


@pytest.fixture(scope="module")
def target(simulated) -> Target:
    """g(r) of the mixture."""
    return simulated[0]


def error(potentials, target) -> float:
    """Mean absolute error of U over the distances that g shows, of all pairs."""
    found = []
    for pair, one in potentials.items():
        seen = target.rdfs[pair].g[: one.r.size] > 0.05
        found.append(np.mean(np.abs(one.u - TRUE[pair.types].u)[seen]))
    return float(np.mean(found))


@pytest.mark.lammps
@pytest.mark.slow
def test_the_potentials_of_a_dense_mixture_are_found(target, tmp_path):
    boltzmann = guess_mixture(target, "boltzmann", r_cut=2.5)
    first = guess_mixture(target, "hnc", r_cut=2.5)
    # HNC knows the other beads; what is left is smooth, and in so dense a liquid still 0.2 kT.
    assert error(first, target) < error(boltzmann, target)
    seen: list[int] = []

    def interrupt(finished) -> None:
        seen.append(finished[0].index)
        if len(seen) == 2:
            raise KeyboardInterrupt

    def run(seed=3, **more):
        return refine_system(
            target, first, LammpsEngine(), "ihnc", workdir=tmp_path, settings=settings(8, seed=seed), **more
        )

    with pytest.raises(KeyboardInterrupt):
        run(progress=interrupt)
    result = run()
    assert result.converged, result.reason
    assert [item.made_by for item in result.history] == ["start"] + ["ihnc"] * (len(result.history) - 1)
    # Plain IBI takes some 20 iterations here.
    assert len(result.history) <= 8
    # At the noise of g, 1 % near the peaks, U is known to some hundredths of kT.
    assert error(result.potentials, target) < 0.05
    with pytest.raises(InputError, match="another refinement"):
        run(seed=4)


@pytest.mark.lammps
@pytest.mark.slow
def test_the_default_is_at_the_noise_in_few_simulations(target, tmp_path):
    first = guess_mixture(target, r_cut=2.5)
    # The bridge functions of one species serve both, and their pair.
    assert error(first, target) < 0.8 * error(guess_mixture(target, "hnc", r_cut=2.5), target)
    result = refine_system(target, first, workdir=tmp_path, settings=settings(3, seed=3))
    assert result.converged, result.reason
    assert {item.made_by for item in result.history} <= {"start", "gauss-newton"}
    # From hnc 7e-3.
    assert result.history[0].distance.lmse < 2e-3
    # A wide attraction, which g hides, would be twice as far off.
    assert error(result.potentials, target) < 0.09


@pytest.mark.lammps
@pytest.mark.slow
def test_the_pressure_tells_what_g_hides(simulated, tmp_path):
    target, pressure = simulated
    first = guess_mixture(target, "hnc", r_cut=2.5)
    # The last simulation is to have the pressure itself, not its configurations with other weights.
    result = refine_system(
        dataclasses.replace(target, pressure=pressure),
        first,
        workdir=tmp_path,
        settings=settings(6, seed=3, reweighting=False),
        starts=[random_configuration({"A": 500, "B": 350}, 0.85, seed=2, units="lj")],
    )
    assert result.converged, result.reason
    # The start is far from it, by a hundred standard errors; convergence asks for three.
    assert abs(result.history[0].pressure - pressure) > 1.0
    last = result.history[-1]
    assert abs(last.pressure - pressure) < 3.0 * last.pressure_error
    # Without the pressure 0.07: the depth of the wells, which g hides.
    assert error(result.potentials, target) < 0.06


TUTORIAL = TARGETS / "lj-mixture"


@pytest.mark.lammps
@pytest.mark.slow
@pytest.mark.skipif(not TUTORIAL.exists(), reason="the targets of the tutorial are not here")
def test_the_mixture_of_the_tutorial_is_found(tmp_path):
    """A cold, dense mixture whose g(r) were normalised a per cent too low; its potentials are Lennard-Jones."""
    names = {pair: f"LJ{pair[0]}-LJ{pair[1]}" for pair in (("1", "1"), ("1", "2"), ("2", "2"))}
    curves = {
        (f"LJ{a}", f"LJ{b}"): read_rdf(TUTORIAL / f"{name}.dist.tgt", units="nm-kJ/mol").rebinned(0.01)
        for (a, b), name in names.items()
    }
    densities, kT = {"LJ1": 12.535, "LJ2": 12.535}, 0.70673
    as_given = guess_mixture(Target(curves, densities, kT), "hnc", r_cut=0.85)
    assert any("stands in for hnc" in note for note in as_given["LJ1", "LJ1"].notes)
    target = Target({pair: one.normalised(1.4) for pair, one in curves.items()}, densities, kT)
    first = guess_mixture(target, "hnc", r_cut=0.85)
    result = refine_system(target, first, workdir=tmp_path, settings=settings(8, seed=1))
    # Three simulations bring chi^2 from 130 to about 2 a point; which of the next is below it everywhere is chance.
    assert result.converged, result.reason
    for pair, one in result.potentials.items():
        seen = target.rdfs[pair].g[: one.r.size] > 0.3
        x, u = one.r[seen], one.u[seen]
        # Linear in the coefficients of r^-12, r^-6 and the shift at the cut-off.
        powers = np.column_stack([x**-12, x**-6, np.ones(x.size)])
        scale = np.max(np.abs(powers), axis=0)
        coefficients, *_ = np.linalg.lstsq(powers / scale, u, rcond=None)
        rest = u - powers / scale @ coefficients
        # Where g is above 0.3 the form is followed within a few hundredths of kT, the noise of U.
        assert np.sqrt(np.mean(rest**2)) < 0.06 * kT
        c12, c6, _ = coefficients / scale
        if str(pair) == "LJ1-LJ1":
            # Argon: 0.3405 nm, 0.996 kJ/mol. The depth is what g of a dense liquid hides: the energy of a bead, some
            # 8 kT, is expected to change by 2 kT, so that a quarter is what is known of it.
            assert (-c12 / c6) ** (1 / 6) == pytest.approx(0.3405, abs=0.003)
            assert c6**2 / (4.0 * c12) == pytest.approx(0.996, rel=0.25)


@pytest.mark.lammps
def test_the_command_guesses_and_refines(target, tmp_path):
    for pair, curve in target.rdfs.items():
        write_rdf(curve, tmp_path / f"{pair}.dat")
    file = tmp_path / "mixture.toml"
    file.write_text(
        'units = "lj"\nkT = 1.0\n[densities]\nA = 0.5\nB = 0.35\n[targets]\n'
        'A-A = "A-A.dat"\nA-B = "A-B.dat"\nB-B = "B-B.dat"\n'
    )
    work = tmp_path / "work"
    options = ["--workdir", str(work), "--iterations", "1", "--production", "1200", "--cutoff", "2.5"]
    # The default start would be at the noise of so short a run.
    done = CliRunner().invoke(app, ["mixture", str(file), *options, "--method", "boltzmann"])
    assert done.exit_code == 3, done.output
    assert "stopped at the cap of 1 simulation:" in done.output
    assert "pair_coeff" in done.output
    assert {path.name for path in work.glob("*.*")} >= {"A-A.pot", "A-B.pot", "B-B.pot", "mixture.table"}
    file.write_text('units = "lj"\nkT = 1.0\ncolour = 1\n')
    wrong = CliRunner().invoke(app, ["mixture", str(file)])
    assert isinstance(wrong.exception, InputError)
    assert "unknown keys colour" in str(wrong.exception)


def test_a_target_needs_all_pairs_on_one_grid():
    r = np.arange(0.0, 3.01, 0.05)
    g = RDF(r, np.where(r < 1.0, 0.0, 1.0), units="lj")
    coarse = RDF(r[::2], g.g[::2], units="lj")
    whole = {("A", "A"): g, ("B", "A"): g, ("B", "B"): g}
    with pytest.raises(InputError, match="A-B is missing"):
        Target({("A", "A"): g, ("B", "B"): g}, {"A": 0.1, "B": 0.1}, 1.0)
    with pytest.raises(InputError, match="does not share the grid"):
        Target({**whole, ("B", "B"): coarse}, {"A": 0.1, "B": 0.1}, 1.0)
    with pytest.raises(InputError, match="densities of A only"):
        Target(whole, {"A": 0.1}, 1.0)
    with pytest.raises(InputError, match="close packing"):
        Target(whole, {"A": 100.0, "B": 0.1}, 1.0)
    assert Target(whole, {"A": 0.1, "B": 0.3}, 1.0).counts(1000) == {"A": 250, "B": 750}


def soft_liquid(density: float) -> RDF:
    """g(r) of a soft repulsion in HNC, which the network has been trained on the like of."""
    r = np.arange(0.0, 5.001, 0.05)
    fluid = solve(r[1:], 2.0 * np.exp(-(r[1:] ** 2)), density)
    g = np.concatenate([fluid.g[:1], fluid.g[: r.size - 1]])
    return RDF(r, g, np.full(r.size, 1e-3), units="lj")


def test_a_fluid_of_labelled_beads_is_the_pure_one_to_the_network():
    curve = soft_liquid(0.4)
    labels = {("A", "A"): curve, ("A", "B"): curve, ("B", "B"): curve}
    mixed = guess_mixture(Target(labels, {"A": 0.15, "B": 0.25}, 1.0), r_cut=3.0)
    pure = guess(curve, StatePoint(0.4, 1.0), "network", r_cut=3.0)
    for one in mixed.values():
        assert one.provenance.method == "bridge"
        # The noise of fewer pairs counts less against the entropy in the inversion; 1e-3 is that of g.
        np.testing.assert_allclose(one.u, pure.u, atol=5e-3)


def test_a_pair_unlike_the_training_of_the_network_keeps_hnc():
    r = np.arange(0.0, 5.001, 0.05)
    curve = soft_liquid(0.4)
    # 10 % noise, of which no network has seen the like.
    noisy = RDF(
        r, np.maximum(curve.g + 0.1 * np.random.default_rng(0).standard_normal(r.size), 0.01), units="lj"
    )
    target = Target({("A", "A"): curve, ("A", "B"): noisy, ("B", "B"): curve}, {"A": 0.2, "B": 0.2}, 1.0)
    found = guess_mixture(target, r_cut=3.0)
    hnc = guess_mixture(target, "hnc", r_cut=3.0)
    assert found["A", "A"].provenance.method == "bridge"
    assert found["A", "B"].provenance.method == "hnc"
    assert any("HNC stands in for the network: outside the trained range" in x for x in found["A", "B"].notes)
    np.testing.assert_array_equal(found["A", "B"].u, hnc["A", "B"].u)


def test_without_a_solution_the_guess_is_boltzmann_and_says_so():
    r = np.arange(0.05, 4.0, 0.05)
    # g below 1 as far as it goes would need a negative S(0).
    g = RDF(r, np.where(r < 1.0, 0.0, 0.9), np.full(r.size, 1e-4), units="lj")
    target = Target({("A", "A"): g, ("A", "B"): g, ("B", "B"): g}, {"A": 0.3, "B": 0.3}, 1.0)
    found = guess_mixture(target, "hnc", r_cut=2.5)
    assert any("-kT ln g stands in for hnc" in note for note in found["A", "B"].notes)
    assert any("are 0.9000 (A-A)" in note and "normalise" in note for note in found["A", "B"].notes)
    np.testing.assert_allclose(found["A", "A"].u[-20:], 0.0, atol=0.05)
