"""Ramps added after an update, which g(r) hardly shows: pressure and Kirkwood-Buff integral."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import InputError
from cginit.refine.measurement import Measurement, on_grid
from cginit.refine.thermodynamics import kirkwood_buff
from cginit.refine.updates.base import Update, apply_change
from cginit.state import StatePoint

__all__ = ["Corrected", "Correction", "KirkwoodBuffRamp", "PressureRamp"]

#: Largest ramp at r = 0 in one update, in kT.
MAX_RAMP = 0.1


class Correction(Protocol):
    """A change of the potential that comes on top of that of an update."""

    @property
    def pressure(self) -> float | None:
        """The pressure that it aims at, if it does."""
        ...

    def change(self, measured: Measurement, target: RDF, state: StatePoint) -> Array:
        """Return the change ``(n,)``."""
        ...


@dataclass(frozen=True)
class PressureRamp:
    r"""A linear ramp :math:`\Delta U = A (1 - r / r_c)` that brings the pressure to its target.

    ``wjk`` takes the amplitude that has the wanted effect at fixed g,

    .. math:: A = \frac{\Delta P}{\partial P / \partial A}
                = \frac{3 r_c\, \Delta P}{2 \pi \rho^2 \int_0^{r_c} g\, r^3 dr},
              \qquad \Delta P = P_{target} - P,

    at most 0.1 kT; ``simple`` takes 0.1 kT times the part min(1, |Delta P| / (rho kT)) of it, in the
    direction of Delta P.

    Source: H. Wang, C. Junghans and K. Kremer, Eur. Phys. J. E 28, 221 (2009),
    doi:10.1140/epje/i2008-10413-5.

    Parameters
    ----------
    pressure : float
        Target, in the units of the potential.
    kind : {"wjk", "simple"}
        How to find the amplitude.
    """

    pressure: float
    kind: Literal["wjk", "simple"] = "wjk"

    def change(self, measured: Measurement, target: RDF, state: StatePoint) -> Array:
        """Return the change ``(n,)``; zero where no pressure was measured or it agrees within its error."""
        p = measured.potential
        ramp = 1.0 - p.r / p.r_cut
        missing = self.pressure - measured.pressure
        if not np.isfinite(missing) or abs(missing) <= measured.pressure_error:
            return np.zeros(p.r.size)
        if self.kind == "simple":
            part = min(1.0, abs(missing) / (state.density * state.kT))
            return np.asarray(np.sign(missing) * MAX_RAMP * part * state.kT * ramp)
        g = on_grid(measured.rdf, p)
        slope = 2.0 * np.pi / 3.0 * state.density**2 / p.r_cut * float(np.trapezoid(g * p.r**3, p.r))
        limit = MAX_RAMP * state.kT
        return np.asarray(np.clip(missing / slope, -limit, limit) * ramp)


@dataclass(frozen=True)
class KirkwoodBuffRamp:
    r"""A linear ramp that brings the Kirkwood-Buff integral to that of the target.

    .. math:: \Delta U = kT\, \rho\, (G_n - G_{target}) (1 - r / r_c), \qquad
              G = 4 \pi \int (g - 1) r^2 dr,

    at most 0.1 kT, with G averaged over the outer third of the range that both curves share.

    Source: P. Ganguly, D. Mukherji, C. Junghans and N. F. A. van der Vegt, J. Chem. Theory Comput. 8, 1802 (2012),
    doi:10.1021/ct3000958.
    """

    pressure: None = None

    def change(self, measured: Measurement, target: RDF, state: StatePoint) -> Array:
        """Return the change ``(n,)``."""
        p = measured.potential
        reach = min(measured.rdf.r_max, target.r_max)
        start = 2.0 / 3.0 * reach
        got = kirkwood_buff(measured.rdf.truncated(reach), start)
        excess = state.density * (got - kirkwood_buff(target.truncated(reach), start))
        return np.asarray(np.clip(excess, -MAX_RAMP, MAX_RAMP) * state.kT * (1.0 - p.r / p.r_cut))


@dataclass(frozen=True)
class Corrected:
    """An update followed by corrections, each judged by the last simulation.

    Parameters
    ----------
    update : Update
        What comes first.
    corrections : tuple of Correction
        What is added.
    """

    update: Update
    corrections: tuple[Correction, ...]

    def __post_init__(self) -> None:
        if not self.corrections:
            raise InputError("Corrected needs at least one correction")

    @property
    def name(self) -> str:
        """That of the update."""
        return self.update.name

    @property
    def beyond_cutoff(self) -> bool:
        """As the update wants it, and in any case for a Kirkwood-Buff integral."""
        return self.update.beyond_cutoff or any(
            isinstance(item, KirkwoodBuffRamp) for item in self.corrections
        )

    @property
    def pressure(self) -> float | None:
        """The pressure aimed at, if there is one."""
        return next((item.pressure for item in self.corrections if item.pressure is not None), None)

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        potential = self.update(history, target, state)
        change = sum(
            (item.change(history[-1], target, state) for item in self.corrections), np.zeros(potential.r.size)
        )
        return apply_change(potential, change, target, state.kT)
