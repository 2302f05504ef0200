"""``cg-init train``: train networks on a data set, evaluate them on its test set, write the files that ship."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cginit.cli.command import Application
from cginit.cli.curves import curves
from cginit.cli.learning import Device, Families, auxiliary_set, counter, need_torch
from cginit.cli.progress import duration
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cginit.campaign.dataset import AnyDataset
    from cginit.learn.data import TrainingSet
    from cginit.learn.task import TrainingProgress

__all__ = ["app", "train"]

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

    from cginit.campaign.dataset import load_any
    from cginit.learn import training
    from cginit.learn.config import load_config
    from cginit.learn.export import export_run
    from cginit.learn.subjects import subject_of
    from cginit.learn.subjects.guess_errors import held_rows

    # The networks are small; more threads are slower.
    torch.set_num_threads(1)
    settings = load_config(config)
    subject = subject_of(settings.subject)
    pairs, origin = _rows(load_any(data), families, out)
    if export is not None:
        # Before hours of training, not after.
        held_rows(pairs)
    run = training.train(
        settings,
        pairs,
        out,
        auxiliary=auxiliary_set(settings.auxiliary, out, device),
        device=device,
        report=_progress(subject.unit),
        prepared=counter(subject.preparation),
    )
    if export is None:
        _shown(subject.errors(run, None, _judging()), subject.figures(run))
        voice().file(out)
        return
    description = export_run(run, export, origin, _judging())
    _shown(description["errors"], description)
    for suffix in (".onnx", ".safetensors", ".json", ".md"):
        voice().file(export / f"{settings.name}{suffix}")


def _rows(dataset: AnyDataset, families: str, out: Path) -> tuple[TrainingSet, str]:
    """Return what networks learn from a data set, and where it comes from; features of molecules go to `out`."""
    from cginit.campaign.records import Dataset
    from cginit.learn.molecules import molecule_features, molecule_origin, molecule_set
    from cginit.learn.simulated import origin, training_set
    from cginit.learn.subjects.molecules import FEATURES

    if isinstance(dataset, Dataset):
        return training_set(dataset, families), origin(dataset, families)
    report = counter("inversions of molecules", every=10)
    features = molecule_features(dataset, out / "liquids", report=report)
    features.write(out / FEATURES)
    return molecule_set(dataset), molecule_origin(dataset)


def _progress(unit: str) -> Callable[[TrainingProgress], None]:
    """Return what tells of each validation, whose errors are in `unit`."""
    began = time.monotonic()

    def report(p: TrainingProgress) -> None:
        left = (time.monotonic() - began) * (p.steps - p.step) / max(p.step, 1)
        voice().progress(
            f"step {p.step}/{p.steps}, {duration(left)} left  loss {p.loss.mean():.3f}  "
            f"validation of {len(p.names)} networks {' '.join(f'{x:.4f}' for x in p.error)}{unit}"
        )

    return report


def _judging() -> Callable[[str, int, int], None]:
    """Return what tells how many state points of a group are judged."""
    counters: dict[str, Callable[[int, int], None]] = {}

    def report(group: str, done: int, total: int) -> None:
        if group not in counters:
            counters[group] = counter(f"errors, {group}", every=50)
        counters[group](done, total)

    return report


def _shown(errors: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """Print the tables of errors, and how many errors the band holds where that is known."""
    for name, text in errors.items():
        if isinstance(text, str) and text:
            voice().line(f"## {name.replace('_', ', ')}\n{text}")
    coverage = figures.get("coverage of the 90 % band")
    if coverage is not None:
        groups = {"validation": "validation folds", "calibration": "calibration", "test": "test set"}
        # Without an export the test set is left alone.
        known = [x for x in groups if x in coverage and (x != "test" or any(x in name for name in errors))]
        held = " and ".join(f"{100 * coverage[x]:.1f} % of the {groups[x]}" for x in known)
        voice().line(f"standard error = {figures['error_scale']:.3g} x spread; the 90 % band holds {held}")
