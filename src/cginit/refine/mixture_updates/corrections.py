"""Ramps of all pairs after an update, which bring the pressure of a mixture to its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cginit.curves import Array
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.measurement import on_grid
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates.base import MixtureUpdate, density_product
from cginit.refine.updates.corrections import MAX_RAMP

__all__ = ["MixturePressureRamp"]


@dataclass(frozen=True)
class MixturePressureRamp:
    r"""An update followed by a ramp :math:`A (1 - r / r_{ab})` of every pair, which bring the pressure to its target.

    All ramps share an amplitude, so that together they have the wanted effect at fixed g,

    .. math:: A \sum_{ab} \frac{2 \pi \rho_a \rho_b}{3 r_{ab}} \int_0^{r_{ab}} g_{ab}\, r^3 dr = P_{target} - P,

    at most 0.1 kT (``wjk``); ``simple`` takes 0.1 kT times the part min(1, \|P_{target} - P\| / (rho kT)) of it.

    Source: of one species, H. Wang, C. Junghans and K. Kremer, Eur. Phys. J. E 28, 221 (2009),
    doi:10.1140/epje/i2008-10413-5.

    Parameters
    ----------
    update : MixtureUpdate
        What comes first.
    pressure : float
        Target, in the units of the potentials.
    kind : {"wjk", "simple"}
        How to find the amplitude.
    """

    update: MixtureUpdate
    pressure: float
    kind: Literal["wjk", "simple"] = "wjk"

    @property
    def name(self) -> str:
        """That of the update."""
        return self.update.name

    @property
    def held(self) -> frozenset[Pair]:
        """Those of the update, which get no ramp."""
        return self.update.held

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`."""
        last = history[-1]
        changes, rule = self.update(history, target)
        missing = self.pressure - last.pressure
        if not np.isfinite(missing) or abs(missing) <= last.pressure_error:
            return changes, rule
        limit = MAX_RAMP * target.kT
        if self.kind == "simple":
            part = min(1.0, abs(missing) / (target.state.density * target.kT))
            amplitude = float(np.sign(missing)) * limit * part
        else:
            amplitude = float(np.clip(missing / _slope(last, target, list(changes)), -limit, limit))
        ramps = {pair: 1.0 - last.potentials[pair].r / last.potentials[pair].r_cut for pair in changes}
        return {pair: change + amplitude * ramps[pair] for pair, change in changes.items()}, rule


def _slope(last: MixtureIteration, target: MixtureTarget, pairs: Sequence[Pair]) -> float:
    """Change of the pressure with the amplitude of the ramps at fixed g."""
    slope = 0.0
    for pair in pairs:
        p = last.potentials[pair]
        third = float(np.trapezoid(on_grid(last.rdfs[pair], p) * p.r**3, p.r))
        slope += density_product(target, pair) * third / p.r_cut
    return 2.0 * np.pi / 3.0 * slope
