"""Updates by the hypernetted-chain closure as they were published: IHNC and HNC-Newton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.refine.measurement import Measurement
from cginit.refine.response import measured_fluid
from cginit.refine.updates.base import apply_change, check_damping, first_shown
from cginit.state import StatePoint

__all__ = ["HNCN", "IHNC"]

#: Singular values of the Jacobian below this part of the largest are noise.
SMALLEST = 1e-3


@dataclass(frozen=True)
class IHNC:
    r"""The difference of the HNC inversions of target and simulated g.

    .. math:: U_{n+1} = U_n + \alpha (U_{HNC}[g_{target}] - U_{HNC}[g_n]), \qquad
              U_{HNC}[g] = kT (-\ln g + h - c)

    Both g are inverted in the same way over the same range, so that what the inversion does wrong cancels; what it
    makes of the noise does not.

    Source: F. Delbary, M. Hanke and D. Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020), arXiv:1806.11135.

    Parameters
    ----------
    damping : float
        The factor alpha in (0, 1].
    """

    damping: float = 1.0
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``ihnc``."""
        return "ihnc"

    def change(self, measured: Measurement, target: RDF, state: StatePoint) -> Array:
        """Return the change ``(n,)`` of the potential, not yet limited.

        Raises
        ------
        ConvergenceError
            If one of the two g(r) has no inversion.
        """
        p = measured.potential
        reach = min(measured.rdf.r_max, target.r_max)
        wanted = measured_fluid(target.truncated(reach), state.density)
        got = measured_fluid(measured.rdf.truncated(reach), state.density, measured.beads)
        seen = np.isfinite(wanted.u) & np.isfinite(got.u)
        difference = np.interp(p.r, wanted.r[seen], wanted.u[seen] - got.u[seen])
        start = first_shown(p, target)
        difference[:start] = difference[start]
        return np.asarray(self.damping * state.kT * (difference - difference[-1]))

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        last = history[-1]
        return apply_change(last.potential, self.change(last, target, state), target, state.kT)


@dataclass(frozen=True)
class HNCN:
    r"""Newton's method with the HNC Jacobian between core and cut-off, :math:`J \Delta U = g_{target} - g_n`.

    Linear in the difference and regularised only by leaving out singular values below 1e-3 of the largest.

    Source: M. P. Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154, 084118 (2021),
    doi:10.1063/5.0038633.

    Parameters
    ----------
    damping : float
        Factor of the change, in (0, 1].
    """

    damping: float = 1.0
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``hncn``."""
        return "hncn"

    def change(self, measured: Measurement, target: RDF, state: StatePoint) -> Array:
        """Return the change ``(n,)`` of the potential, not yet limited.

        Raises
        ------
        ConvergenceError
            If the measured g(r) has no inversion.
        """
        p, sampled, shown = measured.potential, measured.rdf.with_core(), target.with_core()
        fluid = measured_fluid(measured.rdf, state.density, measured.beads)
        r = fluid.r[fluid.r <= p.r_cut + 1e-6 * p.dr]
        start = float(p.r[first_shown(p, target)]) - 0.5 * p.dr
        wanted, got = np.interp(r, shown.r, shown.g), np.interp(r, sampled.r, sampled.g)
        block = np.flatnonzero((r > start) & (got > 0.0))
        response = fluid.response().jacobian(r.size)[np.ix_(block, block)]
        # Divided by g each row is of order 1, in the core as well.
        scale = 1.0 / got[block]
        found, *_ = np.linalg.lstsq(scale[:, None] * response, -scale * (wanted - got)[block], rcond=SMALLEST)
        return np.asarray(self.damping * state.kT * np.interp(p.r, r[block], found - found[-1]))

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        last = history[-1]
        return apply_change(last.potential, self.change(last, target, state), target, state.kT)
