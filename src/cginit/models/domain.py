"""What a network has been trained on: limits of what its inputs were, and the span of its input curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cginit.curves import Array

__all__ = ["Domain"]


@dataclass(frozen=True, eq=False)
class Domain:
    """Limits of the inputs of a training.

    What is measured of an input, and from where on it counts as outside, is for those who know the inputs:
    `cginit.models.coverage` for g(r), `cginit.eos.coverage` for the features of a fluid.

    Attributes
    ----------
    limits : dict of str to tuple of float
        Least and greatest value of each measure in training; infinite where a model has not recorded it.
    mean : ndarray, shape (n,)
        Mean training curve.
    components : ndarray, shape (k, n)
        Principal components of the training curves, which span what the network knows.
    """

    limits: dict[str, tuple[float, float]]
    mean: Array
    components: Array

    def distance(self, curves: Array, largest: float = np.inf) -> Array:
        """Return the root-mean-square of what the components leave of curves ``(m, n)``, shape ``(m,)``.

        Values above `largest` count as this.
        """
        rest = np.minimum(curves, largest) - np.minimum(self.mean, largest)
        rest = rest - (rest @ self.components.T) @ self.components
        return np.asarray(np.sqrt(np.mean(rest**2, axis=1)), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for a JSON file, which knows no infinity."""
        limits = {
            name: [x if np.isfinite(x) else None for x in bounds] for name, bounds in self.limits.items()
        }
        curves = {name: np.round(getattr(self, name), 5).tolist() for name in ("mean", "components")}
        return {**limits, **curves}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Domain:
        """Read what `to_dict` gave, or a version before, in which some measures had no lower limit."""
        curves = {name: np.array(content[name]) for name in ("mean", "components")}
        limits = {}
        for name, value in content.items():
            if name not in curves:
                low, high = value if isinstance(value, list) else (0.0, value)
                limits[name] = (
                    -np.inf if low is None else float(low),
                    np.inf if high is None else float(high),
                )
        return cls(limits, **curves)
