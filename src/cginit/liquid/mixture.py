"""From the g(r) of all pairs of named species to their potentials, by the matrix Ornstein-Zernike equation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.liquid.inverse_problem import NOISE_WEIGHT, Closure, Tail
from cginit.liquid.pair_inversion import invert_pairs

__all__ = ["MixtureInversion", "invert_mixture"]

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class MixtureInversion:
    """Solution of the inverse problem of a mixture, on the grid of the input without r = 0.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Common grid.
    u, c, h : dict of pair to ndarray, shape (n,)
        Pair potential in kT (inf where g = 0), direct and total correlation. A pair has its species in the
        order in which the densities were given.
    k : ndarray, shape (m,)
        Wave numbers.
    s_k : ndarray, shape (m, species, species)
        Partial structure factors, 1 + sqrt(rho_a rho_b) h_ab(k).
    residual : float
        Largest deviation of r h from what was asked for, in units of the total density ^ (-1/3).
    iterations : int
        Newton steps.
    notes : tuple of str
        What the user should know.
    """

    r: Array
    u: dict[Pair, Array]
    c: dict[Pair, Array]
    h: dict[Pair, Array]
    k: Array
    s_k: Array
    residual: float
    iterations: int
    notes: tuple[str, ...] = ()


def invert_mixture(
    r: ArrayLike,
    g: Mapping[Pair, ArrayLike],
    densities: Mapping[str, float],
    closure: Closure = "hnc",
    *,
    error: Mapping[Pair, ArrayLike] | None = None,
    tail: Tail = "closure",
    noise_weight: float = NOISE_WEIGHT,
) -> MixtureInversion:
    r"""Return the potentials in kT that all g_ab(r) of a mixture have in the HNC or PY approximation.

    .. math:: h_{ab} = c_{ab} + \sum_d \rho_d\, c_{ad} * h_{db}, \qquad
              U_{ab}/kT = -\ln g_{ab} + \gamma_{ab} \;(\mathrm{HNC}), \quad
              -\ln g_{ab} + \ln(1 + \gamma_{ab})\;(\mathrm{PY})

    Parameters
    ----------
    r : array_like, shape (n,)
        Uniform distances whose first is a multiple of half the step; what lies below it is core, g = 0.
    g : mapping of (species, species) to array_like, shape (n,)
        Radial distribution functions of all pairs, in either order of the species.
    densities : mapping of species to float
        Number densities in the inverse cube of the unit of r.
    closure : {"hnc", "py"}
        Closure relation.
    error : mapping, optional
        Standard errors of g, like `g`; by default those that the roughness of each g shows.
    tail : {"closure", "zero"}
        What stands beyond the range of g; see `cginit.liquid.ornstein_zernike.invert`.
    noise_weight : float
        Weight of the noise; see there.

    Raises
    ------
    InputError
        If a pair is missing, or grid, g or a density is not valid.
    ConvergenceError
        If no positive definite structure factor has these h(r), or PY defines no potential for them.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), section 3.6,
    doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    At low density every closure gives U = -kT ln g.

    >>> r = np.linspace(0.05, 4, 80)
    >>> u = {("A", "A"): np.exp(-(r**2)), ("A", "B"): 0 * r, ("B", "B"): -np.exp(-(r**2))}
    >>> g = {pair: np.exp(-values) for pair, values in u.items()}
    >>> found = invert_mixture(r, g, {"A": 1e-6, "B": 2e-6})
    >>> all(bool(np.allclose(found.u[pair], u[pair], atol=1e-5)) for pair in u)
    True
    """
    species = list(densities)
    rho = np.array([densities[name] for name in species], dtype=np.float64)
    if not species or not np.all(np.isfinite(rho)) or np.any(rho <= 0.0):
        raise InputError(f"densities must be positive numbers, not {dict(densities)}")
    pairs = list(combinations_with_replacement(species, 2))
    found = invert_pairs(
        r,
        _table(g, pairs, np.shape(r), "g"),
        rho,
        closure,
        error=None if error is None else _table(error, pairs, np.shape(r), "error"),
        tail=tail,
        noise_weight=noise_weight,
        names=["-".join(pair) for pair in pairs],
    )
    u, c, h = (dict(zip(pairs, rows, strict=True)) for rows in (found.u, found.c, found.h))
    return MixtureInversion(
        found.r, u, c, h, found.k, found.s_k, found.residual, found.iterations, found.notes
    )


def _table(curves: Mapping[Pair, ArrayLike], pairs: list[Pair], shape: tuple[int, ...], what: str) -> Array:
    """Return the curves ``(pairs, n)`` in the order of `pairs`."""
    known = Interactions([(Interaction.of(pair), curve) for pair, curve in curves.items()])
    rows = []
    for pair in pairs:
        if pair not in known:
            raise InputError(
                f"{what} of the pair {pair[0]}-{pair[1]} is missing; a mixture needs all its pairs"
            )
        curve = np.asarray(known[pair], dtype=np.float64)
        if curve.shape != shape:
            raise InputError(
                f"{what} of {pair[0]}-{pair[1]} must hold one finite value for each of {shape[0]} distances"
            )
        rows.append(curve)
    return np.array(rows)
