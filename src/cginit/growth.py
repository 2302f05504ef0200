"""Start configurations of molecules: chains grown bead by bead at random, then pushed apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cginit.bonded import BondedPotential, Distribution
from cginit.configuration import Configuration, close_pairs
from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.periodic import minimum_image
from cginit.topology import Topology
from cginit.units import UnitSystem, unit_system

__all__ = ["grown_configuration", "typical_value"]

#: Angle of two bonds for which none is given.
ANY_ANGLE = 2.0
#: Rounds in which bonds and angles are put right and overlaps pushed apart.
ROUNDS = 150
#: A distance that is off by less than this part needs no more rounds.
CLOSE = 0.05
#: Part of the mean spacing of the beads that random relaxation reaches at any density.
REACHED = 0.8


def typical_value(curve: Distribution | BondedPotential) -> float:
    """Return where a distribution is largest, divided by its measure, or a potential smallest."""
    if isinstance(curve, BondedPotential):
        return curve.at_minimum
    if curve.coordinate == "bond":
        return float(curve.x[int(np.argmax(curve.p))])
    measure = np.maximum(np.sin(curve.x), 0.02) if curve.coordinate == "angle" else 1.0
    return float(curve.x[int(np.argmax(curve.p / measure))])


@dataclass(frozen=True, eq=False)
class _Distances:
    """Distances that the shape of a molecule fixes: first of bonds, then of beads with one between them."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    length: Array
    bonds: int


def grown_configuration(
    topology: Topology,
    density: float,
    *,
    seed: int,
    units: str | UnitSystem,
    shape: Mapping[Interaction, float],
    separation: float | None = None,
) -> Configuration:
    """Return molecules at random in a cubic box, none of whose beads is much closer to another than `separation`.

    Each molecule grows from its first bead, with its typical bond lengths and angles and random dihedrals. Then
    bonds, angles and overlaps are put right in turns (position-based dynamics). Where the density leaves no room,
    beads overlap a little; the push-off of the engines does the rest.

    Parameters
    ----------
    topology : Topology
        The molecules.
    density : float
        Beads per volume.
    seed : int
        Seed of places and directions.
    units : str or UnitSystem
        Units of density and result.
    shape : mapping of Interaction to float
        Typical length of every bond and, where known, angle; see `typical_value`. Others are ignored.
    separation : float, optional
        Smallest distance wanted of beads that no exclusion leaves out; by default 0.8 of the mean spacing
        ``density**(-1/3)``.

    Raises
    ------
    InputError
        If a bond has no length, or a molecule is longer than fits the box.

    Examples
    --------
    >>> dimer = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(50)
    >>> start = grown_configuration(dimer, 0.3, seed=1, units="lj", shape=Interactions({"bond A-A": 1.0}))
    >>> start.n, start.topology.n_molecules
    (100, 50)
    """
    values = Interactions(shape)
    missing = [one for one in topology.of("bond") if one not in values]
    if missing:
        raise InputError(f"{missing[0]} has no length; give one to grow the molecules")
    edge = (topology.n / density) ** (1.0 / 3.0)
    longest = max((values[one] for one in topology.of("bond")), default=0.0)
    if 2.0 * longest > edge:
        raise InputError(f"bonds of {longest:g} do not fit a box of {edge:g}; use more molecules")
    rng = np.random.default_rng(seed)
    fixed = _distances(topology, values)
    positions = _grown(topology, fixed, edge, rng)
    spacing = density ** (-1.0 / 3.0)
    wanted = min(REACHED * spacing if separation is None else min(separation, REACHED * spacing), 0.49 * edge)
    positions = _relaxed(positions, topology, fixed, edge, wanted)
    return Configuration(positions, np.full(3, edge), units=unit_system(units), topology=topology)


def _distances(topology: Topology, values: Interactions[float]) -> _Distances:
    """Return the lengths of bonds, and by the law of cosines those of the third sides of angles."""
    bonds: dict[tuple[int, int], float] = {}
    for one, members in topology.of("bond").items():
        for i, j in np.sort(members, axis=1).tolist():
            bonds[i, j] = values[one]
    pairs = dict(bonds)
    for one, members in topology.completed("angle").of("angle").items():
        cosine = np.cos(values.get(one, ANY_ANGLE))
        for i, j, k in members.tolist():
            a, b = bonds[min(i, j), max(i, j)], bonds[min(j, k), max(j, k)]
            # In a ring of three the ends are bonded themselves.
            pairs.setdefault((min(i, k), max(i, k)), float(np.sqrt(a * a + b * b - 2.0 * a * b * cosine)))
    table = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    return _Distances(table[:, 0], table[:, 1], np.array(list(pairs.values()), dtype=np.float64), len(bonds))


