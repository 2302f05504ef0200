"""The task of learning the bridge function: from liquid-state features to what the Verlet-modified closure lacks."""

from __future__ import annotations

from math import exp

import numpy as np
import torch
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.learn.architectures import CorrectedEnsemble, odd_asinh
from cginit.learn.augmentation import Augmentation
from cginit.learn.bodies import Ports, build_body
from cginit.learn.config import Architecture, LossTerms
from cginit.learn.evaluate import VISIBLE_G
from cginit.learn.fitting import Batch
from cginit.learn.losses import Loss
from cginit.learn.pool import Pool, hermite
from cginit.learn.subjects.bridge_features import LiquidFeatures
from cginit.learn.subjects.potential import LOST
from cginit.liquid.bridge import modified_verlet
from cginit.models.correlations import U_LOWEST
from cginit.models.grid import RANGE, U_CUT, U_VISIBLE

__all__ = ["BridgeEnsemble", "BridgeTask", "channels", "closure_potential"]

#: Curves that the network sees: -ln g, h, c, gamma, the closure's own correction, and what gamma of the freer
#: inversion has besides.
CURVES = 6
#: Unit of the output in kT.
UNIT = 0.3
#: Spread in kT that is added to that of the members: where they agree to rounding it would mean nothing.
LEAST_SPREAD = 1e-3


def _correction(gamma: Tensor) -> Tensor:
    """Return gamma + B of the Verlet-modified closure."""
    return gamma + modified_verlet(gamma)


def closure_potential(u0: Tensor, gamma: Tensor) -> Tensor:
    """Return U ``(..., n)`` in kT of the Verlet-modified closure, as `cginit.models.correlations.verlet_modified`."""
    return u0 + _correction(gamma[..., 0, :])


def channels(u0: Tensor, gamma: Tensor) -> Tensor:
    """Return the input curves ``(..., 6, n)`` of -ln g ``(..., n)`` and gamma ``(..., 2, n)``."""
    h = torch.exp(-u0) - 1.0
    first, freer = gamma[..., 0, :], gamma[..., 1, :]
    # In the core of a dense liquid c is -50; the layers should see its logarithm there and itself where it is small.
    logarithms = [odd_asinh(x) for x in (h - first, first, _correction(first), freer - first)]
    return torch.stack((u0, h.clamp(max=4.0), *logarithms), dim=-2)


class BridgeTask:
    """Networks that add a bridge correction to the Verlet-modified closure, on the grid of g.

    Parameters
    ----------
    pool : Pool
        The data.
    features : LiquidFeatures
        Those of its rows.
    architecture : Architecture
        Form of the layers; its options and `residual` mean nothing here.
    loss : LossTerms
        Published loss with forces, in which what g does not show counts as the rest.
    augmentation : Augmentation
        Bounds of the change of length unit; noise and shorter ranges are among the variations of the features.
    start : dict of str to Tensor, optional
        Weights that all jobs start from, in place of random ones.
    """

    def __init__(
        self,
        pool: Pool,
        features: LiquidFeatures,
        architecture: Architecture,
        loss: LossTerms,
        augmentation: Augmentation,
        start: dict[str, Tensor] | None = None,
    ) -> None:
        def tensor(values: Array) -> Tensor:
            return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(pool.device)

        self.pool, self.architecture, self.augmentation, self.start = pool, architecture, augmentation, start
        self.measure = Loss(loss.kind, True, loss.a, loss.alpha, loss.u_cut)
        self.points = features.r.size
        self.grid = tensor(features.r)
        self.step = float(features.r[1])
        g = tensor(features.g)
        u0 = -torch.log(g.clamp(min=exp(-U_VISIBLE), max=exp(-U_LOWEST)))
        self.curves = torch.cat((u0[:, :, None], tensor(features.gamma)), dim=2)
        # A variation without a solution is replaced by the row as it is.
        usable = np.where(features.valid, np.arange(features.valid.shape[1])[None], 0)
        self.usable = torch.from_numpy(usable).to(pool.device)

    def body(self, seed: int) -> nn.Module:
        """Return the layers as a training starts from them."""
        body = build_body(
            self.architecture, Ports(curves=CURVES, points=self.points, outputs=self.points), seed
        )
        if self.start is not None:
            body.load_state_dict(self.start)
        return body

    def batch(self, rows: Tensor, generators: list[Generator] | None, variation: int = 0) -> Batch:
        """Return -ln g, gamma, density and U of `rows`, in a random variation, or in the one that is given."""
        pool = self.pool
        if generators is None:
            chosen = torch.full_like(rows, variation)
            scale = torch.ones_like(pool.density[rows])
        else:
            part = pool.random(rows.shape[1:], generators)
            chosen = (part * self.usable.shape[1]).to(torch.int64).clamp(max=self.usable.shape[1] - 1)
            scale = pool.scales(rows, self.augmentation, generators)
        curves = self.curves[rows, self.usable[rows, chosen]]
        at = self.grid * scale[..., None] / self.step
        # Beyond the end of g the curves are 0, as where g ends early.
        u0, *gamma = (hermite(curves[..., k, :], at, 0.0) for k in range(curves.shape[-2]))
        u0 = u0.clamp(max=U_VISIBLE)
        return (
            u0,
            torch.stack(gamma, dim=-2),
            pool.density[rows] * scale**3,
            pool.curves_u(rows, scale, self.grid),
        )

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return the curves ``(jobs, m, 6, n)`` and the density ``(jobs, m, 1)``."""
        u0, gamma, density, _ = batch
        return channels(u0, gamma), density[..., None]

    def potential(self, out: Tensor, batch: Batch) -> Tensor:
        """Return U ``(jobs, m, n)`` of the outputs of the bodies."""
        return closure_potential(batch[0], batch[1]) + UNIT * out

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the loss of each job."""
        u = batch[-1]
        return self.measure(self.potential(out, batch), u, u)

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the mean absolute error of U in kT where g > 0.01, each state point counting 0.5 kT at most."""
        u = batch[-1]
        counts = (u < U_CUT) & (torch.exp(-batch[0]) > VISIBLE_G) & (self.grid <= RANGE)
        deviation = torch.where(counts, (self.potential(out, batch) - u).abs(), torch.zeros_like(u))
        errors = deviation.sum(dim=-1) / counts.sum(dim=-1).clamp(min=1)
        return float(errors.clamp(max=LOST).mean())


class BridgeEnsemble(CorrectedEnsemble):
    """Mean of trained networks and their spread, as it is exported."""

    def forward(self, u0: Tensor, gamma: Tensor, density: Tensor) -> tuple[Tensor, Tensor]:
        """Return U and its spread ``(m, n)`` in kT of -ln g ``(m, n)``, gamma ``(m, 2, n)`` and the density."""
        base = closure_potential(u0, gamma)
        mean, spread = self.corrected(base, UNIT, channels(u0, gamma), density)
        return mean, torch.sqrt(spread**2 + LEAST_SPREAD**2)
