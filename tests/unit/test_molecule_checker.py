"""The checker of molecules rejects engines that break one rule each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from cginit.bonded import BondedPotential
from cginit.engines import EngineRun
from cginit.engines.dilute import DiluteEngine
from cginit.engines.lammps import LammpsEngine
from cginit.errors import EngineError, InputError
from cginit.interactions import Interactions
from cginit.testing.molecules import check_molecules

pytestmark = pytest.mark.lammps
LAMMPS = LammpsEngine()


@dataclass(frozen=True)
class Wrong:
    """LAMMPS with spoiled potentials, start or result."""

    potentials: Callable[[Interactions], Interactions] = lambda curves: curves
    start: Callable = lambda start: start
    result: Callable[[EngineRun], EngineRun] = lambda run: run
    name: str = "wrong"
    coordinates: frozenset[str] = frozenset({"pair", "bond", "angle", "dihedral"})

    def run(self, potential, state, start, schedule, *, seed, workdir) -> EngineRun:
        spoiled = self.potentials(potential), state, self.start(start), schedule
        run = LAMMPS.run(*spoiled, seed=seed, workdir=workdir)
        return self.result(replace(run, trajectory=replace(run.trajectory, topology=start.topology)))


def mirrored(curves: Interactions) -> Interactions:
    """Return dihedrals with the other sign."""

    def turned(curve):
        if not isinstance(curve, BondedPotential) or curve.coordinate != "dihedral":
            return curve
        # The grid begins at -pi: -x is the grid read backwards.
        u = np.concatenate([curve.u[:1], curve.u[:0:-1]])
        return BondedPotential.shifted(curve.x, u, coordinate="dihedral", units=curve.units)

    return curves.map(turned)


def stiffer(curves: Interactions) -> Interactions:
    def changed(curve):
        if not isinstance(curve, BondedPotential) or curve.coordinate != "bond":
            return curve
        return replace(curve, u=1.02 * curve.u, f=1.02 * curve.f)

    return curves.map(changed)


def more_excluded(start):
    rule = {"none": "1-2", "1-2": "1-3", "1-3": "1-4", "1-4": "molecule", "molecule": "1-4"}
    return replace(start, topology=start.topology.excluding(rule[start.topology.exclusions]))


def heated(run: EngineRun) -> EngineRun:
    return replace(run, energy=run.energy + 1e-3 * np.arange(run.energy.size))


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (Wrong(potentials=mirrored), "the forces"),
        (Wrong(potentials=stiffer), "the forces"),
        (Wrong(start=more_excluded), "the forces with the exclusions"),
        (Wrong(result=heated), "the energy per bead"),
        (Wrong(result=lambda run: replace(run, pressure=1.01 * run.pressure)), "the virial"),
    ],
    ids=["mirrored dihedrals", "stiff bonds", "exclusions", "energy", "pressure"],
)
def test_a_wrong_engine_is_told_its_rule(engine, words, tmp_path):
    with pytest.raises(InputError, match=words):
        check_molecules(engine, tmp_path / "check")


def test_an_engine_without_molecules_must_refuse_them(tmp_path):
    check_molecules(DiluteEngine(), tmp_path / "dilute")

    @dataclass(frozen=True)
    class Careless(Wrong):
        coordinates: frozenset[str] = frozenset({"pair"})

    with pytest.raises(InputError, match="must refuse bonds"):
        check_molecules(Careless(), tmp_path / "careless")


def test_an_error_must_name_the_bond(tmp_path):
    from cginit.testing.molecules import _check_open_bond

    @dataclass(frozen=True)
    class Mute(Wrong):
        def run(self, *arguments, **options) -> EngineRun:
            raise EngineError("it stopped")

    with pytest.raises(InputError, match=r"naming it \('bond A-B'\)"):
        _check_open_bond(Mute(), tmp_path / "open")
