"""``cg-init train curves``: what the error of g -> U on unseen potentials depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.learning import Device, need_torch
from cginit.cli.outputs import check_figure_option
from cginit.cli.voice import voice

__all__ = ["curves"]


def curves(
    out: Annotated[Path, typer.Option(help="Folder of the curves; the same command goes on where it was.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data set (HDF5): the networks are judged on its training potentials of family a too."
        ),
    ] = None,
    axis: Annotated[
        list[str] | None,
        typer.Option(help="Only number, form, noise, smoothing or split; may be repeated."),
    ] = None,
    most: Annotated[int, typer.Option(min=100, help="Largest number of potentials.")] = 30_000,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps of each network.")] = 3000,
    batch: Annotated[int, typer.Option(min=1, help="Pairs a step.")] = 64,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=check_figure_option,
            help="Draw what is finished (.png, .pdf, .svg).",
        ),
    ] = None,
    device: Device = "auto",
) -> None:
    """Train networks on pairs from integral equations, one thing changed at a time, and write curves.csv."""
    need_torch()
    import torch

    from cginit.errors import InputError
    from cginit.learn.config import TrainingSchedule
    from cginit.learn.curves import AXES, learning_curves, plan

    if unknown := sorted(set(axis or ()) - set(AXES)):
        raise InputError(f"unknown axis {unknown[0]!r} of the curves; choose {', '.join(AXES)}")
    # The networks are small; more threads are slower.
    torch.set_num_threads(1)
    simulated = None
    if data is not None:
        from cginit.campaign.dataset import load
        from cginit.learn.simulated import training_set

        simulated = training_set(load(data), "a")

    points = [p for p in plan(most) if not axis or p.axis in axis]
    schedule = TrainingSchedule(
        members=1, steps=steps, batch=batch, learning_rate=3e-3, keep="last", evaluate_every=500
    )
    results = learning_curves(out, points, schedule, simulated, voice().progress, device)
    voice().file(out / "curves.csv")
    if plot is not None:
        from cginit.report.learning import learning_figure

        voice().file(learning_figure(results, plot))
