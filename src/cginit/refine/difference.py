"""The differences that an update is to explain: of one state, of all states together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.interactions import Interaction, Interactions
from cginit.refine.convergence import CHI2_AT_NOISE
from cginit.refine.history import History
from cginit.refine.pair_difference import Difference
from cginit.refine.record import Record, round_chi2
from cginit.refine.regularisation import ROUGHNESS, curvature_basis
from cginit.refine.thermodynamics import bond_pressure, pressure_row
from cginit.target import Target

__all__ = [
    "Datum",
    "Layout",
    "StateDifference",
    "energy_datum",
    "most_seen",
    "smooth_changes",
    "with_data",
]

#: Change of the energy a bead that is expected, in kT, and as part of the energy.
ENERGY_CHANGE, ENERGY_PART = 2.0, 0.2
#: Rounds in a row whose chi^2 is below the second number, after which what g still lacks is taken to stay.
STAYING_ROUNDS, STAYING_CHI2 = 3, 2.0 * CHI2_AT_NOISE


@dataclass(frozen=True, eq=False)
class Datum:
    """One more thing that a change is to bring about.

    Attributes
    ----------
    row : ndarray, shape (n,)
        Its change with that of each point of the potential, in kT.
    value, error : float
        What it is to change by, and how well that is known.
    """

    row: Array
    value: float
    error: float


def energy_datum(difference: Difference, density: float) -> Datum:
    r"""Return what is known of a change before g is looked at: that the energy of the target changes by little.

    .. math:: 2 \pi \rho \int \Delta U\, g\, r^2 dr = 0 \pm \max(2\,kT, 0.2\,|E|)

    a bead, as if all its neighbours were such pairs, with the energy E of the target in the simulated potential. A
    dense liquid hides an attraction as wide as the potential: g hardly tells it from a softer core, and a smooth
    change would take the attraction, down to where the liquid tears. The guesses from which refinements of
    Lennard-Jones liquids start are off by 1 to 3 kT.
    """
    r = difference.r
    row = 2.0 * np.pi * density * r**2 * difference.wanted * (r[1] - r[0])
    shown = difference.wanted > 0.0
    energy = float(row[shown] @ difference.u[shown])
    return Datum(row, 0.0, max(ENERGY_CHANGE, ENERGY_PART * abs(energy)))


def with_data(matrix: Array, data: Array, noise: Array, extra: Sequence[Datum]) -> tuple[Array, Array, Array]:
    """Return response ``(m, n)``, data ``(m,)`` and covariance ``(m, m)`` with more data of independent noise."""
    from scipy.linalg import block_diag

    return (
        np.vstack([matrix, *(one.row for one in extra)]),
        np.append(data, [one.value for one in extra]),
        np.asarray(block_diag(noise, *(np.array([[one.error**2]]) for one in extra)), dtype=np.float64),
    )


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the points of each refined interaction stand in the vector of unknown changes, in kT of state 0.

    Attributes
    ----------
    nodes : Interactions of ndarray
        Nodes ``(n,)`` of each.
    starts : Interactions of int
        Where each begins.
    width : int
        Length of the vector.
    """

    nodes: Interactions[Array]
    starts: Interactions[int]
    width: int

    @classmethod
    def of(cls, states: Sequence[StateDifference], free: Sequence[Interaction]) -> Layout:
        """Lay out what several states have in common.

        Raises
        ------
        ConvergenceError
            If an interaction lies on different nodes in two states.
        """
        nodes: dict[Interaction, Array] = {}
        for name in free:
            found = [one.parts[name].r for one in states if name in one.parts]
            if any(r.size != found[0].size for r in found):
                raise ConvergenceError(f"the states were inverted on different grids of {name}")
            nodes[name] = found[0]
        sizes = [r.size for r in nodes.values()]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        return cls(
            Interactions(nodes),
            Interactions(dict(zip(nodes, starts.tolist(), strict=False))),
            int(sum(sizes)),
        )

    def columns(self, name: Interaction) -> NDArray[np.intp]:
        """Return the places ``(n,)`` of one interaction."""
        return self.starts[name] + np.arange(self.nodes[name].size, dtype=np.intp)

    def split(self, vector: Array) -> dict[Interaction, Array]:
        """Return the part of each interaction."""
        return {name: vector[self.columns(name)] for name in self.nodes}


