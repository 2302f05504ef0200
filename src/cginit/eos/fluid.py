"""One fluid at one state in its natural unit, the mean spacing of its beads, and what its theory gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import ConvergenceError, InputError
from cginit.extrapolate import resampled
from cginit.grids import gauss_legendre
from cginit.liquid.forward import ForwardSolution, continued, solve
from cginit.liquid.hard_sphere import barker_henderson
from cginit.liquid.virial import check_depth, second_virial, third_virial, virial_pressure
from cginit.state import StatePoint

__all__ = ["DENSITIES", "Fluid", "fluid_at"]

#: Largest step of the integral equation, in units of rho^(-1/3), least number of steps up to the cut-off (a core is
#: small against the spacing of a gas), and how many steps of the fine grid each holds.
STEP, INTERVALS, FINER = 0.02, 200, 4
#: Densities of the compressibility route. Ten more change it by less than 3e-5 of itself, for water, Lennard-Jones
#: fluids up to the density of a triple point, WCA up to freezing, DPD, Gaussian cores and r^-4; by 1e-4 near the
#: gas-liquid region, where it is small.
DENSITIES = 6
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
    def _isotherm(self) -> tuple[ForwardSolution, ...] | ConvergenceError:
        """The solutions at the densities of the compressibility route, in rising order."""
        found: list[ForwardSolution] = []
        try:
            for density in gauss_legendre(DENSITIES)[0].tolist():
                start = continued(found, [x.density for x in found], density)
                found.append(solve(self.r, self.u, density, start=start))
        except ConvergenceError as error:
            return error
        return tuple(found)

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
        if isinstance(self._isotherm, ConvergenceError):
            raise self._isotherm
        return float(gauss_legendre(DENSITIES)[1] @ np.array([1.0 / x.s_0 for x in self._isotherm]))

    @cached_property
    def _charging(self) -> tuple[Array, ConvergenceError | None]:
        """Energy a bead of the attraction at two densities and rising strengths ``(2, k)``, up to where HNC ends."""
        strengths = gauss_legendre(STRENGTHS)[0].tolist()
        pull, fine_pull = np.minimum(self.u, 0.0), np.minimum(self.fine_u, 0.0)
        energies: list[list[float]] = [[], []]
        failure = None
        # The densest state of the isotherm has nearly the first density, and no attraction.
        first = (
            None if isinstance(self.reference._isotherm, ConvergenceError) else self.reference._isotherm[-1]
        )
        for row, density in zip(energies, (1.0 - VARIED, 1.0 + VARIED), strict=True):
            found: list[ForwardSolution] = []
            for strength in strengths:
                start = continued(found, strengths, strength) if found else first
                try:
                    found.append(solve(self.r, self.reference.u + strength * pull, density, start=start))
                except ConvergenceError as error:
                    failure = error
                    break
                y = np.interp(self.fine_r, found[-1].r, found[-1].y)
                g = y * np.exp(-self.reference.fine_u - strength * fine_pull)
                integral = float(np.trapezoid(fine_pull * g * self.fine_r**2, self.fine_r))
                row.append(2.0 * np.pi * density * integral)
            first = found[0] if found else None
        known = min(map(len, energies))
        return np.array([row[:known] for row in energies]), failure

    @cached_property
    def _attraction(self) -> float | ConvergenceError:
        if not np.any(self.fine_u < 0.0):
            return 0.0
        energies, failure = self._charging
        if failure is not None:
            return failure
        return self._attraction_of(energies)

    def _attraction_of(self, energies: Array) -> float:
        """Return Z_a from the energies at the first strengths; beyond them that of the last counts."""
        weights = gauss_legendre(STRENGTHS)[1]
        known = energies.shape[1]
        totals = energies @ weights[:known] + energies[:, -1] * np.sum(weights[known:])
        return float(totals[1] - totals[0]) / (2.0 * VARIED)

    @property
    def z_perturbed_attraction(self) -> float:
        """What the attraction adds to Z with the structure that it still has where HNC ends.

        That of `z_attraction` as far as the strength of the attraction has a solution, and its last energy beyond;
        where it has none at all, the mean field of beads that only the repulsion keeps apart, :math:`e^{-U_r}`.
        """
        if not np.any(self.fine_u < 0.0):
            return 0.0
        energies, _ = self._charging
        if energies.shape[1]:
            return self._attraction_of(energies)
        pull = np.minimum(self.fine_u, 0.0) * np.exp(-self.reference.fine_u)
        return 2.0 * np.pi * float(np.trapezoid(pull * self.fine_r**2, self.fine_r))

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
        If the units cannot be converted, the potential is no gas's, or g(r) ends before the cut-off.
    """
    state = state.to(potential.units)
    spacing = state.density ** (-1.0 / 3.0)
    reduced = potential.reduced(spacing, state.kT)
    intervals = max(int(np.ceil(reduced.r_cut / STEP)), INTERVALS)
    coarse, fine = (
        resampled(reduced, np.linspace(0.0, reduced.r_cut, n + 1), kT=1.0)
        for n in (intervals, FINER * intervals)
    )
    # Between rows, too: a curve through one that sticks out swings below its neighbours.
    for curve in (coarse, fine):
        check_depth(curve.u)
    given = None if rdf is None else rdf.to(potential.units)
    if given is not None and given.r_max < potential.r_cut - 0.5 * given.dr:
        raise InputError(
            f"g(r) ends at {given.r_max:g} {given.units.length}, before the cut-off {potential.r_cut:g} of the "
            "potential; sample it further"
        )
    return Fluid(coarse.r, coarse.u, fine.r, fine.u, None if given is None else given.reduced(spacing))
