"""The subject of the pressure: networks that correct what HNC gives for a potential."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.eos.features import CURVES, SCALARS, FluidFeatures
from cginit.learn.bodies import Ports, build_body
from cginit.learn.card import tables
from cginit.learn.config import Architecture, Config, LossTerms
from cginit.learn.data import TrainingSet
from cginit.learn.domain import fluid_domain
from cginit.learn.identity import data_digest
from cginit.learn.losses import KINDS
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.base import Lesson, Preparation, Run
from cginit.learn.subjects.pressure_errors import PressurePredictions, error_table
from cginit.learn.subjects.pressure_features import row_features
from cginit.learn.task import Batch, Job
from cginit.models.grid import POINTS

__all__ = [
    "CorrectionNetwork",
    "CorrectionTask",
    "PressureEnsemble",
    "PressureSubject",
    "corrected",
    "judging_jobs",
    "scalar_limits",
]

#: Output of the layers that counts as 1.
UNIT = 0.3
#: Smallest compressibility factor that a relative deviation refers to, as in the published study.
FLOOR = 0.05
#: Ensembles that judge the error, each without one group of the potentials, and their members. The ensemble itself
#: cannot: all its members but one have seen a potential of the validation, and agree there for this reason.
GROUPS, JUDGES = 4, 4
#: Random stream of the first of them.
STREAM = 2000


def corrected(out: Tensor, base: Tensor) -> Tensor:
    """Return Z ``(...)`` of outputs ``(..., 2)`` and Z_v, Z_e and the size of the second term ``(..., 3)``."""
    z_v, z_e, size = base.unbind(dim=-1)
    a, b = (UNIT * out).unbind(dim=-1)
    return z_v + (0.5 + a) * (z_e - z_v) + size * b


def scalar_limits(scalars: Array) -> tuple[Array, Array]:
    """Return mean and width ``(s,)`` of the input numbers ``(m, s)``, by which the layers see them as order 1."""
    return scalars.mean(axis=0), np.maximum(scalars.std(axis=0), 1e-3)


class CorrectionTask:
    """Networks that give Z from the features of a fluid.

    A change of the length unit changes none of the inputs, so that nothing is varied.

    Parameters
    ----------
    features : FluidFeatures
        Of all rows.
    z : ndarray, shape (m,)
        Simulated compressibility factors.
    architecture : Architecture
        Form of the layers; its options and `residual` mean nothing here.
    loss : LossTerms
        Its kind is that of relative deviations.
    device : torch.device
        Where to compute.
    """

    def __init__(
        self,
        features: FluidFeatures,
        z: Array,
        architecture: Architecture,
        loss: LossTerms,
        device: torch.device,
        limits: tuple[Array, Array],
    ) -> None:
        def tensor(values: Array) -> Tensor:
            return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)

        self.architecture, self.measure = architecture, KINDS[loss.kind]
        mean, width = limits
        self.curves, self.base, self.z = tensor(features.curves), tensor(features.base), tensor(z)
        self.scalars = tensor((features.scalars - mean) / width)

    def body(self, seed: int) -> nn.Module:
        """Return the untrained layers."""
        return build_body(self.architecture, Ports(CURVES, len(SCALARS), POINTS, 2), seed)

    def batch(self, rows: Tensor, generators: list[Generator] | None) -> Batch:
        """Return curves, scalars, base and Z of `rows`."""
        return self.curves[rows], self.scalars[rows], self.base[rows], self.z[rows]

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return curves ``(jobs, m, 3, 50)`` and scalars ``(jobs, m, 9)``."""
        return batch[0], batch[1]

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the mean loss of relative deviations of each job."""
        unit = batch[3].abs().clamp(min=FLOOR)
        return self.measure((corrected(out, batch[2]) - batch[3]) / unit).mean(dim=-1)

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the mean relative absolute error of Z."""
        unit = batch[3].abs().clamp(min=FLOOR)
        return float(((corrected(out, batch[2]) - batch[3]) / unit).abs().mean())


class CorrectionNetwork(nn.Module):
    """Layers with what stands before and after them."""

    def __init__(self, body: nn.Module, limits: tuple[Array, Array]) -> None:
        super().__init__()
        self.body = body
        self.mean: Tensor
        self.width: Tensor
        for name, values in zip(("mean", "width"), limits, strict=True):
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float32)))

    def forward(self, curves: Tensor, scalars: Tensor, base: Tensor) -> Tensor:
        """Return Z ``(m,)`` of features ``(m, 3, 50)``, ``(m, 9)`` and ``(m, 3)``."""
        return corrected(self.body(curves, (scalars - self.mean) / self.width), base)


