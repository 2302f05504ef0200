r"""The Ornstein-Zernike inversion with a closure (HNC or PY) for all pairs of a liquid of any number of species.

The direct correlations inside the range of g are those of `cginit.liquid.extension`; with
:math:`\gamma = h - c` the closure gives the potential. `invert_pairs` takes and returns tables of all pairs;
`cginit.liquid.mixture.invert_mixture` is its face for named species. One species alone is for
`cginit.liquid.ornstein_zernike`, which comes here for what elimination does not solve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.liquid.extension import (
    Extension,
    MeasuredCorrelations,
    close_tail,
    largest_entropy,
    why_unsolvable,
)
from cginit.liquid.inverse_problem import (
    NOISE_WEIGHT,
    Closure,
    Tail,
    checked_curves,
    closure_potential,
    on_nodes,
)
from cginit.liquid.matrices import Intramolecular, PairMatrices, pair_indices

__all__ = ["PairInversion", "invert_pairs"]


@dataclass(frozen=True, eq=False)
class PairInversion:
    r"""Solution of the inverse problem of all pairs, on the grid of the input without r = 0.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Common grid.
    u : ndarray, shape (pairs, n)
        Pair potentials in kT with their zero at infinity; inf where g = 0.
    c, h, gamma : ndarray, shape (pairs, n)
        Direct and total correlations and their differences.
    k : ndarray, shape (m,)
        Wave numbers.
    s_k, c_k : ndarray, shape (m, species, species)
        Structure factors :math:`\omega + \sqrt{\rho_a \rho_b}\, \hat h_{ab}`, and
        :math:`\sqrt{\rho_a \rho_b}\, \hat c_{ab}`.
    residual : float
        Largest deviation of r h from what was asked for, in units of the total density ^ (-1/3).
    iterations : int
        Newton steps.
    notes : tuple of str
        What the user should know.
    """

    r: Array
    u: Array
    c: Array
    h: Array
    gamma: Array
    k: Array
    s_k: Array
    c_k: Array
    residual: float
    iterations: int
    notes: tuple[str, ...]


def invert_pairs(
    r: ArrayLike,
    g: Array,
    densities: Array,
    closure: Closure = "hnc",
    *,
    error: Array | None = None,
    tail: Tail = "closure",
    noise_weight: float = NOISE_WEIGHT,
    intramolecular: Callable[[Array], Array] | None = None,
    names: Sequence[str] = (),
    start: Array | None = None,
) -> PairInversion:
    r"""Return the potentials in kT that all g(r) of a liquid have in the HNC or PY approximation.

    .. math:: h_{ab} = c_{ab} + \sum_d \rho_d\, c_{ad} * h_{db}, \qquad
              U_{ab}/kT = -\ln g_{ab} + \gamma_{ab} \;(\mathrm{HNC}), \quad
              -\ln g_{ab} + \ln(1 + \gamma_{ab})\;(\mathrm{PY})

    for loose beads. For molecules, with g between different molecules, it is
    :math:`H = \Omega C (\Omega + H)`, H and C being :math:`\rho_a \rho_b \hat h_{ab}` and :math:`\hat c_{ab}`.

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances whose first is a multiple of half the step; what lies below it is core, g = 0.
    g : ndarray, shape (pairs, n)
        Radial distribution functions, in the order A-A, A-B, ..., B-B, ...
    densities : ndarray, shape (species,)
        Number densities of the beads in the inverse cube of the unit of r.
    closure : {"hnc", "py"}
        Closure relation.
    error : ndarray, shape (pairs, n), optional
        Standard errors of g; by default those that the roughness of each g shows.
    tail : {"closure", "zero"}
        Beyond r[-1], the closure with U = 0 or c = 0. The two are the same for PY.
    noise_weight : float
        How much the errors count against the entropy: the larger, the smoother and the smaller c.
    intramolecular : callable, optional
        For molecules: returns for wave numbers ``(m,)``, in the inverse unit of r,
        :math:`\Omega_{ab}(k)` ``(m, species, species)``, the sum of sin(kr)/(kr) over the beads a and b of the same
        molecule, themselves included, per volume. Loose beads have :math:`\rho_a \delta_{ab}`.
    names : sequence of str
        Names of the pairs for the messages, where there are several.
    start : ndarray, shape (pairs, n), optional
        Direct correlations to begin with on the grid of the result, as of nearly the same g; they are not used
        where that leaves out a part of the core.

    Raises
    ------
    InputError
        If the grid, g, an error, or a density is not valid.
    ConvergenceError
        If no positive structure factors have these h(r), or PY defines no potential for them.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), chapters 3, 4 and 11,
    doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    >>> r = np.linspace(0.05, 4, 80)
    >>> u = np.array([np.exp(-(r**2)), 0 * r, -np.exp(-(r**2))])
    >>> found = invert_pairs(r, np.exp(-u), np.array([1e-6, 2e-6]))
    >>> bool(np.allclose(found.u, u, atol=1e-5))
    True
    """
    distances, values, sigmas = checked_curves(r, g, densities, closure, error, names)
    length = float(densities.sum()) ** (-1.0 / 3.0)
    grid, skipped, h, noise = on_nodes(distances, length, values, sigmas)
    a, b = pair_indices(densities.size)
    both = np.where(a == b, 1.0, 2.0)
    weights = both * densities[a] * densities[b] / densities.sum() ** 2
    molecules = (
        Intramolecular.loose(densities.size)
        if intramolecular is None
        else Intramolecular.of(intramolecular(grid.k / length), densities)
    )
    shell = 4.0 * np.pi * grid.r[: h.shape[1]] ** 2 * grid.dr
    target = MeasuredCorrelations(
        PairMatrices(grid, 1.0 / np.sqrt(both)),
        molecules,
        weights,
        np.sqrt(weights)[:, None] * grid.r[: h.shape[1]] * h,
        # A mixture of equal species, with the errors that its fewer pairs have, is so the pure fluid. The core, where
        # g is 0, is certain.
        np.where(h > -1.0, noise_weight * shell * weights[:, None] * noise**2, 0.0),
    )
    inside = slice(skipped, h.shape[1])
    scale = np.sqrt(weights)[:, None] * grid.r[inside]
    begin = None if start is None or start.shape != h.shape else scale * start
    solution = largest_entropy(target, begin)
    if not solution.solved:
        raise ConvergenceError(why_unsolvable(target, solution, densities, length))
    notes: tuple[str, ...] = ()
    if closure == "hnc" and tail == "closure":
        solution, notes = _closed(target, solution)

    total, direct = solution.total[:, inside] / scale, solution.direct[:, inside] / scale
    gamma = total - direct
    kept = distances[skipped - h.shape[1] :]
    # A g below the rounding of h, as exp(-U) of an equation is deep in a core, is none: nothing is known of U there.
    u = closure_potential(kept, h[:, inside] + 1.0, gamma, closure, names)
    c_k = target.matrices.of(solution.direct)
    k, s_k = grid.k / length, solution.s
    return PairInversion(
        kept, u, direct, total, gamma, k, s_k, c_k, solution.residual, solution.iterations, notes
    )


def _closed(target: MeasuredCorrelations, solution: Extension) -> tuple[Extension, tuple[str, ...]]:
    """Return the solution whose tail has the closure of HNC, and a note where there is none and it stays as it is."""
    closed = close_tail(target, solution)
    if closed is None:
        return solution, ("the HNC closure beyond the range of g did not converge; c = 0 was used there",)
    return closed, ()
