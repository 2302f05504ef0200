"""Liquid-state features of a training set, from which a network has to learn no more than the bridge function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.atomic import write_arrays
from cginit.curves import Array, LongWave
from cginit.errors import ConvergenceError, InputError
from cginit.learn.data import DATA_NOISE, TrainingSet, noise_at_sigma
from cginit.models.correlations import WEIGHTS, inversions, with_origin
from cginit.models.grid import RANGE, U_VISIBLE

__all__ = ["VARIATIONS", "LiquidFeatures", "liquid_features"]

#: Variations of each g that a training sees: with and without S(k), as it is and twice with noise.
VARIATIONS = 6
#: The shortest range of g among the variations, in sigma.
SHORTEST_RANGE = 3.0


@dataclass(frozen=True, eq=False)
class LiquidFeatures:
    """Features of the rows of a training set, each in some variations of g.

    Attributes
    ----------
    r : ndarray, shape (n,)
        Uniform distances from 0, in sigma.
    g : ndarray, shape (m, v, n)
        Radial distribution function in v variations: the first two are g as it is, the others have noise at the
        level of its errors and end at a random distance, g = 1 beyond.
    gamma : ndarray, shape (m, v, 2, n)
        h - c of each by inversions with the `WEIGHTS` of noise, every other one (the second, ...) with S(k) at a
        small k where it is known; 0 beyond the end.
    valid : ndarray of bool, shape (m, v)
        Where the inversion has a solution.
    """

    r: Array
    g: Array
    gamma: Array
    valid: NDArray[np.bool_]

    def write(self, path: Path) -> None:
        """Write the arrays as ``.npz``, whole or not at all."""
        kinds = {f.name: np.bool_ if f.name == "valid" else np.float32 for f in fields(self)}
        write_arrays(path, {name: getattr(self, name).astype(kind) for name, kind in kinds.items()})

    @classmethod
    def joined(cls, parts: Sequence[LiquidFeatures]) -> LiquidFeatures:
        """Return the rows of some features, one after the other; fewer variations of some stand in several times."""
        most = max(part.valid.shape[1] for part in parts)

        def whole(name: str) -> NDArray[Any]:
            found = []
            for part in parts:
                values = getattr(part, name)
                found.append(values[:, np.arange(most) % values.shape[1]])
            return np.concatenate(found)

        return cls(parts[0].r, whole("g"), whole("gamma"), whole("valid"))

    @classmethod
    def read(cls, path: Path) -> LiquidFeatures:
        """Read what `write` wrote."""
        with np.load(path, allow_pickle=False) as content:
            values = {f.name: content[f.name] for f in fields(cls)}
        return cls(**{k: v if v.dtype == np.bool_ else v.astype(np.float64) for k, v in values.items()})


def liquid_features(
    data: TrainingSet,
    variations: int = VARIATIONS,
    seed: int = 1,
    report: Callable[[int, int], None] | None = None,
    *,
    as_it_is: int = 2,
    noise: tuple[float, float] | None = None,
) -> LiquidFeatures:
    """Return the features of all rows of `data`; some 0.1 s a row and variation.

    Parameters
    ----------
    data : TrainingSet
        Pairs of g and U, m of them.
    variations : int
        Variations of each, every other one with S(k) at a small k.
    seed : int
        Of noise and ends.
    report : callable, optional
        Called with the number of rows done and their total.
    as_it_is : int
        So many variations come first that have no noise and all of g.
    noise : tuple of float, optional
        The noise of the others, in standard errors of the row, is drawn log-uniformly between these; by default from
        1 to what makes a precise row as noisy as most of the data set.

    Raises
    ------
    InputError
        If `variations` is less than 2.
    """
    if variations < 2:
        raise InputError(f"features need at least two variations, g without and with S(k), not {variations}")
    m, n = data.g.shape
    g = np.ones((m, variations, n))
    gamma = np.zeros((m, variations, len(WEIGHTS), n))
    valid = np.zeros((m, variations), dtype=bool)
    for i in range(m):
        least, most = noise or _own_noise(data, i)
        for v in range(variations):
            rng = np.random.default_rng([seed, int(data.potential[i]), round(1e6 * data.density[i]), v])
            curve, end, whole_error = data.g[i], n, data.g_error[i]
            if v >= as_it_is:
                if least < most:
                    whole_error = whole_error * np.exp(rng.uniform(np.log(least), np.log(most)))
                # Points without a count stay without one, or the noise would be a potential of some kT in the core.
                change = whole_error * rng.standard_normal(n)
                curve = np.where(curve > 0.0, np.maximum(curve + change, np.exp(-U_VISIBLE)), 0.0)
                shortest = min(max(SHORTEST_RANGE, float(data.r_cut[i])), RANGE)
                end = 1 + round((shortest + (RANGE - shortest) * rng.random()) / float(data.r[1]))
            wave = _wave(data.long_wave[i], rng if v >= as_it_is else None) if v % 2 else None
            error, density = whole_error[:end], float(data.density[i])
            try:
                found = inversions(data.r[:end], curve[:end], density, error, wave)
            except ConvergenceError:
                continue
            valid[i, v] = True
            g[i, v, :end] = curve[:end]
            for k, solution in enumerate(found):
                gamma[i, v, k, :end] = with_origin(solution.gamma)
        if report is not None:
            report(i + 1, m)
    return LiquidFeatures(data.r, g, gamma, valid)


def _own_noise(data: TrainingSet, row: int) -> tuple[float, float]:
    """Return the noise in standard errors of a row: a user's g of a liquid known precisely here has more of it."""
    return 1.0, max(1.0, DATA_NOISE / noise_at_sigma(data.r, data.g[row], data.g_error[row]))


def _wave(row: Array, rng: np.random.Generator | None) -> LongWave | None:
    k, s, error = (float(x) for x in row)
    if s <= 0.0:
        return None
    noise = 0.0 if rng is None else error / s * float(rng.standard_normal())
    return LongWave(k, s * float(np.exp(noise)), error)
