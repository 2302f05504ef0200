"""The contract of what networks learn: from a data set to inputs, task, ensemble, errors and the words of a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cginit.curves import Array
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.task import Fit, Job, Task

__all__ = ["Lesson", "Preparation", "Run", "Subject", "outputs"]

#: Rows that go through a network at once.
PORTION = 256


def _no_rows() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Preparation:
    """What a subject prepares its lesson from.

    Attributes
    ----------
    config : Config
        The configuration of the training.
    data : TrainingSet
        m rows, test set included; networks do not see it.
    folder : Path
        Of the training; keeps features that take long to compute.
    device : torch.device
        Where the networks are trained.
    auxiliary : TrainingSet or None
        Pairs of other potentials, which are the rows after those of the data.
    report : callable or None
        Called with the number of rows done and in all.
    """

    config: Config
    data: TrainingSet
    folder: Path
    device: torch.device
    auxiliary: TrainingSet | None = None
    report: Callable[[int, int], None] | None = None


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a subject makes of a data set.

    Attributes
    ----------
    inputs : dict of str to ndarray, shape (m, ...)
        What the exported network is given for each row, by the names that its file has for it.
    usable : ndarray of bool, shape (m,)
        Rows that have such inputs.
    task : callable
        From the weights that all networks start from (None: random ones) to the task of the training loop.
    ensemble : callable
        From trained layers to the module that is exported, which returns mean and spread of its members.
    extra : ndarray of int
        Auxiliary rows that are usable, counted on after those of the data.
    features : object
        What the inputs were made from, as the subject computed it.
    """

    inputs: dict[str, Array]
    usable: NDArray[np.bool_]
    task: Callable[[dict[str, Tensor] | None], Task]
    ensemble: Callable[[list[nn.Module]], nn.Module]
    extra: NDArray[np.int64] = field(default_factory=_no_rows)
    features: Any = None


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training.

    Attributes
    ----------
    preparation : Preparation
        Configuration, data and folder.
    lesson : Lesson
        What the subject made of them.
    members : list of Fit
        The trained networks.
    ensemble : nn.Module
        The same as one module, on the CPU.
    every : ndarray, shape (members, m, ...)
        What each network gives for each row of the data; NaN where a row is not usable.
    fold : ndarray of int, shape (m,)
        Member that has not seen the potential; -1 for the test set.
    predictions : object
        What the subject makes of `every`, by networks that have not seen the potential.
    """

    preparation: Preparation
    lesson: Lesson
    members: list[Fit]
    ensemble: nn.Module
    every: Array
    fold: NDArray[np.int64]
    predictions: Any = None

    @property
    def config(self) -> Config:
        """Its configuration."""
        return self.preparation.config

    @property
    def data(self) -> TrainingSet:
        """Its data, test set included."""
        return self.preparation.data


class Subject(Protocol):
    """What networks learn. One object of a subject serves every training of it.

    Attributes
    ----------
    name : str
        As a configuration names it.
    unit : str
        Of its validation errors, in words of a progress report.
    error_key : str
        Name of the validation error of a member in the description of a model.
    outputs : tuple of str
        Names of mean and spread in the exported file.
    preparation : str
        What is computed for each row beforehand, for a progress report.
    cheap_pairs : bool
        Whether pairs from integral equations can take part.
    """

    name: str
    unit: str
    error_key: str
    outputs: tuple[str, str]
    preparation: str
    cheap_pairs: bool

    def identity(self, config: Config, data: TrainingSet, auxiliary: TrainingSet | None) -> dict[str, object]:
        """Return what determines the weights: another content is another training."""
        ...

    def prepare(self, given: Preparation) -> Lesson:
        """Return inputs, task and ensemble; InputError if the data are not on the grid of this subject."""
        ...

    def predict(self, run: Run, more: Callable[[Sequence[Job]], Array]) -> Any:
        """Return what networks give that have not seen the potential.

        `more` trains further networks, where others than the members have to judge them, and returns what these give
        for all rows ``(jobs, m, ...)``.
        """
        ...

    def domain(self, run: Run) -> dict[str, Any]:
        """Return what the networks were trained on, as plain numbers."""
        ...

    def figures(self, run: Run) -> dict[str, Any]:
        """Return what the description of the model says besides: the scale of its errors above all."""
        ...

    def errors(
        self, run: Run, folder: Path | None, report: Callable[[str, int, int], None] | None = None
    ) -> dict[str, Any]:
        """Return the tables of errors of a card; without the test set where no exported model lies in a `folder`."""
        ...

    def card(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the template of the card that only this subject has."""
        ...


def outputs(module: nn.Module, inputs: Mapping[str, Array], device: torch.device) -> Array:
    """Return the first output ``(m, ...)`` of a module for inputs ``(m, ...)``, computed in single precision."""
    module = module.to(device).eval()
    rows = len(next(iter(inputs.values())))
    found = []
    with torch.no_grad():
        for first in range(0, rows, PORTION):
            part = (x[first : first + PORTION].astype(np.float32) for x in inputs.values())
            given = (torch.from_numpy(np.ascontiguousarray(x)).to(device) for x in part)
            found.append(module(*given)[0].cpu().numpy().astype(np.float64))
    return np.concatenate(found)
