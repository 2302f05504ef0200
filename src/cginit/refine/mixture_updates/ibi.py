"""Iterative Boltzmann inversion of each pair of a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cginit.curves import Array
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates.base import FreeRule, measurement_of
from cginit.refine.updates.ibi import IBI

__all__ = ["MixtureIBI"]


@dataclass(frozen=True)
class MixtureIBI(FreeRule):
    """Iterative Boltzmann inversion of each pair by its own g(r); see `cginit.refine.updates.IBI`.

    Parameters
    ----------
    damping : float
        Factor of each change, in (0, 1].
    """

    damping: float = 1.0
    name: str = field(default="ibi", init=False, repr=False)

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`."""
        last = history[-1]
        changes = {
            pair: IBI(self.damping).change(measurement_of(last, pair), curve, target.state)
            for pair, curve in target.rdfs.items()
        }
        return changes, self.name
