"""The ensemble g -> U of one configuration: members stopped early by potentials of their own, and their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.architectures import Ensemble, Network, build
from cginit.learn.augmentation import pairs
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.evaluate import VISIBLE_G
from cginit.learn.export import (
    auxiliary_counts,
    check_agreement,
    export_module,
    training_domain,
    write_description,
    write_weights,
)
from cginit.learn.fitting import Fit, Progress, fit, read_fit
from cginit.learn.pool import Pool, choose_device
from cginit.learn.subjects.potential import PotentialTask
from cginit.learn.training import (
    check_auxiliary,
    claim,
    data_digest,
    fold_jobs,
    load_run,
    pretrained,
    weights_path,
)
from cginit.models.grid import POINTS, U_CUT

__all__ = [
    "Member",
    "error_scale",
    "export_onnx",
    "load_members",
    "network_of",
    "out_of_fold",
    "predict",
    "train",
    "write_model",
]


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network.

    Attributes
    ----------
    network : Network
        With the weights of its best validation.
    step : int
        Step of these weights.
    error : float
        Their validation error in kT.
    history : ndarray, shape (k, 3)
        Step, training loss and validation error at each validation.
    """

    network: Network
    step: int
    error: float
    history: Array


def tensors(g: Array, density: Array) -> tuple[Tensor, Tensor]:
    """Return single-precision tensors of a batch."""
    return torch.from_numpy(g.astype(np.float32)), torch.from_numpy(density.astype(np.float32))


def predict(network: Network, g: Array, density: Array) -> Array:
    """Return U ``(m, 50)`` in kT of g ``(m, 50)`` and density ``(m,)``."""
    with torch.no_grad():
        found = network.potential(*tensors(g, density)).cpu().numpy()
    return np.asarray(found, dtype=np.float64)


def train(
    config: Config,
    data: TrainingSet,
    folder: Path,
    report: Callable[[Progress], None] | None = None,
    auxiliary: TrainingSet | None = None,
    device: str = "cpu",
) -> list[Member]:
    """Train the ensemble of `config`, or finish what `folder` holds of it.

    Every validation is a checkpoint, from which an interrupted training goes on (`cginit.learn.fitting.fit`). The
    test set (`cginit.learn.data.SPLIT_RULE`) is dropped first.

    Parameters
    ----------
    config : Config
        What to train.
    data : TrainingSet
        Simulated pairs, test set included or not.
    folder : Path
        Receives ``training.json``, a checkpoint and in the end ``member-K.safetensors`` of each member.
    report : callable, optional
        Called after each validation.
    auxiliary : TrainingSet, optional
        Pairs of other potentials, of which each batch has the part ``config.auxiliary.share``.
    device : {"cpu", "cuda", "auto"}
        Where to train.

    Raises
    ------
    InputError
        If a fold is empty, `auxiliary` is missing or shares a potential with `data`, or `folder` holds a training of
        another configuration or other data.
    """
    if config.architecture.kind == "BN":
        raise InputError("the bridge function is no output of this network; train it with train_bridge")
    check_auxiliary(config, data, auxiliary)
    plan = config.schedule
    known = data.select(~data.test)
    fold = known.folds(plan.members)
    claim(
        folder / "training.json",
        {
            "config": config.to_dict(),
            "data": data_digest(known),
            "auxiliary": None if auxiliary is None else data_digest(auxiliary),
        },
    )
    extra = np.zeros(0, dtype=np.int64) if auxiliary is None else len(known) + np.arange(len(auxiliary))
    for k in range(plan.members):
        if not np.any(fold == k) or not np.any(fold != k):
            raise InputError(
                f"validation fold {k + 1} of {plan.members} or its complement holds no potential; "
                "train fewer members or simulate more potentials"
            )
    jobs = fold_jobs(folder, plan, fold, np.ones(len(known), dtype=np.bool_), extra, config.auxiliary.share)
    place = choose_device(device)
    pool = Pool(known, place, auxiliary)
    one = PotentialTask(pool, config.architecture, [config.options], config.loss, config.augmentation)
    start = pretrained(config, one, extra, np.arange(len(known)), folder, place, report)
    options = [config.options] * plan.members
    task = PotentialTask(pool, config.architecture, options, config.loss, config.augmentation, start)
    fit(task, jobs, plan, place, report)
    return load_members(folder)


