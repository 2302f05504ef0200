"""The shapes of single molecules in a simulation, and how they answer to changes of the energy of each molecule."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cginit.bond_graph import among
from cginit.bonded_grids import period
from cginit.coordinates import COORDINATES
from cginit.curves import Array
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.liquid.matrices import PairMatrices, pair_indices
from cginit.refine.record import Record
from cginit.target import Target

__all__ = ["InsideEnergy", "MoleculeShapes", "kept_shapes"]

#: Molecules that a simulation keeps, in configurations spread over it, and bounds of the number of these.
KEPT, LEAST_FRAMES, MOST_FRAMES = 5_000, 4, 400
#: Most distances inside molecules that are taken into account.
MOST_DISTANCES = 1_000_000
#: Part of the molecules that must count after weighting, and by how much energies shrink until it is so.
EFFECTIVE, SHRINK = 0.2, 0.7
#: Groups that a bin is to have before it needs no neighbours, and how many of these it takes at most on each side.
ENOUGH, WIDEST = 500, 4


def kept_shapes(positions: NDArray[np.float32], molecules: int) -> NDArray[np.float32]:
    """Return configurations ``(k, n, 3)`` spread over a run ``(frames, n, 3)``, some thousand molecules together."""
    frames = len(positions)
    wanted = int(np.clip(-(-KEPT // molecules), LEAST_FRAMES, MOST_FRAMES))
    chosen = np.unique(np.linspace(0, frames - 1, min(wanted, frames)).round().astype(int))
    return np.ascontiguousarray(positions[chosen], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Places:
    """Where values ``(m,)`` lie on a uniform grid ``(n,)``, found once for all curves on it.

    Attributes
    ----------
    low, high : ndarray, shape (m,)
        The points on either side of each value; those at the end of the grid for values beyond it.
    part : ndarray, shape (m,)
        How far it is from the lower one, in steps.
    bins : ndarray, shape (m,)
        The nearest point, n for values beyond the grid.
    counts : ndarray, shape (n,)
        Values in each bin.
    """

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    part: Array
    bins: NDArray[np.intp]
    counts: Array

    @classmethod
    def of(cls, values: Array, x: Array, *, periodic: bool) -> Places:
        """Find the values on a grid, which goes round where it is periodic."""
        n = x.size
        place = (values - x[0]) / (x[1] - x[0])
        bins = np.rint(place).astype(np.intp)
        if periodic:
            bins %= n
            place %= n
            low = np.minimum(np.floor(place).astype(np.intp), n - 1)
            high = (low + 1) % n
        else:
            bins[(bins < 0) | (bins >= n)] = n
            place = np.clip(place, 0.0, n - 1.0)
            low = np.minimum(np.floor(place).astype(np.intp), n - 2)
            high = low + 1
        return cls(low, high, place - low, bins, np.bincount(bins, minlength=n + 1)[:n].astype(np.float64))

    def curve(self, u: Array) -> Array:
        """Return a curve ``(n,)`` on the grid at all values, straight between its points."""
        lower = u[self.low]
        return np.asarray(lower + self.part * (u[self.high] - lower))

    def sums(self, weights: Array) -> Array:
        """Return the sums ``(n,)`` of weights ``(m,)`` in all bins."""
        return np.asarray(np.bincount(self.bins, weights, minlength=self.counts.size + 1)[:-1])


@dataclass(frozen=True, eq=False)
class Groups:
    """The values ``(m,)`` of one coordinate in all kept molecules, and the number of the molecule of each."""

    values: Array
    owner: NDArray[np.intp]
    #: Places of the values, by first point, step and size of the grid.
    _known: dict[tuple[float, float, int], Places] = field(default_factory=dict, init=False, repr=False)

    def on(self, x: Array, *, periodic: bool = False) -> Places:
        """Return where the values lie on a uniform grid ``(n,)``."""
        grid = float(x[0]), float(x[1]), x.size
        if grid not in self._known:
            self._known[grid] = Places.of(self.values, x, periodic=periodic)
        return self._known[grid]


@dataclass(frozen=True, eq=False)
class InsideEnergy:
    """By how much the potentials between beads of one molecule change, in kT.

    Attributes
    ----------
    r : ndarray, shape (m,)
        Distances.
    medium : ndarray, shape (pairs, m)
        What the liquid around adds to all of them (`cginit.liquid.response.Response.medium`).
    direct : ndarray, shape (pairs, m)
        The pair potentials, which only some feel.
    """

    r: Array
    medium: Array
    direct: Array


@dataclass(frozen=True, eq=False)
class MoleculeShapes:
    r"""Molecules of some configurations, each with weight :math:`e^{-\Delta E / kT}` where its own energy changes.

    What the liquid around does is part of that energy (`InsideEnergy`). So thousands of molecules tell how any
    distribution answers, where the configurations of the whole liquid, of which no two are alike, could not.

    Attributes
    ----------
    terms : Interactions of Groups
        Bonds, angles and dihedrals that have a target.
    distances : tuple of Groups
        Of the pairs of beads of one molecule, by pair of types.
    acting, counted : tuple of ndarray, shape (m,)
        Which of these feel the pair potential, and which the g(r) of the target count.
    pairs : ndarray, shape (pairs,)
        How many pairs of beads each g(r) counts.
    kinds : ndarray, shape (molecules,)
        Kind of each molecule. Each kind keeps its number.
    beads : ndarray, shape (molecules,)
        Beads of each.
    frames : int
        Configurations.
    volume : float
        Of the box.
    """

    terms: Interactions[Groups]
    distances: tuple[Groups, ...]
    acting: tuple[NDArray[np.bool_], ...]
    counted: tuple[NDArray[np.bool_], ...]
    pairs: Array
    kinds: NDArray[np.int64]
    beads: NDArray[np.int64]
    frames: int
    volume: float

    @classmethod
    def of(cls, record: Record, target: Target) -> MoleculeShapes | None:
        """Return the molecules that a simulation kept; None where it has kept none."""
        topology = target.topology
        if topology is None or record.shapes is None or not topology.is_molecular:
            return None
        pairs = topology.excluded("molecule")
        every = max(1, -(-len(record.shapes) * len(pairs) // MOST_DISTANCES))
        places = topology.whole(record.shapes[::every], record.final.box)
        frames, per_frame = len(places), topology.n_molecules
        shift = per_frame * np.arange(frames)[:, None]

        def groups(values: Array, first: NDArray[np.integer]) -> Groups:
            owners = topology.molecules[first][None, :] + shift
            return Groups(values.reshape(-1), owners.reshape(-1).astype(np.intp))

        terms = {
            name: groups(
                COORDINATES[name.coordinate].measure(places, members, record.final.box), members[:, 0]
            )
            for name, members in topology.terms.items()
            if name in target.distributions
        }
        names = all_pairs(target.densities)
        distances: list[Groups] = []
        acting: list[NDArray[np.bool_]] = []
        counted: list[NDArray[np.bool_]] = []
        left_out = [topology.excluded(rule) for rule in (None, target.target_exclusions)]
        for own in (topology.of_types(pairs, pair) for pair in names):
            vectors = places[:, own[:, 1]] - places[:, own[:, 0]]
            distances.append(groups(np.linalg.norm(vectors, axis=2), own[:, 0]))
            for found, rule in zip((acting, counted), left_out, strict=True):
                found.append(np.tile(~among(own, rule), frames))
        return cls(
            Interactions(terms),
            tuple(distances),
            tuple(acting),
            tuple(counted),
            np.array([topology.pairs_left(one, target.target_exclusions) for one in names], dtype=np.float64),
            np.tile(topology.molecule_kinds, frames),
            np.tile(np.bincount(topology.molecules), frames),
            frames,
            float(np.prod(record.final.box)),
        )

    def bonded_energy(self, name: Interaction, x: Array, u: Array) -> Array:
        """Return the energy of each molecule by a bonded potential ``(n,)`` on a grid ``(n,)``."""
        one = self.terms[name]
        energy = one.on(x, periodic=period(name.coordinate) is not None).curve(u)
        return np.asarray(np.bincount(one.owner, energy, minlength=self.kinds.size), dtype=np.float64)

    def inside_energy(self, change: InsideEnergy) -> Array:
        """Return the energy of each molecule by what changes between its beads."""
        found = np.zeros(self.kinds.size)
        for one, acts, medium, direct in zip(
            self.distances, self.acting, change.medium, change.direct, strict=True
        ):
            if one.values.size:
                places = one.on(change.r)
                energy = places.curve(medium)
                energy += acts * places.curve(direct)
                found += np.bincount(one.owner, energy, minlength=found.size)
        return found

    def spread(self, change: InsideEnergy) -> float:
        """Return the standard deviation of the energies of like molecules by the medium, in kT per root of beads.

        That of the kind where it is largest.
        """
        medium = InsideEnergy(change.r, change.medium, np.zeros_like(change.direct))
        energies = self.inside_energy(medium) / np.sqrt(self.beads)
        return max(float(np.std(energies[self.kinds == kind])) for kind in np.unique(self.kinds))

    def weights(self, energies: Array) -> tuple[Array, float]:
        """Return the weights of all molecules, of mean 1 for each kind, and the part of the energies that is in them.

        The part is below 1 where too few molecules would count.
        """
        size, part = int(self.kinds.max()) + 1, 1.0
        numbers = np.bincount(self.kinds, minlength=size)
        mean = np.bincount(self.kinds, energies, minlength=size) / numbers
        moved = energies - mean[self.kinds]
        lowest = np.full(size, np.inf)
        np.minimum.at(lowest, self.kinds, moved)
        moved -= lowest[self.kinds]
        while True:
            found = np.exp(-part * moved)
            found /= (np.bincount(self.kinds, found, minlength=size) / numbers)[self.kinds]
            effective = 1.0 / (np.bincount(self.kinds, found**2, minlength=size) / numbers)
            if np.min(effective) >= EFFECTIVE or part < 1e-3:
                return found, part
            part *= SHRINK

    def answer(self, name: Interaction, x: Array, u: Array, energies: Array) -> Array:
        r"""Return :math:`\ln (p' / p)` ``(n,)`` by all that changes but the potential of the coordinate itself.

        Parameters
        ----------
        name : Interaction
            A bond, angle or dihedral.
        x, u : ndarray, shape (n,)
            Its grid, and the change of its own potential in kT.
        energies : ndarray, shape (molecules,)
            Changes of the energies of all molecules in kT, that one included.
        """
        one = self.terms[name]
        weights, part = self.weights(energies)
        periodic = period(name.coordinate) is not None
        places = one.on(x, periodic=periodic)
        after = places.sums(weights[one.owner] * np.exp(part * places.curve(u - np.mean(u))))
        return np.asarray(_log_ratio(after, places.counts, periodic=periodic) / part)

    def moved_inside(self, weights: Array, edges: Array, *, counted: bool) -> Array:
        """Return by how much the number of pairs inside molecules changes in each bin ``(pairs, n)``, a frame.

        A pair counts in the two nearest of the points ``(n,)``, by its distance from them. `counted`: of those pairs
        that the g(r) of the target count, or of all.
        """
        found = []
        for one, counts in zip(self.distances, self.counted, strict=True):
            shift = weights[one.owner] - 1.0
            if counted:
                shift = shift * counts
            place = (one.values - edges[0]) / (edges[1] - edges[0])
            low = np.floor(place).astype(np.int64)
            part = place - low
            row = np.zeros(edges.size)
            for bins, weight in ((low, 1.0 - part), (low + 1, part)):
                inside = (bins >= 0) & (bins < edges.size)
                row += np.bincount(bins[inside], (weight * shift)[inside], minlength=edges.size)
            found.append(row / self.frames)
        return np.array(found)

    def moved_g(self, weights: Array, r: Array) -> Array:
        """Return what weighted molecules add to the g(r) of the target ``(pairs, n)`` by pairs inside them."""
        shells = 4.0 * np.pi * r**2 * float(r[1] - r[0]) / self.volume
        moved = self.moved_inside(weights, r, counted=True) / shells
        return np.asarray(np.divide(moved, self.pairs[:, None], out=moved, where=self.pairs[:, None] > 0.0))

    def moved_structure(self, weights: Array, matrices: PairMatrices, densities: Array) -> Array:
        """Return the change ``(m, s, s)`` of the structure factors of single molecules."""
        grid = matrices.grid
        a, b = pair_indices(densities.size)
        # Of like beads both orders of a pair.
        twice = np.where(a == b, 2.0, 1.0)[:, None]
        curves = twice * self.moved_inside(weights, grid.r, counted=False)
        curves /= 4.0 * np.pi * grid.r * grid.dr * self.volume * (densities[a] * densities[b])[:, None]
        return matrices.of(curves)


def bonded_curve_at(name: Interaction, x: Array, u: Array, values: Array) -> Array:
    """Return a curve of a bonded coordinate at some values of it."""
    return np.asarray(np.interp(values, x, u, period=period(name.coordinate)))


def _log_ratio(after: Array, before: Array, *, periodic: bool) -> Array:
    """Return the logarithm ``(n,)`` of the ratio of sums over bins; those with few counts take neighbours in."""
    n, seen = before.size, before > 0.0
    if not np.any(seen):
        return np.zeros(n)
    mode = "wrap" if periodic else "constant"
    sums = [np.cumsum(np.pad(one, WIDEST + 1, mode=mode)) for one in (after, before)]  # type: ignore[call-overload]
    centre = WIDEST + 1 + np.arange(n)
    wide = np.zeros((2, n))
    for half in range(WIDEST + 1):
        open_ones = wide[1] < ENOUGH
        for row, total in zip(wide, sums, strict=True):
            row[open_ones] = (total[centre + half] - total[centre - half - 1])[open_ones]
    known = (wide[1] > 0.0) & (wide[0] > 0.0)
    ratio = np.log(wide[0][known] / wide[1][known])
    places = np.flatnonzero(known)
    return np.asarray(np.interp(np.arange(n), places, ratio, period=float(n) if periodic else None))
