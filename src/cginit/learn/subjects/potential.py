"""The subject g -> U: networks of any published options that give U from g and the density."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.learn.architectures import (
    Ensemble,
    Network,
    boltzmann,
    exponential_of,
    input_curve,
    output_potential,
)
from cginit.learn.augmentation import Augmentation, pairs
from cginit.learn.bodies import Ports, build_body
from cginit.learn.card import PLAIN, RESIDUAL, auxiliary_words, tables
from cginit.learn.config import Architecture, Config, LossTerms
from cginit.learn.data import TrainingSet
from cginit.learn.domain import auxiliary_counts, training_domain
from cginit.learn.evaluate import VISIBLE_G, absolute_errors
from cginit.learn.identity import data_digest
from cginit.learn.losses import Loss
from cginit.learn.options import Options
from cginit.learn.pool import Pool
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.base import Lesson, Preparation, Run
from cginit.learn.subjects.guess_errors import guess_errors
from cginit.learn.task import Batch, Job
from cginit.models.grid import U_CUT

__all__ = ["LOST", "PotentialPredictions", "PotentialSubject", "PotentialTask"]

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


@dataclass(frozen=True, eq=False)
class PotentialPredictions:
    """Potentials in kT on the 50 points of the networks.

    Attributes
    ----------
    u : ndarray, shape (m, 50)
        By the member that was not trained on the potential; by the mean of all on the test set.
    spread : ndarray, shape (m, 50)
        Standard deviation of the members.
    truth, g : ndarray, shape (m, 50)
        True potentials and inputs.
    fold : ndarray of int, shape (m,)
        -1 for the test set.
    """

    u: Array
    spread: Array
    truth: Array
    g: Array
    fold: NDArray[np.int64]

    def error_scale(self) -> float:
        """Return the factor by which the spread of the ensemble becomes a standard error.

        It is the quotient of 0.683 quantiles of |error| and spread over the visible points of all validation
        folds; the error is that of the one member that has not seen the potential, so the factor errs on the safe
        side.
        """
        use = (self.fold >= 0)[:, None] & (self.truth < U_CUT) & (self.g > VISIBLE_G)
        # Where all members agree to rounding (beyond the cut-off) the quotient means nothing.
        ratio = np.abs(self.u - self.truth)[use] / np.maximum(self.spread[use], 1e-3)
        return float(np.quantile(ratio, 0.683))


class PotentialSubject:
    """g -> U; see `cginit.learn.subjects.base.Subject`."""

    name = "potential"
    unit = " kT"
    error_key = "validation_error_kT"
    outputs = ("u", "spread")
    preparation = "g on 50 points"
    cheap_pairs = True

    def identity(self, config: Config, data: TrainingSet, auxiliary: TrainingSet | None) -> dict[str, object]:
        """Return configuration and digests; what the test set holds changes no weights."""
        return {
            "config": config.to_dict(),
            "data": data_digest(data.select(~data.test)),
            "auxiliary": None if auxiliary is None else data_digest(auxiliary),
        }

    def prepare(self, given: Preparation) -> Lesson:
        """Return g on the 50 points and the density; every row has them."""
        config, data = given.config, given.data
        g, density, _ = pairs(data)
        pool = Pool(data, given.device, given.auxiliary)
        options = [config.options] * config.schedule.members

        def task(start: dict[str, Tensor] | None) -> PotentialTask:
            return PotentialTask(pool, config.architecture, options, config.loss, config.augmentation, start)

        def ensemble(bodies: list[nn.Module]) -> Ensemble:
            residual = config.architecture.residual
            return Ensemble([Network(body, config.options, residual) for body in bodies])

        count = 0 if given.auxiliary is None else len(given.auxiliary)
        return Lesson(
            {"g": g, "density": density},
            np.ones(len(data), dtype=np.bool_),
            task,
            ensemble,
            len(data) + np.arange(count),
        )

    def predict(self, run: Run, more: Callable[[Sequence[Job]], Array]) -> PotentialPredictions:
        """Return what the members give for the potentials that they have not seen."""
        g, _, truth = pairs(run.data)
        spread = run.every.std(axis=0, ddof=1)
        return PotentialPredictions(own_fold(run.every, run.fold), spread, truth, g, run.fold)

    def domain(self, run: Run) -> dict[str, Any]:
        """Return the limits of the training inputs."""
        return training_domain(run.config, run.data, run.preparation.auxiliary).to_dict()

    def figures(self, run: Run) -> dict[str, Any]:
        """Return the scale of the errors."""
        return {
            "auxiliary": auxiliary_counts(run.preparation.auxiliary),
            "error_scale": round(run.predictions.error_scale(), 4),
        }

    def errors(
        self, run: Run, folder: Path | None, report: Callable[[str, int, int], None] | None = None
    ) -> dict[str, Any]:
        """Return the tables of errors of the networks and, of an exported model, of the guess that it makes."""
        return guess_errors(run, folder, {"network": run.predictions.u})

    def card(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return what only this card has."""
        config = description["config"]
        architecture, augmentation = config["architecture"], config["augmentation"]
        best = (f"{m['step']} ({m['validation_error_kT']:.3f} kT)" for m in description["members"])
        return {
            "options": architecture["options"],
            "output": RESIDUAL if architecture["residual"] else PLAIN,
            "auxiliary": auxiliary_words(**description["auxiliary"], config=config),
            "noise": augmentation["noise"],
            "shortest_range": augmentation["shortest_range"],
            "best": ", ".join(best),
            **tables(description),
        }
