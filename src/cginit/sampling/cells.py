"""Beads sorted into columns of cells, compiled by Numba: what every search for pairs of beads stands on."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

from cginit.curves import Array

__all__ = [
    "TURN",
    "Counts",
    "Ints",
    "apart",
    "columns_of",
    "compiled",
    "in_turns",
    "sorted_by_cell",
    "window",
]

Function = TypeVar("Function", bound=Callable[..., Any])
Ints = NDArray[np.int32]
Counts = NDArray[np.int64]

#: Positions are counted in this part of a lattice vector, so that 32-bit integers wrap where the box does.
TURN = 2.0**32
#: Beads in the part of a column within reach that make it worth its start. Between 60 and 150 the time is flat.
COLUMN = 80.0

_CONTENT = sha256(Path(__file__).read_bytes()).hexdigest()


def compiled(function: Function) -> Function:
    """Compile at the first call, or take what an earlier process left in the cache.

    Numba keeps it beside this file, or under the home folder where that cannot be written to, or where the
    environment variable NUMBA_CACHE_DIR says. Where there is no such place either (a container that is read-only)
    each process compiles for itself.

    Numba looks at the file of a function alone for changes. Functions of other files have those of this one compiled
    into them, so that the content of this file is a part of what names an entry of the cache.
    """
    dispatcher: Any = njit(nogil=True)(function)
    # As Dispatcher.enable_caching does it.
    with suppress(RuntimeError):
        dispatcher._cache = _Cache(dispatcher.py_func)
    return cast(Function, dispatcher)


class _Cache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """The cache of a compiled function, whose entries also depend on this file."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), _CONTENT)


@compiled
def in_turns(positions: Array, lattice: Array) -> Ints:
    """Return coordinates ``(3, n)`` as parts of the lattice vectors, of which 32 bits after the point are kept."""
    n = positions.shape[0]
    turns = np.empty((3, n), np.int32)
    for i in range(n):
        c = positions[i, 2] / lattice[2, 2]
        b = (positions[i, 1] - c * lattice[2, 1]) / lattice[1, 1]
        a = (positions[i, 0] - c * lattice[2, 0] - b * lattice[1, 0]) / lattice[0, 0]
        for axis, part in enumerate((a, b, c)):
            turns[axis, i] = np.int32(np.uint32(np.int64(math.floor((part - math.floor(part)) * TURN))))
    return turns


@compiled
def sorted_by_cell(turns: Ints, m0: int, m1: int, m2: int) -> tuple[Counts, Counts]:
    """Return the beads ordered by cell, and where each cell begins; cells run along the first vector fastest."""
    n = turns.shape[1]
    cell = np.empty(n, np.int64)
    begin = np.zeros(m0 * m1 * m2 + 1, np.int64)
    for i in range(n):
        a = (np.int64(np.uint32(turns[0, i])) * m0) >> 32
        b = (np.int64(np.uint32(turns[1, i])) * m1) >> 32
        c = (np.int64(np.uint32(turns[2, i])) * m2) >> 32
        cell[i] = (c * m1 + b) * m0 + a
        begin[cell[i] + 1] += 1
    for k in range(begin.size - 1):
        begin[k + 1] += begin[k]
    place = begin[:-1].copy()
    order = np.empty(n, np.int64)
    for i in range(n):
        order[place[cell[i]]] = i
        place[cell[i]] += 1
    return order, begin


@compiled
def columns_of(n: int, lattice: Array, reach: float) -> tuple[int, int, int]:
    """Return the cells along the three lattice vectors: columns along the first, of about one bead a cell."""
    density = n / (lattice[0, 0] * lattice[1, 1] * lattice[2, 2])
    # A chord of the sphere is 4/3 of its radius on average.
    width = math.sqrt(COLUMN / (4.0 / 3.0 * density * reach))
    m1, m2 = max(1, int(lattice[1, 1] / width)), max(1, int(lattice[2, 2] / width))
    return max(1, n // (m1 * m2)), m1, m2


@compiled
def window(
    t: tuple[np.int32, np.int32, np.int32],
    b: float,
    c: float,
    h1: float,
    h2: float,
    lattice: Array,
    reach: float,
) -> tuple[float, float]:
    """Return between which parts of the first lattice vector a column may hold beads within reach of one.

    The column is centred on the parts `b` and `c` of the other two vectors and reaches h1 and h2 to each side.
    Nothing is within reach where the second number is below the first.
    """
    b -= np.uint32(t[1]) / TURN
    c -= np.uint32(t[2]) / TURN
    b -= math.floor(b + 0.5)
    c -= math.floor(c + 0.5)
    z = max(0.0, abs(c) - h2) * lattice[2, 2]
    if z > reach:
        return 1.0, 0.0
    skew = lattice[1, 0] != 0.0 or lattice[2, 0] != 0.0 or lattice[2, 1] != 0.0
    if skew and (abs(b) + h1 > 0.5 or abs(c) + h2 > 0.5):
        # Half of the column is nearest in another image, which in a skewed box lies elsewhere along it.
        return 0.0, 1.0
    y = max(0.0, abs(b * lattice[1, 1] + c * lattice[2, 1]) - h1 * lattice[1, 1] - h2 * abs(lattice[2, 1]))
    square = reach * reach - y * y - z * z
    if square < 0.0:
        return 1.0, 0.0
    half = math.sqrt(square) + h1 * abs(lattice[1, 0]) + h2 * abs(lattice[2, 0])
    middle = np.uint32(t[0]) / TURN - (b * lattice[1, 0] + c * lattice[2, 0]) / lattice[0, 0]
    return middle - half / lattice[0, 0], middle + half / lattice[0, 0]


@compiled
def apart(b: float, c: float, h1: float, h2: float, lattice: Array, reach: float) -> bool:
    """Whether two columns, a part `b` and `c` of the vectors apart, are out of reach of each other."""
    b -= math.floor(b + 0.5)
    c -= math.floor(c + 0.5)
    z = max(0.0, abs(c) - 2.0 * h2) * lattice[2, 2]
    # Of a skewed box only what holds for every image.
    y = max(0.0, abs(b) - 2.0 * h1) * lattice[1, 1] if lattice[2, 1] == 0.0 else 0.0
    return bool(y * y + z * z > reach * reach)
