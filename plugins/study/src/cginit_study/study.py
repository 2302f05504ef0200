"""Studies: many networks of several forms and options, each on every fold of the potentials, and the final ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cginit.errors import InputError
from cginit.learn.augmentation import Augmentation
from cginit.learn.config import Architecture, LossTerms, TrainingSchedule, read_table
from cginit.learn.data import TrainingSet
from cginit.learn.fitting import fit
from cginit.learn.identity import claim, data_digest, read_run
from cginit.learn.options import Options
from cginit.learn.pool import Pool, choose_device
from cginit.learn.subjects.potential import PotentialTask
from cginit.learn.task import Job, Task, TrainingProgress
from cginit.toml import read_toml

__all__ = [
    "NOTHING",
    "PotentialSubject",
    "StudyConfig",
    "StudyProgress",
    "Subject",
    "final_path",
    "fold_path",
    "labels_of",
    "load_study",
    "run_study",
    "study_config",
]

#: No variation of the pairs, as published.
NOTHING = Augmentation(scale=(1.0, 1.0), noise=0.0, shortest_range=5.0)
#: Random stream of the networks that learn from all but the test set.
FINAL_STREAM = 1000


@dataclass(frozen=True)
class StudyConfig:
    """Everything but the data that determines a study.

    Attributes
    ----------
    name : str
        For reports.
    subject : {"potential", "pressure"}
        g -> U or U -> P.
    kinds : tuple of str
        Architectures.
    labels : tuple of str
        Options of the networks; ``("all",)`` stands for every published one.
    folds : int
        Folds of the cross-validation, dealt by potential.
    final : tuple of str
        Networks ``KIND/LABEL`` that are also trained on everything but the test set.
    final_steps : int
        Their optimiser steps; 0 for those of `schedule`.
    architecture : dict of str to Architecture
        Size of each kind.
    loss, augmentation, schedule
        Common to all; the schedule's `members` means nothing here.
    """

    name: str = "study"
    subject: str = "potential"
    kinds: tuple[str, ...] = ("DN", "CN", "UN")
    labels: tuple[str, ...] = ("all",)
    folds: int = 4
    final: tuple[str, ...] = ()
    final_steps: int = 0
    architecture: dict[str, Architecture] = field(default_factory=dict)
    loss: LossTerms = field(default_factory=LossTerms)
    augmentation: Augmentation = NOTHING
    schedule: TrainingSchedule = field(default_factory=lambda: TrainingSchedule(keep="last"))

    @classmethod
    def from_dict(cls, content: dict[str, Any], source: str = "configuration") -> StudyConfig:
        """Build a study from nested tables; absent values keep their defaults.

        Raises
        ------
        InputError
            If a key is unknown or a value has the wrong type.

        Examples
        --------
        >>> StudyConfig.from_dict({"kinds": ["DN"], "schedule": {"steps": 10}}).schedule.keep
        'last'
        """
        parts = {"loss": LossTerms, "augmentation": Augmentation, "schedule": TrainingSchedule}
        rest = dict(content)
        values: dict[str, Any] = {}
        for key, kind in parts.items():
            table = rest.pop(key, {})
            if key == "augmentation":
                table = {**asdict(NOTHING), **table}
            if key == "schedule":
                table = {"keep": "last", **table}
            values[key] = read_table(kind, table, f"{source}, table [{key}]")
        sizes = rest.pop("architecture", {})
        values["architecture"] = {
            kind: read_table(Architecture, {**table, "kind": kind}, f"{source}, table [architecture.{kind}]")
            for kind, table in sizes.items()
        }
        plain = read_table(_Plain, rest, source)
        return cls(**vars(plain), **values)

    def size_of(self, kind: str) -> Architecture:
        """Return the architecture of a kind."""
        return self.architecture.get(kind, Architecture(kind=kind))

    def to_dict(self) -> dict[str, Any]:
        """Return nested tables that `from_dict` reads."""
        return asdict(self)


@dataclass(frozen=True)
class _Plain:
    """The entries of a study's file that are no tables."""

    name: str = "study"
    subject: str = "potential"
    kinds: tuple[str, ...] = ("DN", "CN", "UN")
    labels: tuple[str, ...] = ("all",)
    folds: int = 4
    final: tuple[str, ...] = ()
    final_steps: int = 0


class Subject(Protocol):
    """What a study is about."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All published options."""
        ...

    def form(self, label: str) -> str:
        """Return what networks have in common that can be trained side by side."""
        ...

    def task(self, pool: Pool, config: StudyConfig, kind: str, labels: list[str]) -> Task:
        """Return the task of jobs with these labels, all of one form."""
        ...


class PotentialSubject:
    """g -> U with the published options x, b, e, f and their combinations."""

    labels = ("x", "b", "e", "f", "be", "bf", "ef", "bef")

    def form(self, label: str) -> str:
        """Return the same for all: options change inputs and loss only."""
        Options.parse(label)
        return ""

    def task(self, pool: Pool, config: StudyConfig, kind: str, labels: list[str]) -> Task:
        """Return the task of jobs with these options."""
        options = [Options.parse(label) for label in labels]
        return PotentialTask(pool, config.size_of(kind), options, config.loss, config.augmentation)


