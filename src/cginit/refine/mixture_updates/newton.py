"""Newton and Gauss-Newton with the response of the matrix Ornstein-Zernike equation, all pairs at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.mixture_response import MixtureFluid, MixtureResponse, measured_mixture
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates.base import FreeRule, MixtureProblem
from cginit.refine.regularisation import fit_change
from cginit.refine.response import responding_factor
from cginit.refine.updates.gauss_newton import MAX_SOLUTIONS, SETTLED, Datum, with_data
from cginit.refine.updates.integral_equation import SMALLEST

__all__ = ["MixtureGaussNewton", "MixtureHNCN", "linear_response", "measured_problem"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MixtureGaussNewton(FreeRule):
    r"""The smooth changes of all potentials that bring all g to their targets in the closure, as far as noise tells.

    What `cginit.refine.updates.GaussNewton` is for one species: the response of every g to every potential is that of
    the matrix Ornstein-Zernike equation with a closure calibrated on the last simulation
    (`cginit.refine.mixture_response`), it is not linearised where the closure has a solution, and one strength
    of the regularisation, chosen by the noise, holds for all pairs. Only the simulated g(r) are inverted, not the
    targets, which may have no inversion.

    Source: F. Delbary, M. Hanke and D. Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020), arXiv:1806.11135;
    M. P. Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154, 084118 (2021), doi:10.1063/5.0038633.

    Parameters
    ----------
    calibrated : bool
        Whether the closure has the bridge functions that explain the last simulation, or is HNC.
    pressure : float, optional
        Pressure to reach with the target g, in the units of the potentials; a datum with the statistical error of the
        sampled pressure.
    """

    calibrated: bool = True
    pressure: float | None = field(default=None, kw_only=True)
    name: str = field(default="gauss-newton", init=False, repr=False)

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`.

        Raises
        ------
        ConvergenceError
            If the simulated g(r) have no inversion.
        """
        last = history[-1]
        fluid, problem = measured_problem(last, target)
        extra = problem.energies(float(fluid.densities.sum()))
        if self.pressure is not None:
            datum = problem.pressure(last, target, self.pressure)
            extra += [] if datum is None else [datum]
        found = self._solve(fluid, problem, extra)
        return _on_grids(found, problem, last, target), self.name

    def _solve(self, fluid: MixtureFluid, problem: MixtureProblem, extra: list[Datum]) -> Array:
        """Newton's method on the regularised difference; linear where the closure has no solution."""
        sizes = problem.sizes
        factors = _factors(fluid, problem) if self.calibrated else np.zeros(len(sizes))
        log.debug("factors of the bridge functions %s", np.round(factors, 2))
        base = model = fluid.response(factors)
        size, used = max(sizes), _used(sizes)
        difference, covariance, bases = problem.difference, problem.covariance, problem.bases
        found = np.zeros(used.size)
        for _ in range(MAX_SOLUTIONS):
            response = model.jacobian(size)[np.ix_(used, used)]
            moved = (model.g - base.g)[:, :size].ravel()[used]
            asked = difference - (moved + response @ found)[problem.rows]
            fit = fit_change(*with_data(-response[problem.rows], asked, covariance, extra), bases)
            log.debug("%.1f effective parameters, misfit %.2f a point", fit.freedom, fit.misfit)
            step = fit.change - found
            reached = _advance(fluid, problem, found, step, model)
            if reached is None:
                return found + step
            found, model = reached
            if np.max(np.abs(step[problem.rows])) < SETTLED:
                break
        return found


