"""``cg-init train``: train a network on a data set, evaluate it on its test set, write the files that ship."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cginit.campaign.dataset import Dataset
    from cginit.curves import Array
    from cginit.guess.base import Guess
    from cginit.network.config import Auxiliary
    from cginit.network.data import TrainingSet

__all__ = ["train", "training_set"]

#: Step of the fine grid of potentials, which changes of the length unit interpolate on.
FINE = 0.01
#: Energies are capped here, far above what counts (20 kT), so that interpolation stays local and finite.
CAP = 1e3


def train(
    data: Annotated[Path, typer.Option(help="Data set (HDF5), as cg-init dataset merge writes it.")],
    config: Annotated[Path, typer.Option(help="Configuration (TOML).")],
    out: Annotated[Path, typer.Option(help="Folder of the training; the same command goes on where it was.")],
    export: Annotated[
        Path | None,
        typer.Option(help="Evaluate when done, and write ONNX, weights, description and card here."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Train the networks of a configuration on a data set; go on where a previous run was stopped."""
    _need_torch()
    import torch

    from cginit.campaign.dataset import load
    from cginit.network.config import load_config
    from cginit.network.training import Progress
    from cginit.network.training import train as run

    # The networks are small; more threads are slower.
    torch.set_num_threads(1)
    settings = load_config(config)
    dataset = load(data)
    pairs = training_set(dataset)

    def report(p: Progress) -> None:
        if not quiet:
            typer.echo(
                f"step {p.step}/{p.steps}  loss {p.loss.mean():.3f}  validation of {len(p.names)} networks "
                f"{' '.join(f'{x:.4f}' for x in p.error)} kT",
                err=True,
            )

    auxiliary = _auxiliary(settings.auxiliary, out, quiet) if settings.auxiliary.share > 0.0 else None
    members = run(settings, pairs, out, report, auxiliary)
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


def training_set(dataset: Dataset) -> TrainingSet:
    """Return the accepted rows of family a as a network learns from them.

    g becomes point values (its bins average over steep cores) and 0 below its first visible point, as in a guess;
    potentials go onto a fine common grid.

    Raises
    ------
    InputError
        If no row is accepted.
    """
    import numpy as np

    from cginit.curves import RDF
    from cginit.errors import InputError
    from cginit.guess.assembly import visible_target
    from cginit.network.data import TrainingSet
    from cginit.network.features import RANGE, interpolate
    from cginit.units import LJ

    rows = dataset.select(dataset.accepted & (dataset.family == "a"))
    if len(rows) == 0:
        raise InputError("the data set holds no accepted state point of family a; simulate some first")
    u_r = np.linspace(0.0, RANGE, round(RANGE / FINE) + 1)
    g, u = [], []
    for table_r, table, values, error in zip(rows.u_r, rows.u, rows.g, rows.g_error, strict=True):
        visible = visible_target(RDF(rows.r, values, error, units=LJ))
        g.append(visible.target.g)
        step = float(table_r[-1] / (table_r.size - 1))
        u.append(interpolate(np.minimum(table, CAP)[None], 0.0, step, u_r, 0.0)[0])
    return TrainingSet(
        rows.r, np.array(g), rows.g_error, u_r, np.array(u), rows.density, rows.u_r[:, -1], rows.seed
    )


def _auxiliary(how: Auxiliary, folder: Path, quiet: bool) -> TrainingSet:
    """Return the auxiliary pairs, from `folder` if it has them; they take some minutes."""
    import numpy as np

    from cginit.campaign.potentials import spline_potential
    from cginit.campaign.simulate import screen
    from cginit.network.closure import closure_pairs
    from cginit.network.data import TrainingSet
    from cginit.network.features import RANGE, interpolate

    path = folder / "auxiliary.npz"
    if path.exists():
        return TrainingSet.read(path)
    rng = np.random.default_rng(how.first)
    u_r = np.linspace(0.0, RANGE, round(RANGE / FINE) + 1)
    u, r_cut, density, names = [], [], [], []
    for name in range(how.first, how.first + how.potentials):
        made = spline_potential(name)
        if screen(made.potential, made.core):
            continue
        table = np.minimum(made.potential.u, CAP)
        curve = interpolate(table[None], 0.0, made.potential.dr, u_r, 0.0)[0]
        low, high = np.log(how.density)
        for value in np.exp(rng.uniform(low, high, how.states)):
            u.append(curve)
            r_cut.append(made.potential.r_cut)
            density.append(value)
            names.append(name)

    def report(done: int, total: int) -> None:
        if not quiet and done % 200 == 0:
            typer.echo(f"auxiliary pairs: {done}/{total} states", err=True)

    found = closure_pairs(
        u_r, np.array(u), np.array(r_cut), np.array(density), np.array(names), how.noise, report
    )
    folder.mkdir(parents=True, exist_ok=True)
    found.write(path)
    return found


def _need_torch() -> None:
    from importlib.util import find_spec

    from cginit.errors import MissingDependencyError

    if find_spec("torch") is None:
        raise MissingDependencyError("training needs PyTorch: pip install 'cginit[train]'")


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
