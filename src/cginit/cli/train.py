"""``cg-init train``: train networks on a data set, evaluate them on its test set, write the files that ship."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cginit.cli.correction import train_pressure
from cginit.cli.learning import (
    CAP,
    Device,
    Families,
    auxiliary_set,
    need_torch,
    training_set,
)
from cginit.cli.study import search, study

if TYPE_CHECKING:
    from collections.abc import Callable

    from cginit.campaign.dataset import Dataset
    from cginit.curves import Array
    from cginit.guess.base import Guess
    from cginit.network.config import Config
    from cginit.network.data import TrainingSet
    from cginit.network.fitting import Progress

__all__ = ["app", "train", "training_set"]

app = typer.Typer(
    invoke_without_command=True,
    help="Train the networks of a configuration on a data set; go on where a previous run was stopped.",
)

app.command()(study)
app.command()(search)

Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


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
    quiet: Quiet = False,
) -> None:
    """Train the ensemble of one configuration; the commands below train many networks."""
    if context.invoked_subcommand is not None:
        return
    for name, value in (("data", data), ("config", config), ("out", out)):
        if value is None:
            raise typer.BadParameter(f"give --{name}, or one of the commands", param_hint=f"--{name}")
    if data is not None and config is not None and out is not None:
        train(data, config, out, export, quiet, device, families)


def train(
    data: Path,
    config: Path,
    out: Path,
    export: Path | None,
    quiet: bool,
    device: str = "cpu",
    families: str = "a",
) -> None:
    """Train the networks of a configuration on a data set; go on where a previous run was stopped."""
    need_torch()
    import torch

    from cginit.campaign.dataset import load
    from cginit.network.config import load_config
    from cginit.network.training import train as run

    # The networks are small; more threads are slower.
    torch.set_num_threads(1)
    settings = load_config(config)
    dataset = load(data)
    pairs = training_set(dataset, families)

    unit = "" if settings.subject == "pressure" else " kT"

    def report(p: Progress) -> None:
        if not quiet:
            typer.echo(
                f"step {p.step}/{p.steps}  loss {p.loss.mean():.3f}  validation of {len(p.names)} networks "
                f"{' '.join(f'{x:.4f}' for x in p.error)}{unit}",
                err=True,
            )

    if settings.subject == "pressure":
        train_pressure(settings, dataset, pairs, out, export, report, device, quiet=quiet)
        return
    if settings.architecture.kind == "BN":
        _bridge(settings, pairs, out, export, report, device)
        return
    auxiliary = auxiliary_set(settings.auxiliary, out, quiet) if settings.auxiliary.share > 0.0 else None
    members = run(settings, pairs, out, report, auxiliary, device)
    if export is None:
        typer.echo(str(out))
        return
    from cginit.guess.boltzmann import Boltzmann
    from cginit.guess.integral_equation import IntegralEquation
    from cginit.guess.network import NetworkGuess
    from cginit.network.card import model_card
    from cginit.network.evaluate import boltzmann_potential, error_table
    from cginit.network.export import describe, out_of_fold, write_model
    from cginit.network.training import data_digest

    facts: dict[str, Any] = {"data": {"text": _origin(dataset), "digest": data_digest(pairs)}}
    description = write_model(settings, members, pairs, export, facts, auxiliary)
    held, g, truth = _test_rows(pairs)
    predictions = {
        "network": _network(settings.name, export, held),
        # The g of a training set are point values already.
        settings.name: _guesses(NetworkGuess(settings.name, bin_average=False, folder=export), held),
        "hnc": _guesses(IntegralEquation("hnc", bin_average=False), held),
        "boltzmann": _guesses(Boltzmann(bin_average=False), held),
        "-ln g": boltzmann_potential(g),
    }
    u, rows, g_all, truth_all = *out_of_fold(members, pairs), *_points(pairs)
    validation = {"network": u[rows], "-ln g": boltzmann_potential(g_all[rows])}
    errors = {
        "test": error_table(predictions, truth, g, held.density),
        "remark": _remark(predictions, truth, g, settings.name),
        "validation": error_table(validation, truth_all[rows], g_all[rows], pairs.density[rows]),
    }
    description = describe(export, settings.name, {"errors": errors})
    card = export / f"{settings.name}.md"
    card.write_text(model_card(description), encoding="utf-8")
    typer.echo(errors["test"])
    for suffix in (".onnx", ".safetensors", ".json", ".md"):
        typer.echo(str(export / f"{settings.name}{suffix}"))


def _bridge(
    config: Config,
    data: TrainingSet,
    out: Path,
    export: Path | None,
    report: Callable[[Progress], None],
    device: str,
) -> None:
    """Train the bridge network and print its errors beside those of the closures."""
    import numpy as np

    from cginit.errors import InputError
    from cginit.network.bridge_training import train_bridge
    from cginit.network.evaluate import boltzmann_potential, error_table

    if export is not None:
        raise InputError("a network of kind BN has no files for guesses yet; leave --export away")
    found = train_bridge(config, data, out, device=device, report=report)
    methods = {
        "bridge network": found.out_of_fold,
        "Verlet-modified": found.closure,
        "hnc": found.hnc,
        "-ln g": boltzmann_potential(found.g),
    }
    for title, rows in (("validation folds", found.fold >= 0), ("test set", found.fold < 0)):
        if np.any(rows):
            parts = {name: u[rows] for name, u in methods.items()}
            typer.echo(f"## {title}")
            typer.echo(error_table(parts, found.truth[rows], found.g[rows], data.density[rows]))
    folds, test = found.coverage()
    typer.echo(
        f"standard error = {found.error_scale():.3g} x spread; its 90 % band covers {100 * folds:.1f} % of the "
        f"visible points of the validation folds and {100 * test:.1f} % of the test set"
    )


def _points(data: TrainingSet) -> tuple[Array, Array]:
    from cginit.network.augmentation import pairs

    g, _, u = pairs(data)
    return g, u


def _test_rows(data: TrainingSet) -> tuple[TrainingSet, Array, Array]:
    from cginit.errors import InputError

    held = data.select(data.test)
    if len(held) == 0:
        raise InputError("the data set holds no test potential; simulate more potentials")
    return held, *_points(held)


def _network(name: str, folder: Path, data: TrainingSet) -> Array:
    from cginit.network.augmentation import pairs
    from cginit.network.inference import load_model

    g, density, _ = pairs(data)
    return load_model(name, folder)(g, density)[0]


def _guesses(guess: Guess, data: TrainingSet) -> Array:
    """Return the potentials of a guess on the network's grid ``(m, 50)``; NaN where it has none."""
    import numpy as np

    from cginit.curves import RDF
    from cginit.errors import CGInitError
    from cginit.network.features import POINTS, interpolate, network_grid
    from cginit.state import StatePoint
    from cginit.units import LJ

    found = np.full((len(data), POINTS), np.nan)
    for row in range(len(data)):
        target = RDF(data.r, data.g[row], data.g_error[row], units=LJ)
        state = StatePoint(float(data.density[row]), 1.0)
        try:
            # No method is told where the potential ends.
            potential = guess(target, state, float(data.r[-1]))
        except CGInitError:
            continue
        found[row] = interpolate(
            np.minimum(potential.u, CAP)[None], float(potential.r[0]), potential.dr, network_grid(), 0.0
        )[0]
    return found


