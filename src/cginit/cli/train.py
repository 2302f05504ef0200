"""``cg-init train``: train networks on a data set, evaluate them on its test set, write the files that ship."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cginit.cli.bridge import train_closure
from cginit.cli.command import Application
from cginit.cli.correction import train_pressure
from cginit.cli.curves import curves
from cginit.cli.forward_map import train_structure
from cginit.cli.judging import card_errors, held_rows, origin, written
from cginit.cli.learning import (
    Device,
    Families,
    auxiliary_set,
    need_torch,
    training_set,
)
from cginit.cli.progress import duration
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.learn.fitting import Progress

__all__ = ["app", "train", "training_set"]

app = Application(
    invoke_without_command=True,
    help="Train the networks of a configuration on a data set; go on where a previous run was stopped.",
)

app.command()(curves)


@app.callback()
def start(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option(help="Data set (HDF5), as cg-init dataset merge writes it.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration (TOML).")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the training; the same command goes on where it was.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Evaluate when done, and write ONNX, weights, description and card here."),
    ] = None,
    device: Device = "auto",
    families: Families = "a",
) -> None:
    """Train the ensemble of one configuration; the commands below train many networks."""
    if context.invoked_subcommand is not None:
        return
    for name, value in (("data", data), ("config", config), ("out", out)):
        if value is None:
            raise typer.BadParameter(f"give --{name}, or one of the commands", param_hint=f"--{name}")
    if data is not None and config is not None and out is not None:
        train(data, config, out, export, device, families)


def train(
    data: Path,
    config: Path,
    out: Path,
    export: Path | None,
    device: str = "cpu",
    families: str = "a",
) -> None:
    """Train the networks of a configuration on a data set; go on where a previous run was stopped."""
    need_torch()
    import torch

    from cginit.campaign.dataset import load
    from cginit.learn.config import load_config
    from cginit.learn.subjects.potential_training import train as run

    # The networks are small; more threads are slower.
    torch.set_num_threads(1)
    settings = load_config(config)
    dataset = load(data)
    pairs = training_set(dataset, families)

    unit = " kT" if settings.subject == "potential" else ""

    began = time.monotonic()

    def report(p: Progress) -> None:
        left = (time.monotonic() - began) * (p.steps - p.step) / max(p.step, 1)
        voice().progress(
            f"step {p.step}/{p.steps}, {duration(left)} left  loss {p.loss.mean():.3f}  "
            f"validation of {len(p.names)} networks {' '.join(f'{x:.4f}' for x in p.error)}{unit}"
        )

    if settings.subject == "pressure":
        train_pressure(settings, dataset, pairs, out, export, report, device)
        return
    if settings.subject == "structure":
        train_structure(settings, dataset, pairs, out, export, report, families, device)
        return
    if settings.architecture.kind == "BN":
        train_closure(settings, dataset, pairs, out, export, report, families=families, device=device)
        return
    auxiliary = auxiliary_set(settings.auxiliary, out, device)
    members = run(settings, pairs, out, report, auxiliary, device)
    if export is None:
        voice().file(out)
        return
    import numpy as np

    from cginit.learn.augmentation import pairs as points_of
    from cginit.learn.card import model_card
    from cginit.learn.export import describe
    from cginit.learn.subjects.potential_training import out_of_fold, write_model
    from cginit.learn.training import data_digest
    from cginit.models.model import load_model

    held = held_rows(pairs)
    facts: dict[str, Any] = {"data": {"text": origin(dataset, families), "digest": data_digest(pairs)}}
    write_model(settings, members, pairs, export, facts, auxiliary)
    g, density, _ = points_of(held)
    bare = load_model(settings.name, export)(g, density)[0]
    u, rows = out_of_fold(members, pairs)
    folds = {"network": u[np.flatnonzero(rows)]}
    description = describe(
        export, settings.name, {"errors": card_errors(settings.name, export, pairs, bare, folds)}
    )
    written(export, settings.name, model_card(description), description["errors"]["test"])
