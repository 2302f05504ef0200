"""``cg-init evaluate``: the published figures and the table, from data and weights; guesses simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cginit.cli.consistency import consistency_figures, default_pressures
from cginit.cli.learning import Data, Families, need_torch, training_set

if TYPE_CHECKING:
    from cginit.curves import Array
    from cginit.eos.assessment import PressureStudy
    from cginit.network.assessment import PotentialStudy
    from cginit.network.data import TrainingSet
    from cginit.report.study_table import Row

__all__ = ["app", "evaluate"]

app = typer.Typer(
    invoke_without_command=True,
    help="Figures and table of the published study, from a data set and trained networks.",
)

SIMULATED = "simulated"


@app.callback()
def start(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Data set (HDF5).")] = None,
    potential: Annotated[
        Path | None, typer.Option(help="Study g -> U: figures 6, 7, 8 and 9 (cg-init train study).")
    ] = None,
    pressure: Annotated[
        Path | None, typer.Option(help="Study U -> P: figures 3 and 4, with --potential 11 too.")
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
    for path in evaluate(data, out, potential, pressure, simulated, network, eos, families, model):
        typer.echo(str(path))


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
        paths += _pressure_figures(pressure, pairs, found, network, eos, model, out, rows, numbers)
    if simulated is not None:
        paths += _simulated_figure(simulated, out, rows, numbers)
    text = out / "table.md"
    text.write_text(table(rows, pairs), encoding="utf-8")
    (out / "numbers.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    return [*paths, text, out / "numbers.json"]


def _potential_figures(
    found: PotentialStudy,
    data: TrainingSet,
    name: str,
    out: Path,
    rows: list[Row],
    numbers: dict[str, Any],
) -> list[Path]:
    import numpy as np

    from cginit.network.evaluate import absolute_errors, boltzmann_potential
    from cginit.network.statistics import case_errors
    from cginit.report.study import bar_figure, density_figure, error_figure, smoothness_figure
    from cginit.report.study_table import delta_row

    u0 = boltzmann_potential(found.g)
    zero = case_errors(u0, found.truth)
    held = found.fold < 0
    errors = found.errors
    paths = []
    if errors:
        mse = {n: e.mse for n, e in errors.items()}
        mae = {n: e.mae for n, e in errors.items()}
        bars = {"<MSE> / kT²": mse, "<MAE> / kT": mae}
        references = {key: {"-ln g": float(np.mean(x[~held]))} for key, x in zip(bars, zero[:2], strict=True)}
        paths.append(bar_figure(bars, out / "figure-06.png", references=references))
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
    if name in found.final:
        mae_final = case_errors(found.final[name], found.truth)[1]
        groups = {f"{name} train": mae_final[~held], f"{name} test": mae_final[held], "-ln g": zero[1]}
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
        paths.append(error_figure(drawn, out / "figure-08.png"))
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


def _pressure_figures(
    folder: Path,
    data: TrainingSet,
    guessed: PotentialStudy | None,
    network: str,
    eos: str,
    model: Path | None,
    out: Path,
    rows: list[Row],
    numbers: dict[str, Any],
) -> list[Path]:
    import numpy as np

    from cginit.eos.assessment import assess_pressures
    from cginit.eos.baselines import BASELINES, baselines
    from cginit.network.statistics import relative_errors
    from cginit.report.study import Agreement, bar_figure, pressure_figure
    from cginit.report.study_table import pressure_rows

    def report(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            typer.echo(f"baselines: {done}/{total} state points", err=True)

    base = baselines(data, out / "baselines.npz", report)
    found = assess_pressures(folder, data, base["P0"])
    held = found.fold < 0
    error = {}
    for name in BASELINES:
        known = relative_errors(base[name], data.pressure)[~held]
        if np.isfinite(known).any():
            error[name] = float(np.nanmean(known))
    paths = []
    key = "<LMRAE>"
    if found.errors:
        paths.append(bar_figure({key: found.errors}, out / "figure-03.png", references={key: error}))
        numbers["pressure validation"] = {n: x.round(5).tolist() for n, x in found.errors.items()}
        numbers["pressure test"] = {n: x.round(5).tolist() for n, x in found.test_errors.items()}
    panels = [Agreement(name, base[name], data.pressure, held) for name in BASELINES]
    if eos in found.final:
        panels.insert(0, Agreement(eos, found.final[eos], data.pressure, held))
    if model is not None:
        by_default = default_pressures(model, data, out)
        panels.insert(0, Agreement("default network", by_default, data.pressure, held))
    paths.append(pressure_figure(panels, out / "figure-04.png"))
    numbers["pressure"] = {p.title: pressure_rows(p, rows, "") for p in panels}
    if guessed is not None and network in guessed.final and eos in found.final:
        panels = _from_g(folder, data, guessed, network, eos, found)
        paths.append(pressure_figure(panels, out / "figure-11.png"))
        numbers["pressure from g"] = {p.title: pressure_rows(p, rows, "from g: ") for p in panels}
    return paths + consistency_figures(folder, data, found, model, out, rows, numbers)


def _from_g(
    folder: Path, data: TrainingSet, guessed: PotentialStudy, network: str, eos: str, found: PressureStudy
) -> list[Any]:
    """Return the routes from g to the pressure: network after network, virial formula, and P0 of -ln g."""
    import numpy as np

    from cginit.eos.assessment import network_pressure
    from cginit.eos.baselines import sampled_virial
    from cginit.errors import CGInitError
    from cginit.network.evaluate import boltzmann_potential
    from cginit.network.features import interpolate, network_grid
    from cginit.network.study import final_path
    from cginit.report.study import Agreement

    u = guessed.final[network]
    step = float(network_grid()[1])
    fine = interpolate(u, 0.0, step, data.u_r, 0.0)
    zero = interpolate(boltzmann_potential(guessed.g), 0.0, step, data.u_r, 0.0)

    def p0(curves: Array) -> Array:
        b2 = -2.0 * np.pi * np.trapezoid(np.expm1(-curves) * data.u_r**2, data.u_r, axis=1)
        return np.asarray(data.density + data.density**2 * b2)

    kind, _, label = eos.partition("/")
    path = final_path(folder, kind, label)
    after = network_pressure(found.config, eos, path, u, data.density, p0(fine))
    virial = np.full(len(data), np.nan)
    for i in range(len(data)):
        try:
            virial[i] = sampled_virial(data.r, data.g[i], data.u_r, fine[i], float(data.density[i]))
        except CGInitError:
            continue
    held = found.fold < 0
    return [
        Agreement(f"{network}, then {eos}", after, data.pressure, held),
        Agreement(f"{network} and the virial of g", virial, data.pressure, held),
        Agreement("P0 of -ln g", p0(zero), data.pressure, held),
    ]


def _simulated_figure(folder: Path, out: Path, rows: list[Row], numbers: dict[str, Any]) -> list[Path]:
    import numpy as np

    from cginit.report.simulated import read_cases
    from cginit.report.study import simulated_figure
    from cginit.report.study_table import simulated_rows

    cases = read_cases(folder)
    methods = list(dict.fromkeys(method for case in cases for method in case.g))
    lmse = {m: np.array([case.lmse(m) for case in cases if m in case.g]) for m in methods}
    shown = [(case.title, case.r, case.target, case.g) for case in cases[:5]]
    simulated_rows(lmse, rows)
    numbers[SIMULATED] = {m: np.asarray(x).tolist() for m, x in lmse.items()}
    return [simulated_figure(shown, lmse, out / "figure-10.png")]


@app.command()
def simulate(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the runs; the same command goes on where it was.")],
    method: Annotated[
        list[str] | None,
        typer.Option(help="Guess; may be repeated. Default: cn-f, hnc, boltzmann, and the true potential."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of an exported model that a method names, if not shipped.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Test state points.")] = 20,
    engine: Annotated[str, typer.Option(help="lammps or hoomd.")] = "lammps",
    families: Families = "a",
) -> None:
    """Simulate guesses for test state points, and keep their g(r) beside the target."""
    from cginit.campaign.dataset import load
    from cginit.report.simulated import simulate_cases

    for line in simulate_cases(
        training_set(load(data), families),
        out,
        tuple(method or ("cn-f", "hnc", "boltzmann", "true")),
        count=count,
        engine=engine,
        model=model,
    ):
        typer.echo(line)
