"""The limits of the inputs of a training, from which a model tells what it does not know."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.eos.features import SCALARS, FluidFeatures
from cginit.learn.augmentation import vary
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.models.coverage import LARGEST, measures, noise_level
from cginit.models.domain import Domain

__all__ = ["auxiliary_counts", "fluid_domain", "g_domain", "training_domain"]

#: Principal components of the training curves that span what the network knows.
COMPONENTS = 20
#: Part of the training inputs left out at each end of a range: one strange curve must not open it for all.
QUANTILE = 0.005
#: Variations of each training curve that the domain is fitted to.
VARIATIONS = 8


def training_domain(config: Config, data: TrainingSet, auxiliary: TrainingSet | None = None) -> Domain:
    """Return the limits of the training inputs, without the test set; the components lack the last fold."""
    augmentation, members = config.augmentation, config.schedule.members
    fold = data.folds(members)
    rng = np.random.default_rng(0)
    g: list[Array] = []
    density: list[Array] = []
    for use in ((fold >= 0) & (fold != members - 1), fold == members - 1):
        part = data.select(use)
        varied = vary(part, np.tile(np.arange(len(part)), VARIATIONS), augmentation, rng)
        g.append(varied[0])
        density.append(varied[1])
    basis = [g[0]]
    if auxiliary is not None:
        basis.append(vary(auxiliary, np.arange(len(auxiliary)), augmentation, rng)[0])
    # What is added in training comes on top of what the records have.
    more = np.sqrt(1.0 + augmentation.noise**2)
    noise = [more * noise_level(data.r, error) for error in data.g_error[fold >= 0]]
    return g_domain(np.vstack(g), np.concatenate(density), np.vstack(basis), np.array(noise))


def auxiliary_counts(auxiliary: TrainingSet | None) -> dict[str, int]:
    """Return how many auxiliary pairs of how many potentials there were, as a description says it."""
    if auxiliary is None:
        return {"pairs": 0, "potentials": 0}
    return {"pairs": len(auxiliary), "potentials": int(np.unique(auxiliary.potential).size)}


def g_domain(g: Array, density: Array, basis: Array, noise: Array | None = None) -> Domain:
    """Return the limits of training inputs g ``(m, 50)`` and density ``(m,)``, see `cginit.models.coverage`.

    The components are those of `basis` ``(k, 50)``. It should lack some potentials that are in `g`, so that the
    distance of a fluid that is unknown but similar counts as inside. `noise` ``(k,)`` are the levels of their noise.
    """
    span = _span(basis, LARGEST)
    limits = {name: _limits(values) for name, values in measures(g, density).items()}
    limits["density"] = (float(np.min(density)), float(np.max(density)))
    limits["distance"] = _limits(span.distance(g, LARGEST))
    limits["noise"] = (0.0, float("inf") if noise is None else float(np.quantile(noise, 1.0 - QUANTILE)))
    return Domain(limits, span.mean, span.components)


def fluid_domain(features: FluidFeatures, basis: NDArray[np.bool_]) -> Domain:
    """Return the limits of training inputs of the pressure, see `cginit.eos.coverage`.

    The components are those of the rows `basis` ``(m,)``, which should lack some potentials, so that the distance of
    an unknown but similar fluid counts as inside.
    """
    flat = features.curves.reshape(len(features.curves), -1)
    span = _span(flat[basis], np.inf)
    # Distances of rows that made the components are too small; only the others count.
    others = flat[~basis] if np.any(~basis) else flat
    low, high = features.scalars.min(axis=0), features.scalars.max(axis=0)
    limits = {name: (float(a), float(b)) for name, a, b in zip(SCALARS, low, high, strict=True)}
    limits["distance"] = (0.0, float(np.quantile(span.distance(others), 1.0 - QUANTILE)))
    return Domain(limits, span.mean, span.components)


def _span(curves: Array, largest: float) -> Domain:
    """Return mean and leading components of curves ``(m, n)``, whose values above `largest` count as this."""
    mean = np.mean(curves, axis=0)
    rest = np.minimum(curves, largest) - np.minimum(mean, largest)
    _, _, rows = np.linalg.svd(rest, full_matrices=False)
    return Domain({}, mean, rows[:COMPONENTS])


def _limits(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, (QUANTILE, 1.0 - QUANTILE))
    return float(low), float(high)
