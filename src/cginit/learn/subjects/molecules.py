"""The subject of connected beads: what the Verlet-modified closure of the site-site equation lacks of U."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.domain import auxiliary_counts
from cginit.learn.evaluate import error_table
from cginit.learn.identity import array_digest
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.base import Preparation, Run
from cginit.learn.subjects.bridge import LEAST_SPREAD, BridgePredictions, BridgeSubject, on_network_points
from cginit.learn.subjects.bridge_bands import band_points, stated_errors
from cginit.learn.subjects.bridge_features import LiquidFeatures
from cginit.learn.task import Job
from cginit.models.grid import boltzmann_potential
from cginit.models.model import SHIPPED, load_model

__all__ = ["FEATURES", "MoleculePredictions", "MoleculeSubject", "shipped_members"]

#: File of the features of molecules in the folder of a training; without it, rows are those of loose beads.
FEATURES = "features.npz"


@dataclass(frozen=True, eq=False)
class MoleculePredictions(BridgePredictions):
    """Those of the bridge function, and by the model that the networks started from.

    Attributes
    ----------
    start : ndarray, shape (m, 50)
        NaN where they started from random weights.
    """

    start: Array


class MoleculeSubject(BridgeSubject):
    """What a closure lacks of U between beads of molecules; see `cginit.learn.subjects.base.Subject`.

    It sees of each pair of bead types what the subject ``bridge`` sees of a fluid of one species, by the inversion of
    the site-site Ornstein-Zernike equation with the structure of the molecules (`cginit.learn.molecules`), and the
    density of all beads. A set of loose beads is one of molecules of one bead.
    """

    name = "molecules"
    cheap_pairs = True

    def identity(self, config: Config, data: TrainingSet, auxiliary: TrainingSet | None) -> dict[str, object]:
        """Return configuration and digests, that of the weights that the networks start from too."""
        weights = [x.numpy() for one in self._members(config) for x in one.values()]
        found = super().identity(config, data, auxiliary)
        return {**found, "start": array_digest(*weights) if weights else None}

    def _features(self, given: Preparation) -> LiquidFeatures:
        path = given.folder / FEATURES
        return LiquidFeatures.read(path) if path.exists() else super()._features(given)

    def _members(self, config: Config) -> Sequence[dict[str, Tensor]]:
        return shipped_members(config.start) if config.start else ()

    def predict(self, run: Run, more: Callable[[Sequence[Job]], Array]) -> MoleculePredictions:
        """Return what the members, the closures and the model that they started from give."""
        found = super().predict(run, more)
        before = np.full(found.truth.shape, np.nan)
        if run.config.start:
            usable, inputs = run.lesson.usable, run.lesson.inputs
            given = [inputs[name][usable] for name in ("u0", "gamma", "density")]
            u = np.array(inputs["u0"])
            u[usable] = load_model(run.config.start)(*given)[0]
            before = on_network_points(run, u)
        return MoleculePredictions(**vars(found), start=before)

    def figures(self, run: Run) -> dict[str, Any]:
        """Return the scale of the errors and how many of them the band holds."""
        spread = np.hypot(np.std(run.every, axis=0, ddof=1), LEAST_SPREAD)
        seen = run.data, run.lesson.features, own_fold(run.every, run.fold), spread
        start = load_model(run.config.start) if run.config.start else None
        return {
            "started from": "random weights" if start is None else f"{start.name} {start.version}",
            "auxiliary": auxiliary_counts(run.preparation.auxiliary),
            **stated_errors(band_points(*seen, run.fold >= 0), band_points(*seen, run.fold < 0)),
            "without solution": int(np.sum(~run.lesson.usable)),
        }

    def errors(
        self, run: Run, folder: Path | None, report: Callable[[str, int, int], None] | None = None
    ) -> dict[str, Any]:
        """Return the tables of errors beside those of the closures; the test set only with an exported model."""
        found: MoleculePredictions = run.predictions
        curves = {"network": found.out_of_fold, "Verlet-modified": found.closure, "hnc": found.hnc}
        if run.config.start:
            curves[run.config.start] = found.start
        curves["-ln g"] = boltzmann_potential(found.g)

        def table(rows: NDArray[np.bool_]) -> str:
            parts = {name: u[rows] for name, u in curves.items()}
            return error_table(parts, found.truth[rows], found.g[rows], run.data.density[rows])

        tables = {"validation": table(~run.data.test)}
        return tables if folder is None else {"test": table(run.data.test), **tables}

    def card(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return what only this card has."""
        return {
            **super().card(description),
            "start": description["config"].get("start", ""),
            "started_from": description["started from"],
        }


def shipped_members(name: str) -> list[dict[str, Tensor]]:
    """Return the weights of the layers of each member of a shipped ensemble.

    Raises
    ------
    InputError
        If there is no such model, or it is none of corrected closures.
    """
    from safetensors.torch import load

    path = SHIPPED / f"{name}.safetensors"
    if not path.is_file():
        raise InputError(f"there is no shipped model {name!r} to start from")
    members: dict[int, dict[str, Tensor]] = {}
    for key, value in load(path.read_bytes()).items():
        group, number, rest = key.split(".", 2)
        if group != "bodies":
            raise InputError(f"networks of this subject cannot start from {name!r}, which has other layers")
        members.setdefault(int(number), {})[rest] = value
    return [members[k] for k in sorted(members)]
