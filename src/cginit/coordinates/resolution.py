"""The bins of distributions of bonds, angles and dihedrals: counted fine and joined, or averaged over wider ones.

A trajectory is counted before anybody knows how wide a distribution is: in fine bins, which are joined afterwards to
the widest that still show its shape. A file has the bins that it has; too fine ones hold the noise of a simulation
and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cginit.bonded import Distribution
from cginit.bonded_grids import PI, bin_edges, period
from cginit.curves import Array
from cginit.errors import InputError
from cginit.grids import GRID_TOLERANCE

__all__ = ["WIDEST_ANGLE", "averaged_bins", "fine_grid", "joined_bins", "on_common_range", "width_of"]

#: Fine bins in the smallest bin of a distribution and in larger ones. Of angles a fine bin is a quarter of a degree,
#: and every one of these divides the 720 of them evenly.
FACTORS = (2, 4, 10, 20)
#: Of bonds, which may be as long and as soft as those of segments of a chain, more.
BOND_FACTORS = (*FACTORS, 40, 80, 160)
#: Fine bins of half a turn.
HALF_TURN = 720
#: The widest bin of an angle or a dihedral that is made here: five degrees, in radians.
WIDEST_ANGLE = FACTORS[-1] * np.pi / HALF_TURN
#: Bins within one standard deviation of a normal distribution as high as the one that was counted. With 4 the
#: variance grows by half a per cent, the square of the bin over 12.
BINS_A_WIDTH = 4.0
#: Empty bins kept on either side of the bonds that were seen, at least, and as a part of the range that was seen:
#: the bonds of a first simulation are to lie on the grid, too.
BESIDE, BESIDE_PART = 10, 0.5


def width_of(curve: Distribution) -> float:
    """Return the standard deviation of the normal distribution that is as high as this one: how wide its peak is."""
    return float(1.0 / (np.sqrt(2.0 * np.pi) * curve.p.max()))


def averaged_bins(curve: Distribution, step: float) -> Distribution:
    r"""Return the averages of a distribution over wider bins, centred on multiples of their width.

    A point of the file is the average over the bin centred on it, of which a share goes to each new bin that it
    overlaps, so that :math:`\int p\, dx` stays. Bins of angles reach from 0 to pi and those of dihedrals make one
    turn from -pi on: their width is the nearest that divides it. Errors are taken as independent.

    Parameters
    ----------
    curve : Distribution
    step : float
        Width of the new bins, in the unit of length or radians.

    Raises
    ------
    InputError
        If the bins are narrower than those of the distribution.

    Examples
    --------
    >>> fine = Distribution(0.95 + 0.001 * np.arange(101), np.full(101, 1 / 0.101), coordinate="bond", units="lj")
    >>> wide = averaged_bins(fine, 0.02)
    >>> wide.x.round(9).tolist()
    [0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06]
    >>> float((wide.p @ wide.widths).round(12)), float(wide.p[3].round(3))
    (1.0, 9.901)
    """
    if not step >= curve.dx * (1.0 - GRID_TOLERANCE):
        raise InputError(
            f"bins of {step:g} are narrower than those of the distribution of the {curve.coordinate}, {curve.dx:.4g}"
            "; choose wider ones"
        )
    if period(curve.coordinate):
        return _averaged_turn(curve, step)
    if curve.coordinate == "angle":
        step = PI / max(round(PI / step), 1)
    lower, upper = bin_edges(curve.x, curve.coordinate)
    slack = GRID_TOLERANCE * step
    first, last = (int(np.floor(end / step + 0.5)) for end in (lower[0] + slack, upper[-1] - slack))
    x = np.asarray(step * np.arange(first, last + 1), dtype=np.float64)
    if curve.coordinate == "angle":
        x = np.minimum(x, PI)
    shares = _shares(lower, upper, *bin_edges(x, curve.coordinate))
    error = None if curve.error is None else np.sqrt(shares**2 @ curve.error**2)
    return Distribution(x, shares @ curve.p, error, coordinate=curve.coordinate, units=curve.units)


def _averaged_turn(curve: Distribution, step: float) -> Distribution:
    n = max(round(2.0 * PI / step), 3)
    x = np.asarray(2.0 * PI / n * np.arange(n) - PI, dtype=np.float64)
    half, whole = 0.5 * curve.dx, PI / n
    turns = [
        _shares(curve.x - half + turn, curve.x + half + turn, x - whole, x + whole)
        for turn in (-2.0 * PI, 0.0, 2.0 * PI)
    ]
    shares = np.sum(turns, axis=0)
    error = None if curve.error is None else np.sqrt(shares**2 @ curve.error**2)
    return Distribution(x, shares @ curve.p, error, coordinate=curve.coordinate, units=curve.units)


def _shares(lower: Array, upper: Array, new_lower: Array, new_upper: Array) -> Array:
    """Return the part ``(m, n)`` of each of m new bins that each of n old ones fills."""
    common = np.minimum(upper, new_upper[:, None]) - np.maximum(lower, new_lower[:, None])
    return np.asarray(np.maximum(common, 0.0) / (new_upper - new_lower)[:, None], dtype=np.float64)


def on_common_range(curves: Sequence[Distribution]) -> list[Distribution]:
    """Return distributions whose bins are the same where they overlap, each with empty bins up to the ends of all.

    Others, of another step or with bins in between, are returned as they are.

    Examples
    --------
    >>> one = Distribution([0.9, 1.0, 1.1], [2.5, 5, 2.5], coordinate="bond", units="lj")
    >>> other = Distribution([1.0, 1.1, 1.2], [2.5, 5, 2.5], coordinate="bond", units="lj")
    >>> [curve.p.tolist() for curve in on_common_range([one, other])]
    [[2.5, 5.0, 2.5, 0.0], [0.0, 2.5, 5.0, 2.5]]
    """
    first = curves[0]
    places = [(one.x[0] - first.x[0]) / first.dx for one in curves]
    alike = all(
        abs(one.dx - first.dx) * max(one.x.size, first.x.size) < 0.01 * first.dx
        and abs(at - round(at)) < 0.01
        for one, at in zip(curves, places, strict=True)
    )
    if period(first.coordinate) or not alike:
        return list(curves)
    begin = min(map(round, places))
    end = max(round(at) + one.x.size for one, at in zip(curves, places, strict=True))
    x = np.asarray(first.x[0] + first.dx * np.arange(begin, end), dtype=np.float64)
    found = []
    for one, at in zip(curves, places, strict=True):
        around = (round(at) - begin, end - round(at) - one.x.size)
        error = None if one.error is None else np.pad(one.error, around)
        found.append(replace(one, x=x, p=np.pad(one.p, around), error=error))
    return found


def fine_grid(coordinate: str, step: float, limit: float) -> Array:
    """Return the centres ``(n,)`` of fine bins, whose edges are multiples of their width.

    Parameters
    ----------
    coordinate : {"bond", "angle", "dihedral"}
        Angles have bins of a quarter of a degree from 0 to pi, dihedrals from -pi to pi.
    step, limit : float
        Width of the bins of bonds, and the largest length.
    """
    if coordinate == "bond":
        return np.asarray(step * (np.arange(int(np.ceil(limit / step))) + 0.5))
    turn = np.pi / HALF_TURN * (np.arange(HALF_TURN) + 0.5)
    whole = turn if coordinate == "angle" else np.concatenate([-turn[::-1], turn])
    return np.asarray(whole, dtype=np.float64)


def joined_bins(fine: Array, counts: Array, coordinate: str) -> tuple[Array, Array]:
    """Join fine bins to those of a distribution.

    The widest are taken whose highest one still is narrow beside a normal distribution of that height.

    Parameters
    ----------
    fine : ndarray, shape (m,)
        From `fine_grid`.
    counts : ndarray, shape (k, m)
        Counts in fine bins; their sum over k decides.
    coordinate : {"bond", "angle", "dihedral"}
        What was counted.

    Returns
    -------
    x : ndarray, shape (n,)
        Grid from a multiple of its step on; of bonds where they were seen, and somewhat beyond.
    joined : ndarray, shape (k, n)
        The counts.

    Raises
    ------
    InputError
        If nothing was counted.

    Examples
    --------
    >>> grid = fine_grid("bond", 0.001, 1.0)
    >>> counts = np.round(500 * np.exp(-0.5 * ((grid - 0.5) / 0.03) ** 2))[None, :]
    >>> x, joined = joined_bins(grid, counts, "bond")
    >>> [round(float(value), 3) for value in (x[1] - x[0], x[0], joined.sum() / counts.sum())]
    [0.004, 0.276, 1.0]
    """
    if not np.any(counts > 0.0):
        raise InputError(f"no {coordinate} was counted")
    width = float(fine[1] - fine[0])
    factors = BOND_FACTORS if coordinate == "bond" else FACTORS
    for factor in reversed(factors):
        step = factor * width
        x, joined = _joined(fine, counts, coordinate, factor)
        highest = float(joined.sum(axis=0).max()) / (float(joined.sum()) * step)
        if step * BINS_A_WIDTH <= 1.0 / (np.sqrt(2.0 * np.pi) * highest) or factor == factors[0]:
            break
    return _trimmed(x, joined) if coordinate == "bond" else (x, joined)


def _joined(fine: Array, counts: Array, coordinate: str, factor: int) -> tuple[Array, Array]:
    step = factor * float(fine[1] - fine[0])
    turn = period(coordinate)
    begin = -0.5 * turn if turn else 0.0
    place = np.floor((fine - begin) / step + 0.5).astype(np.int64)
    n = int(place[-1]) + 1
    if turn:
        # The bin at the end of the turn is the other half of the first.
        n -= 1
        place %= n
    joined = np.array([np.bincount(place, row, minlength=n) for row in counts], dtype=np.float64)
    return np.asarray(begin + step * np.arange(n), dtype=np.float64), joined


def _trimmed(x: Array, counts: Array) -> tuple[Array, Array]:
    seen = np.flatnonzero(counts.sum(axis=0) > 0.0)
    first, last = int(seen[0]), int(seen[-1])
    beside = max(BESIDE, int(np.ceil(BESIDE_PART * (last - first))))
    part = slice(max(0, first - beside), last + beside + 1)
    if part.stop > x.size:
        step = float(x[1] - x[0])
        more = part.stop - x.size
        x = np.append(x, x[-1] + step * np.arange(1, more + 1))
        counts = np.pad(counts, ((0, 0), (0, more)))
    return x[part], counts[:, part]
