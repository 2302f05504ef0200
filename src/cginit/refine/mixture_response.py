"""Names of the response of a mixture as `cginit.refine` knew them; see `cginit.liquid.response`."""

from __future__ import annotations

from cginit.liquid.finite_size import infinite_system as infinite_mixture
from cginit.liquid.response import Liquid as MixtureFluid
from cginit.liquid.response import Response as MixtureResponse
from cginit.liquid.response import jacobian as mixture_jacobian
from cginit.liquid.response import measured_liquid as measured_mixture
from cginit.liquid.response import pair_indices

__all__ = [
    "MixtureFluid",
    "MixtureResponse",
    "infinite_mixture",
    "measured_mixture",
    "mixture_jacobian",
    "pair_indices",
]