@dataclass(frozen=True)
class MixtureHNCN(FreeRule):
    r"""Newton's method with the HNC Jacobian of all pairs between core and cut-off.

    Linear in the difference and regularised only by leaving out singular values below 1e-3 of the largest; see
    `cginit.refine.updates.HNCN`.

    Source: M. P. Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154, 084118 (2021),
    doi:10.1063/5.0038633.
    """

    name: str = field(default="hncn", init=False, repr=False)

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`.

        Raises
        ------
        ConvergenceError
            If the simulated g(r) have no inversion.
        """
        last = history[-1]
        fluid, problem = measured_problem(last, target)
        sizes = problem.sizes
        used = _used(sizes)
        got = np.concatenate([one.got for one in problem.parts.values()])
        rows = problem.rows[got[problem.rows] > 0.0]
        response = fluid.response(np.zeros(len(sizes))).jacobian(max(sizes))[np.ix_(used, used)]
        wanted = np.concatenate([one.difference for one in problem.parts.values()])
        # Divided by g each row is of order 1, in the core as well.
        scale = 1.0 / got[rows]
        solved, *_ = np.linalg.lstsq(
            scale[:, None] * response[np.ix_(rows, rows)], -scale * wanted[rows], rcond=SMALLEST
        )
        found = np.zeros(used.size)
        found[rows] = solved
        for begin, one, end in zip(problem.starts, problem.parts.values(), problem.starts[1:], strict=False):
            found[begin : begin + one.first] = found[begin + one.first]
            found[begin:end] -= found[end - 1]
        return _on_grids(found, problem, last, target), self.name


def measured_problem(last: MixtureIteration, target: MixtureTarget) -> tuple[MixtureFluid, MixtureProblem]:
    """Return the inversion of a simulation, and on its nodes what is to change."""
    counts = {
        name: int(np.count_nonzero(last.final.types == number))
        for number, name in enumerate(last.final.species)
    }
    fluid = measured_mixture(last.rdfs, target.densities, counts)
    return fluid, MixtureProblem.of(last, target, fluid.r)


def _factors(fluid: MixtureFluid, problem: MixtureProblem) -> Array:
    """Return the factors of the bridge functions ``(pairs,)`` in the response."""
    fitted = fluid.bridge_factors([one.u for one in problem.parts.values()])
    return responding_factor(fitted, np.concatenate([one.difference for one in problem.parts.values()]))


def linear_response(fluid: MixtureFluid, problem: MixtureProblem) -> Array:
    """Return minus the derivative ``(n, n)`` of all g by all potentials in kT, up to each cut-off."""
    sizes = problem.sizes
    used = _used(sizes)
    return fluid.response(_factors(fluid, problem)).jacobian(max(sizes))[np.ix_(used, used)]


def _used(sizes: list[int]) -> NDArray[np.intp]:
    """Positions of the points up to each cut-off among those up to the largest."""
    size = max(sizes)
    return np.concatenate([p * size + np.arange(own, dtype=np.intp) for p, own in enumerate(sizes)])


def _advance(
    fluid: MixtureFluid, problem: MixtureProblem, found: Array, step: Array, model: MixtureResponse
) -> tuple[Array, MixtureResponse] | None:
    """Take the largest part of a step at which the closure has a solution."""
    core = _core(fluid, problem)
    for part in (1.0, 0.5, 0.25):
        trial = found + part * step
        change = np.zeros(core.shape)
        for row, one in zip(change, problem.split(trial).values(), strict=True):
            row[: one.size] = one
        try:
            return trial, model.at(change, core)
        except ConvergenceError:
            continue
    return None


def _core(fluid: MixtureFluid, problem: MixtureProblem) -> Array:
    """Energies in kT that stand where g = 0: the simulated potentials, shifted to meet the reference."""
    core = np.zeros((len(problem.parts), max(problem.sizes)))
    for row, g, reference, one in zip(core, fluid.g, fluid.u, problem.parts.values(), strict=True):
        seen = np.flatnonzero(g[: one.r.size] > 0.0)
        shift = float(reference[seen[0]] - one.u[seen[0]]) if seen.size else 0.0
        row[: one.r.size] = one.u + shift
    return core


def _on_grids(
    found: Array, problem: MixtureProblem, last: MixtureIteration, target: MixtureTarget
) -> dict[Pair, Array]:
    """Return the changes on the grids of the potentials, in the units of the target."""
    return {
        pair: target.kT * np.interp(last.potentials[pair].r, problem.parts[pair].r, change)
        for pair, change in problem.split(found).items()
    }
