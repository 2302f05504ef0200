"""One loop that trains every network: an ensemble, each member stopped early by potentials of its own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cginit.curves import Array
from cginit.errors import InputError
from cginit.network.architectures import Network, build
from cginit.network.augmentation import pairs, vary
from cginit.network.config import Config
from cginit.network.data import TrainingSet, fold_of
from cginit.network.evaluate import absolute_errors
from cginit.network.losses import Loss

__all__ = ["Member", "Progress", "data_digest", "load_members", "load_run", "predict", "train"]

#: Part of the steps over which the learning rate rises.
WARM_UP = 0.05
#: Longest gradient that is followed; a rare curve with a huge loss must not undo thousands of steps.
MAX_GRADIENT = 10.0
#: Part of the steps after which a validation counts. While the learning rate is high, the best of many validations
#: on a dozen potentials is a lucky one; such weights were worse on everything else.
SETTLED = 0.5
#: Errors of U beyond this (in kT) count as this in validation: the few fluids that no g(r) up to 5 sigma tells apart
#: must not decide when all others are learned best.
LOST = 0.5


@dataclass(frozen=True)
class Progress:
    """State of a training, handed to a callback at each validation.

    Attributes
    ----------
    member, members : int
        Which network of how many, from 1.
    step, steps : int
        Optimiser steps done and planned.
    loss : float
        Training loss, averaged since the last validation.
    error, best : float
        Mean absolute error of U in kT on the validation fold, where g > 0.01 and U < 20 kT, each state point
        counting 0.5 kT at most; now and at its least.
    """

    member: int
    members: int
    step: int
    steps: int
    loss: float
    error: float
    best: float


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network.

    Attributes
    ----------
    network : Network
        With the weights of its best validation.
    step : int
        Step of these weights.
    error : float
        Their validation error in kT.
    history : ndarray, shape (k, 3)
        Step, training loss and validation error at each validation.
    """

    network: Network
    step: int
    error: float
    history: Array


def data_digest(data: TrainingSet) -> str:
    """Return ``sha256:`` and 64 hexadecimal digits of all arrays."""
    digest = hashlib.sha256()
    for f in fields(data):
        digest.update(np.ascontiguousarray(getattr(data, f.name)).tobytes())
    return f"sha256:{digest.hexdigest()}"


def tensors(g: Array, density: Array) -> tuple[Tensor, Tensor]:
    """Return single-precision tensors of a batch."""
    return torch.from_numpy(g.astype(np.float32)), torch.from_numpy(density.astype(np.float32))


def predict(network: Network, g: Array, density: Array) -> Array:
    """Return U ``(m, 50)`` in kT of g ``(m, 50)`` and density ``(m,)``."""
    with torch.no_grad():
        found = network.potential(*tensors(g, density)).cpu().numpy()
    return np.asarray(found, dtype=np.float64)


def train(
    config: Config,
    data: TrainingSet,
    folder: Path,
    report: Callable[[Progress], None] | None = None,
    auxiliary: TrainingSet | None = None,
) -> list[Member]:
    """Train the ensemble of `config`, or finish what `folder` holds of it.

    Every validation is a checkpoint. Batches and noise are functions of seed, member and step alone, so
    that an interrupted training ends with the same bits as an uninterrupted one on the same machine.
    The test set (`cginit.network.data.SPLIT_RULE`) is dropped first.

    Parameters
    ----------
    config : Config
        What to train.
    data : TrainingSet
        Simulated pairs, test set included or not.
    folder : Path
        Receives ``training.json``, a checkpoint and in the end ``member-K.safetensors`` of each member.
    report : callable, optional
        Called after each validation.
    auxiliary : TrainingSet, optional
        Pairs of other potentials, of which each batch has the part ``config.auxiliary.share``.

    Raises
    ------
    InputError
        If a fold is empty, `auxiliary` is missing or shares a potential with `data`, or `folder` holds a training of
        another configuration or other data.
    """
    if (auxiliary is None) != (config.auxiliary.share == 0.0):
        raise InputError(
            f"an auxiliary share of {config.auxiliary.share} and auxiliary pairs belong together"
        )
    if auxiliary is not None and np.intersect1d(auxiliary.potential, data.potential).size:
        raise InputError("an auxiliary potential is also a simulated one; move auxiliary.first")
    fold = fold_of(data.potential, config.schedule.members)
    known = data.select(fold >= 0)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(
        folder,
        {
            "config": config.to_dict(),
            "data": data_digest(known),
            "auxiliary": None if auxiliary is None else data_digest(auxiliary),
        },
    )
    for k in range(config.schedule.members):
        if not np.any(fold == k) or not np.any((fold >= 0) & (fold != k)):
            raise InputError(
                f"validation fold {k + 1} of {config.schedule.members} or its complement holds no potential; "
                "train fewer members or simulate more potentials"
            )
        if not _weights(folder, k).exists():
            _train_member(
                config,
                data.select((fold >= 0) & (fold != k)),
                data.select(fold == k),
                auxiliary,
                folder,
                k,
                report,
            )
    return load_members(folder)


