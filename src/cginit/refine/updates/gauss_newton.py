"""Gauss-Newton with the response of the hypernetted-chain closure, regularised by the noise of g."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import ConvergenceError
from cginit.refine.convergence import SMOOTHING_BINS, combined_variance
from cginit.refine.measurement import Measurement
from cginit.refine.regularisation import ROUGHNESS, Rule, curvature_basis, fit_change
from cginit.refine.response import Fluid, Response, measured_fluid, responding_factor
from cginit.refine.secant import Known, secant
from cginit.refine.thermodynamics import pressure_row
from cginit.refine.updates.base import apply_change, check_damping, first_shown
from cginit.state import StatePoint

__all__ = ["Datum", "GaussNewton", "Problem", "energy_datum", "noise_covariance", "with_data"]

log = logging.getLogger(__name__)

#: Part of a difference that the closure may predict wrongly; it counts as noise, so that a large difference is
#: not fitted to the last digit by a wild potential.
MODEL_ERROR = 0.1
#: Solutions of the closure in one update, and the change in kT at which it counts as found.
MAX_SOLUTIONS, SETTLED = 5, 0.01
#: Largest change of a point in one update, in kT; the closure knows what follows from a change.
LIMIT = 5.0
#: Change of the energy a bead that is expected, in kT, and as part of the energy.
ENERGY_CHANGE, ENERGY_PART = 2.0, 0.2
#: Floor of the noise of g, relative to g: an exact g is not known better than its grid.
FLOOR = 1e-5


@dataclass(frozen=True, eq=False)
class Problem:
    """The difference to explain, on nodes that are multiples of (half) the step, up to the cut-off.

    Attributes
    ----------
    r : ndarray, shape (m,)
        Nodes, the last at the cut-off.
    u : ndarray, shape (m,)
        The simulated potential in kT.
    wanted, got : ndarray, shape (m,)
        Target and simulated g.
    covariance : ndarray, shape (m, m)
        Noise of their difference.
    first : int
        First node that shows the potential.
    """

    r: Array
    u: Array
    wanted: Array
    got: Array
    covariance: Array
    first: int

    @classmethod
    def of(cls, measured: Measurement, target: RDF, state: StatePoint, nodes: Array) -> Problem:
        """Put a measurement and its target on `nodes`, those up to the cut-off."""
        p, sampled, shown = measured.potential, measured.rdf.with_core(), target.with_core()
        r = nodes[nodes <= p.r_cut + 1e-6 * p.dr]
        wanted, got = np.interp(r, shown.r, shown.g), np.interp(r, sampled.r, sampled.g)
        n = int(np.searchsorted(p.r, p.r_cut - 0.5 * p.dr)) + 1
        variance = np.interp(r, p.r, combined_variance(sampled, shown, n))
        start = float(p.r[first_shown(p, target)])
        first = int(np.searchsorted(r, start - 0.5 * p.dr))
        covariance = noise_covariance(wanted, got, variance, measured.beads)
        return cls(r, np.interp(r, p.r, p.u) / state.kT, wanted, got, covariance, first)

    @property
    def difference(self) -> Array:
        """What g is to change by."""
        return self.wanted - self.got

    def known(self, before: Measurement, last: Measurement, kT: float) -> Known:
        """Return the change from the last simulation, which this is, back to one before, and its answer."""
        p, sampled, reference = last.potential, before.rdf.with_core(), last.rdf.with_core()
        change = np.interp(self.r, p.r, before.potential.u - p.u) / kT
        change[: self.first] = change[self.first]
        variance = np.interp(self.r, p.r, combined_variance(sampled, reference, p.r.size))
        shown = np.arange(self.r.size) >= self.first
        found = np.interp(self.r, sampled.r, sampled.g) - self.got
        return Known(change, found, variance, self.r**2 * self.wanted * shown)


@dataclass(frozen=True, eq=False)
class Datum:
    """One more thing that a change is to bring about.

    Attributes
    ----------
    row : ndarray, shape (n,)
        Its change with that of each point of the potential, in kT.
    value, error : float
        What it is to change by, and how well that is known.
    """

    row: Array
    value: float
    error: float


def energy_datum(problem: Problem, density: float) -> Datum:
    r"""Return what is known of a change before g is looked at: that the energy of the target changes by little.

    .. math:: 2 \pi \rho \int \Delta U\, g\, r^2 dr = 0 \pm \max(2\,kT, 0.2\,|E|)

    a bead, with the energy E of the target in the simulated potential. A dense liquid hides an attraction as wide as
    the potential: g hardly tells it from a softer core, and a smooth change would take the attraction, down to where
    the liquid tears. The guesses from which refinements of Lennard-Jones liquids start are off by 1 to 3 kT.
    """
    row = 2.0 * np.pi * density * problem.r**2 * problem.wanted * (problem.r[1] - problem.r[0])
    shown = problem.wanted > 0.0
    energy = float(row[shown] @ problem.u[shown])
    return Datum(row, 0.0, max(ENERGY_CHANGE, ENERGY_PART * abs(energy)))


def with_data(matrix: Array, data: Array, noise: Array, extra: Sequence[Datum]) -> tuple[Array, Array, Array]:
    """Return response ``(m, n)``, data ``(m,)`` and covariance ``(m, m)`` with more data of independent noise."""
    from scipy.linalg import block_diag

    return (
        np.vstack([matrix, *(one.row for one in extra)]),
        np.append(data, [one.value for one in extra]),
        np.asarray(block_diag(noise, *(np.array([[one.error**2]]) for one in extra)), dtype=np.float64),
    )


def noise_covariance(wanted: Array, got: Array, variance: Array, beads: int) -> Array:
    """Return the covariance ``(m, m)`` of the noise of a difference of two g.

    The statistical errors; a part of the difference itself, for what the closure does not know; and one common
    factor of 1/beads, by which two g in boxes of different size differ and which no potential mends.
    """
    squared = np.convolve((wanted - got) ** 2, np.ones(SMOOTHING_BINS) / SMOOTHING_BINS, "same")
    size = np.maximum(wanted, got)
    floor = (FLOOR * np.maximum(size, 1e-3)) ** 2
    return np.asarray(np.diag(variance + MODEL_ERROR**2 * squared + floor) + np.outer(size, size) / beads**2)


@dataclass(frozen=True)
class GaussNewton:
    r"""The smooth change that brings g to the target in the closure, as far as the noise tells (HNCGN).

    .. math:: \min_{\Delta U} \| g_{target} - g_n - (G(\Delta U) - G(0)) \|^2_{\Sigma^{-1}}
              + \| \Delta U'' / s \|^2 / \lambda^2

    over potentials that vanish at the cut-off, with the response G of the hypernetted-chain closure around the
    measured fluid (`cginit.refine.response`), the covariance :math:`\Sigma` of the noise, and the strength
    :math:`\lambda` that the noise chooses (`cginit.refine.regularisation`). G is not linearised unless the closure
    has no solution on the way, so that also a start far from the target is answered in one step. What it predicted
    wrongly of the simulation before is added to the response (`cginit.refine.secant`).

    Source: Delbary, Hanke and Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020), arXiv:1806.11135; Bernhardt,
    Hanke and van der Vegt, J. Chem. Phys. 154, 084118 (2021), doi:10.1063/5.0038633, whose method is linear in
    :math:`\Delta U` and not regularised.

    Parameters
    ----------
    damping : float
        Factor of the change, in (0, 1].
    rule : {"tikhonov", "truncated"}
        How to regularise.
    pressure : float, optional
        Pressure to reach with the target g, in the units of the potential; a datum with the
        statistical error of the sampled pressure.
    calibrated : bool
        Whether the bridge function responds (`cginit.refine.response.responding_factor`) or stays as it is.
    learning : bool
        Whether the response is corrected by what it predicted wrongly.
    """

    damping: float = 1.0
    rule: Rule = "tikhonov"
    pressure: float | None = None
    calibrated: bool = True
    learning: bool = True
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``gauss-newton``."""
        return "gauss-newton"

    def change(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> Array:
        """Return the change ``(n,)`` of the last potential, not yet limited.

        Raises
        ------
        ConvergenceError
            If the measured g(r) has no inversion.
        """
        measured = history[-1]
        fluid = measured_fluid(measured.rdf, state.density, measured.beads)
        problem = Problem.of(measured, target, state, fluid.r)
        bases = [curvature_basis(problem.u, problem.first, rough) for rough in ROUGHNESS]
        found = self._solve(fluid, problem, bases, history, state)
        p = measured.potential
        return self.damping * state.kT * np.interp(p.r, problem.r, found)

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `Update`."""
        change = self.change(history, target, state)
        return apply_change(history[-1].potential, change, target, state.kT, LIMIT)

    def _solve(
        self,
        fluid: Fluid,
        problem: Problem,
        bases: list[Array],
        history: Sequence[Measurement],
        state: StatePoint,
    ) -> Array:
        """Newton's method on the regularised difference; linear where the closure has no solution."""
        m = problem.r.size
        rows = slice(problem.first, m)
        extra = [energy_datum(problem, state.density), *self._pressure(problem, history[-1], state)]
        factor = 0.0
        if self.calibrated:
            factor = float(responding_factor(fluid.bridge_factor(problem.u), problem.difference))
        log.debug("factor of the bridge function %.2f", factor)
        base = model = fluid.response(factor)
        learned = self._learned(base, fluid, problem, history, state)
        found = np.zeros(m)
        for _ in range(MAX_SOLUTIONS):
            response = model.jacobian(m) - learned
            asked = problem.difference - (model.g - base.g)[:m] - (response + learned) @ found
            step = self._fit(response, asked, problem, bases, extra, rows) - found
            reached = self._advance(fluid, problem, found, step, model)
            if reached is None:
                return found + step
            found, model = reached
            if np.max(np.abs(step[rows])) < SETTLED:
                break
        return found

    def _learned(
        self,
        base: Response,
        fluid: Fluid,
        problem: Problem,
        history: Sequence[Measurement],
        state: StatePoint,
    ) -> Array:
        """Return the correction ``(m, m)`` of the response by what it predicts wrongly of a simulation before."""
        m = problem.r.size
        if not self.learning:
            return np.zeros((m, m))

        def simulations() -> Iterator[tuple[Known, Array]]:
            core = _core(fluid, problem)
            for before in reversed(history[:-1]):
                known = problem.known(before, history[-1], state.kT)
                with suppress(ConvergenceError):
                    yield known, (base.at(known.change, core).g - base.g)[:m]

        return secant(simulations(), base.jacobian(m))

    def _advance(
        self, fluid: Fluid, problem: Problem, found: Array, step: Array, model: Response
    ) -> tuple[Array, Response] | None:
        """Take the largest part of a step at which the closure has a solution."""
        core = _core(fluid, problem)
        for part in (1.0, 0.5, 0.25):
            trial = found + part * step
            try:
                return trial, model.at(trial, core)
            except ConvergenceError:
                continue
        return None

    def _fit(
        self,
        response: Array,
        asked: Array,
        problem: Problem,
        bases: list[Array],
        extra: list[Datum],
        rows: slice,
    ) -> Array:
        matrix, data, noise = with_data(-response[rows], asked[rows], problem.covariance[rows, rows], extra)
        fit = fit_change(matrix, data, noise, bases, self.rule)
        log.debug("%.1f effective parameters, misfit %.2f a point", fit.freedom, fit.misfit)
        return fit.change

    def _pressure(self, problem: Problem, measured: Measurement, state: StatePoint) -> list[Datum]:
        """Return the pressure as a datum, where one is wanted."""
        if self.pressure is None or not np.isfinite(measured.pressure):
            return []
        row = pressure_row(problem.r, problem.wanted, state.density)
        # The virial of the target g under the simulated potential, as a difference to what was sampled.
        moved = measured.pressure / state.kT + float(
            pressure_row(problem.r, problem.wanted - problem.got, state.density) @ problem.u
        )
        error = max(measured.pressure_error, 1e-3 * state.density * state.kT) / state.kT
        return [Datum(row, self.pressure / state.kT - moved, error)]


def _core(fluid: Fluid, problem: Problem) -> Array:
    """Energies in kT that stand where g = 0: the simulated potential, shifted to meet the reference."""
    m = problem.r.size
    seen = np.flatnonzero(fluid.g[:m] > 0.0)
    shift = float(fluid.u[seen[0]] - problem.u[seen[0]]) if seen.size else 0.0
    return problem.u + shift
