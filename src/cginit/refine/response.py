"""The response in arrays of one species, for the updates that know no other; see `cginit.liquid.response`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array
from cginit.liquid import response as liquid
from cginit.liquid.bridge import modified_verlet as bridge
from cginit.liquid.bridge import modified_verlet_slope as bridge_slope
from cginit.liquid.finite_size import infinite_system
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.response import fitted_factor, responding_factor

__all__ = [
    "Fluid",
    "Response",
    "bridge",
    "bridge_slope",
    "fitted_factor",
    "infinite_system",
    "jacobian",
    "measured_fluid",
    "responding_factor",
]


@dataclass(frozen=True, eq=False)
class Fluid:
    """A `cginit.liquid.response.Liquid` of one species; arrays ``(n,)`` and ``(m,)``."""

    whole: liquid.Liquid

    @property
    def r(self) -> Array:
        """Nodes of the measurement."""
        return self.whole.r

    @property
    def u(self) -> Array:
        """HNC potential in kT."""
        return np.asarray(self.whole.u[0])

    @property
    def grid(self) -> RadialGrid:
        """The long grid."""
        return self.whole.grid

    @property
    def g(self) -> Array:
        """Pair correlation on the long grid."""
        return np.asarray(self.whole.g[0])

    @property
    def gamma(self) -> Array:
        """Indirect correlation on the long grid."""
        return np.asarray(self.whole.gamma[0])

    @property
    def s_k(self) -> Array:
        """Structure factor."""
        return np.asarray(self.whole.s_k[:, 0, 0])

    @property
    def density(self) -> float:
        """Number density."""
        return float(self.whole.densities[0])

    def bridge_factor(self, u: Array) -> float:
        """Return the factor of the bridge function that explains this g with `u` ``(n,)`` in kT."""
        return fitted_factor(self.g, self.gamma, u)

    def response(self, factor: float = 0.0) -> Response:
        """Return the response around this fluid."""
        return Response(self.whole.response(np.array([factor])))


@dataclass(frozen=True, eq=False)
class Response:
    """A `cginit.liquid.response.Response` of one species."""

    whole: liquid.Response

    @property
    def g(self) -> Array:
        """Pair correlation on the long grid."""
        return np.asarray(self.whole.g[0])

    @property
    def gamma(self) -> Array:
        """Indirect correlation on the long grid."""
        return np.asarray(self.whole.gamma[0])

    def jacobian(self, size: int) -> Array:
        """Return minus the derivative ``(size, size)`` of g by the potential."""
        return self.whole.jacobian(size)

    def at(self, change: Array, core: Array) -> Response:
        """Return the fluid whose potential differs from the measured one by `change` ``(n,)``."""
        return Response(self.whole.at(change[None], core[None]))

    def solve(self, change: Array, core: Array) -> Response:
        """Return what `at` returns, by Newton's method from this fluid alone."""
        return Response(self.whole.solve(change[None], core[None]))


def measured_fluid(curve: RDF, density: float, beads: int | None = None) -> Fluid:
    """Invert a measured g(r); see `cginit.liquid.response.measured_liquid`."""
    counts = None if beads is None else {"A": beads}
    return Fluid(liquid.measured_liquid({("A", "A"): curve}, {"A": density}, counts))


def jacobian(r: Array, g: Array, k: Array, s_k: Array, size: int, slope: Array | float = 1.0) -> Array:
    """Return minus the derivative ``(size, size)`` of g by the potential; see `cginit.liquid.response.jacobian`."""
    slopes = np.broadcast_to(np.asarray(slope, dtype=np.float64), g.shape)[None]
    return liquid.jacobian(r, g[None], k, s_k[:, None, None], np.ones(1), size, slopes)