def _grown(topology: Topology, fixed: _Distances, edge: float, rng: np.random.Generator) -> Array:
    """Return positions ``(n, 3)`` of molecules that are whole: each bead placed by its bond and angle."""
    known = {
        (i, j): d for i, j, d in zip(fixed.i.tolist(), fixed.j.tolist(), fixed.length.tolist(), strict=True)
    }
    positions = rng.uniform(-0.5 * edge, 0.5 * edge, (topology.n, 3))
    before = np.full(topology.n, -1)
    for parents, children in topology.layers:
        for parent, child in zip(parents.tolist(), children.tolist(), strict=True):
            length = known[min(parent, child), max(parent, child)]
            direction = _unit(rng)
            root = int(before[parent])
            if root >= 0:
                axis = positions[root] - positions[parent]
                far = np.linalg.norm(axis)
                third = known.get((min(root, child), max(root, child)), length)
                cosine = np.clip((far**2 + length**2 - third**2) / (2.0 * far * length), -1.0, 1.0)
                across = np.cross(axis, direction)
                across /= max(float(np.linalg.norm(across)), 1e-12)
                direction = cosine * axis / far + np.sqrt(1.0 - cosine**2) * across
            positions[child] = positions[parent] + length * direction
            before[child] = parent
    return positions


def _unit(rng: np.random.Generator) -> Array:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _relaxed(positions: Array, topology: Topology, fixed: _Distances, edge: float, wanted: float) -> Array:
    """Put distances right and push overlaps apart in turns, no bead further than a tenth of `wanted` at a time."""
    edges = np.full(3, edge)
    n = np.int64(topology.n)
    # Beads with a fixed distance or an exclusion do not count as overlapping.
    out = topology.excluded().astype(np.int64)
    keys = np.unique(np.concatenate([out[:, 0] * n + out[:, 1], fixed.i * n + fixed.j]))
    for round_ in range(ROUNDS):
        i, j = close_pairs(positions, edges, wanted)[0].T
        free = ~np.isin(i * n + j, keys)
        i, j = i[free], j[free]
        move, closest = _push(positions, i, j, np.full(i.size, 1.02 * wanted), edges)
        reach = np.linalg.norm(move, axis=1)
        move *= np.minimum(1.0, 0.1 * wanted / np.maximum(reach, 1e-12))[:, None]
        positions = positions + move
        # A ring that closes the wrong way round finds its shape while its angles are soft.
        stiff = min(1.0, 2.0 * round_ / ROUNDS + 0.1)
        thirds, bonds = slice(fixed.bonds, None), slice(0, fixed.bonds)
        for part, strength in ((thirds, stiff), (bonds, 1.0)) * 4:
            correction, _ = _push(positions, fixed.i[part], fixed.j[part], fixed.length[part], edges)
            positions = positions + strength * correction
        off = _push(positions, fixed.i, fixed.j, fixed.length, edges)[1]
        if closest > 0.9 and off > 1.0 - CLOSE and round_ > 0:
            break
    return positions


def _push(
    positions: Array, i: NDArray[np.int64], j: NDArray[np.int64], lengths: Array, edges: Array
) -> tuple[Array, float]:
    """Return the mean move ``(n, 3)`` of each bead towards the wanted distances, and the worst ratio to these."""
    move = np.zeros_like(positions)
    if i.size == 0:
        return move, 1.0
    vectors = minimum_image(positions[j] - positions[i], edges)
    distance = np.maximum(np.linalg.norm(vectors, axis=1), 1e-9 * edges[0])
    pull = vectors / distance[:, None] * (0.5 * (distance - lengths))[:, None]
    np.add.at(move, i, pull)
    np.add.at(move, j, -pull)
    # The moves of one bead are averaged, or beads with many neighbours would be thrown about.
    times = np.bincount(np.concatenate([i, j]), minlength=len(positions))
    ratio = distance / lengths
    return move / np.maximum(times, 1)[:, None], float(np.minimum(ratio, 1.0 / ratio).min())
