"""Learned pressures held against exact relations: a figure, a table and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cginit.atomic import write_atomically
from cginit.curves import Array
from cginit.eos.inference import MODEL, load_eos
from cginit.learn.data import TrainingSet
from cginit.learn.statistics import relative_errors
from cginit.learn.subjects.pressure_features import row_features
from cginit.models.grid import interpolate, network_grid
from cginit_study.exact_relations import (
    inverse_s_0,
    model_slopes,
    network_slopes,
    series_slopes,
    theory_slopes,
    virial_table,
)
from cginit_study.pressure_figures import Agreement, pressure_figure
from cginit_study.pressures import PressureStudy
from cginit_study.study import final_path
from cginit_study.table import Row

__all__ = ["consistency_figures", "default_pressures"]


def default_pressures(model: Path | None, data: TrainingSet, out: Path) -> Array:
    """Return beta P sigma^3 ``(m,)`` by the default network, shipped or in `model`; NaN where HNC has no solution."""
    features, valid = row_features(data, out / "features.npz")
    return np.where(valid, load_eos(MODEL, model)(features)[0] * data.density, np.nan)


def consistency_figures(
    folder: Path,
    data: TrainingSet,
    found: PressureStudy,
    model: Path | None,
    out: Path,
    rows: list[Row],
    numbers: dict[str, Any],
) -> list[Path]:
    """Draw d(beta P)/d rho against 1/S(0), and write learned beside exact virial coefficients.

    Both use the test set alone, and of the study the final networks. S(0) is that of HNC for all state points,
    and that of the sampled g for those, dilute ones mostly, where the g tells it.
    """
    paths: list[Path] = []
    final = {name: final_path(folder, *_split(name)) for name in found.final}
    paths += _virial_coefficients(found, final, out, numbers)
    held = np.flatnonzero(data.test)
    if held.size == 0:
        return paths
    part = data.select(data.test)
    u = interpolate(part.u, 0.0, float(part.u_r[1]), network_grid(), 0.0)
    b2 = np.asarray(-2.0 * np.pi * np.trapezoid(np.expm1(-part.u) * part.u_r**2, part.u_r, axis=1))
    by_virial, hnc = theory_slopes(data, held)
    slopes = {name: network_slopes(found.config, name, x, u, part.density, b2) for name, x in final.items()}
    slopes = {"default network": model_slopes(load_eos(MODEL, model), data, held), **slopes}
    slopes |= {"HNC virial": by_virial, **series_slopes(part, b2)}
    known = np.isfinite(hnc)
    if np.any(known):
        every = np.ones(int(known.sum()), dtype=bool)
        panels = [Agreement(name, x[known], hnc[known], every) for name, x in slopes.items()]
        labels = ("1/S(0) of HNC", "d(βP)/dρ")
        paths.append(pressure_figure(panels, out / "figure-consistency.png", labels))
    numbers["consistency"] = {}
    sampled = inverse_s_0(data, held)
    references = {"HNC": (hnc, slopes), "the sampled g": (sampled, {**slopes, "HNC 1/S(0)": hnc})}
    for reference, (truth, methods) in references.items():
        errors = _median_errors(truth, methods)
        quantity = f"d(βP)/dρ against 1/S(0) of {reference}, median"
        rows += [
            Row(quantity, "test", name, f"{median:.3g}", cases) for name, (median, cases) in errors.items()
        ]
        numbers["consistency"][reference] = {
            name: {"median": median, "cases": cases} for name, (median, cases) in errors.items()
        }
    return paths


def _virial_coefficients(
    found: PressureStudy, final: Mapping[str, Path], out: Path, numbers: dict[str, Any]
) -> list[Path]:
    """Write those of the networks that are series in the density, if there are any."""
    series = {name: (found.config, x) for name, x in final.items() if _split(name)[1].startswith("Bn-")}
    if not series:
        return []
    text, numbers["virial coefficients"] = virial_table(series)
    path = out / "virial.md"
    write_atomically(path, f"# Virial coefficients, learned and exact\n\nIn powers of sigma^3.\n\n{text}")
    return [path]


def _median_errors(truth: Array, methods: Mapping[str, Array]) -> dict[str, tuple[float, int]]:
    """Return the median relative error of each method where it and the truth are known, and how many these are."""
    found = {}
    for name, x in methods.items():
        use = np.isfinite(x) & np.isfinite(truth)
        if np.any(use):
            found[name] = float(np.median(relative_errors(x[use], truth[use]))), int(use.sum())
    return found


def _split(name: str) -> tuple[str, str]:
    kind, _, label = name.partition("/")
    return kind, label
