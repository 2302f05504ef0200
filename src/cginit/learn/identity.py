"""What a folder of a training is for: the configuration and a digest of the data, which another run must share."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.errors import InputError
from cginit.learn.data import TrainingSet

__all__ = ["array_digest", "claim", "data_digest", "read_run"]


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


def read_run(path: Path) -> dict[str, Any]:
    """Return what `claim` wrote; InputError if it is not there."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.parent} holds no training: {path.name} is missing") from None
    return content
