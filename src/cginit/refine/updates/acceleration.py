"""Anderson acceleration of any update: the step that several simulations together suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.refine.history import History, Step
from cginit.refine.updates.base import MAX_CHANGE, Update
from cginit.refine.updates.ibi import IBI

__all__ = ["Anderson"]

#: Regularisation of the mixing, relative to the squared size of the residuals.
RIDGE = 1e-3


@dataclass(frozen=True)
class Anderson:
    r"""Mix the last simulations so that their residuals cancel as far as they can.

    With :math:`f_k = \mathrm{update}(U_k) - U_k`, all interactions in one vector,

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

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`."""
        used = range(max(0, len(history) - self.depth - 1), len(history))
        steps = [self.update(replace(history, rounds=(history.rounds[k],))) for k in used]
        names = tuple(steps[-1].changes)
        residuals = np.array([_row(step.changes, names) for step in steps])
        potentials = np.array(
            [_row({name: p.u for name, p in history.potentials(k).items()}, names) for k in used]
        )
        change = residuals[-1]
        if len(steps) > 1:
            # What g does not show must not decide.
            weight = np.sqrt(_row(_shown(history, names), names))
            moved = (residuals[1:] - residuals[:-1]) * weight
            normal = moved @ moved.T
            normal += RIDGE * np.trace(normal) / normal.shape[0] * np.eye(normal.shape[0])
            mixing = np.linalg.solve(normal, moved @ (residuals[-1] * weight))
            change = change - mixing @ (potentials[1:] - potentials[:-1] + residuals[1:] - residuals[:-1])
        sizes = [steps[-1].changes[name].size for name in names]
        parts = np.split(change, np.cumsum(sizes)[:-1])
        step = Step.from_last(history, dict(zip(names, parts, strict=True)), self.name)
        return step.clipped(MAX_CHANGE * history.coldest)


def _row(curves: Mapping[Interaction, Array], names: tuple[Interaction, ...]) -> Array:
    return np.concatenate([curves[name] for name in names])


def _shown(history: History, names: tuple[Interaction, ...]) -> dict[Interaction, Array]:
    """Return g of the target of each pair on the grid of its potential, of the first state that has it."""
    found = {}
    for name in names:
        curve = next(one.rdfs[name] for one in history.targets if name in one.rdfs)
        found[name] = np.interp(history.pairs()[name].r, curve.r, curve.g)
    return found
