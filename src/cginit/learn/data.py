"""Arrays that networks learn from, and the split by potential that keeps test potentials unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.atomic import write_arrays
from cginit.curves import RDF, Array, LongWave
from cginit.errors import InputError
from cginit.state import StatePoint
from cginit.units import LJ

__all__ = [
    "CAP",
    "CLASSES",
    "DATA_NOISE",
    "FINE",
    "SPLIT_RULE",
    "STRIDE",
    "S_K_ERROR",
    "TrainingSet",
    "class_of",
    "fold_of",
    "noise_at_sigma",
]

#: Number of classes that potentials are dealt into where a data set has no split of its own; class 0 is the test set.
CLASSES = 10
#: Step of the fine grid of potentials, which changes of the length unit interpolate on.
FINE = 0.01
#: Energies are capped here, far above what counts (20 kT), so that interpolation stays local and finite.
CAP = 1e3
#: Standard error of g at g = 1 and r = 1 sigma in most of the data set.
DATA_NOISE = 8e-3
#: Integers name potentials within their family; networks know them by integer + STRIDE times the family.
STRIDE = 1_000_000_000
#: Relative standard error of S at the smallest wave vectors of a simulation: 25 state points repeated with another
#: engine and other seeds differ by sqrt(2) times this (rms).
S_K_ERROR = 0.076
SPLIT_RULE = (
    "by potential, from the integer that names it: with i = potential // 2 - potential // 20 - 1, member k = 1..M of "
    "the ensemble is stopped by the potentials with i mod M = k - 1 and trained on the others; the test set, which "
    "the data set names (where it does not, (potential // 2) mod 10 = 0), is never seen in training"
)


def noise_at_sigma(r: Array, g: Array, error: Array) -> float:
    """Return the error of g at g = 1 and r = 1 sigma: that of counts grows as the root of g and falls as 1/r.

    Parameters
    ----------
    r, g, error : ndarray, shape (n,)
        g(r) with its standard error, over r in sigma; points without a value are left out.
    """
    seen = np.isfinite(g) & (g > 0.1) & (r <= 5.0)
    return float(np.sqrt(np.median(error[seen] ** 2 / g[seen] * r[seen] ** 2)))


def class_of(potential: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class 0..9 of each potential ``(m,)``: ``(potential // 2) mod 10``; class 0 is the test set.

    All state points of a potential fall into one class. The division by 2 comes from the campaign, in which even
    and odd potentials are simulated at different densities: every class holds neighbours of both kinds.

    Examples
    --------
    >>> class_of(np.array([0, 1, 2, 19, 20])).tolist()
    [0, 0, 1, 9, 0]
    """
    return np.asarray(np.asarray(potential, dtype=np.int64) // 2 % CLASSES)


def fold_of(
    potential: NDArray[np.int64], folds: int, test: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return for each potential ``(m,)`` the member 0..folds-1 that is validated on it; -1 for the test set.

    Parameters
    ----------
    potential : ndarray, shape (m,)
        The integers that name the potentials.
    folds : int
        Number of folds.
    test : ndarray, shape (m,), optional
        Which belong to the test set; class 0 by default.

    Raises
    ------
    InputError
        If `folds` is less than 2.

    Examples
    --------
    >>> fold_of(np.array([0, 2, 4, 6, 18]), 4).tolist()
    [-1, 0, 1, 2, 0]
    """
    if folds < 2:
        raise InputError(f"an ensemble has 2 members or more, one a validation fold, not {folds}")
    names = np.asarray(potential, dtype=np.int64)
    held = class_of(names) == 0 if test is None else test
    # Class 0 is left out of the count, or folds would differ in size.
    index = names // 2 - names // (2 * CLASSES) - 1
    return np.asarray(np.where(held, -1, index % folds))


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Pairs of g(r) and U(r), lengths in sigma and energies in kT.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Uniform distances from 0, common to all g.
    g, g_error : ndarray, shape (m, n)
        Radial distribution functions with their standard errors.
    u_r : ndarray, shape (k,)
        Uniform distances from 0 of the potentials, finer than `r`; U = 0 beyond their end.
    u : ndarray, shape (m, k)
        True potentials.
    density : ndarray, shape (m,)
        rho sigma^3.
    r_cut : ndarray, shape (m,)
        Cut-off of each potential.
    potential : ndarray, shape (m,)
        The integer that names the potential.
    pressure, pressure_error : ndarray, shape (m,), optional
        beta P sigma^3 with its standard error; zeros where networks do not learn it.
    test : ndarray of bool, shape (m,), optional
        Which rows are the test set; `class_of` by default.
    long_wave : ndarray, shape (m, 3), optional
        k, S(k) and its standard error at a small k, as `cginit.curves.LongWave`; zeros where it is not known.

    Raises
    ------
    InputError
        If shapes do not agree, a grid does not start at 0, or a value is not finite.
    """

    r: Array
    g: Array
    g_error: Array
    u_r: Array
    u: Array
    density: Array
    r_cut: Array
    potential: NDArray[np.int64]
    pressure: Array = None  # type: ignore[assignment]
    pressure_error: Array = None  # type: ignore[assignment]
    test: NDArray[np.bool_] = None  # type: ignore[assignment]
    long_wave: Array = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        size = np.size(self.density)
        for name in ("pressure", "pressure_error"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(size))
        if self.test is None:
            object.__setattr__(self, "test", class_of(np.asarray(self.potential)) == 0)
        if self.long_wave is None:
            object.__setattr__(self, "long_wave", np.zeros((size, 3)))
        for f in fields(self):
            dtype = {"potential": np.int64, "test": np.bool_}.get(f.name, np.float64)
            values: NDArray[Any] = np.array(getattr(self, f.name), dtype=dtype)
            if not np.all(np.isfinite(values)):
                raise InputError(
                    f"the training set has a value in {f.name!r} that is not finite; drop such rows"
                )
            values.flags.writeable = False
            object.__setattr__(self, f.name, values)
        m = self.density.size
        shapes: dict[str, tuple[int, ...]] = {
            "g": (m, self.r.size),
            "g_error": (m, self.r.size),
            "u": (m, self.u_r.size),
            "long_wave": (m, 3),
        }
        scalars = ("density", "r_cut", "potential", "pressure", "pressure_error", "test")
        shapes |= dict.fromkeys(scalars, (m,))
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InputError(
                    f"{name} of the training set has shape {getattr(self, name).shape}, not {shape}"
                )
        for name in ("r", "u_r"):
            grid = getattr(self, name)
            if grid.size < 3 or grid[0] != 0.0 or not np.allclose(np.diff(grid), grid[1], rtol=1e-6):
                raise InputError(f"{name} of the training set must be uniform from 0; resample its curves")

    def __len__(self) -> int:
        return int(self.density.size)

    def target(self, row: int, *, long_wave: bool = False) -> tuple[RDF, StatePoint]:
        """Return g of a row as the target of a guess, with S(k) at a small k if asked and known, and its state.

        Its values are those at points (``bin_average=False`` of a guess).
        """
        k, s, error = (float(x) for x in self.long_wave[row])
        wave = LongWave(k, s, error) if long_wave and s > 0.0 else None
        target = RDF(self.r, self.g[row], self.g_error[row], units=LJ, long_wave=wave)
        return target, StatePoint(float(self.density[row]), 1.0)

    def select(self, rows: NDArray[np.bool_]) -> TrainingSet:
        """Return the rows where `rows` ``(m,)`` is true."""
        common = {"r", "u_r"}
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        return TrainingSet(**{k: v if k in common else v[rows] for k, v in columns.items()})

    @classmethod
    def joined(cls, parts: Sequence[TrainingSet]) -> TrainingSet:
        """Return the rows of some sets with common grids, one set after the other."""
        common = {"r", "u_r"}
        columns = {f.name: [getattr(part, f.name) for part in parts] for f in fields(cls)}
        return cls(**{k: v[0] if k in common else np.concatenate(v) for k, v in columns.items()})

    def folds(self, count: int) -> NDArray[np.int64]:
        """Return for each row the fold 0..count-1 that validates it; -1 for the test set."""
        return fold_of(self.potential, count, self.test)

    def write(self, path: Path) -> None:
        """Write the arrays as ``.npz``, whole or not at all."""
        write_arrays(path, {f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def read(cls, path: Path) -> TrainingSet:
        """Read what `write` wrote."""
        with np.load(path, allow_pickle=False) as content:
            return cls(**{f.name: content[f.name] for f in fields(cls) if f.name in content})
