"""Positions of beads in a periodic box: where a simulation starts and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.names import check_bead_type
from cginit.topology import Topology
from cginit.units import UnitSystem, conversion, unit_system

__all__ = ["Configuration", "Trajectory", "close_pairs", "random_configuration"]


@dataclass(frozen=True, eq=False)
class Configuration:
    """Bead positions in an orthorhombic periodic box that is centred on the origin.

    Parameters
    ----------
    positions : array_like, shape (n, 3)
        Wrapped into [-box/2, box/2) on construction.
    box : array_like, shape (3,)
        Edge lengths.
    units : str or UnitSystem
        Units of both.
    types : array_like, shape (n,), optional
        Which of `species` each bead is; by default all are the first.
    species : tuple of str
        Names of the bead types.
    topology : Topology, optional
        How the beads are bonded; it says the types and species too. Molecules may be broken over the box.

    Raises
    ------
    InputError
        If a position is not finite, an edge is not positive, a type is none of the species, or the topology has
        another number of beads.
    """

    positions: NDArray[np.float64]
    box: Array
    units: UnitSystem = field(kw_only=True)
    types: NDArray[np.int64] = field(default=None, kw_only=True)  # type: ignore[arg-type]  # filled with 0
    species: tuple[str, ...] = field(default=("A",), kw_only=True)
    topology: Topology | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", unit_system(self.units))
        box = np.array(self.box, dtype=np.float64)
        positions = np.array(self.positions, dtype=np.float64)
        if box.shape != (3,) or not np.all(np.isfinite(box)) or np.any(box <= 0.0):
            raise InputError(f"a box needs three positive edges, not {box}")
        if positions.ndim != 2 or positions.shape[1] != 3 or positions.shape[0] < 2:
            raise InputError(f"positions must have shape (n, 3) with n >= 2, not {positions.shape}")
        if not np.all(np.isfinite(positions)):
            raise InputError("a start position is not finite")
        positions -= box * np.floor(positions / box + 0.5)
        if self.topology is not None:
            object.__setattr__(self, "species", self.topology.species)
        types = _checked_types(self.types, self.species, len(positions), self.topology)
        for name, array in (("positions", positions), ("box", box), ("types", types)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        return f"<Configuration: {_beads_in_box(self)}>"

    @property
    def n(self) -> int:
        """Number of beads."""
        return int(self.positions.shape[0])

    @property
    def density(self) -> float:
        """Beads per volume."""
        return float(self.n / np.prod(self.box))

    def scaled(self, length: float, units: str | UnitSystem) -> Configuration:
        """Return the configuration with all lengths multiplied by `length`, labelled with `units`."""
        return replace(
            self, positions=self.positions * length, box=self.box * length, units=unit_system(units)
        )

    def to(self, units: str | UnitSystem) -> Configuration:
        """Return the same configuration in other units."""
        target = unit_system(units)
        return self if target == self.units else self.scaled(conversion(self.units, target)[0], target)

    def at_density(self, density: float) -> Configuration:
        """Return the configuration scaled uniformly to another density."""
        return self.scaled((self.density / density) ** (1.0 / 3.0), self.units)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Equally spaced configurations of one run in a constant box.

    Parameters
    ----------
    positions : ndarray, shape (m, n, 3), float32
        Wrapped or unwrapped positions; the box is centred on the origin.
    box : array_like, shape (3,)
        Edge lengths.
    units : str or UnitSystem
        Units of both.
    types : array_like, shape (n,), optional
        Which of `species` each bead is; by default all are the first.
    species : tuple of str
        Names of the bead types.
    topology : Topology, optional
        How the beads are bonded; it says the types and species too.
    """

    positions: NDArray[np.float32]
    box: Array
    units: UnitSystem = field(kw_only=True)
    types: NDArray[np.int64] = field(default=None, kw_only=True)  # type: ignore[arg-type]  # filled with 0
    species: tuple[str, ...] = field(default=("A",), kw_only=True)
    topology: Topology | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        return f"<Trajectory: {len(self.positions)} configurations of {_beads_in_box(self)}>"

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", unit_system(self.units))
        positions = np.asarray(self.positions, dtype=np.float32)
        if positions.ndim != 3 or positions.shape[2] != 3:
            raise InputError(f"a trajectory needs positions of shape (m, n, 3), not {positions.shape}")
        positions = positions.view()
        positions.flags.writeable = False
        object.__setattr__(self, "positions", positions)
        if self.topology is not None:
            object.__setattr__(self, "species", self.topology.species)
        types = _checked_types(self.types, self.species, positions.shape[1], self.topology)
        types.flags.writeable = False
        object.__setattr__(self, "types", types)
        box = np.array(self.box, dtype=np.float64)
        box.flags.writeable = False
        object.__setattr__(self, "box", box)

    def __len__(self) -> int:
        return int(self.positions.shape[0])

    @property
    def n(self) -> int:
        """Number of beads."""
        return int(self.positions.shape[1])

    @property
    def density(self) -> float:
        """Beads per volume."""
        return float(self.n / np.prod(self.box))


def _beads_in_box(one: Configuration | Trajectory) -> str:
    edges = " x ".join(f"{edge:.4g}" for edge in one.box)
    bonded = "" if one.topology is None else ", with a topology"
    return (
        f"{one.positions.shape[-2]} beads of {', '.join(one.species)}, box {edges} {one.units.length}{bonded}"
    )


