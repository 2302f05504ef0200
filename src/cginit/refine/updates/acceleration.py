"""Anderson acceleration of any update: the step that several simulations together suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.refine.measurement import Measurement
from cginit.refine.updates.base import Update, apply_change
from cginit.refine.updates.ibi import IBI
from cginit.state import StatePoint

__all__ = ["Anderson"]

#: Regularisation of the mixing, relative to the squared size of the residuals.
RIDGE = 1e-3


@dataclass(frozen=True)
class Anderson:
    r"""Mix the last simulations so that their residuals cancel as far as they can.

    With :math:`f_k = \mathrm{update}(U_k) - U_k`,

    .. math:: U_{n+1} = \sum_k \alpha_k (U_k + f_k), \qquad
              \alpha = \arg\min \Big\| \sqrt{g_{target}} \sum_k \alpha_k f_k \Big\|^2, \; \sum_k \alpha_k = 1.

    A single past simulation gives momentum along the last step.

    Source: D. G. Anderson, J. ACM 12, 547 (1965), doi:10.1145/321296.321305.

    Parameters
    ----------
    update : Update
        The update that is accelerated.
    depth : int
        How many past simulations take part.
    """

    update: Update = field(default_factory=IBI)
    depth: int = 4

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise InputError(f"depth must be at least 1, not {self.depth}")

    @property
    def name(self) -> str:
        """That of the update, with ``anderson-`` before it."""
        return f"anderson-{self.update.name}"

    @property
    def beyond_cutoff(self) -> bool:
        """As the update wants it."""
        return self.update.beyond_cutoff

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        used = history[-self.depth - 1 :]
        proposals = [self.update([item], target, state) for item in used]
        potentials = np.array([item.potential.u for item in used])
        residuals = np.array([new.u for new in proposals]) - potentials
        if len(used) == 1:
            return proposals[-1]
        p = used[-1].potential
        # What g does not show must not decide.
        weight = np.sqrt(np.interp(p.r, target.with_core().r, target.with_core().g))
        steps = (residuals[1:] - residuals[:-1]) * weight
        normal = steps @ steps.T
        normal += RIDGE * np.trace(normal) / normal.shape[0] * np.eye(normal.shape[0])
        mixing = np.linalg.solve(normal, steps @ (residuals[-1] * weight))
        moved = potentials[1:] - potentials[:-1] + residuals[1:] - residuals[:-1]
        change = residuals[-1] - mixing @ moved
        return apply_change(p, change, target, state.kT)
