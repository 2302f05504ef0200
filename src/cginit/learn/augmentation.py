"""Exact and statistical variations of simulated pairs: change of length unit, noise, shorter range of g."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.data import TrainingSet
from cginit.models.grid import RANGE, interpolate, network_grid, resample_g

__all__ = ["Augmentation", "pairs", "vary"]


@dataclass(frozen=True)
class Augmentation:
    r"""How training pairs are varied, anew at each use.

    Attributes
    ----------
    scale : tuple of float
        Bounds of s, drawn log-uniformly: (U(r), rho, g(r)) and (U(s r), rho s^3, g(s r)) are the same system.
    max_density : float
        Bound of :math:`\rho s^3`; s is drawn below it where `scale` reaches further.
    noise : float
        Standard deviation of the noise added to g, in standard errors of the record.
    shortest_range : float
        In half of the uses g is known up to a random distance between this (or the cut-off, if that is longer) and 5
        only, and 1 beyond, as with targets that end early. 5 switches this off.
    """

    scale: tuple[float, float] = (0.75, 1.3)
    max_density: float = 1.2
    noise: float = 1.0
    shortest_range: float = 3.0

    @property
    def none(self) -> bool:
        """Whether pairs stay as they are."""
        return self.scale == (1.0, 1.0) and self.noise == 0.0 and self.shortest_range >= RANGE

    def __post_init__(self) -> None:
        low, high = self.scale
        if not 0.0 < low <= high:
            raise InputError(f"augmentation scale must be two rising positive numbers, not {self.scale}")
        if not 0.0 < self.shortest_range <= RANGE:
            raise InputError(
                f"augmentation shortest_range must lie in (0, {RANGE:g}], not {self.shortest_range}"
            )


def pairs(data: TrainingSet, scale: Array | float = 1.0) -> tuple[Array, Array, Array]:
    """Return g ``(m, 50)``, density ``(m,)``, U ``(m, 50)`` with the length unit multiplied by `scale` ``(m,)``."""
    s = np.broadcast_to(np.asarray(scale, dtype=np.float64), (len(data),))
    at = network_grid()[None, :] * s[:, None]
    g = resample_g(data.g, 0.0, float(data.r[1]), at)
    u = interpolate(data.u, 0.0, float(data.u_r[1]), at, 0.0)
    return g, data.density * s**3, u


def vary(
    data: TrainingSet,
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    how: Augmentation,
    rng: np.random.Generator,
) -> tuple[Array, Array, Array]:
    """Return one variation of each of `rows` as `pairs` does."""
    m, n = rows.size, data.r.size
    density = data.density[rows]
    low = np.full(m, np.log(how.scale[0]))
    high = np.minimum(np.log(how.scale[1]), np.log(how.max_density / density) / 3.0)
    s = np.exp(low + (np.maximum(high, low) - low) * rng.random(m))
    g = data.g[rows] + how.noise * data.g_error[rows] * rng.standard_normal((m, n))
    at = network_grid()[None, :] * s[:, None]
    g = resample_g(g, 0.0, float(data.r[1]), at)
    u = interpolate(data.u[rows], 0.0, float(data.u_r[1]), at, 0.0)
    shortest = np.minimum(np.maximum(how.shortest_range, data.r_cut[rows] / s), RANGE)
    end = shortest + (RANGE - shortest) * np.maximum(2.0 * rng.random(m) - 1.0, 0.0)
    cut = rng.random(m) < 0.5
    g = np.where(cut[:, None] & (network_grid()[None, :] > end[:, None]), 1.0, g)
    return g, density * s**3, u
