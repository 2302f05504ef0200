"""The task of correcting the HNC pressure for the training loop, and the ensemble that is exported."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.eos.features import CURVES, SCALARS, FluidFeatures
from cginit.learn.bodies import Ports, build_body
from cginit.learn.config import Architecture, LossTerms
from cginit.learn.fitting import Batch
from cginit.learn.losses import KINDS
from cginit.models.grid import POINTS

__all__ = ["CorrectionNetwork", "CorrectionTask", "PressureEnsemble", "corrected", "scalar_limits"]

#: Output of the layers that counts as 1.
UNIT = 0.3
#: Smallest compressibility factor that a relative deviation refers to, as in the published study.
FLOOR = 0.05


def corrected(out: Tensor, base: Tensor) -> Tensor:
    """Return Z ``(...)`` of outputs ``(..., 2)`` and Z_v, Z_e and the size of the second term ``(..., 3)``."""
    z_v, z_e, size = base.unbind(dim=-1)
    a, b = (UNIT * out).unbind(dim=-1)
    return z_v + (0.5 + a) * (z_e - z_v) + size * b


def scalar_limits(scalars: Array) -> tuple[Array, Array]:
    """Return mean and width ``(s,)`` of the input numbers ``(m, s)``, by which the layers see them as order 1."""
    return scalars.mean(axis=0), np.maximum(scalars.std(axis=0), 1e-3)


class CorrectionTask:
    """Networks that give Z from the features of a fluid.

    A change of the length unit changes none of the inputs, so that nothing is varied.

    Parameters
    ----------
    features : FluidFeatures
        Of all rows.
    z : ndarray, shape (m,)
        Simulated compressibility factors.
    architecture : Architecture
        Form of the layers; its options and `residual` mean nothing here.
    loss : LossTerms
        Its kind is that of relative deviations.
    device : torch.device
        Where to compute.
    """

    def __init__(
        self,
        features: FluidFeatures,
        z: Array,
        architecture: Architecture,
        loss: LossTerms,
        device: torch.device,
        limits: tuple[Array, Array],
    ) -> None:
        def tensor(values: Array) -> Tensor:
            return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)

        self.architecture, self.measure = architecture, KINDS[loss.kind]
        mean, width = limits
        self.curves, self.base, self.z = tensor(features.curves), tensor(features.base), tensor(z)
        self.scalars = tensor((features.scalars - mean) / width)

    def body(self, seed: int) -> nn.Module:
        """Return the untrained layers."""
        return build_body(self.architecture, Ports(CURVES, len(SCALARS), POINTS, 2), seed)

    def batch(self, rows: Tensor, generators: list[Generator] | None) -> Batch:
        """Return curves, scalars, base and Z of `rows`."""
        return self.curves[rows], self.scalars[rows], self.base[rows], self.z[rows]

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return curves ``(jobs, m, 3, 50)`` and scalars ``(jobs, m, 9)``."""
        return batch[0], batch[1]

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the mean loss of relative deviations of each job."""
        unit = batch[3].abs().clamp(min=FLOOR)
        return self.measure((corrected(out, batch[2]) - batch[3]) / unit).mean(dim=-1)

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the mean relative absolute error of Z."""
        unit = batch[3].abs().clamp(min=FLOOR)
        return float(((corrected(out, batch[2]) - batch[3]) / unit).abs().mean())


class CorrectionNetwork(nn.Module):
    """Layers with what stands before and after them."""

    def __init__(self, body: nn.Module, limits: tuple[Array, Array]) -> None:
        super().__init__()
        self.body = body
        self.mean: Tensor
        self.width: Tensor
        for name, values in zip(("mean", "width"), limits, strict=True):
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float32)))

    def forward(self, curves: Tensor, scalars: Tensor, base: Tensor) -> Tensor:
        """Return Z ``(m,)`` of features ``(m, 3, 50)``, ``(m, 9)`` and ``(m, 3)``."""
        return corrected(self.body(curves, (scalars - self.mean) / self.width), base)


class PressureEnsemble(nn.Module):
    """Mean of some networks and their spread."""

    def __init__(self, members: list[CorrectionNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, curves: Tensor, scalars: Tensor, base: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of Z, both ``(m,)``."""
        every = torch.stack([m(curves, scalars, base) for m in self.members])
        mean = every.mean(dim=0)
        # torch.std has no counterpart in ONNX; a lone member has no spread.
        spread = torch.sqrt(((every - mean) ** 2).sum(dim=0) / max(len(self.members) - 1, 1))
        return mean, spread
