"""The task U -> pressure for the training loop, with the virial sum behind the networks."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from cginit.errors import InputError
from cginit.learn.architectures import exponential_of
from cginit.learn.bodies import Ports, build_body
from cginit.learn.losses import KINDS
from cginit.learn.pool import Pool
from cginit.learn.task import Batch, Task
from cginit.models.grid import POINTS, RANGE, U_CUT
from cginit_study.pressure_options import LABELS, EosOptions
from cginit_study.study import StudyConfig

__all__ = ["PressureSubject", "PressureTask", "b2_of", "input_curves", "pressure_of", "virial_sum"]

#: Input units: energies in kT and their slopes in kT/sigma.
U_UNIT, F_UNIT = 20.0, 200.0
#: Output units of beta P, B2* and B2..B5, in powers of sigma; layers start with outputs of order 1.
P_UNIT, B2_UNIT = 10.0, 10.0
B_UNITS = (10.0, 50.0, 50.0, 50.0)
#: Smallest pressure that a relative deviation refers to, as a part of the ideal one: a fluid near its spinodal has
#: P close to 0, and one such state point must not be the whole loss.
FLOOR = 0.05


def b2_of(pool: Pool) -> Tensor:
    """Return the second virial coefficient of every row ``(m,)`` in sigma^3."""
    r = torch.arange(pool.u.shape[1], device=pool.device, dtype=torch.float64) * pool.u_step
    mayer = torch.expm1(-pool.u.double())
    return (-2.0 * torch.pi * torch.trapezoid(mayer * r**2, r, dim=1)).float()


def input_curves(u: Tensor, clip: Tensor | bool, exponential: Tensor | bool) -> tuple[Tensor, Tensor]:
    """Return input and force branch ``(..., 50)`` of U ``(..., 50)`` in kT; flags broadcast against U."""
    yes = torch.as_tensor(clip, device=u.device), torch.as_tensor(exponential, device=u.device)
    boltzmann = exponential_of(u)
    plain = torch.where(yes[1], boltzmann, u)
    shown = torch.where(yes[1], boltzmann, torch.where(yes[0], u.clamp(max=U_CUT), u) / U_UNIT)
    step = RANGE / (POINTS - 1)
    ends = [plain[..., 1:2] - plain[..., :1], plain[..., -1:] - plain[..., -2:-1]]
    slope = torch.cat((ends[0], 0.5 * (plain[..., 2:] - plain[..., :-2]), ends[1]), dim=-1) / step
    return shown, torch.where(yes[1], -slope, -slope / F_UNIT)


def virial_sum(coefficients: Tensor, density: Tensor) -> Tensor:
    r"""Return :math:`\beta P = \rho + \sum_{i=2}^5 B_i \rho^i` of B ``(..., 4)`` at densities ``(...)``."""
    powers = torch.stack([density**i for i in range(2, 6)], dim=-1)
    return density + (coefficients * powers).sum(dim=-1)


def pressure_of(route: str, out: Tensor, density: Tensor) -> Tensor:
    """Return beta P sigma^3 of the raw outputs of a route."""
    if route == "Bn":
        return virial_sum(out * torch.tensor(B_UNITS, device=out.device), density)
    if route == "B2":
        return density + density**2 * B2_UNIT * out[..., 0]
    return P_UNIT * out[..., 0]


class PressureTask:
    """Networks of one architecture and form that give the pressure of U, each job with options of its own.

    Parameters
    ----------
    pool : Pool
        The data.
    config : StudyConfig
        Sizes, loss (of relative deviations) and augmentation: a change of length unit is exact here too.
    kind : str
        Architecture.
    options : list of EosOptions
        Those of each job.

    Raises
    ------
    InputError
        If the options differ in form.
    """

    def __init__(self, pool: Pool, config: StudyConfig, kind: str, options: list[EosOptions]) -> None:
        if len({o.form for o in options}) != 1:
            raise InputError("networks side by side must share their route and inputs; train them apart")
        self.pool, self.config, self.form = pool, config, options[0]
        self.architecture = config.size_of(kind)
        self.measure = KINDS[config.loss.kind]
        self.clip = torch.tensor([o.clip for o in options], device=pool.device)
        self.exponential = torch.tensor([o.exponential for o in options], device=pool.device)
        self.b2 = b2_of(pool)
        # What never varies is brought onto the 50 points once and not at each step.
        self.plain = self._pairs(pool.every, torch.ones_like(pool.density))

    def body(self, seed: int) -> nn.Module:
        """Return the untrained layers."""
        form = self.form
        ports = Ports(1 + form.force, form.scalars, POINTS, form.outputs)
        return build_body(self.architecture, ports, seed)

    def batch(self, rows: Tensor, generators: list[Generator] | None) -> Batch:
        """Return U, density, P0 and P of `rows`."""
        pool, how = self.pool, self.config.augmentation
        if generators is None or how.none:
            return tuple(x[rows] for x in self.plain)
        return self._pairs(rows, pool.scales(rows, how, generators))

    def _pairs(self, rows: Tensor, scale: Tensor) -> Batch:
        pool = self.pool
        density = pool.density[rows] * scale**3
        # B2 is a volume, P an inverse one.
        p0 = density + density**2 * self.b2[rows] / scale**3
        return pool.curves_u(rows, scale), density, p0, pool.pressure[rows] * scale**3

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return curves ``(jobs, m, c, 50)`` and scalars ``(jobs, m, s)``."""
        u, density, p0, _ = batch
        flags = (x[jobs][:, None, None] for x in (self.clip, self.exponential))
        shown, force = input_curves(u, *flags)
        curves = torch.stack((shown, force), dim=-2) if self.form.force else shown[..., None, :]
        scalars = [density] * (self.form.route != "Bn") + [torch.asinh(p0)] * self.form.ideal
        return curves, torch.stack(scalars, dim=-1) if scalars else density.new_zeros((*density.shape, 0))

    def pressure(self, out: Tensor, batch: Batch) -> Tensor:
        """Return beta P sigma^3 ``(jobs, m)`` of outputs of the bodies."""
        return pressure_of(self.form.route, out, batch[1])

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the mean loss of relative deviations of each job."""
        truth = batch[3]
        unit = torch.maximum(truth.abs(), FLOOR * batch[1])
        return self.measure((self.pressure(out, batch) - truth) / unit).mean(dim=-1)

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the mean relative absolute error of the pressure."""
        truth = batch[3]
        return float(((self.pressure(out, batch) - truth) / truth).abs().mean())


class PressureSubject:
    """U -> P by the routes P, B2* and Bn with the published options: 30 networks an architecture."""

    labels = LABELS

    def form(self, label: str) -> str:
        """Return route and inputs."""
        return EosOptions.parse(label).form

    def task(self, pool: Pool, config: StudyConfig, kind: str, labels: list[str]) -> Task:
        """Return the task of jobs with these options."""
        return PressureTask(pool, config, kind, [EosOptions.parse(label) for label in labels])
