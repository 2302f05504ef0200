"""What the training loop is given and gives back: a task, jobs of networks, progress, trained weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["Batch", "Fit", "Job", "Task", "TrainingProgress", "read_fit"]

Rows = NDArray[np.int64]
Batch = tuple[Tensor, ...]


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Job:
    """One network to train.

    Attributes
    ----------
    name : str
        For the progress report.
    weights : Path
        The file that it ends in; its checkpoint lies beside it.
    seed : int
        Of the initial weights.
    stream : int
        Names the random numbers of batches and augmentation. Jobs with the same stream have the same rows and see
        the same batches.
    rows, exam : ndarray of int
        Rows to learn from; rows of the validation, which may be none.
    extra : ndarray of int
        Auxiliary rows, of which each batch has the part `share`.
    share : float
        See `extra`.
    """

    name: str
    weights: Path
    seed: int
    stream: int
    rows: Rows
    exam: Rows = field(default_factory=_no_rows)
    extra: Rows = field(default_factory=_no_rows)
    share: float = 0.0

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished training is kept."""
        return self.weights.with_suffix(".checkpoint.pt")

    @property
    def done(self) -> bool:
        """Whether the weights are there."""
        return self.weights.exists()


class Task(Protocol):
    """What networks of one form learn together; tensors have a leading axis of jobs (or streams)."""

    def body(self, seed: int) -> nn.Module:
        """Return an untrained network."""
        ...

    def batch(self, rows: Tensor, generators: list[Generator] | None) -> Batch:
        """Return the pairs of `rows` ``(streams, batch)``; varied with the generators, or as they are."""
        ...

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return the arguments of the bodies for pairs ``(jobs, batch, ...)``."""
        ...

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the loss ``(jobs,)`` of the outputs of the bodies."""
        ...

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the validation error of one job from its outputs ``(1, m, ...)``."""
        ...


@dataclass(frozen=True, eq=False)
class TrainingProgress:
    """State of a training, handed to a callback at each validation.

    Attributes
    ----------
    names : tuple of str
        The networks under way, k of them.
    step, steps : int
        Optimiser steps done and planned.
    loss, error, best : ndarray, shape (k,)
        Training loss, averaged since the last validation; validation error now and at its best (NaN: none).
    """

    names: tuple[str, ...]
    step: int
    steps: int
    loss: Array
    error: Array
    best: Array


@dataclass(frozen=True, eq=False)
class Fit:
    """A trained body.

    Attributes
    ----------
    weights : dict of str to Tensor
        Its state, on the CPU.
    step : int
        Step of these weights.
    error : float
        Their validation error; NaN without validation.
    history : ndarray, shape (n, 3)
        Step, training loss and validation error at each validation.
    """

    weights: dict[str, Tensor]
    step: int
    error: float
    history: Array


def read_fit(path: Path) -> Fit:
    """Read a finished network; InputError if it is not there."""
    from safetensors.torch import load_file

    if not path.exists():
        raise InputError(f"{path} is missing: the training is not finished; run it again")
    content = load_file(path)
    history = content.pop("history").numpy().astype(np.float64)
    step, error = content.pop("best").tolist()
    return Fit(content, int(step), float(error), history)
