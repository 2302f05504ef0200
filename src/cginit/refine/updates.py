"""Update rules: the next potential from the present one and the g(r) that it gave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from cginit.curves import RDF, Array, PairPotential, force
from cginit.errors import InputError
from cginit.extrapolate import extend_core, first_visible
from cginit.refine.convergence import SMOOTHING_BINS, combined_variance
from cginit.state import StatePoint

__all__ = ["IBI", "UPDATES", "Update", "apply_change"]

#: No point of the potential moves further than this in one update, in kT: a bin that saw no pair has an
#: infinite logarithm, which says only that the change has to go one way.
MAX_CHANGE = 2.0


@runtime_checkable
class Update(Protocol):
    """A rule that proposes the next potential.

    All arguments share one unit system; `rdf` and `target` share their grid up to the cut-off. The result has
    the grid and cut-off of `potential`, U(r_cut) = 0 and a repulsive core. An update is a pure function of its
    arguments, so that a loop can be resumed.
    """

    @property
    def name(self) -> str:
        """The name by which users choose the rule."""
        ...

    def __call__(self, potential: PairPotential, target: RDF, rdf: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential."""
        ...


@dataclass(frozen=True)
class IBI:
    r"""Iterative Boltzmann inversion, :math:`U_{n+1} = U_n + \alpha w\, kT \ln (g_n / g_{target})`.

    A plain update (w = 1) writes the noise of one simulation into the potential of the next, so that the
    difference to the target never falls below twice the noise. Here each point's change is multiplied by the part of
    its difference that is not noise,

    .. math:: w = \max(0, 1 - 1 / \langle z^2 \rangle),

    with z the difference in units of its standard error and the mean over nine neighbouring points: 1 far
    from the target, 0 at the noise.

    Source: Reith, Putz and Mueller-Plathe, J. Comput. Chem. 24, 1624 (2003), doi:10.1002/jcc.10307.

    Parameters
    ----------
    damping : float
        The factor alpha in (0, 1]; smaller ones are slower and safer.
    plain : bool
        Whether to leave out the factor w, as other programs do.
    """

    damping: float = 1.0
    plain: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.damping <= 1.0:
            raise InputError(f"damping must lie in (0, 1], not {self.damping}")

    @property
    def name(self) -> str:
        """``ibi``."""
        return "ibi"

    def __call__(self, potential: PairPotential, target: RDF, rdf: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        wanted, got = _on_grid(target, potential), _on_grid(rdf, potential)
        change = np.zeros(potential.r.size)
        seen = wanted > 0.0
        tiny = np.exp(-MAX_CHANGE / self.damping)
        ratio = np.maximum(got[seen] / wanted[seen], tiny)
        change[seen] = self.damping * state.kT * np.log(ratio)
        if not self.plain:
            change *= _signal(rdf, target, potential.r.size)
        return apply_change(potential, change, target, state.kT)


#: The update rules by name.
UPDATES: dict[str, type[IBI]] = {"ibi": IBI}


def apply_change(potential: PairPotential, change: Array, target: RDF, kT: float) -> PairPotential:
    """Return the potential changed by `change` ``(n,)``, with core and cut-off put right.

    The change is limited to 2 kT a point; below the first visible point of the target the core is
    extrapolated anew; the result is shifted to U(r_cut) = 0.
    """
    shown = target.with_core()
    start = float(shown.r[first_visible(shown)])
    first = int(np.searchsorted(potential.r, start - 0.5 * potential.dr))
    u = potential.u + np.clip(change, -MAX_CHANGE * kT, MAX_CHANGE * kT)
    u = extend_core(potential.r, u - u[-1], first, kT)
    return replace(potential, u=u, f=force(potential.r, u), u_error=None, r_core=start)


def _signal(rdf: RDF, target: RDF, n: int) -> Array:
    """Return the part ``(n,)`` of the squared difference that is not noise; 1 where no error is known."""
    rdf, target = rdf.with_core(), target.with_core()
    variance = combined_variance(rdf, target, n)
    known = variance > 0.0
    squared = np.divide((rdf.g[:n] - target.g[:n]) ** 2, variance, out=np.zeros(n), where=known)
    window = np.ones(SMOOTHING_BINS)
    count = np.convolve(known, window, "same")
    mean = np.divide(np.convolve(squared, window, "same"), count, out=np.full(n, np.inf), where=count > 0)
    return np.asarray(np.maximum(0.0, 1.0 - 1.0 / np.maximum(mean, 1e-12)), dtype=np.float64)


def _on_grid(curve: RDF, potential: PairPotential) -> Array:
    full = curve.with_core()
    n = potential.r.size
    if full.r.size < n or not np.allclose(full.r[:n], potential.r, atol=1e-6 * potential.dr):
        raise InputError(
            f"g(r) (step {full.dr:g}, from {full.r[0]:g} to {full.r_max:g}) does not lie on the grid of the "
            f"potential (step {potential.dr:g}, to {potential.r_cut:g})"
        )
    return full.g[:n]
