"""From a trained bridge ensemble to the files of a guess: ONNX, safetensors, description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.export import (
    auxiliary_counts,
    check_agreement,
    export_module,
    training_domain,
    write_description,
    write_weights,
)
from cginit.learn.subjects.bridge_features import LiquidFeatures
from cginit.learn.subjects.bridge_training import BridgeRun
from cginit.models.correlations import WEIGHTS
from cginit.models.grid import BRIDGE_POINTS, U_VISIBLE

__all__ = ["bridge_inputs", "write_bridge"]


def bridge_inputs(features: LiquidFeatures, density: Array) -> tuple[Array, Array, Array]:
    """Return -ln g ``(k, 101)``, gamma ``(k, 2, 101)`` and the density ``(k,)`` of the rows that have a solution."""
    rows = features.valid[:, 0]
    u0 = -np.log(np.clip(features.g[rows, 0], np.exp(-U_VISIBLE), None))
    return u0, features.gamma[rows, 0], density[rows]


def write_bridge(
    config: Config,
    run: BridgeRun,
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
    run : BridgeRun
        The finished training.
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
        If the exported file does not give what PyTorch gives, or g is not on the grid of the guess.
    """
    if data.r.size != BRIDGE_POINTS:
        raise InputError(f"g has {data.r.size} points; a guess shows the network {BRIDGE_POINTS}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{config.name}.onnx"
    example = {
        "u0": torch.zeros(2, BRIDGE_POINTS),
        "gamma": torch.zeros(2, len(WEIGHTS), BRIDGE_POINTS),
        "density": torch.tensor([0.2, 0.5]),
    }
    export_module(run.ensemble, example, ("u", "spread"), path)
    check_agreement(run.ensemble, path, *bridge_inputs(run.features, data.density))
    on_folds, on_test = run.predictions.coverage()
    description = {
        **write_weights(config, run.ensemble, data, folder),
        "auxiliary": auxiliary_counts(auxiliary),
        "members": [{"step": m.step, "validation_error_kT": round(m.error, 5)} for m in run.members],
        "error_scale": round(run.predictions.error_scale(), 4),
        "coverage of the 90 % band": {"validation": round(on_folds, 4), "test": round(on_test, 4)},
        "without solution": int(np.sum(~run.features.valid[:, 0])),
        **facts,
        "domain": training_domain(data, config.augmentation, config.schedule.members, auxiliary).to_dict(),
    }
    write_description(description, folder)
    return description
