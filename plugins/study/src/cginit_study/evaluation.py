"""The published figures and the table, from data and the networks of a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cginit.atomic import write_atomically
from cginit.curves import Array
from cginit.learn.data import TrainingSet
from cginit.learn.evaluate import absolute_errors
from cginit.learn.statistics import case_errors
from cginit.models.grid import U_CUT, boltzmann_potential
from cginit_study.aims import aims, remarks
from cginit_study.figures import bar_figure, density_figure, error_figure, simulated_figure, smoothness_figure
from cginit_study.potentials import PotentialStudy, assess_potentials
from cginit_study.pressure_evaluation import pressure_figures
from cginit_study.simulated import read_cases
from cginit_study.study import load_study
from cginit_study.table import Row, delta_row, simulated_rows, table

__all__ = ["evaluate"]


def evaluate(
    pairs: TrainingSet,
    out: Path,
    potential: Path | None = None,
    pressure: Path | None = None,
    simulated: Path | None = None,
    network: str = "CN/f",
    eos: str = "UN/Bn-c",
    model: Path | None = None,
) -> list[Path]:
    """Write figures and table of the given studies; return their paths.

    Parameters
    ----------
    pairs : TrainingSet
        The data of the studies, test set included.
    out : Path
        Folder of figures, ``table.md`` and ``numbers.json``; what takes long is kept there.
    potential, pressure : Path, optional
        Folders of the studies g -> U (figures 6 to 9) and U -> P (figures 3 and 4; with both 11 too).
    simulated : Path, optional
        Folder of simulated guesses (figure 10).
    network, eos : str
        Final networks g -> U and U -> P that are drawn.
    model : Path, optional
        Folder of the default network U -> P; the shipped one otherwise.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    rows: list[Row] = []
    numbers: dict[str, Any] = {}
    found: PotentialStudy | None = None
    if potential is not None:
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
    found = []
    for name in np.unique(data.potential[held]):
        rows = np.flatnonzero(data.potential == name)
        if rows.size > 1:
            counts = truth[rows[0]] < U_CUT
            found.append(float(np.mean(np.std(u[rows][:, counts], axis=0, ddof=1))))
    return {"potentials": len(found), "median_kT": float(np.median(found)) if found else float("nan")}


def _simulated_figure(folder: Path, out: Path, rows: list[Row], numbers: dict[str, Any]) -> list[Path]:
    cases = sorted(read_cases(folder), key=lambda case: (case.density, case.potential))
    methods = list(dict.fromkeys(method for case in cases for method in case.g))
    lmse = {m: np.array([case.lmse(m) if m in case.g else np.nan for case in cases]) for m in methods}
    # Evenly spaced in the density: neither the best nor the worst.
    chosen = np.unique(np.linspace(0, len(cases) - 1, min(len(cases), 5)).astype(int))
    shown = [(cases[i].title, cases[i].r, cases[i].target, cases[i].g) for i in chosen]
    density = np.array([case.density for case in cases])
    numbers["simulated"] = simulated_rows(lmse, density, rows)
    return [simulated_figure(shown, lmse, out / "figure-10.png")]
