"""The one training of all subjects: an ensemble whose members are validated on potentials of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cginit.errors import InputError
from cginit.learn.config import Config, TrainingSchedule
from cginit.learn.data import TrainingSet
from cginit.learn.fitting import fit
from cginit.learn.identity import claim, read_run
from cginit.learn.pool import choose_device
from cginit.learn.subjects import subject_of
from cginit.learn.subjects.base import Lesson, Preparation, Run, outputs
from cginit.learn.task import Fit, Job, Task, TrainingProgress

__all__ = ["load_config_of", "train"]


def train(
    config: Config,
    data: TrainingSet,
    folder: Path,
    *,
    auxiliary: TrainingSet | None = None,
    device: str = "auto",
    report: Callable[[TrainingProgress], None] | None = None,
    prepared: Callable[[int, int], None] | None = None,
) -> Run:
    """Train the ensemble of `config`, or finish what `folder` holds of it, and return it with what it predicts.

    Every validation is a checkpoint, from which an interrupted training goes on (`cginit.learn.fitting.fit`).
    Nothing is learned from the test set (`cginit.learn.data.SPLIT_RULE`).

    Parameters
    ----------
    config : Config
        What to train; its subject says which features, task and ensemble (`cginit.learn.subjects`).
    data : TrainingSet
        Simulated pairs, test set included.
    folder : Path
        Receives ``training.json``, a checkpoint and in the end ``member-K.safetensors`` of each member, and features
        that take long to compute.
    auxiliary : TrainingSet, optional
        Pairs of other potentials (`cginit.learn.pairs`), of which each batch has the part
        ``config.auxiliary.share``, and which alone teach the network that all members start from, if
        ``config.pretraining`` says so.
    device : {"auto", "cpu", "cuda"}
        Where to train.
    report, prepared : callable, optional
        Called after each validation, and after the features of each row.

    Raises
    ------
    InputError
        If a fold is empty, `auxiliary` is missing or shares a potential with `data`, the data are not on the grid of
        the subject, or `folder` holds a training of another configuration or other data.
    """
    subject, plan = subject_of(config.subject), config.schedule
    _check_auxiliary(config, data, auxiliary, subject.cheap_pairs)
    fold = data.folds(plan.members)
    _check_folds(fold, plan.members)
    _claim(folder / "training.json", subject.identity(config, data, auxiliary))
    place = choose_device(device)
    given = Preparation(config, data, folder, place, auxiliary, prepared)
    lesson = subject.prepare(given)
    _check_folds(np.where(lesson.usable, fold, -1), plan.members)
    task = _task(given, lesson, fold, report)
    jobs = _jobs(folder, plan, fold, lesson, config.auxiliary.share)
    members = fit(task, jobs, plan, place, report)
    bodies = _bodies(task, members)
    run = Run(given, lesson, members, lesson.ensemble(bodies), _every(lesson, bodies, place), fold)

    def more(jobs: Sequence[Job]) -> NDArray[np.float64]:
        return _every(lesson, _bodies(task, fit(task, jobs, plan, place, report)), place)

    found = replace(run, predictions=subject.predict(run, more))
    found.ensemble.to("cpu").eval()
    return found


def load_config_of(folder: Path) -> Config:
    """Return the configuration of the training in `folder`; InputError if there is none."""
    return Config.from_dict(read_run(folder / "training.json")["config"], str(folder))


def _claim(path: Path, content: dict[str, object]) -> None:
    """Claim the folder of a training, also where the configuration in it has the form of an earlier version."""
    if path.exists():
        known = read_run(path)
        if isinstance(known.get("config"), dict):
            known["config"] = Config.from_dict(known["config"], str(path)).to_dict()
        # As in a file, where tuples are lists.
        if json.dumps(known, sort_keys=True) == json.dumps({"format_version": 1, **content}, sort_keys=True):
            return
    claim(path, content)


def _every(lesson: Lesson, bodies: Sequence[nn.Module], place: torch.device) -> NDArray[np.float64]:
    """Return what each network gives for each row ``(members, m, ...)``; NaN where a row is not usable."""
    found = np.stack([outputs(lesson.ensemble([body]), lesson.inputs, place) for body in bodies])
    found[:, ~lesson.usable] = np.nan
    return found


def _check_auxiliary(
    config: Config, data: TrainingSet, auxiliary: TrainingSet | None, possible: bool
) -> None:
    """Refuse auxiliary pairs that a configuration does not ask for, or that name a simulated potential.

    Raises
    ------
    InputError
        If so, or if they are missing.
    """
    if config.auxiliary.share > 0.0 and not possible:
        raise InputError(
            f"auxiliary pairs teach nothing about the subject {config.subject!r}; remove [auxiliary]"
        )
    if (auxiliary is None) != (config.auxiliary.share == 0.0):
        raise InputError(
            f"an auxiliary share of {config.auxiliary.share} and auxiliary pairs belong together"
        )
    if auxiliary is not None and np.intersect1d(auxiliary.potential, data.potential).size:
        raise InputError("an auxiliary potential is also a simulated one; move auxiliary.first")


def _task(
    given: Preparation,
    lesson: Lesson,
    fold: NDArray[np.int64],
    report: Callable[[TrainingProgress], None] | None,
) -> Task:
    """Return the task of the members, which start from what the auxiliary rows alone teach if the plan asks for it.

    The error on the rows of the data is only watched there: the weights are the last ones, whatever it is on the way.

    Raises
    ------
    InputError
        If there are no auxiliary rows.
    """
    config = given.config
    first = lesson.task(None)
    if config.pretraining.steps == 0:
        return first
    if lesson.extra.size == 0:
        raise InputError("a pre-training learns from auxiliary pairs; give auxiliary.share a value above 0")
    plan = replace(config.schedule, members=1, keep="last", **asdict(config.pretraining))
    watched = np.flatnonzero((fold >= 0) & lesson.usable)
    weights = given.folder / "pretrained.safetensors"
    job = Job("pre-training", weights, plan.seed * 1000, plan.members, lesson.extra, watched)
    return lesson.task(fit(first, [job], plan, given.device, report)[0].weights)


def _check_folds(fold: NDArray[np.int64], members: int) -> None:
    """Refuse folds ``(m,)`` of which one holds no potential; -1 is none.

    Raises
    ------
    InputError
        If there is such a one.
    """
    if np.any(np.bincount(fold[fold >= 0], minlength=members) == 0):
        raise InputError(f"a fold of {members} holds no potential; train fewer members")


def _bodies(task: Task, fits: Sequence[Fit]) -> list[nn.Module]:
    """Return the layers of trained networks, each with its weights."""
    bodies = []
    for one in fits:
        body = task.body(0)
        body.load_state_dict(one.weights)
        bodies.append(body)
    return bodies


def _jobs(
    folder: Path, plan: TrainingSchedule, fold: NDArray[np.int64], lesson: Lesson, share: float
) -> list[Job]:
    """Return the jobs of an ensemble: member k learns from all folds but k, on which it is validated."""
    known = (fold >= 0) & lesson.usable
    return [
        Job(
            f"member {k + 1}",
            folder / f"member-{k + 1}.safetensors",
            plan.seed * 1000 + k,
            k,
            np.flatnonzero(known & (fold != k)),
            np.flatnonzero(known & (fold == k)),
            lesson.extra,
            share,
        )
        for k in range(plan.members)
    ]
