r"""How the g(r) of a liquid answer to a change of any of its potentials, around a measured liquid.

The closure :math:`g_{ab} = \exp(-U_{ab}/kT + \gamma_{ab} + B_{ab})` is used only for differences. Measured g have
indirect correlations :math:`\gamma = h - c`, whatever the closure, and with the potentials that were simulated they
have bridge functions,

.. math:: B_n(r) = \ln g_n + U_n / kT - \gamma_n,

the very quantities that closures approximate. What is needed is how they change with :math:`\gamma`. The hypernetted
chain keeps them as they are. Dense fluids of hard cores follow the modified Verlet form (`cginit.liquid.bridge`)
closely, soft ones do not; so that form is taken with the factor :math:`\alpha_{ab}` that fits :math:`B_n` best, or
less (`responding_factor`), and what it leaves of :math:`B_n` stays as it is.

With the matrices of `cginit.liquid.matrices`, :math:`S = (1 - \omega X)^{-1} \omega`, changes obey
:math:`\delta H = S\, \delta X\, S`. One species is a liquid of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.interactions import Interactions, all_pairs
from cginit.liquid.bridge import modified_verlet, modified_verlet_slope
from cginit.liquid.finite_size import infinite_system
from cginit.liquid.fourier import RadialGrid, sine_nodes
from cginit.liquid.inverse_problem import estimate_noise
from cginit.liquid.jacobian import jacobian
from cginit.liquid.matrices import Intramolecular, PairMatrices, sandwich
from cginit.liquid.newton import damped_newton, follow
from cginit.liquid.pair_inversion import PairInversion, invert_pairs

__all__ = [
    "Liquid",
    "Response",
    "fitted_factor",
    "measured_liquid",
    "responding_factor",
]

#: Range of the response in multiples of the range of the change.
RESPONDING = 2.5
#: Largest number of nodes whose correlations respond, for each pair, and twice that for all pairs.
MAX_RESPONDING = 1200
#: Largest residual of r gamma, in units of the total density ^ (-1/3); far below the noise of any g.
TOLERANCE = 1e-6
#: g above which a point counts in the fit of the bridge function.
SHOWN = 0.1
#: Largest factor of the bridge function that an inversion shows, and the size below which it does not show one.
MAX_FACTOR, UNSEEN = 1.5, 0.005
#: Part of the fitted factor with which a bridge function responds to a change of the potential, and the mean squared
#: difference of g per unit of the factor, with the bounds, that it is limited to; see `responding_factor`.
RESPONDING_PART, RESPONDING_SCALE, RESPONDING_LIMITS = 0.6, 0.01, (0.2, 0.75)
#: Inversions after which S(0) and the correction for the size of the box agree.
ROUNDS = 2


@dataclass(frozen=True, eq=False)
class Liquid:
    """The measured g(r) of all pairs and what the Ornstein-Zernike equation makes of them.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Nodes of the measurement without r = 0, multiples of (half) the step.
    u : ndarray, shape (pairs, n)
        HNC potentials -ln g + gamma in kT; inf where g = 0.
    grid : RadialGrid
        The long grid that continues the nodes.
    g, gamma : ndarray, shape (pairs, m)
        g and indirect correlations on the long grid.
    s_k : ndarray, shape (m, species, species)
        Partial structure factors.
    densities : ndarray, shape (species,)
        Number densities.
    intramolecular : Intramolecular
        Structure of single molecules; unity for loose beads.
    """

    r: Array
    u: Array
    grid: RadialGrid
    g: Array
    gamma: Array
    s_k: Array
    densities: Array
    intramolecular: Intramolecular

    def bridge_factors(self, potentials: Sequence[Array]) -> Array:
        """Return the factor ``(pairs,)`` of each bridge function, from the potentials ``(n,)`` of all pairs in kT.

        See `fitted_factor`.
        """
        return np.array(
            [fitted_factor(self.g[p], self.gamma[p], u) for p, u in enumerate(potentials)], dtype=np.float64
        )

    def response(self, factors: Array) -> Response:
        """Return the response around this liquid with the bridge functions times `factors` ``(pairs,)``."""
        return Response(self, factors, self.gamma, self.g, self.s_k)


def fitted_factor(g: Array, gamma: Array, u: Array) -> float:
    """Return the factor of the bridge function that explains g ``(m,)`` with the potential `u` ``(n,)`` in kT.

    Least squares over the points that g shows, with the weight g that its noise gives to ln g.
    """
    n = u.size
    g, gamma = g[:n], gamma[:n]
    seen = g > SHOWN
    found = np.log(g[seen]) + u[seen] - gamma[seen]
    form = modified_verlet(gamma[seen])
    power = float(np.sum(g[seen] * (form**2 + UNSEEN**2)))
    if power <= 0.0:
        return 0.0
    return float(np.clip(np.sum(g[seen] * form * found) / power, 0.0, MAX_FACTOR))


def responding_factor(fitted: Array | float, difference: Array) -> Array:
    """Return the factor of the bridge function in the response, from the one that fits a measured liquid.

    Along r the bridge function of a liquid follows the form with a factor of up to 1.5; from one potential to the
    next it changes by less. Of successive simulations (water from two starts, Lennard-Jones liquid, two Lennard-Jones
    mixtures) the change of g was predicted best with 0.4 to 0.7 of the fitted factor where it was large (mean
    squares of 0.005 to 0.07), with 0 to 0.25 where it was small; with the whole factor the smallest were overstated
    up to five times.

    Parameters
    ----------
    fitted : ndarray or float
        From `fitted_factor`, of one or several pairs.
    difference : ndarray
        What g is to change by.

    Examples
    --------
    >>> float(responding_factor(1.2, np.full(4, 0.1))), float(responding_factor(1.2, np.full(4, 0.01)))
    (0.72, 0.2)
    """
    most = np.clip(np.mean(difference**2) / RESPONDING_SCALE, *RESPONDING_LIMITS)
    return np.asarray(np.minimum(RESPONDING_PART * np.asarray(fitted), most), dtype=np.float64)


def measured_liquid(
    curves: Mapping[tuple[str, str], RDF] | Interactions[RDF],
    densities: Mapping[str, float],
    counts: Mapping[str, int] | None = None,
    *,
    intramolecular: Callable[[Array], Array] | None = None,
) -> Liquid:
    """Invert the measured g(r) of all pairs.

    Parameters
    ----------
    curves : mapping of pair to RDF
        g(r), all on one grid; a pair has its two species in either order.
    densities : mapping of species to float
        Number densities. Their order is that of the species.
    counts : mapping of species to int, optional
        Number of beads of each, where known: it corrects for the size of the closed box.
    intramolecular : callable, optional
        Structure of single molecules; see `cginit.liquid.pair_inversion.invert_pairs`.

    Raises
    ------
    ConvergenceError
        If no positive structure factors have these g(r).
    """
    known = Interactions(curves)
    pairs = all_pairs(densities)
    missing = [str(one) for one in pairs if one not in known]
    if missing:
        raise InputError(f"g(r) of {', '.join(missing)} is missing; a liquid needs all its pairs")
    placed = [_nodes(known[one].with_core()) for one in pairs]
    r = placed[0][0]
    g, error = np.array([one[1] for one in placed]), np.array([one[2] for one in placed])
    rho = np.array(list(densities.values()), dtype=np.float64)
    names = [str(one) for one in pairs] if len(pairs) > 1 else []

    def molecules(k: Array) -> Intramolecular:
        if intramolecular is None:
            return Intramolecular.loose(rho.size)
        return Intramolecular.of(intramolecular(k), rho)

    def inverted(values: Array) -> PairInversion:
        return invert_pairs(r, values, rho, error=error, intramolecular=intramolecular, names=names)

    found = inverted(g)
    if counts is not None:
        beads = np.array([counts[name] for name in densities], dtype=np.float64)
        # S(0) of the uncorrected g carries the offset itself, times all beads in range; S at the smallest wave number
        # of the box hardly does.
        edge = (beads.sum() / rho.sum()) ** (1.0 / 3.0)
        smallest = int(np.searchsorted(found.k, 2.0 * np.pi / edge))
        own = molecules(found.k)
        for _ in range(ROUNDS):
            limit, single = _long_wave_limit(found, own, smallest)
            found = inverted(infinite_system(g, limit, beads, single))
    own = molecules(found.k)
    grid = RadialGrid(
        found.k.size, float(r[1] - r[0]), half=bool(round(2.0 * float(r[0] / (r[1] - r[0]))) % 2)
    )
    matrices = PairMatrices.of_densities(grid, rho)
    h_k = found.s_k - own.structure
    h = matrices.back(h_k) / grid.r
    gamma = matrices.back(h_k - found.c_k) / grid.r
    g_long = _whole_g(h, found.u, found.gamma)
    return Liquid(found.r, found.u, grid, g_long, gamma, found.s_k, rho, own)


def _long_wave_limit(found: PairInversion, own: Intramolecular, smallest: int) -> tuple[Array, Array | None]:
    r"""Return S ``(s, s)`` of all beads and that of single molecules at k = 0, from the wave number of the box.

    A molecule that is as long as the box is wide has another structure at that wave number than at k = 0, and so has
    a dilute liquid of it; the direct correlations X have not. :math:`S(0) = (1 - \omega(0) X)^{-1} \omega(0)`.
    """
    if own.root is None:
        return found.s_k[smallest], None
    limit = Intramolecular(own.structure[:1], own.root[:1]).solve(found.c_k[smallest : smallest + 1])
    if limit is None:
        # So near to a phase boundary S(0) is beyond what is believed anyway.
        return found.s_k[smallest], own.structure[smallest]
    return limit[0], own.structure[0]


def _nodes(curve: RDF) -> tuple[Array, Array, Array]:
    """Return distances, g and its error on nodes of a sine transform; see `cginit.liquid.fourier.sine_nodes`."""
    error = estimate_noise(curve.r, curve.g) if curve.error is None else curve.error
    return sine_nodes(curve.r, curve.g, error)


def _whole_g(h: Array, u: Array, gamma: Array) -> Array:
    """Return g ``(pairs, m)`` on a long grid from h there, and from U and gamma ``(pairs, n)`` inside.

    Where the closure gives the tail, g = exp(gamma) there; the measured g inside is kept as it was inverted.
    """
    found = np.maximum(1.0 + h, 0.0)
    seen = np.isfinite(u)
    found[:, : u.shape[1]] = np.where(seen, np.exp(-np.where(seen, u, 0.0) + gamma), 0.0)
    return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Response:
    """The liquid after a change of its potentials, and how it responds to the next.

    Attributes
    ----------
    fluid : Liquid
        The measured liquid, from which changes count.
    factors : ndarray, shape (pairs,)
        Factors of the bridge functions.
    gamma, g : ndarray, shape (pairs, m)
        Correlations of the changed liquid on the long grid.
    s_k : ndarray, shape (m, species, species)
        Its partial structure factors.
    change : ndarray, shape (pairs, n), or None
        By how much its potentials differ from the measured ones, in kT; None for the measured liquid.
    """

    fluid: Liquid
    factors: Array
    gamma: Array
    g: Array
    s_k: Array
    change: Array | None = None
    #: What `_responding` has found, by the number of nodes.
    _kept: dict[int, tuple[int, Array]] = field(default_factory=dict, init=False, repr=False)

    def jacobian(self, size: int) -> Array:
        """Return the response of every g to every potential at the first `size` nodes."""
        n, whole = self._responding(size)
        pairs = self.g.shape[0]
        return np.asarray(whole.reshape(pairs, n, -1)[:, :size].reshape(pairs * size, -1))

    def long_wave(self, k: float, size: int) -> tuple[float, Array]:
        r"""Return S(k) of one species, and its derivative ``(size,)`` by the potential in kT at the first nodes.

        .. math:: \frac{\partial S(k)}{\partial U_j} = 4 \pi \rho \int \frac{\partial h(r)}{\partial U_j}
                  \frac{\sin kr}{kr} r^2 dr
        """
        n, whole = self._responding(size)
        grid = self.fluid.grid
        r = grid.r[:n]
        weight = 4.0 * np.pi * float(self.fluid.densities[0]) * r**2 * np.sinc(k * r / np.pi) * grid.dr
        return float(np.interp(k, grid.k, self.s_k[:, 0, 0])), -weight @ whole

    def _responding(self, size: int) -> tuple[int, Array]:
        """Return the nodes that respond of each pair, and how all do to the potentials at the first `size`."""
        if size in self._kept:
            return self._kept[size]
        pairs, m = self.g.shape
        most = min(MAX_RESPONDING, 2 * MAX_RESPONDING // pairs)
        n = min(m, max(size, min(round(RESPONDING * size), most)))
        slope = 1.0 + self.factors[:, None] * modified_verlet_slope(self.gamma[:, :n])
        grid = self.fluid.grid
        self._kept[size] = (
            n,
            jacobian(grid.r[:n], self.g[:, :n], grid.k, self.s_k, self.fluid.densities, size, slope),
        )
        return self._kept[size]

    def at(self, change: Array, core: Array) -> Response:
        r"""Return the liquid whose potentials differ from the measured ones by `change` ``(pairs, n)`` in kT.

        Newton's method for all :math:`\gamma_{ab}` at once, started from this liquid, by way of the potentials in
        between where it does not find the solution at once. `core` ``(pairs, n)`` are the energies in kT that stand
        where a measured g is 0.

        Raises
        ------
        ConvergenceError
            If the equations have no solution, or none that this way leads to.
        """
        begin = np.zeros(change.shape) if self.change is None else self.change
        return follow(self, begin, change, lambda model, trial: model.solve(trial, core))

    def medium(self) -> Array:
        r"""Return what the liquid adds to the potentials between beads of one molecule, ``(pairs, m)`` in kT.

        .. math:: W = -X S X

        on the long grid: a bead draws others near, as the liquid between two beads is pushed out by both. A chain in
        its liquid has the shapes of a chain alone with the potentials :math:`U + W`. The difference of two of these
        holds for small changes whatever the closure.

        Source: K. S. Schweizer, K. G. Honnell and J. G. Curro, J. Chem. Phys. 96, 3211 (1992),
        doi:10.1063/1.461965 (self-consistent PRISM theory, hypernetted-chain form).
        """
        grid = self.fluid.grid
        matrices = PairMatrices.of_densities(grid, self.fluid.densities)
        direct = matrices.of(grid.r * (self.g - 1.0 - self.gamma))
        return np.asarray(-matrices.back(sandwich(direct, self.s_k)) / grid.r)

    def with_molecules(self, molecules: Intramolecular, core: Array) -> Response:
        """Return the same potentials acting between molecules of other shapes; `core` as for `at`.

        Raises
        ------
        ConvergenceError
            If the equations have no solution near this one.
        """
        size = core.shape[1]
        change = np.zeros((self.g.shape[0], size)) if self.change is None else self.change
        other = replace(self.fluid, intramolecular=molecules)
        return replace(self, fluid=other, change=change).solve(change, core)

    def solve(self, change: Array, core: Array) -> Response:
        """Return what `at` returns, by Newton's method from this liquid alone.

        Raises
        ------
        ConvergenceError
            If that does not find a solution.
        """
        fluid, grid = self.fluid, self.fluid.grid
        n = change.shape[1]
        factors = self.factors[:, None]
        with np.errstate(divide="ignore"):
            v = fluid.gamma + factors * modified_verlet(fluid.gamma) - np.log(fluid.g)
        v = np.where(fluid.g > 0.0, v, 0.0)
        v[:, :n] = np.where(fluid.g[:, :n] > 0.0, v[:, :n], core) + change
        matrices = PairMatrices.of_densities(grid, fluid.densities)
        molecules = fluid.intramolecular

        def evaluate(x: Array) -> tuple[Array, Response | None]:
            gamma = x / grid.r
            with np.errstate(over="ignore", invalid="ignore"):
                g = np.exp(np.minimum(gamma + factors * modified_verlet(gamma) - v, 50.0))
                direct = matrices.of(grid.r * (g - 1.0 - gamma))
            s = molecules.solve(direct)
            if s is None:
                return x, None
            gap = matrices.back(s - molecules.structure - direct) - x
            return gap, replace(self, gamma=gamma, g=g, s_k=s, change=change)

        def linear(state: Response) -> Callable[[Array], Array]:
            s = state.s_k
            slope = state.g * (1.0 + factors * modified_verlet_slope(state.gamma)) - 1.0

            def product(y: Array) -> Array:
                y = y.reshape(slope.shape)
                moved = matrices.of(slope * y)
                return np.asarray(matrices.back(sandwich(s, moved) - moved) - y).ravel()

            return product

        length = float(fluid.densities.sum()) ** (-1.0 / 3.0)
        found = damped_newton(grid.r * self.gamma, evaluate, linear, tolerance=TOLERANCE, length=length)
        return found.solution("the Ornstein-Zernike equation has no solution near the measured liquid")
