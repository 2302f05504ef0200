"""What the trainings of all subjects share: what a folder is for, folds, auxiliary pairs, jobs."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cginit.errors import InputError
from cginit.learn.config import Config, Schedule
from cginit.learn.data import TrainingSet
from cginit.learn.fitting import Fit, Job, Progress, Task, fit

__all__ = [
    "array_digest",
    "check_auxiliary",
    "check_folds",
    "claim",
    "data_digest",
    "fold_jobs",
    "load_run",
    "pretrained",
    "read_run",
    "trained_bodies",
    "weights_path",
]


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
            weights_path(folder, k),
            plan.seed * 1000 + k,
            k,
            np.flatnonzero(known & (fold != k)),
            np.flatnonzero(known & (fold == k)),
            auxiliary,
            share,
        )
        for k in range(plan.members)
    ]


def weights_path(folder: Path, k: int) -> Path:
    """Return the file of member `k`, from 0, of an ensemble."""
    return folder / f"member-{k + 1}.safetensors"
