"""The one loop that trains networks: several of the same form side by side, each with its own checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from cginit.atomic import write_atomically
from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.config import TrainingSchedule
from cginit.learn.task import Batch, Fit, Job, Task, TrainingProgress, read_fit

__all__ = ["fit"]

#: Part of the steps over which the learning rate rises.
WARM_UP = 0.05
#: Longest gradient that is followed; a rare curve with a huge loss must not undo thousands of steps.
MAX_GRADIENT = 10.0
#: Part of the steps after which a validation counts. While the learning rate is high, the best of many validations
#: on a dozen potentials is a lucky one; such weights were worse on everything else.
SETTLED = 0.5


def fit(
    task: Task,
    jobs: Sequence[Job],
    schedule: TrainingSchedule,
    device: torch.device,
    report: Callable[[TrainingProgress], None] | None = None,
) -> list[Fit]:
    """Train the jobs side by side, or finish what their files hold; return all of them.

    Batches and noise are functions of schedule seed, stream and step alone. An interrupted training ends with the
    same bits as an uninterrupted one on the same machine, and a network does not depend on which others are trained
    beside it (but for rounding, on CUDA).

    Raises
    ------
    InputError
        If a job has no rows.
    """
    for job in jobs:
        if job.rows.size == 0:
            raise InputError(f"{job.name} has no state point to learn from; simulate more potentials")
    open_jobs = [i for i, job in enumerate(jobs) if not job.done]
    # A kill between two checkpoints leaves networks at different steps; each set goes on from where it is.
    states = {i: _read_checkpoint(jobs[i]) for i in open_jobs}
    for step in sorted({state["step"] for state in states.values()}):
        members = [i for i in open_jobs if i in states and states[i]["step"] == step]
        # A task may tell its jobs apart, so it is asked about runs of neighbours only.
        for chosen in _neighbours(members):
            group = [jobs[i] for i in range(chosen.start, chosen.stop)]
            found = [states.pop(i) for i in range(chosen.start, chosen.stop)]
            _Side(task, group, chosen, schedule, device, found).run(report)
    return [read_fit(job.weights) for job in jobs]


def one_kernel(body: nn.Module, device: torch.device) -> bool:
    """Return whether stacked networks are evaluated by one call for all.

    On a GPU one kernel serves all networks. On a CPU grouped convolutions are slower than one after the other.
    """
    return device.type == "cuda" or not any(isinstance(m, nn.Conv1d) for m in body.modules())


class _Side:
    """Networks of one form side by side: their parameters are stacked, the optimiser works on all at once."""

    def __init__(
        self,
        task: Task,
        jobs: list[Job],
        chosen: slice,
        schedule: TrainingSchedule,
        device: torch.device,
        states: list[dict[str, Any]],
    ) -> None:
        self.task, self.jobs, self.chosen, self.plan, self.device = task, jobs, chosen, schedule, device
        bodies = [task.body(job.seed).to(device) for job in jobs]
        self.base = bodies[0]
        self.buffers = dict(self.base.named_buffers())
        self.parameters = {
            name: torch.stack([dict(b.named_parameters())[name].detach() for b in bodies]).requires_grad_()
            for name, _ in self.base.named_parameters()
        }
        self.together = one_kernel(self.base, device)
        self.optimiser = torch.optim.Adam(list(self.parameters.values()), lr=schedule.learning_rate)
        streams = sorted({job.stream for job in jobs})
        first = {job.stream: job for job in reversed(jobs)}
        self.streams = [first[s] for s in streams]
        self.stream_of = torch.tensor([streams.index(job.stream) for job in jobs], device=device)
        self.rows = [torch.from_numpy(j.rows).to(device) for j in self.streams]
        self.extra = [torch.from_numpy(j.extra).to(device) for j in self.streams]
        self.step = int(states[0]["step"])
        self.best = [(0, float("nan"))] * len(jobs)
        self.best_weights: list[dict[str, Tensor] | None] = [None] * len(jobs)
        self.history = [np.zeros((0, 3)) for _ in jobs]
        self.exams = [self._exam(job) for job in jobs]
        if self.step > 0:
            self._restore(states)

    def run(self, report: Callable[[TrainingProgress], None] | None) -> None:
        losses: list[Tensor] = []
        plan = self.plan
        while self.step < plan.steps:
            for group in self.optimiser.param_groups:
                group["lr"] = plan.learning_rate * _rate(self.step / plan.steps, plan.decay)
            losses.append(self._advance())
            self.step += 1
            if self.step % plan.evaluate_every == 0 or self.step == plan.steps:
                mean = torch.stack(losses).mean(dim=0).cpu().numpy().astype(np.float64)
                losses.clear()
                errors = self._validate(mean)
                self._save()
                if report is not None:
                    best = np.array([error for _, error in self.best])
                    names = tuple(job.name for job in self.jobs)
                    report(TrainingProgress(names, self.step, plan.steps, mean, errors, best))
        for k, job in enumerate(self.jobs):
            self._finish(k, job)

    def _advance(self) -> Tensor:
        """One step of the optimiser; return the losses ``(k,)``."""
        generators = [self._generator(job) for job in self.streams]
        rows = torch.stack(
            [
                self._draw(rows, extra, job, generator)
                for rows, extra, job, generator in zip(
                    self.rows, self.extra, self.streams, generators, strict=True
                )
            ]
        )
        batch = tuple(x[self.stream_of] for x in self.task.batch(rows, generators))
        out = self._forward(self.task.inputs(batch, self.chosen))
        losses = self.task.loss(out, batch, self.chosen)
        self.optimiser.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        length = torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients]).sum(dim=0).sqrt()
        factor = (MAX_GRADIENT / (length + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor.reshape(-1, *[1] * (gradient.dim() - 1)))
        self.optimiser.step()
        return losses.detach()

    def _forward(self, inputs: Batch) -> Tensor:
        if self.together:

            def call(parameters: dict[str, Tensor], *arguments: Tensor) -> Tensor:
                out: Tensor = functional_call(self.base, (parameters, self.buffers), arguments)
                return out

            return torch.vmap(call)(self.parameters, *inputs)
        parts = {name: p.unbind(0) for name, p in self.parameters.items()}
        outs = [
            functional_call(
                self.base, ({n: p[k] for n, p in parts.items()}, self.buffers), tuple(x[k] for x in inputs)
            )
            for k in range(len(self.jobs))
        ]
        return torch.stack(outs)

    def _draw(self, rows: Tensor, extra: Tensor, job: Job, generator: Generator) -> Tensor:
        more = round(self.plan.batch * job.share)

        def some(source: Tensor, n: int) -> Tensor:
            index = torch.randint(source.shape[0], (n,), generator=generator, device=self.device)
            return source[index]

        drawn = some(rows, self.plan.batch - more)
        return torch.cat((drawn, some(extra, more))) if more else drawn

    def _generator(self, job: Job) -> Generator:
        generator = Generator(device=self.device)
        words = np.random.SeedSequence([self.plan.seed, job.stream, self.step]).generate_state(2, np.uint32)
        return generator.manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)

    def _exam(self, job: Job) -> Batch | None:
        if job.exam.size == 0:
            return None
        return self.task.batch(torch.from_numpy(job.exam).to(self.device)[None], None)

    def _validate(self, losses: Array) -> Array:
        errors = np.full(len(self.jobs), np.nan)
        for k, exam in enumerate(self.exams):
            job = self.chosen.start + k
            if exam is not None:
                with torch.no_grad():
                    inputs = tuple(x[0] for x in self.task.inputs(exam, slice(job, job + 1)))
                    state = {name: p[k] for name, p in self.parameters.items()}
                    out = functional_call(self.base, (state, self.buffers), inputs)[None]
                    errors[k] = self.task.error(out, exam, job)
            self.history[k] = np.vstack([self.history[k], [self.step, losses[k], errors[k]]])
            chosen = self.plan.keep == "best" and np.isfinite(errors[k])
            better = not errors[k] >= self.best[k][1]
            if not chosen or (self.step >= SETTLED * self.plan.steps and better):
                self.best[k] = (self.step, float(errors[k]))
                self.best_weights[k] = self._weights(k)
        return errors

    def _weights(self, k: int) -> dict[str, Tensor]:
        return {name: p[k].detach().cpu().clone() for name, p in self.parameters.items()}

    def _save(self) -> None:
        for k, job in enumerate(self.jobs):
            moments = {
                name: {key: self.optimiser.state[p][key][k].cpu() for key in ("exp_avg", "exp_avg_sq")}
                for name, p in self.parameters.items()
            }
            content = {
                "step": self.step,
                "weights": self._weights(k),
                "moments": moments,
                "best": list(self.best[k]),
                "best_weights": self.best_weights[k],
                "history": torch.from_numpy(self.history[k]),
            }
            job.checkpoint.parent.mkdir(parents=True, exist_ok=True)
            temporary = job.checkpoint.with_suffix(".tmp")
            torch.save(content, temporary)
            temporary.replace(job.checkpoint)

    def _restore(self, states: list[dict[str, Any]]) -> None:
        for name, p in self.parameters.items():
            with torch.no_grad():
                p.copy_(torch.stack([s["weights"][name] for s in states]))
            # Adam is the same for each number, so the moments of stacked networks are the stacked moments.
            self.optimiser.state[p] = {
                "step": torch.tensor(float(self.step)),
                **{
                    key: torch.stack([s["moments"][name][key] for s in states]).to(self.device)
                    for key in ("exp_avg", "exp_avg_sq")
                },
            }
        self.best = [(int(s["best"][0]), float(s["best"][1])) for s in states]
        self.best_weights = [s["best_weights"] for s in states]
        self.history = [s["history"].numpy().astype(np.float64) for s in states]

    def _finish(self, k: int, job: Job) -> None:
        from safetensors.torch import save

        content = {name: x.contiguous() for name, x in (self.best_weights[k] or self._weights(k)).items()}
        content["best"] = torch.tensor(self.best[k], dtype=torch.float64)
        content["history"] = torch.from_numpy(self.history[k])
        job.weights.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(job.weights, save(content), backup=False)
        job.checkpoint.unlink(missing_ok=True)


def _read_checkpoint(job: Job) -> dict[str, Any]:
    if not job.checkpoint.exists():
        return {"step": 0}
    found: dict[str, Any] = torch.load(job.checkpoint, weights_only=True)
    return found


def _neighbours(indices: list[int]) -> list[slice]:
    """Return the runs of consecutive numbers among rising `indices`."""
    runs: list[slice] = []
    for i in indices:
        if runs and runs[-1].stop == i:
            runs[-1] = slice(runs[-1].start, i + 1)
        else:
            runs.append(slice(i, i + 1))
    return runs


def _rate(progress: float, decay: str) -> float:
    if progress < WARM_UP:
        return 0.04 + 0.96 * progress / WARM_UP
    if decay == "constant":
        return 1.0
    return 0.5 * (1.0 + float(np.cos(np.pi * (progress - WARM_UP) / (1.0 - WARM_UP))))
