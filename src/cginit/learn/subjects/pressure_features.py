"""What the networks of the pressure see of the rows of a training set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit.atomic import write_arrays
from cginit.curves import PairPotential
from cginit.eos.features import FluidFeatures, fluid_features
from cginit.eos.fluid import Fluid, fluid_at
from cginit.errors import ConvergenceError, InputError
from cginit.learn.data import TrainingSet
from cginit.learn.identity import data_digest
from cginit.state import StatePoint

__all__ = ["fluid_of", "row_features"]


def fluid_of(data: TrainingSet, row: int, density: float | None = None) -> Fluid:
    """Return the fluid of a row of the training set, at its density or another one."""
    r = data.u_r
    # The table may end at 5 sigma with a rounding error, and a potential may end before its first point.
    last = min(max(int(np.ceil(data.r_cut[row] / r[1])) + 1, 3), r.size)
    potential = PairPotential.shifted(r[:last], data.u[row, :last], units="lj")
    return fluid_at(potential, StatePoint(float(data.density[row]) if density is None else density, 1.0))


def row_features(
    data: TrainingSet, path: Path | None = None, report: Callable[[int, int], None] | None = None
) -> tuple[FluidFeatures, NDArray[np.bool_]]:
    """Return the inputs of every row, and which rows have any.

    Parameters
    ----------
    data : TrainingSet
    path : Path, optional
        An ``.npz`` that keeps them; it is read if it belongs to the same data.
    report : callable, optional
        Called with the number of rows done and in all.
    """
    digest = data_digest(data)
    names = ("curves", "scalars", "base")
    if path is not None and path.exists():
        with np.load(path, allow_pickle=False) as content:
            if str(content["digest"]) == digest:
                return FluidFeatures(*(content[k] for k in names)), content["valid"]
    rows: list[FluidFeatures | None] = []
    for i in range(len(data)):
        try:
            rows.append(fluid_features(fluid_of(data, i)))
        except ConvergenceError:
            rows.append(None)
        if report is not None:
            report(i + 1, len(data))
    valid = np.array([x is not None for x in rows], dtype=np.bool_)
    example = next((x for x in rows if x is not None), None)
    if example is None:
        raise InputError(
            "HNC has no solution for any state point; simulate fluids above their critical temperature"
        )
    arrays = {k: np.zeros((len(rows), *getattr(example, k).shape[1:])) for k in names}
    for i, x in enumerate(rows):
        if x is not None:
            for k in names:
                arrays[k][i] = getattr(x, k)[0]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, {"digest": np.array(digest), "valid": valid, **arrays})
    return FluidFeatures(**arrays), valid
