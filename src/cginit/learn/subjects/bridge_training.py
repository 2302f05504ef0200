"""The ensemble that learns the bridge function: its training, its predictions, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.augmentation import pairs
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.evaluate import VISIBLE_G
from cginit.learn.fitting import Fit, Progress, fit
from cginit.learn.pool import Pool, choose_device
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.bridge import LEAST_SPREAD, BridgeEnsemble, BridgeTask
from cginit.learn.subjects.bridge_features import VARIATIONS, LiquidFeatures, liquid_features
from cginit.learn.training import (
    array_digest,
    check_auxiliary,
    check_folds,
    claim,
    data_digest,
    fold_jobs,
    pretrained,
    trained_bodies,
)
from cginit.models.grid import U_CUT, U_VISIBLE, interpolate, network_grid

__all__ = ["BridgePredictions", "BridgeRun", "predict_bridge", "train_bridge"]

#: Standard deviations of the 90 % band of a Gaussian.
BAND = 1.6449


#: Noise of auxiliary pairs, in their standard errors: from that of the publication to that of the data set.
NOISE = (0.125, 1.0)
#: Rows whose inversions are kept in one file.
CHUNK = 250


@dataclass(frozen=True, eq=False)
class BridgePredictions:
    """Potentials in kT on the 50 points of the networks, by the ensemble and by the closures that it starts from.

    Attributes
    ----------
    g, truth : ndarray, shape (m, 50)
        Inputs and true potentials.
    out_of_fold : ndarray, shape (m, 50)
        By the member that was not trained on the potential; by the mean of all on the test set.
    spread : ndarray, shape (m, 50)
        Standard deviation of the members.
    closure, hnc : ndarray, shape (m, 50)
        The Verlet-modified closure and HNC.
    fold : ndarray of int, shape (m,)
        -1 for the test set.
    """

    g: Array
    truth: Array
    out_of_fold: Array
    spread: Array
    closure: Array
    hnc: Array
    fold: NDArray[np.int64]

    def error_scale(self, without: int | None = None) -> float:
        """Return the factor that makes the spread a standard error, from the validation folds but `without`.

        It is set so that the 90 % band of a Gaussian covers 90 % of the visible points.
        """
        ratio = self._ratio((self.fold >= 0) & (self.fold != (-2 if without is None else without)))
        return float(np.quantile(ratio, 0.9)) / BAND

    def coverage(self) -> tuple[float, float]:
        """Return the part of visible points inside the 90 % band on the validation folds and on the test set.

        The factor of each fold comes from the others.
        """
        inside = []
        for k in range(int(self.fold.max()) + 1):
            inside.append(self._ratio(self.fold == k) <= BAND * self.error_scale(without=k))
        test = self._ratio(self.fold < 0)
        on_test = float(np.mean(test <= BAND * self.error_scale())) if test.size else float("nan")
        return float(np.mean(np.concatenate(inside))), on_test

    def _ratio(self, rows: NDArray[np.bool_]) -> Array:
        use = rows[:, None] & (self.truth < U_CUT) & (self.g > VISIBLE_G) & np.isfinite(self.out_of_fold)
        error = np.abs(self.out_of_fold - self.truth)[use]
        return np.asarray(error / self.spread[use])


@dataclass(frozen=True, eq=False)
class BridgeRun:
    """A finished training.

    Attributes
    ----------
    members : list of Fit
        The trained networks.
    ensemble : BridgeEnsemble
        The same as one module, on the CPU.
    features : LiquidFeatures
        What they see of the training set.
    predictions : BridgePredictions
        What they make of it.
    with_long_wave : BridgePredictions
        The same where S(k) at a small k is known besides g.
    """

    members: list[Fit]
    ensemble: BridgeEnsemble
    features: LiquidFeatures
    predictions: BridgePredictions
    with_long_wave: BridgePredictions


def train_bridge(
    config: Config,
    data: TrainingSet,
    folder: Path,
    *,
    variations: int = VARIATIONS,
    device: str = "auto",
    report: Callable[[Progress], None] | None = None,
    prepared: Callable[[int, int], None] | None = None,
    auxiliary: TrainingSet | None = None,
) -> BridgeRun:
    """Train the ensemble of `config`, or finish what `folder` holds of it, and return it with what it predicts.

    Parameters
    ----------
    config : Config
        Of an architecture of kind BN.
    data : TrainingSet
        Test set included; networks do not see it.
    folder : Path
        Receives ``training.json``, ``member-K.safetensors``, and the inversions in ``features`` (and
        ``auxiliary-features``), by as many rows as are lost when the command is stopped.
    variations : int
        Variations of each g whose Ornstein-Zernike inversion is computed beforehand.
    device : {"auto", "cpu", "cuda"}
        Where to train.
    report, prepared : callable, optional
        Called after each validation, and after the inversion of each row.
    auxiliary : TrainingSet, optional
        Pairs of other potentials (`cginit.learn.pairs`), of which each batch has the part
        ``config.auxiliary.share``, and which alone teach the network that all members start from, if
        ``config.pretraining`` says so.

    Raises
    ------
    InputError
        If the kind is another one, a fold is empty, `auxiliary` is missing or shares a potential with `data`, or
        `folder` holds a training of other data or configuration.
    """
    if config.architecture.kind != "BN":
        raise InputError(f"the bridge function is learned by the kind BN, not {config.architecture.kind!r}")
    check_auxiliary(config, data, auxiliary)
    plan = config.schedule
    fold = data.folds(plan.members)
    check_folds(fold, plan.members)
    content = {"config": config.to_dict(), "variations": variations, "data": data_digest(data)}
    content |= {"long_wave": array_digest(data.long_wave)}
    content |= {"auxiliary": None if auxiliary is None else data_digest(auxiliary)}
    claim(folder / "training.json", content)
    features = _prepared(data, folder / "features", variations, plan.seed, prepared)
    every = features
    if auxiliary is not None:
        # A simulation shows nothing below its first count.
        auxiliary = replace(auxiliary, g=np.where(auxiliary.g >= np.exp(-U_VISIBLE), auxiliary.g, 0.0))
        more = _prepared(
            auxiliary, folder / "auxiliary-features", 2, plan.seed, prepared, as_it_is=0, noise=NOISE
        )
        every = LiquidFeatures.joined([features, more])
    place = choose_device(device)
    pool = Pool(data, place, auxiliary)
    # A g whose inversion has no solution is no input of this network.
    extra = len(data) + np.flatnonzero(every.valid[len(data) :, 0])
    known = np.flatnonzero((fold >= 0) & features.valid[:, 0])

    def task_from(start: dict[str, Tensor] | None) -> BridgeTask:
        return BridgeTask(pool, every, config.architecture, config.loss, config.augmentation, start)

    start = pretrained(config, task_from(None), extra, known, folder, place, report)
    task = task_from(start)
    jobs = fold_jobs(folder, plan, fold, features.valid[:, 0], extra, config.auxiliary.share)
    members = fit(task, jobs, plan, place, report)
    bodies = trained_bodies(task, members)
    found = [predict_bridge(task, bodies, data, features, variation) for variation in (0, 1)]
    return BridgeRun(members, BridgeEnsemble(bodies).eval(), features, *found)


def _prepared(
    data: TrainingSet,
    folder: Path,
    variations: int,
    seed: int,
    report: Callable[[int, int], None] | None,
    *,
    as_it_is: int = 2,
    noise: tuple[float, float] = (1.0, 1.0),
) -> LiquidFeatures:
    """Return the features of `data`, from the files in `folder` as far as it has them."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for first in range(0, len(data), CHUNK):
        path = folder / f"{first}.npz"
        if not path.exists():
            rows = data.select((np.arange(len(data)) // CHUNK) == first // CHUNK)

            def count(done: int, total: int, first: int = first) -> None:
                if report is not None:
                    report(first + done, len(data))

            liquid_features(rows, variations, seed, count, as_it_is=as_it_is, noise=noise).write(path)
        parts.append(LiquidFeatures.read(path))
    return LiquidFeatures.joined(parts)


def predict_bridge(
    task: BridgeTask,
    members: list[nn.Module],
    data: TrainingSet,
    features: LiquidFeatures,
    variation: int = 0,
) -> BridgePredictions:
    """Return the predictions of trained bodies for all rows; NaN where the inversion has no solution.

    `variation` is that of the features: 0 for g alone, 1 for g and S(k).
    """
    rows = torch.arange(len(data), device=task.pool.device)[None]
    batch = task.batch(rows, None, variation)
    u0, gamma = _numbers(batch[0][0]), _numbers(batch[1][0, :, 0])
    inputs = tuple(x[0] for x in task.inputs(batch, slice(0, 1)))
    found = []
    for member in members:
        body = deepcopy(member).to(task.pool.device)
        with torch.no_grad():
            found.append(_numbers(task.potential(body(*inputs)[None], batch)[0]))
    every = np.stack(found)
    closure = _numbers(task.potential(torch.zeros_like(batch[0]), batch)[0])
    g, _, truth = pairs(data)
    u0_50 = -np.log(np.maximum(g, np.exp(-U_VISIBLE)))
    usable = features.valid[:, :1]

    def on_points(u: Array) -> Array:
        # What is added to -ln g is smooth even at a core.
        smooth = interpolate(u - u0, 0.0, float(data.r[1]), network_grid(), 0.0)
        return np.where(usable, u0_50 + smooth, np.nan)

    fold = data.folds(len(members))
    out = own_fold(every, fold)
    at = [on_points(u) for u in every]
    spread = np.hypot(np.std(at, axis=0, ddof=1) if len(at) > 1 else 0.0 * g, LEAST_SPREAD)
    return BridgePredictions(
        g, truth, on_points(out), spread, on_points(closure), on_points(u0 + gamma), fold
    )


def _numbers(x: Tensor) -> Array:
    return x.cpu().numpy().astype(np.float64)
