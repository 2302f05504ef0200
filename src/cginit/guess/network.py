"""The trained networks as a guess, with a way back to liquid-state theory where they have not been trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.curves import RDF, Array, PairPotential, median
from cginit.errors import ConvergenceError
from cginit.guess.assembly import OVERLAP_STEPS, VisibleTarget, potential_from, visible_target
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import (
    IntegralEquation,
    at_infinite_size,
    inversions_by_weight,
    noise_of_gamma,
    on_target,
)
from cginit.models.correlations import WEIGHTS
from cginit.models.coverage import noise_level, outside
from cginit.models.grid import POINTS, RANGE, U_VISIBLE, bridge_grid, network_grid, on_network_grid
from cginit.models.model import Model, load_model
from cginit.models.scale import network_length
from cginit.splines import cubic_spline
from cginit.state import StatePoint, excluded_diameter

__all__ = ["NetworkGuess", "View", "on_target_grid"]

#: Median standard error in kT, over the visible part, from which the members of the ensemble count as at odds.
MAX_ERROR = 1.0
#: g up to here is the flank of a core, which is too steep for the network's grid.
FLANK = 0.5
#: Training g's end at 3 network sigma at the earliest.
SHORTEST_RANGE = 3.0
#: The model that needs no solution of the Ornstein-Zernike equation.
WITHOUT_INVERSION = "cn-f"
#: Sigma of the WCA beads of the training in units of their excluded diameter.
CORE = 1.1
#: Size of h = g - 1 from which on the network's bridge function counts where S(k) is known. Bridge functions begin
#: with the square of h, so that U/kT is -c where g has come to 1; a network that has learned from noisy inversions
#: adds what those lacked. From 0.1 to 0.8 the pressures of eleven test fluids of long-ranged repulsion are about as
#: good (`benchmarks/long_waves`).
LARGE_H = 0.2
#: Width of the change-over from flank to the rest, in network sigmas.
FADE = 0.2


@dataclass(frozen=True)
class NetworkGuess:
    r"""The potential that a trained network sees in g(r) and the density.

    1. Lengths become multiples of the network's sigma (`cginit.models.scale.network_length`, at most a fifth of the
       range of g or, for networks that see g alone, sigma of a core). g goes onto the points of the network on
       [0, 5] sigma, 50 or, for the bridge function, 101; a missing core is 0, and beyond the end of the target g is
       1. A network of the bridge function also sees gamma = h - c of the Ornstein-Zernike equation on the grid of the
       target.
    2. The network gives U/kT and the spread of its ensemble on the same points.
    3. A cubic spline takes U back to the grid of the target. The flank of a core (g < 0.5) is steeper than these
       points can follow; there, and for the bridge function everywhere, the difference :math:`U/kT + \ln g`, which is
       smooth, is taken back instead.
    4. Below the first visible point of g the core is extrapolated, and U(r_cut) = 0 by shift.

    If the input lies outside of what the network was trained on (`cginit.models.coverage`), or its members
    are at odds, the guess is that of HNC, or of Boltzmann inversion where HNC has no solution, and its notes
    say why. Where a network of the bridge function finds no solution of the Ornstein-Zernike equation, ``cn-f`` takes
    its place.

    Parameters
    ----------
    name : str
        Name of the model, one of `cginit.models.model.model_names`.
    fallback : bool
        Whether to fall back outside the trained range. False returns the network's curve there, with the notes.
    bin_average : bool
        Whether g holds averages over bins of its step, as histograms give them; False for point values.
    folder : Path, optional
        Where the model's files are, if not in the package.
    stretch : float
        Factor on the network's sigma, on which the result should not hang: the networks are trained for any.

    References
    ----------
    F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441.

    Examples
    --------
    >>> r = np.linspace(0.0, 5.0, 101)
    >>> target = RDF(r, np.exp(-2 * np.exp(-(r**2))), units="lj")
    >>> potential = NetworkGuess()(target, StatePoint(0.2, 1.0), r_cut=3.0)
    >>> potential.provenance.method
    'cn-f'
    """

    name: str = "cn-f"
    fallback: bool = True
    bin_average: bool = True
    folder: Path | None = None
    stretch: float = 1.0

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
        """Propose the pair potential.

        Raises
        ------
        InputError
            If g shows nothing or ends before `r_cut`, or there is no such model.
        """
        return self.of_correlations(target, state, r_cut, None)

    def of_correlations(
        self, target: RDF, state: StatePoint, r_cut: float, gamma: Array | None
    ) -> PairPotential:
        """Propose the pair potential from g and, for the bridge function, from gamma = h - c of another source.

        Parameters
        ----------
        target, state, r_cut
            See `Guess`.
        gamma : ndarray, shape (2, n), or None
            On the grid of the target, by inversions with the two `cginit.models.correlations.WEIGHTS` of noise; None
            for those of a fluid of one species.

        Raises
        ------
        InputError
            If g shows nothing or ends before `r_cut`, or there is no such model.
        """
        model = load_model(self.name, self.folder)
        visible = at_infinite_size(visible_target(target, bin_average=self.bin_average), state.density)
        length = self._length(model, visible.target, state, r_cut)
        points = bridge_grid() if model.sees_correlations else network_grid()
        both = on_network_grid(visible.target, length, np.concatenate([network_grid(), points]))
        g, fine = both[:POINTS], both[POINTS:]
        density = state.density * length**3
        noise = noise_level(visible.target.r, visible.error) / length**1.5
        reasons = list(outside(model.domain, g, density, noise))
        if target.r_max < SHORTEST_RANGE * length * (1.0 - 1e-9):
            reasons.append(
                f"g(r) ends at {target.r_max / length:.2g} network sigma; the network was trained down to "
                f"{SHORTEST_RANGE:g}"
            )
        try:
            view = (
                _view_of_correlations(model, visible, density, length, fine, gamma, r_cut)
                if model.sees_correlations
                else _view_of_g(model, fine, density)
            )
        except ConvergenceError as error:
            if not self.fallback:
                raise
            return self._smaller(target, state, r_cut, error)
        doubt = median(view.error[view.g > 0.0])
        if not doubt <= MAX_ERROR:
            reasons.append(f"the networks of the ensemble differ by {doubt:.2g} kT")
        if reasons and self.fallback:
            return self._instead(target, state, r_cut, reasons)

        notes = [f"outside the trained range of {self.name}: {reason}" for reason in reasons]
        if target.r_max < RANGE * length * (1.0 - 1e-6):
            notes.append(
                f"g(r) ends at {target.r_max:.4g} {target.units.length}, before the network's range of "
                f"{RANGE * length:.4g}; it was taken as 1 beyond"
            )
        back = _corrected if model.sees_correlations else on_target_grid
        curve, curve_error = back(visible, length, view)
        if view.gamma is not None and target.structure_factor is not None:
            curve = _bounded(visible, curve, view.gamma)
        notes += view.notes
        return potential_from(
            visible,
            state.kT * curve,
            state,
            r_cut,
            self.name,
            model=f"{model.name} {model.version}",
            u_error=state.kT * curve_error,
            notes=tuple(notes),
        )

    def _length(self, model: Model, target: RDF, state: StatePoint, r_cut: float) -> float:
        """Return the network sigma in the length unit of the target."""
        length = self.stretch * network_length(target, state, r_cut)
        # The networks are trained over a wide range of scales; the best is one at which g covers all of their range.
        # On the 50 points of those that see g alone, a core must not be larger than in training.
        core = 0.0 if model.sees_correlations else CORE * excluded_diameter(target)
        return max(min(length, max(target.r_max / RANGE, core)), r_cut / RANGE)

    def _smaller(self, target: RDF, state: StatePoint, r_cut: float, why: ConvergenceError) -> PairPotential:
        potential = replace(self, name=WITHOUT_INVERSION, folder=None)(target, state, r_cut)
        if potential.provenance is not None and potential.provenance.method == WITHOUT_INVERSION:
            first = f"{self.name} was not used, {WITHOUT_INVERSION} was: {why}"
        else:
            # The notes that follow say why that one was not used either, and what was.
            first = f"{self.name} was not used: {why}"
        rest = (note.replace(f"({why})", "for the same reason") for note in potential.notes)
        return replace(potential, notes=(first, *rest))

    def _instead(self, target: RDF, state: StatePoint, r_cut: float, reasons: list[str]) -> PairPotential:
        why = "; ".join(reasons)
        try:
            potential = IntegralEquation("hnc", self.bin_average)(target, state, r_cut)
            note = f"{self.name} was not used, HNC was: {why}"
        except ConvergenceError as error:
            potential = Boltzmann(self.bin_average)(target, state, r_cut)
            note = f"{self.name} was not used, and HNC failed ({error}); this is Boltzmann inversion: {why}"
        return replace(potential, notes=(note, *potential.notes))


@dataclass(frozen=True, eq=False)
class View:
    """What a network sees and says: g, U/kT and its standard error, each ``(n,)``, at `points` in network sigmas.

    `gamma` is h - c on the grid of the target, where it was inverted for, and `notes` are on that.
    """

    points: Array
    g: Array
    u: Array
    error: Array
    gamma: Array | None = None
    notes: tuple[str, ...] = ()


def _view_of_g(model: Model, g: Array, density: float) -> View:
    """Return what a network says of g ``(50,)`` on its grid and of the density in network sigma^-3."""
    u, error = model(g[None], np.array([density]))
    return View(network_grid(), g, u[0], error[0])


def _view_of_correlations(
    model: Model,
    visible: VisibleTarget,
    density: float,
    length: float,
    g: Array,
    given: Array | None,
    r_cut: float,
) -> View:
    """Return what a network of the bridge function says.

    Parameters
    ----------
    model : Model
    visible : VisibleTarget
    density : float
        In network sigma^-3.
    length : float
        The network sigma, in the length unit of the target.
    g : ndarray, shape (101,)
        On the grid of the network.
    given : ndarray, shape (2, n), or None
        gamma on the grid of the target; None to invert the target for it.
    r_cut : float
        Where U is 0, in the length unit of the target.

    Raises
    ------
    ConvergenceError
        If the target has no inversion.
    """
    points = bridge_grid()
    own: Array | None = None
    carried: Array | None = None
    notes: tuple[str, ...] = ()
    if given is None:
        rho = density / length**3
        found = inversions_by_weight(visible, rho, "hnc", WEIGHTS)
        given, notes = on_target(found, visible), found[0].notes
        own = given[0]
        if model.carried_scale > 0.0:
            carried = noise_of_gamma(visible, found[0], rho, WEIGHTS[0], points * length, r_cut)
    gamma = _on_bridge_grid(given, visible.target.r, length)
    u0 = -np.log(np.maximum(g, np.exp(-U_VISIBLE)))
    noise = None if carried is None else carried[None]
    u, error = model(u0[None], gamma[None], np.array([density]), carried=noise)
    return View(points, g, u[0], error[0], own, notes)


def _bounded(visible: VisibleTarget, curve: Array, gamma: Array) -> Array:
    r"""Return U/kT ``(n,)`` of the network with its bridge function only where correlations are strong.

    .. math:: U/kT = -\ln g + \gamma + \frac{H^2}{H^2 + H_0^2} B, \qquad H(r) = \max_{r' \ge r} |h(r')|
    """
    strongest = np.maximum.accumulate(np.abs(visible.target.g - 1.0)[::-1])[::-1] ** 2
    with np.errstate(divide="ignore"):
        closure = -np.log(visible.target.g) + gamma
    seen = np.isfinite(closure) & np.isfinite(curve)
    bridge = np.where(seen, curve, 0.0) - np.where(seen, closure, 0.0)
    part = strongest / (strongest + LARGE_H**2)
    return np.asarray(np.where(seen, np.where(seen, closure, 0.0) + part * bridge, curve), dtype=np.float64)


def _on_bridge_grid(gamma: Array, r: Array, length: float) -> Array:
    """Return gamma ``(2, 101)`` where the network wants it; 0 beyond the end of the target, as in training."""
    at = bridge_grid() * length
    # An even function of r, which its mirror image continues through r = 0.
    beyond = slice(None, None if r[0] > 0.0 else 0, -1)
    mirror = np.concatenate([-r[beyond], r])
    both = np.concatenate([gamma[:, beyond], gamma], axis=1)
    values = cubic_spline(mirror, both.T, np.minimum(at, r[-1])).T
    inside = at <= r[-1] * (1.0 + 1e-9)
    return np.asarray(np.where(inside, values, 0.0), dtype=np.float64)


def _corrected(visible: VisibleTarget, length: float, view: View) -> tuple[Array, Array]:
    """Return U/kT and its error ``(n,)`` on the grid of the target: -ln g there, and what the network adds to it."""
    target, points = visible.target, view.points
    first = min(int(np.argmax(view.g > 0.0)), points.size - 4)
    x = target.r / length
    shown = np.maximum(view.g, np.exp(-U_VISIBLE))
    added = cubic_spline(
        points[first:], (view.u + np.log(shown))[first:], np.clip(x, points[first], points[-1])
    )
    with np.errstate(divide="ignore"):
        u0 = -np.log(target.g)
    curve = np.where(x <= points[-1] * (1.0 + 1e-9), u0 + added, 0.0)
    # Of -ln g at the point itself.
    noise = np.minimum(visible.error / np.maximum(target.g, np.exp(-20.0)), 20.0)
    return (
        np.asarray(curve, dtype=np.float64),
        np.asarray(np.hypot(np.interp(x, points[first:], view.error[first:]), noise), dtype=np.float64),
    )


def on_target_grid(visible: VisibleTarget, length: float, view: View) -> tuple[Array, Array]:
    """Return U/kT and its error ``(n,)`` on the grid of the target from what a network says."""
    x = visible.target.r / length
    points, g, u, error = view.points, view.g, view.u, view.error
    # Where g shows nothing the network continues U as it likes; a spline through it would bend the visible part.
    first = min(int(np.argmax(g > 0.0)), points.size - 4)
    known = slice(first, None)
    inside = np.clip(x, points[first], points[-1])
    # Of the flank of a core, the smooth difference to -ln g; one spline is built for both curves.
    tiny = np.exp(-20.0)
    curves = np.stack([u[known], u[known] + np.log(np.maximum(g[known], tiny))], axis=1)
    whole, smooth = cubic_spline(points[known], curves, inside).T
    curve = np.where(x <= points[-1], whole, 0.0)
    curve_error = np.interp(x, points[known], error[known])
    if visible.first <= OVERLAP_STEPS:
        return curve, curve_error

    target = visible.target
    beyond = np.flatnonzero((np.arange(x.size) >= visible.first) & (target.g >= FLANK))
    if beyond.size == 0:
        return curve, curve_error
    flank = smooth - np.log(np.maximum(target.g, tiny))
    fade = np.clip((x - x[beyond[0]]) / FADE, 0.0, 1.0)
    weight = np.where(target.g > 0.0, 0.5 + 0.5 * np.cos(np.pi * fade), 0.0)
    counting = visible.error / np.maximum(target.g, tiny)
    noise = np.where(target.g > 0.0, weight * np.minimum(counting, 20.0), 0.0)
    return (
        np.asarray(weight * flank + (1.0 - weight) * curve, dtype=np.float64),
        np.asarray(np.hypot(curve_error, noise), dtype=np.float64),
    )
