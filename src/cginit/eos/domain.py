"""Which fluids the network of the equation of state has been trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cginit.curves import Array
from cginit.eos.features import SCALARS, FluidFeatures

__all__ = ["EosDomain", "fit_domain"]

#: Part of an interval by which an input may exceed it before it counts as outside.
SLACK = 0.1
#: Principal components of the training curves, and the quantile of the distance from them that counts as inside.
COMPONENTS, QUANTILE = 20, 0.995


@dataclass(frozen=True, eq=False)
class EosDomain:
    """Limits of the inputs in training.

    Attributes
    ----------
    low, high : ndarray, shape (9,)
        Least and greatest value of each input number.
    distance : float
        Root-mean-square of what the principal components leave of a curve: its limit.
    mean : ndarray, shape (n,)
        Mean training curve, all input curves in a row.
    components : ndarray, shape (k, n)
        Principal components.
    """

    low: Array
    high: Array
    distance: float
    mean: Array
    components: Array

    def outside(self, features: FluidFeatures) -> tuple[str, ...]:
        """Return a sentence for each respect in which one fluid (m = 1) is unlike those of the training."""
        sentences = []
        margin = SLACK * (self.high - self.low)
        for k, name in enumerate(SCALARS):
            value = float(features.scalars[0, k])
            if not self.low[k] - margin[k] <= value <= self.high[k] + margin[k]:
                side = "below" if value < self.low[k] else "above"
                sentences.append(f"{name} lies {side} all of them")
        distance = float(_distance(features.curves, self.mean, self.components)[0])
        if distance > self.distance * (1.0 + SLACK):
            sentences.append(
                f"U and g of HNC lie {distance:.2g} from the span of theirs (themselves: up to {self.distance:.2g})"
            )
        return tuple(sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for a JSON file."""
        return {
            "low": np.round(self.low, 6).tolist(),
            "high": np.round(self.high, 6).tolist(),
            "distance": round(self.distance, 6),
            "mean": np.round(self.mean, 5).tolist(),
            "components": np.round(self.components, 5).tolist(),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> EosDomain:
        """Read what `to_dict` gave."""
        low, high, mean, components = (np.array(content[k]) for k in ("low", "high", "mean", "components"))
        return cls(low, high, float(content["distance"]), mean, components)


def fit_domain(features: FluidFeatures, basis: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> EosDomain:
    """Return the limits of training inputs.

    The components are those of the rows `basis` ``(m,)``, which should lack some potentials, so that the distance of
    an unknown but similar fluid counts as inside.
    """
    flat = features.curves.reshape(len(features.curves), -1)
    mean = flat[basis].mean(axis=0)
    _, _, rows = np.linalg.svd(flat[basis] - mean, full_matrices=False)
    components = rows[:COMPONENTS]
    # Distances of rows that made the components are too small; only the others count.
    others = features.curves[~basis] if np.any(~basis) else features.curves
    distance = float(np.quantile(_distance(others, mean, components), QUANTILE))
    low, high = features.scalars.min(axis=0), features.scalars.max(axis=0)
    return EosDomain(low, high, distance, mean, components)


def _distance(curves: Array, mean: Array, components: Array) -> Array:
    rest = curves.reshape(len(curves), -1) - mean
    rest = rest - (rest @ components.T) @ components
    return np.asarray(np.sqrt(np.mean(rest**2, axis=1)), dtype=np.float64)
