"""Whether r is the middle of its bins or an edge of them, as the whole numbers of pairs behind g(r) tell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cginit.curves import GRID_TOLERANCE, Array
from cginit.errors import InputError
from cginit.io.rows import Rows

__all__ = ["edge_of_bins", "not_edges"]

#: The smallest g above 0 may stand for so many counts; rows are looked at in the order of their counts, so many.
MOST_FIRST, MOST_ROWS = 1000, 40
#: A number is whole if it is this near to an integer, which three in ten numbers are by chance, and is looked at if
#: its own error is below the second number.
WHOLE, KNOWN = 0.15, 0.05
#: Counts below this are as good as whole with any volumes: those of two shells differ by a few per cent.
LEAST_COUNT = 30.0
#: Relative rounding errors: of a few operations in single precision, and of a quotient in double precision.
SINGLE, DOUBLE = 2.4e-7, 5e-16
#: So many rows must tell; all but this part of them are whole with the volumes that g was divided by, and less than
#: this part with others. By chance twenty of twenty are for one in 3e10, times the 6000 ways that are tried.
TELLING, ALL, NOT_ALL = 20, 0.95, 0.7


def not_edges(rows: Rows, r: Array, g: Array) -> None:
    """Refuse distances that are the lower or the upper edges of the bins that g was counted in.

    Raises
    ------
    InputError
        With what is to be added to r.
    """
    edge = edge_of_bins(r, g)
    if edge is None:
        return
    half = 0.5 * float(r[-1] - r[0]) / (r.size - 1)
    shells, sign = ("r to r + dr", "+") if edge == "lower" else ("r - dr to r", "-")
    raise InputError(
        f"the r of {rows.name} are the {edge} edges of its bins and not their middles: g times the volume from "
        f"{shells} is a whole number of pairs in every row, and g times the volume of a shell around r is not. Give "
        f"the middles, r {sign} {half:.6g}, or both edges as two columns before g"
    )


def edge_of_bins(r: Array, g: Array) -> str | None:
    r"""Return "lower" or "upper" if r is that edge of its bins; None if it is the middle, or nothing tells.

    A histogram holds whole numbers, :math:`n_i = g_i V_i / c` with one unknown constant c. The volume of a shell,
    :math:`V = \frac{4\pi}{3}(b^3 - a^3)` or :math:`4\pi (\frac{a+b}{2})^2 (b-a)`, depends on its edges a and b so
    strongly that the numbers are whole for the right edges alone. It takes twenty bins with so few counts that the
    digits of g tell one count (six significant ones, 10 000 counts), and a box of one volume.

    Parameters
    ----------
    r : ndarray, shape (n,)
        Evenly spaced, in any unit; multiples of the step, as edges are. Others are not looked at.
    g : ndarray, shape (n,)
        As it was printed or saved.

    Examples
    --------
    >>> edges = np.arange(0, 101) * 0.05
    >>> pairs = np.floor(400 * edges[1:] ** 2 * (1 + np.cos(7 * edges[1:])) * (edges[1:] > 0.9))
    >>> g = pairs / np.diff(edges**3)
    >>> edge_of_bins(edges[:-1], g), edge_of_bins(edges[1:], g), edge_of_bins(edges[1:] - 0.025, g)
    ('lower', 'upper', None)
    """
    step = float(r[-1] - r[0]) / (r.size - 1)
    place = r / step
    if np.max(np.abs(place - np.rint(place))) > GRID_TOLERANCE * r.size:
        return None
    seen = (g > 0.0) & (place > 0.5)
    if np.count_nonzero(seen) < TELLING:
        return None
    # The core and the onset hold few counts, whatever the edges.
    order = np.argsort((g * r**2)[seen], kind="stable")[:MOST_ROWS]
    place, values = np.rint(place[seen])[order], g[seen][order]
    volumes = [volume for shift in (0.0, 0.5, -0.5) for volume in _volumes(place + shift)]
    whole = _whole(values * np.array(volumes), _printed_error(values)).reshape(3, -1).max(axis=1)
    best = 1 + int(np.argmax(whole[1:]))
    if whole[0] >= NOT_ALL or whole[best] < ALL:
        return None
    return (None, "lower", "upper")[best]


def _volumes(middle: Array) -> Iterator[Array]:
    """Yield the volumes of shells around `middle`, of width 1 and up to a constant: exact, and thin."""
    lower = np.maximum(middle - 0.5, 0.0)
    yield (middle + 0.5) ** 3 - lower**3
    yield 3.0 * middle**2


def _printed_error(g: Array) -> Array:
    """Return the relative error of g by rounding: single precision, or the digits that it was printed with."""
    if np.array_equal(g, g.astype(np.float32)):
        return np.full(g.size, SINGLE)
    error = np.full(g.size, DOUBLE)
    for places in range(2, 11):
        if np.array_equal(np.round(g, places), g):
            error = np.maximum(error, 0.5 * 10.0**-places / g)
            break
    power = 10.0 ** np.floor(np.log10(g))
    for digits in range(2, 11):
        if np.allclose(np.round(g / power, digits), g / power, rtol=DOUBLE, atol=0.0):
            error = np.maximum(error, 0.5 * 10.0**-digits * power / g)
            break
    return error


def _whole(counts: Array, error: Array) -> Array:
    """Return the part of the rows that are multiples of one number, for the best such number; 0 if too few tell.

    Parameters
    ----------
    counts : ndarray, shape (ways, rows)
        Up to a constant, by each way to reckon volumes.
    error : ndarray, shape (rows,)
        Relative.
    """
    # The number is the first count over some integer, and made better by each row that is a multiple of it.
    unit = counts[:, :1] / np.arange(1.0, MOST_FIRST + 1.0)
    known = np.full(unit.shape, error[0])
    telling, whole = np.zeros(unit.shape), np.zeros(unit.shape)
    for row in range(1, counts.shape[1]):
        number = counts[:, row : row + 1] / unit
        integer = np.rint(number)
        clear = number * (known + error[row]) < KNOWN
        fits = clear & (np.abs(number - integer) < WHOLE) & (integer > 0.5)
        told = clear & (number >= LEAST_COUNT)
        telling += told
        whole += told & fits
        better = fits & (error[row] <= known)
        unit = np.where(better, counts[:, row : row + 1] / np.maximum(integer, 1.0), unit)
        known = np.where(better, error[row], known)
    part: Array = np.where(telling >= TELLING, whole / np.maximum(telling, 1.0), 0.0).max(axis=1)
    return part