def load_members(folder: Path) -> list[Member]:
    """Read the finished ensemble of a folder.

    Raises
    ------
    InputError
        If a member is missing.
    """
    from safetensors.torch import load_file

    config = Config.from_dict(_read(folder)["config"], str(folder))
    members = []
    for k in range(config.schedule.members):
        path = _weights(folder, k)
        if not path.exists():
            raise InputError(f"{path} is missing: the training in {folder} is not finished; run it again")
        network = build(config.architecture, seed=0)
        content = load_file(path)
        history = content.pop("history").numpy().astype(np.float64)
        best = content.pop("best")
        network.load_state_dict(content)
        members.append(Member(network.eval(), int(best[0]), float(best[1]), history))
    return members


def load_run(folder: Path) -> tuple[Config, str]:
    """Return configuration and digest of the data of the training in `folder`."""
    content = _read(folder)
    return Config.from_dict(content["config"], str(folder)), str(content["data"])


def _train_member(
    config: Config,
    train_set: TrainingSet,
    validation: TrainingSet,
    auxiliary: TrainingSet | None,
    folder: Path,
    k: int,
    report: Callable[[Progress], None] | None,
) -> None:
    from safetensors.torch import save_file

    plan = config.schedule
    loss = Loss(config.loss.kind, config.options.force, config.loss.a, config.loss.alpha, config.loss.u_cut)
    network = build(config.architecture, seed=plan.seed * 1000 + k)
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
    step, best, history = 0, (0, float("inf")), np.zeros((0, 3))
    best_weights = {name: value.clone() for name, value in network.state_dict().items()}
    checkpoint = folder / f"member-{k + 1}.checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        step, best, best_weights = state["step"], tuple(state["best"]), state["best_weights"]
        history = state["history"].numpy().astype(np.float64)
    exam = pairs(validation)
    losses = []
    while step < plan.steps:
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * _rate(step / plan.steps)
        rng = np.random.default_rng([plan.seed, k, step])
        losses.append(_step(network, optimiser, loss, _batch(config, train_set, auxiliary, rng)))
        step += 1
        if step % plan.evaluate_every and step < plan.steps:
            continue
        errors = absolute_errors(predict(network, exam[0], exam[1]), exam[2], exam[0]).visible
        error = float(np.mean(np.minimum(errors, LOST)))
        history = np.vstack([history, [step, np.mean(losses), error]])
        losses.clear()
        if step >= SETTLED * plan.steps and error < best[1]:
            best = (step, error)
            best_weights = {name: value.clone() for name, value in network.state_dict().items()}
        _save(
            {
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step,
                "best": list(best),
                "best_weights": best_weights,
                "history": torch.from_numpy(history),
            },
            checkpoint,
        )
        if report is not None:
            report(Progress(k + 1, plan.members, step, plan.steps, float(history[-1, 1]), error, best[1]))
    final = {name: value.contiguous() for name, value in best_weights.items()}
    final |= {"best": torch.tensor(best, dtype=torch.float64), "history": torch.from_numpy(history)}
    temporary = _weights(folder, k).with_suffix(".tmp")
    save_file(final, temporary)
    temporary.replace(_weights(folder, k))
    checkpoint.unlink(missing_ok=True)


def _batch(
    config: Config, data: TrainingSet, auxiliary: TrainingSet | None, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    size = config.schedule.batch
    extra = 0 if auxiliary is None else round(size * config.auxiliary.share)
    parts = [vary(data, rng.integers(0, len(data), size - extra), config.augmentation, rng)]
    if auxiliary is not None:
        parts.append(vary(auxiliary, rng.integers(0, len(auxiliary), extra), config.augmentation, rng))
    g, density, u = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return g, density, u


def _step(
    network: Network, optimiser: torch.optim.Optimizer, loss: Loss, batch: tuple[Array, Array, Array]
) -> float:
    g, density, u = batch
    truth = torch.from_numpy(u.astype(np.float32))
    value = loss(network(*tensors(g, density)), network.encode(truth), truth)
    optimiser.zero_grad()
    value.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
    optimiser.step()
    return float(value.detach())


def _rate(progress: float) -> float:
    if progress < WARM_UP:
        return 0.04 + 0.96 * progress / WARM_UP
    return 0.5 * (1.0 + float(np.cos(np.pi * (progress - WARM_UP) / (1.0 - WARM_UP))))


def _weights(folder: Path, k: int) -> Path:
    return folder / f"member-{k + 1}.safetensors"


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "training.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder} holds no training: {path.name} is missing") from None
    return content


def _claim(folder: Path, content: dict[str, object]) -> None:
    """Write what the folder is for, or refuse it if it is for something else."""
    path = folder / "training.json"
    text = json.dumps({"format_version": 1, **content}, indent=2)
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != json.loads(text):
            raise InputError(
                f"{folder} holds a training of another configuration or other data; choose a new folder"
            )
        return
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def _save(content: dict[str, object], path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    temporary.replace(path)