class PressureEnsemble(nn.Module):
    """Mean of some networks and their spread."""

    def __init__(self, members: list[CorrectionNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, curves: Tensor, scalars: Tensor, base: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of Z, both ``(m,)``."""
        every = torch.stack([m(curves, scalars, base) for m in self.members])
        mean = every.mean(dim=0)
        # torch.std has no counterpart in ONNX; a lone member has no spread.
        spread = torch.sqrt(((every - mean) ** 2).sum(dim=0) / max(len(self.members) - 1, 1))
        return mean, spread


class PressureSubject:
    """The correction of the HNC pressure; see `cginit.learn.subjects.base.Subject`."""

    name = "pressure"
    unit = ""
    error_key = "validation_error"
    outputs = ("z", "spread")
    preparation = "HNC"
    cheap_pairs = False

    def identity(self, config: Config, data: TrainingSet, auxiliary: TrainingSet | None) -> dict[str, object]:
        """Return configuration and digest of the data."""
        return {"config": config.to_dict(), "data": data_digest(data)}

    def prepare(self, given: Preparation) -> Lesson:
        """Return the features of each fluid that HNC solves; they stay in ``features.npz`` of the folder."""
        config, data = given.config, given.data
        features, valid = row_features(data, given.folder / "features.npz", given.report)
        known = (data.folds(config.schedule.members) >= 0) & valid
        limits = scalar_limits(features.scalars[known])
        z = data.pressure / data.density

        def task(start: dict[str, Tensor] | None) -> CorrectionTask:
            return CorrectionTask(features, z, config.architecture, config.loss, given.device, limits)

        def ensemble(bodies: list[nn.Module]) -> PressureEnsemble:
            return PressureEnsemble([CorrectionNetwork(body, limits) for body in bodies])

        inputs = {name: getattr(features, name) for name in ("curves", "scalars", "base")}
        return Lesson(inputs, valid, task, ensemble, features=features)

    def predict(self, run: Run, more: Callable[[Sequence[Job]], Array]) -> PressurePredictions:
        """Return Z by the members, and by the ensembles that judge its error."""
        data, plan = run.data, run.config.schedule
        groups = min(GROUPS, plan.members)
        group = data.folds(groups)
        unseen, spread = run.every.mean(axis=0), run.every.std(axis=0, ddof=1)
        folder = run.preparation.folder
        judges = more(judging_jobs(folder, plan.seed, group, groups, run.lesson.usable))
        for k in range(groups):
            judged = judges[k * JUDGES : (k + 1) * JUDGES, group == k]
            unseen[group == k], spread[group == k] = judged.mean(axis=0), judged.std(axis=0, ddof=1)
        z = data.pressure / data.density
        base = run.lesson.inputs["base"]
        return PressurePredictions(z, own_fold(run.every, run.fold), unseen, spread, base, run.fold)

    def domain(self, run: Run) -> dict[str, Any]:
        """Return the limits of the features, without the test set; the components lack the last fold."""
        fold, features = run.fold, run.lesson.features
        known = run.lesson.usable & (fold >= 0)
        chosen = FluidFeatures(*(getattr(features, k)[known] for k in ("curves", "scalars", "base")))
        return fluid_domain(chosen, fold[known] != fold.max()).to_dict()

    def figures(self, run: Run) -> dict[str, Any]:
        """Return the state points that HNC solves, the scale of the errors and how many of them the band holds."""
        data, usable, test = run.data, run.lesson.usable, run.fold < 0
        known = usable & ~test
        on_folds, on_test = run.predictions.coverage()
        return {
            "state_points": {
                "training": int(known.sum()),
                "test": int(np.sum(usable & test)),
                "without HNC": int(np.sum(~usable)),
            },
            "potentials": {
                "training": int(np.unique(data.potential[known]).size),
                "test": int(np.unique(data.potential[usable & test]).size),
            },
            "error_scale": round(run.predictions.error_scale(), 4),
            "coverage of the 90 % band": {"validation": round(on_folds, 4), "test": round(on_test, 4)},
        }

    def errors(
        self, run: Run, folder: Path | None, report: Callable[[str, int, int], None] | None = None
    ) -> dict[str, Any]:
        """Return the tables of relative errors beside those of the theories."""
        found, scalars = run.predictions, run.lesson.features.scalars
        base = found.base
        routes = {
            "network": found.z,
            "HNC virial": base[:, 0],
            "HNC energy": base[:, 1],
            "mean of the two": 0.5 * (base[:, 0] + base[:, 1]),
            "P0": 1.0 + np.sinh(scalars[:, 2]),
            "B2+B3": 1.0 + np.sinh(scalars[:, 2]) + np.sinh(scalars[:, 3]),
        }
        rows = {"validation": run.lesson.usable & (run.fold >= 0)}
        if folder is not None:
            rows["test"] = run.lesson.usable & (run.fold < 0)
        return {k: error_table(routes, found.truth, run.data.density, use) for k, use in rows.items()}

    def card(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return what only this card has."""
        coverage = description["coverage of the 90 % band"]
        return {
            "unsolved": description["state_points"]["without HNC"],
            "on_validation": 100.0 * coverage["validation"],
            "on_test": 100.0 * coverage["test"],
            "best": ", ".join(f"{m['validation_error']:.4f}" for m in description["members"]),
            **tables(description),
        }


def judging_jobs(
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
