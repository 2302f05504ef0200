"""The cut-off of one pair of a system, where the guess makes all of them."""

from __future__ import annotations

from cginit.errors import InputError
from cginit.guess import default_cutoff
from cginit.interactions import Interaction, Interactions
from cginit.target import Target

__all__ = ["pair_cutoff"]


def pair_cutoff(target: Target, pair: Interaction, wanted: float | Interactions[float] | None) -> float:
    """Return the cut-off of a pair, in the length unit of the target.

    Parameters
    ----------
    target : Target
        With a g(r) of the pair.
    pair : Interaction
    wanted : float, Interactions of float, or None
        That of all pairs, or of each; None for that of a single species with this g(r).

    Raises
    ------
    InputError
        If it lies beyond g(r).
    """
    curve = target.rdfs[pair]
    cutoff = wanted[pair] if isinstance(wanted, Interactions) else wanted
    if cutoff is None:
        return default_cutoff(curve, target.state)
    # A cut-off that was printed may be off by a rounding error.
    if cutoff > curve.r_max * (1.0 + 1e-9):
        raise InputError(
            f"the cut-off {cutoff:g} lies beyond g(r) of {pair}, which ends at {curve.r_max:g} {curve.units.length}; "
            "sample g further or choose a smaller cut-off"
        )
    return cutoff