@dataclass(frozen=True)
class StudyProgress:
    """How far a study is: networks done and in all, and the training under way."""

    done: int
    total: int
    fit: TrainingProgress


def study_config(path: Path) -> StudyConfig:
    """Read a TOML file; InputError if a key or value is wrong."""
    return StudyConfig.from_dict(read_toml(path), str(path))


def fold_path(folder: Path, kind: str, label: str, fold: int) -> Path:
    """Return the weights of a network that was not trained on `fold` (from 0)."""
    return folder / f"{kind}-{label}" / f"fold-{fold + 1}.safetensors"


def final_path(folder: Path, kind: str, label: str) -> Path:
    """Return the weights of a network trained on all but the test set."""
    return folder / f"{kind}-{label}" / "final.safetensors"


def load_study(folder: Path) -> tuple[StudyConfig, str]:
    """Return configuration and digest of the data of the study in `folder`."""
    content = read_run(folder / "study.json")
    return StudyConfig.from_dict(content["config"], str(folder)), str(content["data"])


def labels_of(config: StudyConfig, subject: Subject) -> tuple[str, ...]:
    """Return the options of a study, ``all`` spelled out."""
    return subject.labels if config.labels == ("all",) else config.labels


def run_study(
    config: StudyConfig,
    subject: Subject,
    data: TrainingSet,
    folder: Path,
    *,
    device: str = "auto",
    only: tuple[str, ...] = (),
    side_by_side: int = 0,
    report: Callable[[StudyProgress], None] | None = None,
) -> None:
    """Train all networks of a study, or finish what `folder` holds of it.

    Parameters
    ----------
    config : StudyConfig
        What to train.
    subject : Subject
        What it is about.
    data : TrainingSet
        Test set included; it is not used.
    folder : Path
        Receives ``study.json`` and a folder for each network, with one file of weights for each fold.
    device : {"auto", "cpu", "cuda"}
        Where to train.
    only : tuple of str
        Train only these kinds, or networks ``KIND/LABEL``.
    side_by_side : int
        Networks trained at once; 0 chooses as many as share a form on CUDA, one cross-validation on a CPU.
    report : callable, optional
        Called after each validation.

    Raises
    ------
    InputError
        If a fold is empty, or `folder` holds a study of another configuration or other data.
    """
    known = data.select(~data.test)
    fold = known.folds(config.folds)
    counts = np.bincount(fold, minlength=config.folds)
    if np.any(counts == 0):
        raise InputError(
            f"a fold of {config.folds} holds no potential; use fewer folds or simulate more potentials"
        )
    claim(folder / "study.json", {"config": config.to_dict(), "data": data_digest(known)})
    place = choose_device(device)
    pool = Pool(known, place)
    limit = side_by_side or (10_000 if place.type == "cuda" else config.folds)
    batches = list(_batches(config, subject, fold, folder, only, limit))
    total = sum(len(jobs) for _, _, jobs, _ in batches)
    done = 0
    for kind, labels, jobs, schedule in batches:

        def forward(progress: TrainingProgress, done: int = done) -> None:
            if report is not None:
                report(StudyProgress(done, total, progress))

        if not all(job.done for job in jobs):
            fit(subject.task(pool, config, kind, labels), jobs, schedule, place, forward)
        done += len(jobs)


def _batches(
    config: StudyConfig,
    subject: Subject,
    fold: NDArray[np.int64],
    folder: Path,
    only: tuple[str, ...],
    limit: int,
) -> Iterator[tuple[str, list[str], list[Job], TrainingSchedule]]:
    """Yield kind, label of each job, jobs and schedule of what is trained side by side."""
    seed = config.schedule.seed
    for kind in config.kinds:
        forms: dict[str, list[str]] = {}
        for label in labels_of(config, subject):
            if not only or kind in only or f"{kind}/{label}" in only:
                forms.setdefault(subject.form(label), []).append(label)
        for members in forms.values():
            each = max(limit // config.folds, 1)
            for first in range(0, len(members), each):
                labels = [x for x in members[first : first + each] for _ in range(config.folds)]
                jobs = [
                    Job(
                        f"{kind}/{label} fold {k + 1}",
                        fold_path(folder, kind, label, k),
                        seed * 1000 + k,
                        k,
                        np.flatnonzero(fold != k),
                        np.flatnonzero(fold == k),
                    )
                    for label, k in zip(labels, list(range(config.folds)) * len(labels), strict=False)
                ]
                yield kind, labels, jobs, config.schedule
    steps = config.final_steps or config.schedule.steps
    for name in config.final:
        kind, _, label = name.partition("/")
        if only and kind not in only and name not in only:
            continue
        rows = np.arange(fold.size)
        job = Job(f"{name} final", final_path(folder, kind, label), seed * 1000 + 999, FINAL_STREAM, rows)
        yield kind, [label], [job], replace(config.schedule, steps=steps)
