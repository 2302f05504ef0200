"""The Ornstein-Zernike equation with the HNC or PY closure as a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import ConvergenceError, InputError
from cginit.guess.assembly import VisibleTarget, potential_from, visible_target
from cginit.guess.closure_error import closure_error
from cginit.interactions import Interaction
from cginit.liquid.carried_noise import carried_noise
from cginit.liquid.fourier import sine_nodes
from cginit.liquid.inverse_problem import closed
from cginit.liquid.noise_weights import invert_by_weights, invert_together_by_weights
from cginit.liquid.ornstein_zernike import NOISE_WEIGHT, Closure, MeasuredLiquid, OZInversion
from cginit.splines import cubic_spline, even_spline_at_origin
from cginit.state import StatePoint

__all__ = [
    "IntegralEquation",
    "at_infinite_size",
    "at_infinite_sizes",
    "indirect_correlation",
    "indirect_correlations",
    "inversions_by_weight",
    "inversions_together",
    "noise_of_gamma",
    "on_sine_nodes",
    "on_target",
]

NAMES = {"hnc": "hypernetted-chain", "py": "Percus-Yevick"}


@dataclass(frozen=True)
class IntegralEquation:
    r"""The potential that has the target g(r) in the hypernetted-chain or Percus-Yevick approximation.

    Beyond -ln g it takes account of the correlations that the density brings; up to moderate densities the bridge
    function that HNC neglects is small. See `cginit.liquid.ornstein_zernike.invert`, and
    `cginit.liquid.joint_inversion` for a target that knows S(k). `u_error` is the noise of g, and what
    the closure leaves out (`cginit.guess.closure_error`).

    Parameters
    ----------
    closure : {"hnc", "py"}
        Closure relation.
    bin_average : bool
        Whether g holds averages over bins of its step, as histograms give them; False for point values.

    Examples
    --------
    >>> r = np.linspace(0.0, 3.0, 151)
    >>> target = RDF(r, np.exp(-2 * np.exp(-(r**2))), units="lj")
    >>> potential = IntegralEquation("hnc")(target, StatePoint(0.01, 1.0), r_cut=3.0)
    >>> potential.provenance.method
    'hnc'
    """

    closure: Closure = "hnc"
    bin_average: bool = True

    def __post_init__(self) -> None:
        if self.closure not in NAMES:
            raise InputError(f"closure {self.closure!r} is unknown; choose one of {', '.join(NAMES)}")

    @property
    def name(self) -> str:
        """Name of the method: that of the closure."""
        return self.closure

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
        """Propose the pair potential.

        Raises
        ------
        InputError
            If g shows nothing or ends before `r_cut`.
        ConvergenceError
            If the inversion has no solution at this density.
        """
        visible = at_infinite_size(visible_target(target, bin_average=self.bin_average), state.density)
        gamma, notes = indirect_correlation(visible, state.density, self.closure)
        return self.of_gamma(visible, gamma, state, r_cut, notes)

    def of_gamma(
        self,
        visible: VisibleTarget,
        gamma: Array,
        state: StatePoint,
        r_cut: float,
        notes: tuple[str, ...] = (),
    ) -> PairPotential:
        """Propose the pair potential for gamma = h - c ``(n,)`` on the grid of the target, and notes on it."""
        u = closed(visible.target.g, gamma, self.closure)
        u_error = state.kT * closure_error(visible, state.density, r_cut, self.closure)
        return potential_from(visible, state.kT * u, state, r_cut, self.name, u_error=u_error, notes=notes)


def at_infinite_size(visible: VisibleTarget, density: float) -> VisibleTarget:
    """Return g of an infinite system where the target says how many beads it was sampled with, else as it is.

    Where the Ornstein-Zernike equation has no solution, which this needs, g stays as it is.
    """
    return at_infinite_sizes([visible], [density])[0]


def at_infinite_sizes(visible: Sequence[VisibleTarget], densities: Sequence[float]) -> list[VisibleTarget]:
    """Return `at_infinite_size` of each target and density, their inversions together."""
    finite = [i for i, one in enumerate(visible) if one.target.beads is not None]
    found = list(visible)
    if not finite:
        return found
    # As the other inversions of this file, it is imported by the targets that need it.
    from cginit.liquid.finite_size import corrected_inversions, infinite_system

    searched = [i for i in finite if visible[i].target.smallest_wave is None]
    liquids = [_measured(visible[i], densities[i]) for i in searched]
    beads = [float(visible[i].target.beads or 0) for i in searched]
    near = dict(zip(searched, corrected_inversions(liquids, beads), strict=True))
    for i in finite:
        target, begin = visible[i].target, near.get(i)
        if isinstance(begin, ConvergenceError) or target.beads is None:
            continue
        wave = target.smallest_wave
        s_0 = wave.s if wave is not None else float(begin.s_k[0]) if begin is not None else 0.0
        corrected = infinite_system(target.g, s_0, target.beads)
        found[i] = replace(visible[i], target=replace(target, g=corrected, beads=None), near=begin)
    return found


def _measured(visible: VisibleTarget, density: float) -> MeasuredLiquid:
    """Return what is to be inverted for a target."""
    nodes, g, error = on_sine_nodes(visible)
    return MeasuredLiquid(nodes, g, density, error, start=visible.near)


def on_sine_nodes(visible: VisibleTarget) -> tuple[Array, Array, Array]:
    """Return distances, g and its error on nodes of a sine transform, with g = 0 below the first visible point."""
    r = visible.target.r
    nodes, g, error = sine_nodes(r, visible.target.g, visible.error)
    return nodes, np.where(nodes < r[visible.first], 0.0, g), error


def indirect_correlation(
    visible: VisibleTarget, density: float, closure: Closure, noise_weight: float = NOISE_WEIGHT
) -> tuple[Array, tuple[str, ...]]:
    """Return gamma = h - c ``(n,)`` on the grid of the target, and notes, by the Ornstein-Zernike inversion.

    It agrees with S(k) where the target knows it, at one small k or at many.
    It is smooth even in the core, so that grids that no sine transform has are served by interpolation.

    Raises
    ------
    ConvergenceError
        If the inversion has no solution at this density.
    """
    found = inversions_by_weight(visible, density, closure, (noise_weight,))
    return on_target(found, visible)[0], found[0].notes


def on_target(found: Sequence[OZInversion], visible: VisibleTarget) -> Array:
    """Return gamma of some inversions ``(m, n)`` on the grid of the target."""
    return np.array([_on_target(one.r, one.gamma, visible.target.r) for one in found])


def inversions_by_weight(
    visible: VisibleTarget, density: float, closure: Closure, weights: Sequence[float]
) -> list[OZInversion]:
    """Return the inversion for each weight of the noise, on nodes of a sine transform.

    S(k) is weighed with g where the target knows it. Without it each begins where the last one ended, the first at
    `VisibleTarget.near`.

    Parameters
    ----------
    visible : VisibleTarget
    density : float
        In the inverse cube of the length unit of the target.
    closure : {"hnc", "py"}
    weights : sequence of float
        How much the error of g counts against the entropy; see `cginit.liquid.invert`.

    Raises
    ------
    ConvergenceError
        If one has no solution at this density.
    """
    (found,) = inversions_together([visible], [density], closure, weights)
    if isinstance(found, ConvergenceError):
        raise found
    return found


def inversions_together(
    visible: Sequence[VisibleTarget], densities: Sequence[float], closure: Closure, weights: Sequence[float]
) -> list[list[OZInversion] | ConvergenceError]:
    """Return `inversions_by_weight` of each target, or its ConvergenceError; those of g alone together."""
    found: list[list[OZInversion] | ConvergenceError] = [[] for _ in visible]
    alone = [i for i, one in enumerate(visible) if one.target.smallest_wave is None]
    liquids = [_measured(visible[i], densities[i]) for i in alone]
    for i, one in zip(alone, invert_together_by_weights(liquids, weights, closure), strict=True):
        found[i] = one
    for i in sorted(set(range(len(visible))).difference(alone)):
        target, (nodes, g, error) = visible[i].target, on_sine_nodes(visible[i])
        try:
            found[i] = invert_by_weights(
                nodes,
                g,
                densities[i],
                error,
                weights,
                closure=closure,
                wave=target.long_wave,
                waves=target.structure_factor,
            )
        except ConvergenceError as error_of_this:
            found[i] = error_of_this
    return found


def noise_of_gamma(
    visible: VisibleTarget, found: OZInversion, density: float, noise_weight: float, at: Array, zero_at: float
) -> Array | None:
    """Return what the errors of g make of gamma ``(m,)``; None where S(k) was known, too, which leaves less of it.

    Parameters
    ----------
    visible : VisibleTarget
    found : OZInversion
        Of this target, by `inversions_by_weight`.
    density : float
        In the inverse cube of the length unit of the target.
    noise_weight : float
        That of `found`.
    at : ndarray, shape (m,)
        Distances, in the length unit of the target.
    zero_at : float
        Where gamma is taken as known, as U is 0 at its cut-off.
    """
    if visible.target.structure_factor is not None or visible.target.long_wave is not None:
        return None
    error = on_sine_nodes(visible)[2][-found.r.size :]
    return carried_noise(found, density, error, noise_weight, at, zero_at)


def indirect_correlations(
    visible: Mapping[Interaction, VisibleTarget],
    densities: Mapping[str, float],
    closure: Closure,
    noise_weight: float = NOISE_WEIGHT,
) -> tuple[dict[Interaction, Array], tuple[str, ...]]:
    """Return what `indirect_correlation` returns for each pair of a mixture, whose targets share one grid.

    Raises
    ------
    ConvergenceError
        If the inversion has no solution at these densities.
    """
    from cginit.liquid.mixture import invert_mixture

    placed = {pair: on_sine_nodes(one) for pair, one in visible.items()}
    found = invert_mixture(
        next(iter(placed.values()))[0],
        {pair.types: g for pair, (_, g, _) in placed.items()},
        densities,
        closure,
        error={pair.types: error for pair, (_, _, error) in placed.items()},
        noise_weight=noise_weight,
    )
    gamma = {
        pair: _on_target(found.r, found.h[pair.types] - found.c[pair.types], one.target.r)
        for pair, one in visible.items()
    }
    return gamma, found.notes


def _on_target(nodes: Array, gamma: Array, r: Array) -> Array:
    """Return gamma ``(n,)`` on the grid of a target, from that on the nodes of the inversion."""
    if nodes.size == r.size and np.array_equal(nodes, r):
        return gamma
    # gamma is an even function of r: its mirror image makes the value at r = 0 an interpolation.
    if nodes.size + 1 == r.size and r[0] == 0.0 and np.array_equal(nodes, r[1:]):
        return np.concatenate([[even_spline_at_origin(gamma)], gamma])
    mirrored = np.concatenate([-nodes[::-1], nodes])
    return cubic_spline(mirrored, np.concatenate([gamma[::-1], gamma]), r)
