"""The part of the contract of engines that concerns molecules.

Without friction and noise two steps of velocity Verlet give the force of every bead, x(t+1) - 2 x(t) + x(t-1) =
F dt^2 / m, so that one short run shows energies, forces, virial, conservation of momentum and energy at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from cginit.bonded import BondedPotential
from cginit.bonded_grids import period
from cginit.bonded_terms import named_terms
from cginit.configuration import Configuration
from cginit.coordinates import COORDINATES, count_terms
from cginit.curves import Array, PairPotential
from cginit.engines.base import Engine, EngineRun, Schedule
from cginit.engines.table import bonded_table, engine_table
from cginit.errors import CGInitError, EngineError, InputError
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.periodic import minimum_image
from cginit.state import StatePoint
from cginit.testing.rules import BLOCKS, agree, require
from cginit.topology import Topology
from cginit.units import LJ, NM_KJ

__all__ = ["check_molecules", "molecular_forces", "reference_tables"]

Curve = PairPotential | BondedPotential
#: Points of the tables of the reference: linear interpolation is then good to 1e-6.
POINTS = 20_000
#: Time step, in tau, of the runs without friction. Positions in single precision give forces to 0.04 kT/a then.
STEP = 0.0045
#: Friction of these runs; its noise on a force is sqrt(2 friction / STEP) = 0.002.
FRICTION = 1e-8
#: What the time step leaves of the exactness of a distribution of a stiff coordinate: (omega dt)^2/4, and its bins.
STIFF = 0.02
LENGTH, ENERGY = 0.47, 2.7


def reference_tables(
    potentials: Mapping[Interaction, Curve],
) -> dict[Interaction, tuple[Array, Array, Array]]:
    """Return x, U and F of each potential in reduced units, finely."""
    return {
        one: engine_table(curve, points=POINTS)
        if isinstance(curve, PairPotential)
        else bonded_table(curve, points=POINTS)
        for one, curve in potentials.items()
    }


def molecular_forces(
    tables: Mapping[Interaction, tuple[Array, Array, Array]], positions: Array, box: Array, topology: Topology
) -> tuple[float, Array, float]:
    r"""Return energy, forces ``(n, 3)`` and virial :math:`\sum r \cdot F` of one configuration, by all pairs.

    The reference of the checks: a few lines without neighbour lists.
    """
    energy, forces, virial = 0.0, np.zeros_like(positions), 0.0
    n = len(positions)
    allowed = np.triu(np.ones((n, n), dtype=bool), 1)
    left_out = topology.excluded()
    allowed[left_out[:, 0], left_out[:, 1]] = False
    i, j = np.nonzero(allowed)
    vectors = minimum_image(positions[j] - positions[i], box)
    r = np.linalg.norm(vectors, axis=1)
    for one, table in tables.items():
        if one.is_pair:
            a, b = (topology.species.index(name) for name in one.beads)
            kinds = np.sort(np.stack([topology.types[i], topology.types[j]], axis=1), axis=1)
            chosen = (kinds[:, 0] == min(a, b)) & (kinds[:, 1] == max(a, b)) & (r < table[0][-1])
            u, f = (np.interp(r[chosen], table[0], values) for values in table[1:])
            pull = f[:, None] * vectors[chosen] / r[chosen][:, None]
            np.add.at(forces, j[chosen], pull)
            np.add.at(forces, i[chosen], -pull)
            energy, virial = energy + float(u.sum()), virial + float(f @ r[chosen])
        else:
            members = topology.terms[one]
            x, derivatives = COORDINATES[one.coordinate].gradient(positions, members, box)
            u, f = (np.interp(x, table[0], values) for values in table[1:])
            np.add.at(forces, members, f[:, None, None] * derivatives)
            energy += float(u.sum())
            virial += float(f @ x) if one.coordinate == "bond" else 0.0
    return energy, forces, virial


def check_molecules(engine: Engine, workdir: Path) -> None:
    """Verify that an engine keeps the contract for molecules, or refuses them if it does not claim to know them.

    Checked are energies, forces, virial, momentum and energy of branched and linear molecules with several types of
    bonds, angles and asymmetric dihedrals, beside loose beads, broken over the box, under every rule of exclusion;
    that ideal chains have the distributions of their potentials; that bonds which are not held end the run with an
    `EngineError` that names them; and that a topology without a bond's potential is refused.

    Raises
    ------
    InputError
        With the name of the engine and the rule that it breaks.
    """
    workdir.mkdir(parents=True)
    if not {"bond", "angle", "dihedral"} <= engine.coordinates:
        _check_refused(engine, workdir, _liquid("1-3"), _potentials())
        return
    without = {one: curve for one, curve in _potentials().items() if str(one) != "bond A-B"}
    _check_refused(engine, workdir, _liquid("1-3"), without)
    for rule in ("none", "1-2", "1-3", "1-4", "molecule"):
        _check_mechanics(engine, workdir / rule, rule)
    _check_ideal_chains(engine, workdir / "ideal")
    _check_open_bond(engine, workdir / "open")


def _potentials() -> Interactions[Curve]:
    """Return potentials in kT of all that `_liquid` has, no two of them alike."""
    r = np.linspace(0.0, 1.5, 76)
    found: dict[Interaction, Curve] = {}
    for k, one in enumerate(all_pairs(("A", "B", "S"))):
        u = (4.0 + k) * (1.0 - (r / 1.5) ** 2) ** 3
        u[-1] = 0.0
        found[one] = PairPotential(r, u, units=LJ)
    b = np.linspace(0.3, 1.7, 141)
    for name, place in (("bond A-A", 1.0), ("bond A-B", 0.9)):
        found[Interaction.of(name)] = _bonded(b, 60.0 * (b - place) ** 2, "bond")
    angle = np.linspace(0.0, np.pi, 91)
    for k, name in enumerate(("angle A-A-A", "angle A-A-B", "angle A-B-A")):
        found[Interaction.of(name)] = _bonded(angle, (40.0 + 5.0 * k) * (np.cos(angle) + 0.5) ** 2, "angle")
    phi = -np.pi + 2.0 * np.pi * np.arange(120) / 120
    shape = 1.2 * np.cos(phi) + 0.8 * np.cos(2.0 * phi + 0.7) + 0.9 * np.sin(3.0 * phi)
    found[Interaction.of("dihedral A-A-A-B")] = _bonded(phi, shape, "dihedral")
    found[Interaction.of("dihedral A-A-B-A")] = _bonded(phi, -0.7 * shape, "dihedral")
    return Interactions(found)


def _without_pairs(curves: Mapping[Interaction, Curve]) -> Interactions[Curve]:
    """Return bonded potentials, and pairs of A and B that feel nothing."""
    found: dict[Interaction, Curve] = dict(curves)
    for one in all_pairs(("A", "B")):
        found[one] = PairPotential(np.linspace(0.0, 1.5, 16), np.zeros(16), units=LJ)
    return Interactions(found)


def _bonded(x: Array, u: Array, coordinate: str) -> BondedPotential:
    return BondedPotential.shifted(x, u, coordinate=coordinate, units=LJ)


def _molecule(kinds: str, bonds: list[tuple[int, int]]) -> Topology:
    species = tuple(sorted(set(kinds)))
    types = np.array([species.index(kind) for kind in kinds], dtype=np.int64)
    return Topology(types, species, Interactions(named_terms("bond", bonds, types, species))).completed()


def _liquid(rule: str) -> Configuration:
    """Return four linear and two branched molecules and six loose beads in a small box, some broken over it."""
    linear = _molecule("AAABA", [(0, 1), (1, 2), (2, 3), (3, 4)])
    branched = _molecule("AAABA", [(0, 1), (1, 2), (2, 3), (1, 4)])
    topology = Topology.joined(
        [(linear, 4), (branched, 2), (Topology(np.zeros(1, dtype=np.int64), ("S",)), 6)]
    ).excluding(rule)
    rng = np.random.default_rng(12)
    corners = np.array([[0.0, 0.0, 0.0], [0.95, 0.1, 0.0], [1.3, 1.0, 0.1], [2.1, 1.1, 0.5], [2.4, 0.6, 1.2]])
    fork = corners.copy()
    fork[4] = [1.1, -0.5, 0.8]
    heads = 2.6 * np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])[:6]
    shapes = [corners] * 4 + [fork] * 2
    chains = [
        shape + head + 0.05 * rng.normal(size=(5, 3)) for shape, head in zip(shapes, heads, strict=True)
    ]
    loose = np.array(
        [[0.9, 3.9, 4.1], [2.9, 3.9, 4.1], [4.6, 3.9, 4.1], [0.4, 2.3, 4.4], [4.8, 4.8, 0.9], [3.9, 4.9, 2.4]]
    )
    return Configuration(
        np.concatenate([*chains, loose]), np.array([5.2, 5.2, 5.2]), units=LJ, topology=topology
    )


def _posed(curves: Mapping[Interaction, Curve]) -> Interactions[Curve]:
    """Return potentials in the units in which the engine is asked."""
    return Interactions({one: curve.scaled(LENGTH, ENERGY, NM_KJ) for one, curve in curves.items()})


def _run(
    engine: Engine,
    curves: Mapping[Interaction, Curve],
    start: Configuration,
    schedule: Schedule,
    folder: Path,
) -> EngineRun:
    state = StatePoint(start.density / LENGTH**3, ENERGY, NM_KJ)
    posed = replace(schedule, length=LENGTH)
    return engine.run(_posed(curves), state, start.scaled(LENGTH, NM_KJ), posed, seed=3, workdir=folder)


_SHORT = Schedule(equilibration=0, production=120, every=1, dt=STEP, friction=FRICTION, push_off=0)


def _check_refused(
    engine: Engine, folder: Path, start: Configuration, curves: Mapping[Interaction, Curve]
) -> None:
    rule = f"engine {engine.name!r} must refuse bonds that it cannot simulate or that have no potential"
    try:
        _run(engine, curves, start, _SHORT, folder)
    except InputError:
        return
    except CGInitError as error:
        raise InputError(f"{rule}, with an InputError, not {error!r}") from error
    raise InputError(rule)


def _check_mechanics(engine: Engine, folder: Path, rule: str) -> None:
    start, curves = _liquid(rule), _potentials()
    topology = start.topology
    folder.mkdir()
    run = _run(engine, curves, start, _SHORT, folder)
    if run.trajectory is None or topology is None:
        raise InputError(f"engine {engine.name!r} must return a trajectory")
    require(
        engine,
        run.trajectory.topology is topology,
        "must return its trajectory with the topology of the start",
    )
    require(
        engine,
        run.energy.shape == (len(run.trajectory),),
        "must sample the energy with every frame where every is 1",
    )
    positions = run.trajectory.positions.astype(np.float64) / LENGTH
    steps = minimum_image(np.diff(positions, axis=0), start.box)
    acceleration, velocity = np.diff(steps, axis=0) / STEP**2, 0.5 * (steps[1:] + steps[:-1]) / STEP
    tables = reference_tables(curves)
    expected = [molecular_forces(tables, frame, start.box, topology) for frame in positions[1:-1]]
    volume, what = float(np.prod(start.box)), f"with the exclusions {rule}"
    forces = np.array([force for _, force, _ in expected])
    _near(engine, f"the forces {what}", acceleration, forces, 0.25 + 2e-3 * np.abs(forces))
    energies = np.array([energy for energy, _, _ in expected]) / start.n
    sampled = run.energy[1:-1] / ENERGY
    _near(engine, f"the energy per bead {what}", sampled, energies, 2e-4 + 2e-4 * np.abs(energies))
    virial = np.array([virial for _, _, virial in expected]) / (3.0 * volume)
    pressure = run.pressure[1:-1] * LENGTH**3 / ENERGY - start.density
    _near(engine, f"the virial {what}", pressure, virial, 2e-3 + 1e-3 * np.abs(virial))
    total = sampled + 0.5 * np.sum(velocity**2, axis=(1, 2)) / start.n
    _near(engine, f"the total energy {what}", total, np.full(total.shape, total.mean()), np.float64(0.01))
    momentum = velocity.sum(axis=1)
    _near(
        engine,
        f"the momentum {what}",
        momentum,
        np.broadcast_to(momentum[0], momentum.shape),
        np.float64(0.02),
    )


def _near(engine: Engine, what: str, value: Array, expected: Array, tolerance: Array | np.float64) -> None:
    off = np.abs(value - expected) - tolerance
    worst = np.unravel_index(int(np.argmax(off)), off.shape)
    require(
        engine,
        bool(off[worst] <= 0.0),
        f"gives {what} as {value[worst]:.6g} where it is {expected[worst]:.6g} (in reduced units)",
    )


def _check_ideal_chains(engine: Engine, folder: Path) -> None:
    """Chains of four beads without pair forces: each coordinate has the distribution of its potential alone."""
    chain = _molecule("AAAB", [(0, 1), (1, 2), (2, 3)]).repeated(100)
    shape = np.array([[0.0, 0.0, 0.0], [0.9, 0.3, 0.0], [1.2, 1.2, 0.1], [2.0, 1.4, 0.4]])
    heads = np.random.default_rng(4).uniform(-6.0, 6.0, (100, 1, 3))
    start = Configuration((shape + heads).reshape(-1, 3), np.full(3, 12.0), units=LJ, topology=chain)
    every = _potentials()
    curves = _without_pairs({one: every[one] for one in chain.terms})
    schedule = Schedule(equilibration=2000, production=16_000, every=20, dt=0.006, push_off=0)
    folder.mkdir()
    run = _run(engine, curves, start, schedule, folder)
    if run.trajectory is None:
        raise InputError(f"engine {engine.name!r} must return a trajectory")
    grids = {"bond": np.arange(0.5, 1.5, 0.05), "angle": (np.arange(36) + 0.5) * np.pi / 36}
    grids["dihedral"] = -np.pi + np.arange(24) * np.pi / 12
    scales = {"bond": LENGTH, "angle": 1.0, "dihedral": 1.0}
    wanted = Interactions({one: grids[one.coordinate] * scales[one.coordinate] for one in chain.terms})
    for one, counts in count_terms(run.trajectory, wanted).items():
        sampled, curve = counts.distribution(blocks=BLOCKS), every[one]
        exact = _exact(curve, grids[one.coordinate], one.coordinate)
        scale = scales[one.coordinate]
        error = np.zeros(exact.size) if sampled.error is None else sampled.error * scale
        # Bins of few counts have errors that are not normal.
        seen = exact > 0.05 * exact.max()
        agree(engine, f"p of {one} in ideal chains", sampled.p[seen] * scale, error[seen], exact[seen], STIFF)


def _exact(curve: Curve, grid: Array, coordinate: str) -> Array:
    """Return the normalised distribution of a potential alone, averaged over the bins of a grid."""
    if not isinstance(curve, BondedPotential):
        raise InputError("a pair has no distribution of its own")
    step = float(grid[1] - grid[0])
    fine: Array = grid[:, None] + step * ((np.arange(40) + 0.5) / 40 - 0.5)
    x, u, _ = bonded_table(curve, points=POINTS)
    # Reaches round the turn for a dihedral; others have no point beyond their ends.
    energy = np.interp(fine, x, u, period=period(coordinate))
    measure = {"bond": fine**2, "angle": np.sin(fine), "dihedral": np.ones_like(fine)}[coordinate]
    p = (np.exp(-energy) * measure).mean(axis=1)
    return np.asarray(p / (p.sum() * step), dtype=np.float64)


def _check_open_bond(engine: Engine, folder: Path) -> None:
    topology = _molecule("AB", [(0, 1)]).repeated(50)
    heads = np.random.default_rng(5).uniform(-5.0, 5.0, (50, 1, 3))
    places = heads + np.array([[0.0, 0.0, 0.0], [0.9, 0.0, 0.0]])
    start = Configuration(places.reshape(-1, 3), np.full(3, 10.0), units=LJ, topology=topology)
    b = np.linspace(0.7, 1.1, 41)
    weak = _bonded(b, 0.1 * (b - 0.9) ** 2, "bond")
    curves = _without_pairs({Interaction.of("bond A-B"): weak})
    schedule = Schedule(equilibration=0, production=2000, every=100, dt=0.005, push_off=0)
    folder.mkdir()
    rule = f"engine {engine.name!r} must end a run in which a bond leaves its potential with an EngineError naming it"
    try:
        _run(engine, curves, start, schedule, folder)
    except EngineError as error:
        if "bond A-B" not in str(error):
            raise InputError(f"{rule} ('bond A-B'), not {error!r}") from error
        return
    except CGInitError as error:
        raise InputError(f"{rule}, not {error!r}") from error
    raise InputError(rule)
