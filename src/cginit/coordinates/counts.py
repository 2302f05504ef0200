"""Counts of bonded coordinates in each configuration of a run, and the distributions that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cginit.bonded import Distribution
from cginit.bonded_grids import bin_widths
from cginit.configuration import Trajectory
from cginit.coordinates.angle import ANGLE
from cginit.coordinates.base import Coordinate
from cginit.coordinates.bond import BOND
from cginit.coordinates.dihedral import DIHEDRAL
from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.sampling import BLOCKS
from cginit.sampling.errors import block_ratio, block_sums
from cginit.topology import Topology
from cginit.units import UnitSystem

__all__ = ["COORDINATES", "BondedCounts", "block_distribution", "count_terms"]

#: The bonded coordinates by name.
COORDINATES: Mapping[str, Coordinate] = {"bond": BOND, "angle": ANGLE, "dihedral": DIHEDRAL}
#: Groups of beads that are measured at once (some 50 MB).
GROUPS_AT_ONCE = 300_000


@dataclass(frozen=True, eq=False)
class BondedCounts:
    r"""How many groups of each configuration of a run are in each bin: what a bonded potential sees of it.

    The energy of a configuration is :math:`\sum_b n_b U(x_b)`, so that from the counts follow the distribution of
    this run and, by reweighting, that of a run with a slightly different potential.

    Attributes
    ----------
    interaction : Interaction
        What was counted.
    x : ndarray, shape (n,)
        Grid of the distribution; the bin of a point reaches half a step to each side.
    counts : ndarray, shape (frames, n), int32
        Groups in each bin.
    members : int
        How many groups there are.
    units : UnitSystem
        Units of a length.
    """

    interaction: Interaction
    x: Array
    counts: NDArray[np.int32]
    members: int
    units: UnitSystem

    def __repr__(self) -> str:
        span = f"x {self.x[0]:.4g} to {self.x[-1]:.4g} in {self.x.size} points"
        return f"<BondedCounts: {len(self)} configurations of {self.members} {self.interaction}, {span}>"

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    @property
    def coordinate(self) -> Coordinate:
        """What was counted of each group."""
        return COORDINATES[self.interaction.coordinate]

    def ideal(self) -> Array:
        """Return the counts ``(n,)`` in each bin where p is 1: number of groups times width of the bin."""
        return self.members * bin_widths(self.x, self.interaction.coordinate)

    @property
    def beyond(self) -> float:
        """Part of all groups that lies beyond the grid, on average."""
        return float(1.0 - self.counts.sum() / (len(self) * self.members))

    def distribution(self, weights: ArrayLike | None = None, blocks: int = BLOCKS) -> Distribution:
        r"""Return p(x) with block errors, each configuration with a weight (all the same by default).

        It is normalised by all groups that lie on the grid. The errors are those of `cginit.sampling.PairCounts.rdf`.

        Raises
        ------
        InputError
            If there are fewer configurations than blocks, or no group lies on the grid.
        """
        sums, totals = block_sums(self.counts, weights, blocks)
        if not float(sums.sum()) > 0.0:
            raise InputError(
                f"no {self.interaction} lies between {self.x[0]:g} and {self.x[-1]:g} {self.units.length}; count on "
                "a grid that reaches it"
            )
        return block_distribution(self.x, sums, totals, self.interaction.coordinate, self.units)


def block_distribution(
    x: Array, sums: Array, weights: Array, coordinate: str, units: UnitSystem
) -> Distribution:
    """Return p(x) of counted groups with the standard error of a weighted mean over blocks.

    It is normalised by all groups that lie on the grid. The errors are those of `cginit.sampling.errors.block_ratio`.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Grid.
    sums : ndarray, shape (m, n)
        Weighted counts of each block; together at least one.
    weights : ndarray, shape (m,)
        Weight of each block; together 1.
    coordinate : {"bond", "angle", "dihedral"}
        What was counted.
    units : UnitSystem
        Units of a length.
    """
    p, error = block_ratio(sums, weights, float(sums.sum()) * bin_widths(x, coordinate))
    return Distribution(x, p, error, coordinate=coordinate, units=units)


def count_terms(
    trajectory: Trajectory,
    grids: Mapping[Interaction, ArrayLike],
    topology: Topology | None = None,
    *,
    before: Interactions[BondedCounts] | None = None,
) -> Interactions[BondedCounts]:
    """Return the counts of bonded interactions in every configuration of a run.

    Parameters
    ----------
    trajectory : Trajectory
        The run; molecules may be broken over the box.
    grids : mapping of Interaction to array_like
        Grid of each interaction that is counted, in the units of the trajectory or in radians.
    topology : Topology, optional
        By default that of the trajectory.
    before : Interactions of BondedCounts, optional
        Counts of the first configurations on the same grids; those are not counted again.

    Raises
    ------
    InputError
        If there is no topology, it lacks an interaction, or a bond's grid reaches beyond half the box.

    Examples
    --------
    >>> dimer = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]})
    >>> frames = np.array([[[0, 0, 0], [1.0, 0, 0]], [[0, 0, 0], [0, 1.2, 0]]])
    >>> run = Trajectory(frames, [5, 5, 5], units="lj", topology=dimer)
    >>> counts = count_terms(run, Interactions({"bond A-A": np.linspace(0.8, 1.4, 4)}))
    >>> counts["bond A-A"].counts.tolist()
    [[0, 1, 0, 0], [0, 0, 1, 0]]
    """
    bonded = trajectory.topology if topology is None else topology
    if bonded is None:
        raise InputError("the trajectory has no topology; give one to count its bonds")
    found = []
    for one, points in Interactions(grids).items():
        members = bonded.terms.get(one)
        if members is None or not len(members):
            known = ", ".join(map(str, bonded.terms)) or "none"
            raise InputError(f"the topology has no {one}; it has {known}")
        grid = np.asarray(points, dtype=np.float64)
        half = 0.5 * float(np.min(trajectory.box))
        if one.coordinate == "bond" and grid[-1] > half:
            raise InputError(f"the grid of {one} ends at {grid[-1]:g}, beyond half the box ({half:g})")
        known_counts = None if before is None else before[one]
        counts = _counted(COORDINATES[one.coordinate], trajectory, members, grid, known_counts)
        found.append((one, BondedCounts(one, grid, counts, len(members), trajectory.units)))
    return Interactions(found)


def _counted(
    coordinate: Coordinate,
    trajectory: Trajectory,
    members: NDArray[np.int64],
    grid: Array,
    before: BondedCounts | None,
) -> NDArray[np.int32]:
    frames = len(trajectory)
    counts = np.zeros((frames, grid.size), dtype=np.int32)
    first = 0
    if before is not None:
        first = len(before)
        counts[:first] = before.counts
    chunk = max(1, GROUPS_AT_ONCE // len(members))
    for begin in range(first, frames, chunk):
        part = trajectory.positions[begin : begin + chunk]
        counts[begin : begin + chunk] = coordinate.count(part, trajectory.box, members, grid)
    return counts
