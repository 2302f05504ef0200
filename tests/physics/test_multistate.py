"""One potential from the g(r) of several states."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit.cli.app import app
from cginit.curves import RDF, PairPotential
from cginit.engines import Schedule
from cginit.engines.dilute import DiluteEngine
from cginit.engines.lammps import LammpsEngine
from cginit.errors import InputError
from cginit.guess import guess
from cginit.io import write_rdf
from cginit.refine import Limits, Settings, refine_system
from cginit.refine.loop import DEFAULT_SCHEDULE, start_configuration
from cginit.sampling import rdf
from cginit.state import StatePoint
from cginit.target import Target

R = np.linspace(0.0, 2.5, 51)


def lennard_jones(kT: float = 1.0) -> PairPotential:
    x = np.maximum(R, 0.3)
    return PairPotential.shifted(R, np.minimum(4.0 * (x**-12 - x**-6), 1e4) / kT, units="lj")


def dilute(u: np.ndarray, kT: float) -> RDF:
    r = np.arange(0.0, 4.01, 0.05)
    g = np.ones(r.size)
    g[: u.size] = np.exp(-u / kT)
    return RDF(r, g, np.full(r.size, 1e-3) * (g > 0.0), units="lj")


def refine_states(states, first, engine, *, workdir, update="auto", iterations=30, schedule=DEFAULT_SCHEDULE):
    settings = Settings(schedule=schedule, limits=Limits(iterations))
    return refine_system(states, {"A-A": first}, engine, update, workdir=workdir, settings=settings)


def test_two_temperatures_of_a_gas_share_their_potential(tmp_path):
    u = 1.5 * (1.0 - R / 2.5) ** 2
    states = [
        Target.of(dilute(u, 1.0), StatePoint(1e-4, 1.0)),
        Target.of(dilute(u, 0.5), StatePoint(2e-4, 0.5), weight=2.0),
    ]
    first = PairPotential(R, 0.8 * u, units="lj")
    result = refine_states(states, first, DiluteEngine(), workdir=tmp_path, update="ibi", iterations=20)
    assert result.converged, result.reason
    # At chi^2 = 2 the cold g is known to 1.4e-3, ln g so to 1.4e-3 exp(U/kT), 0.028 at the centre, and U to half of
    # that; twice as much is allowed.
    allowed = 2 * 0.5 * 1.4e-3 * np.exp(u / 0.5) + 1e-3
    assert np.all(np.abs(result.potential.u - u) < allowed)
    again = refine_states(states, first, DiluteEngine(), workdir=tmp_path, update="ibi", iterations=20)
    np.testing.assert_array_equal(again.potential.u, result.potential.u)
    assert len(again.rounds) == len(result.rounds)


def test_states_that_contradict_each_other_end_in_a_compromise(tmp_path):
    u = 2.0 * (1.0 - R / 2.5) ** 2
    states = [
        Target.of(dilute(u, 1.0), StatePoint(1e-4, 1.0)),
        Target.of(dilute(1.5 * u, 1.0), StatePoint(1e-4, 1.0), weight=3.0),
    ]
    first = PairPotential(R, u, units="lj")
    result = refine_states(states, first, DiluteEngine(), workdir=tmp_path, update="ibi", iterations=40)
    assert not result.converged
    assert "compromise" in result.reason
    # To first order in the difference the compromise is the weighted mean, 1.375 u; g is not linear in U.
    np.testing.assert_allclose(result.potential.u[1:40], 1.375 * u[1:40], rtol=0.06)


def test_states_must_fit_each_other(tmp_path):
    u = 2.0 * (1.0 - R / 2.5) ** 2
    one = Target.of(dilute(u, 1.0), StatePoint(1e-4, 1.0))
    with pytest.raises(InputError, match="at least one state"):
        refine_states([], PairPotential(R, u, units="lj"), DiluteEngine(), workdir=tmp_path)
    other = PairPotential(R * 0.9, u, units="lj")
    with pytest.raises(InputError, match="does not lie on the grid"):
        refine_states([one], other, DiluteEngine(), workdir=tmp_path)
    with pytest.raises(InputError, match="weight"):
        Target.of(dilute(u, 1.0), StatePoint(1e-4, 1.0), weight=0.0)


@pytest.mark.lammps
@pytest.mark.slow
def test_a_liquid_and_a_gas_share_their_potential(tmp_path):
    true = lennard_jones()
    states = []
    for index, (density, kT) in enumerate([(0.75, 1.0), (0.3, 1.8)]):
        state = StatePoint(density, kT)
        blank = RDF(np.arange(0.0, 4.01, 0.05), np.ones(81), units="lj")
        start = start_configuration(Target.of(blank, state), 2.5, seed=index)
        folder = tmp_path / f"target_{index}"
        folder.mkdir()
        schedule = Schedule(equilibration=3_000, production=15_000, every=100, length=1.0)
        run = LammpsEngine().run(true, state, start, schedule, seed=7 + index, workdir=folder)
        states.append(Target.of(rdf(run.trajectory, dr=0.05), state))
    first = guess(states[0].rdfs.only(), states[0].state, "hnc", r_cut=2.5)
    result = refine_states(
        states,
        first,
        LammpsEngine(),
        workdir=tmp_path / "work",
        schedule=Schedule(3_000, 9_000, 90),
        iterations=6,
    )
    assert result.converged, result.reason
    seen = states[0].rdfs.only().g[: R.size] > 0.05
    # At the noise of g, 1 % near the peaks, U is known to some hundredths of kT.
    assert np.mean(np.abs(result.potential.u - true.u)[seen]) < 0.05


def test_the_command_refines_the_states_of_a_file(tmp_path):
    u = 2.0 * (1.0 - R / 2.5) ** 2
    for name, kT in (("hot", 1.0), ("cold", 0.5)):
        write_rdf(dilute(u, kT), tmp_path / f"{name}.dat")
    file = tmp_path / "states.toml"
    file.write_text(
        'units = "lj"\n[[states]]\ntarget = "hot.dat"\ndensity = 1e-4\nkT = 1.0\n'
        '[[states]]\ntarget = "cold.dat"\ndensity = 2e-4\nkT = 0.5\nweight = 2\n'
    )
    options = ["--engine", "dilute", "--update", "ibi", "--method", "boltzmann", "--cutoff", "2.5"]
    done = CliRunner().invoke(app, ["multistate", str(file), "--workdir", str(tmp_path / "work"), *options])
    assert done.exit_code == 0, done.output
    assert "every state differs from its target by noise only" in done.output
    assert (tmp_path / "work" / "best.pot").exists()
    file.write_text('units = "lj"\n[[states]]\ntarget = "hot.dat"\ndensity = 1e-4\n')
    wrong = CliRunner().invoke(app, ["multistate", str(file), "--workdir", str(tmp_path / "other")])
    assert isinstance(wrong.exception, InputError)
    assert "either temperature (kelvin) or kT" in str(wrong.exception)
