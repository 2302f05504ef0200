"""What one simulation says about its potential: all that an update may use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import InputError
from cginit.sampling import PairCounts

__all__ = ["Measurement", "is_homogeneous", "on_grid"]


@dataclass(frozen=True, eq=False)
class Measurement:
    """A simulated potential with the structure and pressure that it gave.

    Attributes
    ----------
    potential : PairPotential
        What was simulated.
    rdf : RDF
        Its g(r) with errors on the grid of the target, to the cut-off or beyond.
    beads : int
        Number of beads; g(r) of so many differs from that of infinitely many by some 1/beads.
    pressure, pressure_error : float
        Pressure and its standard error; NaN where unknown.
    counts : PairCounts or None
        Pairs of every configuration, where they were kept; from them come fluctuations and reweighting.
    healthy : bool
        Whether the run was that of a homogeneous fluid as far as can be seen.
    relaxed : int
        Steps that had to count as equilibration because g(r) still moved; see `cginit.refine.relaxation`.
    longer : float
        Steps of sampling in multiples of those of the schedule; see `cginit.refine.convergence.distance`.
    """

    potential: PairPotential
    rdf: RDF
    beads: int
    pressure: float = float("nan")
    pressure_error: float = float("nan")
    counts: PairCounts | None = None
    healthy: bool = True
    relaxed: int = 0
    longer: float = 1.0


def is_homogeneous(warnings: Iterable[str]) -> bool:
    """Whether a run with these warnings of `cginit.sampling.examine` was one homogeneous fluid.

    Examples
    --------
    >>> is_homogeneous(("not equilibrated: the energy drifts",)), is_homogeneous(("crystal: a Bragg peak",))
    (True, False)
    """
    return not any(text.startswith(("inhomogeneous", "crystal")) for text in warnings)


def on_grid(curve: RDF, potential: PairPotential) -> Array:
    """Return the values ``(n,)`` of a curve on the grid of the potential; InputError if it lies on another."""
    full = curve.with_core()
    n = potential.r.size
    if full.r.size < n or not np.allclose(full.r[:n], potential.r, atol=1e-6 * potential.dr):
        raise InputError(
            f"g(r) (step {full.dr:g}, from {full.r[0]:g} to {full.r_max:g}) does not lie on the grid of the "
            f"potential (step {potential.dr:g}, to {potential.r_cut:g})"
        )
    return full.g[:n]
