r"""From a distribution to a potential, and what closes a potential where the distribution shows nothing.

The Boltzmann inversion :math:`U = -kT \ln(p/J)` with the measure J of the coordinate knows U only where the
distribution has been seen. Beyond, U goes on as a wall: a parabola that starts with the slope of the seen end and is
as stiff as the well, so that a bond is held whatever the noise of its rarest lengths. Between two peaks that are
apart the walls of both meet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cginit.bonded import BondedPotential, Distribution
from cginit.bonded_grids import grid_step
from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["SEEN", "WALL", "inverted", "seen", "settled"]

#: A density below this part of the largest rests on a few counts, if nothing says how many.
SEEN = 1e-3
#: The same where the distribution comes with its standard error, and how many of these a point must exceed.
SEEN_WITH_ERROR, SIGMAS = 1e-4, 3.0
#: Height of the walls that end a bond's table, in kT: e^-50 of all moments reach it.
WALL = 50.0
#: Height, in kT, from which a wall goes on as a straight line, so that its energies stay within reason.
STRAIGHT = 100.0
#: Points at the end of what is seen whose mean slope a wall begins with.
END_POINTS = 5
#: The least weight of a point beside the mean, in the smoothing; beyond this the spline is not well conditioned.
LEAST_WEIGHT = 1e-3

BoolArray = NDArray[np.bool_]


def seen(target: Distribution) -> BoolArray:
    """Return at which grid points ``(n,)`` a distribution shows its potential.

    Raises
    ------
    InputError
        If there are not three.
    """
    floor = np.full(target.x.size, SEEN * float(target.p.max()))
    if target.error is not None:
        floor = np.maximum(SEEN_WITH_ERROR * float(target.p.max()), SIGMAS * target.error)
    found = target.p > floor
    if np.count_nonzero(found) < 3:
        raise InputError(
            f"the distribution of the {target.coordinate} has {np.count_nonzero(found)} points that are seen; a "
            "potential needs three or more: sample it on a finer grid"
        )
    return found


def inverted(target: Distribution, ideal: Array, kT: float) -> BondedPotential:
    r"""Return :math:`-kT \ln(p/J)`, smooth where p was sampled and closed elsewhere.

    Noise of the rare values is taken out by a smoothing spline of what differs from the parabola through the points,
    with the weights of the counts and the strength that generalised cross-validation finds. Where p has no noise it
    changes nothing, and the noise of a harmonic spring leaves its stiffness alone.

    Parameters
    ----------
    target : Distribution
        What was seen.
    ideal : ndarray, shape (n,)
        Measure J, averaged over each bin.
    kT : float
        Thermal energy, in the unit of the result.
    """
    known = seen(target)
    u = np.zeros(target.x.size)
    u[known] = -kT * np.log(target.p[known] / np.maximum(ideal[known], 1e-300))
    # The number of counts is not known, but its ratios are. The errors of single bins tell them worse: ten blocks
    # know each to a quarter, and bins that happen to have a small one would draw the curve to their noise.
    relative = target.p[known]
    weights = np.zeros(target.x.size)
    weights[known] = np.maximum(relative / relative.mean(), LEAST_WEIGHT)
    u = _smoothed(u, weights, known, periodic=target.coordinate == "dihedral")
    x, u = _closed(target.x, u, known, target.coordinate, kT)
    return BondedPotential.shifted(x, u, coordinate=target.coordinate, units=target.units)


def settled(potential: BondedPotential, target: Distribution, kT: float) -> BondedPotential:
    """Return a potential on the grid of a target, closed where the target shows nothing, with its minimum at 0."""
    if potential.coordinate != target.coordinate or potential.units != target.units:
        raise InputError(
            f"a {potential.coordinate} in {potential.units.name} cannot be settled on a {target.coordinate} in "
            f"{target.units.name}"
        )
    known = seen(target)
    u = np.zeros(target.x.size)
    inside = known.copy()
    if target.coordinate == "dihedral":
        x, v, _ = potential.periodic()
        u = np.interp(target.x, x, v, period=2.0 * np.pi)
    else:
        slack = 1e-6 * target.dx
        inside &= (target.x >= potential.x[0] - slack) & (target.x <= potential.x[-1] + slack)
        u[inside] = np.interp(target.x[inside], potential.x, potential.u)
    x, u = _closed(target.x, u, inside, target.coordinate, kT)
    return BondedPotential.shifted(
        x,
        u,
        coordinate=potential.coordinate,
        units=potential.units,
        provenance=potential.provenance,
        notes=potential.notes,
    )


def _runs(known: BoolArray) -> list[tuple[int, int]]:
    """Return begin and end (exclusive) of the runs of known points."""
    steps = np.diff(np.concatenate([[0], known.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def _smoothed(u: Array, weights: Array, known: BoolArray, *, periodic: bool) -> Array:
    from scipy.interpolate import make_smoothing_spline

    if periodic:
        # Where nothing is seen the turn can be cut; a turn that is seen all along overlaps with itself.
        shift = 0 if known.all() else int(np.flatnonzero(~known)[0])
        if not known.all():
            cut = (np.roll(u, -shift), np.roll(weights, -shift), np.roll(known, -shift))
            return np.roll(_smoothed(*cut, periodic=False), shift)
        half = u.size // 2
        around = np.arange(-half, u.size + half) % u.size
        return _smoothed(u[around], weights[around], known[around], periodic=False)[half : half + u.size]
    result = u.copy()
    for begin, end in _runs(known):
        if end - begin >= 10:
            points, own = np.arange(end - begin, dtype=np.float64), weights[begin:end]
            # The spline ends without curvature and is drawn to have none; a spring is all curvature.
            spring = np.polyval(np.polyfit(points, u[begin:end], 2, w=np.sqrt(own)), points)
            rest = make_smoothing_spline(points, u[begin:end] - spring, w=own)
            result[begin:end] = spring + rest(points)
    return result


def _closed(x: Array, u: Array, known: BoolArray, coordinate: str, kT: float) -> tuple[Array, Array]:
    """Return grid and energies with walls where nothing is known; the grid of a bond ends where these are high."""
    step = grid_step(x, coordinate)
    well = _stiffness(x, u, known, coordinate, kT)
    if coordinate == "dihedral":
        if known.all():
            return x, u
        n = x.size
        turns = [np.concatenate([values] * 3) for values in (u, known)]
        return x, _walled(turns[0], turns[1].astype(bool), step, well, kT)[n : 2 * n]
    if coordinate == "angle":
        return x, _walled(u, known, step, well, kT)
    below = float(u[known].min())
    first, last = (int(k) for k in np.flatnonzero(known)[[0, -1]])
    reach = int(np.ceil(np.sqrt(2.0 * (WALL + 10.0) * kT / well) / step)) + 2
    low = max(first - reach, -round(x[0] / step + 1e-9))
    grid = x[0] + step * np.arange(low, last + reach + 1)
    wide, mask = np.zeros(grid.size), np.zeros(grid.size, dtype=bool)
    chosen = np.arange(first, last + 1)
    wide[chosen - low], mask[chosen - low] = u[chosen], known[chosen]
    wide = _walled(wide, mask, step, well, kT)
    within = np.flatnonzero(wide - below <= WALL * kT)
    begin, end = max(int(within[0]) - 1, 0), min(int(within[-1]) + 2, grid.size)
    begin += int(grid[begin] < 0.0)
    return grid[begin:end], wide[begin:end]


def _stiffness(x: Array, u: Array, known: BoolArray, coordinate: str, kT: float) -> float:
    """Least curvature of a wall: that of the harmonic well with the variance of the narrowest peak that is seen."""
    variances = []
    for begin, end in _runs(known):
        density = np.exp(-(u[begin:end] - u[begin:end].min()) / kT)
        place = x[begin:end]
        mean = float(density @ place / density.sum())
        variances.append(float(density @ (place - mean) ** 2 / density.sum()))
    step = grid_step(x, coordinate)
    return kT / max(min(variances), step**2)


def _walled(u: Array, known: BoolArray, step: float, well: float, kT: float) -> Array:
    """Return energies with each unknown point on the lower of the walls that begin at the known ends beside it."""
    result = np.where(known, u, np.inf)
    points = np.arange(u.size)
    for begin, end in _runs(known):
        for edge, way in ((begin, -1), (end - 1, 1)):
            count = min(END_POINTS, end - begin)
            inner = edge - way * np.arange(count)
            slope = float(np.polyfit(way * step * inner, u[inner], 1)[0]) if count > 1 else 0.0
            beyond = way * (points - edge)
            s = step * np.maximum(beyond, 0)
            wall = u[edge] + _wall(s, max(slope, 0.0), well, kT)
            free = ~known & (beyond > 0)
            result[free] = np.minimum(result[free], wall[free])
    return np.asarray(result, dtype=np.float64)


def _wall(s: Array, slope: float, curvature: float, kT: float) -> Array:
    """Return ``slope s + curvature s^2 / 2``, straight from the height `STRAIGHT` on."""
    height = STRAIGHT * kT
    turn = (np.sqrt(slope**2 + 2.0 * curvature * height) - slope) / curvature
    inner = np.minimum(s, turn)
    parabola = slope * inner + 0.5 * curvature * inner**2
    return np.asarray(parabola + (slope + curvature * turn) * (s - inner), dtype=np.float64)
