"""What g(r) does not show: the core below its first visible point, the cut-off, and finer grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from cginit.curves import GRID_TOLERANCE, RDF, Array, PairPotential, force, uniform_grid
from cginit.errors import InputError
from cginit.splines import cubic_spline, monotone_cubic

__all__ = [
    "OVERLAP_STEPS",
    "VISIBLE",
    "check_start",
    "extend_core",
    "first_visible",
    "reaches_origin",
    "resampled",
]

#: g below this is taken as core: -kT ln g there (7 kT) rests on a handful of counts, and nothing says how many.
VISIBLE = 1e-3
#: The same where g comes with its standard error, which says more.
VISIBLE_WITH_ERROR = 1e-4
#: A first visible point within so many steps of the origin means particles that overlap, not a core.
OVERLAP_STEPS = 3
#: Steps that a start potential must have beyond the first point that g shows.
SHOWN_STEPS = 3
#: A core whose visible part does not repel gets at least this force, in kT per core radius. A soft
#: r^-12 core at U = 2 kT has 24; the floor is only reached by noise or by an attractive first point.
MIN_FORCE = 20.0
#: Ratio U'' r / F of an r^-12 core, the least curvature of the extrapolation, and the ratio above which the first
#: three points show noise rather than a core.
CURVATURE, MAX_CURVATURE = 13.0, 40.0


def first_visible(target: RDF, threshold: float | None = None) -> int:
    """Return the first index from which g shows the potential.

    The point and its successor must exceed `threshold` (by default 1e-3, or 1e-4 for a g with errors), and twice
    their standard error where one is given: a lone count inside the core is noise.

    Raises
    ------
    InputError
        If g shows no such point.
    """
    if threshold is None:
        threshold = VISIBLE if target.error is None else VISIBLE_WITH_ERROR
    floor = np.full(target.g.shape, threshold)
    if target.error is not None:
        floor = np.maximum(floor, 2.0 * target.error)
    seen = target.g > floor
    pairs = np.flatnonzero(seen[:-1] & seen[1:])
    if pairs.size == 0:
        raise InputError(
            f"g(r) never exceeds {threshold:g} up to r = {target.r_max:g} {target.units.length}; "
            "it holds no information on U(r)"
        )
    return int(pairs[0])


def check_start(potential: PairPotential, target: RDF) -> None:
    """Check that a potential reaches beyond the core of a target, so that an update of it can change g.

    Raises
    ------
    InputError
        If it ends before g shows anything, or its units are of another kind.

    Examples
    --------
    >>> r = np.linspace(0.0, 2.0, 41)
    >>> check_start(
    ...     PairPotential(r, (2 - r) ** 2, units="lj"), RDF(r, np.where(r < 0.9, 0.0, 1.0), units="lj")
    ... )
    """
    r_cut = potential.to(target.units).r_cut
    begins = float(target.r[first_visible(target)])
    if r_cut < begins + SHOWN_STEPS * target.dr - GRID_TOLERANCE * target.dr:
        unit = target.units.length
        raise InputError(
            f"the start potential ends at r = {r_cut:g} {unit}, inside the core of the target, whose g(r) begins at "
            f"r = {begins:g} {unit}; give a longer table, or one in the right units"
        )


def extend_core(r: Array, u: Array, first: int, kT: float) -> Array:
    r"""Return `u` ``(n,)`` with its first `first` values replaced by a repulsive extrapolation.

    With :math:`s = r_1 - r` measured inwards from the first valid point :math:`r_1`,

    .. math:: U(r) = U(r_1) + F s + \tfrac{1}{2} K s^2.

    The curvature K is that of the first three valid points, but at least :math:`13 F / r_1`, that of an
    :math:`r^{-12}` core, and at most :math:`40 F / r_1`. The force F is the secant to the next point (or the next
    but one, if that is larger), taken to :math:`r_1` with K, and at least 20 kT / r_1: the core stays repulsive
    whatever the first valid points are, and U(0) is finite, which tables need.

    Parameters
    ----------
    r, u : ndarray, shape (n,)
        Grid and energies.
    first : int
        Index of the first valid point.
    kT : float
        Thermal energy, in the unit of `u`.

    Examples
    --------
    >>> r = np.linspace(0, 2, 21)
    >>> u = extend_core(r, np.where(r < 1, 0.0, 2 - r), 10, kT=1.0)
    >>> bool(np.all(np.diff(u) < 0))
    True
    """
    if first == 0:
        return u
    if first >= r.size - 1:
        raise InputError(
            "a core cannot be extended from the last point of the curve; extend the range of g(r)"
        )
    start = r[first]
    dr = float(r[first + 1] - start)
    secants = -np.diff(u[first : first + 3]) / np.diff(r[first : first + 3])
    f = max(float(secants.max()), MIN_FORCE * kT / start)
    measured = float(secants[0] - secants[-1]) / dr
    k = float(np.clip(measured, CURVATURE * f / start, MAX_CURVATURE * f / start))
    f += 0.5 * k * dr
    s = start - r[:first]
    core = u[first] + f * s + 0.5 * k * s**2
    return np.concatenate([core, u[first:]])


def reaches_origin(potential: PairPotential) -> bool:
    """Whether the curve starts so close to r = 0 that it has no core left to extrapolate."""
    return bool(potential.r[0] <= 1.5 * potential.dr)


def resampled(potential: PairPotential, r: ArrayLike, kT: float) -> PairPotential:
    """Return the potential on another uniform grid that ends at the same cut-off or beyond it.

    Inside, a cubic spline, except where a core is so steep that U more than halves from step to step: there
    ln U is interpolated monotonically, since a cubic spline would oscillate far into the well. Below the first
    point, the extrapolation of `extend_core`, or a straight line if the curve reaches its first step (a
    soft particle stays soft). Beyond the cut-off 0. The force is the central difference of the new energies.

    Raises
    ------
    InputError
        If the new grid ends before the cut-off: that would move it.
    """
    grid = uniform_grid(r)
    step = float(grid[1] - grid[0])
    if grid[-1] < potential.r_cut - 1e-6 * step:
        raise InputError(
            f"the grid ends at {grid[-1]:g}, before the cut-off {potential.r_cut:g}; choose a longer grid"
        )
    tolerance = 1e-6 * step
    first = int(np.searchsorted(grid, potential.r[0] - tolerance))
    inside = (np.arange(grid.size) >= first) & (grid < potential.r_cut - tolerance)
    u = np.zeros(grid.size)
    u[inside] = _interpolated(potential, grid[inside])
    if first > 0 and reaches_origin(potential):
        slope = max(0.0, float(potential.u[0] - potential.u[1]) / potential.dr)
        u[:first] = potential.u[0] + slope * (potential.r[0] - grid[:first])
    elif first > 0:
        # The extrapolation starts at a point that the potential itself knows, so that all grids agree on it.
        known = np.concatenate([grid[:first], potential.r[:3]])
        u[:first] = extend_core(known, np.concatenate([np.zeros(first), potential.u[:3]]), first, kT)[:first]
    u_error = potential.u_error
    if u_error is not None:
        u_error = np.interp(grid, potential.r, u_error)
    return replace(potential, r=grid, u=u, f=force(grid, u), u_error=u_error)


def _interpolated(potential: PairPotential, r: Array) -> Array:
    steep = _steep_points(potential.u)
    u = cubic_spline(potential.r[steep:], potential.u[steep:], r)
    if steep:
        # Two points more than needed, if they are positive, give the slope where the spline takes over.
        positive = potential.u[: steep + 3] > 0.0
        end = int(np.argmin(positive)) if not np.all(positive) else positive.size
        inner = r < potential.r[steep]
        u[inner] = np.exp(monotone_cubic(potential.r[:end], np.log(potential.u[:end]), r[inner]))
    return u


def _steep_points(u: Array) -> int:
    """Count the leading points from which a cubic spline must keep away.

    A disturbance of a cubic spline decays by 2 - sqrt(3) = 0.27 a point. Where U itself decays faster, the error
    that the end condition makes at the first, largest energies outweighs U further out; a factor of 2 keeps a
    distance.
    """
    falls = -np.diff(u)
    gentle = (falls[:-1] <= 2.0 * falls[1:]) | (u[1:-1] <= 0.0) | (falls[1:] <= 0.0)
    first = int(np.argmax(gentle)) if np.any(gentle) else gentle.size
    # What remains must be a curve.
    return min(first, max(0, u.size - 4))