def network_of(found: Fit, config: Config) -> Network:
    """Return the network of `config` with trained weights."""
    network = build(config.architecture, seed=0)
    network.body.load_state_dict(found.weights)
    return network.eval()


def load_members(folder: Path) -> list[Member]:
    """Read the finished ensemble of a folder.

    Raises
    ------
    InputError
        If a member is missing.
    """
    config = load_run(folder)[0]
    found = [read_fit(weights_path(folder, k)) for k in range(config.schedule.members)]
    return [Member(network_of(x, config), x.step, x.error, x.history) for x in found]


def out_of_fold(members: list[Member], data: TrainingSet) -> tuple[Array, NDArray[np.bool_]]:
    """Return U ``(m, 50)`` of each row by the member that never saw its potential, and which rows have one ``(m,)``.

    Rows of the test set have none; their U is NaN.
    """
    g, density, _ = pairs(data)
    fold = data.folds(len(members))
    u = np.full(g.shape, np.nan)
    for k, member in enumerate(members):
        rows = fold == k
        u[rows] = predict(member.network, g[rows], density[rows])
    return u, fold >= 0


def error_scale(members: list[Member], data: TrainingSet) -> float:
    """Return the factor by which the spread of the ensemble becomes a standard error.

    It is the quotient of 0.683 quantiles of |error| and spread over the visible points of all validation
    folds; the error is that of the one member that has not seen the potential, so the factor errs on the safe side.
    """
    g, density, truth = pairs(data)
    u, rows = out_of_fold(members, data)
    with torch.no_grad():
        spread = Ensemble([m.network for m in members])(*tensors(g, density))[1].numpy()
    use = rows[:, None] & (truth < U_CUT) & (g > VISIBLE_G)
    # Where all members agree to rounding (beyond the cut-off) the quotient means nothing.
    ratio = np.abs(u - truth)[use] / np.maximum(spread[use], 1e-3)
    return float(np.quantile(ratio, 0.683))


def write_model(
    config: Config,
    members: list[Member],
    data: TrainingSet,
    folder: Path,
    facts: dict[str, Any],
    auxiliary: TrainingSet | None = None,
) -> dict[str, Any]:
    """Write ``NAME.onnx``, ``NAME.safetensors`` and ``NAME.json`` into `folder`; return the description.

    Parameters
    ----------
    config : Config
        Gives the name and version.
    members : list of Member
        The ensemble.
    data : TrainingSet
        What it was trained on, test set included.
    folder : Path
        Where to write.
    facts : dict
        What the description should say besides (origin of the data, errors).
    auxiliary : TrainingSet, optional
        The auxiliary pairs, if there were any.

    Raises
    ------
    InputError
        If the exported file does not give what PyTorch gives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ensemble = Ensemble([m.network for m in members]).eval()
    onnx_path = folder / f"{config.name}.onnx"
    export_onnx(ensemble, onnx_path)
    g, density, _ = pairs(data)
    check_agreement(ensemble, onnx_path, g, density)
    description = {
        **write_weights(config, ensemble, data, folder),
        "auxiliary": auxiliary_counts(auxiliary),
        "members": [{"step": m.step, "validation_error_kT": round(m.error, 5)} for m in members],
        "error_scale": round(error_scale(members, data), 4),
        **facts,
        "domain": training_domain(data, config.augmentation, len(members), auxiliary).to_dict(),
    }
    write_description(description, folder)
    return description


def export_onnx(ensemble: Ensemble, path: Path) -> None:
    """Write the ensemble as ONNX: inputs g ``(m, 50)`` and density ``(m,)``, outputs u and spread ``(m, 50)``."""
    example = {"g": torch.ones(2, POINTS), "density": torch.tensor([0.2, 0.5])}
    export_module(ensemble, example, ("u", "spread"), path)
