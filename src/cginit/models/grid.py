"""The grid on which the networks see g(r) and give U(r), and the interpolation to and from it."""

from __future__ import annotations

import numpy as np

from cginit.curves import RDF, Array

__all__ = [
    "BRIDGE_POINTS",
    "POINTS",
    "RANGE",
    "U_CUT",
    "U_VISIBLE",
    "boltzmann_potential",
    "bridge_grid",
    "interpolate",
    "network_grid",
    "on_network_grid",
    "resample_g",
]

#: Evenly spaced points on [0, RANGE] sigma of input and output, as published.
POINTS = 50
RANGE = 5.0
#: Points of the networks that see the correlations of a liquid, fine enough for the flank of a core.
BRIDGE_POINTS = 101
#: Energies above this (in kT) do not count in losses and errors, as published.
U_CUT = 20.0
#: -ln g is read up to here; it belongs to g = 1e-3, the least that a sampled g(r) shows.
U_VISIBLE = -float(np.log(1e-3))


def network_grid() -> Array:
    """Return the 50 evenly spaced points of [0, 5] sigma, shape (50,)."""
    return np.linspace(0.0, RANGE, POINTS)


def bridge_grid() -> Array:
    """Return the grid of the networks of the bridge function, that of the simulated g, shape (101,)."""
    return np.linspace(0.0, RANGE, BRIDGE_POINTS)


def interpolate(y: Array, start: float, step: float, at: Array, beyond: float) -> Array:
    """Return values ``(m, p)`` of curves `y` ``(m, n)`` on a uniform grid at distances ``(m, p)`` or ``(p,)``.

    Cubic Hermite pieces with central-difference slopes: local, so that the jump of g at a hard core does not ring
    through the whole curve, and of third order where the curve is smooth. Before `start` the first value holds,
    after the end `beyond` does.

    Examples
    --------
    >>> x = np.linspace(0, 1, 11)
    >>> float(interpolate((x**2)[None], 0.0, 0.1, np.array([0.55]), 0.0)[0, 0]).__round__(6)
    0.3025
    """
    last = y.shape[1] - 1
    position = np.broadcast_to((np.asarray(at) - start) / step, (y.shape[0], np.shape(at)[-1]))
    # The end itself, up to rounding, still belongs to the curve.
    inside = position <= last + 1e-9
    position = np.clip(position, 0.0, last)
    left = np.minimum(position.astype(np.intp), last - 1)
    t = position - left
    slopes = np.gradient(y, axis=1)
    y0, y1 = np.take_along_axis(y, left, 1), np.take_along_axis(y, left + 1, 1)
    m0, m1 = np.take_along_axis(slopes, left, 1), np.take_along_axis(slopes, left + 1, 1)
    d = y1 - y0
    values = y0 + t * (m0 + t * (3.0 * d - 2.0 * m0 - m1 + t * (m0 + m1 - 2.0 * d)))
    return np.asarray(np.where(inside, values, beyond), dtype=np.float64)


def boltzmann_potential(g: Array) -> Array:
    """Return U0 = -ln g in kT, of the shape of `g`; below g = 1e-3, which shows nothing, it stays at ln 1e3 = 6.9."""
    return np.asarray(-np.log(np.maximum(g, np.exp(-U_VISIBLE))), dtype=np.float64)


def resample_g(g: Array, start: float, step: float, at: Array) -> Array:
    """Return g at distances `at` as `interpolate` does, interpolated as -ln g, with g = 1 beyond the end.

    At a hard core g rises by decades within a step, -ln g is smooth there. Below 1e-3, g is returned as 0.
    """
    u0 = boltzmann_potential(g)
    # The slope at the first visible point needs the point before it, which only the next ones can tell.
    first = np.argmax(u0 < U_VISIBLE - 1e-6, axis=1)
    rows = np.flatnonzero((first > 0) & (first < u0.shape[1] - 2))
    i = first[rows]
    steep = 3.0 * u0[rows, i] - 3.0 * u0[rows, i + 1] + u0[rows, i + 2]
    u0[rows, i - 1] = np.maximum(steep, U_VISIBLE)
    found = interpolate(u0, start, step, at, 0.0)
    return np.asarray(np.where(found < U_VISIBLE - 1e-6, np.exp(-found), 0.0), dtype=np.float64)


def on_network_grid(target: RDF, length: float, grid: Array | None = None) -> Array:
    """Return g ``(50,)`` on the network's grid for a network sigma of `length`, in the units of `target`.

    A core that the target does not hold is 0; beyond its end g is 1. Another `grid`, in network sigmas, may be given.
    """
    full = target.with_core()
    at = (network_grid() if grid is None else grid) * length
    curves = resample_g(full.g[None, :], float(full.r[0]), full.dr, at)
    return np.asarray(curves[0], dtype=np.float64)
