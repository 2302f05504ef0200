"""Boltzmann inversion as a guess: the potential of mean force."""

from __future__ import annotations

from dataclasses import dataclass

from cginit.curves import RDF, PairPotential
from cginit.guess.assembly import potential_from, visible_target
from cginit.guess.closure_error import closure_error
from cginit.liquid.boltzmann import boltzmann_inversion
from cginit.state import StatePoint

__all__ = ["Boltzmann"]


@dataclass(frozen=True)
class Boltzmann:
    r"""The guess :math:`U(r) = -kT \ln g(r)`, exact at low density.

    `u_error` is the standard error of g propagated, kT times error / g, and what the inversion leaves out at this
    density (`cginit.guess.closure_error`).

    Parameters
    ----------
    bin_average : bool
        Whether g holds averages over bins of its step, as histograms give them; False for point values.

    References
    ----------
    D. Reith, M. Pütz and F. Müller-Plathe, J. Comput. Chem. 24, 1624 (2003), doi:10.1002/jcc.10307.

    Examples
    --------
    >>> import numpy as np
    >>> r = np.linspace(0.0, 3.0, 151)
    >>> target = RDF(r, np.exp(-2 * np.exp(-(r**2))), units="lj")
    >>> potential = Boltzmann(bin_average=False)(target, StatePoint(0.01, 1.0), r_cut=3.0)
    >>> round(float(potential.u[50]), 2)
    0.74
    """

    bin_average: bool = True

    @property
    def name(self) -> str:
        """Name of the method."""
        return "boltzmann"

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
        """Propose the pair potential; InputError if g shows nothing or ends before `r_cut`."""
        visible = visible_target(target, bin_average=self.bin_average)
        u_error = state.kT * closure_error(visible, state.density, r_cut, self.name)
        u = boltzmann_inversion(visible.target.r, visible.target.g, state.kT)
        return potential_from(visible, u, state, r_cut, self.name, u_error=u_error)
