"""The task g -> U: what the loop needs to train networks of any published options."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor, nn

from cginit.learn.architectures import (
    boltzmann,
    exponential_of,
    input_curve,
    output_potential,
)
from cginit.learn.augmentation import Augmentation
from cginit.learn.bodies import Ports, build_body
from cginit.learn.config import Architecture, LossTerms
from cginit.learn.evaluate import absolute_errors
from cginit.learn.fitting import Batch
from cginit.learn.losses import Loss
from cginit.learn.options import Options
from cginit.learn.pool import Pool

__all__ = ["LOST", "PotentialTask"]

#: Errors of U beyond this (in kT) count as this in validation: the few fluids that no g(r) up to 5 sigma tells apart
#: must not decide when all others are learned best.
LOST = 0.5


class PotentialTask:
    """Networks of one architecture that give U from g and the density, each job with options of its own.

    Parameters
    ----------
    pool : Pool
        The data.
    architecture : Architecture
        Common to all jobs, but for the options.
    options : list of Options
        Those of each job.
    loss : LossTerms
        Common to all jobs; option f switches its second part on.
    augmentation : Augmentation
        How batches vary.
    start : dict of str to Tensor, optional
        Weights that all jobs start from, in place of random ones.
    """

    def __init__(
        self,
        pool: Pool,
        architecture: Architecture,
        options: list[Options],
        loss: LossTerms,
        augmentation: Augmentation,
        start: dict[str, Tensor] | None = None,
    ) -> None:
        self.start = start
        self.pool, self.architecture, self.augmentation = pool, architecture, augmentation
        self.measure = Loss(loss.kind, True, loss.a, loss.alpha, loss.u_cut)

        def flags(values: list[bool]) -> Tensor:
            return torch.tensor(values, device=pool.device)

        self.boltzmann = flags([o.boltzmann for o in options])
        self.exponential = flags([o.exponential for o in options])
        self.force = flags([o.force for o in options])
        if augmentation.none:
            # What never varies is brought onto the 50 points once and not at each step.
            one = torch.ones_like(pool.density)
            self.plain = pool.curves_g(pool.g, one), pool.density, pool.curves_u(pool.every, one)

    def body(self, seed: int) -> nn.Module:
        """Return the layers as a training starts from them."""
        body = build_body(self.architecture, Ports(), seed)
        if self.start is not None:
            body.load_state_dict(self.start)
        return body

    def batch(self, rows: Tensor, generators: list[Generator] | None) -> Batch:
        """Return g, density and U of `rows`."""
        pool, how = self.pool, self.augmentation
        if how.none:
            return tuple(x[rows] for x in self.plain)
        if generators is None:
            one = torch.ones_like(pool.density[rows])
            return pool.curves_g(pool.g[rows], one), pool.density[rows], pool.curves_u(rows, one)
        scale = pool.scales(rows, how, generators)
        g = pool.vary_g(rows, scale, how, generators)
        return g, pool.density[rows] * scale**3, pool.curves_u(rows, scale)

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return curve ``(jobs, m, 1, 50)`` and density ``(jobs, m, 1)``."""
        g, density = batch[0], batch[1]
        curve = torch.where(self.boltzmann[jobs][:, None, None], boltzmann(g), input_curve(g))
        return curve[:, :, None], density[..., None]

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the loss of each job."""
        g, _, u = batch
        exponential = self.exponential[jobs][:, None, None]
        truth = torch.where(exponential, exponential_of(u), u)
        points, forces = self.measure.terms(self._raw(out, g, exponential), truth, u)
        return points + forces * self.force[jobs]

    def potential(self, out: Tensor, g: Tensor, jobs: slice) -> Tensor:
        """Return U ``(jobs, m, 50)`` of outputs of the bodies."""
        exponential = self.exponential[jobs][:, None, None]
        raw = self._raw(out, g, exponential)
        return torch.where(exponential, output_potential(raw), raw)

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the mean absolute error of U in kT where g > 0.01, each state point counting 0.5 kT at most."""
        g, _, u = batch
        found = self.potential(out, g, slice(job, job + 1))
        errors = absolute_errors(*(x[0].cpu().numpy().astype(np.float64) for x in (found, u, g)))
        return float(np.mean(np.minimum(errors.visible, LOST)))

    def _raw(self, out: Tensor, g: Tensor, exponential: Tensor) -> Tensor:
        if not self.architecture.residual:
            return out
        u0 = boltzmann(g)
        return out + torch.where(exponential, torch.exp(-u0), u0)
