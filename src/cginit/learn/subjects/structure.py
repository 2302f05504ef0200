"""The task of learning the bridge function of a potential, and the ensemble that is exported."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.learn.architectures import CorrectedEnsemble, odd_asinh
from cginit.learn.augmentation import Augmentation
from cginit.learn.bodies import Ports, build_body
from cginit.learn.config import Architecture
from cginit.learn.fitting import Batch
from cginit.learn.pool import Pool, hermite
from cginit.learn.subjects.structure_theory import FluidRows
from cginit.liquid.bridge import modified_verlet
from cginit.models.correlations import U_LOWEST
from cginit.models.grid import U_VISIBLE

__all__ = ["CURVES", "BridgeOfPotential", "ForwardTask", "curves_of"]

#: Curves that the network sees: U, and -ln g, h, c, gamma of HNC.
CURVES = 5
#: Unit of the output.
UNIT = 0.3
#: Weight of the root mean square error of g against the mean absolute error of the bridge function, the error of g
#: that counts as none, and the loss at which a state point stops to count more.
WEIGHT, NOISE, MOST = 8.0, 1e-3, 5.0
#: g from which on a point of the bridge function counts in full.
COUNTS = 0.05
#: Root mean square error of g at which a state point is lost; more does not count more in the validation.
LOST = 0.1


def curves_of(u: Tensor, gamma: Tensor) -> Tensor:
    """Return the input curves ``(..., 5, n)`` of U/kT and gamma of HNC, both ``(..., n)``."""
    mean_force = (u - gamma).clamp(min=U_LOWEST, max=U_VISIBLE)
    h = torch.exp(-mean_force) - 1.0
    seen = u.clamp(min=U_LOWEST, max=U_VISIBLE)
    return torch.stack((seen, mean_force, h.clamp(max=4.0), odd_asinh(h - gamma), odd_asinh(gamma)), dim=-2)


class ForwardTask:
    """Networks that add to the modified Verlet bridge function of the HNC solution.

    The loss is that of g: a deviation of the bridge function changes g by the linear response of the simulated
    fluid, which the Ornstein-Zernike equation gives. No equation is solved while training.

    Parameters
    ----------
    pool : Pool
        The data.
    rows : FluidRows
        Their theory.
    architecture : Architecture
        Form of the layers.
    augmentation : Augmentation
        Bounds of the change of length unit; there is no noise to vary.
    """

    def __init__(
        self, pool: Pool, rows: FluidRows, architecture: Architecture, augmentation: Augmentation
    ) -> None:
        def tensor(values: Array) -> Tensor:
            return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(pool.device)

        self.pool, self.architecture, self.augmentation = pool, architecture, augmentation
        self.gamma, self.bridge, self.g = tensor(rows.gamma), tensor(rows.bridge), tensor(rows.g)
        self.response = torch.from_numpy(rows.response).to(pool.device)
        self.points = rows.gamma.shape[1]
        self.grid = pool.step * torch.arange(self.points, dtype=torch.float32, device=pool.device)
        self.weight = (self.g / COUNTS).clamp(max=1.0)

    def body(self, seed: int) -> nn.Module:
        """Return the untrained layers."""
        return build_body(
            self.architecture, Ports(curves=CURVES, points=self.points, outputs=self.points), seed
        )

    def batch(self, rows: Tensor, generators: list[Generator] | None) -> Batch:
        """Return U, gamma and density in a varied unit of length, that unit, and the rows."""
        pool = self.pool
        if generators is None:
            scale = torch.ones_like(pool.density[rows])
        else:
            scale = pool.scales(rows, self.augmentation, generators)
        at = self.grid * scale[..., None] / pool.step
        gamma = hermite(self.gamma[rows], at, 0.0)
        return (
            pool.curves_u(rows, scale, self.grid),
            gamma,
            pool.density[rows] * scale**3,
            scale,
            rows,
        )

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return the curves ``(jobs, m, 5, n)`` and the density ``(jobs, m, 1)``."""
        return curves_of(batch[0], batch[1]), batch[2][..., None]

    def deviation(self, out: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return how the bridge function and g deviate from the simulated ones, in the unit of the data."""
        _, gamma, _, scale, rows = batch
        varied = modified_verlet(gamma) + UNIT * out
        at = self.grid / scale[..., None] / self.pool.step
        # What a stretched curve no longer holds counts as right.
        known = at <= self.points - 1 + 1e-4
        true = self.bridge[rows]
        bridge = torch.where(known, hermite(varied, at, 0.0), true) - true
        change = torch.matmul(self.response[rows], bridge[..., 1:, None])[..., 0]
        return bridge, change + self.g[rows][..., 1:] - self.pool.g[rows][..., 1:]

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the loss of each job."""
        bridge, g = self.deviation(out, batch)
        weight = self.weight[batch[-1]]
        of_bridge = (bridge.abs() * weight).sum(dim=-1) / weight.sum(dim=-1)
        of_g = torch.sqrt((g**2).mean(dim=-1) + NOISE**2)
        return (WEIGHT * of_g + of_bridge).clamp(max=MOST).mean(dim=-1)

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the root mean square error of g, averaged over the state points."""
        g = self.deviation(out, batch)[1]
        return float(torch.sqrt((g**2).mean(dim=-1)).clamp(max=LOST).mean())


class BridgeOfPotential(CorrectedEnsemble):
    """Mean of trained networks and their spread, as it is exported."""

    def forward(self, u: Tensor, gamma: Tensor, density: Tensor) -> tuple[Tensor, Tensor]:
        """Return the bridge function and its spread ``(m, n)`` of U/kT, gamma of HNC ``(m, n)`` and density."""
        return self.corrected(modified_verlet(gamma), UNIT, curves_of(u, gamma), density)
