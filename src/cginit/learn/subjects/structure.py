"""The subject of the structure: the bridge function of a potential, with which HNC gives its g(r)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.architectures import CorrectedEnsemble, odd_asinh
from cginit.learn.augmentation import Augmentation
from cginit.learn.bodies import Ports, build_body
from cginit.learn.config import Architecture, Config
from cginit.learn.data import TrainingSet
from cginit.learn.domain import training_domain
from cginit.learn.identity import data_digest
from cginit.learn.pool import Pool, hermite
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.base import Lesson, Preparation, Run
from cginit.learn.subjects.structure_errors import assess, bridge_members, check_quality, error_tables, saved
from cginit.learn.subjects.structure_theory import FluidTheory, fluid_theory
from cginit.learn.task import Batch, Job
from cginit.liquid.bridge import modified_verlet
from cginit.models.correlations import U_LOWEST
from cginit.models.grid import BRIDGE_POINTS, U_VISIBLE

__all__ = ["CURVES", "BridgeOfPotential", "StructureSubject", "StructureTask", "curves_of"]

#: Curves that the network sees: U, and -ln g, h, c, gamma of HNC.
CURVES = 5
#: Unit of the output.
UNIT = 0.3
#: Weight of the root mean square error of g against the mean absolute error of the bridge function, the error of g
#: that counts as none, and the loss at which a state point stops to count more.
WEIGHT, NOISE, MOST = 8.0, 1e-3, 5.0
#: g from which on a point of the bridge function counts in full.
COUNTS = 0.05
#: So many state points of the validation folds, every so many-th, are judged.
EVERY = 8
#: Root mean square error of g at which a state point is lost; more does not count more in the validation.
LOST = 0.1


def curves_of(u: Tensor, gamma: Tensor) -> Tensor:
    """Return the input curves ``(..., 5, n)`` of U/kT and gamma of HNC, both ``(..., n)``."""
    mean_force = (u - gamma).clamp(min=U_LOWEST, max=U_VISIBLE)
    h = torch.exp(-mean_force) - 1.0
    seen = u.clamp(min=U_LOWEST, max=U_VISIBLE)
    return torch.stack((seen, mean_force, h.clamp(max=4.0), odd_asinh(h - gamma), odd_asinh(gamma)), dim=-2)


class StructureTask:
    """Networks that add to the modified Verlet bridge function of the HNC solution.

    The loss is that of g: a deviation of the bridge function changes g by the linear response of the simulated
    fluid, which the Ornstein-Zernike equation gives. No equation is solved while training.

    Parameters
    ----------
    pool : Pool
        The data.
    rows : FluidTheory
        Their theory.
    architecture : Architecture
        Form of the layers.
    augmentation : Augmentation
        Bounds of the change of length unit; there is no noise to vary.
    """

    def __init__(
        self, pool: Pool, rows: FluidTheory, architecture: Architecture, augmentation: Augmentation
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


class StructureSubject:
    """g(r) of a potential; see `cginit.learn.subjects.base.Subject`."""

    name = "structure"
    unit = ""
    error_key = "validation_error_g"
    outputs = ("bridge", "spread")
    preparation = "HNC and response"
    cheap_pairs = False

    def identity(self, config: Config, data: TrainingSet, auxiliary: TrainingSet | None) -> dict[str, object]:
        """Return configuration and digest of the data."""
        return {"config": config.to_dict(), "data": data_digest(data)}

    def prepare(self, given: Preparation) -> Lesson:
        """Return U and gamma of HNC of each fluid that has them; the theory stays in ``rows.npz`` of the folder."""
        config, data = given.config, given.data
        if data.r.size != BRIDGE_POINTS:
            raise InputError(f"g has {data.r.size} points; the forward map has {BRIDGE_POINTS}")
        kept = given.folder / "rows.npz"
        if not kept.exists():
            fluid_theory(data, given.report).write(kept)
        theory = FluidTheory.read(kept)
        pool = Pool(data, given.device)

        def task(start: dict[str, Tensor] | None) -> StructureTask:
            return StructureTask(pool, theory, config.architecture, config.augmentation)

        energy = np.array([np.interp(data.r, data.u_r, u) for u in data.u])
        inputs = {"energy": energy, "gamma": theory.gamma, "density": data.density}
        return Lesson(inputs, theory.valid, task, BridgeOfPotential, features=theory)

    def predict(self, run: Run, more: Callable[[Sequence[Job]], Array]) -> Array:
        """Return the bridge functions ``(m, n)`` of the true potentials."""
        return own_fold(run.every, run.fold)

    def domain(self, run: Run) -> dict[str, Any]:
        """Return the limits of the g of the training."""
        return training_domain(run.config, run.data).to_dict()

    def figures(self, run: Run) -> dict[str, Any]:
        """Return how many state points HNC does not solve; the spread is not used as an error."""
        return {"error_scale": 1.0, "without solution": int(np.sum(~run.lesson.usable))}

    def errors(
        self, run: Run, folder: Path | None, report: Callable[[str, int, int], None] | None = None
    ) -> dict[str, Any]:
        """Return tables of g of true potentials and of polished guesses; the folder of the run keeps their arrays."""
        members = bridge_members(run.config.schedule.members)
        rows = {"validation": np.flatnonzero(~run.data.test)[::EVERY]}
        if folder is not None:
            rows["test"] = np.flatnonzero(run.data.test)
        errors: dict[str, Any] = {"every": EVERY}
        for name, chosen in rows.items():
            found = assess(run, chosen, members, None if report is None else partial(report, name))
            saved(found, run.preparation.folder / f"errors-{name}.npz")
            errors[f"map_{name}"], errors[f"step_{name}"] = error_tables(found)
            errors[f"check_{name}"] = check_quality(found)
        return errors

    def card(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return what only this card has."""
        return {
            "scale": " to ".join(f"{x:g}" for x in description["config"]["augmentation"]["scale"]),
            "unsolved": description["without solution"],
            "errors": ", ".join(f"{m['validation_error_g']:.4f}" for m in description["members"]),
            **description["errors"],
        }
