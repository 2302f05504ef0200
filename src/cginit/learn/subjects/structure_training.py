"""Training of the forward map: networks that give the bridge function of a potential from its HNC solution."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.fitting import Fit, Progress, fit
from cginit.learn.pool import Pool, choose_device
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.structure import BridgeOfPotential, ForwardTask
from cginit.learn.subjects.structure_theory import FluidRows, fluid_rows
from cginit.learn.training import check_folds, claim, data_digest, fold_jobs, trained_bodies
from cginit.models.grid import BRIDGE_POINTS

__all__ = ["ForwardRun", "train_forward"]


@dataclass(frozen=True, eq=False)
class ForwardRun:
    """A finished training.

    Attributes
    ----------
    members : list of Fit
        The trained networks.
    ensemble : BridgeOfPotential
        The same as one module, on the CPU.
    rows : FluidRows
        Theory of the training set.
    fold : ndarray of int, shape (m,)
        Member that has not seen the potential; -1 for the test set.
    bridge : ndarray, shape (m, n)
        Bridge function of the true potential by that member; by the mean of all on the test set.
    """

    members: list[Fit]
    ensemble: BridgeOfPotential
    rows: FluidRows
    fold: NDArray[np.int64]
    bridge: Array


def train_forward(
    config: Config,
    data: TrainingSet,
    folder: Path,
    *,
    device: str = "auto",
    report: Callable[[Progress], None] | None = None,
    prepared: Callable[[int, int], None] | None = None,
) -> ForwardRun:
    """Train the ensemble of `config`, or finish what `folder` holds of it.

    Parameters
    ----------
    config : Config
        With the subject ``structure``.
    data : TrainingSet
        Test set included; networks do not see it.
    folder : Path
        Receives ``rows.npz``, ``training.json`` and ``member-K.safetensors``.
    device : {"auto", "cpu", "cuda"}
        Where to train.
    report, prepared : callable, optional
        Called after each validation, and after the theory of each row.

    Raises
    ------
    InputError
        If the subject is another one, a fold is empty, the data are on another grid, or `folder` holds a training of
        other data or configuration.
    """
    if config.subject != "structure":
        raise InputError(f"a forward map has the subject 'structure', not {config.subject!r}")
    if data.r.size != BRIDGE_POINTS:
        raise InputError(f"g has {data.r.size} points; the forward map has {BRIDGE_POINTS}")
    plan = config.schedule
    claim(folder / "training.json", {"config": config.to_dict(), "data": data_digest(data)})
    cache = folder / "rows.npz"
    if not cache.exists():
        fluid_rows(data, prepared).write(cache)
    rows = FluidRows.read(cache)
    fold = data.folds(plan.members)
    check_folds(fold[rows.valid], plan.members)
    place = choose_device(device)
    task = ForwardTask(Pool(data, place), rows, config.architecture, config.augmentation)
    members = fit(task, fold_jobs(folder, plan, fold, rows.valid), plan, place, report)
    bodies = trained_bodies(task, members)
    every = np.stack([_bridges(task, [body], data) for body in bodies])
    return ForwardRun(members, BridgeOfPotential(bodies).eval(), rows, fold, own_fold(every, fold))


def _bridges(task: ForwardTask, bodies: list[nn.Module], data: TrainingSet) -> Array:
    """Return the bridge functions ``(m, n)`` of the true potentials by some networks."""
    place = task.pool.device
    network = BridgeOfPotential([deepcopy(body) for body in bodies]).to(place).eval()
    found = []
    with torch.no_grad():
        for first in range(0, len(data), 256):
            rows = torch.arange(first, min(first + 256, len(data)), device=place)[None]
            u, gamma, density, *_ = task.batch(rows, None)
            found.append(network(u[0], gamma[0], density[0])[0].cpu().numpy().astype(np.float64))
    return np.concatenate(found)
