"""The ensemble behind the route ``network``: its training, its predictions, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cginit.atomic import write_arrays
from cginit.curves import Array, PairPotential
from cginit.eos.features import FluidFeatures, fluid_features
from cginit.eos.fluid import Fluid, fluid_at
from cginit.eos.inference import calibrated_error
from cginit.errors import ConvergenceError, InputError
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.fitting import Fit, Job, Progress, fit
from cginit.learn.pool import choose_device
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.pressure import CorrectionNetwork, CorrectionTask, PressureEnsemble, scalar_limits
from cginit.learn.training import check_folds, claim, data_digest, fold_jobs, trained_bodies
from cginit.state import StatePoint

__all__ = ["CorrectionPredictions", "CorrectionRun", "fluid_of", "row_features", "train_correction"]

#: Part of the errors that a band of so many standard errors is to hold.
COVERED, BAND = 0.9, 1.6449
#: Ensembles that judge the error, each without one group of the potentials, and their members. The ensemble itself
#: cannot: all its members but one have seen a potential of the validation, and agree there for this reason.
GROUPS, JUDGES = 4, 4
#: Random stream of the first of them.
STREAM = 2000


@dataclass(frozen=True, eq=False)
class CorrectionPredictions:
    """Compressibility factors of all rows of a training set.

    Attributes
    ----------
    truth : ndarray, shape (m,)
        Simulated.
    z : ndarray, shape (m,)
        By the member that was not trained on the potential; by the mean of all on the test set. NaN where HNC has no
        solution.
    unseen, spread : ndarray, shape (m,)
        Mean and spread of an ensemble of which no member was trained on the potential: that of `GROUPS` which lacks
        its group; on the test set the ensemble itself. NaN where HNC has no solution.
    base : ndarray, shape (m, 3)
        Z_v, Z_e of HNC, and the size of the second term.
    fold : ndarray of int, shape (m,)
        -1 for the test set.
    """

    truth: Array
    z: Array
    unseen: Array
    spread: Array
    base: Array
    fold: NDArray[np.int64]

    def error_scale(self, without: int | None = None) -> float:
        """Return the factor of `calibrated_error`, from the validation folds but `without`.

        With it the 90 % band holds 90 % of them. The judging ensembles have fewer members and less to learn from than
        the ensemble, so that it is rather too large.
        """
        use = (self.fold >= 0) & (self.fold != (-2 if without is None else without)) & np.isfinite(self.z)
        return float(np.quantile(self._ratio()[use], COVERED)) / BAND

    def coverage(self) -> tuple[float, float]:
        """Return the part of the rows inside the 90 % band, of the validation folds and of the test set.

        The factor of each fold comes from the others.
        """
        ratio, known = self._ratio(), np.isfinite(self.z)
        inside = [
            ratio[known & (self.fold == k)] <= BAND * self.error_scale(without=k)
            for k in range(int(self.fold.max()) + 1)
        ]
        test = ratio[known & (self.fold < 0)]
        on_test = float(np.mean(test <= BAND * self.error_scale())) if test.size else float("nan")
        return float(np.mean(np.concatenate(inside))), on_test

    def _ratio(self) -> Array:
        unit = calibrated_error(1.0, self.spread, self.base, self.unseen)
        return np.asarray(np.abs(self.unseen - self.truth) / np.maximum(unit, 1e-12))


@dataclass(frozen=True, eq=False)
class CorrectionRun:
    """A finished training.

    Attributes
    ----------
    ensemble : PressureEnsemble
        All members.
    members : list of Fit
        Their weights and histories.
    features : FluidFeatures
        Inputs of all rows; zeros where there are none.
    valid : ndarray of bool, shape (m,)
        Rows with inputs.
    predictions : CorrectionPredictions
    """

    ensemble: PressureEnsemble
    members: list[Fit]
    features: FluidFeatures
    valid: NDArray[np.bool_]
    predictions: CorrectionPredictions


def fluid_of(data: TrainingSet, row: int, density: float | None = None) -> Fluid:
    """Return the fluid of a row of the training set, at its density or another one."""
    r = data.u_r
    # The table may end at 5 sigma with a rounding error, and a potential may end before its first point.
    last = min(max(int(np.ceil(data.r_cut[row] / r[1])) + 1, 3), r.size)
    potential = PairPotential.shifted(r[:last], data.u[row, :last], units="lj")
    return fluid_at(potential, StatePoint(float(data.density[row]) if density is None else density, 1.0))


def row_features(
    data: TrainingSet, path: Path | None = None, report: Callable[[int, int], None] | None = None
) -> tuple[FluidFeatures, NDArray[np.bool_]]:
    """Return the inputs of every row, and which rows have any.

    Parameters
    ----------
    data : TrainingSet
    path : Path, optional
        An ``.npz`` that keeps them; it is read if it belongs to the same data.
    report : callable, optional
        Called with the number of rows done and in all.
    """
    digest = data_digest(data)
    names = ("curves", "scalars", "base")
    if path is not None and path.exists():
        with np.load(path, allow_pickle=False) as content:
            if str(content["digest"]) == digest:
                return FluidFeatures(*(content[k] for k in names)), content["valid"]
    rows: list[FluidFeatures | None] = []
    for i in range(len(data)):
        try:
            rows.append(fluid_features(fluid_of(data, i)))
        except ConvergenceError:
            rows.append(None)
        if report is not None:
            report(i + 1, len(data))
    valid = np.array([x is not None for x in rows], dtype=np.bool_)
    example = next((x for x in rows if x is not None), None)
    if example is None:
        raise InputError(
            "HNC has no solution for any state point; simulate fluids above their critical temperature"
        )
    arrays = {k: np.zeros((len(rows), *getattr(example, k).shape[1:])) for k in names}
    for i, x in enumerate(rows):
        if x is not None:
            for k in names:
                arrays[k][i] = getattr(x, k)[0]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, {"digest": np.array(digest), "valid": valid, **arrays})
    return FluidFeatures(**arrays), valid


def train_correction(
    config: Config,
    data: TrainingSet,
    folder: Path,
    *,
    device: str = "auto",
    report: Callable[[Progress], None] | None = None,
    prepared: Callable[[int, int], None] | None = None,
) -> CorrectionRun:
    """Train the ensemble of `config`, or finish what `folder` holds of it, and return what it predicts.

    Parameters
    ----------
    config : Config
        With the subject ``pressure``.
    data : TrainingSet
        Test set included; networks do not see it.
    folder : Path
        Receives ``features.npz``, ``training.json``, ``member-K.safetensors`` of the ensemble, and
        ``judge-K-J.safetensors`` of those that say how far it can be trusted.
    device : {"auto", "cpu", "cuda"}
        Where to train.
    report, prepared : callable, optional
        Called after each validation, and after the features of each row.

    Raises
    ------
    InputError
        If the subject is another one, a fold is empty, or `folder` holds a training of other data or configuration.
    """
    if config.subject != "pressure":
        raise InputError(f"a correction of the pressure has the subject 'pressure', not {config.subject!r}")
    plan, fold = config.schedule, data.folds(config.schedule.members)
    claim(folder / "training.json", {"config": config.to_dict(), "data": data_digest(data)})
    features, valid = row_features(data, folder / "features.npz", prepared)
    known = (fold >= 0) & valid
    check_folds(fold[known], plan.members)
    z = data.pressure / data.density
    limits = scalar_limits(features.scalars[known])
    place = choose_device(device)
    task = CorrectionTask(features, z, config.architecture, config.loss, place, limits)
    inputs = [
        torch.from_numpy(getattr(features, k).astype(np.float32)) for k in ("curves", "scalars", "base")
    ]

    def predicted(fits: list[Fit]) -> tuple[PressureEnsemble, Array]:
        networks = [CorrectionNetwork(body, limits).eval() for body in trained_bodies(task, fits)]
        with torch.no_grad():
            every = np.stack([network(*inputs).numpy().astype(np.float64) for network in networks])
        return PressureEnsemble(networks).eval(), every

    members = fit(task, fold_jobs(folder, plan, fold, valid), plan, place, report)
    ensemble, every = predicted(members)
    found = np.where(valid, own_fold(every, fold), np.nan)
    groups = min(GROUPS, plan.members)
    group = data.folds(groups)
    unseen, spread = every.mean(axis=0), every.std(axis=0, ddof=1)
    judges = fit(task, _judging_jobs(folder, plan.seed, group, groups, valid), plan, place, report)
    for k in range(groups):
        judged = predicted(judges[k * JUDGES : (k + 1) * JUDGES])[1][:, group == k]
        unseen[group == k], spread[group == k] = judged.mean(axis=0), judged.std(axis=0, ddof=1)
    unseen, spread = np.where(valid, unseen, np.nan), np.where(valid, spread, np.nan)
    predictions = CorrectionPredictions(z, found, unseen, spread, features.base, fold)
    return CorrectionRun(ensemble, members, features, valid, predictions)


def _judging_jobs(
    folder: Path, seed: int, group: NDArray[np.int64], groups: int, usable: NDArray[np.bool_]
) -> list[Job]:
    """Return the jobs of the ensembles that judge the error, `JUDGES` for each group, which none of them has seen."""
    known = (group >= 0) & usable
    return [
        Job(
            f"judge {k + 1}.{j + 1}",
            folder / f"judge-{k + 1}-{j + 1}.safetensors",
            seed * 1000 + 500 + k * JUDGES + j,
            STREAM + k * JUDGES + j,
            np.flatnonzero(known & (group != k)),
            np.flatnonzero(known & (group == k)),
        )
        for k in range(groups)
        for j in range(JUDGES)
    ]
