"""Bins of distance, centred on the points of a g(r)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["Bins", "shell_volumes"]


@dataclass(frozen=True)
class Bins:
    """Bins of width `dr` around ``offset + i dr`` up to `r_max`.

    A bin holds its lower edge and not its upper one. Distances are compared in single precision: a pair closer to
    an edge than about 3e-7 of its distance may be counted on the other side of it, always on the same. A first
    bin that is cut at the origin holds almost no volume and stays empty.

    Parameters
    ----------
    dr, r_max : float
        Width, and the last point.
    offset : float
        First point, in [0, dr): 0, or dr/2 for a grid of bin centres.
    """

    dr: float
    r_max: float
    offset: float = 0.0

    @classmethod
    def reaching(cls, dr: float, r_max: float | None, offset: float, half: float) -> Bins:
        """Return the bins up to `r_max`, by default as many whole ones as half the box holds."""
        if r_max is None:
            r_max = offset + dr * float(np.floor((half * (1 + 1e-9) - offset) / dr - 0.5))
        return cls(dr, r_max, offset)

    @property
    def grid(self) -> Array:
        """Centres of the bins ``(n,)``, the one at the origin included."""
        steps = round((self.r_max - self.offset) / self.dr)
        return np.asarray(self.offset + self.dr * np.arange(steps + 1, dtype=np.float64))

    @property
    def first(self) -> int:
        """Index of the first point whose bin is counted."""
        return 0 if self.offset >= 0.499 * self.dr else 1

    @property
    def lower(self) -> float:
        """Where the first counted bin begins."""
        return max(0.0, float(self.grid[self.first]) - 0.5 * self.dr)

    @property
    def upper(self) -> float:
        """Where the last bin ends."""
        return float(self.grid[-1]) + 0.5 * self.dr

    def check(self, half: float) -> None:
        """Refuse bins that reach beyond half the box, where a pair has two images within reach.

        Raises
        ------
        InputError
            If they do.
        """
        if self.upper > half * (1.0 + 1e-6):
            raise InputError(
                f"r_max {self.r_max:g} + dr/2 exceeds half the box ({half:g}); "
                "choose a smaller r_max or simulate more beads"
            )


def shell_volumes(r: Array) -> Array:
    """Return the volumes ``(n,)`` of the bins around the points of a uniform grid; none reaches below 0."""
    dr = float((r[-1] - r[0]) / (r.size - 1))
    lower = np.maximum(r - 0.5 * dr, 0.0)
    return np.asarray(4.0 / 3.0 * np.pi * ((r + 0.5 * dr) ** 3 - lower**3), dtype=np.float64)
