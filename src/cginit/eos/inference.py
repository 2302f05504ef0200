"""The shipped network of the equation of state through ONNX Runtime; PyTorch is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cginit.curves import Array
from cginit.eos.coverage import fluid_limits
from cginit.eos.features import FluidFeatures
from cginit.errors import InputError
from cginit.models.domain import Domain
from cginit.models.model import Model, load_model

__all__ = ["MODEL", "EosModel", "calibrated_error", "load_eos"]

#: Name of the model that the route ``network`` takes.
MODEL = "eos"


@dataclass(frozen=True, eq=False)
class EosModel:
    """An exported ensemble that corrects the pressure of HNC.

    Attributes
    ----------
    model : Model
        Its session and description; for its scale of the error see `calibrated_error`.
    domain : Domain
        What it was trained on.
    """

    model: Model
    domain: Domain

    def __call__(self, features: FluidFeatures) -> tuple[Array, Array]:
        """Return compressibility factors and their standard errors, both ``(m,)``."""
        z, spread = self.model.mean_and_spread(features.curves, features.scalars, features.base)
        return z, calibrated_error(self.model.error_scale, spread, features.base, z)


def calibrated_error(scale: float, spread: Array, base: Array, z: Array) -> Array:
    r"""Return the standard error ``(m,)`` of predictions.

    .. math:: \sigma = s \sqrt{\Delta^2 + (0.02\,(Z_v - Z_e))^2 + (10^{-3} Z)^2}

    The spread :math:`\Delta` of the ensemble does not know what all members have in common; the difference of the two
    routes of HNC says how much there was to correct, and no simulated pressure is better than 1e-3 or so.
    """
    correction = 0.02 * (base[:, 0] - base[:, 1])
    return np.asarray(scale * np.sqrt(spread**2 + correction**2 + (1e-3 * z) ** 2))


@cache
def load_eos(name: str = MODEL, folder: Path | None = None) -> EosModel:
    """Load ``NAME.onnx`` and ``NAME.json``, shipped or from another `folder`; later calls return the same object.

    Raises
    ------
    InputError
        If there is no such model, or its file is of another format.
    """
    try:
        model = load_model(name, folder)
    except InputError as error:
        raise InputError(f"no network of the equation of state: {error}") from None
    return EosModel(model, fluid_limits(model.metadata["domain"]))