@dataclass(frozen=True, eq=False)
class StateDifference:
    """The differences of all g(r) of one state, pair by pair in one row.

    Attributes
    ----------
    record, target : Record, Target
        The simulation, and what it is to show.
    parts : Interactions of Difference
        The difference of each pair, in the order of the target.
    free : tuple of Interaction
        Those that are refined.
    scale : float
        kT of the first state in that of this one: what a change in the one is in the other.
    reached : Interactions of ndarray, or None
        Of each pair the g ``(n,)`` that simulations come to, where several in a row are near their targets.
    """

    record: Record
    target: Target
    parts: Interactions[Difference]
    free: tuple[Interaction, ...]
    scale: float = 1.0
    reached: Interactions[Array] | None = None

    @classmethod
    def of(
        cls, record: Record, target: Target, history: History, nodes: Array | None = None
    ) -> StateDifference:
        """Put a simulation and its target on `nodes`, by default the points of each potential."""
        parts = {
            name: Difference.of(
                record.pairs[name],
                record.rdfs[name],
                curve,
                target.kT,
                sum(record.beads.values()),
                record.pairs[name].r if nodes is None else nodes,
            )
            for name, curve in target.rdfs.items()
        }
        free = tuple(name for name in parts if name not in history.held)
        found = cls(record, target, Interactions(parts), free, history.kT / target.kT)
        return found if target.pressure is None else replace(found, reached=_reached(found, history))

    def doubted(self, variances: Interactions[Array]) -> StateDifference:
        """Return the differences with more noise at the nodes: of each pair a variance ``(n,)`` or covariance."""

        def more(one: Difference, added: Array) -> Array:
            n = one.r.size
            return np.asarray(one.covariance + (np.diag(added[:n]) if added.ndim == 1 else added[:n, :n]))

        parts = {
            name: replace(one, covariance=more(one, variances[name])) for name, one in self.parts.items()
        }
        return replace(self, parts=Interactions(parts))

    @property
    def sizes(self) -> list[int]:
        """Points of each pair."""
        return [one.r.size for one in self.parts.values()]

    @property
    def starts(self) -> NDArray[np.intp]:
        """Where each pair begins in the row ``(pairs + 1,)``, and its end."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.intp)

    def _places(self, *, shown: bool) -> NDArray[np.intp]:
        found = [
            start + np.arange(one.first if shown else 0, one.r.size, dtype=np.intp)
            for (name, one), start in zip(self.parts.items(), self.starts, strict=False)
            if name in self.free
        ]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)

    @property
    def rows(self) -> NDArray[np.intp]:
        """Places of the data: of each refined pair the points that show its potential."""
        return self._places(shown=True)

    @property
    def local(self) -> NDArray[np.intp]:
        """Places of all points of refined pairs."""
        return self._places(shown=False)

    def columns(self, layout: Layout) -> NDArray[np.intp]:
        """Where the points of `local` stand among the unknowns."""
        found = [layout.columns(name) for name in self.free]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)

    def matrix(self, response: Array, layout: Layout) -> Array:
        """Return the change ``(rows, unknowns)`` of the data with the unknowns, from -dg/dU ``(n, n)``."""
        found = np.zeros((self.rows.size, layout.width))
        found[:, self.columns(layout)] = -self.scale * response[np.ix_(self.rows, self.local)]
        return found

    def change(self, unknowns: Array, layout: Layout) -> Array:
        """Return the change ``(n,)`` of all potentials of this state in its own kT, pair by pair in one row."""
        found = np.zeros(int(self.starts[-1]))
        found[self.local] = self.scale * unknowns[self.columns(layout)]
        return found

    @property
    def whole_change(self) -> Array:
        """What all g are to change by ``(n,)``, pair by pair in one row."""
        return np.concatenate([one.wanted_change for one in self.parts.values()])

    @property
    def covariance(self) -> Array:
        """Noise of the data ``(m, m)``, smaller for a state that counts more."""
        from scipy.linalg import block_diag

        whole = block_diag(*(one.covariance for one in self.parts.values()))
        return np.asarray(whole[np.ix_(self.rows, self.rows)] / self.target.weight, dtype=np.float64)

    def data(
        self, layout: Layout, *, pressure: bool, bonded: Mapping[Interaction, Array] | None = None
    ) -> list[Datum]:
        """Return what is known beside g: that energies change by little, and the pressure where one is wanted.

        See `energy_datum`, of which each refined pair has one as if all neighbours of a bead were such pairs.
        `bonded` are changes of bonded potentials on their grids, which a pressure feels, too.
        """
        found = []
        for name, start in zip(self.parts, self.starts, strict=False):
            if name in self.free:
                one = energy_datum(self.parts[name], self.target.state.density)
                row = np.zeros(int(self.starts[-1]))
                row[start : start + one.row.size] = one.row
                found.append(self.datum(row, one.value, one.error, layout))
        wanted = self.target.pressure
        if pressure and wanted is not None and np.isfinite(self.record.pressure):
            found.append(self._pressure(layout, wanted - self._pressure_of_bonds(bonded or {})))
        return found

    def datum(self, row: Array, value: float, error: float, layout: Layout) -> Datum:
        """Return a datum that changes by `row` ``(n,)`` with all potentials of this state; held ones do not."""
        placed = np.zeros(layout.width)
        placed[self.columns(layout)] = self.scale * row[self.local]
        return Datum(placed, value, error)

    def _pressure_of_bonds(self, changes: Mapping[Interaction, Array]) -> float:
        """Return the pressure that changes of bonds add to the lengths that are wanted."""
        final, found = self.record.final, 0.0
        for name, change in changes.items():
            if name.coordinate == "bond" and final.topology is not None:
                density = len(final.topology.terms[name]) / float(np.prod(final.box))
                bonds = self.target.distributions[name]
                found += bond_pressure(self.record.bonded[name].x, change, bonds, density)
        return found

    def _pressure(self, layout: Layout, wanted: float) -> Datum:
        """Return the pressure: of the target g under the simulated potentials, as a change of the sampled one.

        The noise of a target in a core of 20 kT is a pressure that no simulation has. Where simulations near the
        target do not come nearer, their mean takes its place.
        """
        target, record = self.target, self.record
        rows, moved = [], record.pressure / target.kT
        for name, one in self.parts.items():
            both = target.density_product(name)
            there = one.wanted if self.reached is None else self.reached[name]
            moved += both * float(pressure_row(one.r, there - one.got, 1.0) @ one.u)
            rows.append(both * pressure_row(one.r, one.wanted, 1.0))
        error = max(record.pressure_error, 1e-3 * target.state.density * target.kT) / target.kT
        return self.datum(np.concatenate(rows), wanted / target.kT - moved, error, layout)


def _reached(last: StateDifference, history: History) -> Interactions[Array] | None:
    """Return the mean g ``(n,)`` of the last rounds near their targets, on the nodes of each pair; None of few."""
    number = next(i for i, target in enumerate(history.targets) if target is last.target)
    near = list(takewhile(lambda done: round_chi2(done) <= STAYING_CHI2, reversed(history.rounds)))
    if len(near) < STAYING_ROUNDS:
        return None
    found = {}
    for name, part in last.parts.items():
        curves = [done[number].rdfs[name].with_core() for done in near]
        found[name] = np.mean([np.interp(part.r, one.r, one.g) for one in curves], axis=0)
    return Interactions(found)


def most_seen(states: Sequence[StateDifference]) -> dict[Interaction, tuple[Difference, float]]:
    """Return of each refined pair the difference in the state that shows most of it, and the scale of that state."""
    found: dict[Interaction, tuple[Difference, float]] = {}
    for one in states:
        for name in one.free:
            part = one.parts[name]
            if name not in found or part.first < found[name][0].first:
                found[name] = part, one.scale
    return found


def smooth_changes(states: Sequence[StateDifference], layout: Layout) -> list[Array]:
    """Return bases of smooth changes of all unknowns; see `cginit.refine.regularisation.curvature_basis`.

    Each potential is taken from the state that sees most of it.
    """
    from scipy.linalg import block_diag

    shown = most_seen(states)
    return [
        np.asarray(
            block_diag(
                *(
                    curvature_basis(part.u / scale, part.first, rough)
                    for part, scale in map(shown.__getitem__, layout.nodes)
                )
            ),
            dtype=np.float64,
        )
        for rough in ROUGHNESS
    ]
