"""What a network says of a g(r), on its own points, and the way of that back to the grid of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.extrapolate import OVERLAP_STEPS
from cginit.guess.assembly import VisibleTarget
from cginit.guess.integral_equation import inversions_together, noise_of_gamma, on_target
from cginit.liquid.inverse_problem import closed
from cginit.models.correlations import WEIGHTS
from cginit.models.grid import U_VISIBLE, boltzmann_potential, bridge_grid, network_grid
from cginit.models.model import Model
from cginit.splines import cubic_spline

__all__ = ["Seen", "View", "bounded", "corrected", "on_target_grid", "views_of_correlations", "views_of_g"]

#: g up to here is the flank of a core, which is too steep for the network's grid.
FLANK = 0.5
#: Size of h = g - 1 from which on the network's bridge function counts where S(k) is known. Bridge functions begin
#: with the square of h, so that U/kT is -c where g has come to 1; a network that has learned from noisy inversions
#: adds what those lacked. From 0.1 to 0.8 the pressures of eleven test fluids of long-ranged repulsion are about as
#: good (`benchmarks/long_waves`).
LARGE_H = 0.2
#: Width of the change-over from flank to the rest, in network sigmas.
FADE = 0.2


@dataclass(frozen=True, eq=False)
class Seen:
    """A target as a network sees it.

    Attributes
    ----------
    visible : VisibleTarget
    density : float
        In network sigma^-3.
    length : float
        The network sigma, in the length unit of the target.
    g : ndarray, shape (points,)
        On the grid of the network.
    r_cut : float
        Where U is 0, in the length unit of the target.
    gamma : ndarray, shape (2, n), or None
        For the bridge function, h - c of another source on the grid of the target, for the two
        `cginit.models.correlations.WEIGHTS` of noise; None to invert the target for it.
    """

    visible: VisibleTarget
    density: float
    length: float
    g: Array
    r_cut: float
    gamma: Array | None = None


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


def views_of_g(model: Model, seen: Sequence[Seen]) -> list[View]:
    """Return what a network says of g ``(50,)`` and the density."""
    if not seen:
        return []
    u, error = model(np.array([one.g for one in seen]), np.array([one.density for one in seen]))
    return [View(network_grid(), one.g, *row) for one, *row in zip(seen, u, error, strict=True)]


@dataclass(frozen=True, eq=False)
class _Correlations:
    """gamma ``(2, n)`` on the grid of the target, its noise ``(101,)`` on that of the network, and notes.

    `own` says that the target was inverted for it.
    """

    gamma: Array
    own: bool = False
    carried: Array | None = None
    notes: tuple[str, ...] = ()


def views_of_correlations(model: Model, seen: Sequence[Seen]) -> list[View | ConvergenceError]:
    """Return what a network of the bridge function says of g ``(101,)``; ConvergenceError without an inversion."""
    known = _correlations(model, seen)
    rows = [(one, found) for one, found in zip(seen, known, strict=True) if isinstance(found, _Correlations)]
    if not rows:
        return [one for one in known if isinstance(one, ConvergenceError)]
    points = bridge_grid()
    u0 = boltzmann_potential(np.array([one.g for one, _ in rows]))
    gamma = np.array([_on_bridge_grid(found.gamma, one.visible.target.r, one.length) for one, found in rows])
    # Noise that is not known adds nothing.
    nothing = np.zeros(points.size)
    noise = np.array([nothing if found.carried is None else found.carried for _, found in rows])
    u, error = model(u0, gamma, np.array([one.density for one, _ in rows]), carried=noise)
    views = iter(
        View(points, one.g, potential, spread, found.gamma[0] if found.own else None, found.notes)
        for (one, found), potential, spread in zip(rows, u, error, strict=True)
    )
    return [one if isinstance(one, ConvergenceError) else next(views) for one in known]


def _correlations(model: Model, seen: Sequence[Seen]) -> list[_Correlations | ConvergenceError]:
    """Return gamma as it is given, or by inversions of the targets, together; ConvergenceError without one."""
    known: list[_Correlations | ConvergenceError] = [
        _Correlations(np.empty(0) if one.gamma is None else one.gamma) for one in seen
    ]
    asked = [i for i, one in enumerate(seen) if one.gamma is None]
    densities = [seen[i].density / seen[i].length ** 3 for i in asked]
    found = inversions_together([seen[i].visible for i in asked], densities, "hnc", WEIGHTS)
    for i, rho, inversions in zip(asked, densities, found, strict=True):
        if isinstance(inversions, ConvergenceError):
            known[i] = inversions
            continue
        visible, first, at = seen[i].visible, inversions[0], bridge_grid() * seen[i].length
        carried = None
        if model.carried_scale > 0.0:
            carried = noise_of_gamma(visible, first, rho, WEIGHTS[0], at, seen[i].r_cut)
        known[i] = _Correlations(on_target(inversions, visible), True, carried, first.notes)
    return known


def bounded(visible: VisibleTarget, curve: Array, gamma: Array) -> Array:
    r"""Return U/kT ``(n,)`` of the network with its bridge function only where correlations are strong.

    .. math:: U/kT = -\ln g + \gamma + \frac{H^2}{H^2 + H_0^2} B, \qquad H(r) = \max_{r' \ge r} |h(r')|
    """
    strongest = np.maximum.accumulate(np.abs(visible.target.g - 1.0)[::-1])[::-1] ** 2
    closure = closed(visible.target.g, gamma)
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


def corrected(visible: VisibleTarget, length: float, view: View) -> tuple[Array, Array]:
    """Return U/kT and its error ``(n,)`` on the grid of the target: -ln g there, and what the network adds to it."""
    target, points = visible.target, view.points
    first = min(int(np.argmax(view.g > 0.0)), points.size - 4)
    x = target.r / length
    shown = np.maximum(view.g, np.exp(-U_VISIBLE))
    added = cubic_spline(
        points[first:], (view.u + np.log(shown))[first:], np.clip(x, points[first], points[-1])
    )
    curve = np.where(x <= points[-1] * (1.0 + 1e-9), closed(target.g, added), 0.0)
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
