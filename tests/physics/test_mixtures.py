"""Mixtures in the engines and in the sampling: against exact energies, relabelled fluids, and the ideal mixture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit

from cginit import sampling
from cginit.configuration import Configuration, Trajectory, random_configuration
from cginit.curves import PairPotential
from cginit.engines import Schedule
from cginit.engines.dilute import DiluteEngine
from cginit.engines.hoomd import HoomdEngine
from cginit.engines.lammps import LammpsEngine
from cginit.errors import InputError
from cginit.state import StatePoint

ENGINES = [
    pytest.param(LammpsEngine(), id="lammps", marks=pytest.mark.lammps),
    pytest.param(HoomdEngine(), id="hoomd", marks=pytest.mark.hoomd),
]


def hertzian(height: float, size: float) -> PairPotential:
    r = np.linspace(0.0, size, 151)
    return PairPotential(r, height * (1.0 - r / size) ** 3, units="lj")


POTENTIALS = {("A", "A"): hertzian(5.0, 1.0), ("B", "A"): hertzian(8.0, 1.4), ("B", "B"): hertzian(3.0, 2.0)}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("types", "pair"), [((0, 0), ("A", "A")), ((1, 0), ("B", "A")), ((1, 1), ("B", "B"))]
)
def test_each_pair_has_its_own_potential(engine, types, pair, tmp_path):
    edge, distance = 12.0, 0.77
    start = Configuration(
        [[0.0, 0.0, 0.0], [0.0, distance, 0.0], [5.0, 5.0, 5.0]],
        np.full(3, edge),
        units="lj",
        types=[*types, 1],
        species=("A", "B"),
    )
    step = Schedule(equilibration=0, production=1, every=1, push_off=0, dt=1e-9)
    run = engine.run(POTENTIALS, StatePoint(start.density, 1.0), start, step, seed=1, workdir=tmp_path)
    model = POTENTIALS[pair]
    expected = float(model.u[0] * (1.0 - distance / model.r_cut) ** 3)
    # Linear interpolation on 2500 intervals of at most 2: h^2/8 U'' < 4e-6; the spline is exact for a cubic.
    assert 3.0 * run.energy[0] == pytest.approx(expected, abs=1e-5)
    force = (run.pressure[0] - start.density) * 3.0 * edge**3 / distance
    assert force == pytest.approx(
        3.0 * model.u[0] / model.r_cut * (1.0 - distance / model.r_cut) ** 2, abs=2e-3
    )
    assert run.trajectory.species == ("A", "B")
    np.testing.assert_array_equal(run.trajectory.types, start.types)
    np.testing.assert_array_equal(run.final.types, start.types)


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_do_not_move_beads(engine, tmp_path):
    plain = random_configuration(200, 0.5, seed=4, units="lj")
    labelled = random_configuration({"A": 80, "B": 120}, 0.5, seed=4, units="lj")
    np.testing.assert_array_equal(plain.positions, labelled.positions)
    schedule = Schedule(equilibration=0, production=40, every=20, push_off=20, length=1.0)
    one = hertzian(5.0, 1.5)
    state = StatePoint(0.5, 1.0)
    (tmp_path / "plain").mkdir()
    (tmp_path / "mixture").mkdir()
    pure = engine.run(one, state, plain, schedule, seed=2, workdir=tmp_path / "plain")
    same = {("A", "A"): one, ("A", "B"): one, ("B", "B"): one}
    mixed = engine.run(same, state, labelled, schedule, seed=2, workdir=tmp_path / "mixture")
    # The same numbers in another order of summation: rounding grows, but not in 60 steps.
    moved = mixed.final.positions - pure.final.positions
    moved -= plain.box * np.rint(moved / plain.box)
    np.testing.assert_allclose(moved, 0.0, atol=1e-6)
    np.testing.assert_allclose(mixed.energy, pure.energy, atol=1e-6)


def test_an_incomplete_mixture_is_refused(tmp_path):
    start = random_configuration({"A": 50, "B": 50}, 0.5, seed=4, units="lj")
    state, schedule = StatePoint(0.5, 1.0), Schedule(production=100)
    arguments = {"seed": 1, "workdir": tmp_path}
    two = {pair: one for pair, one in POTENTIALS.items() if pair != ("B", "B")}
    with pytest.raises(InputError, match="the pair B-B has no potential"):
        LammpsEngine().run(two, state, start, schedule, **arguments)
    with pytest.raises(InputError, match="needs one potential for each pair"):
        LammpsEngine().run(hertzian(1.0, 1.0), state, start, schedule, **arguments)
    with pytest.raises(InputError, match="one species"):
        DiluteEngine().run(POTENTIALS, state, start, schedule, **arguments)
    with pytest.raises(InputError, match="one of A, B"):
        Configuration(np.zeros((2, 3)), np.ones(3), units="lj", types=[0, 2], species=("A", "B"))


def ideal_mixture(frames: int = 60) -> Trajectory:
    positions = np.random.default_rng(3).uniform(-4.0, 4.0, (frames, 300, 3)).astype(np.float32)
    types = np.repeat([0, 1], [100, 200])
    return Trajectory(positions, np.full(3, 8.0), units="lj", types=types, species=("A", "B"))


def test_an_ideal_mixture_has_g_of_one():
    pytest.importorskip("numba")
    found = sampling.partial_rdfs(ideal_mixture(), dr=0.4, blocks=20)
    assert set(found) == {("A", "A"), ("A", "B"), ("B", "B")}
    for g in found.values():
        t = (g.g[1:] - 1.0) / g.error[1:]
        # 9 independent bins of each of three pairs, t-distributed with 19 degrees of freedom: 1e-4 in all.
        assert np.max(np.abs(t)) < stdtrit(19, 1.0 - 0.5e-4 / 27)


def test_partial_counts_of_labels_add_up_to_those_of_the_fluid():
    pytest.importorskip("numba")
    mixture = ideal_mixture(20)
    whole = sampling.count_pairs(mixture, dr=0.2, r_max=3.6)
    part = sampling.count_partial_pairs(mixture, dr=0.2, r_max=3.6)
    assert {pair: one.pairs for pair, one in part.items()} == {
        ("A", "A"): 100 * 99 / 2,
        ("A", "B"): 100 * 200,
        ("B", "B"): 200 * 199 / 2,
    }
    np.testing.assert_array_equal(np.sum([one.counts for one in part.values()], axis=0), whole.counts)
