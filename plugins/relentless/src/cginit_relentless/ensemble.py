"""A target g(r) as relentless' ensemble."""

from __future__ import annotations

import relentless

from cginit import RDF, StatePoint
from cginit.state import common_units

__all__ = ["target_ensemble"]


def target_ensemble(
    target: RDF, state: StatePoint, beads: int = 1000, type: str = "A"
) -> relentless.model.Ensemble:
    """Return the ensemble of a target for relentless' ``RelativeEntropy``: `beads` at the density, kB = 1, g(r).

    Lengths and energies are those of the state, or of the target where the state names no units.
    """
    target, state = common_units(target, state)
    edge = (beads / state.density) ** (1.0 / 3.0)
    ensemble = relentless.model.Ensemble(T=state.kT, N={type: beads}, V=relentless.model.Cube(edge))
    whole = target.with_core()
    ensemble.rdf[type, type] = relentless.model.ensemble.RDF(whole.r, whole.g)
    return ensemble
