"""Predictions of a study, kept beside it: figures can be drawn again without the weights of every fold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cginit.atomic import write_arrays
from cginit.curves import Array
from cginit.learn.data import TrainingSet
from cginit.learn.identity import data_digest

__all__ = ["keep", "kept"]

NAME = "results.npz"
#: Separates the name of a network, KIND/LABEL, from what is kept of it.
OF = ": "


def kept(folder: Path, data: TrainingSet) -> dict[str, dict[str, Array]]:
    """Return what the `folder` of a study keeps of each network ``KIND/LABEL`` for these data, if anything."""
    path = folder / NAME
    if not path.exists():
        return {}
    found: dict[str, dict[str, Array]] = {}
    with np.load(path, allow_pickle=False) as content:
        if str(content["data"]) != data_digest(data):
            return {}
        for key in content.files:
            network, separator, what = key.partition(OF)
            if separator:
                found.setdefault(network, {})[what] = np.asarray(content[key], dtype=np.float64)
    return found


def keep(folder: Path, data: TrainingSet, found: Mapping[str, Mapping[str, Array]]) -> Path:
    """Write what is found of each network ``KIND/LABEL``, in single precision, with the digest of the data.

    Where nothing is found, what is there of other data stays.
    """
    path = folder / NAME
    if not found and path.exists():
        return path
    arrays: dict[str, Any] = {
        f"{network}{OF}{k}": x.astype(np.float32) for network, part in found.items() for k, x in part.items()
    }
    return write_arrays(folder / NAME, arrays | {"data": np.array(data_digest(data))})
