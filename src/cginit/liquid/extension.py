r"""The direct correlations that a measured g(r) of finite range has, with their extension beyond it.

A measured g ends at r_max, and cutting h = g - 1 there spoils the long-wave part of :math:`\hat c`, where a dense
liquid holds its information. Instead the Ornstein-Zernike equation is solved for the direct correlations inside r_max
such that they reproduce the measured h there, with the closure itself beyond.

With c = 0 beyond r_max (which is what PY says there) this is a convex problem. With the matrices of
`cginit.liquid.matrices`, h[c] = h is the stationarity condition of

.. math:: D[c] = -\int \frac{d^3k}{(2\pi)^3} \left[\ln\det(1 - \omega X) + \mathrm{tr}\, \omega X\right]
          - \sum_{ab} \rho_a \rho_b \int_{r < r_{max}} c_{ab}\, h_{ab}\, d^3r,

that is, S(k) is the positive structure factor of largest entropy that has the measured h inside r_max
(Burg's extension of a truncated autocorrelation). Newton's method with a step that keeps S positive finds its one
minimum from any start, and no continuation in density is needed. Statistical errors of g enter as a quadratic term,
which makes every noisy g solvable.

Lengths are in units of the total density ^ (-1/3) here, so that every tolerance is the same for every system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import Array
from cginit.liquid.krylov import conjugate_gradients
from cginit.liquid.matrices import Intramolecular, PairMatrices, damped_inverse, inverse, sandwich
from cginit.liquid.newton import damped_newton

__all__ = [
    "Extension",
    "MeasuredCorrelations",
    "close_tail",
    "largest_entropy",
    "solvable_density",
    "why_unsolvable",
]

#: Largest residual of r h at which the equation counts as solved.
TOLERANCE = 1e-9
#: Residual still accepted where rounding stops the iteration (S(0) of a near-critical fluid is large).
ROUNDING = 1e-6
MAX_ITERATIONS = 60
#: Conjugate-gradient steps in all; solvable problems take some 50, at most a few hundred.
MAX_LINEAR = 1000
#: Unknowns up to which the linear equations of one species are solved by elimination: 100 take a tenth of the time of
#: conjugate gradients, some 400 the same; those of the closure, which GMRES solves, meet at 300.
MOST_ELIMINATED = 300
#: Of the start: least S of the h that is cut off, and largest 1 - 1/S of what its c is scaled down to where it makes
#: S negative. With them 57 state points of the data set take 5.9 Newton steps in the mean; from c = 0, 7.5.
LEAST_START, MOST_START = 0.1, 0.9
#: S below this part of that of loose beads: c runs away, for no positive S has this h.
LEAST_STRUCTURE = 1e-8
#: Newton steps of the closure beyond the range of g.
TAIL_ITERATIONS = 20


@dataclass(frozen=True, eq=False)
class MeasuredCorrelations:
    r"""The inverse problem.

    The unknowns are :math:`\sqrt{w_{ab}}\, r c_{ab}(r)` with the weights :math:`w_{ab} = x_a x_b`, twice that for
    unlike pairs, which the sum over all species meets in both orders: so the linear response is symmetric.

    Attributes
    ----------
    matrices : PairMatrices
        From the unknowns to X and back.
    intramolecular : Intramolecular
        The structure of single molecules.
    weights : ndarray, shape (pairs,)
        w.
    wanted : ndarray, shape (pairs, n)
        r h inside the range of g, scaled like the unknowns.
    noise : ndarray, shape (pairs, n)
        What the errors of g add to the diagonal of the response.
    density : float
        Density at which it is solved, in units of that of the liquid.
    """

    matrices: PairMatrices
    intramolecular: Intramolecular
    weights: Array
    wanted: Array
    noise: Array
    density: float = 1.0

    @property
    def size(self) -> int:
        """Number of nodes inside the range of g."""
        return int(self.wanted.shape[1])

    def structure(self, direct: Array) -> Array | None:
        """Return S for unknowns ``(pairs, n)``; None unless it is positive at every wave number."""
        return self.intramolecular.solve(self.density * self.matrices.of(direct))

    def total(self, s: Array, size: int) -> Array:
        """Return r h ``(pairs, size)``, scaled like the unknowns."""
        return self.matrices.back(s - self.intramolecular.structure, size) / self.density

    def respond(self, s: Array, change: Array) -> Array:
        """Return the change of `total` ``(pairs, n)`` with that of the unknowns ``(pairs, n)``."""
        return self.matrices.back(sandwich(s, self.matrices.of(change)), change.shape[1])

    def eliminates(self, unknowns: int) -> bool:
        """Whether the matrix of `respond` for so many unknowns is worth making: one species, and not too many."""
        # That of molecules may be singular, with which conjugate gradients do better.
        return len(self.wanted) == 1 and self.intramolecular.root is None and unknowns <= MOST_ELIMINATED

    def response_matrix(self, s: Array, diagonal: Array, slope: Array | None = None) -> Array:
        """Return the matrix ``(m, m)`` of `respond` for one species, times `slope` ``(m,)``, plus a diagonal."""
        matrix = self.matrices.grid.filter_matrix(s[:, 0, 0] ** 2, diagonal.size)
        if slope is not None:
            matrix *= slope[:, None]
        matrix.flat[:: diagonal.size + 1] += diagonal
        return matrix

    def undo(self, s: Array) -> Callable[[Array], Array]:
        """Return roughly the inverse of `respond` plus noise; exact without noise and truncation."""
        apply = damped_inverse(s, float(np.mean(self.noise)) + self._floor(s))
        return lambda change: self.matrices.back(apply(self.matrices.of(change)), change.shape[1])

    def _floor(self, s: Array) -> float:
        """Keep the inverse finite where the structure of molecules is singular."""
        return 0.0 if self.intramolecular.root is None else 1e-6 * float(np.max(s)) ** 2


@dataclass(frozen=True, eq=False)
class Extension:
    """Solution of the inverse problem, or where it ended.

    Attributes
    ----------
    direct, total : ndarray, shape (pairs, n) or longer
        r c, as far as it is not 0, and r h, scaled as in `MeasuredCorrelations`.
    s : ndarray, shape (m, species, species)
        Structure factors.
    residual : float
        Largest deviation of r h from what was asked for.
    iterations : int
        Newton steps.
    solved : bool
        Whether it is a solution.
    """

    direct: Array
    total: Array
    s: Array
    residual: float
    iterations: int
    solved: bool


def largest_entropy(target: MeasuredCorrelations, start: Array | None = None) -> Extension:
    """Return the solution with c = 0 beyond the range of g, by Newton's method on the convex functional.

    It begins with the unknowns `start` ``(pairs, n)`` where they are given and S is positive with them.
    """
    unity = target.intramolecular.structure
    direct, s = _start(target, start)
    gap = target.wanted - target.total(s, target.size) - target.noise * direct
    spent = 0

    def result(iterations: int, tolerance: float) -> Extension:
        residual = float(np.max(np.abs(gap)))
        total = target.wanted - target.noise * direct - gap
        return Extension(direct, total, s, residual, iterations, residual <= tolerance)

    for iteration in range(MAX_ITERATIONS):
        residual = float(np.max(np.abs(gap)))
        if residual <= TOLERANCE:
            return result(iteration, TOLERANCE)
        if spent > MAX_LINEAR or _vanishing(s, unity):
            break
        step, products = _newton_step(target, s, gap, min(1e-2, residual))
        spent += products
        slope = float(np.sum(step * gap))
        scale = 1.0
        while True:
            trial = direct + scale * step
            trial_s = target.structure(trial)
            if trial_s is not None:
                trial_gap = target.wanted - target.total(trial_s, target.size) - target.noise * trial
                # The functional is convex: a slope that has not turned far means that it has decreased.
                if float(np.sum(step * trial_gap)) > -0.25 * slope:
                    break
            scale *= 0.5
            if scale < 1e-8:
                return result(iteration, ROUNDING)
        direct, s, gap = trial, trial_s, trial_gap
    return result(MAX_ITERATIONS, ROUNDING)


def _newton_step(target: MeasuredCorrelations, s: Array, gap: Array, rtol: float) -> tuple[Array, int]:
    """Return the change of the unknowns ``(pairs, n)`` that closes a gap, and the number of products it took."""
    if target.eliminates(gap.size):
        return np.linalg.solve(target.response_matrix(s, target.noise[0]), gap[0])[None], 0

    def flat(product: Callable[[Array], Array]) -> Callable[[Array], Array]:
        return lambda x: np.asarray(product(x.reshape(gap.shape)).ravel())

    change, products = conjugate_gradients(
        flat(lambda x: target.respond(s, x) + target.noise * x),
        gap.ravel(),
        rtol=rtol,
        precondition=flat(target.undo(s)),
        maxiter=300,
    )
    return change.reshape(gap.shape), products


def _start(target: MeasuredCorrelations, given: Array | None) -> tuple[Array, Array]:
    """Return what is given, or c of an h that is 0 beyond the range of g, cut off there, and its S.

    The functional is convex, so that the start changes nothing but the number of steps, which that spares half of for
    most liquids. For several species it is c = 0 where that S is not positive.
    """
    matrices, loose = target.matrices, target.intramolecular
    unity = loose.structure
    known = None if given is None else target.structure(given)
    if given is not None and known is not None:
        return given, known
    s: Array = np.broadcast_to(unity, (matrices.grid.n, *unity.shape[-2:]))
    if loose.root is None and len(target.wanted) == 1:
        # Each step can no more than double 1/S; where the noise of g makes S negative, it begins at a small one.
        floored = np.maximum(unity + target.density * matrices.of(target.wanted), LEAST_START)
        direct = matrices.back(unity - 1.0 / floored, target.size) / target.density
        x = target.density * matrices.of(direct)
        top = float(np.max(x))
        part = 1.0 if top < 1.0 else MOST_START / top
        return part * direct, 1.0 / (unity - part * x)
    if loose.root is None:
        cut = inverse(unity + target.density * matrices.of(target.wanted))
        if cut is not None:
            direct = matrices.back(unity - cut, target.size) / target.density
            positive = target.structure(direct)
            if positive is not None:
                return direct, positive
    return np.zeros(target.wanted.shape), s


def _vanishing(s: Array, loose: Array) -> bool:
    """Whether S is nearly 0 somewhere, compared to that of single molecules."""
    own = np.diagonal(s, axis1=-2, axis2=-1)
    return bool(np.min(own / np.diagonal(loose, axis1=-2, axis2=-1)) < LEAST_STRUCTURE)


def close_tail(target: MeasuredCorrelations, start: Extension) -> Extension | None:
    """Return the solution with the HNC closure, U = 0, in as long a shell again; None where there is none."""
    grid, inner = target.matrices.grid, target.size
    shape = (target.wanted.shape[0], 2 * inner)
    scale = np.sqrt(target.weights)[:, None] * grid.r[inner : 2 * inner]

    begin = np.concatenate([start.direct, np.zeros(start.direct.shape)], axis=1)

    def evaluate(direct: Array) -> tuple[Array, tuple[Array, Array, Array] | None]:
        s = start.s if direct is begin else target.structure(direct)
        if s is None:
            return direct, None
        total = target.total(s, 2 * inner)
        with np.errstate(over="ignore"):
            g_tail = np.exp((total - direct)[:, inner:] / scale)
        if not np.all(np.isfinite(g_tail)):
            return direct, None
        inside = total[:, :inner] + target.noise * direct[:, :inner] - target.wanted
        beyond = total[:, inner:] - scale * (g_tail - 1.0)
        return np.concatenate([inside, beyond], axis=1), (s, total, g_tail)

    def linear(state: tuple[Array, Array, Array]) -> Callable[[Array], Array] | Array:
        s, _, g_tail = state
        slope = np.concatenate([np.ones(g_tail.shape), 1.0 - g_tail], axis=1)
        diagonal = np.concatenate([target.noise, g_tail], axis=1)
        if target.eliminates(diagonal.size):
            return target.response_matrix(s, diagonal[0], slope[0])

        def product(x: Array) -> Array:
            change = x.reshape(shape)
            return np.asarray(slope * target.respond(s, change) + diagonal * change).ravel()

        return product

    def precondition(state: tuple[Array, Array, Array]) -> Callable[[Array], Array]:
        undo = target.undo(state[0])

        def product(x: Array) -> Array:
            change = x.reshape(shape)
            return np.concatenate([undo(change[:, :inner]), change[:, inner:]], axis=1).ravel()

        return product

    found = damped_newton(
        begin,
        evaluate,
        linear,
        precondition=precondition,
        # It ends on the residual of the first stage, which rounding may have set.
        tolerance=max(TOLERANCE, start.residual),
        max_iterations=TAIL_ITERATIONS,
    )
    if found.state is None or not found.solved:
        return None
    s, total, _ = found.state
    return Extension(found.x, total, s, found.residual, start.iterations + found.iterations, True)


def solvable_density(target: MeasuredCorrelations) -> float:
    """Return the largest of some parts of the density at which the problem has a solution; 0 for none."""
    for part in (0.8, 0.5, 0.2, 0.05):
        if largest_entropy(replace(target, density=part)).solved:
            return part
    return 0.0


def why_unsolvable(target: MeasuredCorrelations, failed: Extension, densities: Array, length: float) -> str:
    """Say of g(r) that no positive structure factor has where it fails, and what to do."""
    density = float(densities.sum())
    worst = float(target.matrices.grid.k[int(np.argmin(np.linalg.eigvalsh(failed.s)[:, 0]))] / length)
    solvable = ""
    if densities.size == 1:
        # For several species the answer would take seconds.
        reached = solvable_density(target)
        solvable = (
            f" (at {reached * density:.4g} it still has one)"
            if reached
            else " (nor has it one at a twentieth of that)"
        )
    need = "a negative structure factor" if densities.size == 1 else "structure factors that are not positive"
    return (
        f"the Ornstein-Zernike inversion has no solution at density {density:.4g}{solvable}: g(r) would "
        f"need {need} near k = {worst:.3g} (inverse length). Check density and "
        "normalisation of g, sample it longer or give its statistical error, or use the method 'boltzmann'"
    )
