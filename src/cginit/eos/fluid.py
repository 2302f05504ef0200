"""One fluid at one state in its natural unit, the mean spacing of its beads, and what its theory gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import ConvergenceError, InputError
from cginit.extrapolate import resampled
from cginit.liquid.forward import ForwardSolution, solve
from cginit.liquid.hard_sphere import barker_henderson
from cginit.liquid.quadrature import gauss_legendre
from cginit.liquid.virial import second_virial, third_virial, virial_pressure
from cginit.state import StatePoint

__all__ = ["DENSITIES", "Fluid", "fluid_at"]

#: Largest step of the integral equation, in units of rho^(-1/3), least number of steps up to the cut-off (a core is
#: small against the spacing of a gas), and how many steps of the fine grid each holds.
STEP, INTERVALS, FINER = 0.02, 200, 4
#: Densities of the compressibility route. Six more change it by less than 1e-4 up to the density of a triple point.
DENSITIES = 8
#: Part of the density by which it is varied for derivatives.
VARIED = 0.02
#: Strengths of the attraction of the energy route.
STRENGTHS = 4
#: A core is hard if U falls from 5 kT to 0.2 kT within this part of its diameter: 0.17 for WCA at kT = epsilon.
STEEP, FROM, TO = 0.3, 5.0, 0.2


@dataclass(frozen=True, eq=False)
class Fluid:
    r"""A fluid with :math:`\rho = kT = 1`: lengths in :math:`\rho^{-1/3}`, energies in kT.

    Two fluids that differ by a change of the length unit are the same object here. Everything is computed when it
    is first asked for, and kept.

    Attributes
    ----------
    r, u : ndarray, shape (n,)
        Uniform distances from 0 to the cut-off, and the potential.
    fine_r, fine_u : ndarray, shape (k,)
        The same on a finer grid.
    rdf : RDF or None
        A g(r) that belongs to the potential, in the same unit of length.
    """

    r: Array
    u: Array
    fine_r: Array
    fine_u: Array
    rdf: RDF | None = None

    @cached_property
    def b2(self) -> float:
        """Second virial coefficient times the density."""
        return second_virial(self.fine_r, self.fine_u)

    @cached_property
    def b3(self) -> float:
        """Third virial coefficient times the squared density."""
        return third_virial(self.fine_r, self.fine_u)

    @cached_property
    def diameter(self) -> float:
        """Barker-Henderson diameter of a hard core; 0 for particles that overlap and for soft repulsion."""
        diameter = barker_henderson(self.fine_r, self.fine_u)
        ends = [float(self.fine_r[int(np.argmax(self.fine_u < level))]) for level in (FROM, TO)]
        return diameter if ends[1] - ends[0] <= STEEP * diameter else 0.0

    @cached_property
    def reference(self) -> Fluid:
        """The fluid without attraction, of max(U, 0)."""
        return Fluid(self.r, np.maximum(self.u, 0.0), self.fine_r, np.maximum(self.fine_u, 0.0))

    @cached_property
    def _solved(self) -> ForwardSolution | ConvergenceError:
        # A failure is kept as well: it takes longer to find than a solution, and several routes ask.
        try:
            return solve(self.r, self.u, 1.0)
        except ConvergenceError as error:
            return error

    @cached_property
    def _inverse_s_0(self) -> Array | ConvergenceError:
        """1 / S(0) at the densities of the compressibility route, in rising order."""
        found: list[ForwardSolution] = []
        try:
            for x in gauss_legendre(DENSITIES)[0]:
                start = found[-1] if found else None
                found.append(solve(self.r, self.u, 0.5 * (1.0 + float(x)), start=start))
        except ConvergenceError as error:
            return error
        return np.array([1.0 / x.s_0 for x in found])

    @property
    def hnc(self) -> ForwardSolution:
        """Hypernetted-chain solution; ConvergenceError where there is none."""
        if isinstance(self._solved, ConvergenceError):
            raise self._solved
        return self._solved

    @cached_property
    def z_virial(self) -> float:
        """Compressibility factor P / (rho kT) by the virial route of HNC."""
        return self.virial_of(self.hnc)

    @cached_property
    def z_compressibility(self) -> float:
        """Compressibility factor by the compressibility route of HNC; ConvergenceError behind a gap of solutions."""
        if isinstance(self._inverse_s_0, ConvergenceError):
            raise self._inverse_s_0
        weights = gauss_legendre(DENSITIES)[1]
        return float(0.5 * weights @ self._inverse_s_0)

    @cached_property
    def _attraction(self) -> float | ConvergenceError:
        points, weights = gauss_legendre(STRENGTHS)
        pull, fine_pull = np.minimum(self.u, 0.0), np.minimum(self.fine_u, 0.0)
        if not np.any(fine_pull < 0.0):
            return 0.0
        energies = []
        for density in (1.0 - VARIED, 1.0 + VARIED):
            total, start = 0.0, None
            for strength, weight in zip(0.5 * (1.0 + points), 0.5 * weights, strict=True):
                try:
                    start = solve(self.r, self.reference.u + strength * pull, density, start=start)
                except ConvergenceError as error:
                    return error
                y = np.interp(self.fine_r, start.r, start.y)
                g = y * np.exp(-self.reference.fine_u - strength * fine_pull)
                total += float(weight) * float(np.trapezoid(fine_pull * g * self.fine_r**2, self.fine_r))
            energies.append(2.0 * np.pi * density * total)
        return (energies[1] - energies[0]) / (2.0 * VARIED)

    @property
    def z_attraction(self) -> float:
        r"""What the attraction adds to Z, by the energy route of HNC; ConvergenceError where there is no solution.

        .. math:: Z_a = \rho \frac{d}{d\rho} \left[ 2\pi\rho \int_0^1 d\lambda
                  \int \min(U, 0)\, g_\lambda(r)\, r^2 dr \right]

        with g of max(U, 0) + lambda min(U, 0). The way at constant density does not cross the gas-liquid region.
        """
        if isinstance(self._attraction, ConvergenceError):
            raise self._attraction
        return self._attraction

    @property
    def z_energy(self) -> float:
        """Z by the compressibility route of the fluid without attraction, and `z_attraction`."""
        return self.reference.z_compressibility + self.z_attraction

    @cached_property
    def virial_slope(self) -> float:
        """Derivative of beta P with respect to rho, by the virial route of HNC."""
        low = solve(self.r, self.u, 1.0 - VARIED, start=self.hnc)
        return (self.z_virial - (1.0 - VARIED) * self.virial_of(low)) / VARIED

    def virial_of(self, solution: ForwardSolution) -> float:
        """Return the compressibility factor of a solution of this potential at any density."""
        y = np.interp(self.fine_r, solution.r, solution.y)
        g = np.interp(self.fine_r, solution.r, solution.g)
        density = solution.density
        return virial_pressure(self.fine_r, self.fine_u, g, density, y=y) / density


def fluid_at(potential: PairPotential, state: StatePoint, rdf: RDF | None = None) -> Fluid:
    """Return the fluid of a potential at a state.

    Raises
    ------
    InputError
        If the units cannot be converted, or g(r) ends before the cut-off.
    """
    state = state.to(potential.units)
    spacing = state.density ** (-1.0 / 3.0)
    reduced = potential.reduced(spacing, state.kT)
    intervals = max(int(np.ceil(reduced.r_cut / STEP)), INTERVALS)
    coarse, fine = (
        resampled(reduced, np.linspace(0.0, reduced.r_cut, n + 1), kT=1.0)
        for n in (intervals, FINER * intervals)
    )
    given = None if rdf is None else rdf.to(potential.units)
    if given is not None and given.r_max < potential.r_cut - 0.5 * given.dr:
        raise InputError(
            f"g(r) ends at {given.r_max:g} {given.units.length}, before the cut-off {potential.r_cut:g} of the "
            "potential; sample it further"
        )
    return Fluid(coarse.r, coarse.u, fine.r, fine.u, None if given is None else given.reduced(spacing))
