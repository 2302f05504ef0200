"""The limits of the inputs of a training, from which a model tells what it does not know."""

from __future__ import annotations

import numpy as np

from cginit.curves import Array
from cginit.learn.augmentation import Augmentation, vary
from cginit.learn.data import TrainingSet
from cginit.models.domain import Domain, fit_domain, noise_level

__all__ = ["auxiliary_counts", "training_domain"]

#: Variations of each training curve that the domain is fitted to.
VARIATIONS = 8


def training_domain(
    data: TrainingSet, augmentation: Augmentation, members: int, auxiliary: TrainingSet | None = None
) -> Domain:
    """Return the limits of the training inputs, without the test set; the components lack the last fold."""
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
    return fit_domain(np.vstack(g), np.concatenate(density), np.vstack(basis), np.array(noise))


def auxiliary_counts(auxiliary: TrainingSet | None) -> dict[str, int]:
    """Return how many auxiliary pairs of how many potentials there were, as a description says it."""
    if auxiliary is None:
        return {"pairs": 0, "potentials": 0}
    return {"pairs": len(auxiliary), "potentials": int(np.unique(auxiliary.potential).size)}
