"""What all update rules of mixtures share: the contract, and the difference of all g(r) as one problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.measurement import Measurement
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.regularisation import ROUGHNESS, curvature_basis
from cginit.refine.thermodynamics import pressure_row
from cginit.refine.updates.gauss_newton import Datum, Problem, energy_datum

__all__ = ["FreeRule", "MixtureProblem", "MixtureUpdate", "density_product", "measurement_of"]


class MixtureUpdate(Protocol):
    """A rule that proposes the next potentials of a mixture; its result depends on its arguments only."""

    @property
    def name(self) -> str:
        """The name by which users choose the rule."""
        ...

    @property
    def held(self) -> frozenset[Pair]:
        """Pairs whose potential never changes; their g(r) does not count for convergence."""
        ...

    @property
    def pressure(self) -> float | None:
        """The pressure that it aims at, if it does."""
        ...

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the change ``(n,)`` of each potential that is to change, and the name of the rule that made it."""
        ...


@dataclass(frozen=True)
class FreeRule:
    """What the rules share that change every pair; unless they say so, they aim at no pressure."""

    held: frozenset[Pair] = field(default=frozenset(), init=False, repr=False)
    pressure: float | None = field(default=None, init=False, repr=False)


def density_product(target: MixtureTarget, pair: Pair) -> float:
    """Return rho_a rho_b of a pair; of unlike beads twice that, since both orders count."""
    a, b = pair
    return (1.0 if a == b else 2.0) * target.densities[a] * target.densities[b]


def measurement_of(iteration: MixtureIteration, pair: Pair) -> Measurement:
    """Return what a simulation of a mixture says about one pair."""
    return Measurement(
        iteration.potentials[pair],
        iteration.rdfs[pair],
        iteration.final.n,
        iteration.pressure,
        iteration.pressure_error,
        iteration.counts.get(pair),
        healthy=iteration.homogeneous,
    )


@dataclass(frozen=True, eq=False)
class MixtureProblem:
    """The differences of all g(r) of a mixture, pair by pair in one row of data.

    Attributes
    ----------
    parts : dict of pair to Problem
        The difference of each.
    starts : ndarray, shape (pairs + 1,)
        Where each begins in the row, and its end.
    rows : ndarray, shape (m,)
        The data: of each pair the points that show its potential.
    """

    parts: dict[Pair, Problem]
    starts: NDArray[np.intp]
    rows: NDArray[np.intp]

    @classmethod
    def of(
        cls, iteration: MixtureIteration, target: MixtureTarget, nodes: Array | None = None
    ) -> MixtureProblem:
        """Put a simulation and its target on `nodes`, by default the points of each potential."""
        parts = {
            pair: Problem.of(
                measurement_of(iteration, pair),
                curve,
                target.state,
                iteration.potentials[pair].r if nodes is None else nodes,
            )
            for pair, curve in target.rdfs.items()
        }
        starts = np.concatenate([[0], np.cumsum([one.r.size for one in parts.values()])]).astype(np.intp)
        rows = [
            start + np.arange(one.first, one.r.size, dtype=np.intp)
            for start, one in zip(starts, parts.values(), strict=False)
        ]
        return cls(parts, starts, np.concatenate(rows))

    @property
    def sizes(self) -> list[int]:
        """Points of each pair."""
        return [one.r.size for one in self.parts.values()]

    @property
    def difference(self) -> Array:
        """What the data are to change by ``(m,)``."""
        return np.concatenate([one.difference for one in self.parts.values()])[self.rows]

    @property
    def covariance(self) -> Array:
        """Noise of the data ``(m, m)``."""
        from scipy.linalg import block_diag

        whole = block_diag(*(one.covariance for one in self.parts.values()))
        return np.asarray(whole[np.ix_(self.rows, self.rows)], dtype=np.float64)

    @property
    def bases(self) -> list[Array]:
        """Smooth changes of all potentials; see `cginit.refine.regularisation.curvature_basis`."""
        from scipy.linalg import block_diag

        return [
            np.asarray(
                block_diag(*(curvature_basis(one.u, one.first, rough) for one in self.parts.values())),
                dtype=np.float64,
            )
            for rough in ROUGHNESS
        ]

    def energies(self, density: float) -> list[Datum]:
        """Return what is known of the change of each pair, as if all neighbours of a bead were such pairs.

        See `cginit.refine.updates.gauss_newton.energy_datum`.
        """
        found = []
        for start, one in zip(self.starts, self.parts.values(), strict=False):
            own = energy_datum(one, density)
            row = np.zeros(self.starts[-1])
            row[start : start + own.row.size] = own.row
            found.append(Datum(row, own.value, own.error))
        return found

    def pressure(self, iteration: MixtureIteration, target: MixtureTarget, wanted: float) -> Datum | None:
        """Return the pressure as a datum, with its sampled error; None where it was not measured.

        See `cginit.refine.thermodynamics.pressure_row`, of which each pair has its part.
        """
        if not np.isfinite(iteration.pressure):
            return None
        row = np.zeros(self.starts[-1])
        # The virial of the target g under the simulated potentials, as a difference to what was sampled.
        moved = iteration.pressure / target.kT
        for start, (pair, one) in zip(self.starts, self.parts.items(), strict=False):
            both = density_product(target, pair)
            row[start : start + one.r.size] = both * pressure_row(one.r, one.wanted, 1.0)
            moved += both * float(pressure_row(one.r, one.wanted - one.got, 1.0) @ one.u)
        error = max(iteration.pressure_error, 1e-3 * target.state.density * target.kT) / target.kT
        return Datum(row, wanted / target.kT - moved, error)

    def split(self, row: Array) -> dict[Pair, Array]:
        """Return the part of each pair of a whole row."""
        return dict(zip(self.parts, np.split(row, self.starts[1:-1]), strict=True))
