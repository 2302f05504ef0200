"""``cg-init evaluate``: the published figures and the table, from data and weights; guesses simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cginit.atomic import write_atomically
from cginit.cli.command import Application
from cginit.cli.learning import Data, Families, need_torch, training_set
from cginit.cli.pressure_study import pressure_figures
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.curves import Array
    from cginit.network.assessment import PotentialStudy
    from cginit.network.data import TrainingSet
    from cginit.report.study_table import Row

__all__ = ["app", "evaluate"]

app = Application(
    invoke_without_command=True,
    help="Figures and table of the published study, from a data set and trained networks.",
)

SIMULATED = "simulated"


@app.callback()
def start(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Data set (HDF5).")] = None,
    potential_study: Annotated[
        Path | None, typer.Option(help="Study g -> U: figures 6, 7, 8 and 9 (cg-init train study).")
    ] = None,
    pressure_study: Annotated[
        Path | None, typer.Option(help="Study U -> P: figures 3 and 4, with --potential-study 11 too.")
    ] = None,
    simulated: Annotated[
        Path | None, typer.Option(help="Folder of cg-init evaluate simulate: figure 10.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of figures, table and numbers.")] = None,
    network: Annotated[str, typer.Option(help="Final network g -> U of figures 8, 9 and 11.")] = "CN/f",
    eos: Annotated[str, typer.Option(help="Final network U -> P of figures 4 and 11.")] = "UN/Bn-c",
    model: Annotated[
        Path | None,
        typer.Option(help="Folder of the exported default network U -> P, to stand beside the study's."),
    ] = None,
    families: Families = "a",
) -> None:
    """Draw what the given studies allow, and write table.md and numbers.json beside."""
    if context.invoked_subcommand is not None:
        return
    if data is None or out is None:
        raise typer.BadParameter("give the data set and where to write", param_hint="--data and --out")
    for path in evaluate(
        data, out, potential_study, pressure_study, simulated, network, eos, families, model
    ):
        voice().file(path)


def evaluate(
    data: Path,
    out: Path,
    potential: Path | None = None,
    pressure: Path | None = None,
    simulated: Path | None = None,
    network: str = "CN/f",
    eos: str = "UN/Bn-c",
    families: str = "a",
    model: Path | None = None,
) -> list[Path]:
    """Write figures and table of the given studies; return their paths."""
    need_torch()
    import torch

    from cginit.campaign.dataset import load
    from cginit.network.study import load_study
    from cginit.report.study_aims import aims, remarks
    from cginit.report.study_table import table

    torch.set_num_threads(1)
    pairs = training_set(load(data), families)
    out.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    rows: list[Row] = []
    numbers: dict[str, Any] = {}
    found: PotentialStudy | None = None
    if potential is not None:
        from cginit.network.assessment import assess_potentials

        found = assess_potentials(potential, pairs)
        paths += _potential_figures(found, pairs, network, out, rows, numbers)
    if pressure is not None:
        paths += pressure_figures(pressure, pairs, found, network, eos, model, out, rows, numbers)
    if simulated is not None:
        paths += _simulated_figure(simulated, out, rows, numbers)
    text = out / "table.md"
    folders = [x for x in (potential, pressure) if x is not None]
    content = [table(rows, pairs), "## Aims", "", *aims(numbers), "", "## Where the conditions differ", ""]
    content += remarks(pairs, {load_study(x)[0].subject: load_study(x)[0] for x in folders}, numbers)
    write_atomically(text, "\n".join(content) + "\n")
    write_atomically(out / "numbers.json", json.dumps(numbers, indent=2) + "\n")
    return [*paths, text, out / "numbers.json"]


def _potential_figures(
    found: PotentialStudy,
    data: TrainingSet,
    name: str,
    out: Path,
    rows: list[Row],
    numbers: dict[str, Any],
) -> list[Path]:
    paths = []
    if found.errors:
        paths += _validation_figures(found, name, out, numbers)
    if name in found.final:
        paths += _final_figures(found, data, name, out, rows, numbers)
    return paths


def _validation_figures(found: PotentialStudy, name: str, out: Path, numbers: dict[str, Any]) -> list[Path]:
    """Draw the errors of all networks by cross-validation, and what a force in the loss does."""
    import numpy as np

    from cginit.network.evaluate import boltzmann_potential
    from cginit.network.statistics import case_errors
    from cginit.report.study import bar_figure, smoothness_figure

    zero = case_errors(boltzmann_potential(found.g), found.truth)
    held, errors = found.fold < 0, found.errors
    mse = {n: e.mse for n, e in errors.items()}
    mae = {n: e.mae for n, e in errors.items()}
    bars = {"<MSE> / kT²": mse, "<MAE> / kT": mae}
    references = {key: {"-ln g": float(np.mean(x[~held]))} for key, x in zip(bars, zero[:2], strict=True)}
    paths = [bar_figure(bars, out / "figure-06.png", references=references)]
    numbers["validation"] = {
        n: {k: getattr(e, k).round(5).tolist() for k in e.__dataclass_fields__} for n, e in errors.items()
    }
    kind = name.partition("/")[0]
    pair = [n for n in (f"{kind}/x", f"{kind}/f") if n in errors]
    if held.any() and len(pair) == 2:
        # The test case whose error with force is the median one: neither the best nor the worst.
        mean = case_errors(found.curves[pair[1]], found.truth)[1]
        order = np.flatnonzero(held)[np.argsort(mean[held])]
        case = int(order[order.size // 2])
        curvature = {"<|Δ²U − Δ²U true|> / kT": {n: e.curvature for n, e in errors.items()}}
        shown = {n: found.curves[n][case] for n in pair}
        paths.append(smoothness_figure(shown, found.truth[case], curvature, out / "figure-07.png"))
    return paths


def _final_figures(
    found: PotentialStudy,
    data: TrainingSet,
    name: str,
    out: Path,
    rows: list[Row],
    numbers: dict[str, Any],
) -> list[Path]:
    """Draw the errors of the final network `name` on training and test set, and how it follows the density."""
    import numpy as np

    from cginit.network.evaluate import absolute_errors, boltzmann_potential
    from cginit.network.statistics import case_errors
    from cginit.report.study import density_figure, error_figure
    from cginit.report.study_table import delta_row

    u0, held = boltzmann_potential(found.g), found.fold < 0
    mae, mae_zero = (case_errors(u, found.truth)[1] for u in (found.final[name], u0))
    groups = {f"{name} train": mae[~held], f"{name} test": mae[held], "-ln g": mae_zero}
    deltas = {key: delta_row(key, x, rows) for key, x in groups.items() if x.size}
    numbers["delta"] = {key: {"fit": a, "median": b} for key, (a, b) in deltas.items()}
    seen = absolute_errors(found.final[name], found.truth, found.g).visible
    seen_zero = absolute_errors(u0, found.truth, found.g).visible
    shown_part = {f"{name} train": seen[~held], f"{name} test": seen[held], "-ln g": seen_zero}
    numbers["delta, visible part"] = {
        key: dict(zip(("fit", "median"), delta_row(key, x, rows, ", visible part"), strict=True))
        for key, x in shown_part.items()
        if x.size
    }
    drawn = {key: (groups[key], a if np.isfinite(a) else b) for key, (a, b) in deltas.items()}
    paths = [error_figure(drawn, out / "figure-08.png")]
    names, counts = np.unique(data.potential[held], return_counts=True)
    if names.size:
        # The potential with most densities; of these the first, so that nobody picks a good one.
        chosen = np.flatnonzero(held & (data.potential == names[int(np.argmax(counts))]))
        by_density = {float(data.density[i]): found.final[name][i] for i in chosen}
        title = f"{name}, potential {int(data.potential[chosen[0]])} (test)"
        paths.append(density_figure(by_density, found.truth[chosen[0]], title, out / "figure-09.png"))
        numbers["transferability"] = _spread(data, found.final[name], found.truth, held)
    return paths


def _spread(data: TrainingSet, u: Array, truth: Array, held: Any) -> dict[str, float]:
    """Return how far the guesses from several densities of one test potential differ, in kT."""
    import numpy as np

    from cginit.network.features import U_CUT

    found = []
    for name in np.unique(data.potential[held]):
        rows = np.flatnonzero(data.potential == name)
        if rows.size > 1:
            counts = truth[rows[0]] < U_CUT
            found.append(float(np.mean(np.std(u[rows][:, counts], axis=0, ddof=1))))
    return {"potentials": len(found), "median_kT": float(np.median(found)) if found else float("nan")}


def _simulated_figure(folder: Path, out: Path, rows: list[Row], numbers: dict[str, Any]) -> list[Path]:
    import numpy as np

    from cginit.report.simulated import read_cases
    from cginit.report.study import simulated_figure
    from cginit.report.study_table import simulated_rows

    cases = sorted(read_cases(folder), key=lambda case: (case.density, case.potential))
    methods = list(dict.fromkeys(method for case in cases for method in case.g))
    lmse = {m: np.array([case.lmse(m) if m in case.g else np.nan for case in cases]) for m in methods}
    # Evenly spaced in the density: neither the best nor the worst.
    chosen = np.unique(np.linspace(0, len(cases) - 1, min(len(cases), 5)).astype(int))
    shown = [(cases[i].title, cases[i].r, cases[i].target, cases[i].g) for i in chosen]
    density = np.array([case.density for case in cases])
    numbers[SIMULATED] = simulated_rows(lmse, density, rows)
    return [simulated_figure(shown, lmse, out / "figure-10.png")]


@app.command()
def simulate(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the runs; the same command goes on where it was.")],
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="Guess; may be repeated. Default: CN/f (with --potential-study, else cn-f), network, hnc, "
            "boltzmann, and true, the true potential."
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of an exported model that a method names, if not shipped.")
    ] = None,
    potential_study: Annotated[
        Path | None,
        typer.Option(help="Study g -> U, whose final networks methods such as CN/f name."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Test state points.")] = 20,
    engine: Annotated[str, typer.Option(help="lammps or hoomd.")] = "lammps",
    families: Families = "a",
) -> None:
    """Simulate guesses for test state points, and keep their g(r) beside the target."""
    if potential_study is not None or any("/" in name for name in method or ()):
        need_torch()
    from cginit.campaign.dataset import load
    from cginit.report.simulated import simulate_cases

    for line in simulate_cases(
        training_set(load(data), families),
        out,
        tuple(
            method or ("cn-f" if potential_study is None else "CN/f", "network", "hnc", "boltzmann", "true")
        ),
        count=count,
        engine=engine,
        model=model,
        study=potential_study,
    ):
        voice().line(line)
