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
from cginit.bonded_grids import grid_step, period
from cginit.coordinates.smoothing import Smoothing, runs_of
from cginit.curves import Array
from cginit.errors import InputError
from cginit.names import with_article

__all__ = ["SEEN", "WALL", "ended_where_high", "inverted", "seen", "settled"]

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
#: Newton's method needs five or so.
NEWTON_STEPS = 50

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

    Noise of the rare values is taken out by the most probable smooth curve around a parabola, with the weights of the
    counts (`cginit.coordinates.smoothing`); then the parabola is added that makes what was seen most probable
    (`_as_often`). Where p has no noise this changes nothing, and the noise of a harmonic spring leaves its stiffness
    alone.

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
    u, turn = np.zeros(target.x.size), period(target.coordinate)
    u[known] = -kT * np.log(target.p[known] / np.maximum(ideal[known], 1e-300))
    # The number of counts is not known, but its ratios are. The errors of single bins tell them worse: ten blocks
    # know each to a quarter, and bins that happen to have a small one would draw the curve to their noise.
    u = Smoothing.of(target.p, known, periodic=turn is not None)(u)
    if not known.all():
        u = kT * _as_often(u / kT, target, ideal, known)
    x, u = _closed(target.x, u, known, target.coordinate, kT)
    return BondedPotential.shifted(x, u, coordinate=target.coordinate, units=target.units)


def settled(potential: BondedPotential, target: Distribution, kT: float) -> BondedPotential:
    """Return a potential on the grid of a target, closed where the target shows nothing, with its minimum at 0."""
    if potential.coordinate != target.coordinate or potential.units != target.units:
        raise InputError(
            f"{with_article(potential.coordinate)} in {potential.units.name} cannot be settled on "
            f"{with_article(target.coordinate)} in {target.units.name}"
        )
    known = seen(target)
    u = np.zeros(target.x.size)
    inside = known.copy()
    if turn := period(target.coordinate):
        x, v, _ = potential.periodic()
        u = np.interp(target.x, x, v, period=turn)
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


def _as_often(u: Array, target: Distribution, ideal: Array, known: BoolArray) -> Array:
    r"""Return energies in kT with the parabola added under which each peak that was seen is most probable.

    .. math:: \sum_i (p_i - q_i) \, \varphi_i = 0, \qquad q_i = J_i \exp(-u_i - c \cdot \varphi_i), \qquad
              \varphi = 1, x, x^2

    so that number, mean and variance of each peak are those of the counts, which know the stiffness of a spring best;
    least squares of logarithms, which smoothing is, know it by a third worse. That only few are beyond what was seen
    tells most of it: of a single peak with noise the sum runs over all bins, with the parabola through the seen ones.
    The likelihood of counts is concave in c; Newton's method finds its maximum.

    Source: P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd ed. (1989), section 6.
    """
    result, runs = u.copy(), runs_of(known)
    for begin, end in runs:
        if end - begin < 10:
            continue
        place = (np.arange(u.size) - 0.5 * (begin + end - 1)) / (0.5 * (end - begin))
        own = slice(begin, end)
        spring = np.polyfit(place[own], u[own], 2, w=np.sqrt(target.p[own]))
        whole = len(runs) == 1 and target.error is not None and spring[0] > 0.0
        bins = slice(0, u.size) if whole and not period(target.coordinate) else own
        model = np.polyval(spring, place)
        model[own] = u[own]
        phi = np.stack([np.ones(u.size), place, place**2])
        c = _likeliest(np.log(np.maximum(ideal, 1e-300)) - model, target.p, phi, bins)
        result[own] = u[own] - c @ phi[:, own]
    return result


def _likeliest(base: Array, p: Array, phi: Array, bins: slice) -> Array:
    """Return the c ``(m,)`` with which exp(base + c phi) is most probable to have made p in some bins."""
    base, p, phi = base[bins], p[bins], phi[:, bins]
    c = np.zeros(phi.shape[0])
    c[0] = float(np.log(p.sum() / np.exp(base).sum()))
    for _ in range(NEWTON_STEPS):
        q = np.exp(np.minimum(base + c @ phi, 50.0))
        step = np.linalg.solve((phi * q) @ phi.T, phi @ (p - q))
        c = c + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-10:
            break
    return np.asarray(c, dtype=np.float64)


def _closed(x: Array, u: Array, known: BoolArray, coordinate: str, kT: float) -> tuple[Array, Array]:
    """Return grid and energies with walls where nothing is known; the grid of a bond ends where these are high."""
    step = grid_step(x, coordinate)
    well = _stiffness(x, u, known, coordinate, kT)
    if period(coordinate):
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


def ended_where_high(potential: BondedPotential, kT: float) -> BondedPotential:
    """Return the potential of a bond without what its table has beyond energies that no bond gets to.

    Tables of GROMACS begin at 0 and reach as far as those of pairs, often beyond half a box, where a bond has no
    length. Potentials of angles and dihedrals, and bonds whose table does not rise so high, are returned as they are.

    Parameters
    ----------
    potential : BondedPotential
    kT : float
        In its energy unit; the table ends with the first point on either side of its minimum that is 50 kT high.

    Examples
    --------
    >>> b = np.linspace(0.0, 2.0, 201)
    >>> spring = BondedPotential.shifted(b, 500 * (b - 1.0) ** 2, coordinate="bond", units="lj")
    >>> ended_where_high(spring, 1.0).x[[0, -1]].round(2).tolist()
    [0.68, 1.32]
    """
    if potential.coordinate != "bond":
        return potential
    lowest = int(np.argmin(potential.u))
    high = np.flatnonzero(potential.u > WALL * kT)
    begin = int(high[high < lowest].max(initial=0))
    end = int(high[high > lowest].min(initial=potential.x.size - 1)) + 1
    if end - begin == potential.x.size:
        return potential
    return potential.part(begin, end)


def _stiffness(x: Array, u: Array, known: BoolArray, coordinate: str, kT: float) -> float:
    """Least curvature of a wall: that of the harmonic well with the variance of the narrowest peak that is seen."""
    variances = []
    for begin, end in runs_of(known):
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
    for begin, end in runs_of(known):
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
