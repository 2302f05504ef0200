"""Predictions of the networks of a study g -> U: out of fold, on the test set, and of the final ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.learn.architectures import Network, build, predict
from cginit.learn.augmentation import pairs
from cginit.learn.data import TrainingSet
from cginit.learn.statistics import case_errors, fold_means, own_fold
from cginit.learn.task import read_fit
from cginit_study.results import keep, kept
from cginit_study.study import (
    PotentialSubject,
    StudyConfig,
    final_path,
    fold_path,
    labels_of,
    load_study,
)

__all__ = ["FoldErrors", "PotentialStudy", "assess_potentials", "load_network"]


@dataclass(frozen=True, eq=False)
class FoldErrors:
    """Errors of one network, one number a fold.

    Attributes
    ----------
    mse, mae, curvature : ndarray, shape (folds,)
        On the fold that was not trained on.
    test_mse, test_mae, test_curvature : ndarray, shape (folds,)
        Of the networks of each fold on the test set.
    """

    mse: Array
    mae: Array
    curvature: Array
    test_mse: Array
    test_mae: Array
    test_curvature: Array


@dataclass(frozen=True, eq=False)
class PotentialStudy:
    """All predictions that the figures need.

    Attributes
    ----------
    config : StudyConfig
        Of the study.
    g, truth : ndarray, shape (m, 50)
        Inputs and true potentials of the rows of the data.
    fold : ndarray of int, shape (m,)
        Fold of each row; -1 for the test set.
    errors : dict of str to FoldErrors
        By network ``KIND/LABEL``, for those that are trained on every fold.
    curves : dict of str to ndarray, shape (m, 50)
        Out-of-fold predictions; on the test set the mean over the networks of all folds.
    final : dict of str to ndarray, shape (m, 50)
        Predictions of the final networks, training rows included.
    """

    config: StudyConfig
    g: Array
    truth: Array
    fold: NDArray[np.int64]
    errors: dict[str, FoldErrors]
    curves: dict[str, Array]
    final: dict[str, Array]


def load_network(config: StudyConfig, kind: str, label: str, path: Path) -> Network:
    """Return a trained network of a study."""
    network = build(replace(config.size_of(kind), options=label), seed=0)
    network.body.load_state_dict(read_fit(path).weights)
    return network.eval()


def assess_potentials(folder: Path, data: TrainingSet) -> PotentialStudy:
    """Return predictions and errors of the study in `folder` on `data`, test set included.

    Networks that are not finished are left out. What the networks of the folds give is kept in the folder, and read
    from there where their weights are not.

    Raises
    ------
    InputError
        If `folder` holds no study.
    """
    config = load_study(folder)[0]
    g, density, truth = pairs(data)
    fold = data.folds(config.folds)
    before, errors, curves = kept(folder, data), {}, {}
    for kind in config.kinds:
        for label in labels_of(config, PotentialSubject()):
            name = f"{kind}/{label}"
            paths = [fold_path(folder, kind, label, k) for k in range(config.folds)]
            if all(path.exists() for path in paths):
                networks = [load_network(config, kind, label, path) for path in paths]
                every = np.stack([predict(network, g, density) for network in networks])
                errors[name], curves[name] = _judge(every, truth, fold)
            elif name in before:
                errors[name] = FoldErrors(*(before[name][f.name] for f in fields(FoldErrors)))
                curves[name] = before[name]["curves"]
    keep(folder, data, {name: asdict(x) | {"curves": curves[name]} for name, x in errors.items()})
    final = {}
    for name in config.final:
        kind, _, label = name.partition("/")
        path = final_path(folder, kind, label)
        if path.exists():
            final[name] = predict(load_network(config, kind, label, path), g, density)
    return PotentialStudy(config, g, truth, fold, errors, curves, final)


def _judge(every: Array, truth: Array, fold: NDArray[np.int64]) -> tuple[FoldErrors, Array]:
    """Return the errors of the networks of all folds from their predictions ``(folds, m, 50)``."""
    folds = every.shape[0]
    out = own_fold(every, fold)
    validation = [fold_means(x, fold, folds) for x in case_errors(out, truth)]
    held = fold < 0
    test = [
        np.array([np.mean(case_errors(one[held], truth[held])[i]) if held.any() else np.nan for one in every])
        for i in range(3)
    ]
    return FoldErrors(*validation, *test), out