def _checked_types(
    types: object, species: tuple[str, ...], n: int, topology: Topology | None
) -> NDArray[np.int64]:
    for name in species:
        check_bead_type(name)
    if topology is not None:
        if topology.n != n:
            raise InputError(
                f"the topology has {topology.n} beads, the configuration {n}; they belong to other systems"
            )
        types = topology.types
    found = np.zeros(n, dtype=np.int64) if types is None else np.array(types, dtype=np.int64)
    if found.shape != (n,) or np.any(found < 0) or np.any(found >= len(species)):
        raise InputError(
            f"types must give one of {', '.join(species)}, as a number from 0, to each of {n} beads"
        )
    return found


def close_pairs(positions: ArrayLike, box: ArrayLike, reach: float) -> tuple[NDArray[np.int64], Array]:
    """Return the pairs of beads closer than `reach`, each once, and the shortest vectors between them.

    Parameters
    ----------
    positions : array_like, shape (n, 3)
        Wrapped into the box or not.
    box : array_like, shape (3,)
        Edges of an orthorhombic box.
    reach : float
        At most half the shortest edge.

    Returns
    -------
    pairs : ndarray, shape (k, 2)
        Beads i < j, in order.
    vectors : ndarray, shape (k, 3)
        From i to j.

    Raises
    ------
    InputError
        If `reach` is more than half the box, where a pair has two images within reach.
    """
    from scipy.spatial import cKDTree

    edges, beads = np.asarray(box, dtype=np.float64), np.asarray(positions, dtype=np.float64)
    if reach > 0.5 * float(edges.min()):
        raise InputError(f"pairs up to {reach:g} need a box of twice that, not {float(edges.min()):g}")
    inside = beads % edges
    inside[inside >= edges] = 0.0  # a coordinate just below 0 may round to the whole edge
    tree = cKDTree(inside, boxsize=edges)
    pairs = np.sort(tree.query_pairs(reach, output_type="ndarray").astype(np.int64), axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    vectors = beads[pairs[:, 1]] - beads[pairs[:, 0]]
    return pairs, np.asarray(vectors - edges * np.round(vectors / edges), dtype=np.float64)


def random_configuration(
    n: int | Mapping[str, int],
    density: float,
    *,
    seed: int,
    units: str | UnitSystem,
    separation: float | None = None,
) -> Configuration:
    """Return `n` beads at random in a cubic box, pushed apart until none is closer than `separation`.

    Overlaps are relaxed by moving each bead along the sum of its overlap vectors, no further than a tenth
    of the separation at a time, so that a pair on top of each other does not fly off.

    Parameters
    ----------
    n : int or mapping of str to int
        Number of beads, or of those of each species, which are mixed at random.
    density : float
        Beads per volume, of all species.
    seed : int
        Seed of the random positions.
    units : str or UnitSystem
        Units of density and result.
    separation : float, optional
        Smallest distance wanted; by default 0.8 of the mean spacing ``density**(-1/3)``, which random
        relaxation reaches at any density.
    """
    rng = np.random.default_rng(seed)
    species: tuple[str, ...] = ("A",)
    if isinstance(n, int):
        types = np.zeros(n, dtype=np.int64)
    else:
        species = tuple(n)
        # The positions are random already.
        types = np.repeat(np.arange(len(species), dtype=np.int64), list(n.values()))
        n = int(types.size)
    edge = (n / density) ** (1.0 / 3.0)
    spacing = density ** (-1.0 / 3.0)
    wanted = 0.8 * spacing if separation is None else min(separation, 0.8 * spacing)
    wanted = min(wanted, 0.49 * edge)  # of four beads or fewer each has itself for a neighbour
    positions = rng.uniform(-0.5 * edge, 0.5 * edge, (n, 3))
    for _ in range(500):
        i, j, close = _neighbours(positions, edge, wanted)
        if close.size == 0 or float(close.min()) > 0.98 * wanted:
            break
        away = -_wrapped(positions[j] - positions[i], edge)
        distance = np.maximum(np.linalg.norm(away, axis=1), 1e-9 * wanted)
        push = away / distance[:, None] * (0.5 * (1.02 * wanted - distance))[:, None]
        move = np.zeros_like(positions)
        np.add.at(move, i, push)
        length = np.linalg.norm(move, axis=1)
        move *= np.minimum(1.0, 0.1 * wanted / np.maximum(length, 1e-12))[:, None]
        positions = _wrapped(positions + move, edge)
    return Configuration(positions, np.full(3, edge), units=unit_system(units), types=types, species=species)


# The next two work in single precision, so that the start of a seed stays what it has always been to the last digit.


def _neighbours(
    positions: Array, edge: float, reach: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return the beads i and their neighbours j in order, each pair from both sides, and their distances."""
    pairs, _ = close_pairs(positions, np.full(3, edge), min(reach * (1.0 + 1e-5), 0.5 * edge))
    i, j = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    image = np.float32(edge) * np.round((positions[j] - positions[i]) / edge).astype(np.float32)
    single = positions.astype(np.float32)
    x, y, z = (single[j] - (single[i] + image)).T
    square = x * x + y * y + z * z
    near = square < np.float32(reach) * np.float32(reach)
    return i[near], j[near], np.sqrt(square[near])


def _wrapped(positions: Array, edge: float) -> Array:
    """Return positions, or the vectors between them, wrapped into a cube centred on the origin."""
    single, one = np.float32(edge), np.float32(1.0)
    lower = -single / np.float32(2.0)
    parts = (positions.astype(np.float32) - lower) / single
    parts = np.fmod(np.fmod(parts, one) + one, one)
    return np.asarray(lower + parts * single, dtype=np.float64)
