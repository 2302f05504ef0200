"""The checker of engines rejects engines that break one rule each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from cginit.engines import EngineRun
from cginit.engines.base import Engine
from cginit.engines.dilute import DiluteEngine
from cginit.engines.lammps import LammpsEngine
from cginit.errors import EngineError, InputError
from cginit.testing import check_engine

DILUTE = DiluteEngine()


@dataclass(frozen=True)
class Broken:
    """An engine whose arguments, result or both are spoiled."""

    run_with: Callable[..., EngineRun]
    base: Engine = DILUTE
    name: str = "broken"
    coordinates: frozenset[str] = frozenset({"pair"})

    def run(self, potential, state, start, schedule, *, seed, workdir) -> EngineRun:
        def simulate(potential=potential, state=state, start=start, seed=seed) -> EngineRun:
            return self.base.run(potential, state, start, schedule, seed=seed, workdir=workdir)

        return self.run_with(simulate, potential=potential, state=state, start=start, seed=seed)


def spoiled(change: Callable[[EngineRun], EngineRun]) -> Broken:
    return Broken(lambda simulate, **_: change(simulate()))


def meddling(simulate, *, start, **_):
    start.positions.flags.writeable = True
    start.positions[0] = 0.0
    return simulate()


def littering(simulate, **_):
    Path("rubbish.log").write_text("")
    return simulate()


def credulous(simulate, *, potential, start, **_):
    try:
        return simulate()
    except InputError as error:
        raise EngineError("the program stopped") from error


def moody(simulate, **_):
    run = simulate()
    return replace(run, energy=run.energy * (1.0 + 1e-9 * next(_MOODS)))


_MOODS = iter(range(100))

FAULTS = {
    "must not modify its arguments": Broken(meddling),
    "must write only below workdir": Broken(littering),
    "must refuse a cut-off beyond half the box": Broken(credulous),
    "must be deterministic": Broken(moody),
    "must record its seed": spoiled(lambda run: replace(run, seed=run.seed + 1)),
    "must name itself and its version": spoiled(lambda run: replace(run, version="")),
    "must keep the number of beads, the box": spoiled(
        lambda run: replace(run, final=run.final.at_density(2.0 * run.final.density))
    ),
    "must sample energy and pressure together": spoiled(lambda run: replace(run, pressure=run.pressure[:-1])),
    "not finite": spoiled(lambda run: replace(run, energy=np.full(run.energy.size, np.nan))),
    "an ideal gas the pressure rho kT": spoiled(lambda run: replace(run, pressure=1.01 * run.pressure)),
    r"must return P = rho kT \(1 \+ B2 rho\)": Broken(
        lambda simulate, state, **_: replace(
            run := simulate(), pressure=np.full(run.pressure.size, state.density * state.kT)
        )
    ),
    r"must return g = exp\(-U/kT\)": Broken(
        lambda simulate, state, **_: replace(
            simulate(), exact_rdf=simulate(state=replace(state, kT=1.1 * state.kT)).exact_rdf
        )
    ),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_broken_engine_is_told_its_rule(rule, tmp_path, monkeypatch):
    # One of them litters the current folder.
    for name in ("here", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match=rule):
        check_engine(FAULTS[rule], tmp_path / "work", exact=True)


def test_what_is_no_engine_is_told(tmp_path):
    with pytest.raises(InputError, match="is no engine"):
        check_engine(object(), tmp_path)


def test_an_analytic_engine_must_say_so(tmp_path):
    with pytest.raises(InputError, match="must return a trajectory"):
        check_engine(DiluteEngine(), tmp_path)


def weak(simulate, *, potential, **_):
    return simulate(potential=potential.scaled(1.0, 0.93, potential.units))


def mirrored(simulate, **_):
    run = simulate()
    return replace(run, final=replace(run.final, positions=-run.final.positions))


@pytest.mark.lammps
@pytest.mark.parametrize(
    ("rule", "run_with"),
    [
        # Beyond the pressure's error of half a per cent, and invisible to the ideal gas.
        ("pressure of a gas of soft particles", weak),
        ("another run for another seed", lambda simulate, **_: simulate(seed=1)),
        ("must return the last frame", mirrored),
    ],
)
def test_a_broken_simulation_is_told_its_rule(rule, run_with, tmp_path):
    def seeded(simulate, *, seed, **known):
        return replace(run_with(simulate, **known), seed=seed)

    with pytest.raises(InputError, match=rule):
        check_engine(Broken(seeded, LammpsEngine()), tmp_path)
