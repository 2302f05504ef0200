"""cginit's guess of the pair potential in relentless: spline knots, tabulated potentials, target ensemble."""

from __future__ import annotations

from cginit_relentless.ensemble import target_ensemble
from cginit_relentless.spline import pair_spline, spline_knots, tabulated

__all__ = ["pair_spline", "spline_knots", "tabulated", "target_ensemble"]
