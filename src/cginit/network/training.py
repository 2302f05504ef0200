"""The ensemble of one configuration: members stopped early by potentials of their own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cginit.curves import Array
from cginit.errors import InputError
from cginit.network.architectures import Network, build
from cginit.network.config import Config, Schedule
from cginit.network.data import TrainingSet
from cginit.network.fitting import Fit, Job, Progress, Task, fit, read_fit
from cginit.network.pool import Pool, choose_device
from cginit.network.potential_task import PotentialTask

__all__ = [
    "Member",
    "Progress",
    "check_auxiliary",
    "check_folds",
    "claim",
    "data_digest",
    "fold_jobs",
    "load_members",
    "load_run",
    "network_of",
    "predict",
    "pretrained",
    "read_run",
    "train",
    "trained_bodies",
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


def data_digest(data: TrainingSet) -> str:
    """Return ``sha256:`` and 64 hexadecimal digits of all arrays but S(k), which few networks see."""
    names = [f.name for f in fields(data) if f.name != "long_wave"]
    return array_digest(*(getattr(data, name) for name in names))


def array_digest(*arrays: NDArray[Any]) -> str:
    """Return ``sha256:`` and 64 hexadecimal digits of some arrays.

    Real numbers count to three digits: curves that went through a spline differ in the last ones between processors
    and versions of libraries, which is no other training.
    """
    digest = hashlib.sha256()
    for array in arrays:
        with np.errstate(over="ignore"):
            rounded = array.astype(np.float16) if array.dtype.kind == "f" else array
        digest.update(np.ascontiguousarray(rounded).tobytes())
    return f"sha256:{digest.hexdigest()}"


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

    Every validation is a checkpoint, from which an interrupted training goes on (`cginit.network.fitting.fit`). The
    test set (`cginit.network.data.SPLIT_RULE`) is dropped first.

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


def check_auxiliary(config: Config, data: TrainingSet, auxiliary: TrainingSet | None) -> None:
    """Refuse auxiliary pairs that a configuration does not ask for, or that name a simulated potential.

    Raises
    ------
    InputError
        If so, or if they are missing.
    """
    if (auxiliary is None) != (config.auxiliary.share == 0.0):
        raise InputError(
            f"an auxiliary share of {config.auxiliary.share} and auxiliary pairs belong together"
        )
    if auxiliary is not None and np.intersect1d(auxiliary.potential, data.potential).size:
        raise InputError("an auxiliary potential is also a simulated one; move auxiliary.first")


def pretrained(
    config: Config,
    task: Task,
    rows: NDArray[np.int64],
    watched: NDArray[np.int64],
    folder: Path,
    place: torch.device,
    report: Callable[[Progress], None] | None,
) -> dict[str, Tensor] | None:
    """Return the weights that the auxiliary `rows` alone teach; none where the configuration does not ask for it.

    The error on the rows `watched` is only watched: the weights are the last ones, whatever it is on the way.

    Raises
    ------
    InputError
        If there are no auxiliary rows.
    """
    if config.pretraining.steps == 0:
        return None
    if rows.size == 0:
        raise InputError("a pre-training learns from auxiliary pairs; give auxiliary.share a value above 0")
    plan = replace(config.schedule, members=1, keep="last", **asdict(config.pretraining))
    job = Job(
        "pre-training", folder / "pretrained.safetensors", plan.seed * 1000, plan.members, rows, watched
    )
    return fit(task, [job], plan, place, report)[0].weights


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
    found = [read_fit(_weights(folder, k)) for k in range(config.schedule.members)]
    return [Member(network_of(x, config), x.step, x.error, x.history) for x in found]


def load_run(folder: Path) -> tuple[Config, str]:
    """Return configuration and digest of the data of the training in `folder`."""
    content = read_run(folder / "training.json")
    return Config.from_dict(content["config"], str(folder)), str(content["data"])


def read_run(path: Path) -> dict[str, Any]:
    """Return what `claim` wrote; InputError if it is not there."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.parent} holds no training: {path.name} is missing") from None
    return content


def claim(path: Path, content: dict[str, object]) -> None:
    """Write what a folder is for into the file `path`, or refuse it if it is for something else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format_version": 1, **content}, indent=2)
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != json.loads(text):
            raise InputError(
                f"{path.parent} holds a training of another configuration or other data; choose a new folder"
            )
        return
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def check_folds(fold: NDArray[np.int64], members: int) -> None:
    """Refuse folds ``(m,)`` of which one holds no potential; -1 is none.

    Raises
    ------
    InputError
        If there is such a one.
    """
    if np.any(np.bincount(fold[fold >= 0], minlength=members) == 0):
        raise InputError(f"a fold of {members} holds no potential; train fewer members")


def trained_bodies(task: WithBodies, fits: Sequence[Fit]) -> list[nn.Module]:
    """Return the layers of trained networks, each with its weights."""
    bodies = []
    for one in fits:
        body = task.body(0)
        body.load_state_dict(one.weights)
        bodies.append(body)
    return bodies


class WithBodies(Protocol):
    """A task that makes the layers of its networks."""

    def body(self, seed: int) -> nn.Module:
        """Return new layers."""
        ...


def fold_jobs(
    folder: Path,
    plan: Schedule,
    fold: NDArray[np.int64],
    usable: NDArray[np.bool_],
    extra: NDArray[np.int64] | None = None,
    share: float = 0.0,
) -> list[Job]:
    """Return the jobs of an ensemble: member k learns from all folds but k, on which it is validated.

    Parameters
    ----------
    folder : Path
        Receives the weights.
    plan : Schedule
        Its members and seed.
    fold : ndarray of int, shape (m,)
        Fold of each row; -1 for the test set.
    usable : ndarray of bool, shape (m,)
        Rows that are an input of the network.
    extra : ndarray of int, optional
        Auxiliary rows.
    share : float
        Their part of each batch.
    """
    auxiliary = np.zeros(0, dtype=np.int64) if extra is None else extra
    known = (fold >= 0) & usable
    return [
        Job(
            f"member {k + 1}",
            _weights(folder, k),
            plan.seed * 1000 + k,
            k,
            np.flatnonzero(known & (fold != k)),
            np.flatnonzero(known & (fold == k)),
            auxiliary,
            share,
        )
        for k in range(plan.members)
    ]


def _weights(folder: Path, k: int) -> Path:
    return folder / f"member-{k + 1}.safetensors"
