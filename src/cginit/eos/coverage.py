"""Whether the network of the equation of state was trained on such a fluid, and the limits of a version before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cginit.eos.features import SCALARS, FluidFeatures
from cginit.models.domain import Domain

__all__ = ["fluid_limits", "outside"]

#: Part of an interval by which an input may exceed it before it counts as outside.
SLACK = 0.1


def outside(domain: Domain, features: FluidFeatures) -> tuple[str, ...]:
    """Return a sentence for each respect in which one fluid (m = 1) is unlike those of the training."""
    sentences = []
    for k, name in enumerate(SCALARS):
        value, (low, high) = float(features.scalars[0, k]), domain.limits[name]
        margin = SLACK * (high - low)
        if not low - margin <= value <= high + margin:
            sentences.append(f"{name} lies {'below' if value < low else 'above'} all of them")
    distance, limit = float(domain.distance(features.curves.reshape(1, -1))[0]), domain.limits["distance"][1]
    if distance > limit * (1.0 + SLACK):
        sentences.append(
            f"U and g of HNC lie {distance:.2g} from the span of theirs (themselves: up to {limit:.2g})"
        )
    return tuple(sentences)


def fluid_limits(content: Mapping[str, Any]) -> Domain:
    """Read the limits of a model's description; those of a version before are lists in the order of `SCALARS`."""
    if "low" not in content:
        return Domain.from_dict(content)
    named = {name: list(x) for name, *x in zip(SCALARS, content["low"], content["high"], strict=True)}
    rest = {key: value for key, value in content.items() if key not in ("low", "high")}
    return Domain.from_dict({**named, **rest})