def _origin(dataset: Dataset) -> str:
    import numpy as np

    used = dataset.select(dataset.accepted)
    engines = ", ".join(sorted(set(used.engine.tolist())))
    densities = ", ".join(f"{x:g}" for x in np.unique(used.density))
    return (
        "Random spline potentials of family a (`cginit.campaign.potentials`), half of them made with a WCA core,\n"
        f"simulated with {engines} at densities {densities} and kT = 1. Of {len(dataset)} tasks "
        f"{len(used)} were accepted as\nhomogeneous fluids in equilibrium; they have {int(used.n.min())} to "
        f"{int(used.n.max())} beads and "
        f"{int(used.steps.min())} to {int(used.steps.max())} steps of production."
    )


def _remark(predictions: dict[str, Array], truth: Array, g: Array, name: str) -> str:
    import numpy as np

    from cginit.network.evaluate import absolute_errors, summary

    ours = absolute_errors(predictions[name], truth, g).visible
    lines = []
    for other in ("-ln g", "boltzmann", "hnc"):
        theirs = absolute_errors(predictions[other], truth, g).visible
        both = np.isfinite(ours) & np.isfinite(theirs)
        better = int(np.sum(ours[both] < theirs[both]))
        lines.append(f"better than {other} on {better} of {int(np.sum(both))}")
    figure = summary(ours[np.isfinite(ours)])
    delta = f"delta = median / ln 2 = {figure['delta']:.3f} kT"
    return f"Visible part of `{name}`: {delta}; {', '.join(lines)} test state points."
