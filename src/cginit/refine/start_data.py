"""What the start of a refinement says of its potentials, as data beside the differences of g(r)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.refine.difference import Layout, StateDifference, most_seen
from cginit.refine.history import History
from cginit.refine.priors import start_covariance
from cginit.refine.regularisation import fit_change

__all__ = ["StartData"]

#: Factors of the stated errors of a start that are tried. They are calibrated (`cginit.learn.subjects.bridge_bands`),
#: and 1 is most probable for water, which is unlike the fluids of the calibration all the same: with it two of five
#: seeds took a third simulation (``benchmarks/RESULTS.md``). The larger ones are for a start that is too sure of
#: itself, which would keep a liquid from its target.
FACTORS = (2.0, 6.0, 20.0)


@dataclass(frozen=True, eq=False)
class StartData:
    """What the starts of networks say of the unknowns, as data beside g.

    Their stated errors were calibrated on liquids of known potential. Others, such as the noise of g that Boltzmann
    inversion passes on, or a column of a table, say nothing of how far off a start is. A change is to lead back to
    the start, as far as it is sure of itself: what no difference of g determines stays as it was there, and
    refinements with different seeds agree in it.

    Attributes
    ----------
    places : ndarray, shape (m,)
        Unknowns that it speaks of.
    values : ndarray, shape (m,)
        Their changes that lead back to the start, in kT.
    covariance : ndarray, shape (m, m)
        Of the errors of the start, times the square of `factor`.
    factor : float
        By how much larger these are than stated.
    """

    places: NDArray[np.intp]
    values: Array
    covariance: Array
    factor: float = 1.0

    @classmethod
    def of(cls, states: Sequence[StateDifference], layout: Layout, history: History) -> StartData:
        """Return the data of all refined pairs; without any where no network made a start."""
        from scipy.linalg import block_diag

        starts, last, shown = history.pairs(0), history.pairs(), most_seen(states)
        places, values, blocks = [np.zeros(0, dtype=np.intp)], [np.zeros(0)], []
        for name, nodes in layout.nodes.items():
            start, first = starts[name], shown[name][0].first
            if start.u_error is None or start.provenance is None or start.provenance.model is None:
                continue
            error = np.interp(nodes, start.r, start.u_error) / history.kT
            places.append(layout.columns(name)[first:])
            values.append(np.interp(nodes[first:], start.r, start.u - last[name].u) / history.kT)
            blocks.append(start_covariance(nodes, error, first)[first:, first:])
        covariance = np.asarray(block_diag(*blocks)) if blocks else np.zeros((0, 0))
        return cls(np.concatenate(places), np.concatenate(values), covariance)

    def __len__(self) -> int:
        return int(self.places.size)

    def scaled(self, factor: float) -> StartData:
        """Return the data with errors that are larger by a factor."""
        return replace(self, covariance=factor**2 * self.covariance, factor=factor * self.factor)

    def beside(self, matrix: Array, data: Array, noise: Array) -> tuple[Array, Array, Array]:
        """Return response ``(m, n)``, data ``(m,)`` and covariance ``(m, m)`` of other data with these."""
        from scipy.linalg import block_diag

        rows = np.zeros((len(self), matrix.shape[1]))
        rows[np.arange(len(self)), self.places] = 1.0
        return (
            np.vstack([matrix, rows]),
            np.append(data, self.values),
            np.asarray(block_diag(noise, self.covariance), dtype=np.float64),
        )

    def believed(self, system: tuple[Array, Array, Array], basis: Array) -> StartData:
        """Return the data with the factor at which they and a difference of g are most probable together."""
        if not len(self):
            return self

        def cost(factor: float) -> float:
            return fit_change(*self.scaled(factor).beside(*system), [basis]).cost

        return self.scaled(min(FACTORS, key=cost))
